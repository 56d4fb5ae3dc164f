/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <sys/resource.h>

#include "services/base/http_listen.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* What the TLS server takes of a client's certificates before it looks at a signature. */

static struct brski_error err;
static struct brski_credential server;
static SSL_CTX *tls;

static void setup(void)
{
	server = pki_leaf("CN=localhost", "P-256", NULL);
	EXPECT(BRSKI_OK, http_tls_new(&server, &tls, &err));
}

static void teardown(void)
{
	SSL_CTX_free(tls);
	pki_free(&server);
}

static SSL *side(SSL_CTX *ctx, bool is_server, BIO *transport)
{
	SSL *ssl = SSL_new(ctx);

	SSL_set_bio(ssl, transport, transport);
	if (is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

/* Would the server talk to this client? */
static bool shake_hands(const struct brski_credential *client)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	BIO *near, *far;
	SSL *here, *there;
	int done = 0;

	if (client)
		ck_assert_int_eq(
			SSL_CTX_use_cert_and_key(ctx, client->cert, client->key, client->chain, 1), 1);
	ck_assert_int_eq(BIO_new_bio_pair(&near, 1 << 18, &far, 1 << 18), 1);
	there = side(tls, true, far);
	here = side(ctx, false, near);
	for (int i = 0; i < 10 && done != 1; i++) {
		(void)SSL_do_handshake(here);
		done = SSL_do_handshake(there);
	}
	SSL_free(here);
	SSL_free(there);
	SSL_CTX_free(ctx);
	return done == 1;
}

START_TEST(any_certificate_or_none)
{
	struct brski_credential client = pki_leaf("CN=Registrar", "RSA-2048", NULL);

	ck_assert(shake_hands(NULL));
	ck_assert(shake_hands(&client));
	pki_free(&client);
}
END_TEST

START_TEST(ten_certificates_of_a_client)
{
	struct brski_credential client = pki_leaf("CN=Registrar", "P-256", NULL);
	struct brski_credential above = pki_root("CN=Domain");

	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(X509_add_cert(client.chain, above.cert, X509_ADD_FLAG_UP_REF), 1);
	ck_assert(shake_hands(&client));
	ck_assert_int_eq(X509_add_cert(client.chain, above.cert, X509_ADD_FLAG_UP_REF), 1);
	ck_assert(!shake_hands(&client));
	pki_free(&above);
	pki_free(&client);
}
END_TEST

START_TEST(costly_keys_of_a_client)
{
	EVP_PKEY *costly = pki_public_rsa(3072, 3072);
	struct brski_credential client = pki_leaf("CN=Registrar", "P-256", NULL);
	struct brski_credential above = pki_make(&(struct pki_spec){.key = costly}, &client);

	ck_assert_int_eq(X509_add_cert(client.chain, above.cert, X509_ADD_FLAG_UP_REF), 1);
	ck_assert(!shake_hands(&client));
	pki_free(&above);
	pki_free(&client);
	EVP_PKEY_free(costly);
}
END_TEST

static rlim_t files_for(rlim_t soft, rlim_t hard, unsigned wanted, unsigned *got)
{
	struct rlimit limit = {soft, hard};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	EXPECT(BRSKI_OK, http_files_for(wanted, got, &err));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur;
}

/* 32 are for other ends, and some are open. */
START_TEST(open_files)
{
	unsigned got;
	rlim_t now = files_for(600, 600, 100, &got);

	ck_assert_uint_eq(got, 100);
	ck_assert_uint_eq(now, 600);
	now = files_for(64, 600, 100, &got);
	ck_assert_uint_eq(got, 100);
	ck_assert(now > 132 && now < 180);
	now = files_for(64, 600, 1000, &got);
	ck_assert(got > 520 && got < 568);
	ck_assert_uint_eq(now, 600);
	now = files_for(30, 30, 1000, &got);
	ck_assert_uint_eq(got, 1);
	ck_assert_uint_eq(now, 30);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		any_certificate_or_none, ten_certificates_of_a_client, costly_keys_of_a_client, open_files};

	return run_tests("http_listen", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
