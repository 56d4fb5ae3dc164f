/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_E2E_REAL_H
#define BRSKI_TESTS_E2E_REAL_H

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* For libraries that are preloaded: the function that one of theirs stands before. */

/* dlsym gives a void pointer, which ISO C does not let one cast to a function. */
static void find_real(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	memcpy(function, &found, sizeof(found));
}

/* Among the declarations of a function of that name: `real` is the one behind it. */
#define REAL(name) \
	static __typeof__(&name) real; \
	if (!real) \
	find_real(#name, &real)

#endif
