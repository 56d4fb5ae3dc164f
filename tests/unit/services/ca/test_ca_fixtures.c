/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/ca/ca.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"

/*
 * A CA's database as version 0.1.0 has written it, with a certificate in each state
 * (tests/vectors/state-0.1): its rows are read, and the CA goes on.
 */

#define FIXTURES "tests/vectors/state-0.1/ca"
#define WRITTEN 1735690800 /* 2025-01-01, while the last certificate waits to be confirmed */

static struct brski_error err;
static struct brski_credential issuer, cmp_signer, root, maker;
static STACK_OF(X509) *anchors, *makers;
static struct brski_http response;
static struct ca ca;
static time_t clock_now;
static char folder[64];

static time_t test_now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static const struct brski_env env = {.now = test_now};

static void setup(void)
{
	char path[96];

	clock_now = WRITTEN;
	issuer = pki_load(FIXTURES "/keys", "ca");
	cmp_signer = pki_load(FIXTURES "/keys", "cmp");
	root = pki_load(FIXTURES "/keys", "root");
	maker = pki_load(FIXTURES "/keys", "maker");
	anchors = pki_certs(&root, NULL);
	makers = pki_certs(&maker, NULL);
	ca = (struct ca){.env = &env,
		.issuer = &issuer,
		.cmp_signer = &cmp_signer,
		.ra_anchors = anchors,
		.idevid_anchors = makers,
		.days = 30,
		.confirm_wait = 600};
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/ca.db", folder);
	ck_assert_int_eq(run("cp " FIXTURES "/ca.db %s && chmod 600 %s", path, path), 0);
	EXPECT(BRSKI_OK, ca_store_open(path, &ca.store, &err));
}

static void teardown(void)
{
	ca_store_close(ca.store);
	temp_remove(folder);
	brski_http_free(&response);
	pki_free_certs(anchors);
	pki_free_certs(makers);
	pki_free(&issuer);
	pki_free(&cmp_signer);
	pki_free(&root);
	pki_free(&maker);
}

static const enum ca_state states[] = {CA_LAPSED, CA_CONFIRMED, CA_REJECTED, CA_WAITING};

struct rows {
	enum ca_state states[8];
	unsigned n;
};

static void on_row(void *ctx, const struct ca_record *record)
{
	struct rows *rows = ctx;

	ck_assert_uint_lt(rows->n, 8);
	ck_assert_str_eq(record->subject, "serialNumber=S-7,CN=Gadget 7");
	ck_assert_ptr_nonnull(strstr(record->requester, "through CN=Registrar"));
	ck_assert_uint_eq(strlen(record->serial_number), 32);
	rows->states[rows->n++] = record->state;
}

/* As they were issued, but for the last one. */
static void expect_rows(enum ca_state last)
{
	struct rows rows = {.n = 0};

	EXPECT(BRSKI_OK, ca_store_list(ca.store, on_row, &rows, &err));
	ck_assert_uint_eq(rows.n, 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_str_eq(ca_state_name(rows.states[i]), ca_state_name(i < 3 ? states[i] : last));
}

START_TEST(every_row_is_read)
{
	expect_rows(CA_WAITING);
}
END_TEST

/* The same octets that were sent to version 0.1.0. */
static void post(const char *name)
{
	struct brski_http request = {0};
	char what[CA_WHAT_MAX], file[96];
	struct brski_buf body;

	snprintf(file, sizeof(file), FIXTURES "/requests/%s", name);
	body = file_read(file);
	brski_http_free(&response);
	EXPECT(BRSKI_OK, brski_http_request(&request, "POST", "/.well-known/cmp/initialization",
				 BRSKI_MEDIA_CMP, brski_buf_span(&body), &err));
	ca_handle(&ca, &request, &response, what);
	ck_assert_msg(response.status == 200, "%s: %s", name, what);
	brski_http_free(&request);
	brski_buf_free(&body);
}

static void expect_same_answer(const char *name)
{
	struct brski_buf kept;
	char file[96];

	post(name);
	snprintf(file, sizeof(file), FIXTURES "/answers/%s", name);
	kept = file_read(file);
	ck_assert_msg(brski_span_equal(brski_buf_span(&kept), brski_buf_span(&response.body)), "%s", name);
	brski_buf_free(&kept);
}

START_TEST(the_same_request_gets_the_same_answer)
{
	expect_same_answer("confirmed");
	expect_same_answer("confirmed-conf");
	expect_same_answer("rejected");
	expect_same_answer("rejected-conf");
	expect_same_answer("waiting");
	expect_rows(CA_WAITING);
}
END_TEST

static int type_of_answer(void)
{
	struct brski_cmp msg = cmp_decode(&response.body);
	int type = msg.type;

	brski_cmp_free(&msg);
	return type;
}

START_TEST(what_waits_is_confirmed)
{
	post("waiting-conf");
	ck_assert_int_eq(type_of_answer(), BRSKI_CMP_PKICONF);
	expect_rows(CA_CONFIRMED);
}
END_TEST

START_TEST(what_waits_lapses)
{
	clock_now += 600;
	post("waiting-conf");
	ck_assert_int_eq(type_of_answer(), BRSKI_CMP_ERROR);
	expect_rows(CA_LAPSED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {every_row_is_read, the_same_request_gets_the_same_answer,
		what_waits_is_confirmed, what_waits_lapses};

	return run_tests("ca_fixtures", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
