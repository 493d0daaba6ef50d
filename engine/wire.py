# SPDX-License-Identifier: LGPL-2.1-or-later
"""The message from a worker to the collector: its one form, as msgpack, and what is believed of one that arrives.

    {"worker": N, "run": R, "seq": S, "events": [EVE objects, see engine.events]}

`seq` counts the events that the worker has made before those of this message, also in earlier runs: whoever receives
the messages knows exactly how many were lost between two of them. `run` is a random number of the process. A message
without events says that the worker is alive and how many it has made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgpack

MAX_EVENTS = 128  # in one message
MAX_BYTES = 4 << 20
MAX_WORKERS = 64  # FT_MAX_SHARDS of bpf/batch.h

# Why a message, or one event of it, is not believed.
REASONS = ("size", "msgpack", "form", "event")

_KEYS = {"worker", "run", "seq", "events"}
_NUMBERS = (("worker", MAX_WORKERS), ("run", 1 << 64), ("seq", 1 << 63))
_TYPE = re.compile(r"[a-z_]{1,32}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000", re.ASCII)

Event = dict[str, Any]


class WireError(ValueError):
    """A message that is not believed; `reason` is one of REASONS."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Message(NamedTuple):
    """A message; `refused` of its events were left out because they are no EVE objects."""

    worker: int
    run: int
    seq: int
    events: list[Event]
    refused: int = 0


def encode(worker: int, run: int, seq: int, events: Sequence[Any]) -> bytes:
    """Return the message; at most MAX_EVENTS events."""
    packed: bytes = msgpack.packb({"worker": worker, "run": run, "seq": seq, "events": events})
    return packed


def decode(data: bytes) -> Message:
    """Return what a message says. Raises WireError for what no worker sends."""
    if len(data) > MAX_BYTES:
        raise WireError("size", f"{len(data)} bytes, expected at most {MAX_BYTES}")
    try:
        # The bounds keep small messages from claiming much memory: each array of an unpacker is made as long as it
        # says it is.
        told = msgpack.unpackb(
            data,
            max_array_len=MAX_EVENTS,
            max_map_len=256,
            max_bin_len=0,
            max_ext_len=0,
            ext_hook=_no_extension,
        )
    except Exception as error:  # documented: UnpackException, ValueError and what else a format may cause
        raise WireError("msgpack", str(error) or type(error).__name__) from error
    if not isinstance(told, dict) or told.keys() != _KEYS:
        raise WireError("form", f"expected an object with {', '.join(sorted(_KEYS))}")
    for name, limit in _NUMBERS:
        if type(told[name]) is not int or not 0 <= told[name] < limit:
            raise WireError("form", f"{name}: expected a number from 0 to {limit - 1}")
    events = told["events"]
    if not isinstance(events, list):
        raise WireError("form", "events: expected a list")
    believed = [event for event in events if _is_event(event)]
    return Message(told["worker"], told["run"], told["seq"], believed, len(events) - len(believed))


def _is_event(event: object) -> bool:
    """Return whether the collector can rely on what it looks at; the rest is only passed on."""
    if not isinstance(event, dict):
        return False
    kind, time, more = event.get("event_type"), event.get("timestamp"), event.get("flowtap")
    return (
        isinstance(kind, str)
        and _TYPE.fullmatch(kind) is not None
        and isinstance(time, str)
        and _TIME.fullmatch(time) is not None
        and isinstance(more, dict)
        and type(event.get("flow_id")) is int
        and isinstance(more.get("id", ""), str)
        and type(more.get("hits", 0)) is int
    )


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError("an extension type")
