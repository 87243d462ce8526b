// sleepers N [NAME]: N processes named NAME (pv-sleeper) that only wait, to be watched.
//
// Prints "ready" when all exist. They end when standard input closes, and with their parent.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 0;
  if (count < 1) {
    fprintf(stderr, "usage: %s N [NAME]\n", argv[0]);
    return 2;
  }
  const char *name = argc > 2 ? argv[2] : "pv-sleeper";
  int started[2];
  if (pipe(started) != 0) {
    perror("pipe");
    return 1;
  }
  pid_t parent = getpid();
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (child < 0) {
      perror("fork");
      return 1;  // the children that exist get their SIGKILL
    }
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) return 0;
      prctl(PR_SET_NAME, name);
      close(started[0]);
      if (write(started[1], "x", 1) != 1) return 1;
      close(started[1]);
      for (;;) pause();
    }
  }
  char byte;
  for (int i = 0; i < count; i++)
    if (read(started[0], &byte, 1) != 1) return 1;
  puts("ready");
  fflush(stdout);
  while (read(0, &byte, 1) > 0) continue;
  return 0;  // PR_SET_PDEATHSIG ends the children
}
