# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server of libssh, called by its C functions: `sshlibsshserve.py USER PASSWORD AUTHORIZED_KEYS HOST_KEY...`.

It listens on port 22 of every address, a process for each connection, and logs as OpenSSH does. It takes passwords and
keys, and runs commands and shells (on a terminal where one was asked for).
"""

import contextlib
import ctypes
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time

AUTH, OPEN, REQUEST, SERVICE = 1, 2, 3, 4  # ssh_requests_e
PASSWORD, KEY = 0x2, 0x4  # SSH_AUTH_METHOD_*
SESSION = 1  # ssh_channel_type_e
PTY, EXEC, SHELL, ENV = 1, 2, 3, 4  # ssh_channel_requests_e
HOSTKEY = 3  # SSH_BIND_OPTIONS_HOSTKEY: several, one of each type
VALID = 1  # SSH_PUBLICKEY_STATE_VALID
NONE = 0
TRIES = 6


def library():
    """Return libssh with its functions' results declared."""
    lib = ctypes.CDLL("libssh.so.4")
    for name in ("ssh_new", "ssh_bind_new", "ssh_message_get", "ssh_message_channel_request_open_reply_accept"):
        getattr(lib, name).restype = ctypes.c_void_p
    for name in ("ssh_message_auth_user", "ssh_message_auth_password", "ssh_message_channel_request_command"):
        getattr(lib, name).restype = ctypes.c_char_p
    lib.ssh_message_auth_pubkey.restype = ctypes.c_void_p
    return lib


class Connection:
    """One client, served in this process."""

    def __init__(self, lib, session, user, password, keys, peer):
        self.lib, self.session = lib, session
        self.user, self.password, self.keys, self.peer = user, password, keys, peer
        self.tries, self.terminal, self.accepted = 0, False, False

    def judged(self, message, good, how):
        """Answer a credential and log what was answered."""
        print(f"{'Accepted' if good else 'Failed'} {how} for {self.user} from {self.peer} ssh2", flush=True)
        if good:
            self.accepted = True
            self.lib.ssh_message_auth_reply_success(message, 0)
            return
        self.tries += how == "password"
        self.refuse(message)

    def refuse(self, message):
        """Answer that something else is wanted."""
        self.lib.ssh_message_auth_set_methods(message, PASSWORD | KEY)
        self.lib.ssh_message_reply_default(message)

    def knows(self, key):
        """Whether the key of a message is authorized."""
        text = ctypes.c_char_p()
        self.lib.ssh_pki_export_pubkey_base64(ctypes.c_void_p(key), ctypes.byref(text))
        with open(self.keys) as lines:
            return text.value.decode() in {line.split()[1] for line in lines if line.strip()}

    def authenticates(self, message):
        """Answer a request for authentication."""
        lib = self.lib
        method = lib.ssh_message_subtype(message)
        if method == PASSWORD:
            given = lib.ssh_message_auth_user(message), lib.ssh_message_auth_password(message)
            self.judged(message, given == (self.user.encode(), self.password.encode()), "password")
        elif method == KEY:
            known = self.knows(lib.ssh_message_auth_pubkey(message))
            state = lib.ssh_message_auth_publickey_state(message)
            if known and state == NONE:
                lib.ssh_message_auth_reply_pk_ok_simple(message)
            else:
                self.judged(message, known and state == VALID, "publickey")
        else:
            self.refuse(message)

    def serve(self):
        """Answer messages until a command or a shell is asked for, and run it; then the next."""
        lib, channel = self.lib, None
        while self.tries < TRIES:
            got = lib.ssh_message_get(self.session)
            if not got:
                return
            message = ctypes.c_void_p(got)
            kind, sub = lib.ssh_message_type(message), lib.ssh_message_subtype(message)
            if kind == AUTH and not self.accepted:
                self.authenticates(message)
            elif kind == OPEN and sub == SESSION and self.accepted:
                channel = ctypes.c_void_p(lib.ssh_message_channel_request_open_reply_accept(message))
            elif kind == REQUEST and sub in (PTY, ENV):
                self.terminal |= sub == PTY
                lib.ssh_message_channel_request_reply_success(message)
            elif kind == REQUEST and sub in (EXEC, SHELL) and channel:
                line = lib.ssh_message_channel_request_command(message).decode() if sub == EXEC else None
                lib.ssh_message_channel_request_reply_success(message)
                self.run(channel, line)
                channel = None
            else:
                lib.ssh_message_reply_default(message)
            lib.ssh_message_free(message)
        lib.ssh_disconnect(self.session)

    def run(self, channel, line):
        """Carry bytes between the channel and a command or a shell."""
        words = ["/bin/sh", "-c", line] if line is not None else ["/bin/sh", "-i"]
        settings = os.environ | {"PS1": "$ ", "TERM": "xterm"}
        if self.terminal:
            master, slave = pty.openpty()
            child = subprocess.Popen(
                words, stdin=slave, stdout=slave, stderr=slave, env=settings, start_new_session=True, close_fds=True
            )
            os.close(slave)
            into = out = master
        else:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "bufsize": 0}
            child = subprocess.Popen(words, env=settings, **pipes)
            into, out = child.stdin.fileno(), child.stdout.fileno()
        lib, wire = self.lib, self.lib.ssh_get_fd(self.session)
        room = ctypes.create_string_buffer(16384)
        ended = False
        while True:
            ready = select.select([out, wire], [], [], 0.2)[0]
            while (count := lib.ssh_channel_read_nonblocking(channel, room, len(room), 0)) > 0:
                with contextlib.suppress(OSError):
                    os.write(into, room.raw[:count])
            if count < 0 or not lib.ssh_channel_is_open(channel):
                break
            if not ended and lib.ssh_channel_is_eof(channel) and not self.terminal:
                child.stdin.close()
                ended = True
            if out in ready:
                try:
                    data = os.read(out, 16384)
                except OSError:  # the terminal's other side is closed
                    data = b""
                if not data:
                    break
                lib.ssh_channel_write(channel, data, len(data))
        child.kill()
        lib.ssh_channel_request_send_exit_status(channel, max(0, child.wait(10)))
        lib.ssh_channel_send_eof(channel)
        lib.ssh_channel_close(channel)


def main(user, password, keys, *hosts):
    """Serve for ever."""
    lib = library()
    bind = ctypes.c_void_p(lib.ssh_bind_new())
    for host in hosts:
        lib.ssh_bind_options_set(bind, HOSTKEY, host.encode())
    listener = socket.create_server(("", 22), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, (ip, port, *_) = listener.accept()
        peer = f"{ip.removeprefix('::ffff:')} port {port}"
        print(f"Connection from {peer} on server", flush=True)
        if os.fork():
            connection.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = ctypes.c_void_p(lib.ssh_new())
        refused = lib.ssh_bind_accept_fd(bind, session, connection.detach()) or lib.ssh_handle_key_exchange(session)
        if not refused:
            Connection(lib, session, user, password, keys, peer).serve()
            lib.ssh_disconnect(session)
        time.sleep(0.1)
        os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
