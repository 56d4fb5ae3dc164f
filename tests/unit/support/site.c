/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) must((call) == BRSKI_OK, #call)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "site: %s\n", what);
	abort();
}

/* ---- the registrar's callbacks ---- */

static time_t now(void *ctx)
{
	return ((struct site *)ctx)->now;
}

static void keep_line(void *ctx, enum brski_level level, const char *line)
{
	struct site *site = ctx;
	size_t len = strlen(line) + 1;
	size_t have = strlen(site->log);

	(void)level;
	if (getenv("SITE_LOG"))
		fprintf(stderr, "%s\n", line);
	if (len >= sizeof(site->log) / 2)
		return;
	while (have + len >= sizeof(site->log)) {
		memmove(site->log, site->log + sizeof(site->log) / 2, have - sizeof(site->log) / 2 + 1);
		have = strlen(site->log);
	}
	memcpy(site->log + have, line, len - 1);
	memcpy(site->log + have + len - 1, "\n", 2);
}

/* Counts a call of the registrar's, which fails here or not. */
static enum brski_code call(struct site *site, struct brski_error *err)
{
	void (*intrude)(struct site *) = site->intrude;

	site->n_calls++;
	if (intrude && site->n_calls == site->intrude_at) {
		site->intrude = NULL;
		intrude(site);
	}
	if (site->fail_at == 0 || site->n_calls < site->fail_at)
		return BRSKI_OK;
	if (site->n_calls > site->fail_at && !site->fail_on)
		return BRSKI_OK;
	return brski_fail(err, site->fail_code, "call number %u says %s", site->n_calls,
		brski_code_name(site->fail_code));
}

/* One that changes something: that may have happened when it fails. */
static enum brski_code change(struct site *site, bool *happens, struct brski_error *err)
{
	enum brski_code code = call(site, err);

	*happens = code == BRSKI_OK || site->fail_late;
	if (code == BRSKI_OK && site->put_fails > 0 && --site->put_fails == 0) {
		*happens = false;
		code = brski_fail(err, BRSKI_INTERNAL, "the process is killed here");
	}
	return code;
}

static enum brski_code find_manufacturer(
	void *ctx, const STACK_OF(X509) *chain, struct brski_manufacturer *out, struct brski_error *err)
{
	struct site *site = ctx;
	enum brski_code code;

	memset(out, 0, sizeof(*out));
	code = call(site, err);
	if (code != BRSKI_OK)
		return code;
	if (site->find_code != BRSKI_OK)
		return brski_fail(err, site->find_code, "the site says %s", brski_code_name(site->find_code));
	if (site->unknown_manufacturer)
		return brski_fail(err, BRSKI_UNTRUSTED, "no known manufacturer");
	code = brski_chain_verify(chain, site->maker_anchors, NULL, BRSKI_USE_ANY, site->now, err);
	if (code != BRSKI_OK)
		return code;
	snprintf(out->name, sizeof(out->name), "acme");
	snprintf(out->masa_url, sizeof(out->masa_url), "%s", site->masa_url);
	out->idevid_anchors = X509_chain_up_ref(site->maker_anchors);
	out->voucher_anchors = X509_chain_up_ref(site->masa_anchors);
	out->tls_anchors = X509_chain_up_ref(site->masa_anchors);
	out->check_voucher = site->check_voucher;
	out->audit_log = site->audit_log;
	out->allow_foreign_domains = site->allow_foreign;
	out->allow_nonceless = site->allow_nonceless;
	return BRSKI_OK;
}

static enum brski_code decide(void *ctx, void *visit, const struct brski_device *device,
	const struct brski_manufacturer *m, enum brski_decision *decision, char why[256], long *retry_after,
	struct brski_error *err)
{
	struct site *site = ctx;
	enum brski_code code = call(site, err);

	site->visit = visit;
	if (code != BRSKI_OK)
		return code;
	must(strcmp(device->manufacturer, m->name) == 0, "decide: device and manufacturer");
	site->n_decisions++;
	*decision = site->n_decisions == site->defer_at ? BRSKI_DEFER : site->decision;
	snprintf(why, 256, "%s", site->decision_why);
	*retry_after = 42;
	return BRSKI_OK;
}

struct site_row *site_row(struct site *site, const char *key)
{
	for (size_t i = 0; i < site->n_rows; i++) {
		if (strcmp(site->rows[i].key, key) == 0)
			return &site->rows[i];
	}
	return NULL;
}

static enum brski_code fill_row(struct site *site, struct site_row *row, enum brski_job_kind kind,
	enum brski_job_state state, struct brski_span blob, struct brski_error *err)
{
	if (site->put_code != BRSKI_OK)
		return brski_fail(err, site->put_code, "the store says %s", brski_code_name(site->put_code));
	row->revision++;
	row->kind = kind;
	row->state = state;
	row->given = false;
	MUST(brski_buf_set(&row->blob, blob));
	return BRSKI_OK;
}

static void note_next(struct site_row *row, const struct brski_job_next *next)
{
	if (next->back_end[0])
		snprintf(row->back_end, sizeof(row->back_end), "%s", next->back_end);
	row->not_before = next->not_before;
}

static void forget_vouchers(struct site *site)
{
	size_t n = 0;

	for (size_t i = 0; i < site->n_rows; i++) {
		struct site_row row = site->rows[i];

		memset(&site->rows[i], 0, sizeof(row));
		if (row.kind == BRSKI_JOB_VOUCHER && row.state == BRSKI_JOB_DONE)
			brski_buf_free(&row.blob);
		else
			site->rows[n++] = row;
	}
	site->n_rows = n;
}

static void take_back(struct site *site, const struct brski_device *device)
{
	struct site_permission *p = &site->permission;

	forget_vouchers(site);
	if (p->row.revision == 0 || p->row.state == BRSKI_PERMISSION_TAKEN_BACK ||
		strcmp(p->serial_number, device->serial_number) != 0 ||
		strcmp(p->manufacturer, device->manufacturer) != 0)
		return;
	p->row.state = BRSKI_PERMISSION_TAKEN_BACK;
	p->row.since = site->now;
	p->row.revision++;
}

static enum brski_code job_room(void *ctx, const struct brski_device *device, enum brski_work work,
	long *seconds, struct brski_error *err)
{
	struct site *site = ctx;
	enum brski_code code = call(site, err);

	must(device->fingerprint[0] != '\0' && work < BRSKI_WORKS, "job_room");
	*seconds = site->room_seconds;
	if (code == BRSKI_OK && site->room_code != BRSKI_OK)
		return brski_fail(
			err, site->room_code, "the store says %s", brski_code_name(site->room_code));
	return code;
}

static enum brski_code job_add(void *ctx, const char *key, enum brski_job_kind kind, enum brski_work work,
	const struct brski_job_next *next, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err)
{
	struct site *site = ctx;
	bool happens;
	enum brski_code done, code = change(site, &happens, err);
	struct site_row row = {.revision = 0};

	must(strlen(key) == 64 && device->fingerprint[0] != '\0', "job_add");
	must((kind == BRSKI_JOB_VOUCHER) == (work == BRSKI_WORK_VOUCHER), "job_add: its work");
	if (!happens)
		return code;
	if (site_row(site, key))
		return code == BRSKI_OK ? brski_fail(err, BRSKI_UNEXPECTED, "there is one") : code;
	must(site->n_rows < SITE_ROWS_MAX, "too many rows");
	snprintf(row.key, sizeof(row.key), "%s", key);
	done = fill_row(site, &row, kind, BRSKI_JOB_WAITING, blob, err);
	note_next(&row, next);
	if (done == BRSKI_OK)
		site->rows[site->n_rows++] = row;
	return code == BRSKI_OK ? done : code;
}

static enum brski_code job_put(void *ctx, const char *key, uint64_t revision, enum brski_job_kind kind,
	enum brski_job_state state, bool takes_back, const struct brski_job_next *next,
	const struct brski_device *device, struct brski_span blob, struct brski_error *err)
{
	struct site *site = ctx;
	bool happens;
	enum brski_code done, code = change(site, &happens, err);
	struct site_row *row = site_row(site, key);

	must(strlen(key) == 64 && device->fingerprint[0] != '\0' && revision > 0, "job_put");
	if (!happens)
		return code;
	if (!row || row->revision != revision)
		return code == BRSKI_OK ? brski_fail(err, BRSKI_UNEXPECTED, "it is not what it was") : code;
	must(row->kind == kind, "job_put: another kind");
	done = fill_row(site, row, kind, state, blob, err);
	note_next(row, next);
	if (done == BRSKI_OK && takes_back)
		take_back(site, device);
	return code == BRSKI_OK ? done : code;
}

static enum brski_code job_get(
	void *ctx, const char *key, struct brski_buf *blob, uint64_t *revision, struct brski_error *err)
{
	struct site *site = ctx;
	struct site_row *row = site_row(site, key);
	enum brski_code code = call(site, err);

	if (code != BRSKI_OK)
		return code;
	if (site->fail_gets)
		return brski_fail(err, BRSKI_UNAVAILABLE, "nothing can be read");
	if (!row)
		return brski_fail(err, BRSKI_NOT_FOUND, "no such job");
	*revision = row->revision;
	return brski_buf_set(blob, brski_buf_span(&row->blob));
}

static struct site_note *find_note(struct site *site, const char *key)
{
	for (size_t i = 0; i < site->n_notes; i++) {
		if (strcmp(site->notes[i].key, key) == 0)
			return &site->notes[i];
	}
	return NULL;
}

static enum brski_code note_put(void *ctx, const struct brski_note *note, struct brski_error *err)
{
	struct site *site = ctx;
	bool happens;
	enum brski_code code = change(site, &happens, err);
	struct site_note *kept = find_note(site, note->key);

	must(strlen(note->key) == 64 && strlen(note->value) == 64 && !site_row(site, note->key), "note_put");
	must(note->device->fingerprint[0] != '\0', "note_put: device");
	if (!happens)
		return code;
	must(kept || site->n_notes < SITE_ROWS_MAX, "too many notes");
	if (!kept)
		kept = &site->notes[site->n_notes++];
	snprintf(kept->key, sizeof(kept->key), "%s", note->key);
	snprintf(kept->name, sizeof(kept->name), "%s", note->name);
	snprintf(kept->value, sizeof(kept->value), "%s", note->value);
	kept->of_transaction = note->of_transaction;
	return code;
}

static enum brski_code note_get(
	void *ctx, const char *key, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err)
{
	struct site *site = ctx;
	const struct site_note *note = find_note(site, key);
	enum brski_code code = call(site, err);

	if (code != BRSKI_OK)
		return code;
	if (!note)
		return brski_fail(err, BRSKI_NOT_FOUND, "no such note");
	snprintf(value, BRSKI_FINGERPRINT_MAX, "%s", note->value);
	return BRSKI_OK;
}

static enum brski_code permission_get(
	void *ctx, const char *key, struct brski_permission *out, struct brski_error *err)
{
	struct site *site = ctx;
	enum brski_code code = call(site, err);

	must(strlen(key) == 64 && !site_row(site, key) && !find_note(site, key), "permission_get");
	if (code != BRSKI_OK)
		return code;
	if (site->permission.row.revision == 0 || strcmp(site->permission.row.key, key) != 0)
		return brski_fail(err, BRSKI_NOT_FOUND, "no such permission");
	*out = site->permission.row;
	return BRSKI_OK;
}

static enum brski_code put_permission(
	struct site *site, const struct brski_permission *p, struct brski_error *err)
{
	const bool gives = p->state == BRSKI_PERMISSION_VOUCHER && p->voucher[0] != '\0';
	struct site_row *voucher = gives ? site_row(site, p->voucher) : NULL;

	/* one device at a time: another takes its place */
	if (strcmp(site->permission.row.key, p->key) != 0)
		memset(&site->permission, 0, sizeof(site->permission));
	if (site->permission.row.revision != p->revision)
		return brski_fail(err, BRSKI_UNEXPECTED, "it is not what it was");
	if (gives && (!voucher || voucher->state != BRSKI_JOB_DONE || voucher->given))
		return brski_fail(err, BRSKI_NOT_FOUND, "no such voucher");
	if (voucher)
		voucher->given = true;
	site->permission.row = *p;
	site->permission.row.device = NULL;
	site->permission.row.revision++;
	snprintf(site->permission.manufacturer, sizeof(site->permission.manufacturer), "%s",
		p->device->manufacturer);
	snprintf(site->permission.serial_number, sizeof(site->permission.serial_number), "%s",
		p->device->serial_number);
	return BRSKI_OK;
}

static enum brski_code permission_put(void *ctx, const struct brski_permission *p, struct brski_error *err)
{
	struct site *site = ctx;
	bool happens;
	enum brski_code done, code = change(site, &happens, err);

	must(strlen(p->key) == 64 && (p->voucher[0] == '\0' || strlen(p->voucher) == 64), "permission_put");
	if (!happens)
		return code;
	done = put_permission(site, p, err);
	return code == BRSKI_OK ? done : code;
}

static enum brski_code permission_take_back(
	void *ctx, const struct brski_device *device, struct brski_error *err)
{
	struct site *site = ctx;
	bool happens;
	enum brski_code code = change(site, &happens, err);

	if (happens)
		take_back(site, device);
	return code;
}

static enum brski_code listed(
	void *ctx, const struct brski_device *device, bool *yes, struct brski_error *err)
{
	struct site *site = ctx;
	enum brski_code code = call(site, err);

	must(device->fingerprint[0] != '\0', "listed");
	*yes = site->listed;
	return code;
}

static enum brski_code nonceless_voucher(
	void *ctx, const struct brski_device *device, struct brski_buf *cms, struct brski_error *err)
{
	struct site *site = ctx;
	enum brski_code code = call(site, err);

	(void)device;
	if (code != BRSKI_OK)
		return code;
	if (site->nonceless.len == 0)
		return brski_fail(err, BRSKI_NOT_FOUND, "none was fetched ahead");
	return brski_buf_set(cms, brski_buf_span(&site->nonceless));
}

static void event(void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail)
{
	struct site *site = ctx;
	struct site_event *e;

	(void)device;
	must(site->n_events < SITE_EVENTS_MAX, "too many events");
	e = &site->events[site->n_events++];
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->detail, sizeof(e->detail), "%s", detail);
	e->ok = ok;
	if (getenv("SITE_LOG"))
		fprintf(stderr, "  event %s %s: %s\n", what, ok ? "ok" : "FAILED", detail);
}

bool site_has_event(const struct site *site, const char *what, bool ok, const char *words)
{
	for (size_t i = 0; i < site->n_events; i++) {
		if (strcmp(site->events[i].what, what) == 0 && site->events[i].ok == ok &&
			strstr(site->events[i].detail, words))
			return true;
	}
	return false;
}

unsigned site_count_events(const struct site *site, const char *what, bool ok)
{
	unsigned n = 0;

	for (size_t i = 0; i < site->n_events; i++)
		n += strcmp(site->events[i].what, what) == 0 && site->events[i].ok == ok;
	return n;
}

static const struct brski_registrar_ops ops = {
	.find_manufacturer = find_manufacturer,
	.decide = decide,
	.job_room = job_room,
	.job_add = job_add,
	.job_put = job_put,
	.job_get = job_get,
	.note_put = note_put,
	.note_get = note_get,
	.permission_get = permission_get,
	.permission_put = permission_put,
	.permission_take_back = permission_take_back,
	.listed = listed,
	.event = event,
	.nonceless_voucher = nonceless_voucher,
};

/* ---- making and breaking it ---- */

static STACK_OF(X509) *just(X509 *cert)
{
	STACK_OF(X509) *certs = sk_X509_new_null();

	must(certs && X509_up_ref(cert) && sk_X509_push(certs, cert) > 0, "no memory");
	return certs;
}

static void make_domain(struct site *site)
{
	struct pki_spec spec = {
		.subject = "CN=Registrar,O=Plant",
		.key_type = site->key_type,
		.eku = "serverAuth,clientAuth,cmcRA",
	};
	struct pki_spec ca = {
		.subject = "CN=CA,O=Plant",
		.ca = true,
		.key_usage = "keyCertSign,cRLSign,digitalSignature", /* it signs CMP too */
	};

	site->domain_root = pki_root("CN=Root,O=Plant");
	site->domain_ca = pki_make(&ca, &site->domain_root);
	site->registrar_cred = pki_make(&spec, &site->domain_ca);
}

static void make_manufacturer(struct site *site)
{
	struct pki_spec spec = {
		.subject = SITE_SUBJECT, .key_type = site->key_type, .masa_url = "masa.acme.example"};

	site->maker_root = pki_root("CN=Root,O=Acme");
	site->maker_ca = pki_ca("CN=Factory,O=Acme", &site->maker_root);
	site->idevid = pki_make(&spec, &site->maker_ca);
	site->masa_root = pki_root("CN=MASA Root,O=Acme");
	site->masa_cred = pki_leaf("CN=MASA,O=Acme", "P-256", &site->masa_root);
	site->foreign = pki_root("CN=Root,O=Mallory");
}

static void make_stacks(struct site *site)
{
	site->domain_anchors = just(site->domain_root.cert);
	site->maker_anchors = just(site->maker_root.cert);
	site->masa_anchors = just(site->masa_root.cert);
	site->device_chain = pki_certs(&site->idevid, NULL);
}

static void free_stacks(struct site *site)
{
	pki_free_certs(site->domain_anchors);
	pki_free_certs(site->maker_anchors);
	pki_free_certs(site->masa_anchors);
	pki_free_certs(site->device_chain);
}

void site_open(struct site *site, const char *key_type)
{
	memset(site, 0, sizeof(*site));
	site->key_type = key_type;
	site->now = time(NULL);
	site->env = (struct brski_env){.ctx = site, .now = now, .log = keep_line};
	make_domain(site);
	make_manufacturer(site);
	make_stacks(site);
	site->decision = BRSKI_ACCEPT;
	site->decision_why = "it is in the inventory";
	site->masa_url = "";
	site->check_voucher = site->audit_log = true;
	site->issued = sk_X509_new_null();
	must(site->issued != NULL, "no memory");
	site->config = (struct brski_registrar_config){
		.credential = &site->registrar_cred,
		.domain_anchors = site->domain_anchors,
		.cmp_url = "http://ca.plant.example:8080/cmp",
		.labels = true,
		.nest = true,
		.answer_genm = true,
		.check_answers = true,
		.retry_after = 30,
		.ops = &ops,
		.ops_ctx = site,
		.env = &site->env,
	};
	site_restart(site);
}

void site_load(struct site *site, const char *folder)
{
	site_open(site, "P-256");
	pki_replace(&site->domain_root, folder, "domain-root");
	pki_replace(&site->domain_ca, folder, "domain-ca");
	pki_replace(&site->registrar_cred, folder, "registrar");
	pki_replace(&site->maker_root, folder, "maker-root");
	pki_replace(&site->maker_ca, folder, "maker-ca");
	pki_replace(&site->idevid, folder, "idevid");
	pki_replace(&site->masa_root, folder, "masa-root");
	pki_replace(&site->masa_cred, folder, "masa");
	pki_replace(&site->foreign, folder, "foreign");
	free_stacks(site);
	make_stacks(site);
	site->config.domain_anchors = site->domain_anchors;
	site_restart(site);
}

static void free_rows(struct site_row *rows, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		brski_buf_free(&rows[i].blob);
	memset(rows, 0, *n * sizeof(*rows));
	*n = 0;
}

static void copy_rows(struct site_row *to, size_t *n_to, const struct site_row *from, size_t n)
{
	free_rows(to, n_to);
	for (size_t i = 0; i < n; i++) {
		to[i] = from[i];
		to[i].blob = (struct brski_buf){0};
		MUST(brski_buf_set(&to[i].blob, brski_buf_span(&from[i].blob)));
	}
	*n_to = n;
}

void site_remember(const struct site *site, struct site_memory *memory)
{
	copy_rows(memory->rows, &memory->n_rows, site->rows, site->n_rows);
	memcpy(memory->notes, site->notes, sizeof(site->notes));
	memory->n_notes = site->n_notes;
	memory->permission = site->permission;
}

void site_recall(struct site *site, const struct site_memory *memory)
{
	copy_rows(site->rows, &site->n_rows, memory->rows, memory->n_rows);
	memcpy(site->notes, memory->notes, sizeof(site->notes));
	site->n_notes = memory->n_notes;
	site->permission = memory->permission;
}

void site_memory_free(struct site_memory *memory)
{
	free_rows(memory->rows, &memory->n_rows);
}

static void forget_ca(struct site *site)
{
	for (unsigned i = 0; i < SITE_REPEATS_MAX; i++) {
		brski_buf_free(&site->ca_asked[i]);
		brski_buf_free(&site->ca_said[i]);
	}
	site->n_ca_said = 0;
}

void site_forget(struct site *site)
{
	free_rows(site->rows, &site->n_rows);
	forget_ca(site);
	while (sk_X509_num(site->issued) > 0)
		X509_free(sk_X509_pop(site->issued));
	site->n_notes = site->n_events = 0;
	memset(&site->permission, 0, sizeof(site->permission));
	site->n_masa_calls = site->n_audit_calls = site->n_ca_calls = 0;
	site->n_issued = site->n_confirmed = site->n_rejected = site->n_decisions = 0;
	site->n_calls = site->fail_at = site->intrude_at = 0;
	site->fail_on = site->fail_late = false;
	site->intrude = NULL;
}

void site_restart(struct site *site)
{
	struct brski_error err = {0};

	brski_registrar_free(site->registrar);
	must(brski_registrar_new(&site->config, &site->registrar, &err) == BRSKI_OK, err.why);
}

void site_close(struct site *site)
{
	brski_registrar_free(site->registrar);
	pki_free(&site->domain_root);
	pki_free(&site->domain_ca);
	pki_free(&site->registrar_cred);
	pki_free(&site->maker_root);
	pki_free(&site->maker_ca);
	pki_free(&site->idevid);
	pki_free(&site->masa_root);
	pki_free(&site->masa_cred);
	pki_free(&site->foreign);
	free_stacks(site);
	pki_free_certs(site->issued);
	brski_buf_free(&site->ca_first);
	brski_buf_free(&site->ca_nonce);
	brski_buf_free(&site->nonceless);
	free_rows(site->rows, &site->n_rows);
	forget_ca(site);
	memset(site, 0, sizeof(*site));
}

struct brski_registrar_session *site_session(struct site *site)
{
	struct brski_registrar_session *s;
	struct brski_error err = {0};

	must(brski_registrar_session_new(site->registrar, site->device_chain, "port 1", &s, &err) == BRSKI_OK,
		err.why);
	return s;
}

/* ---- driving ---- */

bool site_upstream(struct site *site, const struct brski_call *call, struct brski_http *answer)
{
	snprintf(site->last_url, sizeof(site->last_url), "%s", call->url);
	return strcmp(call->back_end, "MASA") == 0 ? site_masa(site, call, answer)
						   : site_ca(site, call, answer);
}

void site_drive_once(struct site *site, struct brski_job *job)
{
	struct brski_http answer = {0};
	struct brski_error err = {0};
	struct brski_call call;
	bool up;

	if (!brski_job_call(job, &call))
		return;
	up = site_upstream(site, &call, &answer);
	must(brski_job_answer(job, up ? &answer : NULL, up ? NULL : "connection refused", &err) == BRSKI_OK,
		err.why);
	brski_http_free(&answer);
}

void site_drive(struct site *site, struct brski_job *job)
{
	struct brski_call call;

	while (brski_job_call(job, &call)) {
		site_drive_once(site, job);
		if (brski_job_not_before(job) > 0)
			return;
	}
}
