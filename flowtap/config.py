# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap config`: shows the settings that are in effect, checks a file of settings."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from flowtap.options import USAGE, config_option, settings_of
from flowtap.terminal import fail, say

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

EPILOG = """\b
Exit codes:
  0    fine
  2    the settings are wrong, or cannot be read
  3    the output could not be written
  141  whoever read the output has gone
"""


@click.group()
def config() -> None:
    """Show and check the settings.

    All settings are in one TOML file; each has a default. docs/settings.md lists them.
    """


@config.command(short_help="Show the settings that are in effect.", epilog=EPILOG)
@config_option
@_json
def show(config: str | None, as_json: bool) -> None:
    """Print all settings, those of the file and the defaults of the others.

    The output is a settings file itself; what each setting is stands above it.
    """
    settings = settings_of(config)
    if as_json:
        say(orjson.dumps(settings.model_dump(), option=orjson.OPT_INDENT_2).decode())
        return
    from flowtap.toml_text import settings_toml

    say(settings_toml(settings).rstrip("\n"))


@config.command(short_help="Check a file of settings.", epilog=EPILOG)
@config_option
@_json
def check(config: str | None, as_json: bool) -> None:
    """Check the settings: print each mistake with its line, what was found and what was expected.

    A mistake is also what this host does not have: the directory of a file, an address to listen at. Run it as the user
    that flowtap runs as to find what that one may not read or write.
    """
    from flowtap.settings import DEFAULT_FILE, SettingsError, load
    from flowtap.settings_host import missing

    file = config or str(DEFAULT_FILE)
    errors: list[str] = []
    try:
        found = list(missing(load(config)))
    except SettingsError as wrong:
        errors = wrong.errors
    else:
        lines = _lines(file) if found else {}
        told = [(lines.get(place, 0), ".".join(place) + text) for place, text in found]
        errors = [f"{file}:{line}: {text}" if line else f"{file}: {text}" for line, text in sorted(told)]
    if as_json:
        say(orjson.dumps({"file": file, "errors": errors}, option=orjson.OPT_INDENT_2).decode())
    elif errors:
        fail("\n".join(errors), USAGE)
    elif config is None and not DEFAULT_FILE.exists():
        say(f"{file}: absent, the defaults apply")
    else:
        say(f"{file}: correct")
    if errors:
        raise SystemExit(USAGE)


def _lines(file: str) -> dict[tuple[str, ...], int]:
    """Return the line of each setting of a file, which may be absent: the defaults stand nowhere."""
    from flowtap import toml

    try:
        return toml.read(Path(file).read_text()).lines
    except OSError:
        return {}
