/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/eap/peer.h"
#include "eap_brski/transport/http_binary.h"
#include "eap_brski/transport/link.h"
#include "eap_brski/transport/tunnel.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/network.h"

/*
 * The EAP peer against a server made of link, tunnel and the scripted network, which misbehaves as
 * a test wants.
 */

static struct brski_error err;
static struct network net;
static struct brski_peer_config config;
static struct brski_peer *peer;

struct server {
	struct brski_link *link;
	struct brski_tunnel_config *tunnel_config;
	struct brski_tunnel *tunnel;
	enum brski_code verdict; /* on the device's certificate */
	char alert[320];         /* what the peer's alert was, in words */
	bool closed;             /* by the peer */
	bool acknowledged;       /* the peer had nothing more to say */
	unsigned waits;          /* to be sent before each flight of responses */
	unsigned waited;
	int surplus;    /* 1: a response too many, -1: one too few, -2: half of one */
	bool early;     /* data before it was asked anything */
	bool talkative; /* close_notify goes along with the responses */
	struct brski_buf responses;
	struct brski_buf out;
};
static struct server server;

static enum brski_code verify(void *ctx, STACK_OF(X509) *certs, struct brski_error *e)
{
	const struct server *s = ctx;

	(void)certs;
	return s->verdict == BRSKI_OK ? BRSKI_OK : brski_fail(e, s->verdict, "the test says no");
}

static void server_start(const struct brski_credential *credential, size_t mtu)
{
	EXPECT(BRSKI_OK, brski_link_new(true, mtu, 0, &server.link, &err));
	EXPECT(BRSKI_OK, brski_tunnel_config_new(true, credential, &server.tunnel_config, &err));
	EXPECT(BRSKI_OK, brski_tunnel_new(server.tunnel_config, verify, &server, &server.tunnel, &err));
}

static void server_stop(void)
{
	brski_tunnel_free(server.tunnel);
	brski_tunnel_config_free(server.tunnel_config);
	brski_link_free(server.link);
	brski_buf_free(&server.responses);
	brski_buf_free(&server.out);
	server = (struct server){0};
}

static void setup(void)
{
	network_start(&net);
	config = (struct brski_peer_config){0};
	config.pledge = network_config(&net);
	server_start(&net.registrar, BRSKI_MTU_DEFAULT);
}

static void teardown(void)
{
	brski_peer_free(peer);
	peer = NULL;
	server_stop();
	network_stop(&net);
}

static void answer_requests(struct brski_span plain)
{
	struct brski_http request = {0}, response = {0};
	bool complete = true;

	while (plain.len > 0) {
		EXPECT(BRSKI_OK, brski_http_decode(&plain, BRSKI_MESSAGE_MAX, &request, &complete, &err));
		ck_assert(complete);
		network_answer(&net, &request, &response);
		if (server.surplus != -1)
			EXPECT(BRSKI_OK, brski_http_encode(&response, &server.responses, &err));
		if (server.surplus == 1)
			EXPECT(BRSKI_OK, brski_http_encode(&response, &server.responses, &err));
	}
	if (server.surplus == -2)
		server.responses.len /= 2;
	brski_http_free(&request);
	brski_http_free(&response);
}

static void send_out(void)
{
	if (server.responses.len > 0)
		EXPECT(BRSKI_OK, brski_tunnel_write(server.tunnel, brski_buf_span(&server.responses),
					 &server.out, &err));
	if (server.talkative && server.responses.len > 0)
		brski_tunnel_close(server.tunnel, &server.out);
	brski_buf_reset(&server.responses);
	EXPECT(BRSKI_OK, brski_link_queue(server.link, brski_buf_span(&server.out), &err));
	brski_buf_reset(&server.out);
}

static void server_message(void)
{
	struct brski_buf plain = {0};
	struct brski_error why = {0};

	if (brski_tunnel_feed(server.tunnel, brski_link_message(server.link), &server.out, &plain, &why))
		snprintf(server.alert, sizeof(server.alert), "%s", why.why);
	else
		answer_requests(brski_buf_span(&plain));
	if (brski_tunnel_state(server.tunnel) == BRSKI_TUNNEL_CLOSED)
		server.closed = true;
	if (server.early && brski_tunnel_state(server.tunnel) == BRSKI_TUNNEL_OPEN)
		brski_put_str(&server.responses, "early");
	brski_buf_free(&plain);
}

/* A packet of the peer in, the next one out; false if the server is content to end. */
static bool server_step(struct brski_span in, struct brski_buf *out)
{
	enum brski_link_event event;
	uint16_t wait_ms;

	EXPECT(BRSKI_OK, brski_link_receive(server.link, in, &event, &wait_ms, &err));
	if (event == BRSKI_LINK_MESSAGE)
		server_message();
	if (event == BRSKI_LINK_ACK && server.responses.len == 0) {
		server.acknowledged = true;
		return false;
	}
	if (server.closed && server.out.len == 0)
		return false;
	if (event != BRSKI_LINK_SEND && server.responses.len > 0 && server.waited < server.waits) {
		server.waited++;
		EXPECT(BRSKI_OK, brski_link_wait(server.link, 7000, out, &err));
		return true;
	}
	server.waited = 0;
	if (event != BRSKI_LINK_SEND)
		send_out();
	EXPECT(BRSKI_OK, brski_link_next(server.link, out, &err));
	return true;
}

/* A session from Start to its end; the last result, with what brski_peer_process returned in *rc. */
static enum brski_peer_result session_rc(enum brski_code *rc)
{
	enum brski_peer_result result = BRSKI_PEER_REPLY;
	struct brski_buf request = {0}, reply = {0};
	struct brski_error why = {0};
	unsigned delay_ms;

	brski_peer_free(peer);
	EXPECT(BRSKI_OK, brski_peer_new(&config, &peer, &err));
	EXPECT(BRSKI_OK, brski_link_next(server.link, &request, &err));
	do {
		*rc = brski_peer_process(peer, brski_buf_span(&request), &reply, &result, &delay_ms, &why);
		ck_assert_int_eq(delay_ms, result == BRSKI_PEER_WAIT ? 7000 : 0);
		ck_assert(*rc == BRSKI_OK ? reply.len > 0 : reply.len == 0);
		if (*rc)
			ck_assert_str_eq(brski_peer_reason(peer), why.why);
	} while (!*rc && server_step(brski_buf_span(&reply), &request) &&
		 (result == BRSKI_PEER_REPLY || result == BRSKI_PEER_WAIT));
	brski_buf_free(&request);
	brski_buf_free(&reply);
	return result;
}

static enum brski_peer_result session(void)
{
	enum brski_code rc;
	enum brski_peer_result result = session_rc(&rc);

	ck_assert_msg(rc == BRSKI_OK, "%s", brski_peer_reason(peer));
	return result;
}

static void server_again(const struct brski_credential *credential, size_t mtu)
{
	server_stop();
	server_start(credential, mtu);
}

static void expect_reason(const char *words)
{
	ck_assert_msg(strstr(brski_peer_reason(peer), words) != NULL, "\"%s\" lacks \"%s\"",
		brski_peer_reason(peer), words);
}

static void expect_failure(const char *words)
{
	uint8_t msk[64], emsk[64], id[72];

	expect_reason(words);
	ck_assert(!server.acknowledged || server.alert[0] != '\0');
	EXPECT(BRSKI_UNEXPECTED, brski_peer_keys(peer, msk, emsk, id, &err));
	for (size_t i = 0; i < sizeof(msk); i++)
		ck_assert(msk[i] == 0 && emsk[i] == 0);
}

/* ---- success ---- */

static void expect_same_keys(void)
{
	uint8_t type[8], msk[64], emsk[64], id[72], own[128], own_id[64];

	brski_expanded_type(config.vendor_id ? config.vendor_id : BRSKI_EAP_VENDOR_ID,
		config.vendor_type ? config.vendor_type : BRSKI_EAP_VENDOR_TYPE, type);
	EXPECT(BRSKI_OK, brski_peer_keys(peer, msk, emsk, id, &err));
	EXPECT(BRSKI_OK, brski_tunnel_export(server.tunnel, "EXPORTER_EAP_BRSKI_Key_Material",
				 brski_span(type, 8), own, sizeof(own), &err));
	EXPECT(BRSKI_OK, brski_tunnel_export(server.tunnel, "EXPORTER_EAP_BRSKI_Session_Id",
				 brski_span(type, 8), own_id, sizeof(own_id), &err));
	ck_assert_mem_eq(msk, own, 64);
	ck_assert_mem_eq(emsk, own + 64, 64);
	ck_assert_mem_ne(msk, emsk, 64);
	ck_assert_mem_eq(id, type, 8);
	ck_assert_mem_eq(id + 8, own_id, 64);
}

START_TEST(onboards)
{
	struct brski_peer_counts counts;

	ck_assert_int_eq(session(), BRSKI_PEER_SUCCESS);
	ck_assert(brski_peer_heard(peer));
	ck_assert_int_eq(brski_peer_state(peer), BRSKI_PLEDGE_ENROLLED);
	ck_assert(server.acknowledged);
	ck_assert_str_eq(brski_peer_reason(peer), "");
	ck_assert_uint_eq(net.flights, 0);
	ck_assert_uint_eq(net.n_requests, 5);
	expect_same_keys();
	brski_peer_counts(peer, &counts);
	printf("round trips %u, octets in %zu, out %zu\n", counts.packets, counts.octets_in,
		counts.octets_out);
	ck_assert_uint_le(counts.packets, 18);
	ck_assert_uint_gt(counts.octets_out, 4000);
	ck_assert_uint_gt(counts.octets_in, 4000);
}
END_TEST

START_TEST(onboards_with_other_settings)
{
	config.vendor_id = 0xabcdef;
	config.vendor_type = 0x12345678;
	config.mtu = 256;
	server_again(&net.registrar, 200);
	ck_assert_int_eq(session(), BRSKI_PEER_SUCCESS);
	expect_same_keys();
	config.vendor_id = 0x1000000;
	brski_peer_free(peer);
	EXPECT_WHY(BRSKI_UNSUPPORTED, "24 bits", brski_peer_new(&config, &peer, &err));
	config.vendor_id = 0;
	config.mtu = 100;
	EXPECT(BRSKI_TOO_LARGE, brski_peer_new(&config, &peer, &err));
	ck_assert_ptr_null(peer);
}
END_TEST

START_TEST(waits_as_long_as_it_is_told)
{
	server.waits = 3;
	ck_assert_int_eq(session(), BRSKI_PEER_SUCCESS);
	expect_same_keys();
}
END_TEST

START_TEST(the_server_closes_too_early)
{
	server.talkative = true;
	/* there is more to ask */
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_reason("not open");
	ck_assert_int_eq(brski_peer_state(peer), BRSKI_PLEDGE_ENROLL); /* and is, next time */
}
END_TEST

/* ---- failure ---- */

START_TEST(the_server_refuses_the_certificate)
{
	static const struct {
		enum brski_code verdict;
		const char *words;
	} cases[] = {
		{BRSKI_UNTRUSTED, "unknown CA"},
		{BRSKI_EXPIRED, "certificate expired"},
		{BRSKI_REVOKED, "certificate revoked"},
		{BRSKI_REFUSED, "bad certificate"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		server_again(&net.registrar, BRSKI_MTU_DEFAULT);
		server.verdict = cases[i].verdict;
		ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
		expect_failure("the registrar refused our certificate");
		expect_failure(cases[i].words);
		ck_assert(!brski_peer_heard(peer));
		ck_assert_uint_eq(net.n_requests, 0);
	}
}
END_TEST

static void other_serial(struct brski_voucher *v)
{
	strcpy(v->serial_number, "S-2");
}

START_TEST(a_wrong_voucher)
{
	net.voucher = other_serial;
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_failure("the voucher is refused");
	ck_assert_int_eq(brski_peer_state(peer), BRSKI_PLEDGE_FAILED);
	ck_assert_uint_eq(net.n_requests, 2); /* the registrar was told */
	ck_assert(server.closed);
	ck_assert(!server.acknowledged);
}
END_TEST

static bool come_back(struct network *n, const struct network_request *request, struct brski_http *response)
{
	(void)n;
	(void)request;
	EXPECT(BRSKI_OK, brski_http_response(response, 202, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_http_set(response, "retry-after", "40", &err));
	return true;
}

START_TEST(told_to_come_back)
{
	struct brski_peer_counts counts;
	enum brski_code rc;

	net.hook = come_back;
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_failure("come back in 40 seconds");
	ck_assert_int_ge(brski_peer_retry_after(peer), 39);
	ck_assert_int_eq(brski_peer_state(peer), BRSKI_PLEDGE_VOUCHER);
	ck_assert(server.closed);
	/* too early: no handshake is spent on it */
	server_again(&net.registrar, BRSKI_MTU_DEFAULT);
	ck_assert_int_eq(session_rc(&rc), BRSKI_PEER_FAILURE);
	ck_assert_int_eq(rc, BRSKI_UNAVAILABLE);
	expect_reason("stay away");
	brski_peer_counts(peer, &counts);
	ck_assert_uint_eq(counts.octets_out, 0);
	/* in time; the server's close_notify in the same message takes nothing away */
	net.offset += 41;
	server_again(&net.registrar, BRSKI_MTU_DEFAULT);
	server.talkative = true;
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_reason("come back in 40 seconds");
	net.offset += 41;
	net.hook = NULL;
	server_again(&net.registrar, BRSKI_MTU_DEFAULT);
	ck_assert_int_eq(session(), BRSKI_PEER_SUCCESS);
}
END_TEST

static bool vanish(struct network *n, const struct network_request *request, struct brski_http *response)
{
	(void)n;
	if (request->cmp < 0)
		return false;
	EXPECT(BRSKI_OK, brski_http_response(response, 503, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_http_set(response, "retry-after", "5", &err));
	return true;
}

START_TEST(another_domain_on_a_later_visit)
{
	net.hook = vanish;
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	ck_assert_int_eq(brski_peer_state(peer), BRSKI_PLEDGE_ENROLL);
	net.offset += 6;
	net.hook = NULL;
	net.n_requests = 0;
	server_again(&net.other_registrar, BRSKI_MTU_DEFAULT);
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_failure("not of the domain that owns the device");
	ck_assert_uint_eq(net.n_requests, 0);
	ck_assert(server.closed);
	server_again(&net.registrar, BRSKI_MTU_DEFAULT);
	ck_assert_int_eq(session(), BRSKI_PEER_SUCCESS);
}
END_TEST

START_TEST(not_as_many_responses_as_requests)
{
	server.surplus = 1;
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_failure("more than the 1 responses");
	server_again(&net.registrar, BRSKI_MTU_DEFAULT);
	server.surplus = -2;
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_failure("fewer than the 1 responses");
	server_again(&net.registrar, BRSKI_MTU_DEFAULT);
	server.early = true;
	ck_assert_int_eq(session(), BRSKI_PEER_FAILURE);
	expect_failure("");
}
END_TEST

/* A first packet that the server would not send, in place of the Start or after it. */
static enum brski_code process(
	const void *data, size_t len, struct brski_buf *reply, enum brski_peer_result *result)
{
	unsigned delay_ms;

	return brski_peer_process(peer, brski_span(data, len), reply, result, &delay_ms, &err);
}

START_TEST(packets_out_of_order)
{
	enum brski_peer_result result;
	struct brski_buf reply = {0};

	EXPECT(BRSKI_OK, brski_peer_new(&config, &peer, &err));
	EXPECT(BRSKI_UNEXPECTED, process("\x01", 1, &reply, &result));
	ck_assert_int_eq(result, BRSKI_PEER_FAILURE);
	EXPECT_WHY(BRSKI_UNEXPECTED, "session is over", process("\x21", 1, &reply, &result));
	brski_peer_free(peer);
	EXPECT(BRSKI_OK, brski_peer_new(&config, &peer, &err));
	EXPECT(BRSKI_OK, process("\x21", 1, &reply, &result));
	ck_assert_int_eq(result, BRSKI_PEER_REPLY);
	EXPECT_WHY(BRSKI_UNEXPECTED, "acknowledged", process("\x01", 1, &reply, &result));
	ck_assert_uint_eq(reply.len, 0);
	expect_reason("acknowledged");
	brski_buf_free(&reply);
}
END_TEST

START_TEST(a_server_that_speaks_no_tls)
{
	enum brski_peer_result result;
	struct brski_buf reply = {0};

	EXPECT(BRSKI_OK, brski_peer_new(&config, &peer, &err));
	EXPECT(BRSKI_OK, process("\x21", 1, &reply, &result));
	EXPECT(BRSKI_OK, process("\x01HTTP/1.1 200 OK", 16, &reply, &result));
	ck_assert_int_eq(result, BRSKI_PEER_FAILURE);
	ck_assert_uint_ge(reply.len, 1);
	expect_reason("TLS");
	brski_peer_free(peer);
	EXPECT(BRSKI_OK, brski_peer_new(&config, &peer, &err));
	EXPECT(BRSKI_OK, process("\x21", 1, &reply, &result));
	EXPECT(BRSKI_OK, process("\x01\x16\x03\x03\x00\x04\x63\x00\x00\x00", 10, &reply, &result));
	ck_assert_int_eq(result, BRSKI_PEER_FAILURE);
	ck_assert_uint_eq(reply.len, 8); /* an alert says why */
	ck_assert_uint_eq(reply.data[1], 21);
	brski_peer_free(peer);
	EXPECT(BRSKI_OK, brski_peer_new(&config, &peer, &err));
	EXPECT(BRSKI_OK, process("\x21", 1, &reply, &result));
	EXPECT(BRSKI_OK, process("\x01\x16\x03\x03", 4, &reply, &result)); /* the head of a record */
	ck_assert_int_eq(result, BRSKI_PEER_FAILURE);
	expect_reason("incomplete");
	brski_buf_free(&reply);
}
END_TEST

START_TEST(nothing_follows_the_end)
{
	enum brski_peer_result result;
	struct brski_buf reply = {0};

	ck_assert_int_eq(session(), BRSKI_PEER_SUCCESS);
	EXPECT_WHY(BRSKI_UNEXPECTED, "session is over", process("\x01", 1, &reply, &result));
	ck_assert_int_eq(result, BRSKI_PEER_FAILURE);
	brski_buf_free(&reply);
}
END_TEST

/* ---- damaged packets ---- */

/*
 * A session in which the server's packet number `packet` has one octet flipped. False if there is
 * no such octet.
 */
static bool damaged_session(unsigned packet, size_t at, bool *success)
{
	enum brski_peer_result result = BRSKI_PEER_REPLY;
	struct brski_buf request = {0}, reply = {0};
	enum brski_code rc = BRSKI_OK;
	bool found = false, more = true;
	unsigned delay_ms;

	(void)net.storage.set_aside(net.storage.ctx, &err);
	for (size_t i = 0; i < net.n_requests; i++)
		brski_buf_free(&net.requests[i].body);
	net.n_requests = 0;
	server_again(&net.registrar, BRSKI_MTU_DEFAULT);
	brski_peer_free(peer);
	EXPECT(BRSKI_OK, brski_peer_new(&config, &peer, &err));
	EXPECT(BRSKI_OK, brski_link_next(server.link, &request, &err));
	for (unsigned i = 0; !rc && more && result != BRSKI_PEER_FAILURE && result != BRSKI_PEER_SUCCESS;
		i++) {
		bool here = i == packet && at < request.len;

		if (here)
			request.data[at] ^= (uint8_t)(1 << at % 8);
		found |= here;
		rc = brski_peer_process(peer, brski_buf_span(&request), &reply, &result, &delay_ms, NULL);
		more = !rc && !(found && result == BRSKI_PEER_REPLY && reply.len <= 1) &&
		       server_step(brski_buf_span(&reply), &request);
	}
	*success = !rc && result == BRSKI_PEER_SUCCESS;
	brski_buf_free(&request);
	brski_buf_free(&reply);
	return found;
}

START_TEST(damaged_packets)
{
	bool success;

	for (unsigned packet = 0; packet < 20; packet++) {
		for (size_t at = 0; at < BRSKI_MTU_DEFAULT; at += at < 8 ? 1 : 97) {
			if (!damaged_session(packet, at, &success)) {
				ck_assert(success);
				break;
			}
			ck_assert_msg(!success, "packet %u with octet %zu flipped is taken", packet, at);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {onboards, onboards_with_other_settings, waits_as_long_as_it_is_told,
		the_server_closes_too_early, the_server_refuses_the_certificate, a_wrong_voucher,
		told_to_come_back, another_domain_on_a_later_visit, not_as_many_responses_as_requests,
		packets_out_of_order, a_server_that_speaks_no_tls, nothing_follows_the_end, damaged_packets};

	return run_tests("peer", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
