/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_CMP_CMP_H
#define BRSKI_CMP_CMP_H

#include <time.h>

#include "eap_brski/ground/env.h"
#include "eap_brski/pki/credential.h"

/*
 * CMP PKIMessages: RFC 9810, in the profile of RFC 9483. A decoded message
 * keeps its own octets, header and body as raw DER, so that protection is checked over what was
 * sent and a nested message embeds what was received.
 */
#define BRSKI_MEDIA_CMP "application/pkixcmp" /* RFC 9811 3.4, exactly */
#define BRSKI_CMP_MAX 32768
#define BRSKI_CMP_ID_LEN 16         /* transactionID and nonces, 128 bits */
#define BRSKI_CMP_EXTENSIONS_MAX 32 /* in a certification request */
#define BRSKI_CMP_CA_CERTS_MAX 16   /* in caPubs and CaCertsValue; extraCerts: BRSKI_PEER_CERTS_MAX */

/* PKIBody choices, RFC 9810 5.1.2 */
enum brski_cmp_type {
	BRSKI_CMP_IR = 0,
	BRSKI_CMP_IP = 1,
	BRSKI_CMP_CR = 2,
	BRSKI_CMP_CP = 3,
	BRSKI_CMP_P10CR = 4,
	BRSKI_CMP_KUR = 7,
	BRSKI_CMP_KUP = 8,
	BRSKI_CMP_RR = 11,
	BRSKI_CMP_PKICONF = 19,
	BRSKI_CMP_NESTED = 20,
	BRSKI_CMP_GENM = 21,
	BRSKI_CMP_GENP = 22,
	BRSKI_CMP_ERROR = 23,
	BRSKI_CMP_CERTCONF = 24,
	BRSKI_CMP_POLLREQ = 25,
	BRSKI_CMP_POLLREP = 26,
};

/* PKIStatus, RFC 9810 5.2.3 */
enum brski_cmp_status {
	BRSKI_CMP_ACCEPTED = 0,
	BRSKI_CMP_GRANTED_WITH_MODS = 1,
	BRSKI_CMP_REJECTION = 2,
	BRSKI_CMP_WAITING = 3
};

/* PKIFailureInfo bit numbers, RFC 9810 5.2.3; BRSKI_CMP_FAIL_NONE: absent */
enum brski_cmp_fail {
	BRSKI_CMP_FAIL_NONE = -1,
	BRSKI_CMP_BAD_ALG = 0,
	BRSKI_CMP_BAD_MESSAGE_CHECK = 1,
	BRSKI_CMP_BAD_REQUEST = 2,
	BRSKI_CMP_BAD_CERT_ID = 4,
	BRSKI_CMP_BAD_DATA_FORMAT = 5,
	BRSKI_CMP_WRONG_AUTHORITY = 6,
	BRSKI_CMP_INCORRECT_DATA = 7,
	BRSKI_CMP_BAD_POP = 9,
	BRSKI_CMP_WRONG_INTEGRITY = 12,
	BRSKI_CMP_BAD_RECIPIENT_NONCE = 13,
	BRSKI_CMP_BAD_SENDER_NONCE = 18,
	BRSKI_CMP_BAD_CERT_TEMPLATE = 19,
	BRSKI_CMP_SIGNER_NOT_TRUSTED = 20,
	BRSKI_CMP_TRANSACTION_ID_IN_USE = 21,
	BRSKI_CMP_UNSUPPORTED_VERSION = 22,
	BRSKI_CMP_NOT_AUTHORIZED = 23,
	BRSKI_CMP_SYSTEM_UNAVAIL = 24,
	BRSKI_CMP_SYSTEM_FAILURE = 25,
};
const char *brski_cmp_type_name(int type);
const char *brski_cmp_fail_name(int bit);
enum brski_cmp_fail brski_code_cmp_fail(
	enum brski_code code); /* what a peer is told of an error, RFC 9483 3.6.4 */
/* The same in certConf, of a certificate that brski_cmp_cert_check() does not like. */
enum brski_cmp_fail brski_code_cert_fail(enum brski_code code);

struct brski_cmp_header {
	int pvno;
	X509_NAME *sender; /* NULL for a GeneralName that is no directoryName */
	X509_NAME *recipient;
	time_t message_time;             /* 0: absent */
	struct brski_buf protection_alg; /* DER AlgorithmIdentifier; len 0: absent */
	struct brski_buf sender_kid;
	struct brski_buf transaction_id;
	struct brski_buf sender_nonce;
	struct brski_buf recip_nonce;
	bool implicit_confirm;
	time_t confirm_wait_time; /* 0: absent */
	char cert_profile[64];    /* "" absent */
	/*
	 * OID text of an element of generalInfo that is not understood: unknown, of a value that no
	 * member here has, or there twice; "": none. No error by itself (RFC 9483 3.5)
	 */
	char odd_info[64];
};

struct brski_cmp {
	struct brski_buf der; /* the whole message */
	int type;             /* enum brski_cmp_type, or a PKIBody choice that has no name there */
	struct brski_cmp_header header;
	struct brski_span header_der; /* into der, TLV */
	struct brski_span body_der;   /* into der, TLV with its context tag */
	bool is_protected;
	struct brski_buf protection; /* the signature's octets */
	STACK_OF(X509) *extra_certs; /* never NULL after decoding */
};

void brski_cmp_free(struct brski_cmp *msg); /* and zeroes it */

/*
 * Strict DER, one message, no trailing octets, extraCerts as brski_peer_certs_check() takes them. decode then encode gives the same octets, always
 * (cmp_codec's test proves it).
 */
BRSKI_CHECKED enum brski_code brski_cmp_decode(
	struct brski_span der, struct brski_cmp *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_encode(
	const struct brski_cmp *msg, struct brski_buf *out, struct brski_error *err);
/*
 * Of a message that brski_cmp_decode() refuses, what is needed to say so in CMP (RFC 9483 3.5 and 3.6.2,
 * error): as much of the header as can be read, and the kind of the body (-1: none). Nothing of it is
 * checked, *out has neither octets nor certificates, and is good for brski_cmp_answer_error() alone.
 * BRSKI_MALFORMED: there is no header.
 */
BRSKI_CHECKED enum brski_code brski_cmp_decode_header(
	struct brski_span der, struct brski_cmp *out, struct brski_error *err);

/*
 * Signature protection (RFC 9483 3.2): present, of an allowed algorithm consistent with the key,
 * right over header and body; the signer is the certificate of extraCerts, or of `known`, whose
 * subject is the sender and whose SubjectKeyIdentifier is senderKID when given. *chain is new:
 * signer, then the other extraCerts, then `known`. Trust in it is the caller's to judge
 * (brski_chain_verify).
 */
BRSKI_CHECKED enum brski_code brski_cmp_verify(const struct brski_cmp *msg, const STACK_OF(X509) *known,
	STACK_OF(X509) **chain, struct brski_error *err);
/* What a peer is told when brski_cmp_verify() says `code` of its message, RFC 9483 3.5. */
enum brski_cmp_fail brski_cmp_protection_fail(const struct brski_cmp *msg, enum brski_code code);
/* What the caller thinks of a signer, first of chain, whose signature is right. */
typedef enum brski_code brski_cmp_judge(void *ctx, const STACK_OF(X509) *chain, struct brski_error *err);
/*
 * The same, but that a signer must please `judge` too: there may be several certificates of one name
 * and key, an old and a renewed one for instance, and the next that fits is tried. If none is found,
 * the code is the judge's on the first.
 */
BRSKI_CHECKED enum brski_code brski_cmp_verify_judged(const struct brski_cmp *msg,
	const STACK_OF(X509) *known, brski_cmp_judge *judge, void *ctx, STACK_OF(X509) **chain,
	struct brski_error *err);

/*
 * One side's view of a transaction: everything that must survive a reboot. Plain values; no
 * pointers but the buffers.
 */
struct brski_cmp_transaction {
	struct brski_buf id;            /* transactionID */
	struct brski_buf request_nonce; /* senderNonce of our last message but pollReq: RFC 9483 3.5, 4.4 */
	struct brski_buf last_nonce;    /* senderNonce of the last message that we sent */
	struct brski_buf peer_nonce;    /* senderNonce of the last message that we got */
	struct brski_buf recipient;     /* DER Name: sender of the last message that we got; len 0: NULL-DN */
	/*
	 * DER, SEQUENCE OF Certificate: who has signed the answers so far, with the path above. Later
	 * answers need not bring it again (RFC 9483 3.3). len 0: none
	 */
	struct brski_buf signers;
};
void brski_cmp_transaction_free(struct brski_cmp_transaction *tx);

/* ---- End entity: requests ---- */

/*
 * Each updates *tx. All are signed by `signer` with its chain in extraCerts (root left out).
 * messageTime is left out.
 */

struct brski_cmp_enroll {
	const struct brski_credential *signer; /* IDevID */
	EVP_PKEY *key;                         /* new key pair; proof of possession is made with it */
	const X509_NAME *subject;
	bool pkcs10;              /* p10cr in place of ir */
	bool implicit_confirm;    /* ask for it */
	const char *cert_profile; /* NULL: none */
};
/*
 * Starts *tx afresh (random transactionID and nonce). certReqId is 0 for ir; -1 stands for it with
 * p10cr (RFC 9483 4.1.4).
 */
BRSKI_CHECKED enum brski_code brski_cmp_enroll(const struct brski_cmp_enroll *req,
	const struct brski_env *env, struct brski_cmp_transaction *tx, struct brski_buf *out,
	struct brski_error *err);
/*
 * An RA's request for somebody else: a p10cr around that PKCS #10, which brski_cmp_pkcs10_check() has
 * judged; the proof of possession stays as it is (RFC 9483 5.2.3.1). Starts *tx afresh. BRSKI_INTERNAL:
 * pkcs10 is not one value in DER.
 */
BRSKI_CHECKED enum brski_code brski_cmp_p10cr(const struct brski_credential *signer, struct brski_span pkcs10,
	bool implicit_confirm, const struct brski_env *env, struct brski_cmp_transaction *tx,
	struct brski_buf *out, struct brski_error *err);
/* certConf for cert; reject: NULL to accept, else the words of statusString, with failure info `fail`. */
BRSKI_CHECKED enum brski_code brski_cmp_cert_conf(const struct brski_credential *signer, bool pkcs10,
	const X509 *cert, enum brski_cmp_fail fail, const char *reject, const struct brski_env *env,
	struct brski_cmp_transaction *tx, struct brski_buf *out, struct brski_error *err);
/* cert_req_id: 0 for ip, -1 for error or p10cr. */
BRSKI_CHECKED enum brski_code brski_cmp_poll_req(const struct brski_credential *signer, long cert_req_id,
	const struct brski_env *env, struct brski_cmp_transaction *tx, struct brski_buf *out,
	struct brski_error *err);
/*
 * genm with one infoType by its OID's text (cmp_oids.h: caCerts, certReqTemplate), value absent:
 * RFC 9483 4.3. Starts *tx afresh.
 */
BRSKI_CHECKED enum brski_code brski_cmp_genm(const struct brski_credential *signer, const char *info_type_oid,
	const struct brski_env *env, struct brski_cmp_transaction *tx, struct brski_buf *out,
	struct brski_error *err);

/* ---- End entity: what an answer says. ---- */

struct brski_cmp_response {
	int type; /* ip, cp, pkiConf, error, pollRep, genp */
	enum brski_cmp_status status;
	enum brski_cmp_fail fail;
	char text[256]; /* statusString or pollRep reason, printable ASCII */
	bool implicit_confirm;
	long cert_req_id;
	long check_after;            /* pollRep: seconds */
	X509 *cert;                  /* ip, cp with accepted or grantedWithMods */
	STACK_OF(X509) *ca_pubs;     /* may be NULL; genp: the certificates of id-it-caCerts */
	STACK_OF(X509) *extra_certs; /* never NULL: for building the new certificate's chain; not trusted */
	char info_type[64];          /* genp: OID text */
	struct brski_buf info_value; /* genp: DER of infoValue; len 0: absent */
};
void brski_cmp_response_free(struct brski_cmp_response *r);

/*
 * What an error message says, failInfo and text, for an operator who must know of it although
 * nothing of it may be believed; "" if msg is none, or cannot be read. Printable ASCII.
 */
#define BRSKI_CMP_WORDS_MAX 320
void brski_cmp_error_words(const struct brski_cmp *msg, char out[BRSKI_CMP_WORDS_MAX]);

/* A CA's certificate, or one of extended key usage cmcCA or cmcRA: it may answer for a PKI, RFC 9483 3.4. */
bool brski_cmp_may_answer(const X509 *cert);

/* Whose answers are taken. Borrowed. */
struct brski_cmp_trust {
	const STACK_OF(X509) *anchors;
	const STACK_OF(X509) *known; /* what may help to find signer and path, and is not trusted; or NULL */
	/*
	 * These very certificates may answer without the role's extended key usage, since the operator
	 * says so; NULL: none. `named_by` is where he does, for the error's words; NULL: nowhere.
	 */
	const STACK_OF(X509) *signers;
	const char *named_by;
	time_t now; /* 0: no clock */
};
/*
 * RFC 9483 3.5: transactionID, senderNonce of 128 bits, recipNonce (of tx->last_nonce or
 * tx->request_nonce), protection by a signer that verifies to one of the anchors. Authorized to
 * answer are a CA, a certificate of extended key usage cmcCA or cmcRA, and trust->signers: not just
 * any certificate of the domain, such as a neighbour's (BRSKI_UNTRUSTED). An unprotected error
 * message is taken only for what it is: *out says error, and the return value BRSKI_UNTRUSTED.
 * Updates *tx.
 */
BRSKI_CHECKED enum brski_code brski_cmp_response(struct brski_span der, const struct brski_cmp_trust *trust,
	struct brski_cmp_transaction *tx, struct brski_cmp_response *out, struct brski_error *err);
/* Reads without judging (a registrar looks at what it relays; the pledge judges). */
BRSKI_CHECKED enum brski_code brski_cmp_response_read(
	const struct brski_cmp *msg, struct brski_cmp_response *out, struct brski_error *err);

/*
 * The new certificate is what was asked for: the key is `key`; the subject equals `subject`, or is
 * the same device's (brski_name_is_same_device), under both positive statuses; it verifies to anchors with
 * extra certificates; neither a CA's nor, by its extended key usage, a registrar's; dates. It is good
 * for a login by EAP-TLS (RFC 5216 5.3): key usage allows digitalSignature, and extended key usage,
 * if there is one, clientAuth. *chain is new: leaf and intermediates in order.
 */
BRSKI_CHECKED enum brski_code brski_cmp_cert_check(const struct brski_cmp_response *r, const EVP_PKEY *key,
	const X509_NAME *subject, const STACK_OF(X509) *anchors, time_t now, STACK_OF(X509) **chain,
	struct brski_error *err);

/* ---- Registrar and CA: requests that come in. ---- */

struct brski_cmp_request {
	int type; /* ir, cr, p10cr, certConf, pollReq, genm */
	long cert_req_id;
	EVP_PKEY *key;      /* ir, p10cr: the public key to be certified, proof of possession checked */
	X509_NAME *subject; /* as requested; may be empty */
	STACK_OF(X509_EXTENSION) *extensions; /* may be NULL */
	X509_NAME *issuer;                    /* ir: as requested; NULL: any */
	bool wants_validity;                  /* ir: dates are requested */
	bool wants_controls; /* ir: there are controls or regInfo; p10cr: attributes besides the extensions */
	char info_type[64];  /* genm: OID text */
	bool info_has_value; /* genm */
	struct brski_buf cert_hash; /* certConf */
	int cert_hash_nid;          /* certConf: NID of hashAlg, NID_undef if absent */
	enum brski_cmp_status conf_status;
	enum brski_cmp_fail conf_fail; /* certConf failInfo */
	char text[256];                /* certConf statusString */
	/*
	 * when the check failed: what RFC 9483 3.5 and 5.1.1 say the peer is told; all else is zero
	 * then, but in_body
	 */
	enum brski_cmp_fail fail;
	bool in_body; /* and that is said in ip or cp, RFC 9483 3.6.2: brski_cmp_answer_refusal() */
};
void brski_cmp_request_free(struct brski_cmp_request *r);

/*
 * Protection as brski_cmp_verify, and the signer is exactly one certificate: signer (BRSKI_MISMATCH
 * else: "signed by another device"). Header as RFC 9483 3.1 and 3.5 want it (transactionID and
 * senderNonce of 128 bits, no recipNonce in a first message); one CertReqMsg, certReqId 0; proof of
 * possession by signature. signer NULL: any signer; then *chain (may be NULL) tells which.
 */
BRSKI_CHECKED enum brski_code brski_cmp_request_check(const struct brski_cmp *msg, const X509 *signer,
	STACK_OF(X509) **chain, struct brski_cmp_request *out, struct brski_error *err);
/* What a registrar lets a device ask for. Borrowed. */
struct brski_cmp_rule {
	const X509 *idevid;   /* whose subject it is */
	const char *profiles; /* names of certificate profiles, blanks or commas between them; NULL: none */
	const char *named_by; /* where these are named, for the error's words */
};
/*
 * May a device ask for that? RFC 9483 5.1: what the registrar forwards, it vouches for, and a PKI may
 * issue what is asked for. So all of the request is understood, whichever form it has: the subject is
 * the IDevID's; of extensions there are basicConstraints without cA, keyUsage without keyCertSign and
 * cRLSign, extendedKeyUsage of clientAuth, subjectKeyIdentifier, and subjectAltName, whose names are
 * the PKI's to judge, as is the issuer; no dates, controls, regInfo or other attributes; in
 * generalInfo implicitConfirm, and certProfile of an allowed name; of general messages, those of
 * RFC 9483 4.3. BRSKI_REFUSED, and asked->fail and asked->in_body are what the peer is told.
 */
BRSKI_CHECKED enum brski_code brski_cmp_request_authorize(const struct brski_cmp *msg,
	struct brski_cmp_request *asked, const struct brski_cmp_rule *rule, struct brski_error *err);
/*
 * A PKCS #10 that came without CMP (RFC 7030 4.2.1), by the same rules as one in a p10cr: its form and
 * proof of possession as brski_cmp_request_check(), then brski_cmp_request_authorize()'s, as far as it is
 * not about headers. *asked as there, type p10cr; on failure asked->fail alone.
 */
BRSKI_CHECKED enum brski_code brski_cmp_pkcs10_check(struct brski_span der, const struct brski_cmp_rule *rule,
	struct brski_cmp_request *asked, struct brski_error *err);
/* True if certHash in a certConf is that of cert. */
bool brski_cmp_cert_hash_matches(const struct brski_cmp_request *conf, const X509 *cert);

/*
 * That a certConf, checked already, belongs to the answer that brought the certificate: recipNonce is
 * its senderNonce, senderNonce is not the request's once more (RFC 9483 3.5), certReqId is its own
 * (4.1.1 and 4.1.4). BRSKI_UNEXPECTED, and conf->fail says what the peer is told. The hash is left to
 * brski_cmp_cert_hash_matches().
 */
BRSKI_CHECKED enum brski_code brski_cmp_conf_check(const struct brski_cmp *msg,
	const struct brski_cmp *answer, struct brski_cmp_request *conf, struct brski_error *err);

/* RFC 9483 5.2.2.1: wraps msg, same transactionID and senderNonce, signed by ra with its chain. */
BRSKI_CHECKED enum brski_code brski_cmp_nest(const struct brski_cmp *msg, const struct brski_credential *ra,
	struct brski_buf *out, struct brski_error *err);
/*
 * The one message inside a nested one, RFC 9483 5.2.2.1 (exactly one; transactionIDs and
 * senderNonces equal). Protection is not looked at here.
 */
BRSKI_CHECKED enum brski_code brski_cmp_unnest(
	const struct brski_cmp *nested, struct brski_cmp *inner, struct brski_error *err);

/* ---- Registrar and CA: answers ---- */

/* All copy transactionID and nonces from `request`, and are signed by signer with its chain. */

struct brski_cmp_grant {
	enum brski_cmp_status status; /* accepted, or grantedWithMods */
	const char *text;             /* statusString; NULL: none */
	const X509 *cert;
	const STACK_OF(X509) *chain;   /* of cert, for extraCerts; may be NULL */
	const STACK_OF(X509) *ca_pubs; /* may be NULL */
	bool implicit_confirm;         /* granted to those alone who ask for it */
	/* else until when a certConf is waited for, RFC 9483 4.1.1 (confirmWaitTime); 0: not told */
	time_t confirm_by;
};
/* ip, cp or kup with a certificate. The grant stays the caller's. */
BRSKI_CHECKED enum brski_code brski_cmp_answer_cert(const struct brski_cmp *request,
	const struct brski_credential *signer, const struct brski_cmp_grant *grant,
	const struct brski_env *env, struct brski_buf *out, struct brski_error *err);
/*
 * ip (or cp) without a certificate: rejection, or waiting. For other requests an error message with
 * that status.
 */
BRSKI_CHECKED enum brski_code brski_cmp_answer_status(const struct brski_cmp *request,
	const struct brski_credential *signer, enum brski_cmp_status status, enum brski_cmp_fail fail,
	const char *text, const struct brski_env *env, struct brski_buf *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_answer_error(const struct brski_cmp *request,
	const struct brski_credential *signer, enum brski_cmp_status status, enum brski_cmp_fail fail,
	const char *text, const struct brski_env *env, struct brski_buf *out, struct brski_error *err);
/*
 * The rejection of a request by RFC 9483 3.6.2: as brski_cmp_answer_status() if it is the request's body
 * that is at fault, else an error message.
 */
BRSKI_CHECKED enum brski_code brski_cmp_answer_refusal(const struct brski_cmp *request,
	const struct brski_credential *signer, bool in_body, enum brski_cmp_fail fail, const char *text,
	const struct brski_env *env, struct brski_buf *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_answer_poll(const struct brski_cmp *request,
	const struct brski_credential *signer, long check_after, const char *reason,
	const struct brski_env *env, struct brski_buf *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_cmp_answer_pkiconf(const struct brski_cmp *request,
	const struct brski_credential *signer, const struct brski_env *env, struct brski_buf *out,
	struct brski_error *err);
/* genp with id-it-caCerts (RFC 9483 4.3.1); certs NULL: the infoType without value. */
BRSKI_CHECKED enum brski_code brski_cmp_answer_genp(const struct brski_cmp *request,
	const struct brski_credential *signer, const char *info_type_oid, const STACK_OF(X509) *certs,
	const struct brski_env *env, struct brski_buf *out, struct brski_error *err);

#endif
