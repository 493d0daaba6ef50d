# SPDX-License-Identifier: LGPL-2.1-or-later
"""The work of a survey: contacts on one side, their SYN+ACKs on the other, joined by address and port to results."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from time import time_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any

from capture.handshakes import HandshakeParser
from capture.handshake_socket import HandshakeSocket
from flowtap.survey_contact import Contact, contact_all
from flowtap.survey_list import Target

if TYPE_CHECKING:
    from engine.fingerprints import Fingerprint
    from flowtap.survey_journal import Journal

_KEPT = 65_536  # SYN+ACKs whose contact has not ended yet; more than any concurrency allows
_LATE = 0.2  # seconds in which the packet socket may tell of what the connection already knows


class Survey:
    """A survey of one port. Raises HandshakeSocketError, and SignatureErrors for a wrong database.

    To be used as a context manager, which closes the packet socket.
    """

    def __init__(self, port: int, files: Sequence[str] = ()) -> None:
        from engine.fingerprint import Fingerprinter
        from sigdb.tcp import load_tcp, shipped_tcp

        self.port = port
        self.unseen = 0  # hosts that accepted a connection and whose SYN+ACK the socket did not show
        self._fingerprinter = Fingerprinter(load_tcp(list(files) or shipped_tcp()))
        self._seen: OrderedDict[tuple[str, int], Fingerprint] = OrderedDict()
        self._socket = HandshakeSocket(port)

    def __enter__(self) -> Survey:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
