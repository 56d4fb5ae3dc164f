/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/pki/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509_vfy.h>

#include "eap_brski/pki/cert.h"
#include "eap_brski/pki/limits.h"
#include "eap_brski/pki/pem.h"

#define PEM_CERTS_MAX 256

void brski_credential_free(struct brski_credential *cred)
{
	EVP_PKEY_free(cred->key);
	X509_free(cred->cert);
	sk_X509_pop_free(cred->chain, X509_free);
	*cred = (struct brski_credential){0};
}

enum brski_code brski_credential_copy(
	struct brski_credential *to, const struct brski_credential *from, struct brski_error *err)
{
	*to = (struct brski_credential){0};
	if (from->chain && !(to->chain = X509_chain_up_ref(from->chain)))
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for a chain of certificates");
	if (from->key && EVP_PKEY_up_ref(from->key))
		to->key = from->key;
	if (from->cert && X509_up_ref(from->cert))
		to->cert = from->cert;
	if (to->key == from->key && to->cert == from->cert)
		return BRSKI_OK;
	brski_credential_free(to);
	return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot share a credential");
}

/* Answers what asks for a password; without one it refuses, so that nothing is ever asked on a terminal. */
static int give_password(char *buf, int size, int rwflag, void *password)
{
	size_t len = password ? strlen(password) : 0;

	(void)rwflag;
	if (!password || size < 0 || len > (size_t)size)
		return -1;
	memcpy(buf, password, len);
	return (int)len;
}

/* What a walk through a store gathers: objects of one type; of keys the first alone. */
struct found {
	int type; /* OSSL_STORE_INFO_PKEY or OSSL_STORE_INFO_CERT */
	EVP_PKEY *key;
	STACK_OF(X509) *certs;
};

static bool take_object(OSSL_STORE_INFO *info, struct found *found)
{
	X509 *cert;

	if (OSSL_STORE_INFO_get_type(info) != found->type)
		return true;
	if (found->type == OSSL_STORE_INFO_PKEY) {
		if (!found->key)
			found->key = OSSL_STORE_INFO_get1_PKEY(info);
		return found->key != NULL;
	}
	cert = OSSL_STORE_INFO_get1_CERT(info);
	if (cert && sk_X509_num(found->certs) < BRSKI_CERTS_LOAD_MAX && sk_X509_push(found->certs, cert) > 0)
		return true;
	X509_free(cert);
	return false;
}

static enum brski_code walk_store(
	OSSL_STORE_CTX *store, const char *uri, struct found *found, struct brski_error *err)
{
	while (!OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);
		bool ok;

		/* the end of a file counts as an error too, but one without a reason */
		if (!info && OSSL_STORE_error(store) && ERR_peek_error() != 0)
			return brski_fail_openssl(err, BRSKI_MALFORMED, "cannot read \"%s\"", uri);
		if (!info)
			continue;
		ok = take_object(info, found);
		OSSL_STORE_INFO_free(info);
		if (!ok && found->certs && sk_X509_num(found->certs) >= BRSKI_CERTS_LOAD_MAX)
			return brski_fail(err, BRSKI_TOO_LARGE, "\"%s\" has more than %d certificates", uri,
				BRSKI_CERTS_LOAD_MAX);
		if (!ok)
			return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for \"%s\"", uri);
	}
	ERR_clear_error();
	return BRSKI_OK;
}

/*
 * A token is asked for objects of one type, so that it need not log in for others. A file is not:
 * to its decoders the other type would be an error, and many files hold a key and its certificates.
 */
static bool narrow_search(OSSL_STORE_CTX *store, const char *uri, int type)
{
	if (access(uri, F_OK) == 0 || strncasecmp(uri, "file:", 5) == 0)
		return true;
	return OSSL_STORE_expect(store, type) == 1;
}

/* Letters and digits before a colon, as RFC 3986 3.1 has it. */
static bool has_scheme(const char *uri)
{
	size_t len = strcspn(uri, ":/");

	return len > 0 && uri[len] == ':';
}

/*
 * What keeps a file from being read, as errno has it; 0: nothing, or it is no file. OpenSSL tells of
 * schemes and calls instead.
 */
static int file_trouble(const char *uri)
{
	const char *path = strncasecmp(uri, "file:", 5) == 0 ? uri + 5 : uri;
	int fd, trouble = 0;
	struct stat st;

	if (path != uri && strncmp(path, "//", 2) == 0)
		path += 2; /* "file:///path", whose host is none */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return path == uri && errno == ENOENT && has_scheme(uri) ? 0 : errno;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		trouble = EISDIR;
	close(fd);
	return trouble;
}

static enum brski_code read_store(
	const char *uri, const char *password, struct found *found, struct brski_error *err)
{
	OSSL_STORE_CTX *store = NULL;
	int trouble = file_trouble(uri);
	enum brski_code code;
	UI_METHOD *ui;

	if (trouble)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot open \"%s\": %s", uri, strerror(trouble));
	ERR_clear_error();
	ui = UI_UTIL_wrap_read_pem_callback(give_password, 0);
	if (ui)
		store = OSSL_STORE_open(uri, ui, (void *)(uintptr_t)password, NULL, NULL);
	if (!store)
		code = brski_fail_openssl(err, BRSKI_NOT_FOUND, "cannot open \"%s\"", uri);
	else if (!narrow_search(store, uri, found->type))
		code = brski_fail_openssl(err, BRSKI_INTERNAL, "cannot search \"%s\"", uri);
	else
		code = walk_store(store, uri, found, err);
	OSSL_STORE_close(store);
	UI_destroy_method(ui);
	return code;
}

static enum brski_code load_key(
	const char *uri, const char *password, EVP_PKEY **out, struct brski_error *err)
{
	struct found found = {.type = OSSL_STORE_INFO_PKEY};
	enum brski_code code = read_store(uri, password, &found, err);

	if (code == BRSKI_OK && !found.key)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no private key in \"%s\"", uri);
	if (code != BRSKI_OK) {
		EVP_PKEY_free(found.key);
		found.key = NULL;
	}
	*out = found.key;
	return code;
}

static enum brski_code load_certs(
	const char *uri, const char *password, STACK_OF(X509) **out, struct brski_error *err)
{
	struct found found = {.type = OSSL_STORE_INFO_CERT, .certs = sk_X509_new_null()};
	enum brski_code code;

	*out = NULL;
	if (!found.certs)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for certificates");
	code = read_store(uri, password, &found, err);
	if (code == BRSKI_OK && sk_X509_num(found.certs) == 0)
		code = brski_fail(err, BRSKI_NOT_FOUND, "no certificate in \"%s\"", uri);
	if (code == BRSKI_OK) {
		code = brski_certs_check_keys(found.certs, err);
		if (code != BRSKI_OK)
			(void)brski_fail_context(err, code, "\"%s\"", uri);
	}
	if (code != BRSKI_OK) {
		sk_X509_pop_free(found.certs, X509_free);
		return code;
	}
	*out = found.certs;
	return BRSKI_OK;
}

enum brski_code brski_certs_load(const char *uri, STACK_OF(X509) **out, struct brski_error *err)
{
	return load_certs(uri, NULL, out, err);
}

/* CMS takes a certificate once alone, so nothing could be signed. */
static enum brski_code check_once(const STACK_OF(X509) *certs, const char *uri, struct brski_error *err)
{
	char name[160];

	for (int i = 1; i < sk_X509_num(certs); i++) {
		for (int j = 0; j < i; j++) {
			const X509 *cert = sk_X509_value(certs, i);

			if (!brski_cert_equal(cert, sk_X509_value(certs, j)))
				continue;
			brski_name_text(X509_get_subject_name(cert), name, sizeof(name));
			return brski_fail(err, BRSKI_MALFORMED,
				"the certificates number %d and %d in \"%s\" are the same one, %s: leave one "
				"of them out",
				j + 1, i + 1, uri, name);
		}
	}
	return BRSKI_OK;
}

static enum brski_code load_named(const struct brski_credential_names *names, const char *key_uri,
	const char *password, const char *cert_uri, struct brski_credential *cred, struct brski_error *err)
{
	enum brski_code code =
		load_certs(cert_uri, password, &cred->chain, err); /* the key may be in there too */

	if (code == BRSKI_OK)
		code = check_once(cred->chain, cert_uri, err);
	if (code != BRSKI_OK)
		return names ? brski_fail_context(err, code, "%s", names->cert) : code;
	cred->cert = sk_X509_shift(cred->chain);
	code = load_key(key_uri, password, &cred->key, err);
	if (code != BRSKI_OK)
		return names ? brski_fail_context(err, code, "%s", names->key) : code;
	if (X509_check_private_key(cred->cert, cred->key) == 1)
		return BRSKI_OK;
	code = brski_fail_openssl(err, BRSKI_MISMATCH,
		"the key in \"%s\" is not that of the first certificate in \"%s\"", key_uri, cert_uri);
	return names ? brski_fail_context(err, code, "%s, %s", names->key, names->cert) : code;
}

enum brski_code brski_credential_load_as(const struct brski_credential_names *names, const char *key_uri,
	const char *password, const char *cert_uri, struct brski_credential *out, struct brski_error *err)
{
	enum brski_code code;

	*out = (struct brski_credential){0};
	code = load_named(names, key_uri, password, cert_uri, out, err);
	if (code != BRSKI_OK)
		brski_credential_free(out);
	return code;
}

enum brski_code brski_credential_load(const char *key_uri, const char *password, const char *cert_uri,
	struct brski_credential *out, struct brski_error *err)
{
	return brski_credential_load_as(NULL, key_uri, password, cert_uri, out, err);
}

static BIO *reader(struct brski_span in)
{
	ERR_clear_error();
	return in.len <= INT32_MAX ? BIO_new_mem_buf(in.len ? (const void *)in.data : "", (int)in.len) : NULL;
}

static enum brski_code read_pem_certs(struct brski_span text, STACK_OF(X509) *certs, struct brski_error *err)
{
	struct brski_pem pem;
	enum brski_code code;
	X509 *cert;

	brski_pem_begin(&pem, text);
	while ((code = brski_pem_cert(&pem, &cert, err)) == BRSKI_OK) {
		if (sk_X509_num(certs) < PEM_CERTS_MAX && sk_X509_push(certs, cert) > 0)
			continue;
		X509_free(cert);
		return brski_fail(
			err, BRSKI_TOO_LARGE, "more than %d certificates in a PEM text", PEM_CERTS_MAX);
	}
	if (code != BRSKI_NOT_FOUND)
		return code;
	return sk_X509_num(certs) > 0 ? BRSKI_OK
				      : brski_fail(err, BRSKI_MALFORMED, "no certificate in PEM text");
}

enum brski_code brski_certs_from_pem(struct brski_span pem, STACK_OF(X509) **out, struct brski_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	enum brski_code code;

	*out = NULL;
	if (!certs)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for certificates");
	code = read_pem_certs(pem, certs, err);
	if (code != BRSKI_OK) {
		sk_X509_pop_free(certs, X509_free);
		return code;
	}
	*out = certs;
	return BRSKI_OK;
}

/* Gives what was written to bio, which is freed; ok tells whether writing went well. */
static enum brski_code finish_pem(BIO *bio, bool ok, struct brski_buf *out, struct brski_error *err)
{
	enum brski_code code;
	char *text = NULL;
	long len = bio ? BIO_get_mem_data(bio, &text) : 0;

	if (!ok || len < 0)
		code = brski_fail_openssl(err, BRSKI_INTERNAL, "cannot write PEM text");
	else
		code = brski_buf_set(out, brski_span(text, (size_t)len));
	BIO_free(bio); /* wipes its memory */
	return code;
}

enum brski_code brski_certs_to_pem(
	const STACK_OF(X509) *certs, struct brski_buf *out, struct brski_error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = bio != NULL;

	for (int i = 0; ok && i < sk_X509_num(certs); i++)
		ok = PEM_write_bio_X509(bio, sk_X509_value(certs, i)) == 1;
	return finish_pem(bio, ok, out, err);
}

enum brski_code brski_cert_from_der(struct brski_span der, X509 **out, struct brski_error *err)
{
	const unsigned char *at = der.data;
	X509 *cert = NULL;

	*out = NULL;
	ERR_clear_error();
	if (der.len > 0 && der.len <= INT32_MAX)
		cert = d2i_X509(NULL, &at, (long)der.len);
	if (!cert)
		return brski_fail_openssl(err, BRSKI_MALFORMED, "certificate does not parse");
	if (at != der.data + der.len) {
		X509_free(cert);
		return brski_fail(err, BRSKI_MALFORMED, "octets after the end of a certificate");
	}
	*out = cert;
	return BRSKI_OK;
}

enum brski_code brski_cert_to_der(const X509 *cert, struct brski_buf *out, struct brski_error *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	enum brski_code code;

	if (len < 0)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot encode a certificate");
	code = brski_buf_set(out, brski_span(der, (size_t)len));
	OPENSSL_free(der);
	if (code != BRSKI_OK)
		return brski_fail(err, code, "no room for a certificate of %d octets", len);
	return BRSKI_OK;
}

enum brski_code brski_key_to_pem(const EVP_PKEY *key, struct brski_buf *out, struct brski_error *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;

	return finish_pem(bio, ok, out, err);
}

enum brski_code brski_key_from_pem(struct brski_span pem, EVP_PKEY **out, struct brski_error *err)
{
	BIO *bio = reader(pem);

	*out = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, NULL) : NULL;
	BIO_free(bio);
	if (!*out)
		return brski_fail_openssl(err, BRSKI_MALFORMED, "private key does not parse");
	ERR_clear_error();
	return BRSKI_OK;
}

enum brski_code brski_key_generate(enum brski_key_type type, EVP_PKEY **out, struct brski_error *err)
{
	*out = NULL;
	switch (type) {
	case BRSKI_KEY_P256:
		*out = EVP_EC_gen("P-256");
		break;
	case BRSKI_KEY_P384:
		*out = EVP_EC_gen("P-384");
		break;
	case BRSKI_KEY_RSA3072:
		*out = EVP_RSA_gen(3072);
		break;
	}
	if (!*out)
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot make a key pair");
	return BRSKI_OK;
}

enum brski_code brski_key_type_parse(const char *name, enum brski_key_type *out, struct brski_error *err)
{
	static const struct {
		const char *name;
		enum brski_key_type type;
	} types[] = {{"P-256", BRSKI_KEY_P256}, {"P-384", BRSKI_KEY_P384}, {"RSA-3072", BRSKI_KEY_RSA3072}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0) {
			*out = types[i].type;
			return BRSKI_OK;
		}
	}
	return brski_fail(
		err, BRSKI_UNSUPPORTED, "no such type of key: \"%s\" (P-256, P-384 or RSA-3072)", name);
}
