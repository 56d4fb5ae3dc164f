/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/eap/peer.h"
#include "eap_brski/eap/server.h"
#include "eap_brski/transport/frame.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/memory.h"
#include "tests/unit/support/site.h"

/* Peer and server against each other, packet by packet, with MASA and CA behind the server. */

#define ROUNDS_MAX 400

static struct site site;
static struct memory memory;

struct conversation {
	struct brski_server_context *ctx;
	struct brski_server_session *server;
	struct brski_peer *peer;
	struct brski_job *job; /* that the server stands at */
	unsigned job_waits;
	size_t mtu;
	bool pkcs10, implicit;
	unsigned waits_per_job, n_waits, delays; /* the peer's, in milliseconds */
	unsigned waits_per_work, waits_per_answer, waited, n_works, n_holds;
	/* damage */
	unsigned stop_after;  /* packets, counted both ways; 0: never */
	unsigned flip_packet; /* likewise; 0: none */
	size_t flip_at;
	uint8_t flip_bits;
	unsigned n_packets;
	/* result */
	unsigned rounds;
	size_t octets_up, octets_down;
	bool success, failure, peer_success, peer_failure;
	char reason[400];
	bool show;
};

static void open_conversation(struct conversation *c, struct brski_buf *packet)
{
	struct brski_server_config config = {.registrar = site.registrar};
	struct brski_peer_config peer = {
		.pledge = {.idevid = &site.idevid,
			.masa_anchors = site.masa_anchors,
			.key_type = BRSKI_KEY_P256,
			.pkcs10 = c->pkcs10,
			.implicit_confirm = c->implicit,
			.clock_is_right = true,
			.storage = &memory.storage,
			.env = &site.env},
		.mtu = c->mtu,
	};
	struct brski_error err;

	ck_assert_int_eq(brski_key_type_parse(site.key_type, &peer.pledge.key_type, NULL), BRSKI_OK);
	EXPECT(BRSKI_OK, brski_server_context_new(&config, &c->ctx, &err));
	EXPECT(BRSKI_OK, brski_server_session_new(c->ctx, c->mtu, "port 1", packet, &c->server, &err));
	EXPECT(BRSKI_OK, brski_peer_new(&peer, &c->peer, &err));
}

static void close_conversation(struct conversation *c)
{
	brski_job_free(c->job);
	c->job = NULL;
	brski_peer_free(c->peer);
	brski_server_session_free(c->server);
	brski_server_context_free(c->ctx);
	c->peer = NULL;
	c->server = NULL;
	c->ctx = NULL;
}

/* The wire: false when the packet does not arrive. */
static bool carry(struct conversation *c, struct brski_buf *packet)
{
	c->n_packets++;
	if (c->stop_after && c->n_packets > c->stop_after)
		return false;
	if (c->flip_packet == c->n_packets && packet->len > 0)
		packet->data[c->flip_at % packet->len] ^= c->flip_bits;
	return true;
}

/* What a front end does with a job: Wait, work, and on; or, if the back end is away, defer. */
static enum brski_code do_job(struct conversation *c, struct brski_buf *packet,
	enum brski_server_result *result, struct brski_error *err)
{
	enum brski_code code;

	if (!c->job)
		c->job = brski_server_take_job(c->server);
	ck_assert_ptr_nonnull(c->job);
	if (c->job_waits < c->waits_per_job) {
		c->job_waits++;
		*result = BRSKI_SERVER_SEND;
		return brski_server_wait(c->server, 100, packet, err);
	}
	c->job_waits = 0;
	site_drive(&site, c->job);
	if (brski_job_state(c->job) == BRSKI_JOB_WAITING)
		code = brski_server_defer(c->server, c->job, packet, result, err);
	else
		code = brski_server_resume(c->server, c->job, packet, result, err);
	brski_job_free(c->job);
	c->job = NULL;
	return code;
}

/* True: first the peer gets a Wait. */
static bool must_wait(struct conversation *c, unsigned waits)
{
	if (c->waited++ < waits)
		return true;
	c->waited = 0;
	return false;
}

/* What a front end does that has no thread for the work, or whose disk is slow: Wait, and then on. */
static enum brski_code do_step(struct conversation *c, struct brski_buf *packet,
	enum brski_server_result *result, struct brski_error *err)
{
	bool work = *result == BRSKI_SERVER_WORK;

	if (*result == BRSKI_SERVER_JOB)
		return do_job(c, packet, result, err);
	ck_assert_uint_eq(packet->len, 0);
	if (must_wait(c, work ? c->waits_per_work : c->waits_per_answer)) {
		*result = BRSKI_SERVER_SEND;
		return brski_server_wait(c->server, 100, packet, err);
	}
	c->n_works += work;
	c->n_holds += !work;
	if (work)
		return brski_server_work(c->server, packet, result, err);
	*result = BRSKI_SERVER_SEND;
	return brski_server_send(c->server, packet, err);
}

static bool is_step(enum brski_server_result result)
{
	return result == BRSKI_SERVER_WORK || result == BRSKI_SERVER_JOB || result == BRSKI_SERVER_HOLD;
}

static void server_turn(struct conversation *c, struct brski_buf *packet)
{
	struct brski_error err = {0};
	enum brski_server_result result;
	struct brski_buf out = {0};
	enum brski_code code;

	code = brski_server_process(c->server, brski_buf_span(packet), &out, &result, &err);
	while (code == BRSKI_OK && is_step(result))
		code = do_step(c, &out, &result, &err);
	c->success = code == BRSKI_OK && result == BRSKI_SERVER_SUCCESS;
	c->failure = code != BRSKI_OK || result == BRSKI_SERVER_FAILURE;
	if (c->success || c->failure)
		snprintf(c->reason, sizeof(c->reason), "%s", brski_server_reason(c->server));
	brski_buf_move(packet, &out);
}

static bool peer_turn(struct conversation *c, struct brski_buf *packet)
{
	struct brski_error err = {0};
	enum brski_peer_result result;
	struct brski_buf out = {0};
	unsigned delay;
	enum brski_code code =
		brski_peer_process(c->peer, brski_buf_span(packet), &out, &result, &delay, &err);

	c->peer_success = code == BRSKI_OK && result == BRSKI_PEER_SUCCESS;
	c->peer_failure = code != BRSKI_OK || result == BRSKI_PEER_FAILURE;
	if (result == BRSKI_PEER_WAIT)
		c->n_waits++;
	c->delays += delay;
	brski_buf_move(packet, &out);
	return code == BRSKI_OK;
}

static void talk(struct conversation *c)
{
	struct brski_buf packet = {0};

	c->rounds = 0;
	c->n_packets = 0;
	c->octets_up = c->octets_down = 0;
	c->success = c->failure = false;
	c->reason[0] = '\0';
	open_conversation(c, &packet);
	while (!c->success && !c->failure && c->rounds < ROUNDS_MAX) {
		size_t down = packet.len;

		if (!carry(c, &packet) || !peer_turn(c, &packet))
			break;
		c->rounds++;
		c->octets_down += down + BRSKI_EAP_OVERHEAD;
		c->octets_up += packet.len + BRSKI_EAP_OVERHEAD;
		if (c->show)
			printf("  %2u  %5zu octets down, %5zu up   %s\n", c->rounds,
				down + BRSKI_EAP_OVERHEAD, packet.len + BRSKI_EAP_OVERHEAD,
				brski_pledge_state_name(brski_peer_state(c->peer)));
		if (!carry(c, &packet))
			break;
		server_turn(c, &packet);
	}
	ck_assert_uint_lt(c->rounds, ROUNDS_MAX);
	/* whatever happened on the way: both sides must agree before anyone is let in */
	if (c->success)
		ck_assert(c->peer_success);
	brski_buf_free(&packet);
}

static void expect_same_keys(struct conversation *c)
{
	uint8_t server[3][BRSKI_EAP_SESSION_ID_LEN] = {{0}}, peer[3][BRSKI_EAP_SESSION_ID_LEN] = {{0}};
	static const uint8_t none[BRSKI_EAP_KEY_LEN];
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_server_keys(c->server, server[0], server[1], server[2], &err));
	EXPECT(BRSKI_OK, brski_peer_keys(c->peer, peer[0], peer[1], peer[2], &err));
	ck_assert_mem_eq(server, peer, sizeof(server));
	ck_assert_mem_ne(server[0], none, sizeof(none));
	ck_assert_mem_ne(server[0], server[1], BRSKI_EAP_KEY_LEN);
	ck_assert_uint_eq(server[2][0], 254);
}

static void onboard(struct conversation *c)
{
	talk(c);
	ck_assert_msg(c->success, "server: %s; peer: %s", c->reason, brski_peer_reason(c->peer));
	ck_assert_int_eq(brski_peer_state(c->peer), BRSKI_PLEDGE_ENROLLED);
	expect_same_keys(c);
}

static void setup(void)
{
	site_open(&site, "P-256");
	memory_open(&memory);
}

static void teardown(void)
{
	site_close(&site);
	memory_close(&memory);
}

static void reopen(const char *key_type)
{
	teardown();
	site_open(&site, key_type);
	memory_open(&memory);
}

START_TEST(p256_within_18_round_trips)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT, .show = true};

	printf("P-256, chains of two, telemetry, explicit certConf, %d octets:\n", BRSKI_MTU_DEFAULT);
	onboard(&c);
	printf("  %u round trips, %zu octets up, %zu down\n", c.rounds, c.octets_up, c.octets_down);
	ck_assert_uint_le(c.rounds, 18);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert(site_has_event(&site, "voucher-status", true, ""));
	ck_assert(site_has_event(&site, "enroll-status", true, "onboarded"));
	close_conversation(&c);
}
END_TEST

START_TEST(other_key_types)
{
	static const char *const types[] = {"P-384", "RSA-3072"};

	for (size_t i = 0; i < 2; i++) {
		struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};

		reopen(types[i]);
		onboard(&c);
		printf("%s: %u round trips, %zu octets up, %zu down\n", types[i], c.rounds, c.octets_up,
			c.octets_down);
		ck_assert_uint_le(c.rounds, 22);
		close_conversation(&c);
	}
}
END_TEST

START_TEST(ways_to_enroll)
{
	for (int i = 0; i < 4; i++) {
		struct conversation c = {.mtu = BRSKI_MTU_DEFAULT, .pkcs10 = i & 1, .implicit = i & 2};

		reopen("P-256");
		site.ca_implicit = true;
		onboard(&c);
		ck_assert_uint_eq(site.n_confirmed, c.implicit ? 0 : 1);
		close_conversation(&c);
	}
}
END_TEST

START_TEST(any_packet_size)
{
	static const size_t sizes[] = {BRSKI_MTU_MIN, 253, 1000, 1020, 9000, 65535};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct conversation c = {.mtu = sizes[i]};

		reopen("P-256");
		onboard(&c);
		close_conversation(&c);
	}
}
END_TEST

/* A slow MASA and a slow CA: the same session, with Waits. */
START_TEST(waits_within_a_session)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT, .waits_per_job = 3};

	onboard(&c);
	ck_assert_uint_eq(c.n_waits, 9); /* voucher, ir, certConf */
	close_conversation(&c);
}
END_TEST

/*
 * A server that is busy, or whose disk is slow, makes its peer wait before any message, the ClientHello
 * too, and before any answer of the registrar; the peer bears it, and each Wait is one round trip.
 */
START_TEST(waits_for_want_of_a_thread_or_a_disk)
{
	struct conversation plain = {.mtu = BRSKI_MTU_DEFAULT};
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT, .waits_per_work = 2, .waits_per_answer = 3};

	onboard(&plain);
	close_conversation(&plain);
	reopen("P-256");
	onboard(&c);
	ck_assert_uint_eq(plain.n_waits, 0);
	ck_assert_uint_eq(c.n_works, 4); /* ClientHello, voucher-request, ir, certConf */
	ck_assert_uint_eq(c.n_holds, 3); /* but for the ServerHello */
	ck_assert_uint_eq(c.n_works, plain.n_works);
	ck_assert_uint_eq(c.n_waits, 4 * 2 + 3 * 3);
	ck_assert_uint_eq(c.rounds, plain.rounds + c.n_waits);
	ck_assert_uint_eq(site.n_issued, 1);
	close_conversation(&c);
}
END_TEST

/* A peer that has closed its tunnel waits for EAP-Failure alone, and takes nothing else for an answer. */
START_TEST(who_leaves_is_not_made_to_wait)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT, .waits_per_work = 1, .waits_per_answer = 1};

	site.masa = MASA_DOWN; /* told to come back, it leaves */
	talk(&c);
	ck_assert(c.failure && c.peer_failure);
	ck_assert_int_gt(brski_peer_retry_after(c.peer), 0);
	ck_assert_uint_eq(c.n_works, 2);
	ck_assert_uint_eq(c.n_waits, 2 + 1);
	close_conversation(&c);
}
END_TEST

/* Back ends that are away, one after the other: the device comes back until it is onboarded. */
START_TEST(visits_until_it_works)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};
	unsigned visits = 0;

	site.masa = MASA_DOWN;
	site.audit = AUDIT_DOWN;
	site.ca = CA_DOWN;
	do {
		talk(&c);
		visits++;
		ck_assert_uint_lt(visits, 20);
		if (!c.success) {
			long retry = brski_peer_retry_after(c.peer);

			ck_assert_msg(retry > 0, "visit %u: %s", visits, brski_peer_reason(c.peer));
			ck_assert_str_ne(c.reason, "");
			site.now += retry + 1;
			site_restart(&site);
		}
		if (visits == 2)
			site.masa = MASA_RIGHT;
		else if (visits == 3)
			site.audit = AUDIT_RIGHT;
		else if (visits == 5)
			site.ca = CA_RIGHT;
		if (!c.success)
			close_conversation(&c);
	} while (!c.success);
	expect_same_keys(&c);
	close_conversation(&c);
	ck_assert_uint_eq(site.n_issued, 1);
	ck_assert_uint_eq(site.n_confirmed, 1);
	ck_assert_uint_eq(visits, 6);
}
END_TEST

/* An operator who is asked first, takes his time, and a store that is full for a while. */
START_TEST(operator_decides_later)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};

	for (int visit = 0; visit < 4; visit++) {
		site.decision = visit < 2 ? BRSKI_DEFER : BRSKI_ACCEPT;
		site.decision_why = visit < 2 ? "waits for the operator" : "accepted by the operator";
		site.put_code = visit == 2 ? BRSKI_TOO_LARGE : BRSKI_OK;
		talk(&c);
		ck_assert(c.success == (visit == 3));
		ck_assert_msg(
			visit == 3 || brski_peer_retry_after(c.peer) > 0, "%s", brski_peer_reason(c.peer));
		site.now += brski_peer_retry_after(c.peer) + 1;
		close_conversation(&c);
	}
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/*
 * Whenever the policy is asked, it may say "later": at voucher, certificate, certConf and
 * enrollstatus. Nothing is lost, nothing twice.
 */
START_TEST(deferred_at_each_decision)
{
	unsigned at, decisions = 0;

	for (at = 1; at == 1 || at <= decisions; at++) {
		struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};
		unsigned visits = 1;

		reopen("P-256");
		site.defer_at = at;
		talk(&c);
		ck_assert_msg(!c.success, "decision %u was not asked for", at);
		ck_assert_msg(brski_server_deferred(c.server), "decision %u: %s", at, c.reason);
		while (!c.success && visits++ < 4) {
			ck_assert_msg(brski_peer_retry_after(c.peer) > 0, "decision %u: %s", at,
				brski_peer_reason(c.peer));
			site.now += brski_peer_retry_after(c.peer) + 1;
			close_conversation(&c);
			talk(&c);
		}
		ck_assert_msg(c.success, "decision %u: %s", at, c.reason);
		close_conversation(&c);
		ck_assert_uint_eq(site.n_issued, 1);
		if (at == 1)
			decisions = site.n_decisions - 1;
	}
	ck_assert_uint_ge(decisions, 4);
}
END_TEST

START_TEST(pki_that_wants_to_be_polled)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};
	unsigned visits = 0;

	site.ca = CA_WAITS;
	site.ca_polls = 2;
	do {
		close_conversation(&c);
		talk(&c);
		site.now += 60;
		ck_assert_uint_lt(++visits, 10);
	} while (!c.success);
	close_conversation(&c);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

/* A PKI that works for a second does not end the conversation; nor does it hold it for long. */
START_TEST(pki_that_wants_to_be_polled_soon)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};

	site.ca = CA_WAITS;
	site.ca_polls = 3;
	site.ca_check_after = 1;
	talk(&c);
	ck_assert_msg(c.success, "%s", c.reason);
	ck_assert_uint_eq(c.n_waits, 3);
	ck_assert_uint_eq(c.delays, 3000);
	close_conversation(&c);
}
END_TEST

START_TEST(pki_that_wants_to_be_polled_for_ever)
{
	struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};

	site.ca = CA_WAITS;
	site.ca_polls = 1000;
	site.ca_check_after = 2;
	talk(&c);
	ck_assert(c.peer_failure);
	ck_assert_int_eq(brski_peer_state(c.peer), BRSKI_PLEDGE_POLL);
	ck_assert_int_gt(brski_peer_retry_after(c.peer), 0);
	ck_assert_uint_le(c.n_waits, 10);
	close_conversation(&c);
}
END_TEST

/* ---- what must fail ---- */

static void expect_failure(struct conversation *c, const char *operator_reads)
{
	talk(c);
	ck_assert(!c->success);
	ck_assert(c->failure);
	ck_assert(c->peer_failure);
	ck_assert_int_ne(brski_peer_state(c->peer), BRSKI_PLEDGE_ENROLLED);
	ck_assert_msg(strstr(c->reason, operator_reads), "\"%s\" lacks \"%s\"", c->reason, operator_reads);
	close_conversation(c);
}

START_TEST(registrar_refuses)
{
	static const struct {
		enum brski_decision decision;
		enum brski_code find;
		enum site_masa masa;
		enum site_audit audit;
		enum site_ca ca;
		const char *operator_reads;
	} cases[] = {
		{.decision = BRSKI_REFUSE, .operator_reads = "not in the inventory"},
		{.find = BRSKI_UNTRUSTED, .operator_reads = "the site says untrusted"},
		{.find = BRSKI_REVOKED, .operator_reads = "the site says revoked"},
		{.find = BRSKI_EXPIRED, .operator_reads = "the site says expired"},
		{.masa = MASA_STATUS, .operator_reads = "refused: 404 never heard of it"},
		{.masa = MASA_DOWN, .operator_reads = "connection refused"},
		{.masa = MASA_OTHER_SERIAL, .operator_reads = "SN-6666"},
		{.masa = MASA_OTHER_NONCE, .operator_reads = "nonce"},
		{.masa = MASA_OTHER_SIGNER, .operator_reads = "MASA"},
		{.masa = MASA_PINS_ANOTHER, .operator_reads = "MASA"},
		{.audit = AUDIT_FOREIGN, .operator_reads = "domain"},
		{.audit = AUDIT_DOWN, .operator_reads = "connection refused"},
		{.ca = CA_REFUSES, .operator_reads = "not this subject"},
		{.ca = CA_DOWN, .operator_reads = "connection refused"},
		{.ca = CA_UNPROTECTED_ERROR, .operator_reads = "end entity unknown"},
		{.ca = CA_OTHER_KEY, .operator_reads = "key"},
		{.ca = CA_OTHER_SUBJECT, .operator_reads = "subject"},
		{.ca = CA_BROKEN_SIGNATURE, .operator_reads = "PKI"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};

		reopen("P-256");
		site.decision = cases[i].decision;
		if (cases[i].decision == BRSKI_REFUSE)
			site.decision_why = "it is not in the inventory";
		site.find_code = cases[i].find;
		site.masa = cases[i].masa;
		site.masa_status = 404;
		site.masa_text = "never heard of it";
		site.audit = cases[i].audit;
		site.ca = cases[i].ca;
		expect_failure(&c, cases[i].operator_reads);
		ck_assert_uint_eq(site.n_confirmed, 0);
	}
}
END_TEST

/* The registrar looks away, and the pledge finds out. */
START_TEST(pledge_refuses)
{
	static const enum site_masa vouchers[] = {MASA_OTHER_SERIAL, MASA_OTHER_NONCE, MASA_NO_NONCE,
		MASA_EXPIRED, MASA_OTHER_SIGNER, MASA_PINS_ANOTHER, MASA_GARBAGE};
	static const enum site_ca answers[] = {CA_OTHER_KEY, CA_OTHER_SUBJECT, CA_BROKEN_SIGNATURE,
		CA_OTHER_SIGNER, CA_UNPROTECTED_IP, CA_UNPROTECTED_ERROR};

	for (size_t i = 0; i < sizeof(vouchers) / sizeof(vouchers[0]); i++) {
		struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};

		reopen("P-256");
		site.check_voucher = false;
		site.masa = vouchers[i];
		expect_failure(&c, "the pledge refused the voucher");
		ck_assert(site_has_event(&site, "voucher-status", false, ""));
		ck_assert_uint_eq(site.n_ca_calls, 0);
	}
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct conversation c = {.mtu = BRSKI_MTU_DEFAULT};

		reopen("P-256");
		site.config.check_answers = false;
		site_restart(&site);
		site.ca = answers[i];
		expect_failure(&c, "");
		ck_assert_uint_eq(site_count_events(&site, "enroll-status", true), 0);
	}
}
END_TEST

/* ---- a bad wire ---- */

/* The pledge, or the wire, goes away after each packet; then it comes back, and is onboarded once. */
START_TEST(vanishes_after_each_packet)
{
	unsigned last = 0;
	bool enrolled;

	for (unsigned n = 1; n < 100 && last == 0; n++) {
		struct conversation c = {.mtu = BRSKI_MTU_DEFAULT, .stop_after = n};

		reopen("P-256");
		talk(&c);
		if (c.success)
			last = n;
		/* when all that the server lacks is the last acknowledgement, it begins anew */
		enrolled = brski_peer_state(c.peer) == BRSKI_PLEDGE_ENROLLED;
		close_conversation(&c);
		site_restart(&site);
		c.stop_after = 0;
		onboard(&c);
		ck_assert_msg(site.n_issued <= (enrolled ? 2u : 1u), "after packet %u: %u certificates", n,
			site.n_issued);
		close_conversation(&c);
	}
	ck_assert_uint_gt(last, 15);
}
END_TEST

/* One octet of one packet changed: nobody is let in by it, and whoever is has the same keys. */
START_TEST(damaged_packets)
{
	uint32_t seed = (uint32_t)time(NULL);
	unsigned failed = 0, n = 0;

	printf("damaged packets: seed %u\n", seed);
	for (unsigned packet = 1; packet <= 20; packet++) {
		for (unsigned i = 0; i < 3; i++) {
			struct conversation c = {.mtu = BRSKI_MTU_DEFAULT, .flip_packet = packet};

			reopen("P-256");
			seed = seed * 1664525 + 1013904223;
			c.flip_at = i == 0 ? 0 : seed >> 12;
			c.flip_bits = (uint8_t)(1u << (seed >> 8) % 8);
			talk(&c);
			n++;
			failed += !c.success;
			if (c.success)
				expect_same_keys(&c);
			close_conversation(&c);
		}
	}
	/*
	 * every octet is under TLS or decides the framing: the last acknowledgement apart, there is
	 * no harmless one
	 */
	ck_assert_uint_ge(failed, n - 3);
}
END_TEST

START_TEST(random_packets)
{
	for (unsigned i = 0; i < 200; i++) {
		struct brski_server_config config = {.registrar = site.registrar};
		struct brski_server_context *ctx;
		struct brski_server_session *s;
		struct brski_buf reply = {0};
		enum brski_server_result result;
		struct brski_error err;
		uint8_t octets[64];

		EXPECT(BRSKI_OK, brski_server_context_new(&config, &ctx, &err));
		EXPECT(BRSKI_OK, brski_server_session_new(ctx, 0, NULL, &reply, &s, &err));
		for (unsigned j = 0; j < 5; j++) {
			EXPECT(BRSKI_OK, brski_random(NULL, octets, sizeof(octets), &err));
			if (j % 2 == 0)
				octets[0] = 1; /* a message */
			if (brski_server_process(s, brski_span(octets, octets[63] % sizeof(octets)), &reply,
				    &result, &err) != BRSKI_OK)
				break;
			if (result == BRSKI_SERVER_WORK &&
				brski_server_work(s, &reply, &result, &err) != BRSKI_OK)
				break;
			if (result != BRSKI_SERVER_SEND)
				break;
		}
		ck_assert_int_ne(result, BRSKI_SERVER_SUCCESS);
		ck_assert_ptr_null(brski_server_device(s));
		brski_buf_free(&reply);
		brski_server_session_free(s);
		brski_server_context_free(ctx);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {p256_within_18_round_trips, other_key_types, ways_to_enroll,
		any_packet_size, waits_within_a_session, waits_for_want_of_a_thread_or_a_disk,
		who_leaves_is_not_made_to_wait, visits_until_it_works, operator_decides_later,
		deferred_at_each_decision, pki_that_wants_to_be_polled, pki_that_wants_to_be_polled_soon,
		pki_that_wants_to_be_polled_for_ever, registrar_refuses, pledge_refuses,
		vanishes_after_each_packet, damaged_packets, random_packets};

	return run_tests("onboard", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
