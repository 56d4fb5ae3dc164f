/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */
#ifndef BRSKI_RADIUS_MODULE_RLM_BRSKI_ORIGIN_H
#define BRSKI_RADIUS_MODULE_RLM_BRSKI_ORIGIN_H

#include <freeradius/radiusd.h>

#include "radius_module/sessions.h"

/*
 *	Who opens a session, for its share of them: whose packet it is, by its address, which the shared secret vouches for (a
 *	proxy is one NAS to us), and the station, by what the NAS says of itself and of it.
 */
typedef struct {
	char	nas[64];
	uint8_t	station[4 * (1 + 255)];
	size_t	station_len;
} brski_origin_t;

/*
 *	What is returned points into *origin.
 */
struct brski_session_from brski_origin_read(REQUEST *request, brski_origin_t *origin);

/*
 *	All clients in a configuration, wherever they stand: a wrong number of sessions is told at the start, not when the
 *	first device comes. -1: one is, and the log says so.
 */
int brski_origin_check(CONF_SECTION *cs);

#endif
