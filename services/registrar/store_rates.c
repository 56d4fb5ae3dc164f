/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/store_internal.h"

/*
 * How often a device asks for what is new: counted over a window that moves with the clock, never for
 * life, in rows that go when they leave it. They are written with the request that they count, so the
 * rate holds for all servers of a database, and after a restart.
 */

static const struct {
	const char *done;
	const char *setting;
} works[BRSKI_WORKS] = {
	[BRSKI_WORK_VOUCHER] = {"asked for a voucher", "max_requests_per_device"},
	[BRSKI_WORK_CERTIFICATE] = {"asked for a certificate", "max_requests_per_device"},
	[BRSKI_WORK_CONFIRMATION] = {"confirmed a certificate", "max_requests_per_device"},
	[BRSKI_WORK_QUESTION] = {"sent a genm", "max_requests_per_device"},
	[BRSKI_WORK_POLL] = {"polled the PKI", "max_polls_per_device"},
};

static bool is_bounded(const struct brski_store_work *asked, const struct brski_rate *rate)
{
	return rate->most > 0 && rate->seconds > 0 && (unsigned)asked->work < BRSKI_WORKS;
}

/* ?1 to ?3 are the device's and the work, ?4 when the window began; beyond ?5 the clock was wrong. */
#define OF_IT "manufacturer = ?1 AND serial_number = ?2 AND work = ?3"

static void bind(struct sql *q, const struct brski_store_work *asked, const struct brski_rate *rate)
{
	sql_bind_text(q, asked->manufacturer);
	sql_bind_text(q, asked->serial_number);
	sql_bind_int(q, asked->work);
	sql_bind_int(q, asked->at - (time_t)rate->seconds);
	sql_bind_int(q, asked->at + (time_t)rate->seconds);
}

/* The one whose leaving makes room: of the newest, number `most`. *at 0: there is room now. */
static enum brski_code find_last(struct brski_store *store, const struct brski_store_work *asked,
	const struct brski_rate *rate, time_t *at, struct brski_error *err)
{
	struct sql q;

	*at = 0;
	sql_begin_read(&q, store->db,
		"SELECT at FROM (SELECT at, sum(times) OVER (ORDER BY at DESC) AS newest FROM recent"
		"  WHERE " OF_IT " AND at > ?4 AND at <= ?5)"
		" WHERE newest >= ?6 ORDER BY at DESC LIMIT 1",
		err);
	bind(&q, asked, rate);
	sql_bind_int(&q, rate->most);
	if (sql_row(&q))
		*at = (time_t)sql_int(&q, 0);
	return sql_end(&q);
}

enum brski_code brski_store_rate_look(struct brski_store *store, const struct brski_store_work *asked,
	const struct brski_rate *rate, long *seconds, struct brski_error *err)
{
	time_t at;
	enum brski_code code;

	*seconds = 0;
	if (!is_bounded(asked, rate))
		return BRSKI_OK;
	code = find_last(store, asked, rate, &at, err);
	if (code != BRSKI_OK || at == 0)
		return code;
	*seconds = (long)(at + (time_t)rate->seconds - asked->at);
	if (*seconds > (long)rate->seconds)
		*seconds = (long)rate->seconds;
	return brski_fail(err, BRSKI_TOO_LARGE, "this device has %s %u times in %u s already (%s)",
		works[asked->work].done, rate->most, rate->seconds, works[asked->work].setting);
}

static enum brski_code count(struct brski_store *store, const struct brski_store_work *asked,
	const struct brski_rate *rate, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, "DELETE FROM recent WHERE " OF_IT " AND (at <= ?4 OR at > ?5)", err);
	bind(&q, asked, rate);
	if (sql_run(&q) != BRSKI_OK)
		return q.code;
	sql_begin(&q, store->db,
		"INSERT INTO recent (manufacturer, serial_number, work, at, times) VALUES (?1, ?2, ?3, ?4, 1)"
		" ON CONFLICT (manufacturer, serial_number, work, at) DO UPDATE SET times = times + 1",
		err);
	sql_bind_text(&q, asked->manufacturer);
	sql_bind_text(&q, asked->serial_number);
	sql_bind_int(&q, asked->work);
	sql_bind_int(&q, asked->at);
	return sql_run(&q);
}

enum brski_code brski_store_rate_take(struct brski_store *store, const struct brski_store_work *asked,
	const struct brski_rate *rate, struct brski_error *err)
{
	long seconds;
	enum brski_code code = brski_store_rate_look(store, asked, rate, &seconds, err);

	if (code == BRSKI_OK && is_bounded(asked, rate))
		code = count(store, asked, rate, err);
	return code;
}

enum brski_code brski_store_rates_expire(
	struct brski_store *store, time_t before, time_t after, unsigned *n, struct brski_error *err)
{
	struct sql q;
	uint64_t changed;
	enum brski_code code;

	sql_begin_lazy(&q, store->db,
		"DELETE FROM recent WHERE (manufacturer, serial_number, work, at) IN"
		" (SELECT manufacturer, serial_number, work, at FROM recent WHERE at < ?1 OR at > ?2 LIMIT ?3)",
		err);
	sql_bind_int(&q, before);
	sql_bind_int(&q, after);
	sql_bind_int(&q, BRSKI_STORE_STEP);
	code = sql_run_changes(&q, &changed);
	*n = (unsigned)changed;
	return code;
}
