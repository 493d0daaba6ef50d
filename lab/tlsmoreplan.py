# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who does what in the second recording of port 443 (`--kind more`): other TLS libraries, proxies, tunnels and shells.

As in lab/tlsplan.py the programs of the part `test` differ from those of `train`.
"""

from __future__ import annotations

from lab import tlsdrawn, tlsfresh, tlsfronts, tlsserve
from lab.crowd import Activity
from lab.network import Lab
from lab.tls import curl, key, nothing, web
from lab.tlsforeign import go, new, ready
from lab.tlsfresh import asks, other
from lab.tlsfronts import apache
from lab.tlsmore import chromium, direct, firefox, reverse
from lab.tlsmoretunnels import CFFI, INSECURE, SSH, SVN, TLS, UV, python, rows
from lab.tlsserve import INNER, certificate


def dovecot(lab: Lab, address: str) -> None:
    """Start a server of mail by IMAP over TLS."""
    home = lab.folder / f"dovecot-{address.replace(':', '_')}"
    home.mkdir()
    home.chmod(0o755)
    (home / "mail").mkdir()
    (home / "mail").chmod(0o777)
    (home / "conf").write_text(
        f"base_dir = {home}/run\nstate_dir = {home}/state\nlog_path = {home}/log\nprotocols = imap\nssl = yes\n"
        f"ssl_cert = <{certificate(lab)}\nssl_key = <{certificate(lab)}\nlisten = {address}\n"
        f"mail_location = maildir:{home}/mail/%u\npassdb {{\n driver = static\n args = password=lab\n}}\n"
        "userdb {\n driver = static\n args = uid=7077 gid=7077 home=/home/student\n}\n"
        "service imap-login {\n inet_listener imap {\n port = 0\n }\n"
        " inet_listener imaps {\n port = 443\n }\n chroot =\n}\n"
        "service anvil {\n chroot =\n}\n"
    )
    lab.server.start("dovecot", "-F", "-c", str(home / "conf"), log=home / "out")


def mosquitto(lab: Lab, address: str) -> None:
    """Start an MQTT broker over TLS."""
    pem, config = certificate(lab), lab.folder / f"mosquitto-{address.replace(':', '_')}.conf"
    config.write_text(
        f"listener 443 {address}\ncertfile {pem}\nkeyfile {pem}\nallow_anonymous true\nuser root\nmax_keepalive 60\n"
    )
    lab.server.start("mosquitto", "-c", str(config), log=lab.folder / f"{config.name}.log")


MQTT = ("mosquitto_sub", "--cafile", "%/tls.pem", "--insecure", "-h", "@", "-p", "443")
SUB = " ".join(MQTT)
MESSAGES = (
    f"timeout 25 {SUB} -t lab -q 1 & "
    f"for i in 1 2 3 4 5 6; do sleep 2.$i; {SUB.replace('_sub', '_pub')} -t lab -q 1 -m some$i; done"
)
FRIENDS = [
    *rows(
        "train",
        "",
        ("chromium", nothing, chromium("https://#/page.html", False)),
        ("go-web", nothing, direct(go(), "get", "-", "900", "https://#/", "https://#/code.js", "https://#/style.css")),
        ("apache-curl", apache, curl("@/page.html", "@/style.css", "@/code.js")),
        ("apache-go", apache, direct(go("24"), "get", "-", "100", "https://#/", "https://#/photo.jpg")),
        ("api", other("api"), asks("api")),
        ("events", other("events"), asks("events")),
        ("grpc", other("grpc"), asks("grpc")),
        ("imap", dovecot, asks("imap")),
        (
            "mqtt",
            mosquitto,
            direct(
                "sh",
                "-c",
                MESSAGES,
                fails=True,
            ),
        ),
        ("doh", nothing, asks("doh")),
        ("film", nothing, asks("film")),
        (
            "curl13",
            nothing,
            direct(*new("curl", "-sk", "-o", "/dev/null", "https://#/page.html", "-o", "/dev/null", "https://#/post")),
        ),
        (
            "gnutls-web",
            nothing,
            direct(
                "sh", "-c", "printf 'GET /style.css HTTP/1.0\\r\\n\\r\\n' | gnutls-cli --insecure -p 443 @", fails=True
            ),
        ),
    ),
    *rows(
        "test",
        "",
        ("firefox", nothing, firefox("https://#/page.html", False)),
        ("api-2", other("api"), asks("api")),
        ("api-3", other("api"), asks("api")),
        ("events-2", other("events"), asks("events")),
        ("grpc-2", other("grpc"), asks("grpc")),
        ("uv", nothing, direct(*UV, "https://#/", "nothing", fails=True, **INSECURE)),
        (
            "curl-cffi",
            nothing,
            direct(
                *python(
                    CFFI
                    + "s=r.Session(impersonate='chrome',verify=False)\nfor p in ('','style.css','photo.jpg','post'): s.get('https://#/'+p)"
                )
            ),
        ),
        (
            "node-web",
            nothing,
            direct(
                "node",
                "-e",
                "fetch('https://#/code.js').then(r=>r.text()).then(()=>fetch('https://#/')).then(r=>r.text())",
                NODE_TLS_REJECT_UNAUTHORIZED="0",
                NODE_NO_WARNINGS="1",
            ),
        ),
        ("film-2", nothing, asks("film")),
        ("doh-2", nothing, asks("doh")),
        ("imap-curl", dovecot, direct("curl", "-sk", "-u", "student:lab", "imaps://#:443/INBOX;UID=1", fails=True)),
        (
            "apache-links",
            apache,
            direct("links2", "-ssl.certificates", "0", "-dump", "https://#/page.html", fails=True),
        ),
        ("svn", apache, direct(*SVN, "ls", "https://#/", fails=True)),
        ("git-web", nothing, direct("git", "ls-remote", "https://#/no.git", fails=True, GIT_SSL_NO_VERIFY="1")),
    ),
]
SHELLS = [
    *rows(
        "train",
        "tls.reverse_shell",
        ("r-go", nothing, reverse("ncat", "go")),
        ("r-go-cmd", nothing, reverse("openssl35", "go-cmd", 4)),
        ("r-perl", nothing, reverse("socat", "perl", 6)),
        ("r-java", nothing, reverse("ncat", "java", 4)),
        ("r-upgrade", nothing, reverse("ncat", "ncat-sh", 4, True)),
        ("r-openssl35", nothing, reverse("openssl35", "bash-openssl35", 4, False, 9)),
        ("r-cbc", nothing, reverse("openssl12", "openssl-cbc", 5)),
        ("r-script", nothing, reverse("raw", "script-ncat", 3)),
        ("r-few", nothing, reverse("ncat", "go", 3)),
    ),
    *rows(
        "test",
        "tls.reverse_shell",
        ("r-go24-ps", nothing, reverse("go", "go24-ps")),
        ("r-go24-ps-2", nothing, reverse("openssl35", "go24-ps", 4)),
        ("r-node", nothing, reverse("go", "node", 5)),
        ("r-python", nothing, reverse("readline", "python", 6)),
        ("r-python-upgrade", nothing, reverse("openssl35", "python", 4, True)),
        ("r-lua", nothing, reverse("go", "lua", 5)),
        ("r-gnutls", nothing, reverse("readline", "gnutls", 4)),
        ("r-pty13", nothing, reverse("raw", "bash-pty13", 3)),
        ("r-go-cmd-2", nothing, reverse("readline", "go-cmd", 6, False, 8)),
        ("r-bash35-go", nothing, reverse("go", "bash-openssl35", 4)),
    ),
]
ACTIVITIES = [*FRIENDS, *SSH, *TLS, *SHELLS, *tlsfresh.ACTIVITIES, *tlsdrawn.drawn()]


def prepare(lab: Lab, plan: dict[str, Activity]) -> None:
    """Start what several activities share; every other run has certificates of a curve, the others of RSA."""
    curve = "P-256" if ":" in next(iter(plan)) else ""
    certificate(lab, ["DNS:lab.example", f"IP:{INNER}", *(f"IP:{place}" for place in plan)], curve)
    root = tlsserve.web_root(lab)
    links = "<link rel=stylesheet href=/style.css><script src=/code.js></script><img src=/photo.jpg>"
    (root / "page.html").write_text(f"<!doctype html><title>Lab</title>{links}<p>" + "text " * 400)
    key(lab)
    ready(lab)
    tlsserve.inside(lab)
    tlsfronts.inside(lab)
    web(lab, plan)
