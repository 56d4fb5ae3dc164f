/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/network.h"

#include <stdio.h>
#include <string.h>

#include <check.h>

#include "eap_brski/artifacts/voucher_cms.h"

#define OK(call) \
	do { \
		struct brski_error err_ = {0}; \
		enum brski_code got_ = (call); \
		ck_assert_msg(got_ == BRSKI_OK, "%s: %s: %s", #call, brski_code_name(got_), err_.why); \
	} while (0)

/* ---- storage ---- */

struct network_value *network_value(struct network *net, const char *name)
{
	for (size_t i = 0; i < NETWORK_VALUES_MAX; i++) {
		if (strcmp(net->values[i].name, name) == 0)
			return &net->values[i];
	}
	return NULL;
}

static enum brski_code storage_read(
	void *ctx, const char *name, struct brski_buf *out, struct brski_error *err)
{
	const struct network_value *value = network_value(ctx, name);

	brski_buf_free(out);
	if (!value)
		return brski_fail(err, BRSKI_NOT_FOUND, "no %s", name);
	return brski_buf_set(out, brski_buf_span(&value->data));
}

static enum brski_code storage_write(
	void *ctx, const char *name, struct brski_span data, bool secret, struct brski_error *err)
{
	struct network *net = ctx;
	struct network_value *value = network_value(net, name);
	bool fail = ++net->writes == net->fail_at;

	if (fail && !net->fail_late)
		return brski_fail(err, BRSKI_INTERNAL, "the disk is full");
	if (!value)
		value = network_value(net, "");
	ck_assert_ptr_nonnull(value);
	snprintf(value->name, sizeof(value->name), "%s", name);
	value->secret = secret;
	ck_assert_int_eq(brski_buf_set(&value->data, data), BRSKI_OK);
	return fail ? brski_fail(err, BRSKI_INTERNAL, "the disk is slow") : BRSKI_OK;
}

static enum brski_code storage_remove(void *ctx, const char *name, struct brski_error *err)
{
	struct network_value *value = network_value(ctx, name);

	(void)err;
	if (value) {
		brski_buf_free(&value->data);
		value->name[0] = '\0';
	}
	return BRSKI_OK;
}

static enum brski_code storage_set_aside(void *ctx, struct brski_error *err)
{
	struct network *net = ctx;

	net->set_aside++;
	for (size_t i = 0; i < NETWORK_VALUES_MAX; i++)
		(void)storage_remove(ctx, net->values[i].name, err);
	return BRSKI_OK;
}

/* ---- environment ---- */

static time_t env_now(void *ctx)
{
	const struct network *net = ctx;

	return time(NULL) + net->offset;
}

static void on_event(void *ctx, enum brski_pledge_event event, const char *detail)
{
	struct network *net = ctx;
	size_t len = strlen(net->events);

	snprintf(net->events + len, sizeof(net->events) - len, "%s%s", len > 0 ? " " : "",
		brski_pledge_event_name(event));
	snprintf(net->detail, sizeof(net->detail), "%s", detail);
}

struct brski_pledge_config network_config(struct network *net)
{
	return (struct brski_pledge_config){
		.idevid = &net->idevid,
		.masa_anchors = net->masa_anchors,
		.key_type = BRSKI_KEY_P256,
		.clock_is_right = true,
		.storage = &net->storage,
		.env = &net->env,
		.event = on_event,
		.event_ctx = net,
	};
}

/* ---- making ---- */

static void make_domain(struct brski_credential *root, struct brski_credential *ca,
	struct brski_credential *registrar, struct brski_credential *signer)
{
	*root = pki_root("CN=Domain Root,O=Domain");
	*ca = pki_ca("CN=Domain CA,O=Domain", root);
	*registrar = pki_make(
		&(struct pki_spec){.subject = "CN=Registrar,O=Domain", .eku = "cmcRA,serverAuth"}, ca);
	*signer = pki_make(&(struct pki_spec){.subject = "CN=CMP of the CA,O=Domain", .eku = "cmcCA"}, ca);
}

void network_start(struct network *net)
{
	*net = (struct network){0};
	net->vendor = pki_root("CN=Vendor Root,O=Vendor");
	net->masa = pki_leaf("CN=MASA,O=Vendor", NULL, &net->vendor);
	net->idevid = pki_leaf(NETWORK_SUBJECT, NULL, &net->vendor);
	net->masa_anchors = pki_certs(&net->vendor, NULL);
	make_domain(&net->root, &net->ca, &net->registrar, &net->signer);
	make_domain(&net->other_root, &net->other_ca, &net->other_registrar, &net->other_signer);
	net->chain = pki_certs(&net->registrar, NULL);
	net->storage = (struct brski_storage){
		.ctx = net,
		.read = storage_read,
		.write = storage_write,
		.remove = storage_remove,
		.set_aside = storage_set_aside,
	};
	net->env = (struct brski_env){.ctx = net, .now = env_now};
}

void network_load(struct network *net, const char *folder)
{
	network_start(net);
	pki_replace(&net->vendor, folder, "vendor");
	pki_replace(&net->masa, folder, "masa");
	pki_replace(&net->idevid, folder, "idevid");
	pki_replace(&net->root, folder, "root");
	pki_replace(&net->ca, folder, "ca");
	pki_replace(&net->registrar, folder, "registrar");
	pki_replace(&net->signer, folder, "signer");
	pki_free_certs(net->masa_anchors);
	pki_free_certs(net->chain);
	net->masa_anchors = pki_certs(&net->vendor, NULL);
	net->chain = pki_certs(&net->registrar, NULL);
}

void network_stop(struct network *net)
{
	struct brski_credential *all[] = {&net->vendor, &net->masa, &net->idevid, &net->root, &net->ca,
		&net->registrar, &net->signer, &net->other_root, &net->other_ca, &net->other_registrar,
		&net->other_signer};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_free(all[i]);
	pki_free_certs(net->masa_anchors);
	pki_free_certs(net->chain);
	X509_free(net->last_cert);
	brski_buf_free(&net->waiting);
	for (size_t i = 0; i < NETWORK_REQUESTS_MAX; i++)
		brski_buf_free(&net->requests[i].body);
	for (size_t i = 0; i < NETWORK_VALUES_MAX; i++)
		brski_buf_free(&net->values[i].data);
}

/* ---- answering ---- */

static void find_nonce(struct network *net, struct brski_buf *nonce)
{
	const struct network_request *asked = network_last(net, "requestvoucher", -1);
	STACK_OF(X509) *certs = NULL;
	struct brski_voucher request = {0};

	OK(brski_voucher_open(
		brski_buf_span(&asked->body), NULL, BRSKI_VOUCHER_REQUEST, &request, &certs, &err_));
	ck_assert(request.is_request);
	brski_buf_move(nonce, &request.nonce);
	brski_voucher_free(&request);
	pki_free_certs(certs);
}

void network_voucher(struct network *net, struct brski_buf *cms)
{
	struct brski_voucher v = {
		.created_on = time(NULL),
		.assertion = BRSKI_ASSERTION_PROXIMITY,
		.serial_number = NETWORK_SERIAL,
	};

	find_nonce(net, &v.nonce);
	OK(brski_cert_authority_key_id(net->idevid.cert, &v.idevid_issuer, &err_));
	OK(brski_cert_to_der(net->root.cert, &v.pinned_domain_cert, &err_));
	if (net->voucher)
		net->voucher(&v);
	OK(brski_voucher_sign(&v, net->voucher_signer ? net->voucher_signer : &net->masa, true, cms, &err_));
	brski_voucher_free(&v);
}

static const struct brski_credential *cmp_signer(const struct network *net)
{
	return net->cmp_signer ? net->cmp_signer : &net->signer;
}

void network_issue(struct network *net, struct brski_span der, struct brski_buf *out)
{
	struct pki_spec spec = {.subject = NETWORK_SUBJECT};
	struct brski_credential cert;
	struct brski_cmp_request r = {0};
	struct brski_cmp msg = {0};

	OK(brski_cmp_decode(der, &msg, &err_));
	OK(brski_cmp_request_check(&msg, net->idevid.cert, NULL, &r, &err_));
	spec.key = net->wrong_key ? net->wrong_key : r.key;
	if (net->cert)
		net->cert(net, &spec);
	cert = pki_make(&spec, net->cert_issuer ? net->cert_issuer : &net->ca);
	X509_free(net->last_cert);
	ck_assert_int_eq(X509_up_ref(cert.cert), 1);
	net->last_cert = cert.cert;
	net->issued++;
	OK(brski_cmp_answer_cert(&msg, cmp_signer(net),
		&(struct brski_cmp_grant){.status = net->cert_status,
			.cert = cert.cert,
			.chain = cert.chain,
			.implicit_confirm = net->implicit_confirm},
		&net->env, out, &err_));
	pki_free(&cert);
	brski_cmp_request_free(&r);
	brski_cmp_free(&msg);
}

static void confirm(struct network *net, struct brski_span der, struct brski_buf *out)
{
	struct brski_cmp_request r = {0};
	struct brski_cmp msg = {0};

	OK(brski_cmp_decode(der, &msg, &err_));
	OK(brski_cmp_request_check(&msg, net->idevid.cert, NULL, &r, &err_));
	ck_assert(brski_cmp_cert_hash_matches(&r, net->last_cert));
	OK(brski_cmp_answer_pkiconf(&msg, cmp_signer(net), &net->env, out, &err_));
	brski_cmp_request_free(&r);
	brski_cmp_free(&msg);
}

static void answer_right(
	struct network *net, const struct network_request *request, struct brski_http *response)
{
	const char *type = NULL;
	struct brski_buf body = {0};

	if (strcmp(request->path, "requestvoucher") == 0) {
		type = BRSKI_MEDIA_VOUCHER;
		network_voucher(net, &body);
	} else if (request->cmp == BRSKI_CMP_IR || request->cmp == BRSKI_CMP_P10CR) {
		type = BRSKI_MEDIA_CMP;
		network_issue(net, brski_buf_span(&request->body), &body);
	} else if (request->cmp == BRSKI_CMP_CERTCONF) {
		type = BRSKI_MEDIA_CMP;
		confirm(net, brski_buf_span(&request->body), &body);
	} else if (strcmp(request->path, "voucher_status") != 0 &&
		   strcmp(request->path, "enrollstatus") != 0) {
		ck_abort_msg("nothing answers %s, %d", request->path, request->cmp);
	}
	OK(brski_http_response(response, 200, type, brski_buf_span(&body), &err_));
	brski_buf_free(&body);
}

static int cmp_type(struct brski_span body)
{
	struct brski_cmp msg = {0};
	int type;

	OK(brski_cmp_decode(body, &msg, &err_));
	type = msg.type;
	brski_cmp_free(&msg);
	return type;
}

static struct network_request *note(struct network *net, const struct brski_http *http)
{
	struct network_request *request = &net->requests[net->n_requests];

	ck_assert_uint_lt(net->n_requests, NETWORK_REQUESTS_MAX);
	ck_assert_uint_eq(http->status, 0);
	ck_assert_str_eq(http->method, "POST");
	ck_assert_int_eq(strncmp(http->path, "/.well-known/", 13), 0);
	snprintf(request->path, sizeof(request->path), "%s", strrchr(http->path, '/') + 1);
	OK(brski_buf_set(&request->body, brski_buf_span(&http->body)));
	request->cmp = -1;
	if (brski_http_is_type(http, BRSKI_MEDIA_CMP))
		request->cmp = cmp_type(brski_buf_span(&http->body));
	if (brski_http_is_type(http, BRSKI_MEDIA_JSON))
		OK(brski_status_parse(brski_buf_span(&http->body), &request->status, &err_));
	net->n_requests++;
	return request;
}

void network_answer(struct network *net, const struct brski_http *http, struct brski_http *response)
{
	const struct network_request *request = note(net, http);

	if (!net->hook || !net->hook(net, request, response))
		answer_right(net, request, response);
	if (net->edit)
		net->edit(net, request, response);
}

/* ---- visiting ---- */

static enum brski_code fly(struct network *net, struct brski_pledge *p, size_t *n, struct brski_error *err)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0};
	struct brski_http responses[BRSKI_FLIGHT_MAX] = {0};
	enum brski_code rc;

	rc = brski_pledge_next(p, requests, n, err);
	for (size_t i = 0; !rc && i < *n; i++)
		network_answer(net, &requests[i], &responses[i]);
	if (!rc && *n > 0) {
		net->flights++;
		rc = brski_pledge_answer(p, responses, *n, err);
	}
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++) {
		brski_http_free(&requests[i]);
		brski_http_free(&responses[i]);
	}
	return rc;
}

enum brski_code network_visit(
	struct network *net, struct brski_pledge *p, STACK_OF(X509) *chain, struct brski_error *err)
{
	size_t n = 1;
	enum brski_code rc;

	rc = brski_pledge_connected(p, chain ? chain : net->chain, err);
	for (unsigned i = 0; !rc && n > 0; i++) {
		ck_assert_uint_lt(i, 10);
		rc = fly(net, p, &n, err);
	}
	return rc;
}

enum brski_pledge_state network_onboard(struct network *net)
{
	struct brski_pledge_config config = network_config(net);
	enum brski_pledge_state state;
	struct brski_pledge *p;

	OK(brski_pledge_new(&config, &p, &err_));
	OK(network_visit(net, p, NULL, &err_));
	state = brski_pledge_state(p);
	brski_pledge_free(p);
	return state;
}

static bool is_it(const struct network_request *request, const char *path, int cmp)
{
	return strcmp(request->path, path) == 0 && (cmp < 0 || request->cmp == cmp);
}

unsigned network_asked(const struct network *net, const char *path, int cmp)
{
	unsigned n = 0;

	for (size_t i = 0; i < net->n_requests; i++)
		n += is_it(&net->requests[i], path, cmp);
	return n;
}

const struct network_request *network_last(const struct network *net, const char *path, int cmp)
{
	for (size_t i = net->n_requests; i > 0; i--) {
		if (is_it(&net->requests[i - 1], path, cmp))
			return &net->requests[i - 1];
	}
	return NULL;
}
