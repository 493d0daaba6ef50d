# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the collector believes of a message."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wire import MAX_BYTES, MAX_EVENTS, REASONS, Message, WireError, decode, encode

EVENT = {
    "timestamp": "2026-01-02T03:04:05.678901+0000",
    "flow_id": 7,
    "event_type": "alert",
    "flowtap": {"id": "a.b", "hits": 2},
}


def message(**other: Any) -> bytes:
    packed: bytes = msgpack.packb({"worker": 1, "run": 2, "seq": 3, "events": [EVENT], **other})
    return packed


def test_what_is_encoded_is_decoded() -> None:
    assert decode(encode(63, 2**64 - 1, 5, [EVENT, EVENT])) == Message(63, 2**64 - 1, 5, [EVENT, EVENT])
    assert decode(encode(0, 0, 0, [])) == Message(0, 0, 0, [])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "msgpack"),
        (b"\xc1", "msgpack"),
        (message()[:-1], "msgpack"),
        (message() + b"\x00", "msgpack"),
        (b"\x91" * 2000, "msgpack"),
        (b"\xdd\xff\xff\xff\xff", "msgpack"),
        (b"\xdf\xff\xff\xff\xff", "msgpack"),
        (message(run=b"bytes"), "msgpack"),
        (message(events=[{**EVENT, "when": msgpack.Timestamp(1)}]), "msgpack"),
        (b"\x81\xa1\x80\x01", "msgpack"),  # no UTF-8
        (message(events=[EVENT] * (MAX_EVENTS + 1)), "msgpack"),
        (bytes(MAX_BYTES + 1), "size"),
        (b"\x01", "form"),
        (b"\x90", "form"),
        (message(more=1), "form"),
        (msgpack.packb({"worker": 1}), "form"),
        (message(worker=-1), "form"),
        (message(worker=64), "form"),
        (message(worker=True), "form"),
        (message(worker=1.0), "form"),
        (message(run="x"), "form"),
        (message(seq=2**63), "form"),
        (message(events={}), "form"),
        (message(events=None), "form"),
    ],
)
def test_messages_that_are_not_believed(data: bytes, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(data)
    assert caught.value.reason == reason
    assert reason in REASONS
    assert str(caught.value)


@pytest.mark.parametrize(
    "event",
    [
        1,
        None,
        [],
        {},
        {**EVENT, "event_type": 1},
        {**EVENT, "event_type": "Alert!"},
        {**EVENT, "timestamp": 1},
        {**EVENT, "timestamp": "yesterday"},
        {**EVENT, "timestamp": "٢٠٢٦-01-02T03:04:05.678901+0000"},
        {**EVENT, "flow_id": "7"},
        {**EVENT, "flow_id": True},
        {**EVENT, "flowtap": None},
        {**EVENT, "flowtap": {"id": 1}},
        {**EVENT, "flowtap": {"id": "a", "hits": []}},
    ],
)
def test_events_that_are_not_believed_are_counted_and_the_others_stay(event: Any) -> None:
    told = decode(message(events=[EVENT, event, EVENT]))
    assert told.events == [EVENT, EVENT]
    assert told.refused == 1


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_a_wire_error(data: bytes) -> None:
    try:
        decode(data)
    except WireError as error:
        assert error.reason in REASONS


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["worker", "run", "seq", "events"]), PLAIN), PLAIN)
def test_no_value_is_more_than_a_wire_error(fields: dict[str, Any], event: Any) -> None:
    try:
        told = decode(message(**{"events": [event], **fields}))
    except WireError as error:
        assert error.reason in REASONS
    else:
        assert all(isinstance(one["flowtap"], dict) for one in told.events)
