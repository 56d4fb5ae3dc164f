/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <check.h>

#include "services/base/http_post.h"
#include "tests/unit/support/files.h"

static struct brski_error err;
static struct brski_http message;

static void teardown(void)
{
	brski_http_free(&message);
}

static unsigned check(const char *method, const char *type)
{
	err = (struct brski_error){0};
	brski_http_free(&message);
	ck_assert(brski_http_request(&message, method, "/", type, brski_span_str(type ? "x" : ""), NULL) ==
		  BRSKI_OK);
	return http_post_check(&message, "application/pkixcmp", &err);
}

START_TEST(only_post_of_one_type)
{
	ck_assert_uint_eq(check("POST", "application/pkixcmp"), 0);
	ck_assert_uint_eq(check("POST", "Application/PKIXCMP; x=y"), 0);
	ck_assert_uint_eq(check("GET", "application/pkixcmp"), 405);
	ck_assert_str_eq(err.why, "only POST is understood here");
	ck_assert_uint_eq(check("post", "application/pkixcmp"), 405);
	ck_assert_uint_eq(check("POST", "text/plain"), 415);
	ck_assert_str_eq(err.why, "a request has the type application/pkixcmp");
	ck_assert_uint_eq(check("POST", NULL), 415);
}
END_TEST

/* RFC 9110 15.5.16: nothing is decoded here, and the client hears so */
START_TEST(content_codings_are_refused)
{
	static const char *const codings[] = {"gzip", "deflate", "br", "gzip, identity", "x", ""};

	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		check("POST", "application/pkixcmp");
		EXPECT(BRSKI_OK, brski_http_set(&message, "content-encoding", codings[i], &err));
		ck_assert_uint_eq(http_post_check(&message, "application/pkixcmp", &err), 415);
		ck_assert_ptr_nonnull(strstr(err.why, "content coding"));
	}
	check("POST", "application/pkixcmp");
	EXPECT(BRSKI_OK, brski_http_set(&message, "content-encoding", "Identity", &err));
	ck_assert_uint_eq(http_post_check(&message, "application/pkixcmp", &err), 0);
}
END_TEST

START_TEST(a_refusal_says_what_is_allowed)
{
	EXPECT(BRSKI_OK, http_post_refuse(&message, 405, "no", &err));
	ck_assert_uint_eq(message.status, 405);
	ck_assert_str_eq(brski_http_get(&message, "allow"), "POST");
	ck_assert(brski_span_equal(brski_buf_span(&message.body), brski_span_str("no")));
	EXPECT(BRSKI_OK, http_post_refuse(&message, 415, "other", &err));
	ck_assert_uint_eq(message.status, 415);
	ck_assert_ptr_null(brski_http_get(&message, "allow"));
	ck_assert_str_eq(brski_http_get(&message, "accept-encoding"), "identity");
	ck_assert(brski_span_equal(brski_buf_span(&message.body), brski_span_str("other")));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		only_post_of_one_type, content_codings_are_refused, a_refusal_says_what_is_allowed};

	return run_tests("http_post", NULL, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
