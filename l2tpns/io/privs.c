/* privs.c -- capabilities through libcap; the bounding set is emptied with them. */
#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "l2tpns/io/privs.h"

static int keep(const cap_value_t *wanted, int count)
{
	cap_t now = cap_get_proc(), caps = cap_init();
	int failed = now && caps ? 0 : -ENOMEM;

	/* What we were not given we do not ask for: an unprivileged start must not fail here. */
	for (int i = 0; !failed && i < count; i++) {
		cap_flag_value_t have = CAP_CLEAR;

		if (cap_get_flag(now, wanted[i], CAP_PERMITTED, &have) != 0)
			failed = -errno;
		else if (have == CAP_SET && (cap_set_flag(caps, CAP_PERMITTED, 1, &wanted[i], CAP_SET) != 0 ||
					     cap_set_flag(caps, CAP_EFFECTIVE, 1, &wanted[i], CAP_SET) != 0))
			failed = -errno;
	}
	if (!failed && cap_set_proc(caps) != 0)
		failed = -errno;
	if (now)
		cap_free(now);
	if (caps)
		cap_free(caps);
	return failed;
}

int privs_start(void)
{
	static const cap_value_t wanted[] = { CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_SETPCAP,
					      CAP_IPC_LOCK, CAP_SYS_NICE };

	return keep(wanted, ARRAY_LEN(wanted));
}

int privs_opened(void)
{
	static const cap_value_t wanted[] = { CAP_NET_ADMIN };

	for (int cap = 0; cap_valid(cap); cap++)
		if (cap != CAP_NET_ADMIN && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM)
			return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return keep(wanted, ARRAY_LEN(wanted));
}

void privs_thread(void)
{
	int failed = keep(NULL, 0);

	ASSERT(failed == 0);		/* giving up what one has is always allowed */
}
