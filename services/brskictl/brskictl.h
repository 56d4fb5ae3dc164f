/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BRSKICTL_BRSKICTL_H
#define BRSKI_SERVICES_BRSKICTL_BRSKICTL_H

#include "services/base/commands.h"
#include "services/registrar/admin.h"

#define BRSKICTL_DATABASE "/var/lib/brski/registrar.db"

/* Its commands, and the options of which no letter is one. */
enum brskictl_id {
	BRSKICTL_INIT,
	BRSKICTL_MANUFACTURER_ADD,
	BRSKICTL_MANUFACTURER_SET,
	BRSKICTL_MANUFACTURER_LIST,
	BRSKICTL_MANUFACTURER_SHOW,
	BRSKICTL_MANUFACTURER_REMOVE,
	BRSKICTL_DEVICE_ADD,
	BRSKICTL_DEVICE_LIST,
	BRSKICTL_DEVICE_REMOVE,
	BRSKICTL_PENDING,
	BRSKICTL_ACCEPT,
	BRSKICTL_REFUSE,
	BRSKICTL_TYPE_ADD,
	BRSKICTL_TYPE_LIST,
	BRSKICTL_TYPE_REMOVE,
	BRSKICTL_RULES_LIST,
	BRSKICTL_RULES_FORGET,
	BRSKICTL_HISTORY,
	BRSKICTL_QUEUE,
	BRSKICTL_VOUCHER_FETCH,
	BRSKICTL_VOUCHER_LIST,
	BRSKICTL_VOUCHER_REMOVE,
	BRSKICTL_EXPORT,
	BRSKICTL_IMPORT,
	BRSKICTL_JSON = 256,
	BRSKICTL_ANCHORS,
	BRSKICTL_MASA_URL,
	BRSKICTL_VOUCHER_ANCHORS,
	BRSKICTL_MASA_TLS_CA,
	BRSKICTL_CRL,
	BRSKICTL_MODE,
	BRSKICTL_FOREIGN,
	BRSKICTL_NONCELESS,
	BRSKICTL_NO_AUDIT,
	BRSKICTL_NO_CHECK,
	BRSKICTL_FORCE,
	BRSKICTL_CLEAR
};
extern const struct program brskictl_program;

/*
 * What is wrong with a command's words and options, whatever the database says: told before one is
 * looked for. Returns the exit status, COMMAND_DONE if nothing is.
 */
typedef int brskictl_use(const struct command_line *line);

brskictl_use brskictl_manufacturer_add_use;
brskictl_use brskictl_manufacturer_set_use;
brskictl_use brskictl_device_add_use;
brskictl_use brskictl_type_add_use;
brskictl_use brskictl_history_use;
brskictl_use brskictl_voucher_fetch_use;
brskictl_use brskictl_serial_use; /* of MANUFACTURER SERIAL */

/*
 * One command of brskictl: reads its options, has admin.h do it, and prints. The operands are as many
 * as the table has. Its use is right. Returns the exit status.
 */
typedef int brskictl_command(struct brski_admin *admin, const struct command_line *line);

brskictl_command brskictl_manufacturer_add;
brskictl_command brskictl_manufacturer_set;
brskictl_command brskictl_manufacturer_list;
brskictl_command brskictl_manufacturer_show;
brskictl_command brskictl_manufacturer_remove;
brskictl_command brskictl_device_add;
brskictl_command brskictl_device_list;
brskictl_command brskictl_device_remove;
brskictl_command brskictl_pending;
brskictl_command brskictl_accept;
brskictl_command brskictl_refuse;
brskictl_command brskictl_type_add;
brskictl_command brskictl_type_list;
brskictl_command brskictl_type_remove;
brskictl_command brskictl_rules_list;
brskictl_command brskictl_rules_forget;
brskictl_command brskictl_history;
brskictl_command brskictl_queue;
brskictl_command brskictl_voucher_fetch;
brskictl_command brskictl_voucher_list;
brskictl_command brskictl_voucher_remove;
brskictl_command brskictl_export;
brskictl_command brskictl_import;

/* The operand of that index, NULL if it was left out. */
const char *brskictl_operand(const struct command_line *line, int i);
/* The value of the last option of this id, NULL if none was given. */
const char *brskictl_option(const struct command_line *line, int id);

/* ---- brskictl_print.c ---- */

/* "brskictl: why" to standard error; returns 1. */
int brskictl_fail(const struct brski_error *err);
/* What is wrong use, if a word is no serial number. */
int brskictl_check_serial(const struct command_line *line, const char *word);
/* With words of its own, as command_usage() has it; returns 2, for wrong use. */
#define brskictl_usage(line, ...) command_usage(&brskictl_program, (line)->command, __VA_ARGS__)
const char *brskictl_voucher_state(enum brski_admin_voucher_state state); /* "asked for" ... */
/* Local time "2026-11-21 08:00:00", or "never". */
const char *brskictl_time(time_t t, char out[32]);
/* "3 d 4 h", "12 min", "5 s": how long ago, or "-" if never. */
const char *brskictl_age(time_t since, char out[32]);

#endif
