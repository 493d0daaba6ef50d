# SPDX-License-Identifier: LGPL-2.1-or-later
"""Evaluates `where` conditions over batches of flows.

The postfix program of sigdb.where runs operation by operation, each over a block of flows, so that the cost of
decoding an operation is shared and the compiler can vectorise the arithmetic. A truth value is 1.0, 0.0 or NaN
(unknown), after Kleene. With these, `not a` is 1 - a; `and` is false when either is false and otherwise the product,
`or` is true when either is true and otherwise the sum: NaN comes through by itself.
"""

from libc.math cimport NAN
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc

# As in sigdb.where; a test compares them.
cdef enum:
    OP_CONST
    OP_VAR
    OP_ADD
    OP_SUB
    OP_MUL
    OP_DIV
    OP_NEG
    OP_LT
    OP_LE
    OP_GT
    OP_GE
    OP_EQ
    OP_NE
    OP_AND
    OP_OR
    OP_NOT
    OP_COUNT


cdef Py_ssize_t where_depth(const uint8_t *ops, const double *args, Py_ssize_t count,
                            Py_ssize_t nvars) noexcept nogil:
    cdef Py_ssize_t i, level = 0, deepest = 0
    for i in range(count):
        if ops[i] >= OP_COUNT:
            return 0
        if ops[i] <= OP_VAR:
            if ops[i] == OP_VAR and not (args[i] >= 0 and args[i] < nvars):
                return 0
            level += 1
            if level > deepest:
                deepest = level
        elif ops[i] == OP_NEG or ops[i] == OP_NOT:
            if level < 1:
                return 0
        else:
            level -= 1
            if level < 1:
                return 0
    return deepest if level == 1 else 0


cdef inline double compared(double a, double b, bint truth) noexcept nogil:
    return NAN if a != a or b != b else (1.0 if truth else 0.0)


cdef void unary(uint8_t op, double *a, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    if op == OP_NEG:
        for i in range(n):
            a[i] = -a[i]
    else:
        for i in range(n):
            a[i] = 1.0 - a[i]


cdef void binary(uint8_t op, double *a, const double *b, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    if op == OP_ADD:
        for i in range(n):
            a[i] += b[i]
    elif op == OP_SUB:
        for i in range(n):
            a[i] -= b[i]
    elif op == OP_MUL:
        for i in range(n):
            a[i] *= b[i]
    elif op == OP_DIV:
        for i in range(n):
            a[i] = a[i] / b[i] if b[i] != 0.0 else NAN
    elif op == OP_LT:
        for i in range(n):
            a[i] = compared(a[i], b[i], a[i] < b[i])
    elif op == OP_LE:
        for i in range(n):
            a[i] = compared(a[i], b[i], a[i] <= b[i])
    elif op == OP_GT:
        for i in range(n):
            a[i] = compared(a[i], b[i], a[i] > b[i])
    elif op == OP_GE:
        for i in range(n):
            a[i] = compared(a[i], b[i], a[i] >= b[i])
    elif op == OP_EQ:
        for i in range(n):
            a[i] = compared(a[i], b[i], a[i] == b[i])
    elif op == OP_NE:
        for i in range(n):
            a[i] = compared(a[i], b[i], a[i] != b[i])
    elif op == OP_AND:
        for i in range(n):
            a[i] = 0.0 if a[i] == 0.0 or b[i] == 0.0 else a[i] * b[i]
    else:
        for i in range(n):
            a[i] = 1.0 if a[i] == 1.0 or b[i] == 1.0 else a[i] + b[i]


cdef void where_run(const uint8_t *ops, const double *args, Py_ssize_t count, const double *columns,
                    Py_ssize_t stride, Py_ssize_t nflows, double *stack, uint8_t *out) noexcept nogil:
    cdef Py_ssize_t start = 0, n, i, k
    cdef const double *column
    cdef double *top  # the first free row
    while start < nflows:
        n = min(<Py_ssize_t>WHERE_BLOCK, nflows - start)
        top = stack
        for k in range(count):
            if ops[k] == OP_CONST:
                for i in range(n):
                    top[i] = args[k]
                top += WHERE_BLOCK
            elif ops[k] == OP_VAR:
                column = columns + <Py_ssize_t>args[k] * stride + start
                for i in range(n):
                    top[i] = column[i]
                top += WHERE_BLOCK
            elif ops[k] == OP_NEG or ops[k] == OP_NOT:
                unary(ops[k], top - WHERE_BLOCK, n)
            else:
                top -= WHERE_BLOCK
                binary(ops[k], top - WHERE_BLOCK, top, n)
        for i in range(n):
            out[start + i] = stack[i] == 1.0
        start += n


def evaluate(const unsigned char[::1] ops, const double[::1] args, const double[::1] columns,
             unsigned char[::1] out):
    """Set out[f] to 1 when the condition holds for flow f, else to 0; where.pyi says what the arguments are."""
    cdef Py_ssize_t count = ops.shape[0], nflows = out.shape[0], depth
    cdef double *stack
    if args.shape[0] != count:
        raise ValueError(f"{args.shape[0]} arguments; expected {count}, one for each operation")
    if nflows == 0:
        return
    if columns.shape[0] == 0 or columns.shape[0] % nflows:
        raise ValueError(f"columns of {columns.shape[0]} values; expected a multiple of {nflows} flows")
    if count == 0:
        raise ValueError("an empty condition; expected at least one operation")
    depth = where_depth(&ops[0], &args[0], count, columns.shape[0] // nflows)
    if depth == 0:
        raise ValueError("a malformed condition; expected a program of sigdb.where")
    stack = <double *>malloc(depth * WHERE_BLOCK * sizeof(double))
    if stack == NULL:
        raise MemoryError
    with nogil:
        where_run(&ops[0], &args[0], count, &columns[0], nflows, nflows, stack, &out[0])
    free(stack)
