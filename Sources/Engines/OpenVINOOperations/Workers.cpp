#include "Workers.h"

#if defined(__linux__)
#include <sched.h>

namespace {

// As it was when the library was loaded, by a thread that is tied to no processor.
struct Processors {
    cpu_set_t set;
    bool isKnown;
    Processors() : isKnown(sched_getaffinity(0, sizeof set, &set) == 0) {}
};

const Processors processors;

}  // namespace

void easel::leaveProcessor() {
    if (processors.isKnown) sched_setaffinity(0, sizeof processors.set, &processors.set);
}
#else
void easel::leaveProcessor() {}
#endif
