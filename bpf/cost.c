// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the parts of the tc program cost: programs that each go a little farther on its way, for bench/parts.py.
 *
 * Each is attached in the place of flowtap(), which is the last of the row. None hands a batch over.
 */
#include "flowtap.c"

/* What kernel.bpf_stats_enabled shows for nothing. */
int part_empty(struct __sk_buff *skb)
{
	return FT_UNSPEC;
}

/* ... and the state of the CPU, taken and counted in. */
int part_count(struct __sk_buff *skb)
{
	ft_u32 zero = 0;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);

	if (!s || s->busy)
		return FT_UNSPEC;
	s->busy = 1;
	ft_barrier();
	s->seen++;
	ft_barrier();
	s->busy = 0;
	return FT_UNSPEC;
}

/* ... and the time. */
int part_clock(struct __sk_buff *skb)
{
	ft_u32 zero = 0;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);

	if (!s || s->busy)
		return FT_UNSPEC;
	s->busy = 1;
	ft_barrier();
	s->seen++;
	s->record.ts = bpf_ktime_get_ns();
	ft_barrier();
	s->busy = 0;
	return FT_UNSPEC;
}

/* ... and the record with its hash. */
int part_record(struct __sk_buff *skb)
{
	struct ft_packet packet = ft_packet_of(skb);
	ft_u32 zero = 0;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);

	if (!s || s->busy)
		return FT_UNSPEC;
	s->busy = 1;
	ft_barrier();
	s->seen++;
	if (ft_read(skb, s, &packet, 0) != FT_RECORD)
		s->verdict[FT_NO_PAYLOAD]++;
	ft_barrier();
	s->busy = 0;
	return FT_UNSPEC;
}

/* ... and the record in a batch, which begins anew when it is full. */
int part_batch(struct __sk_buff *skb)
{
	struct ft_packet packet = ft_packet_of(skb);
	ft_u32 i, zero = 0, shard;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);
	struct flowtap_batch *b;

	if (!s || s->busy)
		return FT_UNSPEC;
	s->busy = 1;
	ft_barrier();
	s->seen++;
	if (ft_read(skb, s, &packet, 0) == FT_RECORD) {
		shard = ft_shard(s->record.hash, s->settings.shards);
		b = (void *)batches.lookup(&shard);
		i = b ? b->message.count : FT_BATCH;
		if (b && i < FT_BATCH) {
			b->record[i] = s->record;
			b->tag[i] = s->tag;
			b->message.ts = s->record.ts;
			b->message.count = (i + 1) & (FT_BATCH - 1);
		}
	}
	ft_barrier();
	s->busy = 0;
	return FT_UNSPEC;
}
