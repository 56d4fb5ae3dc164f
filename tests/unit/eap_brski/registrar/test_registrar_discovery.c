/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/* What a registrar tells of itself, and to whom: RFC 8995 5, RFC 6690, draft-ietf-anima-brski-discovery. */

#define PATH_CORE "/.well-known/core"
#define LINKS "application/link-format"
#define HERE "registrar.example:8443"

static struct site site;
static struct visit v;

static void setup(void)
{
	site_open(&site, "P-256");
	visit_open(&v, &site);
}

static void teardown(void)
{
	visit_close(&v);
	site_close(&site);
}

static struct brski_http request;

static void make(const char *method, const char *path, const char *authority, const char *accept)
{
	struct brski_error err = {0};

	brski_http_free(&request);
	EXPECT(BRSKI_OK, brski_http_request(&request, method, path, NULL, brski_span(NULL, 0), &err));
	free(request.authority);
	request.authority = strdup(authority);
	if (accept)
		EXPECT(BRSKI_OK, brski_http_set(&request, "accept", accept, &err));
}

static unsigned ask(const char *path, const char *authority, const char *accept)
{
	struct brski_error err = {0};

	make("GET", path, authority, accept);
	brski_http_free(&v.response);
	EXPECT(BRSKI_OK, brski_registrar_request(v.session, &request, &v.response, &v.job, &err));
	ck_assert_ptr_null(v.job);
	brski_http_free(&request);
	return v.response.status;
}

static bool ask_as_nobody(
	const char *method, const char *path, const char *authority, const char *accept, bool est)
{
	struct brski_error err = {0};
	bool answered = false;

	make(method, path, authority, accept);
	EXPECT(BRSKI_OK, brski_registrar_public(site.registrar, &request, est, &answered, &v.response, &err));
	brski_http_free(&request);
	ck_assert_int_eq(answered, v.response.status != 0);
	return answered;
}

static bool is_text(const char *text)
{
	return brski_span_equal(brski_buf_span(&v.response.body), brski_span_str(text));
}

static bool lists(const char *path)
{
	json_t *json = json_loadb((const char *)v.response.body.data, v.response.body.len, 0, NULL);
	const json_t *paths = json_object_get(json, "endpoints");
	bool found = false;

	ck_assert_ptr_nonnull(json);
	for (size_t i = 0; i < json_array_size(paths); i++)
		found = found || strcmp(json_string_value(json_array_get(paths, i)), path) == 0;
	json_decref(json);
	return found;
}

/* In a tunnel nobody has an address, and there is nothing new. */
START_TEST(a_tunnel_has_no_links)
{
	ck_assert_uint_eq(ask(PATH_CORE, "", NULL), 404);
	ck_assert_uint_eq(ask(PATH_BRSKI, "", LINKS), 406);
	ck_assert_uint_eq(ask(PATH_BRSKI, "", NULL), 200);
	ck_assert(brski_http_is_type(&v.response, BRSKI_MEDIA_JSON));
	ck_assert(!lists("/.well-known/est/simpleenroll"));
}
END_TEST

START_TEST(links)
{
	static const char cmp_alone[] = "<https://" HERE ">;rt=brski.rs;var=\"cmp\","
					"<https://" HERE ">;rt=brski.jp;var=\"cmp\"";
	static const char both[] = "<https://" HERE ">;rt=brski.rs;var=\"est-tls cmp\","
				   "<https://" HERE ">;rt=brski.jp;var=\"est-tls cmp\"";

	ck_assert_uint_eq(ask(PATH_CORE, HERE, NULL), 200);
	ck_assert(brski_http_is_type(&v.response, LINKS));
	ck_assert(is_text(cmp_alone));
	brski_registrar_session_serve_est(v.session);
	ck_assert_uint_eq(ask(PATH_CORE, HERE, NULL), 200);
	ck_assert(is_text(both));
	ck_assert_uint_eq(ask(PATH_CORE "?rt=brski.*", HERE, "*/*"), 200);
	ck_assert(is_text(both));
	ck_assert_uint_eq(ask(PATH_CORE, HERE, "application/json"), 406);
	/* JSON unless somebody would rather have links */
	ck_assert_uint_eq(ask(PATH_BRSKI, HERE, LINKS), 200);
	ck_assert(is_text(both));
	ck_assert_uint_eq(ask(PATH_BRSKI, HERE, "*/*"), 200);
	ck_assert(brski_http_is_type(&v.response, BRSKI_MEDIA_JSON));
	ck_assert_uint_eq(ask(PATH_BRSKI, HERE, "text/html"), 406);
	ck_assert_uint_eq(ask(PATH_BRSKI "?rt=brski.*", HERE, NULL), 404);
	ck_assert_uint_eq(ask(PATH_CORE "x", HERE, NULL), 404);
}
END_TEST

START_TEST(addresses)
{
	static const char *const good[] = {"[2001:db8::1]:8443", "192.0.2.1", "[fe80::1%25eth0]:1"};
	static const char *const bad[] = {"a>;rt=evil", "a\",b", "user@host", "a b", "a,b", "a;b", "a<b"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_uint_eq(ask(PATH_CORE, good[i], NULL), 200);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_uint_eq(ask(PATH_CORE, bad[i], NULL), 400);
}
END_TEST

START_TEST(nobody_is_told_what_is_here)
{
	const unsigned before = site.n_calls;

	ck_assert(ask_as_nobody("GET", PATH_BRSKI, HERE, NULL, false));
	ck_assert_uint_eq(v.response.status, 200);
	ck_assert(lists(PATH_VOUCHER));
	ck_assert(ask_as_nobody("GET", PATH_CORE, HERE, NULL, true));
	ck_assert_uint_eq(v.response.status, 200);
	ck_assert(ask_as_nobody("POST", PATH_BRSKI, HERE, NULL, true));
	ck_assert_uint_eq(v.response.status, 405);
	ck_assert_str_eq(brski_http_get(&v.response, "allow"), "GET");
	ck_assert(ask_as_nobody("GET", "/nowhere", HERE, NULL, true));
	ck_assert_uint_eq(v.response.status, 404);
	ck_assert(ask_as_nobody("GET", PATH_BRSKI, HERE, "text/html", true));
	ck_assert_uint_eq(v.response.status, 406);
	/* what is for devices alone */
	ck_assert(!ask_as_nobody("POST", PATH_VOUCHER, HERE, NULL, true));
	ck_assert(!ask_as_nobody("GET", PATH_ENROLL_STATUS, HERE, NULL, true));
	ck_assert(!ask_as_nobody("POST", PATH_PKCS10, HERE, NULL, true));
	ck_assert_uint_eq(site.n_events, 0);
	ck_assert_uint_eq(site.n_calls, before);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_tunnel_has_no_links, links, addresses, nobody_is_told_what_is_here};

	return run_tests("registrar, discovery", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
