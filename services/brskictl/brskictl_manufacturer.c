/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl.h"

static const char help[] =
	"Usage: brskictl manufacturer add NAME --anchors FILE [options]\n"
	"Adds a manufacturer, or replaces all that is known of it. Files are PEM and are copied into the database.\n"
	"\n"
	"  --anchors FILE          CA certificates that its devices' IDevIDs verify to (required)\n"
	"  --masa-url URL          https://HOST[:PORT][/PATH] of its MASA; default: what the IDevID itself says\n"
	"  --voucher-anchors FILE  CA certificates that its vouchers verify to; default: --anchors\n"
	"  --masa-tls-ca FILE      CA certificates for the MASA's HTTPS; default: the system's\n"
	"  --crl FILE              CRLs of the IDevID CA: devices on them are refused\n"
	"  --mode MODE             inventory: listed devices only (default)\n"
	"                          manual: listed devices; others wait for 'brskictl accept' or 'refuse'\n"
	"                          manufacturer: every device of this manufacturer\n"
	"                          type: listed devices, and those that fit a 'brskictl type'\n"
	"                          open: no check at all\n"
	"  --allow-foreign-domains accept a device whose audit log names other owners (second-hand goods)\n"
	"  --allow-nonceless       accept a device to which others hold a voucher without nonce\n"
	"  --no-audit-log          do not ask the MASA for the audit log\n"
	"  --no-voucher-check      hand vouchers on without looking at them; the device judges them anyway\n"
	"  --force                 also if another manufacturer has one of the anchors; of their devices the\n"
	"                          stricter mode decides then\n";

enum {
	ANCHORS = 256,
	MASA_URL,
	VOUCHER_ANCHORS,
	MASA_TLS_CA,
	CRL,
	MODE,
	FOREIGN,
	NONCELESS,
	NO_AUDIT,
	NO_CHECK,
	FORCE
};

static const struct option options[] = {
	{"anchors", required_argument, NULL, ANCHORS},
	{"masa-url", required_argument, NULL, MASA_URL},
	{"voucher-anchors", required_argument, NULL, VOUCHER_ANCHORS},
	{"masa-tls-ca", required_argument, NULL, MASA_TLS_CA},
	{"crl", required_argument, NULL, CRL},
	{"mode", required_argument, NULL, MODE},
	{"allow-foreign-domains", no_argument, NULL, FOREIGN},
	{"allow-nonceless", no_argument, NULL, NONCELESS},
	{"no-audit-log", no_argument, NULL, NO_AUDIT},
	{"no-voucher-check", no_argument, NULL, NO_CHECK},
	{"force", no_argument, NULL, FORCE},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

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
	case ANCHORS:
		return set_pem(m, BRSKI_ADMIN_IDEVID_ANCHORS, value, err);
	case VOUCHER_ANCHORS:
		return set_pem(m, BRSKI_ADMIN_VOUCHER_ANCHORS, value, err);
	case MASA_TLS_CA:
		return set_pem(m, BRSKI_ADMIN_TLS_ANCHORS, value, err);
	case CRL:
		return set_pem(m, BRSKI_ADMIN_CRLS, value, err);
	case MASA_URL:
		return brski_admin_manufacturer_set_url(m, value, err);
	case MODE:
		return brski_admin_manufacturer_set_mode(m, value, err);
	case FOREIGN:
		m->allow_foreign_domains = true;
		break;
	case NONCELESS:
		m->allow_nonceless = true;
		break;
	case NO_AUDIT:
		m->audit_log = false;
		break;
	case NO_CHECK:
		m->check_voucher = false;
		break;
	case FORCE:
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

static int add(struct brski_admin *admin, int argc, char **argv)
{
	struct brski_admin_manufacturer m;
	struct brski_error err;
	int c, status = 0;

	brski_admin_manufacturer_init(&m);
	while (!status && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?')
			status = brskictl_usage("wrong option of 'manufacturer add'");
		else if (option(c, optarg, &m, &err) != BRSKI_OK)
			status = brskictl_fail(&err);
	}
	if (!status && (argc - optind != 1 || !brski_admin_is_name(argv[optind])))
		status = brskictl_usage("'manufacturer add' takes one NAME, of printable characters");
	if (!status && !m.pem[BRSKI_ADMIN_IDEVID_ANCHORS].len)
		status = brskictl_usage("'manufacturer add' needs --anchors FILE");
	if (!status) {
		snprintf(m.name, sizeof(m.name), "%s", argv[optind]);
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

static int list(struct brski_admin *admin)
{
	struct brski_error err;
	unsigned n = 0;

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

static int show(struct brski_admin *admin, const char *name)
{
	struct brski_admin_manufacturer m;
	struct brski_error err;

	if (brski_admin_manufacturer_get(admin, name, &m, &err) != BRSKI_OK)
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

static int drop(struct brski_admin *admin, const char *name)
{
	struct brski_error err;

	if (brski_admin_manufacturer_remove(admin, name, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	printf("Manufacturer %s and its devices are removed.\n", name);
	return 0;
}

int brskictl_manufacturer(struct brski_admin *admin, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "list";

	if (strcmp(verb, "add") == 0)
		return add(admin, argc - 1, argv + 1);
	brskictl_operands(&argc, argv);
	if (strcmp(verb, "list") == 0 && argc <= 2)
		return list(admin);
	if (strcmp(verb, "show") == 0 && argc == 3)
		return show(admin, argv[2]);
	if (strcmp(verb, "remove") == 0 && argc == 3)
		return drop(admin, argv[2]);
	return brskictl_usage("'manufacturer' takes add, list, show NAME or remove NAME");
}
