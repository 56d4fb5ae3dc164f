/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "services/registrar/store.h"
#include "services/registrar_https/door.h"
#include "tests/driver/https/connection.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/site_settings.h"

/*
 * The whole door in a thread, with a site on a database file, and MASA and CA behind real sockets;
 * devices come by real HTTPS, each with a client of its own.
 */

static struct site world;
static struct site_web web;
static struct door_settings settings;
static struct brski_store *store; /* brskictl's view of it */
static struct brski_error err;
static char folder[64];

/* ---- The door, in a thread ---- */

static struct event_base *base;
static struct door *door;
static pthread_t loop;
static char url[64];
static int stop_pipe[2];

/* "listening on https://127.0.0.1:PORT" */
static void take_line(void *ctx, enum brski_level level, const char *line)
{
	static const char words[] = "listening on ";
	const char *at = strstr(line, words);

	(void)ctx;
	(void)level;
	if (at)
		snprintf(url, sizeof(url), "%s", at + strlen(words));
}

static const struct brski_env env = {.log = take_line};

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	char c;

	(void)what;
	(void)arg;
	ck_assert_int_eq(read(fd, &c, 1), 1);
	door_stop(door);
}

static void *run_loop(void *arg)
{
	struct event *stop = event_new(base, stop_pipe[0], EV_READ | EV_PERSIST, on_stop, NULL);

	event_add(stop, NULL);
	event_base_dispatch(base);
	event_free(stop);
	return arg;
}

static void set(const char *name, const char *value)
{
	const struct setting *s = settings_find(brski_settings, name);

	if (s)
		EXPECT(BRSKI_OK, settings_set(s, &settings.site, value, &err));
	else
		EXPECT(BRSKI_OK, settings_set(settings_find(door_table, name), &settings.door, value, &err));
}

static void start(void)
{
	EXPECT(BRSKI_OK, door_new(base, &settings, &env, &door, &err));
	ck_assert_int_eq(pipe(stop_pipe), 0);
	ck_assert_int_eq(pthread_create(&loop, NULL, run_loop, NULL), 0);
}

/* Until the loop has been left. */
static void wait_for_the_end(void)
{
	pthread_join(loop, NULL);
	close(stop_pipe[0]);
	close(stop_pipe[1]);
}

static void tell_to_stop(void)
{
	ck_assert_int_eq(write(stop_pipe[1], "x", 1), 1);
}

static void end(void)
{
	tell_to_stop();
	wait_for_the_end();
	door_free(door);
	door = NULL;
}

static void set_up(void)
{
	char database[96];

	site_open(&world, "P-256");
	site_web_start(&web, &world);
	temp_make(folder);
	site_write_files(&world, &world.registrar_cred, folder);
	snprintf(database, sizeof(database), "%s/registrar.db", folder);
	EXPECT(BRSKI_OK, brski_store_open(database, true, &store, &err));
	site_put_acme(store, &world, BRSKI_MODE_INVENTORY, true);
	EXPECT(BRSKI_OK, brski_store_device_put(store, "acme", SITE_SERIAL, "", &err));
	site_set_all(&settings.site, &web, folder, database);
	EXPECT(BRSKI_OK, settings_standard(door_table, &settings.door, &err));
	set("listen", "127.0.0.1:0");
	set("wait", "30");
	set("max_requests_per_connection", "0");
	base = event_base_new();
	url[0] = '\0';
}

static void tear_down(void)
{
	event_base_free(base);
	door_settings_free(&settings);
	brski_store_close(store);
	site_web_stop(&web);
	temp_remove(folder);
	site_close(&world);
}

/* ---- Devices ---- */

static const struct brski_credential nobody;

static struct connection *visit(const struct brski_credential *credential)
{
	static struct connection_target target;
	struct connection *c;

	ck_assert(connection_target_parse(url + strlen("https://"), &target));
	target.timeout_ms = 60000;
	EXPECT(BRSKI_OK, connection_open(&target, credential, &c, &err));
	return c;
}

static void send_request(
	struct connection *c, const char *method, const char *path, const char *type, struct brski_span body)
{
	struct brski_http request = {0};
	struct brski_buf octets = {0};

	EXPECT(BRSKI_OK, brski_http_request(&request, method, path, type, body, &err));
	connection_write_request(c, &request, &octets);
	EXPECT(BRSKI_OK, connection_send(c, brski_buf_span(&octets), &err));
	brski_buf_free(&octets);
	brski_http_free(&request);
}

static struct brski_http response;

static unsigned receive(struct connection *c)
{
	EXPECT(BRSKI_OK, connection_receive(c, &response, &err));
	return response.status;
}

static void make_voucher_request(struct brski_buf *out)
{
	uint8_t nonce[BRSKI_NONCE_LEN];

	EXPECT(BRSKI_OK, brski_random(NULL, nonce, sizeof(nonce), &err));
	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&world.idevid, world.registrar_cred.cert,
				 brski_span(nonce, sizeof(nonce)), time(NULL), out, &err));
}

static void send_voucher_request(struct connection *c, const struct brski_buf *request)
{
	send_request(c, "POST", BRSKI_PATH_REQUESTVOUCHER, BRSKI_MEDIA_VOUCHER, brski_buf_span(request));
}

/* ---- Tests ---- */

START_TEST(a_device_gets_its_voucher)
{
	struct brski_buf request = {0};
	struct connection *c;

	start();
	c = visit(&world.idevid);
	make_voucher_request(&request);
	send_voucher_request(c, &request);
	ck_assert_uint_eq(receive(c), 200);
	ck_assert(brski_http_is_type(&response, BRSKI_MEDIA_VOUCHER));
	/* once more, by another connection: the same one */
	connection_close(c, false);
	c = visit(&world.idevid);
	send_voucher_request(c, &request);
	ck_assert_uint_eq(receive(c), 200);
	ck_assert_uint_eq(world.n_masa_calls, 1);
	connection_close(c, false);
	brski_buf_free(&request);
	end();
}
END_TEST

START_TEST(whoever_is_nobody_gets_what_is_for_everybody)
{
	struct connection *c;

	start();
	c = visit(&nobody);
	send_request(c, "GET", BRSKI_PATH_BRSKI, NULL, (struct brski_span){0});
	ck_assert_uint_eq(receive(c), 200);
	send_request(c, "POST", BRSKI_PATH_REQUESTVOUCHER, BRSKI_MEDIA_VOUCHER, brski_span_str("x"));
	ck_assert_uint_eq(receive(c), 403);
	connection_close(c, false);
	end();
}
END_TEST

/* It is told so at once, on a connection that goes on. */
START_TEST(a_device_is_told_to_come_back_where_the_masa_is_away)
{
	struct brski_buf request = {0};
	struct connection *c;

	world.masa = MASA_DOWN;
	start();
	c = visit(&world.idevid);
	make_voucher_request(&request);
	send_voucher_request(c, &request);
	ck_assert_uint_eq(receive(c), 202);
	ck_assert_ptr_nonnull(brski_http_get(&response, "retry-after"));
	world.masa = MASA_RIGHT;
	do {
		send_voucher_request(c, &request);
	} while (receive(c) == 202);
	ck_assert_uint_eq(response.status, 200);
	connection_close(c, false);
	brski_buf_free(&request);
	end();
}
END_TEST

/* ---- A MASA that answers when the test says so ---- */

static atomic_bool masa_holds, masa_has_request;

static void hold(const struct web *of, const struct web_request *request)
{
	(void)of;
	(void)request;
	masa_has_request = true;
	while (masa_holds)
		usleep(1000);
}

/* A request that the MASA is asked for now, and does not answer. */
static struct connection *visit_and_wait(const struct brski_buf *request)
{
	struct connection *c;

	masa_holds = true;
	masa_has_request = false;
	web.masa.arrived = hold;
	c = visit(&world.idevid);
	send_voucher_request(c, request);
	while (!masa_has_request)
		usleep(1000);
	return c;
}

START_TEST(a_request_that_waits_has_its_answer_when_it_is_there)
{
	struct brski_buf request = {0};
	struct connection *c;

	make_voucher_request(&request);
	start();
	c = visit_and_wait(&request);
	masa_holds = false;
	ck_assert_uint_eq(receive(c), 200);
	connection_close(c, false);
	brski_buf_free(&request);
	end();
}
END_TEST

/* As many wait for the MASA as there are threads, and more: others are served. */
START_TEST(who_waits_for_a_masa_has_no_thread)
{
	struct brski_buf requests[4] = {0};
	struct connection *waiting[4], *c;

	set("threads", "1");
	set("max_waiting_per_device", "100");
	start();
	for (int i = 0; i < 4; i++) {
		make_voucher_request(&requests[i]);
		waiting[i] = i ? visit(&world.idevid) : visit_and_wait(&requests[i]);
		if (i)
			send_voucher_request(waiting[i], &requests[i]);
	}
	c = visit(&world.idevid);
	send_request(c, "GET", BRSKI_PATH_BRSKI, NULL, (struct brski_span){0});
	ck_assert_uint_eq(receive(c), 200);
	connection_close(c, false);
	masa_holds = false;
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(receive(waiting[i]), 200);
		connection_close(waiting[i], false);
		brski_buf_free(&requests[i]);
	}
	end();
}
END_TEST

START_TEST(who_waits_longer_than_it_may_is_told_to_come_back)
{
	struct brski_buf request = {0};
	struct connection *c;

	set("wait", "0");
	make_voucher_request(&request);
	start();
	c = visit_and_wait(&request);
	ck_assert_uint_eq(receive(c), 202);
	connection_close(c, false);
	masa_holds = false;
	brski_buf_free(&request);
	end();
}
END_TEST

/* Nothing is lost by SIGTERM: who waits is told to come back, and the answer is there after the next start. */
START_TEST(at_the_end_who_waits_is_told_to_come_back)
{
	struct brski_buf request = {0};
	struct connection *c;

	make_voucher_request(&request);
	start();
	c = visit_and_wait(&request);
	tell_to_stop();
	ck_assert_uint_eq(receive(c), 202);
	ck_assert(connection_closes(c));
	connection_close(c, false);
	wait_for_the_end();
	masa_holds = false;
	door_free(door);
	start();
	c = visit(&world.idevid);
	do {
		send_voucher_request(c, &request);
	} while (receive(c) == 202);
	ck_assert_uint_eq(response.status, 200);
	connection_close(c, false);
	brski_buf_free(&request);
	end();
}
END_TEST

/* The second signal: the request comes to nothing, and all that it held is given back. */
START_TEST(told_twice_it_ends_at_once)
{
	struct brski_buf request = {0};
	struct connection *c;

	make_voucher_request(&request);
	start();
	c = visit_and_wait(&request);
	tell_to_stop();
	tell_to_stop();
	wait_for_the_end();
	masa_holds = false;
	door_free(door);
	door = NULL;
	connection_close(c, true);
	brski_buf_free(&request);
}
END_TEST

/* A device that leaves while its request waits leaves nothing behind, and its work is done. */
START_TEST(who_leaves_leaves_nothing_behind)
{
	struct brski_buf request = {0};
	struct connection *c;

	make_voucher_request(&request);
	start();
	c = visit_and_wait(&request);
	connection_close(c, true);
	masa_holds = false;
	c = visit(&world.idevid);
	send_voucher_request(c, &request);
	ck_assert_uint_eq(receive(c), 200);
	ck_assert_uint_eq(world.n_masa_calls, 1);
	connection_close(c, false);
	brski_buf_free(&request);
	end();
}
END_TEST

/* RFC 8995 5.2: the connection is closed behind that 401. */
START_TEST(a_request_that_came_another_way_ends_its_connection)
{
	struct brski_buf request = {0};
	struct connection *c;
	uint8_t nonce[BRSKI_NONCE_LEN] = {7};

	start();
	c = visit(&world.idevid);
	EXPECT(BRSKI_OK, brski_voucher_request_pledge(&world.idevid, world.foreign.cert,
				 brski_span(nonce, sizeof(nonce)), time(NULL), &request, &err));
	send_voucher_request(c, &request);
	ck_assert_uint_eq(receive(c), 401);
	ck_assert(connection_closes(c));
	connection_close(c, false);
	brski_buf_free(&request);
	end();
}
END_TEST

static void discover(struct connection *c)
{
	send_request(c, "GET", BRSKI_PATH_BRSKI, NULL, (struct brski_span){0});
	ck_assert_uint_eq(receive(c), 200);
}

/* They have certificates of their own making; the device was quiet for longest. */
START_TEST(strangers_push_out_one_another)
{
	struct brski_credential stranger = pki_leaf("CN=Gadget,serialNumber=X-1", "P-256", NULL);
	struct connection *device, *strangers[3];

	set("max_connections_per_address", "3");
	start();
	device = visit(&world.idevid);
	discover(device);
	for (size_t i = 0; i < 3; i++) {
		strangers[i] = visit(&stranger);
		discover(strangers[i]);
	}
	discover(device);
	connection_close(device, false);
	for (size_t i = 0; i < 3; i++)
		connection_close(strangers[i], false);
	pki_free(&stranger);
	end();
}
END_TEST

START_TEST(a_look_at_the_settings_serves_nothing)
{
	EXPECT(BRSKI_OK, door_new(NULL, &settings, &env, &door, &err));
	door_free(door);
	ck_assert_str_eq(url, "");
	set("listen", "nowhere");
	EXPECT_WHY(BRSKI_MALFORMED, "listen", door_new(NULL, &settings, &env, &door, &err));
	set("listen", "127.0.0.1:0");
	set("proxies", "192.0.2.300");
	EXPECT_WHY(BRSKI_MALFORMED, "proxies", door_new(NULL, &settings, &env, &door, &err));
}
END_TEST

START_TEST(a_port_that_another_one_has_is_told)
{
	struct door *second;

	start();
	set("listen", url + strlen("https://"));
	EXPECT_WHY(BRSKI_UNAVAILABLE,
		"listen: cannot listen at 127.0.0.1:", door_new(base, &settings, &env, &second, &err));
	ck_assert_ptr_null(second);
	end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_device_gets_its_voucher,
		whoever_is_nobody_gets_what_is_for_everybody,
		a_device_is_told_to_come_back_where_the_masa_is_away,
		a_request_that_waits_has_its_answer_when_it_is_there,
		who_waits_for_a_masa_has_no_thread,
		who_waits_longer_than_it_may_is_told_to_come_back,
		at_the_end_who_waits_is_told_to_come_back,
		told_twice_it_ends_at_once,
		who_leaves_leaves_nothing_behind,
		a_request_that_came_another_way_ends_its_connection,
		strangers_push_out_one_another,
		a_look_at_the_settings_serves_nothing,
		a_port_that_another_one_has_is_told,
	};

	return run_tests("HTTPS door", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
