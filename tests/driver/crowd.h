/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_DRIVER_CROWD_H
#define BRSKI_TESTS_DRIVER_CROWD_H

#include <jansson.h>

#include "eap_brski/pki/credential.h"

/*
 * What the drivers of many devices do alike, whichever way these come: what they are told, the devices'
 * names, and figures. What is wrong ends the program with 2, and its words on stderr.
 */

#define CROWD_NAME_MAX 128

void crowd_begin(const char *program); /* its name, for those words */
void crowd_die(const char *what, const char *detail) __attribute__((noreturn));

/* ---- Options ---- */

unsigned crowd_number(const char *text, const char *option);
STACK_OF(X509) *crowd_certificates(const char *file); /* the caller's */
enum brski_key_type crowd_key_type(const char *name);
/* "WHAT=FILE": certificate and key of another device, PEM. False: the text begins otherwise. */
bool crowd_signer(const char *text, const char *what, struct brski_credential *out);

/* ---- Devices ---- */

/* The names of the IDevIDs NAME.pem in a folder, in order; *count of them, all if it is 0. The caller's. */
char (*crowd_names(const char *folder, unsigned *count))[CROWD_NAME_MAX];
/* A folder that may be there already. */
void crowd_folder(const char *path);

/* ---- Figures ---- */

/* Least, middle and greatest of so many values, which are sorted for it, and their sum. */
json_t *crowd_spread(int64_t *values, size_t n);
void *crowd_calloc(size_t n, size_t size);
void crowd_write(json_t *all, const char *path); /* takes it */

#endif
