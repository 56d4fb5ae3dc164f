/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_json.h"
#include "services/ca/ca_admin_internal.h"
#include "services/ca/ca_json_internal.h"
#include "services/masa/masa_admin_internal.h"
#include "services/masa/masa_json_internal.h"
#include "tests/unit/support/files.h"

/*
 * docs/json.md has the fields of all listings, in their order and with their types: each heading
 * "## `PROGRAM COMMAND`: `ARRAY`" is followed by a table. Two rows of each listing are compared with it,
 * one that has all that a row can have and one that has the least.
 */

#define PAGE "docs/json.md"

static char *page;

static void setup(void)
{
	struct brski_buf file = file_read(PAGE);

	page = strndup((const char *)file.data, file.len);
	ck_assert_ptr_nonnull(page);
	brski_buf_free(&file);
}

static void teardown(void)
{
	free(page);
}

/* The heading that names the command; NULL: there is none. */
static const char *section_of(const char *heading)
{
	for (const char *at = page; (at = strstr(at, "\n##")) != NULL; at++) {
		const char *found = strstr(at, heading);

		if (found && found < at + 1 + strcspn(at + 1, "\n"))
			return at + 1;
	}
	return NULL;
}

/* "| `name` | text or null | ..." False: it is no row of a field. */
static bool read_field(const char *line, char name[64], char type[64])
{
	return sscanf(line, "| `%63[a-z_]` | %63[a-z ] |", name, type) == 2;
}

static const char *type_of(const json_t *value)
{
	return json_is_string(value)    ? "text"
	       : json_is_integer(value) ? "integer"
	       : json_is_boolean(value) ? "boolean"
	       : json_is_array(value)   ? "texts"
	       : json_is_object(value)  ? "object"
					: "null";
}

/* A row with all there can be has no null; one with the least has it where the page says so, and only there. */
static void check_type(
	const char *heading, const char *name, const char *type, const json_t *value, bool least)
{
	size_t len = strcspn(type, " ");
	char want[64];

	snprintf(want, sizeof(want), "%.*s", (int)len, strncmp(type, "time", len) == 0 ? "text" : type);
	if (least && strstr(type, " or null"))
		snprintf(want, sizeof(want), "null");
	ck_assert_msg(value != NULL, "%s: there is no field %s", heading, name);
	ck_assert_msg(strcmp(type_of(value), want) == 0, "%s: %s is %s, and the page says %s", heading, name,
		type_of(value), type);
}

/* Takes the row. */
static void check_row(const char *heading, json_t *row, bool least)
{
	const char *line = section_of(heading), *key;
	void *field = json_object_iter(row);
	char name[64], type[64];
	size_t n = 0;

	ck_assert_msg(line != NULL, "%s: %s is not there", PAGE, heading);
	ck_assert_ptr_nonnull(row);
	while ((line = strchr(line, '\n')) != NULL && *++line != '#' && *line) {
		if (!read_field(line, name, type))
			continue;
		ck_assert_msg(field != NULL, "%s: there is no field %s", heading, name);
		key = json_object_iter_key(field);
		ck_assert_msg(strcmp(key, name) == 0, "%s: %s stands where %s is", heading, name, key);
		check_type(heading, name, type, json_object_get(row, name), least);
		field = json_object_iter_next(row, field);
		n++;
	}
	ck_assert_msg(n > 0, "%s has no table", heading);
	ck_assert_msg(field == NULL, "%s: the page has nothing of %s", heading,
		field ? json_object_iter_key(field) : "");
	json_decref(row);
}

/* ---- brskictl ---- */

START_TEST(brskictl_rows)
{
	const struct brski_admin_device device[] = {
		{"acme", "S-1", "note", "listed", 1}, {"acme", "S-1", "", "listed", 0}};
	const struct brski_admin_candidate candidate[] = {
		{"acme", "S-1", "note", false, "CN=x", "ab", 1, 2, 3},
		{"acme", "S-1", "", true, "", "", 0, 0, 0}};
	const struct brski_admin_type type[] = {{"acme", "*,CN=x", 1}, {"acme", "oid:1.2", 0}};
	const struct brski_admin_rules rules[] = {
		{"brski of /etc/x", "virtual server y", 1}, {"brski of /etc/x", "virtual server y", 0}};
	const struct brski_admin_event event[] = {
		{1, "acme", "S-1", "policy", "in", true, 1}, {0, "", "", "policy", "", false, 2}};
	const struct brski_admin_request request[] = {
		{"acme", "S-1", "voucher", 1, 2, 3}, {"acme", "S-1", "voucher", 0, 0, 0}};
	const struct brski_admin_totals totals[] = {{.oldest = 1, .octets = 5}, {0}};
	const struct brski_admin_voucher voucher[] = {{"acme", "S-1", BRSKI_ADMIN_VOUCHER_USABLE, true, 1, 2},
		{"acme", "S-1", BRSKI_ADMIN_VOUCHER_ASKED, false, 3, 4}};

	for (int least = 0; least < 2; least++) {
		json_t *both = brskictl_json_totals(&totals[least]);

		check_row("`brskictl device list`: `devices`", brskictl_json_device(&device[least]), least);
		check_row("`brskictl pending`: `devices`", brskictl_json_candidate(&candidate[least]), least);
		check_row("`brskictl type list`: `types`", brskictl_json_type(&type[least]), least);
		check_row("`brskictl rules list`: `rules`", brskictl_json_rules(&rules[least]), least);
		check_row("`brskictl history`: `events`", brskictl_json_event(&event[least]), least);
		check_row("`brskictl queue`: `requests`", brskictl_json_request(&request[least]), least);
		check_row("### `totals`", json_incref(json_object_get(both, "totals")), least);
		check_row(
			"`brskictl voucher list`: `vouchers`", brskictl_json_voucher(&voucher[least]), least);
		json_decref(both);
	}
}
END_TEST

START_TEST(manufacturers)
{
	struct brski_admin_manufacturer m = {
		.name = "acme", .mode = BRSKI_ADMIN_MODE_TYPE, .masa_url = "https://x"};

	check_row("`brskictl manufacturer show`: `manufacturers`", brskictl_json_manufacturer(&m), false);
	m.masa_url[0] = '\0';
	check_row("`brskictl manufacturer show`: `manufacturers`", brskictl_json_manufacturer(&m), true);
	brski_admin_manufacturer_free(&m);
}
END_TEST

/* ---- brski-masa, brski-ca ---- */

START_TEST(masa_rows)
{
	struct masa_device device = {.serial_number = "S-1", .owner = "home", .added = 1};
	struct masa_seen seen = {.at = 1,
		.peer = "p",
		.what = "voucher",
		.serial_number = "S",
		.registrar = "CN=r",
		.status = 200,
		.detail = "d"};
	X509 *cert = X509_new();
	struct masa_owner owner = {.name = "home", .domain_cert = cert};

	ck_assert_int_eq(brski_buf_set(&device.idevid_issuer, brski_span_str("abc")), BRSKI_OK);
	check_row("`brski-masa device list`: `devices`", masa_json_device(&device), false);
	masa_device_free(&device);
	snprintf(device.serial_number, sizeof(device.serial_number), "S-1");
	check_row("`brski-masa device list`: `devices`", masa_json_device(&device), true);
	check_row("`brski-masa log`: `requests`", masa_json_seen(&seen), false);
	seen = (struct masa_seen){.what = "voucher"};
	check_row("`brski-masa log`: `requests`", masa_json_seen(&seen), true);
	check_row("`brski-masa owner list`: `owners`", masa_json_owner(&owner), true);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				 (const unsigned char *)"x", -1, -1, 0),
		1);
	check_row("`brski-masa owner list`: `owners`", masa_json_owner(&owner), false);
	X509_free(cert);
}
END_TEST

START_TEST(ca_rows)
{
	struct ca_record record = {
		.serial_number = "01", .issued = 1, .subject = "CN=x", .requester = "CN=y"};

	check_row("`brski-ca list`: `certificates`", ca_json_record(&record), false);
	record = (struct ca_record){.serial_number = "01"};
	check_row("`brski-ca list`: `certificates`", ca_json_record(&record), true);
}
END_TEST

/* ---- All of them ---- */

static unsigned check_program(const struct program *p)
{
	unsigned n = 0;

	for (const struct command *c = p->commands; c->words; c++) {
		bool lists = command_names(c->settings, "json");
		char heading[80];

		for (const struct command_option *o = c->options; o && o->name; o++)
			lists = lists || strcmp(o->name, "json") == 0;
		snprintf(heading, sizeof(heading), "`%s %s`", p->name, c->words);
		ck_assert_msg(lists == (section_of(heading) != NULL), "%s: %s", PAGE, heading);
		/* what has rows to tell says so by its name */
		ck_assert_msg(lists || !strstr(c->words, "list"), "%s has no --json", heading);
		n += lists;
	}
	return n;
}

START_TEST(every_listing_is_there)
{
	unsigned n =
		check_program(&brskictl_program) + check_program(&masa_program) + check_program(&ca_program);

	ck_assert_uint_eq(n, 13);
}
END_TEST

/* ---- How they are written ---- */

START_TEST(values)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"plain", "plain"},
		{"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"caf\xe9", "caf\xef\xbf\xbd"},
		{"\xc3", "\xef\xbf\xbd"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* the long form of NUL */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
		{"\xf4\x90\x80\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
	};
	json_t *json;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = listing_text(cases[i].text);
		ck_assert_ptr_nonnull(json);
		ck_assert_str_eq(json_string_value(json), cases[i].want);
		json_decref(json);
	}
	ck_assert(json_is_null(listing_text("")) && json_is_null(listing_text(NULL)));
	ck_assert(json_is_null(listing_time(0)));
	json = listing_time(1795248379);
	ck_assert_str_eq(json_string_value(json), "2026-11-21T08:06:19Z");
	json_decref(json);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		brskictl_rows, manufacturers, masa_rows, ca_rows, every_listing_is_there, values};

	return run_tests("listings as JSON", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
