/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/evp.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/text.h"
#include "services/registrar/board.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/* Whose turn it is, when back ends are slow: no call is made here, and none comes back. */

#define MOST 512 /* calls at one time */

static struct site site;
static struct brski_board *board;
static struct brski_buf blobs[2]; /* a job for the MASA, one for the PKI */
static struct brski_ticket *tickets[2048];
static unsigned n_tickets;
static struct brski_task *tasks[2048];
static unsigned n_tasks;
static struct brski_error err;

static void save(struct visit *v, const char *path, const char *type, struct brski_buf *blob)
{
	ck_assert_uint_eq(visit_send(v, "POST", path, type, brski_buf_span(&v->request)), 0);
	EXPECT(BRSKI_OK, brski_job_save(v->job, blob, &err));
}

static void setup(void)
{
	const struct brski_board_config config = {.retry_min_ms = 1000, .retry_max_ms = 1000};
	struct visit v;

	site_open(&site, "P-256");
	EXPECT(BRSKI_OK, brski_board_new(&config, &board, &err));
	visit_open(&v, &site);
	visit_make_voucher_request(&v);
	save(&v, PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, &blobs[0]);
	site_drive(&site, v.job);
	ck_assert_uint_eq(visit_finish(&v), 200);
	visit_make_enroll(&v, &site.idevid, false);
	save(&v, PATH_INITIALIZATION, BRSKI_MEDIA_CMP, &blobs[1]);
	visit_close(&v);
}

static void teardown(void)
{
	for (unsigned i = 0; i < n_tickets; i++)
		brski_ticket_release(tickets[i]);
	brski_board_free(board);
	for (int i = 0; i < 2; i++)
		brski_buf_free(&blobs[i]);
	site_close(&site);
}

/* The text's place behind `"name":"`. */
static char *value_of(struct brski_buf *blob, const char *name)
{
	char quoted[32];
	char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":\"", name);
	at = memmem(blob->data, blob->len, quoted, strlen(quoted));
	ck_assert_ptr_nonnull(at);
	return at + strlen(quoted);
}

/* The same request, another time: with other octets in its last signature, and the key that these have. */
static struct brski_job *another(const struct brski_buf *blob, unsigned number)
{
	struct brski_job *job;
	struct brski_buf copy = {0}, octets = {0};
	char digits[9], name[BRSKI_FINGERPRINT_MAX], key[BRSKI_FINGERPRINT_MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32];
	char *request;

	EXPECT(BRSKI_OK, brski_buf_set(&copy, brski_buf_span(blob)));
	snprintf(digits, sizeof(digits), "%08u", number);
	request = value_of(&copy, "request");
	memcpy(request + strcspn(request, "\"") - 12, digits, 8);
	EXPECT(BRSKI_OK, brski_base64_decode(brski_span(request, strcspn(request, "\"")), &octets, &err));
	brski_cert_fingerprint(site.idevid.cert, name);
	ck_assert(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, name, strlen(name)) == 1 &&
		  EVP_DigestUpdate(ctx, octets.data, octets.len) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1);
	EVP_MD_CTX_free(ctx);
	brski_hex(brski_span(digest, sizeof(digest)), key, sizeof(key));
	memcpy(value_of(&copy, "key"), key, strlen(key));
	EXPECT(BRSKI_OK, brski_job_load(site.registrar, brski_buf_span(&copy), 1, &job, &err));
	brski_buf_free(&octets);
	brski_buf_free(&copy);
	return job;
}

static void add(int which, const char *masa_url, unsigned n)
{
	site.masa_url = masa_url;
	for (unsigned i = 0; i < n; i++) {
		struct brski_job *job = another(&blobs[which], n_tickets);

		tickets[n_tickets] = brski_board_submit(board, job, NULL, NULL);
		ck_assert_ptr_nonnull(tickets[n_tickets++]);
	}
}

/* Takes all that may call now; how many. */
static unsigned take_all(void)
{
	unsigned n = 0;

	while ((tasks[n_tasks] = brski_board_take(board))) {
		n_tasks++;
		n++;
	}
	return n;
}

static unsigned calling(const char *origin)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_tasks; i++)
		n += strcmp(brski_task_origin(tasks[i]), origin) == 0;
	return n;
}

#define ONE "https://one.example"
#define TWO "https://two.example"
#define THREE "https://three.example"
#define PKI "http://ca.plant.example:8080"

START_TEST(slow_masas_leave_room_for_the_pki)
{
	add(0, ONE, 300);
	add(0, TWO, 300);
	take_all();
	ck_assert_uint_ge(calling(ONE), 128);
	ck_assert_uint_ge(calling(TWO), 64);
	add(1, ONE, 150);
	take_all();
	ck_assert_uint_ge(calling(PKI), 128);
	ck_assert_uint_le(n_tasks, MOST);
}
END_TEST

START_TEST(slow_masas_leave_room_for_another_one)
{
	add(0, ONE, 300);
	add(0, TWO, 300);
	take_all();
	add(0, THREE, 100);
	take_all();
	ck_assert_uint_ge(calling(THREE), 32);
	add(0, "https://four.example", 10);
	take_all();
	ck_assert_uint_eq(calling("https://four.example"), 10);
	ck_assert_uint_lt(n_tasks, MOST);
}
END_TEST

START_TEST(a_slow_pki_leaves_room_for_masas)
{
	add(1, ONE, 600);
	take_all();
	ck_assert_uint_eq(calling(PKI), 256);
	add(0, ONE, 300);
	take_all();
	ck_assert_uint_ge(calling(ONE), 128);
	ck_assert_uint_le(n_tasks, MOST);
}
END_TEST

/* What waits in the store for a MASA that is away keeps nothing for the PKI out of memory. */
START_TEST(waiting_for_masas_leaves_memory_for_the_pki)
{
	struct brski_job *job;
	unsigned i = 0;

	site.masa_url = ONE;
	while (i < BRSKI_BOARD_MAX)
		ck_assert(brski_board_adopt(board, another(&blobs[0], i++)));
	job = another(&blobs[0], i);
	ck_assert(!brski_board_adopt(board, job));
	brski_job_free(job);
	ck_assert(brski_board_adopt(board, another(&blobs[1], 0)));
}
END_TEST

/* A place that is given back is the next one's. */
START_TEST(a_place_is_given_back)
{
	unsigned n;

	add(0, ONE, 400);
	n = take_all();
	ck_assert_uint_lt(n, 400);
	for (unsigned i = 0; i < n; i++) {
		brski_task_drop(tasks[i], "over");
		brski_task_let_go(tasks[i]);
	}
	ck_assert_uint_eq(take_all(), n < 200 ? n : 400 - n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {slow_masas_leave_room_for_the_pki,
		slow_masas_leave_room_for_another_one, a_slow_pki_leaves_room_for_masas,
		waiting_for_masas_leaves_memory_for_the_pki, a_place_is_given_back};

	return run_tests("board", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
