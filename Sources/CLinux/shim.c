#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

const int clinux_O_PATH = O_PATH;

int clinux_accept(int listener) {
  return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

// The first 64 bytes of struct pidfd_info, include/uapi/linux/pidfd.h (Linux 6.13; exit_code 6.15).
struct clinux_pidfd_info {
  uint64_t mask;
  uint64_t cgroupid;
  uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};

int clinux_pidfd_exit_status(int pidfd, int32_t *status) {
  const uint64_t exit_bit = 1 << 3;  // PIDFD_INFO_EXIT
  struct clinux_pidfd_info info;
  memset(&info, 0, sizeof info);
  info.mask = exit_bit;
  if (ioctl(pidfd, _IOWR(0xFF, 11, struct clinux_pidfd_info), &info) < 0) return -1;
  if (!(info.mask & exit_bit)) {
    errno = ENODATA;
    return -1;
  }
  *status = info.exit_code;
  return 0;
}

int clinux_prlimit_get(int pid, int resource, uint64_t *soft, uint64_t *hard) {
  struct rlimit limit;
  if (prlimit(pid, resource, NULL, &limit) < 0) return -1;
  *soft = limit.rlim_cur;
  *hard = limit.rlim_max;
  return 0;
}

int64_t clinux_raise_nofile(uint64_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -1;
  uint64_t goal = wanted < limit.rlim_max ? wanted : limit.rlim_max;
  if (limit.rlim_cur < goal) {
    limit.rlim_cur = goal;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0) return -1;
  }
  return (int64_t)limit.rlim_cur;
}

long clinux_getdents64(int directory, void *buffer, size_t capacity) {
  return syscall(SYS_getdents64, directory, buffer, capacity);
}

int clinux_name_this_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

int clinux_enter_network(int ns) { return setns(ns, CLONE_NEWNET); }

int clinux_gettid(void) { return (int)syscall(SYS_gettid); }

long clinux_send2(int socket, const void *a, size_t a_count, const void *b, size_t b_count) {
  struct iovec parts[2] = {{(void *)a, a_count}, {(void *)b, b_count}};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = parts;
  message.msg_iovlen = b_count ? 2 : 1;
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

int clinux_bind_vsock(int socket, uint32_t port) {
  struct sockaddr_vm name;
  memset(&name, 0, sizeof name);
  name.svm_family = AF_VSOCK;
  name.svm_cid = VMADDR_CID_ANY;
  name.svm_port = port;
  return bind(socket, (const struct sockaddr *)&name, sizeof name);
}

uint64_t clinux_effective_capabilities(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2] = {{0, 0, 0}, {0, 0, 0}};
  if (syscall(SYS_capget, &header, sets) < 0) return 0;
  return (uint64_t)sets[1].effective << 32 | sets[0].effective;
}

int64_t clinux_filesystem_magic(int fd) {
  struct statfs facts;
  if (fstatfs(fd, &facts) < 0) return -1;
  return (int64_t)(uint32_t)facts.f_type;
}

int clinux_known_stat(int directory, const char *path, struct stat *facts) {
  struct statx known;
  if (statx(directory, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &known) < 0) return -1;
  memset(facts, 0, sizeof *facts);
  facts->st_dev = makedev(known.stx_dev_major, known.stx_dev_minor);
  facts->st_ino = known.stx_ino;
  facts->st_mode = known.stx_mode;
  facts->st_uid = known.stx_uid;
  facts->st_gid = known.stx_gid;
  facts->st_size = (off_t)known.stx_size;
  facts->st_mtim.tv_sec = known.stx_mtime.tv_sec;
  facts->st_mtim.tv_nsec = known.stx_mtime.tv_nsec;
  facts->st_ctim.tv_sec = known.stx_ctime.tv_sec;
  facts->st_ctim.tv_nsec = known.stx_ctime.tv_nsec;
  return 0;
}

int clinux_sigrtmin(void) { return SIGRTMIN; }

const char *clinux_signal_name(int number) { return sigabbrev_np(number); }

int clinux_wait_kind(int status) {
  if (WIFEXITED(status)) return 0;
  return WCOREDUMP(status) ? 2 : 1;
}

int clinux_wait_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}
