/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/store_contract_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- Lists ---- */

static void put_manufacturer(const char *name)
{
	struct brski_store_manufacturer m = {.mode = BRSKI_MODE_MANUAL};

	snprintf(m.name, sizeof(m.name), "%s", name);
	EXPECT(BRSKI_OK, brski_buf_set(&m.crls, brski_span_str("of some length")));
	EXPECT(BRSKI_OK, brski_store_manufacturer_put(one, &m, &err));
	brski_store_manufacturer_free(&m);
}

static void put_device(const char *manufacturer, const char *serial)
{
	EXPECT(BRSKI_OK, brski_store_device_put(two, manufacturer, serial, "", &err));
}

/* A name for each number, so that numbers are in the order of names. */
struct name {
	char text[16];
};

static struct name name_of(const char *prefix, unsigned i)
{
	struct name name;

	snprintf(name.text, sizeof(name.text), "%s%03u", prefix, i);
	return name;
}

#define STAY 40

/* Devices m000 to m039 stay; between two pages others come and go before, at, and behind the place. */
START_TEST(a_list_has_what_stays_once_whatever_comes_and_goes)
{
	struct brski_store_device rows[7];
	struct brski_store_place place = {0};
	unsigned n, seen = 0, round = 0;

	put_manufacturer("acme");
	for (unsigned i = 0; i < STAY; i++) {
		put_device("acme", name_of("m", i).text);
		put_device("acme", name_of("m", i).text); /* no second row */
	}
	do {
		EXPECT(BRSKI_OK, brski_store_devices_page(one, "acme", &place, rows, 7, &n, &err));
		for (unsigned i = 0; i < n; i++) {
			if (rows[i].serial_number[0] == 'm' && !strchr(rows[i].serial_number, '-'))
				ck_assert_str_eq(rows[i].serial_number, name_of("m", seen++).text);
			else /* it goes, and with it perhaps the place itself */
				EXPECT(BRSKI_OK,
					brski_store_device_remove(two, "acme", rows[i].serial_number, &err));
		}
		put_device("acme", name_of("a", round).text);
		put_device("acme", name_of("z", round).text);
		if (n > 0) {
			char next[BRSKI_SERIAL_MAX + 8];

			snprintf(next, sizeof(next), "%.100s-%u", rows[n - 1].serial_number, round);
			put_device("acme", next);
		}
		ck_assert_uint_lt(round++, 100);
	} while (n == 7);
	ck_assert_uint_eq(seen, STAY);
}
END_TEST

/* The same of jobs: they leave the list when they are answered. */
START_TEST(answered_jobs_leave_the_list_and_no_other_does)
{
	const struct brski_store_job_filter waiting = {.state = BRSKI_JOB_WAITING};
	struct brski_store_job rows[4];
	struct brski_store_place place = {0};
	unsigned n, seen = 0;

	for (unsigned i = 0; i < STAY; i++)
		contract_add(name_of("j", i).text);
	do {
		EXPECT(BRSKI_OK, brski_store_jobs_page(one, &waiting, &place, rows, 4, &n, &err));
		for (unsigned i = 0; i < n; i++) {
			ck_assert_str_eq(rows[i].key, name_of("j", seen++).text);
			ck_assert_uint_eq(rows[i].revision, 1);
			ck_assert_uint_eq(rows[i].blob.len, strlen("asked"));
			EXPECT(BRSKI_OK, contract_answer(two, &rows[i], BRSKI_JOB_DONE, "answered"));
			brski_store_job_free(&rows[i]);
		}
	} while (n == 4);
	ck_assert_uint_eq(seen, STAY);
	EXPECT(BRSKI_OK,
		brski_store_jobs_page(two, &waiting, &(struct brski_store_place){0}, rows, 4, &n, &err));
	ck_assert_uint_eq(n, 0);
}
END_TEST

static void see_text(struct brski_buf *out, const char *a, const char *b)
{
	brski_printf(out, "%s/%s ", a, b);
}

static void see_manufacturer(void *ctx, const struct brski_store_manufacturer *m)
{
	ck_assert_uint_eq(m->crls.len, strlen("of some length"));
	see_text(ctx, m->name, "");
}

static void see_device(void *ctx, const struct brski_store_device *d)
{
	see_text(ctx, d->manufacturer, d->serial_number);
}

static void see_candidate(void *ctx, const struct brski_store_candidate *c)
{
	see_text(ctx, c->manufacturer, c->serial_number);
}

static void see_type(void *ctx, const struct brski_store_type *type)
{
	see_text(ctx, type->manufacturer, type->pattern);
}

static void see_nonceless(void *ctx, struct brski_store_nonceless *a)
{
	see_text(ctx, a->manufacturer, a->serial_number);
}

static void see_event(void *ctx, const struct brski_store_event *event)
{
	see_text(ctx, event->serial_number, event->detail);
}

static void expect_seen(struct brski_buf *seen, const char *want)
{
	ck_assert_msg(brski_span_equal(brski_buf_span(seen), brski_span_str(want)), "%.*s, not %s",
		(int)seen->len, seen->data, want);
	brski_buf_free(seen);
}

#define OF_C "c/1 c/2 c/3 c/4 "
#define OF_ALL "a/1 a/2 a/3 a/4 b/1 b/2 b/3 b/4 " OF_C

START_TEST(lists_are_in_their_order)
{
	struct brski_buf seen = {0};

	for (const char *m = "bca"; *m; m++) {
		put_manufacturer((char[]){*m, '\0'});
		for (const char *s = "4132"; *s; s++) {
			struct brski_store_nonceless a = {.manufacturer = {*m}, .serial_number = {*s}};

			put_device(a.manufacturer, a.serial_number);
			EXPECT(BRSKI_OK, brski_store_type_put(one, a.manufacturer, a.serial_number, &err));
			EXPECT(BRSKI_OK, brski_store_nonceless_ask(one, &a, &err));
		}
	}
	each_manufacturer(one, see_manufacturer, &seen);
	expect_seen(&seen, "a/ b/ c/ ");
	each_device(one, NULL, see_device, &seen);
	expect_seen(&seen, OF_ALL);
	each_device(one, "c", see_device, &seen);
	expect_seen(&seen, OF_C);
	each_device(one, "d", see_device, &seen);
	expect_seen(&seen, "");
	each_type(one, NULL, see_type, &seen);
	expect_seen(&seen, OF_ALL);
	each_type(one, "c", see_type, &seen);
	expect_seen(&seen, OF_C);
	each_nonceless(one, NULL, see_nonceless, &seen);
	expect_seen(&seen, OF_ALL);
	each_nonceless(one, "c", see_nonceless, &seen);
	expect_seen(&seen, OF_C);
}
END_TEST

/* ---- What waits, by whom it calls ---- */

static void add_turn(const char *key, enum brski_job_kind kind, const char *back_end, time_t due)
{
	struct brski_store_job job = contract_job(key);

	job.kind = kind;
	job.due = due;
	snprintf(job.back_end, sizeof(job.back_end), "%s", back_end);
	EXPECT(BRSKI_OK, brski_store_job_add(one, &job, NULL, &err));
}

static void see_job(void *ctx, struct brski_store_job *job)
{
	see_text(ctx, job->back_end, job->key);
}

static void expect_turn(enum brski_job_kind kind, const char *back_end, time_t due, const char *want)
{
	const struct brski_store_turn turn = {.kind = kind, .back_end = back_end, .due = due};
	struct brski_buf seen = {0};

	each_turn(two, &turn, see_job, &seen);
	expect_seen(&seen, want);
}

/* However many wait for one of them: those for another are a list of their own, by when they are due. */
START_TEST(jobs_are_listed_by_their_back_end)
{
	struct brski_store_job job;

	for (char c = 'a'; c <= 'f'; c++)
		add_turn((char[]){c, '\0'}, BRSKI_JOB_VOUCHER, "m", 'z' - c);
	add_turn("x", BRSKI_JOB_VOUCHER, "n", 7);
	add_turn("y", BRSKI_JOB_CMP, "m", 0);
	add_turn("z", BRSKI_JOB_VOUCHER, "m", 'z' - 'e');
	expect_turn(BRSKI_JOB_VOUCHER, "m", 1000, "m/f m/e m/z m/d m/c m/b m/a ");
	expect_turn(BRSKI_JOB_VOUCHER, "m", 'z' - 'd', "m/f m/e m/z m/d ");
	expect_turn(BRSKI_JOB_VOUCHER, "n", 7, "n/x ");
	expect_turn(BRSKI_JOB_VOUCHER, "n", 6, "");
	expect_turn(BRSKI_JOB_VOUCHER, "", 1000, "");
	expect_turn(BRSKI_JOB_CMP, "m", 1000, "m/y ");
	job = contract_get(two, "f");
	ck_assert_int_eq(job.due, 'z' - 'f');
	ck_assert_str_eq(job.back_end, "m");
	job.back_end[0] = '\0';
	job.due = 500;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, NULL, &err)); /* waits again for the same one */
	expect_turn(BRSKI_JOB_VOUCHER, "m", 1000, "m/e m/z m/d m/c m/b m/a m/f ");
	job.revision++;
	snprintf(job.back_end, sizeof(job.back_end), "n");
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, NULL, &err));
	expect_turn(BRSKI_JOB_VOUCHER, "n", 1000, "n/x n/f ");
	job.revision++;
	job.state = BRSKI_JOB_DONE;
	EXPECT(BRSKI_OK, brski_store_job_replace(one, &job, NULL, &err));
	expect_turn(BRSKI_JOB_VOUCHER, "n", 1000, "n/x ");
	brski_store_job_free(&job);
}
END_TEST

static void expect_back_ends(enum brski_job_kind kind, const char *want)
{
	struct brski_store_place place = {0};
	struct brski_store_back_end rows[2];
	struct brski_buf seen = {0};
	unsigned n;

	do {
		EXPECT(BRSKI_OK, brski_store_back_ends_page(two, kind, &place, rows, 2, &n, &err));
		for (unsigned i = 0; i < n; i++)
			see_text(&seen, rows[i].name, "");
	} while (n == 2);
	expect_seen(&seen, want);
}

START_TEST(back_ends_that_anything_waits_for_are_listed)
{
	struct brski_store_job job;

	expect_back_ends(BRSKI_JOB_VOUCHER, "");
	for (unsigned i = 0; i < 20; i++)
		add_turn(name_of("k", i).text, BRSKI_JOB_VOUCHER, (const char *[]){"b", "a", "d", ""}[i % 4],
			i);
	add_turn("c", BRSKI_JOB_VOUCHER, "c", 0);
	add_turn("p", BRSKI_JOB_CMP, "p", 0);
	expect_back_ends(BRSKI_JOB_VOUCHER, "/ a/ b/ c/ d/ ");
	expect_back_ends(BRSKI_JOB_CMP, "p/ ");
	job = contract_get(two, "c");
	EXPECT(BRSKI_OK, contract_answer(one, &job, BRSKI_JOB_DONE, "answered"));
	brski_store_job_free(&job);
	expect_back_ends(BRSKI_JOB_VOUCHER, "/ a/ b/ d/ ");
}
END_TEST

START_TEST(candidates_are_listed_by_their_first_visit)
{
	static const struct {
		const char *serial;
		time_t at;
	} visits[] = {{"5", 300}, {"1", 300}, {"9", 100}, {"3", 200}, {"2", 100}, {"9", 400}, {"7", 300}};
	struct brski_buf seen = {0};

	put_manufacturer("a");
	for (size_t i = 0; i < sizeof(visits) / sizeof(visits[0]); i++) {
		struct brski_store_candidate c = {.manufacturer = "a", .last_seen = visits[i].at};

		snprintf(c.serial_number, sizeof(c.serial_number), "%s", visits[i].serial);
		EXPECT(BRSKI_OK, brski_store_candidate_seen(one, &c, 100, &err));
	}
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(two, "a", "7", NULL, &err));
	EXPECT(BRSKI_OK, brski_store_candidate_refuse(two, "a", "8", NULL, &err));
	each_candidate(one, false, see_candidate, &seen);
	expect_seen(&seen, "a/2 a/9 a/3 a/1 a/5 ");
	each_candidate(one, true, see_candidate, &seen);
	expect_seen(&seen, "a/8 a/7 ");
}
END_TEST

START_TEST(the_newest_events_are_listed_oldest_first)
{
	struct brski_buf seen = {0};

	for (int i = 1; i <= 9; i++) {
		struct brski_store_event e = {
			.at = i, .what = "policy", .serial_number = {i % 2 ? 'A' : 'B'}};

		snprintf(e.detail, sizeof(e.detail), "%d", i);
		EXPECT(BRSKI_OK, brski_store_event_add(one, &e, &err));
	}
	each_event(two, NULL, 100, see_event, &seen);
	expect_seen(&seen, "A/1 B/2 A/3 B/4 A/5 B/6 A/7 B/8 A/9 ");
	each_event(two, NULL, 4, see_event, &seen);
	expect_seen(&seen, "B/6 A/7 B/8 A/9 ");
	each_event(two, "A", 4, see_event, &seen);
	expect_seen(&seen, "A/3 A/5 A/7 A/9 ");
	each_event(two, "B", 3, see_event, &seen);
	expect_seen(&seen, "B/4 B/6 B/8 ");
	each_event(two, "C", 3, see_event, &seen);
	expect_seen(&seen, "");
}
END_TEST

/* What is shown of a name may not be what is stored: the list must not lose its way by that. */
START_TEST(strange_names_are_listed_once)
{
	static const char *const names[] = {"\001", "A\377", "A\001", "?", "A?", "~", "\377\377", "'", "%"};
	const unsigned n_names = sizeof(names) / sizeof(names[0]);
	struct brski_buf seen = {0};

	put_manufacturer("a");
	for (unsigned i = 0; i < n_names; i++)
		put_device("a", names[i]);
	each_device(one, "a", see_device, &seen);
	expect_seen(&seen, "a/? a/% a/' a/? a/A? a/A? a/A? a/~ a/?? ");
}
END_TEST

/* ---- Not there, and not to be had ---- */

/* want BRSKI_INTERNAL: any failure. */
static void expect_code(enum brski_code want, enum brski_code got, int line)
{
	bool failure = got == BRSKI_INTERNAL || got == BRSKI_UNAVAILABLE || got == BRSKI_NO_MEMORY;

	ck_assert_msg(want == BRSKI_INTERNAL ? failure : got == want, "line %d: %s: %s", line,
		brski_code_name(got), err.why);
}

#define EXPECT_CODE(call) expect_code(want, call, __LINE__)

static void ask_for_what_is_not_there(enum brski_code want)
{
	struct brski_store_manufacturer m;
	struct brski_store_device device;
	struct brski_store_nonceless voucher;
	struct brski_store_permission permission;
	struct brski_store_note note = contract_note("a", "b", false);
	struct brski_store_job job = contract_job("a");

	EXPECT_CODE(brski_store_job_get(one, "a", &job, &err));
	ck_assert(job.updated == 0 && job.blob.len == 0);
	EXPECT_CODE(brski_store_job_lease(one, "a", "alice", 1, &job, &err));
	ck_assert(job.updated == 0 && job.blob.len == 0);
	EXPECT_CODE(brski_store_permission_get(one, "a", &permission, &err));
	ck_assert_uint_eq(permission.revision, 0);
	EXPECT_CODE(brski_store_note_get(one, "a", &note, &err));
	ck_assert_str_eq(note.value, "");
	EXPECT_CODE(brski_store_manufacturer_get(one, "a", &m, &err));
	EXPECT_CODE(brski_store_manufacturer_remove(one, "a", &err));
	EXPECT_CODE(brski_store_device_get(one, "a", "S-1", &device, &err));
	EXPECT_CODE(brski_store_device_remove(one, "a", "S-1", &err));
	EXPECT_CODE(brski_store_device_put(one, "a", "S-1", "", &err));
	EXPECT_CODE(brski_store_candidate_accept(one, "a", "S-1", NULL, &err));
	EXPECT_CODE(brski_store_candidate_refuse(one, "a", "S-1", NULL, &err));
	EXPECT_CODE(brski_store_type_put(one, "a", "*", &err));
	EXPECT_CODE(brski_store_type_remove(one, "a", "*", &err));
	EXPECT_CODE(brski_store_nonceless_get(one, "a", "S-1", &voucher, &err));
	EXPECT_CODE(brski_store_nonceless_by_key(one, "a", &voucher, &err));
	EXPECT_CODE(brski_store_nonceless_remove(one, "a", "S-1", &err));
}

static void change_what_cannot_be_changed(enum brski_code want)
{
	struct brski_store_note note = contract_note("a", "b", false);
	struct brski_store_job job = contract_job("a");
	struct brski_store_permission permission = {.key = "a", .state = BRSKI_PERMISSION_REPORTED};
	enum brski_standing standing;
	unsigned n;

	EXPECT_CODE(brski_store_job_add(one, &job, NULL, &err));
	job.revision = 1;
	EXPECT_CODE(brski_store_job_replace(one, &job, NULL, &err));
	EXPECT_CODE(brski_store_jobs_settle(one, &job, 1, NULL, 0, NULL, &err));
	EXPECT_CODE(brski_store_jobs_settle(one, NULL, 0, &note, 1, NULL, &err));
	EXPECT_CODE(brski_store_permission_put(one, &permission, &err));
	EXPECT_CODE(brski_store_permission_take_back(one, "a", "S-1", 1, &err));
	EXPECT_CODE(brski_store_permissions_expire(one, 1, &n, &err));
	EXPECT_CODE(brski_store_job_release(one, "a", "alice", 0, &err));
	EXPECT_CODE(brski_store_jobs_expire(one, 1, &n, &err));
	EXPECT_CODE(brski_store_note_put(one, &note, &err));
	EXPECT_CODE(brski_store_notes_expire(one, 1, &n, &err));
	EXPECT_CODE(brski_store_standing(one, "a", "S-1", &standing, &err));
}

static void list_what_cannot_be_listed(enum brski_code want)
{
	const struct brski_store_job_filter waiting = {.state = BRSKI_JOB_WAITING};
	struct brski_store_place place = {0};
	struct brski_store_device device;
	struct brski_store_event event;
	struct brski_store_job job;
	unsigned n[3] = {7, 7, 7};

	EXPECT_CODE(brski_store_jobs_page(one, &waiting, &place, &job, 1, &n[0], &err));
	EXPECT_CODE(brski_store_devices_page(one, NULL, &place, &device, 1, &n[1], &err));
	EXPECT_CODE(brski_store_events_page(one, NULL, 9, &place, &event, 1, &n[2], &err));
	ck_assert(n[0] == 0 && n[1] == 0 && n[2] == 0);
}

START_TEST(not_found_is_no_failure_and_a_failure_is_not_not_found)
{
	ask_for_what_is_not_there(BRSKI_NOT_FOUND);
	contract_driver->spoil();
	ask_for_what_is_not_there(BRSKI_INTERNAL);
	change_what_cannot_be_changed(BRSKI_INTERNAL);
	list_what_cannot_be_listed(BRSKI_INTERNAL);
}
END_TEST

size_t contract_lists(const TTest **tests)
{
	const TTest *const all[] = {a_list_has_what_stays_once_whatever_comes_and_goes,
		answered_jobs_leave_the_list_and_no_other_does, lists_are_in_their_order,
		jobs_are_listed_by_their_back_end, back_ends_that_anything_waits_for_are_listed,
		candidates_are_listed_by_their_first_visit, the_newest_events_are_listed_oldest_first,
		strange_names_are_listed_once, not_found_is_no_failure_and_a_failure_is_not_not_found};

	memcpy(tests, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}
