/*
 * hash.h -- keyed hash of octets (SipHash-2-4), so that a peer cannot choose collisions.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "l2tpns/base/base.h"

struct hash_key { uint64_t k[2]; };

uint64_t hash_octets(struct hash_key key, struct bytes data);

#endif
