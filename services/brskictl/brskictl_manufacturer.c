/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl.h"

/* ---- add ---- */

static enum brski_code set_pem(struct brski_admin_manufacturer *m, enum brski_admin_pem which,
	const char *path, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code = brski_file_read(path, BRSKI_BUF_LIMIT, &pem, err);

	if (code == BRSKI_OK)
		code = brski_admin_manufacturer_set_pem(m, which, brski_buf_span(&pem), path, err);
	brski_buf_free(&pem);
	return code;
}

static enum brski_code option(
	int c, const char *value, struct brski_admin_manufacturer *m, struct brski_error *err)
{
	switch (c) {
	case BRSKICTL_ANCHORS:
		return set_pem(m, BRSKI_ADMIN_IDEVID_ANCHORS, value, err);
	case BRSKICTL_VOUCHER_ANCHORS:
		return set_pem(m, BRSKI_ADMIN_VOUCHER_ANCHORS, value, err);
	case BRSKICTL_MASA_TLS_CA:
		return set_pem(m, BRSKI_ADMIN_TLS_ANCHORS, value, err);
	case BRSKICTL_CRL:
		return set_pem(m, BRSKI_ADMIN_CRLS, value, err);
	case BRSKICTL_MASA_URL:
		return brski_admin_manufacturer_set_url(m, value, err);
	case BRSKICTL_MODE:
		return brski_admin_manufacturer_set_mode(m, value, err);
	case BRSKICTL_FOREIGN:
		m->allow_foreign_domains = true;
		break;
	case BRSKICTL_NONCELESS:
		m->allow_nonceless = true;
		break;
	case BRSKICTL_NO_AUDIT:
		m->audit_log = false;
		break;
	case BRSKICTL_NO_CHECK:
		m->check_voucher = false;
		break;
	case BRSKICTL_FORCE:
		m->shares_anchors = true;
		break;
	}
	return BRSKI_OK;
}

static void print_doubt(void *ctx, const char *words)
{
	(void)ctx;
	printf("WARNING: %s.\n", words);
}

static int put(struct brski_admin *admin, const struct brski_admin_manufacturer *m)
{
	struct brski_error err;

	switch (brski_admin_manufacturer_put(admin, m, &err)) {
	case BRSKI_OK:
		break;
	case BRSKI_UNEXPECTED:
		brskictl_fail(&err);
		fputs("Nothing has changed. If that is what you want, say --force.\n", stderr);
		return 1;
	default:
		return brskictl_fail(&err);
	}
	printf("Manufacturer %s is known, mode %s.\n", m->name, brski_admin_mode_name(m->mode));
	if (m->mode == BRSKI_ADMIN_MODE_OPEN)
		puts("WARNING: mode 'open' admits any of its devices without any check.");
	brski_admin_manufacturer_doubts(admin, m, print_doubt, NULL);
	return 0;
}

int brskictl_manufacturer_add(struct brski_admin *admin, const struct command_line *line)
{
	const char *name = line->operands[0];
	struct brski_admin_manufacturer m;
	struct brski_error err;
	int status = 0;

	brski_admin_manufacturer_init(&m);
	for (size_t i = 0; !status && i < line->n_given; i++)
		if (option(line->given[i].id, line->given[i].value, &m, &err) != BRSKI_OK)
			status = brskictl_fail(&err);
	if (!status && !brski_admin_is_name(name))
		status = brskictl_usage(line,
			"'%.80s' is no name of a manufacturer: 1 to %d printable characters", name,
			BRSKI_ADMIN_NAME_MAX - 1);
	if (!status && !m.pem[BRSKI_ADMIN_IDEVID_ANCHORS].len)
		status = brskictl_usage(line, "'manufacturer add' needs --anchors FILE");
	if (!status) {
		snprintf(m.name, sizeof(m.name), "%s", name);
		status = put(admin, &m);
	}
	brski_admin_manufacturer_free(&m);
	return status;
}

/* ---- list, show, remove ---- */

static void print_row(void *ctx, const struct brski_admin_manufacturer *m)
{
	(*(unsigned *)ctx)++;
	printf("%-24s %-14s %s\n", m->name, brski_admin_mode_name(m->mode),
		m->masa_url[0] ? m->masa_url : "(as the IDevID says)");
}

int brskictl_manufacturer_list(struct brski_admin *admin, const struct command_line *line)
{
	struct brski_error err;
	unsigned n = 0;

	(void)line;
	printf("%-24s %-14s %s\n", "MANUFACTURER", "MODE", "MASA");
	if (brski_admin_manufacturers(admin, print_row, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl manufacturer add'.");
	return 0;
}

static void print_subject(void *label, const char *subject)
{
	printf("%-22s %s\n", (const char *)label, subject);
}

static void print_anchors(const struct brski_admin_manufacturer *m)
{
	static char idevid[] = "IDevID anchor", voucher[] = "voucher anchor", tls[] = "MASA TLS anchor";

	brski_admin_subjects(&m->pem[BRSKI_ADMIN_IDEVID_ANCHORS], print_subject, idevid);
	brski_admin_subjects(&m->pem[BRSKI_ADMIN_VOUCHER_ANCHORS], print_subject, voucher);
	brski_admin_subjects(&m->pem[BRSKI_ADMIN_TLS_ANCHORS], print_subject, tls);
}

int brskictl_manufacturer_show(struct brski_admin *admin, const struct command_line *line)
{
	struct brski_admin_manufacturer m;
	struct brski_error err;

	if (brski_admin_manufacturer_get(admin, line->operands[0], &m, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("%-22s %s\n", "name", m.name);
	printf("%-22s %s\n", "mode", brski_admin_mode_name(m.mode));
	printf("%-22s %s\n", "MASA", m.masa_url[0] ? m.masa_url : "(as the IDevID says)");
	print_anchors(&m);
	printf("%-22s %s\n", "CRLs", m.pem[BRSKI_ADMIN_CRLS].len ? "yes" : "none");
	printf("%-22s %s\n", "check vouchers", m.check_voucher ? "yes" : "no");
	printf("%-22s %s\n", "audit log", m.audit_log ? "fetched and judged" : "not asked for");
	printf("%-22s %s\n", "foreign domains", m.allow_foreign_domains ? "allowed" : "refused");
	printf("%-22s %s\n", "foreign nonceless", m.allow_nonceless ? "allowed" : "refused");
	brski_admin_manufacturer_free(&m);
	return 0;
}

int brskictl_manufacturer_remove(struct brski_admin *admin, const struct command_line *line)
{
	const char *name = line->operands[0];
	struct brski_error err;

	if (brski_admin_manufacturer_remove(admin, name, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("Manufacturer %s and its devices are removed.\n", name);
	return 0;
}
