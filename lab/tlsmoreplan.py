# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who does what in the second recording of port 443 (`--kind more`): other TLS libraries, proxies, tunnels and shells.

As in lab/tlsplan.py the programs of the part `test` differ from those of `train`.
"""

from __future__ import annotations

from collections.abc import Callable

from lab import tlsfronts, tlsserve
from lab.crowd import Activity
from lab.network import SERVER, Lab
from lab.tls import Act, Serve, curl, key, nothing, to
from lab.tlsforeign import NODE, go, java, new, ready
from lab.tlsfronts import GO_WEB, OLD_WEB, SSHD13, TINYSSH, TOOLS, apache, apache_ports, go_front, go_proxy, hitch
from lab.tlsfronts import java_front, mitmproxy, pproxy, proxy_py, squid, stunnel_new, trojan, v2ray
from lab.tlsmore import PAGE, behind, chromium, direct, firefox, library, reverse, ssh
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, PROXY, SSHD, bracketed, certificate

S, H, C, N, X = tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.ncat, tlsserve.stream
FOUR = {"s-proxytunnel", "s-squid", "s-proxypy", "s-pproxy", "s-goproxy", "s-hitch", "s-13-script", "t-hitch-bare"}
INSECURE = {"GIT_SSL_NO_VERIFY": "1", "NODE_NO_WARNINGS": "1", "PYTHONWARNINGS": "ignore", "SSL_CERT_FILE": "%/tls.pem"}
CBC = "ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256"
CHACHA = "ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305"
HELPER = str(tlsserve.Path(__file__).with_name("tlsothers.py"))


def other(role: str) -> Serve:
    """Start a server of tlsothers.py."""

    def serve(lab: Lab, address: str) -> None:
        line = [f"{TOOLS}/python", HELPER, role, address, "443", str(certificate(lab))]
        lab.server.start(*line, log=lab.folder / f"{role}-{address.replace(':', '_')}.log")

    return serve


def asks(role: str) -> Act:
    """Run a client of tlsothers.py."""
    return direct(f"{TOOLS}/python", HELPER, role, "@", "443")


def python(code: str) -> tuple[str, ...]:
    """Return the command line of some Python with the lab's libraries."""
    return (f"{TOOLS}/python", "-W", "ignore", "-c", code)


def dovecot(lab: Lab, address: str) -> None:
    """Mail by IMAP over TLS."""
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
        "service imap-login {\n inet_listener imap {\n port = 0\n }\n inet_listener imaps {\n port = 443\n }\n chroot =\n}\n"
        "service anvil {\n chroot =\n}\n"
    )
    lab.server.start("dovecot", "-F", "-c", str(home / "conf"), log=home / "out")


def mosquitto(lab: Lab, address: str) -> None:
    """An MQTT broker over TLS."""
    pem, config = certificate(lab), lab.folder / f"mosquitto-{address.replace(':', '_')}.conf"
    config.write_text(
        f"listener 443 {address}\ncertfile {pem}\nkeyfile {pem}\nallow_anonymous true\nuser root\nmax_keepalive 60\n"
    )
    lab.server.start("mosquitto", "-c", str(config), log=lab.folder / f"{config.name}.log")


def rows(part: str, label: str, *table: tuple[str, Serve, Act]) -> list[Activity]:
    """Make activities of one part and label; hitch and proxytunnel speak IPv4 only here."""
    labels = (label,) if label else ()
    return [Activity(name, serve, act, labels, part, name not in FOUR) for name, serve, act in table]


def browser(name: str, part: str, act: Callable[[str, bool], Act]) -> Activity:
    """A browser through Apache; which of its connections carried anything says Apache's log."""
    return Activity(name, apache, act(f"{PAGE}/page.html", True), ("tls.tunnel.tls",), part, true_of=apache_ports)


MQTT = ("mosquitto_sub", "--cafile", "%/tls.pem", "--insecure", "-h", "@", "-p", "443")
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
        ("mqtt", mosquitto, direct("sh", "-c", f"timeout 25 {' '.join(MQTT)} -t lab -q 1 & for i in 1 2 3 4 5 6; do sleep 2.$i; {' '.join(MQTT).replace('_sub', '_pub')} -t lab -q 1 -m some$i; done", fails=True)),
        ("doh", nothing, asks("doh")),
        ("film", nothing, asks("film")),
        ("curl13", nothing, direct(*new("curl", "-sk", "-o", "/dev/null", "https://#/page.html", "-o", "/dev/null", "https://#/post"))),
        ("gnutls-web", nothing, direct("sh", "-c", "printf 'GET /style.css HTTP/1.0\\r\\n\\r\\n' | gnutls-cli --insecure -p 443 @", fails=True)),
    ),
    *rows(
        "test",
        "",
        ("firefox", nothing, firefox("https://#/page.html", False)),
        ("api-2", other("api"), asks("api")),
        ("api-3", other("api"), asks("api")),
        ("events-2", other("events"), asks("events")),
        ("grpc-2", other("grpc"), asks("grpc")),
        ("uv", nothing, direct(f"{TOOLS}/uv", "pip", "install", "--no-cache", "--python", f"{TOOLS}/python", "--index-url", "https://#/", "nothing", fails=True, **INSECURE)),
        ("curl-cffi", nothing, direct(*python("from curl_cffi import requests as r\ns=r.Session(impersonate='chrome',verify=False)\nfor p in ('','style.css','photo.jpg','post'): s.get('https://#/'+p)"))),
        ("node-web", nothing, direct("node", "-e", "fetch('https://#/code.js').then(r=>r.text()).then(()=>fetch('https://#/')).then(r=>r.text())", NODE_TLS_REJECT_UNAUTHORIZED="0", NODE_NO_WARNINGS="1")),
        ("film-2", nothing, asks("film")),
        ("doh-2", nothing, asks("doh")),
        ("imap-curl", dovecot, direct("curl", "-sk", "-u", "student:lab", "imaps://#:443/INBOX;UID=1", fails=True)),
        ("apache-links", apache, direct("links2", "-ssl.certificates", "0", "-dump", "https://#/page.html", fails=True)),
        ("svn", apache, direct("svn", "--non-interactive", "--trust-server-cert-failures=unknown-ca,cn-mismatch,other", "ls", "https://#/", fails=True)),
        ("git-web", nothing, direct("git", "ls-remote", "https://#/no.git", fails=True, GIT_SSL_NO_VERIFY="1")),
    ),
]  # fmt: skip
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
GET = "from {0} import *\n"
REQUESTS = "import requests as r, urllib3\nurllib3.disable_warnings()\ns=r.Session();s.verify=False;s.proxies={{'https':'https://#:443'}}\n"
TLS = [
    *rows(
        "train",
        "tls.tunnel.tls",
        ("t-go-go", go_front("", GO_WEB), behind("go", "curl", "-sk", "-o", "/dev/null", "https://127.0.0.1:@/code.js")),
        ("t-go-proxy", go_proxy(""), direct(go(), "get", "#:443", "300", f"{PAGE}/", f"{PAGE}/code.js")),
        ("t-go24-apache", apache, direct(go("24"), "get", "#:443", "300", f"{PAGE}/", f"{PAGE}/style.css")),
        ("t-curl13-apache", apache, direct(*new("curl", "-sk", "--proxy-insecure", "-x", "https://#:443", f"{PAGE}/"))),
        ("t-curl13-squid", squid(), direct(*new("curl", "-sk", "--proxy-insecure", "-x", "https://#:443", f"https://{INNER}:{GO_WEB}/style.css"))),
        ("t-git-gnutls", apache, direct("git", "-c", "http.proxy=https://#:443", "ls-remote", f"{PAGE}/no.git", fails=True, GIT_SSL_NO_VERIFY="1", GIT_PROXY_SSL_CAINFO="%/tls.pem")),
        ("t-requests", squid(), direct(*python("import httpx\nc=httpx.Client(proxy=httpx.Proxy('https://#:443',ssl_context=httpx.create_ssl_context(verify=False)),verify=False)\nc.get('https://127.0.0.1:9443/');c.get('https://127.0.0.1:9443/code.js')"))),
        ("t-node", apache, direct("node", NODE, "get", "@", "443", f"{INNER}:{INNER_WEB}")),
        ("t-node-old", go_proxy(""), direct("node", NODE, "get", "@", "443", f"{INNER}:{OLD_WEB}")),
        ("t-java", apache, direct(*java(), "get", "@", "443", f"{INNER}:{INNER_WEB}", "3")),
        ("t-mitm", mitmproxy, direct("curl", "-sk", "--proxy-insecure", "-x", "https://#:443", f"{PAGE}/style.css")),
        ("t-wget-go", to(S, PROXY), behind("go", "wget", "-q", "--no-check-certificate", "-O", "/dev/null", f"{PAGE}/code.js", https_proxy="http://127.0.0.1:@")),
        ("t-wget13-java", to(H, INNER_WEB), behind("java", *new("wget", "-q", "--no-check-certificate", "-O", "/dev/null", "https://127.0.0.1:@/code.js"))),
        ("t-hitch-bare", hitch(OLD_WEB), behind("haproxy", "curl", "-sk", "https://127.0.0.1:@/style.css")),
        ("t-openssl35", to(H, INNER_WEB), behind("socat", "sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | " + " ".join(new("openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", "127.0.0.1:@")))),
        ("t-gnutls", to(S, INNER_WEB), behind("haproxy", "sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | gnutls-cli --insecure -p @ 127.0.0.1", fails=True)),
        ("t-cbc", to(H, PROXY, CBC), behind("stunnel", "curl", "-sk", "-x", "http://127.0.0.1:@", f"{PAGE}/style.css")),
        ("t-cbc-bare", to(H, INNER_WEB, CBC), behind("socat", "curl", "-sk", "https://127.0.0.1:@/style.css")),
        ("t-v2ray-tcp", v2ray("tcp"), behind("v2ray-tcp", "curl", "-sk", "--socks5", "127.0.0.1:@", f"{PAGE}/style.css")),
    ),
    browser("t-chromium", "train", chromium),
    *rows(
        "test",
        "tls.tunnel.tls",
        ("t-uv-proxypy", proxy_py, direct(f"{TOOLS}/uv", "pip", "install", "--no-cache", "--python", f"{TOOLS}/python", "--index-url", f"{PAGE}/", "nothing", fails=True, HTTPS_PROXY="https://#:443", **INSECURE)),
        ("t-uv-go24", go_proxy("24"), direct(f"{TOOLS}/uv", "pip", "install", "--no-cache", "--python", f"{TOOLS}/python", "--index-url", f"https://{INNER}:{GO_WEB}/", "nothing", fails=True, HTTPS_PROXY="https://#:443", **INSECURE)),
        ("t-cffi-go24", go_proxy("24"), direct(*python("from curl_cffi import requests as r\nr.get('https://127.0.0.1:9443/code.js',impersonate='chrome',verify=False,proxies={'https':'https://#:443'})"))),
        ("t-cffi-safari", pproxy, direct(*python("from curl_cffi import requests as r\nr.get('https://127.0.0.1:9445/style.css',impersonate='safari',verify=False,proxies={'https':'https://#:443'})"))),
        ("t-go24-go24", go_proxy("24"), direct(go("24"), "get", "#:443", "50", f"https://{INNER}:{GO_WEB}/", f"https://{INNER}:{GO_WEB}/code.js")),
        ("t-go24-pproxy", pproxy, direct(go("24"), "get", "#:443", "500", f"{PAGE}/", f"{PAGE}/style.css")),
        ("t-requests-pproxy", pproxy, direct(*python(REQUESTS.format() + "s.get('https://127.0.0.1:9443/');s.get('https://127.0.0.1:9443/style.css')"))),
        ("t-aiohttp", proxy_py, direct(*python("import httpx\nc=httpx.Client(http2=True,proxy=httpx.Proxy('https://#:443',ssl_context=httpx.create_ssl_context(verify=False)),verify=False)\nc.get('https://127.0.0.1:9443/code.js')"))),
        ("t-node-go24", go_proxy("24"), direct("node", NODE, "get", "@", "443", f"{INNER}:{GO_WEB}")),
        ("t-java-squid", squid("options=NO_TICKET"), direct(*java(), "get", "@", "443", f"{INNER}:{INNER_WEB}", "2")),
        ("t-java-old", pproxy, direct(*java(), "get", "@", "443", f"{INNER}:{OLD_WEB}", "2")),
        ("t-curl13-go24", go_proxy("24"), direct(*new("curl", "-sk", "--proxy-insecure", "--http1.1", "-x", "https://#:443", f"https://{INNER}:{GO_WEB}/code.js"))),
        ("t-git13", proxy_py, direct(*new("git", "-c", "http.proxy=https://#:443", "ls-remote", f"{PAGE}/no.git"), fails=True, GIT_SSL_NO_VERIFY="1", GIT_PROXY_SSL_CAINFO="%/tls.pem")),
        ("t-trojan", trojan, behind("trojan", "curl", "-sk", "--socks5", "127.0.0.1:@", f"{PAGE}/style.css")),
        ("t-trojan-13", trojan, behind("trojan", *new("curl", "-sk", "--socks5", "127.0.0.1:@", f"https://{INNER}:{GO_WEB}/code.js"))),
        ("t-v2ray-ws", v2ray("ws"), behind("v2ray-ws", "curl", "-sk", "--socks5", "127.0.0.1:@", f"{PAGE}/style.css")),
        ("t-links", stunnel_new(INNER_WEB), behind("stunnel13", "links2", "-ssl.certificates", "0", "-dump", "https://127.0.0.1:@/", fails=True)),
        ("t-java-bare", java_front(INNER_WEB), behind("java", "curl", "-sk", "https://127.0.0.1:@/style.css")),
        ("t-uv-node", java_front(INNER_WEB), behind("node", f"{TOOLS}/uv", "pip", "install", "--no-cache", "--python", f"{TOOLS}/python", "--index-url", "https://127.0.0.1:@/", "nothing", fails=True, **INSECURE)),
        ("t-svn", to(H, PROXY), behind("go24", "svn", "--non-interactive", "--trust-server-cert-failures=unknown-ca,cn-mismatch,other", "--config-option", "servers:global:http-proxy-host=127.0.0.1", "--config-option", "servers:global:http-proxy-port=@", "--config-option", "servers:global:http-proxy-exceptions=", "ls", f"{PAGE}/", fails=True)),
        ("t-httpie", to(X, PROXY), behind("node", "http", "--ignore-stdin", "--verify=no", "--proxy=https:http://127.0.0.1:@", f"{PAGE}/style.css", fails=True)),
        ("t-chacha", to(H, PROXY, CHACHA), behind("socat13", *new("curl", "-sk", "-x", "http://127.0.0.1:@", f"{PAGE}/code.js"))),
    ),
    browser("t-firefox", "test", firefox),
]  # fmt: skip
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
ACTIVITIES = [*FRIENDS, *SSH, *TLS, *SHELLS]


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
    shells = {activity.name for activity in SHELLS}
    web = [place for place, activity in plan.items() if activity.serve is nothing and activity.name not in shells]
    if web:
        tlsserve.nginx(lab, [f"{bracketed(place)}:443" for place in web])
