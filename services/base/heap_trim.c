/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/heap_trim.h"

#include <malloc.h>

#define WORTH_IT 256 /* of a device's session or request, tens of KiB each */

bool brski_heap_trim(struct brski_heap_trim *trim, unsigned now, unsigned most)
{
	if (most > trim->most)
		trim->most = most;
	if (now > trim->most)
		trim->most = now;
	if (trim->most < WORTH_IT || now >= trim->most / 2)
		return false;
	trim->most = now;
	malloc_trim(0);
	return true;
}
