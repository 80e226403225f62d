/* out_json.c -- facts as one JSON object (RFC 8259), written as they come, whatever their number. */
#include "l2tpns/base/clean.h"
#include "l2tpns/cli/out.h"

/* Octets that are not UTF-8 cannot stand in JSON; each becomes U+FFFD, the replacement character. */
static void string_put(struct out *out, struct bytes s)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t from = 0, i = 0;

	out_putc(out, '"');
	while (i < s.len) {
		unsigned octets = clean_utf8(s.p + i, s.len - i);
		char escape[6] = { '\\', 'u', '0', '0', hex[s.p[i] >> 4], hex[s.p[i] & 15] };

		if (octets && s.p[i] >= 0x20 && s.p[i] != '"' && s.p[i] != '\\' && s.p[i] != 0x7f) {
			i += octets;
			continue;
		}
		out_put(out, (const char *)s.p + from, i - from);
		if (s.p[i] < 0x80)
			out_put(out, escape, sizeof(escape));
		else
			out_puts(out, "\\ufffd");
		from = ++i;
	}
	out_put(out, (const char *)s.p + from, i - from);
	out_putc(out, '"');
}

/* A comma when something stands before at this level, then the key. */
static void key_put(struct out *out, const char *name)
{
	if (out->level[out->depth].some)
		out_putc(out, ',');
	if (name) {
		string_put(out, bytes_str(name));
		out_putc(out, ':');
	}
}

static void json_begin(struct out *out)
{
	out_putc(out, '{');
}

static void json_finish(struct out *out)
{
	out_puts(out, "}\n");
}

static void json_list(struct out *out, const char *name)
{
	key_put(out, name);
	out_putc(out, '[');
}

static void json_object(struct out *out, const char *name)
{
	key_put(out, name);
	if (!name)
		out_putc(out, '\n');	/* one object of a list a line, for grep and less */
	out_putc(out, '{');
}

static void json_end(struct out *out)
{
	out_putc(out, out->level[out->depth].is_list ? ']' : '}');
}

static void json_value(struct out *out, const char *name, const struct out_value *v)
{
	char text[IP_TEXT_MAX];

	key_put(out, name);
	switch (v->type) {
	case OUT_IS_NONE:
		out_puts(out, "null");
		break;
	case OUT_IS_COUNT: case OUT_IS_ID: case OUT_IS_OCTETS: case OUT_IS_BPS: case OUT_IS_SECONDS:
	case OUT_IS_WHEN:
		out_put_u64(out, v->number);
		break;
	case OUT_IS_HUNDREDTHS:
		out_put_u64(out, v->number / 100);
		out_put(out, (const char[]){ '.', (char)('0' + v->number / 10 % 10), (char)('0' + v->number % 10) }, 3);
		break;
	case OUT_IS_BOOL:
		out_puts(out, v->number ? "true" : "false");
		break;
	case OUT_IS_TEXT:
		string_put(out, v->text);
		break;
	case OUT_IS_IP:
		string_put(out, bytes_str(ip_text(v->ip, text)));
		break;
	}
}

/* The first message is "message", those after it are numbered: a key may stand only once. */
static void json_message(struct out *out, const char *text)
{
	char name[] = "message\0\0\0";

	if (out->messages) {
		name[7] = (char)('0' + (out->messages + 1) / 10 % 10);
		name[8] = (char)('0' + (out->messages + 1) % 10);
		if (name[7] == '0') {
			name[7] = name[8];
			name[8] = '\0';
		}
	}
	key_put(out, name);
	string_put(out, bytes_str(text));
}

static void json_family(struct out *out, const struct out_family *family)
{
	if (family->label) {
		key_put(out, family->name);
		out_putc(out, '{');
	}
}

static void json_sample(struct out *out, const struct out_family *family, const char *label, const char *help,
			uint64_t n)
{
	(void)help;
	key_put(out, label ? label : family->name);
	out_put_u64(out, n);
}

static void json_family_end(struct out *out, const struct out_family *family)
{
	if (family->label)
		out_putc(out, '}');
}

const struct out_ops out_json_ops = {
	.begin = json_begin, .finish = json_finish, .list = json_list, .object = json_object, .end = json_end,
	.value = json_value, .message = json_message, .family = json_family, .sample = json_sample,
	.family_end = json_family_end,
};
