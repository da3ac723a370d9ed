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

/// Opens a file without a name in a folder, with a place on the disk for so many bytes; it is gone when its descriptor is
/// closed and its memory is unmapped. Returns -1 where there is none to be had, or the folder is itself in memory.
int easel_open_scratch_file(const char *folder, size_t length);

#endif
