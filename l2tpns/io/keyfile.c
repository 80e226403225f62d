/* keyfile.c -- read once, checked before it is believed, wiped after use. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "l2tpns/base/words.h"
#include "l2tpns/io/keyfile.h"

#define FILE_MAX	4096u
#define LINE_ROOM	(3 + 1 + 2 * KEYFILE_KEY_LEN + 2)

static int fault(char *error, int failed, const char *path, unsigned line, const char *what)
{
	if (line)
		snprintf(error, KEYFILE_ERROR_MAX, "%.150s:%u: %s", path, line, what);
	else
		snprintf(error, KEYFILE_ERROR_MAX, "%.150s: %s", path, what);
	return -failed;
}

void keyfile_wipe(struct keyfile *keyfile)
{
	explicit_bzero(keyfile, sizeof(*keyfile));
}

/* ---- the text ---- */

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_read(struct bytes word, uint8_t key[KEYFILE_KEY_LEN])
{
	if (word.len != 2 * KEYFILE_KEY_LEN)
		return false;
	for (unsigned i = 0; i < KEYFILE_KEY_LEN; i++) {
		int high = digit(word.p[2 * i]), low = digit(word.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* What is wrong with the line, or NULL. */
static const char *line_read(struct bytes line, struct keyfile *keyfile, bool *marked)
{
	struct words words = words_of(line, "#");
	struct bytes word;
	uint32_t id;

	if (!words_next(&words, &word))
		return words.fault;
	if (!word_u32(word, &id) || id < 1 || id > 255)
		return "must begin with the key's number, 1 to 255";
	for (unsigned i = 0; i < keyfile->keys; i++)
		if (keyfile->key[i].id == id)
			return "has the number of another key";
	if (keyfile->keys == KEYFILE_KEYS_MAX)
		return "is one key more than the four there may be";
	if (!words_next(&words, &word) || !hex_read(word, keyfile->key[keyfile->keys].octets))
		return "must have 64 hexadecimal digits after the number";
	keyfile->key[keyfile->keys++].id = (uint8_t)id;
	if (!*marked)
		keyfile->sending = (uint8_t)id;
	if (!words_next(&words, &word))
		return words.fault;
	if (!word_is(word, "*") || words_next(&words, &word))
		return "may have nothing but an asterisk after the key";
	if (*marked)
		return "is the second with an asterisk";
	*marked = true;
	keyfile->sending = (uint8_t)id;
	return NULL;
}

static int text_read(struct bytes text, const char *path, struct keyfile *keyfile, char *error)
{
	struct lines lines = lines_of(text);
	struct bytes line;
	bool marked = false;

	while (lines_next(&lines, &line)) {
		const char *wrong = line_read(line, keyfile, &marked);

		if (wrong)
			return fault(error, EINVAL, path, lines.number, wrong);
	}
	return keyfile->keys ? 0 : fault(error, EINVAL, path, 0, "holds no key");
}

/* ---- the file ---- */

static int file_read_all(int fd, const char *path, struct keyfile *keyfile, char *error)
{
	uint8_t text[FILE_MAX + 1];
	size_t len = 0;
	ssize_t n;
	int failed;

	while ((n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		failed = fault(error, errno, path, 0, strerror(errno));
	else if (len > FILE_MAX)
		failed = fault(error, EFBIG, path, 0, "is too long for a file of keys");
	else
		failed = text_read(bytes_of(text, len), path, keyfile, error);
	explicit_bzero(text, sizeof(text));
	return failed;
}

/* The file that was opened is the one that is checked. */
static int file_check(int fd, const char *path, char *error)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fault(error, errno, path, 0, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault(error, EINVAL, path, 0, "is not a file");
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return fault(error, EPERM, path, 0, "may be read or written by others than its owner: chmod 600 it");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault(error, EPERM, path, 0, "belongs to another user");
	return 0;
}

static int directory_sync(const char *path)
{
	char copy[PATH_MAX];
	int fd, failed;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	failed = fsync(fd) != 0 ? -errno : 0;
	close(fd);
	return failed;
}

static int key_write(int fd)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t key[KEYFILE_KEY_LEN];
	char line[LINE_ROOM] = "1 ";
	size_t len = 2;
	int failed = getrandom(key, sizeof(key), 0) == sizeof(key) ? 0 : -EIO;

	for (unsigned i = 0; i < sizeof(key); i++) {
		line[len++] = digits[key[i] >> 4];
		line[len++] = digits[key[i] & 15];
	}
	line[len++] = '\n';
	errno = EIO;
	if (!failed && (write(fd, line, len) != (ssize_t)len || fsync(fd) != 0))
		failed = -errno;
	explicit_bzero(key, sizeof(key));
	explicit_bzero(line, sizeof(line));
	return failed;
}

/* It appears whole or not at all, and one that appeared meanwhile is kept. */
static int file_make(const char *path, char *error)
{
	char beside[PATH_MAX];
	int fd, failed;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		return fault(error, ENAMETOOLONG, path, 0, strerror(ENAMETOOLONG));
	fd = mkostemp(beside, O_CLOEXEC);	/* mode 600 */
	if (fd < 0)
		return fault(error, errno, path, 0, strerror(errno));
	failed = key_write(fd);
	close(fd);
	if (!failed && link(beside, path) != 0 && errno != EEXIST)
		failed = -errno;
	(void)unlink(beside);
	failed = failed ? failed : directory_sync(path);
	return failed ? fault(error, -failed, path, 0, strerror(-failed)) : 0;
}

int keyfile_read(const char *path, bool make, struct keyfile *keyfile, char error[KEYFILE_ERROR_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), failed;

	memset(keyfile, 0, sizeof(*keyfile));
	if (fd < 0 && errno == ENOENT && make) {
		failed = file_make(path, error);
		if (failed)
			return failed;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	if (fd < 0)
		return fault(error, errno, path, 0, strerror(errno));
	failed = file_check(fd, path, error);
	failed = failed ? failed : file_read_all(fd, path, keyfile, error);
	close(fd);
	if (failed)
		keyfile_wipe(keyfile);
	return failed;
}
