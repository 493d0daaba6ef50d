# SPDX-License-Identifier: LGPL-2.1-or-later
"""A large database as an analyst would collect it: signatures cut out of real shapes, most of them of other programs.

About 40 % begin with `<`, a tenth with turns; sizes are exact, with a tolerance, ranges, any, or references; there are
repetitions, alternatives, `...`, pauses and conditions. Ports are spread like real services, a fifth is `*`. Nine in
ten have their sizes moved, so that flows follow them for some packets and then leave.

Nobody keeps a signature that fires on ordinary traffic. So each candidate is tried on 20,000 flows: one that hits
none is kept, one that hits less than one flow in a thousand is kept in one case of ten. Without this choice
(`candidates`) a database of 10,000 fires on four flows of five, and what is measured is the writing of reports.
"""

from __future__ import annotations

import functools
import random
import re
from collections import Counter
from collections.abc import Iterator

import sigdb
from bench import records
from bench.profiles import UDP, Packet, templates
from engine import Engine, Limits

SERVICES = (21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 389, 443, 445, 465, 514, 587, 636, 853, 873, 993, 995)
HIGH = (1080, 1194, 1433, 1521, 1723, 1883, 2049, 2222, 3128, 3306, 3389, 5060, 5222, 5432, 5900, 6379, 6667, 8080)
HIGHER = (8443, 8883, 9000, 9001, 9092, 9200, 11211, 27017, 50051)
TRIAL = 20_000  # flows on which a candidate is tried


def _ports(rng: random.Random, own: int) -> str:
    kind = rng.random()
    if kind < 0.35:
        return str(own)
    if kind < 0.55:
        return "*"
    if kind < 0.65:
        low = rng.randrange(1024, 60_000)
        return f"{low}-{low + rng.randrange(1, 2000)}"
    if kind < 0.75:
        return ",".join(str(port) for port in sorted(rng.sample(SERVICES + HIGH, 3)))
    return str(rng.choice(SERVICES + HIGH + HIGHER))


def _size(rng: random.Random, size: int, earlier: list[int]) -> str:
    """One way to write a size; `earlier` are the sizes of the elements before."""
    kind = rng.random()
    if earlier and kind < 0.08:
        number = rng.randrange(len(earlier))
        plus = size - earlier[number]
        if abs(plus) <= 64:
            return f"@{number + 1}" + (f"{plus:+d}" if plus else "")
    if kind < 0.45:
        return str(size)
    if kind < 0.70:
        return f"{size}/{rng.choice((1, 2, 4, 8, 15))}"
    if kind < 0.92:
        low = max(1, size - rng.randrange(1, 40))
        return f"{low}-{size + rng.randrange(1, 60)}"
    return f"{max(1, size - rng.randrange(20))}-" if kind < 0.97 else "*"


def _pause(rng: random.Random, gap: int) -> str:
    if gap >= 450_000:
        return rng.choice(("+ ", "+ ", "~ ", "+100ms-5s "))
    return "~ " if rng.random() < 0.15 else ""


def _sequence(rng: random.Random, packets: list[Packet], begin: bool) -> str:
    words: list[str] = []
    sizes: list[int] = []
    i = 0
    while i < len(packets):
        packet = packets[i]
        same = 1
        while i + same < len(packets) and (packets[i + same].side, packets[i + same].size) == (
            packet.side,
            packet.size,
        ):
            same += 1
        mark = _pause(rng, packet.gap) if words else ""
        side = packet.side if rng.random() < 0.95 else "x"
        text = f"{mark}{side}{_size(rng, packet.size, sizes)}"
        sizes.append(packet.size)
        if same > 2:
            text += rng.choice((f"{{{same}}}", f"{{2,{same + 4}}}", "{2,}"))
            i += same
        else:
            i += 1
            roll = rng.random()
            if roll < 0.04:
                text = f"({text} | {mark}{packet.side}{max(1, packet.size + rng.randrange(20, 90))})"
                sizes.append(-10_000)  # nothing refers to either branch
                sizes[-2] = -10_000
            elif roll < 0.10:
                text += rng.choice(("{1,2}", "{1,3}"))
        words.append(text)
        if begin and rng.random() < 0.04 and i < len(packets):
            words.append("...")
    return " ".join(words)


def _turns(packets: list[Packet]) -> list[Packet]:
    joined: list[Packet] = []
    for packet in packets:
        if joined and joined[-1].side == packet.side and packet.gap < 400_000:
            joined[-1] = Packet(packet.side, joined[-1].size + packet.size, joined[-1].gap)
        else:
            joined.append(packet)
    return joined


def _moved(rng: random.Random, packets: list[Packet]) -> list[Packet]:
    """Return the same with sizes of another program: the first packet stays, as banners and greetings are alike."""
    factor = rng.uniform(0.6, 1.7)
    return packets[:1] + [
        Packet(p.side, max(1, int(p.size * factor) + rng.randrange(-9, 10)) if p.size < 1448 else 1448, p.gap)
        for p in packets[1:]
    ]


def candidates(seed: int = 2) -> Iterator[str]:
    """Signatures without end, whether selective or not."""
    rng = random.Random(seed)
    shapes = templates(seed + 100, 300)
    number = 0
    while True:
        profile, port, packets = rng.choice(shapes)
        turns = rng.random() < 0.1
        if turns:
            packets = _turns(packets)
        begin = rng.random() < 0.4
        length = rng.randrange(3, 11)
        start = 0 if begin else rng.randrange(max(1, len(packets) - 3))
        part = packets[start : start + length]
        if len(part) < (2 if profile.proto == UDP else 3):
            continue
        if rng.random() < 0.9:
            part = _moved(rng, part)
        if not begin and len({(p.side, p.size) for p in part}) < 2:
            continue  # nothing but equal packets: no analyst would keep it
        text = _sequence(rng, part, begin)
        if turns:
            text = text.replace("c", "C").replace("s", "S").replace("x", "X").replace("mS", "ms").replace("5S", "5s")
        end = " >" if rng.random() < 0.04 else ""
        where = rng.choice((" where duration > 2", " where s.bytes > 10 * c.bytes", " where packets < 40"))
        where = where if rng.random() < 0.05 else ""
        proto = "udp" if profile.proto == UDP else "tcp"
        exact = "= " if rng.random() < 0.8 else ""
        head = f"{proto} {_ports(rng, port)} {exact}{'< ' if begin else ''}"
        yield f"{head}{text}{end}{where} : {profile.name} {number}\n    id = bench.{number}\n"
        number += 1


def _firing(lines: list[str], trial: records.Load) -> Counter[int]:
    """In how many flows of the trial each signature has a hit."""
    engine = Engine(sigdb.loads("".join(lines)), Limits(flows=2 * trial.flows))
    view, tags = trial.buffers()
    fired: Counter[int] = Counter()
    done = 0
    while done < len(trial.records):
        done += engine.process(view, tags, done, min(4096, len(trial.records) - done))
        fired.update(hit.signature for flow in engine.take() for hit in flow.hits)
    finished = False
    while not finished:
        finished = engine.finish()
        fired.update(hit.signature for flow in engine.take() for hit in flow.hits)
    return fired


@functools.cache
def _selected(count: int, seed: int) -> tuple[str, ...]:
    trial = records.load(TRIAL, seed)
    source = candidates(seed)
    rng = random.Random(seed)
    kept: list[str] = []
    while len(kept) < count:
        lines = [next(source) for _ in range(2_000)]
        fired = _firing(lines, trial)
        rare = [rng.random() < 0.1 for _ in lines]
        kept += [line for i, line in enumerate(lines) if not fired[i] or (rare[i] and fired[i] * 1000 < TRIAL)]
    return tuple(kept[:count])


# What a signature may hold; ten signatures hold it all, or ten and ten thousand would differ in more than their number.
KINDS = (
    re.compile(r"[CSX][0-9*@]"),
    re.compile(r"@"),
    re.compile(r"\{[0-9]+,"),
    re.compile(r"[csx][0-9]+-"),
    re.compile(r"\+"),
    re.compile(r"(tcp|udp) [^ ]+ (= )?[csx(]"),
    re.compile(r" < "),
)


def _every_kind_first(lines: tuple[str, ...]) -> list[str]:
    """Return the same signatures, one of each kind before the others."""
    head: dict[str, None] = {}
    for kind in KINDS:
        head[next(line for line in lines if kind.search(line.split(" : ")[0]))] = None
    return [*head, *(line for line in lines if line not in head)]


def generate(count: int, seed: int = 2) -> str:
    """Return a signature file with `count` selective signatures; a longer file begins with the shorter ones."""
    return "".join(_every_kind_first(_selected(max(count, 1_000), seed))[:count])
