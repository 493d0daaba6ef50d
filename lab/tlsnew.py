# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of the third recording of port 443: relays, shells and SSH clients that neither other recording has.

They come from Debian (APT_NEW in the Makefile), and from npm and PyPI into FLOWTAP_TLSNEW (lab/tlstools.py).
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from lab import tlsmore
from lab.network import PASSWORD, SERVER, USER, WAIT, Lab
from lab.people import Person, program
from lab.tls import Act, Serve, key
from lab.tlsforeign import SOURCES
from lab.tlsserve import INNER, bracketed, certificate
from lab.tlstools import NEW as TOOLS

PY = f"{TOOLS}/py/bin/python"
TALK = (PY, "-W", "ignore", str(Path(__file__).with_name("tlsnewtalk.py")))
FRIENDS = (PY, "-W", "ignore", str(Path(__file__).with_name("tlsfriends.py")))
NODE = ("node", str(SOURCES / "new.js"))
WSTUNNEL_LINE = ("node", f"{TOOLS}/node_modules/wstunnel/bin/wstt.js")
NODE_SSHD, ERLANG_SSHD, SOCKS, NCAT, PRIVOXY, WSTUNNEL = 2231, 2232, 1080, 3130, 3131, 8090  # ports on INNER


@functools.cache
def sharp() -> list[str]:
    """Return the command line of lab/foreign/Sharp.cs, made once."""
    path = Path(os.environ.get("FLOWTAP_CACHE", "/var/cache/flowtap")) / "Sharp.exe"
    source = SOURCES / "Sharp.cs"
    if not path.exists() or path.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["mcs", f"-out:{path}", str(source)], check=True, capture_output=True, timeout=WAIT)
    return ["mono", str(path)]


def _log(lab: Lab, name: str, address: str) -> Path:
    return lab.folder / f"{name}-{address.replace(':', '_')}.log"


def served(name: str, line: Callable[[Lab, str], list[str]]) -> Serve:
    """Return what starts a server of a command line."""

    def serve(lab: Lab, address: str) -> None:
        lab.server.start(*line(lab, address), log=_log(lab, name, address))

    return serve


def asyncio_front(port: int, host: str = INNER) -> Serve:
    """Start a relay of asyncio."""
    return served(
        "asyncio", lambda lab, address: [*TALK, "front", address, "443", host, str(port), str(certificate(lab))]
    )


def stone(port: int, host: str = INNER) -> Serve:
    """Start the relay `stone`."""
    return served(
        "stone",
        lambda lab, address: [
            *("stone", "-n", "-z", f"certkey={certificate(lab)}", f"{host}:{port}"),
            f"{address}:443/ssl" + (",v6" if ":" in address else ""),
        ],
    )


def websockify(port: int, host: str = INNER) -> Serve:
    """Start websockify, which takes websockets over TLS to a port."""
    return served(
        "websockify",
        lambda lab, address: [
            *("/usr/bin/websockify", "--ssl-only", f"--cert={certificate(lab)}", f"--key={lab.folder}/tls.key"),
            *(f"{bracketed(address)}:443", f"{host}:{port}"),
        ],
    )


def twisted(port: int, host: str = INNER) -> Serve:
    """Start a relay of Twisted."""

    def line(lab: Lab, address: str) -> list[str]:
        pem, place = certificate(lab), address.replace(":", "\\:")
        listen = f"ssl:443:privateKey={pem}:certKey={pem}:interface={place}"
        pid = f"--pidfile={lab.folder}/twisted-{address.replace(':', '_')}.pid"
        return [f"{TOOLS}/py/bin/twistd", "-n", pid, "portforward", "--port", listen, "--host", host, "-d", str(port)]

    return served("twisted", line)


def node_front(port: int, host: str = INNER) -> Serve:
    """Start a relay of Node."""
    return served(
        "nodefront",
        lambda lab, address: [*NODE, "front", address, "443", host, str(port), str(certificate(lab))],
    )


def node_proxy(lab: Lab, address: str) -> None:
    """Start npm's proxy-chain as a proxy reached by TLS."""
    served("proxychain", lambda lab, address: [*NODE, "proxy", address, "443", str(certificate(lab))])(lab, address)


def friend(role: str) -> Serve:
    """Start a server of tlsfriends.py."""
    return served(role, lambda lab, address: [*FRIENDS, role, address, "443", str(certificate(lab))])


def local(lab: Lab, kind: str, address: str) -> int:
    """Start a relay on the client's side and return its port; those that tlsmore.py has as well."""
    port = 21_000 + int(address.replace(":", ".").rpartition(".")[2])
    there, gnutls = (
        f"{bracketed(address)}:443",
        ["gnutls-cli", "--insecure", "--logfile=/dev/null", "-p", "443", address],
    )
    lines = {
        "asyncio": [*TALK, "local", str(port), address, "443"],
        "tcpsvd": [
            "tcpsvd",
            "-l",
            "lab",
            "127.0.0.1",
            str(port),
            *("openssl", "s_client", "-quiet", "-verify_quiet", "-connect", there),
        ],
        "tcpsvd-gnutls": ["tcpsvd", "-l", "lab", "127.0.0.1", str(port), *gnutls],
        "mono": [*sharp(), "local", str(port), address, "443"],
        "stone": [
            *("stone", "-n", "-q", "verify,none", "-q", "servername=lab.example"),
            *(f"{address}:443/ssl" + (",v6" if ":" in address else ""), f"127.0.0.1:{port}"),
        ],
    }
    if kind not in lines:
        return tlsmore.local(lab, kind, address)
    lab.client.start(*lines[kind], log=lab.folder / f"local-{port}.log")
    lab.client.await_port(port)
    return port


def behind(kind: str, *words: str, fails: bool = False, **variables: str) -> Act:
    """Run a program against the local port of a relay, which is `@` in its words and variables."""

    def act(lab: Lab, address: str, seed: int) -> None:
        port = str(local(lab, kind, address))

        def put(word: str) -> str:
            return word.replace("@", port).replace("%", str(lab.folder))

        set_ = {name: put(value) for name, value in variables.items()}
        program(lab, *map(put, words), expected=range(256) if fails else [0], variables=set_)

    return act


RUBY_SSH = (
    "require 'net/ssh'; Net::SSH.start('127.0.0.1', ARGV[1], port: ARGV[0].to_i, password: ARGV[2], config: false, "
    "auth_methods: %w[none password], use_agent: false, verify_host_key: :never, "
    "user_known_hosts_file: '/dev/null', global_known_hosts_file: '/dev/null', number_of_password_prompts: 0) "
    "{ |s| s.exec!('ls -l /etc'); s.exec!('id') }"
)
ERLANG_SSH = (
    "-module(x).\nmain([Port, User, Word]) ->\n  ok = ssh:start(),\n"
    '  {{ok, C}} = ssh:connect("127.0.0.1", list_to_integer(Port), [{{user, User}}, {{password, Word}}, '
    '{{silently_accept_hosts, true}}, {{user_interaction, false}}, {{user_dir, "{folder}"}}]),\n'
    "  {{ok, Id}} = ssh_connection:session_channel(C, 9000),\n"
    '  success = ssh_connection:exec(C, Id, "ls -l /etc", 9000),\n'
    "  wait(C), ssh:close(C).\nwait(C) -> receive {{ssh_cm, C, {{closed, _}}}} -> ok; {{ssh_cm, C, _}} -> wait(C) "
    "after 9000 -> ok end.\n"
)
ERLANG_DAEMON = (
    "#!/usr/bin/env escript\nmain(_) ->\n  ok = ssh:start(),\n  {{ok, _}} = ssh:daemon({{127,0,0,1}}, {port}, "
    '[{{system_dir, "{folder}"}}, {{user_passwords, [{{"{user}", "{word}"}}]}}]),\n'
    "  receive never -> ok end.\n"
)


def client(name: str, kind: str, what: str = "exec", word: str = PASSWORD) -> Act:
    """Use an SSH client that is not OpenSSH through a relay."""

    def act(lab: Lab, address: str, seed: int) -> None:
        port, expected = str(local(lab, kind, address)), [0] if word == PASSWORD else range(256)
        script = lab.folder / f"{name}-{seed}"
        if name == "erlang":
            script.write_text("#!/usr/bin/env escript\n" + ERLANG_SSH.format(folder=lab.folder).partition("\n")[2])
        lines = {
            "node": [*NODE, "ssh", port, USER, word, what],
            "ruby": ["ruby", "-e", RUBY_SSH, port, USER, word],
            "erlang": ["escript", str(script), port, USER, word],
            "conch": [
                *("env", "PYTHONWARNINGS=ignore", f"{TOOLS}/py/bin/conch", "-p", port, "-l", USER, "-i", key(lab)),
                *("--known-hosts", f"{script}.known", "--user-authentications", "publickey"),
            ],
            "lsh": ["lsh", "-p", port, "-l", USER, "--sloppy-host-authentication", "--capture-to=/dev/null"],
        }
        if name in ("lsh", "conch"):
            with Person(lab.client, [*lines[name], "127.0.0.1"], seed) as person:
                person.sees("[Pp]assword" if name == "lsh" else r"\(yes/no\)\? ")
                person.types(word if name == "lsh" else "yes")
                for line in ("id", "ls -l /", "exit"):
                    person.sees(r"\$ ")
                    person.types(line)
                person.leaves()
        else:
            program(lab, *lines[name], expected=expected)

    return act


def wss(what: str) -> Act:
    """Use OpenSSH over a websocket."""

    def act(lab: Lab, address: str, seed: int) -> None:
        way = f"ProxyCommand={' '.join(TALK)} pipe {address} 443"
        tlsmore.ssh("direct", what, "-o", way)(lab, address, seed)

    return act


def wstunnel(what: str, *options: str) -> Act:
    """Use OpenSSH by npm's wstunnel over a websocket."""

    def act(lab: Lab, address: str, seed: int) -> None:
        line = f"{' '.join(WSTUNNEL_LINE)} -c -t stdio:{SERVER}:22 wss://{bracketed(address)}:443"
        tlsmore.ssh("direct", what, "-o", f"ProxyCommand={line}", *options)(lab, address, seed)

    return act


def way(kind: str, what: str, *options: str) -> Act:
    """Use OpenSSH through a relay of ours on the client's side."""

    def act(lab: Lab, address: str, seed: int) -> None:
        port = local(lab, kind, address)
        tlsmore.ssh("direct", what, "-o", f"ProxyCommand=ncat 127.0.0.1 {port}", *options)(lab, address, seed)

    return act


def inside(lab: Lab) -> None:
    """Start what the tunnels lead to: SSH servers of npm's ssh2 and Erlang, proxies, wstunnel."""
    host_key = lab.folder / "ssh_host_rsa_key"
    make = ["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", str(host_key)]
    subprocess.run(make, check=True, capture_output=True, timeout=WAIT)
    lab.server.start(*NODE, "sshd", str(NODE_SSHD), str(host_key), USER, PASSWORD, log=lab.folder / "nodesshd.log")
    script = lab.folder / "sshd.escript"
    script.write_text(ERLANG_DAEMON.format(port=ERLANG_SSHD, folder=lab.folder, user=USER, word=PASSWORD))
    lab.server.start("env", "HOME=/root", "escript", str(script), log=lab.folder / "erlangsshd.log")
    lab.server.start("microsocks", "-i", INNER, "-p", str(SOCKS), log=lab.folder / "microsocks.log")
    lab.server.start("ncat", "-l", "-k", "--proxy-type", "http", str(NCAT), log=lab.folder / "ncat-proxy.log")
    config = lab.folder / "privoxy.conf"
    config.write_text(f"listen-address {INNER}:{PRIVOXY}\nconfdir {lab.folder}\nlogdir {lab.folder}\n")
    lab.server.start(f"{TOOLS}/privoxy/usr/sbin/privoxy", "--no-daemon", str(config), log=lab.folder / "privoxy.log")
    lab.server.start(*WSTUNNEL_LINE, "-s", f"{INNER}:{WSTUNNEL}", log=lab.folder / "wstunnel.log")
    for port in (NODE_SSHD, ERLANG_SSHD, SOCKS, NCAT, PRIVOXY, WSTUNNEL):
        lab.server.await_port(port)
