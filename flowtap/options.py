# SPDX-License-Identifier: LGPL-2.1-or-later
"""The options that several commands share, and the settings that they mean."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import isnan
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flowtap.terminal import fail

if TYPE_CHECKING:
    from pathlib import Path

    from flowtap.settings import Settings

Function = TypeVar("Function", bound=Callable[..., Any])

USAGE = 2  # exit code for wrong arguments and wrong settings, as click's


class Number(click.FloatRange):
    """A number within bounds. `nan` is in no order with the bounds, so that a range alone lets it through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fails for what is none."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


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


signatures_option = click.option(
    "-f",
    "--signatures",
    multiple=True,
    metavar="FILE",
    help="Signatures: a file, or a directory of *.fp files. May repeat. [default: the shipped database]",
)
exact_option = click.option("-F", "exact", is_flag=True, help="Match all sizes exactly: no signature is fuzzy.")
threshold_option = click.option(
    "-T",
    "threshold",
    type=click.IntRange(1, 3_600_000),
    default=400,
    show_default=True,
    metavar="MS",
    help="From this think time on, in milliseconds, a pause is a pause (+).",
)
fingerprints_option = click.option(
    "--p0f-fp",
    "databases",
    multiple=True,
    metavar="PATH",
    help="Fingerprints in p0f's format: a file, or a directory of *.fp files. May repeat. "
    "[default: those of the settings]",
)


def matching(function: Function) -> Function:
    """Add -f, -U, -K and -F: what is matched, and what is reported."""
    return _with(
        function,
        signatures_option,
        click.option("-U", "unidentified", is_flag=True, help="Also print unidentified flows, with their shapes."),
        click.option("-K", "only_unidentified", is_flag=True, help="Print unidentified flows only."),
        exact_option,
    )


def printing(function: Function) -> Function:
    """Add -t, -q, -o, --json and --flows: what is printed, and where."""
    return _with(
        function,
        click.option("-t", "timestamps", is_flag=True, help="Put the time of its first packet (UTC) before each flow."),
        click.option("-q", "quiet", is_flag=True, help="No progress, no closing summary."),
        click.option("-o", "output", metavar="FILE", help="Write to FILE. [default: standard output]"),
        click.option("--json", "as_json", is_flag=True, help="Print EVE JSON events, one a line."),
        click.option("--flows", is_flag=True, help="With --json: a flow event for each flow."),
    )


def _with(function: Function, *options: Callable[[Function], Function]) -> Function:
    """Add options, which --help then lists in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def settings_of(config: str | Path | None, runtime: str | Path | None = None) -> Settings:
    """Return the settings that these options mean. A wrong file is told on standard error and ends with USAGE."""
    from flowtap.settings import SettingsError, load

    try:
        settings = load(config)
    except SettingsError as wrong:
        raise SystemExit(fail("\n".join(wrong.errors), USAGE)) from None
    return with_runtime(settings, runtime)


def with_runtime(settings: Settings, runtime: str | Path | None) -> Settings:
    """Return the settings with the runtime directory of --runtime, if that is given."""
    if runtime is None:
        return settings
    section = settings.runtime.model_copy(update={"dir": os.path.abspath(runtime)})
    return settings.model_copy(update={"runtime": section})
