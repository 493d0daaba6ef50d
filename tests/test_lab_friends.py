# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings of false friends: what is planned, and that all of it can be played."""

import random

from lab import dataset, sshfriends, sshrecord
from lab.sshextra import ALL


def test_all_friends_play_under_all_conditions() -> None:
    made = list(sshfriends.plans("friends", range(len(sshfriends.CONDITIONS))))
    assert len({plan.name for plan in made}) == len(sshfriends.CONDITIONS)
    for plan, (server, suffix, rtt) in zip(made, sshfriends.CONDITIONS, strict=True):
        assert (plan.server.name, plan.rtt) == (server, rtt)
        chosen = sshfriends.sessions(plan, random.Random(1))
        assert len(set(chosen)) == len(chosen) == 25
        assert {name for name, _, _ in chosen} == {f"{name}{suffix}" for name in ("keyboard", "script", "command")}
        assert all(outcome in sshrecord.IN for _, outcome, _ in chosen)


def test_friends_are_their_own_programs() -> None:
    assert not sshfriends.FRIENDS.keys() & ALL.keys()
    assert dataset.KINDS["ssh-friends"] == sshfriends.__name__
