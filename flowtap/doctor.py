# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap doctor`: looks at all that flowtap depends on, and says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
import orjson

from flowtap.finding import Finding, fail, ok
from flowtap.options import common
from flowtap.terminal import say

if TYPE_CHECKING:
    from flowtap.settings import Settings

EPILOG = """\b
Exit codes:
  0    nothing fails; there may be warnings
  1    something fails, or with --strict: there are warnings
  2    wrong arguments
  3    the output could not be written
  141  whoever read the output has gone

\b
Examples:
  flowtap doctor
  flowtap doctor -i eth0 -i eth1
  flowtap doctor --json | jq '.[] | select(.level != "ok")'
"""

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(epilog=EPILOG)
@click.option(
    "-i",
    "--interface",
    "interfaces",
    multiple=True,
    metavar="IFACE",
    help="Interface to look at, or a pattern; may repeat. [default: those of the settings]",
)
@click.option("--strict", is_flag=True, help="Warnings count as failures.")
@click.option("-q", "quiet", is_flag=True, help="Print only what is not fine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common
def doctor(
    interfaces: tuple[str, ...], strict: bool, quiet: bool, as_json: bool, config: str | None, runtime: str | None
) -> None:
    """Check kernel, permissions, interfaces, limits, clock, settings and signatures.

    Prints a line for each check: ok, warn (something may be missed) or fail (flowtap does not work), and after an
    arrow what to do. Nothing is changed; as root more can be checked.
    """
    found = []
    for finding in findings(config, runtime, interfaces):
        found.append(finding)
        if not as_json and not (quiet and finding.level == "ok"):
            level = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
            say(f"{level} {finding.check}: {finding.text}" + (f" -> {finding.remedy}" * bool(finding.remedy)))
    if as_json:
        say(orjson.dumps([asdict(finding) for finding in found], option=orjson.OPT_INDENT_2).decode())
    bad = ("warn", "fail") if strict else ("fail",)
    raise SystemExit(1 if any(finding.level in bad for finding in found) else 0)


def findings(config: str | None, runtime: str | None, interfaces: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what all checks find. A check that itself fails is a finding, too, and the others go on."""
    from flowtap import check_host, check_interfaces, check_kernel

    settings, wrong = _settings(config, runtime)
    yield from wrong
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("kernel", lambda: check_kernel.kernel(settings)),
        ("interfaces", lambda: check_interfaces.interfaces(settings, interfaces)),
        ("host", lambda: check_host.host(settings)),
    )
    for name, check in checks:
        try:
            yield from check()
        except Exception as error:  # what a check cannot do must not hide what the others find
            yield fail(name, f"this could not be checked: {type(error).__name__}: {error}", "report this")


def _settings(config: str | None, runtime: str | None) -> tuple[Settings, list[Finding]]:
    """Return the settings, the built-in ones where the file is wrong, and what is to be said of the file."""
    from flowtap.options import with_runtime
    from flowtap.settings import DEFAULT_FILE, Settings, SettingsError, load

    try:
        settings = load(config)
        file = config or str(DEFAULT_FILE)
        there = config is not None or DEFAULT_FILE.exists()
        told = [ok("settings", f"{file} is correct" if there else f"{file} is absent, the defaults apply")]
    except SettingsError as error:
        settings = Settings()
        told = [fail("settings", line, "docs/settings.md lists all settings") for line in error.errors]
    return with_runtime(settings, runtime), told
