/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_DRIVER_PLEDGE_H
#define BRSKI_TESTS_DRIVER_PLEDGE_H

#include <netinet/in.h>

#include "eap_brski/eap/peer.h"
#include "eap_brski/posix/folder.h"
#include "tests/driver/odd_peer.h"
#include "tests/driver/radius.h"

/*
 * One simulated device at one port of a switch: a pledge of the library's, and a socket to the
 * RADIUS server.
 */
struct driver_options {
	struct sockaddr_in server;
	const char *secret;
	const char *idevid_dir;
	const char *state_dir;
	STACK_OF(X509) *masa_ca;
	enum brski_key_type key_type;
	bool pkcs10;
	bool implicit_confirm;
	unsigned count;
	unsigned concurrency;
	unsigned mtu;        /* Framed-MTU; 0: none */
	unsigned visits;     /* how often a device comes back when told to, or put off */
	unsigned put_off_ms; /* how long it stays away when put off; 0: it does not come back then */
	unsigned hurry;      /* pauses take that part of their time: clocks run on meanwhile; 0 or 1: whole */
	unsigned nas;        /* so many switches, each with an address of its own; 0: one */
	unsigned vanish_after; /* packets; 0: never */
	unsigned timeout_ms;   /* until a request is repeated */
	unsigned tries;
	const char *vendor_domain; /* NULL: the library's */
	bool wrong_key;
	bool late_nak; /* before each response but the first two a Nak, which the server must ignore */
	struct brski_credential cmp_signer; /* of another device; all zero: none */
	bool verbose;
	bool trace; /* a line for each round trip */
};

enum driver_outcome { DRIVER_RUNNING, DRIVER_ENROLLED, DRIVER_DEFERRED, DRIVER_FAILED };

struct pledge {
	const struct driver_options *options;
	unsigned number;
	char name[128];
	struct brski_credential idevid;
	struct brski_folder *folder;
	struct brski_peer *peer;
	struct odd_peer *odd;
	int fd;
	enum driver_outcome outcome;
	char reason[400];
	uint8_t radius_id;
	struct brski_buf request; /* the datagram that an answer is due to */
	struct brski_buf reply;   /* the EAP packet that goes out at `due` */
	struct brski_buf asked;   /* with late_nak: the EAP packet that it answers */
	bool nak_sent, nak_is_out;
	unsigned challenges; /* of this visit */
	uint8_t state[RADIUS_STATE_MAX];
	size_t state_len;
	int64_t due;    /* send `reply`; 0: nothing to send */
	int64_t repeat; /* send `request` again; 0: no answer is due */
	unsigned tries;
	bool confirmed; /* the registrar's protected success indication has come */
	unsigned sent;
	unsigned visit;
	unsigned put_off;    /* EAP-Failure that is neither a refusal nor tells a time */
	unsigned told_later; /* in the tunnel */
	unsigned unanswered; /* visits that ended since the server was silent */
	long clock_ahead;    /* seconds, for pauses that were shortened */
	struct brski_env env;
	unsigned round_trips;
	unsigned waits;
	size_t octets_up, octets_down; /* of EAP */
	int64_t began, ended;
};

int64_t driver_now_ms(void);

/* Loads credential and state folder, and sends the first packet. What goes wrong is in outcome and reason. */
void pledge_begin(struct pledge *p);
void pledge_readable(struct pledge *p);
void pledge_tick(struct pledge *p);          /* what is due by now */
int64_t pledge_next(const struct pledge *p); /* when pledge_tick is wanted */
void pledge_end(struct pledge *p);           /* frees; outcome and figures stay */

#endif
