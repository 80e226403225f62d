/*
 * subscribers.c -- one table of fixed-size entries, their words in a heap behind it, found by a keyed hash.
 *
 * The memory is laid out in one go: the list, its entries, the buckets, the
 * words.  Parsing touches each octet of the text once; a name is judged by what
 * its line says and by nothing else.
 */
#include <nettle/base64.h>
#include <nettle/sha2.h>

#include "l2tpns/base/words.h"
#include "l2tpns/core/ippool.h"
#include "l2tpns/core/subscribers.h"

#define NAME_LEN_MAX		255u	/* PAP's Peer-ID-Length is one octet: RFC 1334 2.2.1 */
#define PASSWORD_LEN_MAX	255u
#define SALT_LEN_MAX		64u

enum form { FORM_PLAIN, FORM_NT, FORM_SHA256, FORM_SSHA256, FORM_CRYPT, FORMS };

static const char *const form_prefix[FORMS] = {
	[FORM_PLAIN] = "{plain}", [FORM_NT] = "{nt}", [FORM_SHA256] = "{sha256}",
	[FORM_SSHA256] = "{ssha256}", [FORM_CRYPT] = "{crypt}",
};

struct entry {
	uint32_t	next;		/* of the same bucket: number, 0 = last */
	uint32_t	name, password, pool;		/* where they begin in the heap */
	uint16_t	name_len, password_len;
	uint8_t		pool_len;
	uint8_t		form;		/* enum form; the password is kept decoded */
	struct ip4	address;
	uint32_t	session_timeout_s, idle_timeout_s;
};

struct subscribers {
	struct hash_key	 key;
	uint32_t	 count;
	uint32_t	 everyone;	/* the entry of `*`; 0 = none */
	uint32_t	 mask;
	uint32_t	 heap_used;
	struct entry	*entry;		/* 1..count */
	uint32_t	*bucket;
	uint8_t		*heap;
};

/* What one line says, before it is known to be good. */
struct line {
	struct bytes	name, password, pool;
	enum form	form;
	struct ip4	address;
	uint32_t	session_timeout_s, idle_timeout_s;
	unsigned	seen;		/* bits of option_rows */
	uint8_t		decoded[SHA256_DIGEST_SIZE + SALT_LEN_MAX];
};

/* Memory. */

static uint32_t lines_count(struct bytes text)
{
	uint32_t n = 0;
	struct lines lines = lines_of(text);
	struct bytes line;

	while (lines_next(&lines, &line))
		n++;
	return n;
}

static void carve(struct arena *arena, struct bytes text, struct subscribers *list, struct subscribers **at)
{
	uint32_t n = lines_count(text), buckets = 16;

	while (buckets < n)
		buckets *= 2;
	list->mask = buckets - 1;
	*at = arena_take(arena, 1, sizeof(**at));
	list->entry = arena_take(arena, (size_t)n + 1, sizeof(*list->entry));
	list->bucket = arena_take(arena, buckets, sizeof(*list->bucket));
	list->heap = arena_take(arena, text.len, 1);
}

size_t subscribers_size(struct bytes text)
{
	struct arena sizes = { 0 };
	struct subscribers list, *at;

	carve(&sizes, text, &list, &at);
	return sizes.used;
}

/* A secret's copy on the stack is overwritten; the compiler may not leave that out. */
static void wipe(void *p, size_t len)
{
	memset(p, 0, len);
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* One line. */

static const char *decode_hex(struct line *line, struct bytes text, size_t octets)
{
	if (text.len != 2 * octets)
		return "hash of the wrong length";
	for (uint32_t i = 0; i < text.len; i++) {
		static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
		const char *digit = text.p[i] ? strchr(digits, text.p[i]) : NULL;

		if (!digit)
			return "hash with a character that is not hexadecimal";
		line->decoded[i / 2] = (uint8_t)(line->decoded[i / 2] << 4 | (digit - digits) / 2);
	}
	line->password = bytes_of(line->decoded, octets);
	return NULL;
}

static const char *decode_base64(struct line *line, struct bytes text)
{
	struct base64_decode_ctx ctx;
	size_t len = sizeof(line->decoded);

	/* Room is asked for the longest result; only then may nettle be let loose on it. */
	if (BASE64_DECODE_LENGTH(text.len) > sizeof(line->decoded))
		return "hash too long";
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &len, line->decoded, text.len, (const char *)text.p) ||
	    !base64_decode_final(&ctx))
		return "hash that is not base64";
	if (len <= SHA256_DIGEST_SIZE)
		return "hash without a salt";
	line->password = bytes_of(line->decoded, len);
	return NULL;
}

static const char *read_password(struct line *line, struct bytes word)
{
	line->form = FORM_PLAIN;
	if (word.len > 0 && word.p[0] == '{') {
		size_t len = 0;

		for (line->form = 0; line->form < FORMS; line->form++) {
			len = strlen(form_prefix[line->form]);
			if (word.len >= len && memcmp(word.p, form_prefix[line->form], len) == 0)
				break;
		}
		if (line->form == FORMS)
			return "unknown {form} of password; {plain} goes before one that begins with {";
		word = bytes_of(word.p + len, word.len - len);
	}
	line->password = word;
	if (word.len == 0)
		return "empty password";
	if (word.len > PASSWORD_LEN_MAX)
		return "password longer than 255 octets";
	if (line->form == FORM_NT)
		return decode_hex(line, word, NT_HASH_LEN);
	if (line->form == FORM_SHA256)
		return decode_hex(line, word, SHA256_DIGEST_SIZE);
	if (line->form == FORM_SSHA256)
		return decode_base64(line, word);
	if (line->form == FORM_CRYPT && word.p[0] != '$')
		return "crypt hash that does not begin with $";
	return NULL;
}

static const char *read_address(struct line *line, struct bytes value)
{
	char text[IP_TEXT_MAX];

	if (!word_copy(value, text, sizeof(text)) || !ip4_parse(text, &line->address) ||
	    !ippool_prefix_fits((struct prefix4){ .net = line->address, .len = 32 }))
		return "address= is not a unicast IPv4 address";
	return NULL;
}

static const char *read_pool(struct line *line, struct bytes value)
{
	line->pool = value;
	return value.len > IPPOOL_NAME_MAX ? "pool= is longer than 31 octets" : NULL;
}

static const char *read_session_timeout(struct line *line, struct bytes value)
{
	return word_u32(value, &line->session_timeout_s) ? NULL
		: "session-timeout= is not a number of seconds";
}

static const char *read_idle_timeout(struct line *line, struct bytes value)
{
	return word_u32(value, &line->idle_timeout_s) ? NULL
		: "idle-timeout= is not a number of seconds";
}

static const struct option_row {
	const char *key;
	const char *(*read)(struct line *line, struct bytes value);
} option_rows[] = {
	{ "address=",		read_address },
	{ "pool=",		read_pool },
	{ "session-timeout=",	read_session_timeout },
	{ "idle-timeout=",	read_idle_timeout },
};

static const char *read_option(struct line *line, struct bytes word)
{
	for (unsigned i = 0; i < ARRAY_LEN(option_rows); i++) {
		size_t len = strlen(option_rows[i].key);

		if (word.len < len || memcmp(word.p, option_rows[i].key, len) != 0)
			continue;
		if (line->seen & 1u << i)
			return "the same setting twice";
		line->seen |= 1u << i;
		return option_rows[i].read(line, bytes_of(word.p + len, word.len - len));
	}
	/* The word is not repeated: it may be a piece of a password with a blank in it. */
	return "unknown setting: address=, pool=, session-timeout= and idle-timeout= may follow the password";
}

/* NULL and *line, or what is wrong; a line that says nothing has an empty name and no fault. */
static const char *read_line(struct bytes text, struct line *line)
{
	struct words words = words_of(text, "#");
	struct bytes word;
	const char *fault;

	if (!words_next(&words, &line->name))
		return words.fault;
	if (line->name.len == 0 || line->name.len > NAME_LEN_MAX)
		return "name empty or longer than 255 octets";
	if (!words_next(&words, &word))
		return words.fault ? words.fault : "no password";
	fault = read_password(line, word);
	while (!fault && words_next(&words, &word))
		fault = read_option(line, word);
	return fault ? fault : words.fault;
}

/* The list. */

static uint32_t heap_keep(struct subscribers *list, struct bytes what)
{
	uint32_t at = list->heap_used;

	if (what.len)
		memcpy(list->heap + at, what.p, what.len);
	list->heap_used += what.len;
	return at;
}

static struct bytes kept(const struct subscribers *list, uint32_t at, uint32_t len)
{
	return bytes_of(list->heap + at, len);
}

static uint32_t find(const struct subscribers *list, struct bytes name)
{
	uint32_t n = list->bucket[hash_octets(list->key, name) & list->mask];

	while (n && !bytes_eq(name, kept(list, list->entry[n].name, list->entry[n].name_len)))
		n = list->entry[n].next;
	return n;
}

static const char *add(struct subscribers *list, const struct line *line)
{
	bool everyone = word_is(line->name, "*");
	uint32_t *bucket = everyone ? &list->everyone
				    : &list->bucket[hash_octets(list->key, line->name) & list->mask];

	if (everyone ? list->everyone : find(list, line->name))
		return "this name has a line already";
	list->entry[++list->count] = (struct entry){
		.next = *bucket,
		.name = heap_keep(list, line->name), .name_len = (uint16_t)line->name.len,
		.password = heap_keep(list, line->password), .password_len = (uint16_t)line->password.len,
		.pool = heap_keep(list, line->pool), .pool_len = (uint8_t)line->pool.len,
		.form = (uint8_t)line->form, .address = line->address,
		.session_timeout_s = line->session_timeout_s, .idle_timeout_s = line->idle_timeout_s,
	};
	*bucket = list->count;
	return NULL;
}

unsigned subscribers_parse(struct subscribers **list, void *memory, size_t size, struct hash_key key,
			   struct bytes text, struct subscribers_fault *fault, unsigned faults)
{
	struct arena arena = { .start = memory, .room = size };
	struct subscribers fresh = { .key = key };
	struct lines lines = lines_of(text);
	struct bytes octets;
	unsigned bad = 0;

	memset(memory, 0, size);
	carve(&arena, text, &fresh, list);
	**list = fresh;
	while (lines_next(&lines, &octets)) {
		struct line line = { .form = FORM_PLAIN };
		const char *wrong = read_line(octets, &line);

		if (!wrong && line.name.len > 0)
			wrong = add(*list, &line);
		if (wrong && bad++ < faults)
			fault[bad - 1] = (struct subscribers_fault){ .line = lines.number, .text = wrong };
		wipe(line.decoded, sizeof(line.decoded));
	}
	return bad;
}

uint32_t subscribers_count(const struct subscribers *list)
{
	return list ? list->count : 0;
}

/* Judging. */

static enum why judge_equal(bool equal)
{
	return equal ? WHY_OK : WHY_AUTH_PASSWORD;
}

static enum why judge_sha256(struct bytes stored, struct bytes password)
{
	struct sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_init(&ctx);
	sha256_update(&ctx, password.len, password.p);
	sha256_update(&ctx, stored.len - SHA256_DIGEST_SIZE, stored.p + SHA256_DIGEST_SIZE);
	sha256_digest(&ctx, sizeof(digest), digest);
	wipe(&ctx, sizeof(ctx));
	return judge_equal(octets_equal(digest, stored.p, sizeof(digest)));
}

static enum why judge_pap(const struct entry *entry, struct bytes stored, struct bytes password,
			  struct subscriber_answer *answer)
{
	uint8_t nt[NT_HASH_LEN];
	enum why why;

	switch ((enum form)entry->form) {
	case FORM_PLAIN:
		return judge_equal(stored.len == password.len &&
				   octets_equal(stored.p, password.p, stored.len));
	case FORM_NT:
		nt_hash(password, nt);
		why = judge_equal(octets_equal(nt, stored.p, sizeof(nt)));
		wipe(nt, sizeof(nt));
		return why;
	case FORM_SHA256:
	case FORM_SSHA256:
		return judge_sha256(stored, password);
	case FORM_CRYPT:
		answer->crypt = true;
		answer->crypt_hash = stored;
		return WHY_OK;
	case FORMS:
		break;
	}
	ASSERT(entry->form < FORMS);
	return WHY_AUTH_METHOD;
}

static enum why judge_chap(const struct entry *entry, struct bytes stored, const struct ppp_ask *ask)
{
	uint8_t expected[CHAP_MD5_LEN];

	if (entry->form != FORM_PLAIN)
		return WHY_AUTH_METHOD;
	if (ask->response.len != sizeof(expected))
		return WHY_AUTH_PASSWORD;
	chap_md5(ask->id, stored, ask->challenge, expected);
	return judge_equal(octets_equal(expected, ask->response.p, sizeof(expected)));
}

static enum why judge_mschapv2(const struct entry *entry, struct bytes stored, const struct ppp_ask *ask,
			       struct subscriber_answer *answer)
{
	struct bytes user = mschap_user(ask->user);
	uint8_t nt[NT_HASH_LEN], expected[24];
	bool equal;

	if (entry->form != FORM_PLAIN && entry->form != FORM_NT)
		return WHY_AUTH_METHOD;
	if (ask->response.len != MSCHAPV2_RESPONSE_LEN || ask->challenge.len != MSCHAPV2_CHALLENGE_LEN)
		return WHY_AUTH_PASSWORD;
	const uint8_t *peer_challenge = ask->response.p, *response = ask->response.p + 24;  /* RFC 2759 4 */

	if (entry->form == FORM_NT)
		memcpy(nt, stored.p, sizeof(nt));
	else
		nt_hash(stored, nt);
	mschapv2_nt_response(nt, ask->challenge.p, peer_challenge, user, expected);
	equal = octets_equal(expected, response, sizeof(expected));
	if (equal) {
		mschapv2_success(nt, ask->challenge.p, peer_challenge, response, user, answer->message);
		answer->message_len = MSCHAPV2_SUCCESS_LEN;
	}
	wipe(nt, sizeof(nt));
	return judge_equal(equal);
}

static enum why judge(const struct entry *entry, struct bytes stored, const struct ppp_ask *ask,
		      struct subscriber_answer *answer)
{
	switch (ask->method) {
	case AUTH_PAP:		return judge_pap(entry, stored, ask->password, answer);
	case AUTH_CHAP_MD5:	return judge_chap(entry, stored, ask);
	case AUTH_MSCHAPV2:	return judge_mschapv2(entry, stored, ask, answer);
	case AUTH_NONE:
	case AUTH_METHODS:	break;
	}
	return WHY_AUTH_METHOD;
}

void subscribers_ask(const struct subscribers *list, const struct ppp_ask *ask,
		     struct subscriber_answer *answer)
{
	uint32_t n = list ? find(list, ask->user) : 0;

	*answer = (struct subscriber_answer){ .why = WHY_AUTH_NO_USER };
	/* Windows dials in as DOMAIN\user; the file may name either. */
	if (list && !n && ask->method == AUTH_MSCHAPV2)
		n = find(list, mschap_user(ask->user));
	if (list && !n)
		n = list->everyone;
	if (!n)
		return;
	const struct entry *entry = &list->entry[n];

	answer->why = judge(entry, kept(list, entry->password, entry->password_len), ask, answer);
	if (answer->why != WHY_OK)
		return;
	answer->address = entry->address;
	answer->pool = kept(list, entry->pool, entry->pool_len);
	answer->session_timeout_s = entry->session_timeout_s;
	answer->idle_timeout_s = entry->idle_timeout_s;
}
