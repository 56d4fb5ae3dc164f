/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_store.h"

#include <stdlib.h>
#include <string.h>

#include "services/base/sql_migrate.h"

static const char *const steps[] = {
	"CREATE TABLE certificates (id INTEGER PRIMARY KEY, transaction_id BLOB NOT NULL UNIQUE, "
	"digest BLOB NOT NULL, signer BLOB NOT NULL, requester TEXT NOT NULL, "
	"serial TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, cert BLOB NOT NULL, answer BLOB NOT NULL, "
	"answer_nonce BLOB NOT NULL, state INTEGER NOT NULL, issued INTEGER NOT NULL, "
	"confirm_by INTEGER NOT NULL, conf_digest BLOB NOT NULL, conf_answer BLOB NOT NULL) STRICT;"
	"CREATE INDEX certificates_by_state ON certificates (state, confirm_by);",
};
static const struct sql_schema schema = {.steps = steps, .version = sizeof(steps) / sizeof(steps[0])};

#define COLUMNS \
	"id, transaction_id, digest, signer, requester, serial, subject, cert, answer, answer_nonce, " \
	"state, issued, confirm_by, conf_digest, conf_answer"

struct ca_store {
	struct sql_db *db;
};

enum brski_code ca_store_open(const char *path, struct ca_store **out, struct brski_error *err)
{
	struct ca_store *store = calloc(1, sizeof(*store));
	enum brski_code code;

	*out = NULL;
	if (!store)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	code = sql_open_store(path, &schema, &store->db, err);
	if (code == BRSKI_OK)
		*out = store;
	else
		free(store);
	return code;
}

void ca_store_close(struct ca_store *store)
{
	if (!store)
		return;
	sql_close(store->db);
	free(store);
}

const char *ca_state_name(enum ca_state state)
{
	static const char *const names[] = {"waiting", "confirmed", "rejected", "lapsed"};

	return names[state];
}

void ca_record_free(struct ca_record *record)
{
	brski_buf_free(&record->transaction_id);
	brski_buf_free(&record->digest);
	brski_buf_free(&record->signer);
	brski_buf_free(&record->cert);
	brski_buf_free(&record->answer);
	brski_buf_free(&record->answer_nonce);
	brski_buf_free(&record->conf_digest);
	brski_buf_free(&record->conf_answer);
	memset(record, 0, sizeof(*record));
}

enum brski_code ca_store_add(struct ca_store *store, const struct ca_record *r, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"INSERT INTO certificates (transaction_id, digest, signer, requester, serial,"
		" subject, cert, answer, answer_nonce, state, issued, confirm_by, conf_digest,"
		" conf_answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, x'', x'')",
		err);
	sql_bind_blob(&q, brski_buf_span(&r->transaction_id));
	sql_bind_blob(&q, brski_buf_span(&r->digest));
	sql_bind_blob(&q, brski_buf_span(&r->signer));
	sql_bind_text(&q, r->requester);
	sql_bind_text(&q, r->serial_number);
	sql_bind_text(&q, r->subject);
	sql_bind_blob(&q, brski_buf_span(&r->cert));
	sql_bind_blob(&q, brski_buf_span(&r->answer));
	sql_bind_blob(&q, brski_buf_span(&r->answer_nonce));
	sql_bind_int(&q, r->state);
	sql_bind_int(&q, r->issued);
	sql_bind_int(&q, r->confirm_by);
	return sql_run(&q);
}

static void read_record(struct sql *q, struct ca_record *out)
{
	long long state;

	out->id = sql_int(q, 0);
	sql_blob(q, 1, &out->transaction_id);
	sql_blob(q, 2, &out->digest);
	sql_blob(q, 3, &out->signer);
	sql_text(q, 4, out->requester, sizeof(out->requester));
	sql_text(q, 5, out->serial_number, sizeof(out->serial_number));
	sql_text(q, 6, out->subject, sizeof(out->subject));
	sql_blob(q, 7, &out->cert);
	sql_blob(q, 8, &out->answer);
	sql_blob(q, 9, &out->answer_nonce);
	state = sql_int(q, 10);
	out->state = state >= CA_WAITING && state <= CA_LAPSED ? (enum ca_state)state : CA_REJECTED;
	out->issued = (time_t)sql_int(q, 11);
	out->confirm_by = (time_t)sql_int(q, 12);
	sql_blob(q, 13, &out->conf_digest);
	sql_blob(q, 14, &out->conf_answer);
}

enum brski_code ca_store_get(struct ca_store *store, struct brski_span transaction_id, struct ca_record *out,
	struct brski_error *err)
{
	struct sql q;
	bool found;
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	sql_begin(&q, store->db, "SELECT " COLUMNS " FROM certificates WHERE transaction_id = ?1", err);
	sql_bind_blob(&q, transaction_id);
	found = sql_row(&q);
	if (found)
		read_record(&q, out);
	code = sql_end(&q);
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no transaction has this transactionID");
	if (code != BRSKI_OK)
		ca_record_free(out);
	return code;
}

enum brski_code ca_store_confirm(struct ca_store *store, long long id, enum ca_state state,
	struct brski_span conf_digest, struct brski_span conf_answer, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db,
		"UPDATE certificates SET state = ?1, conf_digest = ?2, conf_answer = ?3 WHERE id = ?4", err);
	sql_bind_int(&q, state);
	sql_bind_blob(&q, conf_digest);
	sql_bind_blob(&q, conf_answer);
	sql_bind_int(&q, id);
	return sql_run(&q);
}

enum brski_code ca_store_lapse(struct ca_store *store, time_t now, int *lapsed, struct brski_error *err)
{
	struct sql q;
	uint64_t changes;
	enum brski_code code;

	sql_begin(&q, store->db, "UPDATE certificates SET state = ?1 WHERE state = ?2 AND confirm_by < ?3",
		err);
	sql_bind_int(&q, CA_LAPSED);
	sql_bind_int(&q, CA_WAITING);
	sql_bind_int(&q, now);
	code = sql_run_changes(&q, &changes);
	*lapsed = (int)changes;
	return code;
}

enum brski_code ca_store_list(struct ca_store *store, ca_store_row *row, void *ctx, struct brski_error *err)
{
	struct sql q;

	sql_begin(&q, store->db, "SELECT " COLUMNS " FROM certificates ORDER BY id", err);
	while (sql_row(&q)) {
		struct ca_record record = {0};

		read_record(&q, &record);
		if (q.code == BRSKI_OK)
			row(ctx, &record);
		ca_record_free(&record);
	}
	return sql_end(&q);
}
