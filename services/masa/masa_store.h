/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_STORE_H
#define BRSKI_SERVICES_MASA_MASA_STORE_H

#include "eap_brski/artifacts/audit_log.h"

/* What a MASA remembers: devices it made, owners it knows, vouchers it issued, requests it saw. */
struct masa_store;

/* Makes the database if there is none. */
BRSKI_CHECKED enum brski_code masa_store_open(
	const char *path, struct masa_store **out, struct brski_error *err);
void masa_store_close(struct masa_store *store);

/* ---- Owners: domains that the sales channel knows ---- */

#define MASA_NAME_MAX 64
struct masa_owner {
	char name[MASA_NAME_MAX];
	X509 *domain_cert; /* what a registrar of this owner must verify to */
};
void masa_owner_free(struct masa_owner *owner);
BRSKI_CHECKED enum brski_code masa_owner_put(
	struct masa_store *store, const char *name, const X509 *domain_cert, struct brski_error *err);
/* BRSKI_NOT_FOUND; BRSKI_UNEXPECTED while a device has this owner. */
BRSKI_CHECKED enum brski_code masa_owner_remove(
	struct masa_store *store, const char *name, struct brski_error *err);
BRSKI_CHECKED enum brski_code masa_owner_get(
	struct masa_store *store, const char *name, struct masa_owner *out, struct brski_error *err);
typedef void masa_owner_row(void *ctx, const struct masa_owner *owner);
BRSKI_CHECKED enum brski_code masa_owners(
	struct masa_store *store, masa_owner_row *row, void *ctx, struct brski_error *err);

/* ---- Devices ---- */

struct masa_device {
	long long id;
	char serial_number[BRSKI_SERIAL_MAX];
	struct brski_buf idevid_issuer; /* AuthorityKeyIdentifier value; len 0: not told */
	char owner[MASA_NAME_MAX];      /* "": not sold to anybody known, so whoever shows it gets it */
	bool blocked;                   /* stolen, scrapped, ...: no voucher */
	time_t added;
};
void masa_device_free(struct masa_device *device);
/*
 * With an id: changes issuer, owner and blocked of that one. With the id 0: adds it, or changes owner
 * and blocked of the one with this serial number and issuer. BRSKI_NOT_FOUND: no such owner, or no
 * device of that id.
 */
BRSKI_CHECKED enum brski_code masa_device_put(
	struct masa_store *store, const struct masa_device *device, struct brski_error *err);
/* Only a device that has had no voucher can go (BRSKI_UNEXPECTED): the audit log is kept. */
BRSKI_CHECKED enum brski_code masa_device_remove(
	struct masa_store *store, const char *serial, struct brski_error *err);
/*
 * The device with this serial number; with an issuer, of that issuer or one without, the first
 * rather than the other. BRSKI_NOT_FOUND; BRSKI_UNEXPECTED if no issuer is given and several
 * devices have that number.
 */
BRSKI_CHECKED enum brski_code masa_device_get(struct masa_store *store, const char *serial,
	struct brski_span issuer, struct masa_device *out, struct brski_error *err);
typedef void masa_device_row(void *ctx, const struct masa_device *device);
BRSKI_CHECKED enum brski_code masa_devices(
	struct masa_store *store, masa_device_row *row, void *ctx, struct brski_error *err);

/* ---- Vouchers ---- */

struct masa_issued {
	long long device;
	struct brski_span domain_id;
	const char *pinned;      /* fingerprint of pinned-domain-cert */
	struct brski_span nonce; /* len 0: nonceless */
	const char *nonce_text;  /* as the pledge has written it; NULL: base64 */
	enum brski_assertion assertion;
	time_t created_on;
	struct brski_span cms;
};
/* At most of one device that nothing was proved for: the oldest are forgotten, and counted. */
#define MASA_UNPROVED_MAX 1000
/* By the owner's certificate, or by the device itself; anybody else may say that he has it. */
bool masa_is_proved(enum brski_assertion assertion);
BRSKI_CHECKED enum brski_code masa_voucher_add(
	struct masa_store *store, const struct masa_issued *issued, struct brski_error *err);
/*
 * The newest voucher of this device, for this domain, nonce and assertion, not issued before
 * `since`. BRSKI_NOT_FOUND.
 */
BRSKI_CHECKED enum brski_code masa_voucher_find(struct masa_store *store, const struct masa_issued *like,
	time_t since, struct brski_buf *cms, struct brski_error *err);
/* When the newest voucher of this device was made, of those that are proved or of the others; 0: never. */
BRSKI_CHECKED enum brski_code masa_voucher_latest(
	struct masa_store *store, long long device, bool proved, time_t *at, struct brski_error *err);
/* True if the device has vouchers that are proved, and none of them pins this certificate. */
BRSKI_CHECKED enum brski_code masa_proved_elsewhere(struct masa_store *store, long long device,
	const char *pinned, bool *elsewhere, struct brski_error *err);
/* True if the device ever had a voucher that pins this domain. */
BRSKI_CHECKED enum brski_code masa_domain_had(struct masa_store *store, long long device,
	struct brski_span domain_id, bool *had, struct brski_error *err);
/*
 * The device's log, newest first; abridged as RFC 8995 5.8.1 allows when it is longer than
 * BRSKI_AUDIT_EVENTS_MAX. What is proved stays before what is not.
 */
BRSKI_CHECKED enum brski_code masa_audit_log(
	struct masa_store *store, long long device, struct brski_audit_log *out, struct brski_error *err);

/* ---- Requests, refused ones too ---- */

/* Of proved requests, and of all others, which anybody can make: the oldest ones are forgotten. */
#define MASA_SEEN_MAX 100000
struct masa_seen {
	time_t at;
	char peer[64];
	char what[32];                        /* "voucher", "audit log" */
	char serial_number[BRSKI_SERIAL_MAX]; /* "": not read */
	char registrar[256];                  /* subject of the signer; "": not read */
	unsigned status;
	bool proved; /* masa_is_proved(), as far as it was found out */
	char detail[400];
};
BRSKI_CHECKED enum brski_code masa_seen_add(
	struct masa_store *store, const struct masa_seen *seen, struct brski_error *err);
typedef void masa_seen_row(void *ctx, const struct masa_seen *seen);
/* The last `most`, oldest first; serial NULL: of all devices. */
BRSKI_CHECKED enum brski_code masa_seen_list(struct masa_store *store, const char *serial, long most,
	masa_seen_row *row, void *ctx, struct brski_error *err);

#endif
