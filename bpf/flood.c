// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The XDP program of the benchmarks' flood: run by BPF_PROG_TEST_RUN on live frames, it makes each the next packet.
 *
 * It is not attached anywhere and is no part of the tap.
 */
#include "flood.h"

BPF_ARRAY(floods, struct ft_flood, 1);

int ft_flood_program(struct xdp_md *context)
{
	ft_u8 *data = (ft_u8 *)(long)context->data;
	ft_u32 zero = 0;
	struct ft_flood *f = floods.lookup(&zero);

	if (!f || data + 54 > (ft_u8 *)(long)context->data_end)
		return XDP_ABORTED;
	ft_flood_next(data, f);
	return f->action == XDP_REDIRECT ? bpf_redirect(f->interface, 0) : f->action;
}
