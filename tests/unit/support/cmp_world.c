/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/cmp_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Worlds are made before the first test runs, where ck_assert is not allowed. */
static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "cmp_world: %s failed\n", what);
	abort();
}

static X509_NAME *name_of(const struct brski_credential *cred)
{
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(cred->cert));

	need(name != NULL, "X509_NAME_dup");
	return name;
}

struct cmp_world cmp_world_new(const char *key_type)
{
	struct cmp_world w = {
		.maker = pki_root("CN=Maker Root,O=Maker"),
		.root = pki_root("CN=Site Root,O=Site"),
		.key = pki_key(key_type),
	};
	struct brski_credential like;

	w.maker_ca = pki_ca("CN=Maker CA,O=Maker", &w.maker);
	w.idevid = pki_leaf("CN=Gadget,O=Maker,serialNumber=S-7", key_type, &w.maker_ca);
	w.ca = pki_ca("CN=Site CA,O=Site", &w.root);
	w.cmp = pki_make(
		&(struct pki_spec){.subject = "CN=Site CMP", .key_type = key_type, .eku = "cmcCA"}, &w.ca);
	w.ra = pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = "cmcRA,serverAuth"}, &w.ca);
	w.anchors = sk_X509_new_null();
	need(X509_add_cert(w.anchors, w.root.cert, X509_ADD_FLAG_UP_REF) == 1, "X509_add_cert");
	like = pki_leaf(CMP_WORLD_SUBJECT, "P-256", NULL);
	w.subject = name_of(&like);
	pki_free(&like);
	return w;
}

void cmp_world_free(struct cmp_world *w)
{
	pki_free(&w->maker);
	pki_free(&w->maker_ca);
	pki_free(&w->idevid);
	pki_free(&w->root);
	pki_free(&w->ca);
	pki_free(&w->cmp);
	pki_free(&w->ra);
	pki_free_certs(w->anchors);
	EVP_PKEY_free(w->key);
	X509_NAME_free(w->subject);
	*w = (struct cmp_world){0};
}

struct brski_credential cmp_world_issue(const struct cmp_world *w, const EVP_PKEY *key)
{
	struct pki_spec spec = {
		.subject = CMP_WORLD_SUBJECT,
		.key = (EVP_PKEY *)(uintptr_t)key,
		.eku = "clientAuth",
	};

	return pki_make(&spec, &w->ca);
}

struct brski_cmp cmp_decode(const struct brski_buf *der)
{
	struct brski_error err = {0};
	struct brski_cmp msg;

	ck_assert_msg(brski_cmp_decode(brski_buf_span(der), &msg, &err) == BRSKI_OK, "%s", err.why);
	return msg;
}

struct brski_buf cmp_enroll(
	const struct cmp_world *w, bool pkcs10, bool implicit, struct brski_cmp_transaction *tx)
{
	struct brski_cmp_enroll req = {
		.signer = &w->idevid,
		.key = w->key,
		.subject = w->subject,
		.pkcs10 = pkcs10,
		.implicit_confirm = implicit,
	};
	struct brski_buf out = {0};
	struct brski_error err = {0};

	ck_assert_msg(brski_cmp_enroll(&req, NULL, tx, &out, &err) == BRSKI_OK, "%s", err.why);
	return out;
}

struct brski_buf cmp_issue(const struct cmp_world *w, const struct brski_buf *request, bool implicit)
{
	struct brski_cmp msg = cmp_decode(request);
	struct brski_cmp_request req;
	struct brski_credential made;
	struct brski_buf out = {0};
	struct brski_error err = {0};

	ck_assert_msg(
		brski_cmp_request_check(&msg, w->idevid.cert, NULL, &req, &err) == BRSKI_OK, "%s", err.why);
	made = cmp_world_issue(w, req.key);
	ck_assert_msg(brski_cmp_answer_cert(&msg, &w->cmp,
			      &(struct brski_cmp_grant){
				      .cert = made.cert, .chain = made.chain, .implicit_confirm = implicit},
			      NULL, &out, &err) == BRSKI_OK,
		"%s", err.why);
	pki_free(&made);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	return out;
}

struct brski_buf cmp_redo(
	const struct brski_buf *der, const struct brski_credential *signer, cmp_edit *edit, void *ctx)
{
	struct brski_cmp msg = cmp_decode(der);
	struct brski_buf out = {0};
	struct brski_error err = {0};
	struct brski_cmp_draft draft = {
		.pvno = msg.header.pvno,
		.type = msg.type,
		.signer = signer,
		.transaction_id = brski_buf_span(&msg.header.transaction_id),
		.sender_nonce = brski_buf_span(&msg.header.sender_nonce),
		.recip_nonce = brski_buf_span(&msg.header.recip_nonce),
		.implicit_confirm = msg.header.implicit_confirm,
		.content = brski_cmp_content(&msg),
		.more_certs = msg.extra_certs,
	};

	if (edit)
		edit(&draft, ctx);
	ck_assert_msg(brski_cmp_draft_sign(&draft, &out, &err) == BRSKI_OK, "%s", err.why);
	brski_cmp_free(&msg);
	return out;
}
