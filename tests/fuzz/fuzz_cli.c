/* fuzz_cli.c -- typed lines: cut into words, matched with every command, completed, described */
#include "l2tpns/cli/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void words_are_whole(const struct typed *typed)
{
	ASSERT(typed->n <= TYPED_WORDS_MAX && typed->used <= TYPED_OCTETS);
	for (unsigned i = 0; i < typed->n; i++) {
		const char *word = typed_word(typed, i), *end = memchr(word, 0, TYPED_OCTETS - typed->at[i]);

		ASSERT(end && end < typed->text + typed->used);
	}
}

static void matched(const struct typed *typed, enum command_mode mode, bool enabled)
{
	const char *candidate[MATCH_CANDIDATES_MAX];
	struct match match;
	enum match_result result = match_words(typed, mode, enabled, &match);

	ASSERT(memchr(match.message, 0, sizeof(match.message)));
	ASSERT((result == MATCH_FOUND) == !match.message[0]);
	if (result == MATCH_FOUND) {
		ASSERT(match.row && match.args_at <= typed->n);
		ASSERT(enabled || !match.row->privileged);
		ASSERT(mode == COMMAND_EVERYWHERE || match.row->mode == mode || match.row->mode == COMMAND_EVERYWHERE);
	}
	ASSERT(match_complete(typed, mode, enabled, candidate) <= MATCH_CANDIDATES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct command_run run;
	static struct facts facts;
	static char buffer[OUT_ROOM];
	char text[64];

	if (len < 1 || !typed_split(&run.typed, bytes_of(data + 1, len - 1)))
		return 0;
	words_are_whole(&run.typed);
	matched(&run.typed, data[0] % 3, data[0] & 4);
	command_begin(&run, &facts, data[0] & 8 ? OUT_JSON : OUT_TEXT, data[0] % 3, data[0] & 4, buffer,
		      sizeof(buffer));
	command_describe(&run, text, sizeof(text));
	ASSERT(memchr(text, 0, sizeof(text)));
	return 0;
}
