/* ctl_unix.c -- nsctl's clients on the control loop, one slice a turn. */
#include <errno.h>
#include <ev.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/io/ctl_unix.h"
#include "l2tpns/io/unix_listen.h"

#define ACCEPTS_A_TURN	8u
#define ACCEPT_PAUSE_S	1.0		/* when descriptors have run out */
#define BUFFER_ROOM	(CTL_STATUS_MAX + OUT_ROOM)

struct ctl_client {
	struct ctl_unix	*ctl;
	struct ctl_client *next;	/* in the list of those that want a slice */
	ev_io		 read, write;
	ev_timer	 timer;		/* until the request is there; later between two looks at the log */
	int		 fd;
	struct ucred	 peer;
	bool		 running;	/* the request is there */
	bool		 answered;	/* the status line has been written */
	bool		 waiting;	/* in the list */
	enum command_step step;
	uint32_t	 got;		/* octets of the request */
	uint32_t	 from, to;	/* of the buffer: what is to be written */
	char		 request[CTL_REQUEST_MAX];
	char		 buffer[BUFFER_ROOM];	/* the status line's place, then the run's */
	struct command_run run;
};

struct ctl_unix {
	struct ev_loop	*loop;
	struct facts	*facts;
	struct log_out	*log;
	ev_io		 accept;
	ev_timer	 pause;
	ev_prepare	 turn;
	ev_idle		 more;		/* running while a client wants a slice: the loop does not sleep then */
	struct ctl_client *client[CTL_CLIENTS_MAX];
	unsigned	 clients;
	struct ctl_client *first, **last;
	char		 path[UNIX_PATH_ROOM];
	struct unix_identity identity;
};

static void slice_want(struct ctl_client *client)
{
	struct ctl_unix *ctl = client->ctl;

	ASSERT(!client->waiting);
	client->waiting = true;
	client->next = NULL;
	*ctl->last = client;
	ctl->last = &client->next;
	ev_idle_start(ctl->loop, &ctl->more);
}

static void slice_unwant(struct ctl_client *client)
{
	struct ctl_unix *ctl = client->ctl;
	struct ctl_client **at = &ctl->first;

	if (!client->waiting)
		return;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	if (ctl->last == &client->next)
		ctl->last = at;
	client->waiting = false;
	if (!ctl->first)
		ev_idle_stop(ctl->loop, &ctl->more);
}

static void client_close(struct ctl_client *client)
{
	struct ctl_unix *ctl = client->ctl;

	slice_unwant(client);
	ev_io_stop(ctl->loop, &client->read);
	ev_io_stop(ctl->loop, &client->write);
	ev_timer_stop(ctl->loop, &client->timer);
	(void)close(client->fd);
	for (unsigned i = 0; i < ctl->clients; i++) {
		if (ctl->client[i] == client) {
			ctl->client[i] = ctl->client[--ctl->clients];
			break;
		}
	}
	explicit_bzero(client->request, sizeof(client->request));	/* `set` may have carried a secret */
	explicit_bzero(&client->run.typed, sizeof(client->run.typed));
	free(client);
}

/* Everything written: the end, another slice, or a pause first. */
static void drained(struct ctl_client *client)
{
	ev_io_stop(client->ctl->loop, &client->write);
	switch (client->step) {
	case COMMAND_DONE:
		client_close(client);
		return;
	case COMMAND_MORE:
		slice_want(client);
		return;
	case COMMAND_WAIT:
		ev_timer_set(&client->timer, COMMAND_WAIT_MS / 1000.0, 0.);
		ev_timer_start(client->ctl->loop, &client->timer);
		return;
	}
}

static void client_write(struct ctl_client *client)
{
	while (client->from < client->to) {
		ssize_t n = send(client->fd, client->buffer + client->from, client->to - client->from,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			ev_io_start(client->ctl->loop, &client->write);
			return;
		}
		if (n < 0) {
			client_close(client);
			return;
		}
		client->from += (uint32_t)n;
	}
	drained(client);
}

static void on_write(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	client_write(watcher->data);
}

static void status_put(struct ctl_client *client, enum ctl_status status)
{
	char line[CTL_STATUS_MAX];
	size_t len = ctl_status_encode(status, line);

	client->from = CTL_STATUS_MAX - (uint32_t)len;
	memcpy(client->buffer + client->from, line, len);
	client->answered = true;
}

static void slice(struct ctl_client *client)
{
	struct command_run *run = &client->run;

	out_drained(&run->out);
	client->step = command_step(run);
	client->from = CTL_STATUS_MAX;
	client->to = CTL_STATUS_MAX + run->out.len;
	if (!client->answered && run->begun)
		status_put(client, run->status);
	client_write(client);
}

/* Once in each turn of the loop, before it sleeps: the client longest in the list has its slice. */
static void on_turn(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	struct ctl_unix *ctl = watcher->data;
	struct ctl_client *client = ctl->first;

	(void)loop, (void)events;
	if (!client)
		return;
	slice_unwant(client);
	slice(client);
}

static void on_more(struct ev_loop *loop, ev_idle *watcher, int events)
{
	(void)loop, (void)watcher, (void)events;
}

/* The request will not be carried out; the answer is this one sentence. */
static void refuse(struct ctl_client *client, enum ctl_status status, const char *why)
{
	size_t len = strlen(why);

	client->running = true;
	status_put(client, status);
	memcpy(client->buffer + CTL_STATUS_MAX, why, len);
	client->buffer[CTL_STATUS_MAX + len] = '\n';
	client->to = CTL_STATUS_MAX + (uint32_t)len + 1;
	client->step = COMMAND_DONE;
	client_write(client);
}

/* Changes are written down with who asked for them; what may be a secret is left out. */
static void asked_log(const struct ctl_client *client)
{
	char text[256];

	if (client->run.status != CTL_OK || client->run.row->shows)
		return;
	command_describe(&client->run, text, sizeof(text));
	log_line(client->ctl->log, SAY_STATE, "operator uid=%u pid=%d command=%s", client->peer.uid, client->peer.pid,
		 text);
}

static void request_done(struct ctl_client *client, uint32_t len)
{
	static const enum out_form forms[CTL_FORMS] = {
		[CTL_TEXT] = OUT_TEXT, [CTL_JSON] = OUT_JSON, [CTL_METRICS] = OUT_METRICS,
	};
	struct ctl_request request;
	const char *fault = ctl_request_decode(bytes_of(client->request, len), &request);

	ev_timer_stop(client->ctl->loop, &client->timer);
	if (fault) {
		refuse(client, CTL_MALFORMED, fault);
		return;
	}
	if (!typed_split(&client->run.typed, request.words)) {
		refuse(client, CTL_MALFORMED, "too many words, or a quote that does not end");
		return;
	}
	client->running = true;
	command_begin(&client->run, client->ctl->facts, forms[request.form], COMMAND_EVERYWHERE, true,
		      client->buffer + CTL_STATUS_MAX, OUT_ROOM);
	asked_log(client);
	slice_want(client);
}

/* While a command runs, input means nothing; its end does when the client has gone for good. */
static void gone_look(struct ctl_client *client)
{
	struct pollfd look = { .fd = client->fd };
	char skip[256];
	ssize_t n = recv(client->fd, skip, sizeof(skip), MSG_DONTWAIT);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	if (n < 0 || (poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR))))
		client_close(client);
	else
		ev_io_stop(client->ctl->loop, &client->read);	/* it only has nothing more to say */
}

static void on_read(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct ctl_client *client = watcher->data;
	char *end;

	(void)loop, (void)events;
	if (client->running) {
		gone_look(client);
		return;
	}
	ssize_t n = recv(client->fd, client->request + client->got, sizeof(client->request) - client->got,
			 MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_close(client);
		return;
	}
	if (n == 0) {			/* no line feed: what has come is not a request */
		ev_io_stop(loop, &client->read);
		refuse(client, CTL_MALFORMED, client->got ? "request does not end with a line feed" : "empty request");
		return;
	}
	end = memchr(client->request + client->got, '\n', (size_t)n);
	client->got += (uint32_t)n;
	if (end)
		request_done(client, (uint32_t)(end - client->request) + 1);
	else if (client->got == sizeof(client->request))
		refuse(client, CTL_MALFORMED, "request too long");
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct ctl_client *client = watcher->data;

	(void)loop, (void)events;
	if (client->running)
		slice_want(client);
	else
		refuse(client, CTL_MALFORMED, "no request came");
}

static void client_new(struct ctl_unix *ctl, int fd)
{
	struct ctl_client *client = ctl->clients < CTL_CLIENTS_MAX ? malloc(sizeof(*client)) : NULL;
	socklen_t len = sizeof(client->peer);

	if (!client) {
		char line[CTL_STATUS_MAX];
		size_t n = ctl_status_encode(CTL_BUSY, line);

		(void)!send(fd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)close(fd);
		return;
	}
	memset(client, 0, offsetof(struct ctl_client, request));
	client->ctl = ctl;
	client->fd = fd;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &len) < 0)
		client->peer = (struct ucred){ .uid = (uid_t)-1 };
	ev_io_init(&client->read, on_read, fd, EV_READ);
	ev_io_init(&client->write, on_write, fd, EV_WRITE);
	ev_timer_init(&client->timer, on_timer, CTL_REQUEST_S, 0.);
	client->read.data = client->write.data = client->timer.data = client;
	ev_io_start(ctl->loop, &client->read);
	ev_timer_start(ctl->loop, &client->timer);
	ctl->client[ctl->clients++] = client;
}

static void on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct ctl_unix *ctl = watcher->data;

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			client_new(ctl, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			ev_io_stop(loop, watcher);
			ev_timer_set(&ctl->pause, ACCEPT_PAUSE_S, 0.);
			ev_timer_start(loop, &ctl->pause);
		}
		return;
	}
}

static void on_pause(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct ctl_unix *ctl = watcher->data;

	(void)events;
	ev_io_start(loop, &ctl->accept);
}

int ctl_unix_open(struct ctl_unix **out, struct ev_loop *loop, const struct ctl_unix_conf *conf, struct facts *facts,
		  struct log_out *log)
{
	struct ctl_unix *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		return -ENOMEM;
	int fd = unix_listen(conf->path, conf->group, &ctl->identity);

	if (fd < 0) {
		free(ctl);
		return fd;
	}
	(void)snprintf(ctl->path, sizeof(ctl->path), "%s", conf->path);
	ctl->loop = loop;
	ctl->facts = facts;
	ctl->log = log;
	ctl->last = &ctl->first;
	ev_io_init(&ctl->accept, on_accept, fd, EV_READ);
	ev_timer_init(&ctl->pause, on_pause, ACCEPT_PAUSE_S, 0.);
	ev_prepare_init(&ctl->turn, on_turn);
	ev_idle_init(&ctl->more, on_more);
	ctl->accept.data = ctl->pause.data = ctl->turn.data = ctl->more.data = ctl;
	ev_io_start(loop, &ctl->accept);
	ev_prepare_start(loop, &ctl->turn);
	*out = ctl;
	return 0;
}

void ctl_unix_close(struct ctl_unix *ctl)
{
	if (!ctl)
		return;
	while (ctl->clients)
		client_close(ctl->client[0]);
	ev_io_stop(ctl->loop, &ctl->accept);
	ev_timer_stop(ctl->loop, &ctl->pause);
	ev_prepare_stop(ctl->loop, &ctl->turn);
	ev_idle_stop(ctl->loop, &ctl->more);
	(void)close(ctl->accept.fd);
	unix_remove(ctl->path, &ctl->identity);
	free(ctl);
}
