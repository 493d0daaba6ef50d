# SPDX-License-Identifier: LGPL-2.1-or-later
"""Evaluates `where` conditions over batches of flows."""

from array import array

def evaluate(ops: array[int], args: array[float], columns: array[float], out: array[int] | bytearray) -> None:
    """Set out[f] to 1 when the condition holds for flow f, else to 0; f counts to len(out).

    `ops` 'B' and `args` 'd' are one signature's slices of Program.where_ops and Program.where_args. `columns` 'd' is
    nvars rows of len(out) doubles, in the order of sigdb.where.VARIABLES; NaN is "not known". Raises ValueError when
    the lengths do not fit together or the program is malformed, MemoryError when there is no memory for the stack.
    """
