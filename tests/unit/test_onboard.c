/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

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
	struct brski_eap_context *ctx;
	struct brski_eap_session *server;
	struct brski_peer *peer;
	size_t mtu;
	bool pkcs10, implicit, mandatory_wait;
	unsigned n_waits;
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
	struct brski_eap_config config = {.registrar = site.registrar};
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
	EXPECT(BRSKI_OK, brski_eap_context_new(&config, &c->ctx, &err));
	EXPECT(BRSKI_OK, brski_eap_session_new(c->ctx, c->mtu, "port 1", packet, &c->server, &err));
	EXPECT(BRSKI_OK, brski_peer_new(&peer, &c->peer, &err));
}

static void close_conversation(struct conversation *c)
{
	brski_peer_free(c->peer);
	brski_eap_session_free(c->server);
	brski_eap_context_free(c->ctx);
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
static enum brski_code do_job(struct conversation *c, struct brski_buf *packet, enum brski_eap_result *result,
	struct brski_error *err)
{
	struct brski_job *job = brski_eap_take_job(c->server);
	enum brski_code code;

	site_drive(&site, job);
	if (brski_job_state(job) == BRSKI_JOB_WAITING)
		code = brski_eap_defer(c->server, job, packet, result, err);
	else
		code = brski_eap_resume(c->server, job, packet, result, err);
	brski_job_free(job);
	return code;
}

static void server_turn(struct conversation *c, struct brski_buf *packet)
{
	struct brski_error err = {0};
	enum brski_eap_result result;
	struct brski_buf out = {0};
	enum brski_code code;

	code = brski_eap_process(c->server, brski_buf_span(packet), &out, &result, &err);
	while (code == BRSKI_OK && result == BRSKI_EAP_JOB)
		code = do_job(c, &out, &result, &err);
	c->success = code == BRSKI_OK && result == BRSKI_EAP_SUCCESS;
	c->failure = code != BRSKI_OK || result == BRSKI_EAP_FAILURE;
	if (c->success || c->failure)
		snprintf(c->reason, sizeof(c->reason), "%s", brski_eap_reason(c->server));
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

	EXPECT(BRSKI_OK, brski_eap_keys(c->server, server[0], server[1], server[2], &err));
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

	printf("P-256, chains of two, telemetry, certConf, %d octets:\n", BRSKI_MTU_DEFAULT);
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
		close_conversation(&c);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {p256_within_18_round_trips, other_key_types};

	return run_tests("onboard", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
