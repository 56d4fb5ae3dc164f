/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/store_contract_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/base/clock.h"

/* ---- Leases ---- */

static enum brski_code lease(
	struct brski_store *store, const char *key, const char *owner, unsigned seconds, const char *has_it)
{
	struct brski_store_job row;
	enum brski_code code = brski_store_job_lease(store, key, owner, seconds, &row, &err);

	ck_assert_str_eq(row.lease_owner, has_it);
	ck_assert_str_eq(row.key, code == BRSKI_NOT_FOUND ? "" : key);
	ck_assert((row.lease_until > 0) == (has_it[0] != '\0'));
	brski_store_job_free(&row);
	return code;
}

START_TEST(one_server_makes_the_calls)
{
	struct brski_store_job job;

	EXPECT(BRSKI_NOT_FOUND, lease(one, "a", "alice", 60, ""));
	contract_add("a");
	contract_add("b");
	EXPECT(BRSKI_OK, lease(one, "a", "alice", 60, "alice"));
	EXPECT(BRSKI_UNEXPECTED, lease(two, "a", "bob", 60, "alice"));
	EXPECT(BRSKI_UNEXPECTED, lease(one, "a", "bob", 60, "alice")); /* owners count, not connections */
	EXPECT(BRSKI_OK, lease(two, "b", "bob", 60, "bob"));
	job = contract_get(two, "a");
	ck_assert_uint_eq(job.revision, 1);
	ck_assert_int_eq(job.updated, 1000);
	ck_assert_str_eq(job.lease_owner, "alice");
	EXPECT(BRSKI_OK, brski_store_job_release(two, "a", "bob", 0, &err)); /* not his */
	EXPECT(BRSKI_UNEXPECTED, lease(two, "a", "bob", 60, "alice"));
	EXPECT(BRSKI_OK, brski_store_job_release(one, "a", "alice", 0, &err));
	EXPECT(BRSKI_OK, brski_store_job_release(one, "a", "alice", 0, &err));
	EXPECT(BRSKI_OK, brski_store_job_release(one, "none", "alice", 0, &err));
	EXPECT(BRSKI_OK, lease(two, "a", "bob", 60, "bob"));
	brski_store_job_free(&job);
}
END_TEST

START_TEST(a_lease_is_renewed)
{
	struct brski_store_job first, second;

	contract_add("a");
	EXPECT(BRSKI_OK, brski_store_job_lease(one, "a", "alice", 60, &first, &err));
	EXPECT(BRSKI_OK, brski_store_job_lease(one, "a", "alice", 600, &second, &err));
	ck_assert_int_ge(second.lease_until - first.lease_until, 540);
	brski_store_job_free(&first);
	brski_store_job_free(&second);
}
END_TEST

/* Whoever was killed keeps nobody waiting for ever; and whoever lives has the time that he asked for. */
START_TEST(a_lease_runs_out)
{
	int64_t began = brski_now_ms(), now;
	struct brski_store_job row;
	enum brski_code code;

	contract_add("a");
	EXPECT(BRSKI_OK, lease(one, "a", "alice", 1, "alice"));
	do {
		usleep(20000);
		code = brski_store_job_lease(two, "a", "bob", 60, &row, &err);
		now = brski_now_ms();
		brski_store_job_free(&row);
		ck_assert(code == BRSKI_OK || code == BRSKI_UNEXPECTED);
	} while (code == BRSKI_UNEXPECTED && now < began + 5000);
	EXPECT(BRSKI_OK, code);
	ck_assert_int_ge(now - began, 1000);
	EXPECT(BRSKI_UNEXPECTED, lease(one, "a", "alice", 1, "bob"));
	EXPECT(BRSKI_OK, brski_store_job_release(one, "a", "alice", 0, &err)); /* too late to matter */
	EXPECT(BRSKI_UNEXPECTED, lease(one, "a", "alice", 1, "bob"));
}
END_TEST

START_TEST(a_finished_job_has_no_lease)
{
	struct brski_store_job job;

	contract_add("a");
	EXPECT(BRSKI_OK, lease(one, "a", "alice", 60, "alice"));
	job = contract_get(one, "a");
	EXPECT(BRSKI_OK, contract_answer(two, &job, BRSKI_JOB_WAITING, "the first of two calls"));
	EXPECT(BRSKI_UNEXPECTED, lease(two, "a", "bob", 60, "alice"));
	job.revision = 2;
	EXPECT(BRSKI_OK, contract_answer(two, &job, BRSKI_JOB_DONE, "an answer in a file"));
	brski_store_job_free(&job);
	EXPECT(BRSKI_OK, brski_store_job_lease(one, "a", "alice", 60, &job, &err));
	ck_assert(job.state == BRSKI_JOB_DONE && job.revision == 3);
	ck_assert(job.lease_owner[0] == '\0' && job.lease_until == 0);
	brski_store_job_free(&job);
}
END_TEST

#define TRIES 20
static unsigned leased[2][TRIES], failed[2];

static void *lease_all(void *store)
{
	int me = store == two;
	struct brski_error why;

	for (int i = 0; i < TRIES; i++) {
		struct brski_store_job row;
		enum brski_code code;
		char key[] = {(char)('A' + i), '\0'};

		code = brski_store_job_lease(store, key, me ? "bob" : "alice", 60, &row, &why);
		leased[me][i] = code == BRSKI_OK;
		failed[me] += code != BRSKI_OK && code != BRSKI_UNEXPECTED;
		brski_store_job_free(&row);
	}
	return NULL;
}

START_TEST(never_two_have_it)
{
	for (int i = 0; i < TRIES; i++)
		contract_add((char[]){(char)('A' + i), '\0'});
	contract_both(lease_all);
	ck_assert_uint_eq(failed[0] + failed[1], 0);
	for (int i = 0; i < TRIES; i++)
		ck_assert_uint_eq(leased[0][i] + leased[1][i], 1);
}
END_TEST

static void note_key(void *ctx, struct brski_store_job *job)
{
	brski_printf(ctx, "%s ", job->key);
}

static void expect_keys(enum brski_store_leases leases, const char *want)
{
	const struct brski_store_turn turn = {
		.kind = BRSKI_JOB_CMP, .back_end = CONTRACT_BACK_END, .leases = leases};
	struct brski_buf keys = {0};

	each_turn(two, &turn, note_key, &keys);
	ck_assert_msg(brski_span_equal(brski_buf_span(&keys), brski_span_str(want)), "%.*s, not %s",
		(int)keys.len, keys.data, want);
	brski_buf_free(&keys);
}

START_TEST(leased_jobs_can_be_passed_over)
{
	contract_add("a");
	contract_add("b");
	contract_add("c");
	EXPECT(BRSKI_OK, lease(one, "b", "alice", 60, "alice"));
	expect_keys(BRSKI_STORE_ANY_LEASE, "a b c ");
	expect_keys(BRSKI_STORE_NO_LEASE, "a c ");
	expect_keys(BRSKI_STORE_NO_REST, "a c ");
	EXPECT(BRSKI_OK, brski_store_job_release(one, "b", "alice", 0, &err));
	expect_keys(BRSKI_STORE_NO_LEASE, "a b c ");
	expect_keys(BRSKI_STORE_NO_REST, "a b c ");
}
END_TEST

/* Nobody needs to look at it; but who has a reason may. */
START_TEST(a_job_rests_after_its_call)
{
	contract_add("a");
	contract_add("b");
	EXPECT(BRSKI_OK, brski_store_job_release(one, "a", "alice", 60, &err)); /* who has none */
	expect_keys(BRSKI_STORE_NO_REST, "a b ");
	EXPECT(BRSKI_OK, lease(one, "b", "alice", 60, "alice"));
	EXPECT(BRSKI_OK, brski_store_job_release(one, "b", "alice", 60, &err));
	expect_keys(BRSKI_STORE_ANY_LEASE, "a b ");
	expect_keys(BRSKI_STORE_NO_LEASE, "a b ");
	expect_keys(BRSKI_STORE_NO_REST, "a ");
	EXPECT(BRSKI_OK, lease(two, "b", "bob", 60, "bob"));
	expect_keys(BRSKI_STORE_NO_LEASE, "a ");
	EXPECT(BRSKI_OK, brski_store_job_release(two, "b", "bob", 0, &err));
	expect_keys(BRSKI_STORE_NO_REST, "a b ");
}
END_TEST

/* ---- Notes ---- */

START_TEST(notes_are_put)
{
	struct brski_store_note note = contract_note("n", "", false);

	contract_expect_note("n", "");
	contract_put_note("n", "first", true);
	contract_put_note("m", "another", false);
	contract_expect_note("n", "first");
	contract_put_note("n", "second", false);
	EXPECT(BRSKI_OK, brski_store_note_get(two, "n", &note, &err));
	ck_assert_str_eq(note.name, "certificate");
	ck_assert_str_eq(note.value, "second");
	ck_assert_str_eq(note.manufacturer, "acme");
	ck_assert_str_eq(note.serial_number, "S-1");
	ck_assert(!note.of_transaction && note.updated == 1000);
	note.value[0] = '\0';
	EXPECT(BRSKI_UNEXPECTED, brski_store_note_put(one, &note, &err));
	contract_expect_note("n", "second");
	contract_expect_note("m", "another");
}
END_TEST

START_TEST(notes_of_transactions_go_with_their_jobs)
{
	unsigned n = 7;

	contract_add("job");
	contract_put_note("with", "job", true);
	contract_put_note("without", "gone", true);
	contract_put_note("for ever", "gone", false);
	EXPECT(BRSKI_OK, brski_store_notes_expire(one, 1000, &n, &err));
	ck_assert_uint_eq(n, 0);
	EXPECT(BRSKI_OK, brski_store_notes_expire(one, 1001, &n, &err));
	ck_assert_uint_eq(n, 1);
	contract_expect_note("without", "");
	contract_expect_note("with", "job");
	contract_expect_note("for ever", "gone");
	EXPECT(BRSKI_OK, brski_store_jobs_expire(one, 1001, &n, &err));
	EXPECT(BRSKI_OK, brski_store_notes_expire(one, 1001, &n, &err));
	ck_assert_uint_eq(n, 1);
	contract_expect_note("with", "");
	contract_expect_note("for ever", "gone");
}
END_TEST

size_t contract_leases(const TTest **tests)
{
	const TTest *const all[] = {one_server_makes_the_calls, a_lease_is_renewed, a_lease_runs_out,
		a_finished_job_has_no_lease, never_two_have_it, leased_jobs_can_be_passed_over,
		a_job_rests_after_its_call, notes_are_put, notes_of_transactions_go_with_their_jobs};

	memcpy(tests, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}
