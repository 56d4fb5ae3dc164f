/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"
#include "tests/unit/support/cmp_world.h"

/* Both sides of CMP enrollment against each other, RFC 9483 4.1.1, 4.1.4, 4.3.1, 4.4 and 5.2.2.1. */

static struct cmp_world world[3];
static const char *const key_types[] = {"P-256", "P-384", "RSA-3072"};

static struct brski_cmp_response respond(
	const struct cmp_world *w, const struct brski_buf *answer, struct brski_cmp_transaction *tx)
{
	struct brski_cmp_response r;
	struct brski_error err = {0};

	ck_assert_msg(brski_cmp_response(brski_buf_span(answer),
			      &(struct brski_cmp_trust){.anchors = w->anchors, .now = time(NULL)}, tx, &r,
			      &err) == BRSKI_OK,
		"%s", err.why);
	return r;
}

static struct brski_cmp_request check_request(const struct brski_cmp *msg, const struct cmp_world *w)
{
	struct brski_cmp_request req;
	struct brski_error err = {0};

	ck_assert_msg(
		brski_cmp_request_check(msg, w->idevid.cert, NULL, &req, &err) == BRSKI_OK, "%s", err.why);
	ck_assert_int_eq(req.fail, BRSKI_CMP_FAIL_NONE);
	return req;
}

static void check_new_cert(const struct cmp_world *w, const struct brski_cmp_response *r)
{
	STACK_OF(X509) *chain;
	struct brski_error err = {0};

	ck_assert_msg(
		brski_cmp_cert_check(r, w->key, w->subject, w->anchors, time(NULL), &chain, &err) == BRSKI_OK,
		"%s", err.why);
	ck_assert_int_eq(sk_X509_num(chain), 2);
	ck_assert(brski_cert_equal(sk_X509_value(chain, 0), r->cert));
	ck_assert(brski_cert_equal(sk_X509_value(chain, 1), w->ca.cert));
	pki_free_certs(chain);
}

/* certConf and pkiConf */
static void confirm(
	const struct cmp_world *w, bool pkcs10, const X509 *cert, struct brski_cmp_transaction *tx)
{
	struct brski_buf conf = {0}, answer = {0};
	struct brski_cmp msg;
	struct brski_cmp_request req;
	struct brski_cmp_response r;

	ck_assert_int_eq(brski_cmp_cert_conf(
				 &w->idevid, pkcs10, cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, tx, &conf, NULL),
		BRSKI_OK);
	msg = cmp_decode(&conf);
	req = check_request(&msg, w);
	ck_assert_int_eq(req.type, BRSKI_CMP_CERTCONF);
	ck_assert_int_eq(msg.header.pvno, 2);
	ck_assert_int_eq(req.cert_hash_nid, NID_undef);
	ck_assert_int_eq(req.cert_req_id, pkcs10 ? -1 : 0);
	ck_assert_int_eq(req.conf_status, BRSKI_CMP_ACCEPTED);
	ck_assert(brski_cmp_cert_hash_matches(&req, cert));
	ck_assert(!brski_cmp_cert_hash_matches(&req, w->idevid.cert));
	ck_assert_int_eq(brski_cmp_answer_pkiconf(&msg, &w->cmp, NULL, &answer, NULL), BRSKI_OK);
	r = respond(w, &answer, tx);
	ck_assert_int_eq(r.type, BRSKI_CMP_PKICONF);
	brski_cmp_response_free(&r);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_buf_free(&conf);
	brski_buf_free(&answer);
}

/* ---- whole enrollments ---- */

START_TEST(enroll)
{
	const struct cmp_world *w = &world[_i / 4];
	bool pkcs10 = _i & 1, implicit = _i & 2;
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, pkcs10, implicit, &tx);
	struct brski_buf answer = cmp_issue(w, &request, true);
	struct brski_cmp_response r = respond(w, &answer, &tx);

	ck_assert_int_eq(r.type, pkcs10 ? BRSKI_CMP_CP : BRSKI_CMP_IP);
	ck_assert_int_eq(r.cert_req_id, pkcs10 ? -1 : 0);
	ck_assert_int_eq(r.status, BRSKI_CMP_ACCEPTED);
	ck_assert(r.implicit_confirm == implicit); /* granted to who asked only */
	check_new_cert(w, &r);
	if (!implicit)
		confirm(w, pkcs10, r.cert, &tx);
	brski_cmp_response_free(&r);
	brski_cmp_transaction_free(&tx);
	brski_buf_free(&request);
	brski_buf_free(&answer);
}
END_TEST

START_TEST(request_header_is_rfc9483)
{
	const struct cmp_world *w = &world[0];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, _i, true, &tx);
	struct brski_cmp msg = cmp_decode(&request);
	const ASN1_OCTET_STRING *skid = X509_get0_subject_key_id(w->idevid.cert);

	ck_assert_int_eq(msg.type, _i ? BRSKI_CMP_P10CR : BRSKI_CMP_IR);
	ck_assert_int_eq(msg.header.pvno, 2);
	ck_assert_int_eq(X509_NAME_cmp(msg.header.sender, X509_get_subject_name(w->idevid.cert)), 0);
	ck_assert_int_eq(X509_NAME_entry_count(msg.header.recipient), 0);
	ck_assert_uint_eq(msg.header.transaction_id.len, 16);
	ck_assert_uint_eq(msg.header.sender_nonce.len, 16);
	ck_assert_uint_eq(msg.header.recip_nonce.len, 0);
	ck_assert(msg.header.message_time == 0); /* a stored request outlives it */
	ck_assert(brski_span_equal(brski_buf_span(&msg.header.sender_kid),
		brski_span(ASN1_STRING_get0_data(skid), (size_t)ASN1_STRING_length(skid))));
	ck_assert(msg.header.implicit_confirm);
	ck_assert(brski_span_equal(brski_buf_span(&tx.id), brski_buf_span(&msg.header.transaction_id)));
	ck_assert(brski_span_equal(brski_buf_span(&tx.last_nonce), brski_buf_span(&msg.header.sender_nonce)));
	ck_assert(brski_span_equal(
		brski_buf_span(&tx.request_nonce), brski_buf_span(&msg.header.sender_nonce)));
	/* signer, then its chain without the self-signed root */
	ck_assert_int_eq(sk_X509_num(msg.extra_certs), 2);
	ck_assert(brski_cert_equal(sk_X509_value(msg.extra_certs, 0), w->idevid.cert));
	ck_assert(brski_cert_equal(sk_X509_value(msg.extra_certs, 1), w->maker_ca.cert));
	brski_cmp_free(&msg);
	brski_cmp_transaction_free(&tx);
	brski_buf_free(&request);
}
END_TEST

/* RFC 9483 3.3: no self-signed certificate in extraCerts, unless it is the signer's. */
START_TEST(roots_stay_at_home)
{
	struct cmp_world w = world[0];
	struct brski_credential self = pki_leaf("CN=Self", "P-256", NULL);
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request;
	struct brski_cmp msg;

	ck_assert_int_eq(X509_add_cert(w.idevid.chain, w.maker.cert, X509_ADD_FLAG_UP_REF), 1);
	request = cmp_enroll(&w, false, false, &tx);
	msg = cmp_decode(&request);
	ck_assert_int_eq(sk_X509_num(msg.extra_certs), 2);
	ck_assert(brski_cert_equal(sk_X509_value(msg.extra_certs, 1), w.maker_ca.cert));
	X509_free(sk_X509_pop(w.idevid.chain));
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	w.idevid = self;
	request = cmp_enroll(&w, false, false, &tx);
	msg = cmp_decode(&request);
	ck_assert_int_eq(sk_X509_num(msg.extra_certs), 1);
	ck_assert(brski_cert_equal(sk_X509_value(msg.extra_certs, 0), self.cert));
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_cmp_transaction_free(&tx);
	pki_free(&self);
}
END_TEST

START_TEST(request_says_key_and_subject)
{
	const struct cmp_world *w = &world[0];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, _i, false, &tx);
	struct brski_cmp msg = cmp_decode(&request);
	STACK_OF(X509) *chain;
	struct brski_cmp_request req;

	ck_assert_int_eq(brski_cmp_request_check(&msg, NULL, &chain, &req, NULL), BRSKI_OK);
	ck_assert(brski_cert_equal(sk_X509_value(chain, 0), w->idevid.cert));
	ck_assert_int_eq(EVP_PKEY_eq(req.key, w->key), 1);
	ck_assert_int_eq(X509_NAME_cmp(req.subject, w->subject), 0);
	ck_assert_int_eq(req.cert_req_id, _i ? -1 : 0);
	ck_assert(!msg.header.implicit_confirm);
	pki_free_certs(chain);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_cmp_transaction_free(&tx);
	brski_buf_free(&request);
}
END_TEST

START_TEST(every_transaction_is_fresh)
{
	struct brski_cmp_transaction a = {0}, b = {0};
	struct brski_buf x = cmp_enroll(&world[0], false, false, &a),
			 y = cmp_enroll(&world[0], false, false, &b);
	struct brski_buf first = {0};

	ck_assert(!brski_span_equal(brski_buf_span(&a.id), brski_buf_span(&b.id)));
	ck_assert(!brski_span_equal(brski_buf_span(&a.last_nonce), brski_buf_span(&b.last_nonce)));
	/* also where the structure was used before */
	ck_assert_int_eq(brski_buf_set(&first, brski_buf_span(&a.id)), BRSKI_OK);
	brski_buf_free(&x);
	x = cmp_enroll(&world[0], false, false, &a);
	ck_assert(!brski_span_equal(brski_buf_span(&a.id), brski_buf_span(&first)));
	brski_buf_free(&first);
	brski_buf_free(&x);
	brski_buf_free(&y);
	brski_cmp_transaction_free(&a);
	brski_cmp_transaction_free(&b);
}
END_TEST

static int no_random(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	(void)out;
	(void)len;
	return -1;
}

START_TEST(no_randomness_no_message)
{
	const struct brski_env env = {.random = no_random};
	const struct cmp_world *w = &world[0];
	struct brski_cmp_enroll req = {.signer = &w->idevid, .key = w->key, .subject = w->subject};
	struct brski_cmp_transaction tx = {0};
	struct brski_buf out = {0};

	ck_assert_int_eq(brski_cmp_enroll(&req, &env, &tx, &out, NULL), BRSKI_INTERNAL);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_uint_eq(tx.id.len, 0);
	brski_buf_free(&out);
}
END_TEST

START_TEST(cert_profile)
{
	const struct cmp_world *w = &world[0];
	struct brski_cmp_enroll req = {
		.signer = &w->idevid, .key = w->key, .subject = w->subject, .cert_profile = "gadgets"};
	struct brski_cmp_transaction tx = {0};
	struct brski_buf out = {0};
	struct brski_cmp msg;

	ck_assert_int_eq(brski_cmp_enroll(&req, NULL, &tx, &out, NULL), BRSKI_OK);
	msg = cmp_decode(&out);
	ck_assert_str_eq(msg.header.cert_profile, "gadgets");
	req.cert_profile = "a name of a profile that is so long that nobody could remember it";
	ck_assert_int_eq(brski_cmp_enroll(&req, NULL, &tx, &out, NULL), BRSKI_TOO_LARGE);
	ck_assert_uint_eq(out.len, 0);
	brski_cmp_free(&msg);
	brski_buf_free(&out);
	brski_cmp_transaction_free(&tx);
}
END_TEST

START_TEST(signer_without_key_identifier)
{
	struct cmp_world w = world[0];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request;
	struct brski_cmp msg;
	STACK_OF(X509) *chain;

	w.idevid =
		pki_make(&(struct pki_spec){.subject = "CN=Old gadget", .no_extensions = true}, &w.maker_ca);
	request = cmp_enroll(&w, false, false, &tx);
	msg = cmp_decode(&request);
	ck_assert_uint_eq(msg.header.sender_kid.len, 0);
	ck_assert_int_eq(brski_cmp_verify(&msg, NULL, &chain, NULL), BRSKI_OK);
	pki_free_certs(chain);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_cmp_transaction_free(&tx);
	pki_free(&w.idevid);
}
END_TEST

/* EdDSA names no hash: hashAlg says it, and the version is 3 (RFC 9483 4.1.1). */
START_TEST(cert_conf_for_eddsa_certificate)
{
	const struct cmp_world *w = &world[0];
	struct brski_credential cert =
		pki_make(&(struct pki_spec){.subject = "CN=Ed", .key_type = "ED25519"}, NULL);
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, false, &tx), conf = {0}, answer = {0};
	struct brski_cmp msg, reply;
	struct brski_cmp_request req;

	ck_assert_int_eq(brski_buf_set(&tx.peer_nonce, brski_buf_span(&tx.id)), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_cert_conf(&w->idevid, false, cert.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL,
				 &tx, &conf, NULL),
		BRSKI_OK);
	msg = cmp_decode(&conf);
	req = check_request(&msg, w);
	ck_assert_int_eq(msg.header.pvno, 3);
	ck_assert_int_eq(req.cert_hash_nid, NID_sha512);
	ck_assert(brski_cmp_cert_hash_matches(&req, cert.cert));
	ck_assert_int_eq(brski_cmp_answer_pkiconf(&msg, &w->cmp, NULL, &answer, NULL), BRSKI_OK);
	reply = cmp_decode(&answer);
	ck_assert_int_eq(reply.header.pvno, 3);
	brski_cmp_free(&reply);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_buf_free(&conf);
	brski_buf_free(&answer);
	brski_cmp_transaction_free(&tx);
	pki_free(&cert);
}
END_TEST

START_TEST(cert_conf_may_reject)
{
	const struct cmp_world *w = &world[0];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, false, &tx), answer = cmp_issue(w, &request, false),
			 conf = {0};
	struct brski_cmp_response r = respond(w, &answer, &tx);
	struct brski_cmp msg;
	struct brski_cmp_request req;

	ck_assert_int_eq(brski_cmp_cert_conf(&w->idevid, false, r.cert, BRSKI_CMP_INCORRECT_DATA,
				 "subject is another's", NULL, &tx, &conf, NULL),
		BRSKI_OK);
	msg = cmp_decode(&conf);
	req = check_request(&msg, w);
	ck_assert_int_eq(req.conf_status, BRSKI_CMP_REJECTION);
	ck_assert_int_eq(req.conf_fail, BRSKI_CMP_INCORRECT_DATA);
	ck_assert_str_eq(req.text, "subject is another's");
	ck_assert(brski_cmp_cert_hash_matches(&req, r.cert));
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_cmp_response_free(&r);
	brski_buf_free(&request);
	brski_buf_free(&answer);
	brski_buf_free(&conf);
	brski_cmp_transaction_free(&tx);
}
END_TEST

/* ---- delayed delivery, RFC 9483 4.4 ---- */

static struct brski_buf poll(const struct cmp_world *w, long id, struct brski_cmp_transaction *tx)
{
	struct brski_buf out = {0};

	ck_assert_int_eq(brski_cmp_poll_req(&w->idevid, id, NULL, tx, &out, NULL), BRSKI_OK);
	return out;
}

static void check_nonces(const struct brski_cmp *answer, const struct brski_cmp *request)
{
	ck_assert(brski_span_equal(brski_buf_span(&answer->header.transaction_id),
		brski_buf_span(&request->header.transaction_id)));
	ck_assert(brski_span_equal(
		brski_buf_span(&answer->header.recip_nonce), brski_buf_span(&request->header.sender_nonce)));
	ck_assert_uint_eq(answer->header.sender_nonce.len, 16);
	ck_assert_int_eq(X509_NAME_cmp(answer->header.recipient, request->header.sender), 0);
}

/* request; waiting, by the registrar; pollReq, pollRep; the CA's answer to the request itself */
START_TEST(delayed)
{
	const struct cmp_world *w = &world[0];
	bool pkcs10 = _i;
	long id = pkcs10 ? -1 : 0;
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, pkcs10, false, &tx), wait = {0}, polled, again, rep = {0},
			 final;
	struct brski_cmp msg = cmp_decode(&request), poll_msg, rep_msg;
	struct brski_cmp_request req;
	struct brski_cmp_response r;

	ck_assert_int_eq(brski_cmp_answer_status(&msg, &w->ra, BRSKI_CMP_WAITING, BRSKI_CMP_FAIL_NONE,
				 "be patient", NULL, &wait, NULL),
		BRSKI_OK);
	r = respond(w, &wait, &tx);
	ck_assert_int_eq(r.type, pkcs10 ? BRSKI_CMP_CP : BRSKI_CMP_IP);
	ck_assert_int_eq(r.status, BRSKI_CMP_WAITING);
	ck_assert_int_eq(r.cert_req_id, id);
	ck_assert_str_eq(r.text, "be patient");
	ck_assert_ptr_null(r.cert);
	brski_cmp_response_free(&r);

	polled = poll(w, id, &tx);
	poll_msg = cmp_decode(&polled);
	req = check_request(&poll_msg, w);
	ck_assert_int_eq(req.type, BRSKI_CMP_POLLREQ);
	ck_assert_int_eq(req.cert_req_id, id);
	ck_assert_int_eq(
		brski_cmp_answer_poll(&poll_msg, &w->ra, 3600, "still at it", NULL, &rep, NULL), BRSKI_OK);
	rep_msg = cmp_decode(&rep);
	check_nonces(&rep_msg, &poll_msg);
	r = respond(w, &rep, &tx);
	ck_assert_int_eq(r.type, BRSKI_CMP_POLLREP);
	ck_assert_int_eq(r.check_after, 3600);
	ck_assert_int_eq(r.cert_req_id, id);
	ck_assert_str_eq(r.text, "still at it");
	brski_cmp_response_free(&r);

	again = poll(w, id, &tx);
	ck_assert(!brski_span_equal(brski_buf_span(&tx.last_nonce), brski_buf_span(&tx.request_nonce)));
	final = cmp_issue(w, &request, false); /* its recipNonce is the request's senderNonce */
	r = respond(w, &final, &tx);
	check_new_cert(w, &r);
	confirm(w, pkcs10, r.cert, &tx);

	brski_cmp_response_free(&r);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_cmp_free(&poll_msg);
	brski_cmp_free(&rep_msg);
	brski_buf_free(&request);
	brski_buf_free(&wait);
	brski_buf_free(&polled);
	brski_buf_free(&again);
	brski_buf_free(&rep);
	brski_buf_free(&final);
	brski_cmp_transaction_free(&tx);
}
END_TEST

/* certConf as well may have to wait: then by an error message, and the poll is for the whole message */
START_TEST(delayed_confirmation)
{
	const struct cmp_world *w = &world[0];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, false, &tx), answer = cmp_issue(w, &request, false);
	struct brski_buf conf = {0}, wait = {0}, polled, done = {0};
	struct brski_cmp_response r = respond(w, &answer, &tx), waiting;
	struct brski_cmp msg;

	ck_assert_int_eq(brski_cmp_cert_conf(&w->idevid, false, r.cert, BRSKI_CMP_FAIL_NONE, NULL, NULL, &tx,
				 &conf, NULL),
		BRSKI_OK);
	msg = cmp_decode(&conf);
	ck_assert_int_eq(brski_cmp_answer_status(&msg, &w->ra, BRSKI_CMP_WAITING, BRSKI_CMP_FAIL_NONE, NULL,
				 NULL, &wait, NULL),
		BRSKI_OK);
	waiting = respond(w, &wait, &tx);
	ck_assert_int_eq(waiting.type, BRSKI_CMP_ERROR);
	ck_assert_int_eq(waiting.status, BRSKI_CMP_WAITING);
	ck_assert_int_eq(waiting.cert_req_id, -1);
	brski_cmp_response_free(&waiting);
	polled = poll(w, -1, &tx);
	ck_assert_int_eq(brski_cmp_answer_pkiconf(&msg, &w->cmp, NULL, &done, NULL), BRSKI_OK);
	waiting = respond(w, &done, &tx);
	ck_assert_int_eq(waiting.type, BRSKI_CMP_PKICONF);
	brski_cmp_response_free(&waiting);
	brski_cmp_response_free(&r);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_buf_free(&answer);
	brski_buf_free(&conf);
	brski_buf_free(&wait);
	brski_buf_free(&polled);
	brski_buf_free(&done);
	brski_cmp_transaction_free(&tx);
}
END_TEST

/* ---- refusals ---- */

START_TEST(rejection)
{
	const struct cmp_world *w = &world[0];
	bool pkcs10 = _i;
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, pkcs10, false, &tx), answer = {0};
	struct brski_cmp msg = cmp_decode(&request);
	struct brski_cmp_response r;

	ck_assert_int_eq(brski_cmp_answer_status(&msg, &w->cmp, BRSKI_CMP_REJECTION, BRSKI_CMP_NOT_AUTHORIZED,
				 "not on the list\xff\n", NULL, &answer, NULL),
		BRSKI_OK);
	r = respond(w, &answer, &tx);
	ck_assert_int_eq(r.type, pkcs10 ? BRSKI_CMP_CP : BRSKI_CMP_IP);
	ck_assert_int_eq(r.status, BRSKI_CMP_REJECTION);
	ck_assert_int_eq(r.fail, BRSKI_CMP_NOT_AUTHORIZED);
	ck_assert_str_eq(r.text, "not on the list??");
	ck_assert_ptr_null(r.cert);
	brski_cmp_response_free(&r);
	ck_assert_int_eq(brski_cmp_answer_error(&msg, &w->cmp, BRSKI_CMP_REJECTION, BRSKI_CMP_SYSTEM_UNAVAIL,
				 "later", NULL, &answer, NULL),
		BRSKI_OK);
	r = respond(w, &answer, &tx);
	ck_assert_int_eq(r.type, BRSKI_CMP_ERROR);
	ck_assert_int_eq(r.status, BRSKI_CMP_REJECTION);
	ck_assert_int_eq(r.fail, BRSKI_CMP_SYSTEM_UNAVAIL);
	ck_assert_str_eq(r.text, "later");
	brski_cmp_response_free(&r);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_buf_free(&answer);
	brski_cmp_transaction_free(&tx);
}
END_TEST

START_TEST(answers_fit_their_requests)
{
	const struct cmp_world *w = &world[0];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, false, &tx), out = {0};
	struct brski_cmp msg = cmp_decode(&request);
	const struct brski_cmp_grant negative = {.status = BRSKI_CMP_REJECTION, .cert = w->cmp.cert};
	const struct brski_cmp_grant nothing = {.status = BRSKI_CMP_ACCEPTED};

	ck_assert_int_eq(brski_cmp_answer_cert(&msg, &w->cmp, &negative, NULL, &out, NULL), BRSKI_INTERNAL);
	ck_assert_int_eq(brski_cmp_answer_cert(&msg, &w->cmp, &nothing, NULL, &out, NULL), BRSKI_INTERNAL);
	ck_assert_int_eq(brski_cmp_answer_status(&msg, &w->cmp, BRSKI_CMP_ACCEPTED, BRSKI_CMP_FAIL_NONE, NULL,
				 NULL, &out, NULL),
		BRSKI_INTERNAL);
	ck_assert_int_eq(brski_cmp_answer_poll(&msg, &w->cmp, 1, NULL, NULL, &out, NULL), BRSKI_INTERNAL);
	ck_assert_uint_eq(out.len, 0);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_buf_free(&out);
	brski_cmp_transaction_free(&tx);
}
END_TEST

/* ---- general messages, RFC 9483 4.3 ---- */

START_TEST(get_ca_certs)
{
	const struct cmp_world *w = &world[0];
	STACK_OF(X509) *certs = pki_certs(&w->ca, NULL);
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = {0}, answer = {0};
	struct brski_cmp msg;
	struct brski_cmp_request req;
	struct brski_cmp_response r;

	ck_assert_int_eq(
		brski_cmp_genm(&w->idevid, "1.3.6.1.5.5.7.4.17", NULL, &tx, &request, NULL), BRSKI_OK);
	msg = cmp_decode(&request);
	req = check_request(&msg, w);
	ck_assert_int_eq(req.type, BRSKI_CMP_GENM);
	ck_assert_str_eq(req.info_type, "1.3.6.1.5.5.7.4.17");
	ck_assert_int_eq(
		brski_cmp_answer_genp(&msg, &w->ra, req.info_type, _i ? NULL : certs, NULL, &answer, NULL),
		BRSKI_OK);
	r = respond(w, &answer, &tx);
	ck_assert_int_eq(r.type, BRSKI_CMP_GENP);
	ck_assert_str_eq(r.info_type, "1.3.6.1.5.5.7.4.17");
	ck_assert((r.info_value.len == 0) == (_i == 1));
	if (!_i)
		ck_assert(brski_cert_equal(sk_X509_value(r.ca_pubs, 0), w->ca.cert));
	else
		ck_assert_ptr_null(r.ca_pubs);
	brski_cmp_response_free(&r);
	brski_cmp_request_free(&req);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_buf_free(&answer);
	brski_cmp_transaction_free(&tx);
	pki_free_certs(certs);
}
END_TEST

/* ---- nested, RFC 9483 5.2.2.1 ---- */

START_TEST(nest)
{
	const struct cmp_world *w = &world[_i];
	struct brski_cmp_transaction tx = {0};
	struct brski_buf request = cmp_enroll(w, false, false, &tx), wrapped = {0};
	struct brski_cmp msg = cmp_decode(&request), outer, inner;
	STACK_OF(X509) *chain;
	struct brski_cmp_request req;

	ck_assert_int_eq(brski_cmp_nest(&msg, &w->ra, &wrapped, NULL), BRSKI_OK);
	outer = cmp_decode(&wrapped);
	ck_assert_int_eq(outer.type, BRSKI_CMP_NESTED);
	ck_assert_int_eq(X509_NAME_cmp(outer.header.sender, X509_get_subject_name(w->ra.cert)), 0);
	ck_assert(brski_span_equal(brski_buf_span(&outer.header.transaction_id), brski_buf_span(&tx.id)));
	ck_assert(
		brski_span_equal(brski_buf_span(&outer.header.sender_nonce), brski_buf_span(&tx.last_nonce)));
	ck_assert_int_eq(brski_cmp_verify(&outer, NULL, &chain, NULL), BRSKI_OK);
	ck_assert(brski_cert_equal(sk_X509_value(chain, 0), w->ra.cert));
	ck_assert_int_eq(
		brski_chain_verify(chain, w->anchors, NULL, BRSKI_USE_REGISTRAR, time(NULL), NULL), BRSKI_OK);
	ck_assert_int_eq(brski_cmp_unnest(&outer, &inner, NULL), BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&inner.der), brski_buf_span(&request)));
	req = check_request(&inner, w);
	ck_assert_int_eq(EVP_PKEY_eq(req.key, w->key), 1);
	brski_cmp_request_free(&req);
	brski_buf_reset(&wrapped);
	ck_assert_int_eq(brski_cmp_nest(&outer, &w->ra, &wrapped, NULL), BRSKI_UNEXPECTED);
	brski_cmp_free(&inner);
	ck_assert_int_eq(brski_cmp_unnest(&msg, &inner, NULL), BRSKI_UNEXPECTED);
	pki_free_certs(chain);
	brski_cmp_free(&outer);
	brski_cmp_free(&msg);
	brski_buf_free(&request);
	brski_buf_free(&wrapped);
	brski_cmp_transaction_free(&tx);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cmp enroll");
	TCase *tc = tcase_create("enroll");
	SRunner *runner;
	int failed;

	for (int i = 0; i < 3; i++)
		world[i] = cmp_world_new(key_types[i]);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, enroll, 0, 12);
	tcase_add_loop_test(tc, request_header_is_rfc9483, 0, 2);
	tcase_add_loop_test(tc, request_says_key_and_subject, 0, 2);
	tcase_add_test(tc, roots_stay_at_home);
	tcase_add_test(tc, every_transaction_is_fresh);
	tcase_add_test(tc, no_randomness_no_message);
	tcase_add_test(tc, cert_profile);
	tcase_add_test(tc, signer_without_key_identifier);
	tcase_add_test(tc, cert_conf_for_eddsa_certificate);
	tcase_add_test(tc, cert_conf_may_reject);
	tcase_add_loop_test(tc, delayed, 0, 2);
	tcase_add_test(tc, delayed_confirmation);
	tcase_add_loop_test(tc, rejection, 0, 2);
	tcase_add_test(tc, answers_fit_their_requests);
	tcase_add_loop_test(tc, get_ca_certs, 0, 2);
	tcase_add_loop_test(tc, nest, 0, 3);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int i = 0; i < 3; i++)
		cmp_world_free(&world[i]);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
