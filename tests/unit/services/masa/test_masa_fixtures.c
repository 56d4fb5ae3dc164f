/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "eap_brski/artifacts/paths.h"
#include "services/masa/masa.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/*
 * A MASA's database as version 0.1.0 has written it (tests/vectors/state-0.1): its rows are read,
 * and the MASA goes on.
 */

#define FIXTURES "tests/vectors/state-0.1/masa"
#define WRITTEN 1735690000   /* 2025-01-01, after its last row */
#define NONCELESS 1735689800 /* when the voucher without nonce was asked for */

static struct brski_error err;
static struct brski_credential vendor, signer, domain;
static STACK_OF(X509) *anchors;
static struct brski_http response;
static struct masa masa;
static time_t clock_now;
static char folder[64];

static time_t test_now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static const struct brski_env env = {.now = test_now};

static void setup(void)
{
	char path[96];

	clock_now = WRITTEN;
	vendor = pki_load(FIXTURES "/keys", "vendor");
	signer = pki_load(FIXTURES "/keys", "signer");
	domain = pki_load(FIXTURES "/keys", "domain");
	anchors = pki_certs(&vendor, NULL);
	masa = (struct masa){.env = &env,
		.signer = &signer,
		.idevid_anchors = anchors,
		.min_interval = 60,
		.nonceless_lifetime = 7 * 86400};
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/masa.db", folder);
	ck_assert_int_eq(run("cp " FIXTURES "/masa.db %s && chmod 600 %s", path, path), 0);
	EXPECT(BRSKI_OK, masa_store_open(path, &masa.store, &err));
}

static void teardown(void)
{
	masa_store_close(masa.store);
	temp_remove(folder);
	brski_http_free(&response);
	pki_free_certs(anchors);
	pki_free(&vendor);
	pki_free(&signer);
	pki_free(&domain);
}

/* The same octets that were sent to version 0.1.0. */
static unsigned ask(const char *path, const char *name)
{
	const struct masa_peer peer = {"192.0.2.7", NULL};
	struct brski_http request = {0};
	char what[MASA_WHAT_MAX], file[96];
	struct brski_buf body;

	snprintf(file, sizeof(file), FIXTURES "/requests/%s", name);
	body = file_read(file);
	brski_http_free(&response);
	EXPECT(BRSKI_OK,
		brski_http_request(&request, "POST", path, BRSKI_MEDIA_VOUCHER, brski_buf_span(&body), &err));
	masa_handle(&masa, &request, &peer, &response, what);
	brski_http_free(&request);
	brski_buf_free(&body);
	return response.status;
}

static void on_owner(void *ctx, const struct masa_owner *owner)
{
	ck_assert_str_eq(owner->name, "plant");
	ck_assert(brski_cert_equal(owner->domain_cert, domain.cert));
	++*(unsigned *)ctx;
}

static void on_device(void *ctx, const struct masa_device *device)
{
	bool first = strcmp(device->serial_number, "S-1") == 0;

	ck_assert_str_eq(device->owner, strcmp(device->serial_number, "S-2") == 0 ? "" : "plant");
	ck_assert(device->blocked == (strcmp(device->serial_number, "S-3") == 0));
	ck_assert((device->idevid_issuer.len > 0) == first);
	ck_assert_int_eq(device->added, 1735689600);
	++*(unsigned *)ctx;
}

static void on_seen(void *ctx, const struct masa_seen *seen)
{
	static const unsigned statuses[] = {200, 200, 200, 403};
	unsigned *n = ctx;

	ck_assert_uint_lt(*n, 4);
	ck_assert_uint_eq(seen->status, statuses[*n]);
	ck_assert_str_eq(seen->registrar, "CN=Registrar");
	ck_assert_str_eq(seen->peer, "192.0.2.7");
	++*n;
}

START_TEST(every_row_is_read)
{
	unsigned owners = 0, devices = 0, seen = 0;

	EXPECT(BRSKI_OK, masa_owners(masa.store, on_owner, &owners, &err));
	EXPECT(BRSKI_OK, masa_devices(masa.store, on_device, &devices, &err));
	EXPECT(BRSKI_OK, masa_seen_list(masa.store, NULL, 100, on_seen, &seen, &err));
	ck_assert_uint_eq(owners, 1);
	ck_assert_uint_eq(devices, 3);
	ck_assert_uint_eq(seen, 4);
}
END_TEST

static void expect_same_voucher(const char *name)
{
	struct brski_buf kept;
	char file[96];

	snprintf(file, sizeof(file), FIXTURES "/answers/%s", name);
	kept = file_read(file);
	ck_assert_uint_eq(ask(BRSKI_PATH_REQUESTVOUCHER, name), 200);
	ck_assert(brski_span_equal(brski_buf_span(&kept), brski_buf_span(&response.body)));
	brski_buf_free(&kept);
}

START_TEST(the_same_request_gets_the_same_voucher)
{
	expect_same_voucher("nonced");
	clock_now = NONCELESS + 59; /* later, it is another one */
	expect_same_voucher("nonceless");
	ck_assert_uint_eq(ask(BRSKI_PATH_REQUESTVOUCHER, "blocked"), 403);
}
END_TEST

/* Newest first: the one without nonce, then the other. */
START_TEST(the_audit_log_goes_on)
{
	struct brski_audit_log log;

	for (unsigned n = 2; n <= 3; n++) {
		ck_assert_uint_eq(ask(BRSKI_PATH_BRSKI "/requestauditlog", "audit-log"), 200);
		EXPECT(BRSKI_OK, brski_audit_log_parse(brski_buf_span(&response.body), &log, &err));
		ck_assert_uint_eq(log.n_events, n);
		ck_assert_uint_eq(log.events[n - 2].nonce.len, 0);
		ck_assert_uint_eq(log.events[n - 1].nonce.len, 24); /* base64 */
		ck_assert_int_eq(log.events[n - 1].assertion, BRSKI_ASSERTION_PROXIMITY);
		brski_audit_log_free(&log);
		ck_assert_uint_eq(ask(BRSKI_PATH_REQUESTVOUCHER, "new"), 200);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		every_row_is_read, the_same_request_gets_the_same_voucher, the_audit_log_goes_on};

	return run_tests("masa_fixtures", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
