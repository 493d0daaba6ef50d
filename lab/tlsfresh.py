# SPDX-License-Identifier: LGPL-2.1-or-later
"""A third part of the second recording of port 443, `fresh`: combinations, and some programs, of neither other part.

It was made after the signatures had been corrected by what `test` showed, to measure them once more on what they
had not seen: Erlang's TLS, SSH through trojan, VLESS and `proxytunnel -e`, Ruby, PHP, dbclient and plink of Debian 13.
"""

from __future__ import annotations

from pathlib import Path

from lab import tlsserve
from lab.crowd import Activity
from lab.network import PASSWORD, SERVER, USER, Lab
from lab.tls import Act, Serve, nothing, scripted, talk, to
from lab.tlsforeign import NODE, RELAY, go, java, new
from lab.tlsfronts import (
    GO_WEB,
    OLD_WEB,
    SSHD13,
    TINYSSH,
    TOOLS,
    apache,
    go_front,
    hitch,
    java_front,
    mitmproxy,
    pproxy,
    proxy_py,
    squid,
    stunnel_new,
    trojan,
    v2ray,
)
from lab.tlsmore import PAGE, behind, direct, library, local, reverse, ssh
from lab.tlsmoretunnels import CFFI, CHACHA, INSECURE, UV, python, rows
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, PROXY, SSHD, bracketed, certificate

S, H, C, N, X = tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.ncat, tlsserve.stream
HELPER = str(Path(__file__).with_name("tlsothers.py"))
RUBY = (
    "require 'net/http'; h = Net::HTTP.new('127.0.0.1', 9443, '127.0.0.1', ARGV[0].to_i); h.use_ssl = true; "
    "h.verify_mode = OpenSSL::SSL::VERIFY_NONE; h.start { |w| w.get('/'); w.get('/style.css') }"
)
PHP = (
    "echo strlen(file_get_contents('https://127.0.0.1:@/style.css', false, "
    "stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]])));"
)


def erlang(port: int, host: str = INNER) -> Serve:
    """Start a relay of Erlang's ssl."""

    def serve(lab: Lab, address: str) -> None:
        words = ["escript", RELAY, "front", address, "443", host, str(port), str(certificate(lab))]
        lab.server.start("env", "HOME=/root", *words, log=lab.folder / f"erlang-{address.replace(':', '_')}.log")

    return serve


def go_web(lab: Lab, address: str) -> None:
    """Start a web server of net/http."""
    words = [go("24"), "web", f"{bracketed(address)}:443", str(tlsserve.web_root(lab)), str(certificate(lab))]
    lab.server.start(*words, log=lab.folder / f"web-{address.replace(':', '_')}.log")


def other(role: str) -> Serve:
    """Start a server of tlsothers.py."""

    def serve(lab: Lab, address: str) -> None:
        line = [f"{TOOLS}/python", HELPER, role, address, "443", str(certificate(lab))]
        lab.server.start(*line, log=lab.folder / f"{role}-{address.replace(':', '_')}.log")

    return serve


def asks(role: str) -> Act:
    """Run a client of tlsothers.py."""
    return direct(f"{TOOLS}/python", HELPER, role, "@", "443")


def socks(kind: str, what: str) -> Act:
    """Use OpenSSH through the SOCKS port of trojan or V2Ray."""

    def act(lab: Lab, address: str, seed: int) -> None:
        port = local(lab, kind, address)
        way = f"ProxyCommand=ncat --proxy 127.0.0.1:{port} --proxy-type socks5 {SERVER} 22"
        ssh("direct", what, "-o", way)(lab, address, seed)

    return act


def program_of(kind: str, *words: str) -> Act:
    """Run an SSH program against the local port of a relay, which is `@`."""
    return behind(kind, *words, DROPBEAR_PASSWORD=PASSWORD)


PLINK = f"plink -ssh -no-trivial-auth -P @ -pw '{PASSWORD}' -l {USER} 127.0.0.1 ls -l /"
ACTIVITIES: list[Activity] = [
    *rows(
        "fresh",
        "",
        ("f-api", other("api"), asks("api")),
        ("f-api-2", other("api"), asks("api")),
        ("f-api-3", other("api"), asks("api")),
        ("f-events", other("events"), asks("events")),
        ("f-grpc", other("grpc"), asks("grpc")),
        ("f-chat", scripted("chat"), talk("talk", "10", "3")),
        ("f-go-web-curl13", go_web, direct(*new("curl", "-sk", "-o", "/dev/null", "https://#/code.js"))),
        (
            "f-go-web-httpx",
            go_web,
            direct(
                *python(
                    "import httpx\nc=httpx.Client(verify=False,http2=True)\n"
                    "for p in ('','style.css','page.html','none','code.js','none?x=1'): c.get('https://#/'+p)"
                )
            ),
        ),
        (
            "f-apache-node",
            apache,
            direct(
                *("node", "-e", "fetch('https://#/code.js').then(r=>r.text()).then(()=>fetch('https://#/page.html'))"),
                NODE_TLS_REJECT_UNAUTHORIZED="0",
                NODE_NO_WARNINGS="1",
            ),
        ),
        (
            "f-wget",
            nothing,
            direct(*new("wget", "-q", "--no-check-certificate", "-P", "/tmp", "-r", "https://#/page.html")),
        ),
    ),
    *rows(
        "fresh",
        "tls.tunnel.ssh",
        ("f-erl-exec", erlang(SSHD, SERVER), ssh("openssl35", "exec")),
        ("f-erl-type", erlang(SSHD13), ssh("local-erlang", "type")),
        ("f-erl-fail", to(X, SSHD), ssh("local-erlang", "fail")),
        ("f-erl-dropbear", to(H, DROPBEAR), ssh("local-erlang", "exec")),
        ("f-trojan", trojan, socks("trojan", "exec")),
        ("f-trojan-type", trojan, socks("trojan", "type")),
        ("f-vless", v2ray("tcp"), socks("v2ray-tcp", "script")),
        ("f-vless-ws", v2ray("ws"), socks("v2ray-ws", "exec")),
        (
            "f-dbclient13",
            to(X, SSHD),
            program_of("stunnel13", *new("dbclient", "-y", "-y", "-p", "@", "-l", USER, "127.0.0.1", "ls -l /")),
        ),
        (
            "f-dbclient13-db",
            go_front("24", DROPBEAR, SERVER),
            program_of("haproxy", *new("dbclient", "-y", "-y", "-p", "@", "-l", USER, "127.0.0.1", "id")),
        ),
        ("f-plink13", to(N, SSHD), program_of("go24", "sh", "-c", "printf 'y\n\n' | " + " ".join(new(PLINK)))),
        ("f-plink13-new", java_front(SSHD13), program_of("node", "sh", "-c", "printf 'y\n\n' | " + PLINK)),
        ("f-paramiko-erl", erlang(SSHD, SERVER), library("java", "paramiko")),
        ("f-asyncssh-java", java_front(SSHD, SERVER), library("erlang", "asyncssh")),
        ("f-goclient-erl", erlang(SSHD13), library("go", "go")),
        ("f-goclient-fail", to(H, SSHD, CHACHA), library("go24", "go", "wrong")),
        ("f-hitch-sftp", hitch(SSHD13), ssh("local-java", "sftp")),
        ("f-connect", to(C, PROXY), ssh("connect", "type")),
        ("f-tiny", go_front("24", TINYSSH), ssh("gnutls13", "exec")),
        ("f-copy", stunnel_new(SSHD, SERVER), ssh("go24", "copy")),
    ),
    *rows(
        "fresh",
        "tls.tunnel.tls",
        (
            "f-t-erl-curl",
            erlang(GO_WEB),
            behind("stunnel13", "curl", "-sk", "-o", "/dev/null", "https://127.0.0.1:@/code.js"),
        ),
        (
            "f-t-erl-proxy",
            erlang(PROXY),
            behind("erlang", "curl", "-sk", "-x", "http://127.0.0.1:@", f"{PAGE}/style.css"),
        ),
        ("f-t-erl-old", to(H, OLD_WEB), behind("erlang", *new("curl", "-sk", "https://127.0.0.1:@/style.css"))),
        ("f-t-nghttpx-go", tlsserve.nghttpx, direct(go("24"), "get", "#:443", "80", f"{PAGE}/", f"{PAGE}/code.js")),
        (
            "f-t-nghttpx-uv",
            tlsserve.nghttpx,
            direct(*UV, f"{PAGE}/", "nothing", fails=True, HTTPS_PROXY="https://#:443", **INSECURE),
        ),
        (
            "f-t-uv-apache",
            apache,
            direct(*UV, f"{PAGE}/", "nothing", fails=True, HTTPS_PROXY="https://#:443", **INSECURE),
        ),
        (
            "f-t-uv-squid",
            squid(),
            direct(*UV, f"{PAGE}/", "nothing", fails=True, HTTPS_PROXY="https://#:443", **INSECURE),
        ),
        (
            "f-t-cffi-apache",
            apache,
            direct(
                *python(
                    CFFI + "r.get('https://127.0.0.1:9443/style.css',impersonate='chrome',verify=False,curl_options=O,"
                    "proxies={'https':'https://#:443'})"
                )
            ),
        ),
        (
            "f-t-cffi-firefox",
            squid(),
            direct(
                *python(
                    CFFI + "r.get('https://127.0.0.1:9444/style.css',impersonate='firefox',verify=False,curl_options=O,"
                    "proxies={'https':'https://#:443'})"
                )
            ),
        ),
        (
            "f-t-curl-pproxy",
            pproxy,
            direct("curl", "-sk", "--proxy-insecure", "-x", "https://#:443", f"{PAGE}/style.css"),
        ),
        (
            "f-t-curl-proxypy",
            proxy_py,
            direct("curl", "-sk", "--http1.1", "--proxy-insecure", "-x", "https://#:443", f"{PAGE}/style.css"),
        ),
        ("f-t-java-proxypy", proxy_py, direct(*java(), "get", "@", "443", f"{INNER}:{INNER_WEB}", "2")),
        ("f-t-go-mitm", mitmproxy, direct(go("24"), "get", "#:443", "200", f"{PAGE}/", f"{PAGE}/code.js")),
        (
            "f-t-git-squid",
            squid(),
            direct(
                *("git", "-c", "http.proxy=https://#:443", "ls-remote", f"{PAGE}/no.git"),
                fails=True,
                GIT_SSL_NO_VERIFY="1",
                GIT_PROXY_SSL_CAINFO="%/tls.pem",
            ),
        ),
        ("f-t-node-squid", squid(), direct("node", NODE, "get", "@", "443", f"{INNER}:{OLD_WEB}")),
        ("f-t-node-pproxy", pproxy, direct("node", NODE, "get", "@", "443", f"{INNER}:{INNER_WEB}")),
        ("f-t-ruby", to(S, PROXY), behind("go24", "ruby", "-e", RUBY, "@")),
        ("f-t-php-bare", to(X, INNER_WEB), behind("haproxy", "php", "-r", PHP)),
        (
            "f-t-wget-node",
            to(H, PROXY),
            behind(
                *("node", "wget", "-q", "--no-check-certificate", "-O", "/dev/null", f"{PAGE}/code.js"),
                https_proxy="http://127.0.0.1:@",
            ),
        ),
        (
            "f-t-vless-new",
            v2ray("tcp"),
            behind("v2ray-tcp", *new("curl", "-sk", "--socks5", "127.0.0.1:@", f"{PAGE}/")),
        ),
        (
            "f-t-stunnel13",
            stunnel_new(PROXY),
            behind("stunnel13", *new("curl", "-sk", "-x", "http://127.0.0.1:@", f"{PAGE}/")),
        ),
        (
            "f-t-java-front",
            java_front(PROXY),
            behind("nginx", "curl", "-sk", "-x", "http://127.0.0.1:@", f"{PAGE}/code.js"),
        ),
    ),
    *rows(
        "fresh",
        "tls.reverse_shell",
        ("f-r-tcl", nothing, reverse("python", "tcl", 5)),
        ("f-r-perl", nothing, reverse("python", "perl", 5)),
        ("f-r-ncat", nothing, reverse("python", "ncat-sh", 4, True)),
        ("f-r-node", nothing, reverse("openssl35", "node", 4)),
        ("f-r-gnutls", nothing, reverse("ncat", "gnutls", 5)),
        ("f-r-java", nothing, reverse("go", "java", 5, False, 7)),
        ("f-r-ps", nothing, reverse("ncat", "go24-ps", 5)),
        ("f-r-cmd", nothing, reverse("python", "go-cmd", 6)),
        ("f-r-pty", nothing, reverse("raw", "pty-dash", 3)),
    ),
]
