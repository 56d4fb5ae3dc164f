/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_STORE_H
#define BRSKI_SERVICES_REGISTRAR_STORE_H

#include "eap_brski/registrar/registrar.h"
#include "services/base/kept.h"
#include "services/registrar/device_list.h"

/*
 * What the registrar remembers: manufacturers, devices, jobs, notes, history. SQL stays behind this
 * header; today it is SQLite (WAL), opened by the server and by brskictl at the same time. Any other
 * database must pass the same tests (tests/unit/support/store_contract.h).
 *
 * Values go in and come out: rows are copied, and what a row holds is its owner's to free. Each
 * function happens at once, for other threads and processes too, and wholly or not at all. From when
 * on it outlives a power failure, "What is kept" says. They may be called from any thread. Outputs are
 * zeroed first.
 *
 * Codes that the functions name are answers; every other one but BRSKI_OK is a failure, and says
 * nothing of what is stored: BRSKI_UNAVAILABLE if others sat on the database for too long,
 * BRSKI_NO_MEMORY, else BRSKI_INTERNAL.
 */
struct brski_store;

/*
 * Makes the database (mode 0640) and its tables if `create`; else BRSKI_NOT_FOUND if there is none.
 * Refuses a schema that is newer than ours.
 */
BRSKI_CHECKED enum brski_code brski_store_open(
	const char *path, bool create, struct brski_store **out, struct brski_error *err);

struct brski_store_options {
	bool create;
	bool keep_later;             /* see "What is kept" */
	const struct brski_env *env; /* borrowed: its log hears of a disk that fails; may be NULL */
};
BRSKI_CHECKED enum brski_code brski_store_open_with(const char *path,
	const struct brski_store_options *options, struct brski_store **out, struct brski_error *err);

/*
 * A database that can only be read opens as any other: this is an error then, with words for the operator
 * on whose right to which file is missing.
 */
BRSKI_CHECKED enum brski_code brski_store_check_writable(struct brski_store *store, struct brski_error *err);

/* What is not kept yet, is kept before this returns, if the disk can. NULL is nothing. */
void brski_store_close(struct brski_store *store);

/* ---- What is kept ---- */

/*
 * Kept is what outlives a power failure. A store that was opened without keep_later keeps each change
 * before the function returns. One with keep_later does not wait for the disk: what was changed is
 * seen at once, by everybody, and is kept soon after, all that came together by one wait of a thread
 * of the store's own. So nobody is to be told of it, by an answer or by a call, before it is kept:
 *
 *   (all that is to be changed for one answer, and all that it rests on and was read)
 *   mark = brski_store_mark(store);
 *   (go on when brski_store_kept(store, mark, ...) is BRSKI_KEPT, then answer)
 *
 * Of what a mark covers all has been kept, or something may not have been. That is not known of the
 * single change, so whoever holds a mark that is BRSKI_NOT_KEPT answers nothing, as if nothing of it
 * had happened, and whoever asks once more finds what is there. A power failure keeps the changes in
 * their order: what is lost is the last of them, never one before one that stays.
 *
 * The last events, sightings (brski_store_device_seen, brski_store_candidate_seen) and leases are
 * waited for by nobody, and may be lost in a power failure whatever a mark says.
 */
/*
 * All that was changed until now, by this program, and what another one has changed and was read here.
 * Costs nothing, and does not block.
 */
uint64_t brski_store_mark(struct brski_store *store);
/* Does not block. *why (which may be NULL) is filled if it is BRSKI_NOT_KEPT. */
enum brski_kept brski_store_kept(struct brski_store *store, uint64_t mark, struct brski_error *why);
/* Waits for it, ms milliseconds at most: BRSKI_NOT_YET_KEPT if it takes longer. */
enum brski_kept brski_store_wait_kept(
	struct brski_store *store, uint64_t mark, long ms, struct brski_error *why);
/*
 * moved(ctx) is called whenever marks that were not kept yet have become BRSKI_KEPT or BRSKI_NOT_KEPT, in
 * the store's own thread: it must be quick, set a flag or wake a loop, and may call brski_store_kept, but
 * nothing else of the store. The worker and a door may each want that, with a ctx of its own, up to four
 * of them; moved NULL: this ctx does no more. When this returns, what was called with this ctx before is
 * not called any more, and is not being called.
 */
void brski_store_on_kept(struct brski_store *store, void (*moved)(void *ctx), void *ctx);

/*
 * Lists come in pages, and nothing is held between two of them: others may change what they like. A
 * row that is there all the time is in the list once; one that comes or goes meanwhile may be in it
 * or not.
 *
 *   struct brski_store_place place = {0};
 *   do {
 *           code = brski_store_X_page(store, ..., &place, rows, MOST, &n, err);
 *           (use rows[0] to rows[n - 1], and free them if they hold anything)
 *   } while (code == BRSKI_OK && n == MOST);
 *
 * place is zeroed where the list begins, and goes on with each page. *n is 0 after an error, and the
 * list is at its end then.
 */
struct brski_store_place { /* the store's own */
	int64_t number;
	char first[160];
	char second[512];
};
/*
 * What forgets rows that are old (brski_store_..._expire) removes so many of them at most, so that others
 * have their turn. If *n is as many, there may be more.
 */
#define BRSKI_STORE_STEP 200

#define BRSKI_STORE_PAGE 64      /* a good `most` */
#define BRSKI_STORE_PAGE_HEAVY 8 /* of rows with blobs */

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
/* BRSKI_UNEXPECTED: there is one of this name already. */
BRSKI_CHECKED enum brski_code brski_store_manufacturer_add(
	struct brski_store *store, const struct brski_store_manufacturer *m, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_store_manufacturer_put(struct brski_store *store,
	const struct brski_store_manufacturer *m, struct brski_error *err); /* adds or replaces */
BRSKI_CHECKED enum brski_code brski_store_manufacturer_get(struct brski_store *store, const char *name,
	struct brski_store_manufacturer *out, struct brski_error *err);
/* Its devices go with it. BRSKI_NOT_FOUND. */
BRSKI_CHECKED enum brski_code brski_store_manufacturer_remove(
	struct brski_store *store, const char *name, struct brski_error *err);
/* By name. */
BRSKI_CHECKED enum brski_code brski_store_manufacturers_page(struct brski_store *store,
	struct brski_store_place *place, struct brski_store_manufacturer *rows, unsigned most, unsigned *n,
	struct brski_error *err);
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
/* note NULL: none, or as it is. BRSKI_NOT_FOUND: no such manufacturer. */
BRSKI_CHECKED enum brski_code brski_store_device_put(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err);
/*
 * All of the list, in its order, or nothing; but for devices that are refused, which stay so: *refused is how
 * many. BRSKI_NOT_FOUND: no such manufacturer.
 */
BRSKI_CHECKED enum brski_code brski_store_devices_put(struct brski_store *store, const char *manufacturer,
	const struct device_list *list, size_t *refused, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_store_device_remove(
	struct brski_store *store, const char *manufacturer, const char *serial, struct brski_error *err);
/* BRSKI_NOT_FOUND: not in the inventory. */
BRSKI_CHECKED enum brski_code brski_store_device_get(struct brski_store *store, const char *manufacturer,
	const char *serial, struct brski_store_device *out, struct brski_error *err);
/* Notes that the device was here. state NULL: unchanged. Nothing happens if it is not in the inventory. */
BRSKI_CHECKED enum brski_code brski_store_device_seen(struct brski_store *store, const char *manufacturer,
	const char *serial, const char *state, struct brski_error *err);
/* By manufacturer (NULL: of all) and serial number. */
BRSKI_CHECKED enum brski_code brski_store_devices_page(struct brski_store *store, const char *manufacturer,
	struct brski_store_place *place, struct brski_store_device *rows, unsigned most, unsigned *n,
	struct brski_error *err);

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
/*
 * Oldest first. One that was refused before it ever came moves to the end when it does: in that
 * moment it may be in the list twice.
 */
BRSKI_CHECKED enum brski_code brski_store_candidates_page(struct brski_store *store, bool refused,
	struct brski_store_place *place, struct brski_store_candidate *rows, unsigned most, unsigned *n,
	struct brski_error *err);
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
/* By manufacturer (NULL: of all) and pattern. */
BRSKI_CHECKED enum brski_code brski_store_types_page(struct brski_store *store, const char *manufacturer,
	struct brski_store_place *place, struct brski_store_type *rows, unsigned most, unsigned *n,
	struct brski_error *err);

/* ---- Doors that have rules of the administrator's own ---- */

#define BRSKI_STORE_DOOR_MAX 400
/*
 * The last word at one door (struct brski_judge in policy.h), which other doors of this store must not
 * go around.
 */
struct brski_store_rules {
	char door[BRSKI_STORE_DOOR_MAX]; /* where they are set, for the operator: its instance and file */
	char rules[128];                 /* "virtual server brski-policy" */
	time_t since;
};
/*
 * What a door says of itself when it begins to serve; rules NULL: it has none, and its row goes. Writes
 * only what differs. BRSKI_TOO_LARGE: the door's name.
 */
BRSKI_CHECKED enum brski_code brski_store_rules_set(
	struct brski_store *store, const char *door, const char *rules, struct brski_error *err);
/* Of a door that serves no more, and so says nothing of itself. BRSKI_NOT_FOUND. */
BRSKI_CHECKED enum brski_code brski_store_rules_forget(
	struct brski_store *store, const char *door, struct brski_error *err);
/* By door. */
BRSKI_CHECKED enum brski_code brski_store_rules_page(struct brski_store *store,
	struct brski_store_place *place, struct brski_store_rules *rows, unsigned most, unsigned *n,
	struct brski_error *err);

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
/*
 * Oldest first, from the one on with which there are `newest` when the list begins; what comes
 * meanwhile is at its end. serial NULL: of all devices.
 */
BRSKI_CHECKED enum brski_code brski_store_events_page(struct brski_store *store, const char *serial,
	unsigned newest, struct brski_store_place *place, struct brski_store_event *rows, unsigned most,
	unsigned *n, struct brski_error *err);
/*
 * Keeps the newest `keep` events of devices whose manufacturer is known, and a tenth as many of others;
 * of these the newest `share` of each device, and never more than a tenth of all. share 0: as many as it
 * has. One step of it, of some milliseconds: *more says that another one is to follow, with the same
 * *trim, which is zeroed where a round begins and where it has ended, also by an error. It counts as
 * long as the round takes what there was when it began.
 */
struct brski_store_trim { /* the store's own */
	unsigned stage;
	bool at_end;
	int64_t id;
	int64_t cut[2];
	unsigned counted[2];
	struct brski_store_place place;
};
BRSKI_CHECKED enum brski_code brski_store_events_trim(struct brski_store *store, unsigned keep,
	unsigned share, struct brski_store_trim *trim, bool *more, struct brski_error *err);

/* ---- Jobs ---- */

/*
 * A request of a device, what is asked upstream for it, and the answer: one row for each key. Whoever
 * changes a row says which revision of it he has read, so nobody overwrites what he has not seen.
 */
#define BRSKI_STORE_BACK_END_MAX 288 /* scheme, host and port */
struct brski_store_job {
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_job_kind kind;
	enum brski_job_state state;
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	time_t created;       /* as read: when it was added */
	time_t updated;       /* of the last change; as given, 0 is now */
	enum brski_work work; /* as given when it is added */
	struct brski_buf blob;
	uint64_t revision; /* counts the changes, from 1; 0: there is no row */
	/*
	 * As given, with a change: so does brski_store_permission_take_back; and of BRSKI_JOB_VOUCHER the
	 * device's voucher without nonce goes, too.
	 */
	bool takes_back;
	char lease_owner[128]; /* as read: who makes its calls now; "": nobody */
	/*
	 * As read, by the database's clock: from then on he does not; 0: nobody does. Without owner: until
	 * then nobody need, since the last call came to nothing.
	 */
	time_t lease_until;
	char back_end[BRSKI_STORE_BACK_END_MAX]; /* that it calls next; as given, "" leaves it as it is */
	time_t due;                              /* it need not call before this, by the server's clock */
};
void brski_store_job_free(struct brski_store_job *job); /* what it holds; and zeroes it */

/* So many in any so many seconds, of which none is longer than a day. */
struct brski_rate {
	unsigned most; /* 0: no bound */
	unsigned seconds;
};

/* What may wait, how often a device may make work, and what is kept of it. 0: no bound. */
struct brski_store_limits {
	unsigned waiting; /* requests in all */
	unsigned waiting_per_device;
	size_t octets;                        /* of one of them, as stored */
	struct brski_rate rates[BRSKI_WORKS]; /* of one device's new ones */
	size_t kept_per_device;               /* octets of its finished ones */
};

/* A device that asks for something at a time. */
struct brski_store_work {
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	enum brski_work work;
	time_t at;
};
/*
 * Would one more be added by brski_store_job_add? BRSKI_TOO_LARGE: it would not, the words say which
 * bound it is; *seconds until it may be asked again, 0: nobody knows. How long it is, is not asked.
 */
BRSKI_CHECKED enum brski_code brski_store_job_room(struct brski_store *store,
	const struct brski_store_work *asked, const struct brski_store_limits *limits, long *seconds,
	struct brski_error *err);
/* Forgets what was asked before `before`, and after `after`, when the clock was wrong. */
BRSKI_CHECKED enum brski_code brski_store_rates_expire(
	struct brski_store *store, time_t before, time_t after, unsigned *n, struct brski_error *err);

/*
 * A new row, WAITING and of revision 1, whatever job says of these; limits NULL: no bounds. However
 * many add at one time, the bounds are kept, and the rates too. Of a device's finished requests the
 * newest 16 of each kind of work stay, and of these as many as kept_per_device has room for, but the
 * newest of each kind in any case. BRSKI_UNEXPECTED: there is a row of that key. BRSKI_TOO_LARGE: it goes
 * beyond a bound, the words say which. Nothing has changed if it is not BRSKI_OK.
 */
BRSKI_CHECKED enum brski_code brski_store_job_add(struct brski_store *store,
	const struct brski_store_job *job, const struct brski_store_limits *limits, struct brski_error *err);
/*
 * Compare and set: state, updated and blob of the row that is at job->revision, which counts up by
 * one. A row that becomes DONE or REFUSED has no lease any more. BRSKI_UNEXPECTED: it is at another
 * revision, or there is none. BRSKI_TOO_LARGE: it is finished, would wait once more, which is counted as
 * a new one, and goes beyond a bound (limits NULL: none); what waits may always change. Nothing has changed if it is not BRSKI_OK.
 */
BRSKI_CHECKED enum brski_code brski_store_job_replace(struct brski_store *store,
	const struct brski_store_job *job, const struct brski_store_limits *limits, struct brski_error *err);
/* BRSKI_NOT_FOUND; anything else but BRSKI_OK is a failure. *out is to be freed if it is BRSKI_OK. */
BRSKI_CHECKED enum brski_code brski_store_job_get(
	struct brski_store *store, const char *key, struct brski_store_job *out, struct brski_error *err);

/*
 * The right to make this job's calls, for at least that many seconds by the database's clock, so that
 * of several servers one makes them: taken, or renewed if `owner` has it. *row is the job as it is in
 * that very moment, to be freed if the code is one of the first two:
 *
 *   BRSKI_OK           owner has it, by row->lease_owner; or the job is finished, and there is no lease
 *   BRSKI_UNEXPECTED   another one has it, until row->lease_until
 *   BRSKI_NOT_FOUND    there is no such job
 *
 * A rest (below) is no obstacle. The revision stays. A lease may be lost in a power failure: its owner
 * is as well.
 */
BRSKI_CHECKED enum brski_code brski_store_job_lease(struct brski_store *store, const char *key,
	const char *owner, unsigned seconds, struct brski_store_job *row, struct brski_error *err);
/*
 * Before its time. BRSKI_OK also if owner has none. rest: so many seconds, by the database's clock, the
 * job need not be looked at, since its call came to nothing.
 */
BRSKI_CHECKED enum brski_code brski_store_job_release(struct brski_store *store, const char *key,
	const char *owner, unsigned rest, struct brski_error *err);

struct brski_store_job_filter {
	enum brski_job_state state;
};
/* Oldest first. */
BRSKI_CHECKED enum brski_code brski_store_jobs_page(struct brski_store *store,
	const struct brski_store_job_filter *filter, struct brski_store_place *place,
	struct brski_store_job *rows, unsigned most, unsigned *n, struct brski_error *err);

/* ---- Jobs that wait, by whom they call: a share for each back end ---- */

struct brski_store_back_end {
	char name[BRSKI_STORE_BACK_END_MAX];
};
/* Those that any job of this kind waits for, by name; however many do. */
BRSKI_CHECKED enum brski_code brski_store_back_ends_page(struct brski_store *store, enum brski_job_kind kind,
	struct brski_store_place *place, struct brski_store_back_end *rows, unsigned most, unsigned *n,
	struct brski_error *err);

enum brski_store_leases {
	BRSKI_STORE_ANY_LEASE, /* also those whose calls somebody makes now */
	BRSKI_STORE_NO_LEASE,  /* but these */
	BRSKI_STORE_NO_REST,   /* nor those that rest */
};
struct brski_store_turn {
	enum brski_job_kind kind;
	const char *back_end;
	time_t due; /* until then; this one is included */
	enum brski_store_leases leases;
};
/* What waits for one back end, by due. */
BRSKI_CHECKED enum brski_code brski_store_turn_page(struct brski_store *store,
	const struct brski_store_turn *turn, struct brski_store_place *place, struct brski_store_job *rows,
	unsigned most, unsigned *n, struct brski_error *err);

/* ---- Jobs in all ---- */

#define BRSKI_STORE_KINDS 8 /* of jobs, more than there are */
struct brski_store_job_totals {
	unsigned waiting, done, refused;
	unsigned waiting_by_kind[BRSKI_STORE_KINDS]; /* enum brski_job_kind */
	time_t oldest;                               /* of those that wait; 0: none */
	uint64_t octets;                             /* of all */
};
BRSKI_CHECKED enum brski_code brski_store_job_totals(
	struct brski_store *store, struct brski_store_job_totals *out, struct brski_error *err);
/* Removes jobs that were last changed before `before`. *n: how many. */
BRSKI_CHECKED enum brski_code brski_store_jobs_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err);

/* ---- Notes ---- */

/* What must not be forgotten of a transaction: a name's value. One row for each key, which names all that it is of. */
struct brski_store_note {
	char key[BRSKI_FINGERPRINT_MAX];
	char name[32];
	char value[BRSKI_FINGERPRINT_MAX];
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	/* worth nothing once the job is gone whose key is `value`; else kept as long as the device may come back */
	bool of_transaction;
	time_t updated; /* as given, 0 is now */
};
/* Adds or replaces. BRSKI_UNEXPECTED: the value is "". */
BRSKI_CHECKED enum brski_code brski_store_note_put(
	struct brski_store *store, const struct brski_store_note *note, struct brski_error *err);
/* BRSKI_NOT_FOUND; anything else but BRSKI_OK is a failure. */
BRSKI_CHECKED enum brski_code brski_store_note_get(
	struct brski_store *store, const char *key, struct brski_store_note *out, struct brski_error *err);
/* Removes those of transactions that were last put before `before` and whose job is gone. *n: how many. */
BRSKI_CHECKED enum brski_code brski_store_notes_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err);

/* ---- Permissions ---- */

/* What a device was given, and what has become of that: docs/states.md. One row for each key. */
struct brski_store_permission {
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_permission_state state;
	char voucher[BRSKI_FINGERPRINT_MAX];  /* the job that brought it; "": none did */
	char used_for[BRSKI_FINGERPRINT_MAX]; /* a note's key; "": nothing yet */
	char manufacturer[64];
	char serial_number[BRSKI_SERIAL_MAX];
	time_t since;      /* of the state */
	uint64_t revision; /* counts the changes, from 1; 0: there is no row */
};
/* BRSKI_NOT_FOUND */
BRSKI_CHECKED enum brski_code brski_store_permission_get(struct brski_store *store, const char *key,
	struct brski_store_permission *out, struct brski_error *err);
/*
 * Compare and set: the row that is at p->revision, 0 being a new one; the revision counts up by one.
 * BRSKI_UNEXPECTED: it is at another, or there is one, or none. BRSKI_NOT_FOUND: in
 * BRSKI_PERMISSION_VOUCHER, the request for a voucher that p->voucher names is not there, or not DONE,
 * or its answer was put so before ("" names none, and needs none). Nothing has changed if it is not BRSKI_OK.
 */
BRSKI_CHECKED enum brski_code brski_store_permission_put(
	struct brski_store *store, const struct brski_store_permission *p, struct brski_error *err);
/*
 * All rows of the device become BRSKI_PERMISSION_TAKEN_BACK, and its DONE requests for vouchers go.
 * The same happens of itself to a device that is refused or taken out of the inventory, and to those
 * of a manufacturer that is removed. BRSKI_OK also if there is nothing. at: 0 is now.
 */
BRSKI_CHECKED enum brski_code brski_store_permission_take_back(struct brski_store *store,
	const char *manufacturer, const char *serial, time_t at, struct brski_error *err);
/* Removes those that are in their state since before `before`, of devices that have no job. *n: how many. */
BRSKI_CHECKED enum brski_code brski_store_permissions_expire(
	struct brski_store *store, time_t before, unsigned *n, struct brski_error *err);

/* ---- Answers from elsewhere ---- */

/*
 * Answers that came in by another way than the server's, and what they change besides. All or
 * nothing: each job as by brski_store_job_replace without bounds, and one of revision 0 is a new row
 * in the state that it says; each note is put, and so is what they use of a device's permission (NULL:
 * nothing). BRSKI_UNEXPECTED: somebody was faster with one of the jobs, or with that.
 */
BRSKI_CHECKED enum brski_code brski_store_jobs_settle(struct brski_store *store,
	const struct brski_store_job *jobs, size_t n_jobs, const struct brski_store_note *notes,
	size_t n_notes, const struct brski_store_permission *used, struct brski_error *err);

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
/* By manufacturer (NULL: of all) and serial number. */
BRSKI_CHECKED enum brski_code brski_store_nonceless_page(struct brski_store *store, const char *manufacturer,
	struct brski_store_place *place, struct brski_store_nonceless *rows, unsigned most, unsigned *n,
	struct brski_error *err);

#endif
