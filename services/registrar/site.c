/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/site.h"

#include <stdlib.h>

#include "eap_brski/ground/url.h"
#include "services/base/heap_trim.h"
#include "services/registrar/policy.h"
#include "services/registrar/site_credential.h"

struct brski_site {
	const struct brski_env *env;
	struct brski_credential credential;
	STACK_OF(X509) *anchors, *pki_tls_anchors;
	STACK_OF(X509) *cmp_signers; /* may be NULL */
	struct brski_store *store;
	struct brski_policy *policy;
	struct brski_registrar *registrar;
	struct brski_worker *worker;
	unsigned (*housekeeping)(void *ctx);
	void *housekeeping_ctx;
	struct brski_heap_trim trim; /* of sessions and jobs */
	struct {
		bool going;
		unsigned next;    /* chore */
		unsigned removed; /* by it, in this round */
		struct brski_store_trim trim;
	} house;
	long max_waiting_age;
	long rate_window;
	long max_grant_age;
	long max_history;
	long max_history_per_device;
};

/* ---- The credential ---- */

static enum brski_code load_credential(
	struct brski_site *site, const struct brski_config *settings, struct brski_error *err)
{
	enum brski_code code =
		brski_site_credential_load(settings, site->env, &site->credential, &site->anchors, err);

	if (code == BRSKI_OK)
		code = brski_config_pki_anchors(settings, &site->pki_tls_anchors, err);
	return code == BRSKI_OK ? brski_config_cmp_signers(settings, &site->cmp_signers, err) : code;
}

/* ---- The parts ---- */

/* A site that serves has a thread that keeps what is stored. */
static enum brski_code open_store(
	struct brski_site *site, const struct brski_site_config *config, struct brski_error *err)
{
	const struct brski_store_options options = {
		.create = true, .keep_later = !config->check_only, .env = site->env};
	enum brski_code code = brski_store_open_with(config->settings->database, &options, &site->store, err);

	return code == BRSKI_OK ? brski_store_check_writable(site->store, err) : code;
}

static enum brski_code check_cmp_url(const struct brski_config *settings, struct brski_error *err)
{
	const char *url = settings->cmp_url ? settings->cmp_url : "";
	char read[BRSKI_URL_MAX];
	enum brski_code code =
		brski_url_read(brski_span_str(url), BRSKI_URL_HTTP_TOO, read, sizeof(read), err);

	return code == BRSKI_OK
		       ? code
		       : brski_fail_context(err, code, "cmp_url is no http or https URL: %.160s", url);
}

static enum brski_code check_settings(const struct brski_config *settings, struct brski_error *err)
{
	const char *hosts = settings->masa_hosts ? settings->masa_hosts : "";
	enum brski_code code = check_cmp_url(settings, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_url_hosts_check(hosts, err);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "masa_hosts");
}

#define POLL_WINDOW 60 /* seconds: how soon a device polls again is the PKI's to say */

/* The same rate for each kind of work, as an onboarding has one of each. */
static void set_rates(struct brski_store_limits *limits, const struct brski_config *settings)
{
	for (int work = 0; work < BRSKI_WORKS; work++)
		limits->rates[work] = (struct brski_rate){
			(unsigned)settings->max_requests_per_device, (unsigned)settings->rate_window};
	limits->rates[BRSKI_WORK_POLL] =
		(struct brski_rate){(unsigned)settings->max_polls_per_device, POLL_WINDOW};
}

static enum brski_code make_policy(
	struct brski_site *site, const struct brski_config *settings, struct brski_error *err)
{
	struct brski_store_limits limits = {
		.waiting = (unsigned)settings->max_waiting,
		.waiting_per_device = (unsigned)settings->max_waiting_per_device,
		.octets = (size_t)settings->max_waiting_size,
		.kept_per_device = (size_t)settings->max_kept_per_device,
	};
	struct brski_error trouble;
	enum brski_code code = brski_policy_new(site->store, site->env, &site->policy, err);

	if (code != BRSKI_OK)
		return code;
	set_rates(&limits, settings);
	brski_policy_set_limits(site->policy, &limits);
	/* no reason not to start: it is done again for the first device */
	if (brski_policy_load(site->policy, &trouble) != BRSKI_OK)
		brski_log(site->env, BRSKI_LOG_WARN, "the manufacturers cannot be read yet: %s", trouble.why);
	return BRSKI_OK;
}

static enum brski_code make_registrar(
	struct brski_site *site, const struct brski_config *settings, struct brski_error *err)
{
	struct brski_registrar_config registrar = {
		.credential = &site->credential,
		.domain_anchors = site->anchors,
		.cmp_url = settings->cmp_url,
		.pki_tls_anchors = site->pki_tls_anchors,
		.labels = settings->cmp_labels,
		.nest = settings->cmp_nested,
		.answer_genm = settings->answer_genm,
		.check_answers = settings->check_pki_answers,
		.cmp_signers = site->cmp_signers,
		.cmp_profiles = settings->cmp_profiles,
		.masa_hosts = settings->masa_hosts,
		.retry_after = settings->retry_after,
		.waiting_max = settings->max_waiting_age,
		.voucher_grant_age = settings->voucher_grant_age,
		.certificate_grant_age = settings->certificate_grant_age,
		.report_repeat_age = settings->report_repeat_age,
		.enroll_without_voucher = settings->est_without_voucher,
		.ops = brski_policy_ops(),
		.ops_ctx = site->policy,
		.env = site->env,
	};

	return brski_registrar_new(&registrar, &site->registrar, err);
}

/* ---- Housekeeping: in the worker's thread, every minute, what no device comes to clean up ---- */

/* One step of it. *n: how many rows went; if as many as may (BRSKI_STORE_STEP), there are more. */
typedef enum brski_code chore(struct brski_site *site, unsigned *n, struct brski_error *err);

static time_t waiting_since(const struct brski_site *site)
{
	return brski_now(site->env) - site->max_waiting_age;
}

/* Answers that nobody came for. */
static enum brski_code expire_jobs(struct brski_site *site, unsigned *n, struct brski_error *err)
{
	if (!site->max_waiting_age)
		return BRSKI_OK;
	return brski_store_jobs_expire(site->store, waiting_since(site), n, err);
}

static enum brski_code expire_notes(struct brski_site *site, unsigned *n, struct brski_error *err)
{
	if (!site->max_waiting_age)
		return BRSKI_OK;
	return brski_store_notes_expire(site->store, waiting_since(site), n, err);
}

static enum brski_code expire_permissions(struct brski_site *site, unsigned *n, struct brski_error *err)
{
	if (!site->max_waiting_age)
		return BRSKI_OK;
	return brski_store_permissions_expire(
		site->store, brski_now(site->env) - site->max_grant_age, n, err);
}

/* Devices that did not come back to hear the operator's word. */
static enum brski_code expire_candidates(struct brski_site *site, unsigned *n, struct brski_error *err)
{
	if (!site->max_waiting_age)
		return BRSKI_OK;
	return brski_store_candidates_expire(site->store, waiting_since(site), n, err);
}

static enum brski_code expire_rates(struct brski_site *site, unsigned *n, struct brski_error *err)
{
	time_t now = brski_now(site->env);

	return brski_store_rates_expire(
		site->store, now - site->rate_window, now + site->rate_window, n, err);
}

static enum brski_code trim_history(struct brski_site *site, unsigned *n, struct brski_error *err)
{
	bool more = false;
	enum brski_code code = BRSKI_OK;

	if (site->max_history)
		code = brski_store_events_trim(site->store, (unsigned)site->max_history,
			(unsigned)site->max_history_per_device, &site->house.trim, &more, err);
	*n = more ? BRSKI_STORE_STEP : 0;
	return code;
}

static const struct {
	chore *step;
	const char *fails;
	const char *removed; /* NULL: of no interest */
} chores[] = {
	{expire_jobs, "requests that are too old cannot be removed", "requests"},
	{expire_notes, "notes that are too old cannot be removed", NULL},
	{expire_permissions, "permissions that are too old cannot be removed", NULL},
	{expire_candidates, "devices that came too long ago cannot be removed",
		"devices that waited for the operator"},
	{expire_rates, "what devices asked lately cannot be forgotten", NULL},
	{trim_history, "the history cannot be shortened", NULL},
};
#define CHORES (sizeof(chores) / sizeof(chores[0]))

/* True: the same chore has more to do. */
static bool do_chore(struct brski_site *site)
{
	struct brski_error err = {0};
	unsigned n = 0, i = site->house.next;

	if (chores[i].step(site, &n, &err) != BRSKI_OK) {
		brski_log(site->env, BRSKI_LOG_WARN, "%s: %s", chores[i].fails, err.why);
		n = 0;
	}
	site->house.removed += n;
	if (n == BRSKI_STORE_STEP)
		return true;
	if (chores[i].removed && site->house.removed)
		brski_log(site->env, BRSKI_LOG_INFO, "too old and removed: %u %s", site->house.removed,
			chores[i].removed);
	return false;
}

static void give_memory_back(struct brski_site *site, unsigned sessions)
{
	unsigned jobs, running, most;

	if (!site->worker) /* which is not ready yet */
		return;
	most = brski_worker_most(site->worker);
	brski_worker_count(site->worker, &jobs, &running);
	if (brski_heap_trim(&site->trim, sessions + jobs, sessions + most))
		brski_log(site->env, BRSKI_LOG_DEBUG, "memory of a crowd that is gone is given back");
}

/* One step. */
static bool keep_house(void *ctx)
{
	struct brski_site *site = ctx;

	if (!site->house.going)
		give_memory_back(site, site->housekeeping ? site->housekeeping(site->housekeeping_ctx) : 0);
	site->house.going = true;
	if (do_chore(site))
		return true;
	site->house.removed = 0;
	site->house.next = (site->house.next + 1) % CHORES;
	site->house.going = site->house.next > 0;
	return site->house.going;
}

static enum brski_code make_worker(
	struct brski_site *site, const struct brski_config *settings, struct brski_error *err)
{
	struct brski_worker_config worker = {
		.registrar = site->registrar,
		.store = site->store,
		.connect_timeout_ms = settings->connect_timeout * 1000,
		.request_timeout_ms = settings->request_timeout * 1000,
		.retry_min_ms = settings->retry_interval_min * 1000,
		.retry_max_ms = settings->retry_interval_max * 1000,
		.response_max = (size_t)settings->max_message,
		.proxy = settings->proxy,
		.housekeeping = keep_house,
		.housekeeping_ctx = site,
		.env = site->env,
	};

	return brski_worker_new(&worker, &site->worker, err);
}

static enum brski_code put_together(
	struct brski_site *site, const struct brski_site_config *config, struct brski_error *err)
{
	const struct brski_config *settings = config->settings;
	enum brski_code code = check_settings(settings, err);

	if (code == BRSKI_OK)
		code = load_credential(site, settings, err);
	if (code == BRSKI_OK)
		code = open_store(site, config, err);
	if (code == BRSKI_OK)
		code = make_policy(site, settings, err);
	if (code == BRSKI_OK)
		code = make_registrar(site, settings, err);
	if (code == BRSKI_OK && !config->check_only)
		code = make_worker(site, settings, err);
	return code;
}

/* What is older allows nothing. */
static long longest_grant(const struct brski_config *settings)
{
	long most = settings->voucher_grant_age > settings->certificate_grant_age
			    ? settings->voucher_grant_age
			    : settings->certificate_grant_age;

	return most > settings->report_repeat_age ? most : settings->report_repeat_age;
}

enum brski_code brski_site_new(
	const struct brski_site_config *config, struct brski_site **out, struct brski_error *err)
{
	struct brski_site *site = calloc(1, sizeof(*site));
	enum brski_code code;

	*out = NULL;
	if (!site)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a registrar");
	site->env = config->env;
	site->housekeeping = config->housekeeping;
	site->housekeeping_ctx = config->housekeeping_ctx;
	site->max_waiting_age = config->settings->max_waiting_age;
	site->rate_window = config->settings->rate_window;
	site->max_grant_age = longest_grant(config->settings);
	site->max_history = config->settings->max_history;
	site->max_history_per_device = config->settings->max_history_per_device;
	code = put_together(site, config, err);
	if (code != BRSKI_OK) {
		brski_site_free(site);
		return code;
	}
	*out = site;
	return BRSKI_OK;
}

void brski_site_stop(struct brski_site *site)
{
	if (site)
		brski_worker_stop(site->worker);
}

/* The worker calls the registrar; the registrar calls policy and store. */
void brski_site_free(struct brski_site *site)
{
	if (!site)
		return;
	brski_worker_free(site->worker);
	brski_registrar_free(site->registrar);
	brski_policy_free(site->policy);
	brski_store_close(site->store);
	sk_X509_pop_free(site->anchors, X509_free);
	sk_X509_pop_free(site->pki_tls_anchors, X509_free);
	sk_X509_pop_free(site->cmp_signers, X509_free);
	brski_credential_free(&site->credential);
	free(site);
}

struct brski_registrar *brski_site_registrar(const struct brski_site *site)
{
	return site->registrar;
}

struct brski_store *brski_site_store(const struct brski_site *site)
{
	return site->store;
}

struct brski_worker *brski_site_worker(const struct brski_site *site)
{
	return site->worker;
}
