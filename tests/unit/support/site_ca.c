/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support/cmp_world.h"
#include "tests/unit/support/site.h"

/* The operator's PKI, RFC 9483 5.1. */

#define MUST(call) must((call) == BRSKI_OK, #call)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "site, CA: %s\n", what);
	abort();
}

/* As pki_spec has it. */
static void subject_text(const X509_NAME *name, char out[256])
{
	out[0] = '\0';
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(e);
		size_t used = strlen(out);

		snprintf(out + used, 256 - used, "%s%s=%.*s", i ? "," : "",
			OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(e))), value->length,
			(const char *)value->data);
	}
}

static X509 *issue(struct site *site, const struct brski_cmp_request *asked)
{
	char subject[256];
	struct pki_spec spec = {
		.subject = site->ca == CA_OTHER_SUBJECT ? "CN=Other,O=Acme,serialNumber=SN-6666" : subject,
		.key = asked->key,
		.eku = site->ca == CA_NO_LOGIN ? "serverAuth" : "clientAuth",
		.not_after = site->ca_not_after,
	};
	struct brski_credential made;
	X509 *cert;

	subject_text(asked->subject, subject);
	if (site->ca == CA_OTHER_KEY)
		spec.key = NULL;
	made = pki_make(&spec, &site->domain_ca);
	cert = made.cert;
	must(X509_up_ref(cert) && sk_X509_push(site->issued, cert) > 0, "no memory");
	site->n_issued++;
	X509_up_ref(cert);
	pki_free(&made);
	return cert;
}

static const struct brski_credential *signer_of(const struct site *site)
{
	if (site->ca == CA_OTHER_SIGNER)
		return &site->foreign;
	return site->ca_signer ? site->ca_signer : &site->domain_ca;
}

static void answer_enroll(struct site *site, const struct brski_cmp *msg,
	const struct brski_cmp_request *asked, struct brski_buf *out)
{
	const struct brski_credential *signer = signer_of(site);
	X509 *cert;

	if (site->ca == CA_REFUSES) {
		MUST(brski_cmp_answer_status(msg, signer, BRSKI_CMP_REJECTION, BRSKI_CMP_BAD_CERT_TEMPLATE,
			"not this subject", &site->env, out, NULL));
	} else if (site->ca == CA_UNPROTECTED_ERROR || site->ca == CA_STRAY_ERROR) {
		MUST(brski_cmp_answer_error(msg, signer, BRSKI_CMP_REJECTION, BRSKI_CMP_BAD_REQUEST,
			"end entity unknown", &site->env, out, NULL));
	} else {
		cert = issue(site, asked);
		MUST(brski_cmp_answer_cert(msg, signer,
			&(struct brski_cmp_grant){
				.cert = cert, .chain = signer->chain, .implicit_confirm = site->ca_implicit},
			&site->env, out, NULL));
		X509_free(cert);
	}
}

static void answer_conf(struct site *site, const struct brski_cmp *msg, const struct brski_cmp_request *asked,
	struct brski_buf *out)
{
	if (asked->conf_status == BRSKI_CMP_REJECTION)
		site->n_rejected++;
	else
		site->n_confirmed++;
	if (site->ca_refuses_conf) {
		MUST(brski_cmp_answer_error(msg, signer_of(site), BRSKI_CMP_REJECTION, BRSKI_CMP_BAD_CERT_ID,
			"too late", &site->env, out, NULL));
		return;
	}
	MUST(brski_cmp_answer_pkiconf(msg, signer_of(site), &site->env, out, NULL));
}

static void say_wait(struct site *site, const struct brski_cmp *msg, struct brski_buf *out)
{
	MUST(brski_buf_set(&site->ca_first, brski_buf_span(&msg->der)));
	MUST(brski_cmp_answer_status(msg, signer_of(site), BRSKI_CMP_WAITING, BRSKI_CMP_FAIL_NONE, "patience",
		&site->env, out, NULL));
}

static void answer_poll(struct site *site, const struct brski_cmp *poll, struct brski_buf *out)
{
	struct brski_cmp first = {0};
	struct brski_cmp_request asked = {0};

	if (site->ca_polls-- > 0) {
		MUST(brski_cmp_answer_poll(poll, signer_of(site),
			site->ca_check_after ? site->ca_check_after : 7, "patience", &site->env, out, NULL));
		return;
	}
	MUST(brski_cmp_decode(brski_buf_span(&site->ca_first), &first, NULL));
	MUST(brski_cmp_request_check(&first, NULL, NULL, &asked, NULL));
	if (first.type == BRSKI_CMP_CERTCONF)
		answer_conf(site, &first, &asked, out);
	else
		answer_enroll(site, &first, &asked, out);
	brski_cmp_request_free(&asked);
	brski_cmp_free(&first);
}

/* RFC 9483 3.5: as strict as OpenSSL's CMP server. */
static void check_nonce(const struct site *site, const struct brski_cmp *msg)
{
	must(brski_span_equal(brski_buf_span(&msg->header.recip_nonce), brski_buf_span(&site->ca_nonce)),
		"recipNonce is not the senderNonce of what the CA said last");
}

static void remember_nonce(struct site *site, const struct brski_buf *answer)
{
	struct brski_cmp msg = {0};

	MUST(brski_cmp_decode(brski_buf_span(answer), &msg, NULL));
	MUST(brski_buf_set(&site->ca_nonce, brski_buf_span(&msg.header.sender_nonce)));
	brski_cmp_free(&msg);
}

/* client: whose request it is. */
static void answer_request(
	struct site *site, const struct brski_cmp *msg, const X509 *client, struct brski_buf *out)
{
	struct brski_cmp_request asked = {0};
	struct brski_error err = {0};

	must(brski_cmp_request_check(msg, client, NULL, &asked, &err) == BRSKI_OK, err.why);
	if (msg->type == BRSKI_CMP_CERTCONF || msg->type == BRSKI_CMP_POLLREQ)
		site->ca_heard = asked.cert_req_id;
	switch (msg->type) {
	case BRSKI_CMP_IR:
	case BRSKI_CMP_P10CR:
		if (site->ca == CA_WAITS)
			say_wait(site, msg, out);
		else
			answer_enroll(site, msg, &asked, out);
		break;
	case BRSKI_CMP_CERTCONF:
		if (site->ca == CA_WAITS && site->ca_conf_waits)
			say_wait(site, msg, out);
		else
			answer_conf(site, msg, &asked, out);
		break;
	case BRSKI_CMP_POLLREQ:
		check_nonce(site, msg);
		answer_poll(site, msg, out);
		break;
	case BRSKI_CMP_GENM:
		MUST(brski_cmp_answer_genp(
			msg, &site->domain_ca, asked.info_type, site->domain_anchors, &site->env, out, NULL));
		break;
	default:
		must(false, "unexpected message");
	}
	remember_nonce(site, out);
	brski_cmp_request_free(&asked);
}

static bool is_registrars_own(const struct site *site, const struct brski_cmp *msg)
{
	STACK_OF(X509) *chain = NULL;
	bool own = msg->type != BRSKI_CMP_NESTED && brski_cmp_verify(msg, NULL, &chain, NULL) == BRSKI_OK &&
		   brski_cert_equal(sk_X509_value(chain, 0), site->registrar_cred.cert);

	pki_free_certs(chain);
	return own;
}

/* RFC 9483 5.2.2.1: only what the registrar approved of with its signature */
static void unwrap(struct site *site, struct brski_cmp *outer, struct brski_cmp *inner)
{
	STACK_OF(X509) *chain = NULL;

	if (is_registrars_own(site, outer)) {
		MUST(brski_cmp_decode(brski_buf_span(&outer->der), inner, NULL));
		return;
	}
	if (!site->config.nest) {
		must(outer->type != BRSKI_CMP_NESTED, "nested, though the site has that switched off");
		MUST(brski_cmp_decode(brski_buf_span(&outer->der), inner, NULL));
		return;
	}
	MUST(brski_cmp_verify(outer, NULL, &chain, NULL));
	must(brski_cert_equal(sk_X509_value(chain, 0), site->registrar_cred.cert), "nested by somebody else");
	MUST(brski_chain_verify(chain, site->domain_anchors, NULL, BRSKI_USE_REGISTRAR, site->now, NULL));
	MUST(brski_cmp_unnest(outer, inner, NULL));
	pki_free_certs(chain);
}

/* One element of DER: true, with its tag and whole octets, until in is empty. */
static bool next_element(
	struct brski_span *in, uint8_t *tag, struct brski_span *whole, struct brski_span *content)
{
	struct brski_span start = *in;
	uint16_t len16;
	uint8_t len = 0;

	if (in->len == 0)
		return false;
	must(brski_read_u8(in, tag) && brski_read_u8(in, &len), "DER");
	len16 = len;
	if (len == 0x81) {
		must(brski_read_u8(in, &len), "DER");
		len16 = len;
	} else if (len == 0x82) {
		must(brski_read_u16(in, &len16), "DER");
	}
	must(brski_read_span(in, len16, content), "DER");
	*whole = brski_span(start.data, start.len - in->len);
	return true;
}

static void put_sequence(struct brski_buf *out, const struct brski_buf *content)
{
	must(content->len < 65536, "length of a sequence");
	brski_put_u8(out, 0x30);
	if (content->len >= 0x80)
		brski_put_u8(out, content->len < 256 ? 0x81 : 0x82);
	if (content->len < 256)
		brski_put_u8(out, (uint8_t)content->len);
	else
		brski_put_u16(out, (uint16_t)content->len);
	brski_put(out, brski_buf_span(content));
}

/* A message without protection, protectionAlg [1] and certificates; and without transactionID [4]. */
static void strip(struct brski_buf *der, bool transaction)
{
	struct brski_buf header = {0}, message = {0}, out = {0};
	struct brski_span in, whole, content;
	struct brski_cmp msg = {0};
	uint8_t tag;

	MUST(brski_cmp_decode(brski_buf_span(der), &msg, NULL));
	in = msg.header_der;
	must(next_element(&in, &tag, &whole, &content), "header");
	in = content;
	while (next_element(&in, &tag, &whole, &content)) {
		bool is_id = tag == 0xa4 && content.data[0] == 0x04; /* and no directoryName [4] */

		if (tag != 0xa1 && !(transaction && is_id))
			brski_put(&header, whole);
	}
	put_sequence(&message, &header);
	brski_put(&message, msg.body_der);
	put_sequence(&out, &message);
	brski_cmp_free(&msg);
	brski_buf_free(&header);
	brski_buf_free(&message);
	brski_buf_move(der, &out);
}

static void damage(struct brski_buf *der, bool transaction)
{
	struct brski_cmp msg = {0};
	const struct brski_buf *what;
	uint8_t *at;

	MUST(brski_cmp_decode(brski_buf_span(der), &msg, NULL));
	what = transaction ? &msg.header.transaction_id : &msg.protection;
	at = memmem(der->data, der->len, what->data, what->len);
	must(at != NULL, "nothing to damage");
	at[what->len - 1] ^= 1;
	brski_cmp_free(&msg);
}

/* They are not protected. */
static void leave_out_certs(struct brski_buf *der)
{
	struct brski_cmp msg = {0};

	MUST(brski_cmp_decode(brski_buf_span(der), &msg, NULL));
	if (msg.type == BRSKI_CMP_PKICONF || msg.type == BRSKI_CMP_POLLREP) {
		sk_X509_pop_free(msg.extra_certs, X509_free);
		msg.extra_certs = NULL;
		MUST(brski_cmp_encode(&msg, der, NULL));
	}
	brski_cmp_free(&msg);
}

static void say_zero(struct brski_cmp_draft *draft, void *ctx)
{
	static const uint8_t none[] = {0x02, 0x01, 0xff}, zero[] = {0x02, 0x01, 0x00};
	struct brski_buf *content = ctx;
	uint8_t *at;

	MUST(brski_buf_set(content, draft->content));
	at = memmem(content->data, content->len, none, sizeof(none));
	if (at) /* else it repeats the 0 of a pollReq */
		memcpy(at, zero, sizeof(zero));
	draft->content = brski_buf_span(content);
}

static void spoil(struct site *site, struct brski_buf *der, int asked)
{
	struct brski_buf content = {0}, made;

	if (site->ca_says_zero && asked != BRSKI_CMP_CERTCONF) {
		made = cmp_redo(der, signer_of(site), say_zero, &content);
		brski_buf_move(der, &made);
		brski_buf_free(&content);
	}
	if (site->ca == CA_UNPROTECTED_ERROR || site->ca == CA_UNPROTECTED_IP || site->ca == CA_STRAY_ERROR)
		strip(der, site->ca == CA_STRAY_ERROR);
	if (site->ca_is_terse)
		leave_out_certs(der);
	if (site->ca == CA_BROKEN_SIGNATURE)
		damage(der, false);
	if (site->ca == CA_OTHER_TRANSACTION)
		damage(der, true);
}

static bool remembered(struct site *site, const struct brski_cmp *msg, struct brski_buf *der)
{
	for (unsigned i = 0; i < site->n_ca_said; i++) {
		if (!brski_span_equal(brski_buf_span(&msg->der), brski_buf_span(&site->ca_asked[i])))
			continue;
		MUST(brski_buf_set(der, brski_buf_span(&site->ca_said[i])));
		remember_nonce(site, der);
		return true;
	}
	return false;
}

static void remember(struct site *site, const struct brski_cmp *msg, const struct brski_buf *der)
{
	if (!site->ca_remembers)
		return;
	must(site->n_ca_said < SITE_REPEATS_MAX, "too many requests");
	MUST(brski_buf_set(&site->ca_asked[site->n_ca_said], brski_buf_span(&msg->der)));
	MUST(brski_buf_set(&site->ca_said[site->n_ca_said], brski_buf_span(der)));
	site->n_ca_said++;
}

bool site_ca(struct site *site, const struct brski_call *call, struct brski_http *answer)
{
	struct brski_cmp outer = {0}, inner = {0};
	struct brski_buf der = {0};

	site->n_ca_calls++;
	must(strncmp(call->url, site->config.cmp_url, strlen(site->config.cmp_url)) == 0, "URL");
	snprintf(site->last_cmp_url, sizeof(site->last_cmp_url), "%s", call->url);
	must(strcmp(brski_http_get(call->request, "content-type"), BRSKI_MEDIA_CMP) == 0, "Content-Type");
	if (site->ca == CA_DOWN)
		return false;
	MUST(brski_cmp_decode(brski_buf_span(&call->request->body), &outer, NULL));
	unwrap(site, &outer, &inner);
	if (site->ca == CA_STATUS) {
		MUST(brski_http_response(answer, site->ca_status, NULL, brski_span(NULL, 0), NULL));
	} else if (site->ca == CA_GARBAGE) {
		MUST(brski_http_response(answer, 200, BRSKI_MEDIA_CMP, brski_span_str("<html>"), NULL));
	} else {
		if (!remembered(site, &inner, &der)) {
			answer_request(site, &inner,
				is_registrars_own(site, &outer) ? site->registrar_cred.cert
								: site->idevid.cert,
				&der);
			spoil(site, &der, inner.type);
			remember(site, &inner, &der);
		}
		MUST(brski_http_response(answer, 200, BRSKI_MEDIA_CMP, brski_buf_span(&der), NULL));
	}
	brski_buf_free(&der);
	brski_cmp_free(&outer);
	brski_cmp_free(&inner);
	return true;
}
