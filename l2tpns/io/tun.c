/* tun.c -- opening the tun device and bringing it up. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/io/tun.h"

#define DEVICE		"/dev/net/tun"
#define WRITE_OCTETS	(8 << 20)	/* of packets, with their overhead, that a queue's thread has yet to take */
#define OFFLOAD_USO4	0x20		/* TUN_F_USO4 and TUN_F_USO6, younger than some systems' headers; */
#define OFFLOAD_USO6	0x40		/* the kernel takes both or neither */

static PRINTF_LIKE(2, 3) int fail(char error[TUN_ERROR_MAX], const char *format, ...)
{
	int number = errno, len;
	va_list args;

	va_start(args, format);
	len = vsnprintf(error, TUN_ERROR_MAX, format, args);
	va_end(args);
	if (len >= 0 && len < TUN_ERROR_MAX)
		snprintf(error + len, TUN_ERROR_MAX - (size_t)len, ": %s", strerror(number));
	return -number;
}

static int ask(const struct tun *tun, int fd, unsigned long what, struct ifreq *request)
{
	memcpy(request->ifr_name, tun->name, sizeof(request->ifr_name));
	return ioctl(fd, what, request);
}

/* The kernel segments what we do not say we can take; a device used for IPv4 only needs no more. */
static bool offload_set(int fd)
{
	unsigned base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN;

	if (ioctl(fd, TUNSETOFFLOAD, base | OFFLOAD_USO4 | OFFLOAD_USO6) == 0)
		return true;
	if (ioctl(fd, TUNSETOFFLOAD, base) < 0)
		(void)ioctl(fd, TUNSETOFFLOAD, 0);
	return false;
}

static int queue_open(struct tun *tun, const struct tun_conf *conf, char error[TUN_ERROR_MAX])
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE };
	int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC), header = 10, octets = WRITE_OCTETS;

	if (tun->threaded)
		request.ifr_flags |= IFF_NAPI;

	if (fd < 0)
		return fail(error, "cannot open " DEVICE);
	tun->fd[tun->queues++] = fd;
	/* The kernel's own name of the first queue, for the others. */
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", tun->name[0] ? tun->name : conf->name);
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return fail(error, "cannot create tun device %s", conf->name);
	snprintf(tun->name, sizeof(tun->name), "%.15s", request.ifr_name);
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return fail(error, "tun device %s has no offload headers", tun->name);
	if (tun->threaded)
		(void)ioctl(fd, TUNSETSNDBUF, &octets);		/* its default is as good as no limit */
	return 0;
}

static bool file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* A queue's thread begins when the queue is attached to a device that is threaded already, and that
 * takes a first queue: so the first one is opened, and the rest follow when it could be done. */
static bool thread_set(const struct tun *tun)
{
	char path[64 + TUN_NAME_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/threaded", tun->name);
	return file_write(path, "1");
}

/* Packets of one flow were merged before they were written, and looking for more costs each packet. */
static void merging_off(const struct tun *tun, int fd)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO };
	struct ifreq request = { .ifr_data = (void *)&value };

	(void)ask(tun, fd, SIOCETHTOOL, &request);
}

static int address_set(const struct tun *tun, int fd, unsigned long what, struct ip4 address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address.n) };
	struct ifreq request = { 0 };

	memcpy(&request.ifr_addr, &in, sizeof(in));
	return ask(tun, fd, what, &request);
}

/* The kernel would send router solicitations of its own; subscribers get IPv4 only. */
static void ipv6_silence(const struct tun *tun)
{
	char path[64 + TUN_NAME_MAX];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", tun->name);
	(void)file_write(path, "1");	/* a read-only /proc: they are counted and dropped */
}

static int device_up(struct tun *tun, const struct tun_conf *conf, int fd, char error[TUN_ERROR_MAX])
{
	struct ifreq request = { .ifr_mtu = (int)conf->mtu };

	if (conf->mtu && ask(tun, fd, SIOCSIFMTU, &request) < 0)
		return fail(error, "cannot set MTU %u on %s", conf->mtu, tun->name);
	request = (struct ifreq){ .ifr_qlen = (int)conf->queue_packets };
	if (conf->queue_packets && ask(tun, fd, SIOCSIFTXQLEN, &request) < 0)
		return fail(error, "cannot set queue length %u on %s", conf->queue_packets, tun->name);
	if (conf->address.n && (address_set(tun, fd, SIOCSIFADDR, conf->address) < 0 ||
				address_set(tun, fd, SIOCSIFNETMASK, (struct ip4){ UINT32_MAX }) < 0))
		return fail(error, "cannot set the address of %s", tun->name);
	ipv6_silence(tun);
	merging_off(tun, fd);
	request = (struct ifreq){ 0 };
	if (ask(tun, fd, SIOCGIFFLAGS, &request) < 0)
		return fail(error, "cannot read the flags of %s", tun->name);
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	if (ask(tun, fd, SIOCSIFFLAGS, &request) < 0)
		return fail(error, "cannot bring %s up", tun->name);
	request = (struct ifreq){ 0 };
	if (ask(tun, fd, SIOCGIFINDEX, &request) < 0)
		return fail(error, "cannot find %s", tun->name);
	tun->index = (unsigned)request.ifr_ifindex;
	return 0;
}

int tun_open(struct tun *tun, const struct tun_conf *conf, char error[TUN_ERROR_MAX])
{
	int done, fd;

	ASSERT(conf->queues >= 1 && conf->queues <= TUN_QUEUES_MAX);
	*tun = (struct tun){ .threaded = conf->threaded };
	done = queue_open(tun, conf, error);
	if (conf->threaded && done == 0 && !thread_set(tun)) {
		tun_close(tun);
		*tun = (struct tun){ 0 };
		done = queue_open(tun, conf, error);
	}
	for (unsigned i = 1; done == 0 && i < conf->queues; i++)
		done = queue_open(tun, conf, error);
	if (done == 0) {
		tun->uso = offload_set(tun->fd[0]);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		done = fd < 0 ? fail(error, "no socket") : device_up(tun, conf, fd, error);
		if (fd >= 0)
			close(fd);
	}
	if (done < 0)
		tun_close(tun);
	return done;
}

void tun_close(struct tun *tun)
{
	for (unsigned i = 0; i < tun->queues; i++)
		close(tun->fd[i]);
	tun->queues = 0;
}
