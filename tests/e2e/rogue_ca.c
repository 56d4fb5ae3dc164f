/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/ca/ca_issue_internal.h"
#include "services/ca/ca_options_internal.h"
#include "tests/e2e/rogue.h"

/*
 * A CA that misbehaves: the real one answers ip or cp, and this program makes another certificate
 * or answer of it.
 */

static const char *const faults[] = {"other-key", "other-subject", "bad-signature", "bad-certificate",
	"wrong-signer", "wrong-issuer", "refuse", "garbage", "no-confirm", NULL};

struct rogue_ca {
	struct ca_settings settings;
	struct rogue rogue;
	struct ca_setup setup;
};

/* The device's message, out of a nested one if it came so. */
static void open_request(const struct brski_http *request, struct brski_cmp *out)
{
	struct brski_cmp outer = {0};
	struct brski_error err = {0};

	rogue_need(
		brski_cmp_decode(brski_buf_span(&request->body), &outer, &err) == BRSKI_OK, "request", &err);
	if (outer.type != BRSKI_CMP_NESTED) {
		*out = outer;
		return;
	}
	rogue_need(brski_cmp_unnest(&outer, out, &err) == BRSKI_OK, "nested request", &err);
	brski_cmp_free(&outer);
}

static bool in_body(const struct brski_cmp *msg, const struct brski_buf *what, size_t *at)
{
	const uint8_t *found = memmem(msg->der.data, msg->der.len, what->data, what->len);

	*at = found ? (size_t)(found - msg->der.data) : 0;
	return found != NULL;
}

static void break_protection(struct brski_buf *der)
{
	struct brski_cmp answer = {0};
	struct brski_error err = {0};
	size_t at;

	rogue_need(brski_cmp_decode(brski_buf_span(der), &answer, &err) == BRSKI_OK, "own answer", &err);
	rogue_need(in_body(&answer, &answer.protection, &at), "protection", NULL);
	der->data[at + answer.protection.len - 1] ^= 1;
	brski_cmp_free(&answer);
}

/* The certificate of the answer, made anew with the fault in it. */
static X509 *spoil_certificate(const struct rogue_ca *self, const X509 *good)
{
	EVP_PKEY *other_key = EVP_EC_gen("P-256");
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(good));
	struct brski_credential stranger = rogue_stranger(X509_get_subject_name(self->setup.issuer.cert));
	struct ca_spec spec = {
		.kind = CA_KIND_LDEVID, .subject = name, .key = X509_get0_pubkey(good), .days = 30};
	struct brski_error err = {0};
	const ASN1_BIT_STRING *signature = NULL;
	X509 *bad = NULL;

	rogue_need(other_key && name, "memory", NULL);
	if (rogue_is(&self->rogue, "other-key"))
		spec.key = other_key;
	if (rogue_is(&self->rogue, "other-subject")) {
		X509_NAME_free(name);
		rogue_need(ca_name_parse("CN=Somebody Else,serialNumber=not-yours", &name, &err) == BRSKI_OK,
			"name", &err);
		spec.subject = name;
	}
	rogue_need(ca_issue(&spec, rogue_is(&self->rogue, "wrong-issuer") ? &stranger : &self->setup.issuer,
			   daemon_env(), &bad, &err) == BRSKI_OK,
		"certificate", &err);
	if (rogue_is(&self->rogue, "bad-certificate")) {
		X509_get0_signature(&signature, NULL, bad);
		((ASN1_BIT_STRING *)(uintptr_t)signature)->data[signature->length - 1] ^= 1;
	}
	brski_credential_free(&stranger);
	X509_NAME_free(name);
	EVP_PKEY_free(other_key);
	return bad;
}

static void answer_anew(const struct rogue_ca *self, const struct brski_cmp *request, struct brski_buf *der)
{
	struct brski_credential stranger = {0};
	const struct brski_credential *signer = &self->setup.cmp_signer;
	struct brski_cmp_response good = {0};
	struct brski_cmp answer = {0};
	struct brski_error err = {0};
	X509 *bad;

	rogue_need(brski_cmp_decode(brski_buf_span(der), &answer, &err) == BRSKI_OK &&
			   brski_cmp_response_read(&answer, &good, &err) == BRSKI_OK && good.cert,
		"own answer", &err);
	bad = spoil_certificate(self, good.cert);
	if (rogue_is(&self->rogue, "wrong-signer")) {
		stranger = rogue_stranger(X509_get_subject_name(signer->cert));
		signer = &stranger;
	}
	rogue_need(brski_cmp_answer_cert(request, signer, &(struct brski_cmp_grant){.cert = bad},
			   daemon_env(), der, &err) == BRSKI_OK,
		"answer", &err);
	X509_free(bad);
	brski_credential_free(&stranger);
	brski_cmp_response_free(&good);
	brski_cmp_free(&answer);
}

static void spoil(const struct rogue_ca *self, const struct brski_http *request, struct brski_http *response)
{
	static const uint8_t garbage[] = {0x30, 0x82, 0x10, 0x00, 'g', 'a', 'r', 'b', 'a', 'g', 'e'};
	struct brski_cmp msg = {0};
	struct brski_error err = {0};
	bool enrolls;

	if (response->status != 200 || rogue_is(&self->rogue, "delay") ||
		rogue_is(&self->rogue, "no-confirm"))
		return;
	open_request(request, &msg);
	enrolls = msg.type == BRSKI_CMP_IR || msg.type == BRSKI_CMP_CR || msg.type == BRSKI_CMP_P10CR;
	if (enrolls && rogue_is(&self->rogue, "refuse"))
		rogue_need(brski_cmp_answer_status(&msg, &self->setup.cmp_signer, BRSKI_CMP_REJECTION,
				   BRSKI_CMP_NOT_AUTHORIZED, "refused, whoever asks", daemon_env(),
				   &response->body, &err) == BRSKI_OK,
			"refusal", &err);
	else if (enrolls && rogue_is(&self->rogue, "garbage"))
		rogue_need(brski_buf_set(&response->body, brski_span(garbage, sizeof(garbage))) == BRSKI_OK,
			"memory", NULL);
	else if (enrolls && rogue_is(&self->rogue, "bad-signature"))
		break_protection(&response->body);
	else if (msg.type == BRSKI_CMP_CERTCONF) /* it stands by its certificate */
		rogue_need(brski_cmp_answer_pkiconf(&msg, &self->setup.cmp_signer, daemon_env(),
				   &response->body, &err) == BRSKI_OK,
			"pkiConf", &err);
	else if (enrolls)
		answer_anew(self, &msg, &response->body);
	brski_cmp_free(&msg);
}

static bool is_confirmation(const struct brski_http *request)
{
	struct brski_cmp msg = {0};
	bool is;

	open_request(request, &msg);
	is = msg.type == BRSKI_CMP_CERTCONF;
	brski_cmp_free(&msg);
	return is;
}

static void on_request(void *ctx, struct http_exchange *ex)
{
	const struct rogue_ca *self = ctx;
	struct brski_http response = {0};
	char what[CA_WHAT_MAX];

	if (rogue_is(&self->rogue, "no-confirm") && is_confirmation(http_exchange_request(ex))) {
		rogue_need(brski_http_response(&response, 503, NULL, brski_span(NULL, 0), NULL) == BRSKI_OK,
			"memory", NULL);
		rogue_reply(&self->rogue, ex, &response, "a confirmation that is not looked at");
		return;
	}
	ca_handle(&self->setup.ca, http_exchange_request(ex), &response, what);
	spoil(self, http_exchange_request(ex), &response);
	rogue_reply(&self->rogue, ex, &response, what);
}

int main(int argc, char **argv)
{
	struct rogue_ca self = {0};
	const struct rogue_program program = {
		"rogue-ca", ca_table, &self, offsetof(struct rogue_ca, rogue.asked), faults};
	struct http_server *server = NULL;
	struct brski_error err = {0};

	rogue_begin(&self.rogue, &program, &self.settings.http.daemon, argc, argv);
	rogue_need(ca_setup(&self.settings, &self.setup, &err) == BRSKI_OK, "setup", &err);
	rogue_need(http_daemon_listen(&self.settings.http, ca_setup_tls(&self.setup), self.rogue.base,
			   on_request, &self, &server, &err) == BRSKI_OK,
		"listen", &err);
	rogue_need(daemon_loop(self.rogue.base, &err) == BRSKI_OK, "loop", &err);
	http_server_free(server);
	event_base_free(self.rogue.base);
	ca_setup_free(&self.setup);
	daemon_end();
	settings_free(ca_table, &self.settings);
	free(self.rogue.asked);
	return 0;
}
