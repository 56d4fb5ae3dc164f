/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_SHELL_H
#define BRSKI_GROUND_SHELL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Commands that an operator reads and types. Names and serial numbers come from devices: whatever
 * is in them, the shell takes them for one word each (POSIX.1-2017, Shell Command Language, 2.2.2).
 */

/*
 * word as a shell reads it: as it is, if it is plain, else between single quotes. False, and "" in
 * out, if it does not fit whole.
 */
bool brski_shell_quote(char *out, size_t size, const char *word);

/*
 * A command of our own words, as "brskictl accept", and its operands, quoted, after "--" if one of
 * them begins with "-". False, and "" in out, if it does not fit whole: what is cut must not be typed.
 */
bool brski_shell_command(
	char *out, size_t size, const char *command, const char *const *operands, size_t n_operands);

#endif
