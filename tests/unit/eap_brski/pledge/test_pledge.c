/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/network.h"

/* A pledge's way to its voucher, and what a whole onboarding gives. */

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

/* No certificate was asked for, and the registrar was told which check failed. */
static void expect_voucher_refused(const char *words)
{
	const struct network_request *status = network_last(&net, "voucher_status", -1);

	network_expect_failed(&net, pledge, words);
	ck_assert_ptr_nonnull(status);
	ck_assert(!status->status.status);
	ck_assert_ptr_nonnull(strstr(status->status.reason, words));
	ck_assert_ptr_nonnull(strstr(status->status.context, "failure"));
	ck_assert_uint_eq(net.n_requests, 2);
}

/* ---- what should succeed ---- */

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
	network_expect_credential(&net);
}
END_TEST

START_TEST(onboards_with_pkcs10)
{
	config.pkcs10 = true;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
	ck_assert_uint_eq(network_asked(&net, "pkcs10", BRSKI_CMP_P10CR), 1);
	ck_assert_uint_eq(network_asked(&net, "pkcs10", BRSKI_CMP_CERTCONF), 1);
	network_expect_credential(&net);
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
	network_expect_credential(&net);
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
		network_expect_credential(&net);
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

static void created_tomorrow(struct brski_voucher *v)
{
	v->created_on = time(NULL) + 86400;
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
		{created_tomorrow, "created-on"},
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

/* RFC 8995 2.6.1: only a clock in which there is confidence is held against the MASA's. */
START_TEST(a_voucher_from_the_future_and_no_clock)
{
	net.voucher = created_tomorrow;
	config.clock_is_right = false;
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_ENROLLED);
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
	network_expect_enrollment_failed(&net, pledge, "certificate is refused");
}
END_TEST

/* ---- answers to the voucher-request ---- */

START_TEST(refusals_have_their_status_in_words)
{
	network_answer_with(&net, "requestvoucher", -1, 403, "text/plain", "not in the inventory");
	EXPECT(BRSKI_OK, visit());
	network_expect_failed(&net, pledge, "403 Forbidden: not in the inventory");
	ck_assert_uint_eq(net.n_requests, 1);
	network_answer_with(&net, "requestvoucher", -1, 404, NULL, "");
	EXPECT(BRSKI_OK, visit());
	network_expect_failed(&net, pledge, "404 Not Found");
	network_answer_with(&net, "requestvoucher", -1, 503, NULL, "");
	EXPECT(BRSKI_OK, visit());
	network_expect_failed(&net, pledge, "503 Service Unavailable");
	network_answer_with(&net, "requestvoucher", -1, 302, "text/plain", "\x1b[2J\xff");
	EXPECT(BRSKI_OK, visit());
	network_expect_failed(&net, pledge, "302");
	for (const char *c = brski_pledge_reason(pledge); *c != '\0'; c++)
		ck_assert(*c >= 0x20 && *c <= 0x7e);
}
END_TEST

START_TEST(no_voucher_in_the_answer)
{
	network_answer_with(&net, "requestvoucher", -1, 200, BRSKI_MEDIA_VOUCHER, "");
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("refused");
	network_answer_with(&net, "requestvoucher", -1, 200, BRSKI_MEDIA_VOUCHER, "no CMS");
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("refused");
	network_answer_with(&net, "requestvoucher", -1, 200, "text/html", "<html>");
	EXPECT(BRSKI_OK, visit());
	expect_voucher_refused("media type");
	network_answer_with(&net, "requestvoucher", -1, 200, NULL, "");
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

	network_answer_with(&net, "requestvoucher", -1, 202, NULL, "");
	net.canned.retry_after = "30";
	EXPECT(BRSKI_OK, visit());
	expect_state(BRSKI_PLEDGE_VOUCHER);
	ck_assert_int_eq(brski_pledge_retry_after(pledge), 30); /* also when a second begins just now */
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
	network_answer_with(&net, "requestvoucher", -1, 202, NULL, "");
	net.canned.retry_after = "86400";
	EXPECT(BRSKI_OK, visit());
	ck_assert_int_le(brski_pledge_retry_after(pledge), 60); /* RFC 8995 5.6 */
	net.offset += 61;
	net.canned.retry_after = NULL;
	EXPECT(BRSKI_OK, visit());
	ck_assert_int_gt(brski_pledge_retry_after(pledge), 0);
	ck_assert_int_le(brski_pledge_retry_after(pledge), 60);
	net.offset += 61;
	net.canned.retry_after = "0";
	EXPECT(BRSKI_OK, visit());
	ck_assert_int_eq(brski_pledge_retry_after(pledge), 1);
	net.offset += 2;
	net.canned.status = 503;
	net.canned.retry_after = "20";
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

	network_answer_with(&net, "requestvoucher", -1, 202, NULL, "");
	net.canned.retry_after = "1";
	EXPECT(BRSKI_OK, visit());
	first = the_only_request();
	net.offset += 2;
	EXPECT(BRSKI_OK, network_visit(&net, pledge, other, &err));
	ck_assert_uint_eq(net.n_requests, 2);
	ck_assert(!brski_span_equal(brski_buf_span(&first), brski_buf_span(&net.requests[1].body)));
	EXPECT(BRSKI_OK, brski_voucher_open(brski_buf_span(&net.requests[1].body), NULL,
				 BRSKI_VOUCHER_REQUEST, &request, &certs, &err));
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

	network_answer_with(&net, "initialization", BRSKI_CMP_IR, 503, NULL, "");
	net.canned.retry_after = "3600";
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
		takes_nonceless_vouchers_by_policy_and_clock, dates_and_clocks,
		a_voucher_from_the_future_and_no_clock, the_voucher_tells_the_time,
		refusals_have_their_status_in_words, no_voucher_in_the_answer, told_to_come_back,
		waits_before_a_voucher_are_bounded, another_registrar_gets_another_request,
		an_imprinted_device_talks_to_its_domain_only, out_of_turn, needs_an_idevid_with_serial_number,
		names};

	return run_tests("pledge", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
