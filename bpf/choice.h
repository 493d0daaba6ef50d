/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/* Which records the settings leave out: the set of ports, the cut-off of long flows. The same in both taps. */
#ifndef FLOWTAP_CHOICE_H
#define FLOWTAP_CHOICE_H

#include "batch.h"
#include "load.h"

#define FT_CUTOFFS (1 << 20) /* entries of the table of flows that have a cut-off; a power of two */

/* A bit for each port. */
struct ft_ports {
	ft_u64 word[1024];
};

FT_INLINE int ft_port_is_in(const struct ft_ports *ports, ft_u16 port)
{
	return ports->word[port >> 6] >> (port & 63) & 1;
}

/* Whether a record is to be made by its ports (settings.ports). What has no ports is not among those that are asked for. */
FT_INLINE int ft_port_is_watched(ft_u32 mode, const struct ft_ports *ports, const struct ft_record *r)
{
	if (r->proto != 6 && r->proto != 17)
		return mode != 1;
	return (ft_port_is_in(ports, r->sport) | ft_port_is_in(ports, r->dport)) == (mode == 1);
}

/*
 * Whether the flow is beyond its cut-off. Its entry, at r->hash modulo FT_CUTOFFS, is the hash and how many records the
 * flow has made. Another flow takes the entry over, and a race of two CPUs miscounts by one: both give a few more
 * records, never less than the cut-off. A new connection begins anew.
 */
FT_INLINE int ft_is_cut_off(ft_u64 *entry, const struct ft_record *r, ft_u32 cutoff)
{
	ft_u64 flow = (ft_u64)r->hash << 32, count = *entry - flow;

	if (r->proto == 6 && (r->tcpflags & 7)) {
		if ((r->tcpflags & 0x12) == 2)
			*entry = flow;
		return 0;
	}
	if (count > 0xffffffff) /* another flow's */
		count = 0;
	if (count >= cutoff)
		return 1;
	*entry = flow + count + 1;
	return 0;
}

#endif
