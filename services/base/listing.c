/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/ground/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool print(const json_t *json)
{
	struct brski_buf text = {0};
	bool ok = brski_json_print(json, &text, NULL) == BRSKI_OK;

	if (ok)
		fwrite(text.data, 1, text.len, stdout);
	brski_buf_free(&text);
	return ok;
}

static void begin(struct listing *l)
{
	if (!l->begun)
		printf("{\"%s\":[", l->name);
	l->begun = true;
}

void listing_row(struct listing *l, json_t *row)
{
	bool first = !l->begun;

	if (!row || l->failed) {
		l->failed = true;
		json_decref(row);
		return;
	}
	begin(l);
	fputs(first ? "\n" : ",\n", stdout);
	l->failed = !print(row);
	json_decref(row);
}

static void print_members(struct listing *l, json_t *more)
{
	const char *key;
	json_t *value;

	json_object_foreach(more, key, value)
	{
		printf(",\n\"%s\":", key);
		if (!print(value))
			l->failed = true;
	}
}

enum brski_code listing_end(struct listing *l, enum brski_code code, json_t *more, struct brski_error *err)
{
	if (code == BRSKI_OK && !l->failed) {
		begin(l);
		fputs("]", stdout);
		print_members(l, more);
		fputs("}\n", stdout);
	}
	json_decref(more);
	if (code != BRSKI_OK)
		return code;
	if (l->failed)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a row of the listing");
	if (fflush(stdout) != 0 || ferror(stdout))
		return brski_fail(err, BRSKI_INTERNAL, "cannot write the listing: %s", strerror(errno));
	return BRSKI_OK;
}

/* ---- Values ---- */

/* Octets of the character that text begins with; 0: it is none (RFC 3629 4). */
static size_t utf8_len(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead;
		unsigned least;
	} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (size_t n = 0; n < sizeof(forms) / sizeof(forms[0]); n++) {
		unsigned value = text[0] & (unsigned char)~forms[n].mask;

		if ((text[0] & forms[n].mask) != forms[n].lead)
			continue;
		for (size_t i = 1; i <= n; i++) {
			if ((text[i] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (text[i] & 0x3f);
		}
		if (value < forms[n].least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
			return 0;
		return n + 1;
	}
	return 0;
}

/* Every octet that is of no character becomes one. */
static char *repair(const char *text)
{
	char *out = malloc(strlen(text) * strlen(REPLACEMENT) + 1), *at = out;

	while (out && *text) {
		size_t len = utf8_len((const unsigned char *)text);
		const char *from = len ? text : REPLACEMENT;
		size_t n = len ? len : strlen(REPLACEMENT);

		memcpy(at, from, n);
		at += n;
		text += len ? len : 1;
	}
	if (out)
		*at = '\0';
	return out;
}

json_t *listing_text(const char *text)
{
	json_t *json;
	char *repaired;

	if (!text || !text[0])
		return json_null();
	repaired = repair(text);
	json = repaired ? json_string(repaired) : NULL;
	free(repaired);
	return json;
}

json_t *listing_time(time_t t)
{
	char text[32];

	if (t == 0)
		return json_null();
	brski_time_format(t, text);
	return json_string(text);
}
