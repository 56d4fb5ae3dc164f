/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_MEMORY_H
#define BRSKI_TESTS_MEMORY_H

#include "eap_brski/ground/storage.h"

/* A pledge's storage that is kept in memory, so that a test can take the pledge away and leave its state. */
#define MEMORY_VALUES_MAX 16

struct memory {
	struct {
		char name[65];
		struct brski_buf value;
	} values[MEMORY_VALUES_MAX];
	unsigned n_set_aside;
	struct brski_storage storage;
};

void memory_open(struct memory *memory); /* empty */
void memory_close(struct memory *memory);

#endif
