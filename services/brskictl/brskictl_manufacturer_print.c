/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl_manufacturer.h"

#include <stdlib.h>
#include <string.h>

struct labelled {
	FILE *to;
	const char *label;
};

static void print_line(FILE *to, const char *label, const char *words)
{
	fprintf(to, "%-22s %s\n", label, words);
}

static void print_labelled(void *ctx, const char *words)
{
	const struct labelled *l = ctx;

	print_line(l->to, l->label, words);
}

/* otherwise: what holds where there is none. */
static void print_pem(const struct brski_buf *pem, const char *label, const char *otherwise, FILE *to)
{
	struct labelled l = {to, label};

	if (!pem->len)
		print_line(to, label, otherwise);
	else if (strcmp(label, "CRL") == 0)
		brski_admin_crls(pem, print_labelled, &l);
	else
		brski_admin_certificates(pem, print_labelled, &l);
}

void brskictl_manufacturer_print(const struct brski_admin_manufacturer *m, FILE *to)
{
	print_line(to, "name", m->name);
	print_line(to, "mode", brski_admin_mode_name(m->mode));
	print_line(to, "MASA", m->masa_url[0] ? m->masa_url : "(as the IDevID says)");
	print_pem(&m->pem[BRSKI_ADMIN_IDEVID_ANCHORS], "IDevID anchor", "none", to);
	print_pem(&m->pem[BRSKI_ADMIN_VOUCHER_ANCHORS], "voucher anchor", "(those of the IDevIDs)", to);
	print_pem(&m->pem[BRSKI_ADMIN_TLS_ANCHORS], "MASA TLS anchor", "(the system's)", to);
	print_pem(&m->pem[BRSKI_ADMIN_CRLS], "CRL", "none", to);
	print_line(to, "check vouchers", m->check_voucher ? "yes" : "no");
	print_line(to, "audit log", m->audit_log ? "fetched and judged" : "not asked for");
	print_line(to, "foreign domains", m->allow_foreign_domains ? "allowed" : "refused");
	print_line(to, "foreign nonceless", m->allow_nonceless ? "allowed" : "refused");
}

/* ---- Two of them ---- */

/* The caller frees it. */
static char *text_of(const struct brski_admin_manufacturer *m)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort(); /* of memory there is none */
	brskictl_manufacturer_print(m, to);
	fclose(to);
	return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
	for (; *text; text = strchr(text, '\n') + 1)
		if (strncmp(text, line, len) == 0 && text[len] == '\n')
			return true;
	return false;
}

/* The lines of `text` that are not in `other`; to NULL: none is printed. How many. */
static unsigned print_missing(const char *text, const char *other, char mark, FILE *to)
{
	unsigned n = 0;
	size_t len;

	for (; *text; text += len + 1) {
		len = strcspn(text, "\n");
		if (has_line(other, text, len))
			continue;
		n++;
		if (to)
			fprintf(to, "%c %.*s\n", mark, (int)len, text);
	}
	return n;
}

static unsigned compare(
	const struct brski_admin_manufacturer *was, const struct brski_admin_manufacturer *m, FILE *to)
{
	char *before = text_of(was), *now = text_of(m);
	unsigned n = print_missing(before, now, '-', to) + print_missing(now, before, '+', to);

	free(before);
	free(now);
	return n;
}

bool brskictl_manufacturer_differs(
	const struct brski_admin_manufacturer *was, const struct brski_admin_manufacturer *m)
{
	return compare(was, m, NULL) > 0;
}

void brskictl_manufacturer_changes(
	const struct brski_admin_manufacturer *was, const struct brski_admin_manufacturer *m)
{
	compare(was, m, stdout);
}
