/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_server_shares.h"

#include <netdb.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define OF_IPV4 4
#define OF_IPV6 6

struct http_holder http_holder_address(const struct sockaddr_storage *at, bool whole)
{
	struct http_holder holder = {0};
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)at;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)at;
	const struct in6_addr *address = &ipv6->sin6_addr;

	if (at->ss_family == AF_INET) {
		holder.octets[0] = OF_IPV4;
		memcpy(holder.octets + 1, &ipv4->sin_addr, sizeof(ipv4->sin_addr));
	} else if (at->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(address)) {
		holder.octets[0] = OF_IPV4;
		memcpy(holder.octets + 1, address->s6_addr + 12, 4);
	} else if (at->ss_family == AF_INET6) {
		bool local = IN6_IS_ADDR_LINKLOCAL(address);

		holder.octets[0] = OF_IPV6;
		memcpy(holder.octets + 1, address, whole || local ? 16 : 8);
		if (local)
			memcpy(holder.octets + 17, &ipv6->sin6_scope_id, sizeof(ipv6->sin6_scope_id));
	}
	return holder;
}

enum brski_code http_holder_read(const char *text, struct http_holder *out, struct brski_error *err)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct sockaddr_storage at = {0};

	*out = (struct http_holder){0};
	if (getaddrinfo(text, NULL, &hints, &found) != 0)
		return brski_fail(err, BRSKI_MALFORMED, "\"%s\" is no IP address", text);
	memcpy(&at, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	*out = http_holder_address(&at, true);
	return BRSKI_OK;
}

bool http_holder_certificate(const X509 *cert, struct http_holder *out)
{
	unsigned len = 0;

	*out = (struct http_holder){0};
	return X509_digest(cert, EVP_sha256(), out->octets, &len) == 1 && len == sizeof(out->octets);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct http_holder));
}

static struct http_share *share_new(struct http_shares *shares, const struct http_holder *holder)
{
	struct http_share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->holder = *holder;
	if (tsearch(share, &shares->tree, compare))
		return share;
	free(share);
	return NULL;
}

struct http_share *http_share_of(const struct http_shares *shares, const struct http_holder *holder)
{
	struct http_share *const *found = tfind(holder, &shares->tree, compare);

	return found ? *found : NULL;
}

bool http_share_enter(
	struct http_shares *shares, const struct http_holder *holder, unsigned most, struct http_share **out)
{
	struct http_share *share = http_share_of(shares, holder);

	*out = NULL;
	if (most == 0 || (share && share->n >= most))
		return false;
	*out = share ? share : share_new(shares, holder);
	if (*out)
		(*out)->n++;
	return *out != NULL;
}

void http_share_leave(struct http_shares *shares, struct http_share *share)
{
	if (!share || --share->n > 0)
		return;
	tdelete(share, &shares->tree, compare);
	free(share);
}
