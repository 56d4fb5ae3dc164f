/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_UNIT_SUPPORT_STORE_CONTRACT_INTERNAL_H
#define BRSKI_TESTS_UNIT_SUPPORT_STORE_CONTRACT_INTERNAL_H

#include <check.h>

#include "tests/unit/support/files.h"
#include "tests/unit/support/store_contract.h"
#include "tests/unit/support/store_rows.h"

/* Private to store_contract*.c: the two connections, and what the tests do with them. */
extern const struct store_driver *contract_driver;
extern struct brski_store *one, *two;
extern struct brski_error err;

#define CONTRACT_BACK_END "http://ca.example"
/* Of device "S-1" of acme, from the year 1970, for that back end. */
struct brski_store_job contract_job(const char *key);
void contract_blob(struct brski_store_job *job, const char *text);
void contract_add(const char *key);
struct brski_store_job contract_get(struct brski_store *store, const char *key);
void contract_expect_job(
	const char *key, uint64_t revision, enum brski_job_state state, const char *blob, time_t updated);
void contract_expect_no_job(const char *key);
/* The answer to the job as `read` has it. */
enum brski_code contract_answer(struct brski_store *store, const struct brski_store_job *read,
	enum brski_job_state state, const char *blob);
struct brski_store_note contract_note(const char *key, const char *value, bool of_transaction);
void contract_put_note(const char *key, const char *value, bool of_transaction);
/* "": there is none. */
void contract_expect_note(const char *key, const char *value);
/* The same on both connections, at one time. */
void contract_both(void *(*work)(void *store));

/* Tests of the other files; how many. */
size_t contract_leases(const TTest **tests); /* and notes */
size_t contract_lists(const TTest **tests);
size_t contract_permissions(const TTest **tests);

#endif
