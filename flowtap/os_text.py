# SPDX-License-Identifier: LGPL-2.1-or-later
"""How `flowtap os` prints a handshake: a line as p0f logs it, or a JSON object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import orjson

from engine.fingerprints import Fingerprint, Flag, Result

MAPPED = bytes(10) + b"\xff\xff"
UNKNOWN = "???"


def address_text(address: bytes) -> str:
    """Write an address of a record."""
    return str(ip_address(address[12:] if address.startswith(MAPPED) else address))


@dataclass(frozen=True, slots=True)
class Seen:
    """One handshake with what was found of it."""

    handshake: Any  # capture.handshake.Handshake
    result: Result
    fingerprint: Fingerprint
    capture: str

    @property
    def repeated(self) -> bool:
        """Whether it was sent again."""
        return bool(self.result.flags & Flag.REPEATED)

    def ends(self) -> tuple[str, int, str, int]:
        """Return the client's and the server's address and port."""
        h = self.handshake
        source, target = (address_text(h.src), h.sport), (address_text(h.dst), h.dport)
        return (*target, *source) if self.result.flags & Flag.RESPONSE else (*source, *target)


def line(seen: Seen) -> bytes:
    """Return the line: p0f's fields in p0f's order, then the link and whether it was sent again."""
    client, client_port, server, server_port = seen.ends()
    found = seen.fingerprint
    moment = datetime.fromtimestamp(seen.handshake.ts // 1_000_000_000, UTC)
    fields = [
        f"[{moment:%Y/%m/%d %H:%M:%S}] mod={found.side}",
        f"cli={client}/{client_port}",
        f"srv={server}/{server_port}",
        f"subj={'cli' if found.side == 'syn' else 'srv'}",
        f"{'app' if found.os_class == '!' else 'os'}={found.system or UNKNOWN}",
        f"dist={found.distance_text}",
        f"params={found.params}",
        f"raw_sig={found.raw}",
    ]
    if found.mtu:
        fields.append(f"link={found.link or UNKNOWN}")
    if seen.repeated:
        fields.append("repeated")
    return "|".join(fields).encode("utf-8", "replace") + b"\n"


def document(seen: Seen) -> bytes:
    """Return the JSON object, as a line."""
    client, client_port, server, server_port = seen.ends()
    found, result = seen.fingerprint, seen.result
    moment = datetime.fromtimestamp(seen.handshake.ts // 1_000_000_000, UTC)
    return orjson.dumps(
        {
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{seen.handshake.ts // 1000 % 1_000_000:06}Z",
            "capture": seen.capture,
            "side": found.side,
            "client": client,
            "client_port": client_port,
            "server": server,
            "server_port": server_port,
            "system": found.system,
            "label": found.label,
            "name": found.name,
            "flavor": found.flavor,
            "os_class": found.os_class,
            "class": found.role or None,
            "generic": found.generic,
            "fuzzy": found.fuzzy,
            "distance": found.distance,
            "distance_at_most": found.signature is not None and found.signature.bad_ttl,
            "params": found.params,
            "raw": found.raw,
            "mtu": found.mtu or None,
            "link": found.link,
            "ts": result.ts1 or None,
            "repeated": seen.repeated,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
