/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HEAP_TRIM_H
#define BRSKI_SERVICES_BASE_HEAP_TRIM_H

#include <stdbool.h>

/*
 * Memory that a crowd took, and has given back to the C library, is the process's for ever unless the
 * library is told to give it back, too. That takes some milliseconds for each of its heaps, and what
 * is wanted again soon is better kept: so it is done when much less is held than was. Zeroed at first;
 * one thread's.
 */
struct brski_heap_trim {
	unsigned most; /* held at one time, since the last trim */
};

/*
 * To be called now and then, with what is held now, in whatever unit, and the most of it since the last
 * call. True: memory was given back.
 */
bool brski_heap_trim(struct brski_heap_trim *trim, unsigned now, unsigned most);

#endif
