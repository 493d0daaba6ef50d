# SPDX-License-Identifier: LGPL-2.1-or-later
"""A flood of packets from one core, at a rate or as fast as it goes: `python -m bench.flood IFACE`.

Packets are those of bpf/flood.h. Three ways to send them:

  inject  Frames appear as received on IFACE: an XDP program makes them (BPF_PROG_TEST_RUN on live frames, Linux 5.18
          and later) and passes them to the stack, where they meet packet sockets and tc ingress. The fastest: what is
          measured is the receiving side alone.
  xmit    The same program redirects them to IFACE: they leave through its driver, past its queue and tc egress, and
          arrive at the other end of a veth pair if that has GRO on (ethtool -K PEER gro on); else nothing arrives.
  socket  A packet socket sends them past the queue of IFACE (PACKET_QDISC_BYPASS). Works everywhere.

On one core of a 2-core virtual machine, the receiving stack included (it works on the sender's core), 100 bytes of
payload: inject 3.3, xmit 2.2, socket 0.85 million packets/s.

Frames go to a MAC address that is nobody's unless --mac names one, so that the stack drops them behind the taps.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench._flood import KINDS, XDP_ACTIONS, Sender, run_live, settings

ROOT = Path(__file__).parent.parent
METHODS = ("inject", "xmit", "socket")
PACKET_QDISC_BYPASS = 20
SOL_PACKET = 263
CLONE_NEWNET = 0x40000000
XDP_FLAGS_SKB_MODE = 2
# MSS 1460, SACK permitted, timestamps, NOP, window scale 7: a Linux client's
SYN_OPTIONS = bytes.fromhex("020405b40402080a000000010000000001030307")
MULTIARCH = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}


@dataclass(frozen=True, slots=True)
class Flood:
    """What is sent. Addresses are IPv4; flow number i has the client's address plus i."""

    packets: int
    rate: float = 0.0  # packets per second, 0: as fast as it goes
    flows: int = 10_000
    payload: int = 100  # bytes; kind syn has none
    kind: str = "tcp"
    handshake: bool = True  # TCP: each flow begins with SYN, SYN+ACK, ACK
    method: str = "inject"
    client: str = "10.0.0.1"
    server: str = "198.18.0.1"
    port: int = 443
    mac: str = "02:00:00:00:00:99"


def _template(flood: Flood) -> bytes:
    """Return a frame with all that the packets of a flood have in common."""
    ethernet = bytes.fromhex(flood.mac.replace(":", "")) + bytes.fromhex("0200000000980800")
    protocol = 17 if flood.kind == "udp" else 6
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 0, 0, 0x4000, 64, protocol, 0, 0, 0)
    if flood.kind == "udp":
        return (ethernet + ip + bytes(8) + bytes(flood.payload)).ljust(74, b"\0")
    if flood.kind == "syn":
        return ethernet + ip + struct.pack(">12xBBH4x", 0xA0, 2, 64240) + SYN_OPTIONS
    return (ethernet + ip + struct.pack(">12xBBH4x", 0x50, 0x18, 501) + bytes(flood.payload)).ljust(74, b"\0")


def _settings(flood: Flood, interface: int) -> bytes:
    template = _template(flood)
    return settings(
        kind=KINDS.index(flood.kind),
        flows=flood.flows,
        payload=flood.payload,
        handshake=3 if flood.handshake else 0,
        client=int.from_bytes(socket.inet_aton(flood.client)),
        server=int.from_bytes(socket.inet_aton(flood.server)),
        port=flood.port,
        sum=sum(struct.unpack(">10H", template[14:34])),
        action=XDP_ACTIONS["pass" if flood.method == "inject" else "redirect"],
        interface=interface,
    )


@contextmanager
def _program(flood: bytes) -> Iterator[int]:
    """Load the XDP program, give it its settings, yield its descriptor.

    BPF_PROG_TEST_RUN enters a program into the kernel's list of XDP programs and takes it out again, and waits some
    20 ms each time; not so when it is there already. So it is attached to the loopback interface of a network
    namespace that one thread makes for itself, and that is gone when the process is.
    """
    os.environ["BCC_KERNEL_SOURCE"] = str(ROOT / "bpf" / "shim")
    from bcc import BPF  # noqa: PLC0415 - only these ways of sending need it

    flags = [f"-I{ROOT / 'bpf'}", "-I/usr/include", f"-I/usr/include/{MULTIARCH.get(platform.machine(), '')}"]
    bpf = BPF(src_file=str(ROOT / "bpf" / "flood.c"), cflags=flags)
    floods = bpf["floods"]
    floods[floods.Key(0)] = floods.Leaf.from_buffer_copy(flood)
    program = bpf.load_func("ft_flood_program", BPF.XDP)
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0:
            BPF.attach_xdp("lo", program, XDP_FLAGS_SKB_MODE)
        ready.set()
        done.wait()

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    ready.wait(10)
    try:
        yield program.fd
    finally:
        done.set()
        holder.join(10)
        bpf.cleanup()


def _sender(flood: Flood, name: str, stack: ExitStack) -> tuple[Callable[[int], object], int]:
    """Return what sends the next so many packets, and how many are sent at once."""
    interface = socket.if_nametoindex(name)
    template, told = _template(flood), _settings(flood, interface)
    if flood.method == "socket":
        outlet = stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        outlet.bind((name, 0))
        outlet.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        return Sender(outlet.fileno(), told, template).send, 1024
    program = stack.enter_context(_program(told))
    return lambda count: run_live(program, interface, template, count), 16384


def send(name: str, flood: Flood) -> dict[str, object]:
    """Send the flood on interface `name` and return what was sent and how fast.

    The packets are exactly as many as were asked for. Raises OSError when the interface is not there or a packet
    cannot be sent, and ValueError for a flood that makes no sense.
    """
    if flood.kind not in KINDS or flood.method not in METHODS or flood.flows < 1 or not 0 <= flood.payload <= 1400:
        raise ValueError(f"kind {flood.kind}, method {flood.method}, {flood.flows} flows, payload {flood.payload}")
    with ExitStack() as stack:
        run, chunk = _sender(flood, name, stack)
        if flood.rate:
            chunk = max(1, min(chunk, int(flood.rate / 200)))
        used, begin, sent = time.process_time(), time.perf_counter(), 0
        while sent < flood.packets:
            if flood.rate:
                time.sleep(max(0.0, sent / flood.rate - (time.perf_counter() - begin)))
            part = min(chunk, flood.packets - sent)
            run(part)
            sent += part
        seconds = time.perf_counter() - begin
        used = time.process_time() - used
    return {
        **asdict(flood),
        "interface": name,
        "sent": sent,
        "seconds": round(seconds, 3),
        "pps": round(sent / seconds) if seconds else 0,
        "cpu_ns_per_packet": round(used * 1e9 / sent, 1) if sent else 0,
    }


def main(arguments: list[str] | None = None) -> None:
    """Send a flood and print a JSON object."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.flood", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("interface")
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=0.0, help="packets per second; 0: as fast as it goes")
    parser.add_argument("--flows", type=int, help="default 10000; kind syn: 5000000, one address each")
    parser.add_argument("--payload", type=int, default=100, help="bytes")
    parser.add_argument("--kind", choices=KINDS, default="tcp")
    parser.add_argument("--no-handshake", dest="handshake", action="store_false", help="TCP flows begin with data")
    parser.add_argument("--method", choices=METHODS, default="inject")
    parser.add_argument("--client", default="10.0.0.1", help="address of the first flow's client")
    parser.add_argument("--server", default="198.18.0.1")
    parser.add_argument("--port", type=int, default=443, help="of the server")
    parser.add_argument("--mac", default="02:00:00:00:00:99", help="destination; default: nobody's")
    options = vars(parser.parse_args(arguments))
    name = options.pop("interface")
    options["flows"] = options["flows"] or (5_000_000 if options["kind"] == "syn" else 10_000)
    print(json.dumps(send(name, Flood(**options))))


if __name__ == "__main__":
    main()
