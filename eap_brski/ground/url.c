/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/url.h"

#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define HTTPS "https://"
#define HTTP "http://"
#define IPV6_TEXT_MAX 46
#define PORT_DIGITS_MAX 5
#define HOST_MAX 253 /* RFC 1035 2.3.4, without the dot at the end */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What stands in names and paths as it is: "unreserved" of RFC 3986 2.3 without '~'. */
static bool is_name(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != 0 && strchr("-._", c));
}

static struct brski_span cut(struct brski_span *rest, size_t n)
{
	struct brski_span head = brski_span(rest->data, n);

	*rest = brski_span(rest->data + n, rest->len - n);
	return head;
}

/* Up to the first of these octets, or whole. */
static size_t until(struct brski_span text, const char *ends)
{
	size_t n = 0;

	while (n < text.len && !(text.data[n] != 0 && strchr(ends, text.data[n])))
		n++;
	return n;
}

static bool begins(struct brski_span text, const char *scheme)
{
	return text.len >= strlen(scheme) &&
	       strncasecmp((const char *)text.data, scheme, strlen(scheme)) == 0;
}

static enum brski_code read_scheme(
	struct brski_span *rest, enum brski_url_schemes schemes, const char **scheme, struct brski_error *err)
{
	*scheme = begins(*rest, HTTPS) ? HTTPS : begins(*rest, HTTP) ? HTTP : NULL;
	if (!*scheme || (schemes == BRSKI_URL_HTTPS && strcmp(*scheme, HTTPS) != 0))
		return brski_fail(err, BRSKI_UNSUPPORTED, "it is not an %s URL",
			schemes == BRSKI_URL_HTTPS ? "https" : "http or https");
	cut(rest, strlen(*scheme));
	return BRSKI_OK;
}

static enum brski_code check_ipv6(struct brski_span host, struct brski_error *err)
{
	char text[IPV6_TEXT_MAX];
	ASN1_OCTET_STRING *address = NULL;
	bool ok;

	if (host.len < sizeof(text)) {
		memcpy(text, host.data, host.len);
		text[host.len] = '\0';
		address = strlen(text) == host.len && strchr(text, ':') ? a2i_IPADDRESS(text) : NULL;
	}
	ok = address != NULL;
	ASN1_OCTET_STRING_free(address);
	ERR_clear_error();
	return ok ? BRSKI_OK : brski_fail(err, BRSKI_MALFORMED, "what is in its brackets is no IPv6 address");
}

static enum brski_code check_name(struct brski_span host, struct brski_error *err)
{
	if (host.len == 0)
		return brski_fail(err, BRSKI_MALFORMED, "it names no host");
	if (host.len > HOST_MAX)
		return brski_fail(err, BRSKI_MALFORMED, "its host's name has %zu characters", host.len);
	for (size_t i = 0; i < host.len; i++)
		if (!is_name(host.data[i]))
			return brski_fail(
				err, BRSKI_MALFORMED, "octet 0x%02x is none of a host's name", host.data[i]);
	return BRSKI_OK;
}

/* What is behind the host: nothing, or a colon and a number. */
static enum brski_code check_port(struct brski_span port, struct brski_error *err)
{
	unsigned n = 0;

	if (port.len == 0)
		return BRSKI_OK;
	if (port.data[0] != ':')
		return brski_fail(err, BRSKI_MALFORMED, "there is something between its host and its port");
	cut(&port, 1);
	for (size_t i = 0; i < port.len && i < PORT_DIGITS_MAX; i++)
		n = is_digit(port.data[i]) ? n * 10 + (unsigned)(port.data[i] - '0') : 65536;
	if (port.len == 0 || port.len > PORT_DIGITS_MAX || n < 1 || n > 65535)
		return brski_fail(err, BRSKI_MALFORMED, "its port is no number from 1 to 65535");
	return BRSKI_OK;
}

static enum brski_code check_authority(struct brski_span authority, struct brski_error *err)
{
	struct brski_span host;
	enum brski_code code;

	if (until(authority, "@") < authority.len)
		return brski_fail(err, BRSKI_MALFORMED, "a user or a password has no place in it");
	if (authority.len == 0 || authority.data[0] != '[') {
		host = cut(&authority, until(authority, ":"));
		code = check_name(host, err);
	} else {
		cut(&authority, 1);
		host = cut(&authority, until(authority, "]"));
		if (authority.len == 0)
			return brski_fail(err, BRSKI_MALFORMED, "a bracket is missing");
		cut(&authority, 1);
		code = check_ipv6(host, err);
	}
	return code == BRSKI_OK ? check_port(authority, err) : code;
}

/* RFC 3986 3.3: segments of pchar, with '/' between them. */
static enum brski_code check_path(struct brski_span path, struct brski_error *err)
{
	for (size_t i = 0; i < path.len; i++) {
		uint8_t c = path.data[i];

		if (c == '?' || c == '#')
			return brski_fail(err, BRSKI_MALFORMED, "a %s has no place in it",
				c == '?' ? "query" : "fragment");
		if (c == '%' && (i + 2 >= path.len || !is_hex(path.data[i + 1]) || !is_hex(path.data[i + 2])))
			return brski_fail(err, BRSKI_MALFORMED, "a '%%' in its path stands for nothing");
		if (!is_name(c) && (c == 0 || !strchr("/%~!$&'()*+,;=:@", c)))
			return brski_fail(err, BRSKI_MALFORMED, "octet 0x%02x is none of a path", c);
	}
	return BRSKI_OK;
}

enum brski_code brski_url_read(struct brski_span url, enum brski_url_schemes schemes, char *out, size_t size,
	struct brski_error *err)
{
	struct brski_span rest = url;
	const char *scheme;
	enum brski_code code = read_scheme(&rest, schemes, &scheme, err);

	out[0] = '\0';
	if (code == BRSKI_OK)
		code = check_authority(cut(&rest, until(rest, "/?#")), err);
	if (code == BRSKI_OK)
		code = check_path(rest, err);
	if (code == BRSKI_OK && url.len >= size)
		code = brski_fail(err, BRSKI_TOO_LARGE, "it has more than %zu characters", size - 1);
	if (code != BRSKI_OK)
		return code;
	memcpy(out, url.data, url.len);
	memcpy(out, scheme, strlen(scheme));
	out[url.len] = '\0';
	return BRSKI_OK;
}
