/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "services/brskictl/radius_conf.h"
#include "tests/unit/support/files.h"

/* FreeRADIUS's file, as far as brskictl reads it. */

static struct values {
	char *certificate_file, *private_key_file, *private_key_password, *ca_file, *cmp_url;
	bool cmp_nested;
} v;

#define AT(name) offsetof(struct values, name)
static const struct setting table[] = {
	{"certificate_file", SETTING_TEXT, AT(certificate_file), 0, 0, NULL, true, "FILE", "one"},
	{"private_key_file", SETTING_TEXT, AT(private_key_file), 0, 0, NULL, true, "FILE", "two"},
	{"private_key_password", SETTING_SECRET, AT(private_key_password), 0, 0, NULL, false, "TEXT",
		"three"},
	{"ca_file", SETTING_TEXT, AT(ca_file), 0, 0, NULL, true, "FILE", "four"},
	{"cmp_url", SETTING_TEXT, AT(cmp_url), 0, 0, NULL, true, "URL", "five"},
	{"cmp_nested", SETTING_FLAG, AT(cmp_nested), 0, 0, "yes", false, NULL, "six"},
	{0},
};

static struct brski_error err;
static char folder[64], path[128];

static void setup(void)
{
	memset(&v, 0, sizeof(v));
	EXPECT(BRSKI_OK, settings_standard(table, &v, &err));
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/brski", folder);
}

static void teardown(void)
{
	settings_free(table, &v);
	temp_remove(folder);
}

static enum brski_code set(void *ctx, const char *name, const char *value, struct brski_error *why)
{
	return settings_set(settings_find(table, name), ctx, value, why);
}

static enum brski_code read_text(const char *text)
{
	file_write(path, brski_span_str(text));
	return radius_conf_read(path, table, set, &v, NULL, &err);
}

static void is_below(const char *value, const char *below)
{
	char want[256];

	snprintf(want, sizeof(want), "%s%s", folder, below);
	ck_assert_str_eq(value, want);
}

START_TEST(values_quotes_and_comments)
{
	EXPECT(BRSKI_OK, read_text("# -*- text -*-\n"
				   "brski {\n"
				   "\tcertificate_file = /a/b.pem\n"
				   "  private_key_file=\"pkcs11:token=x;object=y#1\"   # in a token\n"
				   "#\tprivate_key_file = /no/such/file\n"
				   "\tca_file = '/a/with blank.pem'\r\n"
				   "\tcmp_url = http://ca.example/cmp# where it is\n"
				   "\tcmp_nested = no\n"
				   "\n"
				   "\tauthorize {\n"
				   "\t}\n"
				   "}"));
	ck_assert_str_eq(v.certificate_file, "/a/b.pem");
	ck_assert_str_eq(v.private_key_file, "pkcs11:token=x;object=y#1");
	ck_assert_str_eq(v.ca_file, "/a/with blank.pem");
	ck_assert_str_eq(v.cmp_url, "http://ca.example/cmp");
	ck_assert(!v.cmp_nested);
	ck_assert_ptr_null(v.private_key_password);
}
END_TEST

START_TEST(the_last_one_counts)
{
	EXPECT(BRSKI_OK, read_text("ca_file = /first\nca_file = /second"));
	ck_assert_str_eq(v.ca_file, "/second");
}
END_TEST

START_TEST(variables_at_the_beginning)
{
	EXPECT(BRSKI_OK, read_text("certificate_file = ${certdir}/x.pem\n"
				   "private_key_file = \"${confdir}/keys/x.key\"\n"));
	is_below(v.certificate_file, "/../certs/x.pem");
	is_below(v.private_key_file, "/../keys/x.key");
}
END_TEST

START_TEST(other_variables_are_refused)
{
	EXPECT_WHY(BRSKI_UNSUPPORTED,
		"'${raddbdir}/x' is not understood here: give that setting as an option",
		read_text("ca_file = ${raddbdir}/x\n"));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "/x/${certdir}", read_text("ca_file = /x/${certdir}\n"));
	EXPECT_WHY(BRSKI_UNSUPPORTED, "brski, line 1: ", read_text("ca_file = ${certdir}/${certdir}\n"));
	EXPECT(BRSKI_OK, read_text("database = ${db_dir}/registrar.db\n")); /* nobody asks for it */
}
END_TEST

START_TEST(a_secret_is_not_printed)
{
	EXPECT_WHY(BRSKI_UNSUPPORTED, "private_key_password",
		read_text("private_key_password = \"hush${x}\"\n"));
	ck_assert_ptr_null(strstr(err.why, "hush"));
	EXPECT(BRSKI_OK, read_text("private_key_password = 'it \"is\"'\n"));
	ck_assert_str_eq(v.private_key_password, "it \"is\"");
}
END_TEST

START_TEST(a_quotation_mark_is_missing)
{
	EXPECT_WHY(
		BRSKI_MALFORMED, "brski, line 1: a quotation mark is missing", read_text("ca_file = \"/x\n"));
	EXPECT(BRSKI_MALFORMED, read_text("ca_file = '/x\"\n"));
	EXPECT(BRSKI_MALFORMED, read_text("another = \"x\n"));
	EXPECT(BRSKI_OK, read_text("# another = \"x\n"));
}
END_TEST

START_TEST(a_value_that_will_not_do)
{
	EXPECT_WHY(BRSKI_MALFORMED, "brski, line 3: cmp_nested", read_text("#\n\ncmp_nested = perhaps\n"));
	ck_assert(v.cmp_nested);
}
END_TEST

START_TEST(long_values_and_lines)
{
	char text[9000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "ca_file = ", 10);
	snprintf(text + 10 + RADIUS_CONF_VALUE_MAX - 1, 2, "\n");
	EXPECT(BRSKI_OK, read_text(text));
	ck_assert_uint_eq(strlen(v.ca_file), RADIUS_CONF_VALUE_MAX - 1);
	snprintf(text + 10 + RADIUS_CONF_VALUE_MAX - 1, 3, "x\n");
	EXPECT(BRSKI_UNSUPPORTED, read_text(text));
	/* what is cut off must not be taken for a line of its own */
	memset(text, 'x', sizeof(text));
	text[0] = '#';
	memcpy(text + 8191, "ca_file = /evil\n", 17);
	EXPECT_WHY(BRSKI_TOO_LARGE, "more than 8190 characters", read_text(text));
	memset(text, 'x', 8000);
	text[0] = '#';
	snprintf(text + 8000, 20, "\nca_file = /good");
	EXPECT(BRSKI_OK, read_text(text));
	ck_assert_str_eq(v.ca_file, "/good");
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
	EXPECT_WHY(BRSKI_NOT_FOUND, "cannot open ", radius_conf_read(path, table, set, &v, NULL, &err));
	is_below(v.certificate_file, "/../certs/brski/registrar.pem");
}
END_TEST

/* What the reader knows of mods-available/brski is what stands there. */
START_TEST(as_mods_available_has_it)
{
	struct brski_buf file = file_read("radius_module/raddb/mods-available/brski");
	char *left_out[4];
	char *const *now[] = {&v.certificate_file, &v.private_key_file, &v.ca_file, &v.cmp_url};

	EXPECT(BRSKI_OK, read_text("brski {\n}\n"));
	for (size_t i = 0; i < 4; i++)
		left_out[i] = strdup(*now[i]);
	is_below(left_out[0], "/../certs/brski/registrar.pem");
	settings_free(table, &v);
	file_write(path, brski_buf_span(&file));
	EXPECT(BRSKI_OK, radius_conf_read(path, table, set, &v, NULL, &err));
	for (size_t i = 0; i < 4; i++) {
		ck_assert_str_eq(*now[i], left_out[i]);
		free(left_out[i]);
	}
	ck_assert(v.cmp_nested);
	brski_buf_free(&file);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		values_quotes_and_comments,
		the_last_one_counts,
		variables_at_the_beginning,
		other_variables_are_refused,
		a_secret_is_not_printed,
		a_quotation_mark_is_missing,
		a_value_that_will_not_do,
		long_values_and_lines,
		a_file_that_is_not_there,
		as_mods_available_has_it,
	};

	return run_tests("radius_conf", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
