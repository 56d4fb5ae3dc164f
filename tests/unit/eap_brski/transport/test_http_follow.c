/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/transport/http_follow.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

#define ORIGIN "https://masa.example:9443"
#define ASKED ORIGIN "/.well-known/brski/requestauditlog"

START_TEST(parts_of_urls)
{
	static const struct {
		const char *url;
		size_t origin_len;
		const char *target;
	} cases[] = {
		{"https://a/b?c", 9, "/b?c"},
		{"https://a", 9, "/"},
		{"https://a/", 9, "/"},
		{"http://[::1]:80/x", 15, "/x"},
		{"https://a?x/y", 9, "/"},
		{"https://a#x/y", 9, "/"},
		{"https://", 8, "/"},
		{"https:///x", 8, "/x"},
		{"", 0, "/"},
		{"/x", 0, "/"},
		{"a/x", 0, "/"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_uint_eq(brski_http_origin_len(cases[i].url), cases[i].origin_len);
		ck_assert_str_eq(brski_http_target(cases[i].url), cases[i].target);
	}
}
END_TEST

static struct brski_error err;
static struct brski_http_hosts others = {.names = "", .named_by = "the_setting"};

static bool follow(const char *location, const char *asked, char *out, size_t size)
{
	struct brski_http answer = {.status = 201};
	bool followed;

	if (location)
		ck_assert_int_eq(brski_http_set(&answer, "location", location, NULL), BRSKI_OK);
	followed = brski_http_follow(&answer, asked, &others, out, size, &err) == BRSKI_OK;
	brski_http_free(&answer);
	return followed;
}

START_TEST(places_of_an_audit_log)
{
	static const struct {
		const char *location, *to; /* NULL: not followed */
	} cases[] = {
		{"/log/1", ORIGIN "/log/1"},
		{"/", ORIGIN "/"},
		/* relative to what was asked */
		{"log", ORIGIN "/.well-known/brski/log"},
		{"./log", ORIGIN "/.well-known/brski/log"},
		{"../../log", ORIGIN "/log"},
		{"../../../log", ORIGIN "/log"},
		{"?log", ORIGIN "/.well-known/brski/requestauditlog?log"},
		{"//masa.example:9443/log", ORIGIN "/log"},
		{"//MASA.example:9443", ORIGIN "/"},
		{"..//evil/log", ORIGIN "/.well-known//evil/log"},
		{ORIGIN, ORIGIN "/"},
		{ORIGIN "?log", ORIGIN "/?log"},
		{"/log#1", ORIGIN "/log"},
		{"/log?device=1", ORIGIN "/log?device=1"},
		{"/a//b", ORIGIN "/a//b"},
		{"/https://other.example/", ORIGIN "/https://other.example/"},
		{ORIGIN "/log/1", ORIGIN "/log/1"},
		{"HTTPS://Masa.Example:9443/Log", ORIGIN "/Log"},
		/* to another server */
		{"https://other.example:9443/log", NULL},
		{"https://masa.example/log", NULL},
		{"https://masa.example:944/log", NULL},
		{"https://masa.example:94430/log", NULL},
		{"https://masa.example:9443.evil/log", NULL},
		{"https://masa.example:9443@evil/log", NULL},
		{"https://user@masa.example:9443/log", NULL},
		{"http://masa.example:9443/log", NULL},
		{"//evil/log", NULL},
		{ORIGIN "//evil/log", NULL},
		{"\\\\evil\\log", NULL},
		/* not to a path */
		{NULL, NULL},
		{"", NULL},
		{"#log", NULL},
		{"/.//evil/log", NULL},
		{"/x/..//evil/log", NULL},
		{"/log 1", NULL},
		{"/log\t1", NULL},
		{"/log/\xc3\xa4", NULL},
		{"file:///etc/passwd", NULL},
	};
	char out[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(out, 'x', sizeof(out));
		ck_assert_msg(follow(cases[i].location, ASKED, out, sizeof(out)) == (cases[i].to != NULL),
			"\"%s\"", cases[i].location);
		ck_assert_str_eq(out, cases[i].to ? cases[i].to : "");
	}
}
END_TEST

START_TEST(why_it_is_not_followed)
{
	char out[128];

	ck_assert(!follow(NULL, ASKED, out, sizeof(out)));
	ck_assert_str_eq(err.why, "it has no Location");
	ck_assert(!follow("https://other.example/log", ASKED, out, sizeof(out)));
	ck_assert_int_eq(err.code, BRSKI_REFUSED);
	ck_assert_str_eq(err.why,
		"its Location \"https://other.example/log\": it is at another host, which the_setting does not name");
	ck_assert(!follow("/a b", ASKED, out, sizeof(out)));
	ck_assert_ptr_nonnull(strstr(err.why, "octet 0x20 is none of a path"));
}
END_TEST

START_TEST(hosts_that_are_named)
{
	static const struct {
		const char *location, *to;
	} cases[] = {
		{"https://logs.example/log/1", "https://logs.example/log/1"},
		{"//logs.example:443/log/1", "https://logs.example:443/log/1"},
		{"HTTPS://LOGS.example/x/../log", "https://LOGS.example/log"},
		{"https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443/"},
		{"/log", ORIGIN "/log"},
		{"https://logs.example:8443/log", NULL},
		{"https://logs.example@evil/log", NULL},
		{"https://logs.example.evil/log", NULL},
		{"https://logs.example//evil/log", NULL},
		{"https://other.example/log", NULL},
		{"http://logs.example:443/log", NULL},
		{"http://logs.example/log", NULL},
		{"http://masa.example:9443/log", NULL},
	};
	char out[128];

	others.names = "logs.example, [2001:db8::1]:8443 masa.example:9443";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(follow(cases[i].location, ASKED, out, sizeof(out)) == (cases[i].to != NULL),
			"%zu", i);
		ck_assert_str_eq(out, cases[i].to ? cases[i].to : "");
	}
	ck_assert_ptr_nonnull(strstr(err.why, "it leads from https to http"));
	others.names = "";
}
END_TEST

/* RFC 9110 4.3.1: a port that goes without saying */
START_TEST(the_port_of_the_scheme)
{
	char out[128];

	ck_assert(follow("https://masa.example:443/log", "https://masa.example/x", out, sizeof(out)));
	ck_assert_str_eq(out, "https://masa.example/log");
	ck_assert(follow("https://masa.example/log", "https://masa.example:443/x", out, sizeof(out)));
	ck_assert_str_eq(out, "https://masa.example:443/log");
	ck_assert(!follow("https://masa.example:80/log", "https://masa.example/x", out, sizeof(out)));
	ck_assert(follow("http://[::1]:80/log", "http://[::1]/x", out, sizeof(out)));
	ck_assert_str_eq(out, "http://[::1]/log");
}
END_TEST

START_TEST(from_what_is_no_url)
{
	char out[128];

	ck_assert(!follow("/log", "", out, sizeof(out)));
	ck_assert(!follow("/log", "/asked", out, sizeof(out)));
	ck_assert(!follow("/log", "masa.example/asked", out, sizeof(out)));
}
END_TEST

START_TEST(only_what_fits)
{
	char out[sizeof(ORIGIN) + 4];

	ck_assert(follow("/123", ASKED, out, sizeof(out)));
	ck_assert_str_eq(out, ORIGIN "/123");
	ck_assert(!follow("/1234", ASKED, out, sizeof(out)));
	ck_assert_str_eq(out, "");
}
END_TEST

/* Whatever is damaged, what is followed is at the origin that was asked. */
static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	char *location = strndup((const char *)damaged.data, damaged.len);
	char out[128];

	(void)ctx;
	if (strlen(location) == damaged.len && brski_http_is_value(damaged) &&
		follow(location, ASKED, out, sizeof(out))) {
		ck_assert_msg(strncmp(out, ORIGIN "/", sizeof(ORIGIN)) == 0, "%s at %zu", how->kind, how->at);
		ck_assert_uint_eq(brski_http_origin_len(out), strlen(ORIGIN));
		ck_assert_int_ne(out[sizeof(ORIGIN)], '/');
	}
	free(location);
}

START_TEST(damaged_places)
{
	mutate_all(brski_span_str(ORIGIN "/log/1"), try_damaged, NULL);
	mutate_all(brski_span_str("/log/1"), try_damaged, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {parts_of_urls, places_of_an_audit_log, why_it_is_not_followed,
		hosts_that_are_named, the_port_of_the_scheme, from_what_is_no_url, only_what_fits,
		damaged_places};

	return run_tests("http_follow", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
