/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/bundle_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "services/registrar/bundle_exchange_internal.h"

enum brski_code brski_exchange_new(
	const struct brski_exchange_config *config, struct brski_exchange **out, struct brski_error *err)
{
	struct brski_exchange *o = calloc(1, sizeof(*o));
	struct brski_registrar_config registrar = {
		.credential = config->credential,
		.domain_anchors = config->domain_anchors,
		.cmp_url = config->cmp_url,
		.nest = config->cmp_nested,
		.check_answers = config->check_pki_answers,
		.ops = &brski_dry_run_ops,
		.ops_ctx = o,
		.env = config->env,
	};
	enum brski_code code;

	*out = NULL;
	if (!o)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a registrar");
	o->store = config->store;
	o->env = config->env;
	brski_cert_fingerprint(config->credential->cert, o->name);
	code = brski_policy_new(o->store, o->env, &o->policy, err);
	if (code == BRSKI_OK)
		code = brski_manufacturers_new(o->store, o->env, &o->manufacturers, err);
	if (code == BRSKI_OK)
		code = brski_registrar_new(&registrar, &o->registrar, err);
	if (code != BRSKI_OK) {
		brski_exchange_free(o);
		return code;
	}
	*out = o;
	return BRSKI_OK;
}

void brski_exchange_free(struct brski_exchange *o)
{
	if (!o)
		return;
	brski_dry_run_clear(o);
	brski_registrar_free(o->registrar);
	brski_manufacturers_free(o->manufacturers);
	brski_policy_free(o->policy);
	free(o);
}

const char *brski_exchange_name(const struct brski_exchange *o)
{
	return o->name;
}
