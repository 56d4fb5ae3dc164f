/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_STORE_H
#define BRSKI_SERVICES_REGISTRAR_STORE_H

#include "eap_brski/registrar/registrar.h"

/*
 * What the registrar remembers: manufacturers, devices, jobs, history. SQL stays behind this
 * header; today it is SQLite (WAL), opened by the server and by brskictl at the same time. What
 * these functions write outlives a power failure, but for the last events and sightings, which they
 * do not wait for the disk with. Functions may be called from any thread.
 */
struct brski_store;

/*
 * Makes the database (mode 0640) and its tables if `create`; else BRSKI_NOT_FOUND if there is none.
 * Refuses a schema that is newer than ours.
 */
BRSKI_CHECKED enum brski_code brski_store_open(
	const char *path, bool create, struct brski_store **out, struct brski_error *err);
void brski_store_close(struct brski_store *store);

/* ---- Manufacturers ---- */

struct brski_store_manufacturer { /* PEM texts; "" or empty: none */
	char name[64];
	char masa_url[BRSKI_URL_MAX];
	struct brski_buf idevid_anchors;
	struct brski_buf voucher_anchors;
	struct brski_buf tls_anchors;
	struct brski_buf crls;
	enum brski_mode mode;
	bool check_voucher;
	bool audit_log;
	bool allow_foreign_domains;
	bool allow_nonceless;
};
void brski_store_manufacturer_free(struct brski_store_manufacturer *m);
BRSKI_CHECKED enum brski_code brski_store_manufacturer_put(struct brski_store *store,
	const struct brski_store_manufacturer *m, struct brski_error *err); /* adds or replaces */
BRSKI_CHECKED enum brski_code brski_store_manufacturer_get(struct brski_store *store, const char *name,
	struct brski_store_manufacturer *out, struct brski_error *err);
/* Its devices go with it. BRSKI_NOT_FOUND. */
BRSKI_CHECKED enum brski_code brski_store_manufacturer_remove(
	struct brski_store *store, const char *name, struct brski_error *err);
typedef void brski_store_manufacturer_row(void *ctx, const struct brski_store_manufacturer *m);
BRSKI_CHECKED enum brski_code brski_store_manufacturers(
	struct brski_store *store, brski_store_manufacturer_row *row, void *ctx, struct brski_error *err);
/* Changes whenever manufacturers may have changed, also by another process: for caches. */
BRSKI_CHECKED enum brski_code brski_store_generation(
	struct brski_store *store, uint64_t *out, struct brski_error *err);

/* ---- Devices: the inventory ---- */

struct brski_store_device {
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	char note[128];
	time_t added;
	char state[16];   /* "listed", "onboarded", "failed": what happened last */
	time_t last_seen; /* 0: never */
};
BRSKI_CHECKED enum brski_code brski_store_device_put(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *note,
	struct brski_error *err); /* BRSKI_NOT_FOUND: no such manufacturer */
BRSKI_CHECKED enum brski_code brski_store_device_remove(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err);
/* BRSKI_NOT_FOUND: not in the inventory. */
BRSKI_CHECKED enum brski_code brski_store_device_get(struct brski_store *store, const char *manufacturer,
	const char *serial, struct brski_store_device *out, struct brski_error *err);
/* Notes that the device was here. state NULL: unchanged. Nothing happens if it is not in the inventory. */
BRSKI_CHECKED enum brski_code brski_store_device_seen(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *state, struct brski_error *err);
typedef void brski_store_device_row(void *ctx, const struct brski_store_device *device);
/* manufacturer NULL: all. */
BRSKI_CHECKED enum brski_code brski_store_devices(struct brski_store *store, const char *manufacturer,
	brski_store_device_row *row, void *ctx, struct brski_error *err);

/* ---- Devices outside of the inventory ---- */

/* What the operator has said of a device. Listing it makes an end of the refusal, and the other way round. */
enum brski_standing {
	BRSKI_STANDING_UNKNOWN,
	BRSKI_STANDING_PENDING,
	BRSKI_STANDING_LISTED,
	BRSKI_STANDING_REFUSED
};
BRSKI_CHECKED enum brski_code brski_store_standing(struct brski_store *store, const char *manufacturer,
	const char *serial, enum brski_standing *out, struct brski_error *err);

struct brski_store_candidate {
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	bool refused; /* else it waits */
	char subject[256];
	char fingerprint[BRSKI_FINGERPRINT_MAX];
	time_t first_seen; /* 0: never was here */
	time_t last_seen;
	unsigned visits;
	char note[128];
};
/*
 * A device is here (at last_seen; 0: now) that the operator must decide on: it waits from now on,
 * unless he has decided already. BRSKI_TOO_LARGE: `most` others wait already. BRSKI_NOT_FOUND: no
 * such manufacturer.
 */
BRSKI_CHECKED enum brski_code brski_store_candidate_seen(struct brski_store *store,
	const struct brski_store_candidate *c, unsigned most, struct brski_error *err);
/*
 * The operator's word on a candidate: into the inventory it goes. BRSKI_NOT_FOUND: it is none. note
 * NULL: as it is.
 */
BRSKI_CHECKED enum brski_code brski_store_candidate_accept(struct brski_store *store,
	const char *manufacturer, const char *serial, const char *note, struct brski_error *err);
/*
 * The same; a device that was never here, and one of the inventory, may be refused as well.
 * BRSKI_NOT_FOUND: no such manufacturer.
 */
BRSKI_CHECKED enum brski_code brski_store_candidate_refuse(struct brski_store *store,
	const char *manufacturer, const char *serial, const char *note, struct brski_error *err);
typedef void brski_store_candidate_row(void *ctx, const struct brski_store_candidate *c);
/* Oldest first. */
BRSKI_CHECKED enum brski_code brski_store_candidates(struct brski_store *store, bool refused,
	brski_store_candidate_row *row, void *ctx, struct brski_error *err);
/* Forgets those that wait and were not here since `before`. */
BRSKI_CHECKED enum brski_code brski_store_candidates_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err);

/* ---- Rules of mode "type" ---- */

#define BRSKI_TYPE_PATTERN_MAX 256
struct brski_store_type {
	char manufacturer[64];
	char pattern[BRSKI_TYPE_PATTERN_MAX];
	time_t added;
};
BRSKI_CHECKED enum brski_code brski_store_type_put(struct brski_store *store, const char *manufacturer,
	const char *pattern, struct brski_error *err); /* BRSKI_NOT_FOUND: no such manufacturer */
BRSKI_CHECKED enum brski_code brski_store_type_remove(
	struct brski_store *store, const char *manufacturer, const char *pattern, struct brski_error *err);
typedef void brski_store_type_row(void *ctx, const struct brski_store_type *type);
/* manufacturer NULL: all. */
BRSKI_CHECKED enum brski_code brski_store_types(struct brski_store *store, const char *manufacturer,
	brski_store_type_row *row, void *ctx, struct brski_error *err);

/* ---- History ---- */

struct brski_store_event {
	time_t at;
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	char what[32];
	bool ok;
	char detail[512];
	unsigned times; /* as read: how often in a row, `at` being the last time */
};
/*
 * An event that is one of the device's last two once more changes the time of that: devices that
 * wait come every minute.
 */
BRSKI_CHECKED enum brski_code brski_store_event_add(
	struct brski_store *store, const struct brski_store_event *event, struct brski_error *err);
typedef void brski_store_event_row(void *ctx, const struct brski_store_event *event);
/* The last `most` ones, oldest first; serial NULL: of all devices. */
BRSKI_CHECKED enum brski_code brski_store_events(struct brski_store *store, const char *serial, unsigned most,
	brski_store_event_row *row, void *ctx, struct brski_error *err);
/* Keeps the newest `keep` events of devices whose manufacturer is known, and a tenth as many of others. */
BRSKI_CHECKED enum brski_code brski_store_events_trim(
	struct brski_store *store, unsigned keep, struct brski_error *err);

/* ---- Jobs ---- */

struct brski_store_job {
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_job_kind kind;
	enum brski_job_state state;
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	time_t created;
	time_t updated;
	struct brski_buf blob;
};
void brski_store_job_free(struct brski_store_job *job);
BRSKI_CHECKED enum brski_code brski_store_job_put(
	struct brski_store *store, const struct brski_store_job *job, struct brski_error *err);
/* What may wait. 0: no bound. */
struct brski_store_limits {
	unsigned waiting; /* requests in all */
	unsigned waiting_per_device;
	size_t octets; /* of one of them, as stored */
};
/*
 * The same for a request of a device. BRSKI_TOO_LARGE if it is new and goes beyond a bound; what is
 * stored may always change.
 */
BRSKI_CHECKED enum brski_code brski_store_job_admit(struct brski_store *store,
	const struct brski_store_job *job, const struct brski_store_limits *limits, struct brski_error *err);
struct brski_store_job_totals {
	unsigned waiting, waiting_vouchers, waiting_certificates;
	unsigned done, refused;
	time_t oldest;   /* of those that wait; 0: none */
	uint64_t octets; /* of all; notes are not counted */
};
BRSKI_CHECKED enum brski_code brski_store_job_totals(
	struct brski_store *store, struct brski_store_job_totals *out, struct brski_error *err);
/*
 * Answers that came in by another way than the server's: the first one is of a job that is WAITING
 * in the store, else BRSKI_UNEXPECTED; the others are what its answer changes besides. All or
 * nothing.
 */
BRSKI_CHECKED enum brski_code brski_store_jobs_settle(
	struct brski_store *store, const struct brski_store_job *jobs, size_t n, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_store_job_get(
	struct brski_store *store, const char *key, struct brski_store_job *out, struct brski_error *err);
/* Jobs in that state, oldest first. The row may keep the job by moving its blob away. */
typedef void brski_store_job_row(void *ctx, struct brski_store_job *job);
BRSKI_CHECKED enum brski_code brski_store_jobs(struct brski_store *store, enum brski_job_state state,
	unsigned most, brski_store_job_row *row, void *ctx, struct brski_error *err);
/* Removes jobs that were last touched before `before`, but no notes. *n: how many. */
BRSKI_CHECKED enum brski_code brski_store_jobs_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err);

/* ---- Vouchers without nonce, fetched ahead ---- */

struct brski_store_nonceless {
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	char key[BRSKI_FINGERPRINT_MAX]; /* SHA-256 of the request */
	bool waiting;                    /* for the answer to it */
	time_t asked;
	struct brski_buf issuer;  /* idevid-issuer that was asked for; empty: none */
	struct brski_buf request; /* the registrar's, signed */
	struct brski_buf voucher; /* judged; of this request, or of one before it; empty: none yet */
	time_t fetched;
	time_t expires_on; /* 0: never */
};
void brski_store_nonceless_free(struct brski_store_nonceless *a);
/*
 * Keeps a new request for a device; its voucher, if there is one, stays. BRSKI_NOT_FOUND: no such
 * manufacturer.
 */
BRSKI_CHECKED enum brski_code brski_store_nonceless_ask(
	struct brski_store *store, const struct brski_store_nonceless *a, struct brski_error *err);
/* voucher, fetched and expires_on, for the request that waits under that key. BRSKI_UNEXPECTED: none does. */
BRSKI_CHECKED enum brski_code brski_store_nonceless_fill(
	struct brski_store *store, const struct brski_store_nonceless *a, struct brski_error *err);
/* BRSKI_NOT_FOUND */
BRSKI_CHECKED enum brski_code brski_store_nonceless_get(struct brski_store *store, const char *manufacturer,
	const char *serial, struct brski_store_nonceless *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_store_nonceless_by_key(struct brski_store *store, const char *key,
	struct brski_store_nonceless *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_store_nonceless_remove(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err);
typedef void brski_store_nonceless_row(void *ctx, struct brski_store_nonceless *a);
/* manufacturer NULL: all. */
BRSKI_CHECKED enum brski_code brski_store_nonceless_list(struct brski_store *store, const char *manufacturer,
	brski_store_nonceless_row *row, void *ctx, struct brski_error *err);

#endif
