/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_CMP_CMP_ASN1_INTERNAL_H
#define BRSKI_CMP_CMP_ASN1_INTERNAL_H

#include <openssl/asn1t.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/asn1.h"

/*
 * Private to the cmp_*.c files: the ASN.1 types of RFC 9810 Appendix F and RFC 4211 Appendix B as
 * far as the profile of RFC 9483 uses them. ASN1_TYPE stands for an element that is kept as raw
 * DER. OpenSSL's own CMP types are not used: in 3.0 they are opaque, know no hashAlg in certConf
 * and no raw octets.
 */

typedef STACK_OF(ASN1_UTF8STRING) BRSKI_FREETEXT; /* PKIFreeText */

typedef struct { /* InfoTypeAndValue */
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
} BRSKI_INFO;
DEFINE_STACK_OF(BRSKI_INFO)

typedef struct { /* PKIHeader */
	ASN1_INTEGER *pvno;
	GENERAL_NAME *sender;
	GENERAL_NAME *recipient;
	ASN1_GENERALIZEDTIME *message_time;
	X509_ALGOR *protection_alg;
	ASN1_OCTET_STRING *sender_kid;
	ASN1_OCTET_STRING *recip_kid;
	ASN1_OCTET_STRING *transaction_id;
	ASN1_OCTET_STRING *sender_nonce;
	ASN1_OCTET_STRING *recip_nonce;
	BRSKI_FREETEXT *free_text;
	STACK_OF(BRSKI_INFO) *general_info;
} BRSKI_PKIHEADER;

typedef struct { /* PKIMessage; header and body raw */
	ASN1_TYPE *header;
	ASN1_TYPE *body;
	ASN1_BIT_STRING *protection;
	STACK_OF(X509) *extra_certs;
} BRSKI_PKIMESSAGE;

typedef struct { /* ProtectedPart, RFC 9810 5.1.3 */
	ASN1_TYPE *header;
	ASN1_TYPE *body;
} BRSKI_PROTECTEDPART;

typedef struct { /* PKIStatusInfo */
	ASN1_INTEGER *status;
	BRSKI_FREETEXT *text;
	ASN1_BIT_STRING *fail_info;
} BRSKI_STATUSINFO;

typedef struct { /* CertOrEncCert */
	int type;
	union {
		X509 *certificate;
		ASN1_TYPE *encrypted;
	} value;
} BRSKI_CERTORENC;
#define BRSKI_CERTORENC_CERTIFICATE 0

typedef struct { /* CertifiedKeyPair */
	BRSKI_CERTORENC *cert;
	ASN1_TYPE *private_key;
	ASN1_TYPE *publication;
} BRSKI_KEYPAIR;

typedef struct { /* CertResponse */
	ASN1_INTEGER *cert_req_id;
	BRSKI_STATUSINFO *status;
	BRSKI_KEYPAIR *pair;
	ASN1_OCTET_STRING *rsp_info;
} BRSKI_CERTRESPONSE;
DEFINE_STACK_OF(BRSKI_CERTRESPONSE)

typedef struct { /* CertRepMessage */
	STACK_OF(X509) *ca_pubs;
	STACK_OF(BRSKI_CERTRESPONSE) *responses;
} BRSKI_CERTREP;

typedef struct { /* CertStatus */
	ASN1_OCTET_STRING *cert_hash;
	ASN1_INTEGER *cert_req_id;
	BRSKI_STATUSINFO *status;
	X509_ALGOR *hash_alg;
} BRSKI_CERTSTATUS;
DEFINE_STACK_OF(BRSKI_CERTSTATUS)
typedef STACK_OF(BRSKI_CERTSTATUS) BRSKI_CERTCONF;

typedef struct { /* ErrorMsgContent */
	BRSKI_STATUSINFO *status;
	ASN1_INTEGER *code;
	BRSKI_FREETEXT *details;
} BRSKI_ERRORMSG;

typedef struct { /* an element of PollReqContent */
	ASN1_INTEGER *cert_req_id;
} BRSKI_POLL;
DEFINE_STACK_OF(BRSKI_POLL)
typedef STACK_OF(BRSKI_POLL) BRSKI_POLLREQ;

typedef struct { /* an element of PollRepContent */
	ASN1_INTEGER *cert_req_id;
	ASN1_INTEGER *check_after;
	BRSKI_FREETEXT *reason;
} BRSKI_POLLANSWER;
DEFINE_STACK_OF(BRSKI_POLLANSWER)
typedef STACK_OF(BRSKI_POLLANSWER) BRSKI_POLLREP;

typedef STACK_OF(BRSKI_INFO) BRSKI_GENMSG;  /* GenMsgContent, GenRepContent */
typedef STACK_OF(ASN1_TYPE) BRSKI_MESSAGES; /* NestedMessageContent, each message raw */
typedef STACK_OF(X509) BRSKI_CACERTS;       /* CaCertsValue */

typedef struct { /* CertTemplate; Names carry explicit tags, being choices */
	ASN1_INTEGER *version;
	ASN1_INTEGER *serial;
	X509_ALGOR *signing_alg;
	X509_NAME *issuer;
	STACK_OF(ASN1_TYPE) *validity; /* OptionalValidity: its two tagged times */
	X509_NAME *subject;
	X509_PUBKEY *key;
	ASN1_BIT_STRING *issuer_uid;
	ASN1_BIT_STRING *subject_uid;
	X509_EXTENSIONS *extensions;
} BRSKI_CERTTEMPLATE;

typedef struct { /* CertRequest */
	ASN1_INTEGER *cert_req_id;
	BRSKI_CERTTEMPLATE *cert_template;
	STACK_OF(ASN1_TYPE) *controls;
} BRSKI_CERTREQUEST;

typedef struct { /* POPOSigningKey */
	STACK_OF(ASN1_TYPE) *input;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
} BRSKI_POPOSIGNINGKEY;

typedef struct { /* ProofOfPossession */
	int type;
	union {
		ASN1_NULL *ra_verified;
		BRSKI_POPOSIGNINGKEY *signature;
		ASN1_TYPE *other;
	} value;
} BRSKI_POPO;
#define BRSKI_POPO_RAVERIFIED 0
#define BRSKI_POPO_SIGNATURE 1

typedef struct {             /* CertReqMsg */
	ASN1_TYPE *cert_req; /* raw: the proof of possession signs these octets */
	BRSKI_POPO *popo;
	STACK_OF(ASN1_TYPE) *reg_info;
} BRSKI_CERTREQMSG;
DEFINE_STACK_OF(BRSKI_CERTREQMSG)
typedef STACK_OF(BRSKI_CERTREQMSG) BRSKI_CERTREQMSGS;

DECLARE_ASN1_FUNCTIONS(BRSKI_FREETEXT)
DECLARE_ASN1_FUNCTIONS(BRSKI_INFO)
DECLARE_ASN1_FUNCTIONS(BRSKI_PKIHEADER)
DECLARE_ASN1_FUNCTIONS(BRSKI_PKIMESSAGE)
DECLARE_ASN1_FUNCTIONS(BRSKI_PROTECTEDPART)
DECLARE_ASN1_FUNCTIONS(BRSKI_STATUSINFO)
DECLARE_ASN1_FUNCTIONS(BRSKI_KEYPAIR)
DECLARE_ASN1_FUNCTIONS(BRSKI_CERTRESPONSE)
DECLARE_ASN1_FUNCTIONS(BRSKI_CERTREP)
DECLARE_ASN1_FUNCTIONS(BRSKI_CERTSTATUS)
DECLARE_ASN1_FUNCTIONS(BRSKI_CERTCONF)
DECLARE_ASN1_FUNCTIONS(BRSKI_ERRORMSG)
DECLARE_ASN1_FUNCTIONS(BRSKI_POLL)
DECLARE_ASN1_FUNCTIONS(BRSKI_POLLREQ)
DECLARE_ASN1_FUNCTIONS(BRSKI_POLLANSWER)
DECLARE_ASN1_FUNCTIONS(BRSKI_POLLREP)
DECLARE_ASN1_FUNCTIONS(BRSKI_GENMSG)
DECLARE_ASN1_FUNCTIONS(BRSKI_MESSAGES)
DECLARE_ASN1_FUNCTIONS(BRSKI_CACERTS)
DECLARE_ASN1_FUNCTIONS(BRSKI_CERTREQUEST)
DECLARE_ASN1_FUNCTIONS(BRSKI_CERTREQMSGS)

#endif
