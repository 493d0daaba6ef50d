# SPDX-License-Identifier: LGPL-2.1-or-later
"""SSH and TLS inside TLS in the second recording of port 443: each activity with its front and its client.

As in lab/tlsplan.py the programs of the part `test` differ from those of `train`.
"""

from __future__ import annotations

from collections.abc import Callable

from lab import tlsserve
from lab.crowd import Activity
from lab.network import SERVER
from lab.tls import Act, Serve, to
from lab.tlsforeign import NODE, go, java, new
from lab.tlsfronts import (
    GO_WEB,
    OLD_WEB,
    SSHD13,
    TINYSSH,
    TOOLS,
    apache,
    apache_ports,
    go_front,
    go_proxy,
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
from lab.tlsmore import PAGE, behind, chromium, direct, firefox, library, ssh
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, PROXY, SSHD

S, H, C, N, X = tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.ncat, tlsserve.stream
FOUR = {
    *("s-proxytunnel", "s-squid", "s-proxypy", "s-pproxy", "s-goproxy", "s-hitch", "s-13-script", "t-hitch-bare"),
    *("a-s-ncat-proxy", "a-s-node-proxy", "b-s-privoxy", "b-r-prolog", "b-r-prolog-ponders"),
}
INSECURE = {"GIT_SSL_NO_VERIFY": "1", "NODE_NO_WARNINGS": "1", "PYTHONWARNINGS": "ignore", "SSL_CERT_FILE": "%/tls.pem"}
CBC = "ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256"
CHACHA = "ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305"
REQUESTS = "import requests as r\ns=r.Session()\ns.verify='%/tls.pem'\ns.proxies={'https':'https://#:443'}\n"
CFFI = (
    "from curl_cffi import CurlOpt, requests as r\nO={CurlOpt.PROXY_SSL_VERIFYPEER:0, CurlOpt.PROXY_SSL_VERIFYHOST:0}\n"
)
HTTPX = (
    "import httpx\nx=httpx.Proxy('https://#:443',ssl_context=httpx.create_ssl_context(verify=False))\n"
    "c=httpx.Client(http2={},proxy=x,verify=False)\n"
)
PRINT = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | "
UV = (f"{TOOLS}/uv", "pip", "install", "--no-cache", "--python", f"{TOOLS}/python", "--index-url")
SVN = ("svn", "--non-interactive", "--trust-server-cert-failures=unknown-ca,cn-mismatch,other")


def python(code: str) -> tuple[str, ...]:
    """Return the command line of some Python with the lab's libraries."""
    return (f"{TOOLS}/python", "-W", "ignore", "-c", code)


def rows(part: str, label: str, *table: tuple[str, Serve, Act]) -> list[Activity]:
    """Make activities of one part and label; hitch and proxytunnel speak IPv4 only here."""
    labels = (label,) if label else ()
    return [Activity(name, serve, act, labels, part, name not in FOUR) for name, serve, act in table]


def browser(name: str, part: str, act: Callable[[str, bool], Act]) -> Activity:
    """Open a page with a browser through Apache; which of its connections carried anything says Apache's log."""
    return Activity(name, apache, act(f"{PAGE}/page.html", True), ("tls.tunnel.tls",), part, true_of=apache_ports)


SSH = [
    *rows(
        "train",
        "tls.tunnel.ssh",
        ("s-go-exec", go_front("", SSHD, SERVER), ssh("openssl35", "exec")),
        ("s-go-type", go_front("", SSHD, SERVER), ssh("go", "type")),
        ("s-goclient", to(S, SSHD), library("go", "go")),
        ("s-goclient-fail", go_front("", DROPBEAR, SERVER), library("go", "go", "wrong")),
        ("s-gnutls", to(H, SSHD), ssh("gnutls", "exec")),
        ("s-gnutls-fail", to(X, SSHD), ssh("gnutls", "fail")),
        ("s-cbc", to(H, SSHD, CBC), ssh("socat13", "exec")),
        ("s-cbc-type", to(H, SSHD, CBC), ssh("openssl35", "type")),
        ("s-13", to(S, SSHD13), ssh("local-stunnel", "copy")),
        ("s-13-script", hitch(SSHD13), ssh("local-haproxy", "script")),
        ("s-proxytunnel", apache, ssh("proxytunnel", "exec")),
        ("s-corkscrew", to(S, PROXY), ssh("corkscrew", "exec")),
        ("s-corkscrew-type", to(H, PROXY), ssh("corkscrew", "type")),
        ("s-hitch", hitch(SSHD, SERVER), ssh("local-java", "exec")),
        ("s-paramiko", go_front("", SSHD, SERVER), library("stunnel", "paramiko")),
        ("s-asyncssh", to(X, SSHD), library("haproxy", "asyncssh")),
        ("s-asyncssh-13", to(H, SSHD13), library("go", "asyncssh")),
        ("s-plink", to(C, SSHD), library("socat", "plink")),
        ("s-dbclient", to(H, SSHD), library("haproxy", "dbclient")),
        ("s-dbclient-13", go_front("", SSHD13), library("go", "dbclient")),
        ("s-dbclient-fail", to(H, DROPBEAR), library("socat", "dbclient", "wrong")),
        ("s-paramiko-fail", to(N, SSHD), library("haproxy", "paramiko", "wrong")),
        ("s-sftp", to(S, SSHD), ssh("local-nginx", "sftp")),
        ("s-tiny", to(S, TINYSSH), ssh("openssl35", "exec")),
        ("s-squid", squid(), ssh("proxytunnel", "type")),
        ("s-noticket", to(H, SSHD, "no-tls-tickets"), ssh("local-socat", "script")),
    ),
    *rows(
        "test",
        "tls.tunnel.ssh",
        ("s-go24-exec", go_front("24", SSHD, SERVER), ssh("go24", "exec")),
        ("s-go24-sftp", go_front("24", SSHD13), ssh("local-go24", "sftp")),
        ("s-java-type", java_front(SSHD, SERVER), ssh("openssl35", "type")),
        ("s-java-exec", java_front(SSHD13), ssh("local-java", "script")),
        ("s-java-fail", java_front(SSHD, SERVER), ssh("socat13", "fail")),
        ("s-stunnel13", stunnel_new(SSHD13), ssh("local-stunnel13", "exec")),
        ("s-stunnel13-type", stunnel_new(SSHD, SERVER), ssh("gnutls13", "type")),
        ("s-chacha", to(H, SSHD, CHACHA), ssh("local-socat13", "copy")),
        ("s-chacha-13", to(X, SSHD13), ssh("openssl-chacha", "exec")),
        ("s-proxypy", proxy_py, ssh("proxytunnel", "script")),
        ("s-pproxy", pproxy, ssh("proxytunnel", "exec")),
        ("s-goproxy", go_proxy("24"), ssh("proxytunnel", "type")),
        ("s-connect", to(X, PROXY), ssh("connect", "exec")),
        ("s-ncat-proxy", to(N, PROXY), ssh("ncat-proxy", "fail")),
        ("s-node", stunnel_new(SSHD, SERVER), ssh("local-node", "exec")),
        ("s-node-tiny", to(H, TINYSSH), ssh("local-node", "exec")),
        ("s-goclient24", stunnel_new(SSHD13), library("go24", "go")),
        ("s-goclient24-db", java_front(DROPBEAR, SERVER), library("go24", "go")),
        ("s-plink-java", java_front(SSHD, SERVER), library("go24", "plink")),
        ("s-plink-13", to(X, SSHD13), library("stunnel13", "plink", "wrong")),
        ("s-paramiko-node", to(S, SSHD13), library("node", "paramiko")),
        ("s-asyncssh-db", go_front("24", DROPBEAR, SERVER), library("socat13", "asyncssh")),
        ("s-asyncssh-fail", java_front(SSHD13), library("nginx", "asyncssh", "wrong")),
        ("s-dbclient-java", java_front(SSHD, SERVER), library("java", "dbclient")),
        ("s-dbclient-24", go_front("24", SSHD, SERVER), library("stunnel13", "dbclient")),
        ("s-dbclient-node", stunnel_new(DROPBEAR, SERVER), library("node", "dbclient", "wrong")),
        ("s-db-copy", go_front("24", DROPBEAR, SERVER), ssh("local-nginx", "exec", "-c", "aes256-ctr")),
    ),
]
TLS = [
    *rows(
        "train",
        "tls.tunnel.tls",
        (
            "t-go-go",
            go_front("", GO_WEB),
            behind("go", "curl", "-sk", "-o", "/dev/null", "https://127.0.0.1:@/code.js"),
        ),
        ("t-go-proxy", go_proxy(""), direct(go(), "get", "#:443", "300", f"{PAGE}/", f"{PAGE}/code.js")),
        ("t-go24-apache", apache, direct(go("24"), "get", "#:443", "300", f"{PAGE}/", f"{PAGE}/style.css")),
        ("t-curl13-apache", apache, direct(*new("curl", "-sk", "--proxy-insecure", "-x", "https://#:443", f"{PAGE}/"))),
        (
            "t-curl13-squid",
            squid(),
            direct(
                *new("curl", "-sk", "--proxy-insecure", "-x", "https://#:443", f"https://{INNER}:{GO_WEB}/style.css")
            ),
        ),
        (
            "t-git-gnutls",
            apache,
            direct(
                "git",
                "-c",
                "http.proxy=https://#:443",
                "ls-remote",
                f"{PAGE}/no.git",
                fails=True,
                GIT_SSL_NO_VERIFY="1",
                GIT_PROXY_SSL_CAINFO="%/tls.pem",
            ),
        ),
        (
            "t-requests",
            squid(),
            direct(
                *python(
                    HTTPX.format(False) + "c.get('https://127.0.0.1:9443/');c.get('https://127.0.0.1:9443/code.js')"
                )
            ),
        ),
        ("t-node", apache, direct("node", NODE, "get", "@", "443", f"{INNER}:{INNER_WEB}")),
        ("t-node-old", go_proxy(""), direct("node", NODE, "get", "@", "443", f"{INNER}:{OLD_WEB}")),
        ("t-java", apache, direct(*java(), "get", "@", "443", f"{INNER}:{INNER_WEB}", "3")),
        ("t-mitm", mitmproxy, direct("curl", "-sk", "--proxy-insecure", "-x", "https://#:443", f"{PAGE}/style.css")),
        (
            "t-wget-go",
            to(S, PROXY),
            behind(
                "go",
                "wget",
                "-q",
                "--no-check-certificate",
                "-O",
                "/dev/null",
                f"{PAGE}/code.js",
                https_proxy="http://127.0.0.1:@",
            ),
        ),
        (
            "t-wget13-java",
            to(H, INNER_WEB),
            behind(
                "java", *new("wget", "-q", "--no-check-certificate", "-O", "/dev/null", "https://127.0.0.1:@/code.js")
            ),
        ),
        ("t-hitch-bare", hitch(OLD_WEB), behind("haproxy", "curl", "-sk", "https://127.0.0.1:@/style.css")),
        (
            "t-openssl35",
            to(H, INNER_WEB),
            behind(
                "socat",
                "sh",
                "-c",
                PRINT + " ".join(new("openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", "127.0.0.1:@")),
            ),
        ),
        (
            "t-gnutls",
            to(S, INNER_WEB),
            behind("haproxy", "sh", "-c", PRINT + "gnutls-cli --insecure -p @ 127.0.0.1", fails=True),
        ),
        ("t-cbc", to(H, PROXY, CBC), behind("stunnel", "curl", "-sk", "-x", "http://127.0.0.1:@", f"{PAGE}/style.css")),
        ("t-cbc-bare", to(H, INNER_WEB, CBC), behind("socat", "curl", "-sk", "https://127.0.0.1:@/style.css")),
        (
            "t-v2ray-tcp",
            v2ray("tcp"),
            behind("v2ray-tcp", "curl", "-sk", "--socks5", "127.0.0.1:@", f"{PAGE}/style.css"),
        ),
    ),
    browser("t-chromium", "train", chromium),
    *rows(
        "test",
        "tls.tunnel.tls",
        (
            "t-uv-proxypy",
            proxy_py,
            direct(*UV, f"{PAGE}/", "nothing", fails=True, HTTPS_PROXY="https://#:443", **INSECURE),
        ),
        (
            "t-uv-go24",
            go_proxy("24"),
            direct(*UV, f"https://{INNER}:{GO_WEB}/", "nothing", fails=True, HTTPS_PROXY="https://#:443", **INSECURE),
        ),
        (
            "t-cffi-go24",
            go_proxy("24"),
            direct(
                *python(
                    CFFI
                    + "r.get('https://127.0.0.1:9443/code.js',impersonate='chrome',verify=False,curl_options=O,proxies={'https':'https://#:443'})"
                )
            ),
        ),
        (
            "t-cffi-safari",
            pproxy,
            direct(
                *python(
                    CFFI
                    + "r.get('https://127.0.0.1:9445/style.css',impersonate='safari',verify=False,curl_options=O,proxies={'https':'https://#:443'})"
                )
            ),
        ),
        (
            "t-go24-go24",
            go_proxy("24"),
            direct(go("24"), "get", "#:443", "50", f"https://{INNER}:{GO_WEB}/", f"https://{INNER}:{GO_WEB}/code.js"),
        ),
        ("t-go24-pproxy", pproxy, direct(go("24"), "get", "#:443", "500", f"{PAGE}/", f"{PAGE}/style.css")),
        (
            "t-requests-pproxy",
            pproxy,
            direct(*python(REQUESTS + "s.get('https://127.0.0.1:9443/');s.get('https://127.0.0.1:9443/style.css')")),
        ),
        ("t-aiohttp", proxy_py, direct(*python(HTTPX.format(True) + "c.get('https://127.0.0.1:9443/code.js')"))),
        ("t-node-go24", go_proxy("24"), direct("node", NODE, "get", "@", "443", f"{INNER}:{GO_WEB}")),
        ("t-java-squid", squid("options=NO_TICKET"), direct(*java(), "get", "@", "443", f"{INNER}:{INNER_WEB}", "2")),
        ("t-java-old", pproxy, direct(*java(), "get", "@", "443", f"{INNER}:{OLD_WEB}", "2")),
        (
            "t-curl13-go24",
            go_proxy("24"),
            direct(
                *new(
                    "curl",
                    "-sk",
                    "--proxy-insecure",
                    "--http1.1",
                    "-x",
                    "https://#:443",
                    f"https://{INNER}:{GO_WEB}/code.js",
                )
            ),
        ),
        (
            "t-git13",
            proxy_py,
            direct(
                *new("git", "-c", "http.proxy=https://#:443", "ls-remote", f"{PAGE}/no.git"),
                fails=True,
                GIT_SSL_NO_VERIFY="1",
                GIT_PROXY_SSL_CAINFO="%/tls.pem",
            ),
        ),
        ("t-trojan", trojan, behind("trojan", "curl", "-sk", "--socks5", "127.0.0.1:@", f"{PAGE}/style.css")),
        (
            "t-trojan-13",
            trojan,
            behind("trojan", *new("curl", "-sk", "--socks5", "127.0.0.1:@", f"https://{INNER}:{GO_WEB}/code.js")),
        ),
        ("t-v2ray-ws", v2ray("ws"), behind("v2ray-ws", "curl", "-sk", "--socks5", "127.0.0.1:@", f"{PAGE}/style.css")),
        (
            "t-links",
            stunnel_new(INNER_WEB),
            behind("stunnel13", "links2", "-ssl.certificates", "0", "-dump", "https://127.0.0.1:@/", fails=True),
        ),
        ("t-java-bare", java_front(INNER_WEB), behind("java", "curl", "-sk", "https://127.0.0.1:@/style.css")),
        (
            "t-uv-node",
            java_front(INNER_WEB),
            behind("node", *UV, "https://127.0.0.1:@/", "nothing", fails=True, **INSECURE),
        ),
        (
            "t-svn",
            to(H, PROXY),
            behind(
                "go24",
                *SVN,
                "--config-option",
                "servers:global:http-proxy-host=127.0.0.1",
                "--config-option",
                "servers:global:http-proxy-port=@",
                "--config-option",
                "servers:global:http-proxy-exceptions=",
                "ls",
                f"{PAGE}/",
                fails=True,
            ),
        ),
        (
            "t-httpie",
            to(X, PROXY),
            behind(
                "node",
                "http",
                "--ignore-stdin",
                "--verify=no",
                "--proxy=https:http://127.0.0.1:@",
                f"{PAGE}/style.css",
                fails=True,
            ),
        ),
        (
            "t-chacha",
            to(H, PROXY, CHACHA),
            behind("socat13", *new("curl", "-sk", "-x", "http://127.0.0.1:@", f"{PAGE}/code.js")),
        ),
    ),
    browser("t-firefox", "test", firefox),
]
