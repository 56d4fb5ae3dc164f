/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_H

#include "services/registrar/admin.h"

/*
 * One command of brskictl: parses its arguments, has admin.h do it, and prints. argv[0] is its
 * name; options are parsed with getopt_long. Returns the exit status.
 */
typedef int brskictl_command(struct brski_admin *admin, int argc, char **argv);

brskictl_command brskictl_manufacturer;
brskictl_command brskictl_device;
brskictl_command brskictl_pending;
brskictl_command brskictl_accept;
brskictl_command brskictl_refuse;
brskictl_command brskictl_type;
brskictl_command brskictl_history;
brskictl_command brskictl_queue;
brskictl_command brskictl_voucher;
brskictl_command brskictl_export;
brskictl_command brskictl_import;

/* ---- brskictl_print.c ---- */

/* "brskictl: why" to standard error; returns 1. */
int brskictl_fail(const struct brski_error *err);
/* The same with words of its own; returns 2, for wrong use. */
int brskictl_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * For commands without options: takes the first "--" out of argv, and tells where it was, since what
 * stands there and behind it is an operand, whatever it looks like. *argc if there was none.
 */
int brskictl_operands(int *argc, char **argv);
/* For a word that brski_admin_is_serial_number() does not like; returns 2. */
int brskictl_no_serial(const char *word);
/* Local time "2026-11-21 08:00:00", or "never". */
const char *brskictl_time(time_t t, char out[32]);
/* "3 d 4 h", "12 min", "5 s": how long ago, or "-" if never. */
const char *brskictl_age(time_t since, char out[32]);

#endif
