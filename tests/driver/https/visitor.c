/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/driver/https/visitor.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/posix/folder.h"
#include "tests/driver/odd_request.h"
#include "tests/driver/wrong_key.h"

/* How a visit ended, where the pledge itself has not decided. */
enum end { END_BY_PLEDGE, END_LOST, END_VANISHED, END_WRONG };

int64_t visitor_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- The device ---- */

static time_t device_clock(void *ctx)
{
	const struct visitor *v = ctx;

	return time(NULL) + v->clock_ahead;
}

/* Loopback has 127.0.0.0/8. */
static void choose_address(struct visitor *v)
{
	struct in_addr own;

	v->target = v->options->target;
	if (v->options->addresses == 0)
		return;
	own.s_addr = htonl(INADDR_LOOPBACK + (1 << 16) + v->number % v->options->addresses);
	inet_ntop(AF_INET, &own, v->source, sizeof(v->source));
	v->target.source = v->source;
}

static enum brski_code load(struct visitor *v, struct brski_error *err)
{
	char cert[512], key[512], state[512];
	enum brski_code code;

	snprintf(cert, sizeof(cert), "%s/%s.pem", v->options->idevid_dir, v->name);
	snprintf(key, sizeof(key), "%s/%s.key", v->options->idevid_dir, v->name);
	snprintf(state, sizeof(state), "%s/%s", v->options->state_dir, v->name);
	choose_address(v);
	code = brski_credential_load(key, NULL, cert, &v->idevid, err);
	if (code == BRSKI_OK && v->options->wrong_key)
		code = wrong_key_take(&v->idevid, err);
	return code == BRSKI_OK ? brski_folder_open(state, &v->folder, err) : code;
}

static enum brski_code make_pledge(struct visitor *v, struct brski_error *err)
{
	const struct brski_pledge_config config = {
		.idevid = &v->idevid,
		.masa_anchors = v->options->masa_ca,
		.key_type = v->options->key_type,
		.pkcs10 = v->options->pkcs10,
		.implicit_confirm = v->options->implicit_confirm,
		.clock_is_right = true,
		.patience = 2,
		.storage = brski_folder_storage(v->folder),
		.env = &v->env,
	};

	v->env = (struct brski_env){.ctx = v, .now = device_clock};
	brski_pledge_free(v->pledge);
	v->pledge = NULL;
	return brski_pledge_new(&config, &v->pledge, err);
}

/* ---- Connections ---- */

static void disconnect(struct visitor *v, bool abrupt)
{
	if (v->connection) {
		v->octets_up += connection_octets_up(v->connection);
		v->octets_down += connection_octets_down(v->connection);
	}
	connection_close(v->connection, abrupt);
	v->connection = NULL;
}

static enum brski_code connect_to(struct visitor *v, struct brski_error *err)
{
	const struct brski_credential none = {0};

	v->connections++;
	return connection_open(
		&v->target, v->options->no_certificate ? &none : &v->idevid, &v->connection, err);
}

/* The server may have said that the last answer was the last one of the connection. */
static enum brski_code connect_if_needed(struct visitor *v, struct brski_error *err)
{
	if (v->connection && !connection_closes(v->connection))
		return BRSKI_OK;
	disconnect(v, false);
	return connect_to(v, err);
}

/* ---- Requests ---- */

/* The octets, as much of them as are to be sent. */
static enum end send_request(struct visitor *v, const struct brski_http *request, struct brski_error *err)
{
	struct brski_buf octets = {0};
	struct brski_span part;
	bool cut;
	enum brski_code code;

	if (v->options->vanish_after > 0 && v->requests >= v->options->vanish_after)
		return END_VANISHED;
	v->requests++;
	cut = v->options->cut == v->requests && !v->was_cut;
	connection_write_request(v->connection, request, &octets);
	part = brski_buf_span(&octets);
	if (cut && v->options->cut_half)
		part.len /= 2;
	code = brski_buf_status(&octets, err);
	if (code == BRSKI_OK)
		code = connection_send(v->connection, part, err);
	brski_buf_free(&octets);
	if (code == BRSKI_OK && cut) {
		v->was_cut = true;
		disconnect(v, true);
		if (v->options->verbose)
			printf("%s: request %u is cut off\n", v->name, v->requests);
		brski_fail(err, BRSKI_UNAVAILABLE, "cut off, as told");
	}
	return code == BRSKI_OK && !cut ? END_BY_PLEDGE : END_LOST;
}

static enum end receive(struct visitor *v, const struct brski_http *request, struct brski_http *response,
	struct brski_error *err)
{
	int64_t began = visitor_now_ms(), took;

	if (connection_receive(v->connection, response, err) != BRSKI_OK)
		return END_LOST;
	took = visitor_now_ms() - began;
	if (took > v->slowest)
		v->slowest = took;
	if (v->options->trace)
		printf("trace %s %s %s %u %zu\n", v->name, request->method, request->path, response->status,
			response->body.len);
	return END_BY_PLEDGE;
}

static enum end exchange(struct visitor *v, const struct brski_http *request, struct brski_http *response,
	struct brski_error *err)
{
	enum end end;

	if (v->options->each_alone)
		disconnect(v, false);
	if (connect_if_needed(v, err) != BRSKI_OK)
		return END_LOST;
	end = send_request(v, request, err);
	return end == END_BY_PLEDGE ? receive(v, request, response, err) : end;
}

/* Good answers do not change. */
static enum end exchange_again(struct visitor *v, const struct brski_http *request,
	const struct brski_http *first, struct brski_error *err)
{
	struct brski_http second = {0};
	enum end end = exchange(v, request, &second, err);

	if (end == END_BY_PLEDGE && first->status == 200 &&
		(second.status != 200 ||
			!brski_span_equal(brski_buf_span(&first->body), brski_buf_span(&second.body)))) {
		brski_fail(err, BRSKI_MISMATCH, "%s asked again got another answer, %u", request->path,
			second.status);
		end = END_WRONG;
	}
	brski_http_free(&second);
	return end;
}

static enum end one_by_one(struct visitor *v, const struct brski_http *requests, struct brski_http *responses,
	size_t n, struct brski_error *err)
{
	enum end end = END_BY_PLEDGE;

	for (size_t i = 0; end == END_BY_PLEDGE && i < n; i++) {
		end = exchange(v, &requests[i], &responses[i], err);
		if (end == END_BY_PLEDGE && v->options->twice)
			end = exchange_again(v, &requests[i], &responses[i], err);
	}
	return end;
}

static enum end all_at_once(struct visitor *v, const struct brski_http *requests,
	struct brski_http *responses, size_t n, struct brski_error *err)
{
	enum end end = connect_if_needed(v, err) == BRSKI_OK ? END_BY_PLEDGE : END_LOST;

	for (size_t i = 0; end == END_BY_PLEDGE && i < n; i++)
		end = send_request(v, &requests[i], err);
	for (size_t i = 0; end == END_BY_PLEDGE && i < n; i++)
		end = receive(v, &requests[i], &responses[i], err);
	return end;
}

/* ---- A visit ---- */

static enum brski_code twist(
	struct visitor *v, struct brski_http *requests, size_t n, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; code == BRSKI_OK && v->options->cmp_signer.cert && i < n; i++) {
		if (odd_request_is_ir(&requests[i]))
			code = odd_request_sign(&requests[i], v->idevid.cert, &v->options->cmp_signer, err);
	}
	return code;
}

static enum end flight(struct visitor *v, bool *over, struct brski_error *err)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0}, responses[BRSKI_FLIGHT_MAX] = {0};
	enum end end = END_WRONG;
	size_t n = 0;

	if (brski_pledge_next(v->pledge, requests, &n, err) == BRSKI_OK &&
		twist(v, requests, n, err) == BRSKI_OK)
		end = END_BY_PLEDGE;
	*over = n == 0;
	if (end == END_BY_PLEDGE && n > 0) {
		sleep((unsigned)brski_pledge_pause(v->pledge));
		end = v->options->pipelined ? all_at_once(v, requests, responses, n, err)
					    : one_by_one(v, requests, responses, n, err);
		if (end == END_BY_PLEDGE && brski_pledge_answer(v->pledge, responses, n, err) != BRSKI_OK)
			end = END_WRONG;
	}
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++) {
		brski_http_free(&requests[i]);
		brski_http_free(&responses[i]);
	}
	return end;
}

static enum end visit(struct visitor *v, struct brski_error *err)
{
	const STACK_OF(X509) *chain;
	enum end end = END_BY_PLEDGE;
	bool over = false;

	if (make_pledge(v, err) != BRSKI_OK)
		return END_WRONG;
	if (connect_if_needed(v, err) != BRSKI_OK)
		return END_LOST;
	chain = v->options->proximity ? v->options->proximity : connection_chain(v->connection);
	if (brski_pledge_connected(v->pledge, chain, err) != BRSKI_OK)
		return END_WRONG;
	while (end == END_BY_PLEDGE && !over)
		end = flight(v, &over, err);
	return end;
}

/* ---- Visit after visit ---- */

static void finish(struct visitor *v, enum visitor_outcome outcome, const char *reason)
{
	static const char *const names[] = {"enrolled", "deferred", "failed"};

	v->outcome = outcome;
	snprintf(v->reason, sizeof(v->reason), "%s", reason);
	if (v->options->verbose || outcome != VISITOR_ENROLLED)
		printf("%s: %s%s%s\n", v->name, names[outcome], reason[0] != '\0' ? ": " : "", reason);
}

/* brski_pledge_retry_after() counts whole seconds of the clock, one of which has begun. */
static void stay_away(struct visitor *v, long seconds)
{
	long hurry = v->options->hurry > 1 ? v->options->hurry : 1, ms = (seconds + 1) * 1000;

	v->told_later++;
	if (hurry > 1)
		v->clock_ahead += seconds + 1;
	usleep((unsigned)(ms / hurry) * 1000);
}

/* Nobody has told it when: after a pause of its own, not the same for all. */
static void try_later(struct visitor *v)
{
	v->put_off++;
	usleep((v->options->put_off_ms + (unsigned)rand() % v->options->put_off_ms) * 1000);
}

/* False: it is over. */
static bool goes_on(struct visitor *v, enum end end, const struct brski_error *err)
{
	enum brski_pledge_state state = v->pledge ? brski_pledge_state(v->pledge) : BRSKI_PLEDGE_FAILED;
	bool may_come = v->visit < v->options->visits;
	long seconds = v->pledge ? brski_pledge_retry_after(v->pledge) : 0;

	if (end == END_VANISHED) {
		finish(v, VISITOR_FAILED, "vanished, as told");
	} else if (end == END_WRONG) {
		finish(v, VISITOR_FAILED, err->why);
	} else if (end == END_LOST && may_come && (v->options->put_off_ms > 0 || v->was_cut)) {
		if (v->options->put_off_ms > 0)
			try_later(v);
		return true;
	} else if (end == END_LOST) {
		finish(v, VISITOR_FAILED, err->why);
	} else if (state == BRSKI_PLEDGE_ENROLLED) {
		finish(v, VISITOR_ENROLLED, "");
	} else if (state == BRSKI_PLEDGE_FAILED) {
		finish(v, VISITOR_FAILED, brski_pledge_reason(v->pledge));
	} else if (!may_come) {
		finish(v, VISITOR_DEFERRED, "told to come back");
	} else {
		stay_away(v, seconds);
		return true;
	}
	return false;
}

void visitor_run(struct visitor *v)
{
	struct brski_error err = {0};
	int64_t began = visitor_now_ms();
	enum end end;
	bool again = true;

	if (load(v, &err) != BRSKI_OK) {
		finish(v, VISITOR_FAILED, err.why);
		return;
	}
	while (again) {
		v->visit++;
		end = visit(v, &err);
		disconnect(v, end != END_BY_PLEDGE);
		again = goes_on(v, end, &err);
	}
	v->milliseconds = visitor_now_ms() - began;
}

/* ---- Idle connections ---- */

enum brski_code visitor_still_served(struct visitor *v, struct brski_error *err)
{
	struct brski_http request = {0}, response = {0};
	enum brski_code code =
		brski_http_request(&request, "GET", BRSKI_PATH_BRSKI, NULL, brski_span(NULL, 0), err);

	if (code == BRSKI_OK && send_request(v, &request, err) != END_BY_PLEDGE)
		code = BRSKI_UNAVAILABLE;
	if (code == BRSKI_OK)
		code = connection_receive(v->connection, &response, err);
	if (code == BRSKI_OK && response.status != 200)
		code = brski_fail(err, BRSKI_UNAVAILABLE, "status %u", response.status);
	brski_http_free(&request);
	brski_http_free(&response);
	return code;
}

enum brski_code visitor_idle(struct visitor *v, struct brski_error *err)
{
	enum brski_code code = load(v, err);

	if (code == BRSKI_OK)
		code = connect_to(v, err);
	return code == BRSKI_OK ? visitor_still_served(v, err) : code;
}

void visitor_end(struct visitor *v)
{
	disconnect(v, false);
	brski_pledge_free(v->pledge);
	v->pledge = NULL;
	brski_folder_close(v->folder);
	v->folder = NULL;
	brski_credential_free(&v->idevid);
}
