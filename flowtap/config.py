# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap config`: shows the settings that are in effect, checks a file of settings."""

from __future__ import annotations

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
    """Check the settings: print each mistake with its line, what was found and what was expected."""
    from flowtap.settings import DEFAULT_FILE, SettingsError, load

    errors: list[str] = []
    try:
        load(config)
    except SettingsError as wrong:
        errors = wrong.errors
    file = config or str(DEFAULT_FILE)
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
