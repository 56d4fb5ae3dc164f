/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RETRY_AFTER_MAX (31L * 24 * 3600)

void brski_http_free(struct brski_http *msg)
{
	free(msg->method);
	free(msg->scheme);
	free(msg->authority);
	free(msg->path);
	for (size_t i = 0; i < msg->n_fields; i++) {
		free(msg->fields[i].name);
		free(msg->fields[i].value);
	}
	brski_buf_free(&msg->body);
	*msg = (struct brski_http){0};
}

void brski_http_move(struct brski_http *to, struct brski_http *from)
{
	if (to == from)
		return;
	brski_http_free(to);
	*to = *from;
	*from = (struct brski_http){0};
}

static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

static bool copy_fields(struct brski_http *to, const struct brski_http *from)
{
	bool ok = true;

	for (; ok && to->n_fields < from->n_fields; to->n_fields++) {
		struct brski_http_field *field = &to->fields[to->n_fields];

		ok = copy_text(&field->name, from->fields[to->n_fields].name);
		ok = copy_text(&field->value, from->fields[to->n_fields].value) && ok;
	}
	return ok;
}

enum brski_code brski_http_copy(struct brski_http *to, const struct brski_http *from, struct brski_error *err)
{
	struct brski_http fresh = {.status = from->status, .body = {.limit = from->body.limit}};
	bool ok = copy_text(&fresh.method, from->method) && copy_text(&fresh.scheme, from->scheme) &&
		  copy_text(&fresh.authority, from->authority) && copy_text(&fresh.path, from->path) &&
		  copy_fields(&fresh, from) &&
		  brski_buf_set(&fresh.body, brski_buf_span(&from->body)) == BRSKI_OK;

	if (!ok)
		brski_http_free(&fresh);
	brski_http_move(to, &fresh);
	return ok ? BRSKI_OK : brski_fail(err, BRSKI_NO_MEMORY, "no memory for an HTTP message");
}

bool brski_http_is_token(struct brski_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return text.len > 0 && text.len <= BRSKI_HTTP_TEXT_MAX;
}

bool brski_http_is_path(struct brski_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= 0x20 || text.data[i] >= 0x7f || text.data[i] == '#')
			return false;
	}
	return text.len > 0 && text.len <= BRSKI_HTTP_TEXT_MAX && text.data[0] == '/';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool brski_http_is_value(struct brski_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f)
			return false;
	}
	return text.len == 0 || (text.len <= BRSKI_HTTP_TEXT_MAX && !is_blank(text.data[0]) &&
					!is_blank(text.data[text.len - 1]));
}

static enum brski_code set_body(
	struct brski_http *msg, const char *content_type, struct brski_span body, struct brski_error *err)
{
	enum brski_code code;

	if (content_type) {
		code = brski_http_set(msg, "content-type", content_type, err);
		if (code != BRSKI_OK)
			return code;
	} else if (body.len > 0) {
		return brski_fail(err, BRSKI_INTERNAL, "an HTTP message has a body and no type");
	}
	code = brski_buf_set(&msg->body, body);
	return code == BRSKI_OK ? code : brski_fail(err, code, "an HTTP body of %zu octets", body.len);
}

enum brski_code brski_http_request(struct brski_http *msg, const char *method, const char *path,
	const char *content_type, struct brski_span body, struct brski_error *err)
{
	struct brski_http fresh = {0};
	enum brski_code code;

	if (!brski_http_is_token(brski_span_str(method)) || !brski_http_is_path(brski_span_str(path))) {
		brski_http_free(msg);
		return brski_fail(
			err, BRSKI_MALFORMED, "no valid HTTP method and path: \"%s %s\"", method, path);
	}
	fresh.method = strdup(method);
	fresh.scheme = strdup("https");
	fresh.authority = strdup("");
	fresh.path = strdup(path);
	if (!fresh.method || !fresh.scheme || !fresh.authority || !fresh.path)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory for an HTTP request");
	else
		code = set_body(&fresh, content_type, body, err);
	if (code != BRSKI_OK)
		brski_http_free(&fresh);
	brski_http_move(msg, &fresh);
	return code;
}

enum brski_code brski_http_response(struct brski_http *msg, unsigned status, const char *content_type,
	struct brski_span body, struct brski_error *err)
{
	struct brski_http fresh = {.status = status};
	enum brski_code code;

	if (status < 200 || status > 599)
		code = brski_fail(err, BRSKI_MALFORMED, "%u is no final HTTP status", status);
	else
		code = set_body(&fresh, content_type, body, err);
	if (code != BRSKI_OK)
		brski_http_free(&fresh);
	brski_http_move(msg, &fresh);
	return code;
}

static struct brski_http_field *find(const struct brski_http *msg, const char *name)
{
	for (size_t i = 0; i < msg->n_fields; i++) {
		if (strcasecmp(msg->fields[i].name, name) == 0)
			return (struct brski_http_field *)(uintptr_t)&msg->fields[i];
	}
	return NULL;
}

static char *lower_copy(const char *name)
{
	char *copy = strdup(name);

	for (char *c = copy; c && *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	return copy;
}

/* Takes value over. */
static enum brski_code store(struct brski_http *msg, const char *name, char *value, struct brski_error *err)
{
	struct brski_http_field *field = find(msg, name);
	char *copy;

	if (!value)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for an HTTP field");
	if (field) {
		free(field->value);
		field->value = value;
		return BRSKI_OK;
	}
	copy = lower_copy(name);
	if (!copy || msg->n_fields == BRSKI_HTTP_FIELDS_MAX) {
		free(copy);
		free(value);
		return brski_fail(err, BRSKI_TOO_LARGE, "more than %d HTTP fields", BRSKI_HTTP_FIELDS_MAX);
	}
	msg->fields[msg->n_fields++] = (struct brski_http_field){.name = copy, .value = value};
	return BRSKI_OK;
}

static enum brski_code check_field(const char *name, const char *value, struct brski_error *err)
{
	if (!brski_http_is_token(brski_span_str(name)))
		return brski_fail(err, BRSKI_MALFORMED, "HTTP field name \"%.60s\" is not valid", name);
	if (!brski_http_is_value(brski_span_str(value)))
		return brski_fail(err, BRSKI_MALFORMED, "HTTP field %.60s: the value is not valid", name);
	return BRSKI_OK;
}

enum brski_code brski_http_set(
	struct brski_http *msg, const char *name, const char *value, struct brski_error *err)
{
	enum brski_code code = check_field(name, value, err);

	return code == BRSKI_OK ? store(msg, name, strdup(value), err) : code;
}

enum brski_code brski_http_add(
	struct brski_http *msg, const char *name, const char *value, struct brski_error *err)
{
	const struct brski_http_field *field = find(msg, name);
	enum brski_code code = check_field(name, value, err);
	size_t size;
	char *both;

	if (code != BRSKI_OK || !field)
		return code == BRSKI_OK ? store(msg, name, strdup(value), err) : code;
	size = strlen(field->value) + strlen(value) + sizeof(", ");
	if (size > BRSKI_HTTP_TEXT_MAX + 1)
		return brski_fail(err, BRSKI_TOO_LARGE, "HTTP field %.60s is too long", name);
	both = malloc(size);
	if (both)
		strcpy(stpcpy(stpcpy(both, field->value), ", "), value);
	return store(msg, name, both, err);
}

const char *brski_http_get(const struct brski_http *msg, const char *name)
{
	const struct brski_http_field *field = find(msg, name);

	return field ? field->value : NULL;
}

bool brski_http_is_coded(const struct brski_http *msg)
{
	const char *value = brski_http_get(msg, "content-encoding");

	return value && strcasecmp(value, "identity") != 0;
}

bool brski_http_is_type(const struct brski_http *msg, const char *media_type)
{
	const char *value = brski_http_get(msg, "content-type");
	size_t len;

	if (!value || brski_http_is_coded(msg))
		return false;
	len = strcspn(value, ";");
	while (len > 0 && is_blank((uint8_t)value[len - 1]))
		len--;
	return len == strlen(media_type) && strncasecmp(value, media_type, len) == 0;
}

static int month_of(const char *name)
{
	static const char names[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	for (int i = 0; i < 12; i++) {
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	return -1;
}

/* RFC 9110 5.6.7: HTTP-date in its three forms. */
static bool parse_date(const char *text, time_t now, time_t *out)
{
	struct tm tm = {0};
	struct tm today;
	char month[4] = "";
	int end = 0;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year,
		    &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) == 6 &&
		end > 0) {
		tm.tm_year -= 1900;
	} else if (sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &tm.tm_mday, month,
			   &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) == 6 &&
		   end > 0) {
		/* two digits: never more than 50 years in the future */
		if (!gmtime_r(&now, &today))
			return false;
		tm.tm_year += today.tm_year / 100 * 100;
		if (tm.tm_year > today.tm_year + 50)
			tm.tm_year -= 100;
	} else if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &tm.tm_mday,
			   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &tm.tm_year, &end) == 6 &&
		   end > 0) {
		tm.tm_year -= 1900;
	} else {
		return false;
	}
	tm.tm_mon = month_of(month);
	if (text[end] != '\0' || tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 ||
		tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
		return false;
	*out = timegm(&tm);
	return true;
}

long brski_http_retry_after(const struct brski_http *msg, time_t now)
{
	const char *value = brski_http_get(msg, "retry-after");
	long seconds = 0;
	time_t at;

	if (!value || *value == '\0')
		return -1;
	if (value[strspn(value, "0123456789")] == '\0') {
		for (; *value && seconds < RETRY_AFTER_MAX; value++)
			seconds = seconds * 10 + (*value - '0');
	} else if (!parse_date(value, now, &at)) {
		return -1;
	} else {
		seconds = at > now ? at - now : 0;
	}
	return seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
}

bool brski_http_is_temporary(const struct brski_http *answer)
{
	return answer->status >= 500 || answer->status == 202 || answer->status == 408 ||
	       answer->status == 425 || answer->status == 429;
}
