/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_CA_ROWS_H
#define BRSKI_TESTS_CA_ROWS_H

#include "services/ca/ca_store.h"

/* What a CA has issued: how many, and the last of them. */
struct ca_rows {
	unsigned n;
	enum ca_state state;
	char subject[256], requester[256];
};
struct ca_rows ca_rows(struct ca_store *store);

#endif
