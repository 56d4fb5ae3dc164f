/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_CONFIG_H
#define BRSKI_SERVICES_REGISTRAR_CONFIG_H

#include "eap_brski/pki/credential.h"
#include "services/base/settings.h"

/*
 * What an administrator sets of a registrar's site, whichever door its devices come through. What
 * belongs to a door (EAP's type, RADIUS sessions, a listener) is in that door's own table. A
 * structure is filled by settings_standard() and settings_set(), and freed by settings_free().
 */
struct brski_config {
	char *certificate_file;     /* PEM: ours, then the intermediates above it; or a URI */
	char *private_key_file;     /* PEM file or URI (pkcs11:, handle:) */
	char *private_key_password; /* NULL or "": none */
	char *ca_file;              /* PEM: trust anchors of the domain */
	char *database;
	char *cmp_url;           /* of the PKI, http or https */
	char *cmp_tls_ca_file;   /* PEM: trust anchors of its HTTPS; NULL or "": ca_file */
	char *cmp_signer_file;   /* PEM: signers of the PKI's answers that have no role; NULL or "": none */
	bool cmp_labels;         /* RFC 9483 6.1 */
	char *cmp_profiles;      /* that devices may ask for, "a, b"; NULL or "": none */
	bool cmp_nested;         /* RFC 9483 5.2.2.1 */
	bool answer_genm;        /* from ca_file, for PKIs that answer none */
	bool check_pki_answers;  /* before the device gets them */
	char *masa_hosts;        /* that an audit log may be at, "a, b:8443"; NULL or "": the MASA's own */
	long max_message;        /* octets of a message, and of a back end's answer */
	long retry_after;        /* seconds, after which a device is told to come back */
	long connect_timeout;    /* seconds */
	long request_timeout;    /* seconds */
	long retry_interval_min; /* seconds, before a call that failed is made again ... */
	long retry_interval_max; /* ... which that pause grows to */
	char *proxy;             /* NULL or "": none */
	long max_waiting;        /* requests, and devices that wait for the operator */
	long max_waiting_per_device;
	long max_waiting_size;        /* octets */
	long max_waiting_age;         /* seconds; answers are kept that long too */
	long max_requests_per_device; /* new ones of one kind, in rate_window */
	long rate_window;             /* seconds */
	long max_polls_per_device;    /* in a minute */
	long max_kept_per_device;     /* octets of answered requests */
	long voucher_grant_age;       /* seconds: what a device was given ends with time */
	long certificate_grant_age;
	long report_repeat_age;
	bool est_without_voucher;    /* for devices in the inventory */
	long max_history;            /* events */
	long max_history_per_device; /* events, of one device; a tenth of max_history at most */
};

/* In the order of the configuration file. */
extern const struct setting brski_settings[];

/*
 * The certificates of cmp_tls_ca_file, *out the caller's; NULL: there is no such file set. The error
 * names the setting.
 */
BRSKI_CHECKED enum brski_code brski_config_pki_anchors(
	const struct brski_config *config, STACK_OF(X509) **out, struct brski_error *err);
/* The same, of cmp_signer_file. */
BRSKI_CHECKED enum brski_code brski_config_cmp_signers(
	const struct brski_config *config, STACK_OF(X509) **out, struct brski_error *err);

#endif
