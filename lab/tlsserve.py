# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers behind TLS on the lab's server machine: web, tunnels to sshd, proxies; each on an address of its own."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import servers
from lab.network import SERVER, WAIT, Lab

INNER = "127.0.0.1"  # where servers listen that are reached through a tunnel only
SSHD, DROPBEAR, INNER_WEB, PROXY, SQUID = 22, 2222, 9443, 3128, 3129  # ports of theirs
PAGES = {"index.html": 900, "style.css": 6_000, "code.js": 45_000, "photo.jpg": 230_000, "film.bin": 3_000_000}


def bracketed(address: str) -> str:
    """Return an address as URLs and most programs want it."""
    return f"[{address}]" if ":" in address else address


def certificate(lab: Lab, names: Sequence[str] = (), curve: str = "") -> Path:
    """Make a self-signed certificate once, for RSA or a curve, and names (`IP:...`); the file holds the key as well."""
    both = lab.folder / "both.pem"
    if not both.exists():
        key, public = lab.folder / "tls.key", lab.folder / "tls.pem"
        kind = ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}"] if curve else ["-newkey", "rsa:2048"]
        make = ["openssl", "req", "-x509", *kind, "-nodes", "-days", "9", "-subj", "/CN=lab.example"]
        if names:  # as an end entity's, for libraries that look
            make += ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=" + ",".join(names)]
        command = [*make, "-keyout", str(key), "-out", str(public)]
        subprocess.run(command, check=True, capture_output=True, timeout=WAIT)
        both.write_text(key.read_text() + public.read_text())
        both.chmod(0o644)
        key.chmod(0o644)
    return both


def web_root(lab: Lab) -> Path:
    """Make the pages that every web server of the lab serves."""
    root = lab.folder / "root"
    if not root.exists():
        lab.folder.chmod(0o755)
        (root / "up").mkdir(parents=True)
        (root / "up").chmod(0o777)
        for name, size in PAGES.items():
            (root / name).write_bytes(bytes(size))
    return root


def nginx(lab: Lab, listens: list[str], name: str = "nginx", more: str = "") -> None:
    """Start nginx with TLS on every `listens` (ADDRESS:PORT); HTTP/2 is offered on all of them."""
    pem, root = certificate(lab), web_root(lab)
    lines = "".join(f"listen {place} ssl http2;\n" for place in listens)
    config = lab.folder / f"{name}.conf"
    config.write_text(
        f"user root; worker_processes 1; daemon off; pid {lab.folder}/{name}.pid; error_log {lab.folder}/{name}.err;\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log {lab.folder}/{name}.log; client_max_body_size 200m; client_body_temp_path "
        f"{lab.folder}/{name}.body; proxy_temp_path {lab.folder}/{name}.proxy; "
        f"fastcgi_temp_path {lab.folder}/{name}.f; "
        f"uwsgi_temp_path {lab.folder}/{name}.u; scgi_temp_path {lab.folder}/{name}.s; keepalive_timeout 300;\n"
        f"server {{ {lines} ssl_certificate {pem}; ssl_certificate_key {pem}; "
        f"ssl_protocols TLSv1.2 TLSv1.3; {more} root {root};\n"
        "location /up/ { dav_methods PUT DELETE; }\n location /post { return 200 'ok'; } } }\n"
    )
    lab.server.start("nginx", "-c", str(config), log=lab.folder / f"{name}.out")
    lab.server.await_port(int(listens[0].rpartition(":")[2]))


def inside(lab: Lab) -> None:
    """Start what the tunnels lead to: OpenSSH, Dropbear, a web server, and two forward proxies."""
    servers.openssh(lab, SSHD)
    servers.dropbear(lab, DROPBEAR)
    nginx(lab, [f"{INNER}:{INNER_WEB}"], "inner")
    tiny = lab.folder / "tinyproxy.conf"
    tiny.write_text(f"Port {PROXY}\nListen {INNER}\nTimeout 600\nMaxClients 200\nLogLevel Error\n")
    lab.server.start("tinyproxy", "-d", "-c", str(tiny), log=lab.folder / "tinyproxy.log")
    lab.server.await_port(PROXY)


def stunnel(lab: Lab, address: str, target: str, more: str = "") -> None:
    """Start stunnel on port 443 of `address` before `target` (ADDRESS:PORT)."""
    config = lab.folder / f"stunnel-{address}.conf"
    accept = f":::{443}" if address == "::" else f"{address}:443"
    config.write_text(
        f"foreground = yes\npid =\n[lab]\ncert = {certificate(lab)}\naccept = {accept}\nconnect = {target}\n{more}\n"
    )
    lab.server.start("stunnel4", str(config), log=lab.folder / f"stunnel-{address}.log")


def haproxy(lab: Lab, address: str, target: str, more: str = "") -> None:
    """Start haproxy, which ends TLS on port 443 of `address` and passes the bytes on to `target`."""
    config = lab.folder / f"haproxy-{address}.cfg"
    config.write_text(
        "defaults\n mode tcp\n timeout connect 9s\n timeout client 300s\n timeout server 300s\n"
        f"listen lab\n bind {address}:443 ssl crt {certificate(lab)} {more}\n server s {target}\n"
    )
    lab.server.start("haproxy", "-db", "-f", str(config), log=lab.folder / f"haproxy-{address}.log")


def stream(lab: Lab, address: str, target: str) -> None:
    """Start nginx as a TLS front that passes the bytes on to `target`."""
    name = f"stream-{address.replace(':', '_')}"
    config, pem = lab.folder / f"{name}.conf", certificate(lab)
    config.write_text(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n"
        f"daemon off; worker_processes 1; pid {lab.folder}/{name}.pid; error_log {lab.folder}/{name}.err;\n"
        f"events {{ }}\nstream {{ server {{ listen {bracketed(address)}:443 ssl; ssl_certificate {pem}; "
        f"ssl_certificate_key {pem}; ssl_protocols TLSv1.2 TLSv1.3; proxy_pass {target}; }} }}\n"
    )
    lab.server.start("nginx", "-c", str(config), log=lab.folder / f"{name}.out")


def socat(lab: Lab, address: str, target: str, more: str = "") -> None:
    """Start socat with TLS on port 443 of `address` before `target`."""
    kind = "OPENSSL-LISTEN:443,pf=ip6" if ":" in address else "OPENSSL-LISTEN:443,pf=ip4"
    listen = f"{kind},bind={bracketed(address)},fork,reuseaddr,cert={certificate(lab)},verify=0{more}"
    lab.server.start("socat", listen, f"TCP4:{target}", log=lab.folder / f"socat-{address}.log")


def ncat(lab: Lab, address: str, target: str) -> None:
    """Start ncat with TLS on port 443 of `address` before `target`."""
    host, _, port = target.rpartition(":")
    key, pem = lab.folder / "tls.key", certificate(lab)
    command = ["ncat", "--ssl", "--ssl-cert", str(pem), "--ssl-key", str(key), "-k", "-l", address, "443"]
    lab.server.start(*command, "-c", f"ncat {host} {port}", log=lab.folder / f"ncat-{address}.log")


def squid(lab: Lab, address: str) -> None:
    """Start squid as a proxy that is itself reached by TLS on port 443 of `address`."""
    home = lab.folder / "squid"
    home.mkdir()
    home.chmod(0o777)
    config = lab.folder / "squid.conf"
    config.write_text(
        f"https_port {bracketed(address)}:443 tls-cert={certificate(lab)}\nhttp_access allow all\n"
        f"pid_filename {home}/pid\ncache_log {home}/cache.log\naccess_log none\ncoredump_dir {home}\ncache deny all\n"
        "shutdown_lifetime 0 seconds\npinger_enable off\nnetdb_filename none\n"
    )
    lab.server.start("squid", "-N", "-f", str(config), log=lab.folder / "squid.log")


def nghttpx(lab: Lab, address: str) -> None:
    """Start nghttpx as a TLS front of the forward proxy, speaking HTTP/1.1 or HTTP/2."""
    pem = str(certificate(lab))
    command = ["nghttpx", "--single-process", "--no-ocsp", "--http2-proxy", f"-f{address},443", f"-b{INNER},{PROXY}"]
    lab.server.start(*command, pem, pem, log=lab.folder / "nghttpx.log")


def scripted(lab: Lab, address: str, kind: str) -> None:
    """Start a server of lab/tlstalk.py: `beacon` answers tasks, `chat` speaks websocket."""
    script = str(Path(__file__).with_name("tlstalk.py"))
    lab.server.start(
        sys.executable, script, kind, address, "443", str(certificate(lab)), log=lab.folder / f"{kind}-{address}.log"
    )


def version(address: str) -> int:
    """Return 4 or 6."""
    return ipaddress.ip_address(address).version


__all__ = ["SERVER", "bracketed", "certificate", "inside"]
