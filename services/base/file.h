/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_FILE_H
#define BRSKI_SERVICES_BASE_FILE_H

#include "eap_brski/ground/bytes.h"

/*
 * Whole files. BRSKI_NOT_FOUND: it cannot be opened; BRSKI_TOO_LARGE: more than `most` octets. *out
 * gets that limit.
 */
BRSKI_CHECKED enum brski_code brski_file_read(
	const char *path, size_t most, struct brski_buf *out, struct brski_error *err);
/* All or nothing, mode 0600; replaces what was there. */
BRSKI_CHECKED enum brski_code brski_file_write(
	const char *path, struct brski_span content, struct brski_error *err);

/* The folder that a path names a file in, "." for a name alone; cut to fit. */
void brski_file_folder(const char *path, char *out, size_t size);

#endif
