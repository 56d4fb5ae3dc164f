/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"
#include "eap_brski/transport/http_follow.h"

/* Calls to the PKI, and its answers as far as they are HTTP and CMP: whatever was asked, and by whom. */

/* ---- The call ---- */

enum brski_code brski_job_pki_prepare(
	struct brski_job *job, const char *label, struct brski_span body, struct brski_error *err)
{
	const struct brski_registrar *r = job->registrar;
	enum brski_code code =
		brski_cmp_url(r->cmp_url, r->labels ? label : "", job->url, sizeof(job->url), err);

	if (code != BRSKI_OK)
		return code;
	return brski_http_request(
		&job->call, "POST", brski_http_target(job->url), BRSKI_MEDIA_CMP, body, err);
}

const STACK_OF(X509) *brski_job_pki_anchors(const struct brski_job *job)
{
	return job->registrar->pki_tls_anchors;
}

/* ---- What comes of it ---- */

enum brski_code brski_job_pki_silence(struct brski_job *job, const char *why, struct brski_error *err)
{
	(void)err;
	brski_job_wait(job, "certificate", -1, "%s does not answer: %s", job->url, why);
	return BRSKI_OK;
}

static enum brski_code on_message(struct brski_job *job, const struct brski_job_pki_judge *judge,
	const struct brski_http *answer, struct brski_error *err)
{
	struct brski_cmp msg = {0};
	struct brski_error why = {0};
	enum brski_code code = brski_cmp_decode(brski_buf_span(&answer->body), &msg, &why);

	if (code == BRSKI_OK)
		code = judge->message(job, &msg, err);
	else if (brski_registrar_is_own_trouble(code))
		code = brski_registrar_give_up(&why, code, err);
	else
		code = judge->wrong(job, why.why, err);
	brski_cmp_free(&msg);
	return code;
}

/* RFC 9811 3.3: a PKI may put its error message into a response of status 4xx or 5xx. */
enum brski_code brski_job_pki_answer(struct brski_job *job, const struct brski_job_pki_judge *judge,
	const struct brski_http *answer, struct brski_error *err)
{
	bool labelled = strcmp(job->url, job->registrar->cmp_url) != 0;
	long seconds;
	char why[128];

	if (brski_http_is_type(answer, BRSKI_MEDIA_CMP) && answer->body.len > 0 &&
		answer->body.len <= BRSKI_CMP_MAX && (answer->status == 200 || answer->status >= 400))
		return on_message(job, judge, answer, err);
	if (brski_http_is_temporary(answer)) {
		seconds = brski_http_retry_after(answer, brski_now(job->registrar->env));
		brski_job_wait(job, "certificate", seconds >= 0 ? seconds : -1, "PKI %s has no answer: %u",
			job->url, answer->status);
		return BRSKI_OK;
	}
	snprintf(why, sizeof(why), "status %u, and no CMP message%s", answer->status,
		answer->status == 404 && labelled ? "; if it knows no operation labels, set cmp_labels = no"
						  : "");
	return judge->wrong(job, why, err);
}

/*
 * RFC 9483 3.6.4: the PKI that could not read a request knows no transactionID, and cannot always
 * protect its error. HTTP tells what it answers.
 */
bool brski_job_pki_is_of(
	const struct brski_cmp *msg, struct brski_span transaction, char why[BRSKI_JOB_PKI_WHY])
{
	static const char other[] = "its answer is of another transaction";
	struct brski_span id = brski_buf_span(&msg->header.transaction_id);
	char words[BRSKI_CMP_WORDS_MAX];

	if (msg->type == BRSKI_CMP_ERROR && !msg->is_protected && id.len == 0)
		return true;
	if (brski_span_equal(id, transaction))
		return true;
	brski_cmp_error_words(msg, words);
	snprintf(
		why, BRSKI_JOB_PKI_WHY, "%s%s%s", other, words[0] ? "; it is an error message: " : "", words);
	return false;
}

bool brski_job_pki_refuses(const struct brski_cmp_response *r)
{
	bool has_status = r->type == BRSKI_CMP_IP || r->type == BRSKI_CMP_CP || r->type == BRSKI_CMP_KUP ||
			  r->type == BRSKI_CMP_ERROR;

	return has_status && r->status == BRSKI_CMP_REJECTION;
}

bool brski_job_pki_says_wait(const struct brski_cmp_response *r)
{
	return r->type == BRSKI_CMP_POLLREP ||
	       (r->type != BRSKI_CMP_PKICONF && r->type != BRSKI_CMP_GENP && r->status == BRSKI_CMP_WAITING);
}

struct brski_cmp_trust brski_job_pki_trust(const struct brski_registrar *r)
{
	return (struct brski_cmp_trust){.anchors = r->domain_anchors,
		.signers = r->cmp_signers,
		.named_by = "cmp_signer_file",
		.now = brski_now(r->env)};
}
