/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "eap_brski/ground/text.h"
#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_json.h"

#define EVENTS_DEFAULT 50

static void print_event(void *ctx, const struct brski_admin_event *e)
{
	char at[32], times[32] = "";

	(*(unsigned *)ctx)++;
	if (e->times > 1)
		snprintf(times, sizeof(times), " (%u times)", e->times);
	/* the detail last: it may end with what is to be typed */
	printf("%s  %-4s %s%s%s  %s%s%s%s\n", brskictl_time(e->at, at), e->ok ? "ok" : "FAIL",
		e->manufacturer, e->manufacturer[0] ? " " : "",
		e->serial_number[0] ? e->serial_number : "(unknown device)", e->what, times,
		e->detail[0] ? ": " : "", e->detail);
}

static void json_event(void *ctx, const struct brski_admin_event *e)
{
	listing_row(ctx, brskictl_json_event(e));
}

static bool read_most(const struct command_line *line, long *most)
{
	const char *n = brskictl_option(line, 'n');

	*most = EVENTS_DEFAULT;
	return !n || brski_number_read(n, 1, BRSKI_ADMIN_HISTORY_MOST, most);
}

int brskictl_history_use(const struct command_line *line)
{
	long most;

	if (read_most(line, &most))
		return COMMAND_DONE;
	return brskictl_usage(line, "-n takes a number from 1 to %d, not '%.80s'", BRSKI_ADMIN_HISTORY_MOST,
		brskictl_option(line, 'n'));
}

int brskictl_history(struct brski_admin *admin, const struct command_line *line)
{
	const char *serial = brskictl_operand(line, 0);
	long most;
	struct listing json = {.name = "events"};
	struct brski_error err;
	unsigned n = 0;

	(void)read_most(line, &most);
	if (command_given(line, BRSKICTL_JSON))
		return brskictl_listed(&json,
			brski_admin_history(admin, serial, (unsigned long)most, json_event, &json, &err),
			NULL, &err);
	if (brski_admin_history(admin, serial, (unsigned long)most, print_event, &n, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (n == 0)
		puts("Nothing has happened yet.");
	return 0;
}

static void print_request(void *ctx, const struct brski_admin_request *r)
{
	char waits[32], tried[32];

	(void)ctx;
	printf("%-20s %-28s %-12s %-14s %-14s %zu\n", r->manufacturer, r->serial_number, r->waits_for,
		brskictl_age(r->since, waits), brskictl_age(r->last_try, tried), r->octets);
}

static void json_request(void *ctx, const struct brski_admin_request *r)
{
	listing_row(ctx, brskictl_json_request(r));
}

static int json_queue(struct brski_admin *admin, const struct brski_admin_totals *totals)
{
	struct listing json = {.name = "requests"};
	struct brski_error err;
	enum brski_code code = brski_admin_queue(admin, json_request, &json, &err);

	return brskictl_listed(&json, code, brskictl_json_totals(totals), &err);
}

static void print_totals(const struct brski_admin_totals *t)
{
	char age[32];

	if (t->waiting == 0)
		puts("Nothing waits.");
	else
		printf("%u waiting: %u for vouchers, %u for certificates; the oldest for %s.\n", t->waiting,
			t->waiting_vouchers, t->waiting_certificates, brskictl_age(t->oldest, age));
	printf("%u answered and %u refused are kept; %llu KiB in all.\n", t->done, t->refused,
		(unsigned long long)(t->octets + 1023) / 1024);
}

int brskictl_queue(struct brski_admin *admin, const struct command_line *line)
{
	struct brski_admin_totals totals;
	struct brski_error err;

	if (brski_admin_totals(admin, &totals, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (command_given(line, BRSKICTL_JSON))
		return json_queue(admin, &totals);
	if (totals.waiting)
		printf("%-20s %-28s %-12s %-14s %-14s %s\n", "MANUFACTURER", "SERIAL NUMBER", "WAITS FOR",
			"SINCE", "LAST TRY", "OCTETS");
	if (brski_admin_queue(admin, print_request, NULL, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	print_totals(&totals);
	return 0;
}
