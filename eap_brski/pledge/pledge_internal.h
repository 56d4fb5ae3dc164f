/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PLEDGE_PLEDGE_INTERNAL_H
#define BRSKI_PLEDGE_PLEDGE_INTERNAL_H

#include "eap_brski/artifacts/status.h"
#include "eap_brski/pledge/pledge.h"

/*
 * The pledge's parts, in layers: none includes or calls what stands above it.
 *
 *   pledge_visit.c       a pledge made, and connected to a registrar
 *   pledge_flight.c      what goes out in which state
 *   pledge_poll.c        the step that polls for the certificate or for its confirmation
 *   pledge_voucher.c, pledge_enroll.c, pledge_confirm.c
 *                        the steps to the voucher, to the certificate, to its confirmation
 *   pledge_load.c        what an earlier run left in the storage
 *   pledge_anchors.c     whom a voucher makes us trust, and the step to the domain's certificates
 *   pledge_cmp.c         what the steps of CMP have in common
 *   pledge_move.c, pledge_wait.c
 *                        from state to state, and coming back later: both store the record
 *   pledge_credential.c  the current credential, for whoever logs in with it
 *   pledge_state.c       the record that survives a reboot
 *   pledge_files.c, pledge_clock.c
 *                        the generations of keys and certificates; the time of day
 *   pledge.c             the states, what moves them, and events
 */

/* What moves the machine from one state to another; the table is in pledge.c. */
enum brski_pledge_cause {
	BRSKI_CAUSE_VOUCHER_ASKED,  /* a voucher-request was made for this registrar */
	BRSKI_CAUSE_VOUCHER_TAKEN,  /* a voucher was verified */
	BRSKI_CAUSE_CERT_ASKED,     /* ir or p10cr was made */
	BRSKI_CAUSE_WAITING,        /* CMP told to poll, or told again */
	BRSKI_CAUSE_CERT_TAKEN,     /* a certificate was checked and kept; it must be confirmed */
	BRSKI_CAUSE_CERT_CONFIRMED, /* pkiConf came, or implicitConfirm was granted */
	BRSKI_CAUSE_REPORTED,       /* the registrar answered the enrollstatus */
	BRSKI_CAUSE_GIVEN_UP,
	BRSKI_CAUSE_START_OVER,
};

/* What a request asks for. */
enum brski_pledge_ask {
	BRSKI_ASK_VOUCHER,
	BRSKI_ASK_VOUCHER_STATUS,
	BRSKI_ASK_CA_CERTS,
	BRSKI_ASK_CERT,
	BRSKI_ASK_POLL,
	BRSKI_ASK_CONFIRM,
	BRSKI_ASK_REJECT, /* certConf that refuses the certificate */
	BRSKI_ASK_ENROLL_STATUS,
};

/*
 * What survives: written as a whole to the value "state", whose description is the table in
 * pledge_state.c.
 */
struct brski_pledge_record {
	enum brski_pledge_state state;
	char idevid[BRSKI_FINGERPRINT_MAX];
	long credential; /* generation of the current credential; 0: none */
	long candidate;  /* generation that is being made; 0: none */
	long not_before; /* seconds since 1970 by our own clock; 0: no wait */
	long told;       /* seconds that we were told to wait */
	char reason[320];
	struct brski_buf nonce;
	struct brski_buf voucher_request;
	char registrar[BRSKI_FINGERPRINT_MAX]; /* whom the voucher-request names */
	bool voucher_reported;                 /* voucher_status was answered */
	struct brski_buf pinned;               /* pinned-domain-cert, DER */
	struct brski_buf domain_cas;           /* PEM: CA certificates that a pinned registrar gave us */
	struct brski_buf request; /* CMP message to be repeated as it is: ir, p10cr or certConf */
	bool pkcs10;              /* the transaction began with p10cr */
	long poll_id;             /* certReqId of the pollReq, RFC 9483 4.4 */
	struct brski_buf poll;    /* pollReq that no CMP message has answered yet: to be repeated as it is */
	struct brski_cmp_transaction tx;
};

enum brski_pledge_trust {
	BRSKI_TRUST_NONE,        /* no tunnel */
	BRSKI_TRUST_PROVISIONAL, /* RFC 8995 5.1 */
	BRSKI_TRUST_VERIFIED,    /* the registrar's chain ends at pinned-domain-cert */
};

struct brski_pledge {
	struct brski_credential idevid;
	STACK_OF(X509) *masa_anchors;
	char serial_number[BRSKI_SERIAL_MAX];
	struct brski_pledge_config
		config; /* idevid, masa_anchors and cert_profile point into this structure */
	char *cert_profile;

	struct brski_pledge_record rec;
	STACK_OF(X509) *anchors; /* pinned-domain-cert, then rec.domain_cas; NULL before the voucher */
	EVP_PKEY *key;           /* of the candidate, in ENROLL and POLL */
	X509 *cert; /* of the candidate, in CONFIRM and REPORT, and of the credential when ENROLLED */

	/* this visit */
	enum brski_pledge_trust trust;
	STACK_OF(X509) *chain; /* the registrar's */
	enum brski_pledge_ask flight[BRSKI_FLIGHT_MAX];
	size_t n_flight;          /* 0: nothing is out */
	bool over;                /* deferred, or an error: nothing more is asked in this visit */
	bool halted;              /* an error: no visit with this pledge any more */
	long pause;               /* seconds before the next flight goes out */
	unsigned n_pauses;        /* in this visit */
	bool waiting_again;       /* CMP said waiting in place of pollRep: it was asked for a time, once */
	bool clock_known;         /* by a fresh voucher */
	time_t clock_offset;      /* to be added to our clock */
	enum brski_code failure;  /* FAILED: the kind of it */
	bool tell_voucher_status; /* FAILED: what the registrar is still to be told */
	bool tell_enroll_status;
	struct brski_buf rejection; /* FAILED: certConf that refuses the certificate */
};

/* ---- pledge.c ---- */

struct brski_pledge_transition {
	enum brski_pledge_state from;
	enum brski_pledge_cause cause;
	enum brski_pledge_state to;
};
/* The table, for those who draw it; NULL behind its end. */
const struct brski_pledge_transition *brski_pledge_transition(size_t i);
const char *brski_pledge_cause_name(enum brski_pledge_cause cause); /* in words */
/* Tells the caller; detail as at the event. The second: the certificate's subject. */
void brski_pledge_event(const struct brski_pledge *p, enum brski_pledge_event event, const char *detail);
void brski_pledge_event_subject(
	const struct brski_pledge *p, enum brski_pledge_event event, const X509 *cert);

/* ---- pledge_move.c ---- */

/* The only function that changes the state; stores the record before it returns. */
BRSKI_CHECKED enum brski_code brski_pledge_move(
	struct brski_pledge *p, enum brski_pledge_cause cause, struct brski_error *err);
/* FAILED for *why, which goes into the record. */
BRSKI_CHECKED enum brski_code brski_pledge_give_up(
	struct brski_pledge *p, const struct brski_error *why, struct brski_error *err);

/* ---- pledge_wait.c ---- */

/* Stores that the visit ends here and that the next comes no earlier than in so many seconds. */
BRSKI_CHECKED enum brski_code brski_pledge_defer(
	struct brski_pledge *p, long seconds, struct brski_error *err);
/* BRSKI_EVENT_DEFERRED, with the seconds that are left. */
void brski_pledge_event_deferred(const struct brski_pledge *p);
/*
 * *decided: the response told to come back later (202, or 429 or 503 with Retry-After), and the
 * visit is over.
 */
BRSKI_CHECKED enum brski_code brski_pledge_put_off(
	struct brski_pledge *p, const struct brski_http *response, bool *decided, struct brski_error *err);
/* *why: in words, what the registrar answered to what. */
void brski_pledge_not_ok(const struct brski_http *response, const char *what, struct brski_error *why);

/* ---- pledge_clock.c ---- */

/* The time for judging dates; 0: not known, RFC 8995 2.6.1. */
time_t brski_pledge_clock(const struct brski_pledge *p);
/* From a voucher that was verified, if it can tell the time. */
void brski_pledge_learn_time(struct brski_pledge *p, const struct brski_voucher *v);

/* ---- pledge_state.c ---- */

#define BRSKI_PLEDGE_STATE_VALUE "state" /* what the storage calls it */

/* BRSKI_TOO_LARGE: it holds more than could be read again. */
BRSKI_CHECKED enum brski_code brski_pledge_record_print(
	const struct brski_pledge_record *rec, struct brski_buf *json, struct brski_error *err);
/*
 * Strict: BRSKI_MALFORMED, and an empty record, for anything that brski_pledge_record_print would not have
 * written.
 */
BRSKI_CHECKED enum brski_code brski_pledge_record_parse(
	struct brski_span json, struct brski_pledge_record *rec, struct brski_error *err);
void brski_pledge_record_free(struct brski_pledge_record *rec); /* and zeroes it */
/* Forgets everything but the IDevID and the current credential. */
void brski_pledge_record_start_over(struct brski_pledge_record *rec);

/* Stores the record; durable when it returns. */
BRSKI_CHECKED enum brski_code brski_pledge_save(const struct brski_pledge *p, struct brski_error *err);

/* ---- pledge_anchors.c ---- */

/* p->anchors from the record. */
BRSKI_CHECKED enum brski_code brski_pledge_load_anchors(struct brski_pledge *p, struct brski_error *err);
/* True if the voucher pins the registrar's own certificate, and the domain's CAs are not known yet. */
bool brski_pledge_lacks_ca(const struct brski_pledge *p);

/* ---- pledge_files.c ---- */

#define BRSKI_PLEDGE_FILE_NAME_MAX 65
enum brski_pledge_part { BRSKI_PART_KEY, BRSKI_PART_CERT, BRSKI_PART_ANCHORS };
/* Under which name the storage holds that part of that generation. */
void brski_pledge_file_name(
	long generation, enum brski_pledge_part part, char out[BRSKI_PLEDGE_FILE_NAME_MAX]);
/* The certificates in one value, leaf first; *out is the caller's. */
BRSKI_CHECKED enum brski_code brski_pledge_read_certs(
	const struct brski_storage *storage, const char *name, STACK_OF(X509) **out, struct brski_error *err);

/* These four do nothing where there is no storage. Certificates and keys are written as PEM. */
BRSKI_CHECKED enum brski_code brski_pledge_write(const struct brski_pledge *p, const char *name,
	struct brski_span value, bool secret, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_pledge_write_certs(
	const struct brski_pledge *p, const char *name, const STACK_OF(X509) *certs, struct brski_error *err);
/* p->key, of the candidate. */
BRSKI_CHECKED enum brski_code brski_pledge_write_key(const struct brski_pledge *p, struct brski_error *err);
/* The candidate's certificate with its chain, and the anchors of its domain. */
BRSKI_CHECKED enum brski_code brski_pledge_write_candidate(
	const struct brski_pledge *p, const STACK_OF(X509) *chain, struct brski_error *err);
/* p->key, and from CONFIRM on p->cert; there is a storage. */
BRSKI_CHECKED enum brski_code brski_pledge_read_candidate(struct brski_pledge *p, struct brski_error *err);
/*
 * Nothing without a storage, or for generation 0. Failures are logged only: a file too many harms
 * nothing.
 */
void brski_pledge_remove_generation(const struct brski_pledge *p, long generation);

/* ---- pledge_load.c ---- */

/*
 * Fills p->rec, p->anchors, p->key and p->cert from the storage, or makes a fresh record where it
 * holds nothing that can be gone on with. *start_over: the record is whole, but its candidate is
 * not.
 */
BRSKI_CHECKED enum brski_code brski_pledge_load(
	struct brski_pledge *p, bool *start_over, struct brski_error *err);

/* ---- the steps: build makes a request, answer takes its response ---- */

typedef enum brski_code brski_pledge_ask_build(
	struct brski_pledge *p, struct brski_http *request, struct brski_error *err);
typedef enum brski_code brski_pledge_ask_answer(
	struct brski_pledge *p, const struct brski_http *response, struct brski_error *err);

BRSKI_CHECKED brski_pledge_ask_build brski_pledge_build_voucher, brski_pledge_build_voucher_status;
BRSKI_CHECKED brski_pledge_ask_answer brski_pledge_answer_voucher, brski_pledge_answer_voucher_status;
BRSKI_CHECKED brski_pledge_ask_build brski_pledge_build_ca_certs;
BRSKI_CHECKED brski_pledge_ask_answer brski_pledge_answer_ca_certs;
BRSKI_CHECKED brski_pledge_ask_build brski_pledge_build_cert, brski_pledge_build_poll;
BRSKI_CHECKED brski_pledge_ask_answer brski_pledge_answer_cert, brski_pledge_answer_poll;
BRSKI_CHECKED brski_pledge_ask_build brski_pledge_build_confirm, brski_pledge_build_reject,
	brski_pledge_build_enroll_status;
BRSKI_CHECKED brski_pledge_ask_answer brski_pledge_answer_confirm, brski_pledge_answer_reject,
	brski_pledge_answer_enroll_status;

/* ---- pledge_cmp.c: common to the steps of CMP ---- */

/* A request with that message, to the endpoint of the transaction that is open. */
BRSKI_CHECKED enum brski_code brski_pledge_cmp_post(const struct brski_pledge *p,
	const struct brski_buf *message, struct brski_http *request, struct brski_error *err);
/* What a step makes of an answer that verifies: *r is borrowed. An error ends the conversation. */
typedef enum brski_code brski_pledge_cmp_judge(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err);
/* A response to a CMP message: put off, or given up; or else verified, and handed to the judge. */
BRSKI_CHECKED enum brski_code brski_pledge_cmp_answer(struct brski_pledge *p,
	const struct brski_http *response, brski_pledge_cmp_judge *judge, struct brski_error *err);
/*
 * pollRep, which tells when to ask again; or waiting, said a second time: a PKI does so that had
 * not heard of the pledge's polling before. It is asked for a time at once, but only once in a
 * visit.
 */
/* Told to wait, but so shortly that it is done in this visit? Else brski_pledge_defer(). */
BRSKI_CHECKED enum brski_code brski_pledge_pause_or_defer(
	struct brski_pledge *p, long seconds, struct brski_error *err);
void brski_pledge_pause_over(struct brski_pledge *p); /* the flight behind it went out */
BRSKI_CHECKED enum brski_code brski_pledge_poll_later(
	struct brski_pledge *p, const struct brski_cmp_response *r, struct brski_error *err);
/*
 * What a CMP answer says that is none of those that the step takes: a rejection, an error, or the
 * wrong type.
 */
void brski_pledge_cmp_refusal(const struct brski_cmp_response *r, const char *to, struct brski_error *why);
/* The registrar trusts us to tell why: FAILED, and enrollstatus says so. */
BRSKI_CHECKED enum brski_code brski_pledge_refuse_enrollment(
	struct brski_pledge *p, const struct brski_error *why, struct brski_error *err);

#endif
