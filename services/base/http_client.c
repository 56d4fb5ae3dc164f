/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_client.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/pki/limits.h"
#include "eap_brski/transport/frame.h"
#include "services/base/http_fields.h"

#define POLL_MAX_MS 60000
#define CONNECTIONS_MAX 512          /* kept ones too: a server has a thousand descriptors, for everything */
#define CHAIN_OCTETS_MAX (32 * 1024) /* of a server's certificates */

struct http_client {
	CURLM *multi;
	long connect_timeout_ms;
	long request_timeout_ms;
	size_t response_max;
	char *proxy;
	struct transfer *first;
	bool busy; /* a call began or ended: do not wait */
};

struct transfer {
	struct transfer *next;
	struct transfer **link;
	struct http_client *owner;
	CURL *easy;
	struct curl_slist *headers;
	http_client_done *done;
	void *ctx;
	const struct brski_credential *client;
	struct brski_http answer; /* fields, as they come */
	struct brski_buf body;
	size_t response_max;
	char trouble[CURL_ERROR_SIZE];
};

static void transfer_free(struct transfer *t)
{
	if (!t)
		return;
	if (t->link) {
		*t->link = t->next;
		if (t->next)
			t->next->link = t->link;
	}
	if (t->easy) {
		curl_multi_remove_handle(t->owner->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->headers);
	brski_http_free(&t->answer);
	brski_buf_free(&t->body);
	free(t);
}

static void transfer_link(struct transfer *t)
{
	t->next = t->owner->first;
	t->link = &t->owner->first;
	if (t->next)
		t->next->link = &t->next;
	t->owner->first = t;
}

/* ---- What comes ---- */

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n;

	brski_put(&t->body, brski_span(data, len));
	return t->body.failed ? 0 : len; /* 0: curl gives up */
}

/* A field that is too long or of a strange name is none of those that anybody here reads. */
static void take_field(struct transfer *t, const char *line, size_t len)
{
	char name[64], value[BRSKI_HTTP_TEXT_MAX];
	const char *colon = memchr(line, ':', len);
	struct brski_span rest;
	size_t name_len;

	if (!colon)
		return;
	name_len = (size_t)(colon - line);
	rest = brski_trim(brski_span(colon + 1, len - name_len - 1));
	if (name_len == 0 || name_len >= sizeof(name) || rest.len >= sizeof(value))
		return;
	for (size_t i = 0; i < name_len; i++)
		name[i] = (char)tolower((unsigned char)line[i]);
	name[name_len] = '\0';
	memcpy(value, rest.data, rest.len);
	value[rest.len] = '\0';
	/* curl has undone a content coding when the body comes: set_coding() */
	if (!http_field_is_read(name) || strcmp(name, "content-encoding") == 0 ||
		brski_http_set(&t->answer, name, value, NULL) != BRSKI_OK)
		return;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n;

	if (len >= 5 && strncmp(data, "HTTP/", 5) == 0)
		brski_http_free(&t->answer); /* what came before was an interim response */
	else
		take_field(t, data, len);
	return len;
}

/*
 * Keys and counts are judged before any signature is looked at. No words go out from here, since the
 * connection may outlive the call that began it: see is_beyond_the_rule().
 */
static int verify_server(X509_STORE_CTX *ctx, void *unused)
{
	(void)unused;
	if (brski_peer_certs_check(X509_STORE_CTX_get0_untrusted(ctx), NULL) == BRSKI_OK)
		return X509_verify_cert(ctx);
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static bool is_beyond_the_rule(CURL *easy)
{
	long verified = X509_V_OK;

	return curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verified) == CURLE_OK &&
	       verified == X509_V_ERR_APPLICATION_VERIFICATION;
}

/* The credential as it is in memory, or in a token: a key need not be a file. */
static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *ctx)
{
	const struct brski_credential *client = ctx;

	(void)easy;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify_server, NULL);
	SSL_CTX_set_max_cert_list(ssl_ctx, CHAIN_OCTETS_MAX);
	if (client && client->cert &&
		SSL_CTX_use_cert_and_key(ssl_ctx, client->cert, client->key, client->chain, 1) != 1)
		return CURLE_SSL_CERTPROBLEM;
	return CURLE_OK;
}

/* ---- What goes ---- */

/* Fields that belong to the connection are curl's. */
static bool is_hop_field(const char *name)
{
	static const char *const names[] = {
		"connection", "content-length", "host", "transfer-encoding", "expect"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool add_header(struct transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	if (longer)
		t->headers = longer;
	return longer != NULL;
}

static bool add_headers(struct transfer *t, const struct brski_http *request)
{
	char line[64 + 2 + BRSKI_HTTP_TEXT_MAX];

	if (!add_header(t, "Expect:"))
		return false;
	for (size_t i = 0; i < request->n_fields; i++) {
		if (is_hop_field(request->fields[i].name))
			continue;
		snprintf(line, sizeof(line), "%s: %s", request->fields[i].name, request->fields[i].value);
		if (!add_header(t, line))
			return false;
	}
	return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static bool set_method(struct transfer *t, const struct brski_http *request)
{
	CURLcode rc;

	if (strcmp(request->method, "GET") == 0)
		return curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	rc = curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS,
			request->body.len ? (const char *)request->body.data : "");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, request->method);
	return rc == CURLE_OK;
}

/*
 * The anchors go in as a blob, since that is part of what curl compares before it uses a connection
 * again: an SSL_CTX callback is not, and one manufacturer's anchors must not vouch for another's
 * MASA at the same address.
 */
static enum brski_code set_anchors(struct transfer *t, const STACK_OF(X509) *anchors, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code;
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};

	if (!anchors)
		return BRSKI_OK;
	code = brski_certs_to_pem(anchors, &pem, err);
	if (code != BRSKI_OK)
		return code;
	blob.data = pem.data;
	blob.len = pem.len;
	if (curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL) != CURLE_OK ||
		curl_easy_setopt(t->easy, CURLOPT_CAINFO, NULL) != CURLE_OK ||
		curl_easy_setopt(t->easy, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for trust anchors");
	brski_buf_free(&pem);
	return code;
}

/*
 * No session is resumed: a new connection looks at the server's certificate anew, and a server that asks for ours need not be one that
 * can resume.
 */
static bool set_tls(struct transfer *t)
{
	CURL *easy = t->easy;

	return curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, (void *)(uintptr_t)t->client) == CURLE_OK;
}

static bool set_limits(struct transfer *t, bool https_only)
{
	CURL *easy = t->easy;
	const char *schemes = https_only ? "https" : "http,https";

	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, schemes) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, t->owner->proxy) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       /* a call that is given up does not wait for its name's resolver, which may hang for long */
	       curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, t->owner->connect_timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, t->owner->request_timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->response_max) == CURLE_OK;
}

/*
 * No coding is asked for (RFC 9110 12.5.3), but one that a gateway has laid over the answer is undone;
 * the limit counts what comes out.
 */
static bool set_coding(struct transfer *t)
{
	return curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "identity") == CURLE_OK;
}

static bool set_callbacks(struct transfer *t)
{
	CURL *easy = t->easy;

	t->body.limit = t->response_max;
	return curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->trouble) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK;
}

static enum brski_code transfer_prepare(
	struct transfer *t, const struct http_client_call *call, struct brski_error *err)
{
	if (call->https_only && strncasecmp(call->url, "https://", 8) != 0)
		return brski_fail(err, BRSKI_UNSUPPORTED, "only https is allowed here, not %s", call->url);
	t->easy = curl_easy_init();
	if (!t->easy || curl_easy_setopt(t->easy, CURLOPT_URL, call->url) != CURLE_OK ||
		!set_limits(t, call->https_only) || !set_coding(t) || !set_callbacks(t) || !set_tls(t) ||
		!set_method(t, call->request) || !add_headers(t, call->request))
		return brski_fail(err, BRSKI_INTERNAL, "no call to %s can be prepared", call->url);
	return set_anchors(t, call->anchors, err);
}

enum brski_code http_client_call(struct http_client *client, const struct http_client_call *call,
	http_client_done *done, void *ctx, struct brski_error *err)
{
	struct transfer *t = calloc(1, sizeof(*t));
	enum brski_code code;

	if (!t)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a call");
	t->owner = client;
	t->done = done;
	t->ctx = ctx;
	t->client = call->client;
	t->response_max = call->response_max ? call->response_max : client->response_max;
	code = transfer_prepare(t, call, err);
	if (code == BRSKI_OK && curl_multi_add_handle(client->multi, t->easy) != CURLM_OK)
		code = brski_fail(err, BRSKI_INTERNAL, "no call to %s can be started", call->url);
	if (code != BRSKI_OK) {
		transfer_free(t);
		return code;
	}
	transfer_link(t);
	client->busy = true;
	return BRSKI_OK;
}

/* ---- Running ---- */

/* The answer as a value: fields were collected as they came. */
static enum brski_code finish_answer(struct transfer *t, struct brski_error *err)
{
	long status = 0;

	if (t->body.failed)
		return brski_fail(
			err, BRSKI_TOO_LARGE, "its answer is longer than %zu octets", t->response_max);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 599)
		return brski_fail(err, BRSKI_MALFORMED, "it answered with HTTP status %ld", status);
	t->answer.status = (unsigned)status;
	brski_buf_move(&t->answer.body, &t->body);
	return BRSKI_OK;
}

static void finish(struct transfer *t, CURLcode result)
{
	struct brski_error err = {0};

	if (result == CURLE_OK || t->body.failed)
		(void)!finish_answer(t, &err);
	else if (is_beyond_the_rule(t->easy))
		(void)!brski_fail(&err, BRSKI_UNAVAILABLE, "its TLS certificates are refused: %s",
			BRSKI_PEER_CERTS_RULE);
	else
		(void)!brski_fail(&err, BRSKI_UNAVAILABLE, "%s",
			t->trouble[0] ? t->trouble : curl_easy_strerror(result));
	t->done(t->ctx, err.code == BRSKI_OK ? &t->answer : NULL, err.code == BRSKI_OK ? "" : err.why);
	transfer_free(t);
}

static void reap(struct http_client *client)
{
	struct CURLMsg *msg;
	struct transfer *t;
	int left;

	while ((msg = curl_multi_info_read(client->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		t = NULL;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		finish(t, msg->data.result);
		client->busy = true;
	}
}

void http_client_run(struct http_client *client, long wait_ms)
{
	int running, wait = wait_ms < 0 || wait_ms > POLL_MAX_MS ? POLL_MAX_MS : (int)wait_ms;

	client->busy = false;
	curl_multi_perform(client->multi, &running);
	reap(client);
	if (!client->busy)
		curl_multi_poll(client->multi, NULL, 0, wait, NULL);
}

void http_client_wake(struct http_client *client)
{
	curl_multi_wakeup(client->multi);
}

/* ---- Making and ending ---- */

static enum brski_code set_up(
	struct http_client *client, const struct http_client_config *config, struct brski_error *err)
{
	client->connect_timeout_ms =
		config->connect_timeout_ms ? config->connect_timeout_ms : HTTP_CLIENT_CONNECT_MS;
	client->request_timeout_ms =
		config->request_timeout_ms ? config->request_timeout_ms : HTTP_CLIENT_REQUEST_MS;
	client->response_max = config->response_max ? config->response_max : BRSKI_MESSAGE_MAX;
	client->proxy = strdup(config->proxy ? config->proxy : "");
	client->multi = curl_multi_init();
	if (!client->proxy || !client->multi ||
		curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX) !=
			CURLM_OK)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for upstream calls");
	return BRSKI_OK;
}

enum brski_code http_client_new(
	const struct http_client_config *config, struct http_client **out, struct brski_error *err)
{
	struct http_client *client;
	enum brski_code code;

	*out = NULL;
	client = calloc(1, sizeof(*client));
	if (!client)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for upstream calls");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(client);
		return brski_fail(err, BRSKI_INTERNAL, "libcurl does not start");
	}
	code = set_up(client, config, err);
	if (code != BRSKI_OK) {
		http_client_free(client);
		return code;
	}
	*out = client;
	return BRSKI_OK;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	while (client->first)
		transfer_free(client->first);
	if (client->multi)
		curl_multi_cleanup(client->multi);
	free(client->proxy);
	free(client);
	curl_global_cleanup();
}
