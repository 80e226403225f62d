/*
 * fuzz_subscribers.c -- any text: good lines that answer by every method, bad ones that are named.  Up to
 * the first newline the input is the name and the password asked about.
 */
#include <stdlib.h>

#include "l2tpns/core/subscribers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void ask(const struct subscribers *list, enum auth_method method, struct bytes word)
{
	static const uint8_t response[MSCHAPV2_RESPONSE_LEN];
	struct subscriber_answer answer;
	struct ppp_ask what = {
		.method = method, .id = 1, .user = word, .password = word,
		.challenge = bytes_of(response, 16), .response = bytes_of(response, word.len % 50),
	};

	subscribers_ask(list, &what, &answer);
	ASSERT(answer.why == WHY_OK || (answer.pool.len == 0 && answer.address.n == 0 && !answer.crypt));
	ASSERT(answer.message_len <= sizeof(answer.message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
	struct bytes word = bytes_of(data, end ? (size_t)(end - data) : 0);
	struct bytes text = bytes_of(data + word.len, len - word.len);
	struct subscribers_fault fault[4];
	struct subscribers *list;
	size_t size = subscribers_size(text);
	void *memory = malloc(size);
	unsigned bad = subscribers_parse(&list, memory, size, (struct hash_key){ { 1, 2 } }, text, fault, 4);

	for (unsigned i = 0; i < bad && i < 4; i++)
		ASSERT(fault[i].line > 0 && fault[i].text);
	for (enum auth_method method = AUTH_NONE; method < AUTH_METHODS; method++) {
		ask(list, method, word);
		ask(list, method, (struct bytes){ 0 });
	}
	free(memory);
	return 0;
}
