# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other protocols than HTTP, over TLS on web ports and their own, and plain: servers, and who talks to them.

One haproxy on the server ends TLS, or passes on, at addresses of its own for each activity, before real servers on
127.0.0.1. FTP, SMB, X11 and SIP, which tell their address or need more ports, listen themselves. What a client does is
lab/webprograms/protocols.py. Names are ROLE/CLIENT/SERVER/FLAVOUR.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab import webserve
from lab.crowd import Activity
from lab.network import Lab
from lab.tlsserve import certificate
from lab.webmoreserve import SERVERS, command, start

SCRIPT = str(webserve.PROGRAMS / "protocols.py")
SECONDS = 50
MAILBOX, SMTP, FTP = ("automated.lines.mailbox",), ("automated.lines.smtp",), ("automated.lines.ftp",)
WEB = (443, 443, 443, 8443, 9443, 4433)


@dataclass(frozen=True)
class Kind:
    """A role of protocols.py: server, its port on 127.0.0.1, ports in TLS and plain, sessions, labels when plain."""

    server: str
    inner: int
    tls: tuple[int, ...] = ()
    plain: tuple[int, ...] = ()
    count: int = 25
    labels: tuple[str, ...] = ()
    direct: bool = False  # listens on the address itself


KINDS = {
    **{
        name: Kind("dovecot", 1143, (993, *WEB), (143,), 20, MAILBOX)
        for name in ("imap", "imap_curl", "imap_mbsync", "imap_idle")
    },
    **{
        name: Kind("dovecot", 1110, (995, *WEB), (110,), 20, MAILBOX)
        for name in ("pop3", "pop3_curl", "pop3_fetchmail")
    },
    **{
        name: Kind("aiosmtpd", 1025, (465, *WEB), (25, 587, 2525), 20, SMTP)
        for name in ("smtp", "smtp_curl", "smtp_swaks", "smtp_msmtp")
    },
    **{name: Kind("slapd", 3890, (636, *WEB), (389, 3268)) for name in ("ldap", "ldap_search")},
    **{name: Kind("mosquitto", 1883, (8883, *WEB), (1883,), 30) for name in ("mqtt", "mqtt_tools")},
    "redis": Kind("redis", 6379, (6380, *WEB), (6379,), 30),
    "redis_cli": Kind("redis", 6379, (6380, *WEB), (6379,), 10),
    "psql_typed": Kind("postgres", 5432, WEB, (5432,), 10),
    **{name: Kind("postgres", 5432, WEB, (5432,), 20) for name in ("psql", "postgres")},
    "mysql_typed": Kind("mariadb", 3306, WEB, (3306,), 10),
    "mysql": Kind("mariadb", 3306, WEB, (3306,), 20),
    "memcached": Kind("memcached", 11211, WEB, (11211,), 30),
    "nats": Kind("nats", 4222, WEB, (4222,), 30),
    "names": Kind("unbound", 5353, (853, *WEB), (53,), 30),
    "irc": Kind("ngircd", 6667, (6697, *WEB), (6667,), 20),
    **{
        f"ws-{kind}": Kind("aiohttp", webserve.BACKEND, WEB, (80, 8080), 25)
        for kind in ("ticker", "game", "board", "chat", "notes", "editor", "echo", "rpc")
    },
    "terminal": Kind("terminado", 8200, WEB, (8080, 80), 15),
    "shellinabox": Kind("shellinabox", 4200, WEB, (4200, 8080), 10),
    "vnc": Kind("tigervnc", 5901, WEB, (5900, 5901), 12),
    "viewer": Kind("tigervnc", 5901, WEB, (5900,), 2),
    "ftp": Kind("pyftpdlib", 21, (), (21,), 20, FTP, True),
    **{name: Kind("pyftpdlib", 21, (), (21,), 12, FTP, True) for name in ("ftp_curl", "ftp_wget", "ftp_lftp")},
    "git": Kind("git", 9418, WEB, (9418,), 15),
    "svn": Kind("svnserve", 3690, (), (3690,), 15),
    "rsync": Kind("rsync", 8730, (), (873,), 15),
    "smb": Kind("smbd", 445, (), (445,), 12, (), True),
    "smb_impacket": Kind("smbd", 445, (), (445,), 12, (), True),
    "x11": Kind("xvfb", 6001, (), (6001,), 15, (), True),
    "sip": Kind("sipp", 5060, (), (5060,), 10, (), True),
    "lines": Kind("lines", 7000, WEB, (7000, 9001, 8000), 12, ("human.lines",)),
    "instrument": Kind("lines", 7000, WEB, (5025, 5555, 9001), 25),
    "modbus": Kind("echo", 7001, (), (502,), 25),
    **{f"python-{name}": Kind("lab", 7002, WEB, (), 12, (), True) for name in ("api", "events", "grpc")},
    "early": Kind("nginx", 0, WEB, (), 20, (), True),
    "shake": Kind("aiohttp", webserve.BACKEND, (443, 443, 8443, 993, 995, 636, 465), (), 60),
}


def activities(seed: int, count: int) -> list[Activity]:
    """Draw activities: every role comes before one comes again."""
    draw = random.Random(seed)
    ways = [(role, tls) for role, kind in KINDS.items() for tls in (True, False) if (kind.tls if tls else kind.plain)]
    draw.shuffle(ways)
    made = []
    for role, tls in (ways * (1 + count // len(ways)))[:count]:
        kind = KINDS[role]
        port = draw.choice(kind.tls if tls else kind.plain)
        flavour = draw.choice(("new", "new", "new", "old", "cbc", "chacha", "ticketless")) if tls else "plain"
        if role == "early":
            flavour = "early"
        elif kind.direct and tls:
            flavour = "new"
        labels = () if tls else kind.labels
        if role in ("x11",):
            port = 6001
        act = partial(_act, role=role, port=port, way="tls" if tls else "plain", count=kind.count)
        six = not kind.direct or role == "early"
        made.append(Activity(f"{role}/{_client(role)}/{kind.server}/{flavour}", _none, act, labels, six=six, port=port))
    return made


def _client(role: str) -> str:
    known = {"imap": "imaplib", "pop3": "poplib", "smtp": "smtplib", "ldap": "ldap3", "mqtt": "paho", "names": "kdig"}
    return known.get(role, role.rpartition("_")[2] if "_" in role else "python" if "-" in role else role)


def _none(_lab: Lab, _address: str) -> None:
    """Serve nothing: `prepare` starts all servers."""


def _act(lab: Lab, address: str, seed: int, *, role: str, port: int, way: str, count: int) -> None:
    words = [webserve.PYTHON, SCRIPT, role, address, str(port), way, str(seed % 10**6), str(count), str(SECONDS)]
    with (lab.folder / f"act-{role}-{address.replace(':', '_')}.err").open("wb") as errors:
        line = lab.client.inside("env", "HOME=/root", *words)
        subprocess.run(line, stdout=errors, stderr=errors, timeout=SECONDS + 100, check=True)


def _fronts(lab: Lab, chosen: dict[str, Activity]) -> None:
    text = (
        "global\n maxconn 4000\ndefaults\n mode tcp\n timeout connect 9s\n timeout client 300s\n timeout server 300s\n"
    )
    for number, (address, one) in enumerate(chosen.items()):
        role, _, _, flavour = one.name.split("/")
        kind = KINDS[role]
        if kind.direct:
            continue
        words = "" if flavour == "plain" else f"ssl crt {certificate(lab)}"
        words += " ssl-max-ver TLSv1.2" if flavour in webserve.OLD else ""
        words += f" ciphers {webserve.CIPHERS[flavour]}" if flavour in webserve.CIPHERS else ""
        words += " no-tls-tickets" if flavour == "ticketless" else ""
        text += f"listen n{number}\n bind {address}:{one.port} {words}\n server s 127.0.0.1:{kind.inner}\n"
    config = lab.folder / "more-haproxy.cfg"
    config.write_text(text)
    start(lab, "haproxy", "haproxy", "-db", "-f", str(config))


def prepare(seed: int, lab: Lab, chosen: dict[str, Activity]) -> None:
    """Start the servers of all activities."""
    early = [(address, one.port, "early") for address, one in chosen.items() if one.name.startswith("early/")]
    webserve.start(lab, {"nginx": early} if early else {}, seed)
    lab.server.do("mount", "-t", "tmpfs", "tmpfs", "/tmp/.X11-unix") if Path("/tmp/.X11-unix").is_dir() else None
    roles = {address: one.name.partition("/")[0] for address, one in chosen.items()}
    for server in sorted({KINDS[role].server for role in roles.values() if not KINDS[role].direct} & set(SERVERS)):
        try:
            SERVERS[server](lab)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{server}: {error}", file=sys.stderr, flush=True)
    screens = False
    for address, role in roles.items():
        if KINDS[role].direct and role != "early" and not (role == "x11" and screens):
            screens |= role == "x11"
            start(
                lab,
                f"{role}-{address.replace(':', '_')}",
                *command(lab, KINDS[role].server, role, address, chosen[address].port),
            )
    time.sleep(8)
    _fronts(lab, chosen)
    time.sleep(3)
    inner = {KINDS[role].server: KINDS[role].inner for role in roles.values() if not KINDS[role].direct}
    for server, port in sorted(inner.items()):
        if not lab.server.listens(port):
            log = lab.folder / f"more-{server}.log"
            said = log.read_text(errors="replace")[-300:] if log.exists() else ""
            print(f"{server} is silent: {said}", file=sys.stderr, flush=True)
