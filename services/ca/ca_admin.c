/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_admin_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eap_brski/ground/text.h"
#include "services/base/file.h"
#include "services/ca/ca_issue_internal.h"
#include "services/ca/ca_json_internal.h"
#include "services/ca/ca_options_internal.h"

#define CA_DAYS 3650

static enum brski_code write_key(const char *path, const EVP_PKEY *key, struct brski_error *err)
{
	struct brski_buf pem = {0};
	enum brski_code code = brski_key_to_pem(key, &pem, err);

	if (code == BRSKI_OK)
		code = brski_file_create(path, 0600, brski_buf_span(&pem), err);
	brski_buf_free(&pem);
	return code;
}

/* Leaf first, then all that is above it, the root too: a registrar shows it to the MASA, which pins it. */
static enum brski_code write_chain(
	const char *path, const struct brski_credential *cred, struct brski_error *err)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	struct brski_buf pem = {0};
	bool ok = certs && sk_X509_push(certs, cred->cert) > 0;
	enum brski_code code;

	for (int i = 0; ok && i < sk_X509_num(cred->chain); i++)
		ok = sk_X509_push(certs, sk_X509_value(cred->chain, i)) > 0;
	code = ok ? brski_certs_to_pem(certs, &pem, err) : brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
	if (code == BRSKI_OK)
		code = brski_file_create(path, 0644, brski_buf_span(&pem), err);
	sk_X509_free(certs);
	brski_buf_free(&pem);
	return code;
}

/* The chain of what `issuer` has issued. */
static enum brski_code set_chain(
	struct brski_credential *cred, const struct brski_credential *issuer, struct brski_error *err)
{
	bool ok;

	cred->chain = sk_X509_new_null();
	ok = cred->chain != NULL;
	if (issuer) {
		ok = ok && X509_add_cert(cred->chain, issuer->cert, X509_ADD_FLAG_UP_REF) == 1;
		ok = ok && X509_add_certs(cred->chain, issuer->chain, X509_ADD_FLAG_UP_REF) == 1;
	}
	return ok ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
}

/* A new key and its certificate, in memory. spec->key and spec->subject are filled in here. */
static enum brski_code make(const struct ca_settings *s, struct ca_spec *spec, const char *subject,
	const struct brski_credential *issuer, struct brski_credential *out, struct brski_error *err)
{
	enum brski_key_type type;
	X509_NAME *name = NULL;
	enum brski_code code = brski_key_type_parse(s->key_type, &type, err);

	memset(out, 0, sizeof(*out));
	if (code == BRSKI_OK)
		code = ca_name_parse(subject, &name, err);
	if (code == BRSKI_OK)
		code = brski_key_generate(type, &out->key, err);
	spec->subject = name;
	spec->key = out->key;
	if (code == BRSKI_OK)
		code = ca_issue(spec, issuer, daemon_env(), &out->cert, err);
	if (code == BRSKI_OK)
		code = set_chain(out, issuer, err);
	X509_NAME_free(name);
	return code;
}

static enum brski_code save(const char *key_path, const char *cert_path, const struct brski_credential *cred,
	struct brski_error *err)
{
	enum brski_code code = write_key(key_path, cred->key, err);

	if (code == BRSKI_OK)
		code = write_chain(cert_path, cred, err);
	if (code == BRSKI_OK)
		printf("%s %s\n", key_path, cert_path);
	return code;
}

static enum brski_code save_in_dir(const struct ca_settings *s, const char *name,
	const struct brski_credential *cred, struct brski_error *err)
{
	char key[CA_PATH_MAX];
	char cert[CA_PATH_MAX];
	enum brski_code code = ca_credential_files(s, name, key, cert, err);

	return code == BRSKI_OK ? save(key, cert, cred, err) : code;
}

/* ---- init ---- */

/* "CN=Example CA,O=Example" and " Root" give "CN=Example CA Root,O=Example". */
static enum brski_code with_suffix(
	const char *subject, const char *suffix, char *out, size_t size, struct brski_error *err)
{
	size_t cn_end = strcspn(subject, ",");
	int n = snprintf(out, size, "%.*s%s%s", (int)cn_end, subject, suffix, subject + cn_end);

	return n > 0 && (size_t)n < size ? BRSKI_OK
					 : brski_fail(err, BRSKI_TOO_LARGE, "the subject is too long");
}

static enum brski_code init_ca(const struct ca_settings *s, struct brski_credential *root,
	struct brski_credential *ca, struct brski_error *err)
{
	struct ca_spec spec = {.kind = CA_KIND_ROOT, .days = CA_DAYS};
	char name[400];
	enum brski_code code;

	if (!s->intermediate)
		return make(s, &spec, s->subject, NULL, ca, err);
	code = with_suffix(s->subject, " Root", name, sizeof(name), err);
	if (code == BRSKI_OK)
		code = make(s, &spec, name, NULL, root, err);
	if (code == BRSKI_OK)
		code = save_in_dir(s, "root", root, err);
	spec.kind = CA_KIND_INTERMEDIATE;
	return code == BRSKI_OK ? make(s, &spec, s->subject, root, ca, err) : code;
}

static enum brski_code init_cmp_signer(
	const struct ca_settings *s, const struct brski_credential *ca, struct brski_error *err)
{
	struct ca_spec spec = {.kind = CA_KIND_CMP, .days = CA_DAYS};
	struct brski_credential cmp = {0};
	char name[400];
	enum brski_code code = with_suffix(s->subject, " CMP", name, sizeof(name), err);

	if (code == BRSKI_OK)
		code = make(s, &spec, name, ca, &cmp, err);
	if (code == BRSKI_OK)
		code = save_in_dir(s, "cmp", &cmp, err);
	brski_credential_free(&cmp);
	return code;
}

static enum brski_code init(const struct ca_settings *s, enum ca_kind kind, struct brski_error *err)
{
	struct brski_credential root = {0};
	struct brski_credential ca = {0};
	enum brski_code code;

	(void)kind;
	if (!s->dir)
		return daemon_wrong_use(err, "'init' needs DIR");
	if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
		return brski_fail(err, BRSKI_UNAVAILABLE, "cannot make %s: %s", s->dir, strerror(errno));
	code = init_ca(s, &root, &ca, err);
	if (code == BRSKI_OK)
		code = save_in_dir(s, "ca", &ca, err);
	if (code == BRSKI_OK && s->cmp_signer)
		code = init_cmp_signer(s, &ca, err);
	brski_credential_free(&root);
	brski_credential_free(&ca);
	return code;
}

/* ---- issue-... ---- */

static enum brski_code issue(
	const struct ca_settings *s, struct ca_spec *spec, const char *subject, struct brski_error *err)
{
	struct brski_credential issuer = {0};
	struct brski_credential made = {0};
	char key[CA_PATH_MAX];
	char cert[CA_PATH_MAX];
	enum brski_code code;

	if (strlen(s->out) + 5 > CA_PATH_MAX)
		return daemon_wrong_use(err, "the path of --out is too long");
	snprintf(key, sizeof(key), "%s.key", s->out);
	snprintf(cert, sizeof(cert), "%s.pem", s->out);
	code = ca_load_issuer(s, &issuer, err);
	if (code == BRSKI_OK)
		code = make(s, spec, subject, &issuer, &made, err);
	if (code == BRSKI_OK)
		code = save(key, cert, &made, err);
	brski_credential_free(&issuer);
	brski_credential_free(&made);
	return code;
}

static enum brski_code issue_plain(const struct ca_settings *s, enum ca_kind kind, struct brski_error *err)
{
	struct ca_spec spec = {.kind = kind, .days = s->days, .san = s->san};

	return issue(s, &spec, s->subject, err);
}

/* RFC 8995 2.3.1: the serial number is an attribute of the subject. */
static enum brski_code issue_idevid(const struct ca_settings *s, enum ca_kind kind, struct brski_error *err)
{
	struct ca_spec spec = {.kind = kind, .masa_url = s->masa_url};
	char subject[600], url[BRSKI_URL_MAX];
	int n;

	if (strlen(s->serial_number) >= BRSKI_SERIAL_MAX || strpbrk(s->serial_number, ",\\"))
		return daemon_wrong_use(err,
			"--serial-number is without comma and backslash, and not '%.80s'", s->serial_number);
	if (s->masa_url) {
		enum brski_code code = brski_masa_url(brski_span_str(s->masa_url), url, err);

		if (code != BRSKI_OK)
			return daemon_wrong_use(err, "--masa-url: %s", err->why);
	}
	n = snprintf(subject, sizeof(subject), "serialNumber=%s,%s", s->serial_number,
		s->subject ? s->subject : "CN=Device");
	if (n < 0 || (size_t)n >= sizeof(subject))
		return brski_fail(err, BRSKI_TOO_LARGE, "the subject is too long");
	return issue(s, &spec, subject, err);
}

/* ---- list ---- */

static void print_record(void *ctx, const struct ca_record *r)
{
	char at[32];

	(void)ctx;
	brski_time_format(r->issued, at);
	printf("%s %s %-9s %s; asked by %s\n", r->serial_number, at, ca_state_name(r->state), r->subject,
		r->requester);
}

static void json_record(void *ctx, const struct ca_record *r)
{
	listing_row(ctx, ca_json_record(r));
}

static enum brski_code list(const struct ca_settings *s, enum ca_kind kind, struct brski_error *err)
{
	struct listing json = {.name = "certificates"};
	struct ca_store *store = NULL;
	int lapsed;
	enum brski_code code = ca_open_store(s, &store, err);

	(void)kind;
	if (code == BRSKI_OK)
		code = ca_store_lapse(store, brski_now(daemon_env()), &lapsed, err);
	if (code == BRSKI_OK)
		code = ca_store_list(store, s->json ? json_record : print_record, &json, err);
	ca_store_close(store);
	return s->json ? listing_end(&json, code, NULL, err) : code;
}

static const struct {
	enum brski_code (*run)(const struct ca_settings *s, enum ca_kind kind, struct brski_error *err);
	enum ca_kind kind; /* of what is issued */
} commands[CA_COMMANDS] = {
	[CA_INIT] = {init, CA_KIND_ROOT},
	[CA_ISSUE_REGISTRAR] = {issue_plain, CA_KIND_REGISTRAR},
	[CA_ISSUE_SERVER] = {issue_plain, CA_KIND_SERVER},
	[CA_ISSUE_MASA] = {issue_plain, CA_KIND_MASA},
	[CA_ISSUE_IDEVID] = {issue_idevid, CA_KIND_IDEVID},
	[CA_LIST] = {list, CA_KIND_ROOT},
};

static enum brski_code check_subject(const char *subject, struct brski_error *err)
{
	X509_NAME *name;
	enum brski_code code = ca_name_parse(subject, &name, err);

	X509_NAME_free(name);
	return code;
}

/* What no file and no folder need be looked at for. */
static enum brski_code check_words(const struct ca_settings *s, struct brski_error *err)
{
	enum brski_key_type type;
	const char *option = "key-type";
	enum brski_code code = brski_key_type_parse(s->key_type, &type, err);

	if (code == BRSKI_OK && s->subject) {
		option = "subject";
		code = check_subject(s->subject, err);
	}
	if (code == BRSKI_OK && s->san) {
		option = "san";
		code = ca_san_check(s->san, err);
	}
	return code == BRSKI_OK ? code : daemon_wrong_use(err, "--%s: %.300s", option, err->why);
}

enum brski_code ca_admin(void *settings, const struct command_line *line, struct brski_error *err)
{
	enum brski_code code = check_words(settings, err);

	if (code != BRSKI_OK)
		return code;
	return commands[line->command->id].run(settings, commands[line->command->id].kind, err);
}
