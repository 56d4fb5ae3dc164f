/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_HTTPS_VISITOR_H
#define BRSKI_TESTS_HTTPS_VISITOR_H

#include "eap_brski/pledge/pledge.h"
#include "tests/driver/https/connection.h"

/* One simulated device at the HTTPS door: the library's pledge, and connections of OpenSSL's. */
struct visitor_options {
	struct connection_target target;
	const char *idevid_dir;
	const char *state_dir;
	STACK_OF(X509) *masa_ca;
	enum brski_key_type key_type;
	bool pkcs10;
	bool implicit_confirm;
	unsigned visits; /* how often it comes when told to, or put off */
	unsigned
		put_off_ms; /* how long it stays away when nobody told it when; 0: it does not come back then */
	unsigned hurry;     /* pauses take that part of their time: clocks run on meanwhile; 0 or 1: whole */
	unsigned addresses; /* so many, 127.1.0.1 and so on; 0: one */
	bool each_alone;    /* a connection for each request */
	bool twice;     /* each request comes twice, and must get the same answer, if that is a good one */
	bool pipelined; /* the requests of a flight are sent before the first answer is read */
	unsigned cut;   /* of the device's requests, that one is cut off once; 0: none */
	bool cut_half;  /* in its middle; else before its answer is read */
	unsigned vanish_after; /* requests; 0: never */
	bool wrong_key;
	struct brski_credential cmp_signer; /* of another device; all zero: none */
	STACK_OF(X509) *proximity;          /* what the device says it saw; NULL: what it saw */
	bool no_certificate;                /* of the client */
	bool verbose;
	bool trace; /* a line for each response */
};

enum visitor_outcome { VISITOR_ENROLLED, VISITOR_DEFERRED, VISITOR_FAILED };

struct visitor {
	const struct visitor_options *options;
	unsigned number;
	char name[128];
	char source[20];
	struct connection_target target;
	struct brski_credential idevid;
	struct brski_folder *folder;
	struct brski_env env;
	struct brski_pledge *pledge;
	struct connection *connection;
	long clock_ahead; /* seconds, for pauses that were shortened */
	bool was_cut;
	/* what came of it */
	enum visitor_outcome outcome;
	char reason[400];
	unsigned visit;
	unsigned requests, connections;
	unsigned put_off, told_later;
	size_t octets_up, octets_down;
	int64_t milliseconds; /* in all */
	int64_t slowest;      /* of one answer */
};

int64_t visitor_now_ms(void);
/* Returns when the device is in, has failed, or may not come again. */
void visitor_run(struct visitor *v);
/* Shakes hands, asks which paths there are, and stays so: BRSKI_OK. The connection is the visitor's. */
BRSKI_CHECKED enum brski_code visitor_idle(struct visitor *v, struct brski_error *err);
/* What visitor_idle made still stands, and answers. */
BRSKI_CHECKED enum brski_code visitor_still_served(struct visitor *v, struct brski_error *err);
void visitor_end(struct visitor *v);

#endif
