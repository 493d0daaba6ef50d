# SPDX-License-Identifier: LGPL-2.1-or-later
"""All kinds of SSH sessions: the program, how it is played, its outcomes and its actions."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from lab import sshpeople, sshprograms
from lab.sshstage import Stage, Truth

Play = Callable[[Stage, str, str, str], Truth]
SHELLS = ("shell", "shell", "shell", "idle", "exec", "lines")
# By program: how it is played, its outcomes, its actions. A program listed twice in a word is drawn twice as often.
PROGRAMS: dict[str, tuple[Play, tuple[str, ...], tuple[str, ...]]] = {
    "ssh": (sshpeople.person, ("0", "1", "2", "all", "leave", "key", "badkey", "yes", "no", "no", "aborted"), SHELLS),
    "ssh13": (sshpeople.person, ("0", "1", "2", "all", "leave", "key", "badkey", "yes", "no", "aborted"), SHELLS),
    "dbclient": (sshpeople.person, ("0", "1", "2", "leave", "key", "yes", "no"), ("shell", "shell", "exec")),
    "plink": (sshpeople.person, ("0", "1", "2", "all", "leave", "yes", "no"), ("shell", "shell", "exec")),
    "sshpass": (sshprograms.sshpass, ("0", "0", "wrong"), ("exec", "script", "transfer", "transfer")),
    "sshpass13": (sshprograms.sshpass, ("0", "0", "wrong"), ("exec", "script", "transfer")),
    "askpass": (sshprograms.asked, ("0", "1", "2", "all"), ("exec", "script", "none")),
    "askpass13": (sshprograms.asked, ("0", "1", "2", "all"), ("exec", "script", "none")),
    "expect-ssh": (sshprograms.expect, ("0", "1", "2", "all"), ("shell",)),
    "expect-dbclient": (sshprograms.expect, ("0", "1"), ("shell",)),
    "dbclient-env": (sshprograms.dbclient, ("0", "wrong"), ("exec", "script", "none")),
    "plink-pw": (sshprograms.plink, ("0", "0", "wrong", "refused"), ("exec", "script", "transfer")),
    "paramiko": (sshprograms.python, ("0", "1", "2", "all", "key", "badkey"), ("exec", "shell", "transfer", "none")),
    "asyncssh": (sshprograms.python, ("0", "1", "2", "all", "key", "badkey"), ("exec", "shell", "transfer", "none")),
    "key": (sshprograms.key, ("key", "key", "badkey", "refused", "none"), ("exec", "script", "transfer", "forward")),
    "key13": (sshprograms.key, ("key", "key", "badkey", "refused", "none"), ("exec", "script", "transfer", "forward")),
    "curl": (sshprograms.curl, ("0", "wrong"), ("list", "upload")),
    "hydra": (sshprograms.guesser, ("0", "all"), ("none",)),
    "medusa": (sshprograms.guesser, ("0", "all"), ("none",)),
    "ncrack": (sshprograms.guesser, ("0", "all"), ("none",)),
    "keyscan": (sshprograms.scan, ("scan",), ("none",)),
    "nmap": (sshprograms.scan, ("scan",), ("none",)),
    "nc": (sshprograms.scan, ("scan",), ("none",)),
    "http": (sshprograms.scan, ("scan",), ("none",)),
    "connect": (sshprograms.scan, ("scan",), ("none",)),
}


def missing() -> list[str]:
    """Return the programs that this machine lacks."""
    tools = ("sshpass", "expect", "dbclient", "plink", "hydra", "medusa", "ncrack", "nmap", "nc", "curl", "ssh-keyscan")
    return [tool for tool in tools if shutil.which(tool) is None]
