# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real servers of mail, directories, brokers, databases, chats, screens and files, for lab/webmore.py.

Each listens on 127.0.0.1 at the port that `lab.webmore.KINDS` states, but for those of `command`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from lab import webserve
from lab.network import WAIT, Lab
from lab.tlsserve import certificate

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
kind = {'lines': Lines, 'echo': Echo}[sys.argv[2]]
socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1])), kind).serve_forever()
"""
TERMINAL = """
import terminado, tornado.web, tornado.ioloop
made = terminado.UniqueTermManager(shell_command=['bash', '--norc'], max_terminals=100)
tornado.web.Application([('/terminal', terminado.TermSocket, {'term_manager': made})]).listen(8200, '127.0.0.1')
tornado.ioloop.IOLoop.current().start()
"""


def start(lab: Lab, name: str, *words: str) -> None:
    """Start a server and keep what it says."""
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
        "service imap-login {\n inet_listener imap {\n port = 1143\n }\n"
        " inet_listener imaps {\n port = 0\n }\n chroot =\n}\n"
        "service pop3-login {\n inet_listener pop3 {\n port = 1110\n }\n"
        " inet_listener pop3s {\n port = 0\n }\n chroot =\n}\n"
        "service anvil {\n chroot =\n}\nmail_max_userip_connections = 200\n"
    )
    start(lab, "dovecot", "dovecot", "-F", "-c", str(home / "conf"))


def _postgres(lab: Lab) -> None:
    home = _folder(lab, "pg")
    tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    subprocess.run(["chown", "postgres", str(home)], check=True, timeout=WAIT)
    make = [
        "setpriv",
        "--reuid=postgres",
        "--clear-groups",
        str(tools / "initdb"),
        "-D",
        f"{home}/d",
        "-A",
        "trust",
        "-N",
    ]
    subprocess.run([*make, "-U", "lab"], check=True, capture_output=True, timeout=120)
    line = [
        "setpriv",
        "--reuid=postgres",
        "--clear-groups",
        str(tools / "postgres"),
        "-D",
        f"{home}/d",
        "-k",
        str(home),
    ]
    start(lab, "postgres", *line, "-h", "127.0.0.1", "-p", "5432", "-c", "fsync=off")


def _mariadb(lab: Lab) -> None:
    home = _folder(lab, "maria")
    make = [
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={home}/d",
        "--user=root",
        "--auth-root-authentication-method=normal",
    ]
    subprocess.run(make, check=True, capture_output=True, timeout=120)
    start(
        lab,
        "mariadb",
        *(
            "mariadbd",
            "--no-defaults",
            f"--datadir={home}/d",
            f"--socket={home}/s",
            "--user=root",
            "--skip-grant-tables",
        ),
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
    start(lab, "slapd", "slapd", "-d", "0", "-f", str(home / "conf"), "-h", "ldap://127.0.0.1:3890")


def _unbound(lab: Lab) -> None:
    home = _folder(lab, "dns")
    names = ("example.org", "lab.example", "mail.lab.example", "a.very.long.name.of.a.host.example.net", "x.org")
    data = "".join(f' local-data: "{name}. A 192.0.2.1"\n local-data: "{name}. MX 10 {name}."\n' for name in names)
    (home / "conf").write_text(
        f'server:\n interface: 127.0.0.1@5353\n chroot: ""\n username: ""\n pidfile: {home}/pid\n use-syslog: no\n'
        f" access-control: 0.0.0.0/0 allow\n incoming-num-tcp: 200\n local-zone: . static\n{data}"
        "remote-control:\n control-enable: no\n"
    )
    start(lab, "unbound", "unbound", "-d", "-c", str(home / "conf"))


def _ngircd(lab: Lab) -> None:
    config = lab.folder / "ngircd.conf"
    config.write_text(
        "[Global]\nName = irc.lab.example\nInfo = lab\nListen = 127.0.0.1\nPorts = 6667\nServerUID = nobody\n"
        "[Limits]\nPingTimeout = 7\nPongTimeout = 20\nMaxConnectionsIP = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
    )
    start(lab, "ngircd", "ngircd", "-n", "-f", str(config))


def _git(lab: Lab) -> None:
    home = _folder(lab, "git")
    script = (
        f"cd {home} && git init -q work && cd work && git config user.email a@b && git config user.name a && "
        "for n in $(seq 12); do head -c $((n * 900)) /dev/urandom | base64 > f$n; git add .; git commit -qm $n; done; "
        f"git clone -q --bare . {home}/repo.git; touch {home}/repo.git/git-daemon-export-ok"
    )
    subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        timeout=60,
        check=False,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    start(
        lab,
        "git",
        "env",
        f"HOME={home}",
        "git",
        "-c",
        "safe.directory=*",
        "daemon",
        "--reuseaddr",
        "--listen=127.0.0.1",
        f"--base-path={home}",
    )


def _svn(lab: Lab) -> None:
    home = _folder(lab, "svn")
    subprocess.run(["svnadmin", "create", f"{home}/r"], check=False, capture_output=True, timeout=WAIT)
    start(lab, "svn", "svnserve", "-d", "--foreground", "--listen-host", "127.0.0.1", "-r", f"{home}/r")


def _rsync(lab: Lab) -> None:
    config = lab.folder / "rsyncd.conf"
    config.write_text(f"use chroot = no\n[site]\npath = {lab.folder}/site\n")
    start(lab, "rsync", "rsync", "--daemon", "--no-detach", "--port=8730", "--address=127.0.0.1", f"--config={config}")


def _python(name: str, *words: str) -> Callable[[Lab], None]:
    return lambda lab: start(lab, name, webserve.PYTHON, *words)


def _nats(lab: Lab) -> None:
    start(lab, "nats", "nats-server", "-a", "127.0.0.1", "-p", "4222")


def _vnc(lab: Lab) -> None:
    start(
        lab,
        "tigervnc",
        *(
            "Xtigervnc",
            ":7",
            "-nolock",
            "-rfbport",
            "5901",
            "-localhost",
            "-SecurityTypes",
            "None",
            "-geometry",
            "640x400",
        ),
        *("-AlwaysShared", "-depth", "16"),
    )


SERVERS: dict[str, Callable[[Lab], None]] = {
    "dovecot": _dovecot,
    "aiosmtpd": _python("smtp", "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:1025", "-c", "aiosmtpd.handlers.Sink"),
    "slapd": _slapd,
    "mosquitto": lambda lab: start(lab, "mosquitto", "mosquitto", "-p", "1883"),
    "redis": lambda lab: start(lab, "redis", "redis-server", "--port", "6379", "--save", "", "--bind", "127.0.0.1"),
    "postgres": _postgres,
    "mariadb": _mariadb,
    "memcached": lambda lab: start(lab, "memcached", "memcached", "-u", "nobody", "-l", "127.0.0.1"),
    "nats": _nats,
    "unbound": _unbound,
    "ngircd": _ngircd,
    "terminado": _python("terminado", "-c", TERMINAL),
    "shellinabox": lambda lab: start(
        lab,
        "shellinabox",
        "shellinaboxd",
        "-t",
        "-p",
        "4200",
        "--localhost-only",
        "-s",
        "/:nobody:nogroup:/tmp:bash --norc",
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


def command(lab: Lab, server: str, role: str, address: str, port: int) -> list[str]:
    """Return the command line of a server that listens on the address itself."""
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
        return ["Xvfb", ":1", "-nolock", "-listen", "tcp", "-ac", "-screen", "0", "640x480x16"]
    return ["sipp", "-sn", "uas", "-t", "t1", "-i", address, "-p", str(port), "-nostdin"]
