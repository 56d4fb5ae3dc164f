/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/ca_rows.h"

#include <stdio.h>

#include "tests/unit/support/files.h"

static void take_row(void *ctx, const struct ca_record *record)
{
	struct ca_rows *rows = ctx;

	rows->n++;
	rows->state = record->state;
	snprintf(rows->subject, sizeof(rows->subject), "%s", record->subject);
	snprintf(rows->requester, sizeof(rows->requester), "%s", record->requester);
}

struct ca_rows ca_rows(struct ca_store *store)
{
	struct ca_rows rows = {0};
	struct brski_error err;

	EXPECT(BRSKI_OK, ca_store_list(store, take_row, &rows, &err));
	return rows;
}
