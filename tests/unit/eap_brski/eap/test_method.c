/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/eap/method.h"
#include "tests/unit/support/files.h"

/* What peer and server share; the keys that both derive are compared in test_onboard.c. */

static void setup(void)
{
}

static void teardown(void)
{
}

START_TEST(identities)
{
	static const char *const bad[] = {"", ".", "org", "example..org", ".example.org", "example.org.",
		"-a.org", "a-.org", "a.org-", "exa mple.org", "ex\xc3\xa4mple.org", "a@b.org", "a_b.org",
		"a234567890123456789012345678901234567890123456789012345678901234.org"};
	char out[300];

	ck_assert(brski_identity(NULL, out, sizeof(out)));
	ck_assert_str_eq(out, "brski@example.org.v.eap.arpa");
	ck_assert(brski_identity("maker-1.example", out, sizeof(out)));
	ck_assert_str_eq(out, "brski@maker-1.example.v.eap.arpa");
	ck_assert(brski_identity(NULL, out, 29));
	ck_assert(!brski_identity(NULL, out, 28));
	ck_assert_str_eq(out, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!brski_identity(bad[i], out, sizeof(out)), "%s", bad[i]);
		ck_assert_str_eq(out, "");
	}
}
END_TEST

START_TEST(provisioning_identities)
{
	static const char *const yes[] = {"brski@example.org.v.eap.arpa", "portal@tls.eap.arpa",
		"@noob.eap.arpa", "@eap.arpa", "a@B.EAP.arpa", "@.eap.arpa", "a@b@c.eap.arpa"};
	static const char *const no[] = {"", "a", "eap.arpa", "a.eap.arpa", "a@xeap.arpa", "a@eap.arpa.x",
		"a@eap.arp", "a@eap.arpa.", "@"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		ck_assert_msg(brski_is_provisioning_identity(brski_span_str(yes[i])), "%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert_msg(!brski_is_provisioning_identity(brski_span_str(no[i])), "%s", no[i]);
}
END_TEST

START_TEST(expanded_type)
{
	uint8_t type[8];

	brski_expanded_type(BRSKI_EAP_VENDOR_ID, BRSKI_EAP_VENDOR_TYPE, type);
	ck_assert_mem_eq(type, "\xfe\x00\x7e\xd9\x00\x00\x00\x01", 8);
}
END_TEST

START_TEST(no_keys_without_success)
{
	static const uint8_t none[BRSKI_EAP_KEY_LEN + BRSKI_EAP_SESSION_ID_LEN];
	uint8_t msk[BRSKI_EAP_KEY_LEN], emsk[BRSKI_EAP_KEY_LEN], id[BRSKI_EAP_SESSION_ID_LEN];
	uint8_t type[BRSKI_EXPANDED_TYPE_LEN];
	struct brski_error err;

	memset(msk, 1, sizeof(msk));
	memset(emsk, 1, sizeof(emsk));
	memset(id, 1, sizeof(id));
	brski_expanded_type(BRSKI_EAP_VENDOR_ID, BRSKI_EAP_VENDOR_TYPE, type);
	EXPECT(BRSKI_UNEXPECTED, brski_method_keys(NULL, type, msk, emsk, id, &err));
	ck_assert_mem_eq(msk, none, sizeof(msk));
	ck_assert_mem_eq(emsk, none, sizeof(emsk));
	ck_assert_mem_eq(id, none, sizeof(id));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		identities, provisioning_identities, expanded_type, no_keys_without_success};

	return run_tests("method", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
