# SPDX-License-Identifier: LGPL-2.1-or-later
"""The signatures of SSH logins: on logins made of messages, as many clients send them, in several ciphers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.conversation import Tcp, pcap

OURS = ("ssh.auth.failure", "ssh.auth.success", "ssh.pubkey.refused", "human.password.ssh", "automated.password.ssh")
# Block size, whether the length is outside it, bytes of the MAC.
CIPHERS = {
    "chacha20-poly1305": (8, True, 16),
    "aes-gcm": (16, True, 16),
    "aes-ctr, umac-64-etm": (16, True, 8),
    "aes-ctr, hmac-sha2-256-etm": (16, True, 32),
    "aes-ctr, hmac-sha2-256": (16, False, 32),
    "aes-cbc, hmac-sha1": (16, False, 20),
}
METHODS = {
    "password": "publickey,password",
    "keyboard": "publickey,keyboard-interactive",
    "both": "publickey,password,keyboard-interactive",
    "gssapi": "publickey,gssapi-keyex,gssapi-with-mic,password",
    "gssapi-both": "publickey,gssapi-keyex,gssapi-with-mic,password,keyboard-interactive",
}
IGNORES = 5  # IGNORE without data (RFC 4253, 11.2)


class Login:
    """A connection up to the service, then requests and answers as sizes of payload by RFC 4252 and 4256."""

    def __init__(self, cipher: str, methods: str, port: int, user: int, thinks: float) -> None:
        self.block, self.outside, self.mac = CIPHERS[cipher]
        self.refusal = 6 + len(METHODS[methods])
        self.user, self.thinks, self.at = user, thinks, 0.1
        self.more = 0  # bytes that the client pads more than it must
        self.ignores = False  # whether the server sends IGNORE before each of its replies
        self.talk = Tcp(cport=port).open()
        self.talk.send(0.01, "c41", "s41", "c1208", "s1112", "c48", "s564", "c16")
        self.say("c", 17).say("s", 17)

    def size(self, payload: int, pad: int = 0) -> int:
        """Return the size on the wire (RFC 4253, 6); with OpenSSH's pad the padded part is a multiple of 64."""
        part = payload + (1 if self.outside else 5)
        part += 4 + -(part + 4) % self.block
        part += pad - part % pad if pad else 0
        return part + (4 if self.outside else 0) + self.mac

    def say(self, side: str, *payloads: int, after: float = 0.002, pad: int = 0) -> Login:
        """Send messages joined in one packet."""
        self.at += after
        if side == "s" and self.ignores:
            self.talk.send(self.at, f"s{self.size(IGNORES)}")
            self.at += 0.0002
        more = self.more if side == "c" else 0
        self.talk.send(self.at, f"{side}{sum(self.size(payload, pad) + more for payload in payloads)}")
        return self

    def jsch(self) -> Login:
        """Pad a block more, as JSch does."""
        self.more = self.block
        return self

    def ignoring(self) -> Login:
        """Let the server send IGNORE before each reply to a request, as newer AsyncSSH does."""
        self.ignores = True
        return self

    def none(self, *joined: int) -> Login:
        """Ask for nothing; the refusal comes behind other messages of the server."""
        return self.say("c", 31 + self.user).say("s", *joined, self.refusal)

    def password(self, length: int, right: bool = False, pad: int = 0) -> Login:
        """Send a password; the server answers after 8 ms."""
        self.say("c", 40 + self.user + length, after=self.thinks, pad=pad)
        return self.say("s", 1 if right else self.refusal, after=0.008)

    def padded(self, length: int, right: bool = False) -> Login:
        """Send a password as OpenSSH does."""
        return self.password(length, right, pad=64)

    def third(self) -> Login:
        """Send three passwords as OpenSSH does; the last one is right."""
        return self.padded(8).padded(9).padded(8, True)

    def joined(self, length: int) -> Login:
        """Send a password that is refused behind EXT_INFO."""
        return self.say("c", 40 + self.user + length).say("s", 190, self.refusal, after=0.008)

    def answer(self, length: int, right: bool = False, pad: int = 0) -> Login:
        """Ask to be asked, answer; PAM makes one wait for a refusal, and asks for nothing before it accepts."""
        self.say("c", 55 + self.user).say("s", 32).say("c", 9 + length, after=self.thinks, pad=pad)
        if not right:
            return self.say("s", self.refusal, after=1.9)
        return self.say("s", 17).say("c", 5, pad=pad).say("s", 1)

    def second(self) -> Login:
        """Answer twice as OpenSSH does; the second answer is right."""
        return self.answer(8, pad=64).answer(8, True, 64)

    def again(self) -> Login:
        """Ask for the service once more."""
        return self.say("c", 17).say("s", 17)

    def would_do(self, payload: int) -> Login:
        """Offer a key that would do (PK_OK), sign with it."""
        self.say("c", payload + self.user).say("s", payload - 36).say("c", payload + 87 + self.user)
        return self.say("s", 1)

    def key(self, payload: int) -> Login:
        """Offer a key that is refused."""
        return self.say("c", payload + self.user).say("s", self.refusal, after=0.006)


Play = Callable[[Login], object]
PERSON = 2.5  # seconds before a password
ED25519, RSA = 107, 336
# What is played, with which methods, and how many passwords are refused; "+" at the end: the last one is accepted.
CASES: dict[str, tuple[str, str, float, Play]] = {
    "OpenSSH, a person": ("password both gssapi gssapi-both", "2+", PERSON, lambda x: x.none().third()),
    "OpenSSH, a program": ("password both gssapi gssapi-both", "2+", 0.01, lambda x: x.none().third()),
    "OpenSSH, EXT_INFO": ("password both gssapi", "1+", PERSON, lambda x: x.none(190).padded(8).padded(8, True)),
    "OpenSSH, a banner": ("password both gssapi", "3", 0.01, lambda x: x.none(500).padded(8).padded(9).padded(7)),
    "OpenSSH, asked": ("keyboard both", "1+", PERSON, lambda x: x.none().second()),
    "OpenSSH, RSA key": ("password both", "1+", PERSON, lambda x: x.none().key(RSA).padded(8).padded(8, True)),
    "OpenSSH, Ed25519 key": ("password both", "1+", PERSON, lambda x: x.none().key(ED25519).padded(8).padded(8, True)),
    "libssh2": ("both gssapi", "2+", 0.01, lambda x: x.none().password(8).password(12).password(8, True)),
    "libssh2, alike": ("password", "1+", 0.01, lambda x: x.none().password(8).none().password(8, True)),
    "libssh, asked": ("keyboard both", "1+", 0.01, lambda x: x.none().answer(8).answer(9, True)),
    "JSch": ("password both gssapi", "2+", 0.01, lambda x: x.jsch().none().password(8).password(9).password(8, True)),
    "JSch, asked": ("keyboard both", "1+", 0.01, lambda x: x.jsch().none().answer(8).answer(9, True)),
    "Dropbear's client": ("keyboard both", "1+", PERSON, lambda x: x.none().answer(8).answer(9, True)),
    "Paramiko": ("password both gssapi", "1+", 0.01, lambda x: x.password(8).again().password(9, True)),
    "no none": ("both gssapi", "2+", 0.01, lambda x: x.password(16).password(14).password(12, True)),
    "IGNORE before replies": ("password both", "2+", 0.01, lambda x: x.ignoring().none().third()),
    "IGNORE before replies, a person": ("both", "2", PERSON, lambda x: x.ignoring().none().padded(8).padded(9)),
    "IGNORE before replies, none": ("password both gssapi", "0", 0.01, lambda x: x.ignoring().none()),
    "first answer with EXT_INFO": ("password both gssapi", "1", 0.01, lambda x: x.joined(20)),
    "Ed25519 key at once": ("password both gssapi", "0+", 0.01, lambda x: x.would_do(ED25519)),
    "OpenSSH, GSSAPI and asked": ("gssapi-both", "1+", PERSON, lambda x: x.none().second()),
    "libssh2, GSSAPI": ("gssapi-both", "2+", 0.01, lambda x: x.none().password(12).password(12).password(8, True)),
    "at once": ("password both gssapi", "0+", 0.01, lambda x: x.none().padded(8, True)),
    "too many": ("both gssapi", "3", 0.01, lambda x: x.none().padded(8).padded(8).say("c", 55, pad=64).say("s", 45)),
}  # fmt: skip
WITHOUT = ("IGNORE before replies, none", "Ed25519 key at once")  # without a password
KEYS = ("OpenSSH, RSA key", "OpenSSH, Ed25519 key")


def logins(cipher: str) -> Iterator[tuple[str, Login, dict[str, int]]]:
    """Yield name, login, and ids with hits (0: any number) of all cases."""
    port = 40_000
    for name, (methods, refused, thinks, play) in CASES.items():
        for method, user in product(methods.split(), (4, 7)):
            port += 1
            login = Login(cipher, method, port, user, thinks)
            play(login)
            login.talk.close(login.at + 0.01)
            wanted = {"human.password.ssh" if thinks > 1 else "automated.password.ssh": 0}
            if name in WITHOUT:
                wanted = {}
            if int(refused[0]):
                wanted["ssh.auth.failure"] = int(refused[0])
            if refused.endswith("+"):
                wanted["ssh.auth.success"] = 0
            if name in KEYS:
                wanted["ssh.pubkey.refused"] = 0
            yield f"{name}: {method}, name of {user}", login, wanted


@pytest.mark.parametrize("cipher", CIPHERS)
def test_logins_of_messages(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    made = list(logins(cipher))
    (tmp_path / "logins.pcap").write_bytes(pcap(*(login.talk for _, login, _ in made)))
    found: dict[int, dict[str, int]] = {}
    for line in flowtap("read", "--json", tmp_path / "logins.pcap").stdout.splitlines():
        event = json.loads(line)
        if event["event_type"] == "alert" and event["flowtap"]["id"] in OURS:
            found.setdefault(event["src_port"], {})[event["flowtap"]["id"]] = event["flowtap"]["hits"]
    told = {}
    for name, login, wanted in made:
        hits = found.get(login.talk.ends["c"][1], {})
        told[name] = {label: count if wanted.get(label) else 0 for label, count in hits.items()}
    assert told == {name: wanted for name, _, wanted in made}
