/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl_site.h"

#include "services/brskictl/server_conf.h"

static void take_option(struct brskictl_site *site, int c, const char *value)
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
}

void brskictl_site_options(struct brskictl_site *site, const struct command_line *line)
{
	for (size_t i = 0; i < line->n_given; i++)
		take_option(site, line->given[i].id, line->given[i].value);
}

static enum brski_code configure(void *ctx, const char *name, const char *value, struct brski_error *err)
{
	return brski_admin_configure(ctx, name, value, err);
}

static enum brski_code read_config(
	const struct brskictl_site *site, struct brski_admin *admin, struct brski_error *err)
{
	const char *config = site->config ? site->config : server_conf_standard(&server_conf_places);
	enum brski_code code =
		server_conf_read(config, brski_admin_settings(admin), configure, admin, NULL, err);

	if (code != BRSKI_OK && site->config)
		return brski_fail_context(err, code, "--config");
	/* without a server on this machine, the options may say all */
	return code == BRSKI_NOT_FOUND || code == BRSKI_UNAVAILABLE ? BRSKI_OK : code;
}

static enum brski_code apply_options(
	const struct brskictl_site *site, struct brski_admin *admin, struct brski_error *err)
{
	const struct {
		const char *name, *value;
	} options[] = {
		{"certificate_file", site->certificate},
		{"private_key_file", site->private_key},
		{"ca_file", site->ca},
		{"cmp_url", site->cmp_url},
		{"proxy", site->proxy},
	};
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; code == BRSKI_OK && i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].value)
			code = brski_admin_configure(admin, options[i].name, options[i].value, err);
	return code;
}

int brskictl_site_load(const struct brskictl_site *site, struct brski_admin *admin)
{
	struct brski_error err = {0};
	enum brski_code code = read_config(site, admin, &err);

	if (code == BRSKI_OK)
		code = apply_options(site, admin, &err);
	if (code == BRSKI_OK)
		code = brski_admin_load(admin, &err);
	return code == BRSKI_OK ? 0 : brskictl_fail(&err);
}
