/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "services/base/sql_files.h"
#include "services/registrar/admin_internal.h"

bool admin_is_printable(const char *text, size_t size)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return n > 0 && n < size;
}

enum brski_code brski_admin_open(const char *database, bool create, const struct brski_env *env,
	struct brski_admin **out, struct brski_error *err)
{
	struct brski_admin *admin = calloc(1, sizeof(*admin));
	enum brski_code code;

	*out = NULL;
	if (!admin)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the database");
	admin->env = env;
	code = brski_store_open(database, create, &admin->store, err);
	if (code == BRSKI_OK)
		code = admin_site_new(&admin->site, err);
	if (code != BRSKI_OK) {
		brski_admin_close(admin);
		return code;
	}
	*out = admin;
	return BRSKI_OK;
}

enum brski_code brski_admin_mend(
	const char *database, brski_admin_mended_row *row, void *ctx, struct brski_error *err)
{
	return sql_files_mend(database, row, ctx, err);
}

bool brski_admin_lacks_rights(const char *database)
{
	char words[320];

	return sql_files_why_not(database, NULL, words, sizeof(words));
}

void brski_admin_close(struct brski_admin *admin)
{
	if (!admin)
		return;
	admin_site_free(admin->site);
	brski_store_close(admin->store);
	free(admin);
}
