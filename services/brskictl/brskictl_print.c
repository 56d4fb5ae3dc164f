/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/brskictl/brskictl.h"

int brskictl_fail(const struct brski_error *err)
{
	fprintf(stderr, "brskictl: %s\n", err->why);
	return 1;
}

const char *brskictl_operand(const struct command_line *line, int i)
{
	return i < line->n_operands ? line->operands[i] : NULL;
}

const char *brskictl_option(const struct command_line *line, int id)
{
	const char *value = NULL;

	for (size_t i = 0; i < line->n_given; i++)
		if (line->given[i].id == id)
			value = line->given[i].value;
	return value;
}

int brskictl_check_serial(const struct command_line *line, const char *word)
{
	if (brski_admin_is_serial_number(word))
		return COMMAND_DONE;
	return brskictl_usage(line, "'%s' is no serial number: 1 to %d printable characters", word,
		BRSKI_ADMIN_SERIAL_MAX - 1);
}

int brskictl_serial_use(const struct command_line *line)
{
	return brskictl_check_serial(line, line->operands[1]);
}

const char *brskictl_voucher_state(enum brski_admin_voucher_state state)
{
	return state == BRSKI_ADMIN_VOUCHER_ASKED    ? "asked for"
	       : state == BRSKI_ADMIN_VOUCHER_USABLE ? "usable"
						     : "expired";
}

const char *brskictl_time(time_t t, char out[32])
{
	struct tm tm;

	if (t == 0 || !localtime_r(&t, &tm) || strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(out, 32, "never");
	return out;
}

const char *brskictl_age(time_t since, char out[32])
{
	long long s = (long long)(time(NULL) - since);

	if (since == 0)
		snprintf(out, 32, "-");
	else if (s < 120)
		snprintf(out, 32, "%lld s", s < 0 ? 0 : s);
	else if (s < 7200)
		snprintf(out, 32, "%lld min", s / 60);
	else if (s < 172800)
		snprintf(out, 32, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		snprintf(out, 32, "%lld d %lld h", s / 86400, s / 3600 % 24);
	return out;
}
