/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#define MAX_BODY 65536
#define MAX_HEADERS 8192

struct ca_settings ca_settings = {
	.listen = "127.0.0.1:8080",
	.days = 365,
	.confirm_wait = 600,
	.max_connections = 400,
	.timeout = 20,
	.key_type = "P-256",
};

const struct daemon_option ca_options[] = {
	{"dir", DAEMON_TEXT, &ca_settings.dir, 0, 0, "DIR",
		"what `init` made: ca.key, ca.pem, cmp.key, cmp.pem, ca.db"},
	{"db", DAEMON_TEXT, &ca_settings.db, 0, 0, "FILE", "the database (default: ca.db in DIR)"},
	{"listen", DAEMON_TEXT, &ca_settings.listen, 0, 0, "ADDRESS:PORT",
		"where to listen (default: 127.0.0.1:8080)"},
	{"ca-key", DAEMON_TEXT, &ca_settings.ca_key, 0, 0, "URI", "key of the CA (default: ca.key in DIR)"},
	{"ca-cert", DAEMON_TEXT, &ca_settings.ca_cert, 0, 0, "URI",
		"its certificate and chain (default: ca.pem in DIR)"},
	{"cmp-key", DAEMON_TEXT, &ca_settings.cmp_key, 0, 0, "URI",
		"key that signs CMP messages (default: cmp.key in DIR, or the CA's)"},
	{"cmp-cert", DAEMON_TEXT, &ca_settings.cmp_cert, 0, 0, "URI", "its certificate and chain"},
	{"tls-key", DAEMON_TEXT, &ca_settings.tls_key, 0, 0, "URI",
		"serve HTTPS: key (default: HTTP; CMP is signed)"},
	{"tls-cert", DAEMON_TEXT, &ca_settings.tls_cert, 0, 0, "URI", "serve HTTPS: certificate and chain"},
	{"ra-anchors", DAEMON_TEXT, &ca_settings.ra_anchors, 0, 0, "URI",
		"what registrars verify to (default: this CA); they need id-kp-cmcRA"},
	{"ra-cert", DAEMON_LIST, &ca_settings.ra_certs, 0, 0, "URI",
		"take this registrar only; may be repeated"},
	{"idevid-anchors", DAEMON_TEXT, &ca_settings.idevid_anchors, 0, 0, "URI",
		"manufacturers of devices that come through a registrar"},
	{"trust-ra", DAEMON_FLAG, &ca_settings.trust_ra, 0, 0, NULL,
		"without idevid-anchors: any device a registrar vouches for"},
	{"client-anchors", DAEMON_TEXT, &ca_settings.client_anchors, 0, 0, "URI",
		"what clients verify to that come without a registrar (default: none may)"},
	{"days", DAEMON_NUMBER, &ca_settings.days, 1, 36500, "N",
		"validity of certificates made (default: 365)"},
	{"copy-san", DAEMON_FLAG, &ca_settings.copy_san, 0, 0, NULL,
		"copy a requested subjectAltName (default: drop it)"},
	{"implicit-confirm", DAEMON_FLAG, &ca_settings.implicit_confirm, 0, 0, NULL,
		"grant implicitConfirm when asked"},
	{"ca-pubs", DAEMON_FLAG, &ca_settings.ca_pubs, 0, 0, NULL, "send the root certificate in caPubs"},
	{"confirm-wait", DAEMON_NUMBER, &ca_settings.confirm_wait, 1, 30 * 86400L, "SECONDS",
		"for certConf, then the certificate lapses (default: 600)"},
	{"max-connections", DAEMON_NUMBER, &ca_settings.max_connections, 1, 10000, "N",
		"at a time (default: 400)"},
	{"timeout", DAEMON_NUMBER, &ca_settings.timeout, 1, 600, "SECONDS",
		"until a silent connection is closed (default: 20)"},
	{"subject", DAEMON_TEXT, &ca_settings.subject, 0, 0, "NAME", "init, issue: \"CN=Example,O=Example\""},
	{"key-type", DAEMON_TEXT, &ca_settings.key_type, 0, 0, "TYPE",
		"init, issue: P-256 (default), P-384, RSA-3072"},
	{"intermediate", DAEMON_FLAG, &ca_settings.intermediate, 0, 0, NULL,
		"init: a root, and below it the CA that issues"},
	{"cmp-signer", DAEMON_FLAG, &ca_settings.cmp_signer, 0, 0, NULL,
		"init: a key of its own for CMP messages"},
	{"san", DAEMON_TEXT, &ca_settings.san, 0, 0, "NAMES", "issue: \"DNS:ra.example,IP:192.0.2.1\""},
	{"out", DAEMON_TEXT, &ca_settings.out, 0, 0, "PREFIX", "issue: writes PREFIX.key and PREFIX.pem"},
	{"serial-number", DAEMON_TEXT, &ca_settings.serial_number, 0, 0, "SERIAL",
		"issue-idevid: the device's"},
	{"masa-url", DAEMON_TEXT, &ca_settings.masa_url, 0, 0, "URL", "issue-idevid: where its MASA is"},
	{0},
};

enum brski_code ca_file(const char *name, char out[CA_PATH_MAX], struct brski_error *err)
{
	int n;

	if (!ca_settings.dir)
		return brski_fail(err, BRSKI_MALFORMED, "where is the CA? --dir is needed");
	n = snprintf(out, CA_PATH_MAX, "%s/%s", ca_settings.dir, name);
	if (n < 0 || n >= CA_PATH_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "the path of --dir is too long");
	return BRSKI_OK;
}

/* One credential: as the options say, or NAME.key and NAME.pem in --dir. */
static enum brski_code load(const char *name, const char *key, const char *cert, struct brski_credential *out,
	struct brski_error *err)
{
	char key_path[CA_PATH_MAX];
	char cert_path[CA_PATH_MAX];
	char file[32];
	enum brski_code code;

	if (!key != !cert)
		return brski_fail(err, BRSKI_MALFORMED, "%s-key and %s-cert go together", name, name);
	if (key && cert)
		return brski_credential_load(key, NULL, cert, out, err);
	snprintf(file, sizeof(file), "%s.key", name);
	code = ca_file(file, key_path, err);
	snprintf(file, sizeof(file), "%s.pem", name);
	if (code == BRSKI_OK)
		code = ca_file(file, cert_path, err);
	return code == BRSKI_OK ? brski_credential_load(key_path, NULL, cert_path, out, err) : code;
}

enum brski_code ca_load_issuer(struct brski_credential *out, struct brski_error *err)
{
	enum brski_code code = load("ca", ca_settings.ca_key, ca_settings.ca_cert, out, err);

	if (code == BRSKI_OK && !brski_cert_is_ca(out->cert))
		return brski_fail(err, BRSKI_MISMATCH, "the certificate of the CA is not one of a CA");
	return code;
}

enum brski_code ca_open_store(struct ca_store **out, struct brski_error *err)
{
	char path[CA_PATH_MAX];
	enum brski_code code = BRSKI_OK;

	*out = NULL;
	if (ca_settings.db)
		return ca_store_open(ca_settings.db, out, err);
	code = ca_file("ca.db", path, err);
	return code == BRSKI_OK ? ca_store_open(path, out, err) : code;
}

static enum brski_code load_cmp_signer(struct ca_setup *setup, struct brski_error *err)
{
	const struct ca_settings *s = &ca_settings;
	char path[CA_PATH_MAX];
	bool own = s->cmp_key || s->cmp_cert;

	if (!own && s->dir && !s->ca_key && ca_file("cmp.key", path, NULL) == BRSKI_OK)
		own = access(path, F_OK) == 0;
	if (own)
		return load("cmp", s->cmp_key, s->cmp_cert, &setup->cmp_signer, err);
	return brski_credential_copy(&setup->cmp_signer, &setup->issuer, err);
}

static enum brski_code load_credentials(struct ca_setup *setup, struct brski_error *err)
{
	const struct ca_settings *s = &ca_settings;
	enum brski_code code = ca_load_issuer(&setup->issuer, err);

	if (code == BRSKI_OK)
		code = load_cmp_signer(setup, err);
	if (code == BRSKI_OK && !(X509_get_key_usage(setup->cmp_signer.cert) & KU_DIGITAL_SIGNATURE))
		code = brski_fail(err, BRSKI_MISMATCH,
			"nobody would take its CMP messages (RFC 9483 3.5): keyUsage "
			"has no digitalSignature; give cmp-key and cmp-cert");
	if (code == BRSKI_OK && (s->tls_key || s->tls_cert))
		code = load("tls", s->tls_key, s->tls_cert, &setup->tls, err);
	return code;
}

static enum brski_code add_copy(STACK_OF(X509) *to, X509 *cert, struct brski_error *err)
{
	return X509_add_cert(to, cert, X509_ADD_FLAG_UP_REF) == 1
		       ? BRSKI_OK
		       : brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
}

/* Registrars are this CA's own unless something else is said. */
static enum brski_code load_ra_anchors(struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code;

	if (ca_settings.ra_anchors)
		return brski_certs_load(ca_settings.ra_anchors, &setup->ra_anchors, err);
	setup->ra_anchors = sk_X509_new_null();
	if (!setup->ra_anchors)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	code = add_copy(setup->ra_anchors, setup->issuer.cert, err);
	for (int i = 0; code == BRSKI_OK && i < sk_X509_num(setup->issuer.chain); i++)
		code = add_copy(setup->ra_anchors, sk_X509_value(setup->issuer.chain, i), err);
	return code;
}

static enum brski_code load_ra_list(struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (ca_settings.ra_certs.n == 0)
		return BRSKI_OK;
	setup->ra_list = sk_X509_new_null();
	if (!setup->ra_list)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < ca_settings.ra_certs.n && code == BRSKI_OK; i++) {
		STACK_OF(X509) *certs = NULL;

		code = brski_certs_load(ca_settings.ra_certs.items[i], &certs, err);
		if (code == BRSKI_OK)
			code = add_copy(setup->ra_list, sk_X509_value(certs, 0), err);
		sk_X509_pop_free(certs, X509_free);
	}
	return code;
}

static enum brski_code load_trust(struct ca_setup *setup, struct brski_error *err)
{
	const struct ca_settings *s = &ca_settings;
	enum brski_code code = load_ra_anchors(setup, err);

	if (code == BRSKI_OK)
		code = load_ra_list(setup, err);
	if (code == BRSKI_OK && s->idevid_anchors)
		code = brski_certs_load(s->idevid_anchors, &setup->idevid_anchors, err);
	if (code == BRSKI_OK && s->client_anchors)
		code = brski_certs_load(s->client_anchors, &setup->client_anchors, err);
	if (code == BRSKI_OK && !s->idevid_anchors && !s->client_anchors && !s->trust_ra)
		code = brski_fail(err, BRSKI_MALFORMED,
			"nobody could get a certificate: idevid-anchors, "
			"client-anchors or trust-ra is needed");
	if (code == BRSKI_OK && s->idevid_anchors && s->trust_ra)
		code = brski_fail(err, BRSKI_MALFORMED, "trust-ra and idevid-anchors contradict each other");
	return code;
}

static void fill(struct ca_setup *setup)
{
	const struct ca_settings *s = &ca_settings;

	setup->ca.env = daemon_env();
	setup->ca.issuer = &setup->issuer;
	setup->ca.cmp_signer = &setup->cmp_signer;
	setup->ca.ra_anchors = setup->ra_anchors;
	setup->ca.ra_list = setup->ra_list;
	setup->ca.idevid_anchors = setup->idevid_anchors;
	setup->ca.client_anchors = setup->client_anchors;
	setup->ca.trust_ra = s->trust_ra;
	setup->ca.days = s->days;
	setup->ca.copy_san = s->copy_san;
	setup->ca.implicit_confirm = s->implicit_confirm;
	setup->ca.send_ca_pubs = s->ca_pubs;
	setup->ca.confirm_wait = s->confirm_wait;
}

enum brski_code ca_setup(struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code;

	memset(setup, 0, sizeof(*setup));
	code = load_credentials(setup, err);
	if (code == BRSKI_OK)
		code = load_trust(setup, err);
	if (code == BRSKI_OK)
		code = ca_open_store(&setup->ca.store, err);
	fill(setup);
	return code;
}

void ca_setup_free(struct ca_setup *setup)
{
	ca_store_close(setup->ca.store);
	brski_credential_free(&setup->issuer);
	brski_credential_free(&setup->cmp_signer);
	brski_credential_free(&setup->tls);
	sk_X509_pop_free(setup->ra_anchors, X509_free);
	sk_X509_pop_free(setup->ra_list, X509_free);
	sk_X509_pop_free(setup->idevid_anchors, X509_free);
	sk_X509_pop_free(setup->client_anchors, X509_free);
	memset(setup, 0, sizeof(*setup));
}

enum brski_code ca_listen(const struct ca_setup *setup, struct event_base *base, http_handler *handler,
	void *ctx, struct http_server **out, struct brski_error *err)
{
	struct http_server_config config = {
		.listen = ca_settings.listen,
		.tls = setup->tls.key ? &setup->tls : NULL,
		.env = daemon_env(),
		.max_body = MAX_BODY,
		.max_headers = MAX_HEADERS,
		.timeout = (int)ca_settings.timeout,
		.max_connections = (unsigned)ca_settings.max_connections,
	};

	return http_server_new(base, &config, handler, ctx, out, err);
}
