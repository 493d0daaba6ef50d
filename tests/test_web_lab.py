# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's web: plans of sessions, lots of activities, labels of many folders in one file, who caused an alarm."""

import json
from pathlib import Path

import pytest

from lab import gather, webalarms, webmore, webplan, webserve
from lab.web import lot


@pytest.mark.parametrize("name", webplan.APPLICATIONS)
def test_sessions_are_drawn_from_the_seed_and_can_be_played(name: str) -> None:
    sessions = list(webplan.plan(name, 7, 30, 10))
    assert sessions == list(webplan.plan(name, 7, 30, 10))
    assert sessions != list(webplan.plan(name, 8, 30, 10))
    for session in sessions:
        assert 0 <= session["at"] <= 10
        assert session["steps"]
        assert sum(max(0, step[0]) for step in session["steps"]) < 60
        for pause, method, path, headers, size in session["steps"]:
            assert pause >= -1
            assert method.isupper()
            assert path.startswith("/b/") and "?" in path and " " not in path
            assert all("\n" not in text for pair in headers.items() for text in pair)
            assert 0 <= size < 2_000_000


def test_a_repeated_poll_is_one_exchange_with_pauses() -> None:
    for session in webplan.plan("poll", 3, 20, 10):
        assert len({tuple(map(str, step[1:])) for step in session["steps"]}) == 1
        assert all(step[0] > 1 for step in session["steps"])


def test_lots_name_what_is_there() -> None:
    activities = list(lot(5, 120))
    assert [one.name for one in activities] == [one.name for one in lot(5, 120)]
    for one in activities:
        _, _, server, flavour = one.name.split("/")
        assert flavour in (*webserve.FLAVOURS[server], "plain")
        assert (flavour == "plain") == (one.port in (80, 8080, 8000))
        assert flavour != "plain" or server in webserve.PLAIN


def test_every_role_comes_before_one_comes_again() -> None:
    ways = sum(bool(kind.tls) + bool(kind.plain) for kind in webmore.KINDS.values())
    names = [(one.name.split("/")[0], one.name.endswith("/plain")) for one in webmore.activities(3, ways)]
    assert len(set(names)) == ways


def test_labels_of_many_folders(tmp_path: Path) -> None:
    head = "capture,proto,client_ip,client_port,server_ip,server_port,labels\n"
    for name, row in (("a", "x.pcap,tcp,1.1.1.1,1,2.2.2.2,443,web\n"), ("b", "gone.pcap,tcp,1.1.1.1,1,2.2.2.2,443,\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.pcap").touch()
        (tmp_path / name / "labels.csv").write_text(head + row)
    rows = [row for name in ("a", "b") for row in gather.rows(tmp_path / name)]
    assert [(row["capture"], row["labels"]) for row in rows] == [(str(tmp_path / "a" / "x.pcap"), "web")]


def test_alarms_are_told_by_what_was_played(tmp_path: Path) -> None:
    (tmp_path / "flows.csv").write_text("x.pcap,1.1.1.1,5,2::2,443,poll/go/nginx/new\n")
    flow = {"capture": "some/x.pcap", "flow": "(tcp) 1.1.1.1:5 -> [2::2]:443", "labels": {}, "shape": "tcp 443 = c1"}
    document = {
        "wrong": [
            {**flow, "false": ["tls.tunnel.tls", "tls.tunnel.tls.joined"], "found": {"tls.tunnel.tls.joined": 1}}
        ],
        "alarms": [{"id": "a", "flows": 10_000, "wrong": 1}, {"id": "b", "flows": 30_000, "wrong": 0}],
    }
    document = json.loads(json.dumps(document))
    told = list(webalarms.wrong(document, webalarms.known([tmp_path])))
    assert [one[:2] for one in told] == [("tls.tunnel.tls.joined", "poll/go/nginx/new")]
    assert list(webalarms.table([document, document]))[2:] == [
        "| `a` | 20,000 | 2 | 1.00 | 3.61 |",
        "| `b` | 60,000 | 0 | 0 | 0.61 |",
    ]
