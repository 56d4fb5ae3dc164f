/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/conversation.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "eap_brski/ground/log_limit.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/transport/frame.h"
#include "radius_module/eap_packet.h"
#include "services/base/clock.h"

#define NO_RESPONSE "no EAP response, or not all of one"
#define LINGER_MS 30000
#define IGNORED_MAX 20 /* packets in a row; RFC 3579 2.2: a modest number */
/* Added to a Wait before the authenticator may think that the packet was lost. */
#define TIMEOUT_MARGIN_S 5
/* Who is made to wait comes again so long after its Wait. */
#define PARKED_MARGIN_MS 2000
#define EAPOL_HEADER_LEN 4 /* Version, Type, Body Length */
#define MTU_MAX 3800       /* with everything else in a RADIUS packet of 4096 octets, RFC 2865 3 */

struct brski_conversations {
	struct brski_conversations_config config;
	struct brski_sessions *sessions;
	struct brski_eap_method method;
	struct brski_serving_place place;
	struct brski_log_limit limits[BRSKI_BUSY_KINDS];
};

/* One peer. */
struct conversation {
	struct brski_conversations *home;
	struct brski_serving serving;
	bool is_parked, was_parked; /* after this packet, and after the one before */
	uint8_t request_id;
	unsigned n_ignored;
	struct brski_buf last_in;           /* the response that was answered last ... */
	struct brski_conversation_out last; /* ... and how */
	bool judged;
	struct brski_judgement judgement;
	void *kept; /* by the judge */
	void (*forget)(void *kept);
};

void brski_conversation_out_free(struct brski_conversation_out *out)
{
	brski_buf_free(&out->eap);
	OPENSSL_cleanse(out, sizeof(*out));
}

static void conversation_free(void *data)
{
	struct conversation *v = data;

	brski_serving_destroy(&v->serving, &v->home->place);
	brski_buf_free(&v->last_in);
	brski_conversation_out_free(&v->last);
	if (v->kept)
		v->forget(v->kept);
	free(v);
}

bool brski_conversations_claim(struct brski_conversations *c, const struct brski_conversation_in *in)
{
	struct brski_eap_packet p;

	if (brski_eap_parse(in->eap, &p) && p.type == BRSKI_EAP_TYPE_IDENTITY)
		return brski_eap_is_our_identity(&c->method, p.data) ||
		       (!c->config.pass_provisioning && brski_is_provisioning_identity(p.data));
	return brski_eap_is_ours(&c->method, &p, NULL) || brski_sessions_has(c->sessions, in->state);
}

/* ---- Verdicts ---- */

static void set_reason(struct brski_conversation_out *out, const char *text)
{
	snprintf(out->reason, sizeof(out->reason), "%s", text);
}

static void reject(struct brski_conversation_out *out, uint8_t id, const char *why)
{
	out->verdict = BRSKI_VERDICT_REJECT;
	out->result = "failed";
	out->session_timeout = 0;
	set_reason(out, why);
	brski_eap_write_end(BRSKI_EAP_FAILURE, id, &out->eap);
}

/* Nothing is wrong with the device: this server has no place for it now. */
static void is_busy(struct brski_conversations *c, struct brski_conversation_out *out, enum brski_busy busy)
{
	out->result = "deferred";
	out->busy = busy;
	out->quiet = !brski_log_due(&c->limits[busy], brski_now_ms(), &out->left_out);
}

static void put_off(struct brski_conversations *c, struct brski_conversation_out *out, uint8_t id,
	enum brski_busy busy, const char *why)
{
	reject(out, id, why);
	is_busy(c, out, busy);
}

static void invalid(struct brski_conversation_out *out, const char *why)
{
	out->verdict = BRSKI_VERDICT_INVALID;
	set_reason(out, why);
}

/* EAP-Success and EAP-Failure carry the Identifier of the response that they answer, RFC 3748 4.2. */
static void accept_peer(struct conversation *v, struct brski_conversation_out *out)
{
	struct brski_error err = {0};

	if (brski_server_keys(v->serving.eap, out->msk, out->emsk, out->session_id, &err) != BRSKI_OK) {
		reject(out, v->request_id, err.why);
		return;
	}
	out->verdict = BRSKI_VERDICT_ACCEPT;
	out->result = "enrolled";
	brski_eap_write_end(BRSKI_EAP_SUCCESS, v->request_id, &out->eap);
}

static void refuse_peer(
	struct conversation *v, const struct brski_error *err, struct brski_conversation_out *out)
{
	const char *why = brski_server_reason(v->serving.eap);

	reject(out, v->request_id, why && why[0] ? why : err->why);
	if (brski_server_troubled(v->serving.eap))
		is_busy(v->home, out, BRSKI_BUSY_STORE);
	if (!v->serving.deferred && !brski_server_deferred(v->serving.eap))
		return;
	out->result = "deferred";
	if (v->serving.trouble[0])
		set_reason(out, v->serving.trouble);
	else if (!out->reason[0])
		set_reason(out, "the answer takes longer: the device was told to come back");
}

static void challenge(struct brski_conversations *c, struct conversation *v, const struct brski_buf *data,
	struct brski_conversation_out *out)
{
	v->request_id++;
	out->verdict = BRSKI_VERDICT_CHALLENGE;
	brski_eap_write_request(&c->method, v->request_id, data, &out->eap);
}

/* ---- One response ---- */

static void conclude(struct brski_conversations *c, struct conversation *v,
	const struct brski_serving_step *s, enum brski_code code, struct brski_conversation_out *out)
{
	v->is_parked = code == BRSKI_OK && s->parked && !s->busy;
	if (code == BRSKI_OK && s->busy)
		put_off(c, out, v->request_id, s->busy, s->err.why);
	else if (code != BRSKI_OK || s->result == BRSKI_SERVER_FAILURE)
		refuse_peer(v, &s->err, out);
	else if (s->result == BRSKI_SERVER_SUCCESS)
		accept_peer(v, out);
	else
		challenge(c, v, &s->reply, out);
	if (s->wait_ms && out->verdict == BRSKI_VERDICT_CHALLENGE) {
		out->waits++;
		out->session_timeout = (s->wait_ms + 999) / 1000 + TIMEOUT_MARGIN_S;
	}
}

struct question {
	struct conversation *v;
	const struct brski_conversation_judge *judge;
};

/* The registrar asks at each request that matters; the judge is asked at the first one, and that holds. */
static void ask_once(void *ctx, const struct brski_device *device, const struct brski_manufacturer *m,
	const char *why, struct brski_judgement *out)
{
	struct question *q = ctx;
	struct conversation *v = q->v;

	if (!v->judged) {
		v->judged = true;
		v->judgement.decision = BRSKI_REFUSE;
		v->forget = q->judge->forget;
		q->judge->ask(q->judge->ctx, device, m, why, &v->judgement, &v->kept);
	}
	*out = v->judgement;
}

static void process(struct brski_conversations *c, struct conversation *v,
	const struct brski_conversation_in *in, struct brski_span method, struct brski_conversation_out *out)
{
	struct brski_serving_step s;
	struct question question = {.v = v, .judge = in->judge};
	struct brski_judge judge = {.ask = ask_once, .ctx = &question};
	enum brski_code code;

	if (in->judge) {
		judge.name = in->judge->name;
		brski_server_visit(v->serving.eap, &judge);
	}
	code = brski_serving_process(&v->serving, &c->place, method, &s);
	brski_server_visit(v->serving.eap, NULL);
	conclude(c, v, &s, code, out);
	brski_buf_free(&s.reply);
}

static void describe(struct conversation *v, struct brski_conversation_out *out)
{
	const struct brski_device *d = v->serving.eap ? brski_server_device(v->serving.eap) : NULL;

	if (!d)
		return;
	snprintf(out->manufacturer, sizeof(out->manufacturer), "%s", d->manufacturer);
	snprintf(out->serial_number, sizeof(out->serial_number), "%s", d->serial_number);
	snprintf(out->subject, sizeof(out->subject), "%s", d->subject);
	snprintf(out->fingerprint, sizeof(out->fingerprint), "%s", d->fingerprint);
}

/* Keeps the answer, for a response that comes twice; `out` gets a copy. */
static void keep(struct conversation *v, struct brski_span in, struct brski_conversation_out *out)
{
	struct brski_buf eap = {0};

	if (brski_buf_set(&v->last_in, in) != BRSKI_OK ||
		brski_buf_set(&eap, brski_buf_span(&v->last.eap)) != BRSKI_OK)
		brski_buf_free(&v->last_in);
	*out = v->last;
	out->eap = eap;
}

static void answer_response(struct brski_conversations *c, struct conversation *v,
	const struct brski_conversation_in *in, const struct brski_eap_packet *p, struct brski_span method,
	struct brski_conversation_out *out)
{
	brski_buf_free(&v->last.eap);
	v->last.session_timeout = 0;
	v->n_ignored = 0;
	v->last.octets_in += p->whole.len;
	v->last.round_trips++;
	process(c, v, in, method, &v->last);
	v->last.octets_out += v->last.eap.len;
	describe(v, &v->last);
	keep(v, p->whole, out);
}

/* ---- Sessions ---- */

/* RFC 3579 2.4: an EAP packet of Framed-MTU less four octets, which IEEE 802.1X puts before it. */
static size_t choose_mtu(const struct brski_conversations *c, size_t framed)
{
	size_t mtu = c->config.mtu_max;

	if (framed && framed < mtu + EAPOL_HEADER_LEN)
		mtu = framed > EAPOL_HEADER_LEN ? framed - EAPOL_HEADER_LEN : 0;
	return mtu < BRSKI_MTU_MIN ? BRSKI_MTU_MIN : mtu;
}

static enum brski_code open_session(struct brski_conversations *c, struct conversation *v,
	const struct brski_conversation_in *in, struct brski_session **session, struct brski_error *err)
{
	struct brski_buf start = {0};
	enum brski_code code;

	code = brski_server_session_new(
		c->config.eap, choose_mtu(c, in->framed_mtu), in->where, &start, &v->serving.eap, err);
	if (code == BRSKI_OK)
		code = brski_sessions_add(c->sessions, &in->from, v, session, err);
	if (code == BRSKI_OK) {
		memcpy(v->last.state, brski_session_state(*session), BRSKI_STATE_LEN);
		challenge(c, v, &start, &v->last);
		v->last.octets_out = v->last.eap.len;
	}
	brski_buf_free(&start);
	return code;
}

/*
 * So many wait for a thread that one more would wait for half of what a peer is made to wait; or this
 * NAS has as many of them as it leaves free.
 */
static bool is_crowded(
	struct brski_conversations *c, const struct brski_conversation_in *in, char *why, size_t size)
{
	unsigned of_nas, n = brski_sessions_parked(c->sessions, &in->from, &of_nas), most;

	if (n == 0)
		return false;
	most = brski_gate_bears(&c->place.gate, brski_serving_busy_total(&c->place) / 2);
	if (n < most && of_nas < most - n)
		return false;
	snprintf(why, size, "busy: %u devices wait for a thread, %u of them of this NAS, and at most %u may",
		n, of_nas, most);
	return true;
}

static void begin(struct brski_conversations *c, const struct brski_conversation_in *in,
	const struct brski_eap_packet *p, struct brski_conversation_out *out)
{
	struct conversation *v;
	struct brski_session *session;
	struct brski_error err = {0};
	enum brski_code code;

	if (is_crowded(c, in, err.why, sizeof(err.why))) {
		put_off(c, out, p->id, BRSKI_BUSY_CROWD, err.why);
		return;
	}
	v = calloc(1, sizeof(*v));
	if (!v) {
		reject(out, p->id, "no memory for a session");
		return;
	}
	v->home = c;
	brski_serving_init(&v->serving);
	v->last.result = "";
	v->request_id = p->id;
	code = open_session(c, v, in, &session, &err);
	if (code != BRSKI_OK) {
		conversation_free(v);
		if (code == BRSKI_TOO_LARGE)
			put_off(c, out, p->id, BRSKI_BUSY_SESSIONS, err.why);
		else
			reject(out, p->id, err.why);
		return;
	}
	keep(v, p->whole, out);
	brski_sessions_put(c->sessions, session, BRSKI_SESSION_HALF_OPEN);
}

static bool is_end(enum brski_verdict verdict)
{
	return verdict == BRSKI_VERDICT_ACCEPT || verdict == BRSKI_VERDICT_REJECT;
}

/*
 * The device is known from the end of the TLS handshake on: its certificate leads to a manufacturer,
 * and it has signed with its key.
 */
static enum brski_session_stage stage_of(const struct conversation *v)
{
	if (is_end(v->last.verdict))
		return BRSKI_SESSION_OVER;
	return brski_server_device(v->serving.eap) ? BRSKI_SESSION_PROVED : BRSKI_SESSION_HALF_OPEN;
}

static void end_now(struct conversation *v, const struct brski_eap_packet *p, const char *why,
	struct brski_conversation_out *out)
{
	brski_buf_free(&v->last.eap);
	reject(&v->last, v->request_id, why);
	keep(v, p->whole, out);
}

/*
 * RFC 3748 2.1 and 4.1 have such a packet dropped, and RFC 3579 2.2 says how in RADIUS, where each
 * request gets an answer: the last EAP-Request goes out once more. Nothing else has happened; but a
 * session that gets nothing else ends.
 */
static void ignore(struct conversation *v, const struct brski_eap_packet *p,
	struct brski_conversation_out *out, const char *why)
{
	struct brski_buf eap = {0};

	if (++v->n_ignored > IGNORED_MAX) {
		end_now(v, p, "too many packets that the session does not wait for", out);
		return;
	}
	if (brski_buf_set(&eap, brski_buf_span(&v->last.eap)) != BRSKI_OK) {
		invalid(out, why);
		return;
	}
	*out = v->last;
	out->eap = eap;
	out->ignored = true;
	set_reason(out, why);
}

/* RFC 3748 5.3.1: in answer to the first request of a method, and to none that follows a response to it. */
static bool may_nak(const struct conversation *v)
{
	return v->last.round_trips == 0;
}

static void go_on(struct brski_conversations *c, struct conversation *v,
	const struct brski_conversation_in *in, const struct brski_eap_packet *p,
	struct brski_conversation_out *out)
{
	struct brski_span method;

	if (v->last_in.len && brski_span_equal(brski_buf_span(&v->last_in), p->whole)) {
		keep(v, p->whole, out);
		out->repeated = true;
		out->quiet = true;
	} else if (is_end(v->last.verdict)) {
		invalid(out, "a packet after the end of its conversation");
	} else if (p->code != BRSKI_EAP_RESPONSE) {
		ignore(v, p, out, NO_RESPONSE);
	} else if (p->id != v->request_id) {
		ignore(v, p, out, "an EAP response whose Identifier is not that of the last request");
	} else if (brski_eap_is_nak(p) && may_nak(v)) {
		end_now(v, p, "the device does not want to do EAP-BRSKI (it sent a Nak)", out);
	} else if (!brski_eap_is_ours(&c->method, p, &method)) {
		ignore(v, p, out, "an EAP response of another type in the middle of EAP-BRSKI");
	} else {
		answer_response(c, v, in, p, method, out);
	}
}

/* RFC 9965: who wants to be provisioned in a way that is not ours gets nothing of the kind, and hears so. */
static void on_identity(struct brski_conversations *c, const struct brski_conversation_in *in,
	const struct brski_eap_packet *p, struct brski_conversation_out *out)
{
	char name[80], why[160];

	if (brski_eap_is_our_identity(&c->method, p->data)) {
		begin(c, in, p, out);
		return;
	}
	brski_printable(p->data, name, sizeof(name));
	snprintf(why, sizeof(why), "the provisioning that %s asks for is not done here", name);
	reject(out, p->id, why);
}

/* A packet for no session that is there. Anybody can send any number of these. */
static void turn_away(
	struct brski_conversations *c, const struct brski_eap_packet *p, struct brski_conversation_out *out)
{
	if (p->code == BRSKI_EAP_RESPONSE)
		put_off(c, out, p->id, BRSKI_BUSY_GONE,
			"no such session: it has expired or given way, or the server was restarted");
	else
		invalid(out, NO_RESPONSE);
}

void brski_conversations_answer(struct brski_conversations *c, const struct brski_conversation_in *in,
	struct brski_conversation_out *out)
{
	enum brski_session_stage stage;
	struct brski_session *session;
	struct conversation *v;
	struct brski_eap_packet p;

	*out = (struct brski_conversation_out){.result = ""};
	if (brski_eap_parse(in->eap, &p) && p.type == BRSKI_EAP_TYPE_IDENTITY) {
		on_identity(c, in, &p, out);
		return;
	}
	session = brski_sessions_get(c->sessions, in->state);
	if (!session) {
		turn_away(c, &p, out);
		return;
	}
	v = brski_session_data(session);
	go_on(c, v, in, &p, out);
	if (out->verdict == BRSKI_VERDICT_ACCEPT && in->judge && v->kept)
		in->judge->let_in(in->judge->ctx, v->kept);
	stage = stage_of(v);
	if (stage == BRSKI_SESSION_OVER) /* what is left to say is in v->last */
		brski_serving_end(&v->serving, &c->place);
	if (v->is_parked || v->was_parked)
		brski_sessions_park(c->sessions, session, v->is_parked);
	v->was_parked = v->is_parked;
	brski_sessions_put(c->sessions, session, stage);
}

void brski_conversations_expire(struct brski_conversations *c)
{
	static const char *const why[BRSKI_BUSY_KINDS] = {
		[BRSKI_BUSY_CROWD] = "no thread was free",
		[BRSKI_BUSY_SESSIONS] = "no session was free",
		[BRSKI_BUSY_DISK] = "the disk did not keep what they were to be told",
		[BRSKI_BUSY_STORE] = "the registrar was in trouble",
		[BRSKI_BUSY_GONE] = "their sessions were gone",
	};
	unsigned n;

	brski_sessions_expire(c->sessions);
	for (int kind = BRSKI_NOT_BUSY + 1; kind < BRSKI_BUSY_KINDS; kind++)
		if (brski_log_left_out(&c->limits[kind], brski_now_ms(), &n))
			brski_log(c->config.env, BRSKI_LOG_WARN, "%u more devices must come back later: %s",
				n, why[kind]);
}

unsigned brski_conversations_count(struct brski_conversations *c)
{
	return brski_sessions_count(c->sessions);
}

/* ---- Making and ending ---- */

static enum brski_code set_up(struct brski_conversations *c, struct brski_error *err)
{
	struct brski_sessions_config sessions = {
		.max = c->config.max_sessions,
		.max_per_nas = c->config.max_sessions_per_nas,
		.idle_ms = c->config.session_lifetime_ms,
		.total_ms = c->config.session_total_ms,
		.linger_ms = LINGER_MS,
		.parked_ms = brski_patience_longest(brski_serving_busy_total(&c->place)) + PARKED_MARGIN_MS,
		.free_data = conversation_free,
		.env = c->config.env,
	};

	if (!c->config.mtu_max)
		c->config.mtu_max = BRSKI_MTU_DEFAULT;
	if (c->config.mtu_max > MTU_MAX)
		c->config.mtu_max = MTU_MAX;
	brski_expanded_type(c->config.vendor_id, c->config.vendor_type, c->method.expanded_type);
	if (!brski_identity(c->config.identity_domain, c->method.identity, sizeof(c->method.identity)))
		return brski_fail(err, BRSKI_UNSUPPORTED, "identity_domain is not a host name: %s",
			c->config.identity_domain);
	return brski_sessions_new(&sessions, &c->sessions, err);
}

enum brski_code brski_conversations_new(const struct brski_conversations_config *config,
	struct brski_conversations **out, struct brski_error *err)
{
	struct brski_conversations *c = calloc(1, sizeof(*c));
	enum brski_code code;

	*out = NULL;
	if (!c)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for conversations");
	c->config = *config;
	c->place = (struct brski_serving_place){.worker = config->worker,
		.store = config->store,
		.slice_ms = config->wait_slice_ms,
		.total_ms = config->wait_total_ms};
	brski_serving_place_init(&c->place, config->max_busy_threads);
	code = set_up(c, err);
	if (code != BRSKI_OK) {
		brski_conversations_free(c);
		return code;
	}
	*out = c;
	return BRSKI_OK;
}

void brski_conversations_free(struct brski_conversations *c)
{
	if (!c)
		return;
	brski_sessions_free(c->sessions);
	brski_serving_place_destroy(&c->place);
	free(c);
}
