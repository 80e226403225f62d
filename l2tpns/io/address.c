/* address.c -- one libnl socket that never waits: requests, their answers, and what the kernel tells by itself. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "l2tpns/io/address.h"
#include "l2tpns/io/address_announce.h"
#include "l2tpns/io/address_fsm.h"

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK	12
#endif
#define SOL_NETLINK_	270
#define TURN_MESSAGES	64		/* receive calls of one tick */

struct address_owner {
	struct address_fsm fsm;
	char		interface[IFNAMSIZ];
	struct ip	address;
	int		family;
	struct nl_sock	*sock;
	int		announcer;	/* -1: it is not announced */
	unsigned	ifindex;	/* as of the last operation */
	uint32_t	seq;		/* of the operation under way; 0: none */
	bool		found;		/* by the look under way */
	struct mono	now;
	void		(*say)(void *ctx, const char *text);
	void		*ctx;
	bool		told_right;
};

static void tell(struct address_owner *owner, const char *what, const char *why)
{
	char text[160], address[IP_TEXT_MAX];

	snprintf(text, sizeof(text), "service address %s %s on %s%s%s", ip_text(owner->address, address), what,
		 owner->interface, why ? ": " : "", why ? why : "");
	if (owner->say)
		owner->say(owner->ctx, text);
}

static void event(struct address_owner *owner, enum address_event what)
{
	address_fsm_event(&owner->fsm, what, owner->now);
}

/* ---- what the kernel says ---- */

static bool is_ours(const struct address_owner *owner, struct nlmsghdr *header)
{
	struct nlattr *attr[IFA_MAX + 1];
	const struct ifaddrmsg *message = nlmsg_data(header);
	bool four = owner->family == AF_INET;
	size_t len = four ? 4 : 16;

	if (nlmsg_parse(header, sizeof(*message), attr, IFA_MAX, NULL) < 0 ||
	    message->ifa_family != owner->family || message->ifa_index != owner->ifindex)
		return false;
	const struct nlattr *local = attr[IFA_LOCAL] ? attr[IFA_LOCAL] : attr[IFA_ADDRESS];

	return local && (size_t)nla_len(local) == len && memcmp(nla_data(local), owner->address.b + 16 - len, len) == 0;
}

static int message_came(struct nl_msg *msg, void *arg)
{
	struct address_owner *owner = arg;
	struct nlmsghdr *header = nlmsg_hdr(msg);

	if ((header->nlmsg_type != RTM_NEWADDR && header->nlmsg_type != RTM_DELADDR) || !is_ours(owner, header))
		return NL_OK;
	if (header->nlmsg_seq == owner->seq && owner->fsm.looking)
		owner->found = true;
	else
		event(owner, header->nlmsg_type == RTM_NEWADDR ? ADDRESS_KERNEL_HAS : ADDRESS_KERNEL_LOST);
	return NL_OK;
}

static int look_ended(struct nl_msg *msg, void *arg)
{
	struct address_owner *owner = arg;

	if (nlmsg_hdr(msg)->nlmsg_seq != owner->seq || !owner->fsm.looking)
		return NL_OK;
	owner->seq = 0;
	event(owner, owner->found ? ADDRESS_KERNEL_HAS : ADDRESS_KERNEL_LOST);
	event(owner, ADDRESS_LOOKED);
	return NL_OK;
}

static int request_done(struct nl_msg *msg, void *arg)
{
	struct address_owner *owner = arg;

	if (nlmsg_hdr(msg)->nlmsg_seq == owner->seq && !owner->fsm.looking) {
		owner->seq = 0;
		event(owner, ADDRESS_DONE);
	}
	return NL_OK;
}

static void failed(struct address_owner *owner, int number)
{
	if (owner->fsm.state == ADDRESS_ADDING || owner->fsm.state == ADDRESS_REMOVING)
		tell(owner, owner->fsm.state == ADDRESS_ADDING ? "cannot be put" : "cannot be taken", strerror(number));
	owner->seq = 0;
	event(owner, ADDRESS_FAILED);
}

static int request_refused(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct address_owner *owner = arg;
	bool adding = owner->fsm.state == ADDRESS_ADDING, removing = owner->fsm.state == ADDRESS_REMOVING;

	(void)from;
	if (error->msg.nlmsg_seq != owner->seq || owner->seq == 0)
		return NL_SKIP;
	if ((adding && error->error == -EEXIST) || (removing && error->error == -EADDRNOTAVAIL)) {
		owner->seq = 0;
		event(owner, ADDRESS_DONE);
	} else {
		failed(owner, -error->error);
	}
	return NL_SKIP;
}

/* ---- what it is asked ---- */

static int sent(struct address_owner *owner, struct nl_msg *msg, int failure)
{
	if (!failure)
		failure = nl_send_auto(owner->sock, msg);
	if (failure >= 0)
		owner->seq = nlmsg_hdr(msg)->nlmsg_seq;
	nlmsg_free(msg);
	return failure < 0 ? -EIO : 0;
}

static int look(struct address_owner *owner)
{
	struct ifaddrmsg want = { .ifa_family = (uint8_t)owner->family, .ifa_index = owner->ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETADDR, NLM_F_DUMP);

	owner->found = false;
	return msg ? sent(owner, msg, nlmsg_append(msg, &want, sizeof(want), NLMSG_ALIGNTO)) : -ENOMEM;
}

static int request(struct address_owner *owner, bool add)
{
	bool four = owner->family == AF_INET;
	struct rtnl_addr *addr = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(owner->family, owner->address.b + (four ? 12 : 0), four ? 4 : 16);
	struct nl_msg *msg = NULL;
	int failure = addr && local ? 0 : -ENOMEM;

	if (!failure) {
		rtnl_addr_set_ifindex(addr, (int)owner->ifindex);
		rtnl_addr_set_family(addr, owner->family);
		failure = rtnl_addr_set_local(addr, local);
		rtnl_addr_set_prefixlen(addr, four ? 32 : 128);
		rtnl_addr_set_valid_lifetime(addr, dur_s(ADDRESS_LIFE));
		rtnl_addr_set_preferred_lifetime(addr, dur_s(ADDRESS_LIFE));
		if (!four)		/* whoever had it gives it up: there is no time to ask around */
			rtnl_addr_set_flags(addr, IFA_F_NODAD);
	}
	if (!failure)
		failure = add ? rtnl_addr_build_add_request(addr, NLM_F_CREATE | NLM_F_REPLACE, &msg)
			      : rtnl_addr_build_delete_request(addr, 0, &msg);
	failure = failure ? -EIO : sent(owner, msg, 0);
	nl_addr_put(local);
	rtnl_addr_put(addr);
	return failure;
}

static int act(struct address_owner *owner, enum address_act what)
{
	if (what == ADDRESS_ANNOUNCE) {
		/* One that is lost is followed by others; that the interface is gone is seen elsewhere. */
		if (owner->announcer >= 0)
			(void)!address_announce(owner->announcer, owner->ifindex, owner->interface, owner->address);
		return 0;
	}
	owner->ifindex = if_nametoindex(owner->interface);
	if (owner->ifindex == 0 && what == ADDRESS_LOOK) {	/* no interface, no address */
		event(owner, ADDRESS_KERNEL_LOST);
		event(owner, ADDRESS_LOOKED);
		return 0;
	}
	if (owner->ifindex == 0)
		return -ENODEV;
	return what == ADDRESS_LOOK ? look(owner) : request(owner, what != ADDRESS_DROP);
}

static void hear(struct address_owner *owner)
{
	for (int i = 0; i < TURN_MESSAGES; i++) {
		int failure = nl_recvmsgs_default(owner->sock);

		if (failure == -NLE_AGAIN)
			break;
		if (failure == -NLE_NOMEM || failure == -NLE_DUMP_INTR || failure == -NLE_MSG_OVERFLOW)
			owner->fsm.look = owner->now;	/* something was missed: look again */
	}
}

struct mono address_tick(struct address_owner *owner, struct mono now)
{
	enum address_act what;

	owner->now = now;
	hear(owner);
	while ((what = address_fsm_act(&owner->fsm, now)) != ADDRESS_NOTHING) {
		int failure = act(owner, what);

		if (failure)
			failed(owner, -failure);
	}
	bool right = address_fsm_right(&owner->fsm);

	if (right != owner->told_right && owner->fsm.state != ADDRESS_UNKNOWN &&
	    (right || owner->fsm.failures))
		tell(owner, !right ? "is not as it should be" : owner->fsm.wanted ? "is here" : "is not here", NULL);
	if (right || owner->fsm.failures)
		owner->told_right = right;
	return address_fsm_next(&owner->fsm);
}

/* ---- opening ---- */

static int sock_open(struct address_owner *owner)
{
	int strict = 1;

	owner->sock = nl_socket_alloc();
	if (!owner->sock)
		return -ENOMEM;
	nl_socket_disable_seq_check(owner->sock);
	if (nl_socket_modify_cb(owner->sock, NL_CB_VALID, NL_CB_CUSTOM, message_came, owner) != 0 ||
	    nl_socket_modify_cb(owner->sock, NL_CB_FINISH, NL_CB_CUSTOM, look_ended, owner) != 0 ||
	    nl_socket_modify_cb(owner->sock, NL_CB_ACK, NL_CB_CUSTOM, request_done, owner) != 0 ||
	    nl_socket_modify_err_cb(owner->sock, NL_CB_CUSTOM, request_refused, owner) != 0 ||
	    nl_connect(owner->sock, NETLINK_ROUTE) != 0 || nl_socket_set_nonblocking(owner->sock) != 0 ||
	    nl_socket_add_memberships(owner->sock, owner->family == AF_INET ? RTNLGRP_IPV4_IFADDR
									    : RTNLGRP_IPV6_IFADDR, 0) != 0)
		return -EIO;
	/* So that only one interface's addresses are listed; without it all are, which is slower and no more. */
	(void)setsockopt(nl_socket_get_fd(owner->sock), SOL_NETLINK_, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	return 0;
}

static void owner_free(struct address_owner *owner)
{
	if (owner->sock)
		nl_socket_free(owner->sock);
	if (owner->announcer >= 0)
		close(owner->announcer);
	free(owner);
}

int address_open(struct address_owner **opened, const struct address_conf *conf, struct mono now,
		 char error[ADDRESS_ERROR_MAX])
{
	struct address_owner *owner = calloc(1, sizeof(*owner));
	const char *what = conf->interface;
	int failure = owner ? 0 : -ENOMEM;

	if (owner) {
		snprintf(owner->interface, sizeof(owner->interface), "%s", conf->interface);
		owner->address = conf->address;
		owner->family = ip_is4(conf->address) ? AF_INET : AF_INET6;
		owner->say = conf->say;
		owner->ctx = conf->ctx;
		owner->announcer = -1;
		owner->told_right = true;
		address_fsm_init(&owner->fsm, now);
		failure = if_nametoindex(owner->interface) ? 0 : -ENODEV;
	}
	if (!failure && conf->announce) {
		what = "announcing";
		owner->announcer = address_announcer(conf->address);
		failure = owner->announcer < 0 ? owner->announcer : 0;
	}
	if (!failure) {
		what = "netlink";
		failure = sock_open(owner);
	}
	if (failure) {
		snprintf(error, ADDRESS_ERROR_MAX, "%s: %s", what, strerror(-failure));
		if (owner)
			owner_free(owner);
		return failure;
	}
	*opened = owner;
	return 0;
}

void address_close(struct address_owner *owner)
{
	if (!owner)
		return;
	owner->ifindex = if_nametoindex(owner->interface);
	/* The kernel acts upon it before it returns; nobody waits for its answer. */
	if (owner->ifindex && (owner->fsm.state == ADDRESS_PRESENT || owner->fsm.state == ADDRESS_ADDING))
		(void)request(owner, false);
	owner_free(owner);
}

int address_fd(const struct address_owner *owner)
{
	return nl_socket_get_fd(owner->sock);
}

void address_want(struct address_owner *owner, bool here, struct mono now)
{
	address_fsm_wanted(&owner->fsm, here, now);
}

bool address_here(const struct address_owner *owner)
{
	return owner->fsm.state == ADDRESS_PRESENT;
}
