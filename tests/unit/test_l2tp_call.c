/*
 * Goal: the call machine does what RFC 2661 section 7.4.2 says in every state for every event.
 * Method: the RFC's table is kept as text; each of its lines is stepped, and each (state, event)
 * must stand in exactly one line.
 */
#include "tests/unit/rfc_rows.h"
#include "l2tpns/core/l2tp_call.h"

#define E(event)	(1u << CALL_##event)

static const struct rfc_word states[] = {
	{ "idle", 1u << CALL_IDLE }, { "wait-connect", 1u << CALL_WAIT_CONNECT },
	{ "established", 1u << CALL_ESTABLISHED }, { NULL, 0 },
};

static const struct rfc_word events[] = {
	{ "Receive ICRQ, acceptable", E(ICRQ_OK) },
	{ "Receive ICRQ, not acceptable", E(ICRQ_BAD) },
	{ "Receive ICRP", E(ICRP) },
	{ "Receive ICCN", E(ICCN_OK) | E(ICCN_BAD) },
	{ "Receive ICCN, acceptable", E(ICCN_OK) },
	{ "Receive ICCN, not acceptable", E(ICCN_BAD) },
	{ "Receive ICRQ, ICRP", E(ICRQ_OK) | E(ICRQ_BAD) | E(ICRP) },
	{ "Receive ICRQ, ICRP, ICCN", E(ICRQ_OK) | E(ICRQ_BAD) | E(ICRP) | E(ICCN_OK) | E(ICCN_BAD) },
	{ "Receive CDN", E(CDN) },
	{ "Local Close request", E(LOCAL_CLOSE) },
	{ NULL, 0 },
};

static const struct rfc_word actions[] = {
	{ "nothing", 0 }, { "Send ICRP", CALL_SEND_ICRP }, { "Send CDN", CALL_SEND_CDN },
	{ "Prepare for data", CALL_BIND_PPP }, { "clean up", CALL_CLEAN_UP }, { "Clean up", CALL_CLEAN_UP },
	{ NULL, 0 },
};

static unsigned step(unsigned *number, unsigned event)
{
	enum call_state state = (enum call_state)*number;
	unsigned done = call_step(&state, (enum call_event)event);

	*number = state;
	return done;
}

static void rows_of_the_rfc(void **state)
{
	(void)state;
	rfc_compare(&(struct rfc_table){
		.file = "tests/vectors/rfc2661-7.4.2.txt",
		.states = states,
		.events = events,
		.actions = actions,
		.states_count = CALL_STATES,
		.events_count = CALL_EVENTS,
		.step = step,
	});
}

/* RFC 2661 7.4.2 lists "Send CDN, clean up": the message goes out before its session is forgotten. */
static void actions_in_order(void **state)
{
	(void)state;
	assert_true((unsigned)CALL_SEND_CDN < (unsigned)CALL_CLEAN_UP);
}

static void names_of_states(void **state)
{
	(void)state;
	for (unsigned s = 0; s < CALL_STATES; s++)
		assert_string_equal(call_state_name((enum call_state)s), states[s].text);
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
