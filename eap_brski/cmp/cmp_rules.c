/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/cmp/cmp_internal.h"

enum brski_code brski_cmp_req_id_check(
	const ASN1_INTEGER *id, long least, const char *breach, long *out, struct brski_error *err)
{
	if (brski_asn1_long(id, least, BRSKI_CERT_REQ_ID, out))
		return BRSKI_OK;
	return brski_fail(err, BRSKI_UNEXPECTED, "%s", breach);
}

enum brski_code brski_cmp_one_check(int n, const char *breach, struct brski_error *err)
{
	return n == 1 ? BRSKI_OK : brski_fail(err, BRSKI_UNEXPECTED, "%s", breach);
}
