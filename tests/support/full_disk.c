// Preloaded into PostgreSQL, it makes the disk full for as long as the file named by SYCEE_FULL_DISK exists: what is
// written over is written, what would make a file longer fails with ENOSPC. That is how a full file system behaves, and
// needs no privilege to mount one.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_full(void) {
    char const* flag = getenv("SYCEE_FULL_DISK");
    int const before = errno;
    int const full = flag != NULL && access(flag, F_OK) == 0;
    errno = before;
    return full;
}

// Standard output and error are PostgreSQL's log, which would hide what happened.
static int refuses(int fd, off_t end) {
    struct stat file;
    if (fd <= STDERR_FILENO || !is_full()) return 0;
    return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && end > file.st_size;
}

static off_t length_of(struct iovec const* parts, int count) {
    off_t length = 0;
    for (int i = 0; i < count; ++i) length += (off_t)parts[i].iov_len;
    return length;
}

static int no_space(void) {
    errno = ENOSPC;
    return -1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, void const* bytes, size_t count) {
    static __typeof__(&write) next;
    if (next == NULL) next = NEXT(write);
    off_t const at = fd > STDERR_FILENO && is_full() ? lseek(fd, 0, SEEK_CUR) : -1;
    if (at >= 0 && refuses(fd, at + (off_t)count)) return no_space();
    return next(fd, bytes, count);
}

ssize_t pwrite(int fd, void const* bytes, size_t count, off_t offset) {
    static __typeof__(&pwrite) next;
    if (next == NULL) next = NEXT(pwrite);
    return refuses(fd, offset + (off_t)count) ? no_space() : next(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, void const* bytes, size_t count, off64_t offset) {
    static __typeof__(&pwrite64) next;
    if (next == NULL) next = NEXT(pwrite64);
    return refuses(fd, offset + (off_t)count) ? no_space() : next(fd, bytes, count, offset);
}

ssize_t pwritev(int fd, struct iovec const* parts, int count, off_t offset) {
    static __typeof__(&pwritev) next;
    if (next == NULL) next = NEXT(pwritev);
    return refuses(fd, offset + length_of(parts, count)) ? no_space() : next(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, struct iovec const* parts, int count, off64_t offset) {
    static __typeof__(&pwritev64) next;
    if (next == NULL) next = NEXT(pwritev64);
    return refuses(fd, offset + length_of(parts, count)) ? no_space() : next(fd, parts, count, offset);
}

int posix_fallocate(int fd, off_t offset, off_t length) {
    static __typeof__(&posix_fallocate) next;
    if (next == NULL) next = NEXT(posix_fallocate);
    return refuses(fd, offset + length) ? ENOSPC : next(fd, offset, length);
}

int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    static __typeof__(&posix_fallocate64) next;
    if (next == NULL) next = NEXT(posix_fallocate64);
    return refuses(fd, offset + length) ? ENOSPC : next(fd, offset, length);
}
