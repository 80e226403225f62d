/* timers.c -- a wheel of four levels; a coarse slot is spread over the finer ones when its time comes. */
#include "l2tpns/base/timers.h"

#define SPAN_BITS(level)	(TIMERS_SLOT_BITS * (unsigned)(level))

void timers_init(struct timers *timers, uint32_t n, struct mono now, struct arena *arena)
{
	*timers = (struct timers){ .timer = arena_take(arena, n, sizeof(struct timer)), .n = n,
				   .tick = now.us / TIMERS_TICK_US };
}

static void place(struct timers *timers, uint32_t number, unsigned *level, unsigned *slot)
{
	uint64_t due = timers->timer[number].due - 1;
	uint64_t ahead = due - timers->tick;

	/* Beyond the span it lies in its slot some rounds early, and is sorted again each time round. */
	for (*level = 0; *level < TIMERS_LEVELS - 1; ++*level)
		if (ahead < UINT64_C(1) << SPAN_BITS(*level + 1))
			break;
	*slot = (unsigned)(due >> SPAN_BITS(*level)) & (TIMERS_SLOTS - 1);
}

static void link_in(struct timers *timers, uint32_t number)
{
	unsigned level, slot;
	struct timer *timer = &timers->timer[number];

	place(timers, number, &level, &slot);
	timer->prev = 0;
	timer->next = timers->slot[level][slot];
	if (timer->next)
		timers->timer[timer->next - 1].prev = number + 1;
	timers->slot[level][slot] = number + 1;
	timers->busy[level][slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Take a whole slot's list away. */
static uint32_t unlink_slot(struct timers *timers, unsigned level, unsigned slot)
{
	uint32_t first = timers->slot[level][slot];

	timers->slot[level][slot] = 0;
	timers->busy[level][slot / 64] &= ~(UINT64_C(1) << slot % 64);
	return first;
}

static void unlink_one(struct timers *timers, uint32_t number)
{
	struct timer *timer = &timers->timer[number];

	if (timer->next)
		timers->timer[timer->next - 1].prev = timer->prev;
	if (timer->prev) {
		timers->timer[timer->prev - 1].next = timer->next;
		return;
	}
	/* First of its list: the slot is one of at most TIMERS_LEVELS that can hold it. */
	for (unsigned level = 0; level < TIMERS_LEVELS; level++) {
		unsigned slot = (unsigned)((timer->due - 1) >> SPAN_BITS(level)) & (TIMERS_SLOTS - 1);

		if (timers->slot[level][slot] == number + 1) {
			timers->slot[level][slot] = timer->next;
			if (!timer->next)
				timers->busy[level][slot / 64] &= ~(UINT64_C(1) << slot % 64);
			return;
		}
	}
	ASSERT(false && "an armed timer is in some slot");
}

void timer_disarm(struct timers *timers, uint32_t number)
{
	ASSERT(number < timers->n);
	if (!timers->timer[number].due)
		return;
	unlink_one(timers, number);
	timers->timer[number].due = 0;
	timers->armed--;
}

void timer_arm(struct timers *timers, uint32_t number, struct mono due)
{
	uint64_t tick = due.us / TIMERS_TICK_US + (due.us % TIMERS_TICK_US != 0);

	timer_disarm(timers, number);
	if (due.us == UINT64_MAX)
		return;
	timers->timer[number].due = (tick < timers->tick ? timers->tick : tick) + 1;
	timers->armed++;
	link_in(timers, number);
}

bool timer_armed(const struct timers *timers, uint32_t number)
{
	ASSERT(number < timers->n);
	return timers->timer[number].due != 0;
}

/* The first busy slot at or after `from`, going round once; how many slots ahead of `from` it lies. */
static bool busy_ahead(const struct timers *timers, unsigned level, unsigned from, unsigned *ahead)
{
	for (unsigned n = 0; n < TIMERS_SLOTS;) {
		unsigned slot = (from + n) & (TIMERS_SLOTS - 1);
		uint64_t bits = timers->busy[level][slot / 64] >> slot % 64;

		if (bits) {
			*ahead = n + (unsigned)__builtin_ctzll(bits);
			return *ahead < TIMERS_SLOTS;
		}
		n += 64 - slot % 64;
	}
	return false;
}

/* The earliest tick at which something is due or a coarse slot must be spread. */
static uint64_t next_tick(const struct timers *timers)
{
	uint64_t earliest = UINT64_MAX;
	unsigned ahead;

	for (unsigned level = 0; level < TIMERS_LEVELS; level++) {
		uint64_t at = timers->tick >> SPAN_BITS(level);

		if (level > 0)
			at++;	/* the coarse slot we stand in was spread when we entered it */
		if (busy_ahead(timers, level, (unsigned)at & (TIMERS_SLOTS - 1), &ahead)) {
			uint64_t tick = (at + ahead) << SPAN_BITS(level);

			if (tick < earliest)
				earliest = tick;
		}
	}
	return earliest;
}

/* Enter a tick: spread every coarse slot that begins with it over the finer levels. */
static void enter(struct timers *timers, uint64_t tick)
{
	timers->tick = tick;
	for (unsigned level = TIMERS_LEVELS - 1; level > 0; level--) {
		if (tick & ((UINT64_C(1) << SPAN_BITS(level)) - 1))
			continue;
		unsigned slot = (unsigned)(tick >> SPAN_BITS(level)) & (TIMERS_SLOTS - 1);
		uint32_t at = unlink_slot(timers, level, slot);

		while (at) {
			uint32_t next = timers->timer[at - 1].next;

			link_in(timers, at - 1);
			at = next;
		}
	}
}

bool timers_pop(struct timers *timers, struct mono now, uint32_t *number)
{
	uint64_t until = now.us / TIMERS_TICK_US;

	while (timers->armed > 0) {
		uint32_t first = timers->slot[0][timers->tick & (TIMERS_SLOTS - 1)];

		if (first) {
			if (timers->timer[first - 1].due - 1 > until)
				return false;
			*number = first - 1;
			timer_disarm(timers, *number);
			return true;
		}
		uint64_t next = next_tick(timers);

		if (next > until)
			break;
		enter(timers, next);
	}
	if (timers->armed == 0 && until > timers->tick)
		timers->tick = until;
	return false;
}

struct mono timers_next(const struct timers *timers)
{
	if (timers->armed == 0)
		return MONO_NEVER;
	return (struct mono){ next_tick(timers) * TIMERS_TICK_US };
}
