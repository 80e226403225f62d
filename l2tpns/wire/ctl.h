/*
 * ctl.h -- what nsctl and the daemon say to each other over the control socket.
 *
 * Pure codec, used by both sides.
 *
 *	request	l2tpns 1 text|json|metrics WORD...\n
 *	reply	200 ok\n	and the answer, until the end of the stream
 *		404 no such object\n	and why
 *
 * Words are parted by blanks; one that holds blanks or quotes, or is empty,
 * stands in "double quotes", with \ before a quote or backslash.
 */
#ifndef WIRE_CTL_H
#define WIRE_CTL_H

#include "l2tpns/base/rd.h"
#include "l2tpns/base/wr.h"

#define CTL_VERSION	1
#define CTL_REQUEST_MAX	4096		/* octets of the request, with its line feed */
#define CTL_STATUS_MAX	64		/* octets of the status line, with its line feed */
#define CTL_PATH	"/run/l2tpns/control.sock"	/* where nsctl looks unless told */

enum ctl_form { CTL_TEXT, CTL_JSON, CTL_METRICS, CTL_FORMS };

enum ctl_status {			/* stable: scripts rely on them */
	CTL_OK		= 200,
	CTL_MALFORMED	= 400,		/* the request could not be read */
	CTL_NOT_ENABLED	= 403,
	CTL_NO_OBJECT	= 404,		/* no such session, user, tunnel */
	CTL_UNKNOWN	= 405,		/* no such command, ambiguous, or wrong arguments */
	CTL_REFUSED	= 409,		/* understood, but it cannot be done */
	CTL_BUSY	= 503		/* too many clients */
};

struct ctl_request {
	enum ctl_form	form;
	struct bytes	words;		/* a loan of the line, without its line feed */
};

/* NULL, or what is wrong with the line, in words. */
MUST_USE const char *ctl_request_decode(struct bytes line, struct ctl_request *request);

/* False: it does not fit, or a word holds a line feed or nul. */
MUST_USE bool ctl_request_encode(struct wr *w, enum ctl_form form, const char *const *word, unsigned words);

/* The status line, with its line feed; returns its octets. */
size_t ctl_status_encode(enum ctl_status status, char line[CTL_STATUS_MAX]);

/* 0: this is no status line of ours. */
unsigned ctl_status_decode(struct bytes line);

#endif
