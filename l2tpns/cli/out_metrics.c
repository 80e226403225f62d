/*
 * out_metrics.c -- families of numbers as Prometheus reads them (text format 0.0.4).
 *
 * Lists and objects have no place there and are left out: only families speak.
 */
#include "l2tpns/cli/out.h"

/* In HELP and in label values a backslash and a line feed are escaped, in the latter a quote too. */
static void escaped_put(struct out *out, const char *text, bool quoted)
{
	for (; *text; text++) {
		if (*text == '\n')
			out_puts(out, "\\n");
		else if (*text == '\\' || (quoted && *text == '"'))
			out_put(out, (const char[]){ '\\', *text }, 2);
		else
			out_putc(out, *text);
	}
}

static void name_put(struct out *out, const struct out_family *family)
{
	out_puts(out, "l2tpns_");
	out_puts(out, family->name);
	if (family->metric == OUT_COUNTER)
		out_puts(out, "_total");
}

static void metrics_family(struct out *out, const struct out_family *family)
{
	out_puts(out, "# HELP ");
	name_put(out, family);
	out_putc(out, ' ');
	escaped_put(out, family->help, false);
	out_puts(out, "\n# TYPE ");
	name_put(out, family);
	out_puts(out, family->metric == OUT_COUNTER ? " counter\n" : " gauge\n");
}

static void metrics_sample(struct out *out, const struct out_family *family, const char *label,
			   const char *help, uint64_t n)
{
	(void)help;
	name_put(out, family);
	if (label) {
		out_putc(out, '{');
		out_puts(out, family->label);
		out_puts(out, "=\"");
		escaped_put(out, label, true);
		out_puts(out, "\"}");
	}
	out_putc(out, ' ');
	out_put_u64(out, n);
	out_putc(out, '\n');
}

static void nothing(struct out *out)
{
	(void)out;
}

static void nothing_named(struct out *out, const char *name)
{
	(void)out, (void)name;
}

static void nothing_value(struct out *out, const char *name, const struct out_value *v)
{
	(void)out, (void)name, (void)v;
}

static void nothing_family(struct out *out, const struct out_family *family)
{
	(void)out, (void)family;
}

/* A comment: Prometheus skips it, a person who asked for metrics of the wrong thing sees why. */
static void metrics_message(struct out *out, const char *text)
{
	out_puts(out, "# ");
	escaped_put(out, text, false);
	out_putc(out, '\n');
}

const struct out_ops out_metrics_ops = {
	.begin = nothing, .finish = nothing, .list = nothing_named, .object = nothing_named, .end = nothing,
	.value = nothing_value, .message = metrics_message, .family = metrics_family, .sample = metrics_sample,
	.family_end = nothing_family,
};
