/* SPDX-License-Identifier: GPL-2.0-or-later OR LGPL-2.1-or-later */
/*
 * The one packet parser: turns the bytes of a packet into a record, in the kernel and in userspace alike.
 *
 * It is a chain of small steps. Each reads one header, moves the offset behind it and names the step for the next
 * header, or ends with a verdict. One bounded loop drives them, because that is what the kernel's verifier (5.10 and
 * later) follows cheaply: with a loop per layer inside a loop per tunnel it walks every combination. Four things
 * must hold:
 *
 *  1. Lengths come from the IP header, never from the capture: Ethernet pads short frames, and a snap length cuts
 *     long ones. `end` is where the innermost IP packet so far ends; `offset <= end` after each IP header.
 *  2. What one step tells a later one is kept in the record and the tag, which lie in map memory: the verifier
 *     forgets what is stored there. Counters and flags in the cursor were tried; it follows each of their values
 *     apart, and gave up (a million instructions) at 10 steps instead of 24.
 *  3. Every load has a constant size, and nothing is used that was not loaded.
 *  4. A record is complete after any transport header, so that a tunnel that turns out to be none (a UDP port that
 *     merely looks like VXLAN) can end there.
 *
 * Under __KERNEL__ the includer declares struct __sk_buff and bpf_skb_load_bytes first.
 */
#ifndef FLOWTAP_PACKET_H
#define FLOWTAP_PACKET_H

#include "handshake.h"
#include "hash.h"
#include "layer2.h"
#include "layer3.h"
#include "layer4.h"
#include "tunnel.h"

/*
 * Parses the packet from `offset` on, where a header of kind `step` stands. The caller has set r->seg, r->flags (what
 * it knows: FT_F_VLAN and tag->vlan from metadata, FT_F_EGRESS) and the tag; the time, r->ts, is its own affair; the
 * rest is written here, and `at` for handshake_fill.h. Unless FT_RECORD or FT_NO_PAYLOAD is returned (see
 * handshake.h), record, tag and `at` hold nothing of use.
 */
FT_INLINE enum ft_verdict ft_parse(const struct ft_packet *p, ft_u32 offset, ft_u32 step, ft_u32 decap,
				   const struct ft_key *key, struct ft_record *r, struct ft_tag *tag,
				   struct ft_headers *at)
{
	struct ft_cursor c = {.offset = offset, .end = p->wire, .decap = decap, .record = r, .tag = tag, .at = at};
	struct ft_packet far = ft_far(p);
	ft_u32 i;

	/* what nearly all packets are, by itself, in the order in which it comes */
	if (step == FT_STEP_ETHERNET)
		step = ft_ethernet(p, &c);
	if (step == FT_STEP_IPV4)
		step = ft_ipv4(p, &c);
	else if (step == FT_STEP_IPV6)
		step = ft_ipv6(p, &c);
	if (step == FT_STEP_TCP)
		step = ft_tcp(p, &c);
	else if (step == FT_STEP_UDP)
		step = ft_udp(p, &c);
	for (i = 0; i < FT_MAX_STEPS && step < FT_STEP_END; i++) {
		switch (step) {
		case FT_STEP_ETHERNET:
			step = ft_ethernet(&far, &c);
			break;
		case FT_STEP_IP:
			step = ft_ip(&far, &c);
			break;
		case FT_STEP_IPV4:
			step = ft_ipv4(&far, &c);
			break;
		case FT_STEP_IPV6:
			step = ft_ipv6(&far, &c);
			break;
		case FT_STEP_TCP:
			step = ft_tcp(&far, &c);
			break;
		case FT_STEP_UDP:
			step = ft_udp(&far, &c);
			break;
		case FT_STEP_ICMP:
			step = ft_icmp(&far, &c, 4);
			break;
		case FT_STEP_ICMPV6:
			step = ft_icmp(&far, &c, 6);
			break;
		case FT_STEP_OPTIONS:
			step = ft_options(&far, &c);
			break;
		case FT_STEP_FRAGMENT:
			step = ft_fragment(&far, &c);
			break;
		case FT_STEP_AH_IPV4:
			step = ft_authentication(&far, &c, 4);
			break;
		case FT_STEP_AH_IPV6:
			step = ft_authentication(&far, &c, 6);
			break;
		case FT_STEP_VLAN:
			step = ft_vlan(&far, &c);
			break;
		case FT_STEP_MPLS:
			step = ft_mpls(&far, &c);
			break;
		case FT_STEP_PPPOE:
			step = ft_pppoe(&far, &c);
			break;
		case FT_STEP_LLC:
			step = ft_llc(&far, &c);
			break;
		case FT_STEP_GRE:
			step = ft_gre(&far, &c);
			break;
		case FT_STEP_VXLAN:
			step = ft_vxlan(&far, &c);
			break;
		default:
			step = ft_geneve(&far, &c);
		}
	}
	if (step < FT_STEP_END)
		return FT_TOO_DEEP;
	if (step == FT_END(RECORD) || step == FT_END(NO_PAYLOAD)) {
		if (p->caplen < p->wire)
			r->flags |= FT_F_TRUNCATED;
		if (r->len <= r->seg) /* merged from one: not merged */
			r->seg = 0;
		r->hash = ft_hash(key, r);
	}
	return (enum ft_verdict)(step - FT_STEP_END);
}

#endif
