/** Sits between a process and libc (LD_PRELOAD): names, logs and counts each call on files below one home, and fails, stalls or kills at one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* A point is MARK CALL FILE NUMBER: the NUMBER-th CALL on a file of this class since the process said MARK. */
#define NAME 32
enum { SLOTS = 4, FDS = 4096, COUNTS = 512 };
enum effect { NONE, FAIL, FULL, READONLY, LOCKED, STALL, KILL_BEFORE, KILL_HALF, KILL_AFTER, RAISE, END };
static const char *const effects[] = {"none",  "fail",        "full",      "readonly",   "locked", "stall",
                                      "kill-before", "kill-half", "kill-after", "raise",  "end"};

struct slot {
  int set, fired, number, argument, left;
  enum effect effect;
  char mark[NAME], call[NAME], file[NAME];
};
struct count {
  int number;
  char mark[NAME], call[NAME], file[NAME];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS];
static struct count counts[COUNTS];
static struct open_file {
  char *path;
  dev_t device;
  ino_t inode;
} opened[FDS];
static char home[PATH_MAX], mark[NAME] = "start";
static int log_fd = -1, is_child, is_stalled, sleep_scale = 1;

#define REAL(result, name, ...)                                                                                        \
  static result (*real_##name)(__VA_ARGS__);                                                                           \
  if (!real_##name) real_##name = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static void raw_write(const void *data, size_t size) {
  const char *at = data;
  while (size > 0) {
    ssize_t done = syscall(SYS_write, log_fd, at, size);
    if (done <= 0) return;
    at += done;
    size -= done;
  }
}

static int below_home(const char *path) {
  size_t size = strlen(home);
  return size > 0 && path && strncmp(path, home, size) == 0 && (path[size] == '/' || path[size] == 0);
}

static int ends(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static const char *class_of(const char *path) {
  if (ends(path, "-wal")) return "wal";
  if (ends(path, "-shm")) return "shm";
  if (ends(path, "-journal")) return "journal";
  if (ends(path, ".sqlite")) return "ledger";
  if (ends(path, ".tmp")) return "temp";
  if (ends(path, ".age")) return "credential";
  if (ends(path, "identity.txt")) return "identity";
  return "directory";
}

/* One record: SEQUENCE MARK CALL FILE NUMBER RESULT OFFSET SIZE PATH [TO], a line feed, and SIZE bytes that were written. */
static void record(const char *call, const char *file, int number, long result, long long offset, size_t size,
                   const void *data, const char *path, const char *to) {
  static long sequence;
  if (log_fd < 0) return;
  char line[3 * PATH_MAX];
  int length = snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\t%d\t%ld\t%lld\t%zu\t%s\t%s\n", sequence++, mark, call,
                        file, number, result, offset, data ? size : 0, path ? path : "", to ? to : "");
  raw_write(line, length);
  if (data) raw_write(data, size);
}

static int count_of(const char *call, const char *file) {
  for (int i = 0; i < COUNTS; i += 1) {
    struct count *each = &counts[i];
    if (each->number == 0) {
      snprintf(each->mark, NAME, "%s", mark);
      snprintf(each->call, NAME, "%s", call);
      snprintf(each->file, NAME, "%s", file);
    }
    if (strcmp(each->mark, mark) || strcmp(each->call, call) || strcmp(each->file, file)) continue;
    return each->number += 1;
  }
  return -1;
}

static int changes(const char *call) {
  return strcmp(call, "read") && strcmp(call, "fsync") && strcmp(call, "mark") && strcmp(call, "lock") &&
         strcmp(call, "fork") && strcmp(call, "open");
}

static int grows(const char *call) {
  return !strcmp(call, "write") || !strcmp(call, "create") || !strcmp(call, "mkdir") || !strcmp(call, "link");
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

struct fault {
  enum effect effect;
  int argument, number;
};

/* What is to happen at this call. Once hit, a condition of the disk or of a lock holds on until it is lifted. */
static struct fault meet(const char *call, const char *file) {
  struct fault fault = {NONE, 0, 0};
  fault.number = count_of(call, file);
  for (int i = 0; i < SLOTS; i += 1) {
    struct slot *slot = &slots[i];
    if (!slot->set) continue;
    int here = !strcmp(slot->mark, mark) && !strcmp(slot->call, call) && !strcmp(slot->file, file) &&
               slot->number == fault.number;
    int lasting = slot->fired && slot->left != 0 &&
                  ((slot->effect == FULL && grows(call)) || (slot->effect == READONLY && changes(call)) ||
                   (slot->effect == LOCKED && !strcmp(call, "lock")) || (slot->effect == FAIL && here));
    if (!(here && !slot->fired) && !lasting) continue;
    if (slot->left > 0) slot->left -= 1;
    slot->fired += 1;
    fault.effect = slot->effect;
    fault.argument = slot->argument;
    if (slot->effect == FULL) fault.argument = ENOSPC;
    if (slot->effect == READONLY) fault.argument = EROFS;
    if (slot->effect == LOCKED) fault.argument = EAGAIN;
    return fault;
  }
  return fault;
}

static void before(struct fault fault) {
  if (fault.effect == KILL_BEFORE) die();
  if (fault.effect == RAISE) syscall(SYS_kill, getpid(), fault.argument);
  if (fault.effect != STALL) return;
  /* What stalls the main thread stalls the process; another thread is held until the end of the schedule. */
  struct timespec tick = {0, 10 * 1000 * 1000};
  int main_thread = getpid() == (pid_t)syscall(SYS_gettid);
  is_stalled = 1;
  pthread_mutex_unlock(&lock);
  for (int i = 0; i < (main_thread ? fault.argument / 10 : 6000) && is_stalled; i += 1) syscall(SYS_nanosleep, &tick, 0);
  pthread_mutex_lock(&lock);
}

static int refuses(struct fault fault) {
  return fault.effect == FAIL || fault.effect == FULL || fault.effect == READONLY || fault.effect == LOCKED;
}

/* Runs one call under the lock, so that the log has the order in which the calls took effect. */
#define AT(call, file, path, to, offset, data, size, expression)                                                      \
  do {                                                                                                                 \
    pthread_mutex_lock(&lock);                                                                                         \
    struct fault fault = meet(call, file);                                                                             \
    before(fault);                                                                                                     \
    long outcome;                                                                                                      \
    if (refuses(fault)) {                                                                                              \
      errno = fault.argument;                                                                                          \
      outcome = -1;                                                                                                    \
    } else                                                                                                             \
      outcome = (expression);                                                                                          \
    int kept = errno;                                                                                                  \
    record(call, file, fault.number, outcome, offset, (data) && outcome > 0 ? (size_t)outcome : 0,                     \
           outcome > 0 ? (data) : NULL, path, to);                                                                     \
    if (fault.effect == KILL_AFTER || fault.effect == KILL_HALF) die();                                                \
    pthread_mutex_unlock(&lock);                                                                                       \
    errno = kept;                                                                                                      \
    return outcome;                                                                                                    \
  } while (0)

/* libuv closes by a bare system call, which we do not see: a number given anew is another file. */
static const char *path_of(int fd) {
  if (fd < 0 || fd >= FDS || is_child || !opened[fd].path) return NULL;
  struct stat now;
  if (fstat(fd, &now) || now.st_dev != opened[fd].device || now.st_ino != opened[fd].inode) return NULL;
  return opened[fd].path;
}

static void copy(char *to, char **from) {
  char *word = strsep(from, "/");
  snprintf(to, NAME, "%s", word ? word : "");
}

/* The process steers us by opening paths that nobody has: /.faults/VERB/ARGUMENTS. */
static void command(char *text) {
  char verb[NAME];
  copy(verb, &text);
  pthread_mutex_lock(&lock);
  if (!strcmp(verb, "home")) {
    snprintf(home, sizeof home, "%s", text ? text : "");
    memset(counts, 0, sizeof counts);
    memset(slots, 0, sizeof slots);
    snprintf(mark, NAME, "start");
  } else if (!strcmp(verb, "log")) {
    if (log_fd >= 0) syscall(SYS_close, log_fd);
    log_fd = text && *text ? syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  } else if (!strcmp(verb, "arm")) {
    for (int i = 0; i < SLOTS; i += 1) {
      struct slot *slot = &slots[i];
      char word[NAME];
      if (slot->set) continue;
      slot->set = 1;
      copy(slot->mark, &text);
      copy(slot->call, &text);
      copy(slot->file, &text);
      copy(word, &text);
      slot->number = atoi(word);
      copy(word, &text);
      for (int effect = NONE; effect <= END; effect += 1)
        if (!strcmp(word, effects[effect])) slot->effect = effect;
      copy(word, &text);
      slot->argument = atoi(word);
      copy(word, &text);
      slot->left = atoi(word);
      break;
    }
  } else if (!strcmp(verb, "lift")) {
    is_stalled = 0;
    if (log_fd >= 0)
      for (int i = 0; i < SLOTS; i += 1)
        if (slots[i].set) record("fired", "slot", i, slots[i].fired, 0, 0, NULL, "", "");
    memset(slots, 0, sizeof slots);
  } else if (!strcmp(verb, "mark")) {
    snprintf(mark, NAME, "%s", text ? text : "");
    struct fault fault = meet("mark", "none");
    before(fault);
    record("mark", "none", fault.number, 0, 0, 0, NULL, "", "");
    if (fault.effect == KILL_AFTER || fault.effect == KILL_HALF) die();
  }
  pthread_mutex_unlock(&lock);
}

static const char prefix[] = "/.faults/";

static int open_real(const char *path, int flags, mode_t mode) {
  REAL(int, open64, const char *, int, ...);
  int fd = real_open64(path, flags, mode);
  if (fd >= 0 && fd < FDS && !is_child) {
    struct stat now = {0};
    struct open_file *file = &opened[fd];
    free(file->path);
    file->path = below_home(path) && !fstat(fd, &now) ? strdup(path) : NULL;
    file->device = now.st_dev;
    file->inode = now.st_ino;
  }
  return fd;
}

static int open_any(const char *path, int flags, mode_t mode) {
  if (!is_child && path && !strncmp(path, prefix, sizeof prefix - 1)) {
    char *text = strdup(path + sizeof prefix - 1);
    command(text);
    free(text);
    errno = ENOENT;
    return -1;
  }
  if (is_child || !below_home(path)) return open_real(path, flags, mode);
  struct stat there;
  int creates = (flags & O_CREAT) && lstat(path, &there) != 0;
  const char *call = creates ? "create" : "open";
  AT(call, class_of(path), path, (flags & O_TRUNC) ? "truncate" : "", 0, NULL, 0, open_real(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_any(path, flags, mode);
}
int open(const char *path, int flags, ...) __attribute__((alias("open64")));

/* A full disk takes what it can first, and a crash may come amid a write. */
static size_t part(struct fault fault, size_t size) {
  return (fault.effect == KILL_HALF || fault.effect == FULL) && size > 1 ? size / 2 : size;
}

static ssize_t write_at(int fd, const void *data, size_t size, off64_t offset, int positioned) {
  REAL(ssize_t, write, int, const void *, size_t);
  REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
  const char *path = path_of(fd);
  if (!path) return positioned ? real_pwrite64(fd, data, size, offset) : real_write(fd, data, size);
  if (!positioned) offset = lseek(fd, 0, SEEK_CUR);
  AT("write", class_of(path), path, "", (long long)offset, data, size,
     positioned ? real_pwrite64(fd, data, part(fault, size), offset) : real_write(fd, data, part(fault, size)));
}
ssize_t write(int fd, const void *data, size_t size) { return write_at(fd, data, size, 0, 0); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return write_at(fd, data, size, offset, 1); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return write_at(fd, data, size, offset, 1); }

ssize_t writev(int fd, const struct iovec *parts, int number) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  if (!path_of(fd) || number < 1) return real_writev(fd, parts, number);
  return write_at(fd, parts[0].iov_base, parts[0].iov_len, 0, 0);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset) {
  REAL(ssize_t, pread64, int, void *, size_t, off64_t);
  const char *path = path_of(fd);
  if (!path) return real_pread64(fd, data, size, offset);
  AT("read", class_of(path), path, "", (long long)offset, NULL, 0, real_pread64(fd, data, size, offset));
}
ssize_t pread(int fd, void *data, size_t size, off_t offset) { return pread64(fd, data, size, offset); }

/* Of what has no path, only the vendor's pipes are of interest, which libuv makes of sockets. */
ssize_t read(int fd, void *data, size_t size) {
  REAL(ssize_t, read, int, void *, size_t);
  if (is_child || !*home) return real_read(fd, data, size);
  const char *path = path_of(fd);
  if (path) AT("read", class_of(path), path, "", -1LL, NULL, 0, real_read(fd, data, size));
  struct stat stat;
  if (strcmp(mark, "vendor") || size < 65536 || fstat(fd, &stat) || !S_ISSOCK(stat.st_mode))
    return real_read(fd, data, size);
  ssize_t got = real_read(fd, data, size);
  if (got < 0) return got;
  AT("read", "pipe", "", "", -1LL, NULL, 0, fault.effect == END ? 0 : got);
}

static int sync_real(int fd, int only_data) {
  REAL(int, fsync, int);
  REAL(int, fdatasync, int);
  return only_data ? real_fdatasync(fd) : real_fsync(fd);
}
static int sync_any(int fd, int only_data) {
  const char *path = path_of(fd);
  if (!path) return sync_real(fd, only_data);
  AT("fsync", class_of(path), path, "", 0, NULL, 0, sync_real(fd, only_data));
}
int fsync(int fd) { return sync_any(fd, 0); }
int fdatasync(int fd) { return sync_any(fd, 1); }

int ftruncate64(int fd, off64_t size) {
  REAL(int, ftruncate64, int, off64_t);
  const char *path = path_of(fd);
  if (!path) return real_ftruncate64(fd, size);
  AT("truncate", class_of(path), path, "", (long long)size, NULL, 0, real_ftruncate64(fd, size));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fchmod(int fd, mode_t mode) {
  REAL(int, fchmod, int, mode_t);
  const char *path = path_of(fd);
  if (!path) return real_fchmod(fd, mode);
  AT("chmod", class_of(path), path, "", mode, NULL, 0, real_fchmod(fd, mode));
}

int chmod(const char *path, mode_t mode) {
  REAL(int, chmod, const char *, mode_t);
  if (is_child || !below_home(path)) return real_chmod(path, mode);
  AT("chmod", class_of(path), path, "", mode, NULL, 0, real_chmod(path, mode));
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  if (is_child || !below_home(path)) return real_mkdir(path, mode);
  AT("mkdir", "directory", path, "", mode, NULL, 0, real_mkdir(path, mode));
}

int unlink(const char *path) {
  REAL(int, unlink, const char *);
  if (is_child || !below_home(path)) return real_unlink(path);
  AT("unlink", class_of(path), path, "", 0, NULL, 0, real_unlink(path));
}

int rename(const char *path, const char *to) {
  REAL(int, rename, const char *, const char *);
  if (is_child || !below_home(to)) return real_rename(path, to);
  AT("rename", class_of(to), path, to, 0, NULL, 0, real_rename(path, to));
}

int link(const char *path, const char *to) {
  REAL(int, link, const char *, const char *);
  if (is_child || !below_home(to)) return real_link(path, to);
  AT("link", class_of(to), path, to, 0, NULL, 0, real_link(path, to));
}

/* SQLite's locks. Only taking one to write can meet another process that holds it. */
int fcntl64(int fd, int command, ...) {
  REAL(int, fcntl64, int, int, ...);
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  const char *path = path_of(fd);
  if (!path || command != F_SETLK || ((struct flock *)argument)->l_type != F_WRLCK)
    return real_fcntl64(fd, command, argument);
  AT("lock", class_of(path), path, "", (long long)((struct flock *)argument)->l_start, NULL, 0,
     real_fcntl64(fd, command, argument));
}
int fcntl(int fd, int command, ...) __attribute__((alias("fcntl64")));

/* SQLite's busy handler sleeps: its seconds are as many as the suite's timers'. */
int nanosleep(const struct timespec *asked, struct timespec *left) {
  REAL(int, nanosleep, const struct timespec *, struct timespec *);
  long long ns = (asked->tv_sec * 1000000000LL + asked->tv_nsec) / sleep_scale;
  struct timespec scaled = {ns / 1000000000LL, ns % 1000000000LL};
  return real_nanosleep(sleep_scale > 1 ? &scaled : asked, left);
}

static pid_t fork_real(void) {
  REAL(pid_t, fork, void);
  pid_t pid = real_fork();
  /* Another thread of the parent may have held the lock, and what the child opens is the vendor's. */
  if (pid == 0) is_child = 1;
  return pid;
}

pid_t fork(void) {
  if (is_child || !*home) return fork_real();
  pthread_mutex_lock(&lock);
  struct fault fault = meet("fork", "process");
  before(fault);
  pid_t pid = -1;
  if (refuses(fault)) errno = fault.argument;
  else pid = fork_real();
  if (pid == 0) return 0;
  int kept = errno;
  record("fork", "process", fault.number, pid, 0, 0, NULL, "", "");
  if (fault.effect == KILL_AFTER || fault.effect == KILL_HALF) die();
  pthread_mutex_unlock(&lock);
  errno = kept;
  return pid;
}

__attribute__((constructor)) static void start(void) {
  const char *scale = getenv("FAULTS_TIME_SCALE");
  if (scale && atoi(scale) > 0) sleep_scale = atoi(scale);
}
