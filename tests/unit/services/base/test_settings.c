/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "services/base/settings.h"
#include "tests/unit/support/files.h"

static struct values {
	bool flag;
	long number;
	char *text;
	char *secret;
	struct setting_list list;
} v;

static const struct setting table[] = {
	{"flag", SETTING_FLAG, offsetof(struct values, flag), 0, 0, "yes", false, NULL, "a flag"},
	{"number", SETTING_NUMBER, offsetof(struct values, number), -5, 100, "7", false, "N", "a number"},
	{"text", SETTING_TEXT, offsetof(struct values, text), 0, 0, NULL, true, "TEXT", "a text"},
	{"secret", SETTING_SECRET, offsetof(struct values, secret), 0, 0, NULL, false, "TEXT", "hidden"},
	{"list", SETTING_LIST, offsetof(struct values, list), 0, 0, NULL, false, "TEXT", "many"},
	{0},
};

static struct brski_error err;
static char folder[64], path[128];

static void setup(void)
{
	memset(&v, 0, sizeof(v));
	EXPECT(BRSKI_OK, settings_standard(table, &v, &err));
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/file", folder);
}

static void teardown(void)
{
	settings_free(table, &v);
	temp_remove(folder);
}

static enum brski_code set(const char *name, const char *value)
{
	const struct setting *s = settings_find(table, name);

	ck_assert_ptr_nonnull(s);
	return settings_set(s, &v, value, &err);
}

static enum brski_code read_text(const char *text)
{
	file_write(path, brski_span_str(text));
	return settings_read(table, &v, path, &err);
}

START_TEST(what_is_not_given_is_standard)
{
	ck_assert(v.flag);
	ck_assert_int_eq(v.number, 7);
	ck_assert_ptr_null(v.text);
	ck_assert_ptr_null(v.secret);
	ck_assert_uint_eq(v.list.n, 0);
	ck_assert_ptr_null(settings_find(table, "other"));
	ck_assert_ptr_null(settings_find(table, "fla"));
}
END_TEST

START_TEST(flags)
{
	static const char *const yes[] = {"yes", "true", "on", "YES", "On"};
	static const char *const no[] = {"no", "false", "off", "No", "OFF"};
	static const char *const bad[] = {"", "1", "0", "ye", "yes ", "yess", "maybe"};

	for (size_t i = 0; i < 5; i++) {
		EXPECT(BRSKI_OK, set("flag", no[i]));
		ck_assert(!v.flag);
		EXPECT(BRSKI_OK, set("flag", yes[i]));
		ck_assert(v.flag);
	}
	EXPECT(BRSKI_OK, set("flag", "no"));
	for (size_t i = 0; i < 7; i++)
		EXPECT_WHY(BRSKI_MALFORMED, "flag is yes or no", set("flag", bad[i]));
	ck_assert(!v.flag);
	EXPECT(BRSKI_OK, set("flag", NULL));
	ck_assert(v.flag);
}
END_TEST

START_TEST(numbers)
{
	static const char *const bad[] = {"", "abc", "20s", "1 ", "-6", "101", "9223372036854775808",
		"-9223372036854775809", "1.5", "0x10", "--1"};

	EXPECT(BRSKI_OK, set("number", "-5"));
	ck_assert_int_eq(v.number, -5);
	EXPECT(BRSKI_OK, set("number", "100"));
	ck_assert_int_eq(v.number, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_WHY(BRSKI_MALFORMED, "number is a number from -5 to 100", set("number", bad[i]));
	ck_assert_int_eq(v.number, 100);
	EXPECT_WHY(BRSKI_MALFORMED, "number needs a value", set("number", NULL));
}
END_TEST

START_TEST(texts_are_copied_and_replaced)
{
	char given[] = "one";

	EXPECT(BRSKI_OK, set("text", given));
	given[0] = 'X';
	ck_assert_str_eq(v.text, "one");
	EXPECT(BRSKI_OK, set("text", "two"));
	ck_assert_str_eq(v.text, "two");
	EXPECT(BRSKI_OK, set("secret", "three"));
	ck_assert_str_eq(v.secret, "three");
	EXPECT(BRSKI_MALFORMED, set("text", NULL));
	ck_assert_str_eq(v.text, "two");
}
END_TEST

START_TEST(a_list_has_an_end)
{
	for (int i = 0; i < SETTING_LIST_MAX; i++)
		EXPECT(BRSKI_OK, set("list", i % 2 ? "odd" : "even"));
	EXPECT_WHY(BRSKI_TOO_LARGE, "list is given more than 16 times", set("list", "more"));
	ck_assert_uint_eq(v.list.n, SETTING_LIST_MAX);
	ck_assert_str_eq(v.list.items[15], "odd");
}
END_TEST

START_TEST(required_ones_are_missed)
{
	EXPECT_WHY(BRSKI_MALFORMED, "text is missing", settings_check(table, &v, &err));
	EXPECT(BRSKI_OK, set("text", ""));
	EXPECT(BRSKI_MALFORMED, settings_check(table, &v, &err));
	EXPECT(BRSKI_OK, set("text", "x"));
	EXPECT(BRSKI_OK, settings_check(table, &v, &err));
}
END_TEST

START_TEST(free_leaves_zeroes)
{
	EXPECT(BRSKI_OK, set("text", "x"));
	EXPECT(BRSKI_OK, set("secret", "y"));
	EXPECT(BRSKI_OK, set("list", "z"));
	settings_free(table, &v);
	ck_assert(!v.flag);
	ck_assert_int_eq(v.number, 0);
	ck_assert_ptr_null(v.text);
	ck_assert_ptr_null(v.secret);
	ck_assert_uint_eq(v.list.n, 0);
	ck_assert_ptr_null(v.list.items[0]);
}
END_TEST

START_TEST(a_file)
{
	EXPECT(BRSKI_OK, read_text("# a comment = 1\n\n  number=12\r\nflag = no\n\ttext =  a b = c \t\n"
				   "list = p\nlist = q\n#text = d\nsecret = s"));
	ck_assert_int_eq(v.number, 12);
	ck_assert(!v.flag);
	ck_assert_str_eq(v.text, "a b = c");
	ck_assert_str_eq(v.secret, "s");
	ck_assert_uint_eq(v.list.n, 2);
	ck_assert_str_eq(v.list.items[1], "q");
}
END_TEST

START_TEST(what_is_wrong_in_a_file_is_found_there)
{
	char longest[1500];

	EXPECT_WHY(BRSKI_MALFORMED, "line 2: number is a number", read_text("text = a\nnumber = 20s\n"));
	EXPECT_WHY(BRSKI_MALFORMED, path, read_text("number = 20s\n"));
	EXPECT_WHY(BRSKI_MALFORMED, "line 1: no option has the name \"other\"", read_text("other = 1\n"));
	EXPECT_WHY(BRSKI_MALFORMED, "line 1: not \"name = value\": flag", read_text("flag\n"));
	EXPECT_WHY(BRSKI_MALFORMED, "line 1: text needs a value", read_text("text =\n"));
	EXPECT_WHY(BRSKI_MALFORMED, "line 1: flag is yes or no", read_text("flag =\n"));
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "text = ", 7);
	longest[sizeof(longest) - 1] = '\0';
	EXPECT_WHY(BRSKI_TOO_LARGE, "line 1: the line is too long", read_text(longest));
	EXPECT_WHY(BRSKI_NOT_FOUND, "cannot read /nowhere/at/all",
		settings_read(table, &v, "/nowhere/at/all", &err));
	EXPECT_WHY(BRSKI_NOT_FOUND, folder, settings_read(table, &v, folder, &err));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {what_is_not_given_is_standard, flags, numbers,
		texts_are_copied_and_replaced, a_list_has_an_end, required_ones_are_missed,
		free_leaves_zeroes, a_file, what_is_wrong_in_a_file_is_found_there};

	return run_tests("settings", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
