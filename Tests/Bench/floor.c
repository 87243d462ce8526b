// floor COMM [PASSES]: what reading the default groups' files costs at least.
//
// For every process named COMM it keeps descriptors of stat, status, io and cgroup, reads them with
// pread(2), takes the descriptor count from the size of /proc/PID/fd, parses the numbers that the
// default groups export and looks whether the control groups are still the same: what procvitals
// does, without its features.
// One pass per line of standard input, or PASSES passes; prints the CPU microseconds and the
// number of processes of each pass, and on standard error a sum so that no parsing is left out.

#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct process {
  int directory, stat, status, io, cgroup;
  ssize_t groups_length;
  char *groups;
};

static struct process *processes;
static size_t count;
static char buffer[8192];
static uint64_t sum;

static ssize_t fetch(int file) {
  ssize_t length = pread(file, buffer, sizeof buffer - 1, 0);
  if (length >= 0) buffer[length] = 0;
  return length;
}

static const char *number(const char *at, uint64_t *value) {
  uint64_t v = 0;
  while (*at == ' ' || *at == '\t') at++;
  while (*at >= '0' && *at <= '9') v = v * 10 + (uint64_t)(*at++ - '0');
  *value = v;
  return at;
}

static void parse_stat(void) {
  const char *at = strrchr(buffer, ')');
  uint64_t value;
  if (!at) return;
  at += 4;  // past ") S "
  for (int field = 4; field <= 24; field++) {
    if (*at == '-') at++;
    at = number(at, &value) + 1;
    if (field == 10 || field == 12 || field == 14 || field == 15 || field >= 20) sum += value;
  }
}

static void parse_lines(const char *const *keys, size_t wanted) {
  uint64_t value;
  for (char *line = buffer; *line; line++) {
    for (size_t k = 0; k < wanted; k++) {
      size_t length = strlen(keys[k]);
      if (!strncmp(line, keys[k], length) && line[length] == ':') {
        number(line + length + 1, &value);
        sum += value;
        break;
      }
    }
    line = strchr(line, '\n');
    if (!line) return;
  }
}

static const char *const status_keys[] = {
    "VmPeak",   "VmHWM",  "RssAnon", "RssFile",
    "RssShmem", "VmSwap", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"};
static const char *const io_keys[] = {
    "rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes"};

static void pass(void) {
  struct stat facts;
  for (size_t i = 0; i < count; i++) {
    struct process *p = &processes[i];
    if (fetch(p->stat) > 0) parse_stat();
    if (fetch(p->status) > 0) parse_lines(status_keys, sizeof status_keys / sizeof *status_keys);
    if (fetch(p->io) > 0) parse_lines(io_keys, sizeof io_keys / sizeof *io_keys);
    ssize_t length = fetch(p->cgroup);
    if (length != p->groups_length || memcmp(buffer, p->groups, (size_t)length)) sum++;
    if (!fstatat(p->directory, "fd", &facts, 0)) sum += (uint64_t)facts.st_size;
  }
}

static void find(const char *name) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  size_t length = strlen(name);
  while (proc && (entry = readdir(proc))) {
    char path[300];
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    snprintf(path, sizeof path, "/proc/%s", entry->d_name);
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int comm = openat(directory, "comm", O_RDONLY | O_CLOEXEC);
    int match = comm >= 0 && fetch(comm) == (ssize_t)length + 1 && !strncmp(buffer, name, length);
    close(comm);
    if (!match) {
      close(directory);
      continue;
    }
    processes = realloc(processes, (count + 1) * sizeof *processes);
    struct process *p = &processes[count++];
    p->directory = directory;
    p->stat = openat(directory, "stat", O_RDONLY | O_CLOEXEC);
    p->status = openat(directory, "status", O_RDONLY | O_CLOEXEC);
    p->io = openat(directory, "io", O_RDONLY | O_CLOEXEC);
    p->cgroup = openat(directory, "cgroup", O_RDONLY | O_CLOEXEC);
    if (p->stat < 0 || p->status < 0 || p->io < 0 || p->cgroup < 0) {
      perror(path);
      exit(1);
    }
    p->groups_length = fetch(p->cgroup);
    p->groups = strdup(buffer);
  }
  if (proc) closedir(proc);
}

static double cpu_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s COMM [PASSES]\n", argv[0]);
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  find(argv[1]);
  setvbuf(stdout, 0, _IOLBF, 0);
  char line[16];
  for (long left = argc > 2 ? atol(argv[2]) : -1; left != 0; left--) {
    if (left < 0 && !fgets(line, sizeof line, stdin)) break;
    double start = cpu_microseconds();
    pass();
    printf("%.1f %zu\n", cpu_microseconds() - start, count);
  }
  fprintf(stderr, "sum %llu\n", (unsigned long long)sum);
  return 0;
}
