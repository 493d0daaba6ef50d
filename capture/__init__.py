# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where packets come from: capture files now, in records of bpf/record.h. Imports nothing else of this project."""

from capture._filter import check_filter
from capture._packet import Batch, parse_packet
from capture.errors import CaptureError, FilterError
from capture.files import Capture, open_capture

__all__ = ["Batch", "Capture", "CaptureError", "FilterError", "check_filter", "open_capture", "parse_packet"]
