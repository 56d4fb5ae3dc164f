/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/ca/ca_options_internal.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"

/* What a CA does not start with. */

static struct brski_error err;
static struct cmp_world w;

static void setup(void)
{
	w = cmp_world_new("P-256");
}

static void teardown(void)
{
	cmp_world_free(&w);
}

static void write_credential(const struct brski_credential *cred, const char *path)
{
	STACK_OF(X509) *certs = pki_certs(cred, NULL);
	struct brski_buf pem = {0}, key = {0};

	EXPECT(BRSKI_OK, brski_key_to_pem(cred->key, &key, &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(certs, &pem, &err));
	brski_put(&key, brski_buf_span(&pem));
	EXPECT(BRSKI_OK, brski_buf_status(&key, &err));
	file_write(path, brski_buf_span(&key));
	brski_buf_free(&pem);
	brski_buf_free(&key);
	pki_free_certs(certs);
}

static enum brski_code set_up(const struct brski_credential *cmp, const char *dir)
{
	char issuer[80], signer[80], db[80];
	struct ca_settings settings = {.ca_key = issuer,
		.ca_cert = issuer,
		.cmp_key = signer,
		.cmp_cert = signer,
		.db = db,
		.trust_ra = true};
	struct ca_setup made;
	enum brski_code code;

	snprintf(issuer, sizeof(issuer), "%s/ca.pem", dir);
	snprintf(signer, sizeof(signer), "%s/cmp.pem", dir);
	snprintf(db, sizeof(db), "%s/ca.db", dir);
	write_credential(&w.ca, issuer);
	write_credential(cmp, signer);
	code = ca_setup(&settings, &made, &err);
	ca_setup_free(&made);
	return code;
}

/* Devices and registrars would refuse what it says. */
START_TEST(cmp_signer_has_a_role)
{
	struct brski_credential plain = pki_leaf("CN=Plain", "P-256", &w.ca);
	char dir[64];

	temp_make(dir);
	EXPECT(BRSKI_OK, set_up(&w.cmp, dir));
	EXPECT_WHY(BRSKI_MISMATCH, "cmcCA", set_up(&plain, dir));
	EXPECT_WHY(BRSKI_MISMATCH, "digitalSignature", set_up(&w.ca, dir));
	temp_remove(dir);
	pki_free(&plain);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {cmp_signer_has_a_role};

	return run_tests("ca_options", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
