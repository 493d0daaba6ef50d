# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who does what in the third recording of port 443 (`--kind new`): parts `a` and `b`, with no program in both.

It was made to measure the signatures once more on what they had not seen. A few programs of the other recordings play
where a tunnel needs another end; each activity has at least one relay, shell, proxy or client that is new.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab import tlsmoreplan, tlsnew, tlsserve
from lab.crowd import Activity
from lab.network import SERVER, Lab
from lab.tls import Serve, curl, nothing, to
from lab.tlsforeign import go, new
from lab.tlsfronts import GO_WEB, OLD_WEB, go_front, hitch, squid
from lab.tlsmore import PAGE, direct, ssh
from lab.tlsmoretunnels import rows
from lab.tlsnew import (
    ERLANG_SSHD,
    FRIENDS,
    NCAT,
    NODE,
    NODE_SSHD,
    PY,
    SOCKS,
    asyncio_front,
    behind,
    client,
    friend,
    node_front,
    node_proxy,
    sharp,
    stone,
    way,
    websockify,
    wss,
)
from lab.tlsnewshell import reverse
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, PROXY, SSHD

S, H, C, X = tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.stream
RETRY = "curves P-384"
LWP = (
    "use LWP::UserAgent; my $u = LWP::UserAgent->new(ssl_opts => { verify_hostname => 0, SSL_verify_mode => 0 }, "
    "keep_alive => 2); $u->proxy('https', $ARGV[1]) if $ARGV[1]; for my $p ('', 'style.css') "
    "{ $u->get($ARGV[0] . $p)->is_success or die }"
)
AIOHTTP = (
    "import aiohttp, asyncio, ssl, sys\nasync def main():\n c = ssl.create_default_context(); c.check_hostname = False; "
    "c.verify_mode = ssl.CERT_NONE\n async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=c)) as s:\n"
    "  for p in ('', 'code.js'):\n   async with s.get(sys.argv[1] + p, proxy=sys.argv[2] if sys.argv[2:] else None) as r: "
    "await r.read()\nasyncio.run(main())"
)
CURL = ("curl", "-sk", "-o", "/dev/null")
LOCAL = "https://127.0.0.1:@/"
THROUGH = "http://127.0.0.1:@"
GO_PAGE, OLD_PAGE = f"https://{INNER}:{GO_WEB}", f"https://{INNER}:{OLD_WEB}"


def friends(part: str, names: Sequence[str]) -> list[Activity]:
    """Make activities of tlsfriends.py, which are neither tunnel nor shell."""
    table = [(f"{part}-{name}-{n}", friend(name), direct(*FRIENDS, name, "@", "443", fails=True)) for name in names for n in (1, 2)]
    return rows(part, "", *table)


def fronts(port: int, host: str = INNER) -> dict[str, Serve]:
    """Return the relays before a port."""
    return {"asyncio": asyncio_front(port, host), "stone": stone(port, host), "websockify": websockify(port, host)}


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
        ("a-t-lynx", stone(PROXY), behind("asyncio", "lynx", "-source", f"{PAGE}/style.css", https_proxy=THROUGH, fails=True)),
        ("a-t-lynx-bare", asyncio_front(OLD_WEB), behind("stone", "lynx", "-source", LOCAL, fails=True)),
        ("a-t-ab", to(X, INNER_WEB), behind("asyncio", "ab", "-n", "3", LOCAL)),
        ("a-t-mono-bare", asyncio_front(INNER_WEB), behind("mono", *sharp(), "get", LOCAL)),
        ("a-t-socks", stone(SOCKS), behind("asyncio", *CURL, "--socks5", "127.0.0.1:@", f"{PAGE}/code.js")),
        ("a-t-socks-13", asyncio_front(SOCKS), behind("stone", *new(*CURL, "--socks5-hostname", "127.0.0.1:@", f"{GO_PAGE}/"))),
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
        ("a-w-lynx", nothing, direct("lynx", "-source", "https://#/code.js", fails=True)),
        ("a-w-lwp", nothing, direct("perl", "-e", LWP, "https://#/")),
        ("a-w-ncat", to(S, NCAT), direct("curl", "-s", "-o", "/dev/null", "--proxy-insecure", "-x", "https://#:443", "http://127.0.0.1:1/", fails=True)),
    ),
]  # fmt: skip
ACTIVITIES = PART_A


def prepare(lab: Lab, plan: dict[str, Activity]) -> None:
    """Start what several activities share."""
    tlsmoreplan.prepare(lab, plan)
    tlsnew.inside(lab)
