/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "services/registrar/admin_internal.h"
#include "services/registrar/modes.h"

/* Rules of mode "type". */

bool brski_admin_type_is_hardware(const char *pattern)
{
	return strncmp(pattern, BRSKI_TYPE_HARDWARE, strlen(BRSKI_TYPE_HARDWARE)) == 0;
}

/*
 * Behind "oid:" come digits and dots, and what a shell's pattern is made of; anything else is a
 * pattern of subjects.
 */
enum brski_code brski_admin_type_check(const char *pattern, struct brski_error *err)
{
	const char *oid = pattern + strlen(BRSKI_TYPE_HARDWARE);

	if (!admin_is_printable(pattern, BRSKI_TYPE_PATTERN_MAX))
		return brski_fail(err, BRSKI_MALFORMED, "a pattern has 1 to %d printable characters",
			BRSKI_TYPE_PATTERN_MAX - 1);
	if (brski_admin_type_is_hardware(pattern) && (!*oid || oid[strspn(oid, "0123456789.*?[]!-")]))
		return brski_fail(err, BRSKI_MALFORMED,
			"after 'oid:' comes an object identifier in digits and dots, perhaps with * ? or "
			"[...]");
	return BRSKI_OK;
}

enum brski_code brski_admin_type_put(
	struct brski_admin *admin, const char *manufacturer, const char *pattern, struct brski_error *err)
{
	enum brski_code code = brski_admin_type_check(pattern, err);

	return code == BRSKI_OK ? brski_store_type_put(admin->store, manufacturer, pattern, err) : code;
}

enum brski_code brski_admin_type_remove(
	struct brski_admin *admin, const char *manufacturer, const char *pattern, struct brski_error *err)
{
	return brski_store_type_remove(admin->store, manufacturer, pattern, err);
}

enum brski_code brski_admin_types(struct brski_admin *admin, const char *manufacturer,
	brski_admin_type_row *row, void *ctx, struct brski_error *err)
{
	struct brski_store_type rows[BRSKI_STORE_PAGE];
	struct brski_store_place place = {0};
	enum brski_code code;
	unsigned n;

	do {
		code = brski_store_types_page(
			admin->store, manufacturer, &place, rows, BRSKI_STORE_PAGE, &n, err);
		for (unsigned i = 0; i < n; i++) {
			const struct brski_admin_type type = {
				rows[i].manufacturer, rows[i].pattern, rows[i].added};

			row(ctx, &type);
		}
	} while (code == BRSKI_OK && n == BRSKI_STORE_PAGE);
	return code;
}
