/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/address.h"

#include <stdio.h>
#include <string.h>

#include "eap_brski/ground/text.h"

enum brski_code address_split(const char *address, char host[ADDRESS_HOST_MAX], char port[ADDRESS_PORT_MAX],
	struct brski_error *err)
{
	const char *colon = strrchr(address, ':');
	size_t len;
	long n;

	if (!colon || colon == address)
		return brski_fail(err, BRSKI_MALFORMED, "\"%s\" is not ADDRESS:PORT", address);
	len = (size_t)(colon - address);
	if (address[0] == '[' && colon[-1] == ']') {
		address++;
		len -= 2;
	}
	if (len >= ADDRESS_HOST_MAX)
		return brski_fail(err, BRSKI_MALFORMED, "\"%s\" is too long", address);
	/* getaddrinfo() takes 99999 for 34463 */
	if (!brski_number_read(colon + 1, 0, 65535, &n))
		return brski_fail(
			err, BRSKI_MALFORMED, "the port in \"%s\" is no number from 0 to 65535", address);
	memcpy(host, address, len);
	host[len] = '\0';
	snprintf(port, ADDRESS_PORT_MAX, "%ld", n);
	return BRSKI_OK;
}
