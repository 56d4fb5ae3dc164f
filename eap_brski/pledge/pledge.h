/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_PLEDGE_PLEDGE_H
#define BRSKI_PLEDGE_PLEDGE_H

#include "eap_brski/artifacts/voucher.h"
#include "eap_brski/cmp/cmp.h"
#include "eap_brski/ground/storage.h"
#include "eap_brski/transport/http.h"

/*
 * The pledge, RFC 8995 2.1 and RFC 9733: given the responses, which requests come
 * next? No input or output of its own but the storage. It knows HTTP requests and a certificate
 * chain, and no EAP.
 *
 * States. Each is persisted before anything is sent that depends on it; after a restart
 * brski_pledge_new continues there:
 *
 *   START         nothing asked yet
 *   VOUCHER       a voucher-request is made (same octets on every repeat, RFC 8995 5.2 and 5.6 for 202)
 *   IMPRINTED     voucher verified and kept, domain certificate pinned; the tunnel of every later
 *                 visit must verify to it
 *   ENROLL        key pair made, ir or p10cr made and kept; transaction open; the same octets on every
 *                 repeat
 *   POLL          told to wait by CMP; pollReq when the time has come (RFC 9483 4.4)
 *   CONFIRM       certificate received, checked and kept beside the old one; certConf due
 *   CONFIRM_POLL  told to wait for pkiConf; pollReq when the time has come
 *   REPORT        pkiConf received or not needed; enrollstatus due
 *   ENROLLED      the credential is current. A new onboarding starts at START and leaves it in place
 *                 until it succeeds.
 *   FAILED        for good in this visit; the reason went to the registrar as telemetry where that is
 *                 possible. The next pledge starts at START with a new nonce.
 *
 * Values in the storage: "state" (JSON, all of the above and which credential is current),
 * "ldevid-N.key", "ldevid-N.pem", "ldevid-N-ca.pem" (key, chain and anchors of generation N; the
 * one before the current is kept), and for people to look at "voucher.vcj" and "registrar.pem".
 *
 * A voucher that pins the registrar's own certificate costs one flight more: nothing else of the
 * domain verifies to it, so the registrar is asked for the domain's CA certificates (RFC 9483
 * 4.3.1) and must sign that answer itself.
 */
enum brski_pledge_state {
	BRSKI_PLEDGE_START,
	BRSKI_PLEDGE_VOUCHER,
	BRSKI_PLEDGE_IMPRINTED,
	BRSKI_PLEDGE_ENROLL,
	BRSKI_PLEDGE_POLL,
	BRSKI_PLEDGE_CONFIRM,
	BRSKI_PLEDGE_CONFIRM_POLL,
	BRSKI_PLEDGE_REPORT,
	BRSKI_PLEDGE_ENROLLED,
	BRSKI_PLEDGE_FAILED,
};
const char *brski_pledge_state_name(enum brski_pledge_state state);

enum brski_pledge_event {
	BRSKI_EVENT_TUNNEL, /* detail: subject of the registrar's certificate, provisional or verified */
	BRSKI_EVENT_VOUCHER_REQUESTED,
	BRSKI_EVENT_VOUCHER_ACCEPTED, /* detail: subject of the pinned certificate */
	BRSKI_EVENT_CERT_REQUESTED,
	BRSKI_EVENT_CERT_RECEIVED, /* detail: its subject */
	BRSKI_EVENT_ENROLLED,      /* detail: its subject */
	BRSKI_EVENT_DEFERRED,      /* detail: seconds */
	BRSKI_EVENT_FAILED,        /* detail: why */
};
const char *brski_pledge_event_name(enum brski_pledge_event event); /* "voucher-accepted" */

struct brski_pledge_config {
	const struct brski_credential *idevid; /* copied by reference counts */
	const STACK_OF(X509) *masa_anchors;    /* the manufacturer's, built in at the factory; copied */
	enum brski_key_type key_type;          /* of the LDevID key */
	bool pkcs10;                           /* p10cr in place of ir */
	bool implicit_confirm;                 /* ask the PKI to spare certConf */
	const char *cert_profile;              /* NULL: none */
	/* false: dates are not looked at until a voucher tells the time, RFC 8995 2.6.1 */
	bool clock_is_right;
	/*
	 * Whoever drives the pledge can wait for so many seconds before a flight: brski_pledge_pause(). 0:
	 * it cannot, and the pledge leaves and comes back whenever it is told a time.
	 */
	long patience;
	bool allow_nonceless; /* take a voucher without nonce (RFC 8995 7.2); needs clock_is_right */
	const struct brski_storage *storage; /* NULL: nothing survives */
	const struct brski_env *env;         /* may be NULL */
	void (*event)(void *ctx, enum brski_pledge_event event, const char *detail); /* may be NULL */
	void *event_ctx;
};

#define BRSKI_FLIGHT_MAX 4 /* requests in one flight */

struct brski_pledge;
/*
 * Reads the storage. A state that is corrupt, or was kept for another IDevID, is reported through
 * env->log, set aside, and replaced by START.
 */
BRSKI_CHECKED enum brski_code brski_pledge_new(
	const struct brski_pledge_config *config, struct brski_pledge **out, struct brski_error *err);
void brski_pledge_free(struct brski_pledge *p);

/*
 * The tunnel stands. chain: the registrar's, leaf first, unverified; copied. Once imprinted it must
 * verify to the pinned certificate, else BRSKI_UNTRUSTED; what is stored stays as it is. Before
 * brski_pledge_retry_after is over, the visit is over at once: brski_pledge_next gives nothing (RFC
 * 8995 5.6: MUST wait).
 */
BRSKI_CHECKED enum brski_code brski_pledge_connected(
	struct brski_pledge *p, const STACK_OF(X509) *chain, struct brski_error *err);

/*
 * The next flight: fills requests[0..*n), to be answered in this order. *n == 0: nothing more to
 * ask; then see brski_pledge_state: ENROLLED, or deferred (brski_pledge_retry_after > 0), or
 * FAILED.
 */
BRSKI_CHECKED enum brski_code brski_pledge_next(struct brski_pledge *p,
	struct brski_http requests[BRSKI_FLIGHT_MAX], size_t *n, struct brski_error *err);
/*
 * Seconds before which the flight that brski_pledge_next has just given must not go out (a pollRep's
 * checkAfter, RFC 9483 4.4); 0, without config.patience always: none.
 */
long brski_pledge_pause(const struct brski_pledge *p);
/*
 * The responses to the last flight, in order. BRSKI_OK also where the pledge decided against the
 * registrar but has telemetry to send: brski_pledge_next gives it. An error means that the
 * conversation must end.
 */
BRSKI_CHECKED enum brski_code brski_pledge_answer(
	struct brski_pledge *p, const struct brski_http *responses, size_t n, struct brski_error *err);

enum brski_pledge_state brski_pledge_state(const struct brski_pledge *p);
/*
 * Seconds from now before which the pledge must not come back (202, waiting, 503); 0: none. Kept
 * over a restart. At most 60 as long as no voucher vouches for who said it (RFC 8995 5.6).
 */
long brski_pledge_retry_after(const struct brski_pledge *p);
/* Why it FAILED, in words; "" else. */
const char *brski_pledge_reason(const struct brski_pledge *p);

/*
 * The current credential, after ENROLLED, or from an earlier onboarding. Names of values in the
 * storage, which commit together: private key (PEM), certificate with its chain (PEM, leaf first),
 * trust anchors of the domain (PEM). false: there is none.
 */
struct brski_pledge_credential {
	char key[65];
	char cert[65];
	char anchors[65];
	char subject[256]; /* of the LDevID, RFC 2253 */
	/* of the device that it was made for: a storage may be copied to another */
	char idevid[BRSKI_FINGERPRINT_MAX];
	char identity[128]; /* for EAP-TLS: its serialNumber, else its CN, in letters, digits, '-' and '_' */
};
bool brski_pledge_credential(
	const struct brski_storage *storage, struct brski_pledge_credential *out, struct brski_error *err);

#endif
