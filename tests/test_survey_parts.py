# SPDX-License-Identifier: LGPL-2.1-or-later
"""A survey's lists, pace, journal and report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowtap.survey import judged
from flowtap.survey_contact import Pace
from flowtap.survey_journal import Journal, JournalError
from flowtap.survey_list import HostListError, Target, read_targets
from flowtap.survey_report import report, roc, score, text, verdict


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("192.0.2.1\n\n# comment\nexample.org # why\n", [Target("192.0.2.1"), Target("example.org")]),
        ("2001:DB8:0::1\n2001:db8::1\n", [Target("2001:db8::1")]),
        ("\ufeffEXAMPLE.org.\r\n", [Target("example.org")]),
        ("host,label\n192.0.2.1,clean\n192.0.2.2, malicious\n192.0.2.3,\n", [("clean"), ("malicious"), None]),
        ('label,note,host\nclean,"a, b",192.0.2.1\n', ["clean"]),
        ("", []),
    ],
)
def test_lists(content: str, expected: list[Target | str | None], tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(content)
    found = read_targets([str(path)])
    assert found == expected or [target.label for target in found] == expected


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("192.0.2.300\n", ":1: '192.0.2.300'; expected an IPv4 or IPv6 address or a host name"),
        ("10.0.0.0/8\n", ":1: '10.0.0.0/8'; expected an IPv4 or IPv6 address or a host name"),
        ("224.0.0.1\n", ":1: 224.0.0.1 is no address of one host; expected one"),
        ("255.255.255.255\n", ":1: 255.255.255.255 is no address of one host; expected one"),
        ("host,label\n192.0.2.1,bad\n", ":2: label 'bad'; expected clean or malicious, or nothing"),
        ("address,label\n192.0.2.1,clean\n", ":1: columns address, label; expected one that is called host"),
        ("host,label\n192.0.2.1\n", ":2: 1 cells; expected 2 as in line 1"),
        ("host,label\n192.0.2.1,clean\n192.0.2.1,malicious\n", ":3: 192.0.2.1 is malicious here and clean in "),
    ],
)
def test_wrong_lists(content: str, mistake: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text(content)
    with pytest.raises(HostListError) as caught:
        read_targets([str(path)])
    assert f"{path}{mistake}" in str(caught.value)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "list").write_text("a b\n_\n")
    with pytest.raises(HostListError) as caught:
        read_targets([str(tmp_path / name) for name in ("absent", "bytes", "list")])
    assert len(str(caught.value).splitlines()) == 4


def test_pace_never_catches_up() -> None:
    now = [0.0]
    pace = Pace(10, lambda: now[0])
    assert [round(pace.wait(), 6) for _ in range(3)] == [0, 0.1, 0.2]
    now[0] = 5.0  # a long delay: no burst follows
    assert [round(pace.wait(), 6) for _ in range(3)] == [0, 0.1, 0.2]


def result(host: str, **more: object) -> dict[str, object]:
    return {"host": host, "outcome": "open", **more}


def test_journal_goes_on_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(str(path), {"port": 80}, resume=False)
    journal.add(result("a"))
    with pytest.raises(JournalError, match="another survey is writing"):
        Journal(str(path), {"port": 80}, resume=True)
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"host":"b","outc')
    again = Journal(str(path), {"port": 80}, resume=True)
    assert [found["host"] for found in again.results] == ["a"]
    again.add(result("b"))
    again.close()
    assert [json.loads(line).get("host") for line in path.read_text().splitlines()] == [None, "a", "b"]


@pytest.mark.parametrize(
    ("content", "resume", "mistake"),
    [
        ('{"survey":1,"port":80}\n', False, "exists; --resume goes on with it"),
        ('{"survey":1,"port":25}\n', True, ":1: a survey of port 25; expected port 80"),
        ('{"other":1}\n', True, ":1: no survey's journal"),
        ("text\n", True, ":1: no JSON"),
        ('{"survey":1,"port":80}\n[]\n', True, ":2: no result"),
    ],
)
def test_wrong_journals(content: str, resume: bool, mistake: str, tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text(content)
    with pytest.raises(JournalError) as caught:
        Journal(str(path), {"port": 80}, resume=resume)
    assert mistake in str(caught.value)
    assert path.read_text() == content


def test_full_disk_is_an_error() -> None:
    with pytest.raises(JournalError, match="/dev/full: No space left on device"):
        Journal("/dev/full", {"port": 80}, resume=False)


CLIENT = {"raw": "r", "class": "client", "system": "a"}
SERVER = {"raw": "r", "class": "server", "system": "b"}
UNKNOWN = {"raw": "r", "class": None, "system": None}
RESULTS = [
    *[result(f"c{i}", label="clean", **SERVER) for i in range(8)],
    result("c8", label="clean", **CLIENT),
    result("c9", label="clean", **UNKNOWN),
    *[result(f"m{i}", label="malicious", **CLIENT) for i in range(3)],
    result("m3", label="malicious", **SERVER),
    {"host": "m4", "outcome": "silent", "label": "malicious"},
    result("n", **CLIENT),
]


def test_report() -> None:
    told = report(RESULTS, lambda k, n: (0.0, 1.0))
    assert told.matrix == {
        "clean": {"client": 1, "other": 8, "unknown": 1, "no answer": 0},
        "malicious": {"client": 3, "other": 1, "unknown": 0, "no answer": 1},
    }
    shares = {name: (share.count, share.of) for name, share in told.shares.items()}
    assert shares == {
        "false_positives_of_all": (1, 15),
        "false_negatives_of_all": (1, 15),
        "false_positive_rate": (1, 9),
        "false_negative_rate": (1, 4),
        "not_judged": (2, 15),
    }
    assert told.outcomes == {"open": 15, "silent": 1}
    assert told.auc == pytest.approx((3 * (8 + 1 + 0.5) + 0.5 * 8) / 40)
    assert "false positives of all: 1 of 15 = 6.67 %" in text(told)


def test_report_without_labels() -> None:
    told = report([result("a", **CLIENT), {"host": "b", "outcome": "refused"}], lambda k, n: (0.0, 1.0))
    assert (told.matrix, told.roc, told.auc) == ({}, [], None)
    assert "in_2009" not in told.as_dict()


@pytest.mark.parametrize(
    ("found", "expected", "value"),
    [
        ({}, "no answer", 0.5),
        (UNKNOWN, "unknown", 0.5),
        (CLIENT, "client", 1),
        ({**CLIENT, "fuzzy": True, "generic": True}, "client", 0.7),
        ({**SERVER, "fuzzy": True}, "other", 0.2),
    ],
)
def test_verdicts(found: dict[str, object], expected: str, value: float) -> None:
    assert verdict(found) == expected
    assert score(found) == pytest.approx(value)


def test_roc_needs_both_kinds() -> None:
    assert roc([(1, True)]) == []
    assert roc([(1, True), (0, False)]) == [(2, 0, 0), (1, 0, 1), (0, 1, 1)]


def test_what_is_client_class_by_name() -> None:
    results = [
        {"system": "Windows 10", "class": "server"},
        {"system": "Linux", "class": "server"},
        {"system": None},
        {},
    ]
    assert [one.get("class") for one in judged(results, ("Windows",))] == ["client", "server", None, None]
    assert judged(results, ()) == results


def test_a_list_without_end() -> None:
    with pytest.raises(HostListError, match="/dev/zero: too large; expected at most"):
        read_targets(["/dev/zero"])
