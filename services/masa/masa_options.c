/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa_options.h"

#include <string.h>

#define MAX_BODY \
	65536 /* two CMS objects of BRSKI_CMS_MAX, one inside the other in base64, do not get larger */
#define MAX_HEADERS 8192

struct masa_settings masa_settings = {
	.listen = "127.0.0.1:8443",
	.db = "masa.db",
	.min_interval = 60,
	.nonceless_lifetime = 7 * 86400,
	.max_connections = 400,
	.timeout = 20,
	.most = 50,
};

const struct daemon_option masa_options[] = {
	{"db", DAEMON_TEXT, &masa_settings.db, 0, 0, "FILE", "the database (default: masa.db)"},
	{"listen", DAEMON_TEXT, &masa_settings.listen, 0, 0, "ADDRESS:PORT",
		"where to listen (default: 127.0.0.1:8443)"},
	{"tls-key", DAEMON_TEXT, &masa_settings.tls_key, 0, 0, "URI", "key of the TLS server"},
	{"tls-cert", DAEMON_TEXT, &masa_settings.tls_cert, 0, 0, "URI", "its certificate and chain"},
	{"sign-key", DAEMON_TEXT, &masa_settings.sign_key, 0, 0, "URI", "key that signs vouchers"},
	{"sign-cert", DAEMON_TEXT, &masa_settings.sign_cert, 0, 0, "URI", "its certificate and chain"},
	{"idevid-anchors", DAEMON_TEXT, &masa_settings.idevid_anchors, 0, 0, "URI",
		"CA certificates of the devices; without, no voucher says \"proximity\""},
	{"require-proximity", DAEMON_FLAG, &masa_settings.require_proximity, 0, 0, NULL,
		"refuse what would be a \"logged\" voucher"},
	{"min-interval", DAEMON_NUMBER, &masa_settings.min_interval, 0, 86400, "SECONDS",
		"between two vouchers for one device (default: 60)"},
	{"nonceless-lifetime", DAEMON_NUMBER, &masa_settings.nonceless_lifetime, 60, 366 * 86400L, "SECONDS",
		"of vouchers without nonce (default: a week)"},
	{"max-connections", DAEMON_NUMBER, &masa_settings.max_connections, 1, 10000, "N",
		"at a time (default: 400)"},
	{"timeout", DAEMON_NUMBER, &masa_settings.timeout, 1, 600, "SECONDS",
		"until a silent connection is closed (default: 20)"},
	{"owner", DAEMON_TEXT, &masa_settings.owner, 0, 0, "NAME", "device add: the owner"},
	{"idevid", DAEMON_TEXT, &masa_settings.idevid, 0, 0, "URI",
		"device add: the device's certificate, for its idevid-issuer"},
	{"cert", DAEMON_TEXT, &masa_settings.cert, 0, 0, "URI",
		"owner add: certificate of the owner's domain"},
	{"serial", DAEMON_TEXT, &masa_settings.serial, 0, 0, "SERIAL", "log: of this device only"},
	{"most", DAEMON_NUMBER, &masa_settings.most, 1, 1000000, "N",
		"log: the last N requests (default: 50)"},
	{0},
};

static enum brski_code load(const char *name, const char *key, const char *cert, struct brski_credential *out,
	struct brski_error *err)
{
	enum brski_code code;

	if (!key || !cert)
		return brski_fail(
			err, BRSKI_MALFORMED, "the options %s-key and %s-cert are needed", name, name);
	code = brski_credential_load(key, NULL, cert, out, err);
	return code == BRSKI_OK ? code : brski_fail_context(err, "%s-key, %s-cert", name, name);
}

enum brski_code masa_setup(struct masa_setup *setup, struct brski_error *err)
{
	const struct masa_settings *s = &masa_settings;
	enum brski_code code;

	memset(setup, 0, sizeof(*setup));
	code = load("tls", s->tls_key, s->tls_cert, &setup->tls, err);
	if (code == BRSKI_OK)
		code = load("sign", s->sign_key, s->sign_cert, &setup->signer, err);
	if (code == BRSKI_OK && s->idevid_anchors)
		code = brski_certs_load(s->idevid_anchors, &setup->idevid_anchors, err);
	if (code == BRSKI_OK && s->require_proximity && !s->idevid_anchors)
		code = brski_fail(err, BRSKI_MALFORMED, "require-proximity needs idevid-anchors");
	if (code == BRSKI_OK)
		code = masa_store_open(s->db, &setup->masa.store, err);
	setup->masa.env = daemon_env();
	setup->masa.signer = &setup->signer;
	setup->masa.idevid_anchors = setup->idevid_anchors;
	setup->masa.require_proximity = s->require_proximity;
	setup->masa.min_interval = s->min_interval;
	setup->masa.nonceless_lifetime = s->nonceless_lifetime;
	return code;
}

void masa_setup_free(struct masa_setup *setup)
{
	masa_store_close(setup->masa.store);
	brski_credential_free(&setup->signer);
	brski_credential_free(&setup->tls);
	sk_X509_pop_free(setup->idevid_anchors, X509_free);
	memset(setup, 0, sizeof(*setup));
}

enum brski_code masa_listen(const struct masa_setup *setup, struct event_base *base, http_handler *handler,
	void *ctx, struct http_server **out, struct brski_error *err)
{
	struct http_server_config config = {
		.listen = masa_settings.listen,
		.tls = &setup->tls,
		.env = daemon_env(),
		.max_body = MAX_BODY,
		.max_headers = MAX_HEADERS,
		.timeout = (int)masa_settings.timeout,
		.max_connections = (unsigned)masa_settings.max_connections,
	};

	return http_server_new(base, &config, handler, ctx, out, err);
}
