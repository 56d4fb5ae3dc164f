/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TESTS_EAP_TLS_H
#define BRSKI_TESTS_EAP_TLS_H

#include <openssl/ssl.h>

#include "eap_brski/ground/bytes.h"

/* The peer of EAP-TLS, RFC 5216 and RFC 9190, as far as a benchmark needs one. No I/O. */
#define EAP_TLS_TYPE 13
#define EAP_TLS_KEY_LEN 128 /* MSK and EMSK: the exporter wants both at once */

struct eap_tls {
	SSL *ssl;
	BIO *in, *out;          /* the SSL's */
	struct brski_buf whole; /* our flight */
	size_t sent;            /* of it */
};

/*
 * For all logins: certificate, key and the server's trust anchor. NULL: what is wrong was written
 * to stderr.
 */
SSL_CTX *eap_tls_context(const char *cert_file, const char *key_file, const char *ca_file);

bool eap_tls_begin(struct eap_tls *t, SSL_CTX *ctx);
void eap_tls_end(struct eap_tls *t);

/* The data of a request (after the type) gives those of the response. False: there is no answer to that. */
bool eap_tls_process(struct eap_tls *t, struct brski_span request, struct brski_buf *response);
/* After the last one: the handshake is complete, and these are MSK and EMSK. */
bool eap_tls_keys(struct eap_tls *t, uint8_t keys[EAP_TLS_KEY_LEN]);

#endif
