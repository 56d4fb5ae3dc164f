/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/ground/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void brski_time_format(time_t t, char out[32])
{
	struct tm tm;

	out[0] = '\0';
	/* RFC 3339 knows years of four digits */
	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		return;
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Reads exactly `digits` decimal digits. */
static bool read_decimal(struct brski_span *in, size_t digits, int min, int max, int *out)
{
	struct brski_span text;
	int v = 0;

	if (!brski_read_span(in, digits, &text))
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		v = v * 10 + (text.data[i] - '0');
	}
	*out = v;
	return v >= min && v <= max;
}

static bool read_one_of(struct brski_span *in, const char *set, char *out)
{
	uint8_t c;

	if (!brski_read_u8(in, &c) || c == 0 || !strchr(set, c))
		return false;
	*out = (char)c;
	return true;
}

static bool read_date(struct brski_span *in, struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;
	char c;

	if (!read_decimal(in, 4, 0, 9999, &year) || !read_one_of(in, "-", &c) ||
		!read_decimal(in, 2, 1, 12, &month) || !read_one_of(in, "-", &c) ||
		!read_decimal(in, 2, 1, 31, &day))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	if (month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0))
		return day <= 29;
	return day <= days[month - 1];
}

static bool read_time_of_day(struct brski_span *in, struct tm *tm)
{
	char c;

	return read_decimal(in, 2, 0, 23, &tm->tm_hour) && read_one_of(in, ":", &c) &&
	       read_decimal(in, 2, 0, 59, &tm->tm_min) && read_one_of(in, ":", &c) &&
	       read_decimal(in, 2, 0, 60, &tm->tm_sec);
}

static bool skip_fraction(struct brski_span *in)
{
	uint8_t c;
	int digit;
	size_t n = 0;

	if (in->len == 0 || in->data[0] != '.')
		return true;
	if (!brski_read_u8(in, &c))
		return false;
	while (in->len > 0 && in->data[0] >= '0' && in->data[0] <= '9') {
		if (!read_decimal(in, 1, 0, 9, &digit))
			return false;
		n++;
	}
	return n > 0;
}

static bool read_offset(struct brski_span *in, time_t *seconds)
{
	int hours, minutes;
	char sign, colon;

	if (!read_one_of(in, "Zz+-", &sign))
		return false;
	*seconds = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if (!read_decimal(in, 2, 0, 23, &hours) || !read_one_of(in, ":", &colon) ||
		!read_decimal(in, 2, 0, 59, &minutes))
		return false;
	*seconds = (time_t)(hours * 60 + minutes) * (sign == '+' ? 60 : -60);
	return true;
}

enum brski_code brski_time_parse(const char *text, time_t *out, struct brski_error *err)
{
	struct brski_span in = brski_span_str(text);
	struct tm tm = {0};
	time_t offset;
	char c;

	*out = 0;
	if (!read_date(&in, &tm) || !read_one_of(&in, "Tt ", &c) || !read_time_of_day(&in, &tm) ||
		!skip_fraction(&in) || !read_offset(&in, &offset) || in.len != 0)
		return brski_fail(err, BRSKI_MALFORMED, "\"%.40s\" is not a date and time of RFC 3339",
			text ? text : "");
	*out = timegm(&tm) - offset;
	return BRSKI_OK;
}

void brski_printable(struct brski_span text, char *out, size_t size)
{
	size_t n;

	if (size == 0)
		return;
	n = text.len < size - 1 ? text.len : size - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = text.data[i] >= 0x20 && text.data[i] <= 0x7e ? (char)text.data[i] : '?';
	out[n] = '\0';
}

bool brski_text_copy(char *out, size_t size, const char *text)
{
	brski_printable(brski_span_str(text), out, size);
	if (strlen(text) < size && strcmp(out, text) == 0)
		return true;
	if (size > 0)
		out[0] = '\0';
	return false;
}

/* strtol() alone passes over blanks, takes a '+', and takes nothing at all for 0. */
bool brski_number_read(const char *text, long min, long max, long *out)
{
	const char *digits = text + (text[0] == '-');
	size_t n = strspn(digits, "0123456789");
	long v;

	errno = 0;
	v = strtol(text, NULL, 10);
	if (n == 0 || digits[n] != '\0' || errno != 0 || v < min || v > max)
		return false;
	*out = v;
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct brski_span brski_trim(struct brski_span text)
{
	while (text.len > 0 && is_blank(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.data[text.len - 1]))
		text.len--;
	return text;
}

char *brski_trim_in_place(char *text)
{
	struct brski_span rest = brski_trim(brski_span_str(text));
	char *start = text + (rest.data - (const uint8_t *)text);

	start[rest.len] = '\0';
	return start;
}

struct brski_span brski_list_next(const char **list)
{
	static const char between[] = ", \t";
	struct brski_span word;

	*list += strspn(*list, between);
	word = brski_span(*list, strcspn(*list, between));
	*list += word.len;
	return word;
}

void brski_hex(struct brski_span in, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	if (size == 0)
		return;
	for (size_t i = 0; i < in.len && size - at > 2; i++) {
		out[at++] = digits[in.data[i] >> 4];
		out[at++] = digits[in.data[i] & 0x0f];
	}
	out[at] = '\0';
}
