#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "CMappedFile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif
#include <unistd.h>

enum { capacity = 4096 };

// A handler may only touch lock-free atomics. A slot is taken by `claimed`; `length` is written last and
// cleared first, so that the handler never sees half a slot.
struct slot {
    atomic_bool claimed;
    _Atomic uintptr_t address;
    _Atomic size_t length;
    atomic_bool damaged;
};

static struct slot slots[capacity];
static atomic_int used;
static uintptr_t page_size;
static struct sigaction previous;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool answer_with_zeros(uintptr_t fault) {
    int count = atomic_load(&used);
    for (int index = 0; index < count; index++) {
        size_t length = atomic_load(&slots[index].length);
        uintptr_t address = atomic_load(&slots[index].address);
        if (atomic_load(&slots[index].length) != length) continue;
        if (length == 0 || fault < address || fault - address >= length) continue;
        atomic_store(&slots[index].damaged, true);
        // All to the end: what follows the file's new end is gone too, and one call a page could exceed the
        // number of mappings that a process may have.
        uintptr_t page = fault & ~(page_size - 1);
        void *memory = mmap((void *)page, address + length - page, PROT_READ | PROT_WRITE,
                            MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory != MAP_FAILED;
    }
    return false;
}

static void handle(int signal_number, siginfo_t *information, void *context) {
    int saved = errno;
    bool from_process = information->si_code == SI_USER || information->si_code == SI_QUEUE;
    bool answered = !from_process && answer_with_zeros((uintptr_t)information->si_addr);
    errno = saved;
    if (answered) return;
    if (previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(signal_number, information, context);
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signal_number);
    } else if (!from_process) {
        // On return the access faults again, now with the default outcome.
        signal(signal_number, SIG_DFL);
    } else if (previous.sa_handler == SIG_DFL) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
}

static void install(void) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {0};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, NULL, &previous);
    sigaction(SIGBUS, &action, NULL);
}

int easel_watch_mapping(void *address, size_t length) {
    pthread_once(&once, install);
    for (int index = 0; index < capacity; index++) {
        bool expected = false;
        if (!atomic_compare_exchange_strong(&slots[index].claimed, &expected, true)) continue;
        atomic_store(&slots[index].damaged, false);
        atomic_store(&slots[index].address, (uintptr_t)address);
        atomic_store(&slots[index].length, length);
        int seen = atomic_load(&used);
        while (seen <= index && !atomic_compare_exchange_weak(&used, &seen, index + 1)) {
        }
        return index;
    }
    return -1;
}

bool easel_mapping_is_damaged(int token) {
    return token >= 0 && token < capacity && atomic_load(&slots[token].damaged);
}

void easel_unwatch_mapping(int token) {
    if (token < 0 || token >= capacity) return;
    atomic_store(&slots[token].length, 0);
    atomic_store(&slots[token].claimed, false);
}

int easel_open_scratch_file(const char *folder, size_t length) {
#if defined(__linux__) && defined(O_TMPFILE)
    struct statfs system;
    if (statfs(folder, &system) != 0) return -1;
    if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC) return -1;
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0) return -1;
    // Without a place on the disk, to write to a page could end the process.
    if (fallocate(descriptor, 0, 0, (off_t)length) == 0) return descriptor;
    close(descriptor);
#else
    (void)folder, (void)length;
#endif
    return -1;
}
