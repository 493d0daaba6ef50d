# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules over several flows: language, counting, bounds; the same as a slow obvious reading; in the collector."""

from __future__ import annotations

import json
from bisect import bisect_left
from pathlib import Path
from random import Random
from typing import Any

import pytest

import sigdb
from engine.collector import COUNTERS
from engine.events import FlowEvent, timestamp
from engine.rules import Rules, micros
from engine.wire import encode
from sigdb.nodes import Chain, Step, Suppress, Threshold
from tests.conftest import Command
from tests.conversation import login, pcap
from tests.test_collector import Context, Running, push
from tests.test_events import check

SIGNATURE = "tcp * = c1 : one\n    id = a.b\ntcp * = c2 : two\n    id = a.c\n"
CAPTURES = Path(__file__).parent / "captures"
BEGIN = 1_700_000_000


def rules(text: str, **bounds: int) -> Rules:
    program = sigdb.loads(SIGNATURE + text)
    return Rules(program.signatures, program.rules, **bounds)


def alert(
    second: float, flow: int, name: str = "a.b", hits: int = 1, src: str = "1.1.1.1", **more: Any
) -> dict[str, Any]:
    return {
        "timestamp": timestamp(round((BEGIN + second) * 1_000_000) * 1000), "flow_id": flow, "event_type": "alert",
        "src_ip": src, "src_port": 5, "dest_ip": "2.2.2.2", "dest_port": 22, "proto": "TCP",
        "alert": {"signature": name},
        "flowtap": {"id": name, "hits": hits, "verdict": "match", "confidence": 100, **more},
    }  # fmt: skip


def told(made: Rules, *events: dict[str, Any]) -> list[list[str]]:
    """Return the ids that are published at each event, with their hits."""
    return [[f"{one['flowtap']['id']} {one['flowtap']['hits']}" for one in made.take(event)] for event in events]


def test_language() -> None:
    program = sigdb.loads(
        "tcp * = c1 : one\n    id = a\n    threshold = 5 in 60s by src\n"
        "    suppress = 1.5h by src , id\n    confidence = 7\n"
        "tcp * = c1 : two\n    id = c.d\n"
        "flows: three\n    id = e\n    sequence = 3 a then 2 c then x.y in 10min by src,dst,port\n"
        "tcp * = c1 : four\n    id = x.y\n"
    )
    one, two, _ = program.signatures
    assert (one.threshold, one.suppress) == (
        Threshold(5, 60_000_000, ("src",)),
        Suppress(5_400_000_000, ("src", "id")),
    )
    assert (one.confidence, two.confidence, two.threshold) == (7, 80, None)
    (rule,) = program.rules
    assert rule.sequence == Chain(
        (Step(3, "a", 10, 18), Step(2, "c", 10, 27), Step(1, "x.y", 10, 34)), 600_000_000, ("src", "dst", "port")
    )
    assert (rule.id, rule.description, rule.line) == ("e", "three", 8)


RULE = "flows : d\n  sequence = "
MISTAKES = [
    ("tcp * c1 : d\n  confidence = 101", "2:16: wrong confidence '101'; expected a number of percent from 0 to 100"),
    ("tcp * c1 : d\n  threshold = 0 in 1s by src", "2:15: '0' in '0 in 1s by src'; expected a number of hits from 1"),
    ("tcp * c1 : d\n  threshold = 5 at 1s by src", "2:17: 'at' in '5 at 1s by src'; expected in, for example"),
    ("tcp * c1 : d\n  threshold = 5 in 60 by src", "2:20: '60' in '5 in 60 by src'; expected a time with unit"),
    ("tcp * c1 : d\n  threshold = 5 in 200h by src", "2:20: '200h' in '5 in 200h by src'; expected a time from 1us"),
    ("tcp * c1 : d\n  threshold = 5 in 1s", "2:22: the end in '5 in 1s'; expected by, for example"),
    ("tcp * c1 : d\n  threshold = 5 in 1s by me", "2:26: 'me' in '5 in 1s by me'; expected key: src, dst, port, id"),
    ("tcp * c1 : d\n  suppress = 1h by src,src", "2:24: 'src' in '1h by src,src'; expected another key: src"),
    ("tcp * c1 : d\n  suppress = 1h by src dst", "2:24: 'dst' in '1h by src dst'; expected nothing more"),
    ("tcp * c1 : d\n  suppress = 0s by src", "2:14: '0s' in '0s by src'; expected a time from 1us to 168h"),
    ("tcp * c1 : d\n  sequence = 5 a in 1s by src", "2:3: sequence is an attribute of rules; expected id, severity"),
    (
        RULE + "5 a.b in 1s by src\n  threshold = 5 in 1s by src",
        "3:3: threshold is an attribute of signatures; expected",
    ),
    ("flows : d\n  severity = low", "1:1: a rule without sequence; expected for example sequence = 3 ssh.auth.failure"),
    ("flows d", "1:7: no ':' after 'flows'; expected flows : description"),
    ("flows :", "1:8: no description; expected flows : description"),
    (RULE + "a.b", "2:17: the end in 'a.b'; expected then or in, for example sequence"),
    (RULE + "then a in 1s by src", "2:14: 'then' in 'then a in 1s by src'; expected the id of a signature"),
    (RULE + "3 A in 1s by src", "2:16: 'A' in '3 A in 1s by src'; expected the id of a signature"),
    (RULE + "1001 a.b in 1s by src", "2:14: '1001' in '1001 a.b in 1s by src'; expected a number of hits"),
    (RULE + "a.b in 1s by id", "2:27: 'id' in 'a.b in 1s by id'; expected key: src, dst, port, for example"),
    (RULE + "a.b then a in 1s by src", "2:23: 'a' counts in the step 'a.b' too; expected another id"),
    (
        RULE + "a.x in 1s by src",
        "2:14: no signature has the id 'a.x' (did you mean 'a.c'?); expected an id of the files",
    ),
    (RULE + " then ".join(f"a{n}" for n in range(9)) + " in 1s by src", "2:78: too many steps; expected at most 8"),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_mistakes(text: str, expected: str) -> None:
    with pytest.raises(sigdb.SignatureErrors) as caught:
        sigdb.loads(f"{text}\n{SIGNATURE}" if expected[0] in "12" and "3:3" not in expected else text, "f")
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"f:{expected}")


def test_rules_and_signatures_share_their_ids() -> None:
    with pytest.raises(sigdb.SignatureErrors, match=r"the id 'a\.b' is taken by"):
        sigdb.loads(SIGNATURE + RULE + "a.c in 1s by src\n  id = a.b")


def test_hits_of_several_connections_are_counted() -> None:
    made = rules(RULE + "5 a in 60s by src\n  id = r\n  severity = high\n  confidence = 90")
    assert told(made, alert(0, 1, hits=2), alert(10, 2, hits=2, src="9.9.9.9"), alert(20, 3, hits=2)) == [
        ["a.b 2"], ["a.b 2"], ["a.b 2"],
    ]  # fmt: skip
    event, composite = made.take(alert(59, 4, "a.c"))
    assert event["flowtap"]["id"] == "a.c"
    assert composite["flowtap"] == {
        "id": "r", "hits": 5, "verdict": "match", "certainty": 90, "confidence": 100, "gap": False, "midstream": False,
        "flows": 3, "since": timestamp(BEGIN * 10**9), "key": {"src": "1.1.1.1"},
    }  # fmt: skip
    assert (composite["flow_id"], composite["src_port"], composite["alert"]["severity"]) == (4, 5, 2)
    # What has led to an alert is used up.
    assert told(made, alert(60, 5, hits=4), alert(61, 6)) == [["a.b 4"], ["a.b 1", "r 5"]]
    assert made.counters["rules_made"] == 2


def test_the_alert_of_a_rule_keeps_to_the_schema(tmp_path: Path, flowtap: Command) -> None:
    (tmp_path / "a.fp").write_text(
        "tcp 22 = s12 c12 s28 : password\n  id = p\n" + RULE + "5 p in 60s by src\n  id = r\n"
    )
    conversations = [login(cport=port, start=1165124468.0 + port) for port in range(1, 4)]
    (tmp_path / "a.pcap").write_bytes(pcap(*conversations))
    lines = [json.loads(line) for line in flowtap("read", "--json", "-f", "a.fp", "a.pcap").stdout.splitlines()]
    assert [(one["flowtap"]["id"], one["flowtap"]["hits"]) for one in lines[:-1]] == [
        ("p", 2), ("p", 2), ("p", 2), ("r", 6),
    ]  # fmt: skip
    for one in lines[:-1]:
        check(one, FlowEvent)
    assert lines[-1]["stats"]["alerts"] == 4
    assert "    Matches: d (hit: 6 in 3 flows, confidence: 80)\n" in flowtap("read", "-f", "a.fp", "a.pcap").stdout


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([alert(0, 1), alert(0, 1, hits=4), alert(0, 1, hits=4), alert(9, 2)], "r 5"),  # an early alert, then the final
        ([alert(0, 1), alert(0, 1, "a.c", 1), alert(9, 2, hits=3)], ""),  # one attempt by two signatures
        ([alert(0, 1, hits=4), alert(60.000001, 2)], ""),  # too late
        ([alert(0, 1, hits=4), alert(60, 2)], "r 5"),
        ([alert(60, 2), alert(0, 1, hits=4)], "r 5"),  # in the other order
        ([alert(0, 1, hits=4), alert(1, 2, verdict="unknown")], ""),
        ([alert(0, 1, hits=4), alert(1, 2) | {"event_type": "flow"}], ""),
        ([alert(0, 1, hits=4), alert(1, 2) | {"timestamp": "2006-99-99T00:00:00.000000+0000"}], ""),
        ([alert(0, 1, hits=4), alert(1, 2) | {"src_ip": [1]}], ""),
    ],
)
def test_what_counts(events: list[dict[str, Any]], expected: str) -> None:
    made = rules(RULE + "5 a in 60s by src\n  id = r")
    got = [name for names in told(made, *events) for name in names if name.startswith("r ")]
    assert got == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([alert(0, 1, hits=3), alert(5, 2, "a.c")], "s 4"),
        ([alert(5, 2, "a.c"), alert(0, 1, hits=3)], "s 4"),  # the session that ended first began last
        ([alert(0, 1, hits=3), alert(0, 1, "a.c")], "s 4"),  # in one flow
        ([alert(1, 1, hits=3), alert(0, 2, "a.c")], ""),  # the other way round
        ([alert(0, 1, hits=2), alert(5, 2, "a.c")], ""),
        ([alert(0, 1, hits=3), alert(5, 2, "a.c", src="9.9.9.9")], ""),
        ([alert(0, 1, hits=3), alert(5, 2, "a.c") | {"dest_ip": "9.9.9.9"}], ""),
        ([alert(0, 1, hits=1), alert(6, 3, hits=3), alert(61, 2, "a.c")], "s 4"),  # the window begins with the second
    ],
)
def test_sequences(events: list[dict[str, Any]], expected: str) -> None:
    made = rules(RULE + "3 a.b then a.c in 60s by src,dst\n  id = s")
    got = [name for names in told(made, *events) for name in names if name.startswith("s ")]
    assert got == ([expected] if expected else [])


def test_thresholds_and_suppressions_withhold() -> None:
    text = "tcp * = c3 : three\n  id = t\n  threshold = 3 in 60s by src\n"
    text += "tcp * = c4 : four\n  id = u\n  suppress = 1h by src,id\n"
    made = rules(text + RULE + "4 t in 60s by src\n  id = r\n  suppress = 1h by src")
    assert told(made, *(alert(n, n, "t") for n in range(4))) == [[], [], ["t 1"], ["r 4"]]
    assert told(made, alert(2, 2, "t", 2), alert(5, 9, "t", verdict="unknown")) == [
        ["t 2"],
        [],
    ]  # of a flow that was told
    assert told(made, *(alert(n, n, "t") for n in range(60, 64))) == [["t 1"], [], [], ["t 1"]]  # r is suppressed
    assert (made.counters["rules_made"], made.counters["rules_suppressed"]) == (1, 1)
    steps = [
        (0, 1, 1),
        (1, 2, 1),
        (5, 1, 7),
        (3599, 3, 1),
        (3600, 4, 1),
        (3601, 5, 1),
        (10, 6, 1),
        (-9999, 7, 1),
        (3602, 8, 1),
    ]
    assert [bool(made.take(alert(second, flow, "u", hits))) for second, flow, hits in steps] == [
        True, False, True, False, True, False, False, True, False,
    ]  # fmt: skip
    assert made.take(alert(0, 1, "u", src="9.9.9.9", verdict="unknown"))
    assert made.take(alert(1, 2, "u", src="9.9.9.9"))  # what is unknown keeps nothing back
    assert not made.take(alert(2, 3, "u", src="9.9.9.9", verdict="unknown"))


def test_what_is_remembered_is_bounded_and_what_is_forgotten_counted() -> None:
    made = rules(RULE + "3 a in 1h by src", max_keys=10, max_entries=20)
    for n in range(100):
        made.take(alert(n, n, src=str(n)))
    assert made.counters["rules_forgotten"] == 90
    assert told(made, alert(0, 1000, src="99", hits=2))[0][1:] == ["text.line5 3"]
    assert len(told(made, alert(0, 1000, src="0", hits=2))[0]) == 1  # its first hit was forgotten
    made = rules(RULE + "50 a.b then a.c in 1h by src")
    for n in range(1000):
        made.take(alert(n, n, "a.c"))
    assert made.counters["rules_forgotten"] == 1000 - 2 * 51


def slow(events: list[dict[str, Any]], steps: list[tuple[int, str]], within: int) -> set[str]:
    """Return the clients for which there is any time from which on the hits go through all steps. Obvious, not fast."""
    found = set()
    for src in {event["src_ip"] for event in events}:
        mine: dict[tuple[int, int], tuple[int, int]] = {}  # step and flow: time, hits
        for event in events:
            for place, (_, name) in enumerate(steps):
                if event["src_ip"] == src and event["flowtap"]["id"] == name:
                    before = mine.get((place, event["flow_id"]), (0, 0))[1]
                    mine[place, event["flow_id"]] = micros(event["timestamp"]), max(before, event["flowtap"]["hits"])
        for begin in sorted({time for time, _ in mine.values()}):
            earliest = begin
            for place, (needed, _) in enumerate(steps):
                hits = sorted(entry for (step, _), entry in mine.items() if step == place)
                got = 0
                for time, count in hits[bisect_left(hits, (earliest, 0)) :]:
                    got += count
                    earliest = time
                    if got >= needed:
                        break
                else:
                    break
            else:
                if earliest <= begin + within:
                    found.add(src)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_as_a_slow_obvious_reading_in_any_order_and_with_early_alerts(seed: int) -> None:
    random = Random(seed)
    steps = [(random.randrange(1, 5), "a.b")] + ([(random.randrange(1, 3), "a.c")] if seed % 2 else [])
    text = " then ".join(f"{count} {name}" for count, name in steps)
    finals = [
        alert(
            random.randrange(60),
            flow,
            random.choice(["a.b", "a.c"]),
            random.randrange(1, 4),
            f"1.1.1.{random.randrange(4)}",
        )
        for flow in range(random.randrange(30))
    ]
    events = list(finals)
    for event in finals:
        if random.random() < 0.5:  # live: the first hit is told at once, then the sum; both may come twice
            early = {**event, "flowtap": {**event["flowtap"], "hits": 1}}
            events += [early] * random.randrange(1, 3)
    expected = slow(finals, steps, 10_000_000)
    for _ in range(3):
        random.shuffle(events)
        made = rules(f"{RULE}{text} in 10s by src\n  id = r")
        got = {one["src_ip"] for event in events for one in made.take(event) if one["flowtap"]["id"] == "r"}
        assert got == expected
        assert made.counters["rules_forgotten"] == 0


def test_the_collector_publishes_what_rules_make_and_withholds_what_they_say(context: Context, tmp_path: Path) -> None:
    text = "tcp * = c3 : three\n  id = t\n  threshold = 9 in 60s by src\n" + RULE + "3 a in 60s by src\n  id = r"
    loaded = [rules(text), None, rules("")]
    running = Running(context, tmp_path, load_rules=lambda: loaded.pop(0))
    socket = push(context, running.endpoint)
    socket.send(encode(0, 1, 0, [alert(0, 1), alert(1, 2), alert(2, 3, "t"), alert(1, 2), alert(3, 4, "a.c")]))
    running.until(lambda: running.get("received") == 5 and running.get("rules_made") == 1)
    for name in ("rules_refused", "rules_reloaded"):
        running.collector.reopen = True
        running.until(lambda name=name: running.get(name) == 1)  # type: ignore[misc]
    socket.send(encode(0, 1, 5, [alert(4, 9, hits=3)]))
    running.until(lambda: running.get("received") == 6)
    got = running.stop()
    assert [(one["flowtap"]["id"], one["flowtap"]["seq"]) for one in got] == [
        ("a.b", 1), ("a.b", 2), ("a.c", 3), ("r", 4), ("a.b", 5),
    ]  # fmt: skip
    assert {name: running.get(name) for name in COUNTERS if running.get(name)} == {
        "messages": 2, "received": 6, "published": 4, "duplicates": 1, "rules_withheld": 1, "rules_made": 1, "seq": 5,
        "rules_refused": 1, "rules_reloaded": 1, "reopened": 2, "file_written": 5, "workers_now": 1,
    }  # fmt: skip
    running.page.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ssh-guess", ["ssh.bruteforce", "ssh.success-after-failures"]),  # programs that guess, one of them well
        ("ssh-typed-failure", []),  # a person who mistypes
        ("ssh-key", []),
    ],
)
def test_shipped_rules_in_recorded_captures(name: str, expected: list[str], flowtap: Command) -> None:
    lines = flowtap("read", "--json", CAPTURES / f"{name}.pcap.gz").stdout.splitlines()
    alerts = [event["flowtap"] for event in map(json.loads, lines) if event["event_type"] == "alert"]
    assert sorted(more["id"] for more in alerts if "flows" in more) == expected
