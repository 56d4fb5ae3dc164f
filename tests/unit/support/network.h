/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_NETWORK_H
#define BRSKI_TESTS_NETWORK_H

#include "eap_brski/artifacts/status.h"
#include "eap_brski/pledge/pledge.h"
#include "tests/unit/support/pki.h"

/*
 * A network to onboard in, played by a script: manufacturer with MASA, domain with CA and
 * registrar, one device, and a storage in memory that can fail. It answers as it should, except
 * where a test turns one of the knobs.
 */

#define NETWORK_SERIAL "S-1"
#define NETWORK_SUBJECT "CN=Gadget,O=Vendor,serialNumber=" NETWORK_SERIAL
#define NETWORK_REQUESTS_MAX 64
#define NETWORK_VALUES_MAX 32

struct network_value {
	char name[65];
	struct brski_buf data;
	bool secret;
};

struct network_request {
	char path[64];
	int cmp; /* PKIBody, or -1 */
	struct brski_buf body;
	struct brski_status status; /* of telemetry */
};

struct network;
/* Answers in place of the network, if it returns true. */
typedef bool network_hook(
	struct network *net, const struct network_request *request, struct brski_http *response);
/* Changes an answer before it goes out. */
typedef void network_edit(
	struct network *net, const struct network_request *request, struct brski_http *response);

struct network_canned {
	const char *path;
	int cmp; /* PKIBody, or -1 for any */
	unsigned status;
	const char *type;
	const char *body;
	const char *retry_after;
};

struct network {
	/* the manufacturer's */
	struct brski_credential vendor, masa, idevid;
	STACK_OF(X509) *masa_anchors;
	/* the domain's */
	struct brski_credential root, ca, registrar;
	struct brski_credential signer; /* of the CA's CMP messages */
	STACK_OF(X509) *chain;          /* the registrar's, as TLS gives it */
	/* somebody else's, in all respects like the domain */
	struct brski_credential other_root, other_ca, other_registrar, other_signer;

	/* knobs, all zero: everything is right */
	network_hook *hook;
	network_edit *edit;
	struct network_canned canned;             /* network_answer_with() */
	void (*voucher)(struct brski_voucher *v); /* changes the voucher before it is signed */
	const struct brski_credential *voucher_signer;
	const struct brski_credential *cmp_signer;
	void (*cert)(
		struct network *net, struct pki_spec *spec); /* changes the certificate before it is issued */
	const struct brski_credential *cert_issuer;
	enum brski_cmp_status cert_status;
	bool implicit_confirm;
	EVP_PKEY *wrong_key;
	time_t offset; /* of the device's clock */

	/* what happened */
	struct network_request requests[NETWORK_REQUESTS_MAX];
	size_t n_requests;
	unsigned flights;
	unsigned issued;
	X509 *last_cert;
	struct brski_buf waiting; /* the certification request, kept by a hook that lets the pledge poll */
	char events[512];         /* "tunnel voucher-requested ..." */
	char detail[512];         /* of the last event */

	/* the device's storage */
	struct network_value values[NETWORK_VALUES_MAX];
	unsigned writes;
	unsigned fail_at;   /* this write fails, counted from 1; 0: none */
	bool fail_late;     /* it fails after it was done */
	unsigned set_aside; /* how often */
	struct brski_storage storage;
	struct brski_env env;
};

void network_start(struct network *net);
/* The same, with the keys and certificates that a fixture keeps in a folder. */
void network_load(struct network *net, const char *folder);
void network_stop(struct network *net);
/* A pledge's configuration that fits. */
struct brski_pledge_config network_config(struct network *net);
/* The answer to one request, and a note of it. */
void network_answer(struct network *net, const struct brski_http *request, struct brski_http *response);
/*
 * One visit with a chain (NULL: the registrar's): connected, then flights until there is nothing
 * more to ask, or an error.
 */
enum brski_code network_visit(
	struct network *net, struct brski_pledge *p, STACK_OF(X509) *chain, struct brski_error *err);
/* A pledge from the storage, one visit, and its state after it; ck_asserts that nothing fails on the way. */
enum brski_pledge_state network_onboard(struct network *net);

/* How often a path was asked for; with a PKIBody type, or -1 for any. */
unsigned network_asked(const struct network *net, const char *path, int cmp);
/* The last such request, or NULL. */
const struct network_request *network_last(const struct network *net, const char *path, int cmp);
struct network_value *network_value(struct network *net, const char *name); /* NULL: none */

/* From here on, and as nothing had been asked before: this is the answer to requests for the path. */
void network_answer_with(
	struct network *net, const char *path, int cmp, unsigned status, const char *type, const char *body);

void network_expect_state(const struct brski_pledge *p, enum brski_pledge_state state);
/* FAILED, with these words in the reason, the event told, and nothing of a credential kept. */
void network_expect_failed(struct network *net, const struct brski_pledge *p, const char *words);
/* The same, and the registrar has heard it by enrollstatus. */
void network_expect_enrollment_failed(struct network *net, const struct brski_pledge *p, const char *words);
/* The storage's current credential is whole, and the last one that was issued. */
void network_expect_credential(struct network *net);

/* The right answers, for hooks. */
void network_voucher(struct network *net, struct brski_buf *cms);
void network_issue(struct network *net, struct brski_span request, struct brski_buf *out);

#endif
