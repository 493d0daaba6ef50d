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
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab import webserve
from lab.crowd import Activity
from lab.network import WAIT, Lab
from lab.tlsserve import certificate

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
    **{name: Kind("dovecot", 1110, (995, *WEB), (110,), 20, MAILBOX) for name in ("pop3", "pop3_curl", "pop3_fetchmail")},
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
    "lines": Kind("lines", 7000, WEB, (7000, 9001, 8000), 12),
    "instrument": Kind("lines", 7000, WEB, (5025, 5555, 9001), 25),
    "modbus": Kind("echo", 7001, (), (502,), 25),
    **{f"python-{name}": Kind("lab", 7002, WEB, (), 12, (), True) for name in ("api", "events", "grpc")},
    "early": Kind("nginx", 0, WEB, (), 20, (), True),
    "shake": Kind("aiohttp", webserve.BACKEND, (443, 443, 8443, 993, 995, 636, 465), (), 60),
}
LINES = """
import socketserver, sys, time
class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b'welcome\\n> ')
        for line in self.rfile:
            time.sleep(.01)
            self.wfile.write(b'+1.2345E+00\\n> ' if b'?' in line else b'you said: ' + line * (len(line) % 7) + b'> ')
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while got := self.request.recv(300):
            self.request.sendall(got[:7] + bytes(2 * got[-1] + 2))
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1])), {'lines': Lines, 'echo': Echo}[sys.argv[2]]).serve_forever()
"""
TERMINAL = """
import terminado, tornado.web, tornado.ioloop
made = terminado.UniqueTermManager(shell_command=['bash', '--norc'], max_terminals=100)
tornado.web.Application([('/terminal', terminado.TermSocket, {'term_manager': made})]).listen(8200, '127.0.0.1')
tornado.ioloop.IOLoop.current().start()
"""


def _start(lab: Lab, name: str, *words: str) -> None:
    lab.server.start(*words, log=lab.folder / f"more-{name}.log")


def _folder(lab: Lab, name: str) -> Path:
    made = lab.folder / name
    made.mkdir(exist_ok=True)
    made.chmod(0o777)
    return made


def _dovecot(lab: Lab) -> None:
    home, mail = _folder(lab, "dovecot"), _folder(lab, "mails")
    (home / "conf").write_text(
        f"base_dir = {home}/run\nstate_dir = {home}/state\nlog_path = {home}/log\nprotocols = imap pop3\nssl = no\n"
        f"disable_plaintext_auth = no\nlisten = 127.0.0.1\nmail_location = maildir:{mail}/%u\n"
        "passdb {\n driver = static\n args = password=lab\n}\n"
        "userdb {\n driver = static\n args = uid=7077 gid=7077 home=/home/student\n}\n"
        "service imap-login {\n inet_listener imap {\n port = 1143\n }\n inet_listener imaps {\n port = 0\n }\n chroot =\n}\n"
        "service pop3-login {\n inet_listener pop3 {\n port = 1110\n }\n inet_listener pop3s {\n port = 0\n }\n chroot =\n}\n"
        "service anvil {\n chroot =\n}\nmail_max_userip_connections = 200\n"
    )
    _start(lab, "dovecot", "dovecot", "-F", "-c", str(home / "conf"))


def _postgres(lab: Lab) -> None:
    home = _folder(lab, "pg")
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    subprocess.run(["chown", "postgres", str(home)], check=True, timeout=WAIT)
    make = ["setpriv", "--reuid=postgres", "--clear-groups", str(tools / "initdb"), "-D", f"{home}/d", "-A", "trust", "-N"]
    subprocess.run([*make, "-U", "lab"], check=True, capture_output=True, timeout=120)
    line = ["setpriv", "--reuid=postgres", "--clear-groups", str(tools / "postgres"), "-D", f"{home}/d", "-k", str(home)]
    _start(lab, "postgres", *line, "-h", "127.0.0.1", "-p", "5432", "-c", "fsync=off")


def _mariadb(lab: Lab) -> None:
    home = _folder(lab, "maria")
    make = ["mariadb-install-db", "--no-defaults", f"--datadir={home}/d", "--user=root", "--auth-root-authentication-method=normal"]
    subprocess.run(make, check=True, capture_output=True, timeout=120)
    _start(
        lab,
        "mariadb",
        *("mariadbd", "--no-defaults", f"--datadir={home}/d", f"--socket={home}/s", "--user=root", "--skip-grant-tables"),
        *("--bind-address=127.0.0.1", "--skip-name-resolve", "--port=3306", "--skip-networking=0"),
    )


def _slapd(lab: Lab) -> None:
    home = _folder(lab, "ldap")
    (home / "db").mkdir()
    (home / "conf").write_text(
        "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n"
        f"pidfile {home}/pid\ndatabase mdb\nsuffix dc=lab\nrootdn cn=admin,dc=lab\nrootpw lab\ndirectory {home}/db\n"
    )
    (home / "ldif").write_text("dn: dc=lab\nobjectClass: dcObject\nobjectClass: organization\no: lab\ndc: lab\n")
    fill = ["slapadd", "-f", str(home / "conf"), "-l", str(home / "ldif")]
    subprocess.run(fill, capture_output=True, timeout=WAIT, check=False)
    _start(lab, "slapd", "slapd", "-d", "0", "-f", str(home / "conf"), "-h", "ldap://127.0.0.1:3890")


def _unbound(lab: Lab) -> None:
    home = _folder(lab, "dns")
    names = ("example.org", "lab.example", "mail.lab.example", "a.very.long.name.of.a.host.example.net", "x.org")
    data = "".join(f' local-data: "{name}. A 192.0.2.1"\n local-data: "{name}. MX 10 {name}."\n' for name in names)
    (home / "conf").write_text(
        f'server:\n interface: 127.0.0.1@5353\n chroot: ""\n username: ""\n pidfile: {home}/pid\n use-syslog: no\n'
        f" access-control: 0.0.0.0/0 allow\n incoming-num-tcp: 200\n local-zone: . static\n{data}"
        "remote-control:\n control-enable: no\n"
    )
    _start(lab, "unbound", "unbound", "-d", "-c", str(home / "conf"))


def _ngircd(lab: Lab) -> None:
    config = lab.folder / "ngircd.conf"
    config.write_text(
        "[Global]\nName = irc.lab.example\nInfo = lab\nListen = 127.0.0.1\nPorts = 6667\nServerUID = nobody\n"
        "[Limits]\nPingTimeout = 7\nPongTimeout = 20\nMaxConnectionsIP = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
    )
    _start(lab, "ngircd", "ngircd", "-n", "-f", str(config))


def _git(lab: Lab) -> None:
    home = _folder(lab, "git")
    script = (
        f"cd {home} && git init -q work && cd work && git config user.email a@b && git config user.name a && "
        "for n in $(seq 12); do head -c $((n * 900)) /dev/urandom | base64 > f$n; git add .; git commit -qm $n; done; "
        f"git clone -q --bare . {home}/repo.git; touch {home}/repo.git/git-daemon-export-ok"
    )
    subprocess.run(["sh", "-c", script], capture_output=True, timeout=60, check=False, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    _start(lab, "git", "env", f"HOME={home}", "git", "-c", "safe.directory=*", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--base-path={home}")


def _svn(lab: Lab) -> None:
    home = _folder(lab, "svn")
    subprocess.run(["svnadmin", "create", f"{home}/r"], check=False, capture_output=True, timeout=WAIT)
    _start(lab, "svn", "svnserve", "-d", "--foreground", "--listen-host", "127.0.0.1", "-r", f"{home}/r")


def _rsync(lab: Lab) -> None:
    config = lab.folder / "rsyncd.conf"
    config.write_text(f"use chroot = no\n[site]\npath = {lab.folder}/site\n")
    _start(lab, "rsync", "rsync", "--daemon", "--no-detach", "--port=8730", "--address=127.0.0.1", f"--config={config}")


def _python(name: str, *words: str) -> Callable[[Lab], None]:
    return lambda lab: _start(lab, name, webserve.PYTHON, *words)


def _nats(lab: Lab) -> None:
    _start(lab, "nats", "nats-server", "-a", "127.0.0.1", "-p", "4222")


def _vnc(lab: Lab) -> None:
    _start(
        lab,
        "tigervnc",
        *("Xtigervnc", ":1", "-rfbport", "5901", "-localhost", "-SecurityTypes", "None", "-geometry", "640x400"),
        *("-AlwaysShared", "-depth", "16"),
    )


SERVERS: dict[str, Callable[[Lab], None]] = {
    "dovecot": _dovecot,
    "aiosmtpd": _python("smtp", "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:1025", "-c", "aiosmtpd.handlers.Sink"),
    "slapd": _slapd,
    "mosquitto": lambda lab: _start(lab, "mosquitto", "mosquitto", "-p", "1883"),
    "redis": lambda lab: _start(lab, "redis", "redis-server", "--port", "6379", "--save", "", "--bind", "127.0.0.1"),
    "postgres": _postgres,
    "mariadb": _mariadb,
    "memcached": lambda lab: _start(lab, "memcached", "memcached", "-u", "nobody", "-l", "127.0.0.1"),
    "nats": _nats,
    "unbound": _unbound,
    "ngircd": _ngircd,
    "terminado": _python("terminado", "-c", TERMINAL),
    "shellinabox": lambda lab: _start(
        lab, "shellinabox", "shellinaboxd", "-t", "-p", "4200", "--localhost-only", "-s", "/:nobody:nogroup:/tmp:bash --norc"
    ),
    "tigervnc": _vnc,
    "git": _git,
    "svnserve": _svn,
    "rsync": _rsync,
    "lines": _python("lines", "-c", LINES, "7000", "lines"),
    "echo": _python("echo", "-c", LINES, "7001", "echo"),
}


def _smbd(lab: Lab, address: str) -> list[str]:
    home = _folder(lab, f"smb-{address.replace(':', '_')}")
    (home / "conf").write_text(
        f"[global]\nserver role = standalone\nmap to guest = bad user\nguest account = root\nlog file = {home}/log\n"
        f"lock directory = {home}\nstate directory = {home}\ncache directory = {home}\npid directory = {home}\n"
        f"private dir = {home}\nncalrpc dir = {home}/n\nbind interfaces only = yes\ninterfaces = {address}\n"
        f"load printers = no\ndisable spoolss = yes\n[site]\npath = {lab.folder}/site\nguest ok = yes\nread only = no\n"
    )
    return ["smbd", "-F", "--no-process-group", "-s", str(home / "conf")]


def _direct(lab: Lab, role: str, address: str, port: int) -> list[str]:
    """Return the command line of a server that listens on the address itself."""
    server = KINDS[role].server
    pem = str(certificate(lab))
    if server == "lab":
        script = str(Path(__file__).with_name("tlsothers.py"))
        return ["/opt/tlslab/bin/python", script, role.partition("-")[2], address, str(port), pem]
    if server == "pyftpdlib":
        home = _folder(lab, "ftp")
        code = (
            "import sys\nfrom pyftpdlib.authorizers import DummyAuthorizer\nfrom pyftpdlib.handlers import FTPHandler\n"
            "from pyftpdlib.servers import ThreadedFTPServer\na = DummyAuthorizer()\n"
            f"a.add_user('lab', 'lab', '{home}', 'elradfmwMT')\nFTPHandler.authorizer = a\n"
            f"ThreadedFTPServer(('{address}', {port}), FTPHandler).serve_forever()\n"
        )
        return [webserve.PYTHON, "-c", code]
    if server == "smbd":
        return _smbd(lab, address)
    if server == "xvfb":  # one screen for all addresses
        return ["Xvfb", ":1", "-listen", "tcp", "-ac", "-screen", "0", "640x480x16"]
    return ["sipp", "-sn", "uas", "-t", "t1", "-i", address, "-p", str(port), "-nostdin"]


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
    text = "global\n maxconn 4000\ndefaults\n mode tcp\n timeout connect 9s\n timeout client 300s\n timeout server 300s\n"
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
    _start(lab, "haproxy", "haproxy", "-db", "-f", str(config))


def prepare(lab: Lab, chosen: dict[str, Activity]) -> None:
    """Start the servers of all activities."""
    seed = sum(map(len, chosen))
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
            _start(lab, f"{role}-{address.replace(':', '_')}", *_direct(lab, role, address, chosen[address].port))
    time.sleep(8)
    _fronts(lab, chosen)
    time.sleep(3)
    inner = {KINDS[role].server: KINDS[role].inner for role in roles.values() if not KINDS[role].direct}
    for server, port in sorted(inner.items()):
        if not lab.server.listens(port):
            log = lab.folder / f"more-{server}.log"
            said = log.read_text(errors="replace")[-300:] if log.exists() else ""
            print(f"{server} is silent: {said}", file=sys.stderr, flush=True)


