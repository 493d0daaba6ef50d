# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients of other protocols than HTTP, in TLS or plain: `protocols.py ROLE HOST PORT tls|plain SEED COUNT SECONDS`.

Plays COUNT sessions that begin within SECONDS. People type with the pace of lab/people.py. Where a program has no TLS
of its own, socat on this machine gives it (`outside`).
"""

import os
import random
import sys
import threading
import time

import proto_data
import proto_files
import proto_mail
import proto_screens
import proto_talk

ROLE, SEED, COUNT, SECONDS = sys.argv[1], int(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7])
ROLES = {
    name: value
    for module in (proto_data, proto_files, proto_mail, proto_screens, proto_talk)
    for name, value in vars(module).items()
    if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
}
ROLES |= {
    f"ws-{kind}": proto_talk.websocket(kind)
    for kind in ("ticker", "game", "board", "chat", "notes", "editor", "echo", "rpc")
}
ROLES |= {f"python-{name}": proto_files.others(name) for name in ("api", "events", "grpc")}


def main():
    """Play all sessions, a thread each."""
    act = ROLES[ROLE]

    def one(number):
        draw = random.Random(SEED * 4099 + number)
        time.sleep(draw.uniform(0, SECONDS))
        try:
            act(draw)
        except Exception as error:
            print(type(error).__name__, str(error)[:200], file=sys.stderr)

    threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(COUNT)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + SECONDS + 70
    for thread in threads:
        thread.join(max(0.1, end - time.monotonic()))


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)
