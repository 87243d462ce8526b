// vitals: a process whose vital signs are known, for tests that compare them.
//
// It prints "ready", then obeys one command per line of standard input and answers "done":
//   open N        opens N files            threads N   starts N threads that wait
//   burn SECONDS  uses that much CPU time  alloc MIB   touches that much memory and keeps it
//   map SECONDS   maps and unmaps memory all the time, so that its mmap lock is never free
//   fork N        starts N children that only wait; they end with their parent
//   spend SECONDS a child uses that much CPU time and is waited for
//   close N       closes the N files opened last
//   write BYTES   writes that many bytes to /dev/null in one call
//   name TEXT     changes the process' name
//   exit N        ends with that status    abort       ends by SIGABRT
// Standard input's end ends it with status 0.

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
  perror(what);
  exit(125);
}

static double clock_seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void burn(double seconds) {
  double end = clock_seconds(CLOCK_THREAD_CPUTIME_ID) + seconds;
  while (clock_seconds(CLOCK_THREAD_CPUTIME_ID) < end) continue;
}

static void *wait_for_ever(void *unused) {
  for (;;) pause();
  return unused;
}

static void map_and_unmap(double seconds) {
  const size_t size = 256 << 20;
  double end = clock_seconds(CLOCK_MONOTONIC) + seconds;
  while (clock_seconds(CLOCK_MONOTONIC) < end) {
    void *memory = mmap(0, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    munmap(memory, size);
  }
}

static void child(double seconds) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid > 0) {
    if (seconds > 0) waitpid(pid, 0, 0);
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  if (seconds > 0) {
    burn(seconds);
    _exit(0);
  }
  wait_for_ever(0);
}

static int last = -1; // of the open files

static void obey(const char *command, const char *text) {
  double number = atof(text);
  if (!strcmp(command, "open")) {
    for (int i = 0; i < (int)number; i++)
      if ((last = open("/dev/null", O_RDONLY)) < 0) die("open");
  } else if (!strcmp(command, "close")) {
    for (int i = 0; i < (int)number; i++)
      if (close(last--) != 0) die("close");
  } else if (!strcmp(command, "threads")) {
    for (int i = 0; i < (int)number; i++) {
      pthread_t thread;
      if (pthread_create(&thread, 0, wait_for_ever, 0) != 0) die("pthread_create");
    }
  } else if (!strcmp(command, "burn")) {
    burn(number);
  } else if (!strcmp(command, "alloc")) {
    size_t size = (size_t)number << 20;
    void *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    memset(memory, 1, size);
  } else if (!strcmp(command, "map")) {
    map_and_unmap(number);
  } else if (!strcmp(command, "fork")) {
    for (int i = 0; i < (int)number; i++) child(0);
  } else if (!strcmp(command, "spend")) {
    child(number);
  } else if (!strcmp(command, "write")) {
    int sink = open("/dev/null", O_WRONLY);
    char *bytes = calloc(1, (size_t)number);
    if (sink < 0 || !bytes || write(sink, bytes, (size_t)number) != (ssize_t)number) die("write");
    free(bytes);
    close(sink);
  } else if (!strcmp(command, "name")) {
    prctl(PR_SET_NAME, text);
  } else if (!strcmp(command, "exit")) {
    exit((int)number);
  } else if (!strcmp(command, "abort")) {
    abort();
  } else {
    fprintf(stderr, "vitals: unknown command %s\n", command);
    exit(2);
  }
}

int main(void) {
  char line[256];
  setvbuf(stdout, 0, _IOLBF, 0);
  puts("ready");
  while (fgets(line, sizeof line, stdin)) {
    char command[32] = "", text[200] = "";
    if (sscanf(line, "%31s %199[^\n]", command, text) < 1) continue;
    obey(command, text);
    puts("done");
  }
  return 0;
}
