# SPDX-License-Identifier: LGPL-2.1-or-later
"""The socket by which a worker takes records and the collector takes events: bounded in number and in size."""

from __future__ import annotations

import zmq


def inbox(context: zmq.Context[zmq.Socket[bytes]], endpoint: str, *, queue: int, biggest: int) -> zmq.Socket[bytes]:
    """Return a PULL socket bound to `endpoint`; `queue` messages of each sender wait in it.

    A sender of more than `biggest` bytes in one message is disconnected. Raises zmq.ZMQError.
    """
    socket = context.socket(zmq.PULL)
    socket.setsockopt(zmq.RCVHWM, queue)
    socket.setsockopt(zmq.MAXMSGSIZE, biggest)
    socket.setsockopt(zmq.LINGER, 0)
    try:
        socket.bind(endpoint)
    except zmq.ZMQError:
        socket.close()  # or the context would never end
        raise
    return socket
