/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_SQL_FILES_H
#define BRSKI_SERVICES_BASE_SQL_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "eap_brski/ground/error.h"

/*
 * Who owns a database, and who may write it. Whose folder it is works with it: the file, and what
 * SQLite puts beside it (-wal, -shm, -journal), have to be his. A backup that root has put back is not.
 */

/*
 * Why the calling thread cannot work with these files: which of them it may not read or write, or in
 * which folder it may not make them, who it is, and whose that is; or that there is no such folder. mend, if it is not NULL, is told where
 * a file is not its folder's owner's to read and write. False: nothing is wrong with them.
 */
bool sql_files_why_not(const char *database, const char *mend, char *words, size_t size);

typedef void sql_files_mended(void *ctx, const char *words);
/*
 * For root: gives those of the files that are there to the owner of their folder, to read and write, and
 * to others not at all; tells for each what was and what is, in words, and nothing if all is well. Does
 * nothing if we are not root, or the folder is root's. BRSKI_UNTRUSTED: one of them is no plain file, or has another name, too:
 * what it is, nobody knows, and it stays as it was; BRSKI_INTERNAL: the system refuses.
 */
BRSKI_CHECKED enum brski_code sql_files_mend(
	const char *database, sql_files_mended *tell, void *ctx, struct brski_error *err);

#endif
