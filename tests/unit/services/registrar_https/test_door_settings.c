/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "services/registrar_https/door_settings.h"
#include "services/registrar_https/registrar_options.h"
#include "tests/unit/support/files.h"

/* registrar.conf, and the command line that names it. */

#define LEAST \
	"certificate_file = /a.pem\nprivate_key_file = /a.key\nca_file = /ca.pem\n" \
	"cmp_url = http://ca.example/.well-known/cmp\n"

static char dir[64], path[96];
static struct brski_error err;
static struct door_settings settings;

static void set_up(void)
{
	temp_make(dir);
	snprintf(path, sizeof(path), "%s/registrar.conf", dir);
}

static void tear_down(void)
{
	door_settings_free(&settings);
	temp_remove(dir);
}

static enum brski_code read_text(const char *text)
{
	file_write(path, brski_span_str(text));
	return door_settings_read(path, &settings, &err);
}

START_TEST(what_is_not_said_is_the_standard)
{
	EXPECT(BRSKI_OK, read_text(LEAST));
	ck_assert_str_eq(settings.site.certificate_file, "/a.pem");
	ck_assert_str_eq(settings.site.database, "/var/lib/brski/registrar.db");
	ck_assert_int_eq(settings.site.retry_after, 60);
	ck_assert_str_eq(settings.door.listen, "[::]:8443");
	ck_assert_int_eq(settings.door.wait, 10);
	ck_assert(settings.door.est);
	ck_assert(!settings.door.daemon.verbose);
	ck_assert_uint_eq(settings.door.proxies.n, 0);
	ck_assert_ptr_null(settings.door.rules_server);
	ck_assert_ptr_null(settings.door.run_as);
}
END_TEST

START_TEST(both_tables_are_read_from_one_file)
{
	EXPECT(BRSKI_OK,
		read_text(LEAST "# of the door\nlisten = 127.0.0.1:443\nwait=0\nest = no\nretry_after = 5\n"
				"proxies = 192.0.2.1\nproxies = 2001:db8::1\nlog = /var/log/x\n"
				"private_key_password = open sesame\n"));
	ck_assert_str_eq(settings.door.listen, "127.0.0.1:443");
	ck_assert_int_eq(settings.door.wait, 0);
	ck_assert(!settings.door.est);
	ck_assert_int_eq(settings.site.retry_after, 5);
	ck_assert_uint_eq(settings.door.proxies.n, 2);
	ck_assert_str_eq(settings.door.proxies.items[1], "2001:db8::1");
	ck_assert_str_eq(settings.door.daemon.log, "/var/log/x");
	ck_assert_str_eq(settings.site.private_key_password, "open sesame");
}
END_TEST

START_TEST(what_will_not_do_is_told_with_its_place)
{
	EXPECT_WHY(BRSKI_MALFORMED, "registrar.conf, line 5: threads is a number from 0 to 1024",
		read_text(LEAST "threads = many\n"));
	door_settings_free(&settings);
	EXPECT_WHY(BRSKI_MALFORMED, "registrar.conf, line 1: no option has the name \"virtual_server\"",
		read_text("virtual_server = rules\n"));
	door_settings_free(&settings);
	EXPECT_WHY(BRSKI_MALFORMED, "registrar.conf: private_key_file is missing",
		read_text("certificate_file = /a.pem\nca_file = /ca.pem\n"));
	door_settings_free(&settings);
	EXPECT_WHY(
		BRSKI_NOT_FOUND, "nowhere", door_settings_read("/nowhere/registrar.conf", &settings, &err));
}
END_TEST

static struct registrar_options take(int argc, char **argv)
{
	struct registrar_options options;
	struct command_line line;

	command_line_read(&registrar_program, argc, argv, &line);
	ck_assert_ptr_nonnull(line.command);
	registrar_options_take(&options, &line);
	return options;
}

START_TEST(the_command_line_names_the_file)
{
	char *nothing[] = {"brski-registrar", NULL};
	char *both[] = {"brski-registrar", "--check", "--config", "/x/y.conf", NULL};
	struct registrar_options options = take(1, nothing);

	ck_assert_str_eq(options.config, "/etc/brski/registrar.conf");
	ck_assert(!options.check);
	options = take(4, both);
	ck_assert_str_eq(options.config, "/x/y.conf");
	ck_assert(options.check);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_not_said_is_the_standard,
		both_tables_are_read_from_one_file,
		what_will_not_do_is_told_with_its_place,
		the_command_line_names_the_file,
	};

	return run_tests("registrar.conf", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
