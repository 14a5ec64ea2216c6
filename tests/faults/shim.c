/* A shim between a program and the C library, for Linux: LD_PRELOAD=shim.so.

   It sees every operation on the files below one folder, in all processes and threads of a run,
   numbers them, logs them, and strikes at one of them: kills, fails, stops. `faults.py` writes the
   struct `orders`, which all processes of the run share, and reads the log. What a fault leaves on
   the disk that loses what was not synced is worked out from the log, so nothing is synced here. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum operation { LOOK, OPEN, WRITE, CUT, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR };
enum strike { NOTHING, KILL, TERMINATE, TEAR, FAIL, STOP, VANISH, ORPHAN, DIE };

static struct orders {
    int64_t seen;        /* operations so far */
    int64_t at;          /* the number of the one that is struck, from 0 */
    int64_t struck;      /* the process that was, 0 for none yet */
    int32_t strike;
    int32_t error;       /* that FAIL fails with */
    int32_t kinds;       /* FAIL: a bit for each kind of operation that fails from then on, too */
    int32_t is_logging;
    char folder[1024];
    pthread_mutex_t mutex;
} *orders;

static int journal = -1;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* Join a run whose orders are in this file; the first process of it also readies the mutex. */
void faults_join(const char *path, int is_first)
{
    char log[1100];
    snprintf(log, sizeof log, "%s.log", path);
    int file = REAL(open64)(path, O_RDWR | O_CLOEXEC);
    journal = REAL(open64)(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    struct orders *found = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (file < 0 || journal < 0 || found == MAP_FAILED)
        abort();
    if (is_first) {
        pthread_mutexattr_t kind;
        pthread_mutexattr_init(&kind);
        pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&found->mutex, &kind);
    }
    orders = found;
}

/* A process that one of the run has started joins by itself. */
__attribute__((constructor)) static void join(void)
{
    const char *path = getenv("SEARCHKIT_FAULTS");
    if (path)
        faults_join(path, 0);
}

/* -- which file is meant ------------------------------------------------------------------------ */

static int is_below(const char *path)
{
    size_t length = strlen(orders->folder);
    return !strncmp(path, orders->folder, length) && (path[length] == '/' || !path[length]);
}

static int path_of(int file, char *path)
{
    char link[64];
    snprintf(link, sizeof link, file == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, 1023);
    path[length < 0 ? 0 : length] = 0;
    return orders && is_below(path);
}

static int path_at(int folder, const char *name, char *path)
{
    char base[1024] = "";
    if (!orders)
        return 0;
    if (name[0] == '/')
        snprintf(path, 1024, "%s", name);
    else {
        path_of(folder, base);
        snprintf(path, 1024, "%.500s/%.500s", base, name);
    }
    return is_below(path);
}

/* -- an operation ------------------------------------------------------------------------------- */

static void lock(void)
{
    if (pthread_mutex_lock(&orders->mutex) == EOWNERDEAD)
        pthread_mutex_consistent(&orders->mutex);
}

static void vanish(void)
{
    char away[1100];
    snprintf(away, sizeof away, "%s.away", orders->folder);
    REAL(rename)(orders->folder, away);
}

/* Begin an operation: count it and strike. Returns 0 with the lock held, or an error without. */
static int begin(enum operation kind, size_t *size)
{
    lock();
    int64_t number = orders->seen++;
    int is_it = number == orders->at, again = number > orders->at && orders->kinds >> kind & 1;
    int is_first = is_it && !orders->struck;
    if (is_first)
        orders->struck = getpid();
    if (orders->strike == FAIL && (is_it || again)) {
        if (is_first && orders->error == ENOSPC && kind == WRITE && *size > 1) {
            orders->at++; /* a full disk takes what it can, and refuses the rest */
            *size /= 2;
            return 0;
        }
        pthread_mutex_unlock(&orders->mutex);
        return orders->error;
    }
    if (!is_it)
        return 0;
    switch (orders->strike) {
    case KILL: kill(0, SIGKILL); pause(); break;
    case DIE: kill(getpid(), SIGKILL); pause(); break;
    case TERMINATE: kill(0, SIGTERM); break;
    case TEAR: if (kind == WRITE) *size /= 2; break; /* `end` kills */
    case VANISH: vanish(); break;
    case ORPHAN: kill(getppid(), SIGKILL); /* fall through */
    case STOP:
        pthread_mutex_unlock(&orders->mutex);
        raise(SIGSTOP);
        lock();
    }
    return 0;
}

static void put(const void *data, size_t size)
{
    ssize_t (*out)(int, const void *, size_t) = REAL(write);
    while (size) {
        ssize_t done = out(journal, data, size);
        if (done <= 0)
            abort();
        data = (const char *)data + done;
        size -= done;
    }
}

/* End an operation: log it, with the error as its size, less than 0, where it failed by itself. */
static void end(enum operation kind, int is_done, const char *path, const char *other,
                int64_t offset, const void *data, size_t size)
{
    int error = errno;
    if (orders->is_logging) {
        int64_t head[] = {kind, strlen(path), strlen(other), offset, is_done ? (int64_t)size : -error};
        put(head, sizeof head);
        put(path, head[1]);
        put(other, head[2]);
        put(data, data && is_done ? size : 0);
    }
    if (orders->strike == TEAR && orders->struck) {
        kill(0, SIGKILL);
        pause();
    }
    pthread_mutex_unlock(&orders->mutex);
    errno = error;
}

/* Do one: `call` on a file of the folder is an operation of this kind. */
#define DO(kind, is_ours, path, other, call)                                                      \
    do {                                                                                          \
        int error, result;                                                                        \
        size_t size = 0;                                                                          \
        if (!(is_ours))                                                                           \
            return call;                                                                          \
        if ((error = begin(kind, &size))) {                                                       \
            errno = error;                                                                        \
            return -1;                                                                            \
        }                                                                                         \
        result = call;                                                                            \
        end(kind, result >= 0, path, other, 0, NULL, 0);                                          \
        return result;                                                                            \
    } while (0)

/* -- the functions of the C library ------------------------------------------------------------- */

#define WITH_MODE(flags, mode)                                                                    \
    va_list rest;                                                                                 \
    va_start(rest, flags);                                                                        \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                     \
    va_end(rest)

int openat(int folder, const char *name, int flags, ...)
{
    char path[1024];
    WITH_MODE(flags, mode);
    int is_changing = flags & (O_CREAT | O_TRUNC);
    DO(is_changing ? OPEN : LOOK, path_at(folder, name, path), path, flags & O_TRUNC ? "anew" : "",
       REAL(openat64)(folder, name, flags, mode));
}

int openat64(int folder, const char *name, int flags, ...)
{
    WITH_MODE(flags, mode);
    return openat(folder, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
    WITH_MODE(flags, mode);
    return openat(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
    WITH_MODE(flags, mode);
    return openat(AT_FDCWD, name, flags, mode);
}

static ssize_t written(int file, const void *data, size_t size, off_t at, int is_placed)
{
    char path[1024];
    int error, is_ours = path_of(file, path);
    if (is_ours && (error = begin(WRITE, &size))) {
        errno = error;
        return -1;
    }
    if (is_ours && !is_placed)
        at = fcntl(file, F_GETFL) & O_APPEND ? lseek(file, 0, SEEK_END) : lseek(file, 0, SEEK_CUR);
    ssize_t done = is_placed ? REAL(pwrite64)(file, data, size, at) : REAL(write)(file, data, size);
    if (is_ours)
        end(WRITE, done >= 0, path, "", at, data, done);
    return done;
}

ssize_t write(int file, const void *data, size_t size) { return written(file, data, size, 0, 0); }

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    return written(file, data, size, at, 1);
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t at)
{
    return written(file, data, size, at, 1);
}

ssize_t sendfile64(int to, int from, off_t *at, size_t size)
{
    char path[1024];
    if (!path_of(to, path))
        return REAL(sendfile64)(to, from, at, size);
    errno = ENOTSOCK; /* what Python copies it then reads and writes */
    return -1;
}

int ftruncate64(int file, off_t size)
{
    char path[1024], length[32];
    snprintf(length, sizeof length, "%lld", (long long)size);
    DO(CUT, path_of(file, path), path, length, REAL(ftruncate64)(file, size));
}

int fsync(int file)
{
    char path[1024];
    DO(SYNC, path_of(file, path), path, "", 0);
}

int fdatasync(int file) { return fsync(file); }

int renameat(int from, const char *old, int to, const char *new)
{
    char path[1024], other[1024];
    DO(RENAME, path_at(from, old, path) & path_at(to, new, other), path, other,
       REAL(renameat)(from, old, to, new));
}

int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    char path[1024], other[1024];
    DO(LINK, path_at(from, old, path) & path_at(to, new, other), path, other,
       REAL(linkat)(from, old, to, new, flags));
}

int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int folder, const char *name, int flags)
{
    char path[1024];
    DO(flags & AT_REMOVEDIR ? RMDIR : UNLINK, path_at(folder, name, path), path, "",
       REAL(unlinkat)(folder, name, flags));
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }

int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode)
{
    char path[1024];
    DO(MKDIR, path_at(folder, name, path), path, "", REAL(mkdirat)(folder, name, mode));
}

int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }
