/*
 * fuzz_config.c -- any text: errors with their lines, or a configuration that, shown, reads back the same,
 * and that the control plane can be told.
 */
#include "l2tpns/config/apply.h"
#include "l2tpns/config/parse.h"
#include "l2tpns/config/show.h"

#define TEXT_MAX	(1u << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct config config, again;
static struct config_faults faults;
static struct lns_conf conf;
static uint8_t text[TEXT_MAX];

static bool parse(struct bytes from, struct config *into)
{
	memset(&faults, 0, sizeof(faults));
	bool good = config_parse(from, "f", into, &faults);

	ASSERT(good == (faults.errors == 0) && faults.count <= FAULTS_MAX);
	for (unsigned i = 0; i < faults.count; i++)
		ASSERT(faults.fault[i].line > 0 && faults.fault[i].text[0]);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct config_changes changes;
	struct wr shown = wr_of(text, sizeof(text)), masked = wr_of(text, sizeof(text));

	if (!parse(bytes_of(data, len), &config))
		return 0;
	config_show(&config, CONFIG_ALL, &masked);
	config_show(&config, CONFIG_SECRETS, &shown);
	ASSERT(wr_ok(&masked) && wr_ok(&shown));
	bool good = parse(wr_bytes_of(&shown), &again);

	ASSERT(good && config_same(&config, &again));
	config_compare(&config, &again, &changes);
	ASSERT(changes.count == 0);
	config_to_lns(&config, "host", &conf);
	ASSERT(conf.lacs <= LAC_RULES_MAX && conf.ppp.mru >= PPP_MRU_MIN && conf.ppp.auths > 0);
	return 0;
}
