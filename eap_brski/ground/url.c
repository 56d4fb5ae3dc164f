/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "eap_brski/ground/text.h"

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

/* RFC 3986 3.3, 3.4, 3.5: pchar, and these. */
static enum brski_code check_chars(
	struct brski_span text, const char *others, const char *what, struct brski_error *err)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '%' && (i + 2 >= text.len || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2])))
			return brski_fail(err, BRSKI_MALFORMED, "a '%%' in its %s stands for nothing", what);
		if (!is_name(c) && (c == 0 || !strchr("%~!$&'()*+,;=:@", c)) &&
			!(c != 0 && strchr(others, c)))
			return brski_fail(err, BRSKI_MALFORMED, "octet 0x%02x is none of a %s", c, what);
	}
	return BRSKI_OK;
}

/* Segments, with '/' between them. */
static enum brski_code check_path(struct brski_span path, struct brski_error *err)
{
	size_t n = until(path, "?#");

	if (n < path.len)
		return brski_fail(err, BRSKI_MALFORMED, "a %s has no place in it",
			path.data[n] == '?' ? "query" : "fragment");
	return check_chars(path, "/", "path", err);
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

/* ---- What leads to another ---- */

struct parts {
	const char *scheme;
	struct brski_span authority;
	struct brski_span dir;   /* stands before path */
	struct brski_span path;  /* begins with '/' if there is nothing in dir */
	struct brski_span query; /* with its '?' */
};

static enum brski_code read_base(struct brski_span base, struct parts *out, struct brski_error *err)
{
	enum brski_code code = read_scheme(&base, BRSKI_URL_HTTP_TOO, &out->scheme, err);

	if (code != BRSKI_OK)
		return code;
	out->authority = cut(&base, until(base, "/?#"));
	out->path = cut(&base, until(base, "?#"));
	out->query = brski_span_str("");
	out->dir = out->query;
	return check_authority(out->authority, err);
}

/* What is in front of the path. *whole: there is an authority. */
static enum brski_code read_front(
	struct brski_span *ref, struct parts *p, bool *whole, struct brski_error *err)
{
	size_t n = until(*ref, ":/?#");
	enum brski_code code = BRSKI_OK;

	*whole = true;
	if (n < ref->len && ref->data[n] == ':')
		code = read_scheme(ref, BRSKI_URL_HTTP_TOO, &p->scheme, err);
	else if (begins(*ref, "//"))
		cut(ref, 2);
	else
		*whole = false;
	if (code != BRSKI_OK || !*whole)
		return code;
	p->authority = cut(ref, until(*ref, "/?#"));
	return check_authority(p->authority, err);
}

/* RFC 3986 5.2.2, 5.2.3. base: the path that was asked. */
static void join_path(struct brski_span path, struct brski_span base, bool whole, struct parts *p)
{
	size_t dir = base.len;

	p->path = path;
	if (path.len > 0 && path.data[0] == '/')
		return;
	if (whole || base.len == 0) {
		p->dir = brski_span_str("/");
		return;
	}
	while (path.len > 0 && base.data[dir - 1] != '/')
		dir--;
	p->dir = brski_span(base.data, dir);
}

/* *p: of the base, and then of what the reference means. */
static enum brski_code read_reference(struct brski_span ref, struct parts *p, struct brski_error *err)
{
	struct brski_span base = p->path, path;
	bool whole;
	enum brski_code code = read_front(&ref, p, &whole, err);

	if (code != BRSKI_OK)
		return code;
	path = cut(&ref, until(ref, "?#"));
	p->query = cut(&ref, until(ref, "#"));
	code = check_path(path, err);
	if (code == BRSKI_OK)
		code = check_chars(p->query, "/?", "query", err);
	if (code == BRSKI_OK && ref.len > 0)
		code = check_chars(brski_span(ref.data + 1, ref.len - 1), "/?", "fragment", err);
	join_path(path, base, whole, p);
	return code;
}

/* RFC 3986 5.2.4. The path begins with '/'. */
static void remove_dots(char *path)
{
	const char *from = path;
	char *to = path;

	while (*from) {
		size_t n = 1 + strcspn(from + 1, "/");
		bool one = n == 2 && from[1] == '.';
		bool two = n == 3 && from[1] == '.' && from[2] == '.';
		bool last = from[n] == '\0';

		if (!one && !two) {
			memmove(to, from, n);
			to += n;
		}
		while (two && to > path && *--to != '/')
			;
		from += n;
		if ((one || two) && last)
			*to++ = '/';
	}
	*to = '\0';
}

static enum brski_code write_parts(const struct parts *p, char *out, size_t size, struct brski_error *err)
{
	size_t front = strlen(p->scheme) + p->authority.len;
	size_t len = front + p->dir.len + p->path.len;

	if (len + p->query.len >= size)
		return brski_fail(err, BRSKI_TOO_LARGE, "it has more than %zu characters", size - 1);
	snprintf(out, size, "%s%.*s%.*s%.*s", p->scheme, (int)p->authority.len,
		(const char *)p->authority.data, (int)p->dir.len, (const char *)p->dir.data, (int)p->path.len,
		(const char *)p->path.data);
	remove_dots(out + front);
	if (out[front + 1] == '/')
		return brski_fail(err, BRSKI_MALFORMED, "its path begins with two slashes");
	len = strlen(out);
	memcpy(out + len, p->query.data, p->query.len);
	out[len + p->query.len] = '\0';
	return BRSKI_OK;
}

enum brski_code brski_url_resolve(
	const char *base, struct brski_span reference, char *out, size_t size, struct brski_error *err)
{
	struct parts p = {0};
	enum brski_code code = read_base(brski_span_str(base), &p, err);

	if (code == BRSKI_OK)
		code = read_reference(reference, &p, err);
	if (code == BRSKI_OK)
		code = write_parts(&p, out, size, err);
	if (code != BRSKI_OK)
		out[0] = '\0';
	return code;
}

/* The host, with the brackets of an IPv6 address. */
static struct brski_span host_of(struct brski_span authority)
{
	size_t n = authority.len > 0 && authority.data[0] == '[' ? until(authority, "]") : 0;

	while (n < authority.len && authority.data[n] != ':')
		n++;
	return cut(&authority, n);
}

/* of_scheme: where there is none. */
static unsigned port_of(struct brski_span authority, unsigned of_scheme)
{
	unsigned port = 0;

	cut(&authority, host_of(authority).len);
	for (size_t i = 1; i < authority.len && i <= PORT_DIGITS_MAX; i++)
		port = port * 10 + (unsigned)(authority.data[i] - '0');
	return authority.len > 1 ? port : of_scheme;
}

static unsigned port_of_scheme(const char *scheme)
{
	return strcmp(scheme, HTTPS) == 0 ? 443 : 80;
}

static bool same_host(struct brski_span a, struct brski_span b, unsigned of_scheme)
{
	struct brski_span ha = host_of(a), hb = host_of(b);

	return ha.len == hb.len && strncasecmp((const char *)ha.data, (const char *)hb.data, ha.len) == 0 &&
	       port_of(a, of_scheme) == port_of(b, of_scheme);
}

bool brski_url_same_origin(const char *a, const char *b)
{
	struct parts pa = {0}, pb = {0};

	return read_base(brski_span_str(a), &pa, NULL) == BRSKI_OK &&
	       read_base(brski_span_str(b), &pb, NULL) == BRSKI_OK && strcmp(pa.scheme, pb.scheme) == 0 &&
	       same_host(pa.authority, pb.authority, port_of_scheme(pa.scheme));
}

/* ---- Lists of hosts ---- */

enum brski_code brski_url_hosts_check(const char *hosts, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	struct brski_span host;

	while (code == BRSKI_OK && (host = brski_list_next(&hosts)).len > 0) {
		code = check_authority(host, err);
		if (code != BRSKI_OK)
			brski_fail_context(err, code, "\"%.*s\" is no HOST or HOST:PORT",
				(int)(host.len < 120 ? host.len : 120), (const char *)host.data);
	}
	return code;
}

bool brski_url_is_at(const char *url, const char *hosts)
{
	struct parts p = {0};
	struct brski_span host;
	bool found = false;

	if (read_base(brski_span_str(url), &p, NULL) != BRSKI_OK)
		return false;
	while (!found && (host = brski_list_next(&hosts)).len > 0)
		found = check_authority(host, NULL) == BRSKI_OK &&
			same_host(host, p.authority, port_of_scheme(p.scheme));
	return found;
}
