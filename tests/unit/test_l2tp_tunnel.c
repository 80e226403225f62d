/*
 * Goal: the control connection does what RFC 2661 section 7.2.1 says in every state for every event.
 * Method: the RFC's table is kept as text; each of its lines is stepped, and each (state, event)
 * must stand in exactly one line.
 */
#include "tests/unit/rfc_rows.h"
#include "l2tpns/core/l2tp_tunnel.h"

#define S(state)	(1u << TUNNEL_##state)
#define E(event)	(1u << TUNNEL_##event)
#define SCCRQ		(E(SCCRQ_OK) | E(SCCRQ_BAD))
#define SCCRP		(E(SCCRP_OK) | E(SCCRP_BAD))
#define SCCCN		(E(SCCCN_OK) | E(SCCCN_BAD))

static const struct rfc_word states[] = {
	{ "idle", S(IDLE) }, { "wait-ctl-reply", S(WAIT_CTL_REPLY) }, { "wait-ctl-conn", S(WAIT_CTL_CONN) },
	{ "established", S(ESTABLISHED) }, { NULL, 0 },
};

static const struct rfc_word events[] = {
	{ "Local Open request", E(OPEN_ASKED) },
	{ "Admin Tunnel Close", E(CLOSE_ASKED) },
	{ "Receive SCCRQ", SCCRQ },
	{ "Receive SCCRQ, acceptable", E(SCCRQ_OK) },
	{ "Receive SCCRQ, not acceptable", E(SCCRQ_BAD) },
	{ "Receive SCCRQ, lose tie-breaker", E(TIE_LOST) },
	{ "lose tie-breaker", E(TIE_LOST) },
	{ "Receive SCCRP", SCCRP },
	{ "Receive SCCRP, acceptable", E(SCCRP_OK) },
	{ "Receive SCCRP, not acceptable", E(SCCRP_BAD) },
	{ "Receive SCCRP, SCCRQ", SCCRP | SCCRQ },
	{ "Receive SCCCN", SCCCN },
	{ "Receive SCCCN, acceptable", E(SCCCN_OK) },
	{ "Receive SCCCN, not acceptable", E(SCCCN_BAD) },
	{ "Receive SCCRQ, SCCRP, SCCCN", SCCRQ | SCCRP | SCCCN },
	{ "Receive StopCCN", E(STOPCCN) },
	{ NULL, 0 },
};

static const struct rfc_word actions[] = {
	{ "nothing", 0 },
	{ "Send SCCRQ", TUNNEL_SEND_SCCRQ }, { "Send SCCRP", TUNNEL_SEND_SCCRP },
	{ "Send SCCCN", TUNNEL_SEND_SCCCN }, { "Send StopCCN", TUNNEL_SEND_STOPCCN },
	{ "Send tunnel-open event to waiting sessions", TUNNEL_OPENED },
	{ "Clean up", TUNNEL_CLEAN_UP },
	{ "Re-queue SCCRQ for idle state", 0 },		/* its receiver hands the message in again */
	{ NULL, 0 },
};

static unsigned step(unsigned *number, unsigned event)
{
	enum tunnel_state state = (enum tunnel_state)*number;
	unsigned done = tunnel_step(&state, (enum tunnel_event)event);

	*number = state;
	return done;
}

static void rows_of_the_rfc(void **state)
{
	(void)state;
	rfc_compare(&(struct rfc_table){
		.file = "tests/vectors/rfc2661-7.2.1.txt",
		.states = states,
		.events = events,
		.actions = actions,
		.states_count = TUNNEL_STATES,
		.events_count = TUNNEL_EVENTS,
		.step = step,
	});
}

/* RFC 2661 7.2.1 lists SCCCN before the waiting calls, and StopCCN before the clean-up. */
static void actions_in_order(void **state)
{
	(void)state;
	assert_true((unsigned)TUNNEL_SEND_SCCCN < (unsigned)TUNNEL_OPENED);
	assert_true((unsigned)TUNNEL_SEND_STOPCCN < (unsigned)TUNNEL_CLEAN_UP);
}

static void names_of_states(void **state)
{
	(void)state;
	for (unsigned s = 0; s < TUNNEL_STATES; s++)
		assert_string_equal(tunnel_state_name((enum tunnel_state)s), states[s].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_the_rfc),
		cmocka_unit_test(actions_in_order),
		cmocka_unit_test(names_of_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
