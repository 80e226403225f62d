/*
 * address_fsm.h -- when to put the service address on the interface, take it off, look, and announce it.
 *
 * Pure.  One operation at a time.  What the kernel says counts, not what we asked it
 * for: an address that is not as it should be is put right, and when that does not
 * help, less and less often.
 */
#ifndef IO_ADDRESS_FSM_H
#define IO_ADDRESS_FSM_H

#include "l2tpns/base/mono.h"

#define ADDRESS_ANNOUNCEMENTS	5u
#define ADDRESS_BACKOFF_MIN	DUR_MS(100)
#define ADDRESS_BACKOFF_MAX	DUR_S(30)
#define ADDRESS_LOOK_INTERVAL	DUR_S(30)	/* besides what the kernel tells by itself */
#define ADDRESS_LIFE		DUR_S(4)	/* without renewal the kernel takes it off: the dead own nothing */
#define ADDRESS_RENEWAL		DUR_S(1)
#define ADDRESS_PATIENCE	DUR_S(2)	/* with one operation */

enum address_state { ADDRESS_UNKNOWN, ADDRESS_ABSENT, ADDRESS_ADDING, ADDRESS_PRESENT, ADDRESS_REMOVING };

enum address_event {
	ADDRESS_KERNEL_HAS, ADDRESS_KERNEL_LOST,	/* it says so: by itself, or at the end of a look */
	ADDRESS_LOOKED,					/* after the one of the above that ended it */
	ADDRESS_DONE, ADDRESS_FAILED			/* the operation under way */
};

enum address_act { ADDRESS_NOTHING, ADDRESS_LOOK, ADDRESS_ADD, ADDRESS_DROP, ADDRESS_ANNOUNCE, ADDRESS_RENEW };

struct address_fsm {
	enum address_state state;
	bool		wanted;
	bool		seen;		/* the kernel confirmed the operation under way */
	bool		looking;
	unsigned	failures;	/* in a row: the next repair waits the longer */
	unsigned	announced;
	struct mono	until;		/* of the operation under way */
	struct mono	retry;		/* not before */
	struct mono	look;
	struct mono	renew;
	struct mono	since;		/* it is as wanted */
};

void address_fsm_init(struct address_fsm *m, struct mono now);
void address_fsm_wanted(struct address_fsm *m, bool wanted, struct mono now);
void address_fsm_event(struct address_fsm *m, enum address_event event, struct mono now);
/* What is to be done now; asked again until there is nothing. */
MUST_USE enum address_act address_fsm_act(struct address_fsm *m, struct mono now);
struct mono address_fsm_next(const struct address_fsm *m);
bool address_fsm_right(const struct address_fsm *m);		/* it is as wanted */

#endif
