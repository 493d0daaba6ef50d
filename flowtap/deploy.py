# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap deploy`: which processes systemd runs on this host, and the settings that go with them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from flowtap.options import USAGE, settings_of
from flowtap.terminal import fail, say

if TYPE_CHECKING:
    from flowtap.settings import Settings

FAILED = 1

EPILOG = """\b
Exit codes:
  0  done, and everything that was to run does
  1  something failed or does not run; what, is told on standard error
  2  wrong arguments or settings, or no systemd here: nothing was changed

\b
Examples:
  flowtap deploy --workers auto -i eth0 -i eth1
  flowtap deploy --workers 4 --dry-run
  flowtap deploy --undo
"""


class Step(NamedTuple):
    """Something to do, as a command line that says it, and the function that does it."""

    text: str
    do: Callable[[], object]


def _number(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Return the number of workers that an option means."""
    from flowtap.settings import MAX_SHARDS

    if value == "auto":
        return max(1, min(MAX_SHARDS, len(os.sched_getaffinity(0)) - 1))
    if value.isdecimal() and len(value) < 10 and 1 <= int(value) <= MAX_SHARDS:
        return int(value)
    raise click.BadParameter(f"{value!r}: expected auto or a number from 1 to {MAX_SHARDS}.", ctx, param)


@click.command(epilog=EPILOG)
@click.option(
    "--workers",
    callback=_number,
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="Workers to run; auto: one for each core but one, and at least one.",
)
@click.option(
    "-i",
    "--interface",
    "interfaces",
    multiple=True,
    metavar="IFACE",
    help="Interface to tap, or a pattern such as eth*; may repeat. [default: those in the settings, or tapped now]",
)
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--undo", is_flag=True, help="Stop everything, and let systemd start none of it again.")
def deploy(workers: int, interfaces: tuple[str, ...], dry_run: bool, undo: bool) -> None:
    """Let systemd run flowtap on this host: a collector, workers, and a capture process for each interface.

    Writes workers and interfaces to the settings, enables the units, and starts flowtap.target. Units that do not fit
    any more are stopped and disabled, so it may be run again with other numbers and interfaces at any time.
    """
    from flowtap.settings import DEFAULT_FILE
    from flowtap.units import UnitsError, check

    if os.geteuid() != 0:
        _fail("expected to run as root", USAGE)
    try:
        check()
    except UnitsError as error:
        _fail(str(error), USAGE)
    try:
        steps, units = _undo(DEFAULT_FILE) if undo else _steps(settings_of(None), DEFAULT_FILE, workers, interfaces)
        for step in steps:
            say(step.text)
            if not dry_run:
                step.do()
        if not dry_run and not _all_run(units):
            sys.exit(FAILED)
    except (UnitsError, OSError) as error:
        _fail(str(error), FAILED)


def write_setting(path: Path, section: str, key: str, value: object) -> None:
    """Write a setting to the file at `path`, or remove it (None).

    Its other text stays as it is; a file that lacks is made. The file is replaced as a whole. Raises OSError.
    """
    import tomlkit

    document = tomlkit.parse(path.read_text()) if path.exists() else tomlkit.document()
    table = document.setdefault(section, tomlkit.table())
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_text(tomlkit.dumps(document))
        new.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _steps(settings: Settings, file: Path, workers: int, interfaces: Sequence[str]) -> tuple[list[Step], list[str]]:
    """Return what is to be done so that these run, and the units that then run. Raises UnitsError."""
    from flowtap import units

    there = units.enabled()
    names = list(dict.fromkeys(interfaces)) or list(dict.fromkeys(settings.capture.interfaces))
    names = names or [units.interface(unit) for unit in sorted(there) if unit.startswith("flowtap-capture@")]
    if not names:
        _fail("no interface is chosen: expected -i IFACE", USAGE)
    _check_interfaces(names)
    tapped = [units.capture(name) for name in names]
    wanted = [units.COLLECTOR, *map(units.worker, range(workers)), *tapped]
    surplus = sorted(there - set(wanted))
    missing = [unit for unit in wanted if unit not in there]
    steps = []
    changed = workers != settings.workers.count
    if changed:
        steps.append(_setting(file, "workers", "count", workers))
    if names != settings.capture.interfaces:
        steps.append(_setting(file, "capture", "interfaces", names))
    if surplus:
        steps.append(_command("systemctl", "disable", "--now", *surplus))
    steps.append(_command("systemctl", "enable", units.TARGET, *missing))
    # All processes must agree on the number of shards: a running target is restarted when it changes.
    verb = "restart" if changed and units.active(units.TARGET) else "start"
    steps.append(_command("systemctl", verb, units.TARGET))
    return steps, wanted


def _undo(file: Path) -> tuple[list[Step], list[str]]:
    """Return what is to be done so that nothing runs or starts again; no unit runs then."""
    from flowtap import units
    from flowtap.settings import Settings, SettingsError, load

    steps = []
    # The target alone would not be waited for: it is down before its services are.
    steps.append(_command("systemctl", "stop", units.TARGET, units.ALL))
    steps.append(_command("systemctl", "disable", units.TARGET, *sorted(units.enabled())))
    steps.append(_command("systemctl", "reset-failed", units.ALL))
    try:
        settings = load(file)
    except SettingsError:  # none, or not to be understood, which must not keep anything running
        return steps, []
    default = Settings()
    if settings.workers.count != default.workers.count:
        steps.append(_setting(file, "workers", "count", None))
    if settings.capture.interfaces != default.capture.interfaces:
        steps.append(_setting(file, "capture", "interfaces", None))
    return steps, []


def _setting(file: Path, section: str, key: str, value: object) -> Step:
    said = f"write {key} = {json.dumps(value)} to" if value is not None else f"remove {key} from"
    return Step(f"{said} [{section}] of {file}", lambda: write_setting(file, section, key, value))


def _command(*words: str) -> Step:
    from flowtap import units

    return Step(" ".join(words), lambda: units.run(*words))


def _check_interfaces(interfaces: Sequence[str]) -> None:
    """Refuse what cannot be an interface or a pattern; mention those that are not there yet."""
    from pydantic import TypeAdapter, ValidationError

    from flowtap.settings import Pattern

    for name in interfaces:
        try:
            TypeAdapter(Pattern).validate_python(name)
        except ValidationError:
            _fail(f"{name!r}: expected the name of an interface or a pattern such as eth*", USAGE)
        if name.startswith("!"):
            _fail(f"{name!r}: each unit taps one interface or pattern, expected those to tap", USAGE)
        if not any(Path("/sys/class/net").glob(name)):
            print(f"flowtap: {name}: no such interface now; it is tapped as soon as it comes", file=sys.stderr)


def _all_run(units: Sequence[str]) -> bool:
    """Whether all these units are up; what is not is told with its last words."""
    from flowtap.units import last_words, state

    down = {unit: now for unit in units if (now := state(unit)) != "active"}
    for unit, now in down.items():
        print(f"flowtap: {unit} is {now}: {last_words(unit)} (journalctl -u {unit})", file=sys.stderr)
    return not down


def _fail(text: str, status: int) -> NoReturn:
    raise SystemExit(fail(text, status))
