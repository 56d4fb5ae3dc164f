/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_POSIX_FOLDER_H
#define BRSKI_POSIX_FOLDER_H

#include "eap_brski/ground/storage.h"

/*
 * struct brski_storage over one folder of files (mode 0700, files 0600 or 0644). write is atomic
 * and durable: temporary file, fsync, rename, fsync of the folder. The folder is made if it is
 * missing. Refuses a folder or file that belongs to somebody else or that others may write.
 */
struct brski_folder;
BRSKI_CHECKED enum brski_code brski_folder_open(
	const char *path, struct brski_folder **out, struct brski_error *err);
void brski_folder_close(struct brski_folder *folder);
/*
 * The folder is for this caller alone: two programs, or two interfaces of one, must not write one
 * device's state at once. Only those are kept out who ask for the lock too, be they in this process
 * or in another. BRSKI_UNAVAILABLE, at once: somebody has it. It goes with brski_folder_unlock,
 * which does nothing where there is none, with brski_folder_close, and with the process.
 */
BRSKI_CHECKED enum brski_code brski_folder_lock(struct brski_folder *folder, struct brski_error *err);
void brski_folder_unlock(struct brski_folder *folder);
/* Valid as long as the folder is open. */
const struct brski_storage *brski_folder_storage(struct brski_folder *folder);
/* "path/name" into out[size]; false if it does not fit. */
bool brski_folder_path(const struct brski_folder *folder, const char *name, char *out, size_t size);

#endif
