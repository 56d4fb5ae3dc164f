/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_FILES_H
#define BRSKI_TESTS_FILES_H

#include <string.h>

#include <check.h>

#include "eap_brski/pki/credential.h"

/*
 * Files and other people's programs for tests. Whatever goes wrong aborts the test program with a
 * line on stderr.
 */

struct brski_buf file_read(const char *path);
void file_write(const char *path, struct brski_span bytes);
X509 *file_cert(const char *path);
EVP_PKEY *file_key(const char *path);
void file_write_certs(const char *path, const STACK_OF(X509) *certs); /* PEM */
/* A new empty folder, in $TMPDIR; temp_remove deletes it with the files in it. */
void temp_make(char path[64]);
void temp_remove(const char *path);
/* Runs a command of the shell, its output thrown away; its exit status. */
int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Runs each of n tests in a process of its own; the exit status of main(). setup and teardown may be NULL. */
int run_tests(const char *name, SFun setup, SFun teardown, const TTest *const *tests, size_t n);

/* For tests with a `struct brski_error err` at hand: the code, and words that must be in the reason. */
#define EXPECT(want, call) \
	do { \
		err = (struct brski_error){0}; \
		enum brski_code got_ = (call); \
		ck_assert_msg(got_ == (want), "%s: %s: %s", #call, brski_code_name(got_), err.why); \
	} while (0)

#define EXPECT_WHY(want, words, call) \
	do { \
		EXPECT(want, call); \
		ck_assert_msg(err.code == (want), "%s: error says %s", #call, brski_code_name(err.code)); \
		ck_assert_msg( \
			strstr(err.why, words) != NULL, "%s: \"%s\" lacks \"%s\"", #call, err.why, words); \
	} while (0)

#endif
