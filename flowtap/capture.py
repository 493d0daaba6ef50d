# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap capture`: the process that sees packets, and hands what they look like to the workers."""

from __future__ import annotations

import os
import re
import secrets
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowtap.options import common, settings_of
from flowtap.service import Exit, begin_logging, fail, failures, on_signals

if TYPE_CHECKING:
    from flowtap.settings import Settings

_PINS = Path("/sys/fs/bpf/flowtap")  # made for flowtap's user by whoever installs it
_LONGEST_NAME = 48

EPILOG = """\b
Exit codes:
  0  ended by SIGTERM or SIGINT
  1  could not begin, or not go on: the last line says why
  2  wrong arguments or settings

\b
Examples:
  flowtap capture -i eth0
  flowtap capture -i 'eth*' -i '!eth3' --name uplinks
  flowtap capture -i lan0 --capture afpacket
"""


@click.command(epilog=EPILOG)
@click.option(
    "-i",
    "--interface",
    "patterns",
    multiple=True,
    metavar="IFACE",
    help="Interface, or a pattern of names such as 'eth*'; '!eth1' leaves one out. May repeat. "
    "[default: capture.interfaces of the settings]",
)
@click.option("--name", metavar="NAME", help="What this process is called. [default: made of the interfaces]")
@click.option(
    "--capture",
    "backend",
    type=click.Choice(("auto", "ebpf", "afpacket")),
    help="How packets are seen. [default: capture.backend of the settings]",
)
@common
def capture(
    patterns: tuple[str, ...], name: str | None, backend: str | None, config: str | None, runtime: str | None
) -> None:
    """Watch interfaces, and hand the size, time and addresses of their packets to the workers.

    Interfaces are followed as they come, go and get other names; one that is not there yet is waited for. A pattern
    does not mean the loopback interface, which has to be named. An interface that lies on another one that is watched
    (a VLAN, a bridge on its ports) is left out, so that no packet counts twice. Each packet is counted where it comes
    in, or where it leaves if it came from this host or from an interface that is not watched.

    Needs the capabilities CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON for eBPF, CAP_NET_RAW for AF_PACKET, and gives up
    what it needs no longer before it begins.
    """
    from flowtap.settings_forms import is_interface

    settings = settings_of(config, runtime)
    wanted = list(patterns) or settings.capture.interfaces
    begin_logging(f"capture {name}" if name else "capture")
    if not any(not pattern.startswith("!") for pattern in wanted):
        raise fail("no interface: name some with -i, or in the settings as capture.interfaces", Exit.USAGE)
    if wrong := [pattern for pattern in wanted if not is_interface(pattern)]:
        raise fail(f"-i {wrong[0]!r}: expected the name of an interface or a pattern such as eth*", Exit.USAGE)
    name = name_of([name] if name else wanted)
    begin_logging(f"capture {name}")
    with failures():
        _run(name, wanted, backend or settings.capture.backend, settings)
    raise SystemExit(Exit.FINE)


def name_of(patterns: Sequence[str]) -> str:
    """Return what the capture process for these interfaces is called: the same each time, and fit for a file name.

    That is the interfaces' names; where these are long or have other characters in them, with a checksum.
    """
    joined = "+".join(patterns)
    name = re.sub(r"[^A-Za-z0-9_.+-]", "_", joined).lstrip(".-") or "_"
    if name != joined or len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}-{zlib.crc32(joined.encode()):08x}"
    return name


class Ending:
    """The wish to end, which a signal handler tells: a flag for who looks at it, and an exit for who cannot."""

    def __init__(self) -> None:
        self.wished = False
        self._at_once = False

    def wish(self) -> None:
        """Note the wish. Ends the process where at_once() holds; no lock, as one signal may interrupt another."""
        self.wished = True
        if self._at_once:
            self._at_once = False
            raise SystemExit(Exit.FINE)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """End by SystemExit(Exit.FINE) anywhere in the block, as soon as that is wished."""
        self._at_once = True
        try:
            if self.wished:
                raise SystemExit(Exit.FINE)
            yield
        finally:
            self._at_once = False


def _run(name: str, patterns: Sequence[str], backend: str, settings: Settings) -> None:
    from pyroute2 import NetlinkError

    from capture import choose
    from capture.capabilities import CapabilityError
    from capture.filters import Filters
    from capture.live import Forward, Tap, TapError, TapSettings
    from capture.process import CaptureProcess, Place
    from flowtap.ledger import Page
    from flowtap.notify import Notify
    from flowtap.runtime import Runtime

    runtime = Runtime(settings.runtime.dir)
    runtime.make()
    notify = Notify()
    place = Place(
        name=name,
        taps=runtime.taps,
        ledger=runtime.ledger,
        endpoints=[runtime.shard(number) for number in range(settings.workers.count)],
        queue=settings.capture.queue,
    )

    def make_tap(told: TapSettings, forward: Forward, filters: Filters) -> Tap:
        pins = _PINS / filters.name if _PINS.is_dir() else None
        if pins is not None:
            closing.callback(_remove_folder, pins)
        with ending.at_once():  # the compiler may take long on a busy host; nothing has been tapped yet
            return choose.make_tap(backend, told, forward, filters, pins, runtime.path / "programs")

    def open_page(names: Sequence[str]) -> Page:
        return Page(runtime.ledger / f"capture-{name}.page", names)

    ending = Ending()
    on_signals(ending.wish)  # before there is anything that must be taken back
    with ExitStack() as closing:
        try:
            tap_settings = settings.tap(runtime.key(), secrets.randbits(64))
            process = CaptureProcess(place, patterns, tap_settings, make_tap, open_page, notify.alive)
            closing.callback(process.close)
            closing.callback(notify.stopping)
            notify.ready()
            process.run(lambda: ending.wished)
            closing.close()
        except (TapError, CapabilityError) as error:
            raise fail(str(error), Exit.FAILED) from error
        except NetlinkError as error:
            raise fail(f"netlink: {os.strerror(error.code)}", Exit.FAILED) from error


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
