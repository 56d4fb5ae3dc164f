/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_STORE_INTERNAL_H
#define BRSKI_SERVICES_MASA_MASA_STORE_INTERNAL_H

#include "services/base/sql_migrate.h"
#include "services/masa/masa_store.h"

/* The inside of the store, for its own files. */
struct masa_store {
	struct sql_db *db;
};

#endif
