/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/ground/bytes.h"
#include "eap_brski/ground/shell.h"
#include "tests/unit/support/files.h"

/* Lines that are printed for an operator are given to the machine's own shell. */

static const char *const nasty[] = {
	"N'5; id #",
	"'",
	"''",
	"'\\''",
	"\\",
	"$(id)",
	"`id`",
	"a b",
	" a ",
	"a\tb",
	"a\nid\n",
	"\n",
	"-",
	"--",
	"-rf",
	"--file",
	"*",
	"?[a-z]",
	"~root",
	"a=b",
	"{a,b}",
	"!!",
	"a&id",
	"a|id",
	">file",
	"<file",
	"(id)",
	"\"$HOME\"",
	"#",
	"",
	"Z\xc3\xbcrich \xe2\x80\x98",
	"\x01\x02\x1b[31m\x7f",
	"\xff\xfe",
};
#define N_NASTY (sizeof(nasty) / sizeof(nasty[0]))

/* What the shell makes of a line: the arguments of its command, each with a zero behind it. */
static struct brski_buf shell(const char *line)
{
	struct brski_buf out = {0};
	char dir[64], path[96], command[256];
	uint8_t chunk[4096];
	size_t n;
	FILE *f;

	temp_make(dir);
	snprintf(path, sizeof(path), "%s/line", dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fprintf(f, "brskictl() { printf '%%s\\0' \"$@\"; }\n%s\n", line), 0);
	ck_assert_int_eq(fclose(f), 0);
	snprintf(command, sizeof(command), "cd %s && exec sh ./line 2>&1", dir);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		brski_put(&out, brski_span(chunk, n));
	ck_assert_int_eq(pclose(f), 0);
	temp_remove(dir);
	return out;
}

static void put_argument(struct brski_buf *out, const char *word)
{
	brski_put(out, brski_span(word, strlen(word) + 1));
}

static void check_line(const char *line, const struct brski_buf *want)
{
	struct brski_buf got = shell(line);

	ck_assert_msg(brski_span_equal(brski_buf_span(&got), brski_buf_span(want)), "%s", line);
	brski_buf_free(&got);
}

START_TEST(a_shell_reads_what_was_meant)
{
	char line[1024];

	for (size_t i = 0; i < N_NASTY; i++) {
		const char *operands[] = {"acme", nasty[i]};
		struct brski_buf want = {0};

		ck_assert(brski_shell_command(line, sizeof(line), "brskictl accept", operands, 2));
		put_argument(&want, "accept");
		if (nasty[i][0] == '-')
			put_argument(&want, "--");
		put_argument(&want, "acme");
		put_argument(&want, nasty[i]);
		check_line(line, &want);
		brski_buf_free(&want);
	}
}
END_TEST

START_TEST(all_at_once)
{
	struct brski_buf want = {0};
	char line[4096];

	ck_assert(brski_shell_command(line, sizeof(line), "brskictl", nasty, N_NASTY));
	put_argument(&want, "--");
	for (size_t i = 0; i < N_NASTY; i++)
		put_argument(&want, nasty[i]);
	check_line(line, &want);
	brski_buf_free(&want);
}
END_TEST

START_TEST(plain_words_stay_plain)
{
	static const char *const plain[] = {"acme", "AX-2026-0042", "a.b:c/d@e_f+g%h,i", "0"};
	const char *operands[] = {"acme", "SN-1"};
	char out[64];

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		ck_assert(brski_shell_quote(out, sizeof(out), plain[i]));
		ck_assert_str_eq(out, plain[i]);
	}
	ck_assert(brski_shell_command(out, sizeof(out), "brskictl device add", operands, 2));
	ck_assert_str_eq(out, "brskictl device add acme SN-1");
	ck_assert(brski_shell_command(out, sizeof(out), "brskictl pending", NULL, 0));
	ck_assert_str_eq(out, "brskictl pending");
}
END_TEST

/* Half a word in quotes is no command. */
START_TEST(whole_or_not_at_all)
{
	const char *operands[] = {"it's"};
	const size_t whole = strlen("say 'it'\\''s'");
	char out[64];

	for (size_t size = 1; size <= whole; size++) {
		ck_assert(!brski_shell_command(out, size, "say", operands, 1));
		ck_assert_str_eq(out, "");
	}
	ck_assert(brski_shell_command(out, whole + 1, "say", operands, 1));
	ck_assert_str_eq(out, "say 'it'\\''s'");
	ck_assert(!brski_shell_quote(out, 9, operands[0]));
	ck_assert_str_eq(out, "");
	ck_assert(brski_shell_quote(out, 10, operands[0]));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_shell_reads_what_was_meant,
		all_at_once,
		plain_words_stay_plain,
		whole_or_not_at_all,
	};

	return run_tests("shell", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
}
