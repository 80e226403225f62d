/* main.c -- reads plays, runs each scenario in a world of its own, tells how it went. */
#include <stdarg.h>
#include <unistd.h>

#include "tests/replay/play.h"

#define LINES_MAX	20000
#define VARS_MAX	32
#define DEPTH_MAX	12

struct line { const char *file; unsigned number; char *text; };
struct var { char name[32]; char value[1024]; };

struct script {
	struct line	*line;
	unsigned	 lines;
	struct var	 var[VARS_MAX];		/* those in force, innermost last */
	unsigned	 vars, depth;
};

static struct play *on_stage;		/* for assert_fail() */

/* A broken assertion ends the scenario, not the run. */
void assert_fail(const char *expr, const char *file, int line)
{
	if (on_stage)
		play_fail(on_stage, "%s:%d: assertion failed: %s", file, line, expr);
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

void play_fail(struct play *play, const char *format, ...)
{
	char what[6000], told[40] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (play->told_at != play->line)
		snprintf(told, sizeof(told), " (told at line %u)", play->told_at);
	snprintf(play->error, sizeof(play->error), "%s:%u%s: %s%.2000s", play->file, play->line, told, what,
		play->came);
	longjmp(play->failed, 1);
}

static void read_file(struct script *script, const char *path)
{
	FILE *file = fopen(path, "r");
	char text[LINE_MAX_LEN], other[600];
	unsigned number = 0;

	if (!file) {
		perror(path);
		exit(2);
	}
	while (fgets(text, sizeof(text), file)) {
		char name[200];

		number++;
		if (sscanf(text, "use %199s", name) == 1) {	/* a file beside this one */
			const char *slash = strrchr(path, '/');

			snprintf(other, sizeof(other), "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path,
				name);
			read_file(script, other);
			continue;
		}
		ASSERT(script->lines < LINES_MAX);
		text[strcspn(text, "\n")] = 0;
		script->line[script->lines++] = (struct line){ strdup(path), number, strdup(text) };
	}
	fclose(file);
}

/* The first word of a line, for finding blocks. */
static bool begins(const char *text, const char *word)
{
	size_t len = strlen(word);

	text += strspn(text, " \t");
	return strncmp(text, word, len) == 0 && strchr(" \t", text[len]);
}

/* Put the values in for $names; ${name} where letters follow, $$ for a $. */
static void expand(struct play *play, const struct script *script, const char *text, char *out, size_t room)
{
	size_t n = 0;

	while (*text && n + 1 < room) {
		const struct var *var = NULL;
		size_t brace = text[0] == '$' && text[1] == '{', len = 0;

		if (*text != '$' || text[1] == '$') {
			out[n++] = *text;
			text += *text == '$' ? 2 : 1;
			continue;
		}
		text += 1 + brace;
		while (text[len] &&
			(strchr("abcdefghijklmnopqrstuvwxyz_", text[len]) ||
				(len && text[len] >= '0' && text[len] <= '9')))
			len++;
		for (unsigned i = script->vars; i > 0 && !var; i--)
			if (strlen(script->var[i - 1].name) == len &&
				strncmp(script->var[i - 1].name, text, len) == 0)
				var = &script->var[i - 1];
		if (!var)
			play_fail(play, "$%.*s has no value here", (int)len, text);
		n += (size_t)snprintf(out + n, room - n, "%s", var->value);
		text += len + brace;
	}
	if (n + 1 >= room)
		play_fail(play, "line too long");
	out[n] = 0;
}

static void bind(struct play *play, struct script *script, const char *name, const char *value)
{
	if (script->vars == VARS_MAX)
		play_fail(play, "too many names");
	struct var *var = &script->var[script->vars++];

	snprintf(var->name, sizeof(var->name), "%s", name);
	snprintf(var->value, sizeof(var->value), "%s", value);
}

/* The line with the `end` of the block that begins before `at`. */
static unsigned end_of(struct play *play, const struct script *script, unsigned at)
{
	for (unsigned depth = 1; at < script->lines; at++) {
		depth += begins(script->line[at].text, "for") || begins(script->line[at].text, "to");
		depth -= begins(script->line[at].text, "end");
		if (depth == 0)
			return at;
	}
	play_fail(play, "a block has no end");
}

static void run(struct play *play, struct script *script, unsigned from, unsigned to);

/* for NAME in A..B, or for NAME in one two three */
static void run_for(struct play *play, struct script *script, struct told *w, unsigned from, unsigned to)
{
	const char *name = told_next(play, w);
	unsigned vars = script->vars, first, last;

	if (!told_take(w, "in"))
		play_fail(play, "for NAME in ...");
	if (w->n == w->at + 1 && sscanf(told_peek(w), "%u..%u", &first, &last) == 2) {
		for (; first <= last && !play->over; first++) {
			char value[16];

			snprintf(value, sizeof(value), "%u", first);
			bind(play, script, name, value);
			run(play, script, from, to);
			script->vars = vars;
		}
		return;
	}
	while (told_peek(w)[0] && !play->over) {
		bind(play, script, name, told_next(play, w));
		run(play, script, from, to);
		script->vars = vars;
	}
}

/* to NAME a b rest: the words of the call are bound in order, `rest` takes all that are left. */
static bool run_macro(struct play *play, struct script *script, struct told *w)
{
	unsigned vars = script->vars, at = 0, end;
	struct told head;
	char rest[1024] = "";

	for (;; at++) {
		if (at == script->lines)
			return false;
		if (!begins(script->line[at].text, "to"))
			continue;
		told_cut(play, &head, script->line[at].text);
		if (head.n > 1 && strcmp(head.word[1], w->word[0]) == 0)
			break;
	}
	if (++script->depth > DEPTH_MAX)
		play_fail(play, "too deep");
	(void)told_next(play, w);
	for (unsigned i = 2; i < head.n; i++) {
		if (i + 1 < head.n || strcmp(head.word[i], "rest") != 0) {
			bind(play, script, head.word[i], told_next(play, w));
			continue;
		}
		for (size_t n = 0; told_peek(w)[0] && n < sizeof(rest); )
			n += (size_t)snprintf(rest + n, sizeof(rest) - n, " \"%s\"", told_next(play, w));
		bind(play, script, "rest", rest);
	}
	told_done(play, w);
	end = end_of(play, script, at + 1);
	run(play, script, at + 1, end);
	script->depth--;
	script->vars = vars;
	return true;
}

static void run(struct play *play, struct script *script, unsigned from, unsigned to)
{
	struct told words, *w = &words;
	char text[LINE_MAX_LEN];

	for (unsigned at = from; at < to && !play->over; at++) {
		play->file = script->line[at].file;
		play->line = script->line[at].number;
		if (script->depth == 0)
			play->told_at = play->line;
		expand(play, script, script->line[at].text, text, LINE_MAX_LEN);
		told_cut(play, w, text);
		if (w->n > 0 && strcmp(w->word[0], "for") == 0) {
			unsigned end = end_of(play, script, at + 1);

			(void)told_next(play, w);
			run_for(play, script, w, at + 1, end);
			at = end;
		} else if (w->n > 0 && !run_macro(play, script, w)) {
			play_note(play, "%s:%u: %s", play->file, play->line, text + strspn(text, " \t"));
			statement(play, w);
		}
	}
}

/* One run of a scenario in a fresh world; false when it failed, play->error says why. */
static bool perform(struct play *play, struct script *script, unsigned from, unsigned to)
{
	FILE *trace = play->trace;
	struct fx_list *out = play->out;

	*play = (struct play){ .trace = trace, .out = out, .start = { 1000000000 }, .now = { 1000000000 } };
	snprintf(play->name, sizeof(play->name), "%s", "?");
	conf_defaults(&play->conf);
	fx_clear(out);
	script->depth = 0;
	on_stage = play;
	bool ok = setjmp(play->failed) == 0;

	if (ok) {
		run(play, script, from, to);
		if (!play->over)
			world_ends(play);
	}
	on_stage = NULL;
	lacs_free(play);
	world_free(play);
	return ok;
}

/* Failed: once more with a record of what went on, of which the end is shown. */
static void show_failure(struct play *play, struct script *script, unsigned from, unsigned to, unsigned vars)
{
	char *text = NULL, *at;
	size_t len = 0;

	play->trace = open_memstream(&text, &len);
	script->vars = vars;
	(void)perform(play, script, from, to);
	fclose(play->trace);
	play->trace = NULL;
	at = text + len;
	for (unsigned lines = 0; at > text; at--)
		if (at[-1] == '\n' && ++lines > 30)
			break;
	printf("%s\n", at);
	free(text);
}

/* scenario NAME [for NAME in A..B]: with a range it is played once for each. */
static bool scenario(struct play *play, struct script *script, unsigned at, unsigned to, const char *only)
{
	char name[64] = "?", var[32];
	unsigned first = 0, last = 0;
	int fields =
		sscanf(script->line[at].text, " scenario %63s for %31s in %u..%u", name, var, &first, &last);

	if (only && strcmp(only, name) != 0)
		return true;
	for (unsigned i = first; i <= last; i++) {
		char value[16];

		snprintf(value, sizeof(value), "%u", i);
		script->vars = 0;
		if (fields == 4)
			bind(play, script, var, value);
		unsigned vars = script->vars;

		if (!perform(play, script, at + 1, to)) {
			printf("FAIL %s%s%s: %s\n", name, fields == 4 ? " at " : "", fields == 4 ? value : "",
				play->error);
			show_failure(play, script, at + 1, to, vars);
			return false;
		}
		if (play->over)
			break;
	}
	if (!play->trace)
		printf("ok %s\n", name);
	return true;
}

static bool play_file(struct play *play, const char *path, const char *only)
{
	struct script script = { .line = calloc(LINES_MAX, sizeof(struct line)) };
	bool ok = true;

	ASSERT(script.line);
	read_file(&script, path);
	for (unsigned at = 0, end; at < script.lines; at = end) {
		end = at + 1;
		if (!begins(script.line[at].text, "scenario"))
			continue;
		while (end < script.lines && !begins(script.line[end].text, "scenario"))
			end++;
		ok &= scenario(play, &script, at, end, only);
	}
	for (unsigned i = 0; i < script.lines; i++) {
		free((void *)(uintptr_t)script.line[i].file);
		free(script.line[i].text);
	}
	free(script.line);
	return ok;
}

int main(int argc, char **argv)
{
	struct play *play = calloc(1, sizeof(*play));
	const char *only = NULL;
	bool ok = true;
	int option;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ASSERT(play);
	play->out = malloc(sizeof(*play->out));
	ASSERT(play->out);
	while ((option = getopt(argc, argv, "vn:")) != -1)
		if (option == 'v')
			play->trace = stdout;
		else if (option == 'n')
			only = optarg;
		else
			return 2;
	if (optind == argc) {
		fprintf(stderr, "usage: replay [-v] [-n SCENARIO] PLAY...\n");
		return 2;
	}
	for (int i = optind; i < argc; i++)
		ok &= play_file(play, argv[i], only);
	free(play->out);
	free(play);
	return ok ? 0 : 1;
}
