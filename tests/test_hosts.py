# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host table and its rules, against sightings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.host_rules import HOME, Networks, Policy, opinion
from engine.hosts import ENTRIES, Hosts
from engine.hosts_events import HostEvent
from engine.hosts_watch import HostWatch
from engine.sightings import Sighting, believed
from flowtap.eventtext import EventText
from tests.test_events import check, keys

SECOND = 1_000_000_000
NOW = 1_767_323_045 * SECOND
RAW = "4:128+0:0:1460:mss*44,8:mss,nop,ws,nop,nop,sok:df,id+:0"

WINDOWS = Sighting(
    address="10.0.0.5", side="client", peer="203.0.113.9", outside=True, port=443, label="Windows 10 or 11",
    family="Windows", kind="client", raw=RAW, answered=1, spoke=1, first_ns=NOW, last_ns=NOW, distance=1, mtu=1500,
)  # fmt: skip
LINUX = replace(
    WINDOWS, label="Linux 4.x", family="Linux", kind="server", raw="4:64+1:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0"
)
FUZZY = replace(WINDOWS, fuzzy=True)
UNKNOWN = replace(WINDOWS, label="", family="", kind="", raw="4:64+9:0:1460:1234,0:mss::0", distance=9)

NEAR = replace(UNKNOWN, raw="4:127+1:0:1460:1234,0:mss::0", distance=1)


def server(system: Sighting, port: int = 80, **more: Any) -> Sighting:
    return replace(system, side="server", port=port, **more)


def mail(system: Sighting, **more: Any) -> Sighting:
    return replace(system, port=25, **more)


def watch(size: int = 100, **policy: Any) -> HostWatch:
    return HostWatch(Hosts(size, 3600), Policy(**{"home": Networks(HOME)} | policy))


def alerts(made: HostWatch, sightings: list[Sighting]) -> list[dict[str, Any]]:
    found = []
    for number, sighting in enumerate(sightings):
        later = replace(sighting, first_ns=sighting.first_ns + number * SECOND, last_ns=NOW + number * SECOND)
        for event in made.take(later):
            check(event, HostEvent)
            if event["event_type"] == "alert":
                found.append(event)
    return found


OUTSIDE = {"address": "203.0.113.5", "peer": "10.0.0.1", "outside": False}
NETWORKS = Networks(["10.0.0.0/24"])

CASES: dict[str, tuple[list[Sighting], dict[str, Any], list[tuple[str, str, int]]]] = {
    "serves": ([server(WINDOWS)] * 3, {}, [("host.client-serving", "inbound", 3)]),
    "serves, summed up": ([server(WINDOWS, count=3, answered=3)], {}, [("host.client-serving", "inbound", 3)]),
    "serves inside": ([server(WINDOWS, outside=False)] * 3, {}, [("host.client-serving", "internal", 3)]),
    "serves, elsewhere": ([server(WINDOWS, **OUTSIDE)] * 3, {}, [("host.client-serving", "outbound", 3)]),
    "too few": ([server(WINDOWS)] * 2, {}, []),
    "two are enough": ([server(WINDOWS)] * 2, {"handshakes": 2}, [("host.client-serving", "inbound", 2)]),
    "no data": ([server(WINDOWS, answered=0)] * 9, {}, []),
    "another port": ([server(WINDOWS, 5985)] * 9, {}, []),
    "a listed port": (
        [server(WINDOWS, 5985)] * 3, {"ports": frozenset({5985})}, [("host.client-serving", "inbound", 3)],
    ),
    "a server": ([server(LINUX)] * 9, {}, []),
    "unknown": ([server(UNKNOWN)] * 9, {}, []),
    "class by its SYNs": ([WINDOWS] * 3 + [server(NEAR)] * 3, {}, [("host.client-serving", "inbound", 3)]),
    "a stack that servers share": (
        [WINDOWS] * 3 + [server(replace(WINDOWS, kind="server"))] * 3, {}, [("host.client-serving", "inbound", 3)],
    ),
    "only answers, as servers do": ([server(replace(WINDOWS, kind="server"))] * 9, {}, []),
    "a router answers for it": ([WINDOWS] * 3 + [server(UNKNOWN)] * 9, {}, []),
    "told once a day": ([server(WINDOWS)] * 30, {}, [("host.client-serving", "inbound", 3)]),
    "each port": (
        [server(WINDOWS)] * 3 + [server(WINDOWS, 443)] * 3,
        {},
        [("host.client-serving", "inbound", 3), ("host.client-serving", "inbound", 6)],
    ),
    "one in ten disagrees": (
        [server(LINUX)] + [server(WINDOWS)] * 9, {}, [("host.client-serving", "inbound", 9)],
    ),
    "mixed servers": ([server(WINDOWS), server(LINUX)] * 9, {}, []),
    "allowed network": ([server(WINDOWS)] * 3, {"allow_networks": NETWORKS}, []),
    "allowed port": ([server(WINDOWS)] * 3, {"allow_ports": frozenset({80})}, []),
    "allowed system": ([server(WINDOWS)] * 3, {"allow_systems": ("Windows",)}, []),
    "another system is allowed": (
        [server(WINDOWS)] * 3, {"allow_systems": ("Linux",)}, [("host.client-serving", "inbound", 3)],
    ),
    "fuzzy": ([server(FUZZY)] * 9, {}, []),
    "fuzzy ones are no evidence": ([server(FUZZY)] * 6 + [server(WINDOWS)] * 2, {}, []),
    "nor do they speak against it": (
        [server(WINDOWS)] * 2 + [server(FUZZY)] * 6 + [server(WINDOWS)], {}, [("host.client-serving", "inbound", 3)],
    ),
    "mails, fuzzy": ([mail(FUZZY)] * 9, {}, []),
    "class by its fuzzy SYNs": ([FUZZY] * 9 + [server(NEAR)] * 9, {}, []),
    "client-class by setting": (
        [server(LINUX)] * 3, {"client_systems": ("Linux 4",)}, [("host.client-serving", "inbound", 3)],
    ),
    "another is client-class by setting": ([server(LINUX)] * 3, {"client_systems": ("Linux 5",)}, []),
    "mails": ([mail(WINDOWS)] * 3, {}, [("host.client-mailing", "outbound", 3)]),
    "mails to us": ([mail(WINDOWS, address="198.51.100.7", peer="10.0.0.1", outside=False)] * 3, {}, []),
    "mails to us, which counts": (
        [mail(WINDOWS, address="198.51.100.7", peer="10.0.0.1", outside=False)] * 3, {"mail_inbound": True},
        [("host.client-mailing", "inbound", 3)],
    ),
    "mails at home": ([mail(WINDOWS, peer="10.0.0.1", outside=False)] * 3, {"mail_inbound": True}, []),
    "others mail": ([mail(WINDOWS, address="198.51.100.7")] * 3, {}, [("host.client-mailing", "external", 3)]),
    "nobody answers": ([mail(WINDOWS, answered=0)] * 9, {}, []),
    "a mail server": ([mail(LINUX)] * 9, {}, []),
    "NAT": ([WINDOWS, LINUX] * 3 + [mail(WINDOWS)] * 3, {}, []),
    "SYN against SYN+ACK": ([WINDOWS] * 3 + [server(LINUX)] * 3, {}, [("host.contradiction", "inbound", 3)]),
    "SYN against fuzzy SYN+ACK": ([WINDOWS] * 3 + [server(replace(LINUX, fuzzy=True))] * 9, {}, []),
    "too few of one": ([WINDOWS] * 3 + [server(LINUX)] * 2, {}, []),
    "distances": (
        [replace(LINUX, distance=1), server(LINUX, distance=9)] * 2, {}, [("host.contradiction", "inbound", 3)],
    ),
    "routing": ([replace(LINUX, distance=1), server(LINUX, distance=3)] * 9, {}, []),
    "a new way now and then": (
        [replace(LINUX, distance=1)] + ([server(LINUX, distance=1)] * 20 + [server(LINUX, distance=9)]) * 9, {}, [],
    ),
    "fuzzy TTLs": ([replace(LINUX, distance=1), server(LINUX, distance=9, fuzzy=True)] * 9, {}, []),
    "random TTLs": ([replace(LINUX, distance=1), server(LINUX, distance=9, bad_ttl=True)] * 9, {}, []),
    "the same IP id": ([replace(LINUX, ip_id=54321)] * 4, {}, [("host.contradiction", "inbound", 3)]),
    "the same IP id by chance": (
        [replace(LINUX, ip_id=n + 1) for n in range(99) for _ in range(1 + (n % 20 == 0))], {}, [],
    ),
    "no IP id": ([replace(LINUX, ip_id=0)] * 9, {}, []),
    "a tool's IP id": ([replace(LINUX, kind="tool", ip_id=54321)] * 9, {}, []),
    # Linux 6.18 begins the timestamps of each connection anew: clocks that differ say nothing.
    "two clocks": ([replace(LINUX, ts=ts) for ts in (5_000_000, 90_000, 5_002_000, 92_000)], {}, []),
    "one clock": ([replace(LINUX, ts=5_000_000 + 1000 * n) for n in range(9)], {}, []),
    "a clock that wraps": ([replace(LINUX, ts=(4_294_966_000 + 1000 * n) % (1 << 32)) for n in range(9)], {}, []),
    "clocks of Windows": ([replace(WINDOWS, ts=ts) for ts in (5_000_000, 90_000) * 5], {}, []),
    "peers have clocks of their own": (
        [replace(LINUX, ts=ts, peer=peer) for ts, peer in ((5_000_000, "192.0.2.1"), (90_000, "192.0.2.2")) * 5],
        {}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sightings", "policy", "expected"), CASES.values(), ids=CASES)
def test_rules(sightings: list[Sighting], policy: dict[str, Any], expected: list[tuple[str, str, int]]) -> None:
    found = alerts(watch(**policy), sightings)
    told = [
        (e["flowtap"]["id"], e["flowtap"]["evidence"]["direction"], e["flowtap"]["evidence"]["agree"]) for e in found
    ]
    assert told == expected


def test_an_alert_states_its_evidence() -> None:
    (event,) = alerts(watch(), [server(LINUX), *[server(WINDOWS)] * 9])
    assert (event["src_ip"], event["dest_ip"], event["dest_port"]) == ("203.0.113.9", "10.0.0.5", 80)
    assert event["alert"]["metadata"]["mitre_technique_id"] == ["T1584.005"]
    assert event["flowtap"]["evidence"] == {"direction": "inbound", "agree": 9, "handshakes": 10}
    assert event["alert"]["signature"].endswith(
        "10.0.0.5, Windows 10 or 11, port 80, inbound; 9 of 10 identified handshakes agree"
    )
    assert EventText(one_line=True).event(event) == f"(host) {event['alert']['signature']}\n"


def test_an_alert_states_what_is_fuzzy() -> None:
    (event,) = alerts(watch(), [*[server(FUZZY)] * 2, *[server(WINDOWS)] * 3])
    assert event["flowtap"]["evidence"] == {"direction": "inbound", "agree": 3, "handshakes": 5, "fuzzy": 2}
    assert event["alert"]["signature"].endswith("; 3 of 5 identified handshakes agree, 2 more but for a point")
    assert event["flowtap"]["confidence"] == 88


def test_an_alert_comes_again_after_a_day() -> None:
    made = watch()
    assert len(alerts(made, [server(WINDOWS)] * 5)) == 1
    later = replace(server(WINDOWS), last_ns=NOW + 90_000 * SECOND)
    assert [event["event_type"] for event in made.take(later)] == ["alert"]


def test_a_host_event_tells_what_changes() -> None:
    made = watch()
    told = [[event["event_type"] for event in made.take(one)] for one in (
        WINDOWS, WINDOWS, replace(WINDOWS, port=22), server(WINDOWS, 9), server(WINDOWS, 9), LINUX,
        replace(LINUX, address="203.0.113.77"),
    )]  # fmt: skip
    assert told == [["host"], [], [], ["host"], [], ["host"], []]
    host = made.hosts.get("10.0.0.5")
    assert host is not None
    event = made.host_event(host)
    check(event, HostEvent)
    assert event["host"]["mixed"]
    assert (event["host"]["link"], event["host"]["distance"]) == ("Ethernet", 1)
    assert [(one["side"], one["label"], one["handshakes"]) for one in event["host"]["systems"]] == [
        ("client", "Windows 10 or 11", 3), ("client", "Linux 4.x", 1), ("server", "Windows 10 or 11", 2),
    ]  # fmt: skip
    assert [(one["side"], one["port"], one["handshakes"]) for one in event["host"]["roles"]] == [
        ("server", 9, 2), ("client", 22, 1), ("client", 443, 3),
    ]  # fmt: skip


def test_confidence_grows_with_agreement() -> None:
    made, told = watch(), []
    for sighting in (UNKNOWN, WINDOWS, WINDOWS, WINDOWS, LINUX):
        told.append(opinion(made.hosts.see(sighting), 3).confidence)
    assert told == [0, 33, 67, 100, 75]


def test_hops_do_not_make_another_system() -> None:
    made = watch()
    for hops in range(5):
        made.hosts.see(replace(UNKNOWN, raw=f"4:64+{hops}:0:1460:1234,0:mss::0"))
    host = made.hosts.get("10.0.0.5")
    assert host is not None
    assert len(host.entries) == 1


def test_the_table_is_bounded() -> None:
    hosts = Hosts(10, 3600)
    for number in range(1000):
        hosts.see(replace(WINDOWS, address=f"10.1.{number // 250}.{number % 250}"))
    assert (len(hosts), hosts.evicted) == (10, 990)
    assert next(iter(hosts)).address == "10.1.3.249"
    for port in range(1000):
        host = hosts.see(replace(WINDOWS, address="10.1.3.249", port=port))
    assert len(host.entries) == ENTRIES
    for number in range(5):
        for port in range(ENTRIES):
            hosts.see(replace(WINDOWS, address=f"10.2.0.{number}", port=port))
    assert sum(len(host.entries) for host in hosts) <= 8 * 10


def test_hosts_expire() -> None:
    hosts = Hosts(10, 60)
    hosts.see(WINDOWS)
    hosts.see(replace(WINDOWS, address="10.0.0.6", last_ns=NOW + 30 * SECOND))
    hosts.expire(NOW + 60 * SECOND)
    assert len(hosts) == 2
    hosts.expire(NOW + 61 * SECOND)
    assert [host.address for host in hosts] == ["10.0.0.6"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "10.0.0"}, {"address": "a\0b"}, {"address": 7}, {"peer": "x"}, {"side": "middle"},
        {"kind": "toaster"}, {"port": 65536}, {"port": True}, {"count": 0}, {"answered": -1}, {"label": "x" * 300},
        {"outside": 1}, {"first_ns": 1 << 63}, {"distance": -2}, {"more": 1},
    ],
)  # fmt: skip
def test_what_no_worker_sends_is_not_believed(wrong: dict[str, Any]) -> None:
    event = WINDOWS.event()
    assert believed(event) == WINDOWS
    event["sighting"] |= wrong
    assert believed(event) is None


@pytest.mark.parametrize("told", [None, [], "x", {}, {"address": "10.0.0.1"}])
def test_a_sighting_must_be_whole(told: object) -> None:
    assert believed(WINDOWS.event() | {"sighting": told}) is None


def test_the_handbook_explains_every_field() -> None:
    text = (Path(__file__).parent.parent / "docs" / "events.md").read_text()
    assert {key for key in keys(HostEvent) if f"`{key}`" not in text} == set()
