// Faults of the system's calls, for one process that is started with this library in LD_PRELOAD: what EASEL_FAULTS_FILE
// says is read at each call, so that a test can begin and end them. They meet the files of EASEL_FAULTS_FOLDER alone, and
// memory that OpenVINO asks for.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// What the test writes and reads; as in Faults.swift.
struct faults {
    // From this byte on reading fails with EIO; -1 for nowhere.
    int64_t failing_offset;
    // Whether a read or write has at most 512 bytes, and every third is interrupted.
    int64_t is_halting;
    // Whether fsync and fdatasync fail with EIO.
    int64_t fails_syncs;
    // From this many bytes on OpenVINO gets no memory; 0 for all that it asks for.
    int64_t refused_bytes;
    // How often any of it happened.
    _Atomic int64_t count;
};

static struct faults *faults;
static char folder[4096];

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("EASEL_FAULTS_FILE"), *where = getenv("EASEL_FAULTS_FOLDER");
    if (!file || !where || strlen(where) >= sizeof folder) return;
    int descriptor = open(file, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *mapped = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (mapped == MAP_FAILED) return;
    strcpy(folder, where);
    faults = mapped;
}

static int is_met(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int fails(int code) {
    atomic_fetch_add(&faults->count, 1);
    errno = code;
    return -1;
}

// Whether a call is interrupted; else makes it short.
static int halts(int descriptor, size_t *size) {
    static _Atomic unsigned calls;
    if (!faults || !faults->is_halting || !is_met(descriptor)) return 0;
    if (atomic_fetch_add(&calls, 1) % 3 == 0) return fails(EINTR);
    if (*size > 512) {
        *size = 512;
        atomic_fetch_add(&faults->count, 1);
    }
    return 0;
}

// Whether reading at an offset fails; else makes it end before where it would.
static int breaks(int descriptor, size_t *size, off_t offset) {
    if (!faults || faults->failing_offset < 0 || !is_met(descriptor)) return 0;
    if (offset >= faults->failing_offset) return fails(EIO);
    if (offset + (off_t)*size > faults->failing_offset) *size = (size_t)(faults->failing_offset - offset);
    return 0;
}

#define NEXT(type, name) \
    static type next; \
    if (!next) next = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*reading)(int, void *, size_t);
typedef ssize_t (*reading_at)(int, void *, size_t, off_t);
typedef ssize_t (*writing)(int, const void *, size_t);
typedef ssize_t (*writing_at)(int, const void *, size_t, off_t);
typedef int (*syncing)(int);

ssize_t read(int descriptor, void *bytes, size_t size) {
    NEXT(reading, "read");
    struct stat status;
    if (faults && (faults->is_halting || faults->failing_offset >= 0) && fstat(descriptor, &status) == 0 &&
        S_ISREG(status.st_mode)) {
        if (halts(descriptor, &size) || breaks(descriptor, &size, lseek(descriptor, 0, SEEK_CUR))) return -1;
    }
    return next(descriptor, bytes, size);
}

#define READ_AT(name) \
    ssize_t name(int descriptor, void *bytes, size_t size, off_t offset) { \
        NEXT(reading_at, #name); \
        if (halts(descriptor, &size) || breaks(descriptor, &size, offset)) return -1; \
        return next(descriptor, bytes, size, offset); \
    }

READ_AT(pread)
READ_AT(pread64)

ssize_t write(int descriptor, const void *bytes, size_t size) {
    NEXT(writing, "write");
    if (halts(descriptor, &size)) return -1;
    return next(descriptor, bytes, size);
}

#define WRITE_AT(name) \
    ssize_t name(int descriptor, const void *bytes, size_t size, off_t offset) { \
        NEXT(writing_at, #name); \
        if (halts(descriptor, &size)) return -1; \
        return next(descriptor, bytes, size, offset); \
    }

WRITE_AT(pwrite)
WRITE_AT(pwrite64)

#define SYNC(name) \
    int name(int descriptor) { \
        NEXT(syncing, #name); \
        if (faults && faults->fails_syncs && is_met(descriptor)) return fails(EIO); \
        return next(descriptor); \
    }

SYNC(fsync)
SYNC(fdatasync)

static int refuses(size_t size, void *caller) {
    Dl_info info;
    if (!faults || faults->refused_bytes <= 0 || size < (size_t)faults->refused_bytes) return 0;
    if (!dladdr(caller, &info) || !info.dli_fname || !strstr(info.dli_fname, "libopenvino")) return 0;
    fails(ENOMEM);
    return 1;
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    typedef int (*aligning)(void **, size_t, size_t);
    NEXT(aligning, "posix_memalign");
    if (refuses(size, __builtin_return_address(0))) return ENOMEM;
    return next(memory, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    typedef void *(*aligning)(size_t, size_t);
    NEXT(aligning, "aligned_alloc");
    return refuses(size, __builtin_return_address(0)) ? NULL : next(alignment, size);
}

// C++'s operator new, which throws.
void *_Znwm(size_t size) {
    typedef void *(*making)(size_t);
    typedef void (*throwing)(void);
    NEXT(making, "_Znwm");
    if (refuses(size, __builtin_return_address(0))) {
        throwing throw_bad_alloc = (throwing)dlsym(RTLD_DEFAULT, "_ZSt17__throw_bad_allocv");
        throw_bad_alloc();
    }
    return next(size);
}
