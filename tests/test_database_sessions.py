# SPDX-License-Identifier: LGPL-2.1-or-later
"""The signatures of SSH sessions: on labelled recordings, and on sessions made of messages in several ciphers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.conversation import Tcp, pcap
from tests.ssh_actions import sessions

LABELLED = Path(__file__).parent / "captures" / "labelled"
SIGNATURES = Path(__file__).parents[1] / "sigdb" / "signatures"
OURS = ("ssh.session.", "human.typing", "human.lines", "automated.typing")


def _padded(size: int, block: int) -> int:
    return -(-size // block) * block


# A message's size on the wire: the length field is 4 bytes, the padding at least 4, its length one (RFC 4253, 6).
CIPHERS = {
    "chacha20-poly1305": lambda payload: 4 + _padded(5 + payload, 8) + 16,
    "aes-gcm": lambda payload: 4 + _padded(5 + payload, 16) + 16,
    "aes-ctr, hmac-sha2-256-etm": lambda payload: 4 + _padded(5 + payload, 16) + 32,
    "aes-ctr, hmac-sha2-256": lambda payload: _padded(9 + payload, 16) + 32,
}
MAC_AFTER = "aes-ctr, hmac-sha2-256"
# Payloads by RFC 4254; `data-N` is CHANNEL_DATA with N bytes, `exec-N` a command of N bytes.
MESSAGES = {
    "success": 1, "accept": 17, "none": 45, "refused": 28, "password": 66,
    "open": 24, "no-more": 34, "confirmed": 17, "ok": 5, "adjust": 9, "eof": 5, "close": 5, "bye": 33, "exit": 25,
    "pty": 307, "bare-pty": 47, "shell": 15, "sftp": 27, "alive": 27, "failed": 1, "direct": 63, "listen": 36,
    "called": 66, "keys": 456, "ignore": 5, "debug": 126, "unreachable": 34,
}  # fmt: skip


def payload(message: str) -> int:
    """Return the size of a message's payload."""
    name, _, number = message.partition("-")
    if name == "data" and number:
        return 9 + int(number)
    if name == "exec" and number:
        return 18 + int(number)
    return MESSAGES[message]


LOGIN = "c:accept s:accept c:none s:refused c:password s:success "


def session(text: str, cipher: str, port: int, ignore: bool = False, login: str = LOGIN, pieces: bool = False) -> Tcp:
    """Return a connection: key exchange, a login (by a password), then the text's packets.

    `+SECONDS` is a pause, `c:` and `s:` begin a packet with the messages that are joined in it, `*N` repeats what is in
    parentheses. With `ignore` each message of the server after its acceptance is a packet that follows one with IGNORE,
    and its windows are large from the start. With `pieces` the server writes length or MAC
    of each in a packet of its own.
    """
    size = CIPHERS[cipher]
    talk = Tcp(cport=port).open()
    talk.send(0.01, "c41", "s41", "c1208", "s1112", "c48", "s564", "c16")
    at = 0.1
    words: list[str] = []
    for part in (login + text).replace("(", " ( ").replace(")", " ) ").split():
        words.append(part)
    while "(" in words:
        start = max(place for place, word in enumerate(words) if word == "(")
        end = words.index(")", start)
        words[start : end + 2] = words[start + 1 : end] * int(words[end + 1].removeprefix("*"))
    for word in words:
        if word.startswith("+"):
            at += float(word)
            continue
        side, _, messages = word.partition(":")
        packets = [messages]
        if ignore and side == "s" and messages != "accept":
            packets = [
                packet for message in messages.removeprefix("adjust+").split("+") for packet in ("ignore", message)
            ]
        for packet in packets:
            sizes = [size(payload(message)) for message in packet.split("+")]
            first = [n - 32 if cipher == MAC_AFTER else 4 for n in sizes]
            cut = [n for pair in zip(first, sizes, strict=True) for n in (pair[0], pair[1] - pair[0])]
            for n in cut if pieces and side == "s" else [sum(sizes)]:
                talk.send(at, f"{side}{n}")
            at += 0.002
    return talk.close(at + 0.01)


OPENED = "c:open+no-more s:keys s:confirmed "
SHELL = OPENED + "c:pty+shell s:ok+adjust+ok s:data-400 s:data-20 "
KEY = "c:data-1 s:data-1 "
COMMAND = OPENED + "c:exec-20 s:adjust+ok "
CASES = {
    "a person types": (SHELL + f"+1.5 {KEY} (+0.13 {KEY})*7 c:data-1 s:data-300", "human.typing interactive"),
    "a person types over a long link": (SHELL + "+2 (c:data-1 s:data-1)*8", "human.typing interactive"),
    "a person types, the shell repaints": (SHELL + "+2 (c:data-1 s:data-24 +0.2)*6", "human.typing interactive"),
    "a person in chaff": (SHELL + "+1 (c:data-1 s:data-1 +0.018)*60 s:data-200", "human.typing interactive"),
    "an idle person": (SHELL + "+20 c:data-1 s:data-8 s:close", "interactive"),
    "keep-alives": (SHELL + "(+15 c:alive s:failed)*8", "interactive"),
    "expect": (SHELL + "(c:data-30 s:data-32 s:data-300 s:data-20)*3 c:data-5", "automated.typing interactive"),
    "expect in chaff": (
        SHELL + "(c:data-30 s:data-32 s:data-300 (+0.018 c:data-1 s:data-1)*3)*3",
        "automated.typing interactive",
    ),
    "a script that sleeps": (SHELL + "(+2 c:data-30 s:data-32 s:data-300)*4", "automated.typing interactive"),
    "a library's terminal": (
        "c:open s:keys s:confirmed c:bare-pty s:ok c:shell s:adjust+ok s:data-400 (+0.3 c:data-30 s:data-200)*3",
        "automated.typing interactive",
    ),
    "a person at a library's terminal": (
        f"c:open s:keys s:confirmed c:bare-pty s:ok c:shell s:adjust+ok s:data-400 +2 {KEY} (+0.13 {KEY})*7",
        "human.typing interactive",
    ),
    "a person scrolls": (SHELL + "+3 (c:data-3 s:data-60 +0.2)*2 c:data-1 s:data-90", "interactive"),
    "lines of a person": (COMMAND + "(+2.2 c:data-9 s:data-120)*3 +2 c:data-5 s:close", "human.lines exec"),
    "a command": (COMMAND + "s:data-400 s:exit+eof+close c:close c:bye", "exec"),
    "a long command": (OPENED + "c:exec-300 s:adjust+ok s:data-400 s:exit+eof+close c:close c:bye", "exec"),
    "a script from a pipe": (COMMAND + "c:data-60 c:eof s:data-400 s:exit+close c:close c:bye", "exec"),
    "sftp": (
        OPENED + "c:sftp s:adjust+ok c:data-9 s:data-270 c:data-22 s:data-50 (c:data-34 s:data-60)*3 c:close",
        "transfer",
    ),
    "scp's own protocol, up": (
        OPENED + "c:exec-20 s:adjust+ok s:data-1 c:data-22 s:data-1 c:data-1200 c:data-1200 s:data-1 c:eof",
        "transfer",
    ),
    "scp's own protocol, down": (
        OPENED + "c:exec-20 s:adjust+ok c:data-1 s:data-22 c:data-1 s:data-1200 s:data-1200 c:data-1 c:eof",
        "transfer",
    ),
    "a forwarded port": ("c:no-more s:keys +2 c:direct s:confirmed c:data-90 s:data-900", "forward"),
    "an idle forward": ("c:no-more s:keys (+5 c:alive s:failed)*3", "forward"),
    "a jump": (
        "c:no-more+direct s:keys s:debug+confirmed c:data-41 s:data-41 c:data-1300 s:data-1100 c:data-40 s:data-500",
        "forward",
    ),
    "a port at the server that nobody serves": (
        "c:no-more s:keys c:listen s:ok s:called c:unreachable +2 s:called c:unreachable",
        "forward",
    ),
    "sftp, its first message at once": (
        OPENED + "c:sftp c:data-9 s:adjust s:ok s:data-100 c:data-20 s:data-40 c:data-30 s:data-60",
        "transfer",
    ),
    "lines before the prompt": (
        OPENED + "c:pty+shell s:ok c:data-15 s:adjust s:data-15 s:ok (c:data-15 s:adjust s:data-24 s:ok)*2",
        "automated.typing interactive",
    ),
    "a port at the server": ("c:listen c:no-more s:keys s:failed +3 s:called c:confirmed s:data-90", "forward"),
}
# A server that sends IGNORE before each answer, as AsyncSSH does from the first answer to a credential on.
IGNORED = (
    "a person types", "an idle person", "expect", "a script that sleeps", "a library's terminal", "lines of a person",
    "a command", "sftp", "scp's own protocol, up", "a forwarded port", "an idle forward",
)  # fmt: skip
# A client that wants no replies, as Twisted's does, in a cipher of its own.
CONCH = "c:open+no-more s:failed s:confirmed "
SILENT = {
    "a person types": (
        CONCH + f"c:bare-pty+shell s:adjust s:data-40 +2 {KEY} (+0.13 {KEY})*7",
        "human.typing interactive",
    ),
    "a command": (CONCH + "c:exec-20 s:adjust s:data-400 s:exit+eof+close c:close", "exec"),
}


def wanted(words: str) -> list[str]:
    """Return the ids that are meant."""
    return sorted(f"{word}.ssh" if "." in word else f"ssh.session.{word}" for word in words.split())


def told(
    cases: dict[str, tuple[str, str]],
    cipher: str,
    ignore: bool,
    flowtap: Command,
    folder: Path,
    login: str = LOGIN,
    pieces: bool = False,
) -> dict[str, list[str]]:
    """Return the ids that are found in each of the sessions."""
    made = [
        session(text, cipher, 40_000 + number, ignore, login, pieces) for number, (text, _) in enumerate(cases.values())
    ]
    (folder / "sessions.pcap").write_bytes(pcap(*made))
    found: dict[int, list[str]] = {40_000 + number: [] for number in range(len(cases))}
    for line in flowtap("read", "--json", folder / "sessions.pcap").stdout.splitlines():
        event = json.loads(line)
        if event["event_type"] == "alert" and event["flowtap"]["id"].startswith(OURS):
            name = event["flowtap"]["id"].replace(".ssh.terminal", ".ssh")
            found[event["src_port"]].append(name.removesuffix(".late"))
    return {name: sorted(set(ids)) for name, ids in zip(cases, found.values(), strict=True)}


@pytest.mark.parametrize("cipher", CIPHERS)
def test_sessions_of_messages(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    assert told(CASES, cipher, False, flowtap, tmp_path) == {name: wanted(words) for name, (_, words) in CASES.items()}


@pytest.mark.parametrize("cipher", CIPHERS)
def test_ignore_before_each_answer(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    cases = {name: CASES[name] for name in IGNORED}
    assert told(cases, cipher, True, flowtap, tmp_path) == {name: wanted(words) for name, (_, words) in cases.items()}


def test_requests_without_replies(flowtap: Command, tmp_path: Path) -> None:
    ids = told(SILENT, "aes-ctr, hmac-sha2-256", False, flowtap, tmp_path)
    assert ids == {name: wanted(words) for name, (_, words) in SILENT.items()}


# Logins after which the acceptance's size is not known: joined with the refusal of `none`, with a banner or without.
LOGINS = (
    "c:accept+none s:accept+refused c:password s:success ",
    "c:accept+none s:accept+refused c:password s:debug s:success ",
)
PLAIN = "c:open s:confirmed "
LATE = {
    "a person types": (
        PLAIN + f"c:pty+shell s:ok s:ok s:data-400 s:data-20 +1.5 {KEY} (+0.13 {KEY})*7",
        "human.typing interactive",
    ),
    "a command": (PLAIN + "c:exec-20 s:ok s:data-400 s:exit+eof+close c:close", "exec"),
    "sftp": (PLAIN + "c:sftp s:ok c:shell s:data-90 c:data-21 s:data-40 c:data-40 s:data-60", "transfer"),
}
# Commands that are fed, or given a terminal over a connection that is kept.
FED = {
    "input and its end at once": (
        OPENED + "c:exec-20 c:data-90 c:eof s:ok s:data-40 s:exit+eof+close c:close+bye",
        "exec",
    ),
    "a terminal for a command": (
        "c:open s:confirmed c:pty+exec-200 s:ok s:ok s:data-90 s:data-60 s:eof s:close c:close +1.5 c:bye",
        "exec",
    ),
    "a terminal for a person": (
        "c:open s:confirmed c:pty+shell s:ok s:ok s:data-90 s:data-60 +9 c:data-1 s:data-6 s:close c:close c:bye",
        "interactive",
    ),
    "a dialogue": (PLAIN + "c:exec-250 s:ok (c:data-90 s:data-60)*12 c:eof s:exit+close c:close", "transfer"),
}


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("login", LOGINS)
def test_acceptance_of_unknown_size(login: str, cipher: str, flowtap: Command, tmp_path: Path) -> None:
    ids = told(LATE, cipher, False, flowtap, tmp_path, login)
    assert ids == {name: wanted(words) for name, (_, words) in LATE.items()}


@pytest.mark.parametrize("cipher", CIPHERS)
def test_commands_that_are_fed_or_have_a_terminal(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    ids = told(FED, cipher, False, flowtap, tmp_path)
    assert ids == {name: wanted(words) for name, (_, words) in FED.items()}


PIECES = {
    "a person types": (
        PLAIN + f"c:pty s:ok c:shell s:ok s:data-20 +1.5 {KEY} (+0.13 {KEY})*7",
        "human.typing interactive",
    ),
    "a library's terminal": (
        PLAIN + "c:pty s:ok c:shell s:ok s:data-20 (+1 c:data-30 s:data-90)*2 c:close s:close",
        "interactive",
    ),
    "a command": (PLAIN + "c:exec-20 s:ok s:data-400 s:exit s:eof s:close c:close c:bye", "exec"),
    "two commands": (
        PLAIN
        + f"c:exec-20 s:ok s:data-400 s:exit s:close c:close {PLAIN} c:exec-9 s:ok s:data-40 s:exit s:close c:close",
        "exec",
    ),
    "sftp": (PLAIN + "c:sftp s:ok c:shell s:data-30 c:data-21 s:data-40 c:data-40 s:data-60", "transfer"),
    "nothing": ("c:bye", ""),
}


@pytest.mark.parametrize("cipher", CIPHERS)
def test_messages_in_two_packets(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    login = LOGIN.replace("c:none s:refused ", "")
    ids = told(PIECES, cipher, False, flowtap, tmp_path, login, pieces=True)
    assert ids == {name: wanted(words) for name, (_, words) in PIECES.items()}


# A banner joined with the success, at OpenSSH's server.
BANNER = "c:accept s:accept c:password s:debug+success "
JOINED = {
    "a library's terminal": (
        "c:open s:keys s:confirmed c:bare-pty s:ok c:shell s:adjust+ok s:data-90 +1 c:data-30 s:data-90",
        "interactive",
    ),
    "a command": ("c:open s:keys s:confirmed c:exec-20 s:ok+adjust s:data-90 s:exit+eof+close c:close c:bye", "exec"),
    "sftp": (
        "c:open s:keys s:confirmed c:sftp s:ok+adjust c:shell s:data-184 c:data-21 s:data-90 c:data-40",
        "transfer",
    ),
    "nothing": ("c:bye", ""),
}
# Lines that are as large as a key where the MAC comes after, as Netmiko sends them.
LINE = "c:data-3 s:data-60"
QUIET = {
    "a program that waits": (
        f"c:open s:keys s:confirmed c:bare-pty s:ok c:shell s:adjust+ok s:data-90 +3 {LINE} +0.5 {LINE} ({LINE})*3",
        "automated.typing interactive",
    ),
    "a person": (
        f"c:open s:keys s:confirmed c:bare-pty s:ok c:shell s:adjust+ok s:data-90 +3 {KEY} ({KEY} +0.5)*8 {LINE}",
        "human.typing interactive",
    ),
}


@pytest.mark.parametrize("cipher", CIPHERS)
def test_banner_joined_with_the_success(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    ids = told(JOINED, cipher, False, flowtap, tmp_path, BANNER)
    assert ids == {name: wanted(words) for name, (_, words) in JOINED.items()}


def test_lines_as_large_as_a_key(flowtap: Command, tmp_path: Path) -> None:
    ids = told(QUIET, MAC_AFTER, False, flowtap, tmp_path)
    assert ids == {name: wanted(words) for name, (_, words) in QUIET.items()}


# What is found in sessions of many kinds of clients and servers: precision and recall at least.
LEAST = {
    "human.typing": (1.0, 0.98),
    "human.lines": (0.98, 0.7),
    "automated.typing": (0.9, 0.6),
    "ssh.session.interactive": (0.93, 0.75),
    "ssh.session.exec": (0.9, 0.72),
    "ssh.session.transfer": (0.95, 0.72),
    "ssh.session.forward": (0.92, 0.92),
}


def test_many_kinds_of_clients_and_servers(flowtap: Command, tmp_path: Path) -> None:
    made = list(sessions(step=61))
    (tmp_path / "sessions.pcap").write_bytes(pcap(*(connection for *_, connection in made)))
    found: dict[int, set[str]] = {port: set() for _, port, _, _ in made}
    for line in flowtap("read", "--json", tmp_path / "sessions.pcap").stdout.splitlines():
        event = json.loads(line)
        if event["event_type"] == "alert":
            found[event["src_port"]] |= {name for name in LEAST if event["flowtap"]["id"].startswith(name)}
    meant = {port: {name.removesuffix(".ssh") for name in wanted(words)} for _, port, words, _ in made}
    for name, (precision, recall) in LEAST.items():
        right = sum(name in found[port] and name in meant[port] for port in meant)
        assert right >= precision * sum(name in ids for ids in found.values()), name
        assert right >= recall * sum(name in ids for ids in meant.values()), name


def judged(table: str, flowtap: Command) -> dict[str, dict[str, int]]:
    """Return how often ids of sessions were right and wrong in the labelled captures of a table."""
    with (LABELLED / table).open() as lines:
        files = sorted({LABELLED / row["capture"] for row in csv.DictReader(lines)})
    labels = json.loads(flowtap("eval", "--json", LABELLED / table, *files).stdout)["labels"]
    return {row["id"]: row for row in labels if row["id"].startswith(OURS) and row["flows"]}


@pytest.mark.skipif(not LABELLED.is_dir(), reason=f"no captures in {LABELLED}")
@pytest.mark.parametrize("table", ["ssh.csv", "more.csv"])
def test_recordings(table: str, flowtap: Command) -> None:
    rows = judged(table, flowtap)
    people = {label: row for label, row in rows.items() if not label.startswith("ssh.")}
    assert people.keys() >= {"human.typing", "automated.typing"}
    assert {label: row["false_positives"] for label, row in people.items()} == dict.fromkeys(people, 0)
    for label, row in rows.items():
        least = 0.6 if label == "ssh.session.transfer" else 0.8  # some copies end with an error of the server
        assert row["true_positives"] >= least * (row["true_positives"] + row["misses"]), row


@pytest.mark.skipif(not LABELLED.is_dir(), reason=f"no captures in {LABELLED}")
def test_false_friends(flowtap: Command) -> None:
    rows = judged("friends.csv", flowtap)
    wrong = {label: row["false_positives"] for label, row in rows.items() if row["false_positives"]}
    # expect's send -h, which imitates a hand; a terminal whose requests are compressed to the size of a command
    assert wrong == {"human.typing": 1, "ssh.session.exec": 1}
    assert rows["human.typing"]["misses"] <= 1
    assert rows["automated.typing"]["true_positives"] >= 10  # of 16
