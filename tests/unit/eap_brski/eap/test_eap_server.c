/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/artifacts/voucher_request.h"
#include "eap_brski/eap/server.h"
#include "eap_brski/transport/frame.h"
#include "eap_brski/transport/http_binary.h"
#include "eap_brski/transport/link.h"
#include "eap_brski/transport/tunnel.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/visit.h"

/*
 * The EAP server against a peer that may say anything: link and tunnel are right, what is inside is
 * the test's.
 */

static struct site site;

static struct client {
	struct brski_server_context *ctx;
	struct brski_server_session *s;
	enum brski_server_result result;
	enum brski_code code;
	struct brski_link *link;
	struct brski_tunnel_config *config;
	struct brski_tunnel *tunnel;
	enum brski_code tunnel_code;
	struct brski_error tunnel_err;
	struct brski_buf packet;  /* under way */
	struct brski_buf records; /* to be sent */
	struct brski_buf plain;   /* that came */
	bool quiet;               /* the server said something, and nothing is due from us */
	bool stop_at_work;        /* leaves work and answers that are held to the test */
} c;

static void start(const struct brski_credential *cred)
{
	struct brski_server_config config = {.registrar = site.registrar};
	struct brski_error err;

	memset(&c, 0, sizeof(c));
	EXPECT(BRSKI_OK, brski_server_context_new(&config, &c.ctx, &err));
	EXPECT(BRSKI_OK, brski_server_session_new(c.ctx, 0, "port 1", &c.packet, &c.s, &err));
	EXPECT(BRSKI_OK, brski_link_new(false, BRSKI_MTU_DEFAULT, 0, &c.link, &err));
	EXPECT(BRSKI_OK, brski_tunnel_config_new(false, cred, &c.config, &err));
	EXPECT(BRSKI_OK, brski_tunnel_new(c.config, NULL, NULL, &c.tunnel, &err));
}

static void stop(void)
{
	brski_buf_free(&c.packet);
	brski_buf_free(&c.records);
	brski_buf_free(&c.plain);
	brski_tunnel_free(c.tunnel);
	brski_tunnel_config_free(c.config);
	brski_link_free(c.link);
	brski_server_session_free(c.s);
	brski_server_context_free(c.ctx);
	memset(&c, 0, sizeof(c));
}

static void setup(void)
{
	site_open(&site, "P-256");
	start(&site.idevid);
}

static void teardown(void)
{
	stop();
	site_close(&site);
}

/* What the server does that has a thread at once, and a quick disk. */
static void go_on(struct brski_buf *out)
{
	struct brski_error err;

	if (c.code == BRSKI_OK && c.result == BRSKI_SERVER_WORK)
		c.code = brski_server_work(c.s, out, &c.result, &err);
	if (c.code == BRSKI_OK && c.result == BRSKI_SERVER_HOLD) {
		ck_assert_uint_eq(out->len, 0);
		c.result = BRSKI_SERVER_SEND;
		c.code = brski_server_send(c.s, out, &err);
	}
}

/* One packet to the server. */
static void send_packet(void)
{
	struct brski_buf out = {0};
	struct brski_error err;

	c.code = brski_server_process(c.s, brski_buf_span(&c.packet), &out, &c.result, &err);
	if (!c.stop_at_work)
		go_on(&out);
	brski_buf_move(&c.packet, &out);
}

/* Takes the server's packet; true when a whole message came, or Start. */
static bool take_packet(void)
{
	enum brski_link_event event;
	struct brski_error err;
	uint16_t wait_ms;

	EXPECT(BRSKI_OK, brski_link_receive(c.link, brski_buf_span(&c.packet), &event, &wait_ms, &err));
	if (event == BRSKI_LINK_SEND) {
		EXPECT(BRSKI_OK, brski_link_next(c.link, &c.packet, &err));
		return false;
	}
	c.quiet = event == BRSKI_LINK_ACK;
	if (event == BRSKI_LINK_MESSAGE)
		c.tunnel_code = brski_tunnel_feed(
			c.tunnel, brski_link_message(c.link), &c.records, &c.plain, &c.tunnel_err);
	else if (event == BRSKI_LINK_START)
		c.tunnel_code =
			brski_tunnel_feed(c.tunnel, brski_span(NULL, 0), &c.records, &c.plain, &c.tunnel_err);
	return true;
}

/* Sends what is in c.records (nothing: an acknowledgement), and reads until the server has spoken. */
static void exchange(void)
{
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_link_queue(c.link, brski_buf_span(&c.records), &err));
	EXPECT(BRSKI_OK, brski_link_next(c.link, &c.packet, &err));
	brski_buf_reset(&c.records);
	brski_buf_reset(&c.plain);
	for (;;) {
		send_packet();
		if (c.code != BRSKI_OK || c.result != BRSKI_SERVER_SEND || take_packet())
			return;
	}
}

/* The handshake; the Finished is left in c.records. */
static void shake_hands(void)
{
	ck_assert(take_packet());
	exchange();
	ck_assert_int_eq(c.tunnel_code, BRSKI_OK);
	ck_assert_int_eq(brski_tunnel_state(c.tunnel), BRSKI_TUNNEL_OPEN);
}

static void put_plain(struct brski_span plain)
{
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_tunnel_write(c.tunnel, plain, &c.records, &err));
}

static void put_get(struct brski_buf *flight)
{
	struct brski_http request = {0};
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_http_request(&request, "GET", PATH_BRSKI, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_http_encode(&request, flight, &err));
	brski_http_free(&request);
}

static unsigned count_responses(unsigned status)
{
	struct brski_span in = brski_buf_span(&c.plain);
	bool complete = true;
	unsigned n = 0;

	while (in.len) {
		struct brski_http response = {0};
		struct brski_error err;

		EXPECT(BRSKI_OK, brski_http_decode(&in, 65535, &response, &complete, &err));
		ck_assert(complete);
		ck_assert_uint_eq(response.status, status);
		brski_http_free(&response);
		n++;
	}
	return n;
}

/* The server has said its last word in the tunnel; at our acknowledgement it is over. */
static void expect_end(const char *reason)
{
	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_SEND);
	brski_buf_reset(&c.records);
	exchange();
	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
	ck_assert_msg(strstr(brski_server_reason(c.s), reason), "\"%s\" lacks \"%s\"",
		brski_server_reason(c.s), reason);
	/* nothing follows */
	send_packet();
	ck_assert_int_eq(c.code, BRSKI_UNEXPECTED);
}

START_TEST(flight_of_requests)
{
	struct brski_buf flight = {0};

	shake_hands();
	for (int i = 0; i < 4; i++)
		put_get(&flight);
	put_plain(brski_buf_span(&flight)); /* with the Finished */
	exchange();
	ck_assert_uint_eq(count_responses(200), 4);
	ck_assert_str_eq(brski_server_device(c.s)->serial_number, SITE_SERIAL);
	/* and the next */
	put_plain(brski_buf_span(&flight));
	exchange();
	ck_assert_uint_eq(count_responses(200), 4);
	brski_buf_free(&flight);
	/* silence is no success */
	exchange();
	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
	ck_assert_ptr_nonnull(strstr(brski_server_reason(c.s), "not onboarded"));
}
END_TEST

START_TEST(too_many_in_one_flight)
{
	struct brski_buf flight = {0};

	shake_hands();
	for (int i = 0; i < 5; i++)
		put_get(&flight);
	put_plain(brski_buf_span(&flight));
	brski_buf_free(&flight);
	exchange();
	ck_assert_int_eq(brski_tunnel_state(c.tunnel), BRSKI_TUNNEL_CLOSED);
	expect_end("more than 4 requests");
}
END_TEST

START_TEST(flight_that_is_cut)
{
	struct brski_buf flight = {0};

	shake_hands();
	put_get(&flight);
	put_plain(brski_span(flight.data, flight.len - 1));
	brski_buf_free(&flight);
	exchange();
	ck_assert_int_eq(brski_tunnel_state(c.tunnel), BRSKI_TUNNEL_CLOSED);
	expect_end("ends within a request");
}
END_TEST

START_TEST(flight_of_garbage)
{
	shake_hands();
	put_plain(brski_span_str("\0\0\0\4what"));
	put_plain(brski_span("\0\0\0\4what", 8));
	exchange();
	expect_end("");
}
END_TEST

START_TEST(response_as_request)
{
	struct brski_http response = {0};
	struct brski_buf flight = {0};
	struct brski_error err;

	shake_hands();
	EXPECT(BRSKI_OK, brski_http_response(&response, 200, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_http_encode(&response, &flight, &err));
	put_plain(brski_buf_span(&flight));
	exchange();
	ck_assert_uint_eq(count_responses(400), 1);
	brski_http_free(&response);
	brski_buf_free(&flight);
}
END_TEST

START_TEST(too_many_requests_in_a_session)
{
	struct brski_buf flight = {0};

	shake_hands();
	for (int i = 0; i < 4; i++)
		put_get(&flight);
	for (int i = 0; i < 8; i++) {
		put_plain(brski_buf_span(&flight));
		exchange();
		ck_assert_uint_eq(count_responses(200), 4);
	}
	put_plain(brski_buf_span(&flight));
	exchange();
	ck_assert_int_eq(brski_tunnel_state(c.tunnel), BRSKI_TUNNEL_CLOSED);
	ck_assert_uint_eq(c.plain.len, 0);
	brski_buf_free(&flight);
	expect_end("more than 32 requests");
}
END_TEST

START_TEST(finished_alone_is_acknowledged)
{
	shake_hands();
	exchange();
	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_SEND);
	ck_assert(c.quiet);
	ck_assert_ptr_nonnull(brski_server_device(c.s));
}
END_TEST

/* ---- the peer's certificate ---- */

START_TEST(alert_reaches_the_peer)
{
	static const struct {
		enum brski_code code;
		const char *alert, *reason;
	} cases[] = {
		{BRSKI_UNTRUSTED, "unknown CA", "the site says untrusted"},
		{BRSKI_EXPIRED, "certificate expired", "the site says expired"},
		{BRSKI_REVOKED, "certificate revoked", "the site says revoked"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		teardown();
		setup();
		site.find_code = cases[i].code;
		shake_hands();
		exchange();
		ck_assert_int_ne(c.tunnel_code, BRSKI_OK);
		ck_assert_msg(strstr(c.tunnel_err.why, cases[i].alert), "%s", c.tunnel_err.why);
		ck_assert(site_has_event(&site, "peer", false, cases[i].reason));
		ck_assert_ptr_null(brski_server_device(c.s));
		expect_end(cases[i].reason);
	}
}
END_TEST

START_TEST(certificates_that_are_no_idevid)
{
	struct brski_credential ldevid = pki_leaf(SITE_SUBJECT, "P-256", &site.domain_ca);
	struct brski_credential foreign = pki_leaf(SITE_SUBJECT, "P-256", &site.foreign);

	stop();
	start(&ldevid);
	shake_hands();
	exchange();
	ck_assert_int_ne(c.tunnel_code, BRSKI_OK);
	expect_end("own domain");
	stop();
	start(&foreign);
	shake_hands();
	exchange();
	ck_assert_int_ne(c.tunnel_code, BRSKI_OK);
	expect_end("");
	pki_free(&ldevid);
	pki_free(&foreign);
}
END_TEST

/* An IDevID without its private key: another's certificate is shown. */
START_TEST(certificate_without_its_key)
{
	struct brski_credential thief = site.idevid;
	struct brski_tunnel_config *config;
	struct brski_error err;

	thief.key = pki_key("P-256");
	ck_assert_int_ne(brski_tunnel_config_new(false, &thief, &config, &err), BRSKI_OK);
	EVP_PKEY_free(thief.key);
}
END_TEST

START_TEST(peer_closes_the_tunnel)
{
	shake_hands();
	exchange();
	brski_tunnel_close(c.tunnel, &c.records);
	exchange();
	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
	ck_assert_str_ne(brski_server_reason(c.s), "");
}
END_TEST

START_TEST(silence_in_the_handshake)
{
	ck_assert(take_packet());
	exchange();
	brski_buf_reset(&c.records);
	exchange();
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
	ck_assert_ptr_nonnull(strstr(brski_server_reason(c.s), "handshake"));
}
END_TEST

START_TEST(records_that_are_damaged)
{
	shake_hands();
	c.records.data[c.records.len - 1] ^= 1;
	exchange();
	ck_assert_int_ne(c.tunnel_code, BRSKI_OK); /* bad_record_mac */
	expect_end("");
}
END_TEST

/* ---- jobs ---- */

static void ask_for_voucher(void)
{
	struct brski_http request = {0};
	struct brski_buf cms = {0}, flight = {0};
	struct brski_error err;

	put_get(&flight);
	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&site.idevid, site.registrar_cred.cert,
				 brski_span_str("0123456789abcdef"), site.now, &cms, &err));
	EXPECT(BRSKI_OK, brski_http_request(&request, "POST", PATH_VOUCHER, BRSKI_MEDIA_VOUCHER,
				 brski_buf_span(&cms), &err));
	EXPECT(BRSKI_OK, brski_http_encode(&request, &flight, &err));
	put_get(&flight);
	put_plain(brski_buf_span(&flight));
	brski_http_free(&request);
	brski_buf_free(&cms);
	brski_buf_free(&flight);
	exchange();
	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_JOB);
}

START_TEST(job_in_the_middle_of_a_flight)
{
	struct brski_job *job;
	struct brski_error err;

	shake_hands();
	ask_for_voucher();
	job = brski_server_take_job(c.s);
	ck_assert_ptr_nonnull(job);
	ck_assert_ptr_null(brski_server_take_job(c.s));
	for (int i = 0; i < 3; i++) {
		EXPECT(BRSKI_OK, brski_server_wait(c.s, 100, &c.packet, &err));
		ck_assert(take_packet()); /* a Wait */
		EXPECT(BRSKI_OK, brski_link_next(c.link, &c.packet, &err));
		send_packet();
		ck_assert_int_eq(c.code, BRSKI_OK);
		ck_assert_int_eq(c.result, BRSKI_SERVER_JOB);
	}
	site_drive(&site, job);
	EXPECT(BRSKI_OK, brski_server_resume(c.s, job, &c.packet, &c.result, &err));
	brski_job_free(job);
	ck_assert_int_eq(c.result, BRSKI_SERVER_HOLD);
	go_on(&c.packet);
	ck_assert_int_eq(c.result, BRSKI_SERVER_SEND);
	while (!take_packet())
		send_packet();
	ck_assert_uint_eq(count_responses(200), 3);
	/* once */
	EXPECT(BRSKI_UNEXPECTED, brski_server_wait(c.s, 100, &c.packet, &err));
	EXPECT(BRSKI_UNEXPECTED, brski_server_resume(c.s, NULL, &c.packet, &c.result, &err));
	EXPECT(BRSKI_UNEXPECTED, brski_server_defer(c.s, NULL, &c.packet, &c.result, &err));
}
END_TEST

START_TEST(job_that_is_deferred)
{
	struct brski_job *job;
	struct brski_error err;

	shake_hands();
	ask_for_voucher();
	job = brski_server_take_job(c.s);
	EXPECT(BRSKI_OK, brski_server_defer(c.s, job, &c.packet, &c.result, &err));
	brski_job_free(job);
	ck_assert_int_eq(c.result, BRSKI_SERVER_HOLD);
	go_on(&c.packet);
	while (!take_packet())
		send_packet();
	ck_assert_uint_gt(c.plain.len, 0);
	expect_end("");
}
END_TEST

START_TEST(message_while_a_job_is_out)
{
	struct brski_error err;

	shake_hands();
	ask_for_voucher();
	EXPECT(BRSKI_OK, brski_server_wait(c.s, 0, &c.packet, &err));
	ck_assert(take_packet());
	brski_buf_reset(&c.packet);
	brski_put(&c.packet, brski_span("\001hello", 6));
	send_packet();
	ck_assert_int_ne(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
}
END_TEST

/* The session goes, and nobody has taken its job (AddressSanitizer looks). */
START_TEST(job_that_nobody_takes)
{
	shake_hands();
	ask_for_voucher();
}
END_TEST

/* ---- A thread for the work, and a disk for its result ---- */

/* The server makes its peer wait, who says that it has; and the server stands where it stood. */
static void wait_at(enum brski_server_result result)
{
	struct brski_error err;

	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, result);
	for (int i = 0; i < 3; i++) {
		EXPECT(BRSKI_OK, brski_server_wait(c.s, 100, &c.packet, &err));
		ck_assert(take_packet());
		EXPECT(BRSKI_OK, brski_link_next(c.link, &c.packet, &err));
		send_packet();
		ck_assert_int_eq(c.code, BRSKI_OK);
		ck_assert_int_eq(c.result, result);
		ck_assert_uint_eq(c.packet.len, 0);
	}
}

START_TEST(a_message_waits_until_it_is_worked_off)
{
	struct brski_error err;

	c.stop_at_work = true;
	ck_assert(take_packet());
	exchange(); /* ClientHello */
	wait_at(BRSKI_SERVER_WORK);
	EXPECT(BRSKI_OK, brski_server_work(c.s, &c.packet, &c.result, &err));
	ck_assert_int_eq(c.result, BRSKI_SERVER_SEND); /* nothing is in it that is kept */
	EXPECT(BRSKI_UNEXPECTED, brski_server_work(c.s, &c.packet, &c.result, &err));
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
}
END_TEST

/* Up to here it is the handshake's; the request is in the Finished's message. */
static void ask(void)
{
	struct brski_buf flight = {0};

	shake_hands();
	put_get(&flight);
	put_plain(brski_buf_span(&flight));
	brski_buf_free(&flight);
	c.stop_at_work = true;
	exchange();
}

START_TEST(an_answer_is_held_until_it_may_go)
{
	struct brski_error err;

	ask();
	ck_assert_ptr_null(brski_server_device(c.s)); /* nobody has looked yet */
	wait_at(BRSKI_SERVER_WORK);
	EXPECT(BRSKI_UNEXPECTED, brski_server_send(c.s, &c.packet, &err));
	EXPECT(BRSKI_OK, brski_server_work(c.s, &c.packet, &c.result, &err));
	ck_assert_str_eq(brski_server_device(c.s)->serial_number, SITE_SERIAL);
	ck_assert_uint_eq(c.packet.len, 0);
	wait_at(BRSKI_SERVER_HOLD);
	EXPECT(BRSKI_UNEXPECTED, brski_server_work(c.s, &c.packet, &c.result, &err));
	EXPECT(BRSKI_OK, brski_server_send(c.s, &c.packet, &err));
	ck_assert(take_packet());
	ck_assert_uint_eq(count_responses(200), 1);
	EXPECT(BRSKI_UNEXPECTED, brski_server_send(c.s, &c.packet, &err));
	EXPECT(BRSKI_UNEXPECTED, brski_server_wait(c.s, 100, &c.packet, &err));
}
END_TEST

/* In the tunnel the message is decrypted at once, and asks for work if anything is in it. */
START_TEST(a_later_message_waits_too)
{
	struct brski_buf flight = {0};
	struct brski_error err;

	ask();
	go_on(&c.packet);
	ck_assert(take_packet());
	put_get(&flight);
	put_get(&flight);
	put_plain(brski_buf_span(&flight));
	brski_buf_free(&flight);
	exchange();
	wait_at(BRSKI_SERVER_WORK);
	EXPECT(BRSKI_OK, brski_server_work(c.s, &c.packet, &c.result, &err));
	wait_at(BRSKI_SERVER_HOLD);
	EXPECT(BRSKI_OK, brski_server_send(c.s, &c.packet, &err));
	ck_assert(take_packet());
	ck_assert_uint_eq(count_responses(200), 2);
}
END_TEST

START_TEST(who_closes_the_tunnel_is_not_made_to_wait)
{
	ask();
	go_on(&c.packet);
	ck_assert(take_packet());
	brski_tunnel_close(c.tunnel, &c.records);
	exchange();
	ck_assert_int_eq(c.code, BRSKI_OK);
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
}
END_TEST

/* RFC 8446 6: an alert in the place of a Finished, protected or not. */
START_TEST(an_alert_in_the_handshake_is_no_work)
{
	static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 80};

	ck_assert(take_packet());
	exchange();
	c.stop_at_work = true;
	brski_buf_reset(&c.records);
	brski_put(&c.records, brski_span(alert, sizeof(alert)));
	exchange();
	ck_assert(c.result != BRSKI_SERVER_WORK);
	stop();
	start(&site.idevid);
	ck_assert(take_packet());
	exchange();
	c.stop_at_work = true;
	brski_buf_reset(&c.records);
	brski_tunnel_close(c.tunnel, &c.records);
	ck_assert_uint_eq(c.records.len, 24);
	exchange();
	ck_assert(c.result != BRSKI_SERVER_WORK);
}
END_TEST

/* Whoever says something else than that it has waited is out. */
START_TEST(message_while_work_or_an_answer_waits)
{
	for (int held = 0; held < 2; held++) {
		struct brski_error err;

		stop();
		start(&site.idevid);
		ask();
		if (held)
			EXPECT(BRSKI_OK, brski_server_work(c.s, &c.packet, &c.result, &err));
		EXPECT(BRSKI_OK, brski_server_wait(c.s, 100, &c.packet, &err));
		brski_buf_reset(&c.packet);
		brski_put(&c.packet, brski_span("\001hello", 6));
		send_packet();
		ck_assert_int_ne(c.code, BRSKI_OK);
		ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
	}
}
END_TEST

/* The session goes, and nobody has done its work, or sent its answer (AddressSanitizer looks). */
START_TEST(work_that_nobody_does)
{
	struct brski_error err;

	ask();
	ck_assert_int_eq(c.result, BRSKI_SERVER_WORK);
	stop();
	start(&site.idevid);
	ask();
	EXPECT(BRSKI_OK, brski_server_work(c.s, &c.packet, &c.result, &err));
	ck_assert_int_eq(c.result, BRSKI_SERVER_HOLD);
}
END_TEST

START_TEST(no_keys_without_success)
{
	uint8_t msk[BRSKI_EAP_KEY_LEN], emsk[BRSKI_EAP_KEY_LEN], id[BRSKI_EAP_SESSION_ID_LEN];
	static const uint8_t none[BRSKI_EAP_KEY_LEN];
	struct brski_error err;

	memset(msk, 1, sizeof(msk));
	shake_hands();
	exchange();
	EXPECT(BRSKI_UNEXPECTED, brski_server_keys(c.s, msk, emsk, id, &err));
	ck_assert_mem_eq(msk, none, sizeof(msk));
}
END_TEST

START_TEST(endless_packets)
{
	unsigned n = 0;

	shake_hands();
	ask_for_voucher();
	while (c.code == BRSKI_OK) {
		struct brski_error err;

		EXPECT(BRSKI_OK, brski_server_wait(c.s, 100, &c.packet, &err));
		ck_assert(take_packet());
		EXPECT(BRSKI_OK, brski_link_next(c.link, &c.packet, &err));
		send_packet();
		ck_assert_uint_lt(++n, 1100);
	}
	ck_assert_int_eq(c.code, BRSKI_TOO_LARGE);
	ck_assert_int_eq(c.result, BRSKI_SERVER_FAILURE);
}
END_TEST

static unsigned n_answered;

static void try_first_message(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_buf reply = {0};
	struct brski_server_session *s;
	enum brski_server_result result;
	enum brski_code code;
	struct brski_error err;

	(void)ctx;
	(void)how;
	EXPECT(BRSKI_OK, brski_server_session_new(c.ctx, 0, NULL, &reply, &s, &err));
	code = brski_server_process(s, damaged, &reply, &result, &err);
	if (code == BRSKI_OK && result == BRSKI_SERVER_WORK)
		code = brski_server_work(s, &reply, &result, &err);
	if (code == BRSKI_OK && result == BRSKI_SERVER_SEND) {
		ck_assert_uint_gt(reply.len, 0);
		n_answered++;
	} else {
		ck_assert_int_eq(result, BRSKI_SERVER_FAILURE);
		ck_assert_str_ne(brski_server_reason(s), "");
	}
	ck_assert_ptr_null(brski_server_device(s));
	ck_assert_ptr_null(brski_server_take_job(s));
	brski_buf_free(&reply);
	brski_server_session_free(s);
}

START_TEST(damaged_client_hello)
{
	struct brski_error err;

	ck_assert(take_packet());
	EXPECT(BRSKI_OK, brski_link_queue(c.link, brski_buf_span(&c.records), &err));
	EXPECT(BRSKI_OK, brski_link_next(c.link, &c.packet, &err));
	mutate_truncations(brski_buf_span(&c.packet), try_first_message, NULL);
	mutate_octets_once(brski_buf_span(&c.packet), try_first_message, NULL);
	mutate_appended(brski_buf_span(&c.packet), try_first_message, NULL);
	ck_assert_uint_gt(
		n_answered, 10); /* with an alert, or with a handshake that the Finished will not fit */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {flight_of_requests, too_many_in_one_flight, flight_that_is_cut,
		flight_of_garbage, response_as_request, too_many_requests_in_a_session,
		finished_alone_is_acknowledged, alert_reaches_the_peer, certificates_that_are_no_idevid,
		certificate_without_its_key, peer_closes_the_tunnel, silence_in_the_handshake,
		records_that_are_damaged, job_in_the_middle_of_a_flight, job_that_is_deferred,
		message_while_a_job_is_out, job_that_nobody_takes, a_message_waits_until_it_is_worked_off,
		an_answer_is_held_until_it_may_go, a_later_message_waits_too,
		who_closes_the_tunnel_is_not_made_to_wait, an_alert_in_the_handshake_is_no_work,
		message_while_work_or_an_answer_waits, work_that_nobody_does, no_keys_without_success,
		endless_packets, damaged_client_hello};

	return run_tests("eap_server", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
