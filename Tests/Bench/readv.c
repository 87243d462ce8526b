// readv PID TIMES: reads the pieces of another process' memory that standard input lists, "ADDRESS
// LENGTH" each, so many times, and prints the nanoseconds of CPU time of one call.
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  static struct iovec pieces[1024];
  static char buffer[1 << 20];
  uint64_t address, length, size = 0;
  int n = 0;
  while (n < 1024 && scanf("%" SCNu64 " %" SCNu64, &address, &length) == 2) {
    pieces[n++] = (struct iovec){(void *)address, length};
    size += length;
  }
  if (size > sizeof buffer) return 2;
  struct iovec local = {buffer, size};
  int times = atoi(arguments[2]);
  int64_t spent = 0;
  for (int i = 0; i < times; i++) {
    int64_t start = now();
    if (process_vm_readv(atoi(arguments[1]), &local, 1, pieces, n, 0) != (ssize_t)size) {
      perror("process_vm_readv");
      return 1;
    }
    spent += now() - start;
  }
  printf("%" PRId64 "\n", spent / times);
}
