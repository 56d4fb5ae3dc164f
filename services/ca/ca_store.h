/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_STORE_H
#define BRSKI_SERVICES_CA_CA_STORE_H

#include <time.h>

#include "eap_brski/pki/cert.h"

/* The CA's memory: one row for one certification request, its certificate and the answers given. */
struct ca_store;

BRSKI_CHECKED enum brski_code ca_store_open(const char *path, struct ca_store **out, struct brski_error *err);
void ca_store_close(struct ca_store *store);

enum ca_state {
	CA_WAITING,   /* issued, to be confirmed until confirm_by */
	CA_CONFIRMED, /* by certConf, or implicitly */
	CA_REJECTED,  /* by certConf: of no use any more */
	CA_LAPSED,    /* not confirmed in time: likewise */
};
const char *ca_state_name(enum ca_state state);

struct ca_record {
	long long id;
	struct brski_buf transaction_id;
	struct brski_buf digest; /* SHA-256 of the request, the inner one of a nested message */
	struct brski_buf signer; /* DER certificate of who signed the request */
	char requester[256];     /* "CN=... through CN=..." */
	char serial_number[48];
	char subject[256];
	struct brski_buf cert;   /* DER */
	struct brski_buf answer; /* DER PKIMessage */
	struct brski_buf answer_nonce;
	enum ca_state state;
	time_t issued;
	time_t confirm_by;            /* 0: implicitly confirmed */
	struct brski_buf conf_digest; /* of the certConf that was answered; len 0: none */
	struct brski_buf conf_answer;
};
void ca_record_free(struct ca_record *record);

/* On the disk when it returns. BRSKI_UNEXPECTED: the transactionID is in use. */
BRSKI_CHECKED enum brski_code ca_store_add(
	struct ca_store *store, const struct ca_record *record, struct brski_error *err);
/* BRSKI_NOT_FOUND. */
BRSKI_CHECKED enum brski_code ca_store_get(struct ca_store *store, struct brski_span transaction_id,
	struct ca_record *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code ca_store_confirm(struct ca_store *store, long long id, enum ca_state state,
	struct brski_span conf_digest, struct brski_span conf_answer, struct brski_error *err);
/* Turns what waits since before `now` to CA_LAPSED; *lapsed gets how many. */
BRSKI_CHECKED enum brski_code ca_store_lapse(
	struct ca_store *store, time_t now, int *lapsed, struct brski_error *err);
typedef void ca_store_row(void *ctx, const struct ca_record *record);
BRSKI_CHECKED enum brski_code ca_store_list(
	struct ca_store *store, ca_store_row *row, void *ctx, struct brski_error *err);

#endif
