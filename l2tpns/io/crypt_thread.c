/* crypt_thread.c -- one thread, two rings under one lock, an eventfd. */
#include <crypt.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "l2tpns/io/crypt_thread.h"
#include "l2tpns/io/privs.h"
#include "l2tpns/wire/ppp_auth.h"

#define ASKS_MAX	4096u
#define TEXT_MAX	256u

struct ask {
	struct row	row;
	uint32_t	serial;
	char		hash[TEXT_MAX], password[TEXT_MAX];
};

struct crypt_thread {
	pthread_t		thread;
	pthread_mutex_t		lock;		/* guards everything below */
	pthread_cond_t		asked;
	struct ask		ask[ASKS_MAX];
	struct crypt_answer	answer[ASKS_MAX];
	uint32_t		ask_in, ask_out, answer_in, answer_out;
	bool			stop;
	int			fd;
};

bool crypt_matches(const char *hash, const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *made = data ? crypt_r(password, hash, data) : NULL;
	bool same = made && strlen(made) == strlen(hash) &&
		    octets_equal((const uint8_t *)made, (const uint8_t *)hash, strlen(hash));

	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return same;
}

static void *run(void *arg)
{
	struct crypt_thread *t = arg;

	privs_thread();
	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		if (t->ask_out == t->ask_in) {
			pthread_cond_wait(&t->asked, &t->lock);
			continue;
		}
		struct ask ask = t->ask[t->ask_out % ASKS_MAX];

		explicit_bzero(&t->ask[t->ask_out++ % ASKS_MAX], sizeof(ask));
		pthread_mutex_unlock(&t->lock);
		bool matches = crypt_matches(ask.hash, ask.password);

		explicit_bzero(ask.password, sizeof(ask.password));
		pthread_mutex_lock(&t->lock);
		t->answer[t->answer_in++ % ASKS_MAX] =
			(struct crypt_answer){ .row = ask.row, .serial = ask.serial, .matches = matches };
		(void)eventfd_write(t->fd, 1);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

int crypt_thread_open(struct crypt_thread **thread)
{
	struct crypt_thread *t = calloc(1, sizeof(*t));
	int failed;

	if (!t)
		return -ENOMEM;
	t->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	failed = t->fd < 0 ? -errno : 0;
	if (!failed) {
		pthread_mutex_init(&t->lock, NULL);
		pthread_cond_init(&t->asked, NULL);
		failed = -pthread_create(&t->thread, NULL, run, t);
	}
	if (failed) {
		if (t->fd >= 0)
			close(t->fd);
		free(t);
		return failed;
	}
	*thread = t;
	return 0;
}

void crypt_thread_close(struct crypt_thread *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->asked);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	close(t->fd);
	explicit_bzero(t->ask, sizeof(t->ask));
	free(t);
}

int crypt_thread_fd(const struct crypt_thread *t)
{
	return t->fd;
}

bool crypt_thread_ask(struct crypt_thread *t, const struct fx_crypt *fx)
{
	const char *at = (const char *)(fx + 1);
	bool fits = fx->hash_len < TEXT_MAX && fx->password_len < TEXT_MAX;

	pthread_mutex_lock(&t->lock);
	/* An answer's place is kept for every question, so neither ring can overflow. */
	fits = fits && t->ask_in - t->answer_out < ASKS_MAX;
	if (fits) {
		struct ask *ask = &t->ask[t->ask_in++ % ASKS_MAX];

		*ask = (struct ask){ .row = fx->row, .serial = fx->serial };
		memcpy(ask->hash, at, fx->hash_len);
		memcpy(ask->password, at + fx->hash_len, fx->password_len);
		pthread_cond_signal(&t->asked);
	}
	pthread_mutex_unlock(&t->lock);
	return fits;
}

bool crypt_thread_answer(struct crypt_thread *t, struct crypt_answer *answer)
{
	eventfd_t n;

	(void)eventfd_read(t->fd, &n);
	pthread_mutex_lock(&t->lock);
	bool any = t->answer_out != t->answer_in;

	if (any)
		*answer = t->answer[t->answer_out++ % ASKS_MAX];
	pthread_mutex_unlock(&t->lock);
	return any;
}
