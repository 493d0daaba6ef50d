# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules over several flows: alerts in; which of them are published, and what they mean together, out.

Time is that of the events. A hit has the time of its flow's first hit. What comes again with a higher count (an early
alert, then the final one) counts only for what is new. Alerts may come in any order: whether the hits of a key are
enough is looked for among all that is remembered of it, not only in what came last. What is remembered is bounded; what
had to be forgotten is counted. docs/rules.md explains all of it.
"""

from __future__ import annotations

from calendar import timegm
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import strptime
from typing import TYPE_CHECKING, Any

from engine.events import alert_fields
from sigdb import Rule

if TYPE_CHECKING:
    from sigdb import Signature
    from sigdb.nodes import Suppress

Event = Any  # an EVE object, see engine.events; what comes over a socket was looked at by engine.wire
Key = tuple[Any, ...]

MAX_KEYS = 65_536  # what hits are remembered for: a rule and the values of its keys
MAX_ENTRIES = 262_144  # hits of a flow that are remembered, over all keys
FEWEST = 64  # entries that a key may have at least

COUNTERS = (
    "rules_made",  # alerts of rules
    "rules_suppressed",  # alerts of rules that a suppression kept from being made
    "rules_withheld",  # alerts of signatures that a threshold or a suppression kept from being published
    "rules_forgotten",  # entries, and suppressions, that had to make room before their time
)

_FIELDS = {"src": "src_ip", "dst": "dest_ip", "port": "dest_port"}


@dataclass(slots=True)
class Entry:
    """The hits of one step in one flow."""

    time: int  # microseconds
    step: int
    flow: int
    text: str  # the time as the event has it
    count: int
    used: int = 0  # of these, the hits that have already led to an alert

    @property
    def left(self) -> int:
        """Hits that count still."""
        return self.count - self.used


def micros(time: str) -> int:
    """Return an event's time in microseconds since 1970. Raises ValueError for what is no time."""
    return _second(time[:19]) * 1_000_000 + int(time[20:26])


@lru_cache(maxsize=1024)
def _second(text: str) -> int:
    return timegm(strptime(text, "%Y-%m-%dT%H:%M:%S"))


def path(entries: Sequence[Entry], counts: Sequence[int], within: int, around: int) -> list[Entry]:
    """Return entries that go through all steps within `within` microseconds; nothing when there are none.

    `entries` are in order of time and step; `counts` are the hits that each step needs. Only paths that can hold an
    entry of the time `around` are looked for. Of several the one that begins first.
    """
    left = [entry for entry in entries if entry.left and around - within <= entry.time <= around + within]
    if any(sum(entry.left for entry in left if entry.step == step) < need for step, need in enumerate(counts)):
        return []  # the usual case, found out cheaply
    for begin, first in enumerate(left):
        if first.time > around:
            break
        if first.step:
            continue
        step = got = 0
        found = []
        for entry in left[begin:]:
            if entry.time > first.time + within:
                break
            if entry.step != step:
                continue
            found.append(entry)
            got += entry.left
            if got >= counts[step]:
                step, got = step + 1, 0
                if step == len(counts):
                    return found
    return []


@dataclass(slots=True)
class _Listener:
    """Something that counts hits: a rule, or the threshold of a signature."""

    number: int
    counts: tuple[int, ...]
    within: int
    keys: tuple[str, ...]
    rule: Rule | None = None

    @property
    def most(self) -> int:
        """Entries of a key that are remembered."""
        return max(FEWEST, 2 * sum(self.counts))


class Rules:
    """The rules of a database, and what they remember."""

    def __init__(
        self,
        signatures: Iterable[Signature] = (),
        rules: Iterable[Rule] = (),
        *,
        max_keys: int = MAX_KEYS,
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        self.counters = dict.fromkeys(COUNTERS, 0)
        self._max_keys = max_keys
        self._max_entries = max_entries
        self._entries = 0
        self._seen: OrderedDict[Key, list[Entry]] = OrderedDict()
        self._quiet: OrderedDict[Key, tuple[int, int]] = OrderedDict()  # since when, the flow that was told last
        self._told: OrderedDict[Key, None] = OrderedDict()  # flows whose threshold was reached
        self._steps: dict[str, list[tuple[_Listener, int]]] = {}  # by the id of a step
        self._thresholds: dict[str, _Listener] = {}
        self._suppress: dict[str, Suppress] = {}
        for number, one in enumerate(signatures):
            if one.suppress is not None:
                self._suppress[one.id] = one.suppress
            if (limit := one.threshold) is not None:
                self._thresholds[one.id] = _Listener(number, (limit.count,), limit.within_us, limit.keys)
        for place, rule in enumerate(rules):
            if rule.suppress is not None:
                self._suppress[rule.id] = rule.suppress
            self._listen(-1 - place, rule)

    def __bool__(self) -> bool:
        return bool(self._steps or self._thresholds or self._suppress)

    def _listen(self, number: int, rule: Rule) -> None:
        """Have a rule hear of the ids of its steps."""
        if (chain := rule.sequence) is not None:
            listener = _Listener(number, tuple(s.count for s in chain.steps), chain.within_us, chain.keys, rule)
            for place, step in enumerate(chain.steps):
                self._steps.setdefault(step.id, []).append((listener, place))

    def take(self, event: Event) -> list[Event]:
        """Return what is published: the event, unless it is withheld, and alerts of rules that it completes."""
        if event.get("event_type") != "alert" or not self:
            return [event]
        try:
            time = micros(event["timestamp"])
        except ValueError:  # a day that no month has: passed on as it is
            return [event]
        more = event["flowtap"]
        name = more.get("id", "")
        unknown = more.get("verdict") == "unknown"
        published = [event] if self._publish(event, name, time, unknown) else []
        self.counters["rules_withheld"] += not published
        if not unknown:
            for listener, step in self._listeners(name):
                made = self._count(listener, step, event, time)
                if made is None:
                    continue
                calm = self._calm(made, made["flowtap"]["id"], time, update=False)
                self.counters["rules_made" if calm else "rules_suppressed"] += 1
                published += [made] if calm else []
        return published

    def _listeners(self, name: str) -> Iterable[tuple[_Listener, int]]:
        """Yield who counts the hits of an id: its steps and those of all more general ids."""
        while name:
            yield from self._steps.get(name, ())
            name = name.rpartition(".")[0]

    def _publish(self, event: Event, name: str, time: int, unknown: bool) -> bool:
        """Return whether an alert is published."""
        listener = self._thresholds.get(name)
        if listener is not None and (unknown or not self._reached(listener, event, time)):
            return False
        return self._calm(event, name, time, begins=not unknown)

    def _reached(self, listener: _Listener, event: Event, time: int) -> bool:
        """Return whether the threshold of an alert is reached by it, or was by an earlier one of its flow."""
        told = (listener.number, event["flow_id"])
        if self._remember(listener, 0, event, time):
            self._told[told] = None
            if len(self._told) > self._max_keys:
                self._told.popitem(last=False)
                self.counters["rules_forgotten"] += 1
            return True
        return told in self._told

    def _count(self, listener: _Listener, step: int, event: Event, time: int) -> Event | None:
        """Count the hits of an alert for a rule; return the alert of the rule if it is complete."""
        found = self._remember(listener, step, event, time)
        if not found or listener.rule is None:
            return None
        return _alert(listener.rule, listener.keys, found, event)

    def _remember(self, listener: _Listener, step: int, event: Event, time: int) -> list[tuple[Entry, int]]:
        """Add the hits of an alert; if there are enough, return the entries with what they gave, and use all up."""
        key = (listener.number, *_values(event, listener.keys))
        entries = self._seen.get(key)
        if entries is None:
            entries = self._seen[key] = []
        self._seen.move_to_end(key)
        flow, hits = event["flow_id"], event["flowtap"].get("hits", 1)
        entry = next((one for one in entries if one.flow == flow and one.step == step), None)
        if entry is None:
            entry = Entry(time, step, flow, event["timestamp"], 0)
            entries.append(entry)
            self._entries += 1
        if hits <= entry.count and time >= entry.time:
            return []
        entry.count = max(hits, entry.count)
        if time < entry.time:
            entry.time, entry.text = time, event["timestamp"]
        entries.sort(key=_order)
        found = [(one, one.left) for one in path(entries, listener.counts, listener.within, entry.time)]
        if found:
            for one in entries:
                one.used = one.count
        self._bound(entries, listener.most, listener.within)
        return found

    def _bound(self, entries: list[Entry], most: int, within: int) -> None:
        """Forget the oldest of a key's entries, and the keys that were not heard of for longest."""
        if len(entries) > most:
            since = entries[-1].time - within  # what is older has had its time
            self.counters["rules_forgotten"] += sum(
                1 for entry in entries[:-most] if entry.left and entry.time >= since
            )
            self._entries -= len(entries) - most
            del entries[:-most]
        while len(self._seen) > self._max_keys or (self._entries > self._max_entries and len(self._seen) > 1):
            _, oldest = self._seen.popitem(last=False)
            self._entries -= len(oldest)
            self.counters["rules_forgotten"] += sum(1 for entry in oldest if entry.left)

    def _calm(self, event: Event, name: str, time: int, *, begins: bool = True, update: bool = True) -> bool:
        """Return whether no suppression keeps an alert from being published.

        A published one `begins` a suppression. With `update` it is no matter for another alert of the same flow.
        """
        suppress = self._suppress.get(name)
        if suppress is None:
            return True
        key = (name, *_values(event, suppress.keys))
        since, flow = self._quiet.get(key, (None, 0))
        if since is not None and abs(time - since) < suppress.for_us:
            return update and bool(flow == event["flow_id"])
        if begins and (since is None or time > since):
            self._quiet[key] = (time, event["flow_id"])
            self._quiet.move_to_end(key)
            if len(self._quiet) > self._max_keys:
                self._quiet.popitem(last=False)
                self.counters["rules_forgotten"] += 1
        return True


def _order(entry: Entry) -> tuple[int, int, int]:
    return entry.time, entry.step, entry.flow


def _values(event: Event, keys: Sequence[str]) -> list[str]:
    """Return the values of keys, as text: what comes over a socket may be anything."""
    return [str(event.get(_FIELDS[key]))[:64] for key in keys if key in _FIELDS]


def _alert(rule: Rule, keys: Sequence[str], found: Sequence[tuple[Entry, int]], event: Event) -> Event:
    """Return the alert of a rule: about the flow that completed it, with the sum of the hits."""
    more = event["flowtap"]
    return {
        **event,
        "alert": alert_fields(rule),
        "flowtap": {
            "id": rule.id,
            "hits": sum(hits for _, hits in found),
            "verdict": "match",
            "certainty": rule.confidence,
            "confidence": more.get("confidence", 0),
            "gap": False,
            "midstream": False,
            "flows": len({entry.flow for entry, _ in found}),
            "since": found[0][0].text,
            "key": dict(zip(keys, _values(event, keys), strict=True)),
        },
    }
