/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_TEXT_H
#define BRSKI_GROUND_TEXT_H

#include <time.h>

#include "eap_brski/ground/bytes.h"

/* RFC 3339 "2026-11-21T08:00:00Z"; fractions of seconds and numeric offsets are understood when reading. */
void brski_time_format(time_t t, char out[32]);
BRSKI_CHECKED enum brski_code brski_time_parse(const char *text, time_t *out, struct brski_error *err);

/*
 * Copies text into out[size] with every octet outside 0x20..0x7e turned into '?', cut to fit,
 * always terminated.
 */
void brski_printable(struct brski_span text, char *out, size_t size);

/*
 * Copies a value whole or not at all: false, and "" in out, where it does not fit or is not
 * printable ASCII.
 */
BRSKI_CHECKED bool brski_text_copy(char *out, size_t size, const char *text);

/*
 * A whole number from min to max, as people write it: digits, perhaps behind a '-', and nothing else.
 * False: it is none, and *out stays as it was.
 */
BRSKI_CHECKED bool brski_number_read(const char *text, long min, long max, long *out);

/*
 * Without the blanks, tabs and line ends at both ends (OWS of RFC 9110 5.6.3, and what ends a
 * line); in place, the end is cut off with a zero.
 */
struct brski_span brski_trim(struct brski_span text);
char *brski_trim_in_place(char *text);

/*
 * The next word of a list, "a, b", in which commas, blanks and tabs stand between words; *list goes on
 * behind it. Empty: there are no more. Borrowed.
 */
struct brski_span brski_list_next(const char **list);

/*
 * Lower-case hexadecimal, zero-terminated; size must be 2 * in.len + 1 at least, else the text is
 * cut at whole octets.
 */
void brski_hex(struct brski_span in, char *out, size_t size);

#endif
