/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/registrar_internal.h"

/* Who the peer is: RFC 8995 5.1 and 5.3, as far as the handshake can tell. */

enum brski_code brski_registrar_device_read(
	const STACK_OF(X509) *chain, struct brski_device *out, struct brski_error *err)
{
	memset(out, 0, sizeof(*out));
	if (!chain || sk_X509_num(chain) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "the peer shows no certificate");
	out->idevid = sk_X509_value(chain, 0);
	brski_cert_fingerprint(out->idevid, out->fingerprint);
	if (out->fingerprint[0] == '\0')
		return brski_fail_openssl(err, BRSKI_INTERNAL, "a certificate has no fingerprint");
	brski_name_text(X509_get_subject_name(out->idevid), out->subject, sizeof(out->subject));
	return brski_cert_serial_number(out->idevid, out->serial_number, err);
}

void brski_registrar_device_of(struct brski_device *device, const struct brski_manufacturer *m)
{
	snprintf(device->manufacturer, sizeof(device->manufacturer), "%s", m->name);
	/* RFC 8995 5.4: the MASA may be overridden for a manufacturer */
	if (m->masa_url[0] != '\0')
		snprintf(device->masa_url, sizeof(device->masa_url), "%s", m->masa_url);
	else if (brski_cert_masa_url(device->idevid, device->masa_url, NULL) != BRSKI_OK)
		device->masa_url[0] = '\0';
}

/* An LDevID of ours must never be taken for an IDevID; and its owner is to be told what to do with it. */
static bool is_own_ldevid(const struct brski_registrar *r, const STACK_OF(X509) *chain)
{
	return brski_chain_verify(chain, r->domain_anchors, NULL, BRSKI_USE_ANY, 0, NULL) == BRSKI_OK;
}

/* RFC 8995 5.9.4 would have the report come with it, too. */
const char *brski_registrar_peer_told(const struct brski_registrar *r, const STACK_OF(X509) *chain)
{
	if (!is_own_ldevid(r, chain))
		return NULL;
	return "it is one of this network (LDevID): enroll, and report it, with the IDevID";
}

static enum brski_code identify(struct brski_registrar *r, const STACK_OF(X509) *chain,
	struct brski_device *device, struct brski_manufacturer *m, struct brski_error *err)
{
	struct brski_error no_serial;
	enum brski_code read = brski_registrar_device_read(chain, device, &no_serial);
	enum brski_code code;

	if (brski_registrar_is_own_trouble(read) || !device->idevid)
		return brski_registrar_give_up(&no_serial, read, err);
	code = r->ops.find_manufacturer(r->ops_ctx, chain, m, err);
	/* of a known manufacturer's device, it is another thing to say than that nobody knows it */
	if (code == BRSKI_OK && read != BRSKI_OK)
		return brski_fail(err, BRSKI_REFUSED,
			"device of %s: the IDevID names no serial number that can be used (RFC 8995 2.3.1): %s",
			m->name, no_serial.why);
	if (code == BRSKI_OK) {
		brski_registrar_device_of(device, m);
		return BRSKI_OK;
	}
	if (code == BRSKI_UNTRUSTED && is_own_ldevid(r, chain))
		return brski_fail(err, BRSKI_REFUSED,
			"the peer shows a certificate of our own domain: onboarding takes IDevIDs only, "
			"with it EAP-TLS is the method");
	return code;
}

/* Trouble of our own is no word on the device. */
static void tell_trouble(
	struct brski_registrar *r, const struct brski_device *device, const struct brski_error *why)
{
	char words[sizeof(why->why) + 32], more[BRSKI_LOG_MORE_MAX];
	unsigned left_out;

	snprintf(words, sizeof(words), BRSKI_MEMORY_FAILS ": %s", why->why);
	if (brski_log_due(&r->trouble, (int64_t)brski_now(r->env) * 1000, &left_out))
		brski_log(r->env, BRSKI_LOG_ERROR, "peer %s (serial number %s) cannot be looked up: %s%s",
			device->subject, device->serial_number, why->why, brski_log_more(left_out, more));
	r->ops.event(r->ops_ctx, device, "deferred", false, words);
}

static void tell_refused(
	struct brski_registrar *r, const struct brski_device *device, const struct brski_error *why)
{
	brski_log(r->env, BRSKI_LOG_WARN, "peer %s (serial number %s) refused in the handshake: %s",
		device->subject, device->serial_number, why->why);
	r->ops.event(r->ops_ctx, device, "peer", false, why->why);
}

enum brski_code brski_registrar_peer(
	struct brski_registrar *r, const STACK_OF(X509) *chain, struct brski_error *err)
{
	struct brski_manufacturer m = {0};
	struct brski_error why = {0};
	struct brski_device device;
	enum brski_code code = identify(r, chain, &device, &m, &why);

	brski_manufacturer_free(&m);
	if (code == BRSKI_OK)
		return BRSKI_OK;
	why.code = code;
	if (brski_registrar_is_own_trouble(code))
		tell_trouble(r, &device, &why);
	else
		tell_refused(r, &device, &why);
	return brski_registrar_give_up(&why, code, err);
}

static enum brski_code session_fill(struct brski_registrar_session *s, const STACK_OF(X509) *chain,
	const char *where, struct brski_error *err)
{
	s->chain = X509_chain_up_ref((STACK_OF(X509) *)chain);
	if (!s->chain)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	brski_printable(brski_span_str(where ? where : ""), s->where, sizeof(s->where));
	return identify(s->registrar, s->chain, &s->device, &s->manufacturer, err);
}

enum brski_code brski_registrar_session_new(struct brski_registrar *r, const STACK_OF(X509) *chain,
	const char *where, struct brski_registrar_session **out, struct brski_error *err)
{
	struct brski_registrar_session *s;
	enum brski_code code;

	*out = NULL;
	if (!chain || sk_X509_num(chain) < 1)
		return brski_fail(err, BRSKI_UNTRUSTED, "the peer shows no certificate");
	s = calloc(1, sizeof(*s));
	if (!s)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	s->registrar = r;
	code = session_fill(s, chain, where, err);
	if (code != BRSKI_OK) {
		brski_registrar_session_free(s);
		return code;
	}
	*out = s;
	return BRSKI_OK;
}

void brski_registrar_session_free(struct brski_registrar_session *s)
{
	if (!s)
		return;
	sk_X509_pop_free(s->chain, X509_free);
	brski_manufacturer_free(&s->manufacturer);
	brski_cmp_free(&s->pending);
	free(s);
}

void brski_registrar_session_visit(struct brski_registrar_session *s, void *visit)
{
	s->visit = visit;
}

void brski_registrar_session_serve_est(struct brski_registrar_session *s)
{
	s->est = true;
}

const struct brski_device *brski_registrar_session_device(const struct brski_registrar_session *s)
{
	return &s->device;
}
