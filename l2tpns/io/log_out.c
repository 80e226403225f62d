/* log_out.c -- the log's two rings, its thread, and where it writes to. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "l2tpns/io/log_out.h"
#include "l2tpns/io/privs.h"

#define RECENT		2048u		/* messages of every class; a power of two */
#define QUEUE		2048u		/* messages to be written; a power of two */
#define BATCH		64u		/* messages written with one system call */
#define STAMP_MAX	40
#define REST_US		5000		/* after waking up: more will have come, and one write does for all */
#define CRASH_LINES	64u
#define CLOSE_S		2		/* to write what waits, at the end */
#define LOOK_MS		50		/* between two looks at a pipe that is full */
#define LOOKS		4u		/* so many by whoever is not the log's own thread */

enum log_to { LOG_TO_FILE, LOG_TO_JOURNAL, LOG_TO_SYSLOG };

struct log_out {
	pthread_mutex_t	 lock;
	pthread_cond_t	 wake;
	pthread_t	 thread;
	bool		 started, stop, asleep;
	log_who_fn	*who;
	void		*who_ctx;
	char		 ident[32];

	/* the destination: one descriptor that dup2() gives another file behind the thread's back */
	int		 fd;
	char		 path[LOG_DESTINATION_MAX];	/* "" = not a file of ours */
	_Atomic int	 to;				/* enum log_to */
	_Atomic unsigned level;
	_Atomic uint64_t lost;
	_Atomic bool	 give_up;			/* leaving, and time is up */
	uint64_t	 lost_said;

	struct log_limits limits;
	uint64_t	 recent_end;			/* number of the next message */
	uint64_t	 queue_end, queue_taken;
	struct log_entry recent[RECENT];
	struct log_entry queue[QUEUE];

	/* the thread's own */
	struct log_entry batch[BATCH];
	char		 out[BATCH * (LOG_LINE_MAX + STAMP_MAX)];
	time_t		 stamp_s;
	char		 stamp[STAMP_MAX];		/* "2026-03-01T12:00:00" */
	char		 zone[8];			/* "+01:00" */
};

static uint64_t unix_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

/* ISO 8601 with milliseconds; the calendar is asked once a second. */
static size_t stamp_put(struct log_out *log, uint64_t unix_us, char *to)
{
	time_t s = (time_t)(unix_us / 1000000);

	if (s != log->stamp_s) {
		struct tm tm;
		char zone[8];

		localtime_r(&s, &tm);
		strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%dT%H:%M:%S", &tm);
		strftime(zone, sizeof(zone), "%z", &tm);	/* "+0100" */
		(void)snprintf(log->zone, sizeof(log->zone), "%.3s:%.2s", zone, zone + 3);
		log->stamp_s = s;
	}
	int len = snprintf(to, STAMP_MAX, "%.19s.%03u%.6s ", log->stamp, (unsigned)(unix_us / 1000 % 1000), log->zone);

	return len > 0 ? (size_t)len : 0;
}

static int syslog_priority(enum say_class class)
{
	static const int priorities[SAY_CLASSES] = {
		[SAY_BUG] = LOG_CRIT, [SAY_LOCAL] = LOG_ERR, [SAY_PEER] = LOG_WARNING, [SAY_STATE] = LOG_INFO,
		[SAY_CALLS] = LOG_DEBUG, [SAY_DATA] = LOG_DEBUG,
	};

	return priorities[class];
}

/*
 * May one piece be written without waiting?  poll(2) promises a pipe PIPE_BUF octets.
 * The log's thread waits as long as nobody tells it to give up; others only a moment.
 */
static bool room_await(struct log_out *log, bool patient)
{
	struct pollfd look = { .fd = log->fd, .events = POLLOUT };
	unsigned looks = 0;

	while (poll(&look, 1, LOOK_MS) == 0) {
		if (atomic_load(&log->give_up) || (!patient && ++looks == LOOKS))
			return false;
	}
	return true;
}

/* A file on a full disk refuses; a pipe whose reader went away does, too.  Both are counted. */
static void octets_write(struct log_out *log, const char *p, size_t len, unsigned lines, bool patient)
{
	while (len > 0) {
		ssize_t n = room_await(log, patient) ? write(log->fd, p, len < PIPE_BUF ? len : PIPE_BUF) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			atomic_fetch_add(&log->lost, lines);
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

static void entries_write(struct log_out *log, const struct log_entry *entry, unsigned n, bool patient)
{
	int to = atomic_load(&log->to);
	size_t used = 0;

	for (unsigned i = 0; i < n; i++, entry++) {
		char words[LOG_LINE_MAX];
		size_t len = log_entry_words(entry, words);

		if (to == LOG_TO_SYSLOG) {
			syslog(syslog_priority((enum say_class)entry->class), "%s", words);
			continue;
		}
		if (to == LOG_TO_JOURNAL)		/* sd-daemon(3): the journal has its own clock */
			used += (size_t)snprintf(log->out + used, STAMP_MAX, "<%d>",
						 syslog_priority((enum say_class)entry->class));
		else
			used += stamp_put(log, entry->unix_us, log->out + used);
		memcpy(log->out + used, words, len);
		used += len;
		log->out[used++] = '\n';
	}
	octets_write(log, log->out, used, n, patient);
}

/* Under the lock: take up to BATCH messages out of the queue. */
static unsigned batch_take(struct log_out *log)
{
	unsigned n = 0;

	for (; n < BATCH && log->queue_taken < log->queue_end; n++, log->queue_taken++)
		log_entry_copy(&log->batch[n], &log->queue[log->queue_taken % QUEUE]);
	return n;
}

static void *log_thread(void *arg)
{
	struct log_out *log = arg;

	privs_thread();		/* it writes to what root may write to: no capability helps it */
	pthread_mutex_lock(&log->lock);
	for (;;) {
		unsigned n = batch_take(log);

		if (n == 0 && log->stop)
			break;
		if (n == 0) {
			log->asleep = true;
			pthread_cond_wait(&log->wake, &log->lock);
			log->asleep = false;
			if (log->stop)
				continue;
			pthread_mutex_unlock(&log->lock);
			(void)usleep(REST_US);
		} else {
			pthread_mutex_unlock(&log->lock);
			entries_write(log, log->batch, n, true);
		}
		pthread_mutex_lock(&log->lock);
	}
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* Under the lock: the message goes where it belongs. */
static void entry_keep(struct log_out *log, const struct log_entry *entry, bool pass)
{
	log_entry_copy(&log->recent[log->recent_end++ % RECENT], entry);
	if (!pass || entry->class > atomic_load(&log->level))
		return;
	if (!log->started) {
		entries_write(log, entry, 1, false);
		return;
	}
	if (log->queue_end - log->queue_taken == QUEUE) {
		atomic_fetch_add(&log->lost, 1);
		return;
	}
	log_entry_copy(&log->queue[log->queue_end++ % QUEUE], entry);
	if (log->asleep)
		pthread_cond_signal(&log->wake);
}

static void entry_add(struct log_out *log, const struct log_entry *entry, const char *format)
{
	pthread_mutex_lock(&log->lock);
	struct log_bucket *bucket = log_limits_find(&log->limits, (enum say)entry->what,
						    (enum say_class)entry->class, format);

	entry_keep(log, entry, log_limit_pass(bucket, entry->unix_us));
	pthread_mutex_unlock(&log->lock);
}

void log_fx(struct log_out *log, const struct fx *fx, const void *payload)
{
	const struct fx_log *message = payload;
	struct log_entry entry;
	struct bytes user = { 0 };

	ASSERT(fx->kind == FX_LOG && fx->id < SAYS);
	if (message->session.n && log->who)
		user = log->who(log->who_ctx, message->session);
	log_entry_fx(&entry, unix_now_us(), (enum say)fx->id, message, user);
	entry_add(log, &entry, NULL);
}

static void line_add(struct log_out *log, enum say_class class, const char *format, va_list args)
{
	char text[LOG_TEXT_MAX + 1];
	struct log_entry entry;

	vsnprintf(text, sizeof(text), format, args);
	log_entry_line(&entry, unix_now_us(), class, bytes_str(text));
	entry_add(log, &entry, format);
}

void log_line(struct log_out *log, enum say_class class, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_add(log, class, format, args);
	va_end(args);
}

/* These lines are few by their nature and pass without a token. */
static void note_add(struct log_out *log, enum say_class class, const char *text)
{
	struct log_entry entry;

	log_entry_line(&entry, unix_now_us(), class, bytes_str(text));
	entry_keep(log, &entry, true);
}

void log_second(struct log_out *log)
{
	char text[LOG_TEXT_MAX];
	struct log_bucket *bucket;
	unsigned at = 0;

	pthread_mutex_lock(&log->lock);
	while ((bucket = log_limits_held(&log->limits, &at))) {
		(void)snprintf(text, sizeof(text), "%u similar suppressed: %s", bucket->held, bucket->format);
		bucket->held = 0;
		note_add(log, (enum say_class)bucket->class, text);
	}
	uint64_t lost = atomic_load(&log->lost);

	if (lost != log->lost_said && log->queue_end - log->queue_taken < QUEUE / 2) {
		(void)snprintf(text, sizeof(text), "%llu log lines lost", (unsigned long long)(lost - log->lost_said));
		log->lost_said = lost;
		note_add(log, SAY_LOCAL, text);
	}
	pthread_mutex_unlock(&log->lock);
}

uint64_t log_lost(struct log_out *log)
{
	return atomic_load(&log->lost);
}

uint64_t log_recent_end(struct log_out *log)
{
	pthread_mutex_lock(&log->lock);
	uint64_t end = log->recent_end;

	pthread_mutex_unlock(&log->lock);
	return end;
}

bool log_recent(struct log_out *log, uint64_t *at, unsigned classes, uint64_t *lost, char line[LOG_LINE_MAX])
{
	struct log_entry entry;
	bool found = false;

	pthread_mutex_lock(&log->lock);
	if (*at + RECENT < log->recent_end) {
		*lost += log->recent_end - RECENT - *at;
		*at = log->recent_end - RECENT;
	}
	while (!found && *at < log->recent_end) {
		const struct log_entry *kept = &log->recent[(*at)++ % RECENT];

		found = (classes >> kept->class & 1) != 0;
		if (found)
			log_entry_copy(&entry, kept);
	}
	pthread_mutex_unlock(&log->lock);
	if (!found)
		return false;

	char words[LOG_LINE_MAX];
	time_t s = (time_t)(entry.unix_us / 1000000);
	struct tm tm;

	(void)log_entry_words(&entry, words);
	localtime_r(&s, &tm);
	(void)snprintf(line, LOG_LINE_MAX, "%02d:%02d:%02d.%03u %.*s", tm.tm_hour, tm.tm_min, tm.tm_sec,
		       (unsigned)(entry.unix_us / 1000 % 1000), LOG_LINE_MAX - 16, words);
	return true;
}

/* Is stderr the journal's own socket?  systemd says which in $JOURNAL_STREAM, as device:inode. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char mine[64];

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(mine, sizeof(mine), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(stream, mine) == 0;
}

static int file_open(struct log_out *log, const char *path)
{
	/* Not blocking matters for a pipe: one without a reader is refused, one whose reader sleeps loses lines. */
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

	if (fd < 0)
		return -errno;
	int failed = dup3(fd, log->fd, O_CLOEXEC) < 0 ? -errno : 0;

	(void)close(fd);
	return failed;
}

static int syslog_open(struct log_out *log, const char *facility)
{
	static const struct { const char *name; int number; } rows[] = {
		{ "kern", LOG_KERN }, { "user", LOG_USER }, { "mail", LOG_MAIL }, { "daemon", LOG_DAEMON },
		{ "auth", LOG_AUTH }, { "syslog", LOG_SYSLOG }, { "lpr", LOG_LPR }, { "news", LOG_NEWS },
		{ "uucp", LOG_UUCP }, { "cron", LOG_CRON }, { "authpriv", LOG_AUTHPRIV }, { "ftp", LOG_FTP },
		{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcasecmp(rows[i].name, facility) == 0) {
			openlog(log->ident, LOG_PID | LOG_NDELAY, rows[i].number);
			atomic_store(&log->to, LOG_TO_SYSLOG);
			log->path[0] = '\0';
			return 0;
		}
	}
	return -EINVAL;
}

int log_configure(struct log_out *log, const char *destination, unsigned level)
{
	int failed = 0;

	if (strncmp(destination, "syslog:", 7) == 0) {
		failed = syslog_open(log, destination + 7);
	} else if (!*destination || strcmp(destination, "stderr") == 0) {
		failed = dup3(STDERR_FILENO, log->fd, O_CLOEXEC) < 0 ? -errno : 0;
		if (!failed) {
			atomic_store(&log->to, stderr_is_journal() ? LOG_TO_JOURNAL : LOG_TO_FILE);
			log->path[0] = '\0';
		}
	} else if (strlen(destination) >= sizeof(log->path)) {
		failed = -ENAMETOOLONG;
	} else {
		failed = file_open(log, destination);
		if (!failed) {
			atomic_store(&log->to, LOG_TO_FILE);
			memcpy(log->path, destination, strlen(destination) + 1);
		}
	}
	atomic_store(&log->level, level < SAY_CLASSES ? level : SAY_CLASSES - 1);
	return failed;
}

int log_reopen(struct log_out *log)
{
	return log->path[0] ? file_open(log, log->path) : 0;
}

int log_open(struct log_out **out, const char *ident, log_who_fn *who, void *who_ctx)
{
	struct log_out *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (log->fd < 0)			/* started without a stderr */
		log->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (log->fd < 0) {
		int failed = -errno;

		free(log);
		return failed;
	}
	(void)snprintf(log->ident, sizeof(log->ident), "%s", ident);
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->wake, NULL);
	log->who = who;
	log->who_ctx = who_ctx;
	atomic_store(&log->level, SAY_STATE);
	atomic_store(&log->to, stderr_is_journal() ? LOG_TO_JOURNAL : LOG_TO_FILE);
	*out = log;
	return 0;
}

int log_start(struct log_out *log)
{
	sigset_t all, old;

	/* Signals are the control thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_mutex_lock(&log->lock);
	int failed = pthread_create(&log->thread, NULL, log_thread, log);

	log->started = failed == 0;
	pthread_mutex_unlock(&log->lock);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!failed)
		(void)pthread_setname_np(log->thread, "log");
	return -failed;
}

void log_close(struct log_out *log)
{
	struct timespec until = { 0 };

	if (!log)
		return;
	if (log->started) {
		pthread_mutex_lock(&log->lock);
		log->stop = true;
		pthread_cond_signal(&log->wake);
		pthread_mutex_unlock(&log->lock);
		/* Whoever reads our stderr may have stopped: what waits is then lost. */
		if (clock_gettime(CLOCK_REALTIME, &until) == 0)
			until.tv_sec += CLOSE_S;
		if (pthread_timedjoin_np(log->thread, NULL, &until) != 0) {
			atomic_store(&log->give_up, true);
			pthread_join(log->thread, NULL);
		}
	}
	if (atomic_load(&log->to) == LOG_TO_SYSLOG)
		closelog();
	(void)close(log->fd);
	pthread_cond_destroy(&log->wake);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/*
 * The thread that failed may hold the lock; whoever else holds it is about to end
 * with the process.  So the rings are read as they are.
 */
void log_crash(struct log_out *log)
{
	char words[LOG_LINE_MAX + 1];

	if (!log)
		return;
	for (; log->queue_taken < log->queue_end; log->queue_taken++)
		entries_write(log, &log->queue[log->queue_taken % QUEUE], 1, false);

	uint64_t from = log->recent_end > CRASH_LINES ? log->recent_end - CRASH_LINES : 0;

	if (atomic_load(&log->to) == LOG_TO_SYSLOG)
		return;
	octets_write(log, "the last messages of every class:\n", 34, 1, false);
	for (uint64_t i = from; i < log->recent_end; i++) {
		size_t len = log_entry_words(&log->recent[i % RECENT], words);

		words[len++] = '\n';
		octets_write(log, "  ", 2, 0, false);
		octets_write(log, words, len, 1, false);
	}
}
