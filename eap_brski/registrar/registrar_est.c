/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/est/csrattrs.h"
#include "eap_brski/est/est.h"
#include "eap_brski/ground/text.h"
#include "eap_brski/registrar/permission_internal.h"

/* EST: RFC 7030, as clarified by RFC 8951. What a device asks for is judged as its CMP requests are. */

/*
 * RFC 8951 3: the field says nothing, and whoever knows that document ignores it; older clients may want
 * what RFC 7030 has promised them.
 */
static enum brski_code say_base64(struct brski_http *response, struct brski_error *err)
{
	return brski_http_set(response, "content-transfer-encoding", "base64", err);
}

static enum brski_code respond(
	struct brski_http *response, const char *media, struct brski_span der, struct brski_error *err)
{
	struct brski_buf text = {0};
	enum brski_code code = brski_est_body_write(der, &text, err);

	if (code == BRSKI_OK)
		code = brski_http_response(response, 200, media, brski_buf_span(&text), err);
	if (code == BRSKI_OK)
		code = say_base64(response, err);
	brski_buf_free(&text);
	return code;
}

/* ---- For everybody ---- */

static bool has(const STACK_OF(X509) *certs, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		if (brski_cert_equal(sk_X509_value(certs, i), cert))
			return true;
	}
	return false;
}

/* RFC 7030 4.1.3: the trust anchors, and what helps to build a path to them: the CAs above ourselves. */
enum brski_code brski_registrar_open_cacerts(BRSKI_REGISTRAR_OPEN_PARAMS)
{
	STACK_OF(X509) *certs = sk_X509_dup(r->domain_anchors);
	struct brski_buf der = {0};
	enum brski_code code = certs ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory");

	(void)device;
	(void)est;
	(void)request;
	for (int i = 1; code == BRSKI_OK && i < sk_X509_num(r->own_chain); i++) {
		X509 *cert = sk_X509_value(r->own_chain, i);

		if (!has(certs, cert) && sk_X509_push(certs, cert) <= 0)
			code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	}
	if (code == BRSKI_OK)
		code = brski_est_certs_write(certs, &der, err);
	if (code != BRSKI_OK)
		code = brski_registrar_trouble(code, "the certificates of ca_file and certificate_file", err);
	if (code == BRSKI_OK)
		code = respond(response, BRSKI_MEDIA_CERTS_ONLY, brski_buf_span(&der), err);
	sk_X509_free(certs);
	brski_buf_free(&der);
	return code;
}

/*
 * What a certificate for EAP-TLS needs, and a registrar lets a device ask for, whatever its PKI adds.
 * Which device it is, it says by its own name.
 */
static const struct {
	int nid;
	const char *value;
} attributes_wanted[] = {
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "clientAuth"},
};

static enum brski_code add_wanted(STACK_OF(X509_EXTENSION) *extensions, struct brski_error *err)
{
	for (size_t i = 0; i < sizeof(attributes_wanted) / sizeof(attributes_wanted[0]); i++) {
		X509_EXTENSION *e =
			X509V3_EXT_conf_nid(NULL, NULL, attributes_wanted[i].nid, attributes_wanted[i].value);

		if (!e || sk_X509_EXTENSION_push(extensions, e) <= 0) {
			X509_EXTENSION_free(e);
			return brski_fail_openssl(err, BRSKI_NO_MEMORY, "an extension cannot be made");
		}
	}
	return BRSKI_OK;
}

/* *out NULL: nobody knows who asks. */
static enum brski_code name_for(const struct brski_device *device, X509_NAME **out, struct brski_error *err)
{
	*out = NULL;
	return device ? brski_cert_device_name(device->idevid, out, err) : BRSKI_OK;
}

/* RFC 7030 4.5.2, RFC 9908: a device gets a template with its own subject, others one without any. */
enum brski_code brski_registrar_open_csrattrs(BRSKI_REGISTRAR_OPEN_PARAMS)
{
	struct brski_csrattrs attributes = {.extensions = sk_X509_EXTENSION_new_null()};
	struct brski_buf der = {0};
	enum brski_code code = name_for(device, &attributes.subject, err);

	(void)r;
	(void)est;
	(void)request;
	if (code == BRSKI_OK)
		code = attributes.extensions ? add_wanted(attributes.extensions, err)
					     : brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	if (code == BRSKI_OK)
		code = brski_csrattrs_write(&attributes, &der, err);
	if (code == BRSKI_OK)
		code = respond(response, BRSKI_MEDIA_CSRATTRS, brski_buf_span(&der), err);
	sk_X509_EXTENSION_pop_free(attributes.extensions, X509_EXTENSION_free);
	X509_NAME_free(attributes.subject);
	brski_buf_free(&der);
	return code == BRSKI_OK ? code : brski_registrar_trouble(code, "CSR attributes", err);
}

/* ---- What is not done here ---- */

enum brski_code brski_registrar_handle_unsupported(BRSKI_REGISTRAR_HANDLER_PARAMS)
{
	bool keygen = strcmp(endpoint->path, BRSKI_PATH_EST_SERVERKEYGEN) == 0;

	(void)request;
	(void)job;
	brski_registrar_session_note(
		s, "cert-request", false, "%s was asked for, which is not done here", endpoint->path);
	return brski_http_reply_text(response, 501,
		keygen ? "keys are made by devices alone here: use simpleenroll"
		       : "Full CMC is not spoken here: use simpleenroll, or CMP at " BRSKI_PATH_CMP,
		err);
}

/* ---- simpleenroll, simplereenroll ---- */

struct est_context {
	struct brski_registrar_session *s;
	struct brski_span der; /* PKCS #10 */
	bool without_voucher;  /* it was let in so */
	struct brski_http *response;
	struct brski_job **job;
};

/* RFC 7030 4.2.3: in words that a human reads. They are about the request, and tell nothing else. */
static enum brski_code refuse(
	struct est_context *c, unsigned status, const char *words, struct brski_error *err)
{
	char told[sizeof(((struct brski_error *)NULL)->why)];

	brski_printable(brski_span_str(words), told, sizeof(told));
	return brski_http_reply_text(c->response, status, told, err);
}

static enum brski_code refuse_request(
	struct est_context *c, enum brski_code code, const struct brski_error *why, struct brski_error *err)
{
	if (brski_registrar_is_own_trouble(code))
		return brski_registrar_give_up(why, code, err);
	brski_registrar_session_move(c->s, BRSKI_SESSION_SAID_NO);
	brski_registrar_session_note(c->s, "cert-request", false, "%s", why->why);
	return refuse(c, code == BRSKI_REFUSED ? 403 : code == BRSKI_TOO_LARGE ? 413 : 400, why->why, err);
}

/* RFC 8995 5.8.3: whoever was not given a voucher here, or would not have it, gets no certificate. */
static enum brski_code refuse_without_permission(
	struct est_context *c, const char *why, struct brski_error *err)
{
	brski_registrar_session_move(c->s, BRSKI_SESSION_SAID_NO);
	brski_registrar_session_note(c->s, "cert-request", false, "%s", why);
	return refuse(c, 403, why, err);
}

/* The registrar's own request to the PKI; it is stored with the device's. */
static enum brski_code fill(void *ctx, struct brski_job *job, struct brski_error *err)
{
	const struct est_context *c = ctx;
	const struct brski_registrar *r = c->s->registrar;

	return brski_cmp_p10cr(&r->credential, c->der, true, r->env, &job->tx, &job->upstream, err);
}

static void kept(void *ctx, const struct brski_job *job)
{
	const struct est_context *c = ctx;
	const struct brski_device *device = &c->s->device;

	if (c->without_voucher)
		brski_log(c->s->registrar->env, BRSKI_LOG_WARN,
			"%s of %s enrolls WITHOUT a voucher, since est_without_voucher is set",
			device->serial_number, device->manufacturer);
	brski_registrar_session_note(c->s, "cert-request", true, "kept%s; the PKI is %s",
		c->without_voucher ? " WITHOUT a voucher, since est_without_voucher is set" : "",
		job->registrar->cmp_url);
}

static enum brski_code find_or_start(struct est_context *c, struct brski_error *err)
{
	const struct brski_registrar_asked asked = {.type = &brski_job_type_est,
		.work = BRSKI_WORK_CERTIFICATE,
		.octets = c->der,
		.fill = fill,
		.kept = kept,
		.ctx = c};

	return brski_registrar_ask(c->s, &asked, c->response, c->job, err);
}

/* What was begun goes on, however long the PKI takes; what is new needs what a voucher gives. */
static enum brski_code ask_permission(struct est_context *c, const struct brski_job *known,
	char why[BRSKI_PERMISSION_WHY], struct brski_error *err)
{
	struct brski_registrar *r = c->s->registrar;
	const struct brski_device *device = &c->s->device;

	why[0] = '\0';
	if (!known)
		return brski_permission_begin_est(r, device, &c->without_voucher, why, err);
	if (known->state == BRSKI_JOB_REFUSED) /* it says why, and gives nothing */
		return BRSKI_OK;
	return brski_permission_ask(
		r, device, BRSKI_PERMISSION_GO_ON, brski_buf_span(&known->tx.id), why, err);
}

static enum brski_code begin(struct est_context *c, struct brski_error *err)
{
	struct brski_job *known;
	char why[BRSKI_PERMISSION_WHY] = "";
	enum brski_code code = brski_registrar_known(c->s, c->der, &known, err);

	if (code == BRSKI_OK)
		code = ask_permission(c, known, why, err);
	if (code == BRSKI_OK && why[0] == '\0')
		return known ? brski_registrar_use_job(c->s, known, c->response, c->job, err)
			     : find_or_start(c, err);
	brski_job_free(known);
	return code == BRSKI_OK ? refuse_without_permission(c, why, err) : code;
}

static enum brski_code authorize(struct est_context *c, struct brski_error *err)
{
	struct brski_registrar_session *s = c->s;
	enum brski_decision decision;
	long retry_after;
	enum brski_code code = brski_registrar_session_decide(s, &decision, &retry_after, err);

	if (code != BRSKI_OK)
		return code;
	switch (decision) {
	case BRSKI_ACCEPT:
		return begin(c, err);
	case BRSKI_DEFER: /* nothing is kept: the same request must come again */
		return brski_registrar_session_come_back(s, 202, retry_after, c->response, err);
	case BRSKI_REFUSE:
	default:
		return brski_registrar_session_turn_away(s, c->response, err);
	}
}

static const ASN1_OCTET_STRING *alt_name(const STACK_OF(X509_EXTENSION) *extensions)
{
	int i = extensions ? X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1) : -1;

	return i < 0 ? NULL : X509_EXTENSION_get_data(X509v3_get_ext(extensions, i));
}

/* RFC 7030 4.2.2: both names are those of the certificate that the device shows. */
static enum brski_code check_names(
	const struct brski_cmp_request *asked, const X509 *current, struct brski_error *err)
{
	const ASN1_OCTET_STRING *wanted = alt_name(asked->extensions);
	const ASN1_OCTET_STRING *has_one = alt_name(X509_get0_extensions(current));

	if (!brski_name_equal(asked->subject, X509_get_subject_name(current)))
		return brski_fail(err, BRSKI_REFUSED,
			"its Subject is not that of the certificate shown (RFC 7030 4.2.2): use simpleenroll");
	if (wanted || has_one) {
		if (!wanted || !has_one || ASN1_OCTET_STRING_cmp(wanted, has_one) != 0)
			return brski_fail(err, BRSKI_REFUSED,
				"its Subject Alternative Name is not that of the certificate shown (RFC 7030 "
				"4.2.2): use simpleenroll");
	}
	return BRSKI_OK;
}

static enum brski_code check(
	const struct est_context *c, const struct brski_registrar_endpoint *endpoint, struct brski_error *err)
{
	const X509 *idevid = c->s->device.idevid;
	const struct brski_cmp_rule rule = {.idevid = idevid};
	struct brski_cmp_request asked = {0};
	enum brski_code code = brski_cmp_pkcs10_check(c->der, &rule, &asked, err);

	if (code == BRSKI_OK && strcmp(endpoint->path, BRSKI_PATH_EST_SIMPLEREENROLL) == 0)
		code = check_names(&asked, idevid, err);
	brski_cmp_request_free(&asked);
	return code;
}

enum brski_code brski_registrar_handle_enroll(BRSKI_REGISTRAR_HANDLER_PARAMS)
{
	struct est_context c = {.s = s, .response = response, .job = job};
	struct brski_buf der = {0};
	struct brski_error why = {0};
	enum brski_code code =
		brski_est_body_read(brski_buf_span(&request->body), BRSKI_EST_PKCS10_MAX, &der, &why);

	c.der = brski_buf_span(&der);
	if (code == BRSKI_OK)
		code = check(&c, endpoint, &why);
	code = code == BRSKI_OK ? authorize(&c, err) : refuse_request(&c, code, &why, err);
	brski_buf_free(&der);
	return code;
}

/* ---- finished and unfinished jobs ---- */

static enum brski_code copy_answer(
	const struct brski_job *job, struct brski_http *response, struct brski_error *err)
{
	const struct brski_http *answer = &job->answer;
	enum brski_code code = brski_http_response(response, answer->status,
		brski_http_get(answer, "content-type"), brski_buf_span(&answer->body), err);

	return code == BRSKI_OK && answer->status == 200 ? say_base64(response, err) : code;
}

static enum brski_code deliver_refusal(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	brski_registrar_session_move(s, BRSKI_SESSION_SAID_NO);
	snprintf(s->reason, sizeof(s->reason), "%s", job->why);
	return copy_answer(job, response, err);
}

enum brski_code brski_registrar_deliver_est(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	struct est_context c = {.s = s, .response = response};
	char why[BRSKI_PERMISSION_WHY];
	enum brski_code code;

	if (job->state == BRSKI_JOB_REFUSED)
		return deliver_refusal(s, job, response, err);
	/* from now on "onboarded" is believed */
	code = brski_permission_use(
		s->registrar, &s->device, BRSKI_PERMISSION_HAVE, brski_buf_span(&job->tx.id), why, err);
	if (code != BRSKI_OK)
		return code;
	if (why[0] != '\0')
		return refuse_without_permission(&c, why, err);
	brski_registrar_session_move(s, BRSKI_SESSION_ANSWERED);
	return copy_answer(job, response, err);
}

/* RFC 7030 4.2.3: the same request comes again. */
enum brski_code brski_registrar_defer_est(struct brski_registrar_session *s, const struct brski_job *job,
	struct brski_http *response, struct brski_error *err)
{
	long seconds;

	if (brski_job_est_is_rejected(job)) /* that the PKI must hear of it is no concern of the device's */
		return deliver_refusal(s, job, response, err);
	seconds = brski_registrar_session_wait(s, job);
	brski_registrar_session_note(
		s, "deferred", true, "told to come back in %ld s for its certificate", seconds);
	return brski_registrar_session_come_back(s, 202, seconds, response, err);
}
