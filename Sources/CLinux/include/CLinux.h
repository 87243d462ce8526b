// Kernel interfaces that Swift's Glibc module does not show: headers, and one thin function per
// call that is hidden behind _GNU_SOURCE, variadic or a macro. No logic lives here.
#ifndef CLINUX_H
#define CLINUX_H

#include <linux/filter.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

/// accept4(2) with SOCK_CLOEXEC | SOCK_NONBLOCK; the peer's address is not asked for.
int clinux_accept(int listener);

/// pidfd_open(2), flags 0.
int clinux_pidfd_open(int pid);

/// ioctl(PIDFD_GET_INFO): wait status and mask of a process that has been reaped (Linux 6.15).
/// Returns 0 and fills `status` when the kernel knows it, -1 with errno otherwise (ENODATA: known
/// call, no status yet).
int clinux_pidfd_exit_status(int pidfd, int32_t *status);

/// prlimit(2), reading only.
int clinux_prlimit_get(int pid, int resource, uint64_t *soft, uint64_t *hard);

/// setrlimit(2) on RLIMIT_NOFILE: raises the soft limit to min(wanted, hard), where that is
/// allowed, and returns what it is then.
int64_t clinux_raise_nofile(uint64_t wanted);

/// getdents64(2).
long clinux_getdents64(int directory, void *buffer, size_t capacity);

/// pthread_setname_np(3) on the calling thread.
int clinux_name_this_thread(const char *name);

/// setns(2) of the calling thread into a network namespace.
int clinux_enter_network(int ns);

/// gettid(2).
int clinux_gettid(void);

/// sendmsg(2) of two buffers with MSG_NOSIGNAL.
long clinux_send2(int socket, const void *a, size_t a_count, const void *b, size_t b_count);

/// bind(2) to a port on all addresses of this virtual machine, vsock(7).
int clinux_bind_vsock(int socket, uint32_t port);

/// open(2) flag that needs _GNU_SOURCE.
extern const int clinux_O_PATH;

/// capget(2): the effective capabilities of this process, as bits.
uint64_t clinux_effective_capabilities(void);

/// fstatfs(2): the file system's magic number, or -1 with errno.
int64_t clinux_filesystem_magic(int fd);

/// statx(2) of what a link points to, as stat(2) fills it, from what the kernel knows already
/// (AT_STATX_DONT_SYNC): a file server that does not answer is not waited for. Device, inode, mode,
/// owner, group, size and time of modification only.
int clinux_known_stat(int directory, const char *path, struct stat *facts);

/// process_vm_readv(2): pieces of another process' memory, `addresses[i]` and `lengths[i]` each, one
/// behind the other into `buffer`, in one call. At most 1,024 pieces (IOV_MAX) are taken. Returns how many bytes
/// were read, or -1 with errno.
long clinux_read_memory(int pid, const uint64_t *addresses, const uint64_t *lengths, size_t count,
                        void *buffer);

/// SIGRTMIN, which is a function call in glibc.
int clinux_sigrtmin(void);

/// sigabbrev_np(3): "KILL" for 9, NULL for an unknown number.
const char *clinux_signal_name(int number);

/// The macros WIFEXITED and friends, split: 0 exited, 1 signalled, 2 signalled with a core dump.
int clinux_wait_kind(int status);
int clinux_wait_code(int status);

#endif
