/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/support/files.h"

/* The database to begin with, and the device. */

#define OK(call) \
	do { \
		struct brski_error err = {0}; \
		if ((call) != BRSKI_OK) { \
			fprintf(stderr, "plant: %s: %s\n", #call, err.why); \
			abort(); \
		} \
	} while (0)

void plant_wait(struct plant *plant, long seconds)
{
	plant->site.now += seconds;
	atomic_store(&plant->seen->now, (long)plant->site.now);
}

static time_t now(void *ctx)
{
	return (time_t)atomic_load(&((struct plant *)ctx)->seen->now);
}

static void say(void *ctx, enum brski_level level, const char *line)
{
	(void)ctx;
	(void)level;
	if (getenv("PLANT_LOG"))
		fprintf(stderr, "    %s\n", line);
}

void plant_open(struct plant *plant)
{
	const struct pki_spec tls = {.subject = "CN=localhost", .san = "DNS:localhost"};

	memset(plant, 0, sizeof(*plant));
	site_open(&plant->site, "P-256");
	plant->retry_ms = 1;
	plant->masa_tls = pki_make(&tls, &plant->site.masa_root);
	plant->chain = pki_certs(&plant->site.registrar_cred, NULL);
	plant->env = (struct brski_env){.ctx = plant, .now = now, .log = say};
	plant->seen =
		mmap(NULL, sizeof(*plant->seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plant->seen == MAP_FAILED)
		abort();
	plant_wait(plant, 0);
	temp_make(plant->folder);
	snprintf(plant->database, sizeof(plant->database), "%s/db", plant->folder);
}

void plant_close(struct plant *plant)
{
	plant_back_ends_free(plant);
	munmap(plant->seen, sizeof(*plant->seen));
	pki_free_certs(plant->chain);
	pki_free(&plant->masa_tls);
	temp_remove(plant->folder);
	site_close(&plant->site);
}

static void fill_database(struct plant *plant)
{
	struct brski_store_manufacturer m = {
		.name = "acme", .mode = BRSKI_MODE_INVENTORY, .check_voucher = true, .audit_log = true};
	struct brski_store *store;

	snprintf(m.masa_url, sizeof(m.masa_url), "%s", plant->masa_url);
	OK(brski_certs_to_pem(plant->site.maker_anchors, &m.idevid_anchors, &err));
	OK(brski_certs_to_pem(plant->site.masa_anchors, &m.voucher_anchors, &err));
	OK(brski_certs_to_pem(plant->site.masa_anchors, &m.tls_anchors, &err));
	OK(brski_store_open(plant->database, true, &store, &err));
	OK(brski_store_manufacturer_put(store, &m, &err));
	if (!plant->not_in_the_inventory)
		OK(brski_store_device_put(store, "acme", SITE_SERIAL, "", &err));
	brski_store_close(store);
	brski_store_manufacturer_free(&m);
}

void plant_begin(struct plant *plant)
{
	struct plant_seen *seen = plant->seen;

	memset(seen, 0, sizeof(*seen));
	plant_wait(plant, 0);
	atomic_store(&seen->masa_waits, plant->masa_waits);
	atomic_store(&seen->ca_polls, plant->site.ca_polls);
	snprintf(plant->masa_url, sizeof(plant->masa_url), "https://masa.acme.example");
	snprintf(plant->cmp_url, sizeof(plant->cmp_url), "http://ca.plant.example/cmp");
	if (!plant->offline) {
		plant_back_ends_begin(plant);
		snprintf(plant->masa_url, sizeof(plant->masa_url), "https://localhost:%d",
			atomic_load(&seen->masa_port));
		snprintf(plant->cmp_url, sizeof(plant->cmp_url), "http://127.0.0.1:%d/cmp",
			atomic_load(&seen->ca_port));
	}
	plant->site.config.cmp_url = plant->cmp_url;
	plant->n_failures = 0;
	memory_open(&plant->memory);
	fill_database(plant);
}

void plant_end(struct plant *plant)
{
	char beside[128];

	plant_back_ends_end(plant);
	memory_close(&plant->memory);
	unlink(plant->database);
	snprintf(beside, sizeof(beside), "%s-wal", plant->database);
	unlink(beside);
	snprintf(beside, sizeof(beside), "%s-shm", plant->database);
	unlink(beside);
}

/* ---- The device ---- */

static void on_event(void *ctx, enum brski_pledge_event event, const char *detail)
{
	struct plant *plant = ctx;

	if (getenv("PLANT_LOG"))
		fprintf(stderr, "  device: %s %s\n", brski_pledge_event_name(event), detail);
	if (event != BRSKI_EVENT_FAILED)
		return;
	plant->n_failures++;
	snprintf(plant->failure, sizeof(plant->failure), "%s", detail);
}

/* False: the tunnel is gone. *more: there may be another flight. */
static bool fly(struct brski_pledge *p, plant_ask_fn *ask, void *ctx, bool *more)
{
	struct brski_http requests[BRSKI_FLIGHT_MAX] = {0}, responses[BRSKI_FLIGHT_MAX] = {0};
	bool answered = true;
	size_t n;

	OK(brski_pledge_next(p, requests, &n, &err));
	for (size_t i = 0; answered && i < n; i++)
		answered = ask(ctx, &requests[i], &responses[i]);
	if (answered && n > 0)
		OK(brski_pledge_answer(p, responses, n, &err));
	for (size_t i = 0; i < BRSKI_FLIGHT_MAX; i++) {
		brski_http_free(&requests[i]);
		brski_http_free(&responses[i]);
	}
	*more = answered && n > 0;
	return answered;
}

enum brski_pledge_state plant_visit(struct plant *plant, plant_ask_fn *ask, void *ctx, long *told)
{
	struct brski_pledge_config config = {
		.idevid = &plant->site.idevid,
		.masa_anchors = plant->site.masa_anchors,
		.key_type = BRSKI_KEY_P256,
		.pkcs10 = plant->pkcs10,
		.clock_is_right = true,
		.storage = &plant->memory.storage,
		.env = &plant->env,
		.event = on_event,
		.event_ctx = plant,
	};
	enum brski_pledge_state state;
	struct brski_pledge *p;
	bool more = true;

	OK(brski_pledge_new(&config, &p, &err));
	OK(brski_pledge_connected(p, plant->chain, &err));
	while (more && fly(p, ask, ctx, &more))
		;
	state = brski_pledge_state(p);
	*told = brski_pledge_retry_after(p);
	brski_pledge_free(p);
	return state;
}
