/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_ADDRESS_H
#define BRSKI_SERVICES_BASE_ADDRESS_H

#include <stddef.h>

#include "eap_brski/ground/error.h"

#define ADDRESS_HOST_MAX 80
#define ADDRESS_PORT_MAX 8

/*
 * "127.0.0.1:8443", "[::1]:8443" or "HOST:8443", for getaddrinfo(): the host without brackets, and the
 * port, 0 to 65535. BRSKI_MALFORMED.
 */
BRSKI_CHECKED enum brski_code address_split(const char *address, char host[ADDRESS_HOST_MAX],
	char port[ADDRESS_PORT_MAX], struct brski_error *err);

#endif
