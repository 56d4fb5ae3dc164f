/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "eap_brski/ground/env.h"
#include "tests/unit/support/files.h"

START_TEST(errors_say_what)
{
	struct brski_error err;

	ck_assert_int_eq(
		brski_fail(&err, BRSKI_MISMATCH, "serial \"%s\"", "a\nb\x7f\xc3\xa4"), BRSKI_MISMATCH);
	ck_assert_int_eq(err.code, BRSKI_MISMATCH);
	ck_assert_str_eq(err.why, "serial \"a?b???\"");
	ck_assert_int_eq(brski_fail_context(&err, BRSKI_MISMATCH, "device %d", 5), BRSKI_MISMATCH);
	ck_assert_str_eq(err.why, "device 5: serial \"a?b???\"");
	brski_fail(&err, BRSKI_REFUSED, "again: %s", err.why);
	ck_assert_str_eq(err.why, "again: device 5: serial \"a?b???\"");
	ck_assert_int_eq(brski_fail(NULL, BRSKI_EXPIRED, "nobody listens"), BRSKI_EXPIRED);
	ck_assert_int_eq(brski_fail_context(NULL, BRSKI_EXPIRED, "nobody listens"), BRSKI_EXPIRED);
}
END_TEST

START_TEST(errors_are_cut)
{
	struct brski_error err;
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	brski_fail(&err, BRSKI_REFUSED, "%s", text);
	ck_assert_uint_eq(strlen(err.why), sizeof(err.why) - 1);
	brski_fail_context(&err, BRSKI_REFUSED, "%s", text);
	ck_assert_uint_eq(strlen(err.why), sizeof(err.why) - 1);
}
END_TEST

START_TEST(errors_of_openssl)
{
	BIO *bio = BIO_new_mem_buf("no PEM", -1);
	struct brski_error err;

	ERR_clear_error();
	ck_assert_ptr_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
	ck_assert_int_eq(brski_fail_openssl(&err, BRSKI_MALFORMED, "certificate"), BRSKI_MALFORMED);
	ck_assert_str_eq(err.why, "certificate (no start line: Expecting: CERTIFICATE)");
	ck_assert_uint_eq(ERR_peek_error(), 0);
	brski_fail_openssl(&err, BRSKI_INTERNAL, "quiet");
	ck_assert_str_eq(err.why, "quiet");
	ERR_raise_data(ERR_LIB_SYS, ENOENT, "calling %s", "stat(x)");
	brski_fail_openssl(&err, BRSKI_NOT_FOUND, "file");
	ck_assert_str_eq(err.why, "file (No such file or directory: calling stat(x))");
	ck_assert_ptr_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
	brski_fail_openssl(NULL, BRSKI_INTERNAL, "unheard");
	ck_assert_uint_eq(ERR_peek_error(), 0);
	BIO_free(bio);
}
END_TEST

START_TEST(every_code_has_name_and_status)
{
	for (int code = BRSKI_OK; code <= BRSKI_NOT_FOUND; code++) {
		ck_assert_str_ne(brski_code_name((enum brski_code)code), "unknown error");
		ck_assert_uint_ge(
			brski_code_http_status((enum brski_code)code), code == BRSKI_OK ? 200 : 400);
	}
	ck_assert_str_eq(brski_code_name((enum brski_code)99), "unknown error");
	ck_assert_uint_eq(brski_code_http_status((enum brski_code)99), 500);
}
END_TEST

static time_t fixed_clock(void *ctx)
{
	return *(time_t *)ctx;
}

static int no_random(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0x5a, len);
	return -1;
}

static char logged[2048];

static void keep_line(void *ctx, enum brski_level level, const char *line)
{
	(void)ctx;
	snprintf(logged, sizeof(logged), "%d %s", level, line);
}

START_TEST(environment)
{
	time_t clock = 1234;
	struct brski_env env = {.ctx = &clock, .now = fixed_clock, .random = no_random, .log = keep_line};
	uint8_t a[32] = {0}, b[32] = {0}, zero[32] = {0};

	ck_assert_int_eq(brski_now(&env), 1234);
	ck_assert_int_ge(brski_now(NULL), 1700000000);
	ck_assert_int_eq(brski_random(NULL, a, sizeof(a), NULL), BRSKI_OK);
	ck_assert_int_eq(brski_random(NULL, b, sizeof(b), NULL), BRSKI_OK);
	ck_assert_mem_ne(a, b, sizeof(a));
	ck_assert_int_eq(brski_random(&env, a, sizeof(a), NULL), BRSKI_INTERNAL);
	ck_assert_mem_eq(a, zero, sizeof(a));
	brski_log(&env, BRSKI_LOG_WARN, "device %s", "x\nforged line");
	ck_assert_str_eq(logged, "2 device x?forged line");
	brski_log(NULL, BRSKI_LOG_WARN, "to nobody");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {errors_say_what, errors_are_cut, errors_of_openssl,
		every_code_has_name_and_status, environment};

	return run_tests("error, env", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
