/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/http_accept.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

#define JSON "application/json"

static struct brski_http request_with(const char *accept)
{
	struct brski_http request = {0};

	ck_assert_int_eq(brski_http_request(&request, "GET", "/", NULL, brski_span(NULL, 0), NULL), BRSKI_OK);
	if (accept)
		ck_assert_int_eq(brski_http_set(&request, "accept", accept, NULL), BRSKI_OK);
	return request;
}

static bool accepts(const char *accept, const char *media)
{
	struct brski_http request = request_with(accept);
	bool yes = brski_http_accepts(&request, media);

	brski_http_free(&request);
	return yes;
}

START_TEST(lists_of_ranges)
{
	static const struct {
		const char *accept;
		bool yes;
	} cases[] = {
		{NULL, true},
		{JSON, true},
		{"Application/JSON", true},
		{"application/*", true},
		{"APPLICATION/*", true},
		{"*/*", true},
		{"text/html, application/json", true},
		{"text/html,application/json", true},
		{"text/html ,\t application/json ; charset=utf-8", true},
		{",,application/json,,", true},
		{"application/json;q=1", true},
		{"application/json;q=0.001", true},
		{"application/json; Q=0.5", true},
		{"application/json;level=1;q=0.2", true},
		{"text/*;q=0, */*;q=0.1", true},
		/* not this one */
		{"", false},
		{",", false},
		{";", false},
		{", ;q=1", false},
		{"text/html", false},
		{"application/jso", false},
		{"application/jsonx", false},
		{"application/voucher-cms+json", false},
		{"application", false},
		{"application/", false},
		{"/json", false},
		{"*", false},
		{"*/json", false},
		{"*/*x", false},
		{"application/**", false},
		{"application/json x", false},
		{"text/html application/json", false},
		{"text/html;a=\"application/json\"", false},
		{"application /json", false},
		/* not at all: weight 0 */
		{"application/json;q=0", false},
		{"application/json;q=0.000", false},
		{"application/json ; q=0.0", false},
		{"application/json;Q=0", false},
		{"*/*;q=0", false},
		{"application/*;level=1;q=0", false},
		{"application/json;q=0;q=1", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(accepts(cases[i].accept, JSON) == cases[i].yes, "\"%s\"", cases[i].accept);
}
END_TEST

START_TEST(a_response_without_content)
{
	ck_assert(accepts("text/html;q=0", NULL));
	ck_assert(accepts("", NULL));
}
END_TEST

/* Whatever Accept says, the answer is yes or no, by octets that are its own (AddressSanitizer). */
static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	char *text = strndup((const char *)damaged.data, damaged.len);

	(void)how;
	(void)ctx;
	if (strlen(text) == damaged.len && brski_http_is_value(damaged))
		(void)accepts(text, JSON);
	free(text);
}

START_TEST(damaged_lists)
{
	static const char golden[] = "text/*;q=0.1, application/json ; q=0, */*;level=1;q=0.5";

	mutate_all(brski_span_str(golden), try_damaged, NULL);
}
END_TEST

START_TEST(long_lists)
{
	char list[BRSKI_HTTP_TEXT_MAX + 1];

	memset(list, ',', sizeof(list) - 1);
	list[sizeof(list) - 1] = '\0';
	ck_assert(!accepts(list, JSON));
	memset(list, ';', sizeof(list) - 1);
	ck_assert(!accepts(list, JSON));
	memcpy(list + sizeof(list) - 4, "*/*", 3);
	ck_assert(!accepts(list, JSON));
	memset(list, ',', sizeof(list) - 4);
	ck_assert(accepts(list, JSON));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {lists_of_ranges, a_response_without_content, damaged_lists, long_lists};

	return run_tests("http_accept", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
