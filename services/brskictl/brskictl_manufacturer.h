/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_MANUFACTURER_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_MANUFACTURER_H

#include <stdio.h>

#include "services/registrar/admin.h"

/* What is known of a manufacturer, a line for each thing, the same way in `show` and in what `set` says. */
void brskictl_manufacturer_print(const struct brski_admin_manufacturer *m, FILE *to);
/* Whether any of these lines is another one. */
bool brskictl_manufacturer_differs(
	const struct brski_admin_manufacturer *was, const struct brski_admin_manufacturer *m);
/* To stdout the lines that differ: with "-" before those that were, with "+" before those that are new. */
void brskictl_manufacturer_changes(
	const struct brski_admin_manufacturer *was, const struct brski_admin_manufacturer *m);

#endif
