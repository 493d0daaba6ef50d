# SPDX-License-Identifier: LGPL-2.1-or-later
"""More servers with TLS on port 443 of an address: relays and forward proxies of many programs and TLS libraries."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from lab import debian, servers
from lab.network import WAIT, Lab
from lab.tlsforeign import go, java, new
from lab.tlsserve import INNER, PROXY, bracketed, certificate, web_root
from lab.tlstools import MORE

GO_WEB, OLD_WEB, SSHD13, TINYSSH = 9444, 9445, 2213, 2224  # ports on INNER
SECRET = "lab secret"
TOOLS = f"{MORE}/bin"
Serve = Callable[[Lab, str], None]


def _log(lab: Lab, name: str, address: str) -> Path:
    return lab.folder / f"{name}-{address.replace(':', '_')}.log"


def _start(lab: Lab, name: str, address: str, *command: str) -> None:
    lab.server.start(*command, log=_log(lab, name, address))


def go_front(version: str, port: int, host: str = INNER) -> Serve:
    """Start a relay of crypto/tls."""
    return lambda lab, address: _start(
        lab, "go", address, go(version), "front", f"{bracketed(address)}:443", f"{host}:{port}", str(certificate(lab))
    )


def java_front(port: int, host: str = INNER) -> Serve:
    """Start a relay of JSSE."""

    def serve(lab: Lab, address: str) -> None:
        store = lab.folder / "java.p12"
        if not store.exists():
            make = ["openssl", "pkcs12", "-export", "-passout", "pass:changeit", "-in", str(certificate(lab))]
            subprocess.run([*make, "-out", str(store)], check=True, capture_output=True, timeout=WAIT)
        _start(lab, "java", address, *java(), "front", address, "443", host, str(port), str(store))

    return serve


def hitch(port: int, host: str = INNER) -> Serve:
    """Start a relay that does nothing but end TLS."""
    return lambda lab, address: _start(
        lab,
        "hitch",
        address,
        "hitch",
        "--user=nobody",
        f"--backend=[{host}]:{port}",
        f"--frontend=[{address}]:443",
        str(certificate(lab)),
    )


def stunnel_new(port: int, host: str = INNER, more: str = "") -> Serve:
    """Start stunnel of Debian 13 (OpenSSL 3.5)."""

    def serve(lab: Lab, address: str) -> None:
        config = lab.folder / f"stunnel13-{address.replace(':', '_')}.conf"
        config.write_text(
            f"foreground = yes\npid =\n[lab]\ncert = {certificate(lab)}\naccept = {address}:443\n"
            f"connect = {host}:{port}\n{more}\n"
        )
        _start(lab, "stunnel13", address, *new("stunnel4", str(config)))

    return serve


def apache(lab: Lab, address: str, listen: str = "443", protocol: str = "all", name: str = "apache") -> None:
    """Start Apache as a web server, and as a proxy that is itself reached by TLS; its log has the clients' ports."""
    folder = lab.folder / f"{name}-{address.replace(':', '_')}"
    folder.mkdir()
    modules = ["mpm_event", "authn_core", "authz_core", "socache_shmcb", "ssl", "proxy", "proxy_connect"]
    modules += ["mime", "dir", "log_config"]
    load = "".join(
        f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"
        for module in modules
        if Path(f"/usr/lib/apache2/modules/mod_{module}.so").exists()
    )
    config = folder / "conf"
    config.write_text(
        f"ServerRoot {folder}\nServerName lab.example\nPidFile {folder}/pid\nErrorLog {folder}/error.log\n{load}"
        f'LogFormat "%{{remote}}p %m %>s" lab\nCustomLog {folder}/access.log lab\nUser nobody\nGroup nogroup\n'
        f"Listen {bracketed(address)}:{listen}\nDocumentRoot {web_root(lab)}\nDefaultRuntimeDir {folder}\n"
        f"SSLEngine on\nSSLProtocol {protocol}\nSSLCertificateFile {certificate(lab)}\n"
        f"SSLCertificateKeyFile {certificate(lab)}\n"
        "TypesConfig /etc/mime.types\nProxyRequests On\nAllowCONNECT 1-65535\n"
        "<Directory />\nRequire all granted\n</Directory>\n"
    )
    _start(lab, name, address, "apache2", "-D", "FOREGROUND", "-f", str(config))


def apache_ports(lab: Lab, address: str) -> set[int]:
    """Return the clients' ports of the CONNECTs that Apache granted, from its log."""
    log = lab.folder / f"apache-{address.replace(':', '_')}" / "access.log"
    lines = [line.split() for line in log.read_text().splitlines()]
    return {int(port) for port, method, status in lines if (method, status) == ("CONNECT", "200")}


def squid(options: str = "", more: str = "") -> Serve:
    """Squid as a proxy reached by TLS, each with a folder of its own."""

    def serve(lab: Lab, address: str) -> None:
        home = lab.folder / f"squid-{address.replace(':', '_')}"
        home.mkdir()
        home.chmod(0o777)
        config = home / "conf"
        config.write_text(
            f"https_port {bracketed(address)}:443 tls-cert={certificate(lab)} {options}\nhttp_access allow all\n"
            f"pid_filename {home}/pid\ncache_log {home}/cache.log\naccess_log none\ncoredump_dir {home}\n"
            f"cache deny all\nshutdown_lifetime 0 seconds\npinger_enable off\nnetdb_filename none\n{more}\n"
        )
        _start(
            lab,
            "squid",
            address,
            "squid",
            "-N",
            "-n",
            f"lab{address.rpartition(':')[2].rpartition('.')[2]}",
            "-f",
            str(config),
        )

    return serve


def go_proxy(version: str) -> Serve:
    """Start a forward proxy of net/http."""
    return lambda lab, address: _start(
        lab, "goproxy", address, go(version), "proxy", f"{bracketed(address)}:443", str(certificate(lab))
    )


def proxy_py(lab: Lab, address: str) -> None:
    """Start the forward proxy proxy.py."""
    pem, key = str(certificate(lab)), str(lab.folder / "tls.key")
    line = [f"{TOOLS}/proxy", "--hostname", address, "--port", "443", "--cert-file", pem, "--key-file", key]
    _start(lab, "proxypy", address, *line, "--num-workers", "1", "--num-acceptors", "1")


def pproxy(lab: Lab, address: str) -> None:
    """Start the forward proxy pproxy."""
    pem = str(certificate(lab))
    listen = f"http+ssl://{bracketed(address)}:443"
    _start(lab, "pproxy", address, f"{TOOLS}/pproxy", "-l", listen, "--ssl", f"{pem},{lab.folder / 'tls.key'}")


def mitmproxy(lab: Lab, address: str) -> None:
    """Start the intercepting proxy mitmproxy, reached by TLS: the inner server is mitmproxy as well."""
    line = ["mitmdump", "-q", "--listen-host", address, "-p", "443", "--certs", str(certificate(lab)), "--ssl-insecure"]
    _start(lab, "mitmproxy", address, "env", "HOME=/root", *line)


def trojan(lab: Lab, address: str) -> None:
    """Start a server of trojan, which takes whatever follows its password and address for a connection."""
    config = lab.folder / f"trojan-{address.replace(':', '_')}.json"
    pem = str(certificate(lab))
    tls = {"cert": pem, "key": pem, "key_password": "", "alpn": ["http/1.1"], "reuse_session": True}
    settings = {"run_type": "server", "local_addr": address, "local_port": 443, "password": [SECRET], "ssl": tls}
    config.write_text(json.dumps({**settings, "remote_addr": INNER, "remote_port": PROXY, "log_level": 1}))
    _start(lab, "trojan", address, "trojan", str(config))


def v2ray(network: str, protocol: str = "vless") -> Serve:
    """Start a server of V2Ray: VLESS or VMess in TLS, over TCP or a websocket."""

    def serve(lab: Lab, address: str) -> None:
        config = lab.folder / f"v2ray-{address.replace(':', '_')}.json"
        pem, key = str(certificate(lab)), str(lab.folder / "tls.key")
        stream = {
            "network": network,
            "security": "tls",
            "tlsSettings": {"certificates": [{"certificateFile": pem, "keyFile": key}]},
        }
        user = {"clients": [{"id": "11111111-2222-3333-4444-555555555555"}], "decryption": "none"}
        inbound = {"listen": address, "port": 443, "protocol": protocol, "settings": user, "streamSettings": stream}
        config.write_text(json.dumps({"inbounds": [inbound], "outbounds": [{"protocol": "freedom"}]}))
        _start(lab, "v2ray", address, "v2ray", "-config", str(config))

    return serve


def inside(lab: Lab) -> None:
    """Start more of what tunnels lead to: web servers of Go and Apache (TLS 1.2), OpenSSH 10, AsyncSSH, tinysshd."""
    pem, root = str(certificate(lab)), str(web_root(lab))
    lab.server.start(go("24"), "web", f"{INNER}:{GO_WEB}", root, pem, log=lab.folder / "goweb.log")
    apache(lab, INNER, str(OLD_WEB), "TLSv1.2", "old")
    config = lab.folder / "sshd13"
    config.write_text(servers.SSHD_CONFIG.format(port=SSHD13, address=INNER, folder=lab.folder, more=""))
    debian.prepare(lab, lab.server)
    command = debian.inside_debian(debian.TRIXIE, ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)])
    lab.server.start(*command, log=lab.folder / "sshd13.log")
    lab.server.do("chmod", "755", "/home")  # tinysshd trusts no other
    keys = lab.folder / "tinyssh"
    subprocess.run(["tinysshd-makekey", str(keys)], check=True, capture_output=True, timeout=WAIT)
    listen = f"TCP4-LISTEN:{TINYSSH},bind={INNER},fork,reuseaddr,nodelay"
    lab.server.start("socat", listen, f"EXEC:tinysshd -v -- {keys}", log=lab.folder / "tinysshd.log")
    for port in (GO_WEB, OLD_WEB, SSHD13, TINYSSH):
        lab.server.await_port(port)
