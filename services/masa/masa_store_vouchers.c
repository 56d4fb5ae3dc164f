/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/base64.h"
#include "services/masa/masa_store_internal.h"

/* The store's part about issued vouchers, of which the audit log is a view. */

bool masa_is_proved(enum brski_assertion assertion)
{
	return assertion == BRSKI_ASSERTION_PROXIMITY || assertion == BRSKI_ASSERTION_VERIFIED;
}

static enum brski_code insert(
	struct masa_store *store, const struct masa_issued *issued, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO vouchers (device, domain_id, pinned, nonce, assertion, created_on, cms,"
		" nonce_text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		err);
	sql_bind_int(&q, issued->device);
	sql_bind_blob(&q, issued->domain_id);
	sql_bind_text(&q, issued->pinned);
	sql_bind_blob(&q, issued->nonce);
	sql_bind_int(&q, issued->assertion);
	sql_bind_int(&q, issued->created_on);
	sql_bind_blob(&q, issued->cms);
	sql_bind_text(&q, issued->nonce_text ? issued->nonce_text : "");
	return sql_run(&q);
}

static enum brski_code count_forgotten(
	struct masa_store *store, long long device, uint64_t n, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, "UPDATE devices SET forgotten = forgotten + ?2 WHERE id = ?1", err);
	sql_bind_int(&q, device);
	sql_bind_int(&q, (long long)n);
	return sql_run(&q);
}

/* What strangers can have made for a device that they only know the number of is no more than this. */
static enum brski_code forget_unproved(struct masa_store *store, long long device, struct brski_error *err)
{
	struct sql q;
	uint64_t n;
	enum brski_code code;

	sql_begin(&q, store->db,
		"DELETE FROM vouchers WHERE id IN (SELECT id FROM vouchers WHERE device = ?1"
		" AND assertion = ?2 ORDER BY id DESC LIMIT -1 OFFSET ?3)",
		err);
	sql_bind_int(&q, device);
	sql_bind_int(&q, BRSKI_ASSERTION_LOGGED);
	sql_bind_int(&q, MASA_UNPROVED_MAX);
	code = sql_run_changes(&q, &n);
	return code == BRSKI_OK && n > 0 ? count_forgotten(store, device, n, err) : code;
}

enum brski_code masa_voucher_add(
	struct masa_store *store, const struct masa_issued *issued, struct brski_error *err)
{
	enum brski_code code = sql_transaction_begin(store->db, err);

	if (code != BRSKI_OK)
		return code;
	code = insert(store, issued, err);
	if (code == BRSKI_OK && !masa_is_proved(issued->assertion))
		code = forget_unproved(store, issued->device, err);
	return sql_transaction_end(store->db, code, err);
}

enum brski_code masa_voucher_find(struct masa_store *store, const struct masa_issued *like, time_t since,
	struct brski_buf *cms, struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	brski_buf_free(cms);
	sql_begin(&q, store->db,
		"SELECT cms FROM vouchers WHERE device = ?1 AND pinned = ?2 AND nonce = ?3 AND nonce_text IN ('', ?6)"
		" AND assertion = ?4 AND created_on >= ?5 ORDER BY id DESC LIMIT 1",
		err);
	sql_bind_int(&q, like->device);
	sql_bind_text(&q, like->pinned);
	sql_bind_blob(&q, like->nonce);
	sql_bind_int(&q, like->assertion);
	sql_bind_int(&q, since);
	sql_bind_text(&q, like->nonce_text ? like->nonce_text : "");
	found = sql_row(&q);
	if (found)
		sql_blob(&q, 0, cms);
	code = sql_end(&q);
	return code == BRSKI_OK && !found ? brski_fail(err, BRSKI_NOT_FOUND, "no such voucher") : code;
}

enum brski_code masa_voucher_latest(
	struct masa_store *store, long long device, bool proved, time_t *at, struct brski_error *err)
{
	struct sql q;

	*at = 0;
	sql_begin(&q, store->db,
		"SELECT coalesce(max(created_on), 0) FROM vouchers WHERE device = ?1"
		" AND (assertion IN (?2, ?3)) = ?4",
		err);
	sql_bind_int(&q, device);
	sql_bind_int(&q, BRSKI_ASSERTION_PROXIMITY);
	sql_bind_int(&q, BRSKI_ASSERTION_VERIFIED);
	sql_bind_int(&q, proved);
	if (sql_row(&q))
		*at = (time_t)sql_int(&q, 0);
	return sql_end(&q);
}

enum brski_code masa_proved_elsewhere(struct masa_store *store, long long device, const char *pinned,
	bool *elsewhere, struct brski_error *err)
{
	struct sql q;

	*elsewhere = false;
	sql_begin(&q, store->db,
		"SELECT count(*) > 0 AND coalesce(max(pinned = ?2), 0) = 0 FROM vouchers"
		" WHERE device = ?1 AND assertion IN (?3, ?4)",
		err);
	sql_bind_int(&q, device);
	sql_bind_text(&q, pinned);
	sql_bind_int(&q, BRSKI_ASSERTION_PROXIMITY);
	sql_bind_int(&q, BRSKI_ASSERTION_VERIFIED);
	if (sql_row(&q))
		*elsewhere = sql_int(&q, 0) != 0;
	return sql_end(&q);
}

enum brski_code masa_domain_had(struct masa_store *store, long long device, struct brski_span domain_id,
	bool *had, struct brski_error *err)
{
	struct sql q;

	*had = false;
	sql_begin(&q, store->db, "SELECT count(*) FROM vouchers WHERE device = ?1 AND domain_id = ?2", err);
	sql_bind_int(&q, device);
	sql_bind_blob(&q, domain_id);
	if (sql_row(&q))
		*had = sql_int(&q, 0) > 0;
	return sql_end(&q);
}

/* All that there ever were, those that are forgotten among them. */
static enum brski_code count_events(
	struct masa_store *store, long long device, long *count, struct brski_error *err)
{
	struct sql q;

	*count = 0;
	sql_begin(&q, store->db,
		"SELECT (SELECT count(*) FROM vouchers WHERE device = ?1)"
		" + (SELECT coalesce(sum(forgotten), 0) FROM devices WHERE id = ?1)",
		err);
	sql_bind_int(&q, device);
	if (sql_row(&q))
		*count = (long)sql_int(&q, 0);
	return sql_end(&q);
}

/* RFC 8995 5.8.1's log has the text; what is stored without one is written in base64. */
static bool read_nonce(struct sql *q, struct brski_buf *out)
{
	struct brski_buf octets = {0};
	char text[BRSKI_NONCE_TEXT_MAX] = "";
	bool ok;

	sql_blob(q, 2, &octets);
	sql_text(q, 5, text, sizeof(text));
	if (text[0])
		ok = brski_buf_set(out, brski_span_str(text)) == BRSKI_OK;
	else
		ok = octets.len == 0 || brski_base64_encode(brski_buf_span(&octets), out) == BRSKI_OK;
	brski_buf_free(&octets);
	return ok;
}

static bool read_event(struct sql *q, struct brski_audit_event *event, long *left_out)
{
	event->date = (time_t)sql_int(q, 0);
	sql_blob(q, 1, &event->domain_id);
	event->assertion = (enum brski_assertion)sql_int(q, 3);
	*left_out = (long)sql_int(q, 4);
	if (*left_out > 0)
		snprintf(event->truncated, sizeof(event->truncated), "%ld", *left_out);
	return read_nonce(q, &event->nonce);
}

/* Every event, with none left out for it. */
static const char all_events[] = "SELECT created_on, domain_id, nonce, assertion, 0, nonce_text FROM vouchers"
				 " WHERE device = ?1 ORDER BY id DESC LIMIT ?2";
/*
 * RFC 8995 5.8.1: of each domain the newest nonced and the newest nonceless event, with the number
 * of its others. A domain is told by its certificate, since anybody's may bear the identifier of
 * another's, and what is proved is told apart, and comes before what anybody can have made.
 */
static const char newest_events[] =
	"SELECT created_on, domain_id, nonce, assertion, n - 1, nonce_text FROM"
	" (SELECT max(id) AS id, count(*) AS n, assertion IN (?3, ?4) AS proved FROM vouchers"
	" WHERE device = ?1 GROUP BY domain_id, pinned, nonce = x'', proved"
	" ORDER BY proved DESC, max(id) DESC LIMIT ?2)"
	" JOIN vouchers USING (id) ORDER BY id DESC";

static void bind_newest(struct sql *q)
{
	sql_bind_int(q, BRSKI_ASSERTION_PROXIMITY);
	sql_bind_int(q, BRSKI_ASSERTION_VERIFIED);
}

enum brski_code masa_audit_log(
	struct masa_store *store, long long device, struct brski_audit_log *out, struct brski_error *err)
{
	long count;
	long left_out;
	bool ok = true;
	struct sql q;
	enum brski_code code = count_events(store, device, &count, err);

	memset(out, 0, sizeof(*out));
	if (code != BRSKI_OK)
		return code;
	out->events = calloc(BRSKI_AUDIT_EVENTS_MAX, sizeof(*out->events));
	if (!out->events)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	sql_begin(&q, store->db, count > BRSKI_AUDIT_EVENTS_MAX ? newest_events : all_events, err);
	sql_bind_int(&q, device);
	sql_bind_int(&q, BRSKI_AUDIT_EVENTS_MAX);
	if (count > BRSKI_AUDIT_EVENTS_MAX)
		bind_newest(&q);
	while (ok && out->n_events < BRSKI_AUDIT_EVENTS_MAX && sql_row(&q)) {
		ok = read_event(&q, &out->events[out->n_events++], &left_out);
		out->duplicates += left_out;
	}
	code = sql_end(&q);
	if (code == BRSKI_OK && !ok)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for an audit log");
	/*
	 * what is neither listed nor counted with a listed one is of domains that are not in the
	 * log at all
	 */
	out->truncated = count - (long)out->n_events - out->duplicates;
	if (code != BRSKI_OK)
		brski_audit_log_free(out);
	return code;
}
