/*
 * plane_test.h -- what the BPF half and the userspace half of the differential test agree on.
 *
 * Only linux/types.h, like the packet path itself.
 */
#ifndef TESTS_BPF_PLANE_TEST_H
#define TESTS_BPF_PLANE_TEST_H

#include <linux/types.h>

#define TEST_TUNNELS	32u
#define TEST_SESSIONS	4096u
#define TEST_FANS	512u
#define TEST_NOW_S	1000u
#define TEST_ETH_LEN	14u
#define TEST_OUTER_LEN	28u		/* IPv4 without options, and UDP */

struct test_result {			/* what the packet path said, field by field */
	__u32	verdict, why, row;
	__u32	tid, sid, proto;
	__u32	at, len;
	__u32	control, stranger;
	__u32	mru, head_len;
};

#endif
