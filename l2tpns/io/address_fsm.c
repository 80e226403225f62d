/* address_fsm.c -- five states; see the header. */
#include "l2tpns/io/address_fsm.h"

#define CALM	DUR_S(60)	/* as wanted for so long: earlier failures are forgotten */

/* How long after it appeared each announcement leaves: soon, and again for those who missed it. */
static const struct dur announce_at[ADDRESS_ANNOUNCEMENTS] = {
	{ 0 }, { 50000 }, { 200000 }, { 500000 }, { 1000000 }
};

static bool busy(const struct address_fsm *m)
{
	return m->looking || m->state == ADDRESS_ADDING || m->state == ADDRESS_REMOVING;
}

bool address_fsm_right(const struct address_fsm *m)
{
	return m->state == (m->wanted ? ADDRESS_PRESENT : ADDRESS_ABSENT);
}

void address_fsm_init(struct address_fsm *m, struct mono now)
{
	*m = (struct address_fsm){ .look = now, .retry = now };
}

void address_fsm_wanted(struct address_fsm *m, bool wanted, struct mono now)
{
	if (m->wanted == wanted)
		return;
	m->wanted = wanted;
	m->failures = 0;
	m->retry = now;
	m->announced = 0;
	m->since = now;
}

/* Somebody or something works against us: the next repair waits, each time twice as long. */
static void set_back(struct address_fsm *m, struct mono now)
{
	struct dur wait = ADDRESS_BACKOFF_MIN;

	if (address_fsm_right(m) && mono_since(now, m->since).us > CALM.us)
		m->failures = 0;
	for (unsigned i = 0; i < m->failures && wait.us < ADDRESS_BACKOFF_MAX.us; i++)
		wait.us *= 2;
	if (wait.us > ADDRESS_BACKOFF_MAX.us)
		wait = ADDRESS_BACKOFF_MAX;
	m->failures++;
	m->retry = mono_add(now, wait);
}

/* It is there, or it is not, and no operation of ours is under way. */
static void settle(struct address_fsm *m, bool has, struct mono now)
{
	enum address_state state = has ? ADDRESS_PRESENT : ADDRESS_ABSENT;

	if (m->state == state)
		return;
	m->state = state;
	m->announced = 0;
	m->since = now;
	m->renew = mono_add(now, ADDRESS_RENEWAL);
}

static void kernel_said(struct address_fsm *m, bool has, struct mono now)
{
	bool was_right = address_fsm_right(m);

	if (m->state == ADDRESS_ADDING || m->state == ADDRESS_REMOVING) {
		m->seen = has == (m->state == ADDRESS_ADDING);
		return;
	}
	if (was_right && has != m->wanted)
		set_back(m, now);
	settle(m, has, now);
}

static void operation_over(struct address_fsm *m, bool done, struct mono now)
{
	bool adding = m->state == ADDRESS_ADDING;

	if (m->looking && !done) {
		m->looking = false;
		set_back(m, now);
		m->look = m->retry;
	}
	if (m->state != ADDRESS_ADDING && m->state != ADDRESS_REMOVING)
		return;
	settle(m, done ? adding : !adding, now);
	if (!done)
		set_back(m, now);
	if (!done || !m->seen)			/* verify the effect, not the answer */
		m->look = now;
}

void address_fsm_event(struct address_fsm *m, enum address_event event, struct mono now)
{
	switch (event) {
	case ADDRESS_KERNEL_HAS:
	case ADDRESS_KERNEL_LOST:
		kernel_said(m, event == ADDRESS_KERNEL_HAS, now);
		break;
	case ADDRESS_LOOKED:
		m->looking = false;
		m->look = mono_add(now, ADDRESS_LOOK_INTERVAL);
		break;
	case ADDRESS_DONE:
	case ADDRESS_FAILED:
		operation_over(m, event == ADDRESS_DONE, now);
		break;
	}
}

static enum address_act begin(struct address_fsm *m, enum address_act act, struct mono now)
{
	m->until = mono_add(now, ADDRESS_PATIENCE);
	m->seen = false;
	m->looking = act == ADDRESS_LOOK;
	if (act == ADDRESS_ADD)
		m->state = ADDRESS_ADDING;
	if (act == ADDRESS_DROP)
		m->state = ADDRESS_REMOVING;
	return act;
}

enum address_act address_fsm_act(struct address_fsm *m, struct mono now)
{
	if (busy(m) && mono_reached(now, m->until))
		operation_over(m, false, now);
	if (busy(m))
		return ADDRESS_NOTHING;
	if (mono_reached(now, m->look))
		return begin(m, ADDRESS_LOOK, now);
	if (m->state == ADDRESS_UNKNOWN)
		return ADDRESS_NOTHING;
	if (!address_fsm_right(m))
		return mono_reached(now, m->retry) ? begin(m, m->wanted ? ADDRESS_ADD : ADDRESS_DROP, now)
						   : ADDRESS_NOTHING;
	if (m->wanted && mono_reached(now, m->renew)) {
		m->renew = mono_add(now, ADDRESS_RENEWAL);
		return ADDRESS_RENEW;
	}
	if (!m->wanted || m->announced == ADDRESS_ANNOUNCEMENTS ||
	    mono_before(now, mono_add(m->since, announce_at[m->announced])))
		return ADDRESS_NOTHING;
	m->announced++;
	return ADDRESS_ANNOUNCE;
}

struct mono address_fsm_next(const struct address_fsm *m)
{
	struct mono next = m->look;

	if (busy(m))
		return m->until;
	if (m->state == ADDRESS_UNKNOWN)
		return next;
	if (!address_fsm_right(m))
		return mono_min(next, m->retry);
	if (m->wanted)
		next = mono_min(next, m->renew);
	if (m->wanted && m->announced < ADDRESS_ANNOUNCEMENTS)
		return mono_min(next, mono_add(m->since, announce_at[m->announced]));
	return next;
}
