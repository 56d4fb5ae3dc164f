/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/device_list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/registrar/admin_internal.h"

#define ANY_SEPARATOR '\0'

/* What is left of the text, and the record that is read from it. */
struct reader {
	struct brski_span rest;
	unsigned line;        /* of the next octet, from 1 */
	unsigned record_line; /* where the record began */
	char separator;       /* of this record, once one has been seen */
	struct brski_buf serial, note;
	bool quoted; /* the serial number was */
	bool begun;  /* there has been a record with something in it */
};

/* ---- Octets ---- */

static int peek(const struct reader *r)
{
	return r->rest.len ? r->rest.data[0] : -1;
}

static int take(struct reader *r)
{
	int c = peek(r);

	if (c < 0)
		return c;
	r->rest = brski_span(r->rest.data + 1, r->rest.len - 1);
	if (c == '\r' && peek(r) == '\n')
		return take(r);
	if (c == '\r' || c == '\n')
		r->line++;
	return c;
}

static bool is_end(int c)
{
	return c < 0 || c == '\r' || c == '\n';
}

static bool is_separator(const struct reader *r, int c)
{
	if (r->separator != ANY_SEPARATOR)
		return c == r->separator;
	return c == ',' || c == ';' || c == '\t';
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || (peek(r) == '\t' && !is_separator(r, '\t')))
		(void)take(r);
}

static void skip_line(struct reader *r)
{
	while (!is_end(take(r)))
		;
}

static enum brski_code wrong(const struct reader *r, const char *what, struct brski_error *err)
{
	return brski_fail(err, BRSKI_MALFORMED, "line %u: %s", r->record_line, what);
}

/* ---- Fields ---- */

static enum brski_code read_quoted(struct reader *r, struct brski_buf *out, struct brski_error *err)
{
	int c;

	(void)take(r);
	for (;;) {
		c = take(r);
		if (c < 0)
			return wrong(r, "a quote is not closed", err);
		if (c == '"' && peek(r) != '"')
			break;
		if (c == '"')
			(void)take(r);
		brski_put_u8(out, c == '\r' || c == '\n' ? ' ' : (uint8_t)c);
	}
	skip_blanks(r);
	if (is_end(peek(r)) || is_separator(r, peek(r)))
		return BRSKI_OK;
	return wrong(r, "there is something between a closing quote and the end of the field", err);
}

static void read_plain(struct reader *r, struct brski_buf *out)
{
	while (!is_end(peek(r)) && !is_separator(r, peek(r)))
		brski_put_u8(out, (uint8_t)take(r));
	while (out->len > 0 && (out->data[out->len - 1] == ' ' || out->data[out->len - 1] == '\t'))
		out->len--;
}

static enum brski_code read_field(
	struct reader *r, struct brski_buf *out, bool *quoted, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;

	brski_buf_reset(out);
	skip_blanks(r);
	*quoted = peek(r) == '"';
	if (*quoted)
		code = read_quoted(r, out, err);
	else
		read_plain(r, out);
	return code == BRSKI_OK ? brski_buf_status(out, err) : code;
}

static enum brski_code read_note(struct reader *r, struct brski_error *err)
{
	struct brski_buf field = {0};
	bool quoted;
	enum brski_code code = read_field(r, &field, &quoted, err);

	if (code == BRSKI_OK && field.len > 0 && r->note.len > 0)
		brski_put_str(&r->note, ", ");
	brski_put(&r->note, brski_buf_span(&field));
	brski_buf_free(&field);
	return code == BRSKI_OK ? brski_buf_status(&r->note, err) : code;
}

/* To the end of its line, or lines: a note in quotes may have several. */
static enum brski_code read_record(struct reader *r, struct brski_error *err)
{
	enum brski_code code;

	r->record_line = r->line;
	r->separator = ANY_SEPARATOR;
	brski_buf_reset(&r->note);
	code = read_field(r, &r->serial, &r->quoted, err);
	while (code == BRSKI_OK && !is_end(peek(r))) {
		r->separator = (char)take(r);
		code = read_note(r, err);
	}
	(void)take(r);
	return code;
}

/* ---- What they mean ---- */

static bool is_heading(const char *serial)
{
	static const char *const words[] = {
		"serial", "serial number", "serial-number", "serial_number", "serialnumber", "sn", "s/n"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(serial, words[i]) == 0)
			return true;
	}
	return false;
}

static bool has_blanks_by_mistake(const struct reader *r, const char *serial)
{
	return !r->quoted && strpbrk(serial, " \t") &&
	       !(strncmp(serial, "PID:", 4) == 0 && strstr(serial, " SN:"));
}

static enum brski_code check_serial(const struct reader *r, const char *serial, struct brski_error *err)
{
	struct brski_error why = {0};

	if (serial[0] == '\0')
		return wrong(r, "there is a note and no serial number", err);
	if (has_blanks_by_mistake(r, serial))
		return brski_fail(err, BRSKI_MALFORMED,
			"line %u: '%.100s' has blanks: put it in quotes if it is one serial number, and a "
			"comma between serial number and note",
			r->record_line, serial);
	if (admin_check_serial(serial, &why) != BRSKI_OK)
		return wrong(r, why.why, err);
	return BRSKI_OK;
}

static bool make_room(struct device_list *list)
{
	size_t room = list->n ? list->n * 2 : 64;
	struct device_list_item *more;

	if (list->n && (list->n < 64 || (list->n & (list->n - 1)) != 0))
		return true;
	more = reallocarray(list->items, room, sizeof(*more));
	if (more)
		list->items = more;
	return more != NULL;
}

static enum brski_code add(
	struct device_list *list, const char *serial, const char *note, struct brski_error *err)
{
	struct device_list_item item = {.serial_number = strdup(serial), .note = strdup(note)};

	if (item.serial_number && item.note && make_room(list)) {
		list->items[list->n++] = item;
		return BRSKI_OK;
	}
	free(item.serial_number);
	free(item.note);
	return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a list of devices");
}

static enum brski_code take_record(struct reader *r, struct device_list *list, struct brski_error *err)
{
	const char *serial, *note;
	enum brski_code code;
	bool first;

	brski_put_u8(&r->serial, '\0');
	brski_put_u8(&r->note, '\0');
	if (r->serial.failed || r->note.failed)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a list of devices");
	serial = (const char *)r->serial.data;
	note = (const char *)r->note.data;
	if (memchr(serial, '\0', r->serial.len - 1) || memchr(note, '\0', r->note.len - 1))
		return wrong(r, "this is no text", err);
	if (serial[0] == '\0' && note[0] == '\0') /* as a spreadsheet writes an empty row */
		return BRSKI_OK;
	first = !r->begun;
	r->begun = true;
	if (first && is_heading(serial))
		return BRSKI_OK;
	code = check_serial(r, serial, err);
	return code == BRSKI_OK ? add(list, serial, note, err) : code;
}

static enum brski_code read_line(struct reader *r, struct device_list *list, struct brski_error *err)
{
	enum brski_code code;

	skip_blanks(r);
	if (peek(r) == '#') {
		skip_line(r);
		return BRSKI_OK;
	}
	code = read_record(r, err);
	return code == BRSKI_OK ? take_record(r, list, err) : code;
}

/* ---- The whole ---- */

static bool starts_with(struct brski_span text, const char *octets, size_t n)
{
	return text.len >= n && memcmp(text.data, octets, n) == 0;
}

static enum brski_code skip_mark(struct reader *r, struct brski_error *err)
{
	if (starts_with(r->rest, "\xff\xfe", 2) || starts_with(r->rest, "\xfe\xff", 2))
		return brski_fail(err, BRSKI_MALFORMED, "this is UTF-16: save it as CSV in UTF-8");
	if (starts_with(r->rest, "\xef\xbb\xbf", 3))
		r->rest = brski_span(r->rest.data + 3, r->rest.len - 3);
	return BRSKI_OK;
}

/* By serial number; of one, in the order of the list. */
static int compare(const void *a, const void *b)
{
	const struct device_list_item *one = *(struct device_list_item *const *)a,
				      *two = *(struct device_list_item *const *)b;
	int order = strcmp(one->serial_number, two->serial_number);

	return order ? order : one < two ? -1 : one > two;
}

static enum brski_code mark_repeated(struct device_list *list, struct brski_error *err)
{
	struct device_list_item **items = calloc(list->n + 1, sizeof(struct device_list_item *));

	if (!items)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a list of devices");
	for (size_t i = 0; i < list->n; i++)
		items[i] = &list->items[i];
	qsort(items, list->n, sizeof(struct device_list_item *), compare);
	for (size_t i = 1; i < list->n; i++) {
		items[i]->again = strcmp(items[i - 1]->serial_number, items[i]->serial_number) == 0;
		list->repeated += items[i]->again;
	}
	free(items);
	return BRSKI_OK;
}

enum brski_code device_list_read(struct brski_span text, struct device_list *out, struct brski_error *err)
{
	struct reader r = {.rest = text, .line = 1, .record_line = 1};
	enum brski_code code = skip_mark(&r, err);

	*out = (struct device_list){0};
	while (code == BRSKI_OK && r.rest.len > 0)
		code = read_line(&r, out, err);
	if (code == BRSKI_OK)
		code = mark_repeated(out, err);
	brski_buf_free(&r.serial);
	brski_buf_free(&r.note);
	if (code != BRSKI_OK)
		device_list_free(out);
	return code;
}

void device_list_free(struct device_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].serial_number);
		free(list->items[i].note);
	}
	free(list->items);
	*list = (struct device_list){0};
}
