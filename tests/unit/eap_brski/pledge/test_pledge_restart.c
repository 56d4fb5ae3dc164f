/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "eap_brski/ground/json.h"
#include "eap_brski/pledge/pledge_internal.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/network.h"

/* What a pledge makes of its storage: after a reboot at any point, a failed write, or damage. */

static struct brski_error err;
static struct network net;
static struct brski_pledge_config config;

static void setup(void)
{
	network_start(&net);
	config = network_config(&net);
}

static void teardown(void)
{
	network_stop(&net);
}

static void forget(void)
{
	(void)net.storage.set_aside(net.storage.ctx, &err);
	net.set_aside = 0;
	net.writes = 0;
	net.fail_at = 0;
	net.issued = 0;
	net.flights = 0;
	for (size_t i = 0; i < net.n_requests; i++)
		brski_buf_free(&net.requests[i].body);
	net.n_requests = 0;
	net.events[0] = '\0';
}

/* ---- power cuts ---- */

/* One flight; cut 1: it never leaves, 2: its answer never comes, 0: all is well. False at the end. */
static bool fly(struct brski_pledge *p, int cut)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0};
	struct brski_http responses[BRSKI_FLIGHT_MAX] = {0};
	size_t n;

	EXPECT(BRSKI_OK, brski_pledge_next(p, requests, &n, &err));
	for (size_t i = 0; i < n && cut != 1; i++)
		network_answer(&net, &requests[i], &responses[i]);
	if (n > 0 && cut == 0)
		EXPECT(BRSKI_OK, brski_pledge_answer(p, responses, n, &err));
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++) {
		brski_http_free(&requests[i]);
		brski_http_free(&responses[i]);
	}
	return n > 0;
}

/* A visit that ends by a power cut in its flight number `flights`, counted from 0. */
static void cut_in_flight(unsigned flights, int cut)
{
	struct brski_pledge *p;

	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	EXPECT(BRSKI_OK, brski_pledge_connected(p, net.chain, &err));
	for (unsigned i = 0; i < flights; i++)
		ck_assert(fly(p, 0));
	(void)fly(p, cut);
	brski_pledge_free(p);
}

static const struct network_request *nth(const char *path, int cmp, unsigned n)
{
	for (size_t i = 0; i < net.n_requests; i++) {
		const struct network_request *r = &net.requests[i];

		if (strcmp(r->path, path) == 0 && (cmp < 0 || r->cmp == cmp) && n-- == 0)
			return r;
	}
	return NULL;
}

/* Whatever is asked twice is asked in the same octets. */
static void expect_repeats(const char *path, int cmp)
{
	const struct network_request *first = nth(path, cmp, 0);

	for (unsigned i = 1; nth(path, cmp, i); i++)
		ck_assert_msg(brski_span_equal(
				      brski_buf_span(&first->body), brski_buf_span(&nth(path, cmp, i)->body)),
			"%s differs", path);
}

START_TEST(power_cut_in_every_flight)
{
	for (int pkcs10 = 0; pkcs10 <= 1; pkcs10++) {
		const char *path = pkcs10 ? "pkcs10" : "initialization";
		int type = pkcs10 ? BRSKI_CMP_P10CR : BRSKI_CMP_IR;

		config.pkcs10 = pkcs10;
		for (unsigned flight = 0; flight < 3; flight++) {
			for (int cut = 1; cut <= 2; cut++) {
				forget();
				cut_in_flight(flight, cut);
				cut_in_flight(0, cut);   /* and again at the same place */
				config.pkcs10 = !pkcs10; /* the open transaction stays what it is */
				ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
				config.pkcs10 = pkcs10;
				expect_repeats("requestvoucher", -1);
				if (flight > 0) {
					ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 1);
					expect_repeats(path, type);
				}
				if (flight > 1)
					ck_assert_uint_eq(network_asked(&net, path, type), 1);
				expect_repeats(path, BRSKI_CMP_CERTCONF);
			}
		}
	}
}
END_TEST

/* Every value of the storage as it is after each write: the pledge goes on from any of them. */
START_TEST(power_cut_after_every_write)
{
	unsigned writes;

	ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
	writes = net.writes;
	ck_assert_uint_ge(writes, 8);
	for (unsigned at = 1; at <= writes; at++) {
		for (int late = 0; late <= 1; late++) {
			struct brski_pledge_credential found;
			struct brski_pledge *p;

			forget();
			net.fail_at = at;
			net.fail_late = late;
			EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
			EXPECT_WHY(BRSKI_INTERNAL, "cannot be stored", network_visit(&net, p, NULL, &err));
			ck_assert_int_ne(brski_pledge_state(p), BRSKI_PLEDGE_ENROLLED);
			EXPECT(BRSKI_UNEXPECTED, brski_pledge_connected(p, net.chain, &err));
			brski_pledge_free(p);
			if (at < writes || !late)
				ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
			net.fail_at = 0;
			if (at == writes && late) { /* it had been done: the credential is there */
				ck_assert(brski_pledge_credential(&net.storage, &found, &err));
				continue;
			}
			ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
			ck_assert(brski_pledge_credential(&net.storage, &found, &err));
			ck_assert_uint_eq(net.set_aside, 0);
			expect_repeats("initialization", BRSKI_CMP_CERTCONF);
		}
	}
}
END_TEST

/* While an old credential is there, no write that fails may cost it. */
START_TEST(no_failure_costs_the_old_credential)
{
	unsigned writes;

	ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
	net.writes = 0;
	ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
	writes = net.writes;
	for (unsigned at = 1; at <= writes; at++) {
		struct brski_pledge_credential found;
		struct brski_pledge *p = NULL;

		forget();
		ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
		net.writes = 0;
		net.fail_at = at;
		net.fail_late = false;
		if (brski_pledge_new(&config, &p, &err) == BRSKI_OK)
			ck_assert_int_eq(network_visit(&net, p, NULL, &err), BRSKI_INTERNAL);
		brski_pledge_free(p);
		ck_assert(brski_pledge_credential(&net.storage, &found, &err));
		ck_assert_str_eq(found.key, "ldevid-1.key");
		ck_assert_ptr_nonnull(network_value(&net, found.key));
	}
}
END_TEST

/* A failure that cannot be stored is not told to the registrar either. */
START_TEST(a_failure_is_stored_before_it_is_told)
{
	struct brski_pledge *p;

	net.voucher_signer = &net.registrar;
	net.fail_at = 2;
	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	EXPECT_WHY(BRSKI_INTERNAL, "cannot be stored", network_visit(&net, p, NULL, &err));
	ck_assert_uint_eq(network_asked(&net, "voucher_status", -1), 0);
	brski_pledge_free(p);
}
END_TEST

/* Every state that survives, each with a new pledge from the storage. */
START_TEST(states_are_where_they_were_left)
{
	static const struct {
		unsigned flights;
		int cut;
		enum brski_pledge_state state;
	} cases[] = {
		{0, 1, BRSKI_PLEDGE_VOUCHER}, {0, 2, BRSKI_PLEDGE_VOUCHER}, {1, 1, BRSKI_PLEDGE_ENROLL},
		{1, 2, BRSKI_PLEDGE_ENROLL}, {2, 1, BRSKI_PLEDGE_CONFIRM}, {2, 2, BRSKI_PLEDGE_CONFIRM},
		{2, 0, BRSKI_PLEDGE_START}, /* enrolled: a new pledge is a new onboarding */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct brski_pledge *p;

		forget();
		cut_in_flight(cases[i].flights, cases[i].cut);
		EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
		ck_assert_int_eq(brski_pledge_state(p), cases[i].state);
		brski_pledge_free(p);
	}
}
END_TEST

START_TEST(imprinted_and_not_yet_enrolling)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0}, response = {0};
	struct brski_pledge *p;
	size_t n;

	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	EXPECT(BRSKI_OK, brski_pledge_connected(p, net.chain, &err));
	EXPECT(BRSKI_OK, brski_pledge_next(p, requests, &n, &err));
	network_answer(&net, &requests[0], &response);
	EXPECT(BRSKI_OK, brski_pledge_answer(p, &response, 1, &err));
	brski_http_free(&requests[0]);
	brski_http_free(&response);
	brski_pledge_free(p);
	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	ck_assert_int_eq(brski_pledge_state(p), BRSKI_PLEDGE_IMPRINTED);
	brski_pledge_free(p);
	ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 1);
	ck_assert_uint_eq(network_asked(&net, "voucher_status", -1), 1);
}
END_TEST

/* ---- damage ---- */

static void expect_set_aside(void)
{
	struct brski_pledge *p;

	net.set_aside = 0;
	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	ck_assert_uint_eq(net.set_aside, 1);
	ck_assert_int_eq(brski_pledge_state(p), BRSKI_PLEDGE_START);
	ck_assert_ptr_null(network_value(&net, "state"));
	brski_pledge_free(p);
}

static void put_state(struct brski_span text)
{
	EXPECT(BRSKI_OK, net.storage.write(net.storage.ctx, "state", text, false, &err));
}

static struct brski_buf get_state(void)
{
	struct brski_buf copy = {0};

	EXPECT(BRSKI_OK, brski_buf_set(&copy, brski_buf_span(&network_value(&net, "state")->data)));
	return copy;
}

static bool same_json(struct brski_span a, struct brski_span b)
{
	json_t *x = NULL, *y = NULL;
	bool same = brski_json_parse(a, &x, &err) == BRSKI_OK && brski_json_parse(b, &y, &err) == BRSKI_OK &&
		    json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}

/*
 * No damage crashes; a state that still reads names another value at most (a flipped digit or
 * letter is not to be noticed).
 */
static void try_state(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	const struct brski_buf *golden = ctx;
	struct brski_pledge *p;

	put_state(damaged);
	net.set_aside = 0;
	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	if (strcmp(how->kind, "cut") == 0 || strcmp(how->kind, "appended") == 0)
		ck_assert_msg(net.set_aside == 1 || same_json(brski_buf_span(golden), damaged),
			"%s at %zu is accepted", how->kind, how->at);
	brski_pledge_free(p);
}

START_TEST(damaged_states)
{
	struct brski_buf golden;

	cut_in_flight(1, 2);
	golden = get_state();
	mutate_truncations(brski_buf_span(&golden), try_state, &golden);
	mutate_octets_once(brski_buf_span(&golden), try_state, &golden);
	mutate_appended(brski_buf_span(&golden), try_state, &golden);
	brski_buf_free(&golden);
}
END_TEST

static void edit_state(const struct brski_buf *golden, const char *member, json_t *value)
{
	struct brski_buf text = {0};
	json_t *json;

	EXPECT(BRSKI_OK, brski_json_parse(brski_buf_span(golden), &json, &err));
	if (value)
		ck_assert_int_eq(json_object_set_new(json, member, value), 0);
	else
		ck_assert_int_eq(json_object_del(json, member), 0);
	EXPECT(BRSKI_OK, brski_json_print(json, &text, &err));
	put_state(brski_buf_span(&text));
	brski_buf_free(&text);
	json_decref(json);
}

START_TEST(every_member_of_the_state_counts)
{
	struct brski_buf golden;
	const char *name;
	json_t *json, *value;

	cut_in_flight(1, 2);
	golden = get_state();
	EXPECT(BRSKI_OK, brski_json_parse(brski_buf_span(&golden), &json, &err));
	json_object_foreach(json, name, value)
	{
		edit_state(&golden, name, NULL);
		expect_set_aside();
		edit_state(&golden, name, json_array());
		expect_set_aside();
		if (json_is_string(value)) {
			edit_state(&golden, name, json_string("?"));
			if (strcmp(name, "reason") != 0 && strcmp(name, "registrar") != 0)
				expect_set_aside();
		}
	}
	edit_state(&golden, "another", json_true());
	expect_set_aside();
	edit_state(&golden, "version", json_integer(2));
	expect_set_aside();
	edit_state(&golden, "candidate", json_integer(7));
	expect_set_aside();
	edit_state(&golden, "told", json_integer(-1));
	expect_set_aside();
	edit_state(&golden, "pinned-domain-cert", json_string("AAAA"));
	expect_set_aside();
	edit_state(&golden, "cmp-transaction", json_string("AAAA"));
	expect_set_aside();
	edit_state(&golden, "state", json_string("poll"));
	edit_state(&golden, "cmp-request", json_string(""));
	expect_set_aside();
	json_decref(json);
	brski_buf_free(&golden);
}
END_TEST

START_TEST(the_state_of_another_device)
{
	struct brski_credential twin = pki_leaf(NETWORK_SUBJECT, NULL, &net.vendor);

	cut_in_flight(1, 2);
	config.idevid = &twin;
	expect_set_aside();
	pki_free(&twin);
}
END_TEST

START_TEST(lost_key_or_certificate)
{
	static const struct {
		unsigned flights;
		const char *name;
	} cases[] = {{1, "ldevid-1.key"}, {2, "ldevid-1.key"}, {2, "ldevid-1.pem"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int how = 0; how <= 1; how++) {
			struct brski_pledge *p;

			forget();
			cut_in_flight(cases[i].flights, 2);
			ck_assert_ptr_nonnull(network_value(&net, cases[i].name));
			if (how == 0)
				EXPECT(BRSKI_OK, net.storage.remove(net.storage.ctx, cases[i].name, &err));
			else
				EXPECT(BRSKI_OK, net.storage.write(net.storage.ctx, cases[i].name,
							 brski_span_str("garbage"), false, &err));
			EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
			ck_assert_int_eq(brski_pledge_state(p), BRSKI_PLEDGE_START);
			ck_assert_uint_eq(net.set_aside, 0);
			ck_assert_ptr_null(network_value(&net, "ldevid-1.key"));
			brski_pledge_free(p);
			ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
		}
	}
}
END_TEST

START_TEST(a_credential_that_cannot_be_read)
{
	struct brski_pledge_credential found;

	ck_assert_int_eq(network_onboard(&net), BRSKI_PLEDGE_ENROLLED);
	EXPECT(BRSKI_OK,
		net.storage.write(net.storage.ctx, "ldevid-1.pem", brski_span_str("x"), false, &err));
	ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
	ck_assert_ptr_nonnull(strstr(err.why, "ldevid-1.pem"));
	ck_assert_str_eq(found.key, "");
	put_state(brski_span_str("{}"));
	ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
	ck_assert_int_eq(err.code, BRSKI_MALFORMED);
}
END_TEST

static enum brski_code broken_read(void *ctx, const char *name, struct brski_buf *out, struct brski_error *e)
{
	(void)ctx;
	(void)name;
	(void)out;
	return brski_fail(e, BRSKI_INTERNAL, "the disk is gone");
}

static enum brski_code broken_set_aside(void *ctx, struct brski_error *e)
{
	(void)ctx;
	return brski_fail(e, BRSKI_INTERNAL, "the disk is full");
}

START_TEST(a_storage_that_fails_is_not_taken_for_empty)
{
	struct brski_pledge *p;

	cut_in_flight(1, 2);
	put_state(brski_span_str("{}"));
	net.storage.set_aside = broken_set_aside;
	EXPECT_WHY(BRSKI_INTERNAL, "cannot be set aside", brski_pledge_new(&config, &p, &err));
	ck_assert_ptr_null(p);
	net.storage.read = broken_read;
	EXPECT_WHY(BRSKI_INTERNAL, "the disk is gone", brski_pledge_new(&config, &p, &err));
	ck_assert_ptr_null(p);
}
END_TEST

/*
 * A registrar may send more than can be kept: better no onboarding than a state that the next boot
 * sets aside.
 */
START_TEST(what_cannot_be_read_is_not_written)
{
	static const uint8_t octets[20000];
	struct brski_pledge_record rec = {0}, again;
	struct brski_buf json = {0};

	EXPECT(BRSKI_OK, brski_buf_set(&rec.domain_cas, brski_span(octets, 16384)));
	EXPECT(BRSKI_OK, brski_pledge_record_print(&rec, &json, &err));
	EXPECT(BRSKI_OK, brski_pledge_record_parse(brski_buf_span(&json), &again, &err));
	brski_pledge_record_free(&again);
	EXPECT(BRSKI_OK, brski_buf_set(&rec.domain_cas, brski_span(octets, 16385)));
	EXPECT_WHY(BRSKI_TOO_LARGE, "domain-cas", brski_pledge_record_print(&rec, &json, &err));
	ck_assert_uint_eq(json.len, 0);
	brski_pledge_record_free(&rec);
	brski_buf_free(&json);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {power_cut_in_every_flight, power_cut_after_every_write,
		no_failure_costs_the_old_credential, a_failure_is_stored_before_it_is_told,
		states_are_where_they_were_left, imprinted_and_not_yet_enrolling, damaged_states,
		every_member_of_the_state_counts, the_state_of_another_device, lost_key_or_certificate,
		a_credential_that_cannot_be_read, what_cannot_be_read_is_not_written,
		a_storage_that_fails_is_not_taken_for_empty};

	return run_tests("pledge_restart", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
