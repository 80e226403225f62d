/* stream.c -- a bitmap over the run and a high-water mark per session. */
#include "tests/lac/stream.h"

void stream_init(struct stream *stream, uint64_t *seen, uint64_t numbers, uint64_t *last, uint32_t sessions)
{
	*stream = (struct stream){ .seen = seen, .numbers = numbers, .last = last, .sessions = sessions };
}

void stream_received(struct stream *stream, uint32_t session, uint64_t number, uint64_t latency_us)
{
	if (session >= stream->sessions || number >= stream->numbers) {
		stream->strange++;
		return;
	}
	uint64_t bit = UINT64_C(1) << (number & 63);
	uint64_t *word = &stream->seen[number >> 6];

	if (*word & bit) {
		stream->duplicates++;
		return;
	}
	*word |= bit;
	stream->received++;
	hist_add(&stream->latency, latency_us);
	if (number + 1 < stream->last[session])
		stream->reordered++;
	else
		stream->last[session] = number + 1;
}
