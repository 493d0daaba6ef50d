# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labels of recorded SSH sessions: from servers' logs and drivers to rows of a CSV; how recordings are planned."""

import csv
import json
import random
from pathlib import Path

import pytest

from lab import labels, sshbuild, sshconditions, sshmore, sshplan, sshreleases
from lab.labels import Row
from lab.sshextra import EXTRA, needs
from lab.sshplan import PARTS, SESSIONS, belongs, plans, sessions
from lab.sshrecord import label, only
from lab.sshservers import SERVERS, Facts, read_log
from lab.sshsessions import PROGRAMS
from lab.sshstage import Truth
from tests.conftest import Command

LABELLED = Path(__file__).parent / "captures" / "labelled"

OPENSSH = """\
Connection from 10.77.1.2 port 40000 on 10.77.2.2 port 22 rdomain ""
Failed none for student from 10.77.1.2 port 40000 ssh2
Failed publickey for student from 10.77.1.2 port 40000 ssh2: ED25519 SHA256:x
Failed password for student from 10.77.1.2 port 40000 ssh2
Failed keyboard-interactive/pam for student from 10.77.1.2 port 40000 ssh2
Postponed publickey for student from 10.77.1.2 port 40001 ssh2 [preauth]
Accepted password for student from 10.77.1.2 port 40000 ssh2
Connection from fd77:1::2 port 40002 on fd77:2::2 port 22 rdomain ""
Connection closed by fd77:1::2 port 40002 [preauth]
Failed password for invalid user a from 10.77.1.9 from fd77:1::2 port 40003 ssh2
"""
DROPBEAR = """\
[2] Nov 25 12:00:00 Child connection from 10.77.1.2:40000
[2] Nov 25 12:00:00 Bad password attempt for 'student' from 10.77.1.2:40000
[2] Nov 25 12:00:00 Bad password attempt for 'student' from 10.77.1.2:40000
[2] Nov 25 12:00:00 Password auth succeeded for 'student' from 10.77.1.2:40000
[2] Nov 25 12:00:00 Exit (student) from <10.77.1.2:40000>: Disconnect received
[3] Nov 25 12:00:00 Child connection from fd77:1::2:40001
[3] Nov 25 12:00:00 Pubkey auth succeeded for 'student' with ssh-ed25519 key SHA256:x from fd77:1::2:40001
"""


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("", []),
        (
            OPENSSH,
            [
                Facts("10.77.1.2", 40000, "password", 2, 1, connections=1),
                Facts("fd77:1::2", 40002, connections=1),
                Facts("fd77:1::2", 40003, failed=1),
            ],
        ),
        (
            DROPBEAR,
            [
                Facts("10.77.1.2", 40000, "password", 2, connections=1),
                Facts("fd77:1::2", 40001, "pubkey", connections=1),
            ],
        ),
        (DROPBEAR * 2, [Facts("10.77.1.2", 40000, "password", 4, 0, 2), Facts("fd77:1::2", 40001, "pubkey", 0, 0, 2)]),
    ],
)
def test_what_a_log_says(text: str, facts: list[Facts]) -> None:
    assert list(read_log(text).values()) == facts


HUMAN = Truth(password="human", session="interactive", typed="human.typing")


@pytest.mark.parametrize(
    ("facts", "truth", "wanted"),
    [
        (
            Facts("a", 1, "password", 2),
            HUMAN,
            "ssh.auth.success|ssh.auth.failure=2|human.password|ssh.session.interactive|human.typing",
        ),
        (Facts("a", 1, "", 3), HUMAN, "ssh.auth.failure=3|human.password"),
        (Facts("a", 1, "publickey"), HUMAN, "ssh.auth.success|ssh.session.interactive|human.typing"),
        (Facts("a", 1), HUMAN, "ssh.preauth.closed"),
        (Facts("a", 1), Truth(hostkey="refused"), "ssh.preauth.closed|ssh.hostkey.refused"),
        (Facts("a", 1), Truth(preauth="scan"), "ssh.preauth.closed|ssh.preauth.closed.scan"),
        (Facts("a", 1), Truth(refused_key=True), "ssh.pubkey.refused"),
        (
            Facts("a", 1, "keyboard-interactive/pam", 0, 1),
            Truth(password="automated", session="exec"),
            "ssh.auth.success|ssh.pubkey.refused|automated.password|ssh.session.exec",
        ),
    ],
)
def test_labels_of_a_flow(facts: Facts, truth: Truth, wanted: str) -> None:
    assert label(facts, truth) == wanted


def test_train_and_test_share_no_pair() -> None:
    for server in SERVERS.values():
        for program in PROGRAMS:
            assert sum(belongs(program, server, part) for part in PARTS) == 1 or program in sshplan.UNSEEN


@pytest.mark.parametrize("part", PARTS)
def test_plans_are_repeatable_and_cover_all_servers(part: str) -> None:
    made = list(plans(part, range(len(SERVERS))))
    assert made == list(plans(part, range(len(SERVERS))))
    assert {plan.server.name for plan in made} == set(SERVERS)
    for plan in made:
        played = sessions(plan, random.Random(1))
        assert len(played) == SESSIONS
        assert all(belongs(program, plan.server, part) for program, _, _ in played)


def test_more_programs_play_in_their_part_alone() -> None:
    for server in sshmore.SERVERS.values():
        for program in PROGRAMS | EXTRA:
            assert sum(sshmore.belongs(program, server, part) for part in PARTS) <= 1, (program, server.name)
    for part in PARTS:
        for name in sshmore.CLIENTS[part]:
            assert any(sshmore.belongs(name, server, part) for server in sshmore.SERVERS.values())


@pytest.mark.parametrize("part", PARTS)
def test_what_a_machine_lacks_is_left_out(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def programs() -> set[str]:
        made = sshmore.plans(part, range(30))
        return {name for plan in made for name, _, _ in sshmore.sessions(plan, random.Random(plan.seed))}

    monkeypatch.setattr(sshbuild, "OPTIONAL", dict.fromkeys(sshbuild.OPTIONAL, (lambda: True, "")))
    everything = programs()
    monkeypatch.setattr(sshbuild, "OPTIONAL", dict.fromkeys(sshbuild.OPTIONAL, (lambda: False, "x")))
    assert programs() & EXTRA.keys() == everything & {"forwards", "ssh-both"} != everything & EXTRA.keys()
    assert {needs(name) for name in EXTRA} - sshbuild.OPTIONAL.keys() == {"forwards", "ssh-both"}


def test_the_same_sessions_play_under_all_conditions() -> None:
    count = len(sshconditions.CONDITIONS)
    made = list(sshconditions.plans("same", range(2 * count)))
    assert len({plan.name for plan in made}) == len(made) == 2 * count
    for first in (0, count):
        group = made[first : first + count]
        assert len({(plan.rtt, plan.offload, plan.v6) for plan in group}) == count
        played = [sshconditions.sessions(plan, random.Random(plan.seed)) for plan in group]
        assert all(each == played[0] for each in played)
        assert all(sshmore.belongs(name, group[0].server, "train") for name, _, _ in played[0])


def test_labels_are_merged(tmp_path: Path) -> None:
    rows = [Row(f"{name}.pcap", "tcp", "fd77:1::2", 4000, "fd77:2::2", 22, "a|b=2") for name in "ba"]
    for row in rows:
        labels.write(tmp_path / f"{row.capture.removesuffix('.pcap')}.labels.csv", [row])
    assert labels.merge(tmp_path) == sorted(rows, key=lambda row: row.capture)
    assert (tmp_path / labels.LABELS).read_text() == (
        "capture,proto,client_ip,client_port,server_ip,server_port,labels\n"
        "a.pcap,tcp,fd77:1::2,4000,fd77:2::2,22,a|b=2\n"
        "b.pcap,tcp,fd77:1::2,4000,fd77:2::2,22,a|b=2\n"
    )


def test_a_session_that_is_played_again_has_a_name(tmp_path: Path) -> None:
    rows = [Row("a.pcap", "tcp", "10.0.0.1", 4000, "10.0.0.2", 22, "a", "001-02 deb12 ssh/1/shell")]
    labels.write(tmp_path / "a.labels.csv", rows)
    assert labels.merge(tmp_path) == rows
    assert (tmp_path / labels.LABELS).read_text().splitlines()[0].endswith(",labels,session")


def test_activities_are_a_column(tmp_path: Path) -> None:
    row = "a.gz,tcp,10.0.0.1,4000,10.0.0.2,443,x"
    (tmp_path / "labels.csv").write_text(",".join(labels.COLUMNS[:-1]) + f"\n{row}\nb.gz{row[4:]}\n")
    (tmp_path / "flows.csv").write_text("a.gz,10.0.0.1,4000,10.0.0.2,443,beacon\n")
    made = labels.activities(tmp_path)
    assert [line[-1] for line in made] == ["activity", "beacon", ""]
    assert made[1][:-1] == row.split(",")


def test_flows_without_labels_are_left_out_of_a_capture() -> None:
    four = bytes(14) + b"\x45" + bytes(19)
    six = bytes(14) + b"\x60" + bytes(39)
    head, packets = b"h" * 24, []
    for net, source, target in ((four, 4000, 22), (six, 22, 4000), (four, 4001, 22), (six, 22, 4001)):
        frame = net + source.to_bytes(2) + target.to_bytes(2) + bytes(16)
        packets.append(bytes(8) + len(frame).to_bytes(4, "little") + bytes(4) + frame)
    assert only(head + b"".join(packets), {4000}) == head + packets[0] + packets[1]


@pytest.mark.skipif(not LABELLED.is_dir(), reason=f"no captures in {LABELLED}")
@pytest.mark.parametrize(
    ("table", "success_found", "failure_found"),
    [
        ("ssh", 0.98, 0.95),
        ("more", 0.98, 0.95),
        ("new", 0.95, 0.9),
    ],  # docs/unseen.md says what is missed of new programs
)
def test_labelled_captures_hold_what_their_labels_say(
    table: str, success_found: float, failure_found: float, flowtap: Command
) -> None:
    with (LABELLED / f"{table}.csv").open() as lines:
        files = sorted({LABELLED / row["capture"] for row in csv.DictReader(lines)})
    document = json.loads(flowtap("eval", "--json", LABELLED / f"{table}.csv", *files).stdout)
    assert {name: document[name] for name in ("not_found", "reversed", "captures_without_labels", "errors")} == {
        "not_found": [],
        "reversed": 0,
        "captures_without_labels": [],
        "errors": [],
    }
    assert document["unlabelled"]["flows"] == 0
    assert document["flows"] > 200
    scores = {one["id"]: one for one in document["labels"]}
    success, failure = scores["ssh.auth.success"], scores["ssh.auth.failure"]
    assert success["precision"]["value"] >= 0.995 and success["recall"]["value"] >= success_found
    assert failure["precision"]["value"] >= 0.97 and failure["recall"]["value"] >= failure_found


def test_other_releases_play_in_one_part_each(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(__file__).parent
    monkeypatch.setattr(sshreleases, "RELEASES", dict.fromkeys(sshreleases.RELEASES, here))
    monkeypatch.setattr(sshbuild, "OPTIONAL", dict.fromkeys(sshbuild.OPTIONAL, (lambda: True, "")))
    played: dict[str, set[tuple[str, str]]] = {}
    for part, suffix in sshreleases.OTHER.items():
        made = list(sshreleases.plans(part, range(30)))
        assert made == list(sshreleases.plans(part, range(30))) and all(here in plan.roots for plan in made)
        pairs = [
            (name, plan.server.name)
            for plan in made
            for name, _, _ in sshreleases.sessions(plan, random.Random(plan.seed))
        ]
        assert all(name.endswith(suffix) or server.startswith(("deb11", "sid")) for name, server in pairs)
        played[part] = set(pairs)
    assert not played["train"] & played["test"]
    monkeypatch.setattr(sshreleases, "RELEASES", dict.fromkeys(sshreleases.RELEASES, here / "none"))
    assert list(sshreleases.plans("train", range(3))) == []
