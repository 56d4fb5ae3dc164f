/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/pledge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/driver/wrong_key.h"

enum { EAP_REQUEST = 1, EAP_RESPONSE = 2, EAP_SUCCESS = 3, EAP_TYPE_IDENTITY = 1, EAP_TYPE_NAK = 3 };
#define EAP_HEADER 4
#define EXPANDED 8

int64_t driver_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void finish(struct pledge *p, enum driver_outcome outcome, const char *reason)
{
	p->outcome = outcome;
	p->ended = driver_now_ms();
	p->due = 0;
	p->repeat = 0;
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
	if (p->options->verbose || outcome != DRIVER_ENROLLED)
		printf("%s: %s%s%s\n", p->name,
			outcome == DRIVER_ENROLLED   ? "enrolled"
			: outcome == DRIVER_DEFERRED ? "deferred"
						     : "failed",
			reason[0] ? ": " : "", reason);
}

/* ---- Making a pledge ---- */

static enum brski_code load(struct pledge *p, struct brski_error *err)
{
	char cert[512], key[512], state[512];
	enum brski_code rc;

	snprintf(cert, sizeof(cert), "%s/%s.pem", p->options->idevid_dir, p->name);
	snprintf(key, sizeof(key), "%s/%s.key", p->options->idevid_dir, p->name);
	snprintf(state, sizeof(state), "%s/%s", p->options->state_dir, p->name);
	if (!p->idevid.cert) {
		rc = brski_credential_load(key, NULL, cert, &p->idevid, err);
		if (!rc && p->options->wrong_key)
			rc = wrong_key_take(&p->idevid, err);
		if (rc)
			return rc;
	}
	return p->folder ? BRSKI_OK : brski_folder_open(state, &p->folder, err);
}

static time_t device_clock(void *ctx)
{
	const struct pledge *p = ctx;

	return time(NULL) + p->clock_ahead;
}

static enum brski_code make_peer(struct pledge *p, struct brski_error *err)
{
	struct brski_peer_config config = {
		.pledge =
			{
				.idevid = &p->idevid,
				.masa_anchors = p->options->masa_ca,
				.key_type = p->options->key_type,
				.pkcs10 = p->options->pkcs10,
				.implicit_confirm = p->options->implicit_confirm,
				.clock_is_right = true,
				.storage = brski_folder_storage(p->folder),
				.env = &p->env,
			},
		.mtu = p->options->mtu,
	};

	p->env = (struct brski_env){.ctx = p, .now = device_clock};
	if (p->options->cmp_signer.cert)
		return odd_peer_new(&config, &p->options->cmp_signer, &p->odd, err);
	return brski_peer_new(&config, &p->peer, err);
}

/* Loopback has 127.0.0.0/8. */
static bool take_address(const struct pledge *p)
{
	struct sockaddr_in own = {.sin_family = AF_INET};

	if (!p->options->nas)
		return true;
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (1 << 16) + p->number % p->options->nas);
	return bind(p->fd, (const struct sockaddr *)&own, sizeof(own)) == 0;
}

static enum brski_code open_socket(struct pledge *p, struct brski_error *err)
{
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || !take_address(p) ||
		connect(p->fd, (const struct sockaddr *)&p->options->server, sizeof(p->options->server)) < 0)
		return brski_fail(err, BRSKI_INTERNAL, "no socket: %s", strerror(errno));
	return BRSKI_OK;
}

static void close_session(struct pledge *p)
{
	brski_peer_free(p->peer);
	odd_peer_free(p->odd);
	p->peer = NULL;
	p->odd = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->state_len = 0;
	p->confirmed = false;
	p->challenges = 0;
	p->nak_sent = p->nak_is_out = false;
	brski_buf_free(&p->request);
	brski_buf_free(&p->reply);
	brski_buf_free(&p->asked);
}

void pledge_end(struct pledge *p)
{
	close_session(p);
	brski_folder_close(p->folder);
	p->folder = NULL;
	brski_credential_free(&p->idevid);
}

/* ---- RADIUS ---- */

static void transmit(struct pledge *p)
{
	/* What the kernel does not take now is repeated like what the network loses. */
	ssize_t n = send(p->fd, p->request.data, p->request.len, 0);

	(void)n;
	p->tries++;
	p->repeat = driver_now_ms() + p->options->timeout_ms;
}

static void send_reply(struct pledge *p)
{
	char identity[300], station[32];
	struct radius_ask ask = {
		.secret = p->options->secret,
		.user_name = identity,
		.station = station,
		.port = p->number + 1,
		.framed_mtu = p->options->mtu,
		.state = brski_span(p->state, p->state_len),
		.eap = brski_buf_span(&p->reply),
	};
	uint8_t nak[] = {EAP_RESPONSE, p->reply.data[1], 0, 6, EAP_TYPE_NAK, 13};

	p->due = 0;
	p->nak_is_out = p->options->late_nak && p->challenges >= 2 && !p->nak_sent;
	p->nak_sent = p->nak_is_out;
	if (p->nak_is_out)
		ask.eap = brski_span(nak, sizeof(nak));
	if (p->options->vanish_after && p->sent >= p->options->vanish_after) {
		finish(p, DRIVER_FAILED, "vanished, as told");
		return;
	}
	if (!brski_identity(p->options->vendor_domain, identity, sizeof(identity))) {
		finish(p, DRIVER_FAILED, "the domain is no host name");
		return;
	}
	snprintf(station, sizeof(station), "02-00-00-%02X-%02X-%02X", p->number >> 16 & 255,
		p->number >> 8 & 255, p->number & 255);
	if (!radius_write(&ask, ++p->radius_id, &p->request)) {
		finish(p, DRIVER_FAILED, "the Access-Request does not fit");
		return;
	}
	p->octets_up += p->reply.len;
	p->sent++;
	p->tries = 0;
	transmit(p);
}

static void queue_response(
	struct pledge *p, uint8_t id, struct brski_span type, struct brski_span data, unsigned delay_ms)
{
	brski_buf_reset(&p->reply);
	brski_put_u8(&p->reply, EAP_RESPONSE);
	brski_put_u8(&p->reply, id);
	brski_put_u16(&p->reply, (uint16_t)(EAP_HEADER + type.len + data.len));
	brski_put(&p->reply, type);
	brski_put(&p->reply, data);
	p->due = driver_now_ms() + delay_ms;
	if (!delay_ms)
		send_reply(p);
}

static void say_hello(struct pledge *p)
{
	char identity[300];
	const uint8_t type = EAP_TYPE_IDENTITY;

	if (!brski_identity(p->options->vendor_domain, identity, sizeof(identity)))
		identity[0] = '\0';
	queue_response(p, 1, brski_span(&type, 1), brski_span_str(identity), 0);
}

static void stay_away(struct pledge *p, int64_t ms)
{
	close_session(p);
	p->repeat = 0;
	p->due = driver_now_ms() + ms;
	if (p->options->verbose)
		printf("%s: stays away for %lld ms\n", p->name, (long long)ms);
}

/* Not now: later in this run, if there are visits left. */
static void come_back(struct pledge *p, long seconds)
{
	const char *why = brski_peer_reason(p->peer);
	long hurry = p->options->hurry ? p->options->hurry : 1;
	/* brski_peer_retry_after() counts whole seconds of the clock, one of which has begun */
	long ms = (seconds + 1) * 1000;

	if (p->visit >= p->options->visits) {
		finish(p, DRIVER_DEFERRED, why[0] ? why : "told to stay away for longer");
		return;
	}
	if (hurry > 1)
		p->clock_ahead += seconds + 1;
	stay_away(p, ms / hurry);
}

/* Nobody has told it when: after a pause of its own, not the same for all, as the supplicant's. */
static bool comes_back_by_itself(struct pledge *p)
{
	unsigned ms = p->options->put_off_ms;

	if (!ms || p->visit >= p->options->visits)
		return false;
	stay_away(p, ms + (int64_t)rand() % ms);
	return true;
}

static void visit(struct pledge *p)
{
	struct brski_error err = {0};
	enum brski_code rc = load(p, &err);

	if (!rc)
		rc = make_peer(p, &err);
	if (!rc)
		rc = open_socket(p, &err);
	if (rc) {
		finish(p, DRIVER_FAILED, err.why);
		return;
	}
	/* from an earlier run; or the last second is not over, since the device's clock has whole ones */
	if (p->peer && brski_peer_retry_after(p->peer) > 0) {
		come_back(p, brski_peer_retry_after(p->peer));
		return;
	}
	p->visit++;
	say_hello(p);
}

void pledge_begin(struct pledge *p)
{
	p->fd = -1;
	p->outcome = DRIVER_RUNNING;
	p->began = driver_now_ms();
	visit(p);
}

/* ---- EAP ---- */

static const char *why_not(const struct pledge *p)
{
	const char *why = p->peer ? brski_peer_reason(p->peer) : "the odd peer was refused";

	return why[0] ? why : "the server said EAP-Failure";
}

static enum brski_code process(struct pledge *p, struct brski_span request, struct brski_buf *out,
	enum brski_peer_result *result, unsigned *delay_ms, struct brski_error *err)
{
	if (p->odd)
		return odd_peer_process(p->odd, request, out, result, delay_ms, err);
	return brski_peer_process(p->peer, request, out, result, delay_ms, err);
}

/* What a packet is for, by its flags and its length. */
static const char *kind_of(struct brski_span packet)
{
	if (packet.len == 0)
		return "none";
	if (packet.data[0] & 0x20)
		return "start";
	if (packet.data[0] & 0x10)
		return "wait";
	if (packet.data[0] & 0x40)
		return "fragment";
	return packet.len == 1 ? "ack" : "data";
}

static void trace(
	const struct pledge *p, const char *before, struct brski_span request, const struct brski_buf *reply)
{
	if (p->options->trace && p->peer)
		printf("trace %s %s %zu %s %s %zu %s\n", p->name, kind_of(request),
			EAP_HEADER + EXPANDED + request.len, before, kind_of(brski_buf_span(reply)),
			EAP_HEADER + EXPANDED + reply->len,
			brski_pledge_state_name(brski_peer_state(p->peer)));
}

static void on_request(struct pledge *p, uint8_t id, struct brski_span type, struct brski_span data)
{
	struct brski_buf out = {0};
	struct brski_error err = {0};
	enum brski_peer_result result;
	unsigned delay = 0;
	const char *before = p->peer ? brski_pledge_state_name(brski_peer_state(p->peer)) : "";

	if (process(p, data, &out, &result, &delay, &err) != BRSKI_OK) {
		finish(p, DRIVER_FAILED, err.why);
	} else {
		trace(p, before, data, &out);
		p->confirmed = result == BRSKI_PEER_SUCCESS;
		p->waits += result == BRSKI_PEER_WAIT;
		queue_response(p, id, type, brski_buf_span(&out), result == BRSKI_PEER_WAIT ? delay : 0);
	}
	brski_buf_free(&out);
}

/* RFC 3579 2.2: it is ignored, and the last request comes once more. Then the response goes out. */
static void on_ignored(struct pledge *p, const struct radius_answer *answer)
{
	if (answer->error_cause != 202 ||
		!brski_span_equal(brski_buf_span(&answer->eap), brski_buf_span(&p->asked)))
		finish(p, DRIVER_FAILED, "a late Nak was not ignored");
	else
		send_reply(p);
}

static void on_challenge(struct pledge *p, const struct radius_answer *answer)
{
	uint8_t ours[EXPANDED], code, id;
	uint16_t len;
	struct brski_span in = brski_buf_span(&answer->eap), type;

	if (p->nak_is_out) {
		on_ignored(p, answer);
		return;
	}
	if (brski_buf_set(&p->asked, brski_buf_span(&answer->eap)) != BRSKI_OK || answer->error_cause != 0) {
		finish(p, DRIVER_FAILED, "a response was ignored");
		return;
	}
	brski_expanded_type(BRSKI_EAP_VENDOR_ID, BRSKI_EAP_VENDOR_TYPE, ours);
	memcpy(p->state, answer->state, answer->state_len);
	p->state_len = answer->state_len;
	p->challenges++;
	p->round_trips++;
	if (!brski_read_u8(&in, &code) || !brski_read_u8(&in, &id) || !brski_read_u16(&in, &len) ||
		!brski_read_span(&in, EXPANDED, &type) || code != EAP_REQUEST || len != answer->eap.len ||
		!brski_span_equal(type, brski_span(ours, EXPANDED)))
		finish(p, DRIVER_FAILED, "the server asked for something other than EAP-BRSKI");
	else
		on_request(p, id, type, in);
}

/* RFC 3748 7.10 and RFC 2548: what the authenticator got is what we have. */
static bool keys_match(struct pledge *p, const struct radius_answer *answer)
{
	uint8_t msk[BRSKI_EAP_KEY_LEN], emsk[BRSKI_EAP_KEY_LEN], session_id[BRSKI_EAP_SESSION_ID_LEN];

	return p->peer && brski_peer_keys(p->peer, msk, emsk, session_id, NULL) == BRSKI_OK &&
	       brski_span_equal_secret(
		       brski_span(msk, 32), brski_span(answer->recv_key, answer->recv_key_len)) &&
	       brski_span_equal_secret(
		       brski_span(msk + 32, 32), brski_span(answer->send_key, answer->send_key_len));
}

static void on_accept(struct pledge *p, const struct radius_answer *answer)
{
	if (answer->eap.len != EAP_HEADER || answer->eap.data[0] != EAP_SUCCESS)
		finish(p, DRIVER_FAILED, "Access-Accept without EAP-Success");
	else if (!p->confirmed)
		finish(p, DRIVER_FAILED, "Access-Accept, and the registrar has confirmed nothing");
	else if (!keys_match(p, answer))
		finish(p, DRIVER_FAILED, "Access-Accept, and its keys are not ours");
	else if (!answer->user_name[0])
		finish(p, DRIVER_FAILED, "Access-Accept without User-Name");
	else
		finish(p, DRIVER_ENROLLED, "");
}

static bool has_given_up(const struct pledge *p)
{
	return !p->peer || brski_peer_state(p->peer) == BRSKI_PLEDGE_FAILED;
}

static void on_reject(struct pledge *p)
{
	long wait = p->peer ? brski_peer_retry_after(p->peer) : 0;

	if (wait > 0) {
		p->told_later++;
		come_back(p, wait);
	} else if (!has_given_up(p) && comes_back_by_itself(p)) {
		p->put_off++;
	} else {
		finish(p, DRIVER_FAILED, why_not(p));
	}
}

static void on_answer(struct pledge *p, const struct radius_answer *answer)
{
	p->repeat = 0;
	p->octets_down += answer->eap.len;
	switch (answer->code) {
	case RADIUS_CHALLENGE:
		on_challenge(p, answer);
		break;
	case RADIUS_ACCEPT:
		p->round_trips++;
		on_accept(p, answer);
		break;
	case RADIUS_REJECT:
		p->round_trips++;
		on_reject(p);
		break;
	default:
		finish(p, DRIVER_FAILED, "an answer of a strange kind");
	}
}

void pledge_readable(struct pledge *p)
{
	uint8_t data[RADIUS_MAX];
	struct radius_answer answer;
	const char *why;
	ssize_t n = recv(p->fd, data, sizeof(data), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED))
		return; /* nobody listens yet, or any more: repetition decides */
	if (n < 0) {
		finish(p, DRIVER_FAILED, strerror(errno));
		return;
	}
	if (!p->repeat || (n > 1 && data[1] != p->radius_id))
		return; /* an answer that came twice */
	if (radius_read(p->options->secret, brski_buf_span(&p->request), brski_span(data, (size_t)n), &answer,
		    &why))
		on_answer(p, &answer);
	else
		finish(p, DRIVER_FAILED, why);
	radius_answer_free(&answer);
}

static void on_silence(struct pledge *p)
{
	if (p->tries < p->options->tries)
		transmit(p);
	else if (comes_back_by_itself(p))
		p->unanswered++;
	else
		finish(p, DRIVER_FAILED, "the server does not answer");
}

void pledge_tick(struct pledge *p)
{
	int64_t now = driver_now_ms();

	if (p->due && p->due <= now) {
		if (p->fd < 0) {
			p->due = 0;
			visit(p);
		} else {
			send_reply(p);
		}
	} else if (p->repeat && p->repeat <= now) {
		on_silence(p);
	}
}

int64_t pledge_next(const struct pledge *p)
{
	return p->due ? p->due : p->repeat;
}
