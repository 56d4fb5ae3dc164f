/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_MASA_MASA_JSON_INTERNAL_H
#define BRSKI_SERVICES_MASA_MASA_JSON_INTERNAL_H

#include "services/base/listing.h"
#include "services/masa/masa_store.h"

/* Rows of brski-masa's listings as JSON objects: new references, NULL when memory is out. docs/json.md. */
json_t *masa_json_device(const struct masa_device *device);
json_t *masa_json_owner(const struct masa_owner *owner);
json_t *masa_json_seen(const struct masa_seen *seen);

#endif
