/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "eap_brski/eap/peer.h"
#include "radius_module/instance.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/memory.h"
#include "tests/unit/support/site_web.h"

/*
 * A whole registrar as a RADIUS server would hold it, from its configuration files on: store,
 * policy, worker. The device is the library's, MASA and CA are behind real HTTPS and HTTP.
 */

#define IDENTITY "brski@example.org.v.eap.arpa"
enum { REQUEST = 1, RESPONSE = 2, SUCCESS = 3, FAILURE = 4 };

static struct site site;
static struct memory memory;
static struct site_web web;
static char folder[64];
static struct brski_config settings;
static struct brski_door_config door;
static const struct brski_instance_config config = {
	.name = "brski of a test", .site = &settings, .door = &door};
static struct brski_instance *instance;
static struct brski_conversations *conversations;
static char paths[5][128];

/* ---- The world ---- */

static void write_files(void)
{
	static const char *const names[] = {"cert.pem", "key.pem", "ca.pem", "store.db"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, names[i]);
	site_write_files(&site, &site.registrar_cred, folder);
}

static void fill_store(void)
{
	struct brski_store_manufacturer m = {
		.name = "acme", .mode = BRSKI_MODE_INVENTORY, .check_voucher = true, .audit_log = true};
	struct brski_store *store;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_store_open(paths[3], true, &store, &err));
	snprintf(m.masa_url, sizeof(m.masa_url), "%s", web.masa_url);
	EXPECT(BRSKI_OK, brski_certs_to_pem(site.maker_anchors, &m.idevid_anchors, &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(site.masa_anchors, &m.voucher_anchors, &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(site.masa_anchors, &m.tls_anchors, &err));
	EXPECT(BRSKI_OK, brski_store_manufacturer_put(store, &m, &err));
	EXPECT(BRSKI_OK, brski_store_device_put(store, "acme", SITE_SERIAL, "", &err));
	brski_store_manufacturer_free(&m);
	brski_store_close(store);
}

static void set_config(void)
{
	settings = (struct brski_config){
		.certificate_file = paths[0],
		.private_key_file = paths[1],
		.ca_file = paths[2],
		.database = paths[3],
		.cmp_url = web.cmp_url,
		.cmp_nested = true,
		.check_pki_answers = true,
		.retry_after = 1,
	};
	door = (struct brski_door_config){
		.vendor_id = BRSKI_EAP_VENDOR_ID,
		.vendor_type = BRSKI_EAP_VENDOR_TYPE,
		.max_sessions = 100,
		.session_lifetime = 60,
		.session_total = 600,
		.wait_slice = 50,
		.wait_total = 20,
	};
}

static void start_instance(void)
{
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_instance_new(&config, &instance, &err));
	conversations = brski_instance_conversations(instance);
}

static void stop_instance(void)
{
	brski_instance_free(instance);
	instance = NULL;
}

static void setup(void)
{
	site_open(&site, "P-256");
	memory_open(&memory);
	site_web_start(&web, &site);
	temp_make(folder);
	write_files();
	fill_store();
	set_config();
}

static void teardown(void)
{
	stop_instance();
	site_web_stop(&web);
	temp_remove(folder);
	memory_close(&memory);
	site_close(&site);
}

/* ---- The device ---- */

struct device {
	struct brski_peer *peer;
	struct brski_buf eap; /* what it says next */
	uint8_t state[BRSKI_STATE_LEN];
	size_t state_len;
	struct brski_conversation_out out; /* the last answer */
	unsigned waits;
	unsigned rounds;
	int64_t slowest_ms;
	enum brski_peer_result result;
	bool hurry; /* acknowledges a Wait at once */
	const struct brski_conversation_judge *judge;
	struct brski_session_from from;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void put_header(struct brski_buf *out, uint8_t code, uint8_t id, size_t rest)
{
	brski_buf_reset(out);
	brski_put_u8(out, code);
	brski_put_u8(out, id);
	brski_put_u16(out, (uint16_t)(4 + rest));
}

static void say_identity(struct brski_buf *out, uint8_t id, const char *identity)
{
	put_header(out, RESPONSE, id, 1 + strlen(identity));
	brski_put_u8(out, 1);
	brski_put_str(out, identity);
}

static void device_open(struct device *d)
{
	struct brski_peer_config peer = {
		.pledge =
			{
				.idevid = &site.idevid,
				.masa_anchors = site.masa_anchors,
				.key_type = BRSKI_KEY_P256,
				.clock_is_right = true,
				.storage = &memory.storage,
			},
	};
	struct brski_error err;

	*d = (struct device){0};
	EXPECT(BRSKI_OK, brski_peer_new(&peer, &d->peer, &err));
	say_identity(&d->eap, 7, IDENTITY);
}

static void device_close(struct device *d)
{
	brski_peer_free(d->peer);
	brski_buf_free(&d->eap);
	brski_conversation_out_free(&d->out);
}

static struct brski_conversation_in packet_of(struct device *d)
{
	return (struct brski_conversation_in){.eap = brski_buf_span(&d->eap),
		.state = brski_span(d->state, d->state_len),
		.from = d->from,
		.where = "port 1",
		.judge = d->judge};
}

/* What it says goes to the server. */
static enum brski_verdict ask(struct device *d)
{
	struct brski_conversation_in in = packet_of(d);
	int64_t began = now_ms(), took;

	ck_assert(brski_conversations_claim(conversations, &in));
	brski_conversation_out_free(&d->out);
	brski_conversations_answer(conversations, &in, &d->out);
	took = now_ms() - began;
	if (took > d->slowest_ms)
		d->slowest_ms = took;
	if (d->out.verdict == BRSKI_VERDICT_CHALLENGE) {
		memcpy(d->state, d->out.state, sizeof(d->state));
		d->state_len = sizeof(d->state);
	}
	return d->out.verdict;
}

/* What it answers to a challenge. */
static void reply(struct device *d)
{
	struct brski_span in = brski_buf_span(&d->out.eap), type;
	struct brski_buf data = {0};
	struct brski_error err;
	uint8_t code, id;
	uint16_t len;
	unsigned delay;

	ck_assert(brski_read_u8(&in, &code) && brski_read_u8(&in, &id) && brski_read_u16(&in, &len));
	ck_assert_uint_eq(code, REQUEST);
	ck_assert_uint_eq(len, d->out.eap.len);
	ck_assert(brski_read_span(&in, 8, &type));
	EXPECT(BRSKI_OK, brski_peer_process(d->peer, in, &data, &d->result, &delay, &err));
	d->rounds++;
	if (d->result == BRSKI_PEER_WAIT) {
		d->waits++;
		ck_assert_uint_ge(d->out.session_timeout, delay / 1000 + 1);
		if (!d->hurry)
			usleep(delay * 1000);
	} else {
		ck_assert_uint_eq(d->out.session_timeout, 0);
	}
	put_header(&d->eap, RESPONSE, id, 8 + data.len);
	brski_put(&d->eap, type);
	brski_put(&d->eap, brski_buf_span(&data));
	brski_buf_free(&data);
}

static enum brski_verdict talk(struct device *d)
{
	while (ask(d) == BRSKI_VERDICT_CHALLENGE) {
		ck_assert_uint_lt(d->rounds, 300);
		reply(d);
	}
	return d->out.verdict;
}

static void expect_eap_end(const struct device *d, uint8_t code)
{
	ck_assert_uint_eq(d->out.eap.len, 4);
	ck_assert_uint_eq(d->out.eap.data[0], code);
	ck_assert_uint_eq(d->out.eap.data[1], d->eap.data[1]); /* RFC 3748 4.2 */
}

static void onboard(void)
{
	struct device d;

	device_open(&d);
	ck_assert_msg(talk(&d) == BRSKI_VERDICT_ACCEPT, "%s", d.out.reason);
	device_close(&d);
}

/* ---- Tests ---- */

START_TEST(a_device_is_onboarded)
{
	uint8_t msk[BRSKI_EAP_KEY_LEN], emsk[BRSKI_EAP_KEY_LEN], id[BRSKI_EAP_SESSION_ID_LEN];
	struct brski_error err;
	struct device d;

	start_instance();
	device_open(&d);
	ck_assert_msg(talk(&d) == BRSKI_VERDICT_ACCEPT, "%s", d.out.reason);
	expect_eap_end(&d, SUCCESS);
	ck_assert_int_eq(d.result, BRSKI_PEER_SUCCESS);
	EXPECT(BRSKI_OK, brski_peer_keys(d.peer, msk, emsk, id, &err));
	ck_assert_mem_eq(msk, d.out.msk, sizeof(msk));
	ck_assert_mem_eq(emsk, d.out.emsk, sizeof(emsk));
	ck_assert_mem_eq(id, d.out.session_id, sizeof(id));
	ck_assert_str_eq(d.out.result, "enrolled");
	ck_assert_str_eq(d.out.manufacturer, "acme");
	ck_assert_str_eq(d.out.serial_number, SITE_SERIAL);
	ck_assert_uint_eq(strlen(d.out.fingerprint), 64);
	ck_assert_ptr_nonnull(strstr(d.out.subject, "Gadget"));
	ck_assert_uint_eq(d.out.round_trips, d.rounds);
	ck_assert_uint_eq(site.n_issued, 1);
	device_close(&d);
}
END_TEST

static bool claims(const struct brski_buf *eap)
{
	struct brski_conversation_in in = {.eap = brski_buf_span(eap)};

	return brski_conversations_claim(conversations, &in);
}

/* pass_provisioning: others serve other provisioning */
START_TEST(only_its_own_identity_is_claimed)
{
	static const struct {
		const char *identity;
		bool ours;
	} cases[] = {
		{IDENTITY, true},
		{"brski@EXAMPLE.org.V.eap.ARPA", true},
		{"BRSKI@example.org.v.eap.arpa", false},
		{"bob@example.org.v.eap.arpa", false},
		{"@example.org.v.eap.arpa", false},
		{"brski@example.com.v.eap.arpa", false},
		{"brski@example.org.v.eap.arpa.evil.example", false},
		{"brski@example.org.v.eap.arp", false},
		{"bob@example.org", false},
		{"", false},
	};
	struct brski_buf eap = {0};

	door.pass_provisioning = true;
	start_instance();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		say_identity(&eap, 1, cases[i].identity);
		ck_assert_msg(claims(&eap) == cases[i].ours, "%s", cases[i].identity);
	}
	brski_buf_free(&eap);
}
END_TEST

/* RFC 9965: whoever asks for another provisioning gets EAP-Failure, and none. */
START_TEST(other_provisioning_is_refused)
{
	static const char *const identities[] = {"portal@tls.eap.arpa", "@noob.eap.arpa", "x@eap.arpa",
		"BRSKI@example.org.v.eap.arpa", "brski@example.com.v.EAP.arpa", "a b@c\x01.eap.arpa",
		"@@.eap.arpa"};
	static const char *const others[] = {"bob@example.org", "bob", "", "eap.arpa", "x.eap.arpa",
		"bob@eap.arpa.example", "bob@xeap.arpa", "@eap.arp"};
	struct brski_buf eap = {0};
	struct device d;

	start_instance();
	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		device_open(&d);
		say_identity(&d.eap, 9, identities[i]);
		ck_assert_msg(ask(&d) == BRSKI_VERDICT_REJECT, "%s", identities[i]);
		expect_eap_end(&d, FAILURE);
		ck_assert_ptr_nonnull(strstr(d.out.reason, "is not done here"));
		device_close(&d);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		say_identity(&eap, 9, others[i]);
		ck_assert_msg(!claims(&eap), "%s", others[i]);
	}
	ck_assert_uint_eq(brski_conversations_count(conversations), 0);
	brski_buf_free(&eap);
}
END_TEST

START_TEST(only_its_own_type_is_claimed)
{
	static const struct {
		uint8_t octets[14];
		size_t len;
		bool ours;
	} cases[] = {
		{{2, 1, 0, 13, 254, 0, 0x7e, 0xd9, 0, 0, 0, 1, 1}, 13, true},
		{{2, 1, 0, 13, 254, 0, 0x7e, 0xd9, 0, 0, 0, 2, 1}, 13, false}, /* another type */
		{{2, 1, 0, 13, 254, 0, 0x7e, 0xd8, 0, 0, 0, 1, 1}, 13, false}, /* another vendor */
		{{2, 1, 0, 13, 25, 0, 0x7e, 0xd9, 0, 0, 0, 1, 1}, 13, false},  /* PEAP */
		{{1, 1, 0, 13, 254, 0, 0x7e, 0xd9, 0, 0, 0, 1, 1}, 13, false}, /* a request */
		{{2, 1, 0, 12, 254, 0, 0x7e, 0xd9, 0, 0, 0, 1, 1}, 13, true},  /* padding */
		{{2, 1, 0, 11, 254, 0, 0x7e, 0xd9, 0, 0, 0, 1, 1}, 13, false}, /* length */
		{{2, 1, 0, 14, 254, 0, 0x7e, 0xd9, 0, 0, 0, 1, 1}, 13, false},
		{{2, 1, 0, 11, 254, 0, 0x7e, 0xd9, 0, 0, 0}, 11, false},
		{{2, 1, 0, 6, 3, 13}, 6, false}, /* a Nak in nobody's session */
		{{2, 1, 0, 4}, 4, false},
		{{2}, 1, false},
		{{0}, 0, false},
	};
	struct brski_buf eap = {0};

	start_instance();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(brski_buf_set(&eap, brski_span(cases[i].octets, cases[i].len)), BRSKI_OK);
		ck_assert_msg(claims(&eap) == cases[i].ours, "%zu", i);
	}
	brski_buf_free(&eap);
}
END_TEST

START_TEST(a_session_that_nobody_knows_fails)
{
	struct device d;

	start_instance();
	device_open(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	reply(&d);
	d.state[3] ^= 1;
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_REJECT);
	expect_eap_end(&d, FAILURE);
	ck_assert_ptr_nonnull(strstr(d.out.reason, "no such session"));
	ck_assert_str_eq(d.out.result, "deferred");
	for (int i = 0; i < 100; i++) {
		ck_assert(d.out.quiet == (i > 0)); /* anybody can send these: one line a minute */
		ck_assert_int_eq(ask(&d), BRSKI_VERDICT_REJECT);
	}
	d.state[3] ^= 1;
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_ACCEPT);
	device_close(&d);
}
END_TEST

/* The session is as it was, and its last request goes out once more: RFC 3579 2.2. */
static void expect_ignored(struct device *d, const struct brski_buf *request)
{
	ck_assert_int_eq(ask(d), BRSKI_VERDICT_CHALLENGE);
	ck_assert(d->out.ignored);
	ck_assert(!d->out.repeated);
	ck_assert_msg(d->out.reason[0], "no reason");
	ck_assert(brski_span_equal(brski_buf_span(&d->out.eap), brski_buf_span(request)));
}

/* RFC 3748 4.1: a response whose Identifier is another than the request's is dropped. */
START_TEST(identifiers_must_match)
{
	struct brski_buf request = {0};
	struct device d;

	start_instance();
	device_open(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert_uint_eq(d.out.eap.data[1], 8); /* one more than the Identity response's */
	ck_assert(!d.out.ignored);
	ck_assert_int_eq(brski_buf_set(&request, brski_buf_span(&d.out.eap)), BRSKI_OK);
	reply(&d);
	for (unsigned wrong = 1; wrong < 256; wrong += 50) {
		d.eap.data[1] = (uint8_t)(8 + wrong);
		expect_ignored(&d, &request);
	}
	d.eap.data[1] = 8;
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_ACCEPT);
	brski_buf_free(&request);
	device_close(&d);
}
END_TEST

START_TEST(a_repeated_response_gets_the_same_answer)
{
	struct brski_buf first = {0};
	struct device d;

	start_instance();
	device_open(&d);
	while (ask(&d) == BRSKI_VERDICT_CHALLENGE) {
		if (d.rounds == 0) { /* the State of the Identity response is not known yet */
			reply(&d);
			continue;
		}
		ck_assert_int_eq(brski_buf_set(&first, brski_buf_span(&d.out.eap)), BRSKI_OK);
		ck_assert(!d.out.repeated);
		ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
		ck_assert(d.out.repeated);
		ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&d.out.eap)));
		reply(&d);
	}
	ck_assert_int_eq(d.out.verdict, BRSKI_VERDICT_ACCEPT);
	ck_assert_uint_eq(d.out.round_trips, d.rounds);
	/* the last one too, with the same keys */
	ck_assert_int_eq(brski_buf_set(&first, brski_span(d.out.msk, sizeof(d.out.msk))), BRSKI_OK);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_ACCEPT);
	ck_assert(d.out.repeated);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_span(d.out.msk, sizeof(d.out.msk))));
	d.eap.data[d.eap.len - 1] ^= 1;
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_INVALID);
	ck_assert_uint_eq(site.n_issued, 1);
	brski_buf_free(&first);
	device_close(&d);
}
END_TEST

/* ---- The server's own rules ---- */

struct bench {
	struct brski_judgement give;
	unsigned asked, let_in, forgotten;
};

static void give(void *ctx, const struct brski_device *device, const struct brski_manufacturer *m,
	const char *why, struct brski_judgement *out, void **keep)
{
	struct bench *b = ctx;

	ck_assert_str_eq(device->serial_number, SITE_SERIAL);
	ck_assert_str_eq(m->name, "acme");
	ck_assert_str_eq(why, "listed in the inventory");
	b->asked++;
	*out = b->give;
	if (out->decision == BRSKI_ACCEPT)
		*keep = &b->forgotten;
}

static void note_let_in(void *ctx, const void *kept)
{
	struct bench *b = ctx;

	ck_assert_ptr_eq(kept, &b->forgotten);
	b->let_in++;
}

static void note_forgotten(void *kept)
{
	++*(unsigned *)kept;
}

START_TEST(rules_are_asked_once_and_what_they_keep_comes_back)
{
	struct bench b = {.give = {.decision = BRSKI_ACCEPT}};
	struct brski_conversation_judge judge = {
		.name = "rules", .ask = give, .let_in = note_let_in, .forget = note_forgotten, .ctx = &b};
	struct device d;

	start_instance();
	device_open(&d);
	d.judge = &judge;
	ck_assert_msg(talk(&d) == BRSKI_VERDICT_ACCEPT, "%s", d.out.reason);
	ck_assert_uint_eq(b.asked, 1);
	ck_assert_uint_eq(b.let_in, 1);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_ACCEPT);
	ck_assert(d.out.repeated);
	ck_assert_uint_eq(b.let_in, 2);
	ck_assert_uint_eq(b.forgotten, 0);
	device_close(&d);
	stop_instance();
	ck_assert_uint_eq(b.forgotten, 1);
}
END_TEST

START_TEST(rules_may_defer)
{
	struct bench b = {.give = {.decision = BRSKI_DEFER, .why = "not today", .retry_after = 3}};
	struct brski_conversation_judge judge = {
		.name = "rules", .ask = give, .let_in = note_let_in, .forget = note_forgotten, .ctx = &b};
	struct device d;

	start_instance();
	device_open(&d);
	d.judge = &judge;
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_str_eq(d.out.reason, "deferred by rules: not today");
	ck_assert_int_ge(brski_peer_retry_after(d.peer), 2);
	ck_assert_uint_eq(site.n_masa_calls, 0);
	device_close(&d);
	sleep(4);
	onboard(); /* a session without rules is not judged by those of another */
	ck_assert_uint_eq(b.asked, 1);
	ck_assert_uint_eq(b.let_in, 0);
}
END_TEST

static void expect_nak_ends(const uint8_t *octets, size_t len)
{
	struct device d;

	device_open(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	put_header(&d.eap, RESPONSE, 8, len);
	brski_put(&d.eap, brski_span(octets, len));
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_REJECT);
	expect_eap_end(&d, FAILURE);
	ck_assert_ptr_nonnull(strstr(d.out.reason, "Nak"));
	device_close(&d);
}

START_TEST(a_nak_ends_the_session)
{
	static const uint8_t legacy[] = {3, 13};
	static const uint8_t expanded[] = {254, 0, 0, 0, 0, 0, 0, 3, 254, 0, 0, 0, 0, 0, 0, 13};

	start_instance();
	expect_nak_ends(legacy, sizeof(legacy));
	expect_nak_ends(expanded, sizeof(expanded));
}
END_TEST

/* RFC 3748 2.1: one that comes after a response of the method is dropped, whoever has sent it. */
/* RFC 3579 2.2: a modest number, then the session ends. What the device says in between begins a new count. */
START_TEST(who_sends_nothing_else_is_done)
{
	struct device d;
	unsigned n = 0;

	start_instance();
	device_open(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	for (int round = 0; round < 3; round++) {
		reply(&d);
		d.eap.data[1] ^= 0x80;
		for (n = 0; n < 15; n++) {
			ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
			ck_assert(d.out.ignored);
		}
		d.eap.data[1] ^= 0x80;
		ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
		ck_assert(!d.out.ignored);
	}
	reply(&d);
	d.eap.data[1] ^= 0x80;
	for (n = 0; ask(&d) == BRSKI_VERDICT_CHALLENGE; n++)
		ck_assert_uint_lt(n, 50);
	ck_assert_uint_ge(n, 15);
	ck_assert_int_eq(d.out.verdict, BRSKI_VERDICT_REJECT);
	ck_assert_uint_eq(d.out.eap.data[0], FAILURE);
	device_close(&d);
}
END_TEST

START_TEST(a_late_nak_is_dropped)
{
	struct brski_buf request = {0}, said = {0};
	struct device d;

	start_instance();
	device_open(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	reply(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert_int_eq(brski_buf_set(&request, brski_buf_span(&d.out.eap)), BRSKI_OK);
	reply(&d);
	brski_buf_move(&said, &d.eap);
	put_header(&d.eap, RESPONSE, request.data[1], 2);
	brski_put(&d.eap, brski_span("\x03\x0d", 2));
	expect_ignored(&d, &request);
	brski_buf_move(&d.eap, &said);
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_ACCEPT);
	brski_buf_free(&request);
	device_close(&d);
}
END_TEST

START_TEST(another_type_in_a_session_is_dropped)
{
	struct brski_buf request = {0};
	struct device d;

	start_instance();
	device_open(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert_int_eq(brski_buf_set(&request, brski_buf_span(&d.out.eap)), BRSKI_OK);
	reply(&d);
	d.eap.data[4] = 13; /* EAP-TLS */
	expect_ignored(&d, &request);
	d.eap.data[4] = 254;
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_ACCEPT);
	brski_buf_free(&request);
	device_close(&d);
}
END_TEST

/* RFC 3748 4.1: what is no response, or shorter than it says, is dropped; what is behind it is padding. */
START_TEST(lengths_and_codes)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} damages[] = {{0, 1}, {0, 3}, {0, 0}, {2, 0xff}};
	struct brski_buf request = {0};
	struct device d;
	uint8_t before;

	start_instance();
	device_open(&d);
	brski_put_str(&d.eap, "padding");
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert_int_eq(brski_buf_set(&request, brski_buf_span(&d.out.eap)), BRSKI_OK);
	reply(&d);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		before = d.eap.data[damages[i].at];
		d.eap.data[damages[i].at] = damages[i].value;
		expect_ignored(&d, &request);
		d.eap.data[damages[i].at] = before;
	}
	brski_put_str(&d.eap, "padding");
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert(!d.out.ignored && !d.out.repeated);
	d.eap.len -= 3; /* the same packet, padded in another way */
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert(d.out.repeated);
	reply(&d);
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_ACCEPT);
	brski_buf_free(&request);
	device_close(&d);
}
END_TEST

START_TEST(framed_mtu_is_kept)
{
	/* RFC 3579 2.4: four octets less than Framed-MTU. hostapd says 1,400 */
	static const size_t mtus[][2] = {
		{0, 1398}, {9000, 1398}, {1402, 1398}, {1400, 1396}, {700, 696}, {20, 128}, {3, 128}};

	start_instance();
	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		size_t longest = 0;
		struct device d;
		struct brski_conversation_in in;

		device_open(&d);
		in = packet_of(&d);
		in.framed_mtu = mtus[i][0];
		brski_conversations_answer(conversations, &in, &d.out);
		memcpy(d.state, d.out.state, sizeof(d.state));
		d.state_len = sizeof(d.state);
		do {
			if (d.out.eap.len > longest)
				longest = d.out.eap.len;
			reply(&d);
		} while (d.rounds < 100 && ask(&d) == BRSKI_VERDICT_CHALLENGE);
		ck_assert_uint_le(longest, mtus[i][1]);
		ck_assert_uint_gt(longest, mtus[i][1] - 20);
		device_close(&d);
	}
}
END_TEST

/* ---- Back ends that take their time ---- */

/*
 * No thread waits longer than its slice, however long the MASA takes; what else a packet costs is a
 * signature or two.
 */
START_TEST(a_slow_back_end_costs_waits)
{
	struct device d;

	web.masa.delay_ms = web.ca.delay_ms = 700;
	start_instance();
	device_open(&d);
	ck_assert_msg(talk(&d) == BRSKI_VERDICT_ACCEPT, "%s", d.out.reason);
	ck_assert_uint_ge(d.waits, 6);
	ck_assert_uint_eq(d.out.waits, d.waits);
	ck_assert_int_lt(d.slowest_ms, 400);
	ck_assert_uint_eq(site.n_masa_calls, 1);
	device_close(&d);
}
END_TEST

struct crossing {
	struct device *device;
	pthread_t thread;
	int64_t took_ms;
};

static void *cross(void *arg)
{
	struct crossing *x = arg;
	struct brski_conversation_in in = packet_of(x->device);
	int64_t began = now_ms();

	brski_conversations_answer(conversations, &in, &x->device->out);
	x->took_ms = now_ms() - began;
	return NULL;
}

/* Goes on for so many packets, and has the next one to say. */
static void go_on_for(struct device *d, unsigned rounds)
{
	while (d->rounds < rounds) {
		ck_assert_int_eq(ask(d), BRSKI_VERDICT_CHALLENGE);
		reply(d);
	}
}

/* The other users of the server need its threads: few wait for a slow back end, and none waits twice. */
START_TEST(a_crowd_takes_few_threads)
{
	enum { CROWD = 6, SLICE = 800 };
	struct device first, d[CROWD];
	struct crossing x[CROWD];
	unsigned patient = 0;

	web.masa.delay_ms = 3000;
	door.max_busy_threads = 1; /* however many processors there are: two may wait */
	door.wait_slice = SLICE;
	start_instance();
	device_open(&first);
	while (ask(&first) == BRSKI_VERDICT_CHALLENGE && !first.waits)
		reply(&first);
	ck_assert_int_ge(first.slowest_ms, SLICE);
	first.slowest_ms = 0;
	reply(&first);
	ask(&first);
	ck_assert_int_lt(first.slowest_ms, SLICE / 2);
	for (unsigned i = 0; i < CROWD; i++) {
		device_open(&d[i]);
		go_on_for(&d[i], first.rounds - 2);
		brski_conversation_out_free(&d[i].out);
		x[i].device = &d[i];
	}
	for (unsigned i = 0; i < CROWD; i++)
		ck_assert_int_eq(pthread_create(&x[i].thread, NULL, cross, &x[i]), 0);
	for (unsigned i = 0; i < CROWD; i++) {
		pthread_join(x[i].thread, NULL);
		ck_assert_uint_eq(d[i].out.waits, 1);
		patient += x[i].took_ms >= SLICE;
		device_close(&d[i]);
	}
	ck_assert_uint_eq(patient, 2);
	device_close(&first);
}
END_TEST

/* However soon it acknowledges: before it might give up, it is told to come back. */
START_TEST(a_peer_is_not_made_to_wait_fifty_times)
{
	struct device d;

	web.masa.delay_ms = 3000;
	start_instance();
	device_open(&d);
	d.hurry = true;
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_int_gt(brski_peer_retry_after(d.peer), 0);
	ck_assert_uint_ge(d.waits, 40);
	ck_assert_uint_lt(d.waits, 50);
	device_close(&d);
}
END_TEST

START_TEST(a_very_slow_one_costs_a_second_visit)
{
	struct device d;
	int64_t began = now_ms();

	web.masa.delay_ms = 2500;
	door.wait_total = 1;
	start_instance();
	device_open(&d);
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	ck_assert_int_ge(now_ms() - began, 1000);
	ck_assert_int_lt(now_ms() - began, 2500); /* the MASA's answer is not waited for */
	ck_assert_uint_le(d.waits, 7);
	expect_eap_end(&d, FAILURE);
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_msg(d.out.reason[0], "no reason");
	ck_assert_int_gt(brski_peer_retry_after(d.peer), 0);
	device_close(&d);
	web.masa.delay_ms = 0;
	sleep(4); /* the audit log still takes its time */
	onboard();
	ck_assert_uint_eq(site.n_masa_calls, 1);
}
END_TEST

START_TEST(one_that_is_away_is_not_waited_for)
{
	struct device d;
	int64_t began = now_ms();

	site.masa = MASA_DOWN;
	start_instance();
	device_open(&d);
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_ptr_nonnull(strstr(d.out.reason, "MASA https://localhost"));
	ck_assert_int_lt(now_ms() - began, 3000);
	device_close(&d);
	site.masa = MASA_RIGHT;
	sleep(3); /* the next visit is a reason to try again at once */
	onboard();
}
END_TEST

/* The same request in two sessions, as when a device is unplugged and plugged in again, is one job. */
START_TEST(sessions_share_a_job)
{
	struct device one, two;

	web.masa.delay_ms = 600;
	start_instance();
	device_open(&one);
	while (ask(&one) == BRSKI_VERDICT_CHALLENGE && !one.waits)
		reply(&one);
	device_open(&two);
	ck_assert_msg(talk(&two) == BRSKI_VERDICT_ACCEPT, "%s", two.out.reason);
	ck_assert_uint_eq(site.n_masa_calls, 1);
	device_close(&one);
	device_close(&two);
}
END_TEST

/* A registrar that is stopped while it waits takes the request up again when it starts. */
START_TEST(a_restart_loses_nothing)
{
	struct device d;

	site.masa = MASA_DOWN;
	start_instance();
	device_open(&d);
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	device_close(&d);
	stop_instance();
	site.masa = MASA_RIGHT;
	site.n_masa_calls = 0;
	start_instance();
	for (int i = 0; i < 200 && !site.n_audit_calls; i++)
		usleep(20000);
	ck_assert_uint_eq(site.n_masa_calls, 1); /* with no device there */
	sleep(2);
	onboard();
	ck_assert_uint_eq(site.n_masa_calls, 1);
}
END_TEST

START_TEST(stopped_in_the_middle)
{
	struct device d;

	web.masa.delay_ms = 1000;
	start_instance();
	device_open(&d);
	while (ask(&d) == BRSKI_VERDICT_CHALLENGE && !d.waits)
		reply(&d);
	ck_assert_uint_eq(brski_conversations_count(conversations), 1);
	stop_instance();
	device_close(&d);
}
END_TEST

/* ---- Few threads work ---- */

/* What a station that has only its name to say can do. */
static enum brski_verdict say_who(const char *nas, const char *station)
{
	struct device d;
	enum brski_verdict verdict;

	device_open(&d);
	d.from = (struct brski_session_from){.nas = brski_span_str(nas), .station = brski_span_str(station)};
	verdict = ask(&d);
	device_close(&d);
	return verdict;
}

/*
 * Rules that take their time: the thread that asks them has a place at the gate until they are let go.
 */
struct slow_rules {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool asked, let_go;
};

static void be_slow(void *ctx, const struct brski_device *device, const struct brski_manufacturer *m,
	const char *why, struct brski_judgement *out, void **keep)
{
	struct slow_rules *r = ctx;

	(void)device;
	(void)m;
	(void)why;
	(void)keep;
	pthread_mutex_lock(&r->lock);
	r->asked = true;
	pthread_cond_broadcast(&r->changed);
	while (!r->let_go)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	out->decision = BRSKI_ACCEPT;
}

static struct slow_rules rules;
static struct brski_conversation_judge slow_judge = {.name = "rules", .ask = be_slow, .ctx = &rules};
static struct device inside;
static pthread_t inside_thread;

static void *go_inside(void *arg)
{
	struct device *d = arg;

	while (ask(d) == BRSKI_VERDICT_CHALLENGE && !rules.asked)
		reply(d);
	return NULL;
}

/* One thread may work, and `inside` has it: its request is at the rules. */
static void fill_gate_again(void)
{
	rules = (struct slow_rules){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	device_open(&inside);
	inside.judge = &slow_judge;
	ck_assert_int_eq(pthread_create(&inside_thread, NULL, go_inside, &inside), 0);
	pthread_mutex_lock(&rules.lock);
	while (!rules.asked)
		pthread_cond_wait(&rules.changed, &rules.lock);
	pthread_mutex_unlock(&rules.lock);
}

static void fill_gate(void)
{
	door.max_busy_threads = 1;
	start_instance();
	fill_gate_again();
}

/* Its thread is done with the request, and the device is switched off. */
static void empty_gate(void)
{
	pthread_mutex_lock(&rules.lock);
	rules.let_go = true;
	pthread_cond_broadcast(&rules.changed);
	pthread_mutex_unlock(&rules.lock);
	pthread_join(inside_thread, NULL);
	ck_assert_int_eq(inside.out.verdict, BRSKI_VERDICT_CHALLENGE);
	device_close(&inside);
}

/* A device whose ClientHello finds no thread: it has been told to wait. */
static void open_parked(struct device *d, const char *nas, const char *station)
{
	device_open(d);
	d->from = (struct brski_session_from){.nas = brski_span_str(nas), .station = brski_span_str(station)};
	ck_assert_int_eq(ask(d), BRSKI_VERDICT_CHALLENGE);
	reply(d);
	ck_assert_int_eq(ask(d), BRSKI_VERDICT_CHALLENGE);
	ck_assert_uint_eq(d->out.waits, 1);
	ck_assert_uint_gt(d->out.session_timeout, 0);
}

START_TEST(who_finds_no_thread_waits_and_goes_on)
{
	struct brski_buf first = {0};
	struct device d;

	fill_gate();
	open_parked(&d, "", "");
	ck_assert_str_eq(d.out.serial_number, "");
	/* what comes twice gets the same Wait, and is not looked at */
	ck_assert_int_eq(brski_buf_set(&first, brski_buf_span(&d.out.eap)), BRSKI_OK);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert(d.out.repeated);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&d.out.eap)));
	ck_assert_uint_gt(d.out.session_timeout, 0);
	reply(&d);
	ck_assert_uint_eq(d.waits, 1);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert_uint_eq(d.out.waits, 2);
	empty_gate();
	reply(&d);
	ck_assert_msg(talk(&d) == BRSKI_VERDICT_ACCEPT, "%s", d.out.reason);
	ck_assert_uint_eq(d.out.round_trips, d.rounds);
	brski_buf_free(&first);
	device_close(&d);
}
END_TEST

/* Only what completes a message is work: pieces of it, and acknowledgements, are none. */
START_TEST(fragments_need_no_thread)
{
	unsigned before;
	struct device d;

	door.fragment_size = 400;
	fill_gate();
	device_open(&d);
	d.from.station = brski_span_str("2");
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	reply(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	ck_assert_uint_eq(d.out.waits, 1);
	empty_gate();
	reply(&d);
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE); /* the first piece of the ServerHello */
	ck_assert_uint_eq(d.out.waits, 1);
	fill_gate_again();
	before = d.rounds;
	do {
		reply(&d);
		ck_assert_int_eq(ask(&d), BRSKI_VERDICT_CHALLENGE);
	} while (d.out.waits == 1);
	ck_assert_uint_ge(d.rounds, before + 3);
	ck_assert_str_eq(d.out.serial_number, "");
	empty_gate();
	device_close(&d);
}
END_TEST

/* Who acknowledges at once has not waited: it goes before nobody, and does so for a while only. */
START_TEST(who_does_not_wait_is_put_off)
{
	struct device d;

	fill_gate();
	open_parked(&d, "", "2");
	d.hurry = true;
	while (d.out.verdict == BRSKI_VERDICT_CHALLENGE) {
		ck_assert_uint_lt(d.rounds, 60);
		reply(&d);
		ask(&d);
	}
	expect_eap_end(&d, FAILURE);
	ck_assert_uint_ge(d.out.waits, 40);
	ck_assert_uint_lt(d.out.waits, 50); /* where wpa_supplicant gives up */
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_int_eq(d.out.busy, BRSKI_BUSY_CROWD);
	device_close(&d);
	empty_gate();
}
END_TEST

START_TEST(who_has_waited_for_long_is_put_off)
{
	struct device d;

	door.wait_total = 1;
	fill_gate();
	open_parked(&d, "", "2");
	reply(&d);
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	expect_eap_end(&d, FAILURE);
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_ptr_nonnull(strstr(d.out.reason, "busy"));
	ck_assert_int_eq(d.out.busy, BRSKI_BUSY_CROWD);
	ck_assert_uint_le(d.waits, 15);
	device_close(&d);
	empty_gate();
}
END_TEST

/* What else can come from a peer that was told to wait: another message is not what it was asked for. */
START_TEST(a_message_in_place_of_patience_ends_the_session)
{
	struct device d;

	fill_gate();
	open_parked(&d, "", "2");
	reply(&d);
	brski_put_str(&d.eap, "and one thing more");
	d.eap.data[3] = (uint8_t)d.eap.len;
	ck_assert_int_eq(ask(&d), BRSKI_VERDICT_REJECT);
	ck_assert_str_eq(d.out.result, "failed");
	device_close(&d);
	empty_gate();
}
END_TEST

/* Whoever leaves while it is parked leaves nothing behind (AddressSanitizer looks). */
START_TEST(parked_and_gone)
{
	struct device d[2];

	fill_gate();
	open_parked(&d[0], "a", "1");
	open_parked(&d[1], "a", "1"); /* the same station: takes the first one's place */
	ck_assert_uint_eq(brski_conversations_count(conversations), 2);
	reply(&d[0]);
	ck_assert_int_eq(ask(&d[0]), BRSKI_VERDICT_REJECT);
	device_close(&d[0]);
	device_close(&d[1]);
	empty_gate();
}
END_TEST

/*
 * Before the last of those who wait would wait for too long, those who have not begun are put off; and
 * one NAS does not use up all of it.
 */
START_TEST(a_crowd_is_put_off_at_once)
{
	enum { MANY = 100 };
	struct device d[MANY], other;
	char station[16];
	unsigned n;

	door.wait_slice = 0;
	door.wait_total = 2;
	fill_gate();
	for (n = 0; n < MANY && say_who("a", "the next") == BRSKI_VERDICT_CHALLENGE; n++) {
		snprintf(station, sizeof(station), "%u", n);
		open_parked(&d[n], "a", station);
	}
	ck_assert_uint_ge(n, 8);
	ck_assert_uint_lt(n, 40); /* half of a second's work */
	device_open(&other);
	other.from.nas = brski_span_str("a");
	ck_assert_int_eq(ask(&other), BRSKI_VERDICT_REJECT);
	expect_eap_end(&other, FAILURE);
	ck_assert_str_eq(other.out.result, "deferred");
	ck_assert_ptr_nonnull(strstr(other.out.reason, "busy"));
	ck_assert_int_eq(other.out.busy, BRSKI_BUSY_CROWD);
	ck_assert(other.out.quiet); /* there was a line for the one before */
	device_close(&other);
	open_parked(&other, "b", "1");
	device_close(&other);
	for (unsigned i = 0; i < n; i++) {
		d[i].hurry = true;
		while (d[i].out.verdict == BRSKI_VERDICT_CHALLENGE) {
			reply(&d[i]);
			ask(&d[i]);
		}
		device_close(&d[i]);
	}
	/* those that were put off wait no more */
	ck_assert_int_eq(say_who("a", "the next"), BRSKI_VERDICT_CHALLENGE);
	empty_gate();
}
END_TEST

/* The smallest crowd: two at one moment, and one thread. One waits for the other's thread, no peer waits. */
START_TEST(two_at_one_moment_cost_no_round_trip)
{
	struct device d[2];
	struct crossing x[2];

	door.max_busy_threads = 1;
	door.wait_slice = 1000;
	start_instance();
	for (int i = 0; i < 2; i++) {
		device_open(&d[i]);
		ck_assert_int_eq(ask(&d[i]), BRSKI_VERDICT_CHALLENGE);
		reply(&d[i]);
		brski_conversation_out_free(&d[i].out);
		x[i].device = &d[i];
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&x[i].thread, NULL, cross, &x[i]), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(x[i].thread, NULL);
		ck_assert_int_eq(d[i].out.verdict, BRSKI_VERDICT_CHALLENGE);
		ck_assert_uint_eq(d[i].out.waits, 0);
	}
	for (int i = 0; i < 2; i++)
		device_close(&d[i]);
}
END_TEST

/* ---- The disk ---- */

static atomic_bool disk_is_stuck, disk_fails;

/* SQLite's, in this program. */
int fdatasync(int fd)
{
	while (disk_is_stuck)
		usleep(1000);
	if (disk_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* A device whose MASA is about to answer; what is stored from now on stays in memory. */
static void open_with_stuck_disk(struct device *d)
{
	web.masa.delay_ms = 500;
	start_instance();
	device_open(d);
	while (site.n_audit_calls == 0) {
		ck_assert_int_eq(ask(d), BRSKI_VERDICT_CHALLENGE);
		reply(d);
	}
	disk_is_stuck = true;
}

/* It is told nothing but to wait, as often as it likes. */
static void expect_waits(struct device *d, unsigned n)
{
	while (n-- > 0) {
		ck_assert_int_eq(ask(d), BRSKI_VERDICT_CHALLENGE);
		ck_assert_uint_gt(d->out.session_timeout, 0);
		ck_assert_int_lt(d->slowest_ms, 1000);
		reply(d);
		ck_assert_int_eq(d->result, BRSKI_PEER_WAIT);
		ck_assert_int_eq(brski_peer_state(d->peer), BRSKI_PLEDGE_VOUCHER);
	}
}

/* The answer is there, and stored; but a power failure could still take it. */
START_TEST(nobody_is_told_what_is_not_kept)
{
	struct device d;

	open_with_stuck_disk(&d);
	expect_waits(&d, 7);
	disk_is_stuck = false;
	ck_assert_msg(talk(&d) == BRSKI_VERDICT_ACCEPT, "%s", d.out.reason);
	ck_assert_uint_eq(site.n_masa_calls, 1);
	ck_assert_uint_eq(site.n_issued, 1);
	device_close(&d);
}
END_TEST

/* What is lost was never said: the device repeats its request, and goes on. */
START_TEST(a_disk_that_fails_ends_the_session)
{
	struct device d;

	open_with_stuck_disk(&d);
	expect_waits(&d, 5);
	disk_fails = true;
	disk_is_stuck = false;
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	expect_eap_end(&d, FAILURE);
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_ptr_nonnull(strstr(d.out.reason, "disk"));
	ck_assert_int_eq(d.out.busy, BRSKI_BUSY_DISK);
	ck_assert_int_eq(brski_peer_state(d.peer), BRSKI_PLEDGE_VOUCHER);
	device_close(&d);
	disk_fails = false;
	sleep(3); /* the disk is tried each second */
	onboard();
	ck_assert_uint_eq(site.n_masa_calls, 1);
	ck_assert_uint_eq(site.n_issued, 1);
}
END_TEST

START_TEST(a_disk_that_is_stuck_puts_the_device_off)
{
	struct device d;

	door.wait_total = 3;
	open_with_stuck_disk(&d);
	ck_assert_int_eq(talk(&d), BRSKI_VERDICT_REJECT);
	ck_assert_str_eq(d.out.result, "deferred");
	ck_assert_ptr_nonnull(strstr(d.out.reason, "disk"));
	ck_assert_int_eq(d.out.busy, BRSKI_BUSY_DISK);
	device_close(&d);
	disk_is_stuck = false;
	onboard();
}
END_TEST

/* ---- Limits ---- */

/* Identities alone keep nobody out, nor does a session that has shown its certificate give way to them. */
START_TEST(identities_alone_fill_nothing)
{
	struct device known, other;
	char station[32];

	door.max_sessions = 8;
	start_instance();
	device_open(&known);
	known.from.nas = brski_span_str("192.0.2.1");
	while (ask(&known) == BRSKI_VERDICT_CHALLENGE && !known.out.serial_number[0])
		reply(&known);
	ck_assert_str_eq(known.out.serial_number, SITE_SERIAL);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(station, sizeof(station), "02-00-%u", i);
		ck_assert_int_eq(say_who("192.0.2.1", station), BRSKI_VERDICT_CHALLENGE);
		ck_assert_int_eq(say_who("192.0.2.3", "02-01"), BRSKI_VERDICT_CHALLENGE);
	}
	ck_assert_uint_eq(brski_conversations_count(conversations), 5); /* half, and one station */
	device_open(&other);
	other.from.nas = brski_span_str("192.0.2.2");
	ck_assert_msg(talk(&other) == BRSKI_VERDICT_ACCEPT, "%s", other.out.reason);
	reply(&known);
	ck_assert_msg(talk(&known) != BRSKI_VERDICT_INVALID && !strstr(known.out.reason, "no such session"),
		"%s", known.out.reason);
	device_close(&known);
	device_close(&other);
}
END_TEST

START_TEST(sessions_are_bounded)
{
	struct device d[3];

	door.max_sessions = 2;
	door.max_sessions_per_nas = 2;
	start_instance();
	for (int i = 0; i < 2; i++) {
		device_open(&d[i]);
		while (ask(&d[i]) == BRSKI_VERDICT_CHALLENGE && !d[i].out.serial_number[0])
			reply(&d[i]);
	}
	device_open(&d[2]);
	ck_assert_int_eq(ask(&d[2]), BRSKI_VERDICT_REJECT);
	ck_assert_ptr_nonnull(strstr(d[2].out.reason, "max_sessions"));
	ck_assert_str_eq(d[2].out.result, "deferred");
	ck_assert_int_eq(d[2].out.busy, BRSKI_BUSY_SESSIONS);
	ck_assert(!d[2].out.quiet); /* the operator reads of the first, and once a minute of the others */
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(ask(&d[2]), BRSKI_VERDICT_REJECT);
		ck_assert(d[2].out.quiet);
	}
	reply(&d[0]);
	ck_assert_int_eq(talk(&d[0]), BRSKI_VERDICT_ACCEPT);
	for (int i = 0; i < 3; i++)
		device_close(&d[i]);
}
END_TEST

START_TEST(configuration_is_checked)
{
	struct brski_error err;

	settings.cmp_url = "ftp://127.0.0.1/";
	EXPECT_WHY(BRSKI_UNSUPPORTED, "cmp_url", brski_instance_new(&config, &instance, &err));
	set_config();
	door.identity_domain = "not a name";
	EXPECT_WHY(BRSKI_UNSUPPORTED, "identity_domain", brski_instance_new(&config, &instance, &err));
	set_config();
	settings.ca_file = paths[0];
	file_write_certs(paths[2], site.maker_anchors);
	settings.ca_file = paths[2];
	EXPECT_WHY(BRSKI_UNTRUSTED, "ca_file", brski_instance_new(&config, &instance, &err));
	ck_assert_ptr_null(instance);
}
END_TEST

static void expect_rules(const char *want)
{
	struct brski_store_place place = {0};
	struct brski_store_rules rows[2];
	struct brski_store *store;
	struct brski_error err;
	unsigned n;

	EXPECT(BRSKI_OK, brski_store_open(paths[3], true, &store, &err));
	EXPECT(BRSKI_OK, brski_store_rules_page(store, &place, rows, 2, &n, &err));
	brski_store_close(store);
	ck_assert_uint_eq(n, want ? 1 : 0);
	if (!want)
		return;
	ck_assert_str_eq(rows[0].door, config.name);
	ck_assert_str_eq(rows[0].rules, want);
}

/* Other doors of the store must not go around them. */
START_TEST(the_store_knows_whether_this_door_has_rules)
{
	char *const answers[] = {"brski-policy", "others", NULL};
	char named[64];

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		door.virtual_server = answers[i];
		start_instance();
		stop_instance();
		snprintf(named, sizeof(named), "virtual server %s", answers[i] ? answers[i] : "");
		expect_rules(answers[i] ? named : NULL);
	}
}
END_TEST

START_TEST(a_look_at_the_configuration_tells_the_store_nothing)
{
	struct brski_instance_config look = config;
	struct brski_error err;

	look.check_only = true;
	door.virtual_server = "brski-policy";
	EXPECT(BRSKI_OK, brski_instance_new(&look, &instance, &err));
	stop_instance();
	expect_rules(NULL);
}
END_TEST

START_TEST(a_registrar_needs_cmc_ra)
{
	struct brski_credential plain =
		pki_make(&(struct pki_spec){.subject = "CN=Plain", .eku = "serverAuth"}, &site.domain_ca);
	struct brski_error err;

	site_write_files(&site, &plain, folder);
	EXPECT_WHY(BRSKI_UNTRUSTED, "cmcRA", brski_instance_new(&config, &instance, &err));
	pki_free(&plain);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_device_is_onboarded,
		only_its_own_identity_is_claimed,
		other_provisioning_is_refused,
		only_its_own_type_is_claimed,
		a_session_that_nobody_knows_fails,
		identifiers_must_match,
		a_repeated_response_gets_the_same_answer,
		rules_are_asked_once_and_what_they_keep_comes_back,
		rules_may_defer,
		a_nak_ends_the_session,
		who_sends_nothing_else_is_done,
		a_late_nak_is_dropped,
		another_type_in_a_session_is_dropped,
		lengths_and_codes,
		framed_mtu_is_kept,
		a_slow_back_end_costs_waits,
		a_crowd_takes_few_threads,
		a_peer_is_not_made_to_wait_fifty_times,
		a_very_slow_one_costs_a_second_visit,
		one_that_is_away_is_not_waited_for,
		sessions_share_a_job,
		a_restart_loses_nothing,
		stopped_in_the_middle,
		who_finds_no_thread_waits_and_goes_on,
		fragments_need_no_thread,
		who_does_not_wait_is_put_off,
		who_has_waited_for_long_is_put_off,
		a_message_in_place_of_patience_ends_the_session,
		parked_and_gone,
		a_crowd_is_put_off_at_once,
		two_at_one_moment_cost_no_round_trip,
		nobody_is_told_what_is_not_kept,
		a_disk_that_fails_ends_the_session,
		a_disk_that_is_stuck_puts_the_device_off,
		identities_alone_fill_nothing,
		sessions_are_bounded,
		configuration_is_checked,
		the_store_knows_whether_this_door_has_rules,
		a_look_at_the_configuration_tells_the_store_nothing,
		a_registrar_needs_cmc_ra,
	};

	return run_tests("conversation", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
