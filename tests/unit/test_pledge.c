/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "tests/unit/support/files.h"
#include "tests/unit/support/network.h"

static struct brski_error err;
static struct network net;
static struct brski_pledge_config config;
static struct brski_pledge *pledge;

static void setup(void)
{
	network_start(&net);
	config = network_config(&net);
}

static void teardown(void)
{
	brski_pledge_free(pledge);
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
	ck_assert_msg(brski_pledge_state(pledge) == state, "%s: %s",
		brski_pledge_state_name(brski_pledge_state(pledge)), brski_pledge_reason(pledge));
}

static void expect_failed(const char *words)
{
	expect_state(BRSKI_PLEDGE_FAILED);
	ck_assert_msg(strstr(brski_pledge_reason(pledge), words) != NULL, "\"%s\" lacks \"%s\"",
		brski_pledge_reason(pledge), words);
	ck_assert_ptr_nonnull(strstr(net.events, "failed"));
	ck_assert_ptr_null(network_value(&net, "ldevid-1.key"));
	ck_assert_ptr_null(network_value(&net, "ldevid-1.pem"));
}

/* No certificate was asked for, and the registrar was told which check failed. */
static void expect_voucher_refused(const char *words)
{
	const struct network_request *status = network_last(&net, "voucher_status", -1);

	expect_failed(words);
	ck_assert_ptr_nonnull(status);
	ck_assert(!status->status.status);
	ck_assert_ptr_nonnull(strstr(status->status.reason, words));
	ck_assert_ptr_nonnull(strstr(status->status.context, "failure"));
	ck_assert_uint_eq(net.n_requests, 2);
}

static void expect_enrollment_failed(const char *words)
{
	const struct network_request *status = network_last(&net, "enrollstatus", -1);

	expect_failed(words);
	ck_assert_ptr_nonnull(status);
	ck_assert(!status->status.status);
	ck_assert_ptr_nonnull(strstr(status->status.reason, words));
}

/* ---- what should succeed ---- */

static void check_credential(void)
{
	struct brski_pledge_credential found;
	STACK_OF(X509) *certs, *anchors;
	EVP_PKEY *key;

	ck_assert(brski_pledge_credential(&net.storage, &found, &err));
	ck_assert_str_eq(found.common_name, "Gadget");
	ck_assert_ptr_nonnull(strstr(found.subject, "CN=Gadget"));
	EXPECT(BRSKI_OK,
		brski_key_from_pem(brski_buf_span(&network_value(&net, found.key)->data), &key, &err));
	EXPECT(BRSKI_OK,
		brski_certs_from_pem(brski_buf_span(&network_value(&net, found.cert)->data), &certs, &err));
	EXPECT(BRSKI_OK, brski_certs_from_pem(
				 brski_buf_span(&network_value(&net, found.anchors)->data), &anchors, &err));
	ck_assert(network_value(&net, found.key)->secret);
	ck_assert(brski_cert_has_key(sk_X509_value(certs, 0), key));
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), net.last_cert));
	EXPECT(BRSKI_OK, brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	EVP_PKEY_free(key);
	pki_free_certs(certs);
	pki_free_certs(anchors);
}

START_TEST(onboards)
{
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(net.flights, 3);
	ck_assert_uint_eq(net.n_requests, 5);
	ck_assert_str_eq(net.requests[0].path, "requestvoucher");
	ck_assert_str_eq(net.requests[1].path, "voucher_status");
	ck_assert(net.requests[1].status.status);
	ck_assert_str_eq(net.requests[2].path, "initialization");
	ck_assert_int_eq(net.requests[2].cmp, BRSKI_CMP_IR);
	ck_assert_str_eq(net.requests[3].path, "initialization");
	ck_assert_int_eq(net.requests[3].cmp, BRSKI_CMP_CERTCONF);
	ck_assert_str_eq(net.requests[4].path, "enrollstatus");
	ck_assert(net.requests[4].status.status);
	ck_assert_str_eq(net.events, "tunnel voucher-requested voucher-accepted cert-requested cert-received"
				     " enrolled");
	ck_assert_ptr_nonnull(strstr(net.detail, "CN=Gadget"));
	ck_assert_str_eq(brski_pledge_reason(pledge), "");
	ck_assert_ptr_nonnull(network_value(&net, "voucher.vcj"));
	ck_assert_ptr_nonnull(network_value(&net, "registrar.pem"));
	check_credential();
}
END_TEST

START_TEST(onboards_with_pkcs10)
{
	config.pkcs10 = true;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(network_asked(&net, "pkcs10", BRSKI_CMP_P10CR), 1);
	ck_assert_uint_eq(network_asked(&net, "pkcs10", BRSKI_CMP_CERTCONF), 1);
	check_credential();
}
END_TEST

START_TEST(onboards_with_implicit_confirmation)
{
	config.implicit_confirm = true;
	net.implicit_confirm = true;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_CERTCONF), 0);
	ck_assert_uint_eq(net.flights, 3);
	check_credential();
}
END_TEST

START_TEST(confirms_when_implicit_is_not_granted)
{
	config.implicit_confirm = true;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_CERTCONF), 1);
}
END_TEST

START_TEST(onboards_without_storage)
{
	config.storage = NULL;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(net.writes, 0);
}
END_TEST

START_TEST(other_key_types)
{
	config.key_type = BRSKI_KEY_P384;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_int_eq(EVP_PKEY_get_bits(X509_get0_pubkey(net.last_cert)), 384);
	config.key_type = BRSKI_KEY_RSA3072;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_int_eq(EVP_PKEY_get_bits(X509_get0_pubkey(net.last_cert)), 3072);
}
END_TEST

START_TEST(a_credential_is_kept_until_the_next_one_works)
{
	struct brski_pledge_credential found;

	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	EXPECT(BRSKI_OK, brski_pledge_connected(pledge, net.chain, &err) == BRSKI_UNEXPECTED
				 ? BRSKI_OK
				 : BRSKI_INTERNAL);
	net.cmp_signer = &net.other_signer; /* the second attempt fails */
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_FAILED);
	ck_assert(brski_pledge_credential(&net.storage, &found, &err));
	ck_assert_str_eq(found.key, "ldevid-1.key");
	ck_assert_ptr_nonnull(network_value(&net, "ldevid-1.key"));
	ck_assert_ptr_null(network_value(&net, "ldevid-2.key"));
	net.cmp_signer = NULL;
	for (int generation = 2; generation <= 4; generation++) {
		EXPECT(BRSKI_OK, visit());
		expect_state(BRSKI_PLEDGE_ENROLLED);
		check_credential();
	}
	ck_assert(brski_pledge_credential(&net.storage, &found, &err));
	ck_assert_str_eq(found.key, "ldevid-4.key");
	ck_assert_ptr_nonnull(network_value(&net, "ldevid-3.key")); /* one generation back */
	ck_assert_ptr_null(network_value(&net, "ldevid-2.key"));
	ck_assert_ptr_null(network_value(&net, "ldevid-2.pem"));
	ck_assert_ptr_null(network_value(&net, "ldevid-2-ca.pem"));
	ck_assert_ptr_null(network_value(&net, "ldevid-1.key"));
}
END_TEST

START_TEST(no_credential_before_the_end)
{
	struct brski_pledge_credential found;

	ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
	ck_assert_int_eq(err.code, BRSKI_NOT_FOUND);
	net.voucher_signer = &net.other_ca;
	EXPECT(BRSKI_OK, visit());
	ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
	ck_assert_str_eq(found.key, "");
}
END_TEST

/* ---- vouchers, RFC 8995 5.6.1 and 5.6.2 ---- */

static void other_serial(struct brski_voucher *v)
{
	strcpy(v->serial_number, "S-2");
}

static void other_nonce(struct brski_voucher *v)
{
	v->nonce.data[0] ^= 1;
}

static void no_nonce(struct brski_voucher *v)
{
	brski_buf_free(&v->nonce);
}

static void nonceless(struct brski_voucher *v)
{
	brski_buf_free(&v->nonce);
	v->expires_on = time(NULL) + 600;
}

static void expired(struct brski_voucher *v)
{
	nonceless(v);
	v->created_on = time(NULL) - 7200;
	v->expires_on = time(NULL) - 3600;
}

static void other_issuer(struct brski_voucher *v)
{
	v->idevid_issuer.data[v->idevid_issuer.len - 1] ^= 1;
}

static void other_domain(struct brski_voucher *v)
{
	EXPECT(BRSKI_OK, brski_cert_to_der(net.other_root.cert, &v->pinned_domain_cert, &err));
}

static void garbage_pinned(struct brski_voucher *v)
{
	EXPECT(BRSKI_OK, brski_buf_set(&v->pinned_domain_cert, brski_span_str("no certificate")));
}

static void revocation_checks(struct brski_voucher *v)
{
	v->has_revocation_checks = v->domain_cert_revocation_checks = true;
}

static void a_request(struct brski_voucher *v)
{
	v->is_request = true;
	brski_buf_free(&v->pinned_domain_cert);
	EXPECT(BRSKI_OK, brski_cert_to_der(net.registrar.cert, &v->proximity_registrar_cert, &err));
}

START_TEST(refuses_wrong_vouchers)
{
	static const struct {
		void (*change)(struct brski_voucher *v);
		const char *words;
	} cases[] = {
		{other_serial, "S-2"},
		{other_nonce, "nonce"},
		{no_nonce, "nonce"},
		{nonceless, "nonce"},
		{expired, "expired"},
		{other_issuer, "idevid-issuer"},
		{other_domain, "does not pin this registrar"},
		{garbage_pinned, "pinned-domain-cert"},
		{revocation_checks, "revocation"},
		{a_request, "voucher-request"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		net.voucher = cases[i].change;
		net.n_requests = 0;
		EXPECT(BRSKI_OK, visit());
		expect_voucher_refused(cases[i].words);
		net.events[0] = '\0';
	}
	net.voucher = NULL; /* none of it leaves a trace */
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
}
END_TEST

START_TEST(refuses_vouchers_of_others)
{
	net.voucher_signer = &net.registrar;
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("signer");
}
END_TEST

START_TEST(refuses_a_registrar_without_the_role)
{
	struct brski_credential plain = pki_leaf("CN=Laptop,O=Domain", NULL, &net.ca);

	pki_free_certs(net.chain);
	net.chain = pki_certs(&plain, NULL);
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("does not pin this registrar");
	pki_free(&plain);
}
END_TEST

START_TEST(takes_nonceless_vouchers_by_policy_and_clock)
{
	net.voucher = nonceless;
	config.allow_nonceless = true;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	config.clock_is_right = false;
	net.n_requests = 0;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_FAILED);
	ck_assert_ptr_nonnull(strstr(brski_pledge_reason(pledge), "clock"));
	config.clock_is_right = true;
	net.voucher = expired;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_FAILED);
	ck_assert_ptr_nonnull(strstr(brski_pledge_reason(pledge), "expired"));
}
END_TEST

START_TEST(dates_and_clocks)
{
	net.offset = -40L * 365 * 24 * 3600; /* a device that wakes in the past */
	config.clock_is_right = false;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	config.clock_is_right = true;
	net.n_requests = 0;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_FAILED);
}
END_TEST

static void long_expired_cert(struct network *n, struct pki_spec *spec)
{
	(void)n;
	spec->not_before = time(NULL) - 7200;
	spec->not_after = time(NULL) - 3600;
}

START_TEST(the_voucher_tells_the_time)
{
	net.offset = -40L * 365 * 24 * 3600;
	config.clock_is_right = false;
	net.cert = long_expired_cert;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("certificate is refused");
}
END_TEST

/* ---- answers to the voucher-request ---- */

static struct {
	unsigned status;
	const char *type;
	const char *body;
	const char *retry_after;
	const char *path;
	int cmp;
} canned;

static bool canned_answer(
	struct network *n, const struct network_request *request, struct brski_http *response)
{
	(void)n;
	if (strcmp(request->path, canned.path) != 0 || (canned.cmp >= 0 && request->cmp != canned.cmp))
		return false;
	EXPECT(BRSKI_OK,
		brski_http_response(response, canned.status, canned.type, brski_span_str(canned.body), &err));
	if (canned.retry_after)
		EXPECT(BRSKI_OK, brski_http_set(response, "retry-after", canned.retry_after, &err));
	return true;
}

static void answer_with(const char *path, int cmp, unsigned status, const char *type, const char *body)
{
	net.hook = canned_answer;
	canned.path = path;
	canned.cmp = cmp;
	canned.status = status;
	canned.type = type;
	canned.body = body;
	canned.retry_after = NULL;
	net.n_requests = 0;
	net.events[0] = '\0';
}

START_TEST(refusals_have_their_status_in_words)
{
	answer_with("requestvoucher", -1, 403, "text/plain", "not in the inventory");
	EXPECT(BRSKI_OK, visit());
	expect_failed("403 Forbidden: not in the inventory");
	ck_assert_uint_eq(net.n_requests, 1);
	answer_with("requestvoucher", -1, 404, NULL, "");
	EXPECT(BRSKI_OK, visit());
	expect_failed("404 Not Found");
	answer_with("requestvoucher", -1, 503, NULL, "");
	EXPECT(BRSKI_OK, visit());
	expect_failed("503 Service Unavailable");
	answer_with("requestvoucher", -1, 302, "text/plain", "\x1b[2J\xff");
	EXPECT(BRSKI_OK, visit());
	expect_failed("302");
	for (const char *c = brski_pledge_reason(pledge); *c != '\0'; c++)
		ck_assert(*c >= 0x20 && *c <= 0x7e);
}
END_TEST

START_TEST(no_voucher_in_the_answer)
{
	answer_with("requestvoucher", -1, 200, BRSKI_MEDIA_VOUCHER, "");
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("refused");
	answer_with("requestvoucher", -1, 200, BRSKI_MEDIA_VOUCHER, "no CMS");
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("refused");
	answer_with("requestvoucher", -1, 200, "text/html", "<html>");
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("media type");
	answer_with("requestvoucher", -1, 200, NULL, "");
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("media type");
}
END_TEST

/* The voucher-request of a visit, and that nothing else was asked. */
static struct brski_buf the_only_request(void)
{
	struct brski_buf copy = {0};

	ck_assert_uint_eq(net.n_requests, 1);
	EXPECT(BRSKI_OK, brski_buf_set(&copy, brski_buf_span(&net.requests[0].body)));
	return copy;
}

START_TEST(told_to_come_back)
{
	struct brski_buf first, second;

	answer_with("requestvoucher", -1, 202, NULL, "");
	canned.retry_after = "30";
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_VOUCHER);
	ck_assert_int_ge(brski_pledge_retry_after(pledge), 29);
	ck_assert_int_le(brski_pledge_retry_after(pledge), 30);
	ck_assert_str_eq(net.events, "tunnel voucher-requested deferred");
	first = the_only_request();
	/* too early, even after a reboot: nothing is asked */
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_VOUCHER);
	ck_assert_uint_eq(net.n_requests, 1);
	/* in time: the very same octets, RFC 8995 5.6 */
	net.offset += 31;
	ck_assert_int_eq(brski_pledge_retry_after(pledge), 0);
	net.n_requests = 0;
	EXPECT(BRSKI_OK, visit());
	second = the_only_request();
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&second)));
	net.offset += 31;
	net.hook = NULL;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	brski_buf_free(&first);
	brski_buf_free(&second);
}
END_TEST

START_TEST(waits_before_a_voucher_are_bounded)
{
	answer_with("requestvoucher", -1, 202, NULL, "");
	canned.retry_after = "86400";
	EXPECT(BRSKI_OK, visit());
	ck_assert_int_le(brski_pledge_retry_after(pledge), 60); /* RFC 8995 5.6 */
	net.offset += 61;
	canned.retry_after = NULL;
	EXPECT(BRSKI_OK, visit());
	ck_assert_int_gt(brski_pledge_retry_after(pledge), 0);
	ck_assert_int_le(brski_pledge_retry_after(pledge), 60);
	net.offset += 61;
	canned.retry_after = "0";
	EXPECT(BRSKI_OK, visit());
	ck_assert_int_eq(brski_pledge_retry_after(pledge), 1);
	net.offset += 2;
	canned.status = 503;
	canned.retry_after = "20";
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_VOUCHER);
	ck_assert_int_gt(brski_pledge_retry_after(pledge), 0);
	/* a clock set back does not make the wait longer */
	net.offset -= 100000;
	EXPECT(BRSKI_OK, visit());
	ck_assert_int_le(brski_pledge_retry_after(pledge), 20);
	net.offset += 21;
	ck_assert_int_eq(brski_pledge_retry_after(pledge), 0);
}
END_TEST

START_TEST(another_registrar_gets_another_request)
{
	STACK_OF(X509) *other = pki_certs(&net.other_registrar, NULL);
	struct brski_voucher request = {0};
	STACK_OF(X509) *certs;
	struct brski_buf first, own = {0};

	answer_with("requestvoucher", -1, 202, NULL, "");
	canned.retry_after = "1";
	EXPECT(BRSKI_OK, visit());
	first = the_only_request();
	net.offset += 2;
	EXPECT(BRSKI_OK, network_visit(&net, pledge, other, &err));
	ck_assert_uint_eq(net.n_requests, 2);
	ck_assert(!brski_span_equal(brski_buf_span(&first), brski_buf_span(&net.requests[1].body)));
	EXPECT(BRSKI_OK,
		brski_voucher_open(brski_buf_span(&net.requests[1].body), NULL, &request, &certs, &err));
	EXPECT(BRSKI_OK, brski_cert_to_der(net.other_registrar.cert, &own, &err));
	ck_assert(brski_span_equal(brski_buf_span(&request.proximity_registrar_cert), brski_buf_span(&own)));
	brski_voucher_free(&request);
	brski_buf_free(&first);
	brski_buf_free(&own);
	pki_free_certs(certs);
	pki_free_certs(other);
}
END_TEST

START_TEST(an_imprinted_device_talks_to_its_domain_only)
{
	STACK_OF(X509) *other = pki_certs(&net.other_registrar, NULL);

	answer_with("initialization", BRSKI_CMP_IR, 503, NULL, "");
	canned.retry_after = "3600";
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLL);
	ck_assert_int_gt(brski_pledge_retry_after(pledge), 3000);
	net.offset += 3601;
	net.hook = NULL;
	net.n_requests = 0;
	EXPECT_WHY(BRSKI_UNTRUSTED, "not of the domain", network_visit(&net, pledge, other, &err));
	ck_assert_uint_eq(net.n_requests, 0);
	expect_state(BRSKI_PLEDGE_ENROLL);
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 0);
	pki_free_certs(other);
}
END_TEST

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
static bool genp_waits;

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
	check_credential();
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
	expect_enrollment_failed("no CA certificates");
	genp_ca = &net.registrar;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("is none");
	genp_ca = &net.root;
	genp_signer = &net.signer; /* nothing leads from the pinned certificate to the CA */
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("signer of the CMP answer");
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
	check_credential();
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
	expect_enrollment_failed("subject");
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_CERTCONF), 1);
	net.cert = a_ca;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("the new certificate is refused");
	net.cert = NULL;
	net.cert_issuer = &net.other_ca;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("the new certificate is refused");
}
END_TEST

START_TEST(refuses_a_certificate_for_another_key)
{
	struct brski_cmp_request conf = {0};
	struct brski_cmp msg = {0};

	net.wrong_key = pki_key(NULL);
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("key");
	/* RFC 9483 4.1.1: the PKI hears it by certConf, in the same flight as the registrar */
	ck_assert_int_eq(net.requests[3].cmp, BRSKI_CMP_CERTCONF);
	ck_assert_str_eq(net.requests[4].path, "enrollstatus");
	EXPECT(BRSKI_OK, brski_cmp_decode(brski_buf_span(&net.requests[3].body), &msg, &err));
	EXPECT(BRSKI_OK, brski_cmp_request_check(&msg, net.idevid.cert, NULL, &conf, &err));
	ck_assert_int_eq(conf.conf_status, BRSKI_CMP_REJECTION);
	brski_cmp_request_free(&conf);
	brski_cmp_free(&msg);
	EVP_PKEY_free(net.wrong_key);
}
END_TEST

START_TEST(no_certconf_where_none_is_awaited)
{
	config.implicit_confirm = true;
	net.implicit_confirm = true;
	net.cert = other_subject;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("subject");
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_CERTCONF), 0);
}
END_TEST

START_TEST(refuses_answers_of_others)
{
	net.cmp_signer = &net.other_signer;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("signer of the CMP answer");
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
	expect_enrollment_failed("protection does not verify");
	status_for = BRSKI_CMP_CERTCONF;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("protection does not verify");
	net.edit = NULL;
	answer_with("initialization", BRSKI_CMP_IR, 200, BRSKI_MEDIA_CMP, "no DER");
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("does not parse");
	answer_with("initialization", BRSKI_CMP_IR, 200, BRSKI_MEDIA_CMP, "");
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("does not parse");
	answer_with("initialization", BRSKI_CMP_IR, 200, "text/html", "<html>");
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed(BRSKI_MEDIA_CMP);
	answer_with("initialization", BRSKI_CMP_IR, 502, "text/plain", "no answer from the PKI");
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("502 Bad Gateway: no answer from the PKI");
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
	expect_enrollment_failed("the CA says so");
	ck_assert_ptr_nonnull(strstr(brski_pledge_reason(pledge), "notAuthorized"));
	config.pkcs10 = true;
	status_for = BRSKI_CMP_P10CR;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("the CA says so");
	status_for = BRSKI_CMP_CERTCONF;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("confirmation: the CA says so");
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
	EXPECT(BRSKI_OK, brski_cmp_answer_cert(&mixed, &n->signer, BRSKI_CMP_ACCEPTED, cert.cert, cert.chain,
				 NULL, false, &n->env, out, &err));
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
		check_credential();
	}
	ck_assert_uint_eq(net.issued, 4);
}
END_TEST

START_TEST(polls_for_the_confirmation)
{
	delay(BRSKI_CMP_CERTCONF);
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_CONFIRM);
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

START_TEST(refused_after_waiting)
{
	delay(BRSKI_CMP_IR);
	EXPECT(BRSKI_OK, visit());
	net.offset += 501;
	net.hook = answer_status;
	status_for = BRSKI_CMP_POLLREQ;
	status_value = BRSKI_CMP_REJECTION;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("the CA says so");
}
END_TEST

/* ---- the last answers ---- */

START_TEST(no_success_without_the_registrars_word)
{
	struct brski_pledge_credential found;

	answer_with("enrollstatus", -1, 404, NULL, "");
	EXPECT(BRSKI_OK, visit());
	expect_failed("404");
	ck_assert(!brski_pledge_credential(&net.storage, &found, &err));
	answer_with("enrollstatus", -1, 503, NULL, "");
	canned.retry_after = "10";
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
	answer_with("initialization", BRSKI_CMP_CERTCONF, 200, BRSKI_MEDIA_CMP, "");
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("does not parse");
	net.hook = answer_status;
	status_for = BRSKI_CMP_CERTCONF;
	status_value = BRSKI_CMP_REJECTION;
	EXPECT(BRSKI_OK, visit());
	expect_enrollment_failed("confirmation");
}
END_TEST

START_TEST(voucher_status_may_fail)
{
	answer_with("voucher_status", -1, 404, NULL, "");
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
}
END_TEST

/* ---- our own callers ---- */

START_TEST(out_of_turn)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0};
	struct brski_http responses[2] = {0};
	size_t n = 9;

	EXPECT(BRSKI_OK, brski_pledge_new(&config, &pledge, &err));
	EXPECT_WHY(BRSKI_UNEXPECTED, "no tunnel", brski_pledge_next(pledge, requests, &n, &err));
	ck_assert_uint_eq(n, 0);
	EXPECT(BRSKI_OK, brski_pledge_connected(pledge, net.chain, &err));
	EXPECT(BRSKI_OK, brski_pledge_next(pledge, requests, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(brski_http_get(&requests[0], "accept"), BRSKI_MEDIA_VOUCHER);
	brski_http_free(&requests[0]);
	EXPECT_WHY(BRSKI_UNEXPECTED, "not answered", brski_pledge_next(pledge, requests, &n, &err));
	EXPECT_WHY(BRSKI_UNEXPECTED, "2 responses to 1", brski_pledge_answer(pledge, responses, 2, &err));
	EXPECT(BRSKI_UNEXPECTED, brski_pledge_connected(pledge, net.chain, &err));
	brski_pledge_free(pledge);
	EXPECT(BRSKI_OK, brski_pledge_new(&config, &pledge, &err));
	EXPECT(BRSKI_OK, brski_pledge_connected(pledge, net.chain, &err));
	EXPECT(BRSKI_OK, brski_pledge_next(pledge, requests, &n, &err));
	EXPECT_WHY(BRSKI_UNEXPECTED, "in place of", brski_pledge_answer(pledge, requests, 1, &err));
	brski_http_free(&requests[0]);
}
END_TEST

START_TEST(needs_an_idevid_with_serial_number)
{
	struct brski_credential nameless = pki_leaf("CN=Nobody", NULL, &net.vendor);
	struct brski_credential keyless = net.idevid;

	config.idevid = &nameless;
	EXPECT(BRSKI_NOT_FOUND, brski_pledge_new(&config, &pledge, &err));
	keyless.key = NULL;
	config.idevid = &keyless;
	EXPECT_WHY(BRSKI_NOT_FOUND, "IDevID", brski_pledge_new(&config, &pledge, &err));
	ck_assert_ptr_null(pledge);
	pki_free(&nameless);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(brski_pledge_state_name(BRSKI_PLEDGE_FAILED), "failed");
	ck_assert_str_eq(brski_pledge_state_name((enum brski_pledge_state)99), "unknown");
	ck_assert_str_eq(brski_pledge_event_name(BRSKI_EVENT_VOUCHER_ACCEPTED), "voucher-accepted");
	ck_assert_str_eq(brski_pledge_event_name((enum brski_pledge_event)99), "unknown");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {onboards, onboards_with_pkcs10, onboards_with_implicit_confirmation,
		confirms_when_implicit_is_not_granted, onboards_without_storage, other_key_types,
		a_credential_is_kept_until_the_next_one_works, no_credential_before_the_end,
		refuses_wrong_vouchers, refuses_vouchers_of_others, refuses_a_registrar_without_the_role,
		takes_nonceless_vouchers_by_policy_and_clock, dates_and_clocks, the_voucher_tells_the_time,
		refusals_have_their_status_in_words, no_voucher_in_the_answer, told_to_come_back,
		waits_before_a_voucher_are_bounded, another_registrar_gets_another_request,
		an_imprinted_device_talks_to_its_domain_only, a_pinned_registrar_tells_its_ca,
		a_pinned_registrar_that_tells_none, a_pinned_registrar_after_a_reboot,
		refuses_wrong_certificates, refuses_a_certificate_for_another_key,
		no_certconf_where_none_is_awaited, refuses_answers_of_others, refuses_broken_answers,
		the_pki_refuses, polls_for_the_certificate, polls_for_the_confirmation,
		waiting_forever_is_no_loop, refused_after_waiting, no_success_without_the_registrars_word,
		no_success_without_pkiconf, voucher_status_may_fail, out_of_turn,
		needs_an_idevid_with_serial_number, names};

	return run_tests("pledge", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
