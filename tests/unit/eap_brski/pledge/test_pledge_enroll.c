/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "tests/unit/support/files.h"
#include "tests/unit/support/network.h"

/* A pledge's way from its voucher to a confirmed certificate. */

static struct brski_error err;
static struct network net;
static struct brski_pledge_config config;
static struct brski_pledge *pledge;
static bool genp_waits; /* the registrar has no answer to genm yet */

static void setup(void)
{
	network_start(&net);
	config = network_config(&net);
	genp_waits = false;
}

static void teardown(void)
{
	brski_pledge_free(pledge);
	pledge = NULL;
	network_stop(&net);
}

static enum brski_code visit(void)
{
	brski_pledge_free(pledge);
	EXPECT(BRSKI_OK, brski_pledge_new(&config, &pledge, &err));
	return network_visit(&net, pledge, NULL, &err);
}

static void expect_state(enum brski_pledge_state state)
{
	network_expect_state(pledge, state);
}

/* ---- a voucher that pins the registrar's own certificate, RFC 8995 5.6.2 ---- */

static int status_for; /* which request gets an odd answer */

static void come_later(struct network *n, const struct network_request *request, struct brski_http *response)
{
	(void)n;
	if (request->cmp != status_for)
		return;
	EXPECT(BRSKI_OK, brski_http_response(response, 503, NULL, brski_span(NULL, 0), &err));
	EXPECT(BRSKI_OK, brski_http_set(response, "retry-after", "60", &err));
}

static void pin_registrar(struct brski_voucher *v)
{
	EXPECT(BRSKI_OK, brski_cert_to_der(net.registrar.cert, &v->pinned_domain_cert, &err));
}

static const struct brski_credential *genp_signer;
static const struct brski_credential *genp_ca; /* NULL: no certificate */

static bool answer_genm(struct network *n, const struct network_request *request, struct brski_http *response)
{
	STACK_OF(X509) *cas = genp_ca ? pki_certs(genp_ca, NULL) : NULL;
	struct brski_cmp msg = {0};
	struct brski_buf out = {0};

	if (strcmp(request->path, "getcacerts") != 0) {
		pki_free_certs(cas);
		return false;
	}
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&request->body), &msg, &err));
	if (genp_waits)
		EXPECT(BRSKI_OK, brski_cmp_answer_error(&msg, genp_signer, BRSKI_CMP_WAITING,
					 BRSKI_CMP_FAIL_NONE, "later", &n->env, &out, &err));
	else
		EXPECT(BRSKI_OK, brski_cmp_answer_genp(
					 &msg, genp_signer, "1.3.6.1.5.5.7.4.17", cas, &n->env, &out, &err));
	EXPECT(BRSKI_OK, brski_http_response(response, 200, BRSKI_MEDIA_CMP, brski_buf_span(&out), &err));
	brski_buf_free(&out);
	brski_cmp_free(&msg);
	pki_free_certs(cas);
	return true;
}

static void pinned_registrar(void)
{
	net.voucher = pin_registrar;
	net.hook = answer_genm;
	genp_signer = &net.registrar;
	genp_ca = &net.root;
}

START_TEST(a_pinned_registrar_tells_its_ca)
{
	struct brski_pledge_credential found;
	STACK_OF(X509) *anchors;

	pinned_registrar();
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(net.flights, 4);
	ck_assert_str_eq(net.requests[1].path, "voucher_status");
	ck_assert_str_eq(net.requests[2].path, "getcacerts");
	ck_assert_str_eq(net.requests[3].path, "initialization");
	network_expect_credential(&net);
	/* the registrar's certificate is no anchor for logins */
	ck_assert(brski_pledge_credential(&net.storage, &found, &err));
	EXPECT(BRSKI_OK, brski_certs_from_pem(
				 brski_buf_span(&network_value(&net, found.anchors)->data), &anchors, &err));
	ck_assert_int_eq(sk_X509_num(anchors), 1);
	ck_assert(brski_cert_equal(sk_X509_value(anchors, 0), net.root.cert));
	pki_free_certs(anchors);
}
END_TEST

START_TEST(a_pinned_registrar_that_tells_none)
{
	pinned_registrar();
	genp_ca = NULL;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "no CA certificates");
	genp_ca = &net.registrar;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "is none");
	genp_ca = &net.root;
	genp_signer = &net.signer; /* nothing leads from the pinned certificate to the CA */
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "signer of the CMP answer");
	ck_assert_uint_eq(network_asked(&net, "initialization", -1), 0);
}
END_TEST

START_TEST(a_pinned_registrar_after_a_reboot)
{
	pinned_registrar();
	genp_waits = true;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_IMPRINTED);
	ck_assert_int_gt(brski_pledge_retry_after(pledge), 0);
	net.offset += 61;
	genp_waits = false;
	status_for = BRSKI_CMP_IR;
	net.edit = come_later;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLL);
	net.offset += 61;
	net.edit = NULL;
	net.n_requests = 0;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(network_asked(&net, "getcacerts", -1), 0);
	network_expect_credential(&net);
}
END_TEST

/* ---- answers to the certification request ---- */

static void other_subject(struct network *n, struct pki_spec *spec)
{
	(void)n;
	spec->subject = "CN=Gadget,O=Vendor,serialNumber=S-2";
}

static void a_ca(struct network *n, struct pki_spec *spec)
{
	(void)n;
	spec->ca = true;
}

START_TEST(refuses_wrong_certificates)
{
	net.cert = other_subject;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "subject");
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_CERTCONF), 1);
	net.cert = a_ca;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "the new certificate is refused");
	net.cert = NULL;
	net.cert_issuer = &net.other_ca;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "the new certificate is refused");
}
END_TEST

/* RFC 9483 4.1.1: the PKI hears it by certConf, in the same flight as the registrar */
static void expect_rejection(enum brski_cmp_fail fail, const char *words)
{
	const struct network_request *last = network_last(&net, "initialization", BRSKI_CMP_CERTCONF);
	struct brski_cmp_request conf = {0};
	struct brski_cmp msg = {0};

	ck_assert_ptr_nonnull(last);
	ck_assert_str_eq(last[1].path, "enrollstatus");
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&last->body), &msg, &err));
	EXPECT(BRSKI_OK, brski_cmp_request_check(&msg, net.idevid.cert, NULL, &conf, &err));
	ck_assert_int_eq(conf.conf_status, BRSKI_CMP_REJECTION);
	ck_assert_msg(conf.conf_fail == fail, "%s", brski_cmp_fail_name(conf.conf_fail));
	ck_assert_msg(strstr(conf.text, words) != NULL, "%s", conf.text);
	brski_cmp_request_free(&conf);
	brski_cmp_free(&msg);
}

START_TEST(refuses_a_certificate_for_another_key)
{
	net.wrong_key = pki_key(NULL);
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "key");
	expect_rejection(BRSKI_CMP_INCORRECT_DATA, "another key");
	EVP_PKEY_free(net.wrong_key);
}
END_TEST

static void a_server(struct network *n, struct pki_spec *spec)
{
	(void)n;
	spec->eku = "serverAuth";
}

static void for_encryption(struct network *n, struct pki_spec *spec)
{
	(void)n;
	spec->key_usage = "keyEncipherment";
}

/* RFC 5216 5.3: it would say "onboarded", and never log in. */
START_TEST(refuses_a_certificate_that_cannot_log_in)
{
	net.cert = a_server;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "clientAuth");
	expect_rejection(BRSKI_CMP_INCORRECT_DATA, "clientAuth");
	net.cert = for_encryption;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "key usage");
	expect_rejection(BRSKI_CMP_INCORRECT_DATA, "key usage");
	net.cert = NULL;
	net.cert_issuer = &net.other_ca;
	EXPECT(BRSKI_OK, visit());
	expect_rejection(BRSKI_CMP_WRONG_AUTHORITY, "new certificate");
}
END_TEST

START_TEST(no_certconf_where_none_is_awaited)
{
	config.implicit_confirm = true;
	net.implicit_confirm = true;
	net.cert = other_subject;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "subject");
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_CERTCONF), 0);
}
END_TEST

START_TEST(refuses_answers_of_others)
{
	net.cmp_signer = &net.other_signer;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "signer of the CMP answer");
	ck_assert_uint_eq(net.flights, 3);
}
END_TEST

/* The signature's last octet: everything parses, nothing verifies. */
static void break_signature(
	struct network *n, const struct network_request *request, struct brski_http *response)
{
	struct brski_cmp msg = {0};
	uint8_t *at;

	(void)n;
	if (request->cmp != status_for)
		return;
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&response->body), &msg, &err));
	at = memmem(response->body.data, response->body.len, msg.protection.data, msg.protection.len);
	ck_assert_ptr_nonnull(at);
	at[msg.protection.len - 1] ^= 1;
	brski_cmp_free(&msg);
}

START_TEST(refuses_broken_answers)
{
	net.edit = break_signature;
	status_for = BRSKI_CMP_IR;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "protection does not verify");
	status_for = BRSKI_CMP_CERTCONF;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "protection does not verify");
	net.edit = NULL;
	network_answer_with(&net, "initialization", BRSKI_CMP_IR, 200, BRSKI_MEDIA_CMP, "no DER");
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "does not parse");
	network_answer_with(&net, "initialization", BRSKI_CMP_IR, 200, BRSKI_MEDIA_CMP, "");
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "does not parse");
	network_answer_with(&net, "initialization", BRSKI_CMP_IR, 200, "text/html", "<html>");
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, BRSKI_MEDIA_CMP);
	network_answer_with(
		&net, "initialization", BRSKI_CMP_IR, 502, "text/plain", "no answer from the PKI");
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "502 Bad Gateway: no answer from the PKI");
}
END_TEST

/* extraCerts are not protected, and the pledge has seen the signer in the first answer (RFC 9483 3.3). */
static void leave_out_certs(
	struct network *n, const struct network_request *request, struct brski_http *response)
{
	struct brski_cmp msg = {0};

	(void)n;
	if (request->cmp != BRSKI_CMP_CERTCONF)
		return;
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&response->body), &msg, &err));
	sk_X509_pop_free(msg.extra_certs, X509_free);
	msg.extra_certs = NULL;
	EXPECT(BRSKI_OK, brski_cmp_encode(&msg, &response->body, &err));
	brski_cmp_free(&msg);
}

START_TEST(the_pki_shows_its_signer_once)
{
	net.edit = leave_out_certs;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	network_expect_credential(&net);
}
END_TEST

/* The device was switched off in between. */
START_TEST(the_signer_outlives_a_reboot)
{
	net.edit = come_later;
	status_for = BRSKI_CMP_CERTCONF;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_CONFIRM);
	net.edit = leave_out_certs;
	net.offset = 61;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	network_expect_credential(&net);
}
END_TEST

/* A status in place of the certificate, or of pkiConf. */
static enum brski_cmp_status status_value;

static bool answer_status(
	struct network *n, const struct network_request *request, struct brski_http *response)
{
	struct brski_cmp msg = {0};
	struct brski_buf out = {0};

	if (request->cmp != status_for)
		return false;
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&request->body), &msg, &err));
	EXPECT(BRSKI_OK,
		brski_cmp_answer_status(&msg, &n->signer, status_value,
			status_value == BRSKI_CMP_REJECTION ? BRSKI_CMP_NOT_AUTHORIZED : BRSKI_CMP_FAIL_NONE,
			"the CA says so", &n->env, &out, &err));
	EXPECT(BRSKI_OK, brski_http_response(response, 200, BRSKI_MEDIA_CMP, brski_buf_span(&out), &err));
	brski_buf_free(&out);
	brski_cmp_free(&msg);
	return true;
}

START_TEST(the_pki_refuses)
{
	net.hook = answer_status;
	status_for = BRSKI_CMP_IR;
	status_value = BRSKI_CMP_REJECTION;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "the CA says so");
	ck_assert_ptr_nonnull(strstr(brski_pledge_reason(pledge), "notAuthorized"));
	config.pkcs10 = true;
	status_for = BRSKI_CMP_P10CR;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "the CA says so");
	status_for = BRSKI_CMP_CERTCONF;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "confirmation: the CA says so");
}
END_TEST

/* ---- polling, RFC 9483 4.4 ---- */

static bool ready; /* the CA has made up its mind */
static long check_after;
static bool final_by_request; /* its answer has the recipNonce of the request, else of the pollReq */

static void issue_by_poll(struct network *n, const struct brski_cmp *poll, struct brski_buf *out)
{
	struct brski_cmp_request r = {0};
	struct brski_cmp msg = {0}, mixed = {0};
	struct brski_credential cert;

	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&n->waiting), &msg, &err));
	EXPECT(BRSKI_OK, brski_cmp_request_check(&msg, n->idevid.cert, NULL, &r, &err));
	cert = pki_make(&(struct pki_spec){.subject = NETWORK_SUBJECT, .key = r.key}, &n->ca);
	mixed = msg;
	mixed.header.sender_nonce = poll->header.sender_nonce;
	EXPECT(BRSKI_OK, brski_cmp_answer_cert(&mixed, &n->signer,
				 &(struct brski_cmp_grant){.cert = cert.cert, .chain = cert.chain}, &n->env,
				 out, &err));
	X509_free(n->last_cert);
	n->last_cert = cert.cert;
	cert.cert = NULL;
	n->issued++;
	pki_free(&cert);
	brski_cmp_request_free(&r);
	brski_cmp_free(&msg);
}

static bool delayed(struct network *n, const struct network_request *request, struct brski_http *response)
{
	struct brski_cmp msg = {0};
	struct brski_buf out = {0};

	if (request->cmp != status_for && request->cmp != BRSKI_CMP_POLLREQ)
		return false;
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&request->body), &msg, &err));
	if (request->cmp == status_for) {
		EXPECT(BRSKI_OK, brski_buf_set(&n->waiting, brski_buf_span(&request->body)));
		EXPECT(BRSKI_OK, brski_cmp_answer_status(&msg, &n->registrar, BRSKI_CMP_WAITING,
					 BRSKI_CMP_FAIL_NONE, "later", &n->env, &out, &err));
	} else if (!ready) {
		EXPECT(BRSKI_OK, brski_cmp_answer_poll(
					 &msg, &n->registrar, check_after, "not yet", &n->env, &out, &err));
	} else if (status_for == BRSKI_CMP_CERTCONF) {
		EXPECT(BRSKI_OK, brski_cmp_answer_pkiconf(&msg, &n->signer, &n->env, &out, &err));
	} else if (final_by_request) {
		network_issue(n, brski_buf_span(&n->waiting), &out);
	} else {
		issue_by_poll(n, &msg, &out);
	}
	EXPECT(BRSKI_OK, brski_http_response(response, 200, BRSKI_MEDIA_CMP, brski_buf_span(&out), &err));
	brski_buf_free(&out);
	brski_cmp_free(&msg);
	return true;
}

static void delay(int what)
{
	net.hook = delayed;
	status_for = what;
	ready = false;
	check_after = 500;
}

START_TEST(polls_for_the_certificate)
{
	for (int round = 0; round < 4; round++) {
		config.pkcs10 = round & 1;
		final_by_request = round & 2;
		delay(config.pkcs10 ? BRSKI_CMP_P10CR : BRSKI_CMP_IR);
		net.n_requests = 0;
		EXPECT(BRSKI_OK, visit());
		expect_state(BRSKI_PLEDGE_POLL);
		/* the first pollReq goes at once, since waiting tells no time */
		ck_assert_uint_eq(
			network_asked(&net, config.pkcs10 ? "pkcs10" : "initialization", BRSKI_CMP_POLLREQ),
			1);
		ck_assert_int_gt(brski_pledge_retry_after(pledge), 490);
		net.offset += 501;
		EXPECT(BRSKI_OK, visit());
		expect_state(BRSKI_PLEDGE_POLL);
		net.offset += 501;
		ready = true;
		net.n_requests = 0;
		EXPECT(BRSKI_OK, visit());
		expect_state(BRSKI_PLEDGE_ENROLLED);
		/* nothing was asked anew */
		ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 0);
		ck_assert_int_eq(net.requests[0].cmp, BRSKI_CMP_POLLREQ);
		network_expect_credential(&net);
	}
	ck_assert_uint_eq(net.issued, 4);
}
END_TEST

static void expect_stored(const char *part)
{
	const struct brski_buf *state = &network_value(&net, "state")->data;

	ck_assert_msg(memmem(state->data, state->len, part, strlen(part)) != NULL, "%.*s", (int)state->len,
		(const char *)state->data);
}

START_TEST(polls_for_the_confirmation)
{
	delay(BRSKI_CMP_CERTCONF);
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_CONFIRM_POLL);
	/* as version 0.1.0 has it, which may read this state folder after a downgrade */
	expect_stored("\"state\":\"confirm\"");
	expect_stored("\"cmp-polling\":true");
	ck_assert_int_gt(brski_pledge_retry_after(pledge), 490);
	net.offset += 501;
	ready = true;
	net.n_requests = 0;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(net.n_requests, 2);
	ck_assert_int_eq(net.requests[0].cmp, BRSKI_CMP_POLLREQ);
	ck_assert_str_eq(net.requests[1].path, "enrollstatus");
	ck_assert(net.requests[1].status.status);
}
END_TEST

START_TEST(waiting_forever_is_no_loop)
{
	delay(BRSKI_CMP_IR);
	check_after = 0;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_POLL);
	ck_assert_int_eq(brski_pledge_retry_after(pledge), 1);
	/* "waiting" again, in place of a pollRep */
	net.hook = answer_status;
	status_for = BRSKI_CMP_POLLREQ;
	status_value = BRSKI_CMP_WAITING;
	net.offset += 2;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_POLL);
	ck_assert_int_gt(brski_pledge_retry_after(pledge), 50);
}
END_TEST

/* A pollReq that CMP has not answered is repeated as it is, also after a reboot; a pollRep ends that. */
START_TEST(repeats_its_poll)
{
	struct brski_buf sent = {0};
	const struct network_request *poll;

	delay(BRSKI_CMP_IR);
	EXPECT(BRSKI_OK, visit());
	poll = network_last(&net, "initialization", BRSKI_CMP_POLLREQ);
	EXPECT(BRSKI_OK, brski_buf_set(&sent, brski_buf_span(&poll->body)));
	for (int i = 0; i < 3; i++) {
		net.offset += 501;
		net.n_requests = 0;
		network_answer_with(&net, "initialization", BRSKI_CMP_POLLREQ, 503, NULL, "");
		net.canned.retry_after = "500";
		EXPECT(BRSKI_OK, visit());
		expect_state(BRSKI_PLEDGE_POLL);
		ck_assert_int_gt(brski_pledge_retry_after(pledge), 490);
		poll = network_last(&net, "initialization", BRSKI_CMP_POLLREQ);
		/* the first was answered by a pollRep, the second was not */
		ck_assert_int_eq(brski_span_equal(brski_buf_span(&sent), brski_buf_span(&poll->body)), i > 0);
		EXPECT(BRSKI_OK, brski_buf_set(&sent, brski_buf_span(&poll->body)));
	}
	net.hook = delayed;
	ready = true;
	final_by_request = false;
	net.offset += 501;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	brski_buf_free(&sent);
}
END_TEST

/* A PKI that did not know of our polling says waiting; it is asked for a time in the same visit. */
START_TEST(waiting_said_again_is_asked_for_a_time)
{
	delay(BRSKI_CMP_IR);
	EXPECT(BRSKI_OK, visit());
	net.hook = answer_status;
	status_for = BRSKI_CMP_POLLREQ;
	status_value = BRSKI_CMP_WAITING;
	net.offset += 501;
	net.n_requests = 0;
	EXPECT(BRSKI_OK, visit());
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_POLLREQ), 2);
}
END_TEST

START_TEST(refused_after_waiting)
{
	delay(BRSKI_CMP_IR);
	EXPECT(BRSKI_OK, visit());
	net.offset += 501;
	net.hook = answer_status;
	status_for = BRSKI_CMP_POLLREQ;
	status_value = BRSKI_CMP_REJECTION;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "the CA says so");
}
END_TEST

/* ---- the last answers ---- */

START_TEST(no_success_without_the_registrars_word)
{
	struct brski_pledge_credential found;

	network_answer_with(&net, "enrollstatus", -1, 404, NULL, "");
	EXPECT(BRSKI_OK, visit());
	network_expect_failed(&net, pledge, "404");
	ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
	network_answer_with(&net, "enrollstatus", -1, 503, NULL, "");
	net.canned.retry_after = "10";
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_REPORT);
	ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
	net.hook = NULL;
	net.offset += 11;
	net.n_requests = 0;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(net.n_requests, 1); /* all else was done */
	ck_assert(brski_pledge_credential(&net.storage, &found, &err));
}
END_TEST

START_TEST(no_success_without_pkiconf)
{
	network_answer_with(&net, "initialization", BRSKI_CMP_CERTCONF, 200, BRSKI_MEDIA_CMP, "");
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "does not parse");
	net.hook = answer_status;
	status_for = BRSKI_CMP_CERTCONF;
	status_value = BRSKI_CMP_REJECTION;
	EXPECT(BRSKI_OK, visit());
	network_expect_enrollment_failed(&net, pledge, "confirmation");
}
END_TEST

START_TEST(voucher_status_may_fail)
{
	network_answer_with(&net, "voucher_status", -1, 404, NULL, "");
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {a_pinned_registrar_tells_its_ca, a_pinned_registrar_that_tells_none,
		a_pinned_registrar_after_a_reboot, refuses_wrong_certificates,
		refuses_a_certificate_for_another_key, refuses_a_certificate_that_cannot_log_in,
		no_certconf_where_none_is_awaited, refuses_answers_of_others, refuses_broken_answers,
		the_pki_shows_its_signer_once, the_signer_outlives_a_reboot, the_pki_refuses,
		polls_for_the_certificate, polls_for_the_confirmation, waiting_forever_is_no_loop,
		repeats_its_poll, waiting_said_again_is_asked_for_a_time, refused_after_waiting,
		no_success_without_the_registrars_word, no_success_without_pkiconf, voucher_status_may_fail};

	return run_tests("pledge_enroll", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
