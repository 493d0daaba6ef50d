# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415 - each role has its own library; certificates and passwords are of no matter here
"""Clients of other protocols than HTTP, in TLS or plain: `protocols.py ROLE HOST PORT tls|plain SEED COUNT SECONDS`.

Plays COUNT sessions that begin within SECONDS. People type with the pace of lab/people.py. Where a program has no TLS
of its own, socat on this machine gives it (`outside`).
"""

import asyncio
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROLE, HOST, PORT, WAY, SEED, COUNT, SECONDS = sys.argv[1:]
PORT, TLS, SEED, COUNT, SECONDS = int(PORT), WAY == "tls", int(SEED), int(COUNT), float(SECONDS)
AT = f"[{HOST}]" if ":" in HOST else HOST
NAMES = ("example.org", "lab.example", "mail.lab.example", "a.very.long.name.of.a.host.example.net", "x.org")


def trusting():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if random.random() < 0.25:
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    return made


def run(*words, given=b"", limit=60, **more):
    """Run a program, whatever comes of it."""
    change = {**os.environ, "HOME": "/root", **more}
    kinds = {"input": given} if given is not None else {"stdin": subprocess.DEVNULL}
    try:
        return subprocess.run(words, capture_output=True, timeout=limit, check=False, env=change, **kinds).stdout
    except subprocess.TimeoutExpired:
        return b""


def connect():
    """Return a socket to the server, in TLS if it is so."""
    made = socket.create_connection((HOST, PORT), 20)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return trusting().wrap_socket(made, server_hostname="lab.example") if TLS else made


class Outside:
    """A local port whose connections go to the server in TLS (socat), or the server itself where there is none."""

    def __enter__(self):
        if not TLS:
            self.host, self.port, self._socat = HOST, PORT, None
            return self
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host, self.port = free.getsockname()
        words = ["socat", f"TCP4-LISTEN:{self.port},bind=127.0.0.1,fork,reuseaddr", f"OPENSSL:{AT}:{PORT},verify=0"]
        self._socat = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        time.sleep(1)
        return self

    def __exit__(self, *_):
        if self._socat:
            self._socat.terminate()
            self._socat.wait()


def text(draw, median=60, spread=0.8):
    return "t" * max(1, int(median * draw.lognormvariate(0, spread)))


def letter(draw, median, spread):
    """Return a mail, in lines of at most 70 letters."""
    size = max(1, int(median * draw.lognormvariate(0, spread)))
    return "Subject: lab\r\n\r\n" + ("t" * 70 + "\r\n") * (size // 70) + "t" * (size % 70) + "\r\n"


def typed(draw, line):
    """Yield the keys of a line at the pace of a hand."""
    time.sleep(draw.uniform(0.7, 4))
    for key in line:
        time.sleep(min(1.2, draw.lognormvariate(-1.97, 0.45)))
        yield key


def person(draw, words, prompt, lines, end="\r"):
    """Someone at a program with a prompt."""
    import pexpect

    program = pexpect.spawn(words[0], list(words[1:]), timeout=20, encoding="utf-8", env={**os.environ, "HOME": "/root"})
    program.delaybeforesend = None
    try:
        for line in lines:
            program.expect(prompt)
            for key in typed(draw, line):
                program.send(key)
            program.send(end)
        program.expect([prompt, pexpect.EOF])
    except (pexpect.EOF, pexpect.TIMEOUT):
        pass
    time.sleep(draw.uniform(0.5, 2))
    program.close(force=True)


# Mail


def imap(draw):
    import imaplib

    mail = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=trusting()) if TLS else imaplib.IMAP4(HOST, PORT)
    mail.login(f"user{draw.randrange(9)}", "lab")
    if draw.random() < 0.5:
        mail.list()
    if draw.random() < 0.6:
        mail.append("INBOX", None, None, b"Subject: lab\r\n\r\n" + b"x" * int(draw.lognormvariate(6, 1)))
    mail.select()
    mail.search(None, "ALL")
    mail.fetch("1:*", draw.choice(("(FLAGS)", "(FLAGS BODY.PEEK[HEADER])", "(RFC822)")))
    for _ in range(draw.choice((0, 0, 3, 7))):
        time.sleep(draw.choice((0.5, 1.2, 3)) * draw.uniform(0.9, 1.1))
        mail.noop()
    mail.logout()


def imap_curl(draw):
    scheme = "imaps" if TLS else "imap"
    run("curl", "-sk", "-m", "30", "-u", "user1:lab", f"{scheme}://{AT}:{PORT}/INBOX" + draw.choice(("", ";UID=1", "?ALL")))


def imap_mbsync(draw):
    with tempfile.TemporaryDirectory() as folder:
        way = "SSLType IMAPS\nSSLVersions TLSv1.2 TLSv1.3\nCertificateFile /nonexistent\n" if TLS else "SSLType None\n"
        with open(f"{folder}/rc", "w") as rc:
            rc.write(
                f"IMAPAccount a\nHost {HOST}\nPort {PORT}\nUser user{draw.randrange(9)}\nPass lab\nAuthMechs LOGIN\n{way}\n"
                f"IMAPStore far\nAccount a\n\nMaildirStore near\nPath {folder}/m/\nInbox {folder}/m/INBOX\n"
                "SubFolders Verbatim\n\nChannel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nSyncState *\n"
            )
        os.mkdir(f"{folder}/m")
        run("mbsync", "-q", "-c", f"{folder}/rc", "-a")


def imap_idle(draw):
    stream = connect()
    talk = stream.makefile("rwb")
    talk.readline()
    for number, line in enumerate((f"LOGIN user{draw.randrange(9)} lab", "SELECT INBOX", "IDLE")):
        talk.write(f"a{number} {line}\r\n".encode())
        talk.flush()
        while (line := talk.readline()) and not line.startswith((f"a{number} ".encode(), b"+")):
            pass
        if not line:
            return
    time.sleep(draw.uniform(3, 20))
    talk.write(b"DONE\r\n")
    talk.flush()
    talk.readline()
    talk.write(b"z LOGOUT\r\n")
    talk.flush()
    talk.read()


def pop3(draw):
    import poplib

    mail = poplib.POP3_SSL(HOST, PORT, context=trusting()) if TLS else poplib.POP3(HOST, PORT)
    mail.user(f"user{draw.randrange(9)}")
    mail.pass_("lab")
    count = mail.stat()[0]
    mail.list()
    for number in range(1, min(count, 4) + 1):
        mail.retr(number)
    mail.quit()


def pop3_curl(draw):
    run("curl", "-sk", "-m", "30", "-u", "user2:lab", f"{'pop3s' if TLS else 'pop3'}://{AT}:{PORT}/" + draw.choice(("", "1")))


def pop3_fetchmail(draw):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/rc", "w") as rc:
            ways = "ssl nosslcertck" if TLS else "sslproto ''"
            rc.write(
                f"poll {HOST} service {PORT} proto {draw.choice(('pop3', 'pop3'))} user user{draw.randrange(9)} pass lab "
                f"{ways} keep fetchall mda /bin/true\n"
            )
        os.chmod(f"{folder}/rc", 0o600)
        run("fetchmail", "-f", f"{folder}/rc", "--pidfile", f"{folder}/pid", "-i", f"{folder}/ids", FETCHMAILHOME=folder)


def smtp(draw):
    import smtplib

    mail = smtplib.SMTP_SSL(HOST, PORT, context=trusting()) if TLS else smtplib.SMTP(HOST, PORT)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        to = [f"{text(draw, 6)}@lab.example" for _ in range(draw.choice((1, 1, 2, 4)))]
        mail.sendmail("someone@lab.example", to, letter(draw, 800, 1.3))
    mail.quit()


def smtp_curl(draw):
    body = letter(draw, 600, 1.3).encode()
    words = ["curl", "-sk", "-m", "30", f"{'smtps' if TLS else 'smtp'}://{AT}:{PORT}/me", "-T", "-"]
    run(*words, "--mail-from", "a@lab.example", "--mail-rcpt", f"{text(draw, 8)}@lab.example", given=body)


def smtp_swaks(draw):
    words = ["swaks", "-S", "2", "-t", f"{text(draw, 8)}@lab.example", "-f", "a@lab.example", "-s", HOST, "-p", str(PORT)]
    run(*words, "--body", text(draw, 60, 1), *(["--tlsc"] if TLS else []))


def smtp_msmtp(draw):
    way = ["--tls=on", "--tls-starttls=off", "--tls-certcheck=off"] if TLS else ["--tls=off"]
    words = ["msmtp", f"--host={HOST}", f"--port={PORT}", "--from=a@lab.example", "--auth=off", *way]
    run(*words, f"{text(draw, 8)}@lab.example", given=letter(draw, 900, 1.2).replace("\r", "").encode())


# Directories, brokers, databases


def ldap(draw):
    import ldap3

    way = ldap3.Tls(validate=ssl.CERT_NONE)
    server = ldap3.Server(HOST, PORT, use_ssl=TLS, tls=way, get_info=draw.choice((ldap3.NONE, ldap3.DSA)))
    with ldap3.Connection(server, "cn=admin,dc=lab", "lab") as tree:
        for _ in range(draw.randint(1, 8)):
            tree.search("dc=lab", f"(cn={text(draw, 6)})", attributes=["*"])
            time.sleep(draw.choice((0, 0, 0.3, 1.2)))


def ldap_search(draw):
    way = f"{'ldaps' if TLS else 'ldap'}://{AT}:{PORT}"
    run("ldapsearch", "-x", "-H", way, "-b", "dc=lab", f"(uid={text(draw, 6)})", LDAPTLS_REQCERT="never")


def mqtt(draw):
    import paho.mqtt.client as paho

    made = paho.Client()
    if TLS:
        made.tls_set_context(trusting())
        made.tls_insecure_set(True)
    made.connect(HOST, PORT, keepalive=draw.choice((5, 10, 60)))
    made.loop_start()
    made.subscribe(f"room/{draw.randrange(4)}/#", draw.randrange(2))
    regular, size = draw.random() < 0.5, draw.randint(4, 200)
    for _ in range(draw.randint(2, 14)):
        time.sleep(draw.choice((0.1, 1, 2)) * draw.uniform(0.9, 1.1))
        made.publish(f"room/{draw.randrange(4)}/t", "9" * (size if regular else draw.randint(2, 300)), draw.randrange(2))
    made.disconnect()
    made.loop_stop()


def mqtt_tools(draw):
    way = ["-h", HOST, "-p", str(PORT)] + (["--cafile", "/etc/ssl/certs/ca-certificates.crt", "--insecure"] if TLS else [])
    if draw.random() < 0.5:
        run("timeout", "12", "mosquitto_sub", *way, "-t", "room/#", "-k", "5", "-C", str(draw.randint(1, 6)))
    else:
        lines = "".join(text(draw, 40) + "\n" for _ in range(draw.randint(1, 9)))
        run("mosquitto_pub", *way, "-t", "room/1/x", "-l", given=lines.encode())


def redis(draw):
    import redis as library

    more = {"ssl": True, "ssl_cert_reqs": None} if TLS else {}
    base = library.Redis(HOST, PORT, socket_timeout=20, single_connection_client=True, **more)
    for _ in range(draw.randint(2, 40)):
        kind = draw.random()
        if kind < 0.4:
            base.set(f"key:{draw.randrange(99)}", text(draw, 30, 1.2))
        elif kind < 0.8:
            base.get(f"key:{draw.randrange(99)}")
        else:
            base.incr("count")
        time.sleep(draw.choice((0, 0, 0, 0.1, 1)))
    base.close()


def redis_cli(draw):
    lines = ["set name value", "get name", "keys *", "info server", "incr hits", "del name", "quit"]
    way = ["--tls", "--insecure"] if TLS else []
    person(draw, ["redis-cli", "-h", HOST, "-p", str(PORT), *way], "> $", draw.sample(lines[:-1], 4) + ["quit"])


QUERIES = (
    "select 1;",
    "select version();",
    "select count(*) from pg_class;",
    "select relname from pg_class limit 20;",
    "create temp table t (a int, b text);",
    "insert into t values (1, 'one');",
    "select * from t;",
    "show all;",
    "\\l",
    "\\dt",
)


def psql_typed(draw):
    with Outside() as out:
        words = ["psql", "-h", out.host, "-p", str(out.port), "-U", "lab", "-P", "pager=off", "postgres"]
        person(draw, words, "=[>#] $", [*draw.sample(QUERIES, 5), "\\q"])


def psql(draw):
    with Outside() as out:
        words = ["psql", "-h", out.host, "-p", str(out.port), "-U", "lab", "-qAt", "postgres", "-c", draw.choice(QUERIES[:4])]
        run(*words, given=None, PGSSLMODE=draw.choice(("disable", "prefer")))


def postgres(draw):
    import psycopg2

    with Outside() as out:
        base = psycopg2.connect(host=out.host, port=out.port, user="lab", dbname="postgres", sslmode="disable")
        rows = base.cursor()
        for _ in range(draw.randint(2, 25)):
            rows.execute("select %s, relname from pg_class limit %s", (text(draw, 20), draw.choice((1, 1, 3, 40))))
            rows.fetchall()
            time.sleep(draw.choice((0, 0, 0, 0.2, 1.1)))
        base.close()


def mysql_typed(draw):
    with Outside() as out:
        words = ["mysql", "-h", out.host, "-P", str(out.port), "-u", "lab", "--protocol=tcp", "--skip-ssl"]
        lines = ("select 1;", "show databases;", "select now();", "show variables;", "show processlist;", "status")
        person(draw, words, r"\]> $", [*draw.sample(lines, 4), "quit"])


def mysql(draw):
    import pymysql

    with Outside() as out:
        base = pymysql.connect(host=out.host, port=out.port, user="lab")
        with base.cursor() as rows:
            for _ in range(draw.randint(2, 25)):
                rows.execute("select %s, 1 + %s", (text(draw, 20), draw.randrange(99)))
                rows.fetchall()
                time.sleep(draw.choice((0, 0, 0, 0.2, 1.1)))
        base.close()


def memcached(draw):
    with connect() as stream:
        for _ in range(draw.randint(2, 30)):
            value = text(draw, 40)
            stream.sendall(
                f"set k{draw.randrange(9)} 0 0 {len(value)}\r\n{value}\r\n".encode()
                if draw.random() < 0.4
                else f"get k{draw.randrange(9)}\r\n".encode()
            )
            stream.recv(4096)
            time.sleep(draw.choice((0, 0, 0.1, 1)))


def nats(draw):
    """Speak the text protocol of NATS: servers ping, clients publish and are told."""
    with connect() as stream:
        stream.recv(4096)
        stream.sendall(b'CONNECT {"verbose":false,"lang":"python","version":"2"}\r\nPING\r\n')
        stream.recv(100)
        stream.sendall(b"SUB room 1\r\n")
        for _ in range(draw.randint(3, 15)):
            value = text(draw, 40)
            stream.sendall(f"PUB room {len(value)}\r\n{value}\r\n".encode())
            stream.recv(4096)
            time.sleep(draw.choice((0, 0.3, 1.1)))


def names(draw):
    way = ["+tls"] if TLS else ["+tcp"]
    asked = [word for _ in range(draw.randint(1, 9)) for word in (draw.choice(NAMES), draw.choice(("A", "AAAA", "TXT", "MX")))]
    words = ["kdig", *way, "+keepopen", f"@{HOST}", "-p", str(PORT), *asked]
    run(*words, limit=30)


# Chats and websockets


def irc(draw):
    """A program or a person in a chat room; the server pings."""
    with connect() as stream:
        nick = "n%06d" % draw.randrange(10**6)
        stream.sendall(f"NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n".encode())
        stream.settimeout(0.5)
        end = time.monotonic() + draw.uniform(12, 30)
        joined = False
        spoken = time.monotonic() + draw.uniform(2, 9)
        while time.monotonic() < end:
            try:
                got = stream.recv(8192)
            except (TimeoutError, ssl.SSLError):
                got = b""
            for line in got.split(b"\r\n"):
                if line.startswith(b"PING"):
                    stream.sendall(b"PONG" + line[4:] + b"\r\n")
            if got and not joined:
                stream.sendall(f"JOIN #room{draw.randrange(3)}\r\n".encode())
                joined = True
            if time.monotonic() > spoken:
                stream.sendall(f"PRIVMSG #room{draw.randrange(3)} :{text(draw, 30)}\r\n".encode())
                spoken = time.monotonic() + draw.uniform(2, 9)
        stream.sendall(b"QUIT\r\n")


def websocket(kind):
    """Return what one side of a websocket of this kind does (see `talk` of server.py)."""

    async def act(draw):
        import websockets

        place = f"{'wss' if TLS else 'ws'}://{AT}:{PORT}/ws?kind={kind}"
        more = {"ssl": trusting()} if TLS else {}
        beat = draw.choice((None, 3, 20))
        async with websockets.connect(place, ping_interval=beat, max_size=None, **more) as web:

            async def hear():
                async for said in web:
                    if kind == "notes" and isinstance(said, str):  # a receipt, as chats have it
                        await web.send('{"seen":%d,"at":"%d"}' % (len(said), time.time()))
                    elif kind == "chat" and draw.random() < 0.2:
                        await web.send('{"read":true}')

            hearing = asyncio.ensure_future(hear())
            end = time.monotonic() + draw.uniform(8, 28)
            while time.monotonic() < end and not hearing.done():
                if kind == "chat":
                    for _ in range(draw.randint(1, 3)):
                        await asyncio.sleep(draw.uniform(0.5, 2))
                        await web.send('{"typing":true}')
                    await asyncio.sleep(draw.uniform(0.5, 4))
                    await web.send(json.dumps({"text": text(draw, 35)}))
                elif kind == "editor":
                    await asyncio.sleep(draw.lognormvariate(-1.9, 0.5) + (2 if draw.random() < 0.05 else 0))
                    await web.send('{"op":"insert","at":%d,"text":"k"}' % draw.randrange(9999))
                elif kind == "game":
                    await asyncio.sleep(0.1)
                    await web.send(os.urandom(draw.randint(12, 40)))
                elif kind in ("rpc", "echo"):
                    await asyncio.sleep(draw.choice((0, 0.05, 0.5, 1.5)))
                    await web.send(json.dumps({"id": draw.randrange(10**6), "method": text(draw, 20)}))
                else:
                    await asyncio.sleep(3)
                    if draw.random() < 0.3:
                        await web.send('{"subscribe":"%s"}' % text(draw, 8))
            hearing.cancel()

    return lambda draw: asyncio.run(act(draw))


COMMANDS = ("ls -l", "uname -a", "ps ax", "cat /etc/hosts", "df -h", "id", "cd /tmp", "echo hello world", "date", "w")


async def _terminal(draw):
    """A person at a shell in the browser (terminado): each key is a message, echoes come back."""
    import websockets

    more = {"ssl": trusting()} if TLS else {}
    async with websockets.connect(f"{'wss' if TLS else 'ws'}://{AT}:{PORT}/terminal", ping_interval=20, **more) as web:

        async def hear():
            async for _ in web:
                pass

        hearing = asyncio.ensure_future(hear())
        await web.send('["set_size",24,80,600,800]')
        for line in draw.sample(COMMANDS, draw.randint(2, 5)):
            await asyncio.sleep(draw.uniform(0.7, 4))
            for key in line + "\r":
                await asyncio.sleep(min(1.2, draw.lognormvariate(-1.97, 0.45)))
                await web.send(json.dumps(["stdin", key]))
        await asyncio.sleep(draw.uniform(0.5, 2))
        hearing.cancel()


def terminal(draw):
    asyncio.run(_terminal(draw))


def shellinabox(draw):
    """A person at a shell in the browser by long polls and posts of keys (shellinabox)."""
    import http.client
    import urllib.parse

    def made():
        if TLS:
            return http.client.HTTPSConnection(HOST, PORT, timeout=40, context=trusting())
        return http.client.HTTPConnection(HOST, PORT, timeout=40)

    head = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    first = made()
    first.request("POST", "/?", "width=80&height=24&rooturl=%2F", head)
    session = json.loads(first.getresponse().read()).get("session", "")
    over = threading.Event()

    def listen():
        web = made()
        while not over.is_set():
            try:
                web.request("POST", "/?", f"width=80&height=24&session={urllib.parse.quote(session)}", head)
                web.getresponse().read()
            except (OSError, http.client.HTTPException):
                return

    threading.Thread(target=listen, daemon=True).start()
    for line in draw.sample(COMMANDS, draw.randint(2, 4)):
        for key in typed(draw, line + "\r"):
            keys = key.encode().hex().upper()
            first.request("POST", "/?", f"width=80&height=24&session={urllib.parse.quote(session)}&keys={keys}", head)
            first.getresponse().read()
    over.set()


def vnc(draw):
    """A screen far away (RFB 3.8), plain or over a websocket (websockify): keys, the mouse, updates."""
    import struct

    with Outside() as out, socket.create_connection((out.host, out.port), 20) as stream:

        def exactly(count):
            data = b""
            while len(data) < count:
                more = stream.recv(count - len(data))
                if not more:
                    raise EOFError
                data += more
            return data

        exactly(12)
        stream.sendall(b"RFB 003.008\n")
        exactly(exactly(1)[0])
        stream.sendall(b"\1")
        exactly(4)
        stream.sendall(b"\1")
        width, height = struct.unpack(">HH", exactly(4))
        exactly(16)
        exactly(struct.unpack(">I", exactly(4))[0])
        stream.sendall(struct.pack(">BxH2i", 2, 2, 0, 1))

        def watch():
            try:
                while True:
                    if not stream.recv(65536):
                        return
                    stream.sendall(struct.pack(">BBHHHH", 3, 1, 0, 0, width, height))
            except OSError:
                return

        threading.Thread(target=watch, daemon=True).start()
        stream.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
        end = time.monotonic() + draw.uniform(8, 25)
        while time.monotonic() < end:
            if draw.random() < 0.5:
                for key in typed(draw, draw.choice(COMMANDS) + "\r"):
                    for down in (1, 0):
                        stream.sendall(struct.pack(">BBxxI", 4, down, 0xFF0D if key == "\r" else ord(key)))
            else:
                for _ in range(draw.randint(5, 40)):
                    stream.sendall(struct.pack(">BBHH", 5, 0, draw.randrange(width), draw.randrange(height)))
                    time.sleep(0.02)
                time.sleep(draw.uniform(0.2, 2))


def viewer(draw):
    """The same with a program: xtightvncviewer on a screen without glass."""
    with Outside() as out:
        words = ["timeout", "15", "xvfb-run", "-a", "xtightvncviewer", "-nocursorshape", f"{out.host}::{out.port}"]
        run(*words, limit=30)


# Files, versions, others


def ftp(draw):
    import ftplib
    import io

    with ftplib.FTP() as far:
        far.connect(HOST, PORT, 20)
        far.login("lab", "lab")
        far.pwd()
        for _ in range(draw.randint(1, 5)):
            if draw.random() < 0.5:
                far.nlst()
            else:
                far.storbinary(f"STOR f{draw.randrange(99)}", io.BytesIO(text(draw, 900, 1.3).encode()))
        far.quit()


def ftp_curl(draw):
    run("curl", "-s", "-m", "20", f"ftp://lab:lab@{AT}:{PORT}/" + draw.choice(("", "f1")))


def ftp_wget(draw):
    run("wget", "-q", "-T", "20", "-t", "1", "-O", "/dev/null", f"ftp://lab:lab@{AT}:{PORT}/")


def ftp_lftp(draw):
    orders = "; ".join(draw.choice(("ls", "pwd", "cd .", "nlist")) for _ in range(draw.randint(1, 5)))
    run("lftp", "-u", "lab,lab", "-p", str(PORT), "-e", f"set ftp:ssl-allow no; {orders}; bye", HOST)


def git(draw):
    with tempfile.TemporaryDirectory() as folder:
        run("git", "clone", "-q", f"git://{AT}:{PORT}/repo.git", folder)


def svn(draw):
    run("svn", "info" if draw.random() < 0.5 else "ls", "--non-interactive", f"svn://{AT}:{PORT}/")


def rsync(draw):
    with tempfile.TemporaryDirectory() as folder:
        run("rsync", "-a", "--timeout=20", f"rsync://{AT}:{PORT}/site/o{draw.randrange(9)}*", folder)


def smb(draw):
    orders = "; ".join(draw.choice(("ls", "pwd", "mkdir d", "put /etc/hosts h", "get o1.jpg /dev/null")) for _ in range(4))
    run("smbclient", "-N", "-p", str(PORT), f"//{HOST}/site", "-c", orders)


def smb_impacket(draw):
    from impacket.smbconnection import SMBConnection

    far = SMBConnection("lab", HOST, sess_port=PORT)
    far.login("", "")
    for _ in range(draw.randint(1, 4)):
        far.listPath("site", "*")
        time.sleep(draw.choice((0, 0.3, 1)))
    far.logoff()


def x11(draw):
    program_ = draw.choice((("xdpyinfo",), ("xlsfonts",), ("timeout", "12", "xclock", "-update", "1"), ("xwininfo", "-root")))
    run(*program_, DISPLAY=f"{AT}:{PORT - 6000}")


def sip(draw):
    with tempfile.TemporaryDirectory() as folder:
        words = ["sipp", "-sn", "uac", "-t", "t1", "-m", "3", "-r", "1", "-d", "800", "-nostdin", f"{AT}:{PORT}"]
        subprocess.run(words, cwd=folder, capture_output=True, timeout=40, check=False)


def lines(draw):
    """A person at a server of lines (calculator, adventure, console of a program) by ncat."""
    way = ["--ssl"] if TLS else []
    person(draw, ["ncat", *way, HOST, str(PORT)], "> ", [draw.choice(("look", "1 + 2", "status", "help me")) for _ in range(4)], "\n")


def instrument(draw):
    """A program that asks an instrument or a controller: short lines, short answers, at fixed intervals."""
    with connect() as stream:
        pause = draw.choice((0.05, 0.3, 1, 2))
        stream.recv(100)
        for _ in range(draw.randint(5, 20)):
            stream.sendall(draw.choice((b"MEAS:VOLT?\n", b"*IDN?\n", b"STAT?\n", b"OUTP ON\n")))
            stream.recv(4096)
            time.sleep(pause * draw.uniform(0.95, 1.05))


def modbus(draw):
    """Modbus/TCP: requests of 12 bytes, answers of 11 to 29, at fixed intervals."""
    with connect() as stream:
        pause = draw.choice((0.05, 0.5, 1.1))
        for number in range(draw.randint(5, 30)):
            stream.sendall(number.to_bytes(2, "big") + b"\0\0\0\6\1\3\0\0\0" + bytes([draw.choice((1, 2, 10))]))
            stream.recv(300)
            time.sleep(pause)


def others(name):
    """Return a client of lab/tlsothers.py, called as it is there."""

    def act(draw):
        here = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tlsothers.py")
        run("/opt/tlslab/bin/python", here, name, HOST, str(PORT), limit=90)

    return act


def early(draw):
    """0-RTT (RFC 8446, 2.3): a session, and a second connection whose request is in the first flight."""
    with tempfile.TemporaryDirectory() as folder:
        request = f"GET /b/x?n={draw.randint(1, 4000)}& HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n".encode()
        with open(f"{folder}/ask", "wb") as ask:
            ask.write(request)
        base = ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-quiet", "-ign_eof"]
        run(*base, "-sess_out", f"{folder}/kept", given=request, limit=15)
        for _ in range(3):
            run(*base, "-sess_in", f"{folder}/kept", "-early_data", f"{folder}/ask", given=b"", limit=15)


def shake(draw):
    """Only shake hands, as scanners and checkers of certificates do: many ways of it."""
    kinds = (
        ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-alpn", "h2"],
        ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-tls1_2", "-servername", "lab.example"],
        ["openssl", "s_client", "-connect", f"{AT}:{PORT}", "-groups", "P-521:X25519"],
        ["gnutls-cli", "--insecure", "-p", str(PORT), HOST],
        ["gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-TLS1.3", "-p", str(PORT), HOST],
        ["gnutls-cli", "--insecure", "-p", str(PORT), "-r", HOST],
    )
    given = draw.choice((b"", b"GET / HTTP/1.0\r\n\r\n", b"x\n"))
    run(*draw.choice(kinds), given=given, limit=15)


ROLES = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and not name.startswith("_") and name not in ("Outside",)
}
ROLES |= {f"ws-{kind}": websocket(kind) for kind in ("ticker", "game", "board", "chat", "notes", "editor", "echo", "rpc")}
ROLES |= {f"python-{name}": others(name) for name in ("api", "events", "grpc")}


def main():
    """Play all sessions, a thread each."""
    act = ROLES[ROLE.replace("python-", "python-")]

    def one(number):
        draw = random.Random(SEED * 4099 + number)
        time.sleep(draw.uniform(0, SECONDS))
        try:
            act(draw)
        except Exception as error:
            print(type(error).__name__, str(error)[:200], file=sys.stderr)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(COUNT)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + SECONDS + 70
    for thread in threads:
        thread.join(max(0.1, end - time.monotonic()))


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)
