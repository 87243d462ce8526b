// Children that wait, end in known ways, live for a moment, or come and go by the thousand.

#include "load.h"

#include <sys/wait.h>

static int orders[2] = {-1, -1};  // what waiting children read their end from

static void end_with(const char *how, int value) {
  if (!strcmp(how, "exit")) _exit(value);
  struct rlimit core = {.rlim_cur = !strcmp(how, "core") ? 1 << 24 : 0, .rlim_max = 1 << 24};
  setrlimit(RLIMIT_CORE, &core);
  signal(value, SIG_DFL);
  raise(value);
  _exit(125);
}
static pid_t new_child(void) {
  fflush(stdout);
  pid_t parent = getpid(), child = (pid_t)check(fork(), "fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
  }
  return child;
}
static void report_end(int status) {
  if (WIFEXITED(status)) printf(" exit=%d", WEXITSTATUS(status));
  else printf(" signal=%d core=%d", WTERMSIG(status), WCOREDUMP(status) != 0);
}
static void children(void) {  // N children that wait for `finish`; words[2] is their name
  if (orders[0] < 0) check(pipe2(orders, O_CLOEXEC), "pipe2");
  for (long i = 0; i < number(1); i++) {
    if (new_child() > 0) continue;
    char order[8];
    int value;
    if (words[2][0]) prctl(PR_SET_NAME, words[2]);
    if (read(orders[0], order, sizeof order) != sizeof order) _exit(125);
    value = order[7];
    order[7] = 0;
    end_with(order, value);
  }
}
static void finish(void) {  // one of them ends: exit N, signal N or core N
  char order[8] = {0};
  int status;
  memcpy(order, words[1], 6);
  order[7] = (char)number(2);
  check(write(orders[1], order, sizeof order), "write");
  check(waitpid(-1, &status, 0), "waitpid");
  report_end(status);
}
static void grow(void) {  // a child in the control group words[1] takes MIB
  int status;
  if (new_child() == 0) {
    int group = open(words[1], O_WRONLY | O_CLOEXEC);
    if (group < 0 || write(group, "0", 1) != 1) _exit(125);
    usleep(300000);  // to be seen before its end
    touch(map(mebibytes(2), MAP_PRIVATE | MAP_ANONYMOUS, -1), mebibytes(2), 1);
    _exit(0);
  }
  check(waitpid(-1, &status, 0), "waitpid");
  report_end(status);
}

// Ends of many children, by status, and what they used since that was last reported.
static long ends_by_exit[256], ends_by_signal[65];
static double children_cpu;

static void reap(int flags) {
  struct rusage used;
  int status;
  while (wait4(-1, &status, flags, &used) > 0) {
    if (WIFEXITED(status)) ends_by_exit[WEXITSTATUS(status)]++;
    else ends_by_signal[WTERMSIG(status)]++;
    children_cpu += timeval_seconds(used.ru_utime) + timeval_seconds(used.ru_stime);
  }
}
static void report_ends(void) {
  for (int i = 0; i < 256; i++)
    if (ends_by_exit[i]) printf(" exit%d=%ld", i, ends_by_exit[i]);
  for (int i = 0; i < 65; i++)
    if (ends_by_signal[i]) printf(" signal%d=%ld", i, ends_by_signal[i]);
  printf(" cpu=%.6f", children_cpu);
  children_cpu = 0;
}
static void brief_children(void) {  // N, one after another, of so many CPU seconds each
  for (long i = 0; i < number(1); i++) {
    if (new_child() == 0) {
      burn_user(seconds(2));
      _exit((int)number(3));
    }
    reap(0);
  }
  report_ends();
}

static void *churn_body(void *unused) {
  give_up_cpu(5);
  return unused;
}
static void churn_life(long turn) {
  switch (turn % 8) {
    case 0: _exit(0);
    case 1: _exit((int)(turn / 8 % 3));
    case 2: burn_user(0.002); _exit(0);
    case 3: raise(SIGKILL); break;
    case 4: usleep(30000); raise(SIGTERM); break;
    case 5: burn_user(0.01); usleep(100000); _exit(7);
    case 6: execl(program, words[2], "end", "5", (char *)0); break;
    default:
      for (int i = 0; i < 3; i++) {
        pthread_t thread;
        if (pthread_create(&thread, 0, churn_body, 0) == 0) pthread_detach(thread);
      }
      give_up_cpu(20);
      _exit(3);
  }
  _exit(125);
}
static void churn(void) {  // SECONDS of forks, execs, ends and threads; execs go by words[2]
  double end = clock_seconds(CLOCK_MONOTONIC) + seconds(1);
  for (long turn = 0; clock_seconds(CLOCK_MONOTONIC) < end; turn++) {
    if (new_child() == 0) churn_life(turn);
    pthread_t thread;
    if (pthread_create(&thread, 0, churn_body, 0) != 0) die("pthread_create");
    pthread_join(thread, 0);
    reap(WNOHANG);
  }
  reap(0);
  report_ends();
}

static void replace(void) {  // becomes the program again, under another name; answers "ready"
  fflush(stdout);
  execl(program, words[1], (char *)0);
  die("execl");
}
static void leave(void) { end_with(words[1], (int)number(2)); }

const struct command child_commands[] = {
    {"children", children}, {"finish", finish}, {"grow", grow}, {"brief_children", brief_children},
    {"churn", churn}, {"exec", replace}, {"end", leave}, {0, 0},
};
