/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "services/base/http_client.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/web.h"

/* Calls through the real libcurl to a server in this process that behaves as each test wants. */

static struct web web;
static struct http_client *client;
static struct brski_credential root, server, registrar, other_root;

/* ---- One call, waited for ---- */

static struct shot {
	bool done;
	bool answered;
	struct brski_http answer;
	char why[320];
	enum brski_code refused; /* of http_client_call */
} shot;

static void on_done(void *ctx, const struct brski_http *answer, const char *why)
{
	(void)ctx;
	shot.done = true;
	shot.answered = answer != NULL;
	snprintf(shot.why, sizeof(shot.why), "%s", why);
	if (!answer)
		return;
	shot.answer.status = answer->status;
	for (size_t i = 0; i < answer->n_fields; i++)
		ck_assert_int_eq(
			brski_http_set(&shot.answer, answer->fields[i].name, answer->fields[i].value, NULL),
			BRSKI_OK);
	ck_assert_int_eq(brski_buf_set(&shot.answer.body, brski_buf_span(&answer->body)), BRSKI_OK);
}

static void start_call(const struct http_client_call *call)
{
	struct brski_error err = {0};

	brski_http_free(&shot.answer);
	shot.done = shot.answered = false;
	shot.refused = http_client_call(client, call, on_done, NULL, &err);
	if (shot.refused != BRSKI_OK)
		on_done(NULL, NULL, err.why);
}

/* True if there was an answer: it is in shot.answer; else shot.why says why not. */
static bool make_call(const struct http_client_call *call)
{
	start_call(call);
	while (!shot.done)
		http_client_run(client, -1);
	return shot.answered;
}

static void open_client(const struct http_client_config *given)
{
	static const struct http_client_config standard;
	struct brski_error err;

	EXPECT(BRSKI_OK, http_client_new(given ? given : &standard, &client, &err));
}

static void setup(void)
{
	root = pki_root("CN=Root");
	other_root = pki_root("CN=Other Root");
	server = pki_make(
		&(struct pki_spec){.subject = "CN=localhost", .san = "DNS:localhost", .eku = "serverAuth"},
		&root);
	registrar = pki_leaf("CN=The Registrar", "P-256", &root);
}

static void teardown(void)
{
	http_client_free(client);
	client = NULL;
	brski_http_free(&shot.answer);
	pki_free(&root);
	pki_free(&other_root);
	pki_free(&server);
	pki_free(&registrar);
}

/* ---- Calls ---- */

struct call {
	struct http_client_call call;
	char url[128];
	struct brski_http request;
	STACK_OF(X509) *anchors;
};

static void call_open(struct call *c, bool https_only, const char *scheme, const char *host)
{
	*c = (struct call){.call.https_only = https_only};
	c->call.url = c->url;
	snprintf(c->url, sizeof(c->url), "%s://%s:%d/a/path?q", scheme, host, web.port);
	ck_assert_int_eq(brski_http_request(&c->request, "POST", "/a/path?q", "application/pkixcmp",
				 brski_span_str("the body"), NULL),
		BRSKI_OK);
	c->call.request = &c->request;
}

static void call_trust(struct call *c, const struct brski_credential *anchor)
{
	sk_X509_pop_free(c->anchors, X509_free);
	c->anchors = sk_X509_new_null();
	X509_up_ref(anchor->cert);
	sk_X509_push(c->anchors, anchor->cert);
	c->call.anchors = c->anchors;
}

static void call_close(struct call *c)
{
	brski_http_free(&c->request);
	sk_X509_pop_free(c->anchors, X509_free);
}

static char seen_head[8192], seen_body[64], seen_client[256];
static unsigned seen_connection;

static void remember(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	(void)ctx;
	snprintf(seen_head, sizeof(seen_head), "%s", request->head);
	snprintf(seen_body, sizeof(seen_body), "%.*s", (int)request->http.body.len,
		(const char *)request->http.body.data);
	snprintf(seen_client, sizeof(seen_client), "%s", request->client);
	seen_connection = request->connection;
	brski_put_str(raw, "HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nRetry-After:  7 \r\n"
			   "Content-Length: 6\r\n\r\nanswer");
}

START_TEST(request_and_answer_arrive_whole)
{
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_uint_eq(shot.answer.status, 200);
	ck_assert_str_eq(brski_http_get(&shot.answer, "content-type"), "application/pkixcmp");
	ck_assert_str_eq(brski_http_get(&shot.answer, "retry-after"), "7");
	ck_assert(brski_span_equal(brski_buf_span(&shot.answer.body), brski_span_str("answer")));
	ck_assert_ptr_nonnull(strstr(seen_head, "POST /a/path?q HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strcasestr(seen_head, "\r\ncontent-type: application/pkixcmp\r\n"));
	ck_assert_ptr_nonnull(strcasestr(seen_head, "\r\ncontent-length: 8\r\n"));
	ck_assert_ptr_null(strcasestr(seen_head, "expect:"));
	ck_assert_str_eq(seen_body, "the body");
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(get_has_no_body)
{
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	ck_assert_int_eq(
		brski_http_request(&c.request, "GET", "/", NULL, brski_span(NULL, 0), NULL), BRSKI_OK);
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_int_eq(strncmp(seen_head, "GET /a/path?q ", 14), 0);
	ck_assert_ptr_null(strcasestr(seen_head, "content-length"));
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(connections_are_kept)
{
	struct call c;

	open_client(NULL);
	web_start(&web, &server, remember, NULL);
	call_open(&c, true, "https", "localhost");
	call_trust(&c, &root);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_msg(make_call(&c.call), "%s", shot.why);
		ck_assert_uint_eq(seen_connection, 1);
	}
	ck_assert_uint_eq(web.n_connections, 1);
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* ---- TLS ---- */

START_TEST(server_must_lead_to_the_anchors)
{
	struct call c;

	open_client(NULL);
	web_start(&web, &server, remember, NULL);
	call_open(&c, true, "https", "localhost");
	call_trust(&c, &other_root);
	ck_assert(!make_call(&c.call));
	ck_assert_ptr_nonnull(strstr(shot.why, "certificate"));
	c.call.anchors = NULL; /* the system's */
	ck_assert(!make_call(&c.call));
	call_trust(&c, &root);
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_uint_eq(web.n_requests, 1);
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* Before any of its signatures is looked at. */
START_TEST(servers_chain_is_bounded)
{
	EVP_PKEY *costly = pki_public_rsa(3072, 3072);
	struct brski_credential odd = pki_make(&(struct pki_spec){.key = costly}, &root);
	struct brski_credential with = {server.key, server.cert, pki_certs(&odd, NULL)};
	struct call c;

	open_client(NULL);
	for (int long_chain = 0; long_chain < 2; long_chain++) {
		web_start(&web, &with, remember, NULL);
		call_open(&c, true, "https", "localhost");
		call_trust(&c, &root);
		ck_assert(!make_call(&c.call));
		ck_assert_msg(strstr(shot.why, "at most 10 certificates") != NULL, "%s", shot.why);
		call_close(&c);
		web_stop(&web);
		pki_free_certs(with.chain);
		with.chain = sk_X509_new_null();
		for (int i = 0; i < 10; i++)
			X509_add_cert(with.chain, other_root.cert, X509_ADD_FLAG_UP_REF);
	}
	pki_free_certs(with.chain);
	pki_free(&odd);
	EVP_PKEY_free(costly);
}
END_TEST

START_TEST(server_must_have_the_name)
{
	struct call c;

	open_client(NULL);
	web_start(&web, &server, remember, NULL);
	call_open(&c, true, "https", "127.0.0.1");
	call_trust(&c, &root);
	ck_assert(!make_call(&c.call));
	ck_assert_ptr_nonnull(strstr(shot.why, "127.0.0.1"));
	ck_assert_uint_eq(web.n_requests, 0);
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* A connection that was opened under one manufacturer's anchors does not serve another's. */
START_TEST(kept_connections_keep_their_anchors)
{
	struct call c;

	open_client(NULL);
	web_start(&web, &server, remember, NULL);
	call_open(&c, true, "https", "localhost");
	call_trust(&c, &root);
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	call_trust(&c, &other_root);
	ck_assert(!make_call(&c.call));
	ck_assert_uint_eq(web.n_requests, 1);
	call_close(&c);
	web_stop(&web);
}
END_TEST

static void answer_and_close(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	remember(ctx, request, raw);
	brski_buf_free(raw);
	brski_put_str(raw, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nanswer");
}

/* The server of these tests hands out tickets, asks for a certificate, and refuses a ticket when one comes back. */
START_TEST(no_session_is_resumed)
{
	struct call c;

	open_client(NULL);
	web_start(&web, &server, answer_and_close, NULL);
	call_open(&c, true, "https", "localhost");
	call_trust(&c, &root);
	c.call.client = &registrar;
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_msg(make_call(&c.call), "%s", shot.why);
		ck_assert_uint_eq(seen_connection, i);
		ck_assert_str_eq(seen_client, "CN=The Registrar");
	}
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(client_shows_its_certificate)
{
	struct call c;

	open_client(NULL);
	web_start(&web, &server, remember, NULL);
	call_open(&c, true, "https", "localhost");
	call_trust(&c, &root);
	c.call.client = &registrar;
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_str_eq(seen_client, "CN=The Registrar");
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(expired_server_is_refused)
{
	struct brski_credential old = pki_make(&(struct pki_spec){.subject = "CN=localhost",
						       .san = "DNS:localhost",
						       .not_before = time(NULL) - 7200,
						       .not_after = time(NULL) - 60},
		&root);
	struct call c;

	open_client(NULL);
	web_start(&web, &old, remember, NULL);
	call_open(&c, true, "https", "localhost");
	call_trust(&c, &root);
	ck_assert(!make_call(&c.call));
	ck_assert_ptr_nonnull(strstr(shot.why, "expired"));
	call_close(&c);
	web_stop(&web);
	pki_free(&old);
}
END_TEST

/* ---- What is not allowed ---- */

START_TEST(https_only_means_that)
{
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, true, "http", "127.0.0.1");
	ck_assert(!make_call(&c.call));
	ck_assert_int_eq(shot.refused, BRSKI_UNSUPPORTED);
	ck_assert_uint_eq(web.n_connections, 0);
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(no_other_schemes_no_names_in_urls)
{
	static const char *const urls[] = {
		"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "nonsense", ""};
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, false, "http", "user:password@127.0.0.1");
	ck_assert(!make_call(&c.call));
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(c.url, sizeof(c.url), "%s", urls[i]);
		ck_assert_msg(!make_call(&c.call), "%s", urls[i]);
		ck_assert_msg(shot.why[0], "%s", urls[i]);
	}
	ck_assert_uint_eq(web.n_connections, 0);
	call_close(&c);
	web_stop(&web);
}
END_TEST

static void redirect(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	(void)ctx;
	(void)request;
	brski_put_str(raw, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
}

START_TEST(redirects_are_answers)
{
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, redirect, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_uint_eq(shot.answer.status, 302);
	ck_assert_str_eq(brski_http_get(&shot.answer, "location"), "/elsewhere");
	ck_assert_uint_eq(web.n_requests, 1);
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(proxies_of_the_environment_are_not_used)
{
	struct call c;

	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("https_proxy", "http://127.0.0.1:1/", 1);
	setenv("all_proxy", "http://127.0.0.1:1/", 1);
	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(a_configured_proxy_is_used)
{
	struct http_client_config config = {0};
	char proxy[64];
	struct call c;

	web_start(&web, NULL, remember, NULL);
	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", web.port);
	config.proxy = proxy;
	open_client(&config);
	call_open(&c, false, "http", "127.0.0.1");
	snprintf(c.url, sizeof(c.url), "http://pki.invalid/x");
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_int_eq(strncmp(seen_head, "POST http://pki.invalid/x ", 26), 0);
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* ---- Limits ---- */

static unsigned say_octets;
static bool say_length;

static void say_much(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	(void)ctx;
	(void)request;
	brski_put_str(raw, "HTTP/1.1 200 OK\r\n");
	if (say_length)
		brski_printf(raw, "Content-Length: %u\r\n\r\n", say_octets);
	else
		brski_printf(raw, "Transfer-Encoding: chunked\r\n\r\n%x\r\n", say_octets);
	for (unsigned i = 0; i < say_octets; i++)
		brski_put_u8(raw, 'x');
	if (!say_length)
		brski_put_str(raw, "\r\n0\r\n\r\n");
}

START_TEST(answers_are_bounded)
{
	struct http_client_config config = {.response_max = 1000};
	struct call c;

	open_client(&config);
	web_start(&web, NULL, say_much, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	for (int i = 0; i < 2; i++) {
		say_length = i == 0;
		say_octets = 1000;
		ck_assert_msg(make_call(&c.call), "%s", shot.why);
		ck_assert_uint_eq(shot.answer.body.len, 1000);
		say_octets = 1001;
		ck_assert(!make_call(&c.call));
		ck_assert_msg(shot.why[0], "no reason");
	}
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(a_call_may_have_a_bound_of_its_own)
{
	struct http_client_config config = {.response_max = 1000};
	struct call c;

	open_client(&config);
	web_start(&web, NULL, say_much, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	c.call.response_max = 5000;
	for (int i = 0; i < 2; i++) {
		say_length = i == 0;
		say_octets = 5000;
		ck_assert_msg(make_call(&c.call), "%s", shot.why);
		ck_assert_uint_eq(shot.answer.body.len, 5000);
		say_octets = 5001;
		ck_assert(!make_call(&c.call));
	}
	/* and the next has the client's again */
	c.call.response_max = 0;
	ck_assert(!make_call(&c.call));
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* What curl calls: a resolver of which nothing is heard. */
int getaddrinfo(const char *restrict node, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (node && strcmp(node, "slow.example") == 0) {
		sleep(3);
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, out);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

START_TEST(calls_are_bounded_in_time)
{
	struct http_client_config config = {.request_timeout_ms = 200};
	int64_t began;
	struct call c;

	open_client(&config);
	web_start(&web, NULL, remember, NULL);
	web.delay_ms = 1500;
	call_open(&c, false, "http", "127.0.0.1");
	began = now_ms();
	ck_assert(!make_call(&c.call));
	ck_assert_int_lt(now_ms() - began, 1200);
	ck_assert_ptr_nonnull(strcasestr(shot.why, "timed out"));
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* Else one name server that is away would hold up the calls to everybody else. */
START_TEST(a_name_that_is_not_found_holds_up_nobody)
{
	struct http_client_config config = {.connect_timeout_ms = 200};
	int64_t began;
	struct call c;

	open_client(&config);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, false, "http", "slow.example");
	began = now_ms();
	ck_assert(!make_call(&c.call));
	ck_assert_ptr_nonnull(strcasestr(shot.why, "timed out"));
	call_close(&c);
	call_open(&c, false, "http", "127.0.0.1");
	ck_assert(make_call(&c.call));
	ck_assert_int_lt(now_ms() - began, 1500);
	call_close(&c);
	call_open(&c, false, "http", "slow.example");
	start_call(&c.call);
	http_client_run(client, 50);
	http_client_free(client);
	client = NULL;
	ck_assert_int_lt(now_ms() - began, 2000);
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(nobody_there)
{
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	web_stop(&web);
	ck_assert_int_lt(web.port, web_first_client_port());
	ck_assert(!make_call(&c.call));
	ck_assert_ptr_nonnull(strstr(shot.why, "connect"));
	call_close(&c);
}
END_TEST

static const char *garbage;

static void say_garbage(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	(void)ctx;
	(void)request;
	brski_put_str(raw, garbage);
}

START_TEST(what_is_no_http_is_no_answer)
{
	static const char *const texts[] = {
		"",
		"\r\n\r\n",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 700 High\r\nContent-Length: 0\r\n\r\n",
	};
	struct http_client_config config = {.request_timeout_ms = 400};
	struct call c;

	open_client(&config);
	web_start(&web, NULL, say_garbage, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		garbage = texts[i];
		ck_assert_msg(!make_call(&c.call), "%zu", i);
		ck_assert_msg(shot.why[0], "%zu", i);
	}
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* Fields that nobody here reads, too long or too many, do no harm to those that somebody does. */
static void say_many_fields(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	(void)ctx;
	(void)request;
	brski_put_str(raw, "HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\nHTTP/1.1 202 "
			   "Accepted\r\nRetry-After: 9\r\nX-Long: ");
	for (int i = 0; i < 3000; i++)
		brski_put_u8(raw, 'y');
	brski_put_str(raw, "\r\n: no name\r\n");
	for (int i = 0; i < 60; i++)
		brski_printf(raw, "X-%d: z\r\n", i);
	brski_put_str(raw, "Content-Length: 0\r\n\r\n");
}

START_TEST(fields_are_bounded)
{
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, say_many_fields, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_uint_eq(shot.answer.status, 202);
	ck_assert_str_eq(brski_http_get(&shot.answer, "retry-after"), "9");
	ck_assert_ptr_null(brski_http_get(&shot.answer, "x-interim"));
	ck_assert_ptr_null(brski_http_get(&shot.answer, "x-long"));
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* What the answer is tells a field that stands behind many others, as gateways put in front. */
static void say_type_late(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	(void)ctx;
	(void)request;
	brski_put_str(raw, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 40; i++)
		brski_printf(raw, "X-Gateway-%d: z\r\n", i);
	brski_put_str(raw, "Content-Type: application/pkixcmp\r\nContent-Length: 1\r\n\r\nx");
}

START_TEST(fields_behind_many_others_are_read)
{
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, say_type_late, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_str_eq(brski_http_get(&shot.answer, "content-type"), "application/pkixcmp");
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* ---- Content codings ---- */

/* "answer" and 100,000 times "x", compressed */
static const char answer_gzip[] = "1f8b08000000000002034bcc2b2e4f2d0200254addda06000000";
static const char answer_zlib[] = "78da4bcc2b2e4f2d020008df0291";
static const char many_x_gzip[] =
	"1f8b0800000000000203edc13101000000c2a0da8b6f0d0fa0000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000805703711107fea0860100";

static const char *coding, *coded;

static void say_coded(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	long len;
	unsigned char *body = OPENSSL_hexstr2buf(coded, &len);

	remember(ctx, request, raw);
	brski_buf_free(raw);
	brski_printf(raw,
		"HTTP/1.1 200 OK\r\nContent-Type: application/pkixcmp\r\nContent-Encoding: %s\r\n"
		"Content-Length: %ld\r\n\r\n",
		coding, len);
	brski_put(raw, brski_span(body, (size_t)len));
	OPENSSL_free(body);
}

/* Nobody is asked for them, but some gateways compress whatever they pass on. */
START_TEST(content_codings_are_undone)
{
	static const struct {
		const char *coding, *coded;
	} cases[] = {{"gzip", answer_gzip}, {"GZIP", answer_gzip}, {"x-gzip", answer_gzip},
		{"deflate", answer_zlib}, {"identity", "616e73776572"}};
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, say_coded, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		coding = cases[i].coding;
		coded = cases[i].coded;
		ck_assert_msg(make_call(&c.call), "%s: %s", coding, shot.why);
		ck_assert(brski_span_equal(brski_buf_span(&shot.answer.body), brski_span_str("answer")));
		ck_assert_msg(brski_http_is_type(&shot.answer, "application/pkixcmp"), "%s", coding);
	}
	ck_assert_ptr_nonnull(strcasestr(seen_head, "\r\naccept-encoding: identity\r\n"));
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(what_is_decoded_is_bounded)
{
	struct http_client_config config = {.response_max = 99999};
	struct call c;

	open_client(&config);
	web_start(&web, NULL, say_coded, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	coding = "gzip";
	coded = many_x_gzip;
	ck_assert(!make_call(&c.call));
	ck_assert_str_eq(shot.why, "its answer is longer than 99999 octets");
	http_client_free(client);
	config.response_max = 100000;
	open_client(&config);
	ck_assert_msg(make_call(&c.call), "%s", shot.why);
	ck_assert_uint_eq(shot.answer.body.len, 100000);
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(a_coding_that_cannot_be_undone_is_told)
{
	static const struct {
		const char *coding, *coded, *why;
	} cases[] = {
		{"aes128gcm", "616e73776572", "content encoding"},
		{"gzip", "616e73776572", ""},
		{"gzip, gzip", answer_gzip, ""},
	};
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, say_coded, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		coding = cases[i].coding;
		coded = cases[i].coded;
		ck_assert_msg(!make_call(&c.call), "%zu", i);
		ck_assert_msg(shot.why[0] && strcasestr(shot.why, cases[i].why), "%zu: %s", i, shot.why);
	}
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* ---- Whoever drives it ---- */

START_TEST(ends_at_once_with_a_call_under_way)
{
	int64_t began;
	struct call c;

	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	web.delay_ms = 1000;
	call_open(&c, false, "http", "127.0.0.1");
	start_call(&c.call);
	while (!web.n_requests)
		http_client_run(client, 1);
	began = now_ms();
	http_client_free(client);
	client = NULL;
	ck_assert_int_lt(now_ms() - began, 500);
	ck_assert(!shot.done);
	call_close(&c);
	web_stop(&web);
}
END_TEST

/* A call that is started where another one ended. */
static void on_first_done(void *ctx, const struct brski_http *answer, const char *why)
{
	struct brski_error err;

	ck_assert_msg(answer != NULL, "%s", why);
	EXPECT(BRSKI_OK, http_client_call(client, ctx, on_done, NULL, &err));
}

START_TEST(a_call_may_follow_another)
{
	struct brski_error err;
	struct call c;
	int64_t began = now_ms();

	open_client(NULL);
	web_start(&web, NULL, remember, NULL);
	call_open(&c, false, "http", "127.0.0.1");
	shot.done = false;
	EXPECT(BRSKI_OK, http_client_call(client, &c.call, on_first_done, &c.call, &err));
	while (!shot.done)
		http_client_run(client, -1);
	ck_assert(shot.answered);
	ck_assert_uint_eq(web.n_requests, 2);
	ck_assert_int_lt(now_ms() - began, 2000);
	call_close(&c);
	web_stop(&web);
}
END_TEST

START_TEST(waits_as_long_as_it_may)
{
	int64_t began = now_ms();

	open_client(NULL);
	http_client_run(client, 0);
	ck_assert_int_lt(now_ms() - began, 50);
	http_client_run(client, 100);
	ck_assert_int_ge(now_ms() - began, 90);
}
END_TEST

static void *wake_later(void *ctx)
{
	usleep(50000);
	http_client_wake(ctx);
	return NULL;
}

START_TEST(another_thread_wakes_it)
{
	int64_t began = now_ms();
	pthread_t thread;

	open_client(NULL);
	http_client_wake(client); /* before it waits: it does not begin to */
	http_client_run(client, -1);
	ck_assert_int_lt(now_ms() - began, 2000);
	ck_assert_int_eq(pthread_create(&thread, NULL, wake_later, client), 0);
	http_client_run(client, -1);
	ck_assert_int_lt(now_ms() - began, 2000);
	pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		request_and_answer_arrive_whole,
		get_has_no_body,
		connections_are_kept,
		server_must_lead_to_the_anchors,
		servers_chain_is_bounded,
		server_must_have_the_name,
		kept_connections_keep_their_anchors,
		client_shows_its_certificate,
		no_session_is_resumed,
		expired_server_is_refused,
		https_only_means_that,
		no_other_schemes_no_names_in_urls,
		redirects_are_answers,
		proxies_of_the_environment_are_not_used,
		a_configured_proxy_is_used,
		answers_are_bounded,
		a_call_may_have_a_bound_of_its_own,
		calls_are_bounded_in_time,
		a_name_that_is_not_found_holds_up_nobody,
		nobody_there,
		what_is_no_http_is_no_answer,
		fields_are_bounded,
		fields_behind_many_others_are_read,
		content_codings_are_undone,
		what_is_decoded_is_bounded,
		a_coding_that_cannot_be_undone_is_told,
		ends_at_once_with_a_call_under_way,
		a_call_may_follow_another,
		waits_as_long_as_it_may,
		another_thread_wakes_it,
	};

	return run_tests("HTTP client", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
