# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who does what on port 443: `ACTIVITIES` names each activity with its truth and its part.

Programs of the part `test` differ from those of `train`, so that what is measured there was not learned there.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab import tlsserve
from lab.crowd import Activity
from lab.network import Lab
from lab.tls import (
    Act,
    Serve,
    asyncssh,
    behind,
    browse_by_hand,
    command,
    curl,
    curl_stunnel,
    curl_stunnel_twice,
    dbclient_stunnel,
    git,
    hydra,
    key,
    libssh2,
    nested,
    nothing,
    pages,
    paramiko_stunnel,
    plink,
    proxied,
    reverse,
    rsync,
    script_beacon,
    scripted,
    ssh,
    ssh_stunnel,
    talk,
    to,
    upload,
    web,
)
from lab.tlsserve import DROPBEAR, INNER, INNER_WEB, PROXY, SSHD, certificate


def _many(part: str, label: str, rows: Sequence[tuple[str, Serve, Act]], six: bool = True) -> list[Activity]:
    labels = (label,) if label else ()
    return [Activity(name, serve, act, labels, part, six) for name, serve, act in rows]


S, H, C, N = tlsserve.stunnel, tlsserve.haproxy, tlsserve.socat, tlsserve.ncat
AGENT = ("-A", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36")
TWELVE = ("--tls-max", "1.2")
WEB = [
    *_many(
        "test",
        "",
        [
            ("w3m-page", nothing, command("w3m", "-o", "ssl_verify_server=0", "-dump", "https://#/")),
            (
                "aria2-film",
                nothing,
                command(
                    "aria2c",
                    "-q",
                    "--check-certificate=false",
                    "--allow-overwrite=true",
                    "-d",
                    "/run",
                    "-x4",
                    "https://#/film.bin",
                ),
            ),
            (
                "php-get",
                nothing,
                command(
                    "php",
                    "-r",
                    "echo strlen(file_get_contents('https://#/photo.jpg', false, "
                    "stream_context_create(['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]])));",
                ),
            ),
            (
                "lftp-get",
                nothing,
                command("lftp", "-e", "set ssl:verify-certificate no; cat /code.js >/dev/null; bye", "https://#"),
            ),
            ("kept-long", nothing, pages("--http1.1", *AGENT, pause=7)),
            ("kept-h2-long", nothing, pages("-A", "x", pause=6)),
            ("posts", nothing, curl("-d", "a=1&b=" + "y" * 90, "@/post", "--next", "-k", "-d", "z" * 700, "@/post")),
            (
                "h2-many",
                nothing,
                curl(*AGENT, "-Z", *[w for n in range(6) for w in ("-o", "/dev/null", "@/style.css")]),
            ),
            ("chat-long", scripted("chat"), talk("talk", "9", "4")),
            ("by-hand-test", nothing, browse_by_hand),
        ],
    ),
    *_many("test", "tls.upload", [("upload-test", nothing, upload(2_500_000, "--http1.1", *TWELVE))]),
    *_many(
        "train",
        "",
        [
            ("page-h2", nothing, curl("@/")),
            ("page-h1", nothing, curl("--http1.1", "@/", "@/style.css")),
            ("page-12", nothing, curl(*TWELVE, *AGENT, "@/code.js")),
            (
                "objects-h2",
                nothing,
                curl(*AGENT, "-Z", "-o", "/dev/null", "@/photo.jpg", "-o", "/dev/null", "@/style.css"),
            ),
            ("download", nothing, curl("-o", "/dev/null", "@/film.bin")),
            ("kept-h1", nothing, pages("--http1.1", *AGENT, pause=3)),
            ("kept-h2", nothing, pages(pause=4)),
            ("kept-12", nothing, pages("--http1.1", *TWELVE, pause=2)),
            ("post", nothing, curl("-d", "name=value&other=" + "x" * 300, "@/post")),
            ("chat", scripted("chat"), talk("talk", "12", "2")),
            ("by-hand", nothing, browse_by_hand),
        ],
    ),
    *_many(
        "train",
        "",
        [
            ("wget", nothing, command("wget", "-q", "--no-check-certificate", "-O", "/dev/null", "https://#/code.js")),
            (
                "urllib",
                nothing,
                command(
                    "/usr/bin/python3",
                    "-c",
                    "import ssl, urllib.request as u\n"
                    "for p in ('', 'style.css', 'photo.jpg'):\n"
                    " u.urlopen('https://#/' + p, context=ssl._create_unverified_context()).read()",
                ),
            ),
            ("kept-test", nothing, pages(*AGENT, "--http1.1", pause=5)),
            ("kept-h2-test", nothing, pages(*AGENT, *TWELVE, pause=3)),
            ("put-small", nothing, upload(20_000)),
            ("get-12", nothing, curl("--http1.1", *TWELVE, "-o", "/dev/null", "@/film.bin")),
            (
                "nghttp",
                nothing,
                command("nghttp", "-n", "--no-verify-peer", "https://#/", "https://#/code.js", "https://#/style.css"),
            ),
            ("chat-test", scripted("chat"), talk("talk", "6", "5")),
            ("scan", nothing, command("openssl", "s_client", "-connect", "#:443")),
        ],
    ),
]
UPLOADS = [
    *_many(
        "train",
        "tls.upload",
        [
            ("upload-h1", nothing, upload(3_000_000, "--http1.1")),
            ("upload-h2", nothing, upload(2_000_000)),
        ],
    ),
    *_many("train", "tls.upload", [("upload-12", nothing, upload(4_000_000, *TWELVE, *AGENT))]),
]
TUNNELS = [
    *_many(
        "test",
        "tls.tunnel.ssh",
        [
            ("plink", to(S, SSHD), plink),
            ("rsync", to(N, SSHD), rsync("socat")),
            ("ssh-dh14", to(C, SSHD), ssh("openssl", "exec", "-o", "KexAlgorithms=diffie-hellman-group14-sha256")),
            ("ssh-cbc", to(H, SSHD), ssh("socat", "copy", "-o", "KexAlgorithms=curve25519-sha256", "-C")),
            ("ssh-rsa", to(N, SSHD), ssh("openssl12", "type", "-o", "HostKeyAlgorithms=rsa-sha2-512")),
            ("dropbear-ncat", to(N, DROPBEAR), ssh("ncat", "exec", "-c", "aes128-ctr")),
            ("fail-dropbear-12", to(H, DROPBEAR, "ssl-max-ver TLSv1.2"), ssh("socat", "fail")),
            ("paramiko-haproxy", to(H, DROPBEAR), paramiko_stunnel),
        ],
    ),
    *_many(
        "test",
        "tls.tunnel.tls",
        [
            ("git", to(S, PROXY), git),
            (
                "aria2",
                to(H, PROXY),
                behind(
                    "aria2c",
                    "-q",
                    "--check-certificate=false",
                    "--allow-overwrite=true",
                    "-d",
                    "/run",
                    "--all-proxy=http://127.0.0.1:@",
                    "https://127.0.0.1:9443/code.js",
                ),
            ),
            ("w3m", to(S, INNER_WEB), behind("w3m", "-o", "ssl_verify_server=0", "-dump", "https://127.0.0.1:@/")),
            (
                "php",
                to(N, PROXY),
                behind(
                    "php",
                    "-r",
                    "echo strlen(file_get_contents('https://127.0.0.1:9443/style.css', "
                    "false, stream_context_create(["
                    "'http' => ['proxy' => 'tcp://127.0.0.1:@', 'request_fulluri' => false], "
                    "'ssl' => ['verify_peer' => false, 'verify_peer_name' => false]])));",
                ),
            ),
            ("squid-12", tlsserve.squid, proxied("--tls-max", "1.2", urls=3)),
            (
                "lftp",
                to(C, INNER_WEB),
                behind(
                    "lftp", "-e", "set ssl:verify-certificate no; cat /style.css >/dev/null; bye", "https://127.0.0.1:@"
                ),
            ),
            ("curl-socat", to(C, PROXY), proxied("-A", "updater/2", urls=1)),
        ],
    ),
    *_many(
        "train",
        "tls.tunnel.ssh",
        [
            ("ssh-stunnel-openssl", to(S, SSHD), ssh("openssl", "exec")),
            ("ssh-stunnel-12", to(S, SSHD), ssh("openssl12", "exec")),
            ("ssh-stunnel-type", to(S, SSHD), ssh("openssl", "type")),
            ("ssh-stunnel-copy", to(S, SSHD), ssh("openssl", "copy")),
            ("ssh-stunnel-fail", to(S, SSHD), ssh("openssl", "fail")),
            ("ssh-stunnel-both", to(S, SSHD), ssh_stunnel),
            (
                "ssh-haproxy-aes",
                to(H, SSHD),
                ssh("openssl", "exec", "-c", "aes128-ctr", "-o", "KexAlgorithms=curve25519-sha256"),
            ),
            ("dropbear-stunnel", to(S, DROPBEAR), ssh("openssl", "exec")),
            ("ssh-socat", to(C, SSHD), ssh("socat", "exec")),
            ("ssh-socat-type", to(C, SSHD), ssh("socat", "type", "-c", "aes256-gcm@openssh.com")),
            ("ssh-socat-fail", to(C, SSHD), ssh("socat", "fail")),
            ("ssh-ncat", to(N, SSHD), ssh("ncat", "exec", "-C")),
            ("ssh-haproxy-12", to(H, SSHD, "ssl-max-ver TLSv1.2"), ssh("ncat", "copy", "-c", "aes128-gcm@openssh.com")),
            ("paramiko", to(S, SSHD), paramiko_stunnel),
            ("dropbear-socat", to(C, DROPBEAR), ssh("socat", "type")),
            ("dbclient", to(S, SSHD), dbclient_stunnel),
            ("curl-sftp", to(S, SSHD), libssh2),
            ("hydra", to(H, SSHD), hydra),
            ("asyncssh", to(H, SSHD, "ssl-max-ver TLSv1.2"), asyncssh),
            ("nginx-exec", to(tlsserve.stream, SSHD), ssh("openssl", "exec", "-o", "KexAlgorithms=ecdh-sha2-nistp256")),
            ("nginx-type", to(tlsserve.stream, SSHD), ssh("ncat", "type", "-o", "Ciphers=aes256-ctr")),
            ("nginx-fail", to(tlsserve.stream, DROPBEAR), ssh("ncat", "fail")),
            ("dbclient-nginx", to(tlsserve.stream, DROPBEAR), dbclient_stunnel),
            (
                "ssh-12-copy",
                to(tlsserve.stream, SSHD),
                ssh("openssl12", "copy", "-o", "MACs=hmac-sha2-512", "-c", "aes128-ctr"),
            ),
        ],
    ),
    *_many(
        "train",
        "tls.tunnel.tls",
        [
            (
                "wget-bare",
                to(H, INNER_WEB),
                behind("wget", "-q", "--no-check-certificate", "-O", "/dev/null", "https://127.0.0.1:@/code.js"),
            ),
            (
                "urllib-bare",
                to(tlsserve.stream, INNER_WEB),
                behind(
                    "/usr/bin/python3",
                    "-c",
                    "import ssl, urllib.request as u\n"
                    "u.urlopen('https://127.0.0.1:@/style.css', context=ssl._create_unverified_context()).read()",
                ),
            ),
            (
                "urllib-proxy",
                to(S, PROXY),
                behind(
                    "/usr/bin/python3",
                    "-c",
                    "import ssl, urllib.request as u\n"
                    "h = u.HTTPSHandler(context=ssl._create_unverified_context())\n"
                    "o = u.build_opener(u.ProxyHandler({'https': 'http://127.0.0.1:@'}), h)\n"
                    "for p in ('', 'code.js'): o.open(f'https://127.0.0.1:9443/{p}').read()",
                ),
            ),
            (
                "openssl-proxy",
                to(tlsserve.stream, PROXY),
                behind(
                    "sh",
                    "-c",
                    "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | "
                    "openssl s_client -quiet -no_ign_eof -proxy 127.0.0.1:@ -connect 127.0.0.1:9443",
                ),
            ),
            ("curl-nginx", to(tlsserve.stream, PROXY), proxied(*AGENT, urls=3)),
            ("curl-nginx-13", to(tlsserve.stream, PROXY), proxied("--tlsv1.3", "--http1.1", urls=1)),
            (
                "gnutls-bare",
                to(tlsserve.stream, INNER_WEB),
                behind("sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | gnutls-cli --insecure -p @ 127.0.0.1"),
            ),
            ("curl-stunnel", to(S, PROXY), proxied()),
            ("curl-stunnel-h1", to(S, PROXY), proxied("--http1.1", *AGENT, urls=4)),
            ("curl-haproxy", to(H, PROXY), proxied(*AGENT)),
            ("curl-haproxy-12", to(H, PROXY), proxied(*TWELVE, "--proxy-tlsv1", urls=1)),
            ("curl-kept", to(S, PROXY), proxied("--http1.1", urls=3, pause=2)),
            ("curl-front-12", to(S, PROXY, "sslVersionMax = TLSv1.2"), proxied()),
            ("curl-inner-12", to(S, PROXY), proxied(*TWELVE)),
            ("stunnel-bare", to(S, INNER_WEB), curl_stunnel),
            ("squid", tlsserve.squid, proxied("--http1.1")),
            ("nghttpx", tlsserve.nghttpx, proxied()),
            ("python-socat", to(C, PROXY), nested(f"{INNER}:{INNER_WEB}")),
            ("python-bare", to(C, INNER_WEB), nested("-")),
            ("python-haproxy-12", to(H, PROXY, "ssl-max-ver TLSv1.2"), nested(f"{INNER}:{INNER_WEB}", 2, 1.5)),
            ("ncat-bare", to(N, INNER_WEB), curl_stunnel),
            ("stunnel-twice", to(S, PROXY), curl_stunnel_twice),
        ],
    ),
]
SHELLS = [
    *_many(
        "test",
        "tls.reverse_shell",
        [
            ("reverse-ruby", nothing, reverse("openssl", "ruby", 5)),
            ("reverse-php", nothing, reverse("ncat", "php", 4)),
            ("reverse-socat-openssl", nothing, reverse("socat", "openssl", 5)),
            ("reverse-sh-12", nothing, reverse("ncat", "socat12", 6)),
            ("reverse-raw-pythonpty", nothing, reverse("raw", "pythonpty", 3)),
        ],
    ),
    *_many(
        "train",
        "tls.reverse_shell",
        [
            ("reverse-ncat", nothing, reverse("ncat", "ncat")),
            ("reverse-ncat-2", nothing, reverse("ncat", "ncat", 4)),
            ("reverse-openssl", nothing, reverse("openssl", "openssl")),
            ("reverse-ncat-openssl", nothing, reverse("ncat", "openssl", 6)),
            ("reverse-pty", nothing, reverse("raw", "pty", 4)),
            ("reverse-stunnel", nothing, reverse("ncat", "stunnel")),
            ("reverse-openssl-socat", nothing, reverse("openssl", "socat", 4)),
            ("reverse-perl", nothing, reverse("ncat", "perl", 6)),
            ("reverse-script", nothing, reverse("raw", "script", 3)),
            ("reverse-python-ncat", nothing, reverse("ncat", "pythonpty", 5)),
            ("reverse-socat", nothing, reverse("socat", "socat")),
            ("reverse-socat-ncat", nothing, reverse("socat", "ncat", 4)),
            ("reverse-python", nothing, reverse("socat", "python")),
            ("reverse-openssl-python", nothing, reverse("openssl", "python", 6)),
            ("reverse-raw-pty", nothing, reverse("raw", "pty", 3)),
        ],
    ),
]
BEACONS = [
    *_many(
        "test",
        "tls.beacon",
        [
            ("beacon-small", scripted("beacon"), talk("call", "12", "3", "0.5", "70")),
            ("beacon-curl-12", nothing, command("curl", "-sk", *TWELVE, "--rate", "15/m", "https://#/post?[1-7]")),
        ],
    ),
    *_many(
        "train",
        "tls.beacon",
        [
            ("beacon-raw", scripted("beacon"), talk("call", "9", "5", "0.3", "180")),
            ("beacon-large", scripted("beacon"), talk("call", "8", "6", "0.2", "700")),
            ("beacon-poll", nothing, talk("poll", "9", "5", "0.4", "/post")),
            ("beacon-script", scripted("beacon"), script_beacon),
            ("beacon-curl", nothing, command("curl", "-sk", "--http1.1", "--rate", "12/m", "https://#/post?[1-8]")),
            ("beacon-poll-test", nothing, talk("poll", "8", "6", "0.2", "/post")),
        ],
    ),
]
ACTIVITIES = [*WEB, *UPLOADS, *TUNNELS, *SHELLS, *BEACONS]


def prepare(lab: Lab, plan: dict[str, Activity]) -> None:
    """Start what several activities share: the web server, and what the tunnels lead to."""
    certificate(lab)
    key(lab)
    tlsserve.inside(lab)
    web(lab, plan)
