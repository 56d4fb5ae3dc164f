/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "eap_brski/artifacts/voucher_cms.h"
#include "services/masa/masa_options_internal.h"
#include "tests/e2e/rogue.h"

/* A MASA that misbehaves: the real one answers, and this program opens its voucher and signs another one. */

static const char *const faults[] = {"other-serial", "other-nonce", "expired", "wrong-signer", "pin-other",
	"foreign-domain-audit", "refuse", "garbage", NULL};

struct rogue_masa {
	struct masa_settings settings;
	struct rogue rogue;
	struct masa_setup setup;
};

static void set_buf(struct brski_buf *buf, const void *octets, size_t len)
{
	rogue_need(brski_buf_set(buf, brski_span(octets, len)) == BRSKI_OK, "memory", NULL);
}

static void edit_voucher(const struct rogue *rogue, struct brski_voucher *v)
{
	struct brski_error err = {0};

	if (rogue_is(rogue, "other-serial"))
		snprintf(v->serial_number, sizeof(v->serial_number), "another-device");
	if (rogue_is(rogue, "other-nonce"))
		RAND_bytes(v->nonce.data, (int)v->nonce.len);
	if (rogue_is(rogue, "expired")) { /* RFC 8366 5.3: nonce and expires-on exclude each other */
		brski_buf_free(&v->nonce);
		v->created_on = time(NULL) - 7200;
		v->expires_on = time(NULL) - 3600;
	}
	if (rogue_is(rogue, "pin-other")) {
		X509_NAME *name = X509_NAME_new();
		struct brski_credential other;

		rogue_need(name && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					   (const unsigned char *)"Another Network", -1, -1, 0) == 1,
			"name", NULL);
		other = rogue_stranger(name);
		rogue_need(brski_cert_to_der(other.cert, &v->pinned_domain_cert, &err) == BRSKI_OK,
			"pin-other", &err);
		brski_credential_free(&other);
		X509_NAME_free(name);
	}
}

static void spoil_voucher(const struct rogue_masa *self, struct brski_buf *cms)
{
	struct brski_credential stranger = {0};
	const struct brski_credential *signer = &self->setup.signer;
	struct brski_voucher v = {0};
	struct brski_error err = {0};
	STACK_OF(X509) *certs = NULL;

	rogue_need(brski_voucher_open(brski_buf_span(cms), NULL, BRSKI_VOUCHER, &v, &certs, &err) == BRSKI_OK,
		"own voucher", &err);
	edit_voucher(&self->rogue, &v);
	if (rogue_is(&self->rogue, "wrong-signer")) {
		stranger = rogue_stranger(X509_get_subject_name(signer->cert));
		signer = &stranger;
	}
	rogue_need(brski_voucher_sign(&v, signer, true, cms, &err) == BRSKI_OK, "signing", &err);
	brski_credential_free(&stranger);
	sk_X509_pop_free(certs, X509_free);
	brski_voucher_free(&v);
}

/* Another network had a voucher for this device, a day ago. */
static void spoil_audit_log(struct brski_buf *json)
{
	struct brski_audit_log log = {0};
	struct brski_audit_event *events;
	struct brski_error err = {0};
	uint8_t domain_id[20];

	rogue_need(
		brski_audit_log_parse(brski_buf_span(json), &log, &err) == BRSKI_OK, "own audit log", &err);
	events = realloc(log.events, (log.n_events + 1) * sizeof(*events));
	rogue_need(events && RAND_bytes(domain_id, sizeof(domain_id)) == 1, "memory", NULL);
	log.events = events;
	events += log.n_events++;
	memset(events, 0, sizeof(*events));
	events->date = time(NULL) - 86400;
	events->assertion = BRSKI_ASSERTION_LOGGED;
	set_buf(&events->domain_id, domain_id, sizeof(domain_id));
	set_buf(&events->nonce, "AAECAwQFBgcICQoLDA0ODw==", 24);
	brski_buf_reset(json);
	rogue_need(brski_audit_log_print(&log, json, &err) == BRSKI_OK, "audit log", &err);
	brski_audit_log_free(&log);
}

static void spoil(
	const struct rogue_masa *self, const struct brski_http *request, struct brski_http *response)
{
	static const uint8_t garbage[] = {0x30, 0x82, 0x10, 0x00, 'g', 'a', 'r', 'b', 'a', 'g', 'e'};
	bool voucher = strcmp(request->path, MASA_PATH_VOUCHER) == 0;
	struct brski_error err = {0};

	if (response->status != 200)
		return;
	if (voucher && rogue_is(&self->rogue, "refuse"))
		rogue_need(brski_http_response(response, 403, "text/plain", brski_span_str("not for you"),
				   &err) == BRSKI_OK,
			"refusal", &err);
	else if (voucher && rogue_is(&self->rogue, "garbage"))
		set_buf(&response->body, garbage, sizeof(garbage));
	else if (voucher && !rogue_is(&self->rogue, "delay"))
		spoil_voucher(self, &response->body);
	else if (!voucher && rogue_is(&self->rogue, "foreign-domain-audit"))
		spoil_audit_log(&response->body);
}

static void on_request(void *ctx, struct http_exchange *ex)
{
	const struct rogue_masa *self = ctx;
	const struct masa_peer peer = {http_exchange_peer(ex), http_exchange_client(ex)};
	struct brski_http response = {0};
	char what[MASA_WHAT_MAX];

	masa_handle(&self->setup.masa, http_exchange_request(ex), &peer, &response, what);
	spoil(self, http_exchange_request(ex), &response);
	rogue_reply(&self->rogue, ex, &response, what);
}

int main(int argc, char **argv)
{
	struct rogue_masa self = {0};
	const struct rogue_program program = {
		"rogue-masa", masa_table, &self, offsetof(struct rogue_masa, rogue.asked), faults};
	struct http_server *server = NULL;
	struct brski_error err = {0};

	rogue_begin(&self.rogue, &program, &self.settings.http.daemon, argc, argv);
	rogue_need(masa_setup(&self.settings, &self.setup, &err) == BRSKI_OK, "setup", &err);
	rogue_need(http_daemon_listen(&self.settings.http, &self.setup.tls, self.rogue.base, on_request,
			   &self, &server, &err) == BRSKI_OK,
		"listen", &err);
	rogue_need(daemon_loop(self.rogue.base, &err) == BRSKI_OK, "loop", &err);
	http_server_free(server);
	event_base_free(self.rogue.base);
	masa_setup_free(&self.setup);
	daemon_end();
	settings_free(masa_table, &self.settings);
	free(self.rogue.asked);
	return 0;
}
