/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_CMP_WORLD_H
#define BRSKI_TESTS_CMP_WORLD_H

#include "eap_brski/cmp/cmp_internal.h"
#include "tests/unit/support/pki.h"

/* A manufacturer's device, a registrar and a CA that talk CMP, for tests. */

struct cmp_world {
	struct brski_credential maker; /* manufacturer's root */
	struct brski_credential maker_ca;
	struct brski_credential idevid;
	struct brski_credential root; /* the domain's */
	struct brski_credential ca;   /* issues LDevIDs */
	struct brski_credential cmp;  /* the CA's CMP signer, cmcCA */
	struct brski_credential ra;   /* the registrar, cmcRA */
	STACK_OF(X509) *anchors;      /* root */
	EVP_PKEY *key;                /* of the LDevID */
	X509_NAME *subject;           /* asked for */
};

#define CMP_WORLD_SUBJECT "CN=Gadget 7,serialNumber=S-7"

struct cmp_world cmp_world_new(const char *key_type); /* of IDevID, LDevID key and CMP signer */
void cmp_world_free(struct cmp_world *w);
struct brski_credential cmp_world_issue(
	const struct cmp_world *w, const EVP_PKEY *key); /* key is NULL in it */

/* These stop the test when the library refuses. */
struct brski_cmp cmp_decode(const struct brski_buf *der);
struct brski_buf cmp_enroll(
	const struct cmp_world *w, bool pkcs10, bool implicit, struct brski_cmp_transaction *tx);
/* The CA's answer to a request: a certificate for its key and CMP_WORLD_SUBJECT. */
struct brski_buf cmp_issue(const struct cmp_world *w, const struct brski_buf *request, bool implicit);

/*
 * The message once more, its protection right again, after `edit` had the draft of it in hands. The
 * draft's spans may be set to memory that lives until cmp_redo returns.
 */
typedef void cmp_edit(struct brski_cmp_draft *draft, void *ctx);
struct brski_buf cmp_redo(
	const struct brski_buf *der, const struct brski_credential *signer, cmp_edit *edit, void *ctx);

#endif
