# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends the packets of bpf/flood.h in batches: through a packet socket, or by running an XDP program on live frames."""

from typing_extensions import Buffer

KINDS: tuple[str, ...]  # FT_FLOOD_* by number
XDP_ACTIONS: dict[str, int]

def settings(
    *,
    kind: int,
    flows: int,
    payload: int,
    handshake: int,
    client: int,
    server: int,
    port: int,
    sum: int,  # noqa: A002
    action: int = 0,
    interface: int = 0,
) -> bytes:
    """Return struct ft_flood as bytes, for the eBPF program's map or a Sender."""

class Sender:
    """Frames made from one template, sent through a packet socket with sendmmsg."""

    def __init__(self, descriptor: int, flood: Buffer, template: Buffer) -> None: ...
    def send(self, count: int) -> int:
        """Send the next `count` packets, all of them; return how often the device's queue was full. Raises OSError."""

def run_live(program: int, interface: int, template: Buffer, count: int) -> None:
    """Run an XDP program on `count` frames that `interface` seems to have received, and do what it says.

    Raises OSError.
    """
