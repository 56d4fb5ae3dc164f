/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl_site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "eap_brski/ground/text.h"

#define CONFIG_ENABLED "/etc/freeradius/3.0/mods-enabled/brski"
#define CONFIG_AVAILABLE "/etc/freeradius/3.0/mods-available/brski"

/* What is read of mods-available/brski; the defaults are that file's. */
struct settings {
	char certificate_file[512], private_key_file[512], private_key_password[128], ca_file[512];
	char cmp_url[512], proxy[512], cmp_nested[8], check_pki_answers[8];
};

static const struct {
	const char *name;
	size_t offset, size;
	const char *standard;
} names[] = {
#define SETTING(name, standard) \
	{ \
#name, offsetof(struct settings, name), sizeof(((struct settings *)NULL)->name), standard \
	}
	SETTING(certificate_file, "${certdir}/brski/registrar.pem"),
	SETTING(private_key_file, "${certdir}/brski/registrar.key"),
	SETTING(private_key_password, ""),
	SETTING(ca_file, "${certdir}/brski/domain-ca.pem"),
	SETTING(cmp_url, "http://127.0.0.1:8080/.well-known/cmp"),
	SETTING(proxy, ""),
	SETTING(cmp_nested, "yes"),
	SETTING(check_pki_answers, "yes"),
#undef SETTING
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* mods-enabled/.. holds certs; FreeRADIUS has that as ${certdir}. */
static void folder_of(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (slash)
		snprintf(out, size, "%.*s", (int)(slash - path), path);
	else
		snprintf(out, size, ".");
}

static enum brski_code expand(
	const char *value, const char *config, char *out, size_t size, struct brski_error *err)
{
	char folder[512];
	int n;

	folder_of(config, folder, sizeof(folder));
	if (strncmp(value, "${certdir}", 10) == 0)
		n = snprintf(out, size, "%s/../certs%s", folder, value + 10);
	else if (strncmp(value, "${confdir}", 10) == 0)
		n = snprintf(out, size, "%s/..%s", folder, value + 10);
	else
		n = snprintf(out, size, "%s", value);
	if (n < 0 || (size_t)n >= size || strstr(out, "${"))
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"%s: '%s' is not understood here: give that setting as an option", config, value);
	return BRSKI_OK;
}

static enum brski_code set(
	struct settings *s, const char *name, const char *value, const char *config, struct brski_error *err)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (strcmp(name, names[i].name) == 0)
			return expand(value, config, (char *)s + names[i].offset, names[i].size, err);
	return BRSKI_OK; /* of no concern here */
}

/* "name = value" or "name = "value"", with a comment behind it perhaps. */
static enum brski_code read_line(struct settings *s, char *line, const char *config, struct brski_error *err)
{
	char *equals, *value, *end;

	line = brski_trim_in_place(line);
	equals = strchr(line, '=');
	if (*line == '#' || !equals)
		return BRSKI_OK;
	*equals = '\0';
	value = brski_trim_in_place(equals + 1);
	if (*value == '"' || *value == '\'') {
		end = strchr(value + 1, *value);
		value++;
	} else {
		end = value + strcspn(value, " \t#");
	}
	if (!end)
		return brski_fail(err, BRSKI_MALFORMED, "%s: a quotation mark is missing", config);
	*end = '\0';
	return set(s, brski_trim_in_place(line), value, config, err);
}

static enum brski_code read_config(struct settings *s, const char *config, bool must, struct brski_error *err)
{
	FILE *f = fopen(config, "re");
	char line[1024];
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; code == BRSKI_OK && i < N_NAMES; i++)
		code = set(s, names[i].name, names[i].standard, config, err);
	if (!f && must)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot open %s: %s", config, strerror(errno));
	while (f && code == BRSKI_OK && fgets(line, sizeof(line), f))
		code = read_line(s, line, config, err);
	if (f)
		fclose(f);
	return code;
}

static enum brski_code read_settings(
	const struct brskictl_site *site, struct settings *s, struct brski_error *err)
{
	const char *standard = access(CONFIG_ENABLED, R_OK) == 0 ? CONFIG_ENABLED : CONFIG_AVAILABLE;

	return read_config(s, site->config ? site->config : standard, site->config != NULL, err);
}

static void override(char *out, size_t size, const char *option)
{
	if (option)
		snprintf(out, size, "%s", option);
}

bool brskictl_site_option(struct brskictl_site *site, int c, const char *value)
{
	const char **to = c == 'C'   ? &site->config
			  : c == 'c' ? &site->certificate
			  : c == 'k' ? &site->private_key
			  : c == 'a' ? &site->ca
			  : c == 'u' ? &site->cmp_url
			  : c == 'p' ? &site->proxy
				     : NULL;

	if (to)
		*to = value;
	return to != NULL;
}

static bool is_yes(const char *value)
{
	return strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 ||
	       strcasecmp(value, "on") == 0;
}

static enum brski_code make_exchange(struct brskictl_site *site, const struct settings *s,
	struct brski_store *store, struct brski_error *err)
{
	struct brski_exchange_config config = {
		.store = store,
		.credential = &site->credential,
		.cmp_url = s->cmp_url,
		.cmp_nested = is_yes(s->cmp_nested),
		.check_pki_answers = is_yes(s->check_pki_answers),
	};
	enum brski_code code = brski_credential_load(s->private_key_file,
		s->private_key_password[0] ? s->private_key_password : NULL, s->certificate_file,
		&site->credential, err);

	if (code != BRSKI_OK)
		return brski_fail_context(err, "the registrar's key and certificate");
	code = brski_certs_load(s->ca_file, &site->anchors, err);
	config.domain_anchors = site->anchors;
	return code == BRSKI_OK ? brski_exchange_new(&config, &site->offline, err) : code;
}

int brskictl_site_open(struct brskictl_site *site, struct brski_store *store)
{
	struct settings s = {0};
	struct brski_error err = {0};
	enum brski_code code = read_settings(site, &s, &err);

	override(s.certificate_file, sizeof(s.certificate_file), site->certificate);
	override(s.private_key_file, sizeof(s.private_key_file), site->private_key);
	override(s.ca_file, sizeof(s.ca_file), site->ca);
	override(s.cmp_url, sizeof(s.cmp_url), site->cmp_url);
	override(s.proxy, sizeof(s.proxy), site->proxy);
	if (code == BRSKI_OK) {
		folder_of(s.certificate_file, site->folder, sizeof(site->folder));
		memcpy(site->proxy_text, s.proxy, sizeof(site->proxy_text));
		code = make_exchange(site, &s, store, &err);
	}
	OPENSSL_cleanse(s.private_key_password, sizeof(s.private_key_password));
	return code == BRSKI_OK ? 0 : brskictl_fail(&err);
}

void brskictl_site_close(struct brskictl_site *site)
{
	brski_exchange_free(site->offline);
	brski_credential_free(&site->credential);
	sk_X509_pop_free(site->anchors, X509_free);
	*site = (struct brskictl_site){0};
}
