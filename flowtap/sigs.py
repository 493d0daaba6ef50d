# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap sigs`: check signature files, list a database, explain a signature."""

import sys
from pathlib import Path
from typing import Any

import click
import orjson

import sigdb
from flowtap.terminal import say
from sigdb import example, explain, think
from sigdb.nodes import Rule, Signature
from sigdb.rule import sequence_text

_PORTS = 24  # columns of protocol and ports in a list; `--json` has all
_SEVERITY_COLOURS = {"low": "green", "medium": "yellow", "high": "red", "critical": "magenta"}
_files = click.option(
    "-f",
    "--signatures",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(),
    help="Signatures: a file, or a directory of *.fp files; may be repeated. Default: the shipped database.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def sigs() -> None:
    """Check, list and explain signatures."""


@sigs.command(short_help="Check signature files.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@_json
def check(files: tuple[str, ...], as_json: bool) -> None:
    """Check signature FILEs: report each mistake with its place, or count the signatures.

    A directory stands for its *.fp files. The exit code is 0 when the files can be loaded together, 1 when not.
    """
    errors: list[sigdb.SignatureError] = []
    count = rules = 0
    files = _files_of(files)
    try:
        program = sigdb.load(files)
        count, rules = len(program.signatures), len(program.rules)
    except sigdb.SignatureErrors as wrong:
        errors = wrong.errors
    if as_json:
        places = [{"file": e.file, "line": e.line, "column": e.column, "message": e.message} for e in errors]
        _print_json({"files": list(files), "signatures": count, "rules": rules, "errors": places})
    elif errors:
        _complain(errors)
        click.echo(_count(len(errors), "mistake"), err=True)
    else:
        more = f" and {_count(rules, 'rule')}" if rules else ""
        say(f"{_count(count, 'signature')}{more} in {_count(len(files), 'file')}: correct")
    sys.exit(1 if errors else 0)


@sigs.command(name="list", short_help="List signatures.")
@_files
@_json
def list_(files: tuple[str, ...], as_json: bool) -> None:
    """List signatures and rules: id, severity, protocol and server ports (rules: `flows`), description."""
    signatures = _load(files, cached=True)
    if as_json:
        _print_json([_facts(signature) for signature in signatures])
        return
    where = {s.id: "flows" if isinstance(s, Rule) else f"{s.protocol}/{explain.ports_text(s)}" for s in signatures}
    widths = [max(map(len, column), default=0) for column in (where, map(_cut, where.values()))]
    for signature in signatures:
        severity = click.style(f"{signature.severity:<8}", fg=_SEVERITY_COLOURS[signature.severity])
        place = _cut(where[signature.id])
        say(f"{signature.id:<{widths[0]}}  {severity}  {place:<{widths[1]}}  {signature.description}")


@sigs.command(name="explain", short_help="Explain a signature in words.")
@click.argument("id_", metavar="ID")
@_files
@_json
def explain_(id_: str, files: tuple[str, ...], as_json: bool) -> None:
    """Explain the signature ID: what it matches, in words and as an example."""
    signatures = {signature.id: signature for signature in _load(files)}
    signature = signatures.get(id_)
    if signature is None:
        raise click.ClickException(f"no signature has the id '{id_}'{_near(id_, list(signatures))}")
    if isinstance(signature, Rule):
        _explain_rule(signature, as_json)
        return
    packets = example.find(signature)
    words = explain.sentences(signature)
    if as_json:
        facts = _facts(signature) | {
            "comment": explain.comment(signature),
            "sentences": words,
            "example": None,
            "packets": [],
        }
        if packets is not None:
            facts["example"] = example.shape(signature, packets)
            facts["packets"] = [{"side": p.side, "size": p.size, "think_us": think.decode(p.think)} for p in packets]
        _print_json(facts)
        return
    _say_facts(signature)
    say("")
    say("Matches:")
    for sentence in words:
        say(f"    {sentence}")
    say("")
    if packets is None:
        say("Example: none was found quickly")
    else:
        say(f"Example: {example.shape(signature, packets)}")


def _explain_rule(rule: Rule, as_json: bool) -> None:
    if as_json:
        _print_json(_facts(rule) | {"comment": explain.comment(rule)})
        return
    _say_facts(rule)
    say("")
    say(f"Makes an alert of: {sequence_text(rule)}")


def _say_facts(signature: Signature | Rule) -> None:
    say(f"{click.style(signature.id, bold=True)}: {signature.description}")
    facts = _facts(signature)
    for key in ("severity", "confidence", "attack", "category", "rev", "reference", "note"):
        if facts[key]:
            value = ", ".join(facts[key]) if isinstance(facts[key], list) else facts[key]
            say(f"    {key:<10} {value}")
    say(f"    {'written in':<10} {signature.file}:{signature.line}")
    if words := explain.comment(signature):
        say("")
        for line in words:
            say(f"    {line}".rstrip())


def _cut(ports: str) -> str:
    """Return protocol and ports, or the first of them where there are many."""
    return ports if len(ports) <= _PORTS else ports[: _PORTS - 3].rpartition(",")[0] + ",..."


def _load(files: tuple[str, ...], *, cached: bool = False) -> tuple[Signature | Rule, ...]:
    try:
        program = sigdb.load(_files_of(files) or sigdb.shipped(), cached=cached)
        return (*program.signatures, *program.rules)
    except sigdb.SignatureErrors as wrong:
        _complain(wrong.errors)
        sys.exit(1)


def _files_of(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return `paths` with the *.fp files of each directory in its place, as `flowtap read -f` takes them.

    What is no directory, or holds none, stays: loading it reports it together with all other mistakes.
    """
    files: list[str] = []
    for path in paths:
        files += sorted(str(entry) for entry in Path(path).glob("*.fp")) or [path]
    return tuple(files)


def _complain(errors: list[sigdb.SignatureError]) -> None:
    for error in errors:
        click.echo(click.style(str(error), fg="red"), err=True)


def _near(id_: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(id_[:100], known, n=3) or [k for k in known if id_ and id_ in k][:3]
    return f"; did you mean {' or '.join(close)}?" if close else "; 'flowtap sigs list' shows all"


def _facts(signature: Signature | Rule) -> dict[str, Any]:
    return {
        "id": signature.id,
        "severity": signature.severity,
        "confidence": signature.confidence,
        "protocol": "flows" if isinstance(signature, Rule) else signature.protocol,
        "ports": "" if isinstance(signature, Rule) else explain.ports_text(signature),
        "exact": False if isinstance(signature, Rule) else signature.exact,
        "sequence": sequence_text(signature) if isinstance(signature, Rule) else signature.text,
        "description": signature.description,
        "attack": list(signature.attack),
        "category": signature.category,
        "rev": signature.rev,
        "reference": signature.reference,
        "note": signature.note,
        "file": str(Path(signature.file)),
        "line": signature.line,
    }


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _print_json(value: object) -> None:
    say(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
