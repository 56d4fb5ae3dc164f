/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_HTTP_FIELDS_H
#define BRSKI_SERVICES_BASE_HTTP_FIELDS_H

#include <stdbool.h>

/*
 * Is this a field, in whatever letter case, that any program here reads of a request or an answer from
 * the network? Others are left behind where they come in, so that neither their number nor their
 * length matters: gateways add many.
 */
bool http_field_is_read(const char *name);

#endif
