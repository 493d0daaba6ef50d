# SPDX-License-Identifier: LGPL-2.1-or-later
# Evaluates `where` conditions over batches of flows; see where.pyx.

from libc.stdint cimport uint8_t

# Flows evaluated at once: a stack level is one such row of doubles, so that the rows in use stay in the L1 cache.
cdef enum:
    WHERE_BLOCK = 256
    VAR = 1     # the operation that pushes a variable, as in sigdb.where

# Stack levels that the program needs, or 0 when it is malformed (unknown operation, empty stack, a variable >= nvars,
# not exactly one value left). Check a program once with this; where_run trusts it.
cdef Py_ssize_t where_depth(const uint8_t *ops, const double *args, Py_ssize_t count, Py_ssize_t nvars) noexcept nogil

# out[f] = 1 when the condition holds for flow f, else 0. columns[v * stride + f] is variable v of flow f; stack has
# where_depth() * WHERE_BLOCK doubles.
cdef void where_run(const uint8_t *ops, const double *args, Py_ssize_t count, const double *columns,
                    Py_ssize_t stride, Py_ssize_t nflows, double *stack, uint8_t *out) noexcept nogil
