/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_JSON_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_JSON_H

#include "services/base/listing.h"
#include "services/registrar/admin.h"

/* Rows of brskictl's listings as JSON objects: new references, NULL when memory is out. docs/json.md. */
json_t *brskictl_json_manufacturer(const struct brski_admin_manufacturer *m);
json_t *brskictl_json_device(const struct brski_admin_device *device);
json_t *brskictl_json_candidate(const struct brski_admin_candidate *candidate);
json_t *brskictl_json_type(const struct brski_admin_type *type);
json_t *brskictl_json_rules(const struct brski_admin_rules *rules);
json_t *brskictl_json_event(const struct brski_admin_event *event);
json_t *brskictl_json_request(const struct brski_admin_request *request);
/* {"totals": ...}, beside the requests. */
json_t *brskictl_json_totals(const struct brski_admin_totals *totals);
json_t *brskictl_json_voucher(const struct brski_admin_voucher *voucher);

/* listing_end() for a command: its exit status. */
int brskictl_listed(struct listing *listing, enum brski_code code, json_t *more, struct brski_error *err);

#endif
