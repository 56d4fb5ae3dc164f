/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "tests/unit/support/site.h"

/* The manufacturer's service, RFC 8995 5.5, 5.6 and 5.8. */

#define MUST(call) must((call) == BRSKI_OK, #call)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "site, MASA: %s\n", what);
	abort();
}

static void respond(struct brski_http *answer, unsigned status, const char *type, struct brski_span body)
{
	MUST(brski_http_response(answer, status, type, body, NULL));
}

static void respond_status(struct site *site, struct brski_http *answer)
{
	const char *text = site->masa_text ? site->masa_text : "";

	respond(answer, site->masa_status, text[0] ? "text/plain" : NULL, brski_span_str(text));
	if (site->masa_retry_after)
		MUST(brski_http_set(answer, "retry-after", site->masa_retry_after, NULL));
	if (site->masa_location)
		MUST(brski_http_set(answer, "location", site->masa_location, NULL));
}

/* The registrar's request is right in itself: a MASA that found it otherwise would refuse it. */
static void check_request(struct site *site, const struct brski_http *request, struct brski_voucher *r)
{
	struct brski_voucher prior = {0};
	STACK_OF(X509) *certs = NULL, *prior_certs = NULL;
	struct brski_buf der = {0}, akid = {0};
	char serial[BRSKI_SERIAL_MAX];

	must(brski_http_is_type(request, BRSKI_MEDIA_VOUCHER), "Content-Type");
	MUST(brski_voucher_open(
		brski_buf_span(&request->body), NULL, BRSKI_VOUCHER_REQUEST, r, &certs, NULL));
	MUST(brski_chain_verify(certs, site->domain_anchors, NULL, BRSKI_USE_REGISTRAR, site->now, NULL));
	MUST(brski_cert_serial_number(site->idevid.cert, serial, NULL));
	must(r->is_request && strcmp(r->serial_number, serial) == 0, "serial-number");
	must(r->proximity_registrar_cert.len == 0, "RFC 8995 5.5: no proximity-registrar-cert");
	must(r->created_on != 0, "created-on");
	MUST(brski_cert_authority_key_id(site->idevid.cert, &akid, NULL));
	must(brski_span_equal(brski_buf_span(&akid), brski_buf_span(&r->idevid_issuer)), "idevid-issuer");
	/* RFC 8995 5.5.5: proximity */
	MUST(brski_voucher_open(brski_buf_span(&r->prior_signed_voucher_request), NULL, BRSKI_VOUCHER_REQUEST,
		&prior, &prior_certs, NULL));
	MUST(brski_cert_to_der(sk_X509_value(certs, 0), &der, NULL));
	must(brski_span_equal(brski_buf_span(&der), brski_buf_span(&prior.proximity_registrar_cert)),
		"proximity");
	must(brski_span_equal(brski_buf_span(&r->nonce), brski_buf_span(&prior.nonce)), "nonce");
	must(brski_cert_equal(sk_X509_value(prior_certs, 0), site->idevid.cert), "prior signer");
	brski_buf_free(&der);
	brski_buf_free(&akid);
	pki_free_certs(certs);
	pki_free_certs(prior_certs);
	brski_voucher_free(&prior);
}

static void fill_voucher(struct site *site, const struct brski_voucher *r, struct brski_voucher *v)
{
	const X509 *pinned = site->masa == MASA_PINS_ANOTHER ? site->foreign.cert : site->domain_ca.cert;
	bool nonced = site->masa != MASA_NO_NONCE && site->masa != MASA_EXPIRED;

	v->created_on = site->now;
	v->assertion = BRSKI_ASSERTION_PROXIMITY;
	snprintf(v->serial_number, sizeof(v->serial_number), "%s",
		site->masa == MASA_OTHER_SERIAL ? "SN-6666" : r->serial_number);
	if (nonced)
		MUST(brski_buf_set(&v->nonce, brski_buf_span(&r->nonce)));
	else
		v->expires_on = site->now + 60;
	if (site->masa == MASA_EXPIRED) {
		v->created_on = site->now - 7200;
		v->expires_on = site->now - 3600;
	}
	if (site->masa == MASA_OTHER_NONCE)
		v->nonce.data[0] ^= 1;
	MUST(brski_cert_to_der(pinned, &v->pinned_domain_cert, NULL));
	MUST(brski_buf_set(&v->idevid_issuer, brski_buf_span(&r->idevid_issuer)));
}

static void give_voucher(struct site *site, const struct brski_call *call, struct brski_http *answer)
{
	const struct brski_credential *signer =
		site->masa == MASA_OTHER_SIGNER ? &site->foreign : &site->masa_cred;
	struct brski_voucher r = {0}, v = {0};
	struct brski_buf cms = {0};

	check_request(site, call->request, &r);
	fill_voucher(site, &r, &v);
	MUST(brski_voucher_sign(&v, signer, true, &cms, NULL));
	respond(answer, 200, site->masa == MASA_NOT_A_VOUCHER ? "text/html" : BRSKI_MEDIA_VOUCHER,
		site->masa == MASA_GARBAGE ? brski_span_str("<html>") : brski_buf_span(&cms));
	brski_voucher_free(&r);
	brski_voucher_free(&v);
	brski_buf_free(&cms);
}

static void give_log(struct site *site, struct brski_http *answer)
{
	struct brski_audit_event event = {.date = site->now, .assertion = BRSKI_ASSERTION_PROXIMITY};
	struct brski_audit_log log = {.events = &event, .n_events = 1};
	const X509 *domain = site->audit == AUDIT_FOREIGN ? site->foreign.cert : site->domain_ca.cert;
	struct brski_buf json = {0};

	MUST(brski_domain_id(domain, &event.domain_id, NULL));
	MUST(brski_buf_set(&event.nonce, brski_span_str("0123456789abcdef")));
	MUST(brski_audit_log_print(&log, &json, NULL));
	while (site->audit == AUDIT_LONG && json.len < BRSKI_AUDIT_LOG_MAX)
		brski_put_u8(&json, ' ');
	respond(answer, 200, BRSKI_MEDIA_JSON,
		site->audit == AUDIT_GARBAGE ? brski_span_str("{\"version\":1}") : brski_buf_span(&json));
	brski_buf_free(&json);
	brski_buf_free(&event.domain_id);
	brski_buf_free(&event.nonce);
}

static bool on_log(struct site *site, const struct brski_call *call, struct brski_http *answer)
{
	bool get = strcmp(call->request->method, "GET") == 0;

	site->n_audit_calls++;
	if (site->audit == AUDIT_DOWN)
		return false;
	if (site->audit == AUDIT_STATUS || (site->audit == AUDIT_CREATED && !get))
		respond_status(site, answer);
	else
		give_log(site, answer);
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

bool site_masa(struct site *site, const struct brski_call *call, struct brski_http *answer)
{
	must(call->tls_anchors != NULL && call->client != NULL, "TLS");
	must(strncasecmp(call->url, "https://", 8) == 0 && ends_with(call->url, call->request->path),
		"URL and path");
	if (!ends_with(call->url, "/requestvoucher"))
		return on_log(site, call, answer);
	site->n_masa_calls++;
	if (site->masa == MASA_DOWN)
		return false;
	if (site->masa == MASA_STATUS)
		respond_status(site, answer);
	else
		give_voucher(site, call, answer);
	return true;
}
