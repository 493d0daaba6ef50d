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

/* ... and the headers of a plain packet, and its hash. */
int part_hash(struct __sk_buff *skb)
{
	const ft_u8 *data = (void *)(long)skb->data;
	ft_u32 zero = 0;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);

	if (!s || s->busy)
		return FT_UNSPEC;
	s->busy = 1;
	ft_barrier();
	s->seen++;
	if (data + FT_PLAIN <= (ft_u8 *)(long)skb->data_end && ft_is_plain(data, skb->len, 0)) {
		s->record.hash = ft_hash_plain(data, &s->settings.key);
		s->record.ts = bpf_ktime_get_ns();
	}
	ft_barrier();
	s->busy = 0;
	return FT_UNSPEC;
}

/* ... and the record in a batch, which begins anew when it is full. */
int part_batch(struct __sk_buff *skb)
{
	const ft_u8 *data = (void *)(long)skb->data;
	ft_u32 i, hash, shard, zero = 0;
	struct flowtap_state *s = (void *)flowtap_state.lookup(&zero);
	struct flowtap_batch *b;

	if (!s || s->busy)
		return FT_UNSPEC;
	s->busy = 1;
	ft_barrier();
	s->seen++;
	if (data + FT_PLAIN <= (ft_u8 *)(long)skb->data_end && ft_is_plain(data, skb->len, 0)) {
		hash = ft_hash_plain(data, &s->settings.key);
		shard = ft_shard(hash, FT_SHARDS);
		b = (void *)batches.lookup(&shard);
		i = b ? b->message.count : FT_BATCH;
		if (b && i < FT_BATCH) {
			ft_place_plain(skb, data, hash, b, i)->ts = bpf_ktime_get_ns();
			b->message.count = (i + 1) & (FT_BATCH - 1);
		}
	}
	ft_barrier();
	s->busy = 0;
	return FT_UNSPEC;
}
