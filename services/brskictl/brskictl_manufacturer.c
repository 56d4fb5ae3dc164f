/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	"  --no-voucher-check      hand vouchers on without looking at them; the device judges them anyway\n";

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
	NO_CHECK
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
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* ---- add ---- */

static enum brski_code read_file(const char *path, struct brski_buf *out, struct brski_error *err)
{
	FILE *f = fopen(path, "re");
	uint8_t chunk[4096];
	size_t n;
	bool bad;

	if (!f)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot open %s: %s", path, strerror(errno));
	brski_buf_reset(out);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		brski_put(out, brski_span(chunk, n));
	bad = ferror(f) != 0;
	fclose(f);
	if (bad || brski_buf_status(out, NULL))
		return brski_fail(err, BRSKI_TOO_LARGE, "cannot read %s", path);
	return BRSKI_OK;
}

static enum brski_code read_certs(const char *path, struct brski_buf *out, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	enum brski_code code = read_file(path, out, err);

	if (code == BRSKI_OK && brski_certs_from_pem(brski_buf_span(out), &certs, err))
		code = brski_fail_context(err, "%s", path);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

static enum brski_code read_crls(const char *path, struct brski_buf *out, struct brski_error *err)
{
	enum brski_code code = read_file(path, out, err);

	if (code == BRSKI_OK && (!out->len || !memmem(out->data, out->len, "-----BEGIN X509 CRL-----", 24)))
		code = brski_fail(err, BRSKI_MALFORMED, "%s holds no CRL in PEM form", path);
	return code;
}

static enum brski_code set_url(const char *url, char out[BRSKI_URL_MAX], struct brski_error *err)
{
	if (strncmp(url, "https://", 8) != 0 || url[8] == '\0' || !brskictl_is_name(url, BRSKI_URL_MAX) ||
		strchr(url, ' '))
		return brski_fail(err, BRSKI_MALFORMED,
			"the MASA's URL must be https://HOST[:PORT][/PATH], not '%s'", url);
	snprintf(out, BRSKI_URL_MAX, "%s", url);
	return BRSKI_OK;
}

static enum brski_code set_mode(const char *name, enum brski_mode *out, struct brski_error *err)
{
	static const enum brski_mode modes[] = {BRSKI_MODE_INVENTORY, BRSKI_MODE_MANUAL,
		BRSKI_MODE_MANUFACTURER, BRSKI_MODE_TYPE, BRSKI_MODE_OPEN};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(name, brski_mode_name(modes[i])) == 0) {
			*out = modes[i];
			return BRSKI_OK;
		}
	}
	return brski_fail(err, BRSKI_UNSUPPORTED,
		"there is no mode '%s': inventory, manual, manufacturer, type, open", name);
}

static enum brski_code option(
	int c, const char *value, struct brski_store_manufacturer *m, struct brski_error *err)
{
	switch (c) {
	case ANCHORS:
		return read_certs(value, &m->idevid_anchors, err);
	case VOUCHER_ANCHORS:
		return read_certs(value, &m->voucher_anchors, err);
	case MASA_TLS_CA:
		return read_certs(value, &m->tls_anchors, err);
	case CRL:
		return read_crls(value, &m->crls, err);
	case MASA_URL:
		return set_url(value, m->masa_url, err);
	case MODE:
		return set_mode(value, &m->mode, err);
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
	}
	return BRSKI_OK;
}

static int put(struct brski_store *store, const struct brski_store_manufacturer *m)
{
	struct brski_error err;

	if (brski_store_manufacturer_put(store, m, &err))
		return brskictl_fail(&err);
	printf("Manufacturer %s is known, mode %s.\n", m->name, brski_mode_name(m->mode));
	if (m->mode == BRSKI_MODE_OPEN)
		puts("WARNING: mode 'open' admits any of its devices without any check.");
	return 0;
}

static int add(struct brski_store *store, int argc, char **argv)
{
	struct brski_store_manufacturer m = {.check_voucher = true, .audit_log = true};
	struct brski_error err;
	int c, status = 0;

	while (!status && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?')
			status = brskictl_usage("wrong option of 'manufacturer add'");
		else if (option(c, optarg, &m, &err))
			status = brskictl_fail(&err);
	}
	if (!status && (argc - optind != 1 || !brskictl_is_name(argv[optind], sizeof(m.name))))
		status = brskictl_usage("'manufacturer add' takes one NAME, of printable characters");
	if (!status && !m.idevid_anchors.len)
		status = brskictl_usage("'manufacturer add' needs --anchors FILE");
	if (!status) {
		snprintf(m.name, sizeof(m.name), "%s", argv[optind]);
		status = put(store, &m);
	}
	brski_store_manufacturer_free(&m);
	return status;
}

/* ---- list, show, remove ---- */

static void print_row(void *ctx, const struct brski_store_manufacturer *m)
{
	(*(unsigned *)ctx)++;
	printf("%-24s %-14s %s\n", m->name, brski_mode_name(m->mode),
		m->masa_url[0] ? m->masa_url : "(as the IDevID says)");
}

static int list(struct brski_store *store)
{
	struct brski_error err;
	unsigned n = 0;

	printf("%-24s %-14s %s\n", "MANUFACTURER", "MODE", "MASA");
	if (brski_store_manufacturers(store, print_row, &n, &err))
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl manufacturer add'.");
	return 0;
}

static void print_certs(const char *label, const struct brski_buf *pem)
{
	STACK_OF(X509) *certs = NULL;
	char subject[256];

	if (!pem->len || brski_certs_from_pem(brski_buf_span(pem), &certs, NULL))
		return;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		brski_name_text(X509_get_subject_name(sk_X509_value(certs, i)), subject, sizeof(subject));
		printf("%-22s %s\n", label, subject);
	}
	sk_X509_pop_free(certs, X509_free);
}

static int show(struct brski_store *store, const char *name)
{
	struct brski_store_manufacturer m;
	struct brski_error err;

	if (brski_store_manufacturer_get(store, name, &m, &err))
		return brskictl_fail(&err);
	printf("%-22s %s\n", "name", m.name);
	printf("%-22s %s\n", "mode", brski_mode_name(m.mode));
	printf("%-22s %s\n", "MASA", m.masa_url[0] ? m.masa_url : "(as the IDevID says)");
	print_certs("IDevID anchor", &m.idevid_anchors);
	print_certs("voucher anchor", &m.voucher_anchors);
	print_certs("MASA TLS anchor", &m.tls_anchors);
	printf("%-22s %s\n", "CRLs", m.crls.len ? "yes" : "none");
	printf("%-22s %s\n", "check vouchers", m.check_voucher ? "yes" : "no");
	printf("%-22s %s\n", "audit log", m.audit_log ? "fetched and judged" : "not asked for");
	printf("%-22s %s\n", "foreign domains", m.allow_foreign_domains ? "allowed" : "refused");
	printf("%-22s %s\n", "foreign nonceless", m.allow_nonceless ? "allowed" : "refused");
	brski_store_manufacturer_free(&m);
	return 0;
}

static int drop(struct brski_store *store, const char *name)
{
	struct brski_error err;

	if (brski_store_manufacturer_remove(store, name, &err))
		return brskictl_fail(&err);
	printf("Manufacturer %s and its devices are removed.\n", name);
	return 0;
}

int brskictl_manufacturer(struct brski_store *store, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "list";

	if (strcmp(verb, "add") == 0)
		return add(store, argc - 1, argv + 1);
	if (strcmp(verb, "list") == 0 && argc <= 2)
		return list(store);
	if (strcmp(verb, "show") == 0 && argc == 3)
		return show(store, argv[2]);
	if (strcmp(verb, "remove") == 0 && argc == 3)
		return drop(store, argv[2]);
	return brskictl_usage("'manufacturer' takes add, list, show NAME or remove NAME");
}
