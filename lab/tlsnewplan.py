# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who does what in the third recording of port 443 (`--kind new`): parts `a` and `b`, with no program in both.

It was made to measure the signatures once more on what they had not seen. A few programs of the other recordings play
where a tunnel needs another end; each activity has at least one relay, shell, proxy or client that is new.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace

from lab import tlsmoreplan, tlsnew, tlsserve
from lab.crowd import Activity
from lab.network import SERVER, WAIT, Lab, until
from lab.tls import Act, nothing, to
from lab.tlsforeign import go, new
from lab.tlsfresh import socks
from lab.tlsfronts import GO_WEB, OLD_WEB, SSHD13, squid, v2ray
from lab.tlsmore import PAGE, direct, ssh
from lab.tlsmoretunnels import rows
from lab.tlsnew import (
    ERLANG_SSHD,
    FRIENDS,
    NCAT,
    NODE,
    NODE_SSHD,
    PRIVOXY,
    PY,
    SOCKS,
    WSTUNNEL,
    asyncio_front,
    behind,
    client,
    friend,
    node_front,
    node_proxy,
    sharp,
    stone,
    twisted,
    way,
    websockify,
    wss,
    wstunnel,
)
from lab.tlsnewshell import reverse
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, PROXY, SSHD, bracketed

S, H, C, X = tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.stream
RETRY = "curves P-384"
LWP = (
    "use LWP::UserAgent; my $u = LWP::UserAgent->new(ssl_opts => { verify_hostname => 0, SSL_verify_mode => 0 }, "
    "keep_alive => 2); $u->proxy('https', $ARGV[1]) if $ARGV[1]; for my $p ('', 'style.css') "
    "{ $u->get($ARGV[0] . $p)->is_success or die }"
)
AIOHTTP = (
    "import aiohttp, asyncio, ssl, sys\nasync def main():\n c = ssl.create_default_context()\n"
    " c.check_hostname = False; c.verify_mode = ssl.CERT_NONE\n"
    " async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=c)) as s:\n"
    "  for p in ('', 'code.js'):\n"
    "   async with s.get(sys.argv[1] + p, proxy=sys.argv[2] if sys.argv[2:] else None) as r: await r.read()\n"
    "asyncio.run(main())"
)
CURL = ("curl", "-sk", "-o", "/dev/null")
HOSTNAME = ("--socks5-hostname", "127.0.0.1:@")
REFUSED = ("--proxy-insecure", "-x", "https://#:443", "http://127.0.0.1:1/")  # a proxy, but no tunnel
LYNX = ("lynx", "-source")
LOCAL = "https://127.0.0.1:@/"
THROUGH = "http://127.0.0.1:@"
WGET2 = ("wget2", "-q", "--no-check-certificate", "--no-robots", "--tries=1", "--timeout=20", "-O", "/dev/null")
ELINKS = ("elinks", "-no-connect", "-eval", "set connection.ssl.cert_verify = 0", "-dump")
ELINKS_PROXY = (*ELINKS[:-1], "-eval", 'set protocol.https.proxy.host = "127.0.0.1:@"', "-dump")
HG = ("hg", "--insecure", "identify", "--config", "ui.timeout=9")
AXEL = ("axel", "-q", "-k", "-n", "1", "-o", "/dev/null")
PROLOG = (
    "use_module(library(http/http_open)), http_open('https://127.0.0.1:@/style.css', S, "
    "[cert_verify_hook(cert_accept_any)]), use_module(library(readutil)), read_stream_to_codes(S, _), halt"
)
PIP = (PY, "-m", "pip", "download", "-q", "--no-deps", "-d", "/run", "-i", f"https://{INNER}:{INNER_WEB}/", "nothing")
TRUSTED = ("--trusted-host", f"{INNER}:{INNER_WEB}", "--retries", "0", "--timeout", "9")
APT = (
    *("apt-get", "update", "-o", "Dir::State=/run", "-o", "Dir::Cache=/run", "-o", "Acquire::https::Verify-Peer=false"),
    *("-o", "Dir::Etc::sourcelist=%/sources", "-o", "Dir::Etc::sourceparts=-", "-o"),
)
NPM = ("npm", "view", "nothing", f"--registry=https://{INNER}:{INNER_WEB}/", "--strict-ssl=false", "--fetch-retries=0")
# They run a program, and call it an error when it got nothing through its tunnel, so that its flows are left out.
SURE = ("sh", "-c", "$0 $* || exit 2")
ANSWERED = ("sh", "-c", "$0 $* 2>&1 | grep -q E404 || exit 2")  # npm, where the registry has no such package
GO_PAGE, OLD_PAGE = f"https://{INNER}:{GO_WEB}", f"https://{INNER}:{OLD_WEB}"


def friends(part: str, names: Sequence[str]) -> list[Activity]:
    """Make activities of tlsfriends.py, which are neither tunnel nor shell."""
    table = [
        (f"{part}-{name}-{n}", friend(name), direct(*FRIENDS, name, "@", "443", fails=True))
        for name in names
        for n in (1, 2)
    ]
    return rows(part, "", *table)


def proxied(kind: str) -> Act:
    """Fetch through the SOCKS port of V2Ray."""
    return behind(kind, *CURL, "--socks5", "127.0.0.1:@", f"{PAGE}/code.js")


PART_A = [
    *rows(
        "a",
        "tls.reverse_shell",
        ("a-r-busybox", nothing, reverse("asyncio", "busybox", "types")),
        ("a-r-busybox-few", nothing, reverse("rlwrap", "busybox-pipe", "few")),
        ("a-r-zsh", nothing, reverse("rlwrap", "zsh", "pastes")),
        ("a-r-ksh", nothing, reverse("asyncio", "ksh", "quiet")),
        ("a-r-ksh-2", nothing, reverse("stunnel", "ksh", "quick")),
        ("a-r-mono", nothing, reverse("rlwrap", "mono", "types")),
        ("a-r-mono-floods", nothing, reverse("asyncio", "mono", "floods")),
        ("a-r-line", nothing, reverse("asyncio", "line", "ponders")),
        ("a-r-line-two", nothing, reverse("stunnel", "line", "two")),
        ("a-r-kept", nothing, reverse("rlwrap", "kept", "quiet")),
        ("a-r-kept-long", nothing, reverse("asyncio", "kept", "long")),
        ("a-r-kept-terminal", nothing, reverse("stunnel", "kept", "terminal")),
        ("a-r-lite", nothing, reverse("asyncio", "lite", "pastes")),
        ("a-r-lite-few", nothing, reverse("rlwrap", "lite", "few")),
        ("a-r-wss", nothing, reverse("websocket", "websocket", "types")),
        ("a-r-wss-floods", nothing, reverse("websocket", "websocket", "floods")),
        ("a-r-php", nothing, reverse("stunnel", "php-kept", "floods")),
        ("a-r-php-terminal", nothing, reverse("asyncio", "php-kept", "script")),
        ("a-r-perl", nothing, reverse("rlwrap", "perl-kept", "quick")),
        ("a-r-perl-ponders", nothing, reverse("stunnel", "perl-kept", "ponders")),
    ),
    *rows(
        "a",
        "tls.tunnel.ssh",
        ("a-s-node", asyncio_front(SSHD, SERVER), client("node", "asyncio")),
        ("a-s-node-sftp", stone(SSHD, SERVER), client("node", "stone", "sftp")),
        ("a-s-node-fail", to(S, SSHD), client("node", "asyncio", "exec", "wrong")),
        ("a-s-node-node", asyncio_front(NODE_SSHD), client("node", "stone", "shell")),
        ("a-s-node-dropbear", stone(DROPBEAR, SERVER), client("node", "mono", "exec")),
        ("a-s-ruby", stone(SSHD, SERVER), client("ruby", "asyncio")),
        ("a-s-ruby-node", stone(NODE_SSHD), client("ruby", "stone")),
        ("a-s-ruby-fail", asyncio_front(SSHD, SERVER), client("ruby", "go24", "exec", "wrong")),
        ("a-s-ssh-node", asyncio_front(NODE_SSHD), ssh("local-stunnel", "fail")),
        ("a-s-ssh-stone", stone(SSHD, SERVER), way("stone", "exec")),
        ("a-s-ssh-stone-type", stone(SSHD, SERVER), way("asyncio", "type")),
        ("a-s-ssh-mono", asyncio_front(SSHD, SERVER), way("mono", "copy")),
        ("a-s-wss", websockify(SSHD, SERVER), wss("exec")),
        ("a-s-wss-type", websockify(SSHD, SERVER), wss("type")),
        ("a-s-wss-dropbear", websockify(DROPBEAR, SERVER), wss("fail")),
        ("a-s-ncat-proxy", to(S, NCAT), ssh("proxytunnel", "exec")),
        ("a-s-node-proxy", node_proxy, ssh("proxytunnel", "type")),
        ("a-s-stone-sftp", stone(SSHD, SERVER), ssh("openssl35", "sftp")),
        ("a-s-retry", to(H, SSHD, RETRY), way("asyncio", "script")),
    ),
    *rows(
        "a",
        "tls.tunnel.tls",
        ("a-t-aiohttp-ncat", to(S, NCAT), direct(PY, "-W", "ignore", "-c", AIOHTTP, f"{PAGE}/", "https://#:443")),
        ("a-t-aiohttp-node", node_proxy, direct(PY, "-W", "ignore", "-c", AIOHTTP, f"{GO_PAGE}/", "https://#:443")),
        ("a-t-axios-ncat", to(S, NCAT), direct(*NODE, "axios", "@", "443", f"{PAGE}/code.js")),
        ("a-t-axios-node", node_proxy, direct(*NODE, "axios", "@", "443", f"{GO_PAGE}/style.css")),
        ("a-t-axios-squid", squid(), direct(*NODE, "axios", "@", "443", f"{OLD_PAGE}/style.css")),
        ("a-t-curl-ncat", to(S, NCAT), direct(*CURL, "--proxy-insecure", "-x", "https://#:443", f"{PAGE}/style.css")),
        ("a-t-go-node", node_proxy, direct(go("24"), "get", "#:443", "70", f"{PAGE}/", f"{PAGE}/code.js")),
        ("a-t-lwp", asyncio_front(PROXY), behind("asyncio", "perl", "-e", LWP, f"{PAGE}/", THROUGH)),
        ("a-t-lwp-bare", stone(INNER_WEB), behind("stone", "perl", "-e", LWP, LOCAL)),
        ("a-t-lynx", stone(PROXY), behind("asyncio", *LYNX, f"{PAGE}/style.css", https_proxy=THROUGH, fails=True)),
        ("a-t-lynx-bare", asyncio_front(OLD_WEB), behind("stone", *LYNX, LOCAL, fails=True)),
        ("a-t-ab", to(X, INNER_WEB), behind("asyncio", "ab", "-n", "3", LOCAL)),
        ("a-t-mono-bare", asyncio_front(INNER_WEB), behind("mono", *sharp(), "get", LOCAL)),
        ("a-t-socks", stone(SOCKS), behind("asyncio", *CURL, "--socks5", "127.0.0.1:@", f"{PAGE}/code.js")),
        ("a-t-socks-13", asyncio_front(SOCKS), behind("stone", *new(*CURL, *HOSTNAME, f"{GO_PAGE}/"))),
        ("a-t-retry", to(H, PROXY, RETRY), behind("asyncio", *CURL, "-x", THROUGH, f"{PAGE}/style.css")),
        ("a-t-curl-mono", asyncio_front(PROXY), behind("mono", *CURL, "-x", THROUGH, f"{PAGE}/style.css")),
    ),
    *friends("a", ("chat", "desk", "feed", "long", "push")),
    *rows(
        "a",
        "",
        ("a-w-aiohttp", nothing, direct(PY, "-W", "ignore", "-c", AIOHTTP, "https://#/")),
        ("a-w-mono", nothing, direct(*sharp(), "get", "https://#/", fails=True)),
        ("a-w-ab", nothing, direct("ab", "-n", "5", "-k", "https://#/")),
        ("a-w-lynx", nothing, direct(*LYNX, "https://#/code.js", fails=True)),
        ("a-w-lwp", nothing, direct("perl", "-e", LWP, "https://#/")),
        ("a-w-ncat", to(S, NCAT), direct(*CURL, *REFUSED, fails=True)),
    ),
]  # fmt: skip
PART_B = [
    *rows(
        "b",
        "tls.reverse_shell",
        ("b-r-fish", nothing, reverse("haproxy", "fish", "types")),
        ("b-r-mksh", nothing, reverse("node", "mksh", "types")),
        ("b-r-mksh-few", nothing, reverse("rlwrap-openssl", "mksh", "few")),
        ("b-r-tcsh", nothing, reverse("perl", "tcsh", "pastes")),
        ("b-r-tcsh-quiet", nothing, reverse("ruby", "tcsh", "quiet")),
        ("b-r-yash", nothing, reverse("node", "yash", "ponders")),
        ("b-r-nss", nothing, reverse("perl", "tstclnt", "types")),
        ("b-r-nss-floods", nothing, reverse("rlwrap-openssl", "tstclnt", "floods")),
        ("b-r-anyevent", nothing, reverse("ruby", "anyevent", "long")),
        ("b-r-anyevent-few", nothing, reverse("node", "anyevent", "few")),
        ("b-r-ruby", nothing, reverse("node", "ruby-pty", "types")),
        ("b-r-ruby-floods", nothing, reverse("perl", "ruby-pty", "floods")),
        ("b-r-prolog", nothing, reverse("rlwrap-openssl", "prolog", "types")),
        ("b-r-prolog-ponders", nothing, reverse("ruby", "prolog", "ponders")),
        ("b-r-erlang", nothing, reverse("openssl-new", "erlang", "quick")),
        ("b-r-erlang-two", nothing, reverse("perl", "erlang", "two")),
        ("b-r-node", nothing, reverse("haproxy", "node-line", "pastes")),
        ("b-r-web", nothing, reverse("node-web", "node-web", "types")),
        ("b-r-web-quiet", nothing, reverse("node-web", "node-web", "quiet")),
        ("b-r-twisted", nothing, reverse("ruby", "twisted", "terminal")),
        ("b-r-twisted-script", nothing, reverse("openssl-new", "twisted", "script")),
    ),
    *rows(
        "b",
        "tls.tunnel.ssh",
        ("b-s-erlang", twisted(SSHD, SERVER), client("erlang", "tcpsvd")),
        ("b-s-erlang-erlang", node_front(ERLANG_SSHD), client("erlang", "tcpsvd-gnutls")),
        ("b-s-erlang-dropbear", twisted(DROPBEAR, SERVER), client("erlang", "go24")),
        ("b-s-erlang-fail", node_front(SSHD, SERVER), client("erlang", "tcpsvd", "exec", "wrong")),
        ("b-s-conch", twisted(SSHD, SERVER), client("conch", "tcpsvd")),
        ("b-s-conch-erlang", node_front(SSHD, SERVER), client("conch", "tcpsvd-gnutls")),
        ("b-s-ssh-erlang", twisted(ERLANG_SSHD), way("tcpsvd", "fail")),
        ("b-s-ssh", twisted(SSHD, SERVER), way("tcpsvd", "exec")),
        ("b-s-ssh-type", node_front(SSHD, SERVER), way("tcpsvd-gnutls", "type")),
        ("b-s-ssh-copy", node_front(SSHD13), way("tcpsvd", "copy")),
        ("b-s-ssh-sftp", twisted(SSHD13), way("tcpsvd-gnutls", "sftp")),
        ("b-s-wstunnel", node_front(WSTUNNEL), wstunnel("exec")),
        ("b-s-wstunnel-type", twisted(WSTUNNEL), wstunnel("type")),
        ("b-s-wstunnel-fail", to(H, WSTUNNEL), wstunnel("fail")),
        ("b-s-privoxy", twisted(PRIVOXY), ssh("proxytunnel", "exec")),
        ("b-s-vmess", v2ray("ws", "vmess"), socks("v2ray-ws-vmess", "exec")),
    ),
    *rows(
        "b",
        "tls.tunnel.tls",
        ("b-t-undici", twisted(PRIVOXY), direct(*SURE, *NODE, "undici", "@", "443", f"{PAGE}/code.js")),
        ("b-t-undici-squid", squid(), direct(*SURE, *NODE, "undici", "@", "443", f"{GO_PAGE}/style.css")),
        ("b-t-got", node_front(PRIVOXY), direct(*NODE, "got", "@", "443", f"{OLD_PAGE}/style.css")),
        ("b-t-wget2", twisted(PROXY), behind("tcpsvd", *WGET2, f"{PAGE}/code.js", https_proxy=THROUGH)),
        ("b-t-wget2-bare", node_front(INNER_WEB), behind("tcpsvd", *WGET2, LOCAL, fails=True)),
        ("b-t-elinks", twisted(PRIVOXY), behind("tcpsvd-gnutls", *ELINKS_PROXY, f"{PAGE}/style.css", fails=True)),
        ("b-t-hg", twisted(PRIVOXY), behind("tcpsvd", *HG, f"{PAGE}/", https_proxy=THROUGH, fails=True)),
        ("b-t-hg-bare", node_front(OLD_WEB), behind("tcpsvd", *HG, LOCAL, fails=True)),
        ("b-t-siege", to(H, INNER_WEB), behind("tcpsvd", "siege", "-r", "2", "-c", "1", "-b", LOCAL, fails=True)),
        ("b-t-gio", node_front(INNER_WEB), behind("tcpsvd-gnutls", "gio", "cat", f"{LOCAL}style.css", fails=True)),
        ("b-t-prolog", twisted(INNER_WEB), behind("tcpsvd", "swipl", "-q", "-g", PROLOG, fails=True)),
        ("b-t-pip", twisted(PRIVOXY), behind("tcpsvd", *PIP, *TRUSTED, "--proxy", THROUGH, fails=True)),
        ("b-t-apt", node_front(PRIVOXY), behind("tcpsvd", *APT, f"Acquire::https::Proxy={THROUGH}", fails=True)),
        ("b-t-npm", twisted(PRIVOXY), direct(*ANSWERED, *NPM, "--proxy=https://#:443", "--https-proxy=https://#:443")),
        ("b-t-vmess", v2ray("ws", "vmess"), proxied("v2ray-ws-vmess")),
        ("b-t-vmess-tcp", v2ray("tcp", "vmess"), proxied("v2ray-tcp-vmess")),
    ),
    *friends("b", ("agent", "lines", "binary", "term")),
    *rows(
        "b",
        "",
        ("b-w-wget2", nothing, direct(*WGET2, "https://#/", "https://#/code.js", fails=True)),
        ("b-w-elinks", nothing, direct(*ELINKS, "https://#/page.html", fails=True)),
        ("b-w-siege", nothing, direct("siege", "-r", "3", "-c", "2", "-b", "https://#/style.css", fails=True)),
        ("b-w-hg", nothing, direct(*HG, "https://#/", fails=True)),
        ("b-w-axel", nothing, direct(*AXEL, "https://#/photo.jpg", fails=True)),
        ("b-w-gio", nothing, direct("gio", "cat", "https://#/style.css", fails=True)),
    ),
]  # fmt: skip


def awaited(activity: Activity) -> Activity:
    """Return an activity that begins when its server listens: those of interpreted languages take their time."""
    if activity.serve is nothing:
        return activity

    def act(lab: Lab, address: str, seed: int) -> None:
        place = f"{bracketed(address)}:{activity.port}".encode()

        def listens() -> bool:
            line = lab.server.inside("ss", "-Hltn")
            return place in subprocess.run(line, capture_output=True, timeout=WAIT, check=True).stdout.split()

        until(listens, f"server of {activity.name}", 60)
        activity.act(lab, address, seed)

    return replace(activity, act=act)


ACTIVITIES = [awaited(one) for one in (*PART_A, *PART_B)]


def prepare(lab: Lab, plan: dict[str, Activity]) -> None:
    """Start what several activities share."""
    tlsmoreplan.prepare(lab, plan)
    (lab.folder / "sources").write_text(f"deb [trusted=yes] {PAGE} stable main\n")
    tlsnew.inside(lab)
