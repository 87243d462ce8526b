// What the parts of load share. A command is a function without arguments that finds them in
// `words`, and prints its facts as " KEY=VALUE".

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

extern char words[4][100];  // the command and its arguments, "" where there is none
extern const char *program;  // the path of this program

// Ends the program when a call has failed.
void die(const char *what);
long check(long result, const char *what);

long number(int place);
double seconds(int place);
size_t mebibytes(int place);
double clock_seconds(clockid_t clock);
double timeval_seconds(struct timeval time);

void burn_user(double amount);
void give_up_cpu(long times);
int nameless_file(size_t size);
char *map(size_t size, int flags, int file);
void touch(char *memory, size_t size, int write);

struct command {
  const char *name;
  void (*run)(void);
};
// Each list ends with a name of 0.
extern const struct command descriptor_commands[], child_commands[];
