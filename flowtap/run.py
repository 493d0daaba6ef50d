# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap run`: the options, and the settings of the processes that they mean."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any

import click

from flowtap.options import Number, matching, printing, settings_of
from flowtap.output import Output, OutputError
from flowtap.terminal import fail

if TYPE_CHECKING:
    from flowtap.runtime import Runtime
    from flowtap.settings import Settings


class Exit(IntEnum):
    """The exit codes of `flowtap run`."""

    FINE = 0  # Ctrl-C, SIGTERM, or --duration is over
    FAILED = 1  # a process could not begin, or the surroundings do not allow it
    USAGE = 2  # wrong arguments, settings or signatures
    OUTPUT = 3
    INTERRUPTED = 130  # the second Ctrl-C
    BROKEN_PIPE = 141


EPILOG = """\b
Exit codes:
  0    ended by Ctrl-C or SIGTERM, or --duration is over
  1    a process could not begin: no permission, for example
  2    wrong arguments, settings or signatures
  3    the output could not be written
  130  a second Ctrl-C: ended at once
  141  whoever read the output has gone

\b
Examples:
  flowtap run -i eth0
  flowtap run -i 'eth*' -i wg0 -t --workers 3
  flowtap run -i eth0 -K -q > new.fp
  flowtap run -i eth0 --json --flows --duration 60 -o events.json
"""


@click.command(epilog=EPILOG, no_args_is_help=True)
@click.option(
    "-i",
    "--interface",
    "interfaces",
    multiple=True,
    metavar="IFACE",
    help="Interface to watch, or a pattern (eth*); '!eth1' leaves one out. May repeat.",
)
@matching
@click.option(
    "-T",
    "threshold",
    type=click.IntRange(1, 3_600_000),
    metavar="MS",
    help="From this think time on, in milliseconds, a pause is a pause (+). [default: 400]",
)
@click.option("-l", "one_line", is_flag=True, help="One line per match.")
@printing
@click.option("--decap", is_flag=True, help="Look into GRE, IPIP, 6in4, VXLAN and Geneve tunnels.")
@click.option(
    "--capture",
    "backend",
    type=click.Choice(("auto", "ebpf", "afpacket")),
    help="How packets are seen. [default: auto: by eBPF where that is to be had]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Worker processes. [default: one for each core but one]",
)
@click.option("--duration", type=Number(0.001, 1e9), metavar="S", help="End after S seconds.")
@click.option(
    "--config", metavar="FILE", type=click.Path(dir_okay=False), help="Settings. [default: the built-in ones]"
)
@click.option("--runtime", metavar="DIR", help="Runtime directory, which stays. [default: one that goes with the run]")
@click.pass_context
def run(
    ctx: click.Context,
    interfaces: tuple[str, ...],
    signatures: tuple[str, ...],
    unidentified: bool,
    only_unidentified: bool,
    exact: bool,
    threshold: int | None,
    one_line: bool,
    timestamps: bool,
    quiet: bool,
    output: str | None,
    as_json: bool,
    flows: bool,
    decap: bool,
    backend: str | None,
    workers: int | None,
    duration: float | None,
    config: str | None,
    runtime: str | None,
) -> None:
    """Watch interfaces and print what their flows are doing, as it happens.

    All processes that this needs are started, watched, started again when they die, and ended by Ctrl-C. They use a
    runtime directory of their own, so that they are in nobody's way, and no settings but those of --config.

    A match is printed when it is found. When it has more hits at the end of its flow, it is printed again then.
    """
    if flows and not as_json:
        raise click.UsageError("--flows needs --json; as text, -U prints the other flows", ctx)
    settings = _settings(
        config,
        {
            "capture": {
                "interfaces": list(interfaces) or None,
                "backend": backend,
                "decap": decap or None,
            },
            "workers": {"count": workers or (None if config else max(1, (os.cpu_count() or 1) - 1))},
            "signatures": {
                "files": [os.path.abspath(path) for path in signatures] or None,
                "pause_ms": threshold,
                "exact": exact or None,
            },
            "events": {"flows": flows or unidentified or only_unidentified or None},
            **({} if config else {"metrics": {"listen": ""}}),
        },
    )
    if not settings.capture.interfaces:
        raise click.UsageError("no interface: give one with -i, or name it in the settings", ctx)
    shown = _Shown(
        as_json=as_json,
        identified=not only_unidentified,
        unidentified=unidentified or only_unidentified,
        flows=flows,
        one_line=one_line,
        timestamps=timestamps,
    )
    from flowtap.runtime import RuntimeDirectoryError
    from flowtap.supervisor import ChildError

    try:
        with _place(runtime) as place, Output(output) as out:
            _run(settings, place, shown, out, quiet=quiet, duration=duration)
    except ChildError as error:
        print(error, file=sys.stderr)  # what the process itself said
        raise SystemExit(error.code) from None
    except (RuntimeDirectoryError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise SystemExit(Exit.BROKEN_PIPE) from None
        raise SystemExit(fail(str(error), Exit.FAILED)) from None
    except OutputError as error:
        raise SystemExit(fail(str(error), Exit.OUTPUT)) from None
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None
    raise SystemExit(Exit.FINE)


def _settings(config: str | None, changes: dict[str, dict[str, Any]]) -> Settings:
    """Return the settings of a file (None: the built-in ones) with what the options say instead."""
    from flowtap.settings import Settings, SettingsError, parse
    from flowtap.toml_text import settings_toml

    base = Settings() if config is None else settings_of(config)
    sections = {
        name: getattr(base, name).model_copy(update={key: value for key, value in values.items() if value is not None})
        for name, values in changes.items()
    }
    changed = base.model_copy(update=sections)
    try:
        return parse(settings_toml(changed).encode(), "options")
    except SettingsError as wrong:
        raise SystemExit(fail("\n".join(line.partition(": ")[2] for line in wrong.errors), Exit.USAGE)) from None


@contextmanager
def _place(runtime: str | None) -> Iterator[Runtime]:
    """Make the runtime directory: that of --runtime, or one that goes when the run ends."""
    from flowtap.private import private_directory
    from flowtap.runtime import Runtime

    if runtime is not None:
        place = Runtime(os.path.abspath(runtime))
        place.make()
        yield place
        return
    with private_directory() as path:
        place = Runtime(path)
        place.make()
        yield place


def _run(
    settings: Settings, place: Runtime, shown: _Shown, out: Output, *, quiet: bool, duration: float | None
) -> None:
    """Run, and close with a summary. Raises ChildError, OutputError, OSError, RuntimeDirectoryError."""
    from flowtap.running import Running, summary
    from flowtap.status import Status
    from flowtap.toml_text import settings_toml

    config = place.path / "flowtap.toml"
    config.write_text(settings_toml(settings))
    running = Running(settings, config, place, shown.printed, out, Status(not quiet))
    try:
        running.run(duration)
    finally:
        running.close()
    out.write(shown.end(place.ledger))
    out.flush()
    if not (quiet or shown.as_json):
        print(f"flowtap: {summary(place)}", file=sys.stderr)


class _Shown:
    """What is printed of the feed."""

    def __init__(
        self,
        *,
        as_json: bool,
        identified: bool,
        unidentified: bool,
        flows: bool,
        one_line: bool,
        timestamps: bool,
    ) -> None:
        self.as_json = as_json
        self._identified = identified
        self._unidentified = unidentified
        self._flows = flows
        self._text = _printer(as_json, one_line, timestamps, unidentified)

    def printed(self, event: dict[str, Any]) -> bytes:
        """Return the text of an event, b"" when it is not printed. Raises ValueError for what is no event of ours."""
        try:
            kind = event["event_type"]
            if kind == "alert":
                wanted = self._identified
            else:
                wanted = kind == "flow" and (self._flows or (self._unidentified and not event["flow"]["alerted"]))
            return self._text(event) if wanted else b""
        except (KeyError, TypeError) as error:
            raise ValueError(f"{type(error).__name__} {error}") from error

    def end(self, folder: Path) -> bytes:
        """Return what is printed at the very end."""
        if not self.as_json:
            return b""
        from engine.events import timestamp
        from flowtap.accounts import stats

        return self._text({"timestamp": timestamp(time_ns()), "event_type": "stats", "stats": stats(folder)})


def _printer(as_json: bool, one_line: bool, timestamps: bool, unidentified: bool) -> Callable[[dict[str, Any]], bytes]:
    if as_json:
        import orjson

        return lambda event: orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    from flowtap.eventtext import EventText

    text = EventText(one_line=one_line, timestamps=timestamps, unidentified=unidentified)
    return lambda event: text.event(event).encode()
