# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of libssh, called by its C functions (ctypes): `sshlibssh.py libssh ADDRESS USER ACTION WORD...`.

It tries each word over one connection: a password, `kbd:PASSWORD` for keyboard-interactive, `key:PATH`. ACTION: none,
exec, shell, or refuse: it ends after the key exchange, as a client that does not know the host key.
"""

import ctypes
import sys
import time

SCRIPT = ("uname -a", "id", "ls /etc | head -20", "uptime")
HOST, PORT, USER = 0, 1, 4  # ssh_options_e
SUCCESS, INFO, FAILED, PARTIAL = 0, 3, 1, 2  # ssh_auth_e


def library():
    """Return libssh with the functions whose results are pointers declared."""
    lib = ctypes.CDLL("libssh.so.4")
    for name in ("ssh_new", "ssh_channel_new"):
        getattr(lib, name).restype = ctypes.c_void_p
    return lib


class Client:
    """One connection."""

    def __init__(self, address, user):
        self.lib = library()
        self.session = ctypes.c_void_p(self.lib.ssh_new())
        for option, value in ((HOST, address), (USER, user)):
            self.lib.ssh_options_set(self.session, option, value.encode())
        if self.lib.ssh_connect(self.session):
            raise SystemExit("no connection")

    def offer(self, word):
        """Offer one credential and return whether it was accepted."""
        lib, session = self.lib, self.session
        if word.startswith("key:"):
            key = ctypes.c_void_p()
            if lib.ssh_pki_import_privkey_file(word[4:].encode(), None, None, None, ctypes.byref(key)):
                raise SystemExit("no such key")
            # as its own ssh_userauth_publickey_auto does: it asks first, then signs
            if lib.ssh_userauth_try_publickey(session, None, key) != SUCCESS:
                return False
            return lib.ssh_userauth_publickey(session, None, key) == SUCCESS
        if word.startswith("kbd:"):
            state = lib.ssh_userauth_kbdint(session, None, None)
            while state == INFO:
                for number in range(lib.ssh_userauth_kbdint_getnprompts(session)):
                    lib.ssh_userauth_kbdint_setanswer(session, number, word[4:].encode())
                state = lib.ssh_userauth_kbdint(session, None, None)
            return state == SUCCESS
        return lib.ssh_userauth_password(session, None, word.encode()) == SUCCESS

    def buffer(self, size):
        """Return room for so many bytes."""
        return ctypes.create_string_buffer(size)

    def channel(self):
        """Open a session."""
        channel = ctypes.c_void_p(self.lib.ssh_channel_new(self.session))
        if self.lib.ssh_channel_open_session(channel):
            raise SystemExit("no channel")
        return channel

    def drain(self, channel):
        """Read all that comes, and close."""
        data = ctypes.create_string_buffer(4096)
        while self.lib.ssh_channel_read(channel, data, len(data), 0) > 0:
            pass
        self.lib.ssh_channel_close(channel)
        self.lib.ssh_channel_free(channel)

    def act(self, action):
        """Run two commands, or type lines into a shell."""
        if action == "exec":
            for line in SCRIPT[:2]:
                channel = self.channel()
                self.lib.ssh_channel_request_exec(channel, line.encode())
                self.drain(channel)
        elif action == "shell":
            channel = self.channel()
            self.lib.ssh_channel_request_pty(channel)
            self.lib.ssh_channel_request_shell(channel)
            for line in (*SCRIPT, "exit"):
                time.sleep(0.3)
                self.lib.ssh_channel_write(channel, line.encode() + b"\n", len(line) + 1)
            self.drain(channel)

    def close(self):
        """Say goodbye."""
        self.lib.ssh_disconnect(self.session)
        self.lib.ssh_free(self.session)


def main(address, user, action, *words):
    """Play one session."""
    client = Client(address, user)
    if action != "refuse":
        client.lib.ssh_userauth_none(client.session, None)
        if any(client.offer(word) for word in words):
            client.act(action)
    client.close()


if __name__ == "__main__":
    main(*sys.argv[2:])
