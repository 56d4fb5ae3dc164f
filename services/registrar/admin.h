/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_ADMIN_H
#define BRSKI_SERVICES_REGISTRAR_ADMIN_H

#include <time.h>

#include "eap_brski/ground/env.h"
#include "services/base/settings.h"

/*
 * What an operator can do with a registrar, each verb with its validation. Commands and pages parse
 * and print; they include this and know nothing of store, certificates or protocol. It works on the
 * registrar's database, beside the running server, which notices by itself.
 *
 * Errors have words for the operator. Of every verb: BRSKI_MALFORMED, what he wrote is not what it
 * should be, and nothing has changed; BRSKI_NOT_FOUND, there is no such manufacturer, device ...;
 * anything else, it could not be done. Texts in rows are borrowed: they stay until the row's
 * function returns. Times are seconds since 1970, 0 is never. One thread.
 */
struct brski_admin;

/*
 * Opens the registrar's database; makes it (mode 0640) if `create`, else it is BRSKI_NOT_FOUND if
 * there is none. env: for the clock and for lines of log; borrowed, may be NULL.
 */
BRSKI_CHECKED enum brski_code brski_admin_open(const char *database, bool create, const struct brski_env *env,
	struct brski_admin **out, struct brski_error *err);
void brski_admin_close(struct brski_admin *admin); /* NULL is allowed */

/*
 * For root: gives the files of the database to the owner of their folder, if they are not, as a copy that
 * root has put back, his to read and write; row hears of each. Nothing if there are none, or we are not root,
 * or the folder is root's. BRSKI_UNTRUSTED: one of them is a link, or no plain file.
 */
typedef void brski_admin_mended_row(void *ctx, const char *words);
BRSKI_CHECKED enum brski_code brski_admin_mend(
	const char *database, brski_admin_mended_row *row, void *ctx, struct brski_error *err);
/* Whether it is our own rights on the database's files that are too few. */
bool brski_admin_lacks_rights(const char *database);

/* ---- Manufacturers ---- */

#define BRSKI_ADMIN_NAME_MAX 64 /* these three with the terminating zero */
#define BRSKI_ADMIN_SERIAL_MAX 128
#define BRSKI_ADMIN_URL_MAX 512

enum brski_admin_mode { /* which of its devices are let in */
	BRSKI_ADMIN_MODE_INVENTORY,
	BRSKI_ADMIN_MODE_MANUAL,
	BRSKI_ADMIN_MODE_MANUFACTURER,
	BRSKI_ADMIN_MODE_TYPE,
	BRSKI_ADMIN_MODE_OPEN
};
const char *brski_admin_mode_name(enum brski_admin_mode mode); /* "inventory", "manual" ... */

enum brski_admin_pem { /* what is known of a manufacturer as PEM text */
	BRSKI_ADMIN_IDEVID_ANCHORS,
	BRSKI_ADMIN_VOUCHER_ANCHORS, /* empty: those of the IDevIDs */
	BRSKI_ADMIN_TLS_ANCHORS,     /* of the MASA's HTTPS; empty: the system's */
	BRSKI_ADMIN_CRLS,            /* of the IDevID CA; may be empty */
	BRSKI_ADMIN_PEMS
};

struct brski_admin_manufacturer {
	char name[BRSKI_ADMIN_NAME_MAX];
	char masa_url[BRSKI_ADMIN_URL_MAX]; /* "": as the IDevID says */
	struct brski_buf pem[BRSKI_ADMIN_PEMS];
	enum brski_admin_mode mode;
	bool check_voucher;
	bool audit_log; /* fetched and judged */
	bool allow_foreign_domains;
	bool allow_nonceless;
	bool shares_anchors; /* another manufacturer may have its IDevID anchors, too; is not kept */
};
/* What a manufacturer is of which nothing has been said but its name and anchors. */
void brski_admin_manufacturer_init(struct brski_admin_manufacturer *m);
void brski_admin_manufacturer_free(struct brski_admin_manufacturer *m);

/* 1 to BRSKI_ADMIN_NAME_MAX - 1 printable ASCII characters. */
bool brski_admin_is_name(const char *text);

/* These set members of *m. BRSKI_MALFORMED: *m is as it was. */
BRSKI_CHECKED enum brski_code brski_admin_manufacturer_set_url(
	struct brski_admin_manufacturer *m, const char *url, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_admin_manufacturer_set_mode(
	struct brski_admin_manufacturer *m, const char *name, struct brski_error *err);
/* pem is copied. source: where it comes from, for the words of an error: a file's name. */
BRSKI_CHECKED enum brski_code brski_admin_manufacturer_set_pem(struct brski_admin_manufacturer *m,
	enum brski_admin_pem which, struct brski_span pem, const char *source, struct brski_error *err);

/*
 * Adds the manufacturer; put replaces all that is known of it, too, and its devices stay. Both look at all
 * of *m. BRSKI_REFUSED: there is one of this name already. BRSKI_UNEXPECTED: another one has one of its
 * IDevID anchors (the same name and key), err says which and who, and shares_anchors is not set.
 */
BRSKI_CHECKED enum brski_code brski_admin_manufacturer_add(
	struct brski_admin *admin, const struct brski_admin_manufacturer *m, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_admin_manufacturer_put(
	struct brski_admin *admin, const struct brski_admin_manufacturer *m, struct brski_error *err);
/* *out is the caller's: brski_admin_manufacturer_free. */
BRSKI_CHECKED enum brski_code brski_admin_manufacturer_get(struct brski_admin *admin, const char *name,
	struct brski_admin_manufacturer *out, struct brski_error *err);
/* Its devices go with it. */
BRSKI_CHECKED enum brski_code brski_admin_manufacturer_remove(
	struct brski_admin *admin, const char *name, struct brski_error *err);
typedef void brski_admin_manufacturer_row(void *ctx, const struct brski_admin_manufacturer *m);
/* By name. */
BRSKI_CHECKED enum brski_code brski_admin_manufacturers(
	struct brski_admin *admin, brski_admin_manufacturer_row *row, void *ctx, struct brski_error *err);

/*
 * What is right in *m and yet keeps its devices out today, a line of words for each: an anchor or a CRL
 * that is out of date, CRLs of no anchor.
 */
typedef void brski_admin_doubt_row(void *ctx, const char *words);
void brski_admin_manufacturer_doubts(const struct brski_admin *admin,
	const struct brski_admin_manufacturer *m, brski_admin_doubt_row *row, void *ctx);

/*
 * What is in PEM text, a line of words for each; none if it does not parse. Of certificates, the subject as
 * RFC 2253 writes it, and the fingerprint; of CRLs the issuer, when they are of, and until when.
 */
typedef void brski_admin_pem_row(void *ctx, const char *words);
void brski_admin_certificates(const struct brski_buf *pem, brski_admin_pem_row *row, void *ctx);
void brski_admin_crls(const struct brski_buf *pem, brski_admin_pem_row *row, void *ctx);

/* ---- Devices ---- */

/* 1 to BRSKI_ADMIN_SERIAL_MAX - 1 printable ASCII characters, not all of them blanks. */
bool brski_admin_is_serial_number(const char *text);

/* Into the inventory; a refusal ends. note NULL: none, or as it is. */
BRSKI_CHECKED enum brski_code brski_admin_device_put(struct brski_admin *admin, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err);
/* Whether somebody has refused it. */
BRSKI_CHECKED enum brski_code brski_admin_is_refused(struct brski_admin *admin, const char *manufacturer,
	const char *serial, bool *out, struct brski_error *err);
/*
 * All devices of a delivery note, or none: CSV as device_list.h has it. What is refused stays so.
 * BRSKI_MALFORMED: the words say which line; BRSKI_NOT_FOUND: there is no such manufacturer.
 */
struct brski_admin_listed {
	unsigned devices;  /* of it, that are in the inventory now */
	unsigned repeated; /* lines that name a device again */
	unsigned refused;  /* devices of it that are refused */
};
BRSKI_CHECKED enum brski_code brski_admin_devices_put(struct brski_admin *admin, const char *manufacturer,
	struct brski_span csv, struct brski_admin_listed *out, struct brski_error *err);
/*
 * The serial numbers of a delivery note, in its order; nothing is kept, and row is not called before all
 * of it is read. BRSKI_MALFORMED: the words say which line.
 */
typedef void brski_admin_serial_row(void *ctx, const char *serial);
BRSKI_CHECKED enum brski_code brski_admin_serials_read(
	struct brski_span csv, brski_admin_serial_row *row, void *ctx, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_admin_device_remove(
	struct brski_admin *admin, const char *manufacturer, const char *serial, struct brski_error *err);

struct brski_admin_device {
	const char *manufacturer, *serial_number, *note;
	const char *state; /* "listed", "onboarded", "failed": what happened last */
	time_t last_seen;
};
typedef void brski_admin_device_row(void *ctx, const struct brski_admin_device *device);
/* The inventory, by manufacturer and serial number; manufacturer NULL: all. */
BRSKI_CHECKED enum brski_code brski_admin_devices(struct brski_admin *admin, const char *manufacturer,
	brski_admin_device_row *row, void *ctx, struct brski_error *err);

/* ---- Devices that wait for the operator's word (mode "manual") ---- */

struct brski_admin_candidate {
	const char *manufacturer, *serial_number, *note;
	bool refused;        /* else it waits */
	const char *subject; /* these two of its IDevID; "": it was never here */
	const char *fingerprint;
	time_t first_seen, last_seen;
	unsigned visits;
};
typedef void brski_admin_candidate_row(void *ctx, const struct brski_admin_candidate *candidate);
/* Those that wait, then those that were refused; oldest first. */
BRSKI_CHECKED enum brski_code brski_admin_pending(
	struct brski_admin *admin, brski_admin_candidate_row *row, void *ctx, struct brski_error *err);
/*
 * Lets a device in that waits or was refused: it is in the inventory from now on. note NULL: as it
 * is. BRSKI_NOT_FOUND: it is no such device.
 */
BRSKI_CHECKED enum brski_code brski_admin_accept(struct brski_admin *admin, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err);
/* Keeps a device out, in every mode; it need not have come yet, and goes out of the inventory. */
BRSKI_CHECKED enum brski_code brski_admin_refuse(struct brski_admin *admin, const char *manufacturer,
	const char *serial, const char *note, struct brski_error *err);

/* ---- Types (mode "type") ---- */

/*
 * A shell's pattern (* ? [...], no escapes) of subjects, or, behind "oid:", of hardware types in
 * digits and dots (RFC 4108). BRSKI_MALFORMED: it is none.
 */
BRSKI_CHECKED enum brski_code brski_admin_type_check(const char *pattern, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_admin_type_put(
	struct brski_admin *admin, const char *manufacturer, const char *pattern, struct brski_error *err);
bool brski_admin_type_is_hardware(const char *pattern); /* else it is one of subjects */
BRSKI_CHECKED enum brski_code brski_admin_type_remove(
	struct brski_admin *admin, const char *manufacturer, const char *pattern, struct brski_error *err);

struct brski_admin_type {
	const char *manufacturer, *pattern;
	time_t added;
};
typedef void brski_admin_type_row(void *ctx, const struct brski_admin_type *type);
/* By manufacturer and pattern; manufacturer NULL: all. */
BRSKI_CHECKED enum brski_code brski_admin_types(struct brski_admin *admin, const char *manufacturer,
	brski_admin_type_row *row, void *ctx, struct brski_error *err);

/* ---- Doors with rules of the administrator's own ---- */

struct brski_admin_rules {
	const char *door, *rules;
	time_t since;
};
typedef void brski_admin_rules_row(void *ctx, const struct brski_admin_rules *rules);
/* By door. */
BRSKI_CHECKED enum brski_code brski_admin_rules(
	struct brski_admin *admin, brski_admin_rules_row *row, void *ctx, struct brski_error *err);
/* Of a door that is gone: one that serves tells of its rules at its next start. BRSKI_NOT_FOUND. */
BRSKI_CHECKED enum brski_code brski_admin_rules_forget(
	struct brski_admin *admin, const char *door, struct brski_error *err);

/* ---- What happened, and what waits ---- */

#define BRSKI_ADMIN_HISTORY_MOST 1000000

struct brski_admin_event {
	time_t at;
	const char *manufacturer, *serial_number; /* "": not known */
	const char *what, *detail;
	bool ok;
	unsigned times; /* how often in a row, `at` being the last time */
};
typedef void brski_admin_event_row(void *ctx, const struct brski_admin_event *event);
/* The last `most` events, from 1 to BRSKI_ADMIN_HISTORY_MOST, oldest first; serial NULL: of all devices. */
BRSKI_CHECKED enum brski_code brski_admin_history(struct brski_admin *admin, const char *serial,
	unsigned long most, brski_admin_event_row *row, void *ctx, struct brski_error *err);

struct brski_admin_totals {
	unsigned waiting, waiting_vouchers, waiting_certificates;
	unsigned done, refused;
	time_t oldest;   /* of those that wait */
	uint64_t octets; /* of all */
};
BRSKI_CHECKED enum brski_code brski_admin_totals(
	struct brski_admin *admin, struct brski_admin_totals *out, struct brski_error *err);

struct brski_admin_request { /* that waits for a MASA or the PKI */
	const char *manufacturer, *serial_number;
	const char *waits_for; /* "voucher", "certificate" */
	time_t since, last_try;
	size_t octets;
};
typedef void brski_admin_request_row(void *ctx, const struct brski_admin_request *request);
/* Oldest first. */
BRSKI_CHECKED enum brski_code brski_admin_queue(
	struct brski_admin *admin, brski_admin_request_row *row, void *ctx, struct brski_error *err);

/* ---- The registrar's own key: for export, import and vouchers ahead ---- */

/*
 * The settings of the server that count here, under the server's names; whoever reads them sets
 * what he finds. A text that is empty is none. The table stays until brski_admin_close.
 */
const struct setting *brski_admin_settings(const struct brski_admin *admin);
/* BRSKI_NOT_FOUND: there is no such setting, or it does not count here. */
BRSKI_CHECKED enum brski_code brski_admin_configure(
	struct brski_admin *admin, const char *name, const char *value, struct brski_error *err);
/* Loads key, certificate and trust anchors. Once, after the settings and before what follows. */
BRSKI_CHECKED enum brski_code brski_admin_load(struct brski_admin *admin, struct brski_error *err);

/* ---- Requests out and answers in, as files for brski-courier ---- */

#define BRSKI_ADMIN_FILE_MAX ((size_t)64 << 20) /* octets of such a file */

struct brski_admin_exported {
	unsigned vouchers, certificates, nonceless; /* requests in the file */
	unsigned held; /* that stay here: the policy does not want them to go out now */
};
/* All requests that wait, signed; nothing changes. */
BRSKI_CHECKED enum brski_code brski_admin_export(struct brski_admin *admin, struct brski_buf *file,
	struct brski_admin_exported *exported, struct brski_error *err);

enum brski_admin_outcome {
	BRSKI_ADMIN_ANSWERED, /* kept: the device's next visit gets it */
	BRSKI_ADMIN_REFUSED,  /* MASA, PKI or the audit log said no */
	BRSKI_ADMIN_GOES_ON,  /* a part is here, the rest must be asked for again */
	BRSKI_ADMIN_WAITS,    /* nothing changed: there is no answer yet */
	BRSKI_ADMIN_REPEATED, /* nothing changed: it was answered before */
	BRSKI_ADMIN_WRONG,    /* nothing changed: the answer is not acceptable */
	BRSKI_ADMIN_OUTCOMES
};
struct brski_admin_imported {
	const char *manufacturer, *serial_number;
	const char *kind; /* "voucher", "certificate", "nonceless-voucher" */
	enum brski_admin_outcome outcome;
	const char *why; /* in words; "": there is no more to say */
};
typedef void brski_admin_imported_row(void *ctx, const struct brski_admin_imported *answer);
/*
 * Each answer is checked as if it had come over the network, kept if it is right, and told. An
 * error: nothing has changed. courier: PEM file or URI of the couriers' certificates, or of the CA
 * that issued them; NULL: courier.pem beside the registrar's certificate.
 */
BRSKI_CHECKED enum brski_code brski_admin_import(struct brski_admin *admin, struct brski_span file,
	const char *courier, brski_admin_imported_row *row, void *ctx, struct brski_error *err);

/* ---- Vouchers without nonce, fetched ahead ---- */

struct brski_admin_fetch;
struct brski_admin_fetch_config { /* borrowed until brski_admin_fetch_free */
	const char *manufacturer;
	/*
	 * PEM file or URI of the certificate of a device of the same issuer; NULL: the manufacturer
	 * has one anchor, and that issues them
	 */
	const char *idevid;
	bool offline; /* call nobody: the requests go out with the next export */
};
BRSKI_CHECKED enum brski_code brski_admin_fetch_new(struct brski_admin *admin,
	const struct brski_admin_fetch_config *config, struct brski_admin_fetch **out,
	struct brski_error *err);
void brski_admin_fetch_free(struct brski_admin_fetch *fetch);
struct brski_admin_fetched {
	enum brski_admin_outcome outcome; /* BRSKI_ADMIN_WAITS if nobody was called */
	char why[320];                    /* in words; "": there is no more to say */
};
/* The request for one device's voucher is kept and, unless offline, taken to the MASA. */
BRSKI_CHECKED enum brski_code brski_admin_fetch_one(struct brski_admin_fetch *fetch, const char *serial,
	struct brski_admin_fetched *out, struct brski_error *err);

enum brski_admin_voucher_state {
	BRSKI_ADMIN_VOUCHER_ASKED, /* there is none yet */
	BRSKI_ADMIN_VOUCHER_USABLE,
	BRSKI_ADMIN_VOUCHER_EXPIRED
};
struct brski_admin_voucher {
	const char *manufacturer, *serial_number;
	enum brski_admin_voucher_state state;
	bool renewing;              /* there is one, and a new one is asked for */
	time_t fetched, expires_on; /* of one that is there */
};
typedef void brski_admin_voucher_row(void *ctx, const struct brski_admin_voucher *voucher);
/* By manufacturer and serial number; manufacturer NULL: all. */
BRSKI_CHECKED enum brski_code brski_admin_vouchers(struct brski_admin *admin, const char *manufacturer,
	brski_admin_voucher_row *row, void *ctx, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_admin_voucher_remove(
	struct brski_admin *admin, const char *manufacturer, const char *serial, struct brski_error *err);

#endif
