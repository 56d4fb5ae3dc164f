/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar_https/visitor.h"

#include <stdio.h>
#include <stdlib.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/transport/http_reply.h"
#include "services/base/clock.h"

struct visitor {
	struct visitor_place *place;
	struct brski_registrar_session *session; /* NULL: not yet, or nobody's */
	bool told;                               /* the history knows of a certificate that will not do */
	struct rules_visit rules;                /* the session's */
	char address[64], where[80];
	char turned_away[256]; /* why, the last time; "": it was not */
};

enum brski_code visitor_new(
	struct visitor_place *place, const char *address, struct visitor **out, struct brski_error *err)
{
	struct visitor *v = calloc(1, sizeof(*v));

	*out = v;
	if (!v)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a connection");
	v->place = place;
	snprintf(v->address, sizeof(v->address), "%s", address);
	snprintf(v->where, sizeof(v->where), "https %s", v->address);
	return BRSKI_OK;
}

static void end_session(struct visitor *v)
{
	brski_registrar_session_free(v->session);
	v->session = NULL;
}

void visitor_free(struct visitor *v)
{
	if (!v)
		return;
	end_session(v);
	free(v);
}

/* What it was told to come back for, it may have now. */
static bool is_at_its_end(const struct brski_registrar_session *session)
{
	return session && brski_registrar_session_over(session) && brski_registrar_session_deferred(session);
}

static enum brski_code open_session(struct visitor *v, const STACK_OF(X509) *chain, struct brski_error *why)
{
	enum brski_code code;

	if (is_at_its_end(v->session))
		end_session(v);
	if (v->session)
		return BRSKI_OK;
	code = brski_registrar_session_new(v->place->registrar, chain, v->where, &v->session, why);
	if (code != BRSKI_OK)
		return code;
	if (v->place->est)
		brski_registrar_session_serve_est(v->session);
	rules_visit_init(&v->rules, v->place->rules, v->address);
	return BRSKI_OK;
}

/* ---- Who is nobody ---- */

/* FNV-1a: which of the places an address has. */
static unsigned place_of(const char *address)
{
	uint32_t hash = 2166136261U;

	for (; *address; address++)
		hash = (hash ^ (uint8_t)*address) * 16777619U;
	return hash % VISITOR_TOLD;
}

/* History and log hear of it once for each connection, as of a handshake, but see struct visitor_place. */
static void tell(struct visitor *v, const STACK_OF(X509) *chain)
{
	struct brski_error err;
	unsigned left_out;

	if (!chain || v->told)
		return;
	v->told = !brski_log_due(&v->place->told[place_of(v->address)], brski_now_ms(), &left_out) ||
		  brski_registrar_peer(v->place->registrar, chain, &err) != BRSKI_OK;
}

/* Why in full is for the operator: whoever is not known learns no more than what will not do. */
static enum brski_code turn_away(struct visitor *v, const STACK_OF(X509) *chain,
	const struct brski_error *why, struct brski_http *response, struct brski_error *err)
{
	const char *told = chain ? brski_registrar_peer_told(v->place->registrar, chain) : NULL;
	char words[160];

	snprintf(v->turned_away, sizeof(v->turned_away), "%.255s", why->why);
	tell(v, chain);
	if (brski_code_http_status(why->code) >= 500) /* trouble of our own is no word on the device */
		return brski_http_reply_later(response, 503, v->place->retry_after, "come back later", err);
	if (chain)
		snprintf(words, sizeof(words), "the client certificate will not do here: %s",
			told ? told : brski_code_name(why->code));
	else
		snprintf(words, sizeof(words),
			"a client certificate is needed in TLS: the one that the device was made with "
			"(IDevID)");
	return brski_http_reply_text(response, 403, words, err);
}

static enum brski_code serve_nobody(struct visitor *v, const STACK_OF(X509) *chain,
	const struct brski_http *request, const struct brski_error *why, struct brski_http *response,
	struct brski_error *err)
{
	bool answered = false;
	enum brski_code code =
		brski_registrar_public(v->place->registrar, request, v->place->est, &answered, response, err);

	if (code != BRSKI_OK || answered)
		return code;
	return turn_away(v, chain, why, response, err);
}

/* ---- Requests ---- */

enum brski_code visitor_request(struct visitor *v, const STACK_OF(X509) *chain,
	const struct brski_http *request, struct brski_http *response, struct brski_job **job,
	struct brski_error *err)
{
	struct brski_error why = {0};
	enum brski_code code = open_session(v, chain, &why);

	*job = NULL;
	v->turned_away[0] = '\0';
	if (code != BRSKI_OK)
		return serve_nobody(v, chain, request, &why, response, err);
	brski_registrar_session_visit(v->session, &v->rules.judge);
	code = brski_registrar_request(v->session, request, response, job, err);
	brski_registrar_session_visit(v->session, NULL);
	return code;
}

enum brski_code visitor_leave_job(
	struct visitor *v, const struct brski_job *job, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code;

	brski_registrar_session_visit(v->session, &v->rules.judge);
	if (brski_job_state(job) == BRSKI_JOB_WAITING)
		code = brski_registrar_defer(v->session, job, response, err);
	else
		code = brski_registrar_resume(v->session, job, response, err);
	brski_registrar_session_visit(v->session, NULL);
	return code;
}

bool visitor_has_session(const struct visitor *v)
{
	return v->session;
}

void visitor_describe(const struct visitor *v, const struct brski_http *response, char note[VISITOR_NOTE_MAX])
{
	const struct brski_device *d = v->session ? brski_registrar_session_device(v->session) : NULL;
	const char *why = d ? brski_registrar_session_reason(v->session) : v->turned_away;
	bool says_why = response->status != 200 && why[0] != '\0';
	char serial[BRSKI_SERIAL_MAX];

	if (!d) {
		snprintf(note, VISITOR_NOTE_MAX, "%s", says_why ? why : "nobody in particular");
		return;
	}
	brski_printable(brski_span_str(d->serial_number), serial, sizeof(serial));
	snprintf(note, VISITOR_NOTE_MAX, "device %s of %s%s%s", serial, d->manufacturer, says_why ? ": " : "",
		says_why ? why : "");
}
