/*
 * l2tp_fast.h -- the packet path, one header for both worlds: XDP and userspace.
 */
#ifndef PLANE_L2TP_FAST_H
#define PLANE_L2TP_FAST_H

#include "l2tpns/plane/fast_base.h"
#include "l2tpns/plane/fast_down.h"
#include "l2tpns/plane/fast_up.h"

#endif
