/*
 * node.h -- who is who in a cluster.
 */
#ifndef CLUSTER_NODE_H
#define CLUSTER_NODE_H

#include "l2tpns/base/base.h"

#define CLUSTER_NODES_MAX	32u

struct node_id { uint16_t n; };		/* 1..65534, unique in the cluster; 0: none, or everybody */

static inline bool node_eq(struct node_id a, struct node_id b)
{
	return a.n == b.n;
}

#endif
