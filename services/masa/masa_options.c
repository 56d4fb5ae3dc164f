/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa_options_internal.h"

#include <string.h>

/* clang-format off */
#define TEXT(member)   SETTING_TEXT, offsetof(struct masa_settings, member), 0, 0
#define FLAG(member)   SETTING_FLAG, offsetof(struct masa_settings, member), 0, 0
#define NUMBER(member) SETTING_NUMBER, offsetof(struct masa_settings, member)

const struct setting masa_table[] = {
	{"db", TEXT(db), "masa.db", false, "FILE", "the database (default: masa.db)"},
	HTTP_DAEMON_LISTEN(struct masa_settings, http, "127.0.0.1:8443"),
	HTTP_DAEMON_TLS(struct masa_settings, http, "key of the TLS server", "its certificate and chain"),
	{"sign-key", TEXT(sign_key), NULL, false, "URI", "key that signs vouchers"},
	{"sign-cert", TEXT(sign_cert), NULL, false, "URI", "its certificate and chain"},
	{"idevid-anchors", TEXT(idevid_anchors), NULL, false, "URI",
		"CA certificates of the devices; without, no voucher says \"proximity\""},
	{"require-proximity", FLAG(require_proximity), NULL, false, NULL,
		"refuse what would be a \"logged\" voucher"},
	{"min-interval", NUMBER(min_interval), 0, 86400, "60", false, "SECONDS",
		"between two vouchers for one device (default: 60)"},
	{"nonceless-lifetime", NUMBER(nonceless_lifetime), 60, 366 * 86400L, "604800", false, "SECONDS",
		"of vouchers without nonce (default: a week)"},
	HTTP_DAEMON_LIMITS(struct masa_settings, http),
	{"owner", TEXT(owner), NULL, false, "NAME", "device add: the owner"},
	{"no-owner", FLAG(no_owner), NULL, false, NULL, "device add: it is nobody's any more"},
	{"idevid", TEXT(idevid), NULL, false, "URI",
		"device add: the device's certificate, for its idevid-issuer"},
	{"cert", TEXT(cert), NULL, false, "URI", "owner add: certificate of the owner's domain"},
	{"serial", TEXT(serial), NULL, false, "SERIAL", "log: of this device only"},
	{"most", NUMBER(most), 1, 1000000, "50", false, "N", "log: the last N requests (default: 50)"},
	{"json", FLAG(json), NULL, false, NULL, "list: one JSON document; docs/json.md tells its fields"},
	DAEMON_SETTINGS(struct masa_settings, http.daemon),
	{0},
};
/* clang-format on */

static enum brski_code load(const struct brski_credential_names *names, const char *key, const char *cert,
	struct brski_credential *out, struct brski_error *err)
{
	if (!key || !cert)
		return brski_fail(
			err, BRSKI_MALFORMED, "the options %s and %s are needed", names->key, names->cert);
	return brski_credential_load_as(names, key, NULL, cert, out, err);
}

enum brski_code masa_setup(const struct masa_settings *s, struct masa_setup *setup, struct brski_error *err)
{
	static const struct brski_credential_names tls = {"--tls-key", "--tls-cert"},
						   sign = {"--sign-key", "--sign-cert"};
	enum brski_code code;

	memset(setup, 0, sizeof(*setup));
	code = load(&tls, s->http.tls_key, s->http.tls_cert, &setup->tls, err);
	if (code == BRSKI_OK)
		code = load(&sign, s->sign_key, s->sign_cert, &setup->signer, err);
	if (code == BRSKI_OK && s->idevid_anchors)
		code = daemon_certs("--idevid-anchors", s->idevid_anchors, &setup->idevid_anchors, err);
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
