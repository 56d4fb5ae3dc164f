/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <check.h>

#include "services/base/http_server_shares.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* Who is one holder of connections, and what he has. */

static struct brski_error err;

static struct sockaddr_storage address(const char *text, unsigned scope)
{
	struct sockaddr_storage at = {0};
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&at;

	at.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	ipv6->sin6_scope_id = at.ss_family == AF_INET6 ? scope : 0;
	ck_assert_int_eq(
		inet_pton(at.ss_family, text,
			at.ss_family == AF_INET6 ? (void *)&ipv6->sin6_addr : (void *)&ipv4->sin_addr),
		1);
	return at;
}

static bool are_one(const char *a, unsigned scope_a, const char *b, unsigned scope_b, bool whole)
{
	struct sockaddr_storage one = address(a, scope_a), other = address(b, scope_b);
	struct http_holder first = http_holder_address(&one, whole);
	struct http_holder second = http_holder_address(&other, whole);

	return memcmp(&first, &second, sizeof(first)) == 0;
}

START_TEST(addresses_that_are_one_holder)
{
	ck_assert(are_one("192.0.2.1", 0, "192.0.2.1", 0, false));
	ck_assert(are_one("192.0.2.1", 0, "::ffff:192.0.2.1", 0, false));
	ck_assert(are_one("192.0.2.1", 0, "::ffff:192.0.2.1", 0, true));
	ck_assert(!are_one("192.0.2.1", 0, "192.0.2.2", 0, false));
	ck_assert(!are_one("::ffff:192.0.2.1", 0, "::ffff:192.0.2.2", 0, false));
	ck_assert(are_one("2001:db8:0:1::1", 0, "2001:db8:0:1:ffff::", 0, false));
	ck_assert(!are_one("2001:db8:0:1::1", 0, "2001:db8:0:2::1", 0, false));
	ck_assert(!are_one("2001:db8:0:1::1", 0, "2001:db8:0:1::2", 0, true));
	/* all link-local ones have the same first 64 bits, on every link */
	ck_assert(!are_one("fe80::1", 1, "fe80::2", 1, false));
	ck_assert(!are_one("fe80::1", 1, "fe80::1", 2, false));
	ck_assert(are_one("fe80::1", 1, "fe80::1", 1, false));
}
END_TEST

static void reads_as(const char *text, const char *same)
{
	struct sockaddr_storage at = address(same, 0);
	struct http_holder read, holder = http_holder_address(&at, true);

	EXPECT(BRSKI_OK, http_holder_read(text, &read, &err));
	ck_assert_int_eq(memcmp(&read, &holder, sizeof(read)), 0);
}

START_TEST(addresses_as_text)
{
	struct http_holder holder;

	reads_as("192.0.2.1", "192.0.2.1");
	reads_as("::ffff:192.0.2.1", "192.0.2.1");
	reads_as("2001:DB8::0:1", "2001:db8::1");
	EXPECT_WHY(BRSKI_MALFORMED, "\"proxy.example\" is no IP address",
		http_holder_read("proxy.example", &holder, &err));
	EXPECT(BRSKI_MALFORMED, http_holder_read("192.0.2.0/24", &holder, &err));
	EXPECT(BRSKI_MALFORMED, http_holder_read("[::1]", &holder, &err));
	EXPECT(BRSKI_MALFORMED, http_holder_read("", &holder, &err));
}
END_TEST

START_TEST(certificates)
{
	struct brski_credential a = pki_leaf("CN=a", "P-256", NULL), b = pki_leaf("CN=a", "P-256", NULL);
	struct http_holder first, again, second;

	ck_assert(http_holder_certificate(a.cert, &first));
	ck_assert(http_holder_certificate(a.cert, &again));
	ck_assert(http_holder_certificate(b.cert, &second));
	ck_assert_int_eq(memcmp(&first, &again, sizeof(first)), 0);
	ck_assert_int_ne(memcmp(&first, &second, sizeof(first)), 0);
	pki_free(&a);
	pki_free(&b);
}
END_TEST

START_TEST(what_many_holders_have)
{
	enum { HOLDERS = 300, EACH = 3 };
	struct http_shares shares = {0};
	static struct http_share *all[HOLDERS][EACH];
	struct http_share *none;
	struct http_holder holder = {0};

	for (int i = 0; i < HOLDERS; i++) {
		memcpy(holder.octets, &i, sizeof(i));
		ck_assert_ptr_null(http_share_of(&shares, &holder));
		for (int n = 0; n < EACH; n++)
			ck_assert(http_share_enter(&shares, &holder, EACH, &all[i][n]));
		ck_assert(!http_share_enter(&shares, &holder, EACH, &none));
		ck_assert_ptr_null(none);
		ck_assert_uint_eq(http_share_of(&shares, &holder)->n, EACH);
	}
	for (int i = 0; i < HOLDERS; i++) {
		memcpy(holder.octets, &i, sizeof(i));
		for (int n = 0; n < EACH; n++)
			http_share_leave(&shares, all[i][n]);
		ck_assert_ptr_null(http_share_of(&shares, &holder));
	}
	ck_assert_ptr_null(shares.tree);
	ck_assert(!http_share_enter(&shares, &holder, 0, &none));
	http_share_leave(&shares, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		addresses_that_are_one_holder, addresses_as_text, certificates, what_many_holders_have};

	return run_tests("HTTP server, shares", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
