// A library to preload: counts the calls that change files under FAIL_DIR and fails the FAIL_AT-th
// of them. FAIL_ERRNO: how; FAIL_SHORT=1: writes are cut in half first; FAIL_KEEP=1: all later
// calls fail as well; FAIL_STATE: a file of 4 KiB that tells what happened.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { descriptors_max = 65536, path_max = 512 };

/// The layout is known to the harness (campaigns/sweep.py).
struct State {
    atomic_ulong calls;
    atomic_ulong failed;
    char first[path_max];  ///< "CALL PATH" of the first call that failed.
};

static struct State fallback;
static struct State* state = &fallback;
static const char* directory;
static size_t directory_size;
static unsigned long fail_at;
static int fail_errno = EIO;
static bool is_short;
static bool keeps_failing;
static char* watched[descriptors_max];  // The paths of open files under the directory.

#define REAL(name) ((__typeof__(&name))real(#name))

static void* real(const char* name) {
    void* const found = dlsym(RTLD_NEXT, name);
    if (found == NULL) { abort(); }
    return found;
}

__attribute__((constructor)) static void start(void) {
    const char* text = getenv("FAIL_DIR");
    if (text == NULL) { return; }
    const char* const path = getenv("FAIL_STATE");
    if (path != NULL) {
        const int file = REAL(open)(path, O_RDWR | O_CREAT, 0644);
        if (file < 0 || REAL(ftruncate)(file, 4096) != 0) { abort(); }
        void* const memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) { abort(); }
        state = memory;
        REAL(close)(file);
    }
    directory_size = strlen(text);
    directory = text;
    if ((text = getenv("FAIL_AT")) != NULL) { fail_at = strtoul(text, NULL, 10); }
    if ((text = getenv("FAIL_ERRNO")) != NULL) { fail_errno = atoi(text); }
    is_short = (text = getenv("FAIL_SHORT")) != NULL && *text == '1';
    keeps_failing = (text = getenv("FAIL_KEEP")) != NULL && *text == '1';
}

static bool is_watched(const char* path) {
    return directory != NULL && path != NULL && strncmp(path, directory, directory_size) == 0;
}

static const char* path_of(int file) {
    return file >= 0 && file < descriptors_max ? watched[file] : NULL;
}

/// A number may have been closed by calls that are not seen here (fclose, closedir).
static void watch(int file, const char* path) {
    if (file < 0 || file >= descriptors_max) { return; }
    free(watched[file]);
    watched[file] = is_watched(path) ? strdup(path) : NULL;
}

/// Counts a call. True if it is to fail; errno is set then.
static bool fails(const char* call, const char* path) {
    const unsigned long number = atomic_fetch_add(&state->calls, 1) + 1;
    if (fail_at == 0 || number < fail_at || (number > fail_at && !keeps_failing)) { return false; }
    if (atomic_fetch_add(&state->failed, 1) == 0) {
        snprintf(state->first, path_max, "%s %s", call, path);
    }
    errno = fail_errno;
    return true;
}

static bool fails_on_file(const char* call, int file) {
    const char* const path = path_of(file);
    return path != NULL && fails(call, path);
}

static bool fails_on_path(const char* call, const char* path) {
    return is_watched(path) && fails(call, path);
}

// --- Files come and go.

static int opened(int file, const char* path) {
    watch(file, path);
    return file;
}

/// Only what may create, cut or change a file counts.
static bool changes(int flags) {
    return (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) != 0;
}

#define MODE_OF(flags, mode)                      \
    mode_t mode = 0;                              \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
        va_list arguments;                        \
        va_start(arguments, flags);               \
        mode = va_arg(arguments, mode_t);         \
        va_end(arguments);                        \
    }

int open(const char* path, int flags, ...) {
    MODE_OF(flags, mode)
    if (changes(flags) && fails_on_path("open", path)) { return -1; }
    return opened(REAL(open)(path, flags, mode), path);
}

int open64(const char* path, int flags, ...) {
    MODE_OF(flags, mode)
    if (changes(flags) && fails_on_path("open", path)) { return -1; }
    return opened(REAL(open64)(path, flags, mode), path);
}

int openat(int folder, const char* path, int flags, ...) {
    MODE_OF(flags, mode)
    if (changes(flags) && fails_on_path("open", path)) { return -1; }
    return opened(REAL(openat)(folder, path, flags, mode), path);
}

int openat64(int folder, const char* path, int flags, ...) {
    MODE_OF(flags, mode)
    if (changes(flags) && fails_on_path("open", path)) { return -1; }
    return opened(REAL(openat64)(folder, path, flags, mode), path);
}

int creat(const char* path, mode_t mode) {
    if (fails_on_path("open", path)) { return -1; }
    return opened(REAL(creat)(path, mode), path);
}

int close(int file) {
    if (path_of(file) != NULL) {
        free(watched[file]);
        watched[file] = NULL;
    }
    return REAL(close)(file);
}

int rename(const char* from, const char* to) {
    return fails_on_path("rename", to) ? -1 : REAL(rename)(from, to);
}

int unlink(const char* path) {
    return fails_on_path("unlink", path) ? -1 : REAL(unlink)(path);
}

int mkdir(const char* path, mode_t mode) {
    return fails_on_path("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}

int link(const char* from, const char* to) {
    return fails_on_path("link", to) ? -1 : REAL(link)(from, to);
}

// --- Contents.

/// How much of a write that fails gets through: half of it the first time, in short mode.
static size_t part_of(size_t size) {
    return is_short && atomic_load(&state->failed) == 1 ? size / 2 : 0;
}

ssize_t write(int file, const void* octets, size_t size) {
    if (!fails_on_file("write", file)) { return REAL(write)(file, octets, size); }
    const size_t part = part_of(size);
    return part > 0 ? REAL(write)(file, octets, part) : -1;
}

ssize_t pwrite(int file, const void* octets, size_t size, off_t at) {
    if (!fails_on_file("pwrite", file)) { return REAL(pwrite)(file, octets, size, at); }
    const size_t part = part_of(size);
    return part > 0 ? REAL(pwrite)(file, octets, part, at) : -1;
}

ssize_t pwrite64(int file, const void* octets, size_t size, off64_t at) {
    if (!fails_on_file("pwrite", file)) { return REAL(pwrite64)(file, octets, size, at); }
    const size_t part = part_of(size);
    return part > 0 ? REAL(pwrite64)(file, octets, part, at) : -1;
}

ssize_t writev(int file, const struct iovec* pieces, int count) {
    if (!fails_on_file("writev", file)) { return REAL(writev)(file, pieces, count); }
    const size_t part = count > 0 ? part_of(pieces[0].iov_len) : 0;
    return part > 0 ? REAL(write)(file, pieces[0].iov_base, part) : -1;
}

int fsync(int file) {
    return fails_on_file("fsync", file) ? -1 : REAL(fsync)(file);
}

int fdatasync(int file) {
    return fails_on_file("fdatasync", file) ? -1 : REAL(fdatasync)(file);
}

// RocksDB probes with an empty range and takes every answer but ENOSYS for a mistake of its own: it
// aborts.
int sync_file_range(int file, off64_t from, off64_t size, unsigned int flags) {
    if (!fails_on_file("sync_file_range", file)) {
        return REAL(sync_file_range)(file, from, size, flags);
    }
    if (size == 0) { errno = ENOSYS; }
    return -1;
}

int fallocate(int file, int mode, off_t from, off_t size) {
    return fails_on_file("fallocate", file) ? -1 : REAL(fallocate)(file, mode, from, size);
}

int fallocate64(int file, int mode, off64_t from, off64_t size) {
    return fails_on_file("fallocate", file) ? -1 : REAL(fallocate64)(file, mode, from, size);
}

int posix_fallocate(int file, off_t from, off_t size) {
    return fails_on_file("fallocate", file) ? errno : REAL(posix_fallocate)(file, from, size);
}

int posix_fallocate64(int file, off64_t from, off64_t size) {
    return fails_on_file("fallocate", file) ? errno : REAL(posix_fallocate64)(file, from, size);
}

int ftruncate(int file, off_t size) {
    return fails_on_file("ftruncate", file) ? -1 : REAL(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size) {
    return fails_on_file("ftruncate", file) ? -1 : REAL(ftruncate64)(file, size);
}
