/* act_cluster.c -- what an operator may ask of the cluster. */
#include <stdio.h>

#include "l2tpns/cli/show.h"

enum { ASK_BEGIN, ASK_WAIT };

#define ASK_S	8	/* an answer that takes longer does not come */

unsigned cluster_others(const struct facts *facts)
{
	const struct cluster_facts *cluster = facts->ops->cluster(facts->ctx);
	unsigned others = 0;

	for (unsigned slot = 0; cluster && slot < CLUSTER_NODES_MAX; slot++)
		others += cluster->known[slot] && cluster->peer[slot].alive && !cluster->peer[slot].leaving;
	return others;
}

static enum command_step in_none(struct command_run *run)
{
	return command_fail(run, CTL_REFUSED, "this node is in no cluster");
}

/* The answer comes from the cluster's thread, or from another node: the command waits for it, and only then knows
 * how it ended.  number[0]: what to look for the answer with, [1]: since when. */
static enum command_step ask(struct command_run *run, enum cl_verb verb, uint32_t node)
{
	const struct facts *facts = run->facts;
	struct cluster_answer answer;

	if (run->stage == ASK_BEGIN) {
		if (!facts->ops->cluster(facts->ctx))
			return in_none(run);
		run->number[0] = facts->ops->cluster_ask(facts->ctx, verb, (struct node_id){ (uint16_t)node });
		run->number[1] = facts->now.us;
		run->stage = ASK_WAIT;
		return COMMAND_WAIT;
	}
	if (!facts->ops->cluster_answer(facts->ctx, (uint32_t)run->number[0], &answer)) {
		if (facts->now.us - run->number[1] < ASK_S * UINT64_C(1000000))
			return COMMAND_WAIT;
		return command_fail(run, CTL_REFUSED, "no answer within %u seconds", ASK_S);
	}
	if (!answer.ok)
		return command_fail(run, CTL_REFUSED, "%s", answer.words);
	out_message(&run->out, "%s", answer.words);
	return COMMAND_DONE;
}

enum command_step cluster_handover(struct command_run *run)
{
	uint32_t node = 0;

	if (run->args > 0 && (!command_arg_number(run, 0, UINT16_MAX - 1, &node) || node == 0))
		return command_fail(run, CTL_UNKNOWN, "%s is not a node's number", command_arg(run, 0));
	return ask(run, CL_VERB_HANDOVER, node);
}

/* Hands over and ends this node's daemon, which the service manager sees as a clean end.  With nobody to hand over
 * to it would disconnect every subscriber, which is not what these words say. */
enum command_step cluster_stop(struct command_run *run)
{
	const struct facts *facts = run->facts;
	uint32_t sessions = lns_session_count(facts->lns);

	if (!facts->ops->cluster(facts->ctx))
		return in_none(run);
	if (sessions > 0 && cluster_others(facts) == 0)
		return command_fail(run, CTL_REFUSED, "not done: no other node is there to go on with %u sessions; "
				    "shutdown ends them", sessions);
	facts->ops->shutdown(facts->ctx);
	out_message(&run->out, "leaving the cluster");
	return COMMAND_DONE;
}

/* Of the nodes that are silent, the one that knew most when it was heard last. */
static const struct cl_peer_facts *furthest_silent(const struct cluster_facts *cluster)
{
	const struct cl_peer_facts *furthest = NULL;

	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		const struct cl_peer_facts *peer = &cluster->peer[slot];

		if (cluster->known[slot] && !peer->alive && (!furthest || version_before(furthest->have, peer->have)))
			furthest = peer;
	}
	return furthest;
}

/* What there is to lose, and the words that say that this node is meant. */
static enum command_step force_refused(struct command_run *run, const struct cluster_facts *cluster)
{
	const struct cl_peer_facts *silent = furthest_silent(cluster);
	struct version have = cluster->cl.have;
	char other[120] = "";

	if (silent)
		(void)snprintf(other, sizeof(other), "; node %u, silent for %llu s, had %u.%llu", silent->node.n,
			       (unsigned long long)silent->silent_ms / 1000, version_term(silent->have),
			       (unsigned long long)version_seq(silent->have));
	return command_fail(run, CTL_REFUSED, "not done: this node has the changes up to %u.%llu%s. If every other "
			    "node is off, or may lose what it did, type: cluster force-master %u",
			    version_term(have), (unsigned long long)version_seq(have), other, cluster->cl.self.n);
}

/* Without a quorum: the operator knows what the node cannot, that the others are off. */
enum command_step cluster_force(struct command_run *run)
{
	const struct cluster_facts *cluster = run->facts->ops->cluster(run->facts->ctx);
	uint32_t node;

	if (run->stage == ASK_BEGIN && cluster &&
	    (run->args == 0 || !command_arg_number(run, 0, UINT16_MAX, &node) || node != cluster->cl.self.n))
		return force_refused(run, cluster);
	return ask(run, CL_VERB_FORCE, 0);
}

enum command_step cluster_resync(struct command_run *run)
{
	return ask(run, CL_VERB_RESYNC, 0);
}

/* The key file was changed: `reload` accepts what it has, `rotate` also begins to send with its newest. */
static enum command_step keys(struct command_run *run, bool rotate)
{
	char message[FACTS_MESSAGE_MAX] = "";

	if (!run->facts->ops->cluster(run->facts->ctx))
		return in_none(run);
	if (!run->facts->ops->cluster_keys(run->facts->ctx, rotate, message))
		return command_fail(run, CTL_REFUSED, "%s", message);
	out_message(&run->out, "%s", message);
	return COMMAND_DONE;
}

enum command_step cluster_key_reload(struct command_run *run)
{
	return keys(run, false);
}

enum command_step cluster_key_rotate(struct command_run *run)
{
	return keys(run, true);
}
