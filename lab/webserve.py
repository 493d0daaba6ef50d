# SPDX-License-Identifier: LGPL-2.1-or-later
"""Web servers of many programs, each on addresses of its own, before one application or with one inside.

The application answers what the path asks for (lab/webplan.py). nginx, Apache, Caddy, haproxy, lighttpd,
h2o and nghttpx pass requests on to it; aiohttp, Hypercorn, Uvicorn, Tornado, Cheroot, Node.js, Go, Java and Ruby
have it inside. A flavour is a way of TLS: `new`, `old` (1.2), `cbc`, `chacha` (both 1.2), `retry` (a group few offer
first), `ticketless`, `asking` (for a client's certificate), `plain` (none).
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.network import WAIT, Lab, LabError
from lab.tlsserve import bracketed, certificate

PROGRAMS = Path(__file__).with_name("webprograms")
PYTHON = "/usr/bin/python3"
BACKEND = 8100  # port on 127.0.0.1
Place = tuple[str, int, str]  # address, port, flavour
GCM = "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"
CHACHA = "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305"
CIPHERS = {"cbc": GCM, "chacha": CHACHA}
OLD = ("old", "cbc", "chacha")
FLAVOURS: dict[str, tuple[str, ...]] = {  # what each kind can
    **dict.fromkeys(("nginx", "haproxy"), ("new", "old", "cbc", "chacha", "retry", "ticketless", "asking", "early")),
    "apache": ("new", "old", "cbc", "chacha", "retry", "ticketless", "asking"),
    **dict.fromkeys(("caddy", "lighttpd", "h2o", "java"), ("new", "old", "cbc")),
    "nghttpx": ("new", "old"),
    **dict.fromkeys(
        ("aiohttp", "hypercorn", "uvicorn", "tornado", "cheroot"),
        ("new", "old", "cbc", "chacha", "retry", "ticketless"),
    ),
    **dict.fromkeys(("http1", "http2", "ruby"), ("new", "old", "cbc", "chacha", "retry")),
    "go": ("new", "old", "chacha", "retry", "ticketless", "asking"),
}
PLAIN = ("nginx", "apache", "haproxy", "lighttpd", "aiohttp", "hypercorn", "tornado", "http1", "go", "java", "ruby")


def identify(lab: Lab, seed: int, names: Sequence[str] = ()) -> Path:
    """Make the certificate of this recording, of RSA or a curve, alone or with others of its chain behind it."""
    draw = random.Random(seed)
    both = certificate(lab, names, draw.choice(("", "prime256v1")))
    for number in range(draw.choice((0, 1, 1, 2))):
        others = ",".join(f"DNS:{draw.randrange(10**9)}.lab.example" for _ in range(draw.randrange(40)))
        make = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "9",
            "-subj",
            "/CN=CA",
            "-out",
            "-",
        ]
        more = ["-keyout", "/dev/null", *(["-addext", f"subjectAltName={others}"] if others and number == 0 else [])]
        done = subprocess.run([*make, *more], check=True, capture_output=True, timeout=WAIT, text=True)
        both.write_text(both.read_text() + done.stdout)
    return both


def _kept(source: str) -> Path:
    text = (PROGRAMS / source).read_bytes()
    return (
        Path(os.environ.get("FLOWTAP_CACHE", "/var/cache/flowtap"))
        / f"{source}-{hashlib.sha256(text).hexdigest()[:12]}"
    )


@functools.cache
def go() -> str:
    """Return the path of lab/webprograms/web.go, built once."""
    path = _kept("web.go")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        change = {**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0", "HOME": "/tmp"}
        subprocess.run(
            ["go", "build", "-o", f"{path}.new", str(PROGRAMS / "web.go")], check=True, env=change, timeout=300
        )
        Path(f"{path}.new").rename(path)
    return str(path)


@functools.cache
def java() -> list[str]:
    """Return the command line of lab/webprograms/Web.java, compiled once."""
    path = _kept("Web.java")
    if not path.exists():
        subprocess.run(["javac", "-d", str(path), str(PROGRAMS / "Web.java")], check=True, timeout=300)
    return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(path), "Web"]


def _nginx(lab: Lab, places: list[Place]) -> list[str]:
    pem, servers = certificate(lab), ""
    for host, port, flavour in places:
        if flavour == "plain":
            servers += f"server {{ listen {bracketed(host)}:{port}; include {lab.folder}/nginx-app; }}\n"
            continue
        more = "ssl_protocols TLSv1.2;" if flavour in OLD else "ssl_protocols TLSv1.2 TLSv1.3;"
        more += f"ssl_ciphers {CIPHERS[flavour]};" if flavour in CIPHERS else ""
        more += "ssl_ecdh_curve secp384r1;" if flavour == "retry" else ""
        more += "ssl_session_tickets off;" if flavour == "ticketless" else ""
        more += "ssl_verify_client optional_no_ca;" if flavour == "asking" else ""
        more += "ssl_early_data on;" if flavour == "early" else ""
        servers += (
            f"server {{ listen {bracketed(host)}:{port} ssl {'http2' if flavour != 'cbc' else ''}; "
            f"ssl_certificate {pem}; ssl_certificate_key {pem}; {more} include {lab.folder}/nginx-app; }}\n"
        )
    (lab.folder / "nginx-app").write_text(
        f"root {lab.folder}/site; location /b/ {{ proxy_pass http://127.0.0.1:{BACKEND}; proxy_buffering off; "
        "proxy_http_version 1.1; proxy_set_header Connection ''; }\n"
        f"location /ws {{ proxy_pass http://127.0.0.1:{BACKEND}; proxy_http_version 1.1; "
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }\n"
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {lab.folder}/ng-{kind}; " for kind in kinds)
    config = lab.folder / "web-nginx.conf"
    config.write_text(
        f"user root; worker_processes 1; daemon off; pid {lab.folder}/web-ng.pid; error_log {lab.folder}/web-ng.err;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{ access_log off; client_max_body_size 99m; {temporary}"
        f"server_names_hash_bucket_size 128; large_client_header_buffers 4 32k;\n{servers} }}\n"
    )
    return ["nginx", "-c", str(config)]


def _apache(lab: Lab, places: list[Place]) -> list[str]:
    pem, folder = certificate(lab), lab.folder / "web-apache"
    folder.mkdir()
    modules: tuple[str, ...] = (
        "mpm_event",
        "authn_core",
        "authz_core",
        "socache_shmcb",
        "ssl",
        "proxy",
        "proxy_http",
        "http2",
        "dir",
    )
    modules += ("mime", "proxy_wstunnel")
    load = "".join(f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so\n" for one in modules)
    hosts = ""
    for host, port, flavour in places:
        place = f"{bracketed(host)}:{port}"
        hosts += f"Listen {place}\n<VirtualHost {place}>\nServerName lab.example\n"
        if flavour != "plain":
            hosts += f"SSLEngine on\nSSLCertificateFile {pem}\nSSLCertificateKeyFile {pem}\nProtocols h2 http/1.1\n"
            hosts += f"SSLProtocol {'TLSv1.2' if flavour in OLD else 'TLSv1.2 +TLSv1.3'}\n"
            hosts += f"SSLCipherSuite {CIPHERS[flavour]}\nProtocols http/1.1\n" if flavour in CIPHERS else ""
            hosts += "SSLOpenSSLConfCmd Curves secp384r1\n" if flavour == "retry" else ""
            hosts += "SSLSessionTickets off\n" if flavour == "ticketless" else ""
            hosts += "SSLVerifyClient optional_no_ca\n" if flavour == "asking" else ""
        hosts += f"DocumentRoot {lab.folder}/site\nProxyPass /b/ http://127.0.0.1:{BACKEND}/b/ flushpackets=on\n"
        hosts += f"ProxyPass /ws ws://127.0.0.1:{BACKEND}/ws\n</VirtualHost>\n"
    config = folder / "conf"
    config.write_text(
        f"ServerRoot {folder}\nServerName lab.example\nPidFile {folder}/pid\nErrorLog {folder}/error.log\n{load}"
        f"DefaultRuntimeDir {folder}\nUser nobody\nGroup nogroup\nTypesConfig /etc/mime.types\nKeepAliveTimeout 60\n"
        f"MaxKeepAliveRequests 500\nThreadsPerChild 64\nMaxRequestWorkers 512\nServerLimit 8\n"
        f"<Directory />\nRequire all granted\n</Directory>\n{hosts}"
    )
    return ["apache2", "-D", "FOREGROUND", "-f", str(config)]


def _caddy(lab: Lab, places: list[Place]) -> list[str]:
    pem, key, sites = certificate(lab), lab.folder / "tls.key", ""
    for host, port, flavour in places:
        more = ""
        if flavour in OLD:
            more = "protocols tls1.2 tls1.2\n"
        if flavour == "cbc":
            more += "ciphers TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n"
        sites += (
            f"https://{bracketed(host)}:{port} {{\nbind {host}\ntls {pem} {key} {{\n{more}}}\n"
            f"reverse_proxy /b/* 127.0.0.1:{BACKEND} {{\nflush_interval -1\n}}\nreverse_proxy /ws 127.0.0.1:{BACKEND}\n"
            f"root * {lab.folder}/site\nfile_server\n}}\n"
        )
    config = lab.folder / "Caddyfile"
    config.write_text(
        "{\nadmin off\nauto_https off\nstorage file_system " + str(lab.folder / "caddy") + "\nlog {\nlevel ERROR\n}\n"
        "default_sni lab.example\n}\n" + sites
    )
    return ["env", f"HOME={lab.folder}", "caddy", "run", "--adapter", "caddyfile", "--config", str(config)]


def _haproxy(lab: Lab, places: list[Place]) -> list[str]:
    pem, binds = certificate(lab), ""
    for host, port, flavour in places:
        words = "" if flavour == "plain" else f"ssl crt {pem} alpn {'http/1.1' if flavour == 'cbc' else 'h2,http/1.1'}"
        words += " ssl-max-ver TLSv1.2" if flavour in OLD else ""
        words += f" ciphers {CIPHERS[flavour]}" if flavour in CIPHERS else ""
        words += " curves P-384" if flavour == "retry" else ""
        words += " no-tls-tickets" if flavour == "ticketless" else ""
        words += f" verify optional ca-file {pem} crt-ignore-err all ca-ignore-err all" if flavour == "asking" else ""
        words += " allow-0rtt" if flavour == "early" else ""
        binds += f" bind {host}:{port} {words}\n"
    config = lab.folder / "web-haproxy.cfg"
    config.write_text(
        "global\n tune.ssl.default-dh-param 2048\ndefaults\n mode http\n timeout connect 9s\n timeout client 90s\n"
        f" timeout server 90s\nfrontend web\n{binds} default_backend app\nbackend app\n server a 127.0.0.1:{BACKEND}\n"
    )
    return ["haproxy", "-db", "-f", str(config)]


def _lighttpd(lab: Lab, places: list[Place]) -> list[str]:
    pem, hosts = certificate(lab), ""
    for host, port, flavour in places:
        hosts += f'$SERVER["socket"] == "{bracketed(host)}:{port}" {{\n'
        if flavour != "plain":
            hosts += f'ssl.engine = "enable"\nssl.pemfile = "{pem}"\n'
            commands = ['"MaxProtocol" => "TLSv1.2"'] if flavour in OLD else []
            if flavour in CIPHERS:
                commands += [f'"CipherString" => "{CIPHERS[flavour]}"']
            hosts += f"ssl.openssl.ssl-conf-cmd = ({', '.join(commands)})\n" if commands else ""
        hosts += "}\n"
    config = lab.folder / "lighttpd.conf"
    config.write_text(
        f'server.document-root = "{lab.folder}/site"\nserver.bind = "127.0.0.1"\nserver.port = 8199\n'
        f'server.modules = ("mod_openssl", "mod_proxy")\nserver.stream-response-body = 2\n'
        f'proxy.server = ("/b/" => (("host" => "127.0.0.1", "port" => {BACKEND})))\n'
        f'server.upload-dirs = ("{lab.folder}")\n'
        f"server.max-keep-alive-idle = 60\nserver.max-keep-alive-requests = 500\n{hosts}"
    )
    return ["lighttpd", "-D", "-f", str(config)]


def _h2o(lab: Lab, places: list[Place]) -> list[str]:
    pem, hosts = certificate(lab), ""
    for number, (host, port, flavour) in enumerate(places):
        hosts += f"  n{number}.lab.example:\n    listen:\n      host: '{host}'\n      port: {port}\n      ssl:\n"
        hosts += f"        certificate-file: {pem}\n        key-file: {lab.folder / 'tls.key'}\n"
        if flavour in OLD:
            hosts += "        max-version: TLSv1.2\n"
        if flavour in CIPHERS:
            hosts += f"        cipher-suite: '{CIPHERS[flavour]}'\n"
        hosts += f"    paths:\n      /b:\n        proxy.reverse.url: http://127.0.0.1:{BACKEND}/b\n"
        hosts += f"      /:\n        file.dir: {lab.folder}/site\n"
    config = lab.folder / "h2o.conf"
    config.write_text(f"user: root\nnum-threads: 1\nhttp1-request-timeout: 60\nhosts:\n{hosts}")
    return ["h2o", "-c", str(config)]


def _nghttpx(lab: Lab, places: list[Place]) -> list[str]:
    pem = str(certificate(lab))
    fronts = [f"-f{host},{port}" for host, port, _ in places]
    old = ["--tls-max-proto-version=TLSv1.2"] if places[0][2] in OLD else []
    return ["nghttpx", "--single-process", "--no-ocsp", *fronts, f"-b127.0.0.1,{BACKEND}", *old, pem, pem]


def _java(lab: Lab, places: list[Place]) -> list[str]:
    store = lab.folder / "web.p12"
    make = [
        "openssl",
        "pkcs12",
        "-export",
        "-passout",
        "pass:changeit",
        "-in",
        str(certificate(lab)),
        "-out",
        str(store),
    ]
    subprocess.run(make, check=True, capture_output=True, timeout=WAIT)
    return [*java(), "serve", str(store), *(str(word) for place in places for word in place)]


def _program(kind: str) -> Callable[[Lab, list[Place]], list[str]]:
    def command(lab: Lab, places: list[Place]) -> list[str]:
        given, pem = json.dumps(places), str(certificate(lab))
        if kind == "go":
            return [go(), "serve", given, pem]
        if kind == "ruby":
            return ["ruby", str(PROGRAMS / "server.rb"), given, pem]
        if kind in ("http1", "http2"):
            return ["node", str(PROGRAMS / "server.js"), kind, given, pem]
        return [PYTHON, str(PROGRAMS / "server.py"), kind, given, pem]

    return command


KINDS: dict[str, Callable[[Lab, list[Place]], list[str]]] = {
    "nginx": _nginx,
    "apache": _apache,
    "caddy": _caddy,
    "haproxy": _haproxy,
    "lighttpd": _lighttpd,
    "h2o": _h2o,
    "nghttpx": _nghttpx,
    "java": _java,
    **{
        kind: _program(kind)
        for kind in ("aiohttp", "hypercorn", "uvicorn", "tornado", "cheroot", "http1", "http2", "go", "ruby")
    },
}


def site(lab: Lab, seed: int) -> None:
    """Make the pages that crawlers read: 120 of them, with links and pictures of log-normal sizes."""
    draw, root = random.Random(seed), lab.folder / "site"
    lab.folder.chmod(0o755)
    root.mkdir()
    for number in range(150):
        (root / f"o{number}.jpg").write_bytes(os.urandom(min(150_000, int(draw.lognormvariate(8.5, 1.4)))))
    for number in range(120):
        body = "".join(f'<a href="p{draw.randrange(120)}.html">{"word " * draw.randint(1, 9)}</a>' for _ in range(9))
        body += "".join(f'<img src="o{draw.randrange(150)}.jpg">' for _ in range(int(draw.lognormvariate(1, 0.8))))
        text = "text " * min(20_000, int(draw.lognormvariate(6, 1)))
        (root / f"p{number}.html").write_text(f"<!doctype html><title>{number}</title>{body}<p>{text}</p>")
    (root / "index.html").write_text("".join(f'<a href="p{n}.html">{n}</a> ' for n in range(120)))
    _packages(root, draw)


def _packages(root: Path, draw: random.Random) -> None:
    """Make what package managers and version control fetch as plain files."""
    for name in ("simple", "apt", "work"):
        (root / name).mkdir()
    for number in range(8):
        name = f"lab{number}"
        wheel = root / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as pack:
            pack.writestr(f"{name}.py", "x" * int(draw.lognormvariate(8, 1.5)))
            pack.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            pack.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            pack.writestr(f"{name}-1.0.dist-info/RECORD", "")
        (root / "simple" / name).mkdir()
        links = "".join(f'<a href="/{wheel.name}">{wheel.name}</a>' for _ in range(draw.randint(1, 60)))
        (root / "simple" / name / "index.html").write_text(f"<!doctype html>{links}")
        about = {
            "name": name,
            "dist-tags": {"latest": "1.0.0"},
            "versions": {"1.0.0": {"name": name, "version": "1.0.0"}},
        }
        (root / name).write_text(json.dumps({**about, "readme": "r" * int(draw.lognormvariate(7, 1.5))}))
    packages = "".join(f"Package: lab{n}\nVersion: 1\nArchitecture: all\nFilename: x\nSize: 1\n\n" for n in range(90))
    (root / "apt" / "Packages").write_text(packages)
    script = (
        "git init -q . && git config user.email a@b && git config user.name a && for n in 1 2 3 4 5; do "
        "head -c $((n * 2000)) /dev/urandom | base64 > f$n; git add f$n; git commit -qm $n; done; "
        "git clone -q --bare . ../repo.git && cd ../repo.git && git update-server-info"
    )
    change = {"HOME": str(root), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-c", script], cwd=root / "work", capture_output=True, timeout=60, check=False, env=change)
    subprocess.run(["chmod", "-R", "a+rX", str(root)], check=False, timeout=WAIT)


def start(lab: Lab, kinds: dict[str, list[Place]], seed: int, *, named: bool = False) -> None:
    """Start the application and all servers; the certificate has their addresses when they are `named`."""
    identify(lab, seed, [f"IP:{host}" for places in kinds.values() for host, _, _ in places] if named else ())
    site(lab, seed)
    backend = _program("aiohttp")(lab, [("127.0.0.1", BACKEND, "plain")])
    lab.server.start(*backend, log=lab.folder / "backend.log")
    for kind, places in kinds.items():
        groups = [places]
        if kind == "nghttpx":  # one way of TLS for all of its places
            groups = [[place for place in places if (place[2] in OLD) is old] for old in (False, True)]
        for number, group in enumerate(groups):
            if group:
                lab.server.start(*KINDS[kind](lab, group), log=lab.folder / f"web-{kind}-{number}.log")
    lab.server.await_port(BACKEND)


def silent(lab: Lab, places: list[Place]) -> list[str]:
    """Return the places at which nothing listens."""
    told = subprocess.run(lab.server.inside("ss", "-Hltn"), capture_output=True, timeout=WAIT, check=True, text=True)
    open_ = {line.split()[3].replace("[::ffff:", "").replace("]", "") for line in told.stdout.splitlines()}
    return [
        f"{bracketed(host)}:{port}"
        for host, port, _ in places
        if f"{bracketed(host)}:{port}".replace("]", "") not in open_
    ]


__all__ = ["FLAVOURS", "KINDS", "PLAIN", "LabError", "silent", "start"]
