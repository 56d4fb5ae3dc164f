/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl_database.h"

#include <stdio.h>
#include <string.h>

#include "services/brskictl/brskictl.h"

/* ---- What the configuration says ---- */

struct said {
	char path[RADIUS_CONF_VALUE_MAX];
	unsigned times;
	bool differs;
};

static enum brski_code set(void *ctx, const char *name, const char *value, struct brski_error *err)
{
	struct said *said = ctx;

	if (value[0] != '/' || strchr(value, '\\'))
		return brski_fail(
			err, BRSKI_UNSUPPORTED, "%s = %.200s is no path from the root", name, value);
	said->differs |= said->times++ > 0 && strcmp(said->path, value) != 0;
	snprintf(said->path, sizeof(said->path), "%s", value);
	return BRSKI_OK;
}

/* The server would not go by what is read here. */
static enum brski_code check(const struct said *said, const struct radius_conf_seen *seen, const char *config,
	struct brski_error *err)
{
	if (said->differs || (said->times > 0 && said->times < seen->instances))
		return brski_fail(err, BRSKI_UNSUPPORTED, "%s: its instances have several databases", config);
	if (seen->includes)
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"%s: the database may be in a file that it includes, which is not looked into",
			config);
	return BRSKI_OK;
}

static enum brski_code ask_config(const char *config, struct said *said, struct brski_error *err)
{
	static const struct setting table[] = {
		{"database", SETTING_TEXT, 0, 0, 0, NULL, true, "FILE", "the database"}, {0}};
	struct radius_conf_seen seen = {0};
	enum brski_code code = server_conf_read(config, table, set, said, &seen, err);

	return code == BRSKI_OK ? check(said, &seen, config, err) : code;
}

static enum brski_code take_from(const char *config, struct brskictl_database *out, struct brski_error *err)
{
	struct said said = {.path = BRSKICTL_DATABASE};
	enum brski_code code = ask_config(config, &said, err);

	if (code != BRSKI_OK)
		return code;
	memcpy(out->path, said.path, sizeof(out->path));
	if (strcmp(said.path, BRSKICTL_DATABASE) != 0)
		snprintf(out->from, sizeof(out->from), "%s", config);
	return BRSKI_OK;
}

/* Both servers on this machine, and there is one database for them. */
static enum brski_code take_from_both(
	const struct server_conf_places *places, struct brskictl_database *out, struct brski_error *err)
{
	struct brskictl_database https = {{0}, {0}};
	enum brski_code code = take_from(places->radius, out, err);

	if (code == BRSKI_OK)
		code = take_from(places->https, &https, err);
	if (code != BRSKI_OK || strcmp(out->path, https.path) == 0)
		return code;
	return brski_fail(err, BRSKI_UNSUPPORTED,
		"FreeRADIUS has %.60s (%.60s), and brski-registrar %.60s (%.60s): give both the same, or name one "
		"with -d",
		out->path, places->radius, https.path, places->https);
}

static enum brski_code find_in_config(const struct server_conf_places *places, const char *given,
	struct brskictl_database *out, struct brski_error *err)
{
	bool both = !given && server_conf_is_there(places->radius) && server_conf_is_there(places->https);
	enum brski_code code;

	snprintf(out->path, sizeof(out->path), "%s", BRSKICTL_DATABASE);
	code = both ? take_from_both(places, out, err)
		    : take_from(given ? given : server_conf_standard(places), out, err);
	if (code == BRSKI_NOT_FOUND && !given)
		return BRSKI_OK; /* there is no server on this machine */
	return code == BRSKI_OK
		       ? code
		       : brski_fail_context(err, code, "which database the server uses is not known");
}

/* ---- Who says it ---- */

static const char *given(const struct command_line *line, int id)
{
	const char *value = NULL;

	for (size_t i = 0; i < line->n_given; i++)
		if (line->given[i].id == id)
			value = line->given[i].value;
	return value;
}

static enum brski_code take(
	const char *path, const char *from, struct brskictl_database *out, struct brski_error *err)
{
	if (strlen(path) >= sizeof(out->path))
		return brski_fail(err, BRSKI_TOO_LARGE, "the database's name is too long");
	snprintf(out->path, sizeof(out->path), "%s", path);
	if (strcmp(path, BRSKICTL_DATABASE) != 0)
		snprintf(out->from, sizeof(out->from), "%s", from);
	return BRSKI_OK;
}

enum brski_code brskictl_database_find(const struct server_conf_places *places,
	const struct command_line *line, const char *environment, struct brskictl_database *out,
	struct brski_error *err)
{
	const char *named = given(line, 'd');

	memset(out, 0, sizeof(*out));
	if (named && named[0])
		return take(named, "", out, err);
	if (environment && environment[0])
		return take(environment, "$BRSKI_DATABASE", out, err);
	return find_in_config(places, given(line, 'C'), out, err);
}
