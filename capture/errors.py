# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be wrong with a capture or a filter, said so that a person can act on it."""


class CaptureError(Exception):
    """A capture that cannot be read, or not beyond `offset`.

    `offset` counts bytes of the decompressed stream; None when the file could not be opened at all.
    """

    def __init__(self, file: str, offset: int | None, reason: str) -> None:
        place = file if offset is None else f"{file}: offset {offset}"
        super().__init__(f"{place}: {reason}")
        self.file = file
        self.offset = offset
        self.reason = reason


class FilterError(Exception):
    """A pcap filter expression that libpcap does not compile; `reason` is libpcap's."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(f"filter '{expression}': {reason}")
        self.expression = expression
        self.reason = reason
