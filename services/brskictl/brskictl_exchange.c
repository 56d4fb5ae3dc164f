/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl_site.h"

/* brskictl export and import: requests out and answers in, where there is no way to MASA and PKI. */

/* ---- export ---- */

static void print_counts(const struct brski_admin_exported *n, const char *path)
{
	printf("%s: %u requests for vouchers, %u for certificates, %u for vouchers ahead.\n", path,
		n->vouchers, n->certificates, n->nonceless);
	if (n->held)
		printf("%u stay here: the policy does not want them to go out now.\n", n->held);
}

static int run_export(const struct brskictl_site *site, struct brski_admin *admin, const char *path)
{
	struct brski_admin_exported exported;
	struct brski_buf file = {0};
	struct brski_error err = {0};
	enum brski_code code;
	int status = brskictl_site_load(site, admin);

	if (status)
		return status;
	code = brski_admin_export(admin, &file, &exported, &err);
	if (code == BRSKI_OK)
		code = brski_file_write(path, brski_buf_span(&file), &err);
	brski_buf_free(&file);
	if (code != BRSKI_OK)
		return brskictl_fail(&err);
	print_counts(&exported, path);
	return 0;
}

int brskictl_export(struct brski_admin *admin, const struct command_line *line)
{
	struct brskictl_site site = {0};

	brskictl_site_options(&site, line);
	return run_export(&site, admin, line->operands[0]);
}

/* ---- import ---- */

struct tally {
	unsigned n[BRSKI_ADMIN_OUTCOMES];
};

static void print_outcome(void *ctx, const struct brski_admin_imported *answer)
{
	static const char *const words[] = {
		[BRSKI_ADMIN_ANSWERED] = "answered",
		[BRSKI_ADMIN_REFUSED] = "refused",
		[BRSKI_ADMIN_GOES_ON] = "one step further, export again",
		[BRSKI_ADMIN_WAITS] = "no answer yet, nothing changed",
		[BRSKI_ADMIN_REPEATED] = "nothing changed",
		[BRSKI_ADMIN_WRONG] = "NOT TAKEN, nothing changed",
	};
	struct tally *tally = ctx;

	tally->n[answer->outcome]++;
	printf("%s of %s: %s: %s%s%s\n", answer->serial_number, answer->manufacturer, answer->kind,
		words[answer->outcome], answer->why[0] ? ": " : "", answer->why);
}

static int run_import(
	const struct brskictl_site *site, struct brski_admin *admin, const char *courier, const char *path)
{
	struct brski_buf file = {0};
	struct brski_error err = {0};
	struct tally tally = {0};
	enum brski_code code;
	int status = brskictl_site_load(site, admin);

	if (status)
		return status;
	code = brski_file_read(path, BRSKI_ADMIN_FILE_MAX, &file, &err);
	if (code == BRSKI_OK) {
		code = brski_admin_import(admin, brski_buf_span(&file), courier, print_outcome, &tally, &err);
		if (code != BRSKI_OK)
			brski_fail_context(&err, code, "nothing changed: %s", path);
	}
	brski_buf_free(&file);
	if (code != BRSKI_OK)
		return brskictl_fail(&err);
	return tally.n[BRSKI_ADMIN_WRONG] || tally.n[BRSKI_ADMIN_WAITS] ? 1 : 0;
}

int brskictl_import(struct brski_admin *admin, const struct command_line *line)
{
	struct brskictl_site site = {0};
	const char *courier = NULL;

	brskictl_site_options(&site, line);
	for (size_t i = 0; i < line->n_given; i++)
		if (line->given[i].id == 'S')
			courier = line->given[i].value;
	return run_import(&site, admin, courier, line->operands[0]);
}
