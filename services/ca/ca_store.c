/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_store.h"

#include <stdlib.h>
#include <string.h>

#include "services/base/sql.h"

#define SCHEMA_VERSION 1

static const char schema[] =
	"CREATE TABLE certificates (id INTEGER PRIMARY KEY, transaction_id BLOB NOT NULL UNIQUE, "
	"digest BLOB NOT NULL, signer BLOB NOT NULL, requester TEXT NOT NULL, serial TEXT NOT "
	"NULL UNIQUE, subject TEXT NOT NULL, cert BLOB NOT NULL, answer BLOB NOT NULL, "
	"answer_nonce BLOB NOT NULL, state INTEGER NOT NULL, issued INTEGER NOT NULL, confirm_by "
	"INTEGER NOT NULL, conf_digest BLOB NOT NULL, conf_answer BLOB NOT NULL) STRICT;CREATE "
	"INDEX certificates_by_state ON certificates (state, confirm_by);";

#define COLUMNS \
	"id, transaction_id, digest, signer, requester, serial, subject, cert, answer, answer_nonce, " \
	"state, issued," \
	" confirm_by, conf_digest, conf_answer"

struct ca_store {
	sqlite3 *db;
};

enum brski_code ca_store_open(const char *path, struct ca_store **out, struct brski_error *err)
{
	struct ca_store *store = calloc(1, sizeof(*store));
	enum brski_code code;

	*out = NULL;
	if (!store)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	code = sql_open(path, schema, SCHEMA_VERSION, &store->db, err);
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
	sqlite3_close(store->db);
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
	struct sql q = sql_start(store->db,
		"INSERT INTO certificates (transaction_id, digest, signer, requester, serial,"
		" subject, cert, answer, answer_nonce, state, issued, confirm_by, conf_digest,"
		" conf_answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, x'', x'')");

	sql_bind_span(&q, brski_buf_span(&r->transaction_id));
	sql_bind_span(&q, brski_buf_span(&r->digest));
	sql_bind_span(&q, brski_buf_span(&r->signer));
	sql_bind_text(&q, r->requester);
	sql_bind_text(&q, r->serial_number);
	sql_bind_text(&q, r->subject);
	sql_bind_span(&q, brski_buf_span(&r->cert));
	sql_bind_span(&q, brski_buf_span(&r->answer));
	sql_bind_span(&q, brski_buf_span(&r->answer_nonce));
	sql_bind_int(&q, r->state);
	sql_bind_int(&q, r->issued);
	sql_bind_int(&q, r->confirm_by);
	return sql_end(&q, err);
}

static void read_record(struct sql *q, struct ca_record *out)
{
	long long state;

	out->id = sql_int(q);
	sql_buf(q, &out->transaction_id);
	sql_buf(q, &out->digest);
	sql_buf(q, &out->signer);
	sql_text(q, out->requester, sizeof(out->requester));
	sql_text(q, out->serial_number, sizeof(out->serial_number));
	sql_text(q, out->subject, sizeof(out->subject));
	sql_buf(q, &out->cert);
	sql_buf(q, &out->answer);
	sql_buf(q, &out->answer_nonce);
	state = sql_int(q);
	out->state = state >= CA_WAITING && state <= CA_LAPSED ? (enum ca_state)state : CA_REJECTED;
	out->issued = (time_t)sql_int(q);
	out->confirm_by = (time_t)sql_int(q);
	sql_buf(q, &out->conf_digest);
	sql_buf(q, &out->conf_answer);
}

enum brski_code ca_store_get(struct ca_store *store, struct brski_span transaction_id, struct ca_record *out,
	struct brski_error *err)
{
	struct sql q = sql_start(store->db, "SELECT " COLUMNS " FROM certificates WHERE transaction_id = ?");
	bool found;
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	sql_bind_span(&q, transaction_id);
	found = sql_row(&q);
	if (found)
		read_record(&q, out);
	code = sql_end(&q, err);
	if (code == BRSKI_OK && !found)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no transaction has this transactionID");
	if (code != BRSKI_OK)
		ca_record_free(out);
	return code;
}

enum brski_code ca_store_confirm(struct ca_store *store, long long id, enum ca_state state,
	struct brski_span conf_digest, struct brski_span conf_answer, struct brski_error *err)
{
	struct sql q = sql_start(store->db,
		"UPDATE certificates SET state = ?, conf_digest = ?, conf_answer = ? WHERE id = ?");

	sql_bind_int(&q, state);
	sql_bind_span(&q, conf_digest);
	sql_bind_span(&q, conf_answer);
	sql_bind_int(&q, id);
	return sql_end(&q, err);
}

enum brski_code ca_store_lapse(struct ca_store *store, time_t now, int *lapsed, struct brski_error *err)
{
	struct sql q =
		sql_start(store->db, "UPDATE certificates SET state = ? WHERE state = ? AND confirm_by < ?");
	enum brski_code code;

	sql_bind_int(&q, CA_LAPSED);
	sql_bind_int(&q, CA_WAITING);
	sql_bind_int(&q, now);
	code = sql_end(&q, err);
	*lapsed = code == BRSKI_OK ? sqlite3_changes(store->db) : 0;
	return code;
}

enum brski_code ca_store_list(struct ca_store *store, ca_store_row *row, void *ctx, struct brski_error *err)
{
	struct sql q = sql_start(store->db, "SELECT " COLUMNS " FROM certificates ORDER BY id");

	while (sql_row(&q)) {
		struct ca_record record = {0};

		read_record(&q, &record);
		row(ctx, &record);
		ca_record_free(&record);
	}
	return sql_end(&q, err);
}
