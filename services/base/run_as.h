/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_RUN_AS_H
#define BRSKI_SERVICES_BASE_RUN_AS_H

#include <stdbool.h>
#include <sys/types.h>

#include "eap_brski/ground/error.h"

/*
 * Root in somebody else's folder. Whose folder it is can lay a symbolic link there under any name
 * that root is going to write, or exchange a file at any moment. So root works there with that
 * user's rights on files: a link then leads to nothing that he could not have written himself, and
 * what is made is his.
 */
struct run_as {
	bool other; /* false: as ourselves, since we are not root or the folder is root's */
	uid_t uid;
	gid_t gid;
};

/*
 * For the file of this path, which need not be there. The supplementary groups of a process of
 * root's go when there is another one to work as. BRSKI_UNTRUSTED: we are root, the folder is too,
 * and everybody may write in it; or the file is root's and the folder is not, so that its owner could
 * not use it. BRSKI_INTERNAL: the rights cannot be changed.
 */
BRSKI_CHECKED enum brski_code run_as_owner(const char *path, struct run_as *out, struct brski_error *err);

/* From begin to end the calling thread has that user's rights on files. Does not nest. The end keeps errno. */
void run_as_begin(const struct run_as *who);
void run_as_end(const struct run_as *who);

/*
 * For good, all of the process: the user of this name, with his groups. BRSKI_NOT_FOUND: there is none;
 * BRSKI_UNSUPPORTED: we are neither root nor he; BRSKI_INTERNAL: it cannot be done, or could be undone.
 */
BRSKI_CHECKED enum brski_code run_as_become(const char *user, struct brski_error *err);

#endif
