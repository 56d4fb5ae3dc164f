/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/pki/cms.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/network.h"

/*
 * Every golden answer, damaged in every way: the pledge neither crashes nor takes it. What no
 * signature covers (certificates in an envelope that help to build a chain, unused parameters) may
 * differ; then what was signed must be the same.
 */

static struct brski_error err;
static struct network net;
static struct brski_pledge_config config;

/* A pledge's storage when its flight is out, and the answers to that flight. */
struct scene {
	unsigned flights;
	size_t answer; /* which one is damaged */
	struct network_value values[NETWORK_VALUES_MAX];
	struct brski_http answers[BRSKI_FLIGHT_MAX];
	size_t n_answers;
	unsigned tried, taken;
};

static void setup(void)
{
	network_start(&net);
	config = network_config(&net);
}

static void teardown(void)
{
	network_stop(&net);
}

static void copy_values(struct network_value *to, const struct network_value *from)
{
	for (size_t i = 0; i < NETWORK_VALUES_MAX; i++) {
		memcpy(to[i].name, from[i].name, sizeof(to[i].name));
		to[i].secret = from[i].secret;
		EXPECT(BRSKI_OK, brski_buf_set(&to[i].data, brski_buf_span(&from[i].data)));
	}
}

static void free_all(struct brski_http *messages)
{
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++)
		brski_http_free(&messages[i]);
}

/* Goes through `flights` flights, then keeps the storage and the answers to the next. */
static void set_scene(struct scene *scene)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0};
	struct brski_pledge *p;
	size_t n;

	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	EXPECT(BRSKI_OK, brski_pledge_connected(p, net.chain, &err));
	for (unsigned i = 0; i <= scene->flights; i++) {
		EXPECT(BRSKI_OK, brski_pledge_next(p, requests, &n, &err));
		free_all(scene->answers);
		for (size_t k = 0; k < n; k++)
			network_answer(&net, &requests[k], &scene->answers[k]);
		if (i < scene->flights)
			EXPECT(BRSKI_OK, brski_pledge_answer(p, scene->answers, n, &err));
	}
	scene->n_answers = n;
	copy_values(scene->values, net.values);
	brski_pledge_free(p);
	free_all(requests);
}

static void end_scene(struct scene *scene)
{
	free_all(scene->answers);
	for (size_t i = 0; i < NETWORK_VALUES_MAX; i++)
		brski_buf_free(&scene->values[i].data);
}

/* The pledge's next state after the flight's answers, one of them with this body. */
static enum brski_pledge_state answer_damaged(const struct scene *scene, struct brski_span body)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0}, answers[BRSKI_FLIGHT_MAX] = {0};
	enum brski_pledge_state state;
	struct brski_pledge *p;
	size_t n;

	copy_values(net.values, scene->values);
	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	EXPECT(BRSKI_OK, brski_pledge_connected(p, net.chain, &err));
	EXPECT(BRSKI_OK, brski_pledge_next(p, requests, &n, &err));
	ck_assert_uint_eq(n, scene->n_answers);
	for (size_t i = 0; i < n; i++) {
		const struct brski_http *golden = &scene->answers[i];

		EXPECT(BRSKI_OK, brski_http_response(&answers[i], golden->status,
					 brski_http_get(golden, "content-type"),
					 i == scene->answer ? body : brski_buf_span(&golden->body), &err));
	}
	EXPECT(BRSKI_OK, brski_pledge_answer(p, answers, n, &err));
	state = brski_pledge_state(p);
	brski_pledge_free(p);
	free_all(requests);
	free_all(answers);
	return state;
}

static struct brski_span golden_body(const struct scene *scene)
{
	return brski_buf_span(&scene->answers[scene->answer].body);
}

static void damage_all(struct scene *scene, mutate_try *try)
{
	struct brski_span golden = golden_body(scene);

	mutate_truncations(golden, try, scene);
	mutate_octets_once(golden, try, scene);
	mutate_appended(golden, try, scene);
	ck_assert_uint_gt(scene->tried, 2 * golden.len);
	/* it is the exception that a flipped octet matters to nobody */
	ck_assert_msg(scene->taken < scene->tried / 4, "%u of %u damaged answers are taken", scene->taken,
		scene->tried);
}

/* ---- the voucher ---- */

static struct brski_buf signed_content(struct brski_span cms)
{
	struct brski_buf content = {0};
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_cms_open(cms, NULL, &content, &certs, NULL, &err));
	pki_free_certs(certs);
	return content;
}

static void try_voucher(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct scene *scene = ctx;
	struct brski_buf was, is;
	enum brski_pledge_state state = answer_damaged(scene, damaged);

	scene->tried++;
	if (state == BRSKI_PLEDGE_FAILED)
		return;
	scene->taken++;
	ck_assert_int_eq(state, BRSKI_PLEDGE_IMPRINTED);
	ck_assert_msg(strcmp(how->kind, "flipped") == 0, "%s at %zu is taken", how->kind, how->at);
	was = signed_content(golden_body(scene));
	is = signed_content(damaged);
	ck_assert_msg(brski_span_equal(brski_buf_span(&was), brski_buf_span(&is)),
		"another voucher is taken, octet %zu", how->at);
	brski_buf_free(&was);
	brski_buf_free(&is);
}

START_TEST(damaged_vouchers)
{
	struct scene scene = {.flights = 0, .answer = 0};

	set_scene(&scene);
	ck_assert_int_eq(answer_damaged(&scene, golden_body(&scene)), BRSKI_PLEDGE_IMPRINTED);
	damage_all(&scene, try_voucher);
	end_scene(&scene);
}
END_TEST

/* ---- CMP ---- */

static bool same_protected_part(struct brski_span a, struct brski_span b)
{
	struct brski_cmp x = {0}, y = {0};
	bool same;

	EXPECT(BRSKI_OK, brski_cmp_decode(a, &x, &err));
	EXPECT(BRSKI_OK, brski_cmp_decode(b, &y, &err));
	same = brski_span_equal(x.header_der, y.header_der) && brski_span_equal(x.body_der, y.body_der);
	brski_cmp_free(&x);
	brski_cmp_free(&y);
	return same;
}

static void try_cmp(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct scene *scene = ctx;
	enum brski_pledge_state state = answer_damaged(scene, damaged);

	scene->tried++;
	if (state == BRSKI_PLEDGE_FAILED)
		return;
	scene->taken++;
	ck_assert_msg(strcmp(how->kind, "flipped") == 0, "%s at %zu is taken", how->kind, how->at);
	ck_assert_msg(same_protected_part(golden_body(scene), damaged), "another answer is taken, octet %zu",
		how->at);
}

START_TEST(damaged_certificates)
{
	struct scene scene = {.flights = 1, .answer = 1};

	set_scene(&scene);
	ck_assert_int_eq(answer_damaged(&scene, golden_body(&scene)), BRSKI_PLEDGE_CONFIRM);
	damage_all(&scene, try_cmp);
	end_scene(&scene);
}
END_TEST

START_TEST(damaged_confirmations)
{
	struct scene scene = {.flights = 2, .answer = 0};

	set_scene(&scene);
	ck_assert_int_eq(answer_damaged(&scene, golden_body(&scene)), BRSKI_PLEDGE_ENROLLED);
	damage_all(&scene, try_cmp);
	end_scene(&scene);
}
END_TEST

/* An answer that belongs to another transaction, or to none, is as good as none. */
START_TEST(answers_to_others)
{
	struct scene first = {.flights = 1, .answer = 1}, second = {.flights = 1, .answer = 1};

	set_scene(&first);
	for (size_t i = 0; i < NETWORK_VALUES_MAX; i++)
		net.values[i].name[0] = '\0';
	set_scene(&second);
	ck_assert_int_eq(answer_damaged(&second, golden_body(&second)), BRSKI_PLEDGE_CONFIRM);
	ck_assert_int_eq(answer_damaged(&second, golden_body(&first)), BRSKI_PLEDGE_FAILED);
	end_scene(&first);
	end_scene(&second);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		damaged_vouchers, damaged_certificates, damaged_confirmations, answers_to_others};

	return run_tests("pledge_hostile", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
