// Descriptors of every kind, and sockets in every state that a process can hold them in.

#include "load.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static void descriptors(void) {  // N of each kind; a pipe is two descriptors
  sigset_t none;
  sigemptyset(&none);
  for (long i = 0; i < number(1); i++) {
    int ends[2];
    nameless_file(0);
    check(open("/", O_RDONLY | O_DIRECTORY), "/");
    check(pipe(ends), "pipe");
    check(eventfd(0, 0), "eventfd");
    check(epoll_create1(0), "epoll_create1");
    check(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd_create");
    check(signalfd(-1, &none, 0), "signalfd");
    check(inotify_init(), "inotify_init");
    check(syscall(SYS_pidfd_open, getpid(), 0), "pidfd_open");
    check(memfd_create("load", 0), "memfd_create");
    check(open("/dev/null", O_RDONLY), "/dev/null");
  }
}

static int pair_ends[64][2], pairs;

static int tcp_listener(int backlog, struct sockaddr_in *address) {
  socklen_t length = sizeof *address;
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int listener = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(bind(listener, (struct sockaddr *)address, length), "bind");
  check(listen(listener, backlog), "listen");
  getsockname(listener, (struct sockaddr *)address, &length);
  return listener;
}
static int tcp_client(const struct sockaddr_in *address, int flags) {
  int client = check(socket(AF_INET, SOCK_STREAM | flags, 0), "socket");
  if (connect(client, (struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS)
    die("connect");
  return client;
}
static void listen_queue(void) {  // a listener with BACKLOG, FILL clients that nobody accepts
  struct sockaddr_in address;
  tcp_listener((int)number(1), &address);
  for (long i = 0; i < number(2); i++) tcp_client(&address, 0);
  printf(" port=%d", ntohs(address.sin_port));
}
static void unanswered(void) {  // a client whose SYN is sent again and again: the queue is full
  struct sockaddr_in address;
  tcp_listener(0, &address);
  tcp_client(&address, 0);
  tcp_client(&address, SOCK_NONBLOCK);
}
static void tcp_pairs(void) {
  struct sockaddr_in address;
  int listener = tcp_listener(64, &address);
  for (long i = 0; i < number(1); i++, pairs++) {
    pair_ends[pairs][0] = tcp_client(&address, 0);
    pair_ends[pairs][1] = check(accept(listener, 0, 0), "accept");
  }
  close(listener);
}
static void send_all(int from, int to, long bytes) {
  static char block[4096];
  for (long left = bytes; left > 0;) {
    long part = left < (long)sizeof block ? left : (long)sizeof block;
    if (send(from, block, (size_t)part, 0) != part) die("send");
    if (recv(to, block, (size_t)part, MSG_WAITALL) != part) die("recv");
    left -= part;
  }
}
static void send_bytes(void) {  // each pair: THERE bytes to the acceptor, BACK bytes to the client
  for (int i = 0; i < pairs; i++) {
    send_all(pair_ends[i][0], pair_ends[i][1], number(1));
    send_all(pair_ends[i][1], pair_ends[i][0], number(2));
  }
}
static void half_close(void) {  // the last pair: FIN_WAIT2 here, CLOSE_WAIT there
  pairs--;
  check(shutdown(pair_ends[pairs][0], SHUT_WR), "shutdown");
  char byte;
  if (recv(pair_ends[pairs][1], &byte, 1, 0) != 0) die("recv");
  struct tcp_info info = {0};
  socklen_t length = sizeof info;
  while (info.tcpi_state != 5)  // until the other side has confirmed
    check(getsockopt(pair_ends[pairs][0], IPPROTO_TCP, TCP_INFO, &info, &length), "TCP_INFO");
}
static void close_pair(void) {
  pairs--;
  for (int i = 0; i < 2; i++) check(close(pair_ends[pairs][i]), "close");
}
static void datagrams(void) {  // one socket bound, one connected
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  int bound = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  check(bind(bound, (struct sockaddr *)&address, length), "bind");
  getsockname(bound, (struct sockaddr *)&address, &length);
  int client = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  check(connect(client, (struct sockaddr *)&address, length), "connect");
}
static void unix_sockets(void) {  // a listener without a file, and a pair
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int ends[2], listener = check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  check(bind(listener, (struct sockaddr *)&address, sizeof address.sun_family), "bind");
  check(listen(listener, 5), "listen");
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
}
static void tcp_facts(void) {  // what the kernel tells the owner of all its TCP sockets
  unsigned long long sent = 0, received = 0, retransmitted = 0, sockets = 0;
  for (int fd = 3; fd < 4096; fd++) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) continue;
    sockets++;
    if (info.tcpi_state == 10) continue;  // TCP_LISTEN
    sent += info.tcpi_bytes_sent;
    received += info.tcpi_bytes_received;
    retransmitted += info.tcpi_total_retrans;
  }
  printf(" sockets=%llu sent=%llu received=%llu retransmitted=%llu", sockets, sent, received,
         retransmitted);
}

const struct command descriptor_commands[] = {
    {"descriptors", descriptors}, {"listen", listen_queue}, {"unanswered", unanswered},
    {"pairs", tcp_pairs}, {"send", send_bytes}, {"half_close", half_close},
    {"close_pair", close_pair}, {"datagrams", datagrams}, {"unix_sockets", unix_sockets},
    {"tcp_facts", tcp_facts}, {0, 0},
};
