# SPDX-License-Identifier: LGPL-2.1-or-later
"""`flowtap collector`: the process that publishes what all workers find."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from flowtap.arguments import ArgumentError
from flowtap.options import common, settings_of
from flowtap.service import EPILOG, Exit, begin_logging, failures, hold_reload, on_signals

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.rules import Rules
    from flowtap.settings import Settings


@click.command(epilog=EPILOG)
@common
def collector(config: str | None, runtime: str | None) -> None:
    """Merge the events of all workers and publish them.

    Each event gets a sequence number, goes to the subscribers of the feed and, where the settings name one, to a file.
    SIGHUP opens the file anew after it was moved away, and takes the rules over several flows anew.
    """
    begin_logging("collector")
    hold_reload()
    settings = settings_of(config, runtime)

    def load_rules() -> Rules | None:
        """Return the rules that the settings name now; None when they are wrong, which is logged."""
        from flowtap.database import load_rules
        from flowtap.settings import SettingsError, load

        try:
            return load_rules(load(config).signatures.files)
        except (ArgumentError, SettingsError) as error:
            for line in str(error).splitlines():
                logging.error("%s", line)
            logging.error("the rules stay as they are; at the start there are none")
            return None

    with failures():
        _run(settings, load_rules)
    raise SystemExit(Exit.FINE)


def _run(settings: Settings, load_rules: Callable[[], Rules | None]) -> None:
    import zmq

    from engine.collector import COUNTERS, Collector
    from engine.eventfile import EventFile
    from engine.feed import Feed
    from engine.hosts import Hosts
    from engine.hosts_watch import HostWatch
    from engine.memory import Memory
    from flowtap.accounts import stats
    from flowtap.ledger import Page
    from flowtap.metrics import MetricsError, serve
    from flowtap.notify import Notify
    from flowtap.query import Queries
    from flowtap.runtime import Runtime

    place = Runtime(settings.runtime.dir)
    place.make()
    notify = Notify()
    with ExitStack() as stack:
        page = Page(place.ledger / "collector.page", COUNTERS)  # first: it says that there is no other collector
        stack.callback(page.close)
        memory = Memory(place.ledger / "collector.memory")
        stack.callback(memory.close)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        stack.callback(context.term)
        file = EventFile(settings.file.path) if settings.file.path else None
        endpoint = settings.feed.bind or place.feed
        feed = Feed(
            context,
            endpoint,
            seq=page.get("seq") + 1,
            topic=settings.feed.topic,
            form=settings.feed.format,
            file=file,
        )
        stack.callback(feed.close)
        hosts, queries = None, None
        if settings.hosts.enabled:
            hosts = HostWatch(
                Hosts(settings.hosts.size, settings.hosts.expire), settings.policy(), settings.hosts.events
            )
            queries = Queries(place.query, hosts, page)
            stack.callback(queries.close)
        made = Collector(
            context,
            place.events,
            feed,
            page,
            memory,
            stats=lambda: stats(place.ledger),
            stats_interval=settings.events.stats_interval,
            alive=notify.alive,
            load_rules=load_rules,
            hosts=hosts,
            beside=queries,
        )
        stack.callback(made.close)
        if settings.metrics.listen:
            try:
                stack.callback(serve(settings.metrics.listen, place.ledger))
            except MetricsError as error:  # no reason to lose events
                logging.error("%s; goes on without it", error)
        on_signals(lambda: setattr(made, "stop", True), lambda: setattr(made, "reopen", True))
        opened = file is not None and file.reopen()  # what is wrong is said now, not with the first event
        logging.info("publishes at %s%s", endpoint, f" and to {settings.file.path}" if opened else "")
        notify.ready()
        made.run()
        notify.stopping()
