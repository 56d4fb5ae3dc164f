/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "services/registrar/admin_internal.h"
#include "services/registrar/config.h"
#include "services/registrar/site_credential.h"

/* The registrar's key, as the server has it, and the role in it that judges files' requests and answers. */

/* What counts here of the server's settings. */
static const char *const names[] = {"certificate_file", "private_key_file", "private_key_password", "ca_file",
	"cmp_url", "cmp_tls_ca_file", "cmp_signer_file", "proxy", "cmp_labels", "cmp_nested",
	"check_pki_answers", "masa_hosts"};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

struct admin_site {
	struct setting table[N_NAMES + 1];
	struct brski_config settings;
	struct brski_credential credential;
	STACK_OF(X509) *anchors, *pki_tls_anchors;
	struct brski_exchange *exchange;
};

enum brski_code admin_site_new(struct admin_site **out, struct brski_error *err)
{
	struct admin_site *site = calloc(1, sizeof(*site));

	*out = site;
	if (!site)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for settings");
	for (size_t i = 0; i < N_NAMES; i++)
		site->table[i] = *settings_find(brski_settings, names[i]);
	return settings_standard(site->table, &site->settings, err);
}

void admin_site_free(struct admin_site *site)
{
	if (!site)
		return;
	brski_exchange_free(site->exchange);
	brski_credential_free(&site->credential);
	sk_X509_pop_free(site->anchors, X509_free);
	sk_X509_pop_free(site->pki_tls_anchors, X509_free);
	settings_free(site->table, &site->settings);
	free(site);
}

const struct setting *brski_admin_settings(const struct brski_admin *admin)
{
	return admin->site->table;
}

enum brski_code brski_admin_configure(
	struct brski_admin *admin, const char *name, const char *value, struct brski_error *err)
{
	const struct setting *setting = settings_find(admin->site->table, name);

	if (!setting)
		return brski_fail(err, BRSKI_NOT_FOUND, "there is no setting '%s'", name);
	return settings_set(setting, &admin->site->settings, value, err);
}

/* ---- The registrar ---- */

static enum brski_code load_credential(struct brski_admin *admin, struct brski_error *err)
{
	struct admin_site *site = admin->site;
	enum brski_code code = brski_site_credential_load(
		&site->settings, admin->env, &site->credential, &site->anchors, err);

	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "the registrar's key and certificate");
	return brski_config_pki_anchors(&site->settings, &site->pki_tls_anchors, err);
}

enum brski_code brski_admin_load(struct brski_admin *admin, struct brski_error *err)
{
	struct admin_site *site = admin->site;
	struct brski_exchange_config config = {
		.store = admin->store,
		.credential = &site->credential,
		.settings = &site->settings,
		.env = admin->env,
	};
	enum brski_code code = settings_check(site->table, &site->settings, err);

	if (code == BRSKI_OK)
		code = load_credential(admin, err);
	config.domain_anchors = site->anchors;
	config.pki_tls_anchors = site->pki_tls_anchors;
	return code == BRSKI_OK ? brski_exchange_new(&config, &site->exchange, err) : code;
}

struct brski_exchange *admin_exchange(const struct brski_admin *admin)
{
	return admin->site->exchange;
}

const struct brski_credential *admin_credential(const struct brski_admin *admin)
{
	return &admin->site->credential;
}

const char *admin_certificate_file(const struct brski_admin *admin)
{
	return admin->site->settings.certificate_file;
}

const char *admin_masa_hosts(const struct brski_admin *admin)
{
	return admin->site->settings.masa_hosts;
}

const char *admin_proxy(const struct brski_admin *admin)
{
	return admin->site->settings.proxy;
}
