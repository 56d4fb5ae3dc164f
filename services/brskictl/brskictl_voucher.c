/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl_json.h"
#include "services/brskictl/brskictl_site.h"

#define LIST_MAX ((size_t)64 * 1024 * 1024)

/*
 * brskictl voucher: vouchers without nonce, fetched ahead for devices that will come when the MASA
 * is away.
 */

struct fetching {
	const struct command_line *line;
	struct brski_admin_fetch *fetch;
	bool offline;
	unsigned n, failed;
	int status; /* of a list: not 0 once it makes no sense to go on */
};

/* ---- Fetch ---- */

static const char *outcome_words(enum brski_admin_outcome outcome)
{
	return outcome == BRSKI_ADMIN_ANSWERED  ? "here"
	       : outcome == BRSKI_ADMIN_REFUSED ? "refused"
	       : outcome == BRSKI_ADMIN_WAITS   ? "no answer yet"
						: "not taken";
}

static int fetch_one(struct fetching *f, const char *serial)
{
	struct brski_admin_fetched fetched;
	struct brski_error err = {0};

	f->n++;
	if (brski_admin_fetch_one(f->fetch, serial, &fetched, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (f->offline)
		return 0;
	printf("%s: %s: %s\n", serial, outcome_words(fetched.outcome), fetched.why);
	if (fetched.outcome != BRSKI_ADMIN_ANSWERED)
		f->failed++;
	return 0;
}

static void fetch_row(void *ctx, const char *serial)
{
	struct fetching *f = ctx;

	if (!f->status)
		f->status = brskictl_check_serial(f->line, serial);
	if (!f->status)
		f->status = fetch_one(f, serial);
}

static int fetch_file(struct fetching *f, const char *path)
{
	struct brski_buf csv = {0};
	struct brski_error err = {0};
	enum brski_code code =
		brski_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, LIST_MAX, &csv, &err);

	if (code == BRSKI_OK)
		code = brski_admin_serials_read(brski_buf_span(&csv), fetch_row, f, &err);
	brski_buf_free(&csv);
	if (code == BRSKI_MALFORMED)
		return brskictl_usage(f->line, "%s: %s; nothing was fetched", path, err.why);
	return code == BRSKI_OK ? f->status : brskictl_fail(&err);
}

static int run_fetch(struct fetching *f, const char *file, int n, char **serials)
{
	int status = 0;

	for (int i = 0; !status && i < n; i++)
		status = fetch_one(f, serials[i]);
	if (!status && file)
		status = fetch_file(f, file);
	if (!status && f->offline)
		printf("%u requests wait for 'brskictl export'.\n", f->n);
	return status ? status : f->failed ? 1 : 0;
}

static int begin_fetch(struct brski_admin *admin, const struct brskictl_site *site,
	const struct brski_admin_fetch_config *config, const struct command_line *line, struct fetching *f)
{
	struct brski_error err = {0};
	int status = brskictl_site_load(site, admin);

	*f = (struct fetching){.line = line, .offline = config->offline};
	if (!status && brski_admin_fetch_new(admin, config, &f->fetch, &err) != BRSKI_OK)
		status = brskictl_fail(&err);
	return status;
}

int brskictl_voucher_fetch_use(const struct command_line *line)
{
	int status = COMMAND_DONE;

	if (line->n_operands == 1 && !brskictl_option(line, 'f'))
		return brskictl_usage(
			line, "'voucher fetch' takes MANUFACTURER and SERIAL..., or --file FILE");
	for (int i = 1; !status && i < line->n_operands; i++)
		status = brskictl_check_serial(line, line->operands[i]);
	return status;
}

int brskictl_voucher_fetch(struct brski_admin *admin, const struct command_line *line)
{
	const struct brski_admin_fetch_config config = {.manufacturer = line->operands[0],
		.idevid = brskictl_option(line, 'i'),
		.offline = command_given(line, 'o')};
	struct brskictl_site site = {0};
	struct fetching f;
	int status;

	brskictl_site_options(&site, line);
	status = begin_fetch(admin, &site, &config, line, &f);
	if (!status)
		status = run_fetch(&f, brskictl_option(line, 'f'), line->n_operands - 1, line->operands + 1);
	brski_admin_fetch_free(f.fetch);
	return status;
}

/* ---- list, remove ---- */

static void print_row(void *ctx, const struct brski_admin_voucher *v)
{
	char fetched[32], expires[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-28s %-10s %-20s %-20s%s\n", v->manufacturer, v->serial_number,
		brskictl_voucher_state(v->state), brskictl_time(v->fetched, fetched),
		v->state == BRSKI_ADMIN_VOUCHER_ASKED ? "-" : brskictl_time(v->expires_on, expires),
		v->renewing ? " (a new one is asked for)" : "");
}

static void json_row(void *ctx, const struct brski_admin_voucher *v)
{
	listing_row(ctx, brskictl_json_voucher(v));
}

int brskictl_voucher_list(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = brskictl_operand(line, 0);
	struct listing json = {.name = "vouchers"};
	struct brski_error err;
	unsigned n = 0;

	if (command_given(line, BRSKICTL_JSON))
		return brskictl_listed(
			&json, brski_admin_vouchers(admin, manufacturer, json_row, &json, &err), NULL, &err);
	printf("%-20s %-28s %-10s %-20s %s\n", "MANUFACTURER", "SERIAL NUMBER", "STATE", "FETCHED",
		"EXPIRES");
	if (brski_admin_vouchers(admin, manufacturer, print_row, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("None. Fetch them with 'brskictl voucher fetch MANUFACTURER SERIAL...'.");
	return 0;
}

int brskictl_voucher_remove(struct brski_admin *admin, const struct command_line *line)
{
	const char *manufacturer = line->operands[0], *serial = line->operands[1];
	struct brski_error err;

	if (brski_admin_voucher_remove(admin, manufacturer, serial, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("The voucher for %s of %s is removed.\n", serial, manufacturer);
	return 0;
}
