/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/radius_conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/text.h"
#include "services/base/file.h"

#define LINE_MAX_OCTETS 8192 /* as FreeRADIUS has it */

/* For what a file leaves out: as mods-available/brski has it. */
static const char *const available[] = {
	"certificate_file = ${certdir}/brski/registrar.pem",
	"private_key_file = ${certdir}/brski/registrar.key",
	"ca_file = ${certdir}/brski/domain-ca.pem",
	"cmp_url = \"http://127.0.0.1:8080/.well-known/cmp\"",
};

struct reader {
	const char *path;
	const struct setting *table;
	radius_conf_set *set;
	void *ctx;
	struct radius_conf_seen seen;
	unsigned depth; /* how many sections we are in */
	bool ours;      /* the outermost of them is rlm_brski's */
};

/* mods-enabled/.. is ${confdir}, and holds certs, which is ${certdir}. */
static enum brski_code expand(const struct reader *r, const struct setting *setting, const char *value,
	char out[RADIUS_CONF_VALUE_MAX], struct brski_error *err)
{
	static const struct {
		const char *name, *below;
	} variables[] = {{"${certdir}", "/../certs"}, {"${confdir}", "/.."}};
	char folder[RADIUS_CONF_VALUE_MAX];
	int n = -1;

	brski_file_folder(r->path, folder, sizeof(folder));
	for (size_t i = 0; n < 0 && i < sizeof(variables) / sizeof(variables[0]); i++) {
		size_t len = strlen(variables[i].name);

		if (strncmp(value, variables[i].name, len) == 0)
			n = snprintf(out, RADIUS_CONF_VALUE_MAX, "%s%s%s", folder, variables[i].below,
				value + len);
	}
	if (n < 0)
		n = snprintf(out, RADIUS_CONF_VALUE_MAX, "%s", value);
	if (n < 0 || n >= RADIUS_CONF_VALUE_MAX || strstr(out, "${"))
		return brski_fail(err, BRSKI_UNSUPPORTED,
			"'%s' is not understood here: give that setting as an option",
			setting->kind == SETTING_SECRET ? setting->name : value);
	return BRSKI_OK;
}

/* What is between quotation marks, or else the first word. NULL: the second mark is missing. */
static char *unquote(char *text)
{
	char *value = text, *end;

	if (*text == '"' || *text == '\'') {
		value++;
		end = strchr(value, *text);
	} else {
		end = text + strcspn(text, " \t#");
	}
	if (!end)
		return NULL;
	*end = '\0';
	return value;
}

static bool is_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	return strncmp(text, word, len) == 0 && strchr(" \t{", text[len]);
}

/* "brski {", "brski name {", "}", "$INCLUDE file": true, and nothing else is on such a line. */
static bool read_structure(struct reader *r, char *line)
{
	size_t len = strcspn(line, "#");

	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	if (is_word(line, "$INCLUDE")) {
		r->seen.includes = true;
		return true;
	}
	if (line[0] == '}') {
		r->depth -= r->depth > 0;
		return true;
	}
	if (len == 0 || line[len - 1] != '{' || memchr(line, '=', len))
		return false;
	if (r->depth++ == 0) {
		r->ours = is_word(line, "brski");
		r->seen.instances += r->ours;
	}
	return true;
}

static enum brski_code read_line(struct reader *r, char *line, struct brski_error *err)
{
	char expanded[RADIUS_CONF_VALUE_MAX];
	const struct setting *setting;
	char *equals, *value;
	enum brski_code code;

	line = brski_trim_in_place(line);
	equals = strchr(line, '=');
	if (*line == '#' || read_structure(r, line) || !equals)
		return BRSKI_OK;
	*equals = '\0';
	setting = settings_find(r->table, brski_trim_in_place(line));
	value = unquote(brski_trim_in_place(equals + 1));
	if (!value)
		return brski_fail(err, BRSKI_MALFORMED, "a quotation mark is missing");
	if (!setting || r->depth > 1 || (r->depth == 1 && !r->ours))
		return BRSKI_OK; /* of no concern here */
	code = expand(r, setting, value, expanded, err);
	if (code == BRSKI_OK)
		code = r->set(r->ctx, setting->name, expanded, err);
	explicit_bzero(expanded, sizeof(expanded));
	return code;
}

static enum brski_code read_available(struct reader *r, struct brski_error *err)
{
	char line[128];
	enum brski_code code = BRSKI_OK;

	for (size_t i = 0; code == BRSKI_OK && i < sizeof(available) / sizeof(available[0]); i++) {
		snprintf(line, sizeof(line), "%s", available[i]);
		code = read_line(r, line, err);
	}
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s", r->path);
}

static enum brski_code read_file(struct reader *r, FILE *f, struct brski_error *err)
{
	char line[LINE_MAX_OCTETS];
	enum brski_code code = BRSKI_OK;
	unsigned number = 0;

	while (code == BRSKI_OK && fgets(line, sizeof(line), f)) {
		number++;
		if (strchr(line, '\n') || feof(f))
			code = read_line(r, line, err);
		else
			code = brski_fail(err, BRSKI_TOO_LARGE, "the line has more than %zu characters",
				sizeof(line) - 2);
	}
	explicit_bzero(line, sizeof(line)); /* one was the key's password, perhaps */
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s, line %u", r->path, number);
}

enum brski_code radius_conf_read(const char *path, const struct setting *table, radius_conf_set *set,
	void *ctx, struct radius_conf_seen *seen, struct brski_error *err)
{
	struct reader r = {.path = path, .table = table, .set = set, .ctx = ctx};
	FILE *f = fopen(path, "re");
	int why = errno;
	enum brski_code code = read_available(&r, err);

	if (!f)
		return code != BRSKI_OK ? code
					: brski_fail(err, why == ENOENT ? BRSKI_NOT_FOUND : BRSKI_UNAVAILABLE,
						  "cannot open %s: %s", path, strerror(why));
	if (code == BRSKI_OK)
		code = read_file(&r, f, err);
	fclose(f);
	if (seen)
		*seen = r.seen;
	return code;
}
