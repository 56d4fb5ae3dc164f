/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/ground/url.h"
#include "tests/unit/support/files.h"

static struct brski_error err;
static char out[64];

START_TEST(addresses_that_can_be_called)
{
	static const struct {
		const char *url, *read;
	} cases[] = {
		{"https://masa.example", "https://masa.example"},
		{"https://masa.example/", "https://masa.example/"},
		{"https://masa_1.example:8443/x/y.z~", "https://masa_1.example:8443/x/y.z~"},
		{"https://192.0.2.1:1", "https://192.0.2.1:1"},
		{"https://[2001:db8::1]", "https://[2001:db8::1]"},
		{"https://[2001:db8::1]:65535/p", "https://[2001:db8::1]:65535/p"},
		{"https://x/a%20b;c=d,e@f!(g)", "https://x/a%20b;c=d,e@f!(g)"},
		{"HTTPS://Masa.Example/A", "https://Masa.Example/A"}, /* RFC 3986 3.1 */
		{"hTTps://x", "https://x"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT(BRSKI_OK, brski_url_read(brski_span_str(cases[i].url), BRSKI_URL_HTTPS, out,
					 sizeof(out), &err));
		ck_assert_str_eq(out, cases[i].read);
	}
	EXPECT(BRSKI_OK,
		brski_url_read(brski_span_str("HTTP://ca/cmp"), BRSKI_URL_HTTP_TOO, out, sizeof(out), &err));
	ck_assert_str_eq(out, "http://ca/cmp");
}
END_TEST

START_TEST(addresses_that_cannot)
{
	static const struct {
		const char *url, *why;
		enum brski_code want;
	} cases[] = {
		{"", "https URL", BRSKI_UNSUPPORTED},
		{"masa.example", "https URL", BRSKI_UNSUPPORTED},
		{"http://masa.example", "https URL", BRSKI_UNSUPPORTED},
		{"ldap://masa.example", "https URL", BRSKI_UNSUPPORTED},
		{"https:/masa.example", "https URL", BRSKI_UNSUPPORTED},
		{"https://", "no host", BRSKI_MALFORMED},
		{"https:///path", "no host", BRSKI_MALFORMED},
		{"https://:443", "no host", BRSKI_MALFORMED},
		{"https://x:", "port", BRSKI_MALFORMED},
		{"https://x:0", "port", BRSKI_MALFORMED},
		{"https://x:65536", "port", BRSKI_MALFORMED},
		{"https://x:99999", "port", BRSKI_MALFORMED},
		{"https://x:000443", "port", BRSKI_MALFORMED},
		{"https://x:4a3", "port", BRSKI_MALFORMED},
		{"https://x:-1", "port", BRSKI_MALFORMED},
		{"https://x:443:443", "port", BRSKI_MALFORMED},
		{"https://me@x", "user", BRSKI_MALFORMED},
		{"https://me:secret@x:443/", "user", BRSKI_MALFORMED},
		{"https://x/?a", "query", BRSKI_MALFORMED},
		{"https://x?a", "query", BRSKI_MALFORMED},
		{"https://x/#a", "fragment", BRSKI_MALFORMED},
		{"https://x y", "0x20", BRSKI_MALFORMED},
		{"https://x/a b", "0x20", BRSKI_MALFORMED},
		{"https://x\n", "0x0a", BRSKI_MALFORMED},
		{"https://x/\xc3\xa9", "0xc3", BRSKI_MALFORMED},
		{"https://x/<a>", "0x3c", BRSKI_MALFORMED},
		{"https://x/%", "%", BRSKI_MALFORMED},
		{"https://x/%4", "%", BRSKI_MALFORMED},
		{"https://x/%zz", "%", BRSKI_MALFORMED},
		{"https://[2001:db8::1", "bracket", BRSKI_MALFORMED},
		{"https://[2001:db8::g]", "IPv6", BRSKI_MALFORMED},
		{"https://[]", "IPv6", BRSKI_MALFORMED},
		{"https://[::1]x", "between", BRSKI_MALFORMED},
		{"https://2001:db8::1/", "port", BRSKI_MALFORMED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(out, 'x', sizeof(out));
		EXPECT_WHY(cases[i].want, cases[i].why,
			brski_url_read(
				brski_span_str(cases[i].url), BRSKI_URL_HTTPS, out, sizeof(out), &err));
		ck_assert_str_eq(out, "");
	}
	EXPECT_WHY(BRSKI_MALFORMED, "0x00",
		brski_url_read(brski_span("https://x/a\0b", 13), BRSKI_URL_HTTPS, out, sizeof(out), &err));
	EXPECT_WHY(BRSKI_MALFORMED, "0x00",
		brski_url_read(brski_span("https://x\0b", 11), BRSKI_URL_HTTPS, out, sizeof(out), &err));
	EXPECT(BRSKI_UNSUPPORTED,
		brski_url_read(brski_span(NULL, 0), BRSKI_URL_HTTP_TOO, out, sizeof(out), &err));
}
END_TEST

START_TEST(they_are_copied_whole)
{
	EXPECT(BRSKI_OK, brski_url_read(brski_span_str("https://abc"), BRSKI_URL_HTTPS, out, 12, &err));
	ck_assert_str_eq(out, "https://abc");
	EXPECT_WHY(BRSKI_TOO_LARGE, "more than 10",
		brski_url_read(brski_span_str("https://abc"), BRSKI_URL_HTTPS, out, 11, &err));
	ck_assert_str_eq(out, "");
}
END_TEST

/* RFC 3986 5.4, but for what is refused: no http URL, or a path that begins with two slashes. */
START_TEST(references)
{
	static const struct {
		const char *reference, *to; /* NULL: refused */
	} cases[] = {
		{"g:h", NULL}, {"http:g", NULL}, {"g", "http://a/b/c/g"}, {"./g", "http://a/b/c/g"},
		{"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"}, {"//g", "http://g/"},
		{"?y", "http://a/b/c/d;p?y"}, {"g?y", "http://a/b/c/g?y"}, {"#s", "http://a/b/c/d;p"},
		{"g#s", "http://a/b/c/g"}, {"g?y#s", "http://a/b/c/g?y"}, {";x", "http://a/b/c/;x"},
		{"g;x?y#s", "http://a/b/c/g;x?y"}, {".", "http://a/b/c/"}, {"./", "http://a/b/c/"},
		{"..", "http://a/b/"}, {"../", "http://a/b/"}, {"../g", "http://a/b/g"},
		{"../..", "http://a/"}, {"../../", "http://a/"}, {"../../g", "http://a/g"},
		{"../../../g", "http://a/g"}, {"../../../../g", "http://a/g"}, {"/./g", "http://a/g"},
		{"/../g", "http://a/g"}, {"g.", "http://a/b/c/g."}, {".g", "http://a/b/c/.g"},
		{"g..", "http://a/b/c/g.."}, {"..g", "http://a/b/c/..g"}, {"./../g", "http://a/b/g"},
		{"./g/.", "http://a/b/c/g/"}, {"g/./h", "http://a/b/c/g/h"}, {"g/../h", "http://a/b/c/h"},
		{"g;x=1/./y", "http://a/b/c/g;x=1/y"}, {"g;x=1/../y", "http://a/b/c/y"},
		{"g?y/./x", "http://a/b/c/g?y/./x"}, {"g?y/../x", "http://a/b/c/g?y/../x"},
		{"HTTPS://B:1", "https://B:1/"}, {"https://b?q", "https://b/?q"}, {"//", NULL},
		{"///g", NULL}, {"//me@g/", NULL}, {"//g:0/", NULL}, {"http://a//g", NULL}, {"/.//g", NULL},
		{"../..//g", NULL}, {"g g", NULL}, {"g?a b", NULL}, {"g#a b", NULL}, {"g?%4", NULL},
		{"\\\\g\\h", NULL},
		{"abcdefghijklmnopqrstuvwxyz?abcdefghijklmnopqrstuvwxyz", NULL}, /* too long */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum brski_code code = brski_url_resolve(
			"http://a/b/c/d;p?q", brski_span_str(cases[i].reference), out, sizeof(out), &err);

		ck_assert_msg((code == BRSKI_OK) == (cases[i].to != NULL), "%s: %s", cases[i].reference, out);
		ck_assert_str_eq(out, cases[i].to ? cases[i].to : "");
	}
	EXPECT(BRSKI_OK, brski_url_resolve("https://a", brski_span_str("g"), out, sizeof(out), &err));
	ck_assert_str_eq(out, "https://a/g");
}
END_TEST

START_TEST(lists_of_hosts)
{
	static const struct {
		const char *url, *hosts;
		bool is_at;
	} cases[] = {
		{"https://b/x", "", false},
		{"https://b/x", "b", true},
		{"https://B:443", "b", true},
		{"https://b/x", "a, b:443", true},
		{"https://b:1/x", "a b:1\tc", true},
		{"https://b:1/x", "b", false},
		{"https://b/x", "b:1,a", false},
		{"https://b/x", "bb", false},
		{"https://b.a/x", "b", false},
		{"https://a.b/x", "b", false},
		{"http://b/x", "b:80", true},
		{"http://b/x", "b:443", false},
		{"https://[::1]:8443/x", "[::1]:8443", true},
		{"https://[::1]/x", "[::2]", false},
		{"b/x", "b", false},
	};
	static const char *const wrong[] = {"https://b", "b/x", "a, me@b", "b:0", "b:x", "*", "::1"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT(BRSKI_OK, brski_url_hosts_check(cases[i].hosts, &err));
		ck_assert_msg(brski_url_is_at(cases[i].url, cases[i].hosts) == cases[i].is_at, "%s, %s",
			cases[i].url, cases[i].hosts);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT_WHY(BRSKI_MALFORMED, "is no HOST or HOST:PORT", brski_url_hosts_check(wrong[i], &err));
	ck_assert(!brski_url_is_at("https://b/x", "me@b, b/x"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {addresses_that_can_be_called, addresses_that_cannot, references,
		lists_of_hosts, they_are_copied_whole};

	return run_tests("url", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
