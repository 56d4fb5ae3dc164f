/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "eap_brski/ground/text.h"
#include "services/base/file.h"
#include "services/registrar_https/rules_internal.h"

#define FILE_MAX 4096
#define NAME "secret"

static enum brski_code check_rights(const char *path, struct brski_error *err)
{
	struct stat is;

	if (stat(path, &is) != 0)
		return brski_fail(err, BRSKI_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
	if (is.st_mode & S_IRWXO)
		return brski_fail(err, BRSKI_UNTRUSTED,
			"everybody on this machine may read %s: 'chmod o= %s', and write a new secret into it",
			path, path);
	return BRSKI_OK;
}

/* FreeRADIUS reads other characters in ways of its own: it expands "${...}", for one. */
static bool is_plain(struct brski_span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (!isalnum(value.data[i]) && !memchr("-_.", value.data[i], 3))
			return false;
	return value.len > 0;
}

static struct brski_span without_quotes(struct brski_span value)
{
	if (value.len >= 2 && (value.data[0] == '"' || value.data[0] == '\'') &&
		value.data[value.len - 1] == value.data[0])
		return brski_span(value.data + 1, value.len - 2);
	return value;
}

/* "secret = VALUE" */
static bool read_line(struct brski_span line, struct brski_span *value)
{
	const uint8_t *equals = line.len ? memchr(line.data, '=', line.len) : NULL;
	size_t at = equals ? (size_t)(equals - line.data) : 0;

	if (!equals || !brski_span_equal(brski_trim(brski_span(line.data, at)), brski_span_str(NAME)))
		return false;
	*value = without_quotes(brski_trim(brski_span(equals + 1, line.len - at - 1)));
	return is_plain(*value);
}

/* The one line of it. */
static bool find_secret(struct brski_span text, struct brski_span *value)
{
	struct brski_span line;
	unsigned found = 0;

	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) + 1 : text.len;

		if (!brski_read_span(&text, len, &line))
			return false;
		line = brski_trim(line);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		if (++found > 1 || !read_line(line, value))
			return false;
	}
	return found == 1;
}

enum brski_code rules_secret_read(const char *path, struct brski_buf *secret, struct brski_error *err)
{
	struct brski_buf text = {0};
	struct brski_span value;
	enum brski_code code = check_rights(path, err);

	if (code == BRSKI_OK)
		code = brski_file_read(path, FILE_MAX, &text, err);
	if (code == BRSKI_OK && !find_secret(brski_buf_span(&text), &value))
		code = brski_fail(err, BRSKI_MALFORMED,
			"%s must have one line \"" NAME
			" = VALUE\", of letters, digits, '-', '_' and '.', beside comments",
			path);
	if (code == BRSKI_OK)
		code = brski_buf_set(secret, value);
	brski_buf_free(&text);
	return code;
}
