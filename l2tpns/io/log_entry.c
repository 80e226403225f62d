/* log_entry.c -- a message's words, and how often it may be said. */
#include <stdio.h>

#include "l2tpns/base/addr.h"
#include "l2tpns/cli/classes.h"
#include "l2tpns/base/clean.h"
#include "l2tpns/io/log_entry.h"

static void octets_put(struct log_entry *entry, struct bytes user, struct bytes text)
{
	entry->user_len = (uint8_t)min_u32(user.len, LOG_USER_MAX);
	entry->text_len = (uint16_t)min_u32(text.len, LOG_TEXT_MAX);
	if (entry->user_len)
		memcpy(entry->octets, user.p, entry->user_len);
	if (entry->text_len)
		memcpy(entry->octets + entry->user_len, text.p, entry->text_len);
}

void log_entry_fx(struct log_entry *entry, uint64_t unix_us, enum say what, const struct fx_log *fx,
		  struct bytes user)
{
	entry->unix_us = unix_us;
	memcpy(entry->arg, fx->arg, sizeof(entry->arg));
	entry->session = fx->session.n;
	entry->tunnel = fx->tunnel.n;
	entry->what = (uint16_t)what;
	entry->class = (uint8_t)say_row(what)->class;
	octets_put(entry, user, bytes_of(fx + 1, fx->text_len));
}

void log_entry_line(struct log_entry *entry, uint64_t unix_us, enum say_class class, struct bytes text)
{
	entry->unix_us = unix_us;
	entry->session = 0;
	entry->tunnel = 0;
	entry->what = SAYS;
	entry->class = (uint8_t)class;
	octets_put(entry, (struct bytes){ 0 }, text);
}

void log_entry_copy(struct log_entry *to, const struct log_entry *from)
{
	memcpy(to, from, offsetof(struct log_entry, octets) + from->user_len + from->text_len);
}

struct line {
	char	*p;
	size_t	 used;
};

static void put(struct line *line, const char *text, size_t len)
{
	if (len > LOG_LINE_MAX - 1 - line->used)
		len = LOG_LINE_MAX - 1 - line->used;
	memcpy(line->p + line->used, text, len);
	line->used += len;
}

static void number_put(struct line *line, const char *before, uint32_t n)
{
	char text[48];
	int len = snprintf(text, sizeof(text), "%s%u", before, n);

	put(line, text, len < 0 ? 0 : (size_t)len);
}

/* A value after '=' that holds blanks stands in quotes, so that the line can be taken apart again. */
static void text_put(struct line *line, struct bytes text)
{
	char clean[LOG_TEXT_MAX * 2 + 4];
	size_t len = clean_text(clean, sizeof(clean), text, NULL);
	bool quoted = line->used && line->p[line->used - 1] == '=' && (len == 0 || strpbrk(clean, " \""));

	if (quoted)
		put(line, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		if (quoted && clean[i] == '"')
			put(line, "\\", 1);
		put(line, clean + i, 1);
	}
	if (quoted)
		put(line, "\"", 1);
}

static void format_put(struct line *line, const struct log_entry *entry, const char *format, struct bytes text)
{
	char address[IP_TEXT_MAX];
	unsigned arg = 0;

	for (; *format; format++) {
		if (*format != '%' || !format[1]) {
			put(line, format, 1);
			continue;
		}
		uint32_t n = arg < SAY_ARGS ? entry->arg[arg] : 0;

		switch (*++format) {
		case 'u':
			number_put(line, "", n);
			arg++;
			break;
		case 'a':
			ip4_text((struct ip4){ n }, address);
			put(line, address, strlen(address));
			arg++;
			break;
		case 'w': {
			const char *why = n < WHYS ? why_name((enum why)n) : "?";

			put(line, why, strlen(why));
			arg++;
			break;
		}
		case 's':
			text_put(line, text);
			break;
		default:
			put(line, format, 1);
			break;
		}
	}
}

size_t log_entry_words(const struct log_entry *entry, char line[LOG_LINE_MAX])
{
	struct line out = { .p = line };
	struct bytes user = bytes_of(entry->octets, entry->user_len);
	struct bytes text = bytes_of(entry->octets + entry->user_len, entry->text_len);
	const char *class = class_name((enum say_class)entry->class);
	const char *format = entry->what < SAYS ? say_row((enum say)entry->what)->format : "%s";

	put(&out, class, strlen(class));
	put(&out, ": ", 2);
	if (entry->tunnel)
		number_put(&out, "tunnel=", entry->tunnel);
	if (entry->session)
		number_put(&out, entry->tunnel ? " session=" : "session=", entry->session);
	if (user.len && !strstr(format, "user=")) {
		if (entry->tunnel || entry->session)
			put(&out, " ", 1);
		put(&out, "user=", 5);
		text_put(&out, user);
	}
	if (out.p[out.used - 1] != ' ')
		put(&out, " ", 1);
	format_put(&out, entry, format, text);
	line[out.used] = '\0';
	return out.used;
}

/* Messages a second, and how many may come at once. */
static const struct { uint32_t rate, burst; } class_rows[SAY_CLASSES] = {
	[SAY_BUG]   = { 10, 50 },
	[SAY_LOCAL] = { 10, 50 },
	[SAY_PEER]  = { 20, 100 },
	[SAY_STATE] = { 2000, 20000 },
	[SAY_CALLS] = { 5000, 50000 },
	[SAY_DATA]  = { 5000, 50000 },
};

struct log_bucket *log_limits_find(struct log_limits *limits, enum say what, enum say_class class,
				   const char *format)
{
	struct log_bucket *bucket;

	if (what < SAYS) {
		bucket = &limits->say[what];
		format = say_row(what)->name;
	} else {
		bucket = &limits->line[((uintptr_t)format >> 3) % LOG_LIMIT_FORMATS];
	}
	if (bucket->format != format)		/* its first message, or it takes another's place */
		*bucket = (struct log_bucket){ .format = format, .class = (uint8_t)class };
	return bucket;
}

/* The virtual form of a token bucket: how far ahead of now would it be full again? */
static uint64_t bucket_start(const struct log_bucket *bucket, uint64_t unix_us)
{
	uint64_t span_us = UINT64_C(1000000) * class_rows[bucket->class].burst / class_rows[bucket->class].rate;
	uint64_t full_us = bucket->full_us;

	if (full_us < unix_us || full_us > unix_us + span_us + 1000000)	/* the wall clock was stepped back */
		full_us = unix_us;
	return full_us;
}

bool log_limit_pass(struct log_bucket *bucket, uint64_t unix_us)
{
	uint64_t token_us = 1000000 / class_rows[bucket->class].rate;
	uint64_t full_us = bucket_start(bucket, unix_us) + token_us;

	if (full_us > unix_us + token_us * class_rows[bucket->class].burst) {
		if (bucket->held < UINT32_MAX)
			bucket->held++;
		return false;
	}
	bucket->full_us = full_us;
	return true;
}

struct log_bucket *log_limits_held(struct log_limits *limits, unsigned *at)
{
	while (*at < SAYS + LOG_LIMIT_FORMATS) {
		unsigned i = (*at)++;
		struct log_bucket *bucket = i < SAYS ? &limits->say[i] : &limits->line[i - SAYS];

		if (bucket->held)
			return bucket;
	}
	return NULL;
}
