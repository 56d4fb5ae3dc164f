/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#define OPENSSL_REASONS_MAX 3

static const struct {
	enum brski_code code;
	unsigned http_status;
	const char *name;
} codes[] = {
	{BRSKI_OK, 200, "ok"},
	{BRSKI_NO_MEMORY, 500, "out of memory"},
	{BRSKI_INTERNAL, 500, "internal error"},
	{BRSKI_MALFORMED, 400, "malformed"},
	{BRSKI_TOO_LARGE, 413, "too large"},
	{BRSKI_UNEXPECTED, 400, "unexpected"},
	{BRSKI_UNSUPPORTED, 415, "unsupported"},
	{BRSKI_BAD_SIGNATURE, 403, "bad signature"},
	{BRSKI_UNTRUSTED, 403, "untrusted"},
	{BRSKI_EXPIRED, 403, "expired or not yet valid"},
	{BRSKI_REVOKED, 403, "revoked"},
	{BRSKI_MISMATCH, 403, "mismatch"},
	{BRSKI_REFUSED, 403, "refused"},
	{BRSKI_UNAVAILABLE, 503, "unavailable"},
	{BRSKI_NOT_FOUND, 404, "not found"},
};

static void make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
	}
}

static void format(struct brski_error *err, enum brski_code code, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void format(struct brski_error *err, enum brski_code code, const char *fmt, va_list args)
{
	char why[sizeof(err->why)] = ""; /* since err->why may be among the arguments */

	if (vsnprintf(why, sizeof(why), fmt, args) < 0)
		why[0] = '\0';
	make_printable(why);
	err->code = code;
	memcpy(err->why, why, sizeof(why));
}

static void append(struct brski_error *err, const char *separator, const char *text)
{
	size_t len = strlen(err->why);
	int n = snprintf(err->why + len, sizeof(err->why) - len, "%s%s", separator, text);

	if (n > 0)
		make_printable(err->why + len);
}

enum brski_code brski_fail(struct brski_error *err, enum brski_code code, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		format(err, code, fmt, args);
		va_end(args);
	}
	return code;
}

static const char *reason_of(unsigned long e)
{
	const char *reason = ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e)) : ERR_reason_error_string(e);

	return reason ? reason : "unnamed OpenSSL error";
}

enum brski_code brski_fail_openssl(struct brski_error *err, enum brski_code code, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		format(err, code, fmt, args);
		va_end(args);
		for (int i = 0; i < OPENSSL_REASONS_MAX; i++) {
			const char *data = NULL;
			int flags = 0;
			unsigned long e = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);

			if (!e)
				break;
			append(err, i == 0 ? " (" : "; ", reason_of(e));
			if (data && data[0] != '\0' && (flags & ERR_TXT_STRING))
				append(err, ": ", data);
			if (ERR_peek_error() == 0 || i == OPENSSL_REASONS_MAX - 1)
				append(err, ")", "");
		}
	}
	ERR_clear_error();
	return code;
}

enum brski_code brski_fail_context(struct brski_error *err, enum brski_code code, const char *fmt, ...)
{
	struct brski_error inner;
	va_list args;

	if (!err)
		return code;
	inner = *err;
	va_start(args, fmt);
	format(err, code, fmt, args);
	va_end(args);
	append(err, ": ", inner.why);
	return code;
}

const char *brski_code_name(enum brski_code code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code)
			return codes[i].name;
	}
	return "unknown error";
}

unsigned brski_code_http_status(enum brski_code code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code)
			return codes[i].http_status;
	}
	return 500;
}
