/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_CMP_CMP_OPERATION_H
#define BRSKI_CMP_CMP_OPERATION_H

#include "eap_brski/cmp/cmp.h"

/* PKI management operations and where they are found: RFC 9483 6.1, RFC 9811 3.6. */

#define BRSKI_CMP_LABEL_MAX 24 /* of a label, and its end */

/*
 * The label of the operation that a message begins, "initialization" for instance; info_type: of a genm,
 * its OID's text. "": it begins none of table 1. A certConf or pollReq belongs to the operation that
 * its transaction began with, and a nested message to that of the one message in it.
 */
const char *brski_cmp_label(int type, const char *info_type);

/*
 * Is this the path of a PKI: "/.well-known/cmp" or "/.well-known/cmp/p/NAME", alone, or with one of
 * the labels of table 1 behind it? *label, which is static, says with which; "" alone.
 */
bool brski_cmp_path(const char *path, const char **label);

/*
 * Where a PKI gets the messages of an operation: the URL that it is known by with the label behind it,
 * if its path is one of those two, and label is not ""; any other URL as it is. out becomes "" if
 * it does not fit: BRSKI_TOO_LARGE.
 */
BRSKI_CHECKED enum brski_code brski_cmp_url(
	const char *url, const char *label, char *out, size_t size, struct brski_error *err);

#endif
