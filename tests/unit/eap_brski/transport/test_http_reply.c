/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/http_reply.h"
#include "tests/unit/support/files.h"

START_TEST(texts)
{
	struct brski_http response = {0};
	char words[32];

	ck_assert_int_eq(brski_http_reply_text(&response, 403, "not you", NULL), BRSKI_OK);
	ck_assert_uint_eq(response.status, 403);
	ck_assert_str_eq(brski_http_get(&response, "content-type"), BRSKI_MEDIA_TEXT);
	ck_assert_ptr_null(brski_http_get(&response, "retry-after"));
	brski_http_reply_words(&response, words, sizeof(words));
	ck_assert_str_eq(words, "not you");

	ck_assert_int_eq(brski_http_reply_later(&response, 503, 120, "not now", NULL), BRSKI_OK);
	ck_assert_uint_eq(response.status, 503);
	ck_assert_int_eq(brski_http_retry_after(&response, 0), 120);
	brski_http_reply_words(&response, words, sizeof(words));
	ck_assert_str_eq(words, "not now");
	ck_assert_int_eq(brski_http_reply_text(&response, 99, "no status", NULL), BRSKI_MALFORMED);
	ck_assert_uint_eq(response.status, 0);
	brski_http_free(&response);
}
END_TEST

START_TEST(words_of_others)
{
	static const struct {
		const char *type, *body, *words;
	} cases[] = {
		{"text/plain", "ask again\r\n\n", "ask again"},
		{"Text/Plain; charset=us-ascii", "\nx", "?x"},
		{"text/plain", "\x1b[2J\xff", "?[2J?"},
		{"text/plain", "0123456789abcdef", "0123456789"},
		{"text/plain", "", ""},
		{"text/plain", "\n\n", ""},
		{"text/html", "<p>no", ""},
		{NULL, "", ""},
	};
	char words[11];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_http response = {0};

		ck_assert_int_eq(brski_http_response(
					 &response, 404, cases[i].type, brski_span_str(cases[i].body), NULL),
			BRSKI_OK);
		brski_http_reply_words(&response, words, sizeof(words));
		ck_assert_str_eq(words, cases[i].words);
		brski_http_free(&response);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {texts, words_of_others};

	return run_tests("http_reply", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
