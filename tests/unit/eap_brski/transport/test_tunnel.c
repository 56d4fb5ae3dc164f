/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "eap_brski/transport/tunnel.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

/* Two ends, and what lies on the way between them. */
struct pair {
	struct brski_tunnel_config *server_config;
	struct brski_tunnel_config *client_config;
	struct brski_tunnel *server;
	struct brski_tunnel *client;
	struct brski_buf to_server;
	struct brski_buf to_client;
	struct brski_buf at_server; /* application data */
	struct brski_buf at_client;
	enum brski_code decision; /* the server's, on the client's chain */
	int asked;
	int chain_length;
	struct brski_error server_error;
	struct brski_error client_error;
};

static struct brski_credential root, intermediate, registrar, pledge;

static void make_pki(void)
{
	root = pki_root("CN=Root");
	intermediate = pki_ca("CN=Intermediate", &root);
	registrar = pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = "cmcRA"}, &intermediate);
	pledge = pki_leaf("CN=Pledge,serialNumber=1", NULL, &intermediate);
}

static void free_pki(void)
{
	pki_free(&pledge);
	pki_free(&registrar);
	pki_free(&intermediate);
	pki_free(&root);
}

static enum brski_code decide(void *ctx, STACK_OF(X509) *certs, struct brski_error *err)
{
	struct pair *p = ctx;

	p->asked++;
	p->chain_length = sk_X509_num(certs);
	return p->decision == BRSKI_OK ? BRSKI_OK : brski_fail(err, p->decision, "the test refuses");
}

static void set_up(
	struct pair *p, const struct brski_credential *server, const struct brski_credential *client)
{
	*p = (struct pair){0};
	ck_assert_int_eq(brski_tunnel_config_new(true, server, &p->server_config, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_config_new(false, client, &p->client_config, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_new(p->server_config, decide, p, &p->server, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_new(p->client_config, NULL, NULL, &p->client, NULL), BRSKI_OK);
}

static void tear_down(struct pair *p)
{
	brski_tunnel_free(p->server);
	brski_tunnel_free(p->client);
	brski_tunnel_config_free(p->server_config);
	brski_tunnel_config_free(p->client_config);
	brski_buf_free(&p->to_server);
	brski_buf_free(&p->to_client);
	brski_buf_free(&p->at_server);
	brski_buf_free(&p->at_client);
}

static enum brski_code feed_client(struct pair *p)
{
	enum brski_code code = brski_tunnel_feed(
		p->client, brski_buf_span(&p->to_client), &p->to_server, &p->at_client, &p->client_error);

	brski_buf_reset(&p->to_client);
	return code;
}

static enum brski_code feed_server(struct pair *p)
{
	enum brski_code code = brski_tunnel_feed(
		p->server, brski_buf_span(&p->to_server), &p->to_client, &p->at_server, &p->server_error);

	brski_buf_reset(&p->to_server);
	return code;
}

static void client_hello_and_server_flight(struct pair *p)
{
	ck_assert_int_eq(feed_client(p), BRSKI_OK);
	ck_assert_int_eq(feed_server(p), BRSKI_OK);
}

static void open_both(struct pair *p)
{
	client_hello_and_server_flight(p);
	ck_assert_int_eq(feed_client(p), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_state(p->client), BRSKI_TUNNEL_OPEN);
	ck_assert_msg(feed_server(p) == BRSKI_OK, "%s", p->server_error.why);
	ck_assert_int_eq(brski_tunnel_state(p->server), BRSKI_TUNNEL_OPEN);
}

static void ck_assert_text(const struct brski_buf *buf, const char *text)
{
	ck_assert(brski_span_equal(brski_buf_span(buf), brski_span_str(text)));
}

static void say_both_ways(struct pair *p)
{
	ck_assert_int_eq(
		brski_tunnel_write(p->client, brski_span_str("ping"), &p->to_server, NULL), BRSKI_OK);
	ck_assert_int_eq(feed_server(p), BRSKI_OK);
	ck_assert_text(&p->at_server, "ping");
	ck_assert_int_eq(
		brski_tunnel_write(p->server, brski_span_str("pong"), &p->to_client, NULL), BRSKI_OK);
	ck_assert_int_eq(feed_client(p), BRSKI_OK);
	ck_assert_text(&p->at_client, "pong");
}

START_TEST(each_key_type)
{
	static const char *const types[] = {"P-256", "P-384", "RSA-3072"};
	struct brski_credential client = pki_leaf("CN=Device", types[_i], &intermediate);
	struct brski_credential server = pki_leaf("CN=Server", types[_i], &intermediate);
	struct pair p;

	set_up(&p, &server, &client);
	open_both(&p);
	ck_assert_int_eq(p.asked, 1);
	ck_assert_int_eq(p.chain_length, 2);
	ck_assert_int_eq(X509_cmp(sk_X509_value(brski_tunnel_peer_chain(p.server), 0), client.cert), 0);
	ck_assert_int_eq(X509_cmp(sk_X509_value(brski_tunnel_peer_chain(p.client), 0), server.cert), 0);
	ck_assert_int_eq(X509_cmp(sk_X509_value(brski_tunnel_peer_chain(p.client), 1), intermediate.cert), 0);
	say_both_ways(&p);
	tear_down(&p);
	pki_free(&client);
	pki_free(&server);
}
END_TEST

START_TEST(an_rsa_root_signs_with_pkcs1)
{
	struct brski_credential ca =
		pki_make(&(struct pki_spec){.subject = "CN=RSA", .key_type = "RSA-2048", .ca = true}, NULL);
	struct brski_credential client = pki_leaf("CN=Device", "P-256", &ca);
	struct pair p;

	set_up(&p, &registrar, &client);
	open_both(&p);
	tear_down(&p);
	pki_free(&client);
	pki_free(&ca);
}
END_TEST

START_TEST(nothing_is_known_early)
{
	uint8_t key[8];
	struct brski_buf out = {0};
	struct pair p;

	set_up(&p, &registrar, &pledge);
	ck_assert_ptr_null(brski_tunnel_peer_chain(p.server));
	ck_assert_ptr_null(brski_tunnel_peer_chain(p.client));
	ck_assert_int_eq(brski_tunnel_write(p.client, brski_span_str("x"), &out, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(
		brski_tunnel_export(p.client, "L", brski_span_str(""), key, 8, NULL), BRSKI_UNEXPECTED);
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(brski_tunnel_write(p.server, brski_span_str("x"), &out, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(
		brski_tunnel_export(p.server, "L", brski_span_str(""), key, 8, NULL), BRSKI_UNEXPECTED);
	ck_assert_uint_eq(out.len, 0);
	tear_down(&p);
}
END_TEST

START_TEST(data_rides_with_finished)
{
	struct pair p;

	set_up(&p, &registrar, &pledge);
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_write(p.client, brski_span_str("first"), &p.to_server, NULL), BRSKI_OK);
	ck_assert_int_eq(feed_server(&p), BRSKI_OK);
	ck_assert_text(&p.at_server, "first");
	/* no ticket and nothing else from the server that nobody asked for */
	ck_assert_uint_eq(p.to_client.len, 0);
	tear_down(&p);
}
END_TEST

START_TEST(octet_by_octet)
{
	struct pair p;

	set_up(&p, &registrar, &pledge);
	for (int rounds = 0; rounds < 3; rounds++) {
		struct brski_buf way = {0};

		ck_assert_int_eq(feed_client(&p), BRSKI_OK);
		brski_buf_move(&way, &p.to_server);
		for (size_t i = 0; i < way.len; i++)
			ck_assert_int_eq(brski_tunnel_feed(p.server, brski_span(way.data + i, 1),
						 &p.to_client, &p.at_server, NULL),
				BRSKI_OK);
		brski_buf_free(&way);
	}
	say_both_ways(&p);
	tear_down(&p);
}
END_TEST

START_TEST(large_data)
{
	struct brski_buf data = {0};
	struct pair p;

	for (size_t i = 0; i < 60000; i++)
		brski_put_u8(&data, (uint8_t)(i * 7 + i / 256));
	set_up(&p, &registrar, &pledge);
	open_both(&p);
	ck_assert_int_eq(brski_tunnel_write(p.client, brski_buf_span(&data), &p.to_server, NULL), BRSKI_OK);
	ck_assert_int_eq(feed_server(&p), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&p.at_server), brski_buf_span(&data)));
	brski_buf_free(&data);
	tear_down(&p);
}
END_TEST

START_TEST(more_plain_text_than_its_reader_takes)
{
	struct pair p;

	set_up(&p, &registrar, &pledge);
	open_both(&p);
	p.at_server.limit = 3;
	ck_assert_int_eq(brski_tunnel_write(p.client, brski_span_str("four"), &p.to_server, NULL), BRSKI_OK);
	ck_assert_int_ne(feed_server(&p), BRSKI_OK);
	ck_assert_uint_eq(p.at_server.len, 0);
	tear_down(&p);
}
END_TEST

START_TEST(exporter_is_equal_on_both_sides)
{
	struct brski_span context = brski_span("\xfe\x00\x7e\xd9\x00\x00\x00\x01", 8);
	struct brski_span other_context = brski_span("\xfe\x00\x7e\xd9\x00\x00\x00\x02", 8);
	const char *label = "EXPORTER_EAP_BRSKI_Key_Material";
	uint8_t server[128], client[128], other[128];
	struct pair p;

	set_up(&p, &registrar, &pledge);
	open_both(&p);
	ck_assert_int_eq(brski_tunnel_export(p.server, label, context, server, 128, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_export(p.client, label, context, client, 128, NULL), BRSKI_OK);
	ck_assert_mem_eq(server, client, 128);
	ck_assert_int_eq(brski_tunnel_export(p.client, label, other_context, other, 128, NULL), BRSKI_OK);
	ck_assert_mem_ne(server, other, 128);
	ck_assert_int_eq(
		brski_tunnel_export(p.client, "EXPORTER_other", context, other, 128, NULL), BRSKI_OK);
	ck_assert_mem_ne(server, other, 128);
	tear_down(&p);
}
END_TEST

START_TEST(refused_chains)
{
	static const struct {
		enum brski_code decision;
		const char *alert;
	} cases[] = {
		{BRSKI_UNTRUSTED, "the peer's TLS alert: unknown CA"},
		{BRSKI_EXPIRED, "the peer's TLS alert: certificate expired"},
		{BRSKI_REVOKED, "the peer's TLS alert: certificate revoked"},
		{BRSKI_REFUSED, "the peer's TLS alert: bad certificate"},
		{BRSKI_UNSUPPORTED, "the peer's TLS alert: unsupported certificate"},
		/* trouble of our own is no word about the certificate */
		{BRSKI_INTERNAL, "the peer's TLS alert: internal error"},
		{BRSKI_NO_MEMORY, "the peer's TLS alert: internal error"},
		{BRSKI_UNAVAILABLE, "the peer's TLS alert: internal error"},
	};
	struct pair p;

	set_up(&p, &registrar, &pledge);
	p.decision = cases[_i].decision;
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert_int_eq(
		brski_tunnel_write(p.client, brski_span_str("secret"), &p.to_server, NULL), BRSKI_OK);
	ck_assert_int_eq(feed_server(&p), cases[_i].decision);
	ck_assert_str_eq(p.server_error.why, "the test refuses");
	ck_assert_int_eq(p.server_error.code, cases[_i].decision);
	ck_assert_int_eq(brski_tunnel_state(p.server), BRSKI_TUNNEL_CLOSED);
	ck_assert_uint_eq(p.at_server.len, 0);
	ck_assert_uint_gt(p.to_client.len, 0);
	ck_assert_int_eq(feed_client(&p), BRSKI_REFUSED);
	ck_assert_str_eq(p.client_error.why, cases[_i].alert);
	ck_assert_int_eq(brski_tunnel_state(p.client), BRSKI_TUNNEL_CLOSED);
	ck_assert_int_eq(feed_server(&p), BRSKI_UNEXPECTED);
	tear_down(&p);
}
END_TEST

START_TEST(client_refuses_the_server)
{
	struct pair p;

	set_up(&p, &registrar, &pledge);
	brski_tunnel_free(p.client);
	p.decision = BRSKI_UNTRUSTED;
	ck_assert_int_eq(brski_tunnel_new(p.client_config, decide, &p, &p.client, NULL), BRSKI_OK);
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(feed_client(&p), BRSKI_UNTRUSTED);
	ck_assert_int_eq(feed_server(&p), BRSKI_REFUSED);
	ck_assert_str_eq(p.server_error.why, "the peer's TLS alert: unknown CA");
	tear_down(&p);
}
END_TEST

/* Passes every look at the key's public part. */
static EVP_PKEY *forged_key(const EVP_PKEY *victim)
{
	EVP_PKEY *own = pki_key("P-256");
	EVP_PKEY *forged = pki_false_p256(own, victim);

	EVP_PKEY_free(own);
	return forged;
}

START_TEST(client_without_its_private_key)
{
	struct brski_credential thief = {
		.cert = pledge.cert, .chain = pledge.chain, .key = forged_key(pledge.key)};
	struct pair p;

	set_up(&p, &registrar, &thief);
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert_int_eq(
		brski_tunnel_write(p.client, brski_span_str("let me in"), &p.to_server, NULL), BRSKI_OK);
	ck_assert_msg(feed_server(&p) == BRSKI_BAD_SIGNATURE, "%s", p.server_error.why);
	ck_assert_uint_eq(p.at_server.len, 0);
	ck_assert_int_eq(feed_client(&p), BRSKI_REFUSED);
	ck_assert_str_eq(p.client_error.why, "the peer's TLS alert: decrypt error");
	tear_down(&p);
	EVP_PKEY_free(thief.key);
}
END_TEST

START_TEST(server_without_its_private_key)
{
	struct brski_credential thief = {
		.cert = registrar.cert, .chain = registrar.chain, .key = forged_key(registrar.key)};
	struct pair p;

	set_up(&p, &thief, &pledge);
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(feed_client(&p), BRSKI_BAD_SIGNATURE);
	ck_assert_int_eq(brski_tunnel_state(p.client), BRSKI_TUNNEL_CLOSED);
	tear_down(&p);
	EVP_PKEY_free(thief.key);
}
END_TEST

START_TEST(config_refuses)
{
	struct brski_credential mixed = {.cert = pledge.cert, .chain = pledge.chain, .key = registrar.key};
	struct brski_credential weak = pki_leaf("CN=Device", "RSA-1024", NULL);
	struct brski_credential none = {0};
	struct brski_tunnel_config *config;
	struct brski_tunnel *tunnel;

	ck_assert_int_eq(brski_tunnel_config_new(false, &mixed, &config, NULL), BRSKI_MISMATCH);
	ck_assert_ptr_null(config);
	ck_assert_int_eq(brski_tunnel_config_new(true, &none, &config, NULL), BRSKI_NOT_FOUND);
	ck_assert_ptr_null(config);
	ck_assert_int_eq(brski_tunnel_config_new(true, &weak, &config, NULL), BRSKI_UNSUPPORTED);
	ck_assert_ptr_null(config);
	pki_free(&weak);
	ck_assert_int_eq(brski_tunnel_config_new(true, &registrar, &config, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_new(config, NULL, NULL, &tunnel, NULL), BRSKI_INTERNAL);
	ck_assert_ptr_null(tunnel);
	brski_tunnel_config_free(config);
}
END_TEST

/* A peer made of bare OpenSSL, for what our own side never does. */
struct stranger {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in;
	BIO *out;
};

static int accept_any(X509_STORE_CTX *ctx, void *unused)
{
	(void)unused;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static void stranger_new(struct stranger *s, bool server, const struct brski_credential *cred)
{
	s->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	SSL_CTX_set_security_level(s->ctx, 0);
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(s->ctx, accept_any, NULL);
	if (cred) {
		ck_assert_int_eq(SSL_CTX_use_certificate(s->ctx, cred->cert), 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey(s->ctx, cred->key), 1);
	}
}

static void stranger_start(struct stranger *s, const char *alpn)
{
	s->ssl = SSL_new(s->ctx);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	SSL_set_bio(s->ssl, s->in, s->out);
	if (alpn)
		SSL_set_alpn_protos(s->ssl, (const uint8_t *)alpn, (unsigned)strlen(alpn));
	if (SSL_is_server(s->ssl))
		SSL_set_accept_state(s->ssl);
	else
		SSL_set_connect_state(s->ssl);
}

static void stranger_free(struct stranger *s)
{
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
}

static void stranger_step(struct stranger *s, struct brski_buf *in, struct brski_buf *out)
{
	uint8_t data[4096];
	char *octets;
	long len;

	if (in->len > 0)
		BIO_write(s->in, in->data, (int)in->len);
	brski_buf_reset(in);
	ERR_clear_error();
	if (SSL_do_handshake(s->ssl) == 1)
		(void)SSL_read(s->ssl, data, sizeof(data));
	len = BIO_get_mem_data(s->out, &octets);
	brski_put(out, brski_span(octets, (size_t)len));
	(void)BIO_reset(s->out);
	ERR_clear_error();
}

/* Runs the stranger against our server until that fails or opens. */
static enum brski_code serve(struct pair *p, struct stranger *s)
{
	enum brski_code code = BRSKI_OK;

	for (int i = 0; i < 4 && code == BRSKI_OK && brski_tunnel_state(p->server) == BRSKI_TUNNEL_HANDSHAKE;
		i++) {
		stranger_step(s, &p->to_client, &p->to_server);
		code = feed_server(p);
	}
	return code;
}

static bool last_alert_is(const struct brski_buf *record, uint8_t alert)
{
	return record->len == 7 && record->data[0] == 0x15 && record->data[6] == alert;
}

#define OUR_ALPN "\x0b" BRSKI_ALPN

START_TEST(a_stranger_that_does_it_right)
{
	struct stranger s;
	struct pair p;

	set_up(&p, &registrar, &pledge);
	stranger_new(&s, false, &pledge);
	stranger_start(&s, "\x02h2" OUR_ALPN);
	ck_assert_int_eq(serve(&p, &s), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_state(p.server), BRSKI_TUNNEL_OPEN);
	stranger_free(&s);
	tear_down(&p);
}
END_TEST

START_TEST(tls12_client_refused)
{
	struct stranger s;
	struct pair p;

	set_up(&p, &registrar, &pledge);
	stranger_new(&s, false, &pledge);
	SSL_CTX_set_max_proto_version(s.ctx, TLS1_2_VERSION);
	stranger_start(&s, _i ? OUR_ALPN : NULL);
	ck_assert_msg(serve(&p, &s) == BRSKI_UNSUPPORTED, "%s", p.server_error.why);
	ck_assert(last_alert_is(&p.to_client, SSL_AD_PROTOCOL_VERSION));
	stranger_free(&s);
	tear_down(&p);
}
END_TEST

START_TEST(no_alpn_refused)
{
	static const char *const offers[] = {NULL, "\x02h2",
		"\x0b"
		"eap-brski/2",
		"\x0a"
		"eap-brski/",
		"\x0c"
		"eap-brski/1x"};
	struct stranger s;
	struct pair p;

	set_up(&p, &registrar, &pledge);
	stranger_new(&s, false, &pledge);
	stranger_start(&s, offers[_i]);
	ck_assert_msg(serve(&p, &s) == BRSKI_UNSUPPORTED, "%s", p.server_error.why);
	ck_assert(last_alert_is(&p.to_client, SSL_AD_NO_APPLICATION_PROTOCOL));
	ck_assert_int_eq(p.asked, 0);
	stranger_free(&s);
	tear_down(&p);
}
END_TEST

START_TEST(no_client_certificate_refused)
{
	struct stranger s;
	struct pair p;

	set_up(&p, &registrar, &pledge);
	stranger_new(&s, false, NULL);
	stranger_start(&s, OUR_ALPN);
	ck_assert_int_eq(serve(&p, &s), BRSKI_UNTRUSTED);
	ck_assert_str_eq(p.server_error.why, "TLS with the peer failed (peer did not return a certificate)");
	ck_assert_int_eq(p.asked, 0);
	stranger_free(&s);
	tear_down(&p);
}
END_TEST

START_TEST(weak_client_key_refused)
{
	struct brski_credential weak = pki_leaf("CN=Device", "RSA-1024", NULL);
	struct stranger s;
	struct pair p;

	set_up(&p, &registrar, &pledge);
	stranger_new(&s, false, &weak);
	stranger_start(&s, OUR_ALPN);
	ck_assert_msg(serve(&p, &s) == BRSKI_REFUSED, "%s", p.server_error.why);
	ck_assert_int_eq(p.asked, 0);
	stranger_free(&s);
	tear_down(&p);
	pki_free(&weak);
}
END_TEST

/* Whoever's it is: no signature is looked at with such a key, and nobody is asked for an opinion. */
START_TEST(costly_keys_refused)
{
	struct brski_credential client = pki_leaf("CN=Device", NULL, NULL), above;
	EVP_PKEY *costly = pki_public_rsa(3072, 3072);
	struct pair p;

	above = pki_make(&(struct pki_spec){.subject = "CN=Costly", .key = costly}, &client);
	ck_assert_int_eq(X509_add_cert(client.chain, above.cert, X509_ADD_FLAG_UP_REF), 1);
	set_up(&p, &registrar, &client);
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert_int_eq(feed_server(&p), BRSKI_REFUSED);
	ck_assert_ptr_nonnull(
		strstr(p.server_error.why, "CN=Costly: RSA key with a public exponent of 3072"));
	ck_assert_int_eq(p.asked, 0);
	tear_down(&p);
	pki_free(&above);
	pki_free(&client);
	EVP_PKEY_free(costly);
}
END_TEST

/* A peer that wants to make us work: ten certificates are the most, or 32 KiB. */
START_TEST(long_chains_refused)
{
	struct brski_credential client = pki_leaf("CN=Device", NULL, NULL);
	struct brski_buf names = {0};
	struct pair p;

	brski_put_str(&names, "DNS:x");
	for (int i = 0; _i == 2 && i < 500; i++)
		brski_printf(&names, ",DNS:name-%d.example.org", i);
	brski_put_u8(&names, 0);
	for (int i = 0; i < (_i == 1 ? 10 : _i == 2 ? 4 : 9); i++) {
		struct brski_credential above =
			pki_make(&(struct pki_spec){.san = (const char *)names.data}, NULL);

		ck_assert_int_eq(X509_add_cert(client.chain, above.cert, X509_ADD_FLAG_UP_REF), 1);
		pki_free(&above);
	}
	set_up(&p, &registrar, &client);
	client_hello_and_server_flight(&p);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert_int_eq(feed_server(&p), _i == 0 ? BRSKI_OK : BRSKI_TOO_LARGE);
	ck_assert_int_eq(p.asked, _i == 0);
	brski_buf_free(&names);
	tear_down(&p);
	pki_free(&client);
}
END_TEST

START_TEST(no_ticket_is_taken_or_given)
{
	struct stranger s;
	struct pair p;

	set_up(&p, &registrar, &pledge);
	stranger_new(&s, false, &pledge);
	stranger_start(&s, OUR_ALPN);
	ck_assert_int_eq(serve(&p, &s), BRSKI_OK);
	stranger_step(&s, &p.to_client, &p.to_server);
	ck_assert_int_eq(SSL_SESSION_is_resumable(SSL_get_session(s.ssl)), 0);
	stranger_free(&s);
	tear_down(&p);
}
END_TEST

static int select_none(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
	unsigned in_len, void *unused)
{
	(void)ssl, (void)out, (void)out_len, (void)in, (void)in_len, (void)unused;
	return SSL_TLSEXT_ERR_NOACK;
}

/* A server that ignores our ALPN, and one that knows TLS 1.2 alone. */
START_TEST(client_refuses_strange_servers)
{
	struct stranger s;
	struct pair p;
	enum brski_code code;

	set_up(&p, &registrar, &pledge);
	stranger_new(&s, true, &registrar);
	if (_i == 0)
		SSL_CTX_set_alpn_select_cb(s.ctx, select_none, NULL);
	else
		SSL_CTX_set_max_proto_version(s.ctx, TLS1_2_VERSION);
	stranger_start(&s, NULL);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	stranger_step(&s, &p.to_server, &p.to_client);
	code = feed_client(&p);
	ck_assert_msg(code == (_i == 0 ? BRSKI_UNSUPPORTED : BRSKI_REFUSED), "%s", p.client_error.why);
	ck_assert_int_eq(brski_tunnel_state(p.client), BRSKI_TUNNEL_CLOSED);
	stranger_free(&s);
	tear_down(&p);
}
END_TEST

static void renew(struct pair *p)
{
	brski_tunnel_free(p->server);
	brski_tunnel_free(p->client);
	ck_assert_int_eq(brski_tunnel_new(p->server_config, decide, p, &p->server, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_new(p->client_config, NULL, NULL, &p->client, NULL), BRSKI_OK);
	brski_buf_reset(&p->to_server);
	brski_buf_reset(&p->to_client);
	brski_buf_reset(&p->at_server);
	brski_buf_reset(&p->at_client);
}

/*
 * RFC 8446 5.1: legacy_record_version "MUST be ignored for all purposes"; in records encrypted it
 * is authenticated.
 */
static bool is_legacy_version(size_t at)
{
	return at == 1 || at == 2;
}

static void flip(struct brski_buf *way, size_t at)
{
	ck_assert_uint_lt(at, way->len);
	way->data[at] ^= (uint8_t)(1U << (at % 8));
}

/*
 * A flight damaged on its way to one side never opens the tunnel at that side. Small certificates
 * keep this short.
 */
START_TEST(flipped_flights)
{
	struct brski_credential small =
		pki_make(&(struct pki_spec){.subject = "CN=x", .no_extensions = true}, NULL);
	size_t len = 1;
	size_t accepted = 0;
	struct pair p;

	set_up(&p, &small, &small);
	for (size_t at = 0; at < len; at++) {
		struct brski_buf *way = _i == 0 ? &p.to_client : &p.to_server;

		renew(&p);
		client_hello_and_server_flight(&p);
		if (_i == 1)
			ck_assert_int_eq(feed_client(&p), BRSKI_OK);
		len = way->len;
		/* the ECDSA signature in it is a DER of 70 to 72 octets, now and then of fewer */
		if (at >= len || (_i == 0 && is_legacy_version(at)))
			continue;
		flip(way, at);
		(void)!(_i == 0 ? feed_client(&p) : feed_server(&p));
		if (brski_tunnel_state(_i == 0 ? p.client : p.server) == BRSKI_TUNNEL_OPEN)
			accepted++;
	}
	ck_assert_uint_gt(len, 400);
	ck_assert_uint_eq(accepted, 0);
	tear_down(&p);
	pki_free(&small);
}
END_TEST

START_TEST(flipped_application_records)
{
	size_t len = 1;
	struct pair p;

	set_up(&p, &registrar, &pledge);
	for (size_t at = 0; at < len; at++) {
		struct brski_buf *way = _i == 0 ? &p.to_client : &p.to_server;
		struct brski_buf *plain = _i == 0 ? &p.at_client : &p.at_server;

		renew(&p);
		open_both(&p);
		ck_assert_int_eq(
			brski_tunnel_write(_i == 0 ? p.server : p.client, brski_span_str("data"), way, NULL),
			BRSKI_OK);
		len = way->len;
		flip(way, at);
		(void)!(_i == 0 ? feed_client(&p) : feed_server(&p));
		ck_assert_uint_eq(plain->len, 0);
	}
	ck_assert_uint_gt(len, 20);
	tear_down(&p);
}
END_TEST

START_TEST(repeated_record_refused)
{
	struct brski_buf record = {0};
	struct pair p;

	set_up(&p, &registrar, &pledge);
	open_both(&p);
	ck_assert_int_eq(brski_tunnel_write(p.client, brski_span_str("once"), &record, NULL), BRSKI_OK);
	brski_put(&p.to_server, brski_buf_span(&record));
	ck_assert_int_eq(feed_server(&p), BRSKI_OK);
	brski_put(&p.to_server, brski_buf_span(&record));
	ck_assert_int_eq(feed_server(&p), BRSKI_BAD_SIGNATURE);
	ck_assert_text(&p.at_server, "once");
	brski_buf_free(&record);
	tear_down(&p);
}
END_TEST

static void try_as_first_flight(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct pair *p = ctx;

	renew(p);
	(void)!brski_tunnel_feed(p->server, damaged, &p->to_client, &p->at_server, &p->server_error);
	ck_assert_msg(brski_tunnel_state(p->server) != BRSKI_TUNNEL_OPEN, "%s at %zu", how->kind, how->at);
	ck_assert_uint_eq(p->at_server.len, 0);
}

START_TEST(damaged_client_hello)
{
	struct brski_buf hello = {0};
	struct pair p;

	set_up(&p, &registrar, &pledge);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	brski_buf_move(&hello, &p.to_server);
	mutate_truncations(brski_buf_span(&hello), try_as_first_flight, &p);
	mutate_octets_once(brski_buf_span(&hello), try_as_first_flight, &p);
	mutate_appended(brski_buf_span(&hello), try_as_first_flight, &p);
	brski_buf_free(&hello);
	tear_down(&p);
}
END_TEST

START_TEST(close_is_told)
{
	struct brski_buf out = {0};
	struct pair p;

	set_up(&p, &registrar, &pledge);
	open_both(&p);
	brski_tunnel_close(p.server, &p.to_client);
	ck_assert_int_eq(brski_tunnel_state(p.server), BRSKI_TUNNEL_CLOSED);
	ck_assert_uint_gt(p.to_client.len, 0);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_state(p.client), BRSKI_TUNNEL_CLOSED);
	ck_assert_int_eq(brski_tunnel_write(p.client, brski_span_str("x"), &out, NULL), BRSKI_UNEXPECTED);
	ck_assert_int_eq(brski_tunnel_write(p.server, brski_span_str("x"), &out, NULL), BRSKI_UNEXPECTED);
	ck_assert_uint_eq(out.len, 0);
	tear_down(&p);
}
END_TEST

START_TEST(an_alert_is_told_from_work)
{
	static const struct {
		const char *octets;
		size_t len;
		bool alert;
	} cases[] = {
		{"\x15\3\3\0\2\2\50", 7, true},
		{"\x15\3\3\0\2\2\50\0", 8, false}, /* something behind it */
		{"\x15\3\3\0\2\2", 6, false},
		{"\x15\3\3\0\3\2\50\0", 8, false},
		{"\x16\3\3\0\2\2\50", 7, false}, /* a piece of a handshake's message */
		{"\x17\3\3\0\2\2\50", 7, false},
		{"\x15\3\3", 3, false},
		{"", 0, false},
	};
	struct pair p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(
			brski_tunnel_is_alert(brski_span(cases[i].octets, cases[i].len)) == cases[i].alert,
			"%zu", i);
	set_up(&p, &registrar, &pledge);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert(!brski_tunnel_is_alert(brski_buf_span(&p.to_server))); /* ClientHello */
	ck_assert_int_eq(feed_server(&p), BRSKI_OK);
	ck_assert_int_eq(feed_client(&p), BRSKI_OK);
	ck_assert(!brski_tunnel_is_alert(brski_buf_span(&p.to_server))); /* Finished */
	ck_assert_int_eq(feed_server(&p), BRSKI_OK);
	brski_tunnel_close(p.client, &p.to_server);
	ck_assert(brski_tunnel_is_alert(brski_buf_span(&p.to_server)));
	tear_down(&p);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tunnel");
	TCase *good = tcase_create("good");
	TCase *refused = tcase_create("refused");
	TCase *damaged = tcase_create("damaged");

	tcase_add_unchecked_fixture(good, make_pki, free_pki);
	tcase_add_loop_test(good, each_key_type, 0, 3);
	tcase_add_test(good, an_rsa_root_signs_with_pkcs1);
	tcase_add_test(good, nothing_is_known_early);
	tcase_add_test(good, data_rides_with_finished);
	tcase_add_test(good, octet_by_octet);
	tcase_add_test(good, large_data);
	tcase_add_test(good, more_plain_text_than_its_reader_takes);
	tcase_add_test(good, exporter_is_equal_on_both_sides);
	tcase_add_test(good, a_stranger_that_does_it_right);
	tcase_add_test(good, no_ticket_is_taken_or_given);
	tcase_add_test(good, close_is_told);
	tcase_add_test(good, an_alert_is_told_from_work);
	tcase_set_timeout(good, 60);
	suite_add_tcase(s, good);

	tcase_add_unchecked_fixture(refused, make_pki, free_pki);
	tcase_add_loop_test(refused, refused_chains, 0, 8);
	tcase_add_test(refused, client_refuses_the_server);
	tcase_add_test(refused, client_without_its_private_key);
	tcase_add_test(refused, server_without_its_private_key);
	tcase_add_test(refused, config_refuses);
	tcase_add_loop_test(refused, tls12_client_refused, 0, 2);
	tcase_add_loop_test(refused, no_alpn_refused, 0, 5);
	tcase_add_test(refused, no_client_certificate_refused);
	tcase_add_test(refused, weak_client_key_refused);
	tcase_add_test(refused, costly_keys_refused);
	tcase_add_loop_test(refused, long_chains_refused, 0, 3);
	tcase_add_loop_test(refused, client_refuses_strange_servers, 0, 2);
	suite_add_tcase(s, refused);

	tcase_add_unchecked_fixture(damaged, make_pki, free_pki);
	tcase_add_loop_test(damaged, flipped_flights, 0, 2);
	tcase_add_loop_test(damaged, flipped_application_records, 0, 2);
	tcase_add_test(damaged, repeated_record_refused);
	tcase_add_test(damaged, damaged_client_hello);
	tcase_set_timeout(damaged, 120);
	suite_add_tcase(s, damaged);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
