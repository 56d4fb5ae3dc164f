/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/admin_internal.h"

/* Which doors of this store have rules of the administrator's own. */

enum brski_code brski_admin_rules(
	struct brski_admin *admin, brski_admin_rules_row *row, void *ctx, struct brski_error *err)
{
	struct brski_store_rules rows[BRSKI_STORE_PAGE_HEAVY];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_rules_page(admin->store, &place, rows, BRSKI_STORE_PAGE_HEAVY, &n, err);
		for (unsigned i = 0; i < n; i++) {
			const struct brski_admin_rules rules = {rows[i].door, rows[i].rules, rows[i].since};

			row(ctx, &rules);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE_HEAVY);
	return code;
}

enum brski_code brski_admin_rules_forget(struct brski_admin *admin, const char *door, struct brski_error *err)
{
	return brski_store_rules_forget(admin->store, door, err);
}
