/* The load client: many connections in one thread that reads, checks and counts. It is never the bottleneck.

   load_client HOST PORT KIND COUNT SNAPSHOT MARKS MARK      (arguments)
   KIND is `ws` (RFC 6455, whole unmasked text frames) or `http` (a chunked response, one or more messages a chunk).
   MARKS is `numbered`, `first` or `deflated`, see below.

   Standard input, in this order:
     one line with the sizes in bytes of the request, of the data after the handshake, and of the data after the first
     message (0 for none), and a number D; then those bytes. `{nnnn}` in the first and the last becomes six digits: the
     number of the connection, from 0, divided by D;
     then commands, a line each:
       expect N    report when every connection has seen N marks
       stats       report the counts since the last `stats`
   Standard output, a line each:
     seated T             every connection has got a message that contains SNAPSHOT
     complete N T         every connection has seen N marks
     stats MESSAGES BYTES P50 P99 MAX CPU   (latencies in µs, CPU of this process in µs)
     fault TEXT           a mark was lost, repeated or overtaken, or a stream ended; the process exits with 1
   T is CLOCK_MONOTONIC in ns, comparable with `time.perf_counter_ns()` of any process on the machine.

   A numbered mark is MARK followed by six digits: 000000, 000001, ... on each connection, each exactly once and in order.
   ` @` and nineteen digits after it (CLOCK_MONOTONIC in ns) are the time of publication.
   With `first`, which is for `ws`, a mark is a frame that begins with MARK, and a snapshot is one that begins with SNAPSHOT.
   With `deflated`, which is for `ws`, a mark is a compressed frame (RFC 7692); the first is the snapshot, unless a plain one is.
   A mark counts when its last byte has arrived. The kernel drops the bytes after the beginning, because copying and
   searching 600 KB a hundred times would take longer than the measured work. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 4 << 20, EVENTS = 512, AT_ONCE = 64, DIGITS = 6, STAMP = 19, BUCKETS = 1 << 22, GRAIN = 8, FIRST = 64 };

typedef struct {
  int fd, greeted, answered, seated;
  int in_snapshot, in_mark; /* kind of the frame that is being dropped */
  uint64_t dropping;        /* its remaining bytes */
  long seen;
  size_t pending;    /* bytes of an incomplete message */
  size_t room;
  char *rest;
} Connection;

static int is_ws, is_first, is_deflated;
static long count, seated, target = -1, missing, messages, bytes;
static const char *snapshot, *mark;
static size_t snapshot_size, mark_size;
static char *request, *hello, *answer;
static size_t request_size, hello_size, answer_size;
static int shared_by = 1;
static Connection *connections;
static char window[WINDOW];
static uint32_t *latencies; /* count per GRAIN µs; the last for everything above half a minute */
static long latency_count, latency_max;
static int opened, poll_fd;
static struct sockaddr_in peer;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

static void fault(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("fault ");
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
  exit(1);
}

static void *allocated(size_t size) {
  void *memory = calloc(1, size);
  if (!memory) fault("out of memory");
  return memory;
}

static void put(Connection *c, const void *data, size_t size) {
  /* The first and small data on an empty socket: it must fit. */
  if (write(c->fd, data, size) != (ssize_t)size) fault("could not send: %s", strerror(errno));
}

/* Sends `data` with the number of the connection in it. */
static void put_numbered(Connection *c, const char *data, size_t size) {
  static const char placeholder[] = "{nnnn}";
  const char *at = memmem(data, size, placeholder, DIGITS);
  char copy[size + 1], digits[16];
  memcpy(copy, data, size);
  snprintf(digits, sizeof digits, "%06d", (int)(c - connections) / shared_by);
  if (at) memcpy(copy + (at - data), digits, DIGITS);
  put(c, copy, size);
}

static void note_latency(const char *stamp) {
  int64_t sent = 0;
  for (int i = 0; i < STAMP; i++) {
    if (stamp[i] < '0' || stamp[i] > '9') return;
    sent = sent * 10 + (stamp[i] - '0');
  }
  int64_t us = (now_ns() - sent) / 1000;
  if (us < 0) us = 0;
  if (us > latency_max) latency_max = us;
  latencies[us / GRAIN < BUCKETS ? us / GRAIN : BUCKETS - 1]++;
  latency_count++;
}

static void count_number(Connection *c, const char *digits, const char *end) {
  if (end - digits < DIGITS) fault("a mark was cut short");
  long number = 0;
  for (int i = 0; i < DIGITS; i++) number = number * 10 + (digits[i] - '0');
  if (number != c->seen) fault("expected mark %ld, got %ld", c->seen, number);
  const char *stamp = digits + DIGITS;
  if (end - stamp >= 2 + STAMP && stamp[0] == ' ' && stamp[1] == '@') note_latency(stamp + 2);
}

static void count_seen(Connection *c) {
  c->seen++;
  messages++;
  if (c->seen == target && --missing == 0) say("complete %ld %lld", target, (long long)now_ns());
}

static void seat(Connection *c) {
  if (c->seated) return;
  c->seated = 1;
  if (++seated == count) say("seated %lld", (long long)now_ns());
}

/* Handles complete data of one or more messages. */
static void judge(Connection *c, const char *data, size_t size) {
  const char *end = data + size;
  if (!c->answered) {
    c->answered = 1;
    if (answer_size) put_numbered(c, answer, answer_size);
  }
  if (!c->seated && memmem(data, size, snapshot, snapshot_size)) seat(c);
  while (data < end && (data = memmem(data, end - data, mark, mark_size))) {
    data += mark_size;
    count_number(c, data, end);
    count_seen(c);
  }
}

static int begins_with(const char *data, size_t size, const char *start, size_t start_size) {
  return size >= start_size && !memcmp(data, start, start_size);
}

/* Handles the beginning of a frame. */
static void judge_first(Connection *c, const char *data, size_t size) {
  c->in_snapshot = begins_with(data, size, snapshot, snapshot_size);
  c->in_mark = begins_with(data, size, mark, mark_size);
}

/* Counts a frame, identified by its beginning, when it is complete. */
static void end_first(Connection *c) {
  if (c->in_snapshot) seat(c);
  if (c->in_mark) count_seen(c);
}

/* Returns the number of bytes of complete frames in `data`. */
static size_t take_frames(Connection *c, const unsigned char *data, size_t size) {
  size_t at = 0;
  while (size - at >= 2) {
    size_t start = at + 2;
    uint64_t length = data[at + 1];
    if (length >= 126) {
      int wide = length == 126 ? 2 : 8;
      start += wide;
      if (start > size) break;
      length = 0;
      for (int i = 0; i < wide; i++) length = length << 8 | data[at + 2 + i];
    }
    size_t here = size - start;
    if (is_first && data[at] == 0x81 && here >= (length < FIRST ? length : FIRST)) {
      judge_first(c, (const char *)data + start, length < FIRST ? length : FIRST);
      if (length > here) {
        c->dropping = length - here;
        return size;
      }
      end_first(c);
    } else if (length > here) {
      break;
    } else if (is_deflated && data[at] == 0xc1) {
      if (c->seated) count_seen(c);
      else seat(c);
    } else if (is_deflated && data[at] == 0x81) {
      if (memmem(data + start, length, snapshot, snapshot_size)) seat(c); /* too short to be compressed */
    } else if (data[at] == 0x81) {
      judge(c, (const char *)data + start, length);
    } else if (data[at] == 0x89 && length < 126) {
      unsigned char pong[131] = {0x8a, 0x80 | length}; /* masked with zeros, so unchanged */
      memcpy(pong + 6, data + start, length);
      put(c, pong, 6 + length);
    } else {
      fault("expected whole text frames, got %#x %.*s", data[at], length > 100 ? 100 : (int)length, data + start);
    }
    at = start + length;
  }
  return at;
}

/* Returns the number of bytes of complete chunks in `data` (RFC 9112, 7.1). */
static size_t take_chunks(Connection *c, const char *data, size_t size) {
  size_t at = 0;
  while (at < size) {
    const char *line_end = memmem(data + at, size - at, "\r\n", 2);
    if (!line_end) break;
    size_t length = strtoul(data + at, NULL, 16), start = line_end + 2 - data;
    if (length == 0) fault("the server ended a stream");
    if (start + length + 2 > size) break;
    judge(c, data + start, length);
    at = start + length + 2;
  }
  return at;
}

/* Returns the size of the answer's head, 0 while it is incomplete. */
static size_t greet(Connection *c, const char *data, size_t size) {
  const char *end = memmem(data, size, "\r\n\r\n", 4);
  if (!end) return 0;
  const char *welcome = is_ws ? "HTTP/1.1 101" : "HTTP/1.1 200";
  if (memcmp(data, welcome, 12)) fault("expected %s, got %.200s", welcome, data);
  c->greeted = 1;
  if (hello_size) put(c, hello, hello_size);
  return end + 4 - data;
}

static void keep(Connection *c, const char *data, size_t size) {
  if (size > c->room) {
    c->room = size * 2;
    c->rest = realloc(c->rest, c->room);
    if (!c->rest) fault("out of memory");
  }
  memcpy(c->rest, data, size);
  c->pending = size;
  if (!size && c->rest) {
    free(c->rest); /* idle connections must use no memory here */
    c->rest = NULL;
    c->room = 0;
  }
}

/* Reads, or drops if `into` is NULL; returns 0 if there is no data. */
static size_t read_some(Connection *c, char *into, size_t size) {
  ssize_t got = recv(c->fd, into, size, into ? 0 : MSG_TRUNC); /* MSG_TRUNC drops without copying, tcp(7) */
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (got <= 0) fault("the server ended a stream behind mark %ld: %s", c->seen, got ? strerror(errno) : "closed");
  bytes += got;
  return got;
}

static void receive(Connection *c) {
  if (c->dropping) {
    c->dropping -= read_some(c, NULL, c->dropping);
    if (!c->dropping) end_first(c);
    return;
  }
  memcpy(window, c->rest ? c->rest : window, c->pending);
  size_t room = WINDOW - c->pending;
  if (!room) fault("a message is longer than %d bytes", WINDOW);
  /* Only heads and beginnings if the rest is to be dropped. */
  size_t got = read_some(c, window + c->pending, is_first && room > 16 * FIRST ? 16 * FIRST : room);
  if (!got) return;
  size_t size = c->pending + got, at = 0;
  if (!c->greeted) at = greet(c, window, size);
  if (c->greeted)
    at += is_ws ? take_frames(c, (unsigned char *)window + at, size - at) : take_chunks(c, window + at, size - at);
  keep(c, window + at, size - at);
}

static void open_one(void) {
  Connection *c = &connections[opened++];
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&peer, sizeof peer)) fault("could not connect: %s", strerror(errno));
  int yes = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  put_numbered(c, request, request_size);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event)) fault("epoll: %s", strerror(errno));
}

static void tell_stats(void) {
  static double cpu_before;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  long p50 = -1, p99 = -1, so_far = 0;
  for (long at = 0; so_far < latency_count; at++) {
    so_far += latencies[at];
    if (p50 < 0 && so_far * 2 >= latency_count) p50 = at * GRAIN;
    if (p99 < 0 && so_far * 100 >= latency_count * 99) p99 = at * GRAIN;
    latencies[at] = 0;
  }
  say("stats %ld %ld %ld %ld %ld %.0f", messages, bytes, p50, p99, latency_count ? latency_max : -1, cpu - cpu_before);
  cpu_before = cpu;
  messages = bytes = latency_count = latency_max = 0;
}

static void obey(const char *line) {
  if (sscanf(line, "expect %ld", &target) == 1) {
    missing = 0;
    for (long i = 0; i < count; i++) missing += connections[i].seen < target;
    if (!missing) say("complete %ld %lld", target, (long long)now_ns());
  } else if (!strncmp(line, "stats", 5)) {
    tell_stats();
  } else {
    fault("expected a command, got %.100s", line);
  }
}

/* Reads exactly `size` bytes of standard input, unbuffered so that epoll reports remaining bytes. */
static char *input(size_t size) {
  char *data = allocated(size + 1);
  for (size_t at = 0; at < size;) {
    ssize_t got = read(0, data + at, size - at);
    if (got <= 0) exit(0);
    at += got;
  }
  return data;
}

static char *input_line(void) {
  static char line[256];
  size_t at = 0;
  while (at < sizeof line - 1) {
    if (read(0, line + at, 1) != 1) exit(0); /* the parent has ended */
    if (line[at] == '\n') break;
    at++;
  }
  line[at] = 0;
  return line;
}

int main(int argc, char **argv) {
  if (argc != 8) fault("expected HOST PORT KIND COUNT SNAPSHOT MARKS MARK");
  peer.sin_family = AF_INET;
  peer.sin_port = htons(atoi(argv[2]));
  if (inet_pton(AF_INET, argv[1], &peer.sin_addr) != 1) fault("expected an IPv4 address, got %s", argv[1]);
  is_ws = !strcmp(argv[3], "ws");
  count = atol(argv[4]);
  snapshot = argv[5], snapshot_size = strlen(snapshot);
  is_first = !strcmp(argv[6], "first");
  is_deflated = !strcmp(argv[6], "deflated");
  mark = argv[7], mark_size = strlen(mark);
  if (is_first && (!is_ws || mark_size > FIRST || snapshot_size > FIRST)) fault("expected `numbered`, or short marks of `ws`");
  if (sscanf(input_line(), "%zu %zu %zu %d", &request_size, &hello_size, &answer_size, &shared_by) != 4 || shared_by < 1)
    fault("expected three sizes and a number");
  request = input(request_size);
  hello = input(hello_size);
  answer = input(answer_size);
  connections = allocated(count * sizeof *connections);
  latencies = allocated(BUCKETS * sizeof *latencies);
  poll_fd = epoll_create1(0);
  struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL}, ready[EVENTS];
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &commands);
  for (;;) {
    /* Not all at once: the backlog of the server must not be measured. */
    while (opened < count && opened - seated < AT_ONCE) open_one();
    int n = epoll_wait(poll_fd, ready, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      if (ready[i].data.ptr) receive(ready[i].data.ptr);
      else obey(input_line());
    }
  }
}
