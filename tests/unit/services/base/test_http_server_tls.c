/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/socket.h>

#include <check.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include "tests/unit/support/files.h"
#include "tests/unit/support/http_lab.h"

/* TLS connections to the HTTP server: what it keeps with them, and what it does not put up with. */

#define GET "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

static struct http_lab lab;
static struct http_peer peer;
static struct brski_credential root, device;

static void setup(void)
{
	struct brski_credential ca;

	root = pki_root("CN=Vendor");
	ca = pki_ca("CN=Vendor CA", &root);
	device = pki_leaf("CN=Gadget,serialNumber=S-1", "P-256", &ca);
	pki_free(&ca);
	http_lab_init(&lab, true);
	http_lab_start(&lab);
}

static void teardown(void)
{
	http_peer_close(&peer);
	http_lab_stop(&lab);
	pki_free(&device);
	pki_free(&root);
}

static void come(const struct brski_credential *client, int version)
{
	http_peer_connect(&peer, &lab, NULL);
	ck_assert(http_peer_shake(&peer, client, version));
}

static void a_chain_by(int version)
{
	come(&device, version);
	ck_assert_uint_eq(http_peer_ask(&peer, GET), 200);
	ck_assert_uint_eq(lab.certificates, 2);
	ck_assert_uint_eq(http_peer_ask(&peer, GET), 200);
	ck_assert_uint_eq(lab.certificates, 2);
	ck_assert_uint_eq(lab.closed, 0);
	http_peer_close(&peer);
	http_lab_await_closed(&lab, 1);
}

START_TEST(a_client_and_its_chain)
{
	a_chain_by(TLS1_3_VERSION);
}
END_TEST

START_TEST(a_client_and_its_chain_by_tls_1_2)
{
	a_chain_by(TLS1_2_VERSION);
}
END_TEST

START_TEST(a_client_without_a_certificate)
{
	come(NULL, 0);
	ck_assert_uint_eq(http_peer_ask(&peer, GET), 200);
	ck_assert_uint_eq(lab.certificates, 0);
}
END_TEST

START_TEST(tls_1_1_is_too_old)
{
	http_peer_connect(&peer, &lab, NULL);
	ck_assert(!http_peer_shake(&peer, NULL, TLS1_1_VERSION));
	http_peer_await_gone(&peer);
	ck_assert_uint_eq(http_lab_logged(&lab, "127.0.0.1: the TLS handshake failed"), 1);
}
END_TEST

START_TEST(what_is_no_tls)
{
	http_peer_connect(&peer, &lab, NULL);
	http_peer_say(&peer, GET);
	http_peer_await_gone(&peer);
	ck_assert_uint_eq(lab.requests, 0);
}
END_TEST

/* The data is there until the last exchange was replied to, however long the client has gone. */
START_TEST(a_client_that_goes_while_its_request_is_worked_on)
{
	lab.hold = true;
	come(&device, 0);
	http_peer_say(&peer, GET);
	http_lab_await_requests(&lab, 1);
	http_peer_close(&peer);
	for (int i = 0; i < 20; i++)
		http_lab_turn(&lab);
	ck_assert_uint_eq(lab.closed, 0);
	http_lab_reply(&lab, "late");
	http_lab_await_closed(&lab, 1);
}
END_TEST

START_TEST(all_connections_are_closed_in_the_end)
{
	lab.hold = true;
	come(&device, 0);
	http_peer_say(&peer, GET);
	http_lab_await_requests(&lab, 1);
	http_server_free(lab.server);
	ck_assert_uint_eq(lab.closed, 1);
	lab.server = NULL;
	http_peer_await_gone(&peer);
	ck_assert(peer.said_so);
}
END_TEST

/* RFC 8446 6.1: who has said that it sends no more, may still read. */
START_TEST(a_client_that_has_closed_its_half)
{
	lab.hold = true;
	come(&device, TLS1_3_VERSION);
	http_peer_say(&peer, GET);
	ck_assert_int_eq(SSL_shutdown(peer.ssl), 0);
	http_lab_await_requests(&lab, 1);
	http_lab_reply(&lab, "still");
	http_peer_await(&peer, "still");
	http_peer_await_gone(&peer);
	ck_assert_uint_eq(lab.closed, 1);
}
END_TEST

START_TEST(keys_may_be_updated_a_few_times)
{
	come(&device, TLS1_3_VERSION);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_uint_eq(http_peer_ask(&peer, GET), 200);
	}
}
END_TEST

START_TEST(keys_are_not_updated_for_ever)
{
	come(&device, TLS1_3_VERSION);
	for (int i = 0; i < 100 && !peer.gone; i++) {
		ck_assert_int_eq(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		(void)SSL_do_handshake(peer.ssl);
		http_lab_turn(&lab);
		http_peer_hear(&peer);
	}
	ck_assert(peer.gone);
	ck_assert_uint_eq(lab.requests, 0);
	ck_assert_uint_eq(http_lab_logged(&lab, "127.0.0.1: TLS failed: too many key updates"), 1);
}
END_TEST

/* Each is refused by a warning (RFC 5746 4.5, RFC 5246 7.2.2). */
START_TEST(there_is_no_renegotiation)
{
	come(&device, TLS1_2_VERSION);
	ck_assert_int_eq(SSL_renegotiate(peer.ssl), 1);
	(void)SSL_do_handshake(peer.ssl);
	/* OpenSSL as a client takes that warning for the end */
	http_peer_await_gone(&peer);
	ck_assert_uint_eq(lab.requests, 0);
	ck_assert_int_eq(SSL_num_renegotiations(peer.ssl), 1);
	ck_assert_int_eq(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
}
END_TEST

/*
 * OpenSSL sends one ClientHello only, so these are made by hand: records of TLS 1.2 with
 * AES-128-GCM (RFC 5246 6.2.3.3, RFC 5288).
 */
struct writer {
	uint8_t key[16], salt[4];
	uint64_t sequence;
};

/* RFC 5246 6.3; an AEAD has no MAC keys. */
static void derive(struct writer *w)
{
	uint8_t master[48], seed[64], block[40];
	size_t n = SSL_SESSION_get_master_key(SSL_get_session(peer.ssl), master, sizeof(master));
	OSSL_PARAM params[5];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	char label[] = "key expansion", digest[] = "SHA256";

	SSL_get_server_random(peer.ssl, seed, 32);
	SSL_get_client_random(peer.ssl, seed + 32, 32);
	params[0] = OSSL_PARAM_construct_utf8_string("digest", digest, 0);
	params[1] = OSSL_PARAM_construct_octet_string("secret", master, n);
	params[2] = OSSL_PARAM_construct_octet_string("seed", label, strlen(label));
	params[3] = OSSL_PARAM_construct_octet_string("seed", seed, sizeof(seed));
	params[4] = OSSL_PARAM_construct_end();
	ck_assert_int_eq(EVP_KDF_derive(ctx, block, sizeof(block), params), 1);
	memcpy(w->key, block, 16);
	memcpy(w->salt, block + 32, 4);
	w->sequence = 1; /* Finished was 0 */
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

/* A record with this content. */
static size_t seal(struct writer *w, uint8_t type, const uint8_t *content, uint16_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[12], extra[13] = {0};
	int n = 0;

	for (size_t i = 0; i < 8; i++)
		extra[i] = (uint8_t)(w->sequence >> (56 - 8 * i));
	memcpy(extra + 8, (uint8_t[]){type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len}, 5);
	memcpy(nonce, w->salt, 4);
	memcpy(nonce + 4, extra, 8);
	memcpy(out, (uint8_t[]){type, 3, 3, (uint8_t)((len + 24) >> 8), (uint8_t)(len + 24)}, 5);
	memcpy(out + 5, extra, 8);
	ck_assert_int_eq(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, w->key, nonce), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(ctx, NULL, &n, extra, sizeof(extra)), 1);
	ck_assert_int_eq(EVP_EncryptUpdate(ctx, out + 13, &n, content, len), 1);
	ck_assert_int_eq(EVP_EncryptFinal_ex(ctx, out + 13 + n, &n), 1);
	ck_assert_int_eq(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + 13 + len), 1);
	EVP_CIPHER_CTX_free(ctx);
	w->sequence++;
	return 13u + len + 16;
}

static void come_for_records(struct writer *w)
{
	http_peer_connect(&peer, &lab, NULL);
	peer.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
	ck_assert(http_peer_shake(&peer, NULL, TLS1_2_VERSION));
	/* SHA-256 in the key derivation is this suite's; without extended_master_secret it is the same */
	derive(w);
}

/* So many messages of this type, of four octets of head and nothing else: whether the server is there still. */
static bool flood(uint8_t message, unsigned times)
{
	static const uint8_t get[] = GET;
	struct writer w;
	uint8_t record[256];
	const uint8_t content[4] = {message};
	char octet;
	ssize_t n = -1;

	come_for_records(&w);
	for (unsigned i = 0; i < times; i++)
		ck_assert_int_gt(
			send(peer.fd, record, seal(&w, 22, content, sizeof(content), record), MSG_NOSIGNAL),
			0);
	(void)send(peer.fd, record, seal(&w, 23, get, sizeof(get) - 1, record), MSG_NOSIGNAL);
	for (int i = 0; i < 5000 && lab.requests == 0 && n != 0; i++) {
		http_lab_turn(&lab);
		n = recv(peer.fd, &octet, sizeof(octet), MSG_DONTWAIT);
		if (n < 0 && errno == ECONNRESET)
			n = 0;
	}
	http_peer_close(&peer);
	ck_assert(lab.requests == 1 || n == 0);
	return lab.requests == 1;
}

START_TEST(renegotiation_is_not_refused_for_ever)
{
	ck_assert(flood(1, 0));
	lab.requests = 0;
	ck_assert(flood(1, 3));
	lab.requests = 0;
	ck_assert(!flood(1, 100));
}
END_TEST

/* "DNS:" and so many letters. */
static const char *long_name(char *out, size_t len)
{
	memcpy(out, "DNS:", 4);
	memset(out + 4, 'x', len - 5);
	out[len - 1] = '\0';
	return out;
}

START_TEST(a_chain_of_too_many_octets)
{
	static char name[8000];
	struct pki_spec spec = {.ca = true, .subject = "CN=Long", .san = long_name(name, sizeof(name))};

	for (int i = 0; i < 2; i++) {
		struct brski_credential above = pki_make(&spec, NULL);

		ck_assert_int_eq(X509_add_cert(device.chain, above.cert, X509_ADD_FLAG_UP_REF), 1);
		pki_free(&above);
	}
	come(&device, 0);
	ck_assert_uint_eq(http_peer_ask(&peer, GET), 200);
	http_peer_close(&peer);
	for (int i = 0; i < 3; i++) {
		struct brski_credential above = pki_make(&spec, NULL);

		ck_assert_int_eq(X509_add_cert(device.chain, above.cert, X509_ADD_FLAG_UP_REF), 1);
		pki_free(&above);
	}
	http_peer_connect(&peer, &lab, NULL);
	(void)http_peer_shake(&peer, &device, 0);
	http_peer_await_gone(&peer);
	ck_assert_uint_eq(http_lab_logged(&lab, "the TLS handshake failed"), 1);
	ck_assert_uint_eq(lab.requests, 1);
}
END_TEST

/* A ClientHello of 128 KiB, most of which comes: that much of it is not waited for. */
START_TEST(a_hello_of_too_many_octets)
{
	static uint8_t record[5 + 16000];

	http_peer_connect(&peer, &lab, NULL);
	for (int i = 0; i < 7 && !peer.gone; i++) {
		memcpy(record, (uint8_t[]){22, 3, 1, 16000 >> 8, 16000 & 0xff}, 5);
		memset(record + 5, 0, 16000);
		if (i == 0)
			memcpy(record + 5, (uint8_t[]){1, 1, 0xff, 0xff, 3, 3}, 6);
		http_peer_send(&peer, record, sizeof(record));
	}
	http_peer_await_gone(&peer);
	ck_assert_uint_eq(http_lab_logged(&lab, "the TLS handshake failed: too many octets"), 1);
}
END_TEST

/* What a client says first. */
static size_t client_hello(uint8_t *out, size_t size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *to = BIO_new(BIO_s_mem());
	int n;

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), to);
	ck_assert_int_lt(SSL_connect(ssl), 0);
	n = BIO_read(to, out, (int)size);
	ck_assert_int_gt(n, 0);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return (size_t)n;
}

START_TEST(a_handshake_that_is_cut)
{
	uint8_t hello[2048];
	size_t len = client_hello(hello, sizeof(hello));

	for (size_t i = 0; i <= len; i++) {
		http_peer_connect(&peer, &lab, NULL);
		ck_assert_int_eq(send(peer.fd, hello, i, 0), (ssize_t)i);
		http_peer_close(&peer);
		http_lab_turn(&lab);
	}
	come(&device, 0);
	ck_assert_uint_eq(http_peer_ask(&peer, GET), 200);
}
END_TEST

START_TEST(octets_in_parts)
{
	static const char post[] = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";

	come(&device, 0);
	for (size_t i = 0; i < sizeof(post) - 1; i++)
		http_peer_send(&peer, post + i, 1);
	http_peer_await(&peer, "ok");
	ck_assert(brski_span_equal(brski_buf_span(&lab.seen.body), brski_span_str("body")));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_client_and_its_chain, a_client_and_its_chain_by_tls_1_2,
		a_client_without_a_certificate, tls_1_1_is_too_old, what_is_no_tls,
		a_client_that_goes_while_its_request_is_worked_on, all_connections_are_closed_in_the_end,
		a_client_that_has_closed_its_half, keys_may_be_updated_a_few_times,
		keys_are_not_updated_for_ever, there_is_no_renegotiation,
		renegotiation_is_not_refused_for_ever, a_chain_of_too_many_octets, a_hello_of_too_many_octets,
		a_handshake_that_is_cut, octets_in_parts};

	return run_tests("HTTP server, TLS", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
