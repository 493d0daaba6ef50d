# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options that all live commands share, and the settings that they mean."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

    from flowtap.settings import Settings

Function = TypeVar("Function", bound=Callable[..., Any])

USAGE = 2  # exit code for wrong arguments and wrong settings, as click's


def common(function: Function) -> Function:
    """Add --config and --runtime: parameters `config` and `runtime`, each None when not given."""
    runtime = click.option("--runtime", metavar="DIR", help="Runtime directory. [default: that of the settings]")
    return config_option(runtime(function))


def config_option(function: Function) -> Function:
    """Add --config: the parameter `config`."""
    return click.option(
        "--config",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Settings. [default: /etc/flowtap/flowtap.toml, or built-in ones where that is absent]",
    )(function)


def settings_of(config: str | Path | None, runtime: str | Path | None = None) -> Settings:
    """Return the settings that these options mean. A wrong file is told on standard error and ends with USAGE."""
    from flowtap.settings import SettingsError, load

    try:
        settings = load(config)
    except SettingsError as wrong:
        for line in wrong.errors:
            print(f"flowtap: {line}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    return with_runtime(settings, runtime)


def with_runtime(settings: Settings, runtime: str | Path | None) -> Settings:
    """Return the settings with the runtime directory of --runtime, if that is given."""
    if runtime is None:
        return settings
    section = settings.runtime.model_copy(update={"dir": os.path.abspath(runtime)})
    return settings.model_copy(update={"runtime": section})
