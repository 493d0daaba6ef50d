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
    "aes-ctr, hmac-sha2-512-etm": (16, True, 64),
    "aes-ctr, umac-64": (16, False, 8),
}
# The clear-text key exchange up to the server's half, as different programs send it. The client's banner of 41 bytes
# is OpenSSH's, 25 stands for others.
EXCHANGES = {
    "curve25519": "c41 s41 c1208 s1112 c48 s564",
    "sntrup761": "c41 s41 c1400 s1112 c1208 s1560",
    "mlkem768": "c41 s33 c1016 s1016 c1232 s1428 s160",
    "a tail of 12 bytes": "c41 s41 c1428 c12 s1112 c48 s564",
    "two segments each": "c41 s21 s1448 c1448 c112 s104 c48 s1448 s20",
    "server's all at once": "c41 s1282 c900 c48 s500",
    "client's all at once": "c760 s21 s800 c48 s300",
    "server speaks first": "s41 s1112 c41 c1448 c400 c48 s208",
    "guess": "c738 s21 s464 s336",
    "guess, two segments": "c1428 s21 c486 s592 c48 s192 s16 s228",
    "group exchange": "c41 s25 c1448 c200 s900 c24 s408 c400 s1100",
    "old group exchange": "c41 s25 c700 s900 c32 s280 c272 s700",
    "empty line": "c41 c2 s41 c1200 s1112 c48 s564",
    "small lists": "c41 s20 c400 s260 c48 s192",
}
METHODS = {
    "key": "publickey",
    "password": "publickey,password",
    "keyboard": "publickey,keyboard-interactive",
    "both": "publickey,password,keyboard-interactive",
    "gssapi": "publickey,gssapi-keyex,gssapi-with-mic,password",
    "gssapi-both": "publickey,gssapi-keyex,gssapi-with-mic,password,keyboard-interactive",
}
IGNORES = 5  # IGNORE without data (RFC 4253, 11.2)


class Login:
    """A connection up to the service, then requests and answers as sizes of payload by RFC 4252 and 4256."""

    def __init__(
        self,
        cipher: str,
        methods: str,
        port: int,
        user: int,
        thinks: float,
        *,
        exchange: str = "curve25519",
        hello: int = 41,
    ) -> None:
        self.block, self.outside, self.mac = CIPHERS[cipher]
        self.refusal = 6 + len(METHODS[methods])
        self.user, self.thinks, self.at = user, thinks, 0.1
        self.more = 0  # bytes that the client pads more than it must
        self.ignores = False  # whether the server sends IGNORE before each of its replies
        self.told = False  # whether there is a banner that the server's next answer follows
        self.pieces = False  # whether the client writes the length, the rest and a MAC of its own one by one
        self.served = False  # whether the server does so, once the service is accepted
        self.talk = Tcp(cport=port).open()
        self.talk.send(0.01, *EXCHANGES[exchange].replace("c41", f"c{hello}").split(), "c16")

    def service(self, *joined: int) -> Login:
        """Ask for the service; the acceptance comes behind what is joined with it."""
        return self.say("c", 17).say("s", *joined, 17)

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
        size = sum(self.size(payload, pad) + more for payload in payloads)
        mac = self.mac if not self.outside else 0
        if side == "s" and self.told and payloads != (17,):
            self.talk.send(self.at, "s1448", "s1448")
            size, self.told = size + 400, False
        pieces = self.pieces if side == "c" else self.served
        parts = [size] if not pieces else [size - mac, mac] if mac else [4, size - 4]
        self.talk.send(self.at, *(f"{side}{part}" for part in parts))
        self.at += 0.001 * (len(parts) - 1)
        return self

    def banner(self) -> Login:
        """Let the server's first answer follow a banner that fills two segments."""
        self.told = True
        return self

    def jsch(self) -> Login:
        """Pad a block more, as JSch does."""
        self.more = self.block
        return self

    def ignoring(self) -> Login:
        """Let the server send IGNORE before each reply to a request, as newer AsyncSSH does."""
        self.ignores = True
        return self

    def named(self, user: int) -> Login:
        """Use a name of so many bytes."""
        self.user = user
        return self

    def cut(self) -> Login:
        """Write in pieces, as ssh2 of Node does."""
        self.pieces = True
        return self

    def answered_in_pieces(self) -> Login:
        """Let the server write in pieces, as ssh2 of Node does."""
        self.served = True
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

    def asked(self, length: int, question: int, right: bool = False) -> Login:
        """Ask to be asked, answer a question of so many bytes of payload."""
        self.say("c", 55 + self.user).say("s", question).say("c", 9 + length, after=self.thinks)
        return self.say("s", 1 if right else self.refusal, after=0.008)

    def goodbye(self, length: int, text: int = 32, pad: int = 0) -> Login:
        """Send a password that is answered by DISCONNECT."""
        return self.say("c", 40 + self.user + length, after=self.thinks, pad=pad).say("s", 13 + text)

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

    def first_step(self, payload: int, methods: str) -> Login:
        """Sign with a key that would do, after which other methods are needed (RFC 4252, 5.1)."""
        self.refusal = 6 + len(methods)
        self.say("c", payload + self.user).say("s", payload - 36).say("c", payload + 87 + self.user)
        return self.say("s", self.refusal)

    def key(self, payload: int) -> Login:
        """Offer a key that is refused."""
        return self.say("c", payload + self.user).say("s", self.refusal, after=0.006)


Play = Callable[[Login], object]
PERSON = 2.5  # seconds before a password
ED25519, RSA = 107, 336
ASKS, PASS = "keyboard-interactive", "password"
# What is played, with which methods, and how many passwords are refused; "+" at the end: the last one is accepted.
CASES: dict[str, tuple[str, str, float, Play]] = {
    "OpenSSH, a person": ("password both gssapi gssapi-both", "2+", PERSON, lambda x: x.none().third()),
    "OpenSSH, a program": ("password both gssapi gssapi-both", "2+", 0.01, lambda x: x.none().third()),
    "OpenSSH, EXT_INFO": ("password both gssapi", "1+", PERSON, lambda x: x.none(190).padded(8).padded(8, True)),
    "OpenSSH, a banner": ("password both gssapi", "3", 0.01, lambda x: x.none(500).padded(8).padded(9).padded(7)),
    "OpenSSH, a long banner": ("password both", "2+", PERSON, lambda x: x.banner().none().third()),
    "OpenSSH, asked": ("keyboard both", "1+", PERSON, lambda x: x.none().second()),
    "OpenSSH, RSA key": ("password both", "1+", PERSON, lambda x: x.none().key(RSA).padded(8).padded(8, True)),
    "OpenSSH, Ed25519 key": ("password both", "1+", PERSON, lambda x: x.none().key(ED25519).padded(8).padded(8, True)),
    "other: libssh2": ("both gssapi", "2+", 0.01, lambda x: x.none().password(8).password(12).password(8, True)),
    "libssh2, alike": ("password", "1+", 0.01, lambda x: x.none().password(8).none().password(8, True)),
    "libssh, asked": ("keyboard both", "1+", 0.01, lambda x: x.none().answer(8).answer(9, True)),
    "JSch": ("password both gssapi", "2+", 0.01, lambda x: x.jsch().none().password(8).password(9).password(8, True)),
    "JSch, asked": ("keyboard both", "1+", 0.01, lambda x: x.jsch().none().answer(8).answer(9, True)),
    "Dropbear's client": ("keyboard both", "1+", PERSON, lambda x: x.none().answer(8).answer(9, True)),
    "other: Paramiko": ("password both gssapi", "1+", 0.01, lambda x: x.password(8).again().password(9, True)),
    "other: no none": ("both gssapi", "2+", 0.01, lambda x: x.password(16).password(14).password(12, True)),
    "other: one, no none": ("password both gssapi", "1", 0.01, lambda x: x.password(18)),
    "other: no none, a person": ("both gssapi", "1+", PERSON, lambda x: x.password(16).password(12, True)),
    "IGNORE before replies": ("password both", "2+", 0.01, lambda x: x.ignoring().none().third()),
    "IGNORE before replies, a person": ("both", "2", PERSON, lambda x: x.ignoring().none().padded(8).padded(9)),
    "IGNORE before replies, none": ("password both gssapi", "0", 0.01, lambda x: x.ignoring().none()),
    "other: first answer with EXT_INFO": ("password both gssapi", "1", 0.01, lambda x: x.joined(20)),
    "Ed25519 key at once": ("password both gssapi", "0+", 0.01, lambda x: x.would_do(ED25519)),
    "OpenSSH, GSSAPI and asked": ("gssapi-both", "1+", PERSON, lambda x: x.none().second()),
    "libssh2, GSSAPI": ("gssapi-both", "2+", 0.01, lambda x: x.none().password(12).password(12).password(8, True)),
    "at once": ("password both gssapi", "0+", 0.01, lambda x: x.none().padded(8, True)),
    "other: pieces": ("password both", "2+", 0.01, lambda x: x.cut().none().password(8).password(9).password(7, True)),
    "other: pieces, a person": ("both gssapi", "1+", PERSON, lambda x: x.cut().none().password(8).password(9, True)),
    "other: a long question": ("keyboard both", "1+", PERSON, lambda x: x.none().asked(8, 80).asked(9, 80, True)),
    "one try": ("both gssapi", "1", 0.01, lambda x: x.none().goodbye(8, pad=64)),
    "other: two tries": ("gssapi", "2", 0.01, lambda x: x.none().password(18).goodbye(24, 40)),
    "other: a key that is refused": ("password both gssapi", "0", 0.01, lambda x: x.none().key(ED25519)),
    "other: one of few bytes": ("both gssapi", "1", 0.01, lambda x: x.password(10)),
    "a key, then asked": ("key", "0+", PERSON, lambda x: x.none().first_step(RSA, ASKS).answer(8, True, 64)),
    "a key, then asked twice": ("key", "1+", PERSON, lambda x: x.none().first_step(RSA, ASKS).second()),
    "a key, then a password": ("key", "1+", PERSON, lambda x: x.none().first_step(RSA, PASS).padded(8).padded(8, True)),
    "a long name": ("password both", "0", 0.01, lambda x: x.named(14).none()),
    "too many": ("both gssapi", "3", 0.01, lambda x: x.none().padded(8).padded(8).say("c", 55, pad=64).say("s", 45)),
}  # fmt: skip
# without a password
WITHOUT = ("IGNORE before replies, none", "Ed25519 key at once", "other: a key that is refused", "a long name")
KEYS = ("OpenSSH, RSA key", "OpenSSH, Ed25519 key", "other: a key that is refused")


def logins(cipher: str) -> Iterator[tuple[str, Login, dict[str, int]]]:
    """Yield name, login, and ids with hits (0: any number) of all cases."""
    port = 40_000
    for name, (methods, refused, thinks, play) in CASES.items():
        if "pieces" in name and cipher == "aes-ctr, umac-64":  # not Node's
            continue
        for method, user in product(methods.split(), (4, 7)):
            port += 1
            login = Login(cipher, method, port, user, thinks, hello=25 if name.startswith("other") else 41).service()
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


def found(made: list[Login], flowtap: Command, folder: Path) -> list[dict[str, int]]:
    """Return ids and hits of each login."""
    (folder / "logins.pcap").write_bytes(pcap(*(login.talk for login in made)))
    ids: dict[int, dict[str, int]] = {login.talk.ends["c"][1]: {} for login in made}
    for line in flowtap("read", "--json", folder / "logins.pcap").stdout.splitlines():
        event = json.loads(line)
        if event["event_type"] == "alert" and event["flowtap"]["id"] in OURS:
            ids[event["src_port"]][event["flowtap"]["id"]] = event["flowtap"]["hits"]
    return list(ids.values())


@pytest.mark.parametrize("cipher", CIPHERS)
def test_logins_of_messages(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    made = list(logins(cipher))
    told = {}
    for (name, _, wanted), hits in zip(made, found([login for _, login, _ in made], flowtap, tmp_path), strict=True):
        told[name] = {label: count if wanted.get(label) else 0 for label, count in hits.items()}
    assert told == {name: wanted for name, _, wanted in made}


def test_key_exchanges(flowtap: Command, tmp_path: Path) -> None:
    ways = list(product(EXCHANGES, ("chacha20-poly1305", "aes-ctr, hmac-sha2-256"), ((), (190,)), (41, 25)))
    made = []
    for port, (exchange, cipher, joined, hello) in enumerate(ways, 40_000):
        login = Login(cipher, "both", port, 5, PERSON, exchange=exchange, hello=hello).service(*joined).none()
        openssh = hello == 41 and "c41" in EXCHANGES[exchange]
        made.append(login.padded(8).padded(9, True) if openssh else login.password(16).password(17, True))
        login.talk.close(login.at + 0.01)
    told = dict(zip(ways, found(made, flowtap, tmp_path), strict=True))
    right = {"ssh.auth.failure": 1, "ssh.auth.success": 1, "human.password.ssh": 2}
    assert told == dict.fromkeys(ways, right)


def test_requests_ahead(flowtap: Command, tmp_path: Path) -> None:
    """Clients that do not wait for the acceptance of the service, servers that say something before they accept."""
    told, made = {}, []
    sent = {"automated.password.ssh": 1}
    for port, (cipher, way) in enumerate(product(CIPHERS, ("accepted", "refused", "a banner first")), 40_000):
        login = Login(cipher, "gssapi", port, 4, 0.0, hello=25).say("c", 17)
        if way == "a banner first":
            login.say("s", 17).say("c", 58).say("s", 60).say("s", 1).say("s", 400)
        else:
            login.say("c", 58).say("s", 17).say("s", 1 if way == "accepted" else login.refusal)
        login.say("c", 50)
        login.talk.close(login.at + 0.01)
        made.append(login)
        told[cipher, way] = sent | {"ssh.auth.failure" if way == "refused" else "ssh.auth.success": 1}
    assert dict(zip(told, found(made, flowtap, tmp_path), strict=True)) == told


# What is played with a server that writes in pieces, and what is found with how many hits (0: any number).
PIECES: dict[str, tuple[dict[str, int], float, Play]] = {
    "a program": (
        {"ssh.auth.failure": 1, "ssh.auth.success": 1, "automated.password.ssh": 0},
        0.01,
        lambda x: x.none().password(8).password(9, True),
    ),
    "a person": (
        {"ssh.auth.failure": 1, "ssh.auth.success": 1, "human.password.ssh": 0},
        PERSON,
        lambda x: x.none().password(8).password(9, True),
    ),
    "asked": (
        {"ssh.auth.failure": 1, "ssh.auth.success": 1, "human.password.ssh": 0},
        PERSON,
        lambda x: x.none().asked(8, 36).asked(9, 36, True),
    ),
    "no none": ({"ssh.auth.success": 1, "automated.password.ssh": 0}, 0.01, lambda x: x.password(14, True)),
    "a key, refused": ({"ssh.pubkey.refused": 1}, 0.01, lambda x: x.none().key(RSA)),
}


@pytest.mark.parametrize(
    "cipher", ["chacha20-poly1305", "aes-ctr, hmac-sha2-256", "aes-cbc, hmac-sha1", "aes-ctr, hmac-sha2-256-etm"]
)
def test_servers_in_pieces(cipher: str, flowtap: Command, tmp_path: Path) -> None:
    made = []
    for port, (_, thinks, play) in enumerate(PIECES.values(), 40_000):
        login = Login(cipher, "both", port, 5, thinks, hello=25).service().answered_in_pieces()
        play(login)
        login.say("c", 50)
        login.talk.close(login.at + 0.01)
        made.append(login)
    told = dict(zip(PIECES, found(made, flowtap, tmp_path), strict=True))
    told = {
        name: {label: count if PIECES[name][0].get(label) else 0 for label, count in hits.items()}
        for name, hits in told.items()
    }
    assert told == {name: wanted for name, (wanted, _, _) in PIECES.items()}
