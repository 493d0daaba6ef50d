# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415 - each role has its own library
"""SSH by Python libraries, run by the system's python3: a server (AsyncSSH) and clients (AsyncSSH, Paramiko).

`sshpython.py serve USER PASSWORD AUTHORIZED_KEYS HOST_KEY...` listens on port 22 of every address and logs as OpenSSH
does. `sshpython.py asyncssh|paramiko ADDRESS USER ACTION WORD...` tries each word (a password, or `key:PATH`) over one
connection, then does ACTION: none, exec, shell, transfer or forward.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time

TRIES = 20  # wrong passwords until the server closes: some clients repeat theirs for ever
SCRIPT = ("uname -a", "id", "ls /etc | head -20", "uptime")


def serve(user, password, keys, *hosts):
    """Serve for ever."""
    import asyncssh

    def log(*words):
        print(*words, flush=True)

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn):
            ip, port = conn.get_extra_info("peername")[:2]
            self.conn, self.tries = conn, 0
            self.peer = f"{user} from {ip} port {port} ssh2"
            log(f"Connection from {ip} port {port} on server")

        def password_auth_supported(self):
            return True

        def validate_password(self, name, word):
            good = (name, word) == (user, password)
            log(("Accepted" if good else "Failed") + " password for " + self.peer)
            self.tries += 1
            if not good and self.tries == TRIES:  # after the answer to this one
                asyncio.get_running_loop().call_soon(self.conn.disconnect, 2, "Too many authentication failures")
            return good

        def kbdint_auth_supported(self):
            return False

        def public_key_auth_supported(self):
            return True

        def validate_public_key(self, name, key):
            with open(keys) as lines:
                known = [line.split()[1] for line in lines if line.strip()]
            good = key.export_public_key().split()[1].decode() in known
            log(("Accepted" if good else "Failed") + " publickey for " + self.peer)
            return good

        def connection_requested(self, host, port, orig_host, orig_port):
            return True

    async def session(process):
        if process.command:
            child = await asyncio.create_subprocess_shell(
                process.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            with contextlib.suppress(asyncio.TimeoutError):
                data = await asyncio.wait_for(process.stdin.read(), 0.5) if process.command.endswith("-s") else ""
                child.stdin.write(data.encode())
            child.stdin.close()
            process.stdout.write((await child.stdout.read()).decode(errors="replace"))
            process.exit(await child.wait())
            return
        process.stdout.write("$ ")
        with contextlib.suppress(asyncssh.BreakReceived, asyncssh.TerminalSizeChanged):
            async for line in process.stdin:
                if line.strip() == "exit":
                    break
                done = subprocess.run(line, shell=True, capture_output=True, timeout=20, check=False)
                process.stdout.write(done.stdout.decode(errors="replace").replace("\n", "\r\n") + "$ ")
        process.exit(0)

    async def main():
        options = {"server_host_keys": list(hosts), "process_factory": session, "sftp_factory": True, "allow_scp": True}
        await asyncssh.create_server(Server, "", 22, **options)
        await asyncio.get_running_loop().create_future()

    asyncio.run(main())


def with_asyncssh(address, user, action, *words):
    """Try the words by AsyncSSH; it asks for one password after the other over one connection."""
    import asyncssh

    passwords = [word for word in words if not word.startswith("key:")]
    keys = [word[4:] for word in words if word.startswith("key:")]

    class Client(asyncssh.SSHClient):
        def password_auth_requested(self):
            return passwords.pop(0) if passwords else None

        def kbdint_auth_requested(self):
            return "" if passwords else None

        def kbdint_challenge_received(self, name, instructions, lang, prompts):
            return [passwords.pop(0)] if prompts and passwords else ([] if not prompts else None)

    async def main():
        options = {"username": user, "known_hosts": None, "client_keys": keys or None, "client_factory": Client}
        if not keys:
            options |= {"preferred_auth": "password,keyboard-interactive", "agent_path": None}
        async with asyncssh.connect(address, **options) as connection:
            if action == "exec":
                for command in SCRIPT[:2]:
                    await connection.run(command)
            elif action == "shell":
                process = await connection.create_process(term_type="xterm")
                for line in (*SCRIPT, "exit"):
                    process.stdin.write(line + "\n")
                    await asyncio.sleep(0.3)
                await process.wait()
            elif action == "transfer":
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "file")
                    with open(path, "wb") as file:
                        file.write(os.urandom(200_000))
                    async with connection.start_sftp_client() as sftp:
                        await sftp.put(path, "file")
                        await sftp.get("file", path)

    with contextlib.suppress(asyncssh.Error):
        asyncio.run(main())


def paramiko_key(path):
    """Return a private key of any kind."""
    import paramiko

    for kind in (paramiko.Ed25519Key, paramiko.RSAKey, paramiko.ECDSAKey):
        with contextlib.suppress(paramiko.SSHException):
            return kind.from_private_key_file(path)
    raise SystemExit(f"{path}: no key of Paramiko's")


def with_paramiko(address, user, action, *words):
    """Try the words by Paramiko."""
    import paramiko

    transport = paramiko.Transport((address, 22))
    transport.start_client(timeout=30)
    for word in words:
        try:
            if word.startswith("key:"):
                transport.auth_publickey(user, paramiko_key(word[4:]))
            else:
                transport.auth_password(user, word)
            break
        except paramiko.SSHException:
            if not transport.is_active():
                return
    if transport.is_authenticated():
        if action == "exec":
            for command in SCRIPT[:2]:
                channel = transport.open_session()
                channel.exec_command(command)
                channel.recv(65536)
                channel.recv_exit_status()
        elif action == "shell":
            channel = transport.open_session()
            channel.get_pty()
            channel.invoke_shell()
            for line in (*SCRIPT, "exit"):
                channel.send(line + "\n")
                time.sleep(0.3)
            while channel.recv(65536):
                pass
        elif action == "transfer":
            sftp = transport.open_sftp_client()
            with sftp.open("file", "wb") as file:
                file.write(os.urandom(200_000))
            with sftp.open("file", "rb") as file:
                file.read()
            sftp.close()
    transport.close()


if __name__ == "__main__":
    {"serve": serve, "asyncssh": with_asyncssh, "paramiko": with_paramiko}[sys.argv[1]](*sys.argv[2:])
