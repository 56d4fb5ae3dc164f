/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>

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
}
END_TEST

/* Each is refused by a warning (RFC 5246 7.2.2), after which the connection is as it was. */
static bool renegotiate(void)
{
	if (SSL_renegotiate(peer.ssl) != 1)
		return false;
	(void)SSL_do_handshake(peer.ssl);
	for (int i = 0; i < 5; i++)
		http_lab_turn(&lab);
	http_peer_hear(&peer);
	return !peer.gone;
}

START_TEST(there_is_no_renegotiation)
{
	come(&device, TLS1_2_VERSION);
	/* OpenSSL as a client takes that warning for the end */
	ck_assert(!renegotiate());
	ck_assert_uint_eq(lab.requests, 0);
	http_peer_close(&peer);
	come(&device, TLS1_2_VERSION);
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
		keys_are_not_updated_for_ever, there_is_no_renegotiation, octets_in_parts};

	return run_tests("HTTP server, TLS", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
