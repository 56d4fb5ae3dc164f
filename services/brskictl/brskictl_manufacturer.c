/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_json.h"
#include "services/brskictl/brskictl_manufacturer.h"

/* ---- Options ---- */

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

/* Back to what a manufacturer is of which nothing has been said. */
static enum brski_code clear(const char *name, struct brski_admin_manufacturer *m, struct brski_error *err)
{
	if (strcmp(name, "masa-url") == 0)
		m->masa_url[0] = '\0';
	else if (strcmp(name, "voucher-anchors") == 0)
		brski_buf_free(&m->pem[BRSKI_ADMIN_VOUCHER_ANCHORS]);
	else if (strcmp(name, "masa-tls-ca") == 0)
		brski_buf_free(&m->pem[BRSKI_ADMIN_TLS_ANCHORS]);
	else if (strcmp(name, "crl") == 0)
		brski_buf_free(&m->pem[BRSKI_ADMIN_CRLS]);
	else if (strcmp(name, "mode") == 0)
		m->mode = BRSKI_ADMIN_MODE_INVENTORY;
	else if (strcmp(name, "allow-foreign-domains") == 0)
		m->allow_foreign_domains = false;
	else if (strcmp(name, "allow-nonceless") == 0)
		m->allow_nonceless = false;
	else if (strcmp(name, "no-audit-log") == 0)
		m->audit_log = true;
	else if (strcmp(name, "no-voucher-check") == 0)
		m->check_voucher = true;
	else
		return brski_fail(err, BRSKI_MALFORMED,
			"there is no option '%.40s' to clear: masa-url, voucher-anchors, masa-tls-ca, crl, mode, "
			"allow-foreign-domains, allow-nonceless, no-audit-log, no-voucher-check",
			name);
	return BRSKI_OK;
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
	case BRSKICTL_CLEAR:
		return clear(value, m, err);
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

static bool is_word(int id) /* and names no file */
{
	return id == BRSKICTL_MASA_URL || id == BRSKICTL_MODE || id == BRSKICTL_CLEAR;
}

static int check_words(const struct command_line *line)
{
	struct brski_admin_manufacturer any;
	struct brski_error err;
	int status = COMMAND_DONE;

	brski_admin_manufacturer_init(&any);
	for (size_t i = 0; !status && i < line->n_given; i++) {
		int id = line->given[i].id;

		if (is_word(id) && option(id, line->given[i].value, &any, &err) != BRSKI_OK)
			status = brskictl_usage(
				line, "--%s: %s", command_option_name(line->command, id), err.why);
	}
	brski_admin_manufacturer_free(&any);
	return status;
}

/* In their order. Exit status. */
static int read_options(const struct command_line *line, struct brski_admin_manufacturer *m)
{
	struct brski_error err;

	for (size_t i = 0; i < line->n_given; i++) {
		if (option(line->given[i].id, line->given[i].value, m, &err) == BRSKI_OK)
			continue;
		(void)brski_fail_context(
			&err, err.code, "--%s", command_option_name(line->command, line->given[i].id));
		return brskictl_fail(&err);
	}
	return 0;
}

/* ---- What both say ---- */

static void print_doubt(void *ctx, const char *words)
{
	(void)ctx;
	printf("WARNING: %s.\n", words);
}

static void warn(struct brski_admin *admin, const struct brski_admin_manufacturer *m)
{
	if (m->mode == BRSKI_ADMIN_MODE_OPEN)
		puts("WARNING: mode 'open' admits any of its devices without any check.");
	brski_admin_manufacturer_doubts(admin, m, print_doubt, NULL);
}

static int nothing_changed(const struct brski_error *err)
{
	brskictl_fail(err);
	if (err->code == BRSKI_UNEXPECTED)
		fputs("Nothing has changed. If that is what you want, say --force.\n", stderr);
	return COMMAND_FAILED;
}

/* ---- add ---- */

/* Who adds the same twice, as a script may, has what he wants. */
static int known_already(struct brski_admin *admin, const struct brski_admin_manufacturer *m)
{
	struct brski_admin_manufacturer there;
	struct brski_error err;
	bool same;

	if (brski_admin_manufacturer_get(admin, m->name, &there, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	same = !brskictl_manufacturer_differs(&there, m);
	brski_admin_manufacturer_free(&there);
	if (same) {
		printf("Manufacturer %s is known already, just so, mode %s.\n", m->name,
			brski_admin_mode_name(m->mode));
		return COMMAND_DONE;
	}
	fprintf(stderr,
		"brskictl: there is a manufacturer '%s' already, and it is another than this; nothing has changed\n"
		"'brskictl manufacturer show' tells what it is, and 'brskictl manufacturer set' changes what is "
		"named.\n",
		m->name);
	return COMMAND_FAILED;
}

static int put_new(struct brski_admin *admin, const struct brski_admin_manufacturer *m)
{
	struct brski_error err;

	switch (brski_admin_manufacturer_add(admin, m, &err)) {
	case BRSKI_OK:
		printf("Manufacturer %s is known, mode %s.\n", m->name, brski_admin_mode_name(m->mode));
		warn(admin, m);
		return COMMAND_DONE;
	case BRSKI_REFUSED:
		return known_already(admin, m);
	default:
		return nothing_changed(&err);
	}
}

int brskictl_manufacturer_add_use(const struct command_line *line)
{
	const char *name = line->operands[0];

	if (!brski_admin_is_name(name))
		return brskictl_usage(line,
			"'%.80s' is no name of a manufacturer: 1 to %d printable characters", name,
			BRSKI_ADMIN_NAME_MAX - 1);
	if (!command_given(line, BRSKICTL_ANCHORS))
		return brskictl_usage(line, "'manufacturer add' needs --anchors FILE");
	return check_words(line);
}

int brskictl_manufacturer_add(struct brski_admin *admin, const struct command_line *line)
{
	const char *name = line->operands[0];
	struct brski_admin_manufacturer m;
	int status;

	brski_admin_manufacturer_init(&m);
	status = read_options(line, &m);
	if (!status) {
		snprintf(m.name, sizeof(m.name), "%s", name);
		status = put_new(admin, &m);
	}
	brski_admin_manufacturer_free(&m);
	return status;
}

/* ---- set ---- */

static int put_changed(struct brski_admin *admin, const struct brski_admin_manufacturer *was,
	const struct brski_admin_manufacturer *m)
{
	struct brski_error err;

	if (brski_admin_manufacturer_put(admin, m, &err) != BRSKI_OK)
		return nothing_changed(&err);
	if (!brskictl_manufacturer_differs(was, m)) {
		printf("Nothing has changed: manufacturer %s is so already.\n", m->name);
	} else {
		printf("Manufacturer %s has changed:\n", m->name);
		brskictl_manufacturer_changes(was, m);
	}
	warn(admin, m);
	return COMMAND_DONE;
}

/* Anchors that it shares with another one already are nothing new. */
static bool same_anchors(const struct brski_admin_manufacturer *a, const struct brski_admin_manufacturer *b)
{
	return brski_span_equal(brski_buf_span(&a->pem[BRSKI_ADMIN_IDEVID_ANCHORS]),
		brski_buf_span(&b->pem[BRSKI_ADMIN_IDEVID_ANCHORS]));
}

int brskictl_manufacturer_set_use(const struct command_line *line)
{
	if (line->n_given == 0)
		return brskictl_usage(line, "'manufacturer set' needs an option: what is to change");
	return check_words(line);
}

int brskictl_manufacturer_set(struct brski_admin *admin, const struct command_line *line)
{
	const char *name = line->operands[0];
	struct brski_admin_manufacturer was, m = {0};
	struct brski_error err;
	int status = 0;

	if (brski_admin_manufacturer_get(admin, name, &was, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (brski_admin_manufacturer_get(admin, name, &m, &err) != BRSKI_OK)
		status = brskictl_fail(&err);
	if (!status)
		status = read_options(line, &m);
	if (!status) {
		m.shares_anchors = m.shares_anchors || same_anchors(&was, &m);
		status = put_changed(admin, &was, &m);
	}
	brski_admin_manufacturer_free(&was);
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

static void json_row(void *ctx, const struct brski_admin_manufacturer *m)
{
	listing_row(ctx, brskictl_json_manufacturer(m));
}

int brskictl_manufacturer_list(struct brski_admin *admin, const struct command_line *line)
{
	struct listing json = {.name = "manufacturers"};
	struct brski_error err;
	unsigned n = 0;

	if (command_given(line, BRSKICTL_JSON))
		return brskictl_listed(
			&json, brski_admin_manufacturers(admin, json_row, &json, &err), NULL, &err);
	printf("%-24s %-14s %s\n", "MANUFACTURER", "MODE", "MASA");
	if (brski_admin_manufacturers(admin, print_row, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("None yet. Add one with 'brskictl manufacturer add'.");
	return 0;
}

int brskictl_manufacturer_show(struct brski_admin *admin, const struct command_line *line)
{
	struct listing json = {.name = "manufacturers"};
	struct brski_admin_manufacturer m;
	struct brski_error err;
	int status = 0;

	if (brski_admin_manufacturer_get(admin, line->operands[0], &m, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (command_given(line, BRSKICTL_JSON)) {
		json_row(&json, &m);
		status = brskictl_listed(&json, BRSKI_OK, NULL, &err);
	} else {
		brskictl_manufacturer_print(&m, stdout);
	}
	brski_admin_manufacturer_free(&m);
	return status;
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
