# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415 - each client has its own library
"""SSH clients on further Python libraries: `sshnewpython.py LIBRARY ADDRESS USER ACTION WORD...`.

LIBRARY: libssh (ssh-python), ssh2 (ssh2-python), ccssh, fabric, hussh, netmiko, parallel. Each word is a password,
`kbd:PASSWORD` for keyboard-interactive, or `key:PATH`; those libraries that give up a connection after a refused one
open another. ACTION: none, exec, shell, transfer, refuse (an unknown host key is refused).
"""

import contextlib
import socket
import sys
import tempfile
import time

SCRIPT = ("uname -a", "id", "ls /etc | head -20", "uptime")
SIZE = 60_000


def with_libssh(address, user, action, words):
    """Call libssh by ssh-python."""
    from ssh import options
    from ssh.exceptions import AuthenticationDenied, AuthenticationError, AuthenticationPartial, SSHError
    from ssh.key import import_privkey_file
    from ssh.session import Session

    session = Session()
    session.options_set(options.HOST, address)
    session.options_set(options.USER, user)
    session.connect()
    if action == "refuse":
        session.get_server_publickey()
        session.disconnect()
        return
    refusals = (AuthenticationDenied, AuthenticationError, AuthenticationPartial, SSHError)
    with contextlib.suppress(*refusals):
        session.userauth_none()
    for word in words:
        try:
            if word.startswith("key:"):
                session.userauth_publickey(import_privkey_file(word[4:]))
            elif word.startswith("kbd:"):
                session.userauth_kbdint(user, word[4:])
            else:
                session.userauth_password(user, word)
            break
        except refusals:
            continue
    else:
        return
    if action == "transfer":
        files = session.sftp_new()
        files.init()
        with files.open("/tmp/libssh-file", 0o101, 0o644) as file:
            file.write(b"x" * SIZE)
        with files.open("/etc/services", 0, 0) as file:
            for _ in file:
                pass
    elif action == "exec":
        for line in SCRIPT[:2]:
            channel = session.channel_new()
            channel.open_session()
            channel.request_exec(line)
            while channel.read(4096)[0] > 0:
                pass
            channel.close()
    elif action == "shell":
        channel = session.channel_new()
        channel.open_session()
        channel.request_pty()
        channel.request_shell()
        for line in (*SCRIPT, "exit"):
            time.sleep(0.3)
            channel.write(line.encode() + b"\n")
        while channel.read(4096)[0] > 0:
            pass
        channel.close()
    session.disconnect()


def with_ssh2(address, user, action, words):
    """Call libssh2 by ssh2-python."""
    from ssh2.exceptions import SSH2Error
    from ssh2.session import Session

    session = Session()
    session.handshake(socket.create_connection((address, 22), 30))
    if action == "refuse":
        session.hostkey_hash(2)
        session.disconnect()
        return
    session.userauth_list(user)
    for word in words:
        try:
            if word.startswith("key:"):
                session.userauth_publickey_fromfile(user, word[4:])
            elif word.startswith("kbd:"):
                session.userauth_keyboardinteractive(user, word[4:])
            else:
                session.userauth_password(user, word)
            break
        except SSH2Error:
            continue
    else:
        return
    if action == "transfer":
        with session.sftp_init().open("/tmp/ssh2-file", 0x1A, 0o644) as file:
            file.write(b"x" * SIZE)
    elif action == "exec":
        for line in SCRIPT[:2]:
            channel = session.open_session()
            channel.execute(line)
            while channel.read()[0] > 0:
                pass
            channel.close()
    elif action == "shell":
        channel = session.open_session()
        channel.pty()
        channel.shell()
        for line in (*SCRIPT, "exit"):
            time.sleep(0.3)
            channel.write(line + "\n")
        while channel.read()[0] > 0:
            pass
        channel.close()
    session.disconnect()


def with_ccssh(address, user, action, words):
    """Call ccssh."""
    from ccssh import CCSSHClient, CCSSHError

    for word in words:
        client = CCSSHClient(host_policy="strict" if action == "refuse" else "off", use_agent=False, timeout=30)
        given = {"key_filename": word[4:]} if word.startswith("key:") else {"password": word.removeprefix("kbd:")}
        try:
            client.connect(address, username=user, **given)
        except (CCSSHError, OSError):
            continue
        if action == "exec":
            for line in SCRIPT[:2]:
                client.exec_command(line)
        elif action == "transfer":
            files = client.open_sftp()
            files.put("/tmp/ccssh-file", b"x" * SIZE)
            files.get("/etc/services")
            files.close()
        elif action == "shell":
            shell = client.open_shell()
            for line in (*SCRIPT, "exit"):
                time.sleep(0.3)
                shell.send(line.encode() + b"\n")
            time.sleep(1)
        client.close()
        return


def with_fabric(address, user, action, words):
    """Call Fabric, which opens a connection for each word (Paramiko)."""
    from fabric import Connection
    from paramiko import RejectPolicy
    from paramiko.ssh_exception import SSHException

    for word in words:
        given = {"key_filename": word[4:]} if word.startswith("key:") else {"password": word}
        given |= {"look_for_keys": False, "allow_agent": False, "timeout": 30}
        connection = Connection(address, user=user, connect_kwargs=given)
        if action == "refuse":
            connection.client.set_missing_host_key_policy(RejectPolicy())
        try:
            connection.open()
        except SSHException:
            connection.close()
            continue
        if action == "exec":
            for line in SCRIPT[:2]:
                connection.run(line, hide=True, in_stream=False)
        elif action == "transfer":
            with tempfile.NamedTemporaryFile() as file:
                file.write(b"x" * SIZE)
                file.flush()
                connection.put(file.name, "/tmp/fabric-file")
                connection.get("/etc/services", "/root/fabric-back")
        connection.close()
        return


def with_hussh(address, user, action, words):
    """Call hussh (libssh2 from Rust)."""
    import hussh

    for word in words:
        given = {"private_key": word[4:]} if word.startswith("key:") else {"password": word}
        try:
            connection = hussh.Connection(address, username=user, **given)
        except Exception:  # hussh raises many kinds when a login fails; whether it did says the server's log
            continue
        if action == "exec":
            for line in SCRIPT[:2]:
                connection.execute(line)
        elif action == "transfer":
            connection.sftp_write_data("x" * SIZE, "/tmp/hussh-file")
            connection.sftp_read("/etc/services")
        elif action == "shell":
            with connection.shell(pty=True) as shell:
                for line in (*SCRIPT, "exit"):
                    time.sleep(0.3)
                    shell.send(line)
                shell.read()
        connection.close()
        return


def with_netmiko(address, user, action, words):
    """Call Netmiko, which types into a shell what it is to do (Paramiko)."""
    from netmiko import ConnectHandler
    from netmiko.ssh_exception import NetMikoAuthenticationException, NetMikoTimeoutException

    for word in words:
        given = {"use_keys": True, "key_file": word[4:]} if word.startswith("key:") else {"password": word}
        given |= {"host": address, "username": user, "device_type": "linux", "timeout": 30, "banner_timeout": 30}
        try:
            connection = ConnectHandler(**given)
        except (NetMikoAuthenticationException, NetMikoTimeoutException):
            continue
        for line in SCRIPT if action == "shell" else SCRIPT[:2]:
            connection.send_command(line)
        connection.disconnect()
        return


def with_parallel(address, user, action, words):
    """Call parallel-ssh (libssh2)."""
    from pssh.clients import SSHClient
    from pssh.exceptions import AuthenticationError, SessionError

    for word in words:
        given = {"pkey": word[4:]} if word.startswith("key:") else {"password": word, "identity_auth": False}
        try:
            client = SSHClient(address, user=user, num_retries=1, allow_agent=False, **given)
        except (AuthenticationError, SessionError):
            continue
        if action == "exec":
            for line in SCRIPT[:2]:
                list(client.run_command(line).stdout)
        elif action == "transfer":
            with tempfile.NamedTemporaryFile() as file:
                file.write(b"x" * SIZE)
                file.flush()
                client.copy_file(file.name, "/tmp/parallel-file")
        elif action == "shell":
            with client.open_shell() as shell:
                for line in SCRIPT:
                    shell.run(line)
                    time.sleep(0.3)
        client.disconnect()
        return


if __name__ == "__main__":
    globals()[f"with_{sys.argv[1]}"](sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
