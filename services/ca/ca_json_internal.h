/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_CA_CA_JSON_INTERNAL_H
#define BRSKI_SERVICES_CA_CA_JSON_INTERNAL_H

#include "services/base/listing.h"
#include "services/ca/ca_store.h"

/* A row of brski-ca's listing as a JSON object: a new reference, NULL when memory is out. docs/json.md. */
json_t *ca_json_record(const struct ca_record *record);

#endif
