/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/cmp.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "eap_brski/pki/cert.h"
#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/files.h"

/* Against an implementation that is not ours: OpenSSL's CMP library, as server, as client, as program. */

static struct cmp_world world[3];
static const char *const key_types[] = {"P-256", "P-384", "RSA-3072"};

static OSSL_CMP_MSG *to_openssl(const struct brski_buf *der)
{
	const unsigned char *at = der->data;
	OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &at, (long)der->len);

	ck_assert_msg(msg != NULL, "OpenSSL cannot read our message");
	ck_assert(at == der->data + der->len);
	return msg;
}

static struct brski_buf from_openssl(const OSSL_CMP_MSG *msg)
{
	struct brski_buf out = {0};
	unsigned char *der = NULL;
	int len = i2d_OSSL_CMP_MSG(msg, &der);

	ck_assert_int_gt(len, 0);
	brski_put(&out, brski_span(der, (size_t)len));
	OPENSSL_free(der);
	return out;
}

static struct brski_cmp_response respond(
	const struct cmp_world *w, const struct brski_buf *answer, struct brski_cmp_transaction *tx)
{
	struct brski_cmp_response r;
	struct brski_error err = {0};
	enum brski_code code = brski_cmp_response(brski_buf_span(answer),
		&(struct brski_cmp_trust){.anchors = w->anchors, .now = time(NULL)}, tx, &r, &err);

	ck_assert_msg(code == BRSKI_OK, "%s", err.why);
	return r;
}

static X509_STORE *store_of(X509 *root)
{
	X509_STORE *store = X509_STORE_new();

	ck_assert_int_eq(X509_STORE_add_cert(store, root), 1);
	return store;
}

/* ---- OpenSSL reads and writes what we make ---- */

static void same_in_openssl(const struct brski_buf *der, int type)
{
	OSSL_CMP_MSG *msg = to_openssl(der);
	struct brski_buf again = from_openssl(msg);

	ck_assert_int_eq(OSSL_CMP_MSG_get_bodytype(msg), type);
	ck_assert(brski_span_equal(brski_buf_span(der), brski_buf_span(&again)));
	OSSL_CMP_MSG_free(msg);
	brski_buf_free(&again);
}

START_TEST(openssl_reads_our_requests)
{
	const struct cmp_world *w = &world[_i];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf out, more = {0};
	struct brski_cmp msg;

	out = cmp_enroll(w, true, true, &tx);
	same_in_openssl(&out, BRSKI_CMP_P10CR);
	brski_buf_free(&out);
	out = cmp_enroll(w, false, true, &tx);
	same_in_openssl(&out, BRSKI_CMP_IR);
	msg = cmp_decode(&out);
	ck_assert_int_eq(brski_cmp_nest(&msg, &w->ra, &more, NULL), BRSKI_OK);
	same_in_openssl(&more, BRSKI_CMP_NESTED);
	ck_assert_int_eq(brski_buf_set(&tx.peer_nonce, brski_buf_span(&tx.id)), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_cert_conf(&w->idevid, false, w->cmp.cert, BRSKI_CMP_BAD_REQUEST, "no",
				 NULL, &tx, &more, NULL),
		BRSKI_OK);
	same_in_openssl(&more, BRSKI_CMP_CERTCONF);
	ck_assert_int_eq(brski_cmp_poll_req(&w->idevid, -1, NULL, &tx, &more, NULL), BRSKI_OK);
	same_in_openssl(&more, BRSKI_CMP_POLLREQ);
	ck_assert_int_eq(brski_cmp_genm(&w->idevid, BRSKI_OID_CA_CERTS, NULL, &tx, &more, NULL), BRSKI_OK);
	same_in_openssl(&more, BRSKI_CMP_GENM);
	brski_cmp_free(&msg);
	brski_buf_free(&out);
	brski_buf_free(&more);
	brski_cmp_transaction_free(&tx);
}
END_TEST

START_TEST(openssl_reads_our_answers)
{
	const struct cmp_world *w = &world[_i];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, true, &tx), poll = {0}, out;
	struct brski_cmp msg = cmp_decode(&request), polled;

	ck_assert_int_eq(brski_buf_set(&tx.peer_nonce, brski_buf_span(&tx.id)), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_poll_req(&w->idevid, 0, NULL, &tx, &poll, NULL), BRSKI_OK);
	polled = cmp_decode(&poll);
	out = cmp_issue(w, &request, true);
	same_in_openssl(&out, BRSKI_CMP_IP);
	ck_assert_int_eq(brski_cmp_answer_status(&msg, &w->cmp, BRSKI_CMP_REJECTION,
				 BRSKI_CMP_BAD_CERT_TEMPLATE, "no", NULL, &out, NULL),
		BRSKI_OK);
	same_in_openssl(&out, BRSKI_CMP_IP);
	ck_assert_int_eq(brski_cmp_answer_error(&msg, &w->cmp, BRSKI_CMP_WAITING, BRSKI_CMP_FAIL_NONE, "wait",
				 NULL, &out, NULL),
		BRSKI_OK);
	same_in_openssl(&out, BRSKI_CMP_ERROR);
	ck_assert_int_eq(brski_cmp_answer_poll(&polled, &w->cmp, 60, "soon", NULL, &out, NULL), BRSKI_OK);
	same_in_openssl(&out, BRSKI_CMP_POLLREP);
	ck_assert_int_eq(brski_cmp_answer_pkiconf(&msg, &w->cmp, NULL, &out, NULL), BRSKI_OK);
	same_in_openssl(&out, BRSKI_CMP_PKICONF);
	ck_assert_int_eq(
		brski_cmp_answer_genp(&msg, &w->cmp, BRSKI_OID_CA_CERTS, w->anchors, NULL, &out, NULL),
		BRSKI_OK);
	same_in_openssl(&out, BRSKI_CMP_GENP);
	brski_cmp_free(&msg);
	brski_cmp_free(&polled);
	brski_buf_free(&request);
	brski_buf_free(&poll);
	brski_buf_free(&out);
	brski_cmp_transaction_free(&tx);
}
END_TEST

/* ---- our end entity, OpenSSL's server ---- */

struct server {
	const struct cmp_world *w;
	int polls; /* pollReqs to be told to wait */
	bool delay;
	OSSL_CMP_MSG *delayed;
	int certs;
	int confirmed;
	X509 *clients; /* what these verify to; NULL: the maker */
};

static OSSL_CMP_PKISI *serve_cert(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, int id,
	const OSSL_CRMF_MSG *crm, const X509_REQ *p10, X509 **cert, STACK_OF(X509) **chain,
	STACK_OF(X509) **ca_pubs)
{
	struct server *s = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);
	struct brski_credential made;

	(void)id;
	(void)crm;
	(void)p10;
	*cert = NULL;
	*chain = *ca_pubs = NULL;
	if (s->delay) {
		s->delay = false;
		s->delayed = OSSL_CMP_MSG_dup(req);
		return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_waiting, 0, "in the queue");
	}
	made = cmp_world_issue(s->w, s->w->key);
	*cert = X509_dup(made.cert);
	*chain = X509_chain_up_ref(made.chain);
	pki_free(&made);
	s->certs++;
	return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

static int serve_conf(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, int id, const ASN1_OCTET_STRING *hash,
	const OSSL_CMP_PKISI *si)
{
	struct server *s = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);

	(void)req;
	(void)id;
	(void)si;
	s->confirmed += ASN1_STRING_length(hash) >= 32;
	return 1;
}

static int serve_poll(
	OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, int id, OSSL_CMP_MSG **original, int64_t *check_after)
{
	struct server *s = OSSL_CMP_SRV_CTX_get0_custom_ctx(srv);

	(void)req;
	(void)id;
	*original = NULL;
	*check_after = 7;
	if (s->polls-- > 0)
		return 1;
	*original = s->delayed;
	s->delayed = NULL;
	*check_after = 0;
	return *original != NULL;
}

/* OpenSSL's server demands all callbacks; these two are never called here. */
static OSSL_CMP_PKISI *serve_rr(
	OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, const X509_NAME *issuer, const ASN1_INTEGER *serial)
{
	(void)srv;
	(void)req;
	(void)issuer;
	(void)serial;
	return NULL;
}

static int serve_genm(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, const STACK_OF(OSSL_CMP_ITAV) *in,
	STACK_OF(OSSL_CMP_ITAV) **out)
{
	(void)srv;
	(void)req;
	*out = sk_OSSL_CMP_ITAV_deep_copy(in, OSSL_CMP_ITAV_dup, OSSL_CMP_ITAV_free);
	return *out != NULL;
}

static void serve_error(OSSL_CMP_SRV_CTX *srv, const OSSL_CMP_MSG *req, const OSSL_CMP_PKISI *si,
	const ASN1_INTEGER *code, const OSSL_CMP_PKIFREETEXT *details)
{
	(void)srv;
	(void)req;
	(void)si;
	(void)code;
	(void)details;
}

static OSSL_CMP_SRV_CTX *server_new(struct server *s, bool grant)
{
	OSSL_CMP_SRV_CTX *srv = OSSL_CMP_SRV_CTX_new(NULL, NULL);
	OSSL_CMP_CTX *ctx = OSSL_CMP_SRV_CTX_get0_cmp_ctx(srv);

	ck_assert_int_eq(OSSL_CMP_SRV_CTX_init(srv, s, serve_cert, serve_rr, serve_genm, serve_error,
				 serve_conf, serve_poll),
		1);
	ck_assert_int_eq(OSSL_CMP_CTX_set1_cert(ctx, s->w->cmp.cert), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_set1_pkey(ctx, s->w->cmp.key), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_build_cert_chain(ctx, NULL, s->w->cmp.chain), 1);
	ck_assert_int_eq(
		OSSL_CMP_CTX_set0_trustedStore(ctx, store_of(s->clients ? s->clients : s->w->maker.cert)), 1);
	OSSL_CMP_SRV_CTX_set_grant_implicit_confirm(srv, grant);
	return srv;
}

static struct brski_buf serve(OSSL_CMP_SRV_CTX *srv, const struct brski_buf *request)
{
	OSSL_CMP_MSG *req = to_openssl(request), *rsp = OSSL_CMP_SRV_process_request(srv, req);
	struct brski_buf out;

	if (!rsp)
		ERR_print_errors_fp(stderr);
	ck_assert_ptr_nonnull(rsp);
	out = from_openssl(rsp);
	OSSL_CMP_MSG_free(req);
	OSSL_CMP_MSG_free(rsp);
	return out;
}

static void check_cert(const struct cmp_world *w, const struct brski_cmp_response *r)
{
	struct brski_error err = {0};
	STACK_OF(X509) *chain;

	ck_assert_msg(
		brski_cmp_cert_check(r, w->key, w->subject, w->anchors, time(NULL), &chain, &err) == BRSKI_OK,
		"%s", err.why);
	pki_free_certs(chain);
}

static void confirm(OSSL_CMP_SRV_CTX *srv, const struct cmp_world *w, const struct brski_credential *signer,
	bool pkcs10, const X509 *cert, struct brski_cmp_transaction *tx)
{
	struct brski_buf conf = {0}, answer;
	struct brski_cmp_response r;

	ck_assert_int_eq(
		brski_cmp_cert_conf(signer, pkcs10, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, tx, &conf, NULL),
		BRSKI_OK);
	answer = serve(srv, &conf);
	r = respond(w, &answer, tx);
	ck_assert_msg(r.type == BRSKI_CMP_PKICONF, "%s: %s", brski_cmp_type_name(r.type), r.text);
	brski_cmp_response_free(&r);
	brski_buf_free(&conf);
	brski_buf_free(&answer);
}

START_TEST(openssl_serves_our_device)
{
	const struct cmp_world *w = &world[_i / 4];
	bool pkcs10 = _i & 1, implicit = _i & 2;
	struct server s = {.w = w};
	OSSL_CMP_SRV_CTX *srv = server_new(&s, true);
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, pkcs10, implicit, &tx), answer = serve(srv, &request);
	struct brski_cmp_response r = respond(w, &answer, &tx);

	ck_assert_msg(r.type == (pkcs10 ? BRSKI_CMP_CP : BRSKI_CMP_IP), "%s: %s", brski_cmp_type_name(r.type),
		r.text);
	ck_assert_int_eq(r.status, BRSKI_CMP_ACCEPTED);
	ck_assert(r.implicit_confirm == implicit);
	check_cert(w, &r);
	if (!implicit)
		confirm(srv, w, &w->idevid, r.cert_req_id == -1, r.cert, &tx);
	ck_assert_int_eq(s.certs, 1);
	ck_assert_int_eq(s.confirmed, !implicit);
	brski_cmp_response_free(&r);
	brski_buf_free(&request);
	brski_buf_free(&answer);
	brski_cmp_transaction_free(&tx);
	OSSL_CMP_SRV_CTX_free(srv);
}
END_TEST

START_TEST(openssl_lets_our_device_wait)
{
	const struct cmp_world *w = &world[0];
	struct server s = {.w = w, .delay = true, .polls = 2};
	OSSL_CMP_SRV_CTX *srv = server_new(&s, false);
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, false, &tx), answer = serve(srv, &request),
			 poll = {0};
	struct brski_cmp_response r = respond(w, &answer, &tx);

	ck_assert_int_eq(r.type, BRSKI_CMP_IP);
	ck_assert_int_eq(r.status, BRSKI_CMP_WAITING);
	ck_assert_str_eq(r.text, "in the queue");
	for (int i = 0; i <= 2; i++) {
		ck_assert_int_eq(
			brski_cmp_poll_req(&w->idevid, r.cert_req_id, NULL, &tx, &poll, NULL), BRSKI_OK);
		brski_buf_free(&answer);
		brski_cmp_response_free(&r);
		answer = serve(srv, &poll);
		r = respond(w, &answer, &tx);
		ck_assert_msg(r.type == (i < 2 ? BRSKI_CMP_POLLREP : BRSKI_CMP_IP), "%s: %s",
			brski_cmp_type_name(r.type), r.text);
		ck_assert_int_eq(r.check_after, i < 2 ? 7 : 0);
	}
	check_cert(w, &r);
	confirm(srv, w, &w->idevid, false, r.cert, &tx);
	brski_cmp_response_free(&r);
	brski_buf_free(&request);
	brski_buf_free(&answer);
	brski_buf_free(&poll);
	brski_cmp_transaction_free(&tx);
	OSSL_CMP_SRV_CTX_free(srv);
}
END_TEST

/*
 * A registrar that asks itself for a device (RFC 9483 5.2.3), to its end: OpenSSL's server knows it by its
 * chain, certifies what is in the PKCS #10, lets it wait and has it confirm, or confirms implicitly.
 */
static struct brski_buf registrar_asks(
	const struct cmp_world *w, bool implicit, struct brski_cmp_transaction *tx)
{
	struct brski_buf p10 = {0}, out = {0};
	struct brski_cmp_request asked;
	struct brski_error err;

	EXPECT(BRSKI_OK, brski_cmp_pkcs10_write(w->key, X509_get_subject_name(w->idevid.cert), &p10, &err));
	EXPECT(BRSKI_OK, brski_cmp_pkcs10_check(brski_buf_span(&p10),
				 &(struct brski_cmp_rule){.idevid = w->idevid.cert}, &asked, &err));
	EXPECT(BRSKI_OK, brski_cmp_p10cr(&w->ra, brski_buf_span(&p10), implicit, NULL, tx, &out, &err));
	brski_cmp_request_free(&asked);
	brski_buf_free(&p10);
	return out;
}

static struct brski_cmp_response poll_as_registrar(
	OSSL_CMP_SRV_CTX *srv, const struct cmp_world *w, long id, struct brski_cmp_transaction *tx)
{
	struct brski_buf poll = {0}, answer;
	struct brski_cmp_response r;

	ck_assert_int_eq(brski_cmp_poll_req(&w->ra, id, NULL, tx, &poll, NULL), BRSKI_OK);
	answer = serve(srv, &poll);
	r = respond(w, &answer, tx);
	brski_buf_free(&poll);
	brski_buf_free(&answer);
	return r;
}

START_TEST(openssl_serves_our_registrar)
{
	const struct cmp_world *w = &world[0];
	bool implicit = _i & 1, delay = _i & 2;
	struct server s = {.w = w, .delay = delay, .polls = 1, .clients = w->root.cert};
	OSSL_CMP_SRV_CTX *srv = server_new(&s, true);
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = registrar_asks(w, implicit, &tx), answer = serve(srv, &request);
	struct brski_cmp_response r = respond(w, &answer, &tx);

	if (delay) {
		long id = r.cert_req_id;

		ck_assert_int_eq(r.status, BRSKI_CMP_WAITING);
		brski_cmp_response_free(&r);
		r = poll_as_registrar(srv, w, id, &tx);
		ck_assert_int_eq(r.type, BRSKI_CMP_POLLREP);
		brski_cmp_response_free(&r);
		r = poll_as_registrar(srv, w, id, &tx);
	}
	ck_assert_msg(r.type == BRSKI_CMP_CP, "%s: %s", brski_cmp_type_name(r.type), r.text);
	ck_assert_int_eq(r.status, BRSKI_CMP_ACCEPTED);
	ck_assert(r.implicit_confirm == implicit);
	check_cert(w, &r);
	if (!implicit)
		confirm(srv, w, &w->ra, r.cert_req_id == -1, r.cert, &tx);
	ck_assert_int_eq(s.certs, 1);
	ck_assert_int_eq(s.confirmed, !implicit);
	brski_cmp_response_free(&r);
	brski_buf_free(&request);
	brski_buf_free(&answer);
	brski_cmp_transaction_free(&tx);
	OSSL_CMP_SRV_CTX_free(srv);
}
END_TEST

START_TEST(openssl_refuses_a_broken_request)
{
	const struct cmp_world *w = &world[0];
	struct server s = {.w = w};
	OSSL_CMP_SRV_CTX *srv = server_new(&s, false);
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, false, &tx), broken = {0}, answer;
	struct brski_cmp msg = cmp_decode(&request);
	struct brski_cmp_response r;

	msg.protection.data[msg.protection.len - 1] ^= 1;
	ck_assert_int_eq(brski_cmp_encode(&msg, &broken, NULL), BRSKI_OK);
	answer = serve(srv, &broken);
	r = respond(w, &answer, &tx);
	ck_assert_int_eq(r.type, BRSKI_CMP_ERROR);
	ck_assert_int_eq(r.status, BRSKI_CMP_REJECTION);
	ck_assert_str_ne(r.text, "");
	ck_assert_int_eq(s.certs, 0);
	brski_cmp_response_free(&r);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_buf_free(&broken);
	brski_buf_free(&answer);
	brski_cmp_transaction_free(&tx);
	OSSL_CMP_SRV_CTX_free(srv);
}
END_TEST

/* ---- OpenSSL's client, our CA ---- */

struct our_ca {
	const struct cmp_world *w;
	bool grant;
	int waits; /* answers "not yet" before the certificate */
	struct brski_buf first;
	X509 *issued;
	int confirmed;
};

static void set_recip_nonce(struct brski_cmp_draft *draft, void *ctx)
{
	const struct brski_cmp *poll = ctx;

	draft->recip_nonce = brski_buf_span(&poll->header.sender_nonce);
}

/*
 * RFC 9483 5.1.5 lets the final answer carry the nonce of the last pollReq; OpenSSL 3.0 takes
 * nothing else.
 */
static void answer_the_poll(const struct our_ca *ca, const struct brski_cmp *poll, struct brski_buf *answer)
{
	struct brski_buf other = cmp_redo(answer, &ca->w->cmp, set_recip_nonce, (void *)(uintptr_t)poll);

	brski_buf_move(answer, &other);
}

static struct brski_buf answer_request(struct our_ca *ca, const struct brski_cmp *msg)
{
	struct brski_buf out = {0};

	if (ca->waits == 0) {
		struct brski_cmp_response r;
		struct brski_cmp made;

		out = cmp_issue(ca->w, &ca->first, ca->grant);
		if (msg->type == BRSKI_CMP_POLLREQ)
			answer_the_poll(ca, msg, &out);
		made = cmp_decode(&out);
		ck_assert_int_eq(brski_cmp_response_read(&made, &r, NULL), BRSKI_OK);
		ca->issued = r.cert;
		r.cert = NULL;
		brski_cmp_response_free(&r);
		brski_cmp_free(&made);
	} else if (msg->type == BRSKI_CMP_POLLREQ) {
		ck_assert_int_eq(
			brski_cmp_answer_poll(msg, &ca->w->cmp, 1, NULL, NULL, &out, NULL), BRSKI_OK);
	} else {
		ck_assert_int_eq(brski_cmp_answer_status(msg, &ca->w->cmp, BRSKI_CMP_WAITING,
					 BRSKI_CMP_FAIL_NONE, NULL, NULL, &out, NULL),
			BRSKI_OK);
	}
	ca->waits--;
	return out;
}

static struct brski_buf answer_anything(struct our_ca *ca, const struct brski_buf *request)
{
	struct brski_cmp msg = cmp_decode(request);
	struct brski_cmp_request req;
	struct brski_buf out = {0};
	struct brski_error err = {0};

	ck_assert_msg(brski_cmp_request_check(&msg, ca->w->idevid.cert, NULL, &req, &err) == BRSKI_OK, "%s",
		err.why);
	if (req.type == BRSKI_CMP_GENM) {
		ck_assert_int_eq(brski_cmp_answer_genp(
					 &msg, &ca->w->cmp, req.info_type, ca->w->anchors, NULL, &out, NULL),
			BRSKI_OK);
	} else if (req.type == BRSKI_CMP_CERTCONF) {
		ca->confirmed += brski_cmp_cert_hash_matches(&req, ca->issued);
		ck_assert_int_eq(brski_cmp_answer_pkiconf(&msg, &ca->w->cmp, NULL, &out, NULL), BRSKI_OK);
	} else {
		if (req.type != BRSKI_CMP_POLLREQ)
			ck_assert_int_eq(brski_buf_set(&ca->first, brski_buf_span(request)), BRSKI_OK);
		out = answer_request(ca, &msg);
	}
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	return out;
}

static OSSL_CMP_MSG *transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *req)
{
	struct brski_buf request = from_openssl(req);
	struct brski_buf answer = answer_anything(OSSL_CMP_CTX_get_transfer_cb_arg(ctx), &request);
	OSSL_CMP_MSG *rsp = to_openssl(&answer);

	brski_buf_free(&request);
	brski_buf_free(&answer);
	return rsp;
}

static OSSL_CMP_CTX *client_new(struct our_ca *ca)
{
	const struct cmp_world *w = ca->w;
	OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);

	ck_assert_int_eq(OSSL_CMP_CTX_set1_cert(ctx, w->idevid.cert), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_set1_pkey(ctx, w->idevid.key), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_build_cert_chain(ctx, NULL, w->idevid.chain), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_set1_subjectName(ctx, w->subject), 1);
	ck_assert_int_eq(EVP_PKEY_up_ref(w->key), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_set0_newPkey(ctx, 1, w->key), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_set0_trustedStore(ctx, store_of(w->root.cert)), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_set_transfer_cb(ctx, transfer), 1);
	ck_assert_int_eq(OSSL_CMP_CTX_set_transfer_cb_arg(ctx, ca), 1);
	return ctx;
}

static void set_csr(OSSL_CMP_CTX *ctx, const struct cmp_world *w)
{
	X509_REQ *req = X509_REQ_new();

	X509_REQ_set_subject_name(req, w->subject);
	X509_REQ_set_pubkey(req, w->key);
	ck_assert_int_gt(X509_REQ_sign(req, w->key, EVP_sha256()), 0);
	ck_assert_int_eq(OSSL_CMP_CTX_set1_p10CSR(ctx, req), 1);
	X509_REQ_free(req);
}

static void our_ca_free(struct our_ca *ca)
{
	brski_buf_free(&ca->first);
	X509_free(ca->issued);
}

START_TEST(openssl_enrolls_with_our_ca)
{
	struct our_ca ca = {.w = &world[_i / 4], .grant = _i & 2};
	bool pkcs10 = _i & 1;
	OSSL_CMP_CTX *ctx = client_new(&ca);
	X509 *cert;

	OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_IMPLICIT_CONFIRM, ca.grant);
	if (pkcs10)
		set_csr(ctx, ca.w);
	cert = pkcs10 ? OSSL_CMP_exec_P10CR_ses(ctx) : OSSL_CMP_exec_IR_ses(ctx);
	if (!cert)
		ERR_print_errors_fp(stderr);
	ck_assert(brski_cert_equal(cert, ca.issued));
	ck_assert_int_eq(ca.confirmed, ca.grant ? 0 : 1);
	OSSL_CMP_CTX_free(ctx);
	our_ca_free(&ca);
}
END_TEST

START_TEST(openssl_polls_our_ca)
{
	struct our_ca ca = {.w = &world[0], .waits = 2};
	OSSL_CMP_CTX *ctx = client_new(&ca);
	X509 *cert = OSSL_CMP_exec_IR_ses(ctx);

	if (!cert)
		ERR_print_errors_fp(stderr);
	ck_assert(brski_cert_equal(cert, ca.issued));
	ck_assert_int_eq(ca.confirmed, 1);
	OSSL_CMP_CTX_free(ctx);
	our_ca_free(&ca);
}
END_TEST

/* ---- the program ---- */

static char folder[64];

static void path_of(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%s/%s", folder, name);
}

static void write_certs(const char *name, X509 *leaf, const STACK_OF(X509) *chain)
{
	char path[128];
	FILE *f;

	path_of(path, sizeof(path), name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_X509(f, leaf), 1);
	for (int i = 0; i < sk_X509_num(chain); i++)
		ck_assert_int_eq(PEM_write_X509(f, sk_X509_value(chain, i)), 1);
	fclose(f);
}

static void write_key(const char *name, EVP_PKEY *key)
{
	char path[128];
	FILE *f;

	path_of(path, sizeof(path), name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
}

static void write_csr(const char *name, const struct cmp_world *w)
{
	X509_REQ *req = X509_REQ_new();
	char path[128];
	FILE *f;

	X509_REQ_set_subject_name(req, w->subject);
	X509_REQ_set_pubkey(req, w->key);
	ck_assert_int_gt(X509_REQ_sign(req, w->key, EVP_sha256()), 0);
	path_of(path, sizeof(path), name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_X509_REQ(f, req), 1);
	fclose(f);
	X509_REQ_free(req);
}

static void make_folder(void)
{
	temp_make(folder);
}

static void remove_folder(void)
{
	temp_remove(folder);
}

static void write_world(const struct cmp_world *w)
{
	struct brski_credential issued = cmp_world_issue(w, w->key);

	write_certs("idevid.pem", w->idevid.cert, NULL);
	write_certs("maker-ca.pem", w->maker_ca.cert, NULL);
	write_certs("maker.pem", w->maker.cert, NULL);
	write_certs("cmp.pem", w->cmp.cert, NULL);
	write_certs("site-ca.pem", w->ca.cert, NULL);
	write_certs("site.pem", w->root.cert, NULL);
	write_certs("issued.pem", issued.cert, NULL);
	write_key("idevid.key", w->idevid.key);
	write_key("cmp.key", w->cmp.key);
	write_key("new.key", w->key);
	write_csr("new.csr", w);
	pki_free(&issued);
}

/* `openssl cmp` against its own server inside the process; all messages of both sides land in files. */
static void run_openssl(const char *options)
{
	char command[2048];
	int n = snprintf(command, sizeof(command),
		"cd %s && openssl cmp -use_mock_srv -config '' -cert idevid.pem -key idevid.key -untrusted "
		"maker-ca.pem "
		"-trusted site.pem -srv_cert cmp.pem -srv_key cmp.key -srv_untrusted site-ca.pem "
		"-srv_trusted maker.pem "
		"-rsp_cert issued.pem -rsp_extracerts site-ca.pem -rsp_capubs site.pem -out_trusted site.pem "
		"-certout out.pem -reqout r1,r2,r3,r4,r5,r6,r7 -rspout a1,a2,a3,a4,a5,a6,a7 %s >log 2>&1",
		folder, options);

	ck_assert_int_lt(n, (int)sizeof(command));
	if (system(command) == 0)
		return;
	snprintf(command, sizeof(command), "cat %s/log >&2", folder);
	(void)!system(command);
	ck_abort_msg("openssl cmp %s failed", options);
}

static bool read_message(const char *name, struct brski_buf *out)
{
	char path[128];
	uint8_t octets[4096];
	size_t n;
	FILE *f;

	path_of(path, sizeof(path), name);
	f = fopen(path, "rb");
	if (!f)
		return false;
	while ((n = fread(octets, 1, sizeof(octets), f)) > 0)
		brski_put(out, brski_span(octets, n));
	fclose(f);
	return true;
}

/*
 * Decodes and encodes byte-exactly, verifies, and says what a request or answer must say. Returns
 * the type, -1: no such file.
 */
static int check_message(const struct cmp_world *w, const char *name, bool is_request)
{
	struct brski_buf der = {0}, again = {0};
	struct brski_error err = {0};
	STACK_OF(X509) *known, *chain;
	struct brski_cmp msg;
	int type;

	if (!read_message(name, &der))
		return -1;
	msg = cmp_decode(&der);
	type = msg.type;
	ck_assert_int_eq(brski_cmp_encode(&msg, &again, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&der), brski_buf_span(&again)));
	known = is_request ? pki_certs(&w->idevid, NULL) : pki_certs(&w->cmp, NULL);
	ck_assert_msg(brski_cmp_verify(&msg, known, &chain, &err) == BRSKI_OK, "%s: %s", name, err.why);
	if (is_request) {
		struct brski_cmp_request req;

		ck_assert_msg(brski_cmp_request_check(&msg, w->idevid.cert, NULL, &req, &err) == BRSKI_OK,
			"%s: %s", name, err.why);
		ck_assert(!req.key || EVP_PKEY_eq(req.key, w->key) == 1);
		brski_cmp_request_free(&req);
	} else {
		struct brski_cmp_response r;

		ck_assert_msg(brski_cmp_response_read(&msg, &r, &err) == BRSKI_OK, "%s: %s", name, err.why);
		ck_assert(!r.cert || brski_cert_has_key(r.cert, w->key));
		brski_cmp_response_free(&r);
	}
	pki_free_certs(known);
	pki_free_certs(chain);
	brski_cmp_free(&msg);
	brski_buf_free(&der);
	brski_buf_free(&again);
	return type;
}

#define MESSAGES_MAX 14

/* OpenSSL's own server, when told to let its client wait, does so with every answer since 3.3 (RFC 9483 4.4), with ip alone before. */
static const int *types_of_waiting(void)
{
	static const int before[] = {BRSKI_CMP_IR, BRSKI_CMP_IP, BRSKI_CMP_POLLREQ, BRSKI_CMP_POLLREP,
		BRSKI_CMP_POLLREQ, BRSKI_CMP_IP, BRSKI_CMP_CERTCONF, BRSKI_CMP_PKICONF, -1};
	static const int since[] = {BRSKI_CMP_IR, BRSKI_CMP_IP, BRSKI_CMP_POLLREQ, BRSKI_CMP_POLLREP,
		BRSKI_CMP_POLLREQ, BRSKI_CMP_IP, BRSKI_CMP_CERTCONF, BRSKI_CMP_ERROR, BRSKI_CMP_POLLREQ,
		BRSKI_CMP_POLLREP, BRSKI_CMP_POLLREQ, BRSKI_CMP_PKICONF, -1};
	bool waits_always =
		OPENSSL_version_major() > 3 || (OPENSSL_version_major() == 3 && OPENSSL_version_minor() >= 3);

	return waits_always ? since : before;
}

START_TEST(openssl_program)
{
	static const struct {
		const char *options;
		int types[MESSAGES_MAX]; /* request, answer, request ...; then -1; none: types_of_waiting() */
	} cases[] = {
		{"-cmd ir -newkey new.key -subject '/CN=Gadget 7'",
			{BRSKI_CMP_IR, BRSKI_CMP_IP, BRSKI_CMP_CERTCONF, BRSKI_CMP_PKICONF, -1}},
		{"-cmd cr -newkey new.key -subject '/CN=Gadget 7' -implicit_confirm -grant_implicitconf",
			{BRSKI_CMP_CR, BRSKI_CMP_CP, -1}},
		{"-cmd p10cr -csr new.csr",
			{BRSKI_CMP_P10CR, BRSKI_CMP_CP, BRSKI_CMP_CERTCONF, BRSKI_CMP_PKICONF, -1}},
		{"-cmd ir -newkey new.key -subject '/CN=Gadget 7' -poll_count 2 -check_after 1", {-1}},
	};
	const int CASES = sizeof(cases) / sizeof(cases[0]);
	const struct cmp_world *w = &world[_i / CASES];
	const int *types = cases[_i % CASES].types[0] >= 0 ? cases[_i % CASES].types : types_of_waiting();
	char name[16];

	write_world(w);
	run_openssl(cases[_i % CASES].options);
	for (int i = 0; i < MESSAGES_MAX; i++) {
		snprintf(name, sizeof(name), "%c%d", i % 2 ? 'a' : 'r', i / 2 + 1);
		ck_assert_int_eq(check_message(w, name, i % 2 == 0), types[i]);
		if (types[i] < 0)
			break;
	}
}
END_TEST
#define PROGRAM_RUNS 12

int main(void)
{
	Suite *suite = suite_create("cmp openssl");
	TCase *library = tcase_create("library"), *program = tcase_create("program");
	SRunner *runner;
	int failed;

	for (int i = 0; i < 3; i++)
		world[i] = cmp_world_new(key_types[i]);
	tcase_set_timeout(library, 60);
	tcase_add_loop_test(library, openssl_reads_our_requests, 0, 3);
	tcase_add_loop_test(library, openssl_reads_our_answers, 0, 3);
	tcase_add_loop_test(library, openssl_serves_our_device, 0, 12);
	tcase_add_test(library, openssl_lets_our_device_wait);
	tcase_add_loop_test(library, openssl_serves_our_registrar, 0, 4);
	tcase_add_test(library, openssl_refuses_a_broken_request);
	tcase_add_loop_test(library, openssl_enrolls_with_our_ca, 0, 12);
	tcase_add_test(library, openssl_polls_our_ca);
	suite_add_tcase(suite, library);
	tcase_set_timeout(program, 60);
	tcase_add_checked_fixture(program, make_folder, remove_folder);
	tcase_add_loop_test(program, openssl_program, 0, PROGRAM_RUNS);
	suite_add_tcase(suite, program);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int i = 0; i < 3; i++)
		cmp_world_free(&world[i]);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
