/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <dlfcn.h>
#include <sqlite3.h>

#include "eap_brski/artifacts/voucher_check.h"
#include "eap_brski/artifacts/voucher_cms.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cms.h"
#include "services/masa/masa.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"
#include "tests/unit/support/pki.h"

/* The MASA from request to response, without sockets. */

#define DAY 86400

static struct brski_error err;
static struct brski_credential vendor, masa_signer, gadget, other_gadget;
static struct brski_credential domain, registrar, foreign, foreign_registrar;
static STACK_OF(X509) *idevid_anchors;
static struct brski_http response;
static struct brski_buf cms, pledge_cms;
static char what[MASA_WHAT_MAX];
static time_t clock_now;
static const X509 *tls_client;
static struct masa masa;

static time_t test_now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static const struct brski_env env = {.now = test_now};

static struct brski_credential make_registrar(const char *subject, const struct brski_credential *ca)
{
	struct pki_spec spec = {.subject = subject, .eku = "serverAuth,clientAuth,cmcRA"};
	struct brski_credential made = pki_make(&spec, ca);

	ck_assert(X509_add_cert(made.chain, ca->cert, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1);
	return made;
}

static void add_device(const char *serial, const char *owner)
{
	struct masa_device device = {.added = clock_now};

	snprintf(device.serial_number, sizeof(device.serial_number), "%s", serial);
	snprintf(device.owner, sizeof(device.owner), "%s", owner);
	EXPECT(BRSKI_OK, masa_device_put(masa.store, &device, &err));
}

static void setup(void)
{
	clock_now = time(NULL);
	vendor = pki_root("CN=Vendor CA");
	masa_signer = pki_leaf("CN=MASA", "P-256", &vendor);
	gadget = pki_leaf("CN=Gadget,serialNumber=S-1", "P-256", &vendor);
	other_gadget = pki_leaf("CN=Gadget,serialNumber=S-2", "P-256", &vendor);
	domain = pki_root("CN=Domain CA");
	registrar = make_registrar("CN=Registrar", &domain);
	foreign = pki_root("CN=Foreign CA");
	foreign_registrar = make_registrar("CN=Foreign Registrar", &foreign);
	idevid_anchors = pki_certs(&vendor, NULL);
	masa = (struct masa){.env = &env,
		.signer = &masa_signer,
		.idevid_anchors = idevid_anchors,
		.min_interval = 60,
		.nonceless_lifetime = 7 * DAY};
	EXPECT(BRSKI_OK, masa_store_open(":memory:", &masa.store, &err));
	add_device("S-1", "");
}

static void teardown(void)
{
	struct brski_credential *const all[] = {&vendor, &masa_signer, &gadget, &other_gadget, &domain,
		&registrar, &foreign, &foreign_registrar};

	masa_store_close(masa.store);
	brski_http_free(&response);
	brski_buf_free(&cms);
	brski_buf_free(&pledge_cms);
	pki_free_certs(idevid_anchors);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
}

/* ---- Requests ---- */

static unsigned send(
	const char *method, const char *path, const char *type, const char *accept, struct brski_span body)
{
	struct brski_http request = {0};
	const struct masa_peer peer = {"192.0.2.7", tls_client};

	brski_http_free(&response);
	EXPECT(BRSKI_OK, brski_http_request(&request, method, path, type, body, &err));
	if (accept)
		EXPECT(BRSKI_OK, brski_http_set(&request, "accept", accept, &err));
	masa_handle(&masa, &request, &peer, &response, what);
	brski_http_free(&request);
	return response.status;
}

static unsigned ask(const char *path)
{
	return send("POST", path, BRSKI_MEDIA_VOUCHER, NULL, brski_buf_span(&cms));
}

static struct brski_span nonce_of(const char *text)
{
	return brski_span(text, 16);
}

/* What the pledge writes: cms then gets what its registrar makes of it. */
static void make_request(
	const struct brski_credential *ra, const struct brski_credential *pledge, const char *nonce)
{
	struct brski_voucher read;
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_voucher_request_pledge(
				 pledge, ra->cert, nonce_of(nonce), clock_now, &pledge_cms, &err));
	EXPECT(BRSKI_OK, brski_voucher_open(brski_buf_span(&pledge_cms), NULL, BRSKI_VOUCHER_REQUEST, &read,
				 &certs, &err));
	EXPECT(BRSKI_OK, brski_voucher_request_registrar(ra, pledge->cert, &read, brski_buf_span(&pledge_cms),
				 clock_now, &cms, &err));
	pki_free_certs(certs);
	brski_voucher_free(&read);
}

static unsigned ask_nonced(const struct brski_credential *ra, const char *nonce)
{
	make_request(ra, &gadget, nonce);
	return ask(MASA_PATH_VOUCHER);
}

static unsigned ask_nonceless(const struct brski_credential *ra)
{
	struct brski_buf issuer = {0};

	EXPECT(BRSKI_OK, brski_cert_authority_key_id(gadget.cert, &issuer, &err));
	EXPECT(BRSKI_OK,
		brski_voucher_request_nonceless(ra, "S-1", brski_buf_span(&issuer), clock_now, &cms, &err));
	brski_buf_free(&issuer);
	return ask(MASA_PATH_VOUCHER);
}

#define NONCE_1 "nonce-number-one"
#define NONCE_2 "nonce-number-two"

/* Two requests in one: the pledge's and the registrar's, changed at will and then signed. */
struct draft {
	struct brski_voucher prior, request;
	const struct brski_credential *prior_signer;
};

static void set(struct brski_buf *buf, struct brski_span octets)
{
	ck_assert_int_eq(brski_buf_set(buf, octets), BRSKI_OK);
}

static struct draft begin_draft(void)
{
	struct draft d = {.prior_signer = &gadget};

	d.prior = (struct brski_voucher){.is_request = true,
		.created_on = clock_now,
		.assertion = BRSKI_ASSERTION_PROXIMITY,
		.serial_number = "S-1"};
	d.request = d.prior;
	set(&d.prior.nonce, nonce_of(NONCE_1));
	set(&d.request.nonce, nonce_of(NONCE_1));
	EXPECT(BRSKI_OK, brski_cert_to_der(registrar.cert, &d.prior.proximity_registrar_cert, &err));
	EXPECT(BRSKI_OK, brski_cert_authority_key_id(gadget.cert, &d.request.idevid_issuer, &err));
	return d;
}

static unsigned send_draft(struct draft *d)
{
	EXPECT(BRSKI_OK, brski_voucher_sign(&d->prior, d->prior_signer, true,
				 &d->request.prior_signed_voucher_request, &err));
	EXPECT(BRSKI_OK, brski_voucher_sign(&d->request, &registrar, true, &cms, &err));
	brski_voucher_free(&d->prior);
	brski_voucher_free(&d->request);
	return ask(MASA_PATH_VOUCHER);
}

static bool told(const char *words)
{
	char text[400];

	brski_printable(brski_buf_span(&response.body), text, sizeof(text));
	return strstr(text, words) != NULL;
}

static void read_log(struct brski_audit_log *log)
{
	ck_assert_str_eq(brski_http_get(&response, "content-type"), BRSKI_MEDIA_JSON);
	EXPECT(BRSKI_OK, brski_audit_log_parse(brski_buf_span(&response.body), log, &err));
}

static void check_event(const struct brski_audit_event *event, const X509 *pinned, struct brski_span nonce)
{
	struct brski_buf id = {0}, octets = {0};

	EXPECT(BRSKI_OK, brski_domain_id(pinned, &id, &err));
	ck_assert(brski_span_equal(brski_buf_span(&id), brski_buf_span(&event->domain_id)));
	EXPECT(BRSKI_OK, brski_base64_decode(brski_buf_span(&event->nonce), &octets, &err));
	ck_assert(brski_span_equal(nonce, brski_buf_span(&octets)));
	brski_buf_free(&octets);
	ck_assert_int_eq(event->assertion, BRSKI_ASSERTION_PROXIMITY);
	brski_buf_free(&id);
}

/* ---- Vouchers ---- */

/* The voucher in the response is right for this pledge, and pins what its registrar verifies to. */
static void check_voucher(
	const struct brski_credential *ra, struct brski_span nonce, struct brski_voucher *out)
{
	STACK_OF(X509) *chain = pki_certs(ra, NULL);
	struct brski_voucher_expect expect = {.serial_number = "S-1",
		.nonce = nonce,
		.masa_anchors = idevid_anchors,
		.now = clock_now,
		.domain_chain = chain,
		.domain_use = BRSKI_USE_REGISTRAR};

	ck_assert_str_eq(brski_http_get(&response, "content-type"), BRSKI_MEDIA_VOUCHER);
	EXPECT(BRSKI_OK, brski_voucher_check(brski_buf_span(&response.body), &expect, out, NULL, &err));
	pki_free_certs(chain);
}

START_TEST(proximity_is_proved)
{
	struct brski_voucher v;
	struct brski_buf der = {0};

	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	check_voucher(&registrar, nonce_of(NONCE_1), &v);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_PROXIMITY);
	ck_assert_int_eq(v.created_on, clock_now);
	ck_assert_int_eq(v.expires_on, 0);
	/* RFC 8995 5.5.2: the certificate that is farthest from the registrar's own */
	EXPECT(BRSKI_OK, brski_cert_to_der(domain.cert, &der, &err));
	ck_assert(brski_span_equal(brski_buf_span(&der), brski_buf_span(&v.pinned_domain_cert)));
	brski_buf_free(&der);
	brski_voucher_free(&v);
}
END_TEST

START_TEST(a_lone_certificate_is_pinned_itself)
{
	struct brski_credential alone = {registrar.key, registrar.cert, sk_X509_new_null()};
	struct brski_buf der = {0};
	struct brski_voucher v;

	ck_assert_uint_eq(ask_nonced(&alone, NONCE_1), 200);
	check_voucher(&alone, nonce_of(NONCE_1), &v);
	EXPECT(BRSKI_OK, brski_cert_to_der(registrar.cert, &der, &err));
	ck_assert(brski_span_equal(brski_buf_span(&der), brski_buf_span(&v.pinned_domain_cert)));
	brski_buf_free(&der);
	brski_voucher_free(&v);
	sk_X509_free(alone.chain);
}
END_TEST

START_TEST(unproved_proximity_is_logged_or_refused)
{
	struct draft d = begin_draft();
	struct brski_voucher v;

	EXPECT(BRSKI_OK, brski_voucher_sign(&d.request, &registrar, true, &cms, &err));
	ck_assert_uint_eq(ask(MASA_PATH_VOUCHER), 200);
	check_voucher(&registrar, nonce_of(NONCE_1), &v);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_LOGGED);
	brski_voucher_free(&v);
	masa.require_proximity = true;
	ck_assert_uint_eq(ask(MASA_PATH_VOUCHER), 403);
	ck_assert(told("proximity is not proved"));
	brski_voucher_free(&d.prior);
	brski_voucher_free(&d.request);
}
END_TEST

START_TEST(without_anchors_nothing_is_proved)
{
	struct brski_voucher v;

	masa.idevid_anchors = NULL;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	check_voucher(&registrar, nonce_of(NONCE_1), &v);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_LOGGED);
	brski_voucher_free(&v);
}
END_TEST

START_TEST(asking_again_gives_the_same_voucher)
{
	struct brski_buf first = {0};

	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	brski_buf_move(&first, &response.body);
	clock_now += 20;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&response.body)));
	clock_now += DAY;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&response.body)));
	brski_buf_free(&first);
}
END_TEST

START_TEST(one_voucher_per_device_and_minute)
{
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	clock_now += 20;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_2), 429);
	ck_assert_str_eq(brski_http_get(&response, "retry-after"), "40");
	ck_assert_uint_eq(ask_nonced(&foreign_registrar, NONCE_1), 429);
	clock_now += 40;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_2), 200);
	masa.min_interval = 0;
	ck_assert_uint_eq(ask_nonced(&registrar, "nonce-number-3-."), 200);
}
END_TEST

/* What anybody sends who knows a serial number, and has made a CA of his own. */
static unsigned ask_unproved(const struct brski_credential *ra, const char *nonce)
{
	struct brski_voucher request = {.is_request = true, .created_on = clock_now};
	unsigned status;

	snprintf(request.serial_number, sizeof(request.serial_number), "S-1");
	EXPECT(BRSKI_OK, brski_buf_set(&request.nonce, nonce_of(nonce)));
	EXPECT(BRSKI_OK, brski_voucher_sign(&request, ra, true, &cms, &err));
	status = ask(MASA_PATH_VOUCHER);
	brski_voucher_free(&request);
	return status;
}

START_TEST(strangers_keep_nobody_waiting)
{
	char nonce[17];

	for (unsigned i = 0; i < 30; i++) {
		snprintf(nonce, sizeof(nonce), "stranger-%07u", i);
		ck_assert_uint_eq(ask_unproved(&foreign_registrar, nonce), 200);
		clock_now += 60;
	}
	ck_assert_uint_eq(ask_unproved(&foreign_registrar, NONCE_2), 200);
	clock_now += 1;
	ck_assert_uint_eq(ask_unproved(&registrar, "stranger-another"), 429);
	ck_assert(told("without proof"));
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
}
END_TEST

/* Once a device has shown where it is, nobody gets into its log who only knows its number. */
START_TEST(a_device_that_has_proved_itself_is_no_strangers)
{
	struct brski_audit_log log;

	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	clock_now += 60;
	ck_assert_uint_eq(ask_unproved(&foreign_registrar, NONCE_2), 403);
	ck_assert(told("has proved that it is in another domain"));
	ck_assert_uint_eq(ask_unproved(&registrar, NONCE_2), 200); /* its own domain needs none */
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 200);
	read_log(&log);
	ck_assert_uint_eq(log.n_events, 2);
	check_event(&log.events[1], domain.cert, nonce_of(NONCE_1));
	ck_assert(brski_span_equal(
		brski_buf_span(&log.events[0].domain_id), brski_buf_span(&log.events[1].domain_id)));
	brski_audit_log_free(&log);
	/* it may move, and prove that */
	ck_assert_uint_eq(ask_nonced(&foreign_registrar, NONCE_2), 200);
	clock_now += 60;
	ck_assert_uint_eq(ask_unproved(&foreign_registrar, "nonce-number-3-."), 200);
}
END_TEST

START_TEST(a_known_owner_needs_no_proof)
{
	ck_assert_uint_eq(ask_unproved(&foreign_registrar, NONCE_1), 200);
	EXPECT(BRSKI_OK, masa_owner_put(masa.store, "example", domain.cert, &err));
	add_device("S-1", "example");
	ck_assert_uint_eq(ask_unproved(&foreign_registrar, NONCE_2), 403);
	ck_assert_uint_eq(ask_unproved(&registrar, NONCE_2), 200);
	ck_assert_uint_eq(ask_unproved(&registrar, "nonce-number-3-."), 429);
}
END_TEST

START_TEST(the_store_outlives_the_masa)
{
	char dir[64], path[80];
	struct brski_buf first = {0};

	temp_make(dir);
	snprintf(path, sizeof(path), "%s/masa.db", dir);
	masa_store_close(masa.store);
	EXPECT(BRSKI_OK, masa_store_open(path, &masa.store, &err));
	add_device("S-1", "");
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	brski_buf_move(&first, &response.body);
	masa_store_close(masa.store);
	EXPECT(BRSKI_OK, masa_store_open(path, &masa.store, &err));
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	ck_assert(brski_span_equal(brski_buf_span(&first), brski_buf_span(&response.body)));
	brski_buf_free(&first);
	masa_store_close(masa.store);
	masa.store = NULL;
	temp_remove(dir);
}
END_TEST

/* ---- Owners, RFC 8995 5.5.4 ---- */

START_TEST(nonceless_for_the_owner_only)
{
	struct brski_voucher v;

	ck_assert_uint_eq(ask_nonceless(&registrar), 403);
	ck_assert(told("registered owner"));
	EXPECT(BRSKI_OK, masa_owner_put(masa.store, "example", domain.cert, &err));
	add_device("S-1", "example");
	ck_assert_uint_eq(ask_nonceless(&foreign_registrar), 403);
	ck_assert(told("another owner"));
	ck_assert_uint_eq(ask_nonceless(&registrar), 200);
	check_voucher(&registrar, (struct brski_span){0}, &v);
	ck_assert_int_eq(v.assertion, BRSKI_ASSERTION_VERIFIED);
	ck_assert_int_eq(v.expires_on, clock_now + 7 * DAY);
	brski_voucher_free(&v);
}
END_TEST

START_TEST(a_sold_device_goes_to_its_owner_only)
{
	EXPECT(BRSKI_OK, masa_owner_put(masa.store, "example", domain.cert, &err));
	add_device("S-1", "example");
	ck_assert_uint_eq(ask_nonced(&foreign_registrar, NONCE_1), 403);
	ck_assert(told("another owner"));
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
}
END_TEST

/* RFC 8995 5.6: expires-on is before the end of the certificates that the voucher relies on */
START_TEST(nonceless_ends_with_the_registrars_certificate)
{
	struct pki_spec spec = {.subject = "CN=Short", .eku = "cmcRA", .not_after = clock_now + DAY};
	struct brski_credential brief = pki_make(&spec, &domain);
	struct brski_voucher v;

	ck_assert(X509_add_cert(brief.chain, domain.cert, X509_ADD_FLAG_UP_REF) == 1);
	EXPECT(BRSKI_OK, masa_owner_put(masa.store, "example", domain.cert, &err));
	add_device("S-1", "example");
	ck_assert_uint_eq(ask_nonceless(&brief), 200);
	check_voucher(&brief, (struct brski_span){0}, &v);
	ck_assert_int_eq(v.expires_on, clock_now + DAY);
	brski_voucher_free(&v);
	pki_free(&brief);
}
END_TEST

/* ---- Refusals: the device ---- */

START_TEST(unknown_device)
{
	make_request(&registrar, &other_gadget, NONCE_1);
	ck_assert_uint_eq(ask(MASA_PATH_VOUCHER), 404);
	ck_assert(told("S-2"));
}
END_TEST

START_TEST(blocked_device)
{
	struct masa_device device;

	EXPECT(BRSKI_OK, masa_device_get(masa.store, "S-1", (struct brski_span){0}, &device, &err));
	device.blocked = true;
	EXPECT(BRSKI_OK, masa_device_put(masa.store, &device, &err));
	masa_device_free(&device);
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 403);
	ck_assert(told("blocked"));
}
END_TEST

START_TEST(device_of_another_issuer)
{
	struct masa_device device = {.serial_number = "S-9"};
	struct draft d = begin_draft();

	set(&device.idevid_issuer, brski_span_str("another issuer"));
	EXPECT(BRSKI_OK, masa_device_put(masa.store, &device, &err));
	masa_device_free(&device);
	snprintf(d.request.serial_number, sizeof(d.request.serial_number), "S-9");
	ck_assert_uint_eq(send_draft(&d), 404);
}
END_TEST

START_TEST(a_serial_number_of_two_issuers_needs_the_issuer)
{
	struct masa_device device = {.serial_number = "S-1"};
	struct draft d = begin_draft();

	set(&device.idevid_issuer, brski_span_str("another issuer"));
	EXPECT(BRSKI_OK, masa_device_put(masa.store, &device, &err));
	masa_device_free(&device);
	brski_buf_free(&d.request.idevid_issuer);
	ck_assert_uint_eq(send_draft(&d), 400);
	ck_assert(told("several devices"));
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
}
END_TEST

/* ---- Refusals: the registrar ---- */

static void refuse_registrar(struct pki_spec spec, const struct brski_credential *ca, const char *words)
{
	struct brski_credential made = pki_make(&spec, ca);

	ck_assert(X509_add_cert(made.chain, ca->cert, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) == 1);
	ck_assert_uint_eq(ask_nonced(&made, NONCE_1), 403);
	ck_assert_msg(told(words), "%s", what);
	pki_free(&made);
}

/* RFC 8995 5.5.4: MUST */
START_TEST(registrar_without_cmc_ra)
{
	refuse_registrar(
		(struct pki_spec){.subject = "CN=Printer", .eku = "serverAuth,clientAuth"}, &domain, "cmcRA");
	refuse_registrar((struct pki_spec){.subject = "CN=Printer"}, &domain, "cmcRA");
}
END_TEST

START_TEST(registrar_expired)
{
	refuse_registrar((struct pki_spec){.subject = "CN=Old",
				 .eku = "cmcRA",
				 .not_before = 1000,
				 .not_after = clock_now - DAY},
		&domain, "expired");
}
END_TEST

static void expect_pinned(const X509 *cert)
{
	struct brski_buf der = {0};
	struct brski_voucher v;
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK,
		brski_voucher_open(brski_buf_span(&response.body), NULL, BRSKI_VOUCHER, &v, &certs, &err));
	EXPECT(BRSKI_OK, brski_cert_to_der(cert, &der, &err));
	ck_assert(brski_span_equal(brski_buf_span(&der), brski_buf_span(&v.pinned_domain_cert)));
	brski_buf_free(&der);
	brski_voucher_free(&v);
	pki_free_certs(certs);
}

/* What did not issue the registrar's certificate is not of its chain, wherever it stands in the message. */
START_TEST(registrar_below_what_is_no_ca)
{
	struct brski_credential leaf = pki_leaf("CN=Leaf", "P-256", &domain);
	struct brski_credential made =
		pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = "cmcRA"}, &leaf);

	ck_assert_uint_eq(ask_nonced(&made, NONCE_1), 200);
	expect_pinned(made.cert);
	pki_free(&made);
	pki_free(&leaf);
}
END_TEST

/* RFC 8995 5.5: they SHOULD not be there; what they are not is a reason to refuse, or to be pinned. */
START_TEST(certificates_beside_the_chain)
{
	struct brski_credential crowd = {registrar.key, registrar.cert, pki_certs(&foreign, &domain)};

	ck_assert_uint_eq(ask_nonced(&crowd, NONCE_1), 200);
	expect_pinned(domain.cert);
	pki_free_certs(crowd.chain);
}
END_TEST

static unsigned n_verified;

/* In place of OpenSSL's own, which it calls: the count is what matters. */
int X509_verify(X509 *cert, EVP_PKEY *key)
{
	int (*real)(X509 *, EVP_PKEY *);

	*(void **)&real = dlsym(RTLD_NEXT, "X509_verify");
	n_verified++;
	return real(cert, key);
}

static struct brski_credential named(
	const char *subject, EVP_PKEY *key, const struct brski_credential *issuer)
{
	struct pki_spec spec = {.subject = subject, .key = key, .ca = true, .no_ski = true, .no_aki = true};
	struct brski_credential made = pki_make(&spec, issuer);

	pki_free_certs(made.chain);
	made.chain = NULL;
	return made;
}

/*
 * Whoever wants to make the MASA work: CAs of two names that issued each other in a circle, and more
 * of the same names that issued nobody.
 */
START_TEST(certificates_in_a_circle)
{
	struct brski_credential x = named("CN=X", NULL, NULL), y = named("CN=Y", NULL, NULL);
	struct brski_credential x_by_y = named("CN=X", x.key, &y), y_by_x = named("CN=Y", y.key, &x);
	struct brski_credential ra =
		pki_make(&(struct pki_spec){.subject = "CN=Registrar", .eku = "cmcRA", .no_aki = true}, &x);

	pki_free_certs(ra.chain);
	ra.chain = sk_X509_new_null();
	X509_add_cert(ra.chain, x_by_y.cert, X509_ADD_FLAG_UP_REF);
	X509_add_cert(ra.chain, y_by_x.cert, X509_ADD_FLAG_UP_REF);
	for (int i = 0; i < 7; i++) {
		struct brski_credential fake = named(i % 2 ? "CN=X" : "CN=Y", NULL, i % 2 ? &y : &x);

		X509_add_cert(ra.chain, fake.cert, X509_ADD_FLAG_UP_REF);
		pki_free(&fake);
	}
	make_request(&ra, &gadget, NONCE_1);
	n_verified = 0;
	/* in whichever order they come: a voucher, or more than ten tries; the path that was found, once */
	ck_assert(ask(MASA_PATH_VOUCHER) == 200 || told("10 signatures"));
	ck_assert_uint_le(n_verified, 10 + 3);
	pki_free(&ra);
	pki_free(&x);
	pki_free(&y);
	pki_free(&x_by_y);
	pki_free(&y_by_x);
}
END_TEST

/* RFC 8995 5.4.1: of any PKI, the Web's for one */
START_TEST(tls_client_of_any_domain)
{
	tls_client = registrar.cert;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	ck_assert_ptr_null(strstr(what, "TLS client"));
	tls_client = foreign_registrar.cert;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	ck_assert_ptr_nonnull(strstr(what, "the TLS client is CN=Foreign Registrar"));
	tls_client = NULL;
}
END_TEST

/* ---- Refusals: the pledge's request in the registrar's, RFC 8995 5.5.5 and 5.5.6 ---- */

static void expect_refused(struct draft *d, const char *words)
{
	ck_assert_uint_eq(send_draft(d), 403);
	ck_assert_msg(told(words), "%s", what);
}

START_TEST(prior_is_right)
{
	struct draft d = begin_draft();

	ck_assert_uint_eq(send_draft(&d), 200);
}
END_TEST

START_TEST(prior_with_another_nonce)
{
	struct draft d = begin_draft();

	set(&d.prior.nonce, nonce_of(NONCE_2));
	expect_refused(&d, "nonce");
}
END_TEST

START_TEST(prior_without_nonce)
{
	struct draft d = begin_draft();

	brski_buf_free(&d.prior.nonce);
	expect_refused(&d, "nonce");
}
END_TEST

START_TEST(prior_of_another_device)
{
	struct draft d = begin_draft();

	d.prior_signer = &other_gadget;
	expect_refused(&d, "device S-2");
}
END_TEST

START_TEST(prior_that_names_another_serial_number)
{
	struct draft d = begin_draft();

	snprintf(d.prior.serial_number, sizeof(d.prior.serial_number), "S-2");
	expect_refused(&d, "prior-signed");
}
END_TEST

START_TEST(prior_of_another_manufacturer)
{
	struct draft d = begin_draft();
	struct brski_credential counterfeit = pki_leaf("CN=Gadget,serialNumber=S-1", "P-256", &foreign);

	d.prior_signer = &counterfeit;
	expect_refused(&d, "prior-signed");
	pki_free(&counterfeit);
}
END_TEST

START_TEST(prior_seen_with_another_registrar)
{
	struct draft d = begin_draft();

	EXPECT(BRSKI_OK, brski_cert_to_der(foreign_registrar.cert, &d.prior.proximity_registrar_cert, &err));
	expect_refused(&d, "another registrar");
}
END_TEST

/* RFC 8995 5.5.5: the key "exists within the [...] certificate chain", which may have another leaf */
START_TEST(prior_seen_with_the_domains_ca)
{
	struct draft d = begin_draft();

	EXPECT(BRSKI_OK, brski_cert_to_der(domain.cert, &d.prior.proximity_registrar_cert, &err));
	ck_assert_uint_eq(send_draft(&d), 200);
}
END_TEST

/* The forms of idevid-issuer that others write; the voucher has what the IDevID has. */
START_TEST(idevid_issuer_in_other_forms)
{
	struct brski_voucher v;
	STACK_OF(X509) *certs;
	struct brski_buf issuer = {0};

	EXPECT(BRSKI_OK, brski_cert_authority_key_id(gadget.cert, &issuer, &err));
	for (size_t skip = 2; skip <= 4; skip += 2) { /* the key identifier bare, and with its tag below */
		struct draft d = begin_draft();

		set(&d.request.idevid_issuer, brski_span(issuer.data + skip, issuer.len - skip));
		if (skip == 2)
			d.request.idevid_issuer.data[0] = 0x04;
		ck_assert_uint_eq(send_draft(&d), 200);
		EXPECT(BRSKI_OK, brski_voucher_open(brski_buf_span(&response.body), NULL, BRSKI_VOUCHER, &v,
					 &certs, &err));
		ck_assert(brski_span_equal(brski_buf_span(&v.idevid_issuer), brski_buf_span(&issuer)));
		brski_voucher_free(&v);
		pki_free_certs(certs);
		clock_now += 61;
	}
	brski_buf_free(&issuer);
}
END_TEST

START_TEST(prior_without_proximity)
{
	struct draft d = begin_draft();

	d.prior.assertion = BRSKI_ASSERTION_LOGGED;
	expect_refused(&d, "does not claim proximity");
	d = begin_draft();
	brski_buf_free(&d.prior.proximity_registrar_cert);
	expect_refused(&d, "does not claim proximity");
}
END_TEST

START_TEST(prior_of_an_expired_device)
{
	struct pki_spec spec = {
		.subject = "CN=Gadget,serialNumber=S-1", .not_before = 1000, .not_after = clock_now - DAY};
	struct brski_credential old = pki_make(&spec, &vendor);
	struct draft d = begin_draft();

	d.prior_signer = &old;
	expect_refused(&d, "expired");
	pki_free(&old);
}
END_TEST

START_TEST(idevid_issuer_of_another_certificate)
{
	struct draft d = begin_draft();

	set(&d.request.idevid_issuer, brski_span_str("another issuer"));
	expect_refused(&d, "idevid-issuer");
}
END_TEST

/* ---- Refusals: form ---- */

START_TEST(forms)
{
	struct brski_span body;

	make_request(&registrar, &gadget, NONCE_1);
	body = brski_buf_span(&cms);
	ck_assert_uint_eq(send("GET", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, NULL, body), 405);
	ck_assert_str_eq(brski_http_get(&response, "allow"), "POST");
	ck_assert_uint_eq(send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_JSON, NULL, body), 415);
	ck_assert_uint_eq(
		send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, "text/html, image/*", body), 406);
	ck_assert_uint_eq(
		send("POST", "/.well-known/brski/requestvouchers", BRSKI_MEDIA_VOUCHER, NULL, body), 404);
	ck_assert_uint_eq(
		send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, "text/html;q=1, */*;q=0.1", body), 200);
	ck_assert_uint_eq(
		send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, BRSKI_MEDIA_VOUCHER, body), 200);
}
END_TEST

START_TEST(malformed)
{
	struct draft d = begin_draft();
	struct brski_voucher voucher = {
		.created_on = clock_now, .assertion = BRSKI_ASSERTION_LOGGED, .serial_number = "S-1"};

	ck_assert_uint_eq(
		send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, NULL, brski_span_str("{}")), 400);
	ck_assert_uint_eq(send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, NULL, brski_span("", 0)), 400);
	EXPECT(BRSKI_OK, brski_cert_to_der(domain.cert, &voucher.pinned_domain_cert, &err));
	EXPECT(BRSKI_OK, brski_voucher_sign(&voucher, &registrar, true, &cms, &err));
	ck_assert_uint_eq(ask(MASA_PATH_VOUCHER), 400);
	ck_assert(told("where a voucher-request is due"));
	/* a request, but for the name above its leaves */
	EXPECT(BRSKI_OK,
		brski_cms_sign(brski_span_str("{\"ietf-voucher:voucher\":{\"serial-number\":\"S-1\"}}"),
			&registrar, true, &cms, &err));
	ck_assert_uint_eq(ask(MASA_PATH_VOUCHER), 400);
	ck_assert(told("\"ietf-voucher:voucher\" where a voucher-request is due"));
	/* RFC 8995 5.5: MUST NOT be present in the registrar's request */
	EXPECT(BRSKI_OK, brski_cert_to_der(registrar.cert, &d.request.proximity_registrar_cert, &err));
	ck_assert_uint_eq(send_draft(&d), 400);
	ck_assert(told("proximity-registrar-cert"));
	brski_voucher_free(&voucher);
}
END_TEST

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	struct brski_voucher v;
	STACK_OF(X509) *certs;
	X509 *pinned;

	(void)ctx;
	(void)how;
	/* some octets of a CMS are not signed, so a voucher may come of it: then the right one */
	if (send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, NULL, damaged) != 200)
		return;
	EXPECT(BRSKI_OK,
		brski_voucher_open(brski_buf_span(&response.body), NULL, BRSKI_VOUCHER, &v, &certs, &err));
	ck_assert_str_eq(v.serial_number, "S-1");
	ck_assert(brski_span_equal(brski_buf_span(&v.nonce), nonce_of(NONCE_1)));
	/* CMS does not sign certificates, so the domain's may be lost or changed: its key is not */
	EXPECT(BRSKI_OK, brski_cert_from_der(brski_buf_span(&v.pinned_domain_cert), &pinned, &err));
	ck_assert(brski_cert_has_key(pinned, domain.key) || brski_cert_has_key(pinned, registrar.key));
	X509_free(pinned);
	pki_free_certs(certs);
	brski_voucher_free(&v);
}

START_TEST(damaged_requests)
{
	masa.min_interval = 0;
	make_request(&registrar, &gadget, NONCE_1);
	mutate_truncations(brski_buf_span(&cms), try_damaged, NULL);
	mutate_octets_once(brski_buf_span(&cms), try_damaged, NULL);
}
END_TEST

/* ---- The audit log, RFC 8995 5.8 ---- */

START_TEST(audit_log_for_those_who_had_a_voucher)
{
	struct brski_audit_log log;

	make_request(&registrar, &gadget, NONCE_1);
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 404);
	ck_assert_uint_eq(ask(MASA_PATH_VOUCHER), 200);
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 200);
	read_log(&log);
	ck_assert_uint_eq(log.n_events, 1);
	check_event(&log.events[0], domain.cert, nonce_of(NONCE_1));
	brski_audit_log_free(&log);
	make_request(&foreign_registrar, &gadget, NONCE_2);
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 404);
	ck_assert(told("never had a voucher"));
}
END_TEST

/* The registrar's request for S-1 with the nonce in these letters, and the pledge's in it with those. */
static void write_request(const char *nonce, const char *pledges)
{
	struct draft d = begin_draft();
	struct brski_voucher *v[] = {&d.prior, &d.request};
	const char *texts[] = {pledges, nonce};

	for (size_t i = 0; i < 2; i++) {
		brski_buf_free(&v[i]->nonce);
		EXPECT(BRSKI_OK, brski_base64url_decode(brski_span_str(pledges), &v[i]->nonce, &err));
		snprintf(v[i]->nonce_text, sizeof(v[i]->nonce_text), "%s", texts[i]);
	}
	ck_assert_uint_eq(send_draft(&d), 200);
}

/* RFC 8995 5.6, 5.8.1: in voucher and log the nonce is the text that the pledge has written. */
START_TEST(the_nonce_stays_as_it_was_written)
{
	static const char text[] = "-_XE9zK9q8Ll1qylMtLKeg";
	struct brski_audit_log log;
	struct brski_voucher v;
	STACK_OF(X509) *certs;

	write_request(text, text);
	EXPECT(BRSKI_OK,
		brski_voucher_open(brski_buf_span(&response.body), NULL, BRSKI_VOUCHER, &v, &certs, &err));
	ck_assert_str_eq(v.nonce_text, text);
	brski_voucher_free(&v);
	pki_free_certs(certs);
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 200);
	read_log(&log);
	ck_assert(brski_span_equal(brski_buf_span(&log.events[0].nonce), brski_span_str(text)));
	brski_audit_log_free(&log);
	/* a registrar that has written it anew: what the pledge has written counts */
	clock_now += 61;
	write_request("+/XE9zK9q8Ll1qylMtLKeQ==", "-_XE9zK9q8Ll1qylMtLKeQ");
	EXPECT(BRSKI_OK,
		brski_voucher_open(brski_buf_span(&response.body), NULL, BRSKI_VOUCHER, &v, &certs, &err));
	ck_assert_str_eq(v.nonce_text, "-_XE9zK9q8Ll1qylMtLKeQ");
	brski_voucher_free(&v);
	pki_free_certs(certs);
}
END_TEST

START_TEST(audit_log_names_all_domains)
{
	struct brski_audit_log log;

	ck_assert_uint_eq(ask_nonced(&foreign_registrar, NONCE_1), 200);
	clock_now += 60;
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_2), 200);
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_2), 200); /* the same voucher is one event */
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 200);
	read_log(&log);
	ck_assert_uint_eq(log.n_events, 2);
	check_event(&log.events[0], domain.cert, nonce_of(NONCE_2));
	check_event(&log.events[1], foreign.cert, nonce_of(NONCE_1));
	ck_assert_int_eq(log.events[0].date - log.events[1].date, 60);
	brski_audit_log_free(&log);
}
END_TEST

/* RFC 8995 5.8.1: of each domain the newest is left, and the others are counted */
START_TEST(long_audit_log_is_abridged)
{
	struct masa_device device;
	struct brski_audit_log log;
	char nonce[24];

	EXPECT(BRSKI_OK, masa_device_get(masa.store, "S-1", (struct brski_span){0}, &device, &err));
	for (int i = 0; i < BRSKI_AUDIT_EVENTS_MAX + 5; i++) {
		struct masa_issued issued = {.device = device.id,
			.domain_id = brski_span_str(i == 3 ? "another domain" : "this domain"),
			.pinned = "",
			.assertion = BRSKI_ASSERTION_LOGGED,
			.created_on = clock_now + i};

		snprintf(nonce, sizeof(nonce), "nonce %d", i);
		if (i != 7)
			issued.nonce = brski_span_str(nonce);
		EXPECT(BRSKI_OK, masa_voucher_add(masa.store, &issued, &err));
	}
	EXPECT(BRSKI_OK, masa_audit_log(masa.store, device.id, &log, &err));
	ck_assert_uint_eq(log.n_events, 3);
	ck_assert_int_eq(log.duplicates, BRSKI_AUDIT_EVENTS_MAX + 2);
	ck_assert_int_eq(log.truncated, 0);
	ck_assert_int_eq(log.events[0].date, clock_now + BRSKI_AUDIT_EVENTS_MAX + 4);
	ck_assert_int_eq(atoi(log.events[0].truncated), BRSKI_AUDIT_EVENTS_MAX + 2);
	brski_audit_log_free(&log);
	masa_device_free(&device);
}
END_TEST

static void add_voucher(long long device, const char *pinned, unsigned n, enum brski_assertion assertion)
{
	char domain_id[32], nonce[32];
	struct masa_issued issued = {
		.device = device, .pinned = pinned, .assertion = assertion, .created_on = clock_now + n};

	snprintf(domain_id, sizeof(domain_id), "domain of %s", pinned);
	snprintf(nonce, sizeof(nonce), "nonce %u", n);
	issued.domain_id = brski_span_str(domain_id);
	issued.nonce = brski_span_str(nonce);
	EXPECT(BRSKI_OK, masa_voucher_add(masa.store, &issued, &err));
}

static bool has_event(
	const struct brski_audit_log *log, const char *domain_id, enum brski_assertion assertion)
{
	for (size_t i = 0; i < log->n_events; i++)
		if (brski_span_equal(brski_buf_span(&log->events[i].domain_id), brski_span_str(domain_id)) &&
			log->events[i].assertion == assertion)
			return true;
	return false;
}

/* However many domains strangers make, what is proved stays, and what is left out is counted. */
START_TEST(strangers_push_nobody_out_of_the_audit_log)
{
	struct masa_device device;
	struct brski_audit_log log;
	const unsigned n = MASA_UNPROVED_MAX + 200;
	char pinned[32];

	EXPECT(BRSKI_OK, masa_device_get(masa.store, "S-1", (struct brski_span){0}, &device, &err));
	add_voucher(device.id, "owner", 0, BRSKI_ASSERTION_PROXIMITY);
	add_voucher(device.id, "second owner", 1, BRSKI_ASSERTION_VERIFIED);
	for (unsigned i = 0; i < n; i++) {
		snprintf(pinned, sizeof(pinned), "stranger %u", i);
		add_voucher(device.id, pinned, 2 + i, BRSKI_ASSERTION_LOGGED);
	}
	EXPECT(BRSKI_OK, masa_audit_log(masa.store, device.id, &log, &err));
	ck_assert_uint_eq(log.n_events, BRSKI_AUDIT_EVENTS_MAX);
	ck_assert(has_event(&log, "domain of owner", BRSKI_ASSERTION_PROXIMITY));
	ck_assert(has_event(&log, "domain of second owner", BRSKI_ASSERTION_VERIFIED));
	ck_assert_int_eq(log.events[0].date, clock_now + n + 1);
	ck_assert_int_eq(log.duplicates, 0);
	ck_assert_int_eq(log.truncated, n + 2 - BRSKI_AUDIT_EVENTS_MAX);
	brski_audit_log_free(&log);
	masa_device_free(&device);
}
END_TEST

/* An identifier is written by whoever makes a certificate: another's entry does not take the place of the owner's. */
START_TEST(a_borrowed_domain_id_hides_nothing)
{
	struct masa_device device;
	struct brski_audit_log log;
	struct masa_issued borrowed = {.pinned = "stranger",
		.domain_id = brski_span_str("domain of owner"),
		.assertion = BRSKI_ASSERTION_LOGGED};
	char nonce[32];

	EXPECT(BRSKI_OK, masa_device_get(masa.store, "S-1", (struct brski_span){0}, &device, &err));
	add_voucher(device.id, "owner", 0, BRSKI_ASSERTION_PROXIMITY);
	borrowed.device = device.id;
	for (unsigned i = 0; i < BRSKI_AUDIT_EVENTS_MAX; i++) {
		snprintf(nonce, sizeof(nonce), "nonce %u", i);
		borrowed.nonce = brski_span_str(nonce);
		borrowed.created_on = clock_now + 1 + i;
		EXPECT(BRSKI_OK, masa_voucher_add(masa.store, &borrowed, &err));
	}
	EXPECT(BRSKI_OK, masa_audit_log(masa.store, device.id, &log, &err));
	ck_assert_uint_eq(log.n_events, 2);
	ck_assert(has_event(&log, "domain of owner", BRSKI_ASSERTION_PROXIMITY));
	brski_audit_log_free(&log);
	masa_device_free(&device);
}
END_TEST

/* ---- The list of requests ---- */

static void count_seen(void *ctx, const struct masa_seen *seen)
{
	unsigned *statuses = ctx;

	statuses[0]++;
	statuses[statuses[0]] = seen->status;
	ck_assert_str_eq(seen->peer, "192.0.2.7");
}

START_TEST(every_request_is_noted)
{
	unsigned statuses[8] = {0};

	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_2), 429);
	ck_assert_uint_eq(
		send("POST", MASA_PATH_VOUCHER, BRSKI_MEDIA_VOUCHER, NULL, brski_span_str("x")), 400);
	EXPECT(BRSKI_OK, masa_seen_list(masa.store, NULL, 10, count_seen, statuses, &err));
	ck_assert_uint_eq(statuses[0], 3);
	ck_assert_uint_eq(statuses[1], 200);
	ck_assert_uint_eq(statuses[2], 429);
	ck_assert_uint_eq(statuses[3], 400);
	statuses[0] = 0;
	EXPECT(BRSKI_OK, masa_seen_list(masa.store, "S-1", 1, count_seen, statuses, &err));
	ck_assert_uint_eq(statuses[0], 1);
	ck_assert_uint_eq(statuses[1], 429);
}
END_TEST

static void renumber(const char *path, const char *update)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, update, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* Those of strangers push out none that is proved. */
START_TEST(the_list_of_requests_is_bounded)
{
	struct masa_seen seen = {.at = clock_now, .peer = "192.0.2.7", .status = 200, .proved = true};
	unsigned statuses[8] = {0};
	char dir[64], path[80];

	ck_assert_int_eq(MASA_SEEN_MAX, 100000);
	temp_make(dir);
	snprintf(path, sizeof(path), "%s/masa.db", dir);
	masa_store_close(masa.store);
	EXPECT(BRSKI_OK, masa_store_open(path, &masa.store, &err));
	EXPECT(BRSKI_OK, masa_seen_add(masa.store, &seen, &err));
	seen = (struct masa_seen){.at = clock_now, .peer = "192.0.2.7", .status = 400};
	EXPECT(BRSKI_OK, masa_seen_add(masa.store, &seen, &err));
	renumber(path, "UPDATE requests SET n = 100000 WHERE NOT proved");
	EXPECT(BRSKI_OK, masa_seen_add(masa.store, &seen, &err));
	renumber(path, "UPDATE requests SET n = 2 WHERE n = 100000");
	seen.status = 404;
	EXPECT(BRSKI_OK, masa_seen_add(masa.store, &seen, &err));
	EXPECT(BRSKI_OK, masa_seen_list(masa.store, NULL, 10, count_seen, statuses, &err));
	ck_assert_uint_eq(statuses[0], 3); /* of numbers 2, 100001 and 100002 the first is gone */
	ck_assert_uint_eq(statuses[1], 200);
	ck_assert_uint_eq(statuses[3], 404);
	masa_store_close(masa.store);
	masa.store = NULL;
	temp_remove(dir);
}
END_TEST

static void count_proved(void *ctx, const struct masa_seen *seen)
{
	*(unsigned *)ctx += seen->proved;
}

START_TEST(the_list_tells_who_has_proved_something)
{
	unsigned proved = 0;

	ck_assert_uint_eq(ask_unproved(&foreign_registrar, NONCE_2), 200);
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 200);
	EXPECT(BRSKI_OK, masa_seen_list(masa.store, NULL, 10, count_proved, &proved, &err));
	ck_assert_uint_eq(proved, 0);
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	ck_assert_uint_eq(ask(MASA_PATH_AUDIT_LOG), 200);
	EXPECT(BRSKI_OK, masa_seen_list(masa.store, NULL, 10, count_proved, &proved, &err));
	ck_assert_uint_eq(proved, 2);
}
END_TEST

START_TEST(a_device_with_a_history_stays)
{
	ck_assert_uint_eq(ask_nonced(&registrar, NONCE_1), 200);
	EXPECT(BRSKI_UNEXPECTED, masa_device_remove(masa.store, "S-1", &err));
	add_device("S-2", "");
	EXPECT(BRSKI_OK, masa_device_remove(masa.store, "S-2", &err));
	EXPECT(BRSKI_NOT_FOUND, masa_device_remove(masa.store, "S-2", &err));
}
END_TEST

START_TEST(an_owner_with_devices_stays)
{
	EXPECT(BRSKI_OK, masa_owner_put(masa.store, "example", domain.cert, &err));
	add_device("S-1", "example");
	EXPECT(BRSKI_UNEXPECTED, masa_owner_remove(masa.store, "example", &err));
	add_device("S-1", "");
	EXPECT(BRSKI_OK, masa_owner_remove(masa.store, "example", &err));
	EXPECT(BRSKI_NOT_FOUND, masa_owner_remove(masa.store, "example", &err));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {proximity_is_proved, a_lone_certificate_is_pinned_itself,
		unproved_proximity_is_logged_or_refused, without_anchors_nothing_is_proved,
		asking_again_gives_the_same_voucher, one_voucher_per_device_and_minute,
		strangers_keep_nobody_waiting, a_device_that_has_proved_itself_is_no_strangers,
		a_known_owner_needs_no_proof, the_store_outlives_the_masa, nonceless_for_the_owner_only,
		a_sold_device_goes_to_its_owner_only, nonceless_ends_with_the_registrars_certificate,
		unknown_device, blocked_device, device_of_another_issuer,
		a_serial_number_of_two_issuers_needs_the_issuer, registrar_without_cmc_ra, registrar_expired,
		registrar_below_what_is_no_ca, certificates_beside_the_chain, certificates_in_a_circle,
		tls_client_of_any_domain, prior_is_right, prior_with_another_nonce, prior_without_nonce,
		prior_of_another_device, prior_that_names_another_serial_number,
		prior_of_another_manufacturer, prior_seen_with_another_registrar,
		prior_seen_with_the_domains_ca, idevid_issuer_in_other_forms, prior_without_proximity,
		prior_of_an_expired_device, idevid_issuer_of_another_certificate, forms, malformed,
		damaged_requests, audit_log_for_those_who_had_a_voucher, audit_log_names_all_domains,
		the_nonce_stays_as_it_was_written, long_audit_log_is_abridged,
		strangers_push_nobody_out_of_the_audit_log, a_borrowed_domain_id_hides_nothing,
		every_request_is_noted, the_list_of_requests_is_bounded,
		the_list_tells_who_has_proved_something, a_device_with_a_history_stays,
		an_owner_with_devices_stays};

	return run_tests("masa", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
