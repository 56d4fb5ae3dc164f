/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_STORE_SQL_H
#define BRSKI_SERVICES_MASA_STORE_SQL_H

#include "services/masa_store.h"
#include "services/sql.h"

/* The inside of the store, for its own files. */
struct masa_store {
	sqlite3 *db;
};

#endif
