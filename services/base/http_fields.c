/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_fields.h"

#include <stddef.h>
#include <strings.h>

bool http_field_is_read(const char *name)
{
	static const char *const names[] = {
		"accept", "content-encoding", "content-type", "location", "retry-after"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}
