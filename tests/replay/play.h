/*
 * play.h -- the scenario runner: one play at a time, its world, its LACs and subscribers.
 *
 * A play is told in lines (common.play explains them).  The control plane under test is the
 * daemon's own objects; everything around it is here: a clock that moves only
 * when told, LACs that build and read octets by their own code, and a model of
 * the data plane that checks every effect.  play_fail() ends the scenario.
 */
#ifndef REPLAY_PLAY_H
#define REPLAY_PLAY_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "l2tpns/core/lns.h"

#define WORDS_MAX	64
#define LINE_MAX_LEN	4096
#define PACKET_MAX	65536

/* ---- told.c: a line cut at blanks; every word must be used by somebody */

struct told {
	char	 text[LINE_MAX_LEN];
	char	*word[WORDS_MAX];
	bool	 used[WORDS_MAX];
	unsigned n;
	unsigned at;			/* the next plain word */
};

struct play;

void told_cut(struct play *play, struct told *w, const char *line);
const char *told_next(struct play *play, struct told *w);		/* fails when there is none */
const char *told_peek(struct told *w);					/* "" when there is none */
bool told_take(struct told *w, const char *text);			/* the next one, if it is this */
bool told_flag(struct told *w, const char *text);			/* anywhere in what is left */
const char *told_after(struct told *w, const char *text);		/* the one after this; NULL: none */
const char *told_value(struct told *w, const char *key); /* of key=value, anywhere; NULL: none */
void told_done(struct play *play, struct told *w);			/* fails when a word was not used */

uint64_t parse_number(struct play *play, const char *text);
bool parse_bool(struct play *play, const char *text);
struct dur parse_time(struct play *play, const char *text);		/* "3s", "250ms", "1.5" */
struct ip4 parse_ip4(struct play *play, const char *text);
struct addr parse_addr(struct play *play, const char *text);		/* a.b.c.d[:port] */
size_t parse_hex(struct play *play, const char *text, uint8_t *out, size_t room);
size_t parse_octets(struct play *play, const char *text, uint8_t *out, size_t room);	/* text, or hex:... */

/* ---- lac.c: peers */

struct ppp_heard {
	uint8_t		 id;		/* of its latest Configure-Request */
	uint8_t		 term_id;	/* ... and Terminate-Request */
	uint8_t		 asked[1500];
	size_t		 asked_len;
};

struct ppp_peer {			/* what one subscriber's modem knows */
	uint8_t		 next_id;
	struct ppp_heard lcp, ncp;	/* what the lns asked for last */
	uint16_t	 auth_proto;	/* what the lns asked for: 0xc023, 0xc223 */
	uint8_t		 auth_algorithm;
	uint8_t		 challenge_id, challenge[256], challenge_len;
	uint8_t		 peer_challenge[16], nt_response[24];
	char		 user[256], password[256];
	uint8_t		 echo_id;
};

struct call {
	struct call	*next;
	unsigned	 number;
	uint16_t	 sid, lns_sid;	/* the LAC's and the lns's session id */
	struct ppp_peer	 ppp;
};

struct packet {				/* one that the lns sent */
	struct packet	*next;
	struct mono	 at;
	struct ip	 from;
	bool		 again;		/* a control message with an Ns seen before */
	bool		 ahead;		/* one with an Ns beyond what is due */
	size_t		 len;
	uint8_t		 octets[];
};

struct lac {
	struct lac	*next;
	char		 name[32];
	struct addr	 addr;
	char		 host[80], secret[80];
	uint16_t	 tid, lns_tid;
	int		 window;	/* -1: no AVP */
	uint16_t	 ns, nr;	/* next to send, next due */
	uint16_t	 lns_nr;	/* the latest acknowledgement from the lns */
	bool		 ack_owed, silent;
	bool		 restarted;	/* what comes for a tunnel of its former life is not heard */
	unsigned	 lose;		/* packets to this LAC still to be lost */
	uint8_t		 challenge[64], lns_challenge[256];
	uint8_t		 challenge_len, lns_challenge_len;
	uint8_t		 random_vector[16];	/* when AVPs are hidden */
	uint32_t	 serial;
	struct call	*calls;
	struct packet	*inbox, **inbox_end;
};

struct sent {				/* one that a LAC sent, to be sent again by name */
	struct sent	*next;
	char		 name[32];
	struct addr	 from;
	size_t		 len;
	uint8_t		 octets[];
};

struct lac *lac_named(struct play *play, const char *name);		/* made when it is new */
struct call *lac_call(struct play *play, struct lac *lac, unsigned number);
void lac_hears(struct play *play, const struct fx_send *send, struct bytes octets);
void lacs_pay_acks(struct play *play);
void lacs_free(struct play *play);
struct packet *inbox_first(struct lac *lac, bool zlb_too); /* ZLBs before it are dropped unless wanted */
void inbox_drop(struct lac *lac);
bool packet_is_zlb(const struct packet *p);
void lac_sends(struct play *play, struct lac *lac, struct told *w);	/* lac.c: "lac NAME" was read */
void lac_resends(struct play *play, const char *name);

/* ---- avp.c, options.c: octets by our own tables, independent of wire/ */

unsigned message_type(const char *name);				/* 0: none of that name */
size_t message_encode(struct play *play, struct lac *lac, struct call *call, unsigned type, struct told *w,
		      uint8_t *out);
void message_describe(
	struct play *play, const struct lac *lac, const uint8_t *avps, size_t len, char *out, size_t room);
unsigned message_type_of(const uint8_t *avps, size_t len);
/* The value of an AVP, unhidden if need be; NULL: not there. */
const uint8_t *avp_value(struct play *play, const struct lac *lac, const uint8_t *avps, size_t len,
	unsigned type, size_t *value_len);
void message_compare(
	struct play *play, const struct lac *lac, const uint8_t *avps, size_t len, struct told *w);
void tunnel_response(
	unsigned type, const char *secret, const uint8_t *challenge, size_t len, uint8_t out[16]);

size_t options_encode(struct play *play, uint16_t proto, struct told *w, uint8_t *out);
size_t options_braced(struct play *play, const char *text, uint8_t *out);
void options_describe(uint16_t proto, const uint8_t *options, size_t len, char *out, size_t room);
void options_compare(struct play *play, uint16_t proto, const uint8_t *options, size_t len, struct told *w);

/* ---- subscriber.c: PPP frames */

unsigned protocol_named(const char *name);				/* 0: none of that name */
size_t frame_encode(struct play *play, struct call *call, struct told *w, uint8_t *out);
void frame_learn(struct call *call, const uint8_t *frame, size_t len);
void frame_describe(const uint8_t *frame, size_t len, char *out, size_t room);
void frame_compare(struct play *play, struct call *call, unsigned proto, const char *code,
	const uint8_t *frame, size_t len, struct told *w);

/* ---- world.c: the lns, the clock and the data plane's model */

struct plane_row { bool open; struct fx_session session; };
struct plane_path { struct fx_route route; struct plane_path *next; };
struct ask { struct row row; uint32_t serial; };

#define ASKS_MAX 64

struct play {
	const char	*file;
	unsigned	 line;			/* of the statement being carried out */
	unsigned	 told_at;		/* ... or of the scenario's line that brought it in */
	char		 name[64];
	char		 error[8192];
	char		 came[3200];		/* the packet being compared, for the error */
	jmp_buf		 failed;
	bool		 verbose;
	FILE		*trace;			/* what went on, shown when the scenario fails */

	struct lns_conf	 conf;
	char		*subscribers_text;
	size_t		 subscribers_len;
	void		*subscribers_memory[32];
	unsigned	 subscribers_loads;
	uint8_t		 seed;

	struct lns	*lns;			/* NULL until the first statement that needs it */
	void		*memory;
	size_t		 memory_len;
	struct mono	 start, now;
	bool		 batch;			/* packets of one batch: no flush in between */
	enum why why; /* what the last packet was refused for, until somebody expected it */
	unsigned	 why_line;
	struct dur	 waited;		/* by the last `await` */
	struct fx_list	*out;
	uint32_t	 said[SAYS];
	char		 said_text[SAYS][SAY_TEXT_MAX + 1];

	struct lac	*lacs, *lac;		/* all, and the one spoken of last */
	struct call	*call;
	unsigned	 lac_count;
	struct sent	*sent;

	struct plane_row *plane;
	uint32_t	 plane_rows;
	uint32_t	 plane_open;
	struct plane_path *paths;
	bool		 tunnel_put[65536];
	struct ask	 asks[ASKS_MAX];
	unsigned	 ask_count;
	struct lns_usage usage;			/* of every session */

	bool over; /* `cut=` was beyond the packet: the rest of the play is left out */
};

_Noreturn void play_fail(struct play *play, const char *format, ...) PRINTF_LIKE(2, 3);
void play_note(struct play *play, const char *format, ...) PRINTF_LIKE(2, 3);

void world_begin(struct play *play);		/* the lns is built from what was configured so far */
void world_configured(struct play *play);	/* ... and told of what changed since */
void world_subscribers(struct play *play);
void world_input(struct play *play, struct addr from, const uint8_t *octets, size_t len);
void world_flush(struct play *play);
void world_done(struct play *play);		/* carry out what an entry of the lns left in play->out */
void world_moves_to(struct play *play, struct mono then);
void world_step(struct play *play, struct mono limit);	/* to the lns's next deadline, or the limit */
void world_refusal_settled(struct play *play);	/* fails when a refusal was not expected */
void world_ends(struct play *play);		/* shut down; nothing may be left */
void world_free(struct play *play);

/* ---- conf.c, check.c, stage.c */

void conf_defaults(struct lns_conf *conf);
void conf_words(struct play *play, struct told *w);		/* config key=value ... */
void conf_lac_rule(struct play *play, struct told *w);
void conf_pool(struct play *play, struct told *w);
void check_words(struct play *play, struct told *w);
void expect_words(struct play *play, struct told *w);
void await_words(struct play *play, struct told *w);
void statement(struct play *play, struct told *w);		/* stage.c: one line of a scenario */
struct row play_row(struct play *play, const struct lac *lac, const struct call *call);
void packet_describe(struct play *play, struct lac *lac, const struct packet *p, char *out, size_t room);

#endif
