/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_REGISTRAR_REGISTRAR_H
#define BRSKI_REGISTRAR_REGISTRAR_H

#include "eap_brski/artifacts/audit_log.h"
#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/cmp/cmp.h"
#include "eap_brski/transport/http.h"

/*
 * The registrar, RFC 8995 and RFC 9733: an HTTP request from a peer whose
 * certificate chain the transport has proved gives a response, or a job: work for MASA or PKI that
 * outlives the session. It assumes no EAP, does no I/O but through the callbacks below, starts no
 * thread, and may be used by many threads at once (a session or a job by one at a time).
 */

#define BRSKI_RETRY_AFTER_DEFAULT 60 /* seconds */
#define BRSKI_VOUCHER_GRANT_AGE_DEFAULT (30 * 86400L)
#define BRSKI_CERTIFICATE_GRANT_AGE_DEFAULT (7 * 86400L)
#define BRSKI_REPORT_REPEAT_AGE_DEFAULT 600L

enum brski_mode {
	BRSKI_MODE_INVENTORY,
	BRSKI_MODE_MANUAL,
	BRSKI_MODE_MANUFACTURER,
	BRSKI_MODE_TYPE,
	BRSKI_MODE_OPEN
};
const char *brski_mode_name(enum brski_mode mode);

/* Who the peer is, as far as its certificate proves. */
struct brski_device {
	char manufacturer[64]; /* name in our records */
	char serial_number[BRSKI_SERIAL_MAX];
	char subject[256];
	char fingerprint[BRSKI_FINGERPRINT_MAX]; /* of the IDevID, SHA-256 */
	char masa_url[BRSKI_URL_MAX];
	X509 *idevid; /* borrowed */
};

/* What is known of a manufacturer. Owned by the caller: brski_manufacturer_free. */
struct brski_manufacturer {
	char name[64];
	char masa_url[BRSKI_URL_MAX];    /* "": the IDevID's own extension */
	STACK_OF(X509) *idevid_anchors;  /* IDevIDs verify to these */
	STACK_OF(X509) *voucher_anchors; /* voucher signers verify to these; NULL: the IDevID anchors */
	STACK_OF(X509) *tls_anchors;     /* the MASA's TLS certificate; NULL: the system's */
	STACK_OF(X509_CRL) *crls;        /* may be NULL */
	enum brski_mode mode;
	/* look at the voucher before it goes to the pledge (RFC 8995 5.6: MAY); default true */
	bool check_voucher;
	bool audit_log; /* fetch and judge it; default true */
	bool allow_foreign_domains;
	bool allow_nonceless;
};
void brski_manufacturer_free(struct brski_manufacturer *m); /* and zeroes it */
/*
 * *to, which need not be initialized, becomes another owner of the same certificates and CRLs: their
 * reference counts go up, nothing is encoded or parsed. May be called by many threads on one *from
 * that none of them changes. BRSKI_NO_MEMORY: *to is zeroed, and holds nothing.
 */
BRSKI_CHECKED enum brski_code brski_manufacturer_copy(
	struct brski_manufacturer *to, const struct brski_manufacturer *from, struct brski_error *err);

enum brski_decision { BRSKI_ACCEPT, BRSKI_REFUSE, BRSKI_DEFER };

/* By what it calls: a MASA, for a voucher; or the PKI by CMP, for whichever form a device asks in. */
enum brski_job_kind { BRSKI_JOB_VOUCHER, BRSKI_JOB_CMP };
enum brski_job_state {
	BRSKI_JOB_WAITING, /* something must be called */
	BRSKI_JOB_DONE,    /* the answer is there, to be delivered as often as it is asked for */
	BRSKI_JOB_REFUSED, /* so is the refusal */
};

/* What a device's request that is new makes MASA, PKI and memory do: how often it may is bounded for each. */
enum brski_work {
	BRSKI_WORK_VOUCHER,
	BRSKI_WORK_CERTIFICATE,  /* ir, p10cr, simpleenroll */
	BRSKI_WORK_CONFIRMATION, /* certConf */
	BRSKI_WORK_QUESTION,     /* genm */
	BRSKI_WORK_POLL,         /* a pollReq that the PKI itself wants */
	BRSKI_WORKS
};

/*
 * What the registrar must not forget of a transaction, and that is no work. What does not change is
 * named by the key for good: device, name, and transaction.
 */
struct brski_note {
	char key[BRSKI_FINGERPRINT_MAX]; /* 64 hexadecimal digits, as those of jobs, and of none of them */
	const char *name;
	char value[BRSKI_FINGERPRINT_MAX]; /* a job's key, or as many digits of nonces; never "" */
	const struct brski_device *device;
	/*
	 * Worth nothing once the job is gone that `value` names: a device makes as many of these as it
	 * likes. Else to be kept as long as the device may come back.
	 */
	bool of_transaction;
};

/*
 * What a device may, once it was given a voucher. Of the states the first is what a voucher gives, and
 * each of the others, but the last, is what has become of that: docs/states.md.
 */
enum brski_permission_state {
	BRSKI_PERMISSION_VOUCHER,    /* it may ask for certificates */
	BRSKI_PERMISSION_CONFIRMING, /* it may go on with one transaction, whose certificate is confirmed now */
	BRSKI_PERMISSION_CERTIFICATE, /* that is confirmed: it may report that it is onboarded */
	BRSKI_PERMISSION_REPORTED,    /* it has: all is used up */
	BRSKI_PERMISSION_TAKEN_BACK,  /* by a refusal */
};
struct brski_permission {
	char key[BRSKI_FINGERPRINT_MAX]; /* of the device's certificate: as those of notes, and of none of them */
	const struct brski_device *device; /* as given; NULL as read */
	enum brski_permission_state state;
	/* the job that brought the voucher; "": it was let in without one (enroll_without_voucher) */
	char voucher[BRSKI_FINGERPRINT_MAX];
	char transaction
		[BRSKI_FINGERPRINT_MAX]; /* which transaction it is used for, by a note's key; "": any */
	time_t since;                    /* of the state */
	uint64_t revision;               /* as read, counts the changes from 1; 0: there is none */
};

/* Whom a job that waits calls next: for whoever has to choose among many of them. It may be out of date. */
struct brski_job_next {
	const char *back_end; /* "https://masa.example:9443"; "": the one that was said before */
	time_t not_before;    /* that it makes sense to call; 0: at once */
};

/*
 * The registrar's memory and judgement. They may come from any thread, and should be quick: local
 * database, no network.
 *
 * All return BRSKI_OK, or fill err and return another code. The codes that are named here are answers,
 * and say how it is. Every other one is a failure, and says nothing of how it is: it is never taken
 * for a no. Whoever asked is told to come back, or tries again later, and nothing is lost.
 *
 * Each change happens wholly or not at all, also for other threads and processes on the same memory,
 * and is durable when it returns BRSKI_OK. After a failure it may have happened or not.
 */
struct brski_registrar_ops {
	/*
	 * The manufacturer to one of whose anchors the chain (leaf first) verifies; BRSKI_UNTRUSTED,
	 * where it leads to none; BRSKI_EXPIRED, BRSKI_REVOKED, BRSKI_UNSUPPORTED, BRSKI_REFUSED, where
	 * it leads to one and is wrong (brski_chain_follow).
	 */
	enum brski_code (*find_manufacturer)(void *ctx, const STACK_OF(X509) *chain,
		struct brski_manufacturer *out, struct brski_error *err);
	/*
	 * Policy: may this device join? why[] gets the reason in words whatever the decision;
	 * retry_after in seconds for BRSKI_DEFER. `visit` is brski_registrar_session_visit's, and
	 * NULL in the background, where nobody is here.
	 */
	enum brski_code (*decide)(void *ctx, void *visit, const struct brski_device *device,
		const struct brski_manufacturer *m, enum brski_decision *decision, char why[256],
		long *retry_after, struct brski_error *err);
	/*
	 * Jobs. key: hexadecimal SHA-256 that names a request for good (pledge and octets), so that
	 * a repeat finds it. `blob` is brski_job_save's. A row's revision counts its changes, from 1.
	 *
	 * Would one more that this device makes new be kept now? Asked before anything is done or kept
	 * for it, and never for a repeat of what is there. BRSKI_TOO_LARGE: it goes beyond a bound, which
	 * are the memory's to keep, and the words name it; the peer is told to come back after *seconds,
	 * or the registrar's own retry_after if that is 0.
	 */
	enum brski_code (*job_room)(void *ctx, const struct brski_device *device, enum brski_work work,
		long *seconds, struct brski_error *err);
	/*
	 * A new row, WAITING and of revision 1. next: for whoever chooses which rows are worked on first.
	 * BRSKI_UNEXPECTED: there is a row of that key, and it
	 * stays as it is. BRSKI_TOO_LARGE: it goes beyond a bound, also one that job_room did not see;
	 * the peer is told to come back.
	 */
	enum brski_code (*job_add)(void *ctx, const char *key, enum brski_job_kind kind, enum brski_work work,
		const struct brski_job_next *next, const struct brski_device *device, struct brski_span blob,
		struct brski_error *err);
	/*
	 * Compare and set: state and blob of the row that is at that very revision, which counts up
	 * by one. BRSKI_UNEXPECTED: it is at another, or gone. A finished row may go back to WAITING:
	 * it was asked for afresh; BRSKI_TOO_LARGE then as for job_add. takes_back: and with it happens
	 * what permission_take_back does.
	 */
	enum brski_code (*job_put)(void *ctx, const char *key, uint64_t revision, enum brski_job_kind kind,
		enum brski_job_state state, bool takes_back, const struct brski_job_next *next,
		const struct brski_device *device, struct brski_span blob, struct brski_error *err);
	/* BRSKI_NOT_FOUND. */
	enum brski_code (*job_get)(void *ctx, const char *key, struct brski_buf *blob, uint64_t *revision,
		struct brski_error *err);
	/* Adds or replaces. */
	enum brski_code (*note_put)(void *ctx, const struct brski_note *note, struct brski_error *err);
	/* BRSKI_NOT_FOUND. */
	enum brski_code (*note_get)(
		void *ctx, const char *key, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err);
	/* Permissions. BRSKI_NOT_FOUND. */
	enum brski_code (*permission_get)(
		void *ctx, const char *key, struct brski_permission *out, struct brski_error *err);
	/*
	 * Compare and set: the one of that key that is at p->revision, 0 being none at all, which counts
	 * up by one. BRSKI_UNEXPECTED: it is at another. A job's answer is good for one
	 * BRSKI_PERMISSION_VOUCHER; BRSKI_NOT_FOUND: the one that p->voucher names was used so before, or
	 * is not there any more, or not DONE. "" names none, and is as good as any.
	 */
	enum brski_code (*permission_put)(
		void *ctx, const struct brski_permission *p, struct brski_error *err);
	/*
	 * Those of all certificates of this device, by manufacturer and serial number, become
	 * BRSKI_PERMISSION_TAKEN_BACK, and its DONE jobs of kind BRSKI_JOB_VOUCHER go. BRSKI_OK also if
	 * there is nothing.
	 */
	enum brski_code (*permission_take_back)(
		void *ctx, const struct brski_device *device, struct brski_error *err);
	/* Does it stand in the operator's inventory? May be NULL: nobody does. */
	enum brski_code (*listed)(
		void *ctx, const struct brski_device *device, bool *yes, struct brski_error *err);
	/*
	 * History, for `brskictl history`: what happened to a device, in words. device may lack
	 * what is not known yet.
	 *
	 *   what              ok                            not ok
	 *   "peer"                                          certificate refused in the handshake
	 *   "policy"          may join, or must wait        may not
	 *   "voucher-request" kept, for the MASA            refused
	 *   "voucher"         the MASA gave one             MASA refused or away, or voucher wrong
	 *   "audit-log"       judged right                  refused, or not to be had
	 *   "voucher-status"  the pledge took the voucher   it did not
	 *   "cert-request"    kept, for the PKI             refused
	 *   "certificate"     the PKI issued or confirmed   PKI refused or away, or answer wrong
	 *   "enroll-status"   onboarded                     the pledge could not use it
	 *   "deferred"        told to come back later       the same, for trouble of our own
	 */
	void (*event)(
		void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail);
	/*
	 * The voucher without nonce that was fetched ahead for this device and judged right with
	 * its audit log (nonceless.h), for when its MASA cannot be asked. BRSKI_NOT_FOUND. May be NULL:
	 * there are none.
	 */
	enum brski_code (*nonceless_voucher)(
		void *ctx, const struct brski_device *device, struct brski_buf *cms, struct brski_error *err);
};

struct brski_registrar_config {
	const struct brski_credential
		*credential; /* TLS, voucher-requests and nested CMP alike; copied by reference counts */
	/* our own CA: LDevIDs of ours and answers of the PKI verify to these; copied */
	const STACK_OF(X509) *domain_anchors;
	const char *cmp_url; /* of the PKI, "http://ca.example:8080/.well-known/cmp"; copied */
	/* of the PKI's HTTPS; NULL: domain_anchors; copied */
	const STACK_OF(X509) *pki_tls_anchors;
	/* put the operation's label behind cmp_url, if that is a well-known one, RFC 9483 6.1; default true */
	bool labels;
	bool nest;        /* wrap requests, RFC 9483 5.2.2.1; default true */
	bool answer_genm; /* getcacerts from our own anchors, for PKIs that answer no genm */
	/*
	 * Verify what the PKI answers (protection to domain_anchors, key and subject of the
	 * certificate) and do not deliver what is wrong; default true. False relays it unjudged:
	 * the pledge judges end to end in either case.
	 */
	bool check_answers;
	/*
	 * Certificates that may sign the PKI's answers though they are neither a CA's nor have extended
	 * key usage cmcCA or cmcRA; they lead to domain_anchors all the same. Copied; NULL: none
	 */
	const STACK_OF(X509) *cmp_signers;
	/*
	 * Names of certificate profiles that devices may ask for by certProfile, blanks or commas
	 * between them; NULL: none. Copied.
	 */
	const char *cmp_profiles;
	/*
	 * HOST[:PORT], commas or blanks between them: where else than at its own host a MASA's audit log
	 * may be (RFC 8995 5.8); NULL: nowhere. Copied.
	 */
	const char *masa_hosts;
	long retry_after; /* seconds, for 202, waiting and 503; 0: BRSKI_RETRY_AFTER_DEFAULT */
	long waiting_max; /* seconds after which a request that got no answer is given up; 0: never */
	/*
	 * For how long, in seconds, a device may begin to enroll with its voucher, may report success
	 * with its certificate, and may repeat that report; 0: the defaults above. What waits for an
	 * answer meanwhile goes on.
	 */
	long voucher_grant_age, certificate_grant_age, report_repeat_age;
	/*
	 * A device that is listed, and that nobody has refused since it was given something, may enroll by
	 * EST without a voucher; default false
	 */
	bool enroll_without_voucher;
	const struct brski_registrar_ops *ops;
	void *ops_ctx;
	const struct brski_env *env; /* may be NULL */
};

struct brski_registrar;
BRSKI_CHECKED enum brski_code brski_registrar_new(
	const struct brski_registrar_config *config, struct brski_registrar **out, struct brski_error *err);
void brski_registrar_free(struct brski_registrar *r);
const struct brski_credential *brski_registrar_credential(const struct brski_registrar *r);

/* ---- Sessions: one authenticated peer. ---- */

struct brski_registrar_session;
/*
 * In the handshake: is this chain an IDevID of a known manufacturer, in date and not revoked?
 * Nothing else is decided here.
 */
BRSKI_CHECKED enum brski_code brski_registrar_peer(
	struct brski_registrar *r, const STACK_OF(X509) *chain, struct brski_error *err);
/*
 * What whoever has shown this chain, and its key, may be told of it where it is no device's, besides that it
 * will not do; NULL: nothing. Static.
 */
const char *brski_registrar_peer_told(const struct brski_registrar *r, const STACK_OF(X509) *chain);
/* After it. The chain is copied. `where` is a line for the log, e.g. the port and the Calling-Station-Id. */
BRSKI_CHECKED enum brski_code brski_registrar_session_new(struct brski_registrar *r,
	const STACK_OF(X509) *chain, const char *where, struct brski_registrar_session **out,
	struct brski_error *err);
void brski_registrar_session_free(struct brski_registrar_session *s);
/*
 * What whoever opens the door knows of this visit, for `decide` alone, which knows its type; NULL, as
 * at first: nothing. Borrowed: set it before the work on a message, and to NULL behind that.
 */
void brski_registrar_session_visit(struct brski_registrar_session *s, void *visit);
const struct brski_device *brski_registrar_session_device(const struct brski_registrar_session *s);
/* This door has EST too (RFC 7030), as the operator wants it: from now on, for this session. */
void brski_registrar_session_serve_est(struct brski_registrar_session *s);

/*
 * A request of somebody who has shown no certificate, or one that is no device's (RFC 7030 4.1.1, 4.5.1).
 * est: this door has EST. *answered, with *response: it is for everybody (discovery, the CA
 * certificates, the attributes of a request), or there is no such path; else its path is for devices
 * alone, and *response is empty. It never makes a job, and nothing is told in history. Trouble of our
 * own is 503 with Retry-After. May be called by many threads at once. BRSKI_NO_MEMORY is the one error.
 */
BRSKI_CHECKED enum brski_code brski_registrar_public(struct brski_registrar *r,
	const struct brski_http *request, bool est, bool *answered, struct brski_http *response,
	struct brski_error *err);

struct brski_job;
/*
 * One request. Either *job is NULL and *response is filled, or *job is the work that must be done
 * first: it is the caller's, and stored. The caller drives it (below), then calls
 * brski_registrar_resume; or brski_registrar_defer when it takes too long.
 *
 * What is wrong with the request becomes a response, and so does trouble of our own, of the memory
 * above all: 503 with Retry-After, the session being told to come back; the trouble is in log and
 * history. The same request, when it comes again, goes on where this one stopped. BRSKI_NO_MEMORY is
 * the one error.
 */
BRSKI_CHECKED enum brski_code brski_registrar_request(struct brski_registrar_session *s,
	const struct brski_http *request, struct brski_http *response, struct brski_job **job,
	struct brski_error *err);
/*
 * The job is done: the response to the request that caused it. Trouble of our own as above.
 * BRSKI_UNEXPECTED: the session waits for another job or none, or the job is not done.
 */
BRSKI_CHECKED enum brski_code brski_registrar_resume(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);
/*
 * It is not done, and the peer must come back: 202 with Retry-After (voucher), CMP waiting or
 * pollRep (certificate). If another was faster, and the memory has the answer, it is delivered. Else
 * as brski_registrar_resume.
 */
BRSKI_CHECKED enum brski_code brski_registrar_defer(struct brski_registrar_session *s,
	const struct brski_job *job, struct brski_http *response, struct brski_error *err);
/*
 * True once the pledge's enrollstatus said success and this registrar answered it (the protected
 * success indication).
 */
bool brski_registrar_session_enrolled(const struct brski_registrar_session *s);
/*
 * True once nothing more can come of this session: told to come back, refused, or the pledge
 * reported a failure.
 */
bool brski_registrar_session_over(const struct brski_registrar_session *s);
/* The last answer told the peer to wait: another visit may do better. */
bool brski_registrar_session_deferred(const struct brski_registrar_session *s);
/* A request was put off for trouble of our own (503): it says nothing about the device. */
bool brski_registrar_session_troubled(const struct brski_registrar_session *s);
/* For the operator's log, when the session did not enroll: why. "" if not known. */
const char *brski_registrar_session_reason(const struct brski_registrar_session *s);

/* ---- Jobs: work for MASA or PKI; each step is one HTTP call. ---- */

struct brski_call {
	enum brski_job_kind kind;          /* a voucher's goes to a MASA, CMP to the PKI */
	const char *back_end;              /* "MASA" or "PKI": for the log */
	bool https_only;                   /* RFC 8995 5.4: a MASA is never called without TLS */
	char url[BRSKI_URL_MAX + 64];      /* absolute */
	const struct brski_http *request;  /* method, fields and body; path as in the URL */
	const STACK_OF(X509) *tls_anchors; /* NULL: the system's; server name and chain are always verified */
	const struct brski_credential *client; /* TLS client certificate */
};

/* What is to be called now; false when the job is done or refused. *call borrows from the job. */
bool brski_job_call(const struct brski_job *job, struct brski_call *call);
/*
 * The answer to that call; or, answer NULL, that it could not be made (why in words): the job then
 * stays WAITING, to be tried again. Stores before it returns. On return brski_job_call tells the
 * next call (audit log after voucher), or the job is DONE or REFUSED.
 *
 * Of several that have answers for one job, in other threads or processes, each with a struct
 * brski_job of its own, the first gets through: for the others the job becomes what is stored, and
 * their answer is dropped, or judged on it if the job waits for that very call still.
 *
 * An error is our own trouble: the answer did not happen, the job is where it was, and the call may
 * be made again. BRSKI_NOT_FOUND: the job is gone from the memory.
 */
BRSKI_CHECKED enum brski_code brski_job_answer(
	struct brski_job *job, const struct brski_http *answer, const char *why, struct brski_error *err);
enum brski_job_state brski_job_state(const struct brski_job *job);
enum brski_job_kind brski_job_kind_of(const struct brski_job *job);
const char *brski_job_key(const struct brski_job *job);
/* Of its row, as it was read or put last: the memory knows more of the job if it has another one. */
uint64_t brski_job_revision(const struct brski_job *job);
/*
 * Seconds before the next try makes sense: Retry-After of a MASA's 202 or 503, checkAfter of a
 * polling PKI; 0: at once.
 */
long brski_job_not_before(const struct brski_job *job);
/* Calls in a row that got no answer, or one that told it to come back. */
unsigned brski_job_tries(const struct brski_job *job);
void brski_job_free(struct brski_job *job);

/* One call, whole: it needs no job any more. */
struct brski_planned {
	char url[BRSKI_URL_MAX + 64];
	struct brski_http request;
};
void brski_planned_free(struct brski_planned *planned); /* and zeroes it */
/*
 * Call number i, from 0, of those that this job makes if each is answered well, for somebody who
 * makes them at another place; the answers go to brski_job_answer in the same order.
 * BRSKI_NOT_FOUND: there are no more. An audit log may need one more call that only the MASA's
 * answer tells (RFC 8995 5.8: 201 with Location).
 */
BRSKI_CHECKED enum brski_code brski_job_plan(
	const struct brski_job *job, unsigned i, struct brski_planned *out, struct brski_error *err);
/*
 * The job is REFUSED since the last answer is none that its MASA or PKI can have meant: a
 * signature, nonce or transactionID is wrong, for instance.
 */
bool brski_job_misanswered(const struct brski_job *job);
/* The policy wants it to wait: nobody is to be called now. */
bool brski_job_is_deferred(const struct brski_job *job);
/*
 * A stored job, for the background: it needs no session. revision: the row's. If it waits, it is judged
 * again, and may come out REFUSED, and stored so. An error says nothing about the device: the job is
 * where it was.
 */
BRSKI_CHECKED enum brski_code brski_job_load(struct brski_registrar *r, struct brski_span blob,
	uint64_t revision, struct brski_job **out, struct brski_error *err);
/*
 * The same for a job in memory, before any call of it is made: its manufacturer with anchors and CRLs
 * becomes what it is now, and the policy and the device's permission are asked. An error leaves the job
 * where it was; BRSKI_NOT_FOUND: it is gone from the memory.
 */
BRSKI_CHECKED enum brski_code brski_job_judge(struct brski_job *job, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_job_save(
	const struct brski_job *job, struct brski_buf *blob, struct brski_error *err);

#endif
