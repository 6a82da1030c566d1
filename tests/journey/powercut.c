/* Records what a program does to the files of one folder, in order, so that a power cut can be played afterwards.
 *
 * Loaded before everything else (LD_PRELOAD). POWERCUT_FOLDER is the folder, POWERCUT_LOG the log. Every record is
 * appended in one piece once the call has succeeded; of a sync also its beginning, since it covers only what was
 * written before. powercut.py reads the log.
 *
 * Where POWERCUT_TROUBLE names a file that is there, its first letter says what ails the disk: f: it is full, r: it
 * became read-only, s: its syncs fail. Whoever is told so notes its number in that file's neighbour, "<name>.felt".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 65536

struct record {
    uint32_t magic;
    uint32_t op;
    uint64_t inode;
    uint64_t offset;
    uint64_t length; /* of the data or the path that follows; the new length of a file for a truncation */
};
enum { OPENED = 1, WRITTEN, TRUNCATED, SYNCING, SYNCED, UNLINKED, RENAMED, FOLDER_SYNCED, MAPPED };

static char tracked[MOST]; /* 1: a file of the folder, 2: a folder */
static int journal = -1;
static const char *trouble_file;
static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static char folder[PATH_MAX];
static size_t folder_length;
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("POWERCUT_FOLDER"), *log = getenv("POWERCUT_LOG");
    real_open = real("open");
    real_close = real("close");
    trouble_file = getenv("POWERCUT_TROUBLE");
    real_write = real("write");
    real_pwrite = real("pwrite");
    real_writev = real("writev");
    if (!where || !log || !realpath(where, folder)) return;
    folder_length = strlen(folder);
    journal = real_open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal >= 0 && journal < 900) { /* out of the way of programs that close what they do not know */
        int high = fcntl(journal, F_DUPFD_CLOEXEC, 900);
        if (high >= 0) {
            close(journal);
            journal = high;
        }
    }
}

static void note(uint32_t op, uint64_t inode, uint64_t offset, uint64_t length, const void *data, size_t size) {
    int before = errno;
    struct record head = {0x50435554, op, inode, offset, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, size}};
    ssize_t wanted = (ssize_t)(sizeof head + size);
    if (real_writev(journal, parts, size ? 2 : 1) != wanted) {
        static const char text[] = "powercut: the log could not be written\n";
        if (real_write(2, text, sizeof text - 1) < 0) abort();
        abort();
    }
    errno = before;
}

/* Note that this process was told of the trouble: a test waits for that. */
static void felt(void) {
    char path[PATH_MAX], line[32];
    int fd, length = snprintf(line, sizeof line, "%d\n", (int)getpid());
    snprintf(path, sizeof path, "%s.felt", trouble_file);
    if ((fd = real_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0) return;
    if (real_write(fd, line, (size_t)length) < 0) abort();
    real_close(fd);
}

/* Fail with the right error where the disk is ill in one of these ways. */
static int ails(const char *ways) {
    static const int errors[] = {['f'] = ENOSPC, ['r'] = EROFS, ['s'] = EIO};
    char way = 0;
    int fd;
    if (!trouble_file || (fd = real_open(trouble_file, O_RDONLY | O_CLOEXEC)) < 0) return 0;
    if (read(fd, &way, 1) != 1) way = 0;
    real_close(fd);
    if (!way || !strchr(ways, way)) return 0;
    felt();
    errno = errors[(int)way];
    return 1;
}

static uint64_t inode_of(int fd) {
    struct stat about;
    return fstat(fd, &about) ? 0 : (uint64_t)about.st_ino;
}

/* The absolute path when it lies in the folder, else NULL. The last part need not exist. */
static const char *inside(int at, const char *path, char *out) {
    char joined[PATH_MAX], parent[PATH_MAX];
    const char *last;
    if (journal < 0 || !path) return NULL;
    if (path[0] == '/') {
        snprintf(joined, sizeof joined, "%s", path);
    } else {
        char base[PATH_MAX], link[64];
        if (at == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return NULL;
        } else {
            ssize_t n;
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            if ((n = readlink(link, base, sizeof base - 1)) < 0) return NULL;
            base[n] = 0;
        }
        if (snprintf(joined, sizeof joined, "%s/%s", base, path) >= (int)sizeof joined) return NULL;
    }
    last = strrchr(joined, '/');
    if (!last) return NULL;
    snprintf(parent, sizeof parent, "%.*s", (int)(last - joined ? last - joined : 1), joined);
    if (!realpath(parent, out)) return NULL;
    if (last[1]) {
        size_t n = strlen(out);
        if (n + strlen(last) + 1 > PATH_MAX) return NULL;
        strcpy(out + n, last);
    }
    if (strncmp(out, folder, folder_length) || (out[folder_length] && out[folder_length] != '/')) return NULL;
    return out;
}

static int refused(int at, const char *path, int flags) {
    char full[PATH_MAX];
    return trouble_file && (flags & (O_WRONLY | O_RDWR | O_CREAT)) && inside(at, path, full) && ails("r");
}

static int opened(int fd, int at, const char *path, int flags) {
    char full[PATH_MAX];
    struct stat about;
    if (fd < 0 || fd >= MOST) return fd;
    tracked[fd] = 0;
    if (fd == journal || !inside(at, path, full)) return fd;
    if (fstat(fd, &about)) return fd;
    if (S_ISDIR(about.st_mode)) {
        tracked[fd] = 2;
    } else if (S_ISREG(about.st_mode)) {
        size_t n = strlen(full);
        if (n > 4 && !strcmp(full + n - 4, "-shm")) return fd; /* shared memory: nothing of it need survive */
        tracked[fd] = 1;
        note(OPENED, (uint64_t)about.st_ino, (flags & O_TRUNC) ? 1 : 0, strlen(full), full, strlen(full));
    }
    return fd;
}

#define OPENER(NAME)                                            \
    int NAME(const char *path, int flags, ...) {                \
        static int (*next)(const char *, int, ...);             \
        mode_t mode = 0;                                        \
        if (!next) next = real(#NAME);                          \
        if (flags & (O_CREAT | O_TMPFILE)) {                    \
            va_list more;                                       \
            va_start(more, flags);                              \
            mode = va_arg(more, mode_t);                        \
            va_end(more);                                       \
        }                                                       \
        if (refused(AT_FDCWD, path, flags)) return -1;          \
        return opened(next(path, flags, mode), AT_FDCWD, path, flags); \
    }
OPENER(open)
OPENER(open64)

#define OPENER_AT(NAME)                                         \
    int NAME(int at, const char *path, int flags, ...) {        \
        static int (*next)(int, const char *, int, ...);        \
        mode_t mode = 0;                                        \
        if (!next) next = real(#NAME);                          \
        if (flags & (O_CREAT | O_TMPFILE)) {                    \
            va_list more;                                       \
            va_start(more, flags);                              \
            mode = va_arg(more, mode_t);                        \
            va_end(more);                                       \
        }                                                       \
        if (refused(at, path, flags)) return -1;                \
        return opened(next(at, path, flags, mode), at, path, flags); \
    }
OPENER_AT(openat)
OPENER_AT(openat64)

int close(int fd) {
    static int (*next)(int);
    if (!next) next = real("close");
    if (fd >= 0 && fd < MOST) tracked[fd] = 0;
    return next(fd);
}

static int ours(int fd) { return journal >= 0 && fd >= 0 && fd < MOST && tracked[fd] == 1; }

ssize_t write(int fd, const void *data, size_t size) {
    if (ours(fd) && ails("fr")) return -1;
    ssize_t done = real_write ? real_write(fd, data, size) : ((ssize_t(*)(int, const void *, size_t))real("write"))(fd, data, size);
    if (done > 0 && ours(fd)) note(WRITTEN, inode_of(fd), (uint64_t)(lseek(fd, 0, SEEK_CUR) - done), (uint64_t)done, data, (size_t)done);
    return done;
}

#define PWRITER(NAME, OFFSET)                                                              \
    ssize_t NAME(int fd, const void *data, size_t size, OFFSET at) {                       \
        static ssize_t (*next)(int, const void *, size_t, OFFSET);                         \
        if (!next) next = real(#NAME);                                                     \
        if (ours(fd) && ails("fr")) return -1;                                             \
        ssize_t done = next(fd, data, size, at);                                           \
        if (done > 0 && ours(fd)) note(WRITTEN, inode_of(fd), (uint64_t)at, (uint64_t)done, data, (size_t)done); \
        return done;                                                                       \
    }
PWRITER(pwrite, off_t)
PWRITER(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (ours(fd) && ails("fr")) return -1;
    ssize_t done = real_writev ? real_writev(fd, parts, count) : ((ssize_t(*)(int, const struct iovec *, int))real("writev"))(fd, parts, count);
    if (done > 0 && ours(fd)) {
        uint64_t inode = inode_of(fd), at = (uint64_t)(lseek(fd, 0, SEEK_CUR) - done);
        ssize_t left = done;
        for (int i = 0; i < count && left > 0; i++) {
            size_t size = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;
            note(WRITTEN, inode, at, size, parts[i].iov_base, size);
            at += size;
            left -= (ssize_t)size;
        }
    }
    return done;
}

#define TRUNCATOR(NAME, OFFSET)                                             \
    int NAME(int fd, OFFSET size) {                                         \
        static int (*next)(int, OFFSET);                                    \
        if (!next) next = real(#NAME);                                      \
        if (ours(fd) && ails("r")) return -1;                               \
        int done = next(fd, size);                                          \
        if (!done && ours(fd)) note(TRUNCATED, inode_of(fd), 0, (uint64_t)size, NULL, 0); \
        return done;                                                        \
    }
TRUNCATOR(ftruncate, off_t)
TRUNCATOR(ftruncate64, off64_t)

#define SYNCER(NAME)                                                        \
    int NAME(int fd) {                                                      \
        static int (*next)(int);                                            \
        uint64_t inode = 0;                                                 \
        if (!next) next = real(#NAME);                                      \
        if (ours(fd)) note(SYNCING, inode = inode_of(fd), (uint64_t)gettid(), 0, NULL, 0); \
        if (ours(fd) && ails("s")) return -1;                               \
        int done = next(fd);                                                \
        if (!done && inode) note(SYNCED, inode, (uint64_t)gettid(), 0, NULL, 0); \
        if (!done && journal >= 0 && fd >= 0 && fd < MOST && tracked[fd] == 2) note(FOLDER_SYNCED, inode_of(fd), 0, 0, NULL, 0); \
        return done;                                                        \
    }
SYNCER(fsync)
SYNCER(fdatasync)

static int unlinked(int at, const char *path, int (*gone)(int, const char *, int), int flags) {
    char full[PATH_MAX];
    const char *there = inside(at, path, full);
    if (there && ails("r")) return -1;
    int done = gone(at, path, flags);
    if (!done && there) note(UNLINKED, 0, 0, strlen(there), there, strlen(there));
    return done;
}

static int plain_unlink(int at, const char *path, int flags) {
    static int (*next)(const char *);
    (void)at, (void)flags;
    if (!next) next = real("unlink");
    return next(path);
}

static int at_unlink(int at, const char *path, int flags) {
    static int (*next)(int, const char *, int);
    if (!next) next = real("unlinkat");
    return next(at, path, flags);
}

int unlink(const char *path) { return unlinked(AT_FDCWD, path, plain_unlink, 0); }

int unlinkat(int at, const char *path, int flags) { return unlinked(at, path, at_unlink, flags); }

static void renamed(const char *from, const char *to) {
    char both[2 * PATH_MAX];
    size_t n = (size_t)snprintf(both, sizeof both, "%s", from);
    n += (size_t)snprintf(both + n + 1, sizeof both - n - 1, "%s", to) + 1;
    note(RENAMED, 0, 0, n, both, n);
}

int rename(const char *from, const char *to) {
    static int (*next)(const char *, const char *);
    char a[PATH_MAX], b[PATH_MAX];
    const char *there, *here;
    if (!next) next = real("rename");
    there = inside(AT_FDCWD, from, a);
    here = inside(AT_FDCWD, to, b);
    int done = next(from, to);
    if (!done && there && here) renamed(there, here);
    return done;
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
    static int (*next)(int, const char *, int, const char *);
    char a[PATH_MAX], b[PATH_MAX];
    const char *there, *here;
    if (!next) next = real("renameat");
    there = inside(from_at, from, a);
    here = inside(to_at, to, b);
    int done = next(from_at, from, to_at, to);
    if (!done && there && here) renamed(there, here);
    return done;
}

static void *mapped(void *done, int protection, int flags, int fd) {
    if (done != (void *)-1 && (flags & 1) && (protection & 2) && ours(fd)) note(MAPPED, inode_of(fd), 0, 0, NULL, 0);
    return done;
}

void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t at) {
    static void *(*next)(void *, size_t, int, int, int, off_t);
    if (!next) next = real("mmap");
    return mapped(next(where, size, protection, flags, fd, at), protection, flags, fd);
}

void *mmap64(void *where, size_t size, int protection, int flags, int fd, off64_t at) {
    static void *(*next)(void *, size_t, int, int, int, off64_t);
    if (!next) next = real("mmap64");
    return mapped(next(where, size, protection, flags, fd, at), protection, flags, fd);
}
