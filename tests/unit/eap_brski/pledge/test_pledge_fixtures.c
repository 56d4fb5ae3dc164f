/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "eap_brski/ground/base64.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/posix/folder.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/network.h"

/*
 * State folders that version 0.1.0 has written, one for each state (tests/vectors/state-0.1): the
 * present pledge goes on from each of them to a certificate, at the same network.
 */

#define FIXTURES "tests/vectors/state-0.1/pledge"

static struct brski_error err;
static struct network net;
static struct brski_pledge_config config;
static struct brski_folder *folder;
static char path[64];

/* Nothing is set aside, and nothing lost: either is an error in the log. */
static void on_line(void *ctx, enum brski_level level, const char *line)
{
	(void)ctx;
	ck_assert_msg(level != BRSKI_LOG_ERROR, "%s", line);
}

static void setup(void)
{
	network_load(&net, FIXTURES "/keys");
	net.env.log = on_line;
	config = network_config(&net);
	temp_make(path);
}

static void teardown(void)
{
	brski_folder_close(folder);
	folder = NULL;
	temp_remove(path);
	network_stop(&net);
}

static void open_fixture(const char *name)
{
	ck_assert_int_eq(run("cp " FIXTURES "/%s/* %s && chmod -R u=rwX,go= %s", name, path, path), 0);
	EXPECT(BRSKI_OK, brski_folder_open(path, &folder, &err));
	net.storage = *brski_folder_storage(folder);
}

static struct brski_pledge *expect_state(enum brski_pledge_state state)
{
	struct brski_pledge *p;

	EXPECT(BRSKI_OK, brski_pledge_new(&config, &p, &err));
	ck_assert_str_eq(brski_pledge_state_name(brski_pledge_state(p)), brski_pledge_state_name(state));
	ck_assert_int_eq(brski_pledge_retry_after(p), 0);
	return p;
}

/* A member of the state as it was written, octets in base64. */
static struct brski_buf member(const char *name)
{
	struct brski_buf text = {0}, octets = {0};
	json_t *json;

	EXPECT(BRSKI_OK, net.storage.read(net.storage.ctx, "state", &text, &err));
	EXPECT(BRSKI_OK, brski_json_parse(brski_buf_span(&text), &json, &err));
	EXPECT(BRSKI_OK, brski_base64_decode(brski_span_str(json_string_value(json_object_get(json, name))),
				 &octets, &err));
	ck_assert_uint_gt(octets.len, 0);
	json_decref(json);
	brski_buf_free(&text);
	return octets;
}

/* That is what was asked for, in the same octets. */
static void expect_repeated(const char *request, int cmp, struct brski_buf *kept)
{
	ck_assert_uint_eq(network_asked(&net, request, cmp), 1);
	ck_assert(brski_span_equal(
		brski_buf_span(&network_last(&net, request, cmp)->body), brski_buf_span(kept)));
	brski_buf_free(kept);
}

static void onboard(struct brski_pledge *p, const char *key)
{
	struct brski_pledge_credential found;
	struct brski_credential loaded;
	char key_path[160], cert_path[160];

	EXPECT(BRSKI_OK, network_visit(&net, p, NULL, &err));
	ck_assert_msg(brski_pledge_state(p) == BRSKI_PLEDGE_ENROLLED, "%s", brski_pledge_reason(p));
	brski_pledge_free(p);
	ck_assert_msg(brski_pledge_credential(&net.storage, &found, &err), "%s", err.why);
	ck_assert_str_eq(found.key, key);
	ck_assert(brski_folder_path(folder, found.key, key_path, sizeof(key_path)));
	ck_assert(brski_folder_path(folder, found.cert, cert_path, sizeof(cert_path)));
	EXPECT(BRSKI_OK, brski_credential_load(key_path, NULL, cert_path, &loaded, &err));
	ck_assert(brski_cert_equal(loaded.cert, net.last_cert));
	brski_credential_free(&loaded);
	ck_assert_uint_eq(network_asked(&net, "enrollstatus", -1), 1);
}

/* The certificate that the pledge has from before. */
static void issued_before(void)
{
	char cert_path[160];

	ck_assert(brski_folder_path(folder, "ldevid-1.pem", cert_path, sizeof(cert_path)));
	net.last_cert = file_cert(cert_path);
}

START_TEST(start)
{
	open_fixture("start");
	onboard(expect_state(BRSKI_PLEDGE_START), "ldevid-1.key");
	ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 1);
}
END_TEST

static void expect_same_voucher_request(const char *fixture)
{
	struct brski_buf kept;

	open_fixture(fixture);
	kept = member("voucher-request");
	onboard(expect_state(BRSKI_PLEDGE_VOUCHER), "ldevid-1.key");
	expect_repeated("requestvoucher", -1, &kept);
}

START_TEST(voucher)
{
	expect_same_voucher_request("voucher");
}
END_TEST

/* The registrar had said "come back in 50 seconds". */
START_TEST(voucher_deferred)
{
	expect_same_voucher_request("voucher-deferred");
}
END_TEST

START_TEST(imprinted)
{
	open_fixture("imprinted");
	onboard(expect_state(BRSKI_PLEDGE_IMPRINTED), "ldevid-1.key");
	ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 0);
	ck_assert_uint_eq(network_asked(&net, "voucher_status", -1), 1);
}
END_TEST

/* What it has imprinted on is still what the registrar must verify to. */
START_TEST(imprinted_elsewhere)
{
	STACK_OF(X509) *chain = pki_certs(&net.other_registrar, NULL);
	struct brski_pledge *p;

	open_fixture("imprinted");
	p = expect_state(BRSKI_PLEDGE_IMPRINTED);
	EXPECT(BRSKI_UNTRUSTED, brski_pledge_connected(p, chain, &err));
	brski_pledge_free(p);
	pki_free_certs(chain);
}
END_TEST

START_TEST(enroll)
{
	struct brski_buf kept;

	open_fixture("enroll");
	kept = member("cmp-request");
	onboard(expect_state(BRSKI_PLEDGE_ENROLL), "ldevid-1.key");
	expect_repeated("initialization", BRSKI_CMP_IR, &kept);
	ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 0);
}
END_TEST

static bool certificate_is_there(
	struct network *n, const struct network_request *request, struct brski_http *response)
{
	struct brski_buf out = {0};

	if (request->cmp != BRSKI_CMP_POLLREQ)
		return false;
	network_issue(n, brski_buf_span(&n->waiting), &out);
	EXPECT(BRSKI_OK, brski_http_response(response, 200, BRSKI_MEDIA_CMP, brski_buf_span(&out), &err));
	brski_buf_free(&out);
	return true;
}

START_TEST(poll)
{
	open_fixture("poll");
	net.waiting = member("cmp-request");
	net.hook = certificate_is_there;
	onboard(expect_state(BRSKI_PLEDGE_POLL), "ldevid-1.key");
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_POLLREQ), 1);
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_IR), 0);
}
END_TEST

START_TEST(confirm)
{
	open_fixture("confirm");
	issued_before();
	onboard(expect_state(BRSKI_PLEDGE_CONFIRM), "ldevid-1.key");
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_IR), 0);
	ck_assert_uint_eq(network_asked(&net, "initialization", BRSKI_CMP_CERTCONF), 1);
}
END_TEST

START_TEST(report)
{
	open_fixture("report");
	issued_before();
	onboard(expect_state(BRSKI_PLEDGE_REPORT), "ldevid-1.key");
	ck_assert_uint_eq(net.n_requests, 1);
}
END_TEST

/* Enrolled twice by then: the credential is found, and a new onboarding leaves it until it succeeds. */
START_TEST(enrolled)
{
	struct brski_pledge_credential found;
	char idevid[BRSKI_FINGERPRINT_MAX];
	struct brski_pledge *p;

	open_fixture("enrolled");
	ck_assert_msg(brski_pledge_credential(&net.storage, &found, &err), "%s", err.why);
	ck_assert_str_eq(found.key, "ldevid-2.key");
	ck_assert_str_eq(found.cert, "ldevid-2.pem");
	ck_assert_str_eq(found.anchors, "ldevid-2-ca.pem");
	ck_assert_str_eq(found.identity, NETWORK_SERIAL);
	brski_cert_fingerprint(net.idevid.cert, idevid);
	ck_assert_str_eq(found.idevid, idevid);
	p = expect_state(BRSKI_PLEDGE_START);
	ck_assert(brski_pledge_credential(&net.storage, &found, &err));
	onboard(p, "ldevid-3.key");
}
END_TEST

START_TEST(failed)
{
	struct brski_buf kept;

	open_fixture("failed");
	kept = member("voucher-request");
	onboard(expect_state(BRSKI_PLEDGE_START), "ldevid-1.key");
	ck_assert_uint_eq(network_asked(&net, "requestvoucher", -1), 1);
	ck_assert(!brski_span_equal(
		brski_buf_span(&network_last(&net, "requestvoucher", -1)->body), brski_buf_span(&kept)));
	brski_buf_free(&kept);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {start, voucher, voucher_deferred, imprinted, imprinted_elsewhere,
		enroll, poll, confirm, report, enrolled, failed};

	return run_tests("pledge_fixtures", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
