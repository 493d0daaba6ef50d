/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * Copies of a few bytes, in words.
 *
 * For eBPF a compiler takes memcpy between byte arrays apart into bytes. Whoever then reads them as a word waits until
 * they have left the processor's store buffer: that was half of the parser's time.
 */
#ifndef FLOWTAP_COPY_H
#define FLOWTAP_COPY_H

#include "record.h"

#define FT_INLINE static inline __attribute__((always_inline))

typedef ft_u64 __attribute__((may_alias)) ft_alias64;
typedef ft_u32 __attribute__((may_alias)) ft_alias32;
typedef ft_u16 __attribute__((may_alias)) ft_alias16;

#ifdef __KERNEL__
/* Copies a constant number of bytes. Both are aligned like words where they lie on the stack. */
FT_INLINE void ft_copy(ft_u8 *to, const ft_u8 *from, ft_u32 size)
{
	ft_u32 i;

#pragma unroll
	for (i = 0; i + 8 <= size; i += 8)
		*(ft_alias64 *)(to + i) = *(const ft_alias64 *)(from + i);
	if (size & 4)
		*(ft_alias32 *)(to + (size & ~7)) = *(const ft_alias32 *)(from + (size & ~7));
	if (size & 2)
		*(ft_alias16 *)(to + (size & ~3)) = *(const ft_alias16 *)(from + (size & ~3));
	if (size & 1)
		to[size - 1] = from[size - 1];
}
#else
FT_INLINE void ft_copy(ft_u8 *to, const ft_u8 *from, ft_u32 size)
{
	__builtin_memcpy(to, from, size);
}
#endif

#endif
