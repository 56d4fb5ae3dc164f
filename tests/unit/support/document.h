/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_UNIT_SUPPORT_DOCUMENT_H
#define BRSKI_TESTS_UNIT_SUPPORT_DOCUMENT_H

#include <stdbool.h>

#include "eap_brski/ground/bytes.h"

/* A part of a file that is made from the code: what is between two marks, which stand there once. */
struct document_part {
	const char *path, *begin, *end;
	void (*draw)(struct brski_buf *out);
};

/*
 * Fails unless the file has what draw() makes of the code; the words name `program`, which makes it
 * anew with --write. `write`: it does so now.
 */
void document_hold(const struct document_part *part, const char *program, bool write);

#endif
