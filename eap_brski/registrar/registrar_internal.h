/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_REGISTRAR_REGISTRAR_INTERNAL_H
#define BRSKI_REGISTRAR_REGISTRAR_INTERNAL_H

#include <jansson.h>

#include "eap_brski/cmp/cmp_operation.h"
#include "eap_brski/ground/log_limit.h"
#include "eap_brski/registrar/registrar.h"
#include "eap_brski/transport/http_reply.h"

/*
 * What the files of the registrar share, and nobody else includes. They lie in layers: none includes
 * or calls what stands above it.
 *
 *   registrar_request.c  one request after the other
 *   registrar_endpoint.c what is there, and who handles it; registrar_discovery.c tells of it
 *   registrar_voucher.c, registrar_cmp.c, registrar_est.c, registrar_telemetry.c
 *                        the endpoints
 *   registrar_nonce.c    what was said last, and whether it was heard
 *   registrar_pending.c  the job for a request: found, or new
 *   registrar_session.c  what a session tells and asks
 *   job_load.c           a job before it calls somebody: judged again
 *   job_answer.c         an answer to a job, whichever kind it is
 *   job_voucher.c, job_cmp.c, job_est.c
 *                        what an answer of MASA or PKI means
 *   job_pki.c            calls to the PKI, and answers before anybody looks into them
 *   nonceless.c          the same for a voucher that was fetched ahead
 *   job_outcome.c        what becomes of a job, and what is told of it
 *   permission.c         what a device was given, and has used up (permission_internal.h)
 *   job_store.c, note.c  jobs and notes in the store
 *   job_state.c          their form there
 *   job_call.c, job_moves.c
 *                        what a job calls; where it stands
 *   job.c                what a job is
 *   registrar_peer.c     who the peer is
 *   registrar.c          what all sessions and jobs share
 */

#define BRSKI_SESSION_REQUESTS_MAX 32
#define BRSKI_SESSION_OCTETS_MAX ((size_t)512 * 1024)

struct brski_registrar {
	struct brski_credential credential;
	STACK_OF(X509) *own_chain; /* the credential's certificate, then what is above it */
	STACK_OF(X509) *domain_anchors;
	STACK_OF(X509) *pki_tls_anchors;
	STACK_OF(X509) *cmp_signers; /* may be empty; never NULL */
	struct brski_buf
		*domain_ids; /* RFC 8995 5.8.2: of every certificate that a MASA may have pinned for us */
	struct brski_span *known_domains; /* the same */
	size_t n_domain_ids;
	char cmp_url[BRSKI_URL_MAX];
	bool labels;
	char *cmp_profiles; /* never NULL */
	char *masa_hosts;   /* never NULL */
	bool nest;
	bool answer_genm;
	bool check_answers;
	long retry_after;
	long waiting_max;
	long voucher_grant_age, certificate_grant_age, report_repeat_age;
	bool enroll_without_voucher;
	struct brski_registrar_ops ops;
	void *ops_ctx;
	const struct brski_env *env;
	struct brski_log_limit trouble; /* of our own: one line a minute, however many devices come */
};

enum brski_session_state {
	BRSKI_SESSION_OPEN,
	BRSKI_SESSION_TOLD_TO_POLL,      /* by CMP: pollReq may follow in this session */
	BRSKI_SESSION_TOLD_TO_COME_BACK, /* not refused: another visit may do better */
	BRSKI_SESSION_REFUSED,           /* or the pledge reported a failure */
	BRSKI_SESSION_ENROLLED,          /* the pledge's success was answered */
};

struct brski_registrar_session {
	struct brski_registrar *registrar;
	STACK_OF(X509) *chain;
	struct brski_device device;
	struct brski_manufacturer manufacturer;
	void *visit; /* for the policy: brski_registrar_session_visit */
	char where[128];
	char reason[320];
	char last_policy[256]; /* so that a decision is told once */
	unsigned n_requests;
	size_t n_octets;
	enum brski_session_state state;
	bool est;      /* its door has EST */
	bool troubled; /* put off for trouble of our own */
	/* the request that a job was made for */
	char pending_key[BRSKI_FINGERPRINT_MAX];
	const struct brski_job_type *pending_type;
	struct brski_cmp pending; /* CMP only: it is answered by its own header */
};

/* ---- registrar_state.c ---- */

enum brski_session_cause {
	BRSKI_SESSION_ANSWERED, /* finally, neither put off nor refused */
	BRSKI_SESSION_SAID_POLL,
	BRSKI_SESSION_SAID_COME_BACK,
	BRSKI_SESSION_SAID_NO, /* the registrar, or the pledge */
	BRSKI_SESSION_CONFIRMED,
};
struct brski_registrar_transition {
	enum brski_session_state from;
	enum brski_session_cause cause;
	enum brski_session_state to;
};
/* The only function that changes a session's state. */
void brski_registrar_session_move(struct brski_registrar_session *s, enum brski_session_cause cause);
/* The table, for those who draw it; NULL behind its end. */
const struct brski_registrar_transition *brski_registrar_transition(size_t i);
const char *brski_registrar_state_name(enum brski_session_state state);
const char *brski_registrar_cause_name(enum brski_session_cause cause);

/* ---- registrar.c ---- */

/*
 * True: no word about who asked or what was answered, but trouble of our own, that goes up as an
 * error.
 */
bool brski_registrar_is_own_trouble(enum brski_code code);
/* True: what find_manufacturer says of a chain that it does not take. */
bool brski_registrar_is_verdict(enum brski_code code);
/*
 * For what is our own trouble whatever the code: *err gets the words before what it says already, and
 * the code becomes one of those, so that nobody takes it for an answer.
 */
#define BRSKI_MEMORY_FAILS "the registrar's memory fails"
BRSKI_CHECKED enum brski_code brski_registrar_trouble(
	enum brski_code code, const char *words, struct brski_error *err);
/* *err becomes *why, which says more; returns its code. */
BRSKI_CHECKED enum brski_code brski_registrar_give_up(
	const struct brski_error *why, enum brski_code code, struct brski_error *err);

/* ---- registrar_peer.c ---- */

/*
 * Everything of a device but manufacturer and MASA that its certificate tells. *out borrows from
 * the chain. BRSKI_UNTRUSTED: there is no certificate; else it names no serial number.
 */
BRSKI_CHECKED enum brski_code brski_registrar_device_read(
	const STACK_OF(X509) *chain, struct brski_device *out, struct brski_error *err);
/* Name and MASA URL, from the records or the IDevID (RFC 8995 2.3.2); "": it has none. */
void brski_registrar_device_of(struct brski_device *device, const struct brski_manufacturer *m);

/* ---- job.c ---- */

struct brski_job {
	struct brski_registrar *registrar;
	const struct brski_job_type *type;
	enum brski_work work; /* of a new one: not in its blob, and known to the memory once it is stored */
	uint64_t revision;    /* of its row, as read or put last; not in its blob. 0: not stored */
	enum brski_job_state state;
	unsigned step; /* while it waits: of the type's steps */
	char key[BRSKI_FINGERPRINT_MAX];
	char origin[BRSKI_FINGERPRINT_MAX]; /* of a pollReq: the job that it polls for; "" else */
	char label[BRSKI_CMP_LABEL_MAX]; /* CMP: of the transaction's operation, RFC 9483 6.1; "": unknown */
	STACK_OF(X509) *chain;
	struct brski_device device;
	struct brski_manufacturer manufacturer; /* not stored: looked up again, as it may have changed */
	struct brski_buf request;               /* what the pledge sent */
	struct brski_buf upstream; /* what MASA or PKI gets for it now, the same octets on every try */
	struct brski_buf signers;  /* CMP: of the PKI's answers so far, as in struct brski_cmp_transaction */
	struct brski_cmp_transaction tx; /* EST: our own with the PKI, as far as `upstream` */
	char location[BRSKI_URL_MAX];
	/* to the pledge; while the audit log or a confirmation is out, what it gets if that is right */
	struct brski_http answer;
	bool pki_waits; /* CMP: the answer says waiting, and it was the PKI that said so */
	bool grants;    /* CMP: with this answer the new certificate is the pledge's for good */
	time_t created;
	time_t changed;
	time_t not_before;
	time_t expires; /* of the voucher; 0: never */
	unsigned tries; /* in a row that did not get through */
	char why[320];  /* the last trouble, in words */
	/* not stored: */
	char url[BRSKI_URL_MAX + 64];
	struct brski_http call;
	bool relayed;     /* CMP: the answer is the PKI's own */
	const char *what; /* what is to be told once the state is stored */
	bool what_ok;
	bool misanswered; /* REFUSED, and it is the answer that is wrong */
	bool takes_back;  /* REFUSED, and with it falls what the device was permitted */
	bool deferred;    /* by the policy */
};

/*
 * hexadecimal SHA-256 of fingerprint and octets: the name of a request for good. BRSKI_INTERNAL: there
 * is no digest, and *out is "".
 */
BRSKI_CHECKED enum brski_code brski_job_key_of(const struct brski_device *device, struct brski_span octets,
	char out[BRSKI_FINGERPRINT_MAX], struct brski_error *err);
/* A new WAITING job for this device, the caller's; nothing is stored, and there is no call yet. */
BRSKI_CHECKED enum brski_code brski_job_new(struct brski_registrar *r, const struct brski_job_type *type,
	const STACK_OF(X509) *chain, const struct brski_manufacturer *m, struct brski_span request,
	struct brski_job **out, struct brski_error *err);
/* True: when its request comes again, a stored job is as good as none. */
bool brski_job_is_stale(const struct brski_job *job);
/*
 * What an answer or a refusal changes of a job, as it was before: a copy of the whole, which owns
 * nothing but its answer to the pledge, what it says to its back end, and what is known of the
 * transaction (brski_job_forget). Request, chain, manufacturer and call are none of their business, and
 * stay the job's.
 * BRSKI_NO_MEMORY.
 */
BRSKI_CHECKED enum brski_code brski_job_remember(
	const struct brski_job *job, struct brski_job *before, struct brski_error *err);
void brski_job_forget(struct brski_job *before);
/* What is not stored did not happen: the job is what it was. Takes *before. */
void brski_job_roll_back(struct brski_job *job, struct brski_job *before);

/* ---- job_moves.c ---- */

enum brski_job_cause {
	BRSKI_JOB_GOT_VOUCHER, /* and the audit log is to be looked at */
	BRSKI_JOB_SENT_ON,     /* the audit log is at another place */
	BRSKI_JOB_TOLD_TO_POLL,
	BRSKI_JOB_CERTIFIED,    /* and that is to be confirmed */
	BRSKI_JOB_MISCERTIFIED, /* and that is to be said */
	BRSKI_JOB_ANSWERED,     /* there is an answer to deliver */
	BRSKI_JOB_TURNED_DOWN,  /* by MASA, PKI, policy or audit log; or given up */
};
/* The only function that moves a job. */
void brski_job_move(struct brski_job *job, enum brski_job_cause cause);
/* For those who draw it: a type's own move number i, or one that every type has; NULL: there are no more. */
const struct brski_job_move *brski_job_move_of(const struct brski_job_type *type, size_t i);
const struct brski_job_end *brski_job_end(size_t i);
const char *brski_job_cause_name(enum brski_job_cause cause);

/* ---- job_type.c: all that differs between the kinds of jobs ---- */

/* Where a job waits: one call to its back end. */
struct brski_job_step {
	const char *name; /* as stored */
	const char *what; /* the event of trouble here (registrar.h) */
	/* Fills url and call. */
	enum brski_code (*prepare)(struct brski_job *job, struct brski_error *err);
};
/* What leads from one step to another. */
struct brski_job_move {
	unsigned from;
	enum brski_job_cause cause;
	unsigned to;
};
/* What ends a job, from any step, or changes how it has ended. */
struct brski_job_end {
	enum brski_job_cause cause;
	enum brski_job_state to;
};

enum brski_job_refusal {
	BRSKI_JOB_NOT_WANTED, /* by the policy, as it is now */
	BRSKI_JOB_UNANSWERED, /* for too long */
};

struct brski_job_type {
	enum brski_job_kind kind;
	const char *name;     /* as stored */
	const char *back_end; /* "MASA" or "PKI" */
	const char *begins;   /* what makes such a job */
	const char *request;  /* the event of that (registrar.h) */
	bool https_only;
	bool has_transaction;               /* of our own with the back end */
	const struct brski_job_step *steps; /* it begins at the first */
	unsigned n_steps;
	const struct brski_job_move *moves;
	unsigned n_moves;
	/* Trust anchors for HTTPS; NULL: the system's. */
	const STACK_OF(X509) *(*anchors)(const struct brski_job *job);
	/*
	 * An answer of the back end, or none, for the reason `why`: moves the job, or makes it wait;
	 * job->answer is what the pledge is to get. An error is our own trouble.
	 */
	enum brski_code (*answer)(
		struct brski_job *job, const struct brski_http *answer, struct brski_error *err);
	enum brski_code (*silence)(struct brski_job *job, const char *why, struct brski_error *err);
	/* REFUSED by us, and why in words for the operator. BRSKI_OK unless memory is out. */
	enum brski_code (*refuse)(struct brski_job *job, enum brski_job_refusal refusal, const char *why,
		struct brski_error *err);
	/*
	 * The CMP transaction that its next call is part of: the device's permission must allow that.
	 * BRSKI_NOT_FOUND: none. NULL: never any.
	 */
	enum brski_code (*transaction)(
		const struct brski_job *job, struct brski_buf *id, struct brski_error *err);
	/* Call number i, from 1, of those that follow the one of now; BRSKI_NOT_FOUND. NULL: never any. */
	enum brski_code (*plan)(
		const struct brski_job *job, unsigned i, struct brski_planned *out, struct brski_error *err);
	/* What it is, finished or unfinished, to the request that waits for it. */
	enum brski_code (*deliver)(struct brski_registrar_session *s, const struct brski_job *job,
		struct brski_http *response, struct brski_error *err);
	enum brski_code (*defer)(struct brski_registrar_session *s, const struct brski_job *job,
		struct brski_http *response, struct brski_error *err);
	/* To the same request: the policy has refused the device meanwhile. */
	enum brski_code (*turn_away)(
		struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err);
};
/* job_voucher.c, job_cmp.c, job_est.c */
extern const struct brski_job_type brski_job_type_voucher, brski_job_type_cmp, brski_job_type_est;
/* Number i, from 0; NULL: there are no more. */
const struct brski_job_type *brski_job_type(size_t i);
/* By its stored name; NULL: there is none. */
const struct brski_job_type *brski_job_type_named(const char *name);

/* ---- job_call.c ---- */

#define BRSKI_MASA_VOUCHER "requestvoucher"
#define BRSKI_MASA_AUDIT_LOG "requestauditlog"
/*
 * The call of a MASA's operation, RFC 8995 5.5 and 5.8: its URL into url[size], and *request.
 * `manufacturer` is for the error's words. BRSKI_NOT_FOUND: no MASA is known; BRSKI_UNSUPPORTED,
 * BRSKI_TOO_LARGE: its URL is none to call.
 */
BRSKI_CHECKED enum brski_code brski_registrar_masa_call(const char *masa_url, const char *manufacturer,
	const char *operation, struct brski_span body, char *url, size_t size, struct brski_http *request,
	struct brski_error *err);
/* Fills url and call from the step; empties them if nothing is to be called. */
BRSKI_CHECKED enum brski_code brski_job_prepare(struct brski_job *job, struct brski_error *err);
/* ---- job_state.c: jobs as text for the store ---- */

bool brski_job_is_key(const char *text); /* of a job or a note: 64 hexadecimal digits */
/*
 * Reads without looking up the manufacturer; *out is the caller's, of revision 0. BRSKI_MALFORMED,
 * BRSKI_UNSUPPORTED (of another version), BRSKI_TOO_LARGE; BRSKI_MISMATCH: the row is not what its key
 * says.
 */
BRSKI_CHECKED enum brski_code brski_job_decode(
	struct brski_registrar *r, struct brski_span blob, struct brski_job **out, struct brski_error *err);

/* ---- job_store.c ---- */

/*
 * How often what others change meanwhile is read again, until that is our own trouble. Each time,
 * somebody else got through.
 */
#define BRSKI_REGISTRAR_RACES_MAX 5

/*
 * Adds the row of a job of revision 0, or compares and sets; durable when it returns, and the revision
 * is the new one. BRSKI_UNEXPECTED: another was faster, and *job is not what is stored;
 * BRSKI_TOO_LARGE: the store keeps no more of them. All else is our own trouble.
 */
BRSKI_CHECKED enum brski_code brski_job_put(struct brski_job *job, struct brski_error *err);
/*
 * By key from the store, the caller's; it must be this device's, of that manufacturer. There is no
 * call yet. *out NULL with BRSKI_OK: there is none. An error is our own trouble.
 */
BRSKI_CHECKED enum brski_code brski_job_find(struct brski_registrar *r, const struct brski_device *device,
	const struct brski_manufacturer *m, const char *key, struct brski_job **out, struct brski_error *err);
/*
 * Another was faster: *job becomes what is stored, but for its manufacturer; there is no call yet.
 * BRSKI_NOT_FOUND: it is gone. All else is our own trouble; in both cases *job is as it was.
 */
BRSKI_CHECKED enum brski_code brski_job_reread(struct brski_job *job, struct brski_error *err);

/* ---- note.c ---- */

/* Of a note, or of what else is known of a device by a name: no job's key. */
BRSKI_CHECKED enum brski_code brski_note_key(const struct brski_device *device, const char *name,
	struct brski_span detail, char out[BRSKI_FINGERPRINT_MAX], struct brski_error *err);
/*
 * Notes: short facts about a device's transaction that must outlive a session. name, with the
 * transactionID as detail: "transaction" (the job that its pollReqs ask for), "poll" (the job of the
 * newest pollReq), "poll-answer" (the job of the last pollReq that the PKI has answered) and "said"
 * (nonces: registrar_nonce.c). value: a job's key, but of "said". An error is our own trouble.
 */
BRSKI_CHECKED enum brski_code brski_note_put(struct brski_registrar *r, const struct brski_device *device,
	const char *name, struct brski_span detail, const char *value, struct brski_error *err);
/* value "" with BRSKI_OK: there is none. */
BRSKI_CHECKED enum brski_code brski_note_get(struct brski_registrar *r, const struct brski_device *device,
	const char *name, struct brski_span detail, char value[BRSKI_FINGERPRINT_MAX],
	struct brski_error *err);

/*
 * ---- job_outcome.c: nothing of it is stored before brski_job_put, and nothing told before
 * brski_job_announce. `what` is the event's name (registrar.h), the words are the operator's. ----
 */

/* No answer yet: to be tried again in so many seconds; -1: after a while that grows with the tries. */
void brski_job_wait(struct brski_job *job, const char *what, long seconds, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* REFUSED, with a response of that status. told: what the pledge may read. BRSKI_OK unless memory is out. */
BRSKI_CHECKED enum brski_code brski_job_refuse_text(struct brski_job *job, const char *what, unsigned status,
	const char *told, struct brski_error *err, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* DONE; the answer is the caller's to fill. what may be NULL: then nothing is told. */
void brski_job_done(struct brski_job *job, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The words alone. */
void brski_job_tell(struct brski_job *job, const char *what, bool ok, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The last words go to log and history, once. */
void brski_job_announce(struct brski_job *job);

/* ---- nonceless.c ---- */

/* Audit log of RFC 8995 5.8.1, judged. *n: its entries. BRSKI_REFUSED, or it is wrong. */
BRSKI_CHECKED enum brski_code brski_registrar_audit_log_take(const struct brski_registrar *r,
	const struct brski_manufacturer *m, struct brski_span body, size_t *n, struct brski_error *err);
/* A voucher without nonce, judged as a pledge's is. *expires_on 0: never. BRSKI_EXPIRED, or it is wrong. */
BRSKI_CHECKED enum brski_code brski_nonceless_check(const struct brski_registrar *r,
	const struct brski_manufacturer *m, const char *serial, struct brski_span issuer,
	struct brski_span cms, time_t *expires_on, struct brski_error *err);

/* ---- job_pki.c ---- */

/* The call of the CMP message `body` at the operation's label, RFC 9483 6.1; "": at no label. */
BRSKI_CHECKED enum brski_code brski_job_pki_prepare(
	struct brski_job *job, const char *label, struct brski_span body, struct brski_error *err);
const STACK_OF(X509) *brski_job_pki_anchors(const struct brski_job *job);
BRSKI_CHECKED enum brski_code brski_job_pki_silence(
	struct brski_job *job, const char *why, struct brski_error *err);
/* What a type makes of a CMP message, and of an answer that the PKI cannot have meant, for what words. */
struct brski_job_pki_judge {
	enum brski_code (*message)(
		struct brski_job *job, const struct brski_cmp *msg, struct brski_error *err);
	enum brski_code (*wrong)(struct brski_job *job, const char *words, struct brski_error *err);
};
/* An answer: one of the two, or the job waits. As a type's `answer`. */
BRSKI_CHECKED enum brski_code brski_job_pki_answer(struct brski_job *job,
	const struct brski_job_pki_judge *judge, const struct brski_http *answer, struct brski_error *err);
/* False: it answers another transaction, and why[] says so. */
#define BRSKI_JOB_PKI_WHY (72 + BRSKI_CMP_WORDS_MAX)
bool brski_job_pki_is_of(
	const struct brski_cmp *msg, struct brski_span transaction, char why[BRSKI_JOB_PKI_WHY]);
bool brski_job_pki_refuses(const struct brski_cmp_response *r);
bool brski_job_pki_says_wait(const struct brski_cmp_response *r);
/* Whose answers are taken, now. Borrowed from *r. */
struct brski_cmp_trust brski_job_pki_trust(const struct brski_registrar *r);

/* ---- job_cmp.c ---- */

/* As brski_job_refuse_text, for a CMP job: a rejection of its request, signed by the registrar. */
BRSKI_CHECKED enum brski_code brski_job_cmp_refuse(struct brski_job *job, const char *what,
	enum brski_cmp_fail fail, const char *told, struct brski_error *err, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* ---- job_est.c ---- */

/* It is refused, and waits only for the PKI to hear that its certificate is not used. */
bool brski_job_est_is_rejected(const struct brski_job *job);

/* ---- job_answer.c ---- */

#define BRSKI_JOB_OVERDUE_WHY 80
/* It waits, and for longer than it may: then why[] says so. */
bool brski_job_is_overdue(const struct brski_job *job, char why[BRSKI_JOB_OVERDUE_WHY]);

/* ---- registrar_pending.c ---- */

/* What a session's request asks a back end for. */
struct brski_registrar_asked {
	const struct brski_job_type *type;
	enum brski_work work;
	struct brski_span octets; /* the request's, that name the job */
	/*
	 * Makes a new job complete, and stores what must be there before it is; called again if
	 * another was faster. An error is our own trouble.
	 */
	enum brski_code (*fill)(void *ctx, struct brski_job *job, struct brski_error *err);
	/* A new job is stored: this is told. */
	void (*kept)(void *ctx, const struct brski_job *job);
	void *ctx;
};
/*
 * The job that was made for the same octets before, unless it is stale; else a new one, stored. As
 * brski_registrar_request, but that an error is our own trouble.
 */
BRSKI_CHECKED enum brski_code brski_registrar_ask(struct brski_registrar_session *s,
	const struct brski_registrar_asked *asked, struct brski_http *response, struct brski_job **job,
	struct brski_error *err);
/* Only the first of these, the caller's. *out NULL with BRSKI_OK: there is none. */
BRSKI_CHECKED enum brski_code brski_registrar_known(const struct brski_registrar_session *s,
	struct brski_span octets, struct brski_job **out, struct brski_error *err);
/* A stored job answers now, or is handed out to be driven. Takes it. As brski_registrar_ask. */
BRSKI_CHECKED enum brski_code brski_registrar_use_job(struct brski_registrar_session *s,
	struct brski_job *found, struct brski_http *response, struct brski_job **job,
	struct brski_error *err);

/* ---- registrar_session.c ---- */

/* One line for the history and the log; not ok: also the session's reason. */
void brski_registrar_session_note(struct brski_registrar_session *s, const char *what, bool ok,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same of trouble of our own, for which the device is put off: one line a minute in the log. */
void brski_registrar_session_trouble(struct brski_registrar_session *s, const char *why);
/*
 * Asks for the manufacturer as it is now, and the policy; *retry_after in seconds for BRSKI_DEFER. What
 * the device was permitted falls with BRSKI_REFUSE. An error is our own trouble.
 */
BRSKI_CHECKED enum brski_code brski_registrar_session_decide(struct brski_registrar_session *s,
	enum brski_decision *decision, long *retry_after, struct brski_error *err);
/*
 * It is told to come back in so many seconds: 202, where the same request brings then what it asked for
 * (RFC 8995 5.6, RFC 7030 4.2.3), or 503.
 */
BRSKI_CHECKED enum brski_code brski_registrar_session_come_back(struct brski_registrar_session *s,
	unsigned status, long seconds, struct brski_http *response, struct brski_error *err);
/* It is told that it may not join, whatever it has asked for. */
BRSKI_CHECKED enum brski_code brski_registrar_session_turn_away(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err);
/* It waits for that job, for so many seconds at least; what keeps that becomes the session's reason. */
long brski_registrar_session_wait(struct brski_registrar_session *s, const struct brski_job *job);

/* ---- registrar_nonce.c: recipNonce, RFC 9483 3.5 ---- */

/*
 * This answer to `asked`, which has the device wait, is about to be given: its senderNonce is noted.
 * An error is our own trouble, here and below.
 */
BRSKI_CHECKED enum brski_code brski_registrar_nonce_said(struct brski_registrar_session *s,
	const struct brski_cmp *asked, struct brski_span answer, struct brski_error *err);
/* *yes: recipNonce is the senderNonce of the job's answer. */
BRSKI_CHECKED enum brski_code brski_registrar_nonce_answers(
	const struct brski_cmp *msg, const struct brski_job *job, bool *yes, struct brski_error *err);
/*
 * *yes: recipNonce is of what was said last in the transaction, or, since that may have been lost, of
 * what it answered; or nothing is known of that. polled: the job that a pollReq asks for.
 */
BRSKI_CHECKED enum brski_code brski_registrar_nonce_heard(const struct brski_registrar_session *s,
	const struct brski_cmp *msg, const struct brski_job *polled, bool *yes, struct brski_error *err);

/* ---- registrar_endpoint.c ---- */

struct brski_registrar_endpoint {
	const char *method;
	const char *path;
	const char *label;    /* of CMP: the operation's, behind the path; "": none. NULL: this is not CMP */
	const char *media;    /* of the request; NULL: it has no body */
	const char *produces; /* what a successful response is */
	size_t body_max;
	/* One of these. For devices alone: as brski_registrar_request. */
	enum brski_code (*handle)(struct brski_registrar_session *s,
		const struct brski_registrar_endpoint *endpoint, const struct brski_http *request,
		struct brski_http *response, struct brski_job **job, struct brski_error *err);
	/* For everybody; device NULL: nobody knows who it is. An error is our own trouble. */
	enum brski_code (*open)(struct brski_registrar *r, const struct brski_device *device, bool est,
		const struct brski_http *request, struct brski_http *response, struct brski_error *err);
	bool telemetry;     /* heard to the end, also when the session is over */
	bool est;           /* where EST is served */
	bool has_address;   /* where the request tells by which address it has come: not in a tunnel */
	bool has_query;     /* and its path may have one */
	bool unsupported;   /* it says so */
	unsigned cmp_types; /* bits of enum brski_cmp_type */
};
/* The endpoint that the request is for, by what it accepts where there are several; NULL: there is none. */
const struct brski_registrar_endpoint *brski_registrar_endpoint_find(
	const struct brski_http *request, bool est);
/* 0: the request fits the endpoint, which may be NULL; else the status that says why not, and the words. */
unsigned brski_registrar_endpoint_misfit(const struct brski_registrar_endpoint *endpoint,
	const struct brski_http *request, const char **words);
BRSKI_CHECKED enum brski_code brski_registrar_answer_misfit(const struct brski_registrar_endpoint *endpoint,
	unsigned status, const char *words, struct brski_http *response, struct brski_error *err);
/* The table, for those who draw it; NULL behind its end. */
const struct brski_registrar_endpoint *brski_registrar_endpoint(size_t i);
/* The paths of those that can be used, new; NULL: no memory. */
json_t *brski_registrar_endpoint_list(bool est);

/* ---- registrar_voucher.c, registrar_cmp.c, registrar_est.c, registrar_telemetry.c: for devices ---- */

/* As brski_registrar_request. */
#define BRSKI_REGISTRAR_HANDLER_PARAMS \
	struct brski_registrar_session *s, const struct brski_registrar_endpoint *endpoint, \
		const struct brski_http *request, struct brski_http *response, struct brski_job **job, \
		struct brski_error *err

BRSKI_CHECKED enum brski_code brski_registrar_handle_voucher_request(BRSKI_REGISTRAR_HANDLER_PARAMS);
BRSKI_CHECKED enum brski_code brski_registrar_handle_voucher_status(BRSKI_REGISTRAR_HANDLER_PARAMS);
BRSKI_CHECKED enum brski_code brski_registrar_handle_enroll_status(BRSKI_REGISTRAR_HANDLER_PARAMS);
BRSKI_CHECKED enum brski_code brski_registrar_handle_cmp(BRSKI_REGISTRAR_HANDLER_PARAMS);
BRSKI_CHECKED enum brski_code brski_registrar_handle_enroll(BRSKI_REGISTRAR_HANDLER_PARAMS);
BRSKI_CHECKED enum brski_code brski_registrar_handle_unsupported(BRSKI_REGISTRAR_HANDLER_PARAMS);

/* What a finished, and an unfinished, job is to the request that waits for it. */
BRSKI_CHECKED enum brski_code brski_registrar_deliver_voucher(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_registrar_defer_voucher(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_registrar_deliver_cmp(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_registrar_defer_cmp(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_registrar_turn_away_cmp(
	struct brski_registrar_session *s, struct brski_http *response, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_registrar_deliver_est(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_registrar_defer_est(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);

/* ---- registrar_discovery.c and others: the endpoints for everybody ---- */

#define BRSKI_MEDIA_LINKS "application/link-format" /* RFC 6690 7.3 */

#define BRSKI_REGISTRAR_OPEN_PARAMS \
	struct brski_registrar *r, const struct brski_device *device, bool est, \
		const struct brski_http *request, struct brski_http *response, struct brski_error *err

BRSKI_CHECKED enum brski_code brski_registrar_open_discovery(BRSKI_REGISTRAR_OPEN_PARAMS);
BRSKI_CHECKED enum brski_code brski_registrar_open_links(BRSKI_REGISTRAR_OPEN_PARAMS);
/* registrar_est.c */
BRSKI_CHECKED enum brski_code brski_registrar_open_cacerts(BRSKI_REGISTRAR_OPEN_PARAMS);
BRSKI_CHECKED enum brski_code brski_registrar_open_csrattrs(BRSKI_REGISTRAR_OPEN_PARAMS);

#endif
