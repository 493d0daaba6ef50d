# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where events leave flowtap: they get their sequence number here, and go to subscribers and to the file.

`Feed.append` is the one place that every event passes, once and in order. What must have an event before anybody
sees it (a spool on disk) belongs between the number and the publishing.
"""

from __future__ import annotations

from typing import Any, Literal

import msgpack
import orjson
import zmq

from engine.eventfile import EventFile

QUEUE = 20_000  # events that wait for one slow subscriber; further ones are not sent to it, and it sees that by `seq`
LINGER_MS = 500


class Feed:
    """Publishes events at `endpoint`; the first one has the number `seq`.

    Every message is one event: UTF-8 JSON or msgpack, alone or, with a `topic`, after a frame with the topic. Raises
    zmq.ZMQError when the endpoint cannot be had.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        *,
        seq: int = 1,
        topic: str = "",
        form: Literal["json", "msgpack"] = "json",
        file: EventFile | None = None,
    ) -> None:
        self.seq = seq
        self.file = file
        self._topic = topic.encode()
        self._packed = form == "msgpack"
        self._lines: list[bytes] = []
        self._socket = context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.SNDHWM, QUEUE)
        self._socket.setsockopt(zmq.LINGER, LINGER_MS)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError:
            self._socket.close()
            raise

    def append(self, event: dict[str, Any]) -> int:
        """Give the event its number, as `flowtap.seq`, publish it, and return the number.

        Raises TypeError for what JSON has no form for; the number is free again then.
        """
        seq = self.seq
        event.setdefault("flowtap", {})["seq"] = seq
        text = orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
        self.seq = seq + 1
        message = msgpack.packb(event) if self._packed else text[:-1]
        if self._topic:
            self._socket.send_multipart((self._topic, message), zmq.DONTWAIT)
        else:
            self._socket.send(message, zmq.DONTWAIT)
        if self.file is not None:
            self._lines.append(text)
        return seq

    def flush(self, now_ns: int) -> None:
        """Write what was appended to the file; `now_ns` is any clock that only goes on."""
        if self.file is not None and self._lines:
            lines, self._lines = self._lines, []
            self.file.write(lines, now_ns)

    def reopen(self) -> bool:
        """Open the file anew, after it was moved away; False when that fails, which is logged."""
        return self.file is None or self.file.reopen()

    def close(self) -> None:
        """Close the socket and the file; what waits for subscribers goes on its way for at most LINGER_MS."""
        self._socket.close()
        if self.file is not None:
            self.file.close()
