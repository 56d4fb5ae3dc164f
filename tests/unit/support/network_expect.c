/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/unit/support/files.h"
#include "tests/unit/support/network.h"

/* What tests of the pledge look at, and answers that they write down. */

static struct brski_error err;

void network_expect_state(const struct brski_pledge *p, enum brski_pledge_state state)
{
	ck_assert_msg(brski_pledge_state(p) == state, "%s: %s",
		brski_pledge_state_name(brski_pledge_state(p)), brski_pledge_reason(p));
}

void network_expect_failed(struct network *net, const struct brski_pledge *p, const char *words)
{
	network_expect_state(p, BRSKI_PLEDGE_FAILED);
	ck_assert_msg(strstr(brski_pledge_reason(p), words) != NULL, "\"%s\" lacks \"%s\"",
		brski_pledge_reason(p), words);
	ck_assert_ptr_nonnull(strstr(net->events, "failed"));
	ck_assert_ptr_null(network_value(net, "ldevid-1.key"));
	ck_assert_ptr_null(network_value(net, "ldevid-1.pem"));
}

void network_expect_enrollment_failed(struct network *net, const struct brski_pledge *p, const char *words)
{
	const struct network_request *status = network_last(net, "enrollstatus", -1);

	network_expect_failed(net, p, words);
	ck_assert_ptr_nonnull(status);
	ck_assert(!status->status.status);
	ck_assert_ptr_nonnull(strstr(status->status.reason, words));
}

static STACK_OF(X509) *certs_of(struct network *net, const char *name)
{
	STACK_OF(X509) *certs;

	EXPECT(BRSKI_OK, brski_certs_from_pem(brski_buf_span(&network_value(net, name)->data), &certs, &err));
	return certs;
}

void network_expect_credential(struct network *net)
{
	struct brski_pledge_credential found;
	STACK_OF(X509) *certs, *anchors;
	char idevid[BRSKI_FINGERPRINT_MAX];
	EVP_PKEY *key;

	ck_assert(brski_pledge_credential(&net->storage, &found, &err));
	brski_cert_fingerprint(net->idevid.cert, idevid);
	ck_assert_str_eq(found.idevid, idevid);
	ck_assert_str_eq(found.identity, NETWORK_SERIAL);
	ck_assert_ptr_nonnull(strstr(found.subject, "CN=Gadget"));
	EXPECT(BRSKI_OK,
		brski_key_from_pem(brski_buf_span(&network_value(net, found.key)->data), &key, &err));
	certs = certs_of(net, found.cert);
	anchors = certs_of(net, found.anchors);
	ck_assert(network_value(net, found.key)->secret);
	ck_assert(brski_cert_has_key(sk_X509_value(certs, 0), key));
	ck_assert(brski_cert_equal(sk_X509_value(certs, 0), net->last_cert));
	EXPECT(BRSKI_OK, brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, time(NULL), &err));
	EVP_PKEY_free(key);
	pki_free_certs(certs);
	pki_free_certs(anchors);
}

static bool canned_answer(
	struct network *net, const struct network_request *request, struct brski_http *response)
{
	const struct network_canned *canned = &net->canned;

	if (strcmp(request->path, canned->path) != 0 || (canned->cmp >= 0 && request->cmp != canned->cmp))
		return false;
	EXPECT(BRSKI_OK, brski_http_response(
				 response, canned->status, canned->type, brski_span_str(canned->body), &err));
	if (canned->retry_after)
		EXPECT(BRSKI_OK, brski_http_set(response, "retry-after", canned->retry_after, &err));
	return true;
}

void network_answer_with(
	struct network *net, const char *path, int cmp, unsigned status, const char *type, const char *body)
{
	net->hook = canned_answer;
	net->canned = (struct network_canned){
		.path = path, .cmp = cmp, .status = status, .type = type, .body = body};
	net->n_requests = 0;
	net->events[0] = '\0';
}
