# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap worker`: the process that matches the flows of one shard."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

import click

from flowtap.arguments import ArgumentError
from flowtap.database import load_database, load_fingerprints
from flowtap.options import common, settings_of
from flowtap.service import EPILOG, Exit, begin_logging, fail, failures, hold_reload, on_signals
from flowtap.settings import SettingsError
from flowtap.settings import load as load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowtap.settings import Settings
    from sigdb import Program, TcpDatabase

Database = TypeVar("Database")


@click.command(epilog=EPILOG, no_args_is_help=True)
@click.argument("shard", type=click.IntRange(0, 63))
@common
def worker(shard: int, config: str | None, runtime: str | None) -> None:
    """Follow and match the flows of SHARD, a number from 0 on: one process for each of workers.count in the settings.

    SIGHUP has it take signatures and fingerprints anew; when they are wrong, it says so and keeps those it has. At its
    end it reports the flows that are open.
    """
    begin_logging(f"worker {shard}")
    hold_reload()
    settings = settings_of(config, runtime)
    if shard >= settings.workers.count:
        raise fail(f"shard {shard}: expected 0 to {settings.workers.count - 1} (workers.count)", Exit.USAGE)
    try:
        program = _program(settings)
        fingerprints = load_fingerprints(settings.fingerprints.files) if settings.hosts.enabled else None
    except ArgumentError as error:
        raise fail(str(error), Exit.USAGE) from None

    def load() -> Program | None:
        """Return the signatures that the settings name now; None when they are wrong, which is logged."""
        return _unless_wrong(lambda: _program(load_settings(config)))

    def load_anew() -> TcpDatabase | None:
        """Return the fingerprints that the settings name now; None when they are wrong, which is logged."""
        return _unless_wrong(lambda: load_fingerprints(load_settings(config).fingerprints.files))

    with failures():
        _run(shard, settings, program, fingerprints, load, load_anew)
    raise SystemExit(Exit.FINE)


def _unless_wrong(load: Callable[[], Database]) -> Database | None:
    try:
        return load()
    except (ArgumentError, SettingsError) as error:
        for line in str(error).splitlines():
            logging.error("%s", line)
        logging.error("the signatures stay as they are")
        return None


def _program(settings: Settings) -> Program:
    signatures = settings.signatures
    return load_database(signatures.files, pause_ms=signatures.pause_ms, exact=signatures.exact)


def _run(
    shard: int,
    settings: Settings,
    program: Program,
    fingerprints: TcpDatabase | None,
    load: Callable[[], Program | None],
    load_fingerprints: Callable[[], TcpDatabase | None],
) -> None:
    import zmq

    from engine import Engine
    from engine.events import Events
    from engine.host_rules import Networks
    from engine.memory import Memory
    from engine.merge import Merge
    from engine.outbox import Outbox
    from engine.sightings_maker import SightingsMaker
    from engine.worker import COUNTERS, Remembered, Worker
    from flowtap.ledger import Page
    from flowtap.notify import Notify
    from flowtap.runtime import Runtime
    from flowtap.taps import Taps

    def reload() -> Program | None:
        notify.reloading()
        try:
            return load()
        finally:
            notify.ready()

    place = Runtime(settings.runtime.dir)
    place.make()
    notify = Notify()
    with ExitStack() as stack:
        page = Page(place.ledger / f"worker-{shard}.page", COUNTERS)  # first: it says that there is no other such
        stack.callback(page.close)
        memory = Memory(place.ledger / f"worker-{shard}.memory")
        stack.callback(memory.close)
        remembered = Remembered(memory, page)
        merge = Merge(shard, buffer_records=settings.workers.buffer_records, window_ms=settings.workers.window_ms)
        remembered.resume(merge)
        engine = Engine(
            program,
            settings.limits(),
            report_all=settings.events.flows,
            early=settings.events.early,
            live=True,
        )
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        stack.callback(context.term)
        outbox = Outbox(context, place.events, shard, remembered.made)
        stack.callback(outbox.close)
        taps = Taps(place.taps)
        events = Events(program.signatures, interface=taps)
        sightings = None
        if fingerprints is not None:
            sightings = SightingsMaker(
                fingerprints,
                Networks(settings.hosts.home),
                pending=settings.hosts.pending,
                offset=lambda: events.offset_ns,
            )
        made = Worker(
            context,
            place.shard(shard),
            engine=engine,
            merge=merge,
            events=events,
            outbox=outbox,
            page=page,
            remembered=remembered,
            load=reload,
            window_ms=settings.workers.window_ms,
            flows=settings.events.flows,
            sightings=sightings,
            load_fingerprints=load_fingerprints,
            senders=taps.senders,
            alive=notify.alive,
        )
        stack.callback(made.close)
        on_signals(lambda: setattr(made, "stop", True), lambda: setattr(made, "reload", True))
        logging.info("%d signatures; receives at %s", len(program.signatures), place.shard(shard))
        notify.ready()
        made.run()
        notify.stopping()
