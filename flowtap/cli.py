# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command `flowtap`: its subcommands, each imported only when it is called, so that starting up stays fast."""

from importlib import import_module
from typing import NoReturn

import click

# Subcommand: the module that defines it, and the name of the click command there.
COMMANDS = {
    "capture": ("flowtap.capture", "capture"),
    "collector": ("flowtap.collector", "collector"),
    "config": ("flowtap.config", "config"),
    "doctor": ("flowtap.doctor", "doctor"),
    "deploy": ("flowtap.deploy", "deploy"),
    "eval": ("flowtap.eval", "evaluate"),
    "os": ("flowtap.os", "os_"),
    "run": ("flowtap.run", "run"),
    "read": ("flowtap.read", "read"),
    "hosts": ("flowtap.hosts", "hosts"),
    "reload": ("flowtap.reload", "reload"),
    "sigs": ("flowtap.sigs", "sigs"),
    "stats": ("flowtap.stats", "stats"),
    "survey": ("flowtap.survey", "survey"),
    "tail": ("flowtap.tail", "tail"),
    "worker": ("flowtap.worker", "worker"),
}


class LazyGroup(click.Group):
    """A group whose subcommands are those of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand and return it; None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="flowtap")
def flowtap() -> None:
    """Tell what an encrypted flow is doing from its shape alone.

    The shape of a flow is who sent how many payload bytes, in which order, after which pauses. flowtap matches it
    against signatures; it never looks at content.
    """


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    flowtap(prog_name="flowtap")
    raise SystemExit(0)
