/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/est_visit.h"

#include <check.h>
#include <openssl/x509v3.h>

#include "eap_brski/pki/asn1.h"

void est_open(struct visit *v, struct site *site)
{
	site_open(site, "P-256");
	site->ca_remembers = true;
	visit_open(v, site);
	brski_registrar_session_serve_est(v->session);
	ck_assert_uint_eq(visit_voucher(v), 200);
}

void est_close(struct visit *v)
{
	struct site *site = v->site;

	visit_close(v);
	site_close(site);
}

static X509_NAME *subject_of(const struct visit *v, const struct est_ask *ask)
{
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(v->site->idevid.cert));

	if (ask->serial) {
		X509_NAME_ENTRY_free(
			X509_NAME_delete_entry(name, X509_NAME_get_index_by_NID(name, NID_serialNumber, -1)));
		ck_assert_int_eq(X509_NAME_add_entry_by_NID(name, NID_serialNumber, MBSTRING_ASC,
					 (const unsigned char *)ask->serial, -1, -1, 0),
			1);
	}
	return name;
}

static void add_extensions(X509_REQ *req, const struct est_ask *ask)
{
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();

	for (int i = 0; i < 2 && ask->value[i]; i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, ask->nid[i], ask->value[i]);

		ck_assert_ptr_nonnull(e);
		ck_assert_int_gt(sk_X509_EXTENSION_push(extensions, e), 0);
	}
	if (sk_X509_EXTENSION_num(extensions) > 0)
		ck_assert_int_eq(X509_REQ_add_extensions(req, extensions), 1);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

void est_make(struct visit *v, const struct est_ask *ask)
{
	X509_NAME *subject = subject_of(v, ask);
	X509_REQ *req = X509_REQ_new();

	if (!ask->key || ask->key != v->key) {
		EVP_PKEY_free(v->key);
		v->key = ask->key ? ask->key : pki_key("P-256");
	}
	ck_assert_int_eq(X509_REQ_set_subject_name(req, subject), 1);
	ck_assert_int_eq(X509_REQ_set_pubkey(req, v->key), 1);
	add_extensions(req, ask);
	if (ask->attributes)
		ck_assert_int_eq(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_ASC,
					 (const unsigned char *)ask->attributes, -1),
			1);
	if (ask->unknown_attribute)
		ck_assert_int_eq(X509_REQ_add1_attr_by_NID(req, ask->unknown_attribute, MBSTRING_ASC,
					 (const unsigned char *)"x", 1),
			1);
	ck_assert_int_gt(X509_REQ_sign(req, ask->sign_with ? ask->sign_with : v->key, EVP_sha256()), 0);
	brski_buf_free(&v->request);
	ck_assert_int_eq(brski_asn1_write(req, ASN1_ITEM_rptr(X509_REQ), &v->request, NULL), BRSKI_OK);
	X509_NAME_free(subject);
	X509_REQ_free(req);
}

void est_again(struct visit *v)
{
	visit_again(v);
	brski_registrar_session_serve_est(v->session);
}

static struct brski_buf in_base64(const struct visit *v)
{
	struct brski_buf text = {0};

	ck_assert_int_eq(brski_est_body_write(brski_buf_span(&v->request), &text, NULL), BRSKI_OK);
	return text;
}

unsigned est_post(struct visit *v, const char *path)
{
	struct brski_buf text = in_base64(v);
	unsigned status = visit_post(v, path, BRSKI_MEDIA_PKCS10, brski_buf_span(&text));

	brski_buf_free(&text);
	return status;
}

unsigned est_send(struct visit *v, const char *path)
{
	struct brski_buf text = in_base64(v);
	unsigned status = visit_send(v, "POST", path, BRSKI_MEDIA_PKCS10, brski_buf_span(&text));

	brski_buf_free(&text);
	return status;
}

unsigned est_enroll(struct visit *v)
{
	est_make(v, &(struct est_ask){0});
	return est_post(v, BRSKI_PATH_EST_SIMPLEENROLL);
}

X509 *est_certificate(const struct visit *v)
{
	struct brski_buf der = {0};
	STACK_OF(X509) *certs = NULL;
	X509 *cert;

	ck_assert_str_eq(brski_http_get(&v->response, "content-type"), BRSKI_MEDIA_CERTS_ONLY);
	ck_assert_str_eq(brski_http_get(&v->response, "content-transfer-encoding"), "base64");
	ck_assert_int_eq(brski_est_body_read(brski_buf_span(&v->response.body), 65536, &der, NULL), BRSKI_OK);
	ck_assert_int_eq(brski_est_certs_read(brski_buf_span(&der), &certs, NULL), BRSKI_OK);
	ck_assert_int_eq(sk_X509_num(certs), 1);
	cert = sk_X509_value(certs, 0);
	ck_assert_int_eq(X509_up_ref(cert), 1);
	pki_free_certs(certs);
	brski_buf_free(&der);
	return cert;
}

void est_expect_certificate(const struct visit *v)
{
	X509 *cert;

	ck_assert_uint_eq(v->response.status, 200);
	cert = est_certificate(v);
	ck_assert(brski_cert_has_key(cert, v->key));
	X509_free(cert);
}

void est_expect_refusal(const struct visit *v, unsigned status, const char *words)
{
	ck_assert_msg(v->response.status == status, "%u: %.*s", v->response.status, (int)v->response.body.len,
		(const char *)v->response.body.data);
	ck_assert(brski_http_is_type(&v->response, "text/plain"));
	ck_assert_msg(visit_said(v, words), "\"%.*s\" lacks \"%s\"", (int)v->response.body.len,
		(const char *)v->response.body.data, words);
}
