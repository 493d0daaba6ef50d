# SPDX-License-Identifier: LGPL-2.1-or-later
# ruff: noqa: PLC0415 - each role has its own library
"""`tlsssh.py asyncssh|paramiko PORT USER PASSWORD`: log in to 127.0.0.1, run a command, copy a file by SFTP."""

import asyncio
import sys


async def by_asyncssh(port, user, password):
    """AsyncSSH."""
    import asyncssh

    options = {"username": user, "password": password, "known_hosts": None}
    async with asyncssh.connect("127.0.0.1", port, **options) as way:
        print((await way.run("ls -l /etc")).stdout)
        async with way.start_sftp_client() as files:
            print(await files.listdir("/usr"))


def by_paramiko(port, user, password):
    """Paramiko."""
    import paramiko

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", port, user, password, look_for_keys=False, allow_agent=False)
    print(client.exec_command("ls -l /etc")[1].read())
    print(client.open_sftp().listdir("/usr"))
    client.close()


if __name__ == "__main__":
    name, place, who, word = sys.argv[1:]
    if name == "asyncssh":
        asyncio.run(by_asyncssh(int(place), who, word))
    else:
        by_paramiko(int(place), who, word)
