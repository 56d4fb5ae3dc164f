/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_DEVICE_LIST_H
#define BRSKI_SERVICES_REGISTRAR_DEVICE_LIST_H

#include "eap_brski/ground/bytes.h"

/*
 * A delivery note: CSV as spreadsheets write it (RFC 4180, and what they make of it). A line is a device:
 * its serial number, then perhaps a note, with a comma, a semicolon or a tab between them; further
 * columns go on with the note. Fields may stand in quotes, with "" for one of these. A line ends with
 * LF, CR or both; a byte order mark is passed over, and so are lines that are empty or begin with '#',
 * and a first one that names the column ("Serial number").
 *
 * Blanks at both ends of a field that is not in quotes go. A serial number with blanks in it stands in
 * quotes, so that it is not mistaken for one with a note behind it; but for "PID:... SN:...".
 */
struct device_list_item {
	char *serial_number; /* 1 to BRSKI_ADMIN_SERIAL_MAX - 1 printable characters, not all blanks */
	char *note;          /* "": none. Its lines are one */
	bool again;          /* an earlier one names the same device */
};
struct device_list {
	struct device_list_item *items; /* in the order of the text */
	size_t n;
	size_t repeated; /* of these: again */
};

/* *out is the caller's. BRSKI_MALFORMED: the words name the line, from 1; BRSKI_NO_MEMORY. */
BRSKI_CHECKED enum brski_code device_list_read(
	struct brski_span text, struct device_list *out, struct brski_error *err);
void device_list_free(struct device_list *list); /* and zeroes it */

#endif
