/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/site_credential.h"

#include "eap_brski/pki/cert.h"

static STACK_OF(X509) *whole_chain(const struct brski_credential *credential)
{
	STACK_OF(X509) *certs = X509_chain_up_ref(credential->chain);

	if (certs && !(X509_up_ref(credential->cert) && sk_X509_unshift(certs, credential->cert) > 0)) {
		sk_X509_pop_free(certs, X509_free);
		return NULL;
	}
	return certs;
}

static enum brski_code check_use(const STACK_OF(X509) *certs, const STACK_OF(X509) *anchors,
	const struct brski_config *settings, struct brski_error *err)
{
	enum brski_code code = brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, 0, err);

	if (code != BRSKI_OK)
		return brski_fail_context(err, code,
			"certificate_file %s does not lead to ca_file %s (put "
			"the intermediates behind the certificate)",
			settings->certificate_file, settings->ca_file);
	code = brski_chain_verify(certs, anchors, NULL, BRSKI_USE_REGISTRAR, 0, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code,
			"certificate_file %s is not a registrar's, MASAs and "
			"devices will refuse it; have your CA issue it with "
			"extendedKeyUsage = cmcRA, serverAuth, clientAuth",
			settings->certificate_file);
	return BRSKI_OK;
}

static void judge_dates(const struct brski_config *settings, const struct brski_env *env, const X509 *cert)
{
	struct brski_error dates;

	if (brski_cert_dates(cert, brski_now(env), &dates) != BRSKI_OK)
		brski_log(env, BRSKI_LOG_WARN, "certificate_file %s: %s; no device will trust it",
			settings->certificate_file, dates.why);
}

static enum brski_code check_credential(const struct brski_config *settings,
	const struct brski_credential *credential, const STACK_OF(X509) *anchors, struct brski_error *err)
{
	STACK_OF(X509) *certs = whole_chain(credential);
	enum brski_code code;

	if (!certs)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the chain of certificates");
	code = check_use(certs, anchors, settings, err);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

enum brski_code brski_site_credential_load(const struct brski_config *settings, const struct brski_env *env,
	struct brski_credential *credential, STACK_OF(X509) **anchors, struct brski_error *err)
{
	static const struct brski_credential_names names = {"private_key_file", "certificate_file"};
	const char *password = settings->private_key_password;
	enum brski_code code;

	*anchors = NULL;
	code = brski_credential_load_as(&names, settings->private_key_file,
		password && password[0] ? password : NULL, settings->certificate_file, credential, err);
	if (code != BRSKI_OK)
		return code;
	code = brski_certs_load(settings->ca_file, anchors, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, code, "ca_file");
	code = check_credential(settings, credential, *anchors, err);
	if (code == BRSKI_OK)
		judge_dates(settings, env, credential->cert);
	return code;
}
