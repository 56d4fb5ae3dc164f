/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_options_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

/* clang-format off */
#define TEXT(member)   SETTING_TEXT, offsetof(struct ca_settings, member), 0, 0
#define FLAG(member)   SETTING_FLAG, offsetof(struct ca_settings, member), 0, 0
#define NUMBER(member) SETTING_NUMBER, offsetof(struct ca_settings, member)
#define LIST(member)   SETTING_LIST, offsetof(struct ca_settings, member), 0, 0

const struct setting ca_table[] = {
	{"dir", TEXT(dir), NULL, false, "DIR", "what `init` made: ca.key, ca.pem, cmp.key, cmp.pem, ca.db"},
	{"db", TEXT(db), NULL, false, "FILE", "the database (default: ca.db in DIR)"},
	HTTP_DAEMON_LISTEN(struct ca_settings, http, "127.0.0.1:8080"),
	{"ca-key", TEXT(ca_key), NULL, false, "URI", "key of the CA (default: ca.key in DIR)"},
	{"ca-cert", TEXT(ca_cert), NULL, false, "URI", "its certificate and chain (default: ca.pem in DIR)"},
	{"cmp-key", TEXT(cmp_key), NULL, false, "URI",
		"key that signs CMP messages (default: cmp.key in DIR, or the CA's)"},
	{"cmp-cert", TEXT(cmp_cert), NULL, false, "URI", "its certificate and chain"},
	HTTP_DAEMON_TLS(struct ca_settings, http, "serve HTTPS: key (default: HTTP; CMP is signed)",
		"serve HTTPS: certificate and chain"),
	{"ra-anchors", TEXT(ra_anchors), NULL, false, "URI",
		"what registrars verify to (default: this CA); they need id-kp-cmcRA"},
	{"ra-cert", LIST(ra_certs), NULL, false, "URI", "take this registrar only; may be repeated"},
	{"idevid-anchors", TEXT(idevid_anchors), NULL, false, "URI",
		"manufacturers of devices that come through a registrar"},
	{"trust-ra", FLAG(trust_ra), NULL, false, NULL,
		"without idevid-anchors: any device a registrar vouches for"},
	{"client-anchors", TEXT(client_anchors), NULL, false, "URI",
		"what clients verify to that come without a registrar (default: none may)"},
	{"days", NUMBER(days), 1, 36500, "365", false, "N", "validity of certificates made (default: 365)"},
	{"copy-san", FLAG(copy_san), NULL, false, NULL, "copy a requested subjectAltName (default: drop it)"},
	{"implicit-confirm", FLAG(implicit_confirm), NULL, false, NULL, "grant implicitConfirm when asked"},
	{"ca-pubs", FLAG(ca_pubs), NULL, false, NULL, "send the root certificate in caPubs"},
	{"confirm-wait", NUMBER(confirm_wait), 1, 30 * 86400L, "600", false, "SECONDS",
		"for certConf, then the certificate lapses (default: 600)"},
	HTTP_DAEMON_LIMITS(struct ca_settings, http),
	{"subject", TEXT(subject), NULL, false, "NAME", "init, issue: \"CN=Example,O=Example\""},
	{"key-type", TEXT(key_type), "P-256", false, "TYPE", "init, issue: P-256 (default), P-384, RSA-3072"},
	{"intermediate", FLAG(intermediate), NULL, false, NULL,
		"init: a root, and below it the CA that issues"},
	{"cmp-signer", FLAG(cmp_signer), NULL, false, NULL, "init: a key of its own for CMP messages"},
	{"san", TEXT(san), NULL, false, "NAMES", "issue: \"DNS:ra.example,IP:192.0.2.1\""},
	{"out", TEXT(out), NULL, false, "PREFIX", "issue: writes PREFIX.key and PREFIX.pem"},
	{"serial-number", TEXT(serial_number), NULL, false, "SERIAL", "issue-idevid: the device's"},
	{"masa-url", TEXT(masa_url), NULL, false, "URL", "issue-idevid: where its MASA is"},
	{"json", FLAG(json), NULL, false, NULL, "list: one JSON document; docs/json.md tells its fields"},
	DAEMON_SETTINGS(struct ca_settings, http.daemon),
	{0},
};
/* clang-format on */

enum brski_code ca_file(
	const struct ca_settings *s, const char *name, char out[CA_PATH_MAX], struct brski_error *err)
{
	int n;

	if (!s->dir)
		return brski_fail(err, BRSKI_MALFORMED, "where is the CA? --dir is needed");
	n = snprintf(out, CA_PATH_MAX, "%s/%s", s->dir, name);
	if (n < 0 || n >= CA_PATH_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE, "the path of --dir is too long");
	return BRSKI_OK;
}

enum brski_code ca_credential_files(const struct ca_settings *s, const char *name, char key[CA_PATH_MAX],
	char cert[CA_PATH_MAX], struct brski_error *err)
{
	char file[32];
	enum brski_code code;

	snprintf(file, sizeof(file), "%s.key", name);
	code = ca_file(s, file, key, err);
	snprintf(file, sizeof(file), "%s.pem", name);
	return code == BRSKI_OK ? ca_file(s, file, cert, err) : code;
}

/* One credential: as the options say, or NAME.key and NAME.pem in --dir. */
static enum brski_code load(const struct ca_settings *s, const char *name, const char *key, const char *cert,
	struct brski_credential *out, struct brski_error *err)
{
	char key_path[CA_PATH_MAX], cert_path[CA_PATH_MAX];
	char key_option[32], cert_option[32];
	const struct brski_credential_names names = {key_option, cert_option};
	enum brski_code code;

	snprintf(key_option, sizeof(key_option), "--%s-key", name);
	snprintf(cert_option, sizeof(cert_option), "--%s-cert", name);
	if (!key != !cert)
		return brski_fail(err, BRSKI_MALFORMED, "%s and %s go together", key_option, cert_option);
	if (key && cert)
		return brski_credential_load_as(&names, key, NULL, cert, out, err);
	code = ca_credential_files(s, name, key_path, cert_path, err);
	return code == BRSKI_OK ? brski_credential_load(key_path, NULL, cert_path, out, err) : code;
}

enum brski_code ca_load_issuer(
	const struct ca_settings *s, struct brski_credential *out, struct brski_error *err)
{
	enum brski_code code = load(s, "ca", s->ca_key, s->ca_cert, out, err);

	if (code == BRSKI_OK && !brski_cert_is_ca(out->cert))
		return brski_fail(err, BRSKI_MISMATCH, "the certificate of the CA is not one of a CA");
	return code;
}

enum brski_code ca_open_store(const struct ca_settings *s, struct ca_store **out, struct brski_error *err)
{
	char path[CA_PATH_MAX];
	enum brski_code code = BRSKI_OK;

	*out = NULL;
	if (s->db)
		return ca_store_open(s->db, out, err);
	code = ca_file(s, "ca.db", path, err);
	return code == BRSKI_OK ? ca_store_open(path, out, err) : code;
}

static enum brski_code load_cmp_signer(
	const struct ca_settings *s, struct ca_setup *setup, struct brski_error *err)
{
	char path[CA_PATH_MAX];
	bool own = s->cmp_key || s->cmp_cert;

	if (!own && s->dir && !s->ca_key && ca_file(s, "cmp.key", path, NULL) == BRSKI_OK)
		own = access(path, F_OK) == 0;
	if (own)
		return load(s, "cmp", s->cmp_key, s->cmp_cert, &setup->cmp_signer, err);
	return brski_credential_copy(&setup->cmp_signer, &setup->issuer, err);
}

/* RFC 9483 3.4, 3.5: what it takes for its messages to be believed. */
static enum brski_code check_cmp_signer(const X509 *cert, struct brski_error *err)
{
	if (!(X509_get_key_usage((X509 *)(uintptr_t)cert) & KU_DIGITAL_SIGNATURE))
		return brski_fail(err, BRSKI_MISMATCH,
			"nobody would take its CMP messages (RFC 9483 3.5): keyUsage "
			"has no digitalSignature; give cmp-key and cmp-cert");
	if (!brski_cmp_may_answer(cert))
		return brski_fail(err, BRSKI_MISMATCH,
			"nobody would take its CMP messages (RFC 9483 3.4): cmp-cert is neither a CA's nor "
			"has extended key usage cmcCA (1.3.6.1.5.5.7.3.27) or cmcRA");
	return BRSKI_OK;
}

static enum brski_code load_credentials(
	const struct ca_settings *s, struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code = ca_load_issuer(s, &setup->issuer, err);

	if (code == BRSKI_OK)
		code = load_cmp_signer(s, setup, err);
	if (code == BRSKI_OK)
		code = check_cmp_signer(setup->cmp_signer.cert, err);
	if (code == BRSKI_OK && (s->http.tls_key || s->http.tls_cert))
		code = load(s, "tls", s->http.tls_key, s->http.tls_cert, &setup->tls, err);
	return code;
}

static enum brski_code add_copy(STACK_OF(X509) *to, X509 *cert, struct brski_error *err)
{
	return X509_add_cert(to, cert, X509_ADD_FLAG_UP_REF) == 1
		       ? BRSKI_OK
		       : brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
}

/* Registrars are this CA's own unless something else is said. */
static enum brski_code load_ra_anchors(
	const struct ca_settings *s, struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code;

	if (s->ra_anchors)
		return daemon_certs("--ra-anchors", s->ra_anchors, &setup->ra_anchors, err);
	setup->ra_anchors = sk_X509_new_null();
	if (!setup->ra_anchors)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	code = add_copy(setup->ra_anchors, setup->issuer.cert, err);
	for (int i = 0; code == BRSKI_OK && i < sk_X509_num(setup->issuer.chain); i++)
		code = add_copy(setup->ra_anchors, sk_X509_value(setup->issuer.chain, i), err);
	return code;
}

static enum brski_code load_ra_list(
	const struct ca_settings *s, struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	if (s->ra_certs.n == 0)
		return BRSKI_OK;
	setup->ra_list = sk_X509_new_null();
	if (!setup->ra_list)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < s->ra_certs.n && code == BRSKI_OK; i++) {
		STACK_OF(X509) *certs = NULL;

		code = daemon_certs("--ra-cert", s->ra_certs.items[i], &certs, err);
		if (code == BRSKI_OK)
			code = add_copy(setup->ra_list, sk_X509_value(certs, 0), err);
		sk_X509_pop_free(certs, X509_free);
	}
	return code;
}

static enum brski_code load_trust(
	const struct ca_settings *s, struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code = load_ra_anchors(s, setup, err);

	if (code == BRSKI_OK)
		code = load_ra_list(s, setup, err);
	if (code == BRSKI_OK && s->idevid_anchors)
		code = daemon_certs("--idevid-anchors", s->idevid_anchors, &setup->idevid_anchors, err);
	if (code == BRSKI_OK && s->client_anchors)
		code = daemon_certs("--client-anchors", s->client_anchors, &setup->client_anchors, err);
	if (code == BRSKI_OK && !s->idevid_anchors && !s->client_anchors && !s->trust_ra)
		code = brski_fail(err, BRSKI_MALFORMED,
			"nobody could get a certificate: idevid-anchors, "
			"client-anchors or trust-ra is needed");
	if (code == BRSKI_OK && s->idevid_anchors && s->trust_ra)
		code = brski_fail(err, BRSKI_MALFORMED, "trust-ra and idevid-anchors contradict each other");
	return code;
}

static void fill(const struct ca_settings *s, struct ca_setup *setup)
{
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

enum brski_code ca_setup(const struct ca_settings *s, struct ca_setup *setup, struct brski_error *err)
{
	enum brski_code code;

	memset(setup, 0, sizeof(*setup));
	code = load_credentials(s, setup, err);
	if (code == BRSKI_OK)
		code = load_trust(s, setup, err);
	if (code == BRSKI_OK)
		code = ca_open_store(s, &setup->ca.store, err);
	fill(s, setup);
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

const struct brski_credential *ca_setup_tls(const struct ca_setup *setup)
{
	return setup->tls.key ? &setup->tls : NULL;
}
