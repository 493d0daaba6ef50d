# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings of new SSH programs: how they are dealt to two parts, and how logs of other forms are translated."""

import random

import pytest

from lab import dataset, debian, sshbuild, sshinetd, sshmore, sshnew, sshnewclients, sshnewservers, sshtranslate
from lab.sshextra import ALL
from lab.sshservers import Facts, read_log

EVERYTHING = {**sshmore.SERVERS, **sshnewservers.SERVERS}


@pytest.fixture(autouse=True)
def all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshbuild, "OPTIONAL", dict.fromkeys(sshbuild.OPTIONAL, (lambda: True, "")))
    monkeypatch.setattr(sshnew, "there", lambda name, table: True)


def test_the_parts_share_no_new_program_and_no_new_server() -> None:
    played: dict[str, list[set[str]]] = {}
    for part in sshnew.PARTS:
        made = list(sshnew.plans(part, range(60)))
        assert made == list(sshnew.plans(part, range(60)))
        programs: set[str] = set()
        for plan in made:
            chosen = sshnew.sessions(plan, random.Random(plan.seed))
            assert chosen and all(sshnew.plays(each, plan.server) for each in chosen)
            assert plan.server.name in sshnewservers.SERVERS or all(name in sshnew.PROGRAMS for name, _, _ in chosen)
            programs |= {name for name, _, _ in chosen}
        played[part] = [programs & sshnew.PROGRAMS.keys(), {plan.server.name for plan in made} & SERVERS]
    a, b = played["a"], played["b"]
    assert not a[0] & b[0] and not a[1] & b[1]
    assert a[1] | b[1] == SERVERS
    assert a[0] | b[0] == sshnew.PROGRAMS.keys()


SERVERS = set(sshnewservers.SERVERS)


def test_each_new_name_has_its_part_and_is_new() -> None:
    assert sshnew.PART["servers"].keys() >= SERVERS and sshnew.PROGRAMS.keys() <= sshnew.PART["clients"].keys()
    assert not SERVERS & sshmore.SERVERS.keys() and not sshnew.PROGRAMS.keys() & ALL.keys()
    for group in sshnew.PART.values():
        parts = list(group.values())
        assert abs(parts.count("a") - parts.count("b")) <= 3
    assert dataset.KINDS["ssh-new"] == sshnew.__name__
    assert sshnew.PROGRAMS.keys() >= sshnewclients.PEOPLE


def test_what_the_system_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lacked = {"node", "paramiko5", "ansible", "ssh7"}
    monkeypatch.setattr(sshnew, "there", lambda name, table: name not in lacked)
    made = list(sshnew.plans("b", range(40)))
    assert not {plan.server.name for plan in made} & lacked
    assert not {name for plan in made for name, _, _ in sshnew.sessions(plan, random.Random(1))} & lacked


@pytest.mark.parametrize(
    ("session", "server", "can"),
    [
        (("ssh", "0", "shell"), "proftpd", False),
        (("ssh", "all", "shell"), "proftpd", True),
        (("sftp", "0", "transfer"), "proftpd", True),
        (("rclone", "0", "up"), "twisted25", False),
        (("ssh", "2", "shell"), "sshesame", False),
        (("ssh", "key", "shell"), "cowrie", False),
        (("ssh", "0", "shell"), "tinyssh", False),
        (("ssh", "key", "shell"), "tinyssh", True),
        (("mosh", "0", "exec"), "erlang", False),
        (("hydra", "0", "none"), "proftpd", True),
    ],
)
def test_what_a_server_can_do(session: tuple[str, str, str], server: str, can: bool) -> None:
    assert sshnew.plays(session, EVERYTHING[server]) is can


@pytest.mark.parametrize(
    ("kind", "lines", "facts"),
    [
        (
            "cowrie",
            [
                '{"eventid":"cowrie.session.connect","session":"a","src_ip":"::ffff:10.0.0.1","src_port":4000}',
                '{"eventid":"cowrie.session.connect","session":"b","src_ip":"fd00::1","src_port":4001}',
                '{"eventid":"cowrie.login.failed","session":"a","src_ip":"::ffff:10.0.0.1","password":"x"}',
                '{"eventid":"cowrie.login.failed","session":"b","src_ip":"fd00::1","fingerprint":"y"}',
                '{"eventid":"cowrie.login.success","session":"a","src_ip":"::ffff:10.0.0.1","password":"z"}',
                "not JSON",
            ],
            [
                Facts("10.0.0.1", 4000, "password", 1, connections=1),
                Facts("fd00::1", 4001, refused=1, connections=1),
            ],
        ),
        (
            "endlessh",
            ["2026-01-01T00:00:00.000Z ACCEPT host=::ffff:10.0.0.1 port=4000 fd=4 n=1/4096", "... CLOSE port=4000"],
            [Facts("10.0.0.1", 4000, connections=1)],
        ),
        (
            "sshesame",
            [
                '{"source":"10.0.0.1:4000","event_type":"password_auth","event":{"user":"a","accepted":true}}',
                '{"source":"[fd00::1]:4001","event_type":"public_key_auth","event":{"accepted":false}}',
                '{"source":"10.0.0.1:4000","event_type":"exec","event":{"command":"id"}}',
                '{"event_type":"nothing"}',
            ],
            [Facts("10.0.0.1", 4000, "password"), Facts("fd00::1", 4001, refused=1)],
        ),
    ],
)
def test_logs_of_honeypots(kind: str, lines: list[str], facts: list[Facts], capsys: pytest.CaptureFixture[str]) -> None:
    ports: dict[str, int] = {}
    for line in lines:
        getattr(sshtranslate, kind)(line, ports)
    assert list(read_log(capsys.readouterr().out).values()) == facts


PROFTPD = "2026-01-01 00:00:00 vm proftpd[5] 127.0.0.1 (10.0.0.1[10.0.0.1]): USER student (Login failed): "


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("mod_sftp/1.1.1[7]: user 'student' authenticated via 'password' method", Facts("10.0.0.1", 4000, "password")),
        (PROFTPD + "Incorrect password", Facts("10.0.0.1", 4000, failed=1)),
        (PROFTPD + "authentication via 'ssh-ed25519' public key failed", Facts("10.0.0.1", 4000, refused=1)),
        ("tinysshd: x: info: auth: a: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 accepted {packet_auth.c:170}",
         Facts("10.0.0.1", 4000, "publickey")),
        ("tinysshd: x: debug: auth: a: ssh-ed25519 rejected {packet_auth.c:156}", Facts("10.0.0.1", 4000, refused=1)),
        ("tinysshd: x: debug: auth: a: unknown rejected {packet_auth.c:156}", None),
    ],
)  # fmt: skip
def test_logs_of_one_process_a_connection(line: str, facts: Facts | None, capsys: pytest.CaptureFixture[str]) -> None:
    sshinetd.unknown.clear()
    sshinetd.told(line, "10.0.0.1 port 4000")
    assert list(read_log(capsys.readouterr().out).values()) == ([facts] if facts else [])


def test_the_system_has_a_place_of_its_own() -> None:
    assert debian.NEW.parent == debian.TRIXIE.parent != debian.NEW
