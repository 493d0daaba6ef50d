# SPDX-License-Identifier: LGPL-2.1-or-later
"""The events keep to their schema, and docs/events.md explains all of it."""

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints

import pytest

import sigdb
from engine import Flow, Hit, Reason, events
from engine.events import FlowEvent, FlowFields, StatsEvent, StatsFields, flow_state, signature_id, timestamp

ROOT = Path(__file__).parent.parent


def check(value: Any, kind: Any, place: str = "event") -> None:
    """Assert that `value` is of the type `kind`, TypedDicts key by key: nothing missing, nothing more."""
    if get_origin(kind) is NotRequired:
        kind = get_args(kind)[0]
    if hasattr(kind, "__required_keys__"):
        hints = get_type_hints(kind, include_extras=True)
        assert set(value) <= set(hints), f"{place}: unknown {set(value) - set(hints)}"
        required = {key for key, hint in hints.items() if get_origin(hint) is not NotRequired}
        assert required <= set(value), f"{place}: missing {required - set(value)}"
        for key, item in value.items():
            check(item, hints[key], f"{place}.{key}")
    elif get_origin(kind) is Literal:
        assert value in get_args(kind), place
    elif get_origin(kind) is list:
        for item in value:
            check(item, get_args(kind)[0], place + "[]")
    elif get_origin(kind) is dict:
        for item in value.values():
            check(item, get_args(kind)[1], place + "{}")
    else:
        assert isinstance(value, kind), f"{place}: {value!r} is no {kind}"


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (0, "1970-01-01T00:00:00.000000+0000"),
        (1_165_124_468_123_456_789, "2006-12-03T05:41:08.123456+0000"),
        (2**64 - 1, "2554-07-21T23:34:33.709551+0000"),
    ],
)
def test_timestamp(ns: int, expected: str) -> None:
    assert timestamp(ns) == expected


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (bytes(10) + b"\xff\xff\x0a\x00\x00\x01", "10.0.0.1"),
        (bytes.fromhex("20010db8000000000000000000000001"), "2001:db8::1"),
        (bytes(16), "::"),
    ],
)
def test_address(packed: bytes, expected: str) -> None:
    assert events.address(packed) == expected


@pytest.mark.parametrize(
    ("reason", "client", "server", "expected"),
    [
        (Reason.FIN, 1, 1, "closed"),
        (Reason.RST, 1, 0, "closed"),
        (Reason.OPEN, 1, 1, "open"),
        (Reason.TIMEOUT, 1, 1, "established"),
        (Reason.TIMEOUT, 1, 0, "new"),
        (Reason.EVICTED, 0, 0, "new"),
        (Reason.REUSE, 2, 3, "established"),
    ],
)
def test_state(reason: Reason, client: int, server: int, expected: str) -> None:
    assert flow_state(reason, client, server) == expected


def test_signature_id_is_stable_and_fits_31_bits() -> None:
    assert signature_id("ssh.auth.failure") == signature_id("ssh.auth.failure") == 584_397_547
    assert all(0 < signature_id(f"a.b{number}") < 2**31 for number in range(1000))


def flow(*hits: Hit) -> Flow:
    ends = {"client": bytes(10) + b"\xff\xff" + bytes(4), "server": bytes(16), "client_port": 1, "server_port": 2}
    numbers = {field.name: field.type is bool and False for field in fields(Flow)}
    return Flow(**(numbers | ends | {"start_ns": 5_000, "end_ns": 6_000, "reason": Reason.OPEN, "hits": list(hits)}))


def test_the_clock_of_the_day_is_shown_and_identifies_nothing() -> None:
    made = events.Events(sigdb.loads("tcp * = c5 : five").signatures, offset_ns=1_165_124_468_000_000_000)
    (before,) = made.alerts(flow(Hit(0, 1, 5_500, "c5")))
    assert before["timestamp"] == "2006-12-03T05:41:08.000005+0000"
    assert (before["flow"]["start"], before["flow"]["end"]) == (
        timestamp(made.offset_ns + 5_000),
        timestamp(made.offset_ns + 6_000),
    )
    made.offset_ns = -(10**9)
    (after,) = made.alerts(flow(Hit(0, 1, 5_500, "c5")))
    assert after["flow_id"] == before["flow_id"]
    assert after["timestamp"] == "1970-01-01T00:00:00.000000+0000"
    check(after, FlowEvent)


def test_what_was_told_before_is_not_told_again() -> None:
    made = events.Events(sigdb.loads("tcp * = c5 : five").signatures)
    told = [
        len(list(made.alerts(flow(Hit(0, count, 5, None, published))))) for count, published in ((1, 0), (1, 1), (2, 1))
    ]
    assert told == [1, 0, 1]


def keys(kind: Any) -> set[str]:
    """Return the names of all keys of a TypedDict, and of those below it."""
    found = set()
    for key, hint in get_type_hints(kind).items():
        found.add(key)
        for inner in (hint, *get_args(hint)):
            if hasattr(inner, "__required_keys__"):
                found |= keys(inner)
    return found


@pytest.mark.parametrize("kind", [FlowEvent, StatsEvent, FlowFields, StatsFields])
def test_the_handbook_explains_every_field(kind: Any) -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    assert {key for key in keys(kind) if f"`{key}`" not in text} == set()


SEEN = {"proto": 6, "packets_c": 1, "packets_s": 1, "confidence": 100}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"gap": True}, ["gap"]),
        ({"midstream": True, "gap": True}, ["gap", "midstream"]),
        ({"packets_s": 0, "rtt_s_ns": None}, ["one-sided"]),
        ({"packets_c": 0, "rtt_s_ns": None}, ["one-sided"]),
        ({"packets_s": 0, "rtt_s_ns": 5}, []),  # it answered the SYN and then said nothing
        ({"packets_s": 0, "rtt_s_ns": None, "proto": 17}, []),
        ({"reason": Reason.EVICTED}, ["truncated"]),
        ({"reason": Reason.HALF_OPEN}, ["truncated"]),
        ({"reason": Reason.REUSE}, []),
    ],
)
def test_what_was_not_seen_well_enough_is_unknown(more: dict[str, Any], expected: list[str]) -> None:
    made = events.Events(sigdb.loads("tcp * = c5 : five\n    severity = high\n    confidence = 90").signatures)
    seen = flow(Hit(0, 1, 5_500, "c5"))
    for name, value in {**SEEN, **more}.items():
        setattr(seen, name, value)
    (alert,) = made.alerts(seen)
    check(alert, FlowEvent)
    assert alert["flowtap"].get("doubts", []) == expected
    assert alert["flowtap"]["verdict"] == ("unknown" if expected else "match")
    assert alert["flowtap"]["certainty"] == (0 if expected else 90)
    why = f"unknown ({', '.join(expected)}): " if expected else ""
    assert (alert["alert"]["signature"], alert["alert"]["category"]) == (f"{why}five", "unknown" if expected else "")
    assert alert["alert"]["severity"] == (4 if expected else 2)


def test_certainty_is_that_of_the_signature_and_of_the_direction() -> None:
    assert [events.certainty(90, direction, []) for direction in (100, 50, 0)] == [90, 45, 0]
