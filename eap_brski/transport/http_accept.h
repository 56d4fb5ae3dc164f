/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_TRANSPORT_HTTP_ACCEPT_H
#define BRSKI_TRANSPORT_HTTP_ACCEPT_H

#include "eap_brski/transport/http.h"

/*
 * Does whoever sent the request take a response of this media type ("type/subtype", no parameters)?
 * Accept is a list of media ranges with weights, RFC 9110 12.5.1: one range of a weight above 0 that
 * takes it in is enough, whatever its other parameters. True without Accept, and for media NULL, a
 * response without content. An Accept that is empty or no list takes nothing.
 */
bool brski_http_accepts(const struct brski_http *request, const char *media);

#endif
