/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/bundle_exchange.h"

#include <stdlib.h>

#include "services/registrar/bundle_exchange_internal.h"

enum brski_code brski_exchange_new(
	const struct brski_exchange_config *config, struct brski_exchange **out, struct brski_error *err)
{
	struct brski_exchange *x = calloc(1, sizeof(*x));
	struct brski_registrar_config registrar = {
		.credential = config->credential,
		.domain_anchors = config->domain_anchors,
		.cmp_url = config->settings->cmp_url,
		.pki_tls_anchors = config->pki_tls_anchors,
		.labels = config->settings->cmp_labels,
		.nest = config->settings->cmp_nested,
		.check_answers = config->settings->check_pki_answers,
		.masa_hosts = config->settings->masa_hosts,
		.ops = &brski_dry_run_ops,
		.ops_ctx = x,
		.env = config->env,
	};
	STACK_OF(X509) *signers;
	enum brski_code code;

	*out = NULL;
	if (!x)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a registrar");
	code = brski_config_cmp_signers(config->settings, &signers, err);
	registrar.cmp_signers = signers;
	x->store = config->store;
	x->env = config->env;
	brski_cert_fingerprint(config->credential->cert, x->name);
	if (code == BRSKI_OK)
		code = brski_policy_new(x->store, x->env, &x->policy, err);
	if (code == BRSKI_OK)
		code = brski_manufacturers_new(x->store, x->env, &x->manufacturers, err);
	if (code == BRSKI_OK)
		code = brski_registrar_new(&registrar, &x->registrar, err);
	sk_X509_pop_free(signers, X509_free);
	if (code != BRSKI_OK) {
		brski_exchange_free(x);
		return code;
	}
	*out = x;
	return BRSKI_OK;
}

void brski_exchange_free(struct brski_exchange *x)
{
	if (!x)
		return;
	brski_dry_run_clear(x);
	brski_registrar_free(x->registrar);
	brski_manufacturers_free(x->manufacturers);
	brski_policy_free(x->policy);
	free(x);
}

const char *brski_exchange_name(const struct brski_exchange *x)
{
	return x->name;
}
