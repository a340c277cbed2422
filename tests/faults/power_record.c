/* Preloaded into a process: records in POWER_LOG, in order, what is done to the files below POWER_DISK.

   A record is op (1 byte), inode and offset or size (8 each), lengths of a path and of data (4 each), path, data;
   little-endian. Operations: C file made, M folder made, W written, T cut or grown to a size, S file synced, D folder
   synced, R renamed to the path in the data, L linked to it, U removed. A call that fails is not recorded, nor is what
   is written through a mapping, by sendfile or by copy_file_range: a disk built from the log would lack it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t one_thread = PTHREAD_MUTEX_INITIALIZER;
static const char *disk = "";
static size_t disk_length;
static int journal = -1;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("POWER_LOG"), *root = getenv("POWER_DISK");
  if (path == NULL || root == NULL) return;
  journal = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  disk = strdup(root);
  disk_length = strlen(disk);
}

static void fail(const char *what) { /* a record that is missing would be a proof of nothing */
  fprintf(stderr, "power_record: %s\n", what);
  abort();
}

/* The log has the order of the calls, of all processes and threads: each is made and recorded under one lock. */
static void enter(void) {
  pthread_mutex_lock(&one_thread);
  while (flock(journal, LOCK_EX) != 0)
    if (errno != EINTR) fail("the log cannot be locked");
}

static void leave(void) {
  int kept = errno;
  flock(journal, LOCK_UN);
  pthread_mutex_unlock(&one_thread);
  errno = kept;
}

static void record(char op, uint64_t inode, int64_t number, const char *path, const void *data, size_t length) {
  int kept = errno;
  char head[25];
  uint32_t lengths[2] = {(uint32_t)strlen(path), (uint32_t)length};
  head[0] = op;
  memcpy(head + 1, &inode, 8);
  memcpy(head + 9, &number, 8);
  memcpy(head + 17, lengths, 8);
  struct iovec parts[3] = {{head, 25}, {(void *)path, lengths[0]}, {(void *)data, length}};
  if (syscall(SYS_writev, journal, parts, 3) != (long)(25 + lengths[0] + length)) fail("the log cannot be written");
  errno = kept;
}

static int below(const char *path) {
  return journal >= 0 && strncmp(path, disk, disk_length) == 0 && path[disk_length] == '/';
}

/* Whether what is open there is the disk or below it; its path, and its state. */
static int open_below(int fd, char *path, struct stat *state) {
  char link[64];
  int kept = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = journal < 0 ? -1 : readlink(link, path, PATH_MAX - 1);
  if (length >= 0) path[length] = 0;
  int inside = length > 0 && (below(path) || strcmp(path, disk) == 0) && fstat(fd, state) == 0;
  errno = kept;
  return inside;
}

/* The whole path of a name, which need not be there. */
static int named_below(int folder, const char *name, char *path) {
  char link[64] = "/proc/self/cwd";
  int kept = errno;
  if (journal < 0) return 0;
  ssize_t length = 0;
  if (name[0] != '/') {
    if (folder != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    length = readlink(link, path, PATH_MAX - 1);
    if (length > 0) path[length++] = '/';
  }
  errno = kept;
  if (length < 0 || length + strlen(name) >= PATH_MAX) return 0;
  strcpy(path + length, name);
  return below(path);
}

static int opened(int folder, const char *name, int flags, mode_t mode) {
  char path[PATH_MAX];
  struct stat state;
  if (!(flags & (O_CREAT | O_TRUNC)) || !named_below(folder, name, path))
    return syscall(SYS_openat, folder, name, flags, mode);
  enter();
  int there = syscall(SYS_faccessat, folder, name, F_OK) == 0;
  int fd = syscall(SYS_openat, folder, name, flags, mode);
  if (fd >= 0 && open_below(fd, path, &state)) {
    if (!there) record('C', state.st_ino, 0, path, "", 0);
    else if (flags & O_TRUNC) record('T', state.st_ino, 0, path, "", 0);
  }
  leave();
  return fd;
}

#define OPENING(name, folder, first)                                                \
  int name(first const char *path, int flags, ...) {                                \
    va_list more;                                                                   \
    va_start(more, flags);                                                          \
    int makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;         \
    mode_t mode = makes ? va_arg(more, unsigned) : 0;                               \
    va_end(more);                                                                   \
    return opened(folder, path, flags, mode);                                       \
  }
#define NOTHING
#define FOLDER int folder,
OPENING(open, AT_FDCWD, NOTHING)
OPENING(open64, AT_FDCWD, NOTHING)
OPENING(openat, folder, FOLDER)
OPENING(openat64, folder, FOLDER)
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* `at` is -1 where the file's own position counts. */
static ssize_t written(int fd, const struct iovec *parts, int count, int64_t at) {
  char path[PATH_MAX];
  struct stat state;
  int recorded = open_below(fd, path, &state) && S_ISREG(state.st_mode);
  if (recorded) enter();
  ssize_t done = at < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, at, 0);
  if (recorded) {
    int64_t from = at < 0 && done > 0 ? lseek(fd, 0, SEEK_CUR) - done : at;
    for (ssize_t left = done; left > 0; parts++) {
      size_t length = (size_t)left < parts->iov_len ? (size_t)left : parts->iov_len;
      record('W', state.st_ino, from, path, parts->iov_base, length);
      from += length;
      left -= length;
    }
    leave();
  }
  return done;
}

ssize_t write(int fd, const void *data, size_t length) {
  struct iovec part = {(void *)data, length};
  return written(fd, &part, 1, -1);
}
ssize_t writev(int fd, const struct iovec *parts, int count) { return written(fd, parts, count, -1); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  struct iovec part = {(void *)data, length};
  return written(fd, &part, 1, at);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return written(fd, parts, count, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return written(fd, parts, count, at); }

int ftruncate64(int fd, off64_t size) {
  char path[PATH_MAX];
  struct stat state;
  int recorded = open_below(fd, path, &state);
  if (recorded) enter();
  int failed = syscall(SYS_ftruncate, fd, size);
  if (recorded) {
    if (!failed) record('T', state.st_ino, size, path, "", 0);
    leave();
  }
  return failed;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* What is durable now is what was written before it was called. sync_file_range promises nothing of a file's size, so
   it counts as nothing. */
static int synced(int fd, long call) {
  char path[PATH_MAX];
  struct stat state;
  int recorded = open_below(fd, path, &state);
  if (recorded) enter();
  int failed = syscall(call, fd);
  if (recorded) {
    if (!failed) record(S_ISDIR(state.st_mode) ? 'D' : 'S', state.st_ino, 0, path, "", 0);
    leave();
  }
  return failed;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int moved(char op, int folder, const char *from, int other, const char *to, unsigned flags) {
  char path[PATH_MAX], target[PATH_MAX];
  int recorded = named_below(folder, from, path), inside = named_below(other, to, target);
  if (recorded != inside) fail("a file crosses the edge of the disk");
  if (recorded) enter();
  int failed = syscall(op == 'R' ? SYS_renameat2 : SYS_linkat, folder, from, other, to, flags);
  if (recorded) {
    if (!failed) record(op, 0, 0, path, target, strlen(target));
    leave();
  }
  return failed;
}
int rename(const char *from, const char *to) { return moved('R', AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int folder, const char *from, int other, const char *to) { return moved('R', folder, from, other, to, 0); }
int renameat2(int folder, const char *from, int other, const char *to, unsigned flags) {
  return moved('R', folder, from, other, to, flags);
}
int link(const char *from, const char *to) { return moved('L', AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int folder, const char *from, int other, const char *to, int flags) {
  return moved('L', folder, from, other, to, (unsigned)flags);
}

int unlinkat(int folder, const char *name, int flags) {
  char path[PATH_MAX];
  int recorded = named_below(folder, name, path);
  if (recorded) enter();
  int failed = syscall(SYS_unlinkat, folder, name, flags);
  if (recorded) {
    if (!failed) record('U', 0, 0, path, "", 0);
    leave();
  }
  return failed;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
int remove(const char *name) {
  int failed = unlink(name);
  return failed && errno == EISDIR ? rmdir(name) : failed;
}

int mkdirat(int folder, const char *name, mode_t mode) {
  char path[PATH_MAX];
  int recorded = named_below(folder, name, path);
  if (recorded) enter();
  int failed = syscall(SYS_mkdirat, folder, name, mode);
  if (recorded) {
    if (!failed) record('M', 0, 0, path, "", 0);
    leave();
  }
  return failed;
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }
