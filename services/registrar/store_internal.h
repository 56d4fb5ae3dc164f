/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_STORE_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_STORE_INTERNAL_H

#include "services/base/sql_migrate.h"
#include "services/registrar/store.h"

/* Private to store*.c. */
struct brski_store {
	struct sql_db *db;
};

/* store_schema.c: the version that this program works with, and the steps to it. */
extern const struct sql_schema brski_store_schema;

/*
 * Of a statement that puts a row below a manufacturer: what a constraint forbids is
 * BRSKI_NOT_FOUND, since there is no such manufacturer; any other code as it is.
 */
BRSKI_CHECKED enum brski_code brski_store_below(
	enum brski_code code, const char *manufacturer, struct brski_error *err);

#endif
