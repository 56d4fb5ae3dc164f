/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "services/registrar/device_list.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/mutate.h"

/* Delivery notes, as people and spreadsheets write them. */

static struct brski_error err;

static enum brski_code read_text(struct brski_span text, char out[512], size_t *repeated)
{
	struct device_list list;
	enum brski_code code = device_list_read(text, &list, &err);
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < list.n; i++)
		used += (size_t)snprintf(
			out + used, 512 - used, "%s(%s);", list.items[i].serial_number, list.items[i].note);
	*repeated = list.repeated;
	device_list_free(&list);
	return code;
}

START_TEST(what_is_taken)
{
	static const struct {
		const char *csv, *want;
	} cases[] = {
		{"", ""},
		{"S-1", "S-1();"},
		{"S-1\nS-2\n", "S-1();S-2();"},
		{"S-1\r\nS-2\r\n", "S-1();S-2();"},
		{"S-1\rS-2\r", "S-1();S-2();"},
		{"S-1\n\n \t\r\n  S-2  \n", "S-1();S-2();"},
		{"\xef\xbb\xbfS-1;meeting room\r\n", "S-1(meeting room);"},
		{"S-1,meeting room\nS-2\tcellar\nS-3;roof\n", "S-1(meeting room);S-2(cellar);S-3(roof);"},
		{"S-1 , meeting room\n", "S-1(meeting room);"},
		{"# a comment, with \"quotes\nS-1\n  # another\n", "S-1();"},
		{"\"S-1\",\"meeting, room\"\n", "S-1(meeting, room);"},
		{"\"S-1\" ; \"the \"\"big\"\" room\" \n", "S-1(the \"big\" room);"},
		{"S-1,\"two\nlines\"\nS-2\n", "S-1(two lines);S-2();"},
		{"S-1,\"two\r\nlines\"\r\nS-2\r\n", "S-1(two lines);S-2();"},
		/* of three characters that separate, the first counts */
		{"S-1;room 1,2\n", "S-1(room 1,2);"},
		{"S-1,room 1;2\n", "S-1(room 1;2);"},
		/* more columns, and those of an empty row */
		{"S-1,room,,3.50\n,,,\nS-2,,,\n;;\n", "S-1(room, 3.50);S-2();"},
		{"S-1,5\" display\n", "S-1(5\" display);"},
		/* blanks that belong to it */
		{"\"PID:X SN:Y\"\n\" Z 1\";two\n", "PID:X SN:Y(); Z 1(two);"},
		{"PID:C9300-24T SN:FOC1234X;core\nPID:A SN:B\n",
			"PID:C9300-24T SN:FOC1234X(core);PID:A SN:B();"},
		/* a first line that names the columns */
		{"Serial Number;Note\nS-1;one\n", "S-1(one);"},
		{"\"serial-number\"\nSN\n", "SN();"},
		{"#\nSN\nS-1\n", "S-1();"},
		{"S-1,r\xc3\xa9serve\n", "S-1(r\xc3\xa9serve);"},
	};
	char got[512];
	size_t repeated;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum brski_code code = read_text(brski_span_str(cases[i].csv), got, &repeated);

		ck_assert_msg(code == BRSKI_OK, "\"%s\": %s", cases[i].csv, err.why);
		ck_assert_msg(strcmp(got, cases[i].want) == 0, "\"%s\": \"%s\"", cases[i].csv, got);
		ck_assert_uint_eq(repeated, 0);
	}
}
END_TEST

START_TEST(what_is_not)
{
	static const struct {
		const char *csv, *why;
	} cases[] = {
		{"S-1\nS 2\n", "line 2: 'S 2' has blanks"},
		{"AX-1 meeting room, floor 2\n", "line 1: 'AX-1 meeting room' has blanks"},
		{"S-1 # five\n", "line 1: 'S-1 # five' has blanks"},
		{"S-1\r\n\r\nPID:X,SN:Y\r\nPID:X VN:Y\r\n", "line 4: "},
		{"S-1\n;note\n", "line 2: there is a note and no serial number"},
		{"S-1\n\"\",note\n", "line 2: "},
		{"S-1\n\"  \"\n", "line 2: "},
		{"S-1\nS-\xc3\xa9\n", "line 2: "},
		{"S-1\n\"S\n2\"\nS-\x01\n", "line 4: "},
		{"S-1\n\"S-2\n", "line 2: a quote is not closed"},
		{"S-1\n\"S-2\" x,note\n", "line 2: "},
		{"S-1\nS-2,\"note\" x\n", "line 2: "},
		{"\xff\xfeS", "UTF-16"},
		{"\xfe\xff", "UTF-16"},
	};
	char got[512];
	size_t repeated;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_WHY(BRSKI_MALFORMED, cases[i].why,
			read_text(brski_span_str(cases[i].csv), got, &repeated));
		ck_assert_str_eq(got, "");
	}
	EXPECT_WHY(BRSKI_MALFORMED, "line 2: this is no text",
		read_text(brski_span("S-1\nS-\0002\n", 9), got, &repeated));
}
END_TEST

START_TEST(the_longest_serial_number)
{
	char text[140], got[512];
	size_t repeated;

	memset(text, 'x', sizeof(text));
	text[127] = '\0';
	EXPECT(BRSKI_OK, read_text(brski_span_str(text), got, &repeated));
	text[127] = 'x';
	text[128] = '\0';
	EXPECT_WHY(BRSKI_MALFORMED, "127", read_text(brski_span_str(text), got, &repeated));
}
END_TEST

START_TEST(devices_are_counted)
{
	struct brski_buf text = {0};
	struct device_list list;
	char got[512];
	size_t repeated;

	EXPECT(BRSKI_OK, read_text(brski_span_str("S-1,a\nS-2\nS-1,b\nS-1\n"), got, &repeated));
	ck_assert_str_eq(got, "S-1(a);S-2();S-1(b);S-1();");
	ck_assert_uint_eq(repeated, 2);
	for (int i = 0; i < 1000; i++)
		brski_printf(&text, "\"S-%d\",\"n\"\r\n", i);
	EXPECT(BRSKI_OK, device_list_read(brski_buf_span(&text), &list, &err));
	ck_assert_uint_eq(list.n, 1000);
	ck_assert_uint_eq(list.repeated, 0);
	ck_assert_str_eq(list.items[999].serial_number, "S-999");
	device_list_free(&list);
	brski_buf_free(&text);
}
END_TEST

static void try_damaged(void *ctx, struct brski_span damaged, const struct mutation *how)
{
	char got[512];
	size_t repeated;

	(void)ctx;
	(void)how;
	(void)!read_text(damaged, got, &repeated);
}

START_TEST(damage)
{
	mutate_all(
		brski_span_str(
			"\xef\xbb\xbfserial;note\r\n\"PID:X SN:Y\";\"a \"\"b\"\"\r\nc\"\r\n# x\r\nS-2\r\n"),
		try_damaged, NULL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_taken, what_is_not, the_longest_serial_number, devices_are_counted, damage};

	return run_tests("list of devices", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
