/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_json_internal.h"

json_t *ca_json_record(const struct ca_record *r)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "serial_number", listing_text(r->serial_number),
		"issued", listing_time(r->issued), "state", ca_state_name(r->state), "subject",
		listing_text(r->subject), "requester", listing_text(r->requester));
}
