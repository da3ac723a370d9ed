#ifndef EASEL_MAPPED_FILE_H
#define EASEL_MAPPED_FILE_H

#include <stdbool.h>
#include <stddef.h>

/// Has faults in a mapped file answered with zeros instead of death by SIGBUS: a file that is cut short after
/// it was mapped has no pages behind its new end. Faults elsewhere go to the handler that was there before.
///
/// `address` and `length` must be those of whole pages. Returns a token, or -1 where all are in use.
int easel_watch_mapping(void *address, size_t length);

/// Whether a fault has been answered with zeros.
bool easel_mapping_is_damaged(int token);

/// Ends the watch; call before the memory is unmapped.
void easel_unwatch_mapping(int token);

#endif
