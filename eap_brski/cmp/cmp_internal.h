/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_CMP_CMP_INTERNAL_H
#define BRSKI_CMP_CMP_INTERNAL_H

#include <openssl/x509v3.h>

#include "eap_brski/cmp/cmp.h"
#include "eap_brski/cmp/cmp_asn1_internal.h"
#include "eap_brski/cmp/cmp_oids.h"

/* What the cmp_*.c files share among themselves. */

#define BRSKI_CMP_OID_MAX 64
#define BRSKI_CMP_TEXT_MAX 256
#define BRSKI_CMP_OCTETS_MAX 64 /* of identifiers and nonces that others made */

/* certReqId, RFC 9483 4.1.1, 4.1.4 and 4.4 */
#define BRSKI_CERT_REQ_ID 0
#define BRSKI_CERT_REQ_ID_NONE (-1)

/* ---- cmp_header.c ---- */
BRSKI_CHECKED enum brski_code brski_cmp_header_read(
	struct brski_span der, struct brski_cmp_header *out, struct brski_error *err);
/*
 * What an answer copies (RFC 9483 5.1), of a header of any quality: version, sender, transactionID and
 * senderNonce. What is of no usable form is left out. BRSKI_MALFORMED: it is no header.
 */
BRSKI_CHECKED enum brski_code brski_cmp_header_salvage(
	struct brski_span der, struct brski_cmp_header *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_header_write(
	const struct brski_cmp_header *header, struct brski_buf *out, struct brski_error *err);
void brski_cmp_header_free(struct brski_cmp_header *header);
/* RFC 9483 3.5: pvno MUST be cmp2000(2) or cmp2021(3). BRSKI_UNSUPPORTED. */
BRSKI_CHECKED enum brski_code brski_cmp_version_check(
	const struct brski_cmp_header *header, struct brski_error *err);

/* ---- cmp_rules.c: what bodies of several kinds have in common ---- */
/*
 * RFC 9483 4.1.1, 4.1.4, 4.4: certReqId MUST be 0; `least` is BRSKI_CERT_REQ_ID_NONE where -1 stands
 * for none. `breach` is what the error says (BRSKI_UNEXPECTED).
 */
BRSKI_CHECKED enum brski_code brski_cmp_req_id_check(
	const ASN1_INTEGER *id, long least, const char *breach, long *out, struct brski_error *err);
/* RFC 9483 4.1.1, 4.3, 4.4: a body MUST have exactly one element. `breach` as above. */
BRSKI_CHECKED enum brski_code brski_cmp_one_check(int n, const char *breach, struct brski_error *err);

/* ---- cmp_codec.c ---- */
/* The inside of the body, whose type is msg->type. */
struct brski_span brski_cmp_content(const struct brski_cmp *msg);

/* ---- cmp_protect.c ---- */
/* Is this signature algorithm one of RFC 9481 3 that we allow? BRSKI_UNSUPPORTED. */
BRSKI_CHECKED enum brski_code brski_cmp_algorithm_check(const X509_ALGOR *alg, struct brski_error *err);
/* What key signs with: ECDSA or RSA PKCS #1 with SHA-2. *out is new. */
BRSKI_CHECKED enum brski_code brski_cmp_algorithm_for(
	const EVP_PKEY *key, X509_ALGOR **out, const EVP_MD **md, struct brski_error *err);
/*
 * A signature of the key over the DER of item; `what` names it in the error (BRSKI_UNSUPPORTED,
 * BRSKI_BAD_SIGNATURE).
 */
BRSKI_CHECKED enum brski_code brski_cmp_signature_check(const X509_ALGOR *alg,
	const ASN1_BIT_STRING *signature, const void *value, const ASN1_ITEM *item, EVP_PKEY *key,
	const char *what, struct brski_error *err);
/* Signs SEQUENCE { header, body }. */
BRSKI_CHECKED enum brski_code brski_cmp_sign(struct brski_span header, struct brski_span body, EVP_PKEY *key,
	struct brski_buf *signature, struct brski_error *err);

/* ---- cmp_message.c: making messages ---- */
struct brski_cmp_draft {
	int pvno; /* 0: 2 */
	int type;
	const struct brski_credential *signer;
	struct brski_span recipient; /* DER Name; len 0: NULL-DN */
	struct brski_span transaction_id;
	struct brski_span sender_nonce;
	struct brski_span recip_nonce; /* len 0: none */
	bool implicit_confirm;
	time_t message_time;              /* 0: absent */
	time_t confirm_wait_time;         /* 0: absent */
	const char *cert_profile;         /* NULL: none */
	struct brski_span content;        /* DER inside the body's tag */
	const STACK_OF(X509) *more_certs; /* after the signer's chain; may be NULL */
};
BRSKI_CHECKED enum brski_code brski_cmp_draft_sign(
	const struct brski_cmp_draft *draft, struct brski_buf *out, struct brski_error *err);

/* ---- cmp_status.c ---- */
struct brski_cmp_status_info {
	enum brski_cmp_status status;
	enum brski_cmp_fail fail;
	char text[BRSKI_CMP_TEXT_MAX];
};
BRSKI_CHECKED enum brski_code brski_cmp_status_read(
	const BRSKI_STATUSINFO *in, struct brski_cmp_status_info *out, struct brski_error *err);
BRSKI_STATUSINFO *brski_cmp_status_new(
	enum brski_cmp_status status, enum brski_cmp_fail fail, const char *text);
/* Appends the texts, separated by "; ", to the printable text in out, as far as there is room. */
BRSKI_CHECKED enum brski_code brski_cmp_text_read(
	const BRSKI_FREETEXT *in, char out[BRSKI_CMP_TEXT_MAX], struct brski_error *err);
/* NULL or "": *out is NULL. */
BRSKI_CHECKED bool brski_cmp_text_new(const char *text, BRSKI_FREETEXT **out);

/* ---- cmp_request.c ---- */
/* The certReqId of a pollReq, RFC 9483 4.4. BRSKI_MALFORMED, BRSKI_UNEXPECTED. */
BRSKI_CHECKED enum brski_code brski_cmp_poll_req_read(
	const struct brski_cmp *msg, long *cert_req_id, struct brski_error *err);

/* ---- cmp_crmf.c ---- */
/* The one CertReqMsg of ir, cr: fills key, subject, extensions and, on error, fail. */
BRSKI_CHECKED enum brski_code brski_cmp_crmf_read(
	struct brski_span content, struct brski_cmp_request *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_crmf_write(
	EVP_PKEY *key, const X509_NAME *subject, struct brski_buf *out, struct brski_error *err);
/* ---- cmp_pkcs10.c ---- */
BRSKI_CHECKED enum brski_code brski_cmp_pkcs10_read(
	struct brski_span content, struct brski_cmp_request *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_pkcs10_write(
	EVP_PKEY *key, const X509_NAME *subject, struct brski_buf *out, struct brski_error *err);

/* ---- cmp_template.c ---- */
/* brski_cmp_request_authorize() but for the header's part. BRSKI_REFUSED, and asked->fail. */
BRSKI_CHECKED enum brski_code brski_cmp_content_authorize(
	struct brski_cmp_request *asked, const struct brski_cmp_rule *rule, struct brski_error *err);
/* One of a CA's or registrar's, with which a device could pose as such to its neighbours. */
bool brski_cmp_usage_has_power(const EXTENDED_KEY_USAGE *usages);

/* ---- cmp_genm.c ---- */
/* certs NULL or empty: no infoValue. */
BRSKI_CHECKED enum brski_code brski_cmp_info_write(
	const char *oid, const STACK_OF(X509) *certs, struct brski_buf *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_info_read(struct brski_span content, char oid[BRSKI_CMP_OID_MAX],
	struct brski_buf *value, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_certs_read(
	struct brski_span der, STACK_OF(X509) **out, struct brski_error *err);

/* ---- cmp_cert.c ---- */
/*
 * The leaf and, of certs, those above it, in order and without a self-signed root; *out is new.
 * BRSKI_TOO_LARGE: there are too many signatures to look at.
 */
BRSKI_CHECKED enum brski_code brski_cmp_cert_path(
	X509 *leaf, const STACK_OF(X509) *certs, STACK_OF(X509) **out, struct brski_error *err);

/* ---- cmp_hash.c: certHash, RFC 9483 4.1.1 ---- */
/*
 * *explicit_alg: hashAlg must say it, and pvno be 3, since the certificate's signature algorithm
 * names no hash.
 */
BRSKI_CHECKED enum brski_code brski_cmp_cert_hash(
	const X509 *cert, struct brski_buf *hash, int *nid, bool *explicit_alg, struct brski_error *err);

#endif
