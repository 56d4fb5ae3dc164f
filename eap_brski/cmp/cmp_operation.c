/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/cmp/cmp_operation.h"

#include <stdio.h>
#include <string.h>

#include "eap_brski/cmp/cmp_oids.h"

#define WELL_KNOWN "/.well-known/cmp"

/* RFC 9483 6.1, table 1 */
static const struct operation {
	const char *label;
	int type;              /* of the message that begins it */
	const char *info_type; /* of a genm; NULL else */
} operations[] = {
	{"initialization", BRSKI_CMP_IR, NULL},
	{"certification", BRSKI_CMP_CR, NULL},
	{"keyupdate", BRSKI_CMP_KUR, NULL},
	{"pkcs10", BRSKI_CMP_P10CR, NULL},
	{"revocation", BRSKI_CMP_RR, NULL},
	{"getcacerts", BRSKI_CMP_GENM, BRSKI_OID_CA_CERTS},
	{"getrootupdate", BRSKI_CMP_GENM, BRSKI_OID_ROOT_CA_CERT},
	{"getcertreqtemplate", BRSKI_CMP_GENM, BRSKI_OID_CERT_REQ_TEMPLATE},
	{"getcrls", BRSKI_CMP_GENM, BRSKI_OID_CRL_STATUS_LIST},
	{"nested", BRSKI_CMP_NESTED, NULL},
};
#define N_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

const char *brski_cmp_label(int type, const char *info_type)
{
	for (size_t i = 0; i < N_OPERATIONS; i++) {
		const struct operation *o = &operations[i];

		if (o->type != type || type == BRSKI_CMP_NESTED)
			continue;
		if (!o->info_type || (info_type && strcmp(info_type, o->info_type) == 0))
			return o->label;
	}
	return "";
}

/* RFC 3986 3.3: a segment, that is not empty */
static size_t segment_len(const char *text)
{
	return strspn(
		text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:@");
}

/* What stands behind the prefix that any label may follow; NULL: it is none. */
static const char *behind_prefix(const char *path)
{
	size_t len;

	if (strncmp(path, WELL_KNOWN, strlen(WELL_KNOWN)) != 0)
		return NULL;
	path += strlen(WELL_KNOWN);
	if (strncmp(path, "/p/", 3) != 0)
		return path;
	len = segment_len(path + 3);
	return len > 0 ? path + 3 + len : NULL;
}

bool brski_cmp_path(const char *path, const char **label)
{
	const char *rest = behind_prefix(path);

	*label = "";
	if (!rest || *rest == '\0')
		return rest != NULL;
	for (size_t i = 0; *rest == '/' && i < N_OPERATIONS; i++) {
		if (strcmp(rest + 1, operations[i].label) == 0) {
			*label = operations[i].label;
			return true;
		}
	}
	return false;
}

static bool takes_label(const char *url)
{
	const char *path = strstr(url, "://");
	const char *rest;

	if (path)
		path = strchr(path + 3, '/');
	rest = path ? behind_prefix(path) : NULL;
	return rest && (*rest == '\0' || strcmp(rest, "/") == 0);
}

enum brski_code brski_cmp_url(
	const char *url, const char *label, char *out, size_t size, struct brski_error *err)
{
	bool append = label[0] != '\0' && takes_label(url);
	const char *slash = append && url[strlen(url) - 1] != '/' ? "/" : "";
	int n = snprintf(out, size, "%s%s%s", url, slash, append ? label : "");

	if (n >= 0 && (size_t)n < size)
		return BRSKI_OK;
	if (size > 0)
		out[0] = '\0';
	return brski_fail(err, BRSKI_TOO_LARGE, "the PKI's URL %.200s is too long", url);
}
