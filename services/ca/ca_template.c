/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/cert.h"
#include "services/ca/ca_internal.h"
#include "services/ca/ca_issue_internal.h"

/* What a request may ask for, and what of it the certificate does not have. */

static enum brski_code refuse(
	struct ca_job *job, enum brski_cmp_fail fail, struct brski_error *err, const char *why)
{
	job->certificate_refused = true;
	job->fail = fail;
	return brski_fail(err, BRSKI_REFUSED, "%s", why);
}

static const X509 *signer_of(const struct ca_job *job)
{
	return sk_X509_value(job->signers, 0);
}

static X509_EXTENSION *asked_san(const struct ca_job *job)
{
	int at = X509v3_get_ext_by_NID(job->request.extensions, NID_subject_alt_name, -1);

	return at >= 0 ? X509v3_get_ext(job->request.extensions, at) : NULL;
}

static bool same_value(X509_EXTENSION *a, X509_EXTENSION *b)
{
	return a && b && ASN1_STRING_cmp(X509_EXTENSION_get_data(a), X509_EXTENSION_get_data(b)) == 0;
}

/* The signer has this subjectAltName itself, by its own issuer's word. */
static bool is_own_san(const struct ca_job *job, X509_EXTENSION *san)
{
	int at = X509_get_ext_by_NID(signer_of(job), NID_subject_alt_name, -1);

	return at >= 0 && same_value(san, X509_get_ext(signer_of(job), at));
}

static bool has_no_name(const struct ca_job *job)
{
	return X509_NAME_entry_count(job->request.subject) == 0;
}

/* RFC 9483 4.1.1: a subject of no attributes is one that the subjectAltName names. */
static enum brski_code check_is_named(struct ca_job *job, struct brski_error *err)
{
	X509_EXTENSION *san = asked_san(job);

	if (!has_no_name(job))
		return BRSKI_OK;
	if (!san)
		return refuse(job, BRSKI_CMP_BAD_CERT_TEMPLATE, err, "the request names no subject");
	if (job->ca->copy_san || is_own_san(job, san))
		return BRSKI_OK;
	return refuse(job, BRSKI_CMP_BAD_CERT_TEMPLATE, err,
		"the subject is named by a subjectAltName alone, and none is copied here (copy-san)");
}

/*
 * A device may not be certified under another device's serial number. A registration authority that asks
 * itself has seen whose it is; here there is nothing to compare it with.
 */
static enum brski_code check_serial_number(struct ca_job *job, bool *has_own, struct brski_error *err)
{
	const ASN1_STRING *asked;
	struct brski_error why = {0};
	char own[BRSKI_SERIAL_MAX];
	enum brski_code code = brski_name_serial_number(job->request.subject, &asked, &why);

	*has_own = false;
	if (code == BRSKI_NOT_FOUND)
		return BRSKI_OK;
	if (code != BRSKI_OK)
		return refuse(job, BRSKI_CMP_BAD_CERT_TEMPLATE, err, why.why);
	*has_own = brski_cert_serial_number(signer_of(job), own, NULL) == BRSKI_OK &&
		   brski_span_equal(brski_span_str(own), brski_span(asked->data, (size_t)asked->length));
	if (*has_own || job->by_ra)
		return BRSKI_OK;
	return refuse(
		job, BRSKI_CMP_BAD_CERT_TEMPLATE, err, "the subject has the serial number of another device");
}

/*
 * RFC 9483 5.1.1: the subject MUST be the same entity as the signer's, unless a registration authority
 * has protected the message: around it, or as its signer.
 */
static enum brski_code check_same_entity(struct ca_job *job, bool has_own_serial, struct brski_error *err)
{
	if (job->nested || job->by_ra || has_own_serial)
		return BRSKI_OK;
	if (has_no_name(job) ? is_own_san(job, asked_san(job))
			     : brski_name_equal(job->request.subject, X509_get_subject_name(signer_of(job))))
		return BRSKI_OK;
	return refuse(job, BRSKI_CMP_NOT_AUTHORIZED, err,
		"the subject is another's than the signer's, who is no registration authority");
}

/* It may be copied: then it is one. */
static enum brski_code check_san(struct ca_job *job, struct brski_error *err)
{
	X509_EXTENSION *san = asked_san(job);
	GENERAL_NAMES *names = san ? X509V3_EXT_d2i(san) : NULL;
	bool good = !san || sk_GENERAL_NAME_num(names) > 0;

	GENERAL_NAMES_free(names);
	ERR_clear_error();
	if (good)
		return BRSKI_OK;
	return refuse(job, BRSKI_CMP_BAD_CERT_TEMPLATE, err, "subjectAltName is no list of names");
}

enum brski_code ca_template_check(struct ca_job *job, struct brski_error *err)
{
	bool has_own_serial = false;
	enum brski_code code = check_is_named(job, err);

	if (code == BRSKI_OK)
		code = check_san(job, err);
	if (code == BRSKI_OK)
		code = check_serial_number(job, &has_own_serial, err);
	if (code == BRSKI_OK)
		code = check_same_entity(job, has_own_serial, err);
	if (code != BRSKI_OK)
		return code;
	code = ca_key_check(job->request.key, err);
	if (code != BRSKI_OK) {
		job->certificate_refused = true;
		job->fail = BRSKI_CMP_BAD_CERT_TEMPLATE;
	}
	return code;
}

enum brski_code ca_template_san(const struct ca_job *job, X509_EXTENSION **out, struct brski_error *err)
{
	X509_EXTENSION *san = asked_san(job);

	*out = NULL;
	if (!san || !(job->ca->copy_san || has_no_name(job)))
		return BRSKI_OK;
	*out = X509_EXTENSION_dup(san);
	if (!*out)
		return brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	/* RFC 5280 4.2.1.6: critical, where it is all that names the subject */
	if (has_no_name(job))
		X509_EXTENSION_set_critical(*out, 1);
	return BRSKI_OK;
}

static void differs_in(char differs[CA_DIFFERS_MAX], const char *what)
{
	size_t used = strlen(differs);

	snprintf(differs + used, CA_DIFFERS_MAX - used, "%s%s", used > 0 ? ", " : "not as asked for: ", what);
}

static bool is_kept(const X509 *cert, X509_EXTENSION *asked)
{
	int at = X509_get_ext_by_OBJ(cert, X509_EXTENSION_get_object(asked), -1);

	return at >= 0 && same_value(asked, X509_get_ext(cert, at));
}

enum brski_cmp_status ca_template_status(
	const struct ca_job *job, const X509 *cert, char differs[CA_DIFFERS_MAX])
{
	const struct brski_cmp_request *asked = &job->request;

	differs[0] = '\0';
	for (int i = 0; i < sk_X509_EXTENSION_num(asked->extensions); i++) {
		X509_EXTENSION *extension = sk_X509_EXTENSION_value(asked->extensions, i);
		char name[80];

		OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(extension), 0);
		if (!is_kept(cert, extension))
			differs_in(differs, name);
	}
	if (asked->issuer && X509_NAME_cmp(asked->issuer, X509_get_issuer_name(cert)) != 0)
		differs_in(differs, "issuer");
	if (asked->wants_validity)
		differs_in(differs, "validity");
	if (asked->wants_controls)
		differs_in(differs, "controls");
	if (job->msg->header.cert_profile[0] != '\0')
		differs_in(differs, "certificate profile");
	return differs[0] != '\0' ? BRSKI_CMP_GRANTED_WITH_MODS : BRSKI_CMP_ACCEPTED;
}
