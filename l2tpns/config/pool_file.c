/* pool_file.c -- lines to ranges; every fault names its line, an overlap both. */
#include <stdio.h>

#include "l2tpns/base/words.h"
#include "l2tpns/config/pool_file.h"

#define FILE_STEM	"ip_pool"

void pool_files_init(struct pool_files *files)
{
	memset(files, 0, sizeof(*files));
	files->conf.pools = 1;
}

bool pool_file_name(const char *file, char pool[IPPOOL_NAME_MAX + 1])
{
	static const char end[] = ".dat";
	size_t stem = strlen(FILE_STEM), len = strlen(file);

	pool[0] = 0;
	if (strncmp(file, FILE_STEM, stem) != 0)
		return false;
	if (len == stem)
		return true;
	if (len >= stem + sizeof(end) && strcmp(file + len - (sizeof(end) - 1), end) == 0)
		len -= sizeof(end) - 1;
	if (file[stem] != '-' || len == stem + 1 || len - stem - 1 > IPPOOL_NAME_MAX)
		return false;
	for (size_t i = stem + 1; i < len; i++) {	/* copies that editors leave behind are no pools */
		char c = file[i];

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    c != '_' && c != '-')
			return false;
	}
	memcpy(pool, file + stem + 1, len - stem - 1);
	pool[len - stem - 1] = 0;
	return true;
}

/* A prefix whose host bits are set is what l2tpns 2.x made of it: the prefix without them. */
static bool take_prefix(const char *text, struct prefix4 *out, bool *host_bits)
{
	char address[IP_TEXT_MAX];
	const char *slash = strchr(text, '/');
	struct bytes quad = bytes_of(text, slash ? (size_t)(slash - text) : strlen(text));
	uint32_t len = 32;

	if (slash && (!word_u32(bytes_str(slash + 1), &len) || len > 32))
		return false;
	if (!word_copy(quad, address, sizeof(address)) || !ip4_parse(address, &out->net))
		return false;
	*host_bits = (out->net.n & ~prefix4_mask((uint8_t)len)) != 0;
	out->net.n &= prefix4_mask((uint8_t)len);
	out->len = (uint8_t)len;
	return true;
}

/* The pool of this name, made when there is none; -1: too many. */
static int pool_index(struct ippool_conf *conf, const char *pool)
{
	for (unsigned i = 0; i < conf->pools; i++)
		if (strcmp(conf->name[i], pool) == 0)
			return (int)i;
	if (conf->pools == IPPOOLS_MAX)
		return -1;
	snprintf(conf->name[conf->pools], sizeof(conf->name[0]), "%s", pool);
	return (int)conf->pools++;
}

struct reading {
	struct pool_files	*files;
	struct config_faults	*faults;
	const char		*file;
	unsigned		 line, pool;
	struct ip4		 bind_address;
};

static void read_range(struct reading *reading, struct bytes word)
{
	struct ippool_conf *conf = &reading->files->conf;
	char text[2 * IP_TEXT_MAX], *colon;
	struct prefix4 prefix;
	struct ip4 node = reading->bind_address;
	bool host_bits = false, good = word_copy(word, text, sizeof(text));

	colon = good ? strchr(text, ':') : NULL;
	if (colon) {
		*colon = 0;
		good = ip4_parse(text, &node);
	}
	if (!good || !take_prefix(colon ? colon + 1 : text, &prefix, &host_bits)) {
		fault_error(reading->faults, reading->file, reading->line,
			    "the line must be an address or a prefix, perhaps after ADDRESS:");
		return;
	}
	if (!ippool_prefix_fits(prefix)) {
		fault_error(reading->faults, reading->file, reading->line,
			    "a pool must hold unicast addresses and be /8 or longer");
		return;
	}
	if (host_bits)
		fault_warning(reading->faults, reading->file, reading->line,
			      "the address has host bits; taken as %s/%u", ip4_text(prefix.net, text),
			      prefix.len);
	if (colon && (node.n == 0 || node.n != reading->bind_address.n))
		return;		/* another node's line */
	if (conf->ranges == IPPOOL_RANGES_MAX) {
		fault_error(reading->faults, reading->file, reading->line, "more than %d lines in all pools",
			    IPPOOL_RANGES_MAX);
		return;
	}
	reading->files->from[conf->ranges].pool = reading->pool;
	reading->files->from[conf->ranges].line = reading->line;
	conf->range[conf->ranges].pool = (uint8_t)reading->pool;
	conf->range[conf->ranges++].prefix = prefix;
}

bool pool_file_parse(struct pool_files *files, struct bytes text, const char *file, const char *pool,
		     struct ip4 bind_address, struct config_faults *faults)
{
	struct reading reading = {
		.files = files, .faults = faults, .file = file, .bind_address = bind_address,
	};
	struct lines lines = lines_of(text);
	struct bytes line, word;
	unsigned errors = faults->errors;
	int index = pool_index(&files->conf, pool);

	if (index < 0) {
		fault_error(faults, file, 0, "more than %d pools", IPPOOLS_MAX);
		return false;
	}
	if (files->file[index][0]) {
		fault_error(faults, file, 0, "%s holds the same pool", files->file[index]);
		return false;
	}
	reading.pool = (unsigned)index;
	snprintf(files->file[index], sizeof(files->file[index]), "%s", file);
	while (lines_next(&lines, &line)) {
		struct words words = words_of(line, "#");

		reading.line = lines.number;
		if (words_next(&words, &word)) {
			read_range(&reading, word);
			if (words_next(&words, &word))
				words.fault = "one address or prefix a line";
		}
		if (words.fault)
			fault_error(faults, file, lines.number, "%s", words.fault);
	}
	return faults->errors == errors;
}

static bool overlap(struct prefix4 a, struct prefix4 b)
{
	return prefix4_has(a.len < b.len ? a : b, a.len < b.len ? b.net : a.net);
}

bool pool_files_check(const struct pool_files *files, struct config_faults *faults)
{
	const struct ippool_conf *conf = &files->conf;
	unsigned errors = faults->errors;

	for (unsigned i = 1; i < conf->ranges; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (!overlap(conf->range[i].prefix, conf->range[j].prefix))
				continue;
			fault_error(faults, files->file[files->from[i].pool], files->from[i].line,
				    "overlaps with %s:%u", files->file[files->from[j].pool],
				    files->from[j].line);
			break;
		}
	}
	return faults->errors == errors;
}
