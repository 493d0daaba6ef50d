# SPDX-License-Identifier: LGPL-2.1-or-later
"""A terminal client on a library, for a person: `sshterminal.py paramiko|libssh ADDRESS USER [COMMAND]`.

It asks for a password on the terminal, three times at most over one connection, and then carries every key to the
server at once, as the terminals of web consoles and telephones do that are built on such libraries. With a command it
runs that.
"""

import getpass
import os
import select
import sys
import termios
import tty

TRIES = 3


def copy(ready, read, write, kept=False):
    """Carry keys to the server and what it sends to the terminal until it closes; `ready` is what to wait for.

    `read` returns what has come, and whether more may come. With `kept` something may have come already, which the
    library keeps.
    """
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        more = True
        while more:
            able = [ready] if kept else select.select([0, ready], [], [])[0]
            kept = False
            if ready in able:
                data, more = read()
                os.write(1, data)
            if 0 in able:
                write(os.read(0, 1024))
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def with_paramiko(address, user, command):
    """Talk by Paramiko."""
    import paramiko  # noqa: PLC0415

    transport = paramiko.Transport((address, 22))
    transport.start_client(timeout=30)
    for _ in range(TRIES):
        try:
            transport.auth_password(user, getpass.getpass("Password: "))
            break
        except paramiko.AuthenticationException:
            if not transport.is_active():
                return
    if not transport.is_authenticated():
        return
    channel = transport.open_session()
    if command:
        channel.exec_command(command)
        while data := channel.recv(4096):
            os.write(1, data)
    else:
        channel.get_pty("xterm", 80, 24)
        channel.invoke_shell()
        copy(channel, lambda: (data := channel.recv(4096), bool(data)), channel.sendall)
    transport.close()


def with_libssh(address, user, command):
    """Talk by libssh; its functions read the socket, so each turn takes all that has come."""
    from sshlibssh import SUCCESS, Client  # noqa: PLC0415

    client = Client(address, user)
    lib, session = client.lib, client.session
    lib.ssh_userauth_none(session, None)
    words = (getpass.getpass("Password: ") for _ in range(TRIES))
    if not any(lib.ssh_userauth_password(session, None, word.encode()) == SUCCESS for word in words):
        return
    channel = client.channel()
    if command:
        lib.ssh_channel_request_exec(channel, command.encode())
        client.drain(channel)
    else:
        lib.ssh_channel_request_pty_size(channel, b"xterm", 80, 24)
        lib.ssh_channel_request_shell(channel)
        data = client.buffer(4096)

        def read():
            found = b""
            while (count := lib.ssh_channel_read_nonblocking(channel, data, len(data), 0)) > 0:
                found += data.raw[:count]
            return found, count >= 0 and not lib.ssh_channel_is_eof(channel)

        copy(lib.ssh_get_fd(session), read, lambda keys: lib.ssh_channel_write(channel, keys, len(keys)), kept=True)
    client.close()


if __name__ == "__main__":
    {"paramiko": with_paramiko, "libssh": with_libssh}[sys.argv[1]](sys.argv[2], sys.argv[3], " ".join(sys.argv[4:]))
