/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_FILE_H
#define BRSKI_SERVICES_BASE_FILE_H

#include <sys/types.h>

#include "eap_brski/ground/bytes.h"

/* Whole files, in one place for all programs here. */

/*
 * *out gets the file's octets, and the limit `most`. BRSKI_NOT_FOUND: it cannot be opened;
 * BRSKI_TOO_LARGE: it has more than `most` octets; BRSKI_INTERNAL: it cannot be read.
 */
BRSKI_CHECKED enum brski_code brski_file_read(
	const char *path, size_t most, struct brski_buf *out, struct brski_error *err);
/*
 * All or nothing, mode 0600; replaces what was there, and is on the disk when it returns.
 * BRSKI_TOO_LARGE: the path; BRSKI_INTERNAL: it cannot be written, and what was there stays.
 */
BRSKI_CHECKED enum brski_code brski_file_write(
	const char *path, struct brski_span content, struct brski_error *err);
/*
 * A new file, on the disk when it returns; never over one that is there: a key that is lost that way
 * is lost for good. BRSKI_UNAVAILABLE: there is one, or it cannot be written.
 */
BRSKI_CHECKED enum brski_code brski_file_create(
	const char *path, mode_t mode, struct brski_span content, struct brski_error *err);

/* The folder that a path names a file in, "." for a name alone; cut to fit. */
void brski_file_folder(const char *path, char *out, size_t size);

#endif
