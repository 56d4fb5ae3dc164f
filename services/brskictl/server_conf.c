/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/server_conf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "eap_brski/ground/text.h"

const struct server_conf_places server_conf_places = {
	.radius = "/etc/freeradius/3.0/mods-enabled/brski",
	.https = "/etc/brski/registrar.conf",
	.available = "/etc/freeradius/3.0/mods-available/brski",
};

bool server_conf_is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

const char *server_conf_standard(const struct server_conf_places *places)
{
	if (server_conf_is_there(places->radius))
		return places->radius;
	return server_conf_is_there(places->https) ? places->https : places->available;
}

/* "brski {", "$INCLUDE file": no line of the other form is one of these. */
static bool is_radius_line(char *line)
{
	line = brski_trim_in_place(line);
	return strncmp(line, "$INCLUDE", 8) == 0 ||
	       (line[0] != '#' && strchr(line, '{') && !strchr(line, '='));
}

/* What is not there is left to radius_conf_read(), which has an answer to that. */
static bool is_registrar_conf(const char *path)
{
	char line[1024];
	bool radius = false;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (!radius && fgets(line, sizeof(line), f))
		radius = is_radius_line(line);
	explicit_bzero(line, sizeof(line));
	fclose(f);
	return !radius;
}

struct reader {
	const struct setting *table;
	radius_conf_set *set;
	void *ctx;
};

static enum brski_code take(void *ctx, const char *name, const char *value, struct brski_error *err)
{
	const struct reader *r = ctx;
	const struct setting *setting = settings_find(r->table, name);

	return setting && value[0] ? r->set(r->ctx, setting->name, value, err) : BRSKI_OK;
}

enum brski_code server_conf_read(const char *path, const struct setting *table, radius_conf_set *set,
	void *ctx, struct radius_conf_seen *seen, struct brski_error *err)
{
	struct reader r = {table, set, ctx};

	if (!is_registrar_conf(path))
		return radius_conf_read(path, table, set, ctx, seen, err);
	if (seen)
		*seen = (struct radius_conf_seen){0};
	return settings_each(path, take, &r, err);
}
