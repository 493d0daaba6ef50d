# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a man page for each command from what `--help` says, so that the two cannot differ.

Usage: man.py DIRECTORY. Existing generators leave out the epilog, which is where the exit codes and examples are.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click

from flowtap.cli import flowtap


def escape(text: str) -> str:
    """Return `text` so that roff prints it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.splitlines())


def paragraphs(text: str) -> Iterator[str]:
    r"""Yield the roff of click's help text: blank lines part paragraphs, and \b keeps the lines of one apart."""
    for paragraph in text.strip().split("\n\n") if text.strip() else []:
        lines = [line.strip() if paragraph[:1] != "\b" else line.rstrip() for line in paragraph.splitlines()]
        if lines[0] == "\b":
            if lines[1].endswith(":"):
                yield f".SH {escape(lines.pop(1)[:-1].upper())}"
            yield ".nf"
            yield escape("\n".join(line.strip() for line in lines[1:]))
            yield ".fi"
        else:
            yield ".PP"
            yield escape("\n".join(lines))


def page_name(ctx: click.Context) -> str:
    """Return the name of the page of the command of `ctx`."""
    return ctx.command_path.replace(" ", "-")


def page(ctx: click.Context) -> str:
    """Return the man page of the command of `ctx`."""
    command, name = ctx.command, ctx.command_path
    usage = " ".join(command.collect_usage_pieces(ctx))
    lines = [
        f'.TH "{page_name(ctx).upper()}" 1 "" "flowtap {version("flowtap")}" "flowtap"',
        ".SH NAME",
        f"{escape(page_name(ctx))} \\- {escape(command.get_short_help_str(limit=200).rstrip('.'))}",
        ".SH SYNOPSIS",
        f"\\fB{escape(name)}\\fR {escape(usage)}",
        ".SH DESCRIPTION",
        *paragraphs(command.help or ""),
        ".SH OPTIONS",
    ]
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and record[1]:  # arguments have no help; the synopsis shows them
            lines += [".TP", f"\\fB{escape(record[0])}\\fR", escape(record[1])]
    children = subcommands(ctx)
    if children:
        lines.append(".SH COMMANDS")
        for child in children:
            lines += [".TP", f"\\fB{escape(child.info_name or '')}\\fR", escape(child.command.get_short_help_str(200))]
    lines += paragraphs(command.epilog or "")
    near = [*([ctx.parent] if ctx.parent else []), *children]
    lines += [".SH SEE ALSO", ", ".join(f"\\fB{escape(page_name(other))}\\fR(1)" for other in near)]
    return "\n".join(lines) + "\n"


def subcommands(ctx: click.Context) -> list[click.Context]:
    """Return a context for each subcommand of the command of `ctx`."""
    group = ctx.command
    if not isinstance(group, click.Group):
        return []
    commands = ((name, group.get_command(ctx, name)) for name in group.list_commands(ctx))
    return [click.Context(command, parent=ctx, info_name=name) for name, command in commands if command is not None]


def write(ctx: click.Context, directory: Path) -> None:
    """Write the pages of the command of `ctx` and of all below it."""
    (directory / f"{page_name(ctx)}.1").write_text(page(ctx))
    for child in subcommands(ctx):
        write(child, directory)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    write(click.Context(flowtap, info_name="flowtap"), target)
