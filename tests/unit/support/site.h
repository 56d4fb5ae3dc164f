/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_SITE_H
#define BRSKI_TESTS_SITE_H

#include "eap_brski/registrar/registrar.h"
#include "tests/unit/support/pki.h"

/*
 * A network and its surroundings in memory: domain CA, registrar with store and policy,
 * manufacturer with MASA, one device. MASA and CA answer a registrar's calls, rightly or in a wrong
 * way that a test picks. Whatever goes wrong of itself aborts the test program.
 */
#define SITE_SERIAL "SN-0001"
#define SITE_SUBJECT "CN=Gadget,O=Acme,serialNumber=" SITE_SERIAL

enum site_masa { /* how the MASA misbehaves */
	MASA_RIGHT,
	MASA_DOWN,
	MASA_STATUS,        /* answers masa_status with masa_text */
	MASA_NOT_A_VOUCHER, /* 200, another media type */
	MASA_GARBAGE,       /* 200, octets that are no CMS */
	MASA_OTHER_SERIAL,
	MASA_OTHER_NONCE,
	MASA_NO_NONCE,
	MASA_EXPIRED, /* a voucher without nonce that has expired */
	MASA_OTHER_SIGNER,
	MASA_PINS_ANOTHER,
};

enum site_audit {
	AUDIT_RIGHT,
	AUDIT_DOWN,
	AUDIT_STATUS,  /* answers masa_status */
	AUDIT_CREATED, /* 201, then the log at masa_location */
	AUDIT_FOREIGN, /* names another domain */
	AUDIT_LONG,    /* right, and as long as a log may be */
	AUDIT_GARBAGE,
};

enum site_ca {
	CA_RIGHT,
	CA_DOWN,
	CA_STATUS, /* answers ca_status, no CMP */
	CA_GARBAGE,
	CA_REFUSES, /* ip with rejection */
	CA_UNPROTECTED_ERROR,
	CA_STRAY_ERROR, /* the same without a transactionID, RFC 9483 3.6.4 */
	CA_UNPROTECTED_IP,
	CA_OTHER_KEY,
	CA_OTHER_SUBJECT,
	CA_NO_LOGIN, /* EKU serverAuth alone */
	CA_BROKEN_SIGNATURE,
	CA_OTHER_SIGNER,
	CA_OTHER_TRANSACTION,
	CA_WAITS, /* ip waiting, then pollRep until ca_polls is 0 */
};

#define SITE_ROWS_MAX 256
#define SITE_EVENTS_MAX 2048
#define SITE_REPEATS_MAX 16

struct site_row {
	char key[BRSKI_FINGERPRINT_MAX];
	enum brski_job_kind kind;
	enum brski_job_state state;
	uint64_t revision;
	bool given;                   /* a voucher, to the device: once */
	char back_end[BRSKI_URL_MAX]; /* these two: what it was said to call next */
	time_t not_before;
	struct brski_buf blob;
};

struct site_note {
	char key[BRSKI_FINGERPRINT_MAX];
	char name[32];
	char value[BRSKI_FINGERPRINT_MAX];
	bool of_transaction;
};

struct site_permission {
	struct brski_permission row;
	char manufacturer[64], serial_number[BRSKI_SERIAL_MAX];
};

struct site_event {
	char what[32];
	bool ok;
	char detail[400];
};

struct site {
	const char *key_type;
	time_t now; /* the registrar's clock; moves when a test says so */
	struct brski_env env;
	/* the domain */
	struct brski_credential domain_root, domain_ca, registrar_cred;
	STACK_OF(X509) *domain_anchors;
	struct brski_registrar_config config;
	struct brski_registrar *registrar;
	/* the manufacturer */
	struct brski_credential maker_root, maker_ca, idevid, masa_root, masa_cred;
	STACK_OF(X509) *maker_anchors, *masa_anchors;
	STACK_OF(X509) *device_chain;
	struct brski_credential foreign; /* somebody else's CA, for whatever must not be trusted */
	/* policy */
	enum brski_decision decision;
	const char *decision_why;
	unsigned n_decisions;
	void *visit;       /* of the last decision */
	unsigned defer_at; /* this one, counted from 1, is "come back later"; 0: none */
	bool unknown_manufacturer;
	bool listed;               /* in the inventory */
	enum brski_code find_code; /* of find_manufacturer, if not BRSKI_OK */
	const char *masa_url;
	bool check_voucher, audit_log, allow_foreign, allow_nonceless;
	/* store and history */
	struct site_row rows[SITE_ROWS_MAX];
	size_t n_rows;
	struct site_note notes[SITE_ROWS_MAX];
	size_t n_notes;
	struct site_permission permission; /* of the one device; revision 0: none */
	enum brski_code put_code;          /* of job_add and job_put, if not BRSKI_OK */
	enum brski_code room_code;         /* of job_room, if not BRSKI_OK */
	long room_seconds;
	bool fail_gets;     /* job_get fails */
	unsigned put_fails; /* counted down: the change of jobs or notes that makes it 0 fails */
	/*
	 * A memory that fails: of all calls of the registrar's, counted in n_calls, number fail_at,
	 * from 1, returns fail_code. fail_on: all after it too. fail_late: a change has happened
	 * nevertheless.
	 */
	unsigned n_calls, fail_at;
	enum brski_code fail_code;
	bool fail_on, fail_late;
	/* Before call number intrude_at, somebody else does something, once. */
	void (*intrude)(struct site *site);
	unsigned intrude_at;
	struct brski_buf nonceless; /* the voucher that was fetched ahead; empty: none */
	struct site_event events[SITE_EVENTS_MAX];
	size_t n_events;
	/* MASA and CA */
	enum site_masa masa;
	enum site_audit audit;
	unsigned masa_status;
	const char *masa_text, *masa_location;
	const char *masa_retry_after;
	enum site_ca ca;
	unsigned ca_status;
	int ca_polls;
	long ca_check_after; /* 0: 7 */
	time_t ca_not_after; /* of what it issues; 0: in ten years */
	bool ca_implicit;
	bool ca_is_terse; /* only its first answer in a transaction has extraCerts (RFC 9483 3.3) */
	const struct brski_credential *ca_signer; /* of its answers; NULL: the CA itself */
	unsigned n_masa_calls, n_audit_calls, n_ca_calls, n_issued, n_confirmed, n_rejected;
	struct brski_buf ca_first; /* CA_WAITS: the request that waits */
	bool ca_says_zero;         /* certReqId of its answers to a p10cr: 0, not -1 */
	long ca_heard;             /* certReqId of the last certConf or pollReq */
	bool ca_refuses_conf;      /* a certConf is answered with an error */
	bool ca_conf_waits;        /* CA_WAITS: certConf waits as well, and is polled for ca_polls times */
	struct brski_buf ca_nonce; /* senderNonce of what the CA said last */
	/* What the CA was asked and has answered, if ca_remembers: it gives no second certificate. */
	bool ca_remembers;
	struct brski_buf ca_asked[SITE_REPEATS_MAX], ca_said[SITE_REPEATS_MAX];
	unsigned n_ca_said;
	STACK_OF(X509) *issued; /* by the CA, in order */
	char last_url[BRSKI_URL_MAX + 64], last_cmp_url[BRSKI_URL_MAX + 64];
	char log[8192]; /* the registrar's lines; the oldest are dropped */
};

/* key_type: of the device and the registrar; "P-256", "P-384", "RSA-3072". */
void site_open(struct site *site, const char *key_type);
/* The same, with the keys and certificates that a fixture keeps in a folder. */
void site_load(struct site *site, const char *folder);
void site_close(struct site *site);
/* After a change of site->config: a new registrar over the same store, as after a restart. */
void site_restart(struct site *site);
struct brski_registrar_session *site_session(struct site *site);

/* site_masa.c, site_ca.c */
bool site_masa(struct site *site, const struct brski_call *call, struct brski_http *answer);
bool site_ca(struct site *site, const struct brski_call *call, struct brski_http *answer);
/* MASA or CA on one call; false: down. *answer is filled else. */
bool site_upstream(struct site *site, const struct brski_call *call, struct brski_http *answer);
/* Drives a job until it is no longer WAITING, or somebody is down or not ready. */
void site_drive(struct site *site, struct brski_job *job);
/* One call only. */
void site_drive_once(struct site *site, struct brski_job *job);

/* The registrar's memory, copied: for a test that goes back to where it was. */
struct site_memory {
	struct site_row rows[SITE_ROWS_MAX];
	size_t n_rows;
	struct site_note notes[SITE_ROWS_MAX];
	size_t n_notes;
	struct site_permission permission;
};
void site_remember(
	const struct site *site, struct site_memory *memory); /* *memory is zeroed, or was used so */
void site_recall(struct site *site, const struct site_memory *memory);
void site_memory_free(struct site_memory *memory);
/* As new: no memory, no history, no failures, nothing issued. */
void site_forget(struct site *site);

bool site_has_event(const struct site *site, const char *what, bool ok, const char *words);
unsigned site_count_events(const struct site *site, const char *what, bool ok);
struct site_row *site_row(struct site *site, const char *key);

#endif
