/* fuzz_ctl.c -- requests of the control socket: loans lie inside; what was read is written and read alike */
#include "l2tpns/cli/typed.h"
#include "l2tpns/wire/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t octets[3 * CTL_REQUEST_MAX];
	static struct typed typed, again;
	const char *word[TYPED_WORDS_MAX];
	struct wr w = wr_of(octets, sizeof(octets));
	struct ctl_request request, second;

	(void)ctl_status_decode(bytes_of(data, len));
	if (ctl_request_decode(bytes_of(data, len), &request))
		return 0;
	ASSERT(request.form < CTL_FORMS);
	ASSERT(request.words.p >= data && request.words.p + request.words.len <= data + len);
	if (!typed_split(&typed, request.words))
		return 0;
	for (unsigned i = 0; i < typed.n; i++)
		word[i] = typed_word(&typed, i);
	if (!ctl_request_encode(&w, request.form, word, typed.n))
		return 0;		/* too long once quoted, or a line end within a word */
	ASSERT(!ctl_request_decode(wr_bytes_of(&w), &second));
	ASSERT(second.form == request.form);
	ASSERT(typed_split(&again, second.words) && again.n == typed.n);
	for (unsigned i = 0; i < typed.n; i++)
		ASSERT(strcmp(typed_word(&typed, i), typed_word(&again, i)) == 0);
	return 0;
}
