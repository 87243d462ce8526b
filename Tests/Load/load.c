// load: does known things, so that what is measured of it can be compared with what it did.
//
// It prints "ready PID", then obeys one command per line of standard input and answers "done" and
// facts as KEY=VALUE; the commands are listed at the ends of the files. Standard input's end ends
// it, and it ends with its parent. Files that it makes have no name, sockets stay on 127.0.0.1.

#include "load.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

char words[4][100];
const char *program;

void die(const char *what) {
  fprintf(stderr, "load: %s %s: %s: %s\n", words[0], words[1], what, strerror(errno));
  exit(125);
}
long check(long result, const char *what) {
  if (result < 0) die(what);
  return result;
}
long number(int place) { return atol(words[place]); }
double seconds(int place) { return atof(words[place]); }
size_t mebibytes(int place) { return (size_t)number(place) << 20; }

double clock_seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
double timeval_seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

// CPU ----------------------------------------------------------------------------------------

void burn_user(double amount) {
  double end = clock_seconds(CLOCK_THREAD_CPUTIME_ID) + amount;
  while (clock_seconds(CLOCK_THREAD_CPUTIME_ID) < end)
    for (volatile int i = 0; i < 10000; i++) continue;
}
static void burn_system(double amount) {
  static char sink[1 << 20];
  int zero = check(open("/dev/zero", O_RDONLY | O_CLOEXEC), "/dev/zero");
  double end = clock_seconds(CLOCK_THREAD_CPUTIME_ID) + amount;
  while (clock_seconds(CLOCK_THREAD_CPUTIME_ID) < end) check(read(zero, sink, sizeof sink), "read");
  close(zero);
}
static void user(void) { burn_user(seconds(1)); }
static void system_mode(void) { burn_system(seconds(1)); }

static void usage(void) {
  struct rusage self, children;
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_SELF, &self);
  printf(" user=%.6f system=%.6f cpu=%.9f minor=%ld major=%ld voluntary=%ld involuntary=%ld"
         " resident_peak=%ld children_user=%.6f children_system=%.6f",
         timeval_seconds(self.ru_utime), timeval_seconds(self.ru_stime),
         clock_seconds(CLOCK_PROCESS_CPUTIME_ID), self.ru_minflt, self.ru_majflt, self.ru_nvcsw,
         self.ru_nivcsw, self.ru_maxrss << 10, timeval_seconds(children.ru_utime),
         timeval_seconds(children.ru_stime));
}

// Threads ------------------------------------------------------------------------------------

struct job {
  char name[16], state;
  int ready, word;
};

void give_up_cpu(long times) {
  struct timespec moment = {0, 1000};
  for (long i = 0; i < times; i++) nanosleep(&moment, 0);
}

static void *thread_body(void *argument) {
  struct job *job = argument;
  char state = job->state;
  prctl(PR_SET_NAME, job->name);
  __atomic_store_n(&job->ready, 1, __ATOMIC_RELEASE);
  if (state == 'r') {  // run
    for (;;) continue;
  }
  if (state == 'd') {  // disk: the kernel waits without a signal until the child of vfork ends
    pid_t parent = getpid();
    if (vfork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (getppid() == parent) pause();
      _exit(0);
    }
  }
  for (;;) {
    if (state == 'f')  // futex
      syscall(SYS_futex, &job->word, FUTEX_WAIT, 0, 0, 0, 0);
    else
      sleep(1000);  // sleep
  }
  return 0;
}

static void threads(void) {
  for (long i = 0; i < number(1); i++) {
    struct job *job = calloc(1, sizeof *job);
    pthread_t thread;
    snprintf(job->name, sizeof job->name, "%.12s%d", words[2], (int)i % 100);
    job->state = words[3][0];
    if (pthread_create(&thread, 0, thread_body, job) != 0) die("pthread_create");
    while (!__atomic_load_n(&job->ready, __ATOMIC_ACQUIRE)) sched_yield();
  }
}

static void *brief_body(void *unused) {
  give_up_cpu(number(2));
  burn_user(seconds(3));
  return unused;
}
static void brief_threads(void) {
  for (long i = 0; i < number(1); i++) {
    pthread_t thread;
    if (pthread_create(&thread, 0, brief_body, 0) != 0) die("pthread_create");
    pthread_join(thread, 0);
  }
}
static void switches(void) { give_up_cpu(number(1)); }

// Two threads that want one CPU take it from each other.
static void *contend(void *end) {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  sched_setaffinity(0, sizeof first, &first);
  while (clock_seconds(CLOCK_MONOTONIC) < *(double *)end) continue;
  return 0;
}
static void contention(void) {
  pthread_t pair[2];
  double end = clock_seconds(CLOCK_MONOTONIC) + seconds(1);
  for (int i = 0; i < 2; i++)
    if (pthread_create(&pair[i], 0, contend, &end) != 0) die("pthread_create");
  for (int i = 0; i < 2; i++) pthread_join(pair[i], 0);
}

// Memory and files ---------------------------------------------------------------------------

int nameless_file(size_t size) {
  int file = check(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), "a file in the directory");
  static char block[1 << 16];
  memset(block, 'x', sizeof block);
  for (size_t done = 0; done < size; done += sizeof block)
    check(write(file, block, sizeof block), "write");
  return file;
}
static void forget_cached(int file) {
  check(fdatasync(file), "fdatasync");
  if (posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) die("posix_fadvise");
}
char *map(size_t size, int flags, int file) {
  char *memory = mmap(0, size, PROT_READ | (file < 0 ? PROT_WRITE : 0), flags, file, 0);
  if (memory == MAP_FAILED) die("mmap");
  return memory;
}
void touch(char *memory, size_t size, int write) {
  volatile char *bytes = memory;
  for (size_t at = 0; at < size; at += 4096) {
    if (write) bytes[at] = 1;
    else (void)bytes[at];
  }
}

static void memory(void) {
  size_t size = mebibytes(2);
  if (!strcmp(words[1], "file")) {
    int file = nameless_file(size);
    touch(map(size, MAP_SHARED, file), size, 0);
    close(file);
    return;
  }
  int flags = !strcmp(words[1], "shared") ? MAP_SHARED : MAP_PRIVATE;
  char *bytes = map(size, flags | MAP_ANONYMOUS, -1);
  madvise(bytes, size, MADV_NOHUGEPAGE);
  touch(bytes, size, 1);
  if (!strcmp(words[1], "locked")) check(mlock(bytes, size), "mlock");
}
static void mappings(void) {  // mappings that the kernel cannot join: every other page is read-only
  char *bytes = map((size_t)number(1) * 4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  for (long i = 1; i < number(1); i += 2)
    check(mprotect(bytes + i * 4096, 4096, PROT_READ), "mprotect");
}
static void minor_faults(void) {
  size_t size = (size_t)number(1) * 4096;
  char *bytes = map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  madvise(bytes, size, MADV_NOHUGEPAGE);
  touch(bytes, size, 1);
  munmap(bytes, size);
}
static void major_faults(void) {
  size_t size = (size_t)number(1) * 4096;
  int file = nameless_file(size);
  forget_cached(file);
  char *bytes = map(size, MAP_SHARED, file);
  madvise(bytes, size, MADV_RANDOM);  // no reading ahead
  touch(bytes, size, 0);
  munmap(bytes, size);
  close(file);
}

static void transfer(void) {  // read or write BYTES in CALLS calls that no storage sees
  int writes = words[1][0] == 'w';
  size_t size = (size_t)(number(2) / number(3));
  char *bytes = calloc(1, size);
  int file = check(open(writes ? "/dev/null" : "/dev/zero", O_RDWR | O_CLOEXEC), "open");
  for (long i = 0; i < number(3); i++)
    if ((writes ? write(file, bytes, size) : read(file, bytes, size)) != (ssize_t)size) die("size");
  close(file);
  free(bytes);
}
static void storage(void) {
  static char block[1 << 16];
  int file = nameless_file(mebibytes(1));
  forget_cached(file);
  for (size_t at = 0; at < mebibytes(1); at += sizeof block)
    check(pread(file, block, sizeof block, (off_t)at), "pread");
  close(file);
}
static void cancelled(void) {
  int file = nameless_file(mebibytes(1));
  check(ftruncate(file, 0), "ftruncate");
  close(file);
}

// Settings -----------------------------------------------------------------------------------

static void limit(void) {
  struct rlimit value = {(rlim_t)number(2), (rlim_t)number(3)};
  check(setrlimit((int)number(1), &value), "setrlimit");
}
static void scheduling(void) {
  struct sched_param priority = {.sched_priority = (int)number(2)};
  printf(" done=%d", sched_setscheduler(0, (int)number(1), &priority) == 0);
}
static void nice_value(void) { check(setpriority(PRIO_PROCESS, 0, (int)number(1)), "nice"); }
static void oom(void) {
  int file = check(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC), "oom_score_adj");
  check(write(file, words[1], strlen(words[1])), "oom_score_adj");
  close(file);
}
static void name(void) { prctl(PR_SET_NAME, words[1]); }
static void signals(void) {  // stay pending, as they are blocked
  for (long i = 0; i < number(1); i++)
    check(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), "sigqueue");
}

static const struct command own_commands[] = {
    {"user", user}, {"system", system_mode}, {"usage", usage}, {"threads", threads},
    {"brief_threads", brief_threads}, {"switches", switches}, {"contention", contention},
    {"memory", memory}, {"mappings", mappings}, {"minor_faults", minor_faults},
    {"major_faults", major_faults}, {"transfer", transfer}, {"storage", storage},
    {"cancelled", cancelled}, {"limit", limit}, {"scheduling", scheduling}, {"nice", nice_value},
    {"oom", oom}, {"name", name}, {"signals", signals}, {0, 0},
};

static const struct command *find(const char *name) {
  const struct command *lists[] = {own_commands, descriptor_commands, child_commands};
  for (int i = 0; i < 3; i++)
    for (const struct command *command = lists[i]; command->name; command++)
      if (!strcmp(command->name, name)) return command;
  fprintf(stderr, "load: unknown command %s\n", name);
  exit(2);
}

int main(int argc, char **argv) {
  char line[400];
  program = realpath("/proc/self/exe", 0);
  if (argc == 3 && !strcmp(argv[1], "end")) _exit(atoi(argv[2]));
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // For `signals`, in all threads.
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &blocked, 0);
  printf("ready %d\n", getpid());
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    memset(words, 0, sizeof words);
    sscanf(line, "%99s %99s %99s %99s", words[0], words[1], words[2], words[3]);
    const struct command *command = find(words[0]);
    printf("done");
    command->run();
    puts("");
    fflush(stdout);
  }
  return 0;
}
