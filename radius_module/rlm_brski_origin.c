/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */
#include "radius_module/rlm_brski_origin.h"

#define CLIENT_ITEM	"brski_max_sessions"

/*
 *	What a client's section says of sessions at one time. 0: nothing. -1: no such number.
 */
static long client_max(CONF_SECTION *cs)
{
	CONF_PAIR *cp = cs ? cf_pair_find(cs, CLIENT_ITEM) : NULL;
	char const *value;
	char *end;
	long n;

	if (!cp) return 0;
	value = cf_pair_value(cp);
	if (!value) return -1;
	n = strtol(value, &end, 10);
	return (n < 1) || (n > 1000000) || *end ? -1 : n;
}

int brski_origin_check(CONF_SECTION *cs)
{
	CONF_ITEM *ci;
	CONF_SECTION *sub;

	for (ci = cf_item_find_next(cs, NULL); ci; ci = cf_item_find_next(cs, ci)) {
		if (!cf_item_is_section(ci)) continue;
		sub = cf_item_to_section(ci);
		if ((strcmp(cf_section_name1(sub), "client") == 0) && (client_max(sub) < 0)) {
			cf_log_err_cs(sub, "rlm_brski: %s must be a number from 1 to 1000000", CLIENT_ITEM);
			return -1;
		}
		if (brski_origin_check(sub) < 0) return -1;
	}
	return 0;
}

static void add_station(REQUEST *request, brski_origin_t *origin, unsigned int attribute)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, attribute, 0, TAG_ANY);
	uint8_t const *data = NULL;
	ssize_t len = vp ? rad_vp2data(&data, vp) : 0;

	if ((len < 0) || (len > 255)) len = 0;
	origin->station[origin->station_len++] = (uint8_t)len;
	if (len == 0) return;
	memcpy(origin->station + origin->station_len, data, (size_t)len);
	origin->station_len += (size_t)len;
}

struct brski_session_from brski_origin_read(REQUEST *request, brski_origin_t *origin)
{
	struct brski_session_from from = { .nas_max = 0 };
	long most = request->client ? client_max(request->client->cs) : 0;

	*origin = (brski_origin_t) { .station_len = 0 };
	if (!ip_ntoh(&request->packet->src_ipaddr, origin->nas, sizeof(origin->nas))) origin->nas[0] = '\0';
	from.nas = brski_span_str(origin->nas);
	if (most > 0) from.nas_max = (unsigned)most;
	if (!fr_pair_find_by_num(request->packet->vps, PW_CALLING_STATION_ID, 0, TAG_ANY)) return from;

	add_station(request, origin, PW_NAS_IDENTIFIER);
	add_station(request, origin, PW_NAS_IP_ADDRESS);
	add_station(request, origin, PW_NAS_IPV6_ADDRESS);
	add_station(request, origin, PW_CALLING_STATION_ID);
	from.station = brski_span(origin->station, origin->station_len);
	return from;
}

