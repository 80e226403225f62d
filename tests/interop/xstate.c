/*
 * xstate.c -- lets user-mode Linux boot on processors whose extended state it has no room for.
 *
 * Preloaded into the guest's kernel.  That kernel (6.1) hands the host a register set of a
 * fixed size; since processors with AMX the host's is larger, and the host takes a whole
 * one or nothing, so that the guest's first process dies.  Here the host is always asked for
 * and given the whole set; the guest sees the part it knows, and the rest stays as it was.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define WHOLE_MAX	(64 * 1024)

static long xstate(long request, pid_t pid, struct iovec *known)
{
	static _Thread_local uint8_t whole[WHOLE_MAX] __attribute__((aligned(64)));
	struct iovec iov = { .iov_base = whole, .iov_len = sizeof(whole) };

	if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &iov) < 0)
		return -1;
	if (known->iov_len > iov.iov_len)
		known->iov_len = iov.iov_len;
	if (request == PTRACE_GETREGSET) {
		memcpy(known->iov_base, whole, known->iov_len);
		return 0;
	}
	memcpy(whole, known->iov_base, known->iov_len);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &iov);
}

/* As the C library's: three arguments whatever the request, and the word read as the result of a peek. */
long ptrace(enum __ptrace_request request, ...)
{
	va_list args;
	long word = 0;

	va_start(args, request);
	pid_t pid = va_arg(args, pid_t);
	void *address = va_arg(args, void *), *data = va_arg(args, void *);
	va_end(args);
	if ((request == PTRACE_GETREGSET || request == PTRACE_SETREGSET) && (uintptr_t)address == NT_X86_XSTATE)
		return xstate(request, pid, data);
	if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSER)
		return syscall(SYS_ptrace, request, pid, address, data);
	if (syscall(SYS_ptrace, request, pid, address, &word) < 0)
		return -1;
	errno = 0;
	return word;
}
