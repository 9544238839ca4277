/* What a probe puts between tev and the system (LD_PRELOAD): a full disk, a file that cannot be written to, a clock that
 * was set back, and a log of every write and flush of the database's files, from which `power` rebuilds what a disk
 * holds after the power failed. SHIM_CONTROL is a file that says what to do, and may be changed at any time:
 * seconds to add to the clock (int64), then the fault (int64: 0 none, 1 disk full, 2 read-only).
 * SHIM_LOG, when it is set, is the file of the log. Written for Linux with glibc, and for these tests alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST_FILES 65536
#define REAL(name) ((__typeof__(&name))real(#name))

struct control { int64_t seconds, fault; };
struct record { int64_t op, file, offset, length; };
enum { WRITE = 1, TRUNCATE, SYNC };

static const volatile struct control *control;
static int log_file = -1;
static unsigned char kind[MOST_FILES]; /* 1: the database, 2: its write-ahead log, 0: anything else */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    static const struct control nothing;
    control = &nothing;
    if (getenv("SHIM_CONTROL")) {
        int file = REAL(open)(getenv("SHIM_CONTROL"), O_RDONLY);
        void *mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, file, 0);
        if (mapped != MAP_FAILED) control = mapped;
    }
    if (getenv("SHIM_LOG")) log_file = REAL(open)(getenv("SHIM_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0600);
}

static int kind_of(int fd) { return fd >= 0 && fd < MOST_FILES ? kind[fd] : 0; }

static int ends_with(const char *path, const char *end) {
    size_t a = strlen(path), b = strlen(end);
    return a >= b && !strcmp(path + a - b, end);
}

static void note(int op, int fd, int64_t offset, int64_t length, const void *bytes) {
    struct record record = {op, kind_of(fd), offset, length};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)bytes, bytes ? (size_t)length : 0}};
    if (log_file >= 0 && writev(log_file, parts, 2) < 0) abort();
}

static int opened(const char *path, int flags, mode_t mode) {
    int what = ends_with(path, ".db") ? 1 : ends_with(path, ".db-wal") ? 2 : 0;
    if (what && control->fault == 2 && (flags & O_ACCMODE) != O_RDONLY) {
        errno = EACCES;
        return -1;
    }
    int fd = REAL(open)(path, flags, mode);
    if (fd >= 0 && fd < MOST_FILES) kind[fd] = what;
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return opened(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    if (kind_of(fd)) kind[fd] = 0;
    return REAL(close)(fd);
}

static ssize_t written(int fd, const void *bytes, size_t length, off_t offset) {
    if (kind_of(fd) && control->fault) {
        errno = control->fault == 1 ? ENOSPC : EROFS;
        return -1;
    }
    if (!kind_of(fd)) return REAL(pwrite)(fd, bytes, length, offset);
    pthread_mutex_lock(&one_at_a_time);
    ssize_t result = REAL(pwrite)(fd, bytes, length, offset);
    if (result > 0) note(WRITE, fd, offset, result, bytes);
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return written(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return written(fd, bytes, length, offset); }

static int truncated(int fd, off_t length) {
    pthread_mutex_lock(&one_at_a_time);
    int result = REAL(ftruncate)(fd, length);
    if (!result && kind_of(fd)) note(TRUNCATE, fd, length, 0, NULL);
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}

int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off_t length) { return truncated(fd, length); }

static int synced(int fd, int (*flush)(int)) {
    pthread_mutex_lock(&one_at_a_time); /* what is written meanwhile is not part of it */
    int result = flush(fd);
    if (!result && kind_of(fd)) note(SYNC, fd, 0, 0, NULL);
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (!result && clock == CLOCK_REALTIME) now->tv_sec += control->seconds;
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    int result = REAL(gettimeofday)(now, zone);
    if (!result) now->tv_sec += control->seconds;
    return result;
}

time_t time(time_t *now) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now) *now = at.tv_sec;
    return at.tv_sec;
}
