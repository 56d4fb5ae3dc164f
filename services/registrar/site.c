/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/instance.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "services/registrar/policy.h"

struct brski_instance {
	const struct brski_env *env;
	struct brski_credential credential;
	STACK_OF(X509) *anchors;
	struct brski_store *store;
	struct brski_policy *policy;
	struct brski_registrar *registrar;
	struct brski_server_context *eap;
	struct brski_worker *jobs;
	_Atomic(struct brski_conversations *) conversations; /* the I/O thread looks too */
	long max_waiting_age;
	unsigned max_history;
};

/* ---- The credential ---- */

static STACK_OF(X509) *whole_chain(const struct brski_credential *credential)
{
	STACK_OF(X509) *certs = X509_chain_up_ref(credential->chain);

	if (certs && !(X509_up_ref(credential->cert) && sk_X509_unshift(certs, credential->cert) > 0)) {
		sk_X509_pop_free(certs, X509_free);
		return NULL;
	}
	return certs;
}

static enum brski_code check_use(const STACK_OF(X509) *certs, const struct brski_instance *i,
	const struct brski_instance_config *config, struct brski_error *err)
{
	enum brski_code code = brski_chain_verify(certs, i->anchors, NULL, BRSKI_USE_ANY, 0, err);

	if (code != BRSKI_OK)
		return brski_fail_context(err,
			"certificate_file %s does not lead to ca_file %s (put "
			"the intermediates behind the certificate)",
			config->certificate_file, config->ca_file);
	code = brski_chain_verify(certs, i->anchors, NULL, BRSKI_USE_REGISTRAR, 0, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err,
			"certificate_file %s is not a registrar's, MASAs and "
			"devices will refuse it; have your CA issue it with "
			"extendedKeyUsage = cmcRA, serverAuth, clientAuth",
			config->certificate_file);
	return BRSKI_OK;
}

/*
 * RFC 8995 5.5.4: the registrar shows by id-kp-cmcRA that it is one. Dates are no reason not to
 * start: other users are served too.
 */
static enum brski_code check_credential(
	const struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	STACK_OF(X509) *certs = whole_chain(&i->credential);
	struct brski_error dates = {0};
	enum brski_code code;

	if (!certs)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the chain of certificates");
	code = check_use(certs, i, config, err);
	sk_X509_pop_free(certs, X509_free);
	if (code == BRSKI_OK &&
		brski_cert_dates(i->credential.cert, brski_now(config->env), &dates) != BRSKI_OK)
		brski_log(config->env, BRSKI_LOG_WARN, "certificate_file %s: %s; no device will trust it",
			config->certificate_file, dates.why);
	return code;
}

static enum brski_code load_credential(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	const char *password = config->private_key_password;
	enum brski_code code;

	code = brski_credential_load(config->private_key_file, password && password[0] ? password : NULL,
		config->certificate_file, &i->credential, err);
	if (code == BRSKI_OK)
		code = brski_certs_load(config->ca_file, &i->anchors, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, "private_key_file, certificate_file, ca_file");
	return check_credential(i, config, err);
}

/* ---- The parts ---- */

static bool is_web_url(const char *url)
{
	return url && (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0);
}

static enum brski_code check_options(const struct brski_instance_config *config, struct brski_error *err)
{
	char identity[300];

	if (!is_web_url(config->cmp_url))
		return brski_fail(err, BRSKI_UNSUPPORTED, "cmp_url is no http or https URL: %s",
			config->cmp_url ? config->cmp_url : "");
	if (!brski_identity(config->identity_domain, identity, sizeof(identity)))
		return brski_fail(err, BRSKI_UNSUPPORTED, "identity_domain is not a host name: %s",
			config->identity_domain);
	return BRSKI_OK;
}

static enum brski_code make_policy(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	struct brski_store_limits limits = {
		.waiting = config->max_waiting,
		.waiting_per_device = config->max_waiting_per_device,
		.octets = config->max_waiting_size,
	};
	enum brski_code code = brski_policy_new(i->store, config->env, &i->policy, err);

	if (code == BRSKI_OK)
		brski_policy_set_limits(i->policy, &limits);
	return code;
}

static enum brski_code make_registrar(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	struct brski_registrar_config registrar = {
		.credential = &i->credential,
		.domain_anchors = i->anchors,
		.cmp_url = config->cmp_url,
		.nest = config->cmp_nested,
		.answer_genm = config->answer_genm,
		.check_answers = config->check_pki_answers,
		.retry_after = config->retry_after,
		.waiting_max = config->max_waiting_age,
		.ops = brski_policy_ops(),
		.ops_ctx = i->policy,
		.env = config->env,
	};

	return brski_registrar_new(&registrar, &i->registrar, err);
}

static enum brski_code make_eap(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	struct brski_server_config eap = {
		.registrar = i->registrar,
		.vendor_id = config->vendor_id,
		.vendor_type = config->vendor_type,
		.message_max = config->max_message,
	};

	return brski_server_context_new(&eap, &i->eap, err);
}

/* Answers that nobody came for, and devices that did not come back to hear the operator's word. */
static void expire(struct brski_instance *i)
{
	time_t before = brski_now(i->env) - i->max_waiting_age;
	struct brski_error err = {0};
	unsigned jobs = 0, candidates = 0;

	if (brski_store_jobs_expire(i->store, before, &jobs, &err) != BRSKI_OK ||
		brski_store_candidates_expire(i->store, before, &candidates, &err) != BRSKI_OK)
		brski_log(i->env, BRSKI_LOG_WARN, "what is too old cannot be removed: %s", err.why);
	if (jobs || candidates)
		brski_log(i->env, BRSKI_LOG_INFO,
			"too old and removed: %u requests, %u devices that waited for the operator", jobs,
			candidates);
}

/* In the I/O thread, every minute: what no packet comes to clean up. */
static void keep_house(void *ctx)
{
	struct brski_instance *i = ctx;
	struct brski_conversations *conversations = atomic_load(&i->conversations);
	struct brski_error err = {0};

	if (conversations)
		brski_conversations_expire(conversations);
	if (i->max_waiting_age)
		expire(i);
	if (i->max_history && brski_store_events_trim(i->store, i->max_history, &err) != BRSKI_OK)
		brski_log(i->env, BRSKI_LOG_WARN, "the history cannot be shortened: %s", err.why);
}

static enum brski_code make_jobs(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	struct brski_worker_config jobs = {
		.registrar = i->registrar,
		.store = i->store,
		.connect_timeout_ms = config->connect_timeout * 1000,
		.request_timeout_ms = config->request_timeout * 1000,
		.retry_min_ms = config->retry_interval_min * 1000,
		.retry_max_ms = config->retry_interval_max * 1000,
		.response_max = config->max_message,
		.proxy = config->proxy,
		.housekeeping = keep_house,
		.housekeeping_ctx = i,
		.env = config->env,
	};

	return brski_worker_new(&jobs, &i->jobs, err);
}

static enum brski_code make_conversations(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	struct brski_conversations_config conversations = {
		.eap = i->eap,
		.jobs = i->jobs,
		.vendor_id = config->vendor_id,
		.vendor_type = config->vendor_type,
		.identity_domain = config->identity_domain,
		.mtu_max = config->fragment_size,
		.max_sessions = config->max_sessions,
		.session_lifetime_ms = config->session_lifetime * 1000,
		.wait_slice_ms = config->wait_slice_ms,
		.wait_total_ms = config->wait_total * 1000,
		.env = config->env,
	};
	struct brski_conversations *made;
	enum brski_code code;

	code = brski_conversations_new(&conversations, &made, err);
	atomic_store(&i->conversations, made);
	return code;
}

static enum brski_code put_together(
	struct brski_instance *i, const struct brski_instance_config *config, struct brski_error *err)
{
	enum brski_code code = check_options(config, err);

	if (code == BRSKI_OK)
		code = load_credential(i, config, err);
	if (code == BRSKI_OK)
		code = brski_store_open(config->database, true, &i->store, err);
	if (code == BRSKI_OK)
		code = make_policy(i, config, err);
	if (code == BRSKI_OK)
		code = make_registrar(i, config, err);
	if (code == BRSKI_OK)
		code = make_eap(i, config, err);
	if (code != BRSKI_OK || config->check_only)
		return code;
	code = make_jobs(i, config, err);
	return code == BRSKI_OK ? make_conversations(i, config, err) : code;
}

enum brski_code brski_instance_new(
	const struct brski_instance_config *config, struct brski_instance **out, struct brski_error *err)
{
	struct brski_instance *i = calloc(1, sizeof(*i));
	enum brski_code code;

	*out = NULL;
	if (!i)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a registrar");
	i->env = config->env;
	i->max_waiting_age = config->max_waiting_age;
	i->max_history = config->max_history;
	code = put_together(i, config, err);
	if (code != BRSKI_OK) {
		brski_instance_free(i);
		return code;
	}
	*out = i;
	return BRSKI_OK;
}

/* Conversations hold tickets of jobs; jobs call the registrar; the registrar calls policy and store. */
void brski_instance_free(struct brski_instance *i)
{
	if (!i)
		return;
	brski_worker_stop(i->jobs);
	brski_conversations_free(atomic_load(&i->conversations));
	brski_worker_free(i->jobs);
	brski_server_context_free(i->eap);
	brski_registrar_free(i->registrar);
	brski_policy_free(i->policy);
	brski_store_close(i->store);
	sk_X509_pop_free(i->anchors, X509_free);
	brski_credential_free(&i->credential);
	free(i);
}

struct brski_conversations *brski_instance_conversations(struct brski_instance *i)
{
	return atomic_load(&i->conversations);
}
