/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/cmp/cmp.h"

const char *brski_cmp_type_name(int type)
{
	static const char *const names[] = {"ir", "ip", "cr", "cp", "p10cr", "popdecc", "popdecr", "kur",
		"kup", "krr", "krp", "rr", "rp", "ccr", "ccp", "ckuann", "cann", "rann", "crlann", "pkiConf",
		"nested", "genm", "genp", "error", "certConf", "pollReq", "pollRep"};

	if (type < 0 || (size_t)type >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[type];
}

const char *brski_cmp_fail_name(int bit)
{
	static const char *const names[] = {"badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId",
		"badDataFormat", "wrongAuthority", "incorrectData", "missingTimeStamp", "badPOP",
		"certRevoked", "certConfirmed", "wrongIntegrity", "badRecipientNonce", "timeNotAvailable",
		"unacceptedPolicy", "unacceptedExtension", "addInfoNotAvailable", "badSenderNonce",
		"badCertTemplate", "signerNotTrusted", "transactionIdInUse", "unsupportedVersion",
		"notAuthorized", "systemUnavail", "systemFailure", "duplicateCertReq"};

	if (bit == BRSKI_CMP_FAIL_NONE)
		return "no failure info";
	if (bit < 0 || (size_t)bit >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[bit];
}

enum brski_cmp_fail brski_code_cmp_fail(enum brski_code code)
{
	switch (code) {
	case BRSKI_OK:
		return BRSKI_CMP_FAIL_NONE;
	case BRSKI_MALFORMED:
	case BRSKI_TOO_LARGE:
		return BRSKI_CMP_BAD_DATA_FORMAT;
	case BRSKI_UNEXPECTED:
	case BRSKI_UNSUPPORTED:
		return BRSKI_CMP_BAD_REQUEST;
	case BRSKI_BAD_SIGNATURE:
		return BRSKI_CMP_BAD_MESSAGE_CHECK;
	case BRSKI_UNTRUSTED:
	case BRSKI_EXPIRED:
	case BRSKI_REVOKED:
		return BRSKI_CMP_SIGNER_NOT_TRUSTED;
	case BRSKI_MISMATCH:
	case BRSKI_REFUSED:
		return BRSKI_CMP_NOT_AUTHORIZED;
	case BRSKI_NOT_FOUND:
		return BRSKI_CMP_BAD_CERT_ID;
	case BRSKI_UNAVAILABLE:
		return BRSKI_CMP_SYSTEM_UNAVAIL;
	case BRSKI_NO_MEMORY:
	case BRSKI_INTERNAL:
		break;
	}
	return BRSKI_CMP_SYSTEM_FAILURE;
}

enum brski_cmp_fail brski_code_cert_fail(enum brski_code code)
{
	return code == BRSKI_UNTRUSTED || code == BRSKI_REVOKED ? BRSKI_CMP_WRONG_AUTHORITY
								: BRSKI_CMP_INCORRECT_DATA;
}
