# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reorder window: order, what is missing, bounds, and what it refuses."""

import os
import struct
from collections.abc import Callable
from random import Random

import pytest

from capture._message import HANDSHAKE_SIZE, KIND_HANDSHAKES, KIND_RECORDS, KIND_WATERMARK
from engine.merge import Merge
from tests.messages import ENDED, Sender, header
from tests.records import Record

ROUNDS = 3000 if os.environ.get("FLOWTAP_NIGHTLY") == "1" else 150
MS = 1_000_000
SECOND = 1000 * MS
T0 = 1000 * SECOND


def record(ts: int, number: int = 0) -> Record:
    return Record(ts=ts, seq=number)


def records(*times: int) -> list[Record]:
    return [record(T0 + ts) for ts in times]


def out(merge: Merge, now: int, *, everything: bool = False) -> list[tuple[int, int, int]]:
    """Take all there is: (ts, number, interface) of each record."""
    taken: list[tuple[int, int, int]] = []
    while n := merge.take(now, everything=everything):
        data, tags = merge.records.tobytes(), merge.tags.tobytes()
        for i in range(n):
            ts, seq = struct.unpack_from("<Q", data, 64 * i)[0], struct.unpack_from("<I", data, 64 * i + 44)[0]
            taken.append((ts, seq, struct.unpack_from("<I", tags, 8 * i)[0]))
    return taken


def times(merge: Merge, now: int, *, everything: bool = False) -> list[int]:
    return [ts - T0 for ts, _, _ in out(merge, now, everything=everything)]


def test_two_streams_up_to_the_watermark() -> None:
    merge, sender = Merge(0), Sender()
    assert merge.put(sender.records(0, records(1, 4, 5)), T0 + 10) == 3
    assert merge.put(sender.records(1, records(2, 3, 9)), T0 + 10) == 3
    assert times(merge, T0 + 10) == []
    assert merge.put(sender.watermark(T0 + 5), T0 + 20) == 0
    assert times(merge, T0 + 20) == [1, 2, 3, 4, 5]
    assert merge.waiting == 1
    assert times(merge, T0 + 20, everything=True) == [9]
    assert merge.losses() == []
    assert merge.streams() == [(1, 0, 3, 0), (1, 1, 3, 0)]
    assert merge.horizon == T0 + 5
    merge.put(sender.watermark(ENDED), T0 + 30)
    assert merge.horizon == ENDED


def test_arrays_are_what_the_engine_takes() -> None:
    merge, sender = Merge(0, batch=16), Sender()
    merge.put(sender.records(2, records(*range(40))), T0 + 50)
    assert merge.take(T0 + 50, everything=True) == 16
    assert bytes(merge.records[:64]) == record(T0).pack()
    assert bytes(merge.tags[:8]) == struct.pack("<IHH", 3, 0, 0)
    view = merge.records
    del merge
    assert bytes(view[:64]) == record(T0).pack()


def test_the_slowest_sender_that_lives_holds_the_others() -> None:
    merge, fast, slow = Merge(0), Sender(1), Sender(2)
    merge.put(slow.watermark(T0), T0)
    merge.put(fast.records(0, records(1, 2, 3)), T0)
    merge.put(fast.watermark(T0 + 3), T0)
    assert times(merge, T0 + 4) == []
    merge.put(slow.watermark(T0 + 2), T0)
    assert times(merge, T0 + 4) == [1, 2]
    # one that has ended makes no promise and needs none
    merge.put(slow.watermark(ENDED), T0)
    assert times(merge, T0 + 4) == [3]


def test_a_sender_that_is_expected_holds_the_others_until_it_is_heard() -> None:
    merge, known, new = Merge(0), Sender(1), Sender(2)
    merge.expect([1, 2])
    merge.put(known.records(0, records(1, 5)), T0 + 10)
    merge.put(known.watermark(T0 + 5), T0 + 10)
    assert times(merge, T0 + 10) == []
    merge.put(new.records(0, records(2, 4)), T0 + 20)
    assert times(merge, T0 + 20) == []
    merge.put(new.watermark(T0 + 4), T0 + 20)
    assert times(merge, T0 + 20) == [1, 2, 4]
    # who has ended is not expected again, however late that is told
    merge.put(new.watermark(ENDED), T0 + 30)
    merge.expect([1, 2])
    assert times(merge, T0 + 30) == [5]
    assert merge.counters()["late"] == 0


@pytest.mark.parametrize("expected", [False, True])
def test_a_sender_that_a_predecessor_knew_holds_nobody_unless_expected(expected: bool) -> None:
    merge, sender = Merge(0, window_ms=30_000), Sender(2)
    for cpu in range(3):
        merge.resume(1, cpu, 7, 0)
    merge.expect([1, 2] if expected else [2])
    for step in range(30):
        now = T0 + step * 50 * MS
        merge.put(sender.records(0, [record(now)]), now)
        merge.put(sender.watermark(now), now)
        # nobody waits for longer than a second
        assert bool(out(merge, now)) == (not expected or step > 20), step


def test_more_senders_are_expected_than_there_is_room_for() -> None:
    merge, sender = Merge(0), Sender(1)
    merge.expect(range(1, 1000))
    merge.put(sender.records(0, records(1)), T0)
    merge.put(sender.watermark(T0 + 1), T0)
    assert times(merge, T0) == []
    for step in range(1, 12):
        merge.put(sender.watermark(T0 + 1), T0 + step * 100 * MS)
    assert times(merge, T0 + 1200 * MS) == [1]
    assert merge.put(Sender(5000).records(0, records(2)), T0 + 1200 * MS) == 1


def test_a_silent_sender_holds_nobody_for_long() -> None:
    merge, talks, silent = Merge(0, window_ms=30_000), Sender(1), Sender(2)
    merge.put(silent.watermark(T0), T0)
    now = T0
    for step in range(1, 30):
        now = T0 + step * 50 * MS
        merge.put(talks.records(0, [record(now)]), now)
        merge.put(talks.watermark(now), now)
        found = out(merge, now)
        # held for a second
        assert bool(found) == (step > 20), step
    # who only did not listen cannot tell who is silent
    now += 60 * SECOND
    merge.put(silent.watermark(now), now)
    merge.put(talks.records(0, [record(now + 1)]), now)
    merge.put(talks.watermark(now + 1), now)
    assert out(merge, now + 2) == []


def test_a_dead_sender_is_a_loss_of_unknown_size() -> None:
    merge, sender = Merge(0), Sender()
    merge.put(sender.watermark(T0), T0)
    for step in range(70):
        merge.take(T0 + step * 100 * MS)
    assert merge.losses() == [(T0, T0 + SECOND, 0)]
    merge.take(T0 + 100 * SECOND)
    assert merge.losses() == []


def test_what_is_missing_is_known_exactly() -> None:
    merge, sender = Merge(0), Sender()
    merge.put(sender.records(0, records(1, 2)), T0 + 10)
    sender.records(0, records(3, 4, 5))  # never arrives
    merge.put(sender.records(0, records(8)), T0 + 10)
    assert merge.losses() == [(T0 + 2, T0 + 8, 3)]
    assert merge.losses() == []
    sender.records(0, records(9))
    sender.records(1, records(*range(7)))
    merge.put(sender.watermark(T0 + 20), T0 + 30)
    assert merge.losses() == [(T0 + 8, T0 + 30, 1), (0, T0 + 30, 7)]
    merge.put(sender.watermark(T0 + 30), T0 + 40)
    assert merge.losses() == []
    assert merge.streams() == [(1, 0, 3, 4), (1, 1, 0, 7)]
    assert merge.counters()["missed"] == 11


def test_what_is_missing_was_sent_before_the_watermark_was_written() -> None:
    merge, sender = Merge(0), Sender()
    sender.records(0, records(1, 2))
    merge.put(sender.watermark(T0 + 5, written=T0 + 20), T0 + 3 * SECOND)
    sender.records(0, records(30))
    merge.put(sender.watermark(T0 + 40, written=T0 + 99 * SECOND), T0 + 3 * SECOND)
    assert merge.losses() == [(0, T0 + 20, 2), (0, T0 + 3 * SECOND, 1)]


def test_packets_that_nobody_looked_at_are_a_loss_of_unknown_size() -> None:
    merge, sender = Merge(0), Sender()
    merge.put(sender.watermark(T0, written=T0 + 5, lost_since=T0 - 7), T0 + 10)
    merge.put(sender.watermark(T0 + 6, written=T0 + 99, lost_since=T0 + 2), T0 + 20)
    merge.put(sender.watermark(T0 + 7, written=T0 + 17), T0 + 20)
    merge.put(sender.watermark(ENDED, written=T0 + 18, lost_since=T0 + 200), T0 + 20)
    assert merge.losses() == [(T0 - 7, T0 + 5, 0), (T0 + 2, T0 + 20, 0), (T0 + 200, T0 + 200, 0)]


def test_a_successor_goes_on_where_the_streams_are() -> None:
    sender = Sender()
    for _ in range(3):
        sender.records(0, records(1, 2))
    merge = Merge(0)
    merge.resume(1, 0, 3, 1)
    merge.put(sender.records(0, records(5)), T0)
    assert merge.streams() == [(1, 0, 4, 3)]
    with pytest.raises(ValueError, match="known already"):
        merge.resume(1, 0, 3, 1)
    with pytest.raises(ValueError, match="no stream has these"):
        merge.resume(1, 5000, 3, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda good: b"", "length"),
        (lambda good: good[:63], "length"),
        (lambda good: good[:-1], "length"),
        (lambda good: header(kind=KIND_RECORDS, count=1, version=9), "version"),
        (lambda good: header(kind=7), "kind"),
        (lambda good: header(kind=KIND_RECORDS, count=0), "count"),
        (lambda good: header(kind=KIND_RECORDS, count=257) + bytes(257 * 72), "count"),
        (lambda good: header(kind=KIND_WATERMARK, count=1025) + bytes(1025 * 8), "count"),
        (lambda good: header(kind=KIND_WATERMARK, count=3) + bytes(16), "length"),
        (lambda good: header(kind=KIND_HANDSHAKES, count=65) + bytes(65 * 128), "count"),
        (lambda good: header(kind=KIND_HANDSHAKES, count=2) + bytes(128), "length"),
        (lambda good: header(kind=KIND_RECORDS, count=1, shard=4) + bytes(2048 + 64), "shard"),
        (lambda good: header(kind=KIND_RECORDS, count=1, cpu=1024) + bytes(2048 + 64), "cpu"),
        (lambda good: header(kind=KIND_RECORDS, count=1, first=2**63) + bytes(2048 + 64), "first"),
        (lambda good: header(kind=KIND_WATERMARK, count=1) + struct.pack("<Q", 2**64 - 1), "first"),
        (lambda good: good, "old"),
    ],
)
def test_refused(change: Callable[[bytes], bytes], reason: str) -> None:
    merge, sender = Merge(0), Sender()
    good = sender.records(0, records(1, 2))
    assert merge.put(good, T0) == 2
    assert merge.put(change(good), T0) == reason
    counters = merge.counters()
    assert counters[f"refused_{reason}"] == 1
    assert counters["messages"] == 2
    assert merge.put(sender.records(0, records(3)), T0) == 1
    assert times(merge, T0 + 9, everything=True) == [1, 2, 3]
    assert merge.counters()["missed"] == 0


def test_a_sample_that_was_rounded_up() -> None:
    merge, sender = Merge(0), Sender()
    assert merge.put(sender.records(0, records(1, 2)) + bytes(7), T0) == 2


def test_a_parcel_of_several_messages() -> None:
    merge, sender = Merge(0), Sender()
    assert (
        merge.put(sender.records(0, records(1, 2)) + sender.records(1, records(3)) + sender.watermark(T0 + 4), T0) == 3
    )
    assert times(merge, T0 + 9) == [1, 2, 3]
    # each is judged by itself, as long as the length of the one before can be told
    wrong = header(kind=KIND_RECORDS, count=1, shard=4) + bytes(2048 + 64)
    parcel = wrong + sender.records(0, records(5)) + header(kind=7) + sender.records(0, records(6))
    assert merge.put(parcel, T0) == "shard"
    counters = merge.counters()
    assert (counters["received"], counters["refused_shard"], counters["refused_kind"]) == (4, 1, 1)
    merge.put(sender.watermark(ENDED), T0)
    assert merge.counters()["missed"] == 1
    assert times(merge, T0 + 9) == [5]


def test_handshakes_are_kept_for_whoever_wants_them() -> None:
    merge = Merge(0)
    body = bytes(range(128)) * 2
    message = header(kind=KIND_HANDSHAKES, sender=1, count=2) + body
    assert merge.put(message, T0) == 0
    assert len(body) == 2 * HANDSHAKE_SIZE
    assert merge.handshakes() == [body]
    assert merge.handshakes() == []
    for _ in range(1100):
        merge.put(message, T0)
    assert len(merge.handshakes()) == 1024
    assert merge.counters()["handshakes_dropped"] == 2 * 76


def test_late_records_pass_at_once() -> None:
    merge, sender = Merge(0), Sender()
    merge.put(sender.records(0, records(10)), T0)
    merge.put(sender.watermark(T0 + 10), T0 + 20)
    assert times(merge, T0 + 20) == [10]
    merge.put(sender.records(1, records(5, 7, 11)), T0 + 20)
    assert times(merge, T0 + 20) == [5, 7]
    assert merge.counters()["late"] == 2


def test_a_full_buffer_lets_the_oldest_go() -> None:
    merge, sender = Merge(0, buffer_records=512), Sender()
    merge.put(sender.watermark(T0 - 1), T0)
    for part in range(4):
        for cpu in (0, 1):
            sent = records(*range(part * 400 + cpu, part * 400 + 400, 2))
            assert merge.put(sender.records(cpu, sent), T0 + 2000) == 200
    assert times(merge, T0 + 2000) == list(range(1600 - 512))
    assert merge.counters()["forced"] == 1600 - 512
    assert merge.waiting == 512


def test_who_does_not_take_is_told_and_nothing_is_lost_unseen() -> None:
    merge, sender = Merge(0, buffer_records=256), Sender()
    body = sender.records(0, records(*range(256)))[64:]
    fields = {"kind": KIND_RECORDS, "sender": 1, "count": 256}
    results = [merge.put(header(first=256 * i, **fields) + body, T0 + 300) for i in range(12_000)]
    sender.sent[0] = 256 * 12_000
    assert set(results) == {256, "full"}
    assert set(results[:1024]) == {256}
    taken = 0
    while n := merge.take(T0 + 300, everything=True):
        taken += n
    ((_, _, received, missed),) = merge.streams()
    assert (taken, received + missed) == (received, 12_000 * 256)
    assert merge.put(sender.records(0, records(999)), T0 + 1000) == 1
    assert merge.counters()["missed"] == missed


def test_nothing_waits_longer_than_the_window() -> None:
    merge, sender = Merge(0, window_ms=200), Sender()
    now = T0
    seen: list[int] = []
    for step in range(100):
        now = T0 + step * 10 * MS
        merge.put(sender.records(0, [record(now, step)]), now)
        seen += [number for _, number, _ in out(merge, now)]
        assert step - 25 <= len(seen) <= max(0, step - 10), step
    assert seen == list(range(len(seen)))


def test_a_mad_time_does_not_shut_the_window() -> None:
    merge, sender = Merge(0, window_ms=100), Sender()
    merge.put(sender.watermark(T0), T0)
    merge.put(sender.records(0, [record(2**63), record(T0 - 1, 1000)]), T0)
    sender.records(0, [record(T0)])
    merge.put(sender.records(0, [record(2**62, 2000), record(T0, 1001)]), T0)
    assert merge.losses() == [(T0 - 1, T0, 1)]
    now = T0
    seen: list[int] = []
    for step in range(1, 40):
        now = T0 + step * 10 * MS
        merge.put(sender.records(1, [record(now - 5 * MS, step)]), now)
        merge.put(sender.records(2, [record(now - 7 * MS, 100 + step)]), now)
        merge.put(sender.watermark(now - 6 * MS), now)
        seen += [number for _, number, _ in out(merge, now)]
    assert {0, 1000, 1001, 2000} < set(seen)
    assert [n for n in seen if 0 < n < 1000] == [n for step in range(1, 40) for n in (100 + step, step)][:-1]


def test_senders_come_and_go_within_bounds() -> None:
    merge = Merge(0)
    for number in range(1, 65):
        assert merge.put(Sender(number).records(3, records(1)), T0) == 1
    assert merge.put(Sender(99).records(3, records(1)), T0) == "senders"
    out(merge, T0, everything=True)
    now = T0
    for _ in range(15):
        now += 100 * MS
        merge.take(now)
    for number in range(100, 200):
        now += 30 * MS
        assert merge.put(Sender(number).records(3, records(1)), now) == 1
        out(merge, now, everything=True)
    gone = merge.forgotten()
    assert gone[:30] == [(number, 3, 1, 0) for number in range(1, 31)]
    assert merge.forgotten() == []
    total = sum(row[2] for row in gone + merge.streams())
    assert total == merge.counters()["received"]


def test_streams_have_a_bound() -> None:
    merge, first, second = Merge(0), Sender(1), Sender(2)
    assert {merge.put(first.records(cpu, records(1)), T0) for cpu in range(1000)} == {1}
    results = [merge.put(second.records(cpu, records(1)), T0) for cpu in range(30)]
    assert results == [1] * 24 + ["streams"] * 6


@pytest.mark.parametrize("arguments", [{"shard": 64}, {"shard": -1}, {"buffer_records": 3}, {"window_ms": 0}])
def test_bounds_that_make_no_sense(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"expected|must be"):
        Merge(**({"shard": 0} | arguments))


@pytest.mark.parametrize("seed", range(ROUNDS // 50))
def test_merge_agrees_with_sorting(seed: int) -> None:
    """Random senders, CPUs, losses and delays, against sorted(); every number is accounted for."""
    random = Random(seed)
    for _ in range(50):
        merge = Merge(0, batch=random.choice((1, 7, 4096)), window_ms=60_000)
        senders = [Sender(n + 1) for n in range(random.choice((1, 1, 2, 5)))]
        cpus = random.choice((1, 2, 5))
        now, number = T0, 0
        kept: list[tuple[int, int, int]] = []
        found: list[tuple[int, int, int]] = []
        lost: dict[tuple[int, int], int] = {}
        clock = {(sender.number, cpu): T0 for sender in senders for cpu in range(cpus)}
        for sender in senders:
            merge.put(sender.watermark(T0 - 1), now)
        for _ in range(random.randrange(1, 40)):
            now += random.randrange(1, 900)
            for sender in senders:
                for cpu in range(cpus):
                    if random.random() < 0.5:
                        continue
                    at = clock[sender.number, cpu]
                    sent = []
                    for _ in range(random.choice((1, 2, 20, 256))):
                        at = max(at, min(now, at + random.randrange(0, 30)))
                        number += 1
                        sent.append(record(at, number))
                    clock[sender.number, cpu] = at
                    message = sender.records(cpu, sent)
                    if random.random() < 0.1:
                        lost[sender.number, cpu] = lost.get((sender.number, cpu), 0) + len(sent)
                        continue
                    assert merge.put(message, now) == len(sent)
                    kept += [(r.ts, r.seq, cpu + 1) for r in sent]
                if random.random() < 0.7:
                    merge.put(sender.watermark(now), now)
                    clock.update({(sender.number, cpu): now + 1 for cpu in range(cpus)})
            found += out(merge, now)
        for sender in senders:
            merge.put(sender.watermark(now), now)
        found += out(merge, now)
        assert [ts for ts, _, _ in found] == sorted(ts for ts, _, _ in kept)
        assert sorted(found) == sorted(kept)
        for sender, cpu, received, missed in merge.streams():
            assert missed == lost.get((sender, cpu), 0)
            assert received + missed == senders[sender - 1].sent[cpu]
        counters = merge.counters()
        assert (counters["late"], counters["forced"], merge.waiting) == (0, 0, 0)
        assert counters["received"] == counters["released"] == len(kept)


def test_random_bytes_are_refused_or_taken_but_never_harm() -> None:
    random = Random(5)
    merge, sender = Merge(0, buffer_records=4096), Sender()
    for step in range(ROUNDS * 20):
        now = T0 + step * 10_000
        good = random.choice((sender.records(random.randrange(4), records(step, step + 1)), sender.watermark(now)))
        data = bytearray(good)
        for _ in range(random.choice((0, 1, 3))):
            data[random.randrange(min(len(data), 80))] = random.randrange(256)
        if random.random() < 0.2:
            del data[random.randrange(len(data)) :]
        merge.put(data, now)
        if step % 50 == 0:
            out(merge, now)
    out(merge, now, everything=True)
    counters = merge.counters()
    assert counters["received"] == counters["released"]
    assert sum(row[2] for row in merge.streams() + merge.forgotten()) == counters["received"]
