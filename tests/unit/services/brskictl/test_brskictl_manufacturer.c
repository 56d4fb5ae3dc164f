/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "services/brskictl/brskictl.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* What `manufacturer add` and `manufacturer set` keep, change and say. */

static struct brski_admin *admin;
static struct brski_error err;
static char folder[64], anchors[128], others[128], crl[128], out_path[128];
static char out[8192]; /* of the last command, on stdout and stderr */

static void write_anchor(char *path, size_t size, const char *name, const struct brski_credential *ca)
{
	STACK_OF(X509) *certs = pki_certs(ca, NULL);

	snprintf(path, size, "%s/%s", folder, name);
	file_write_certs(path, certs);
	pki_free_certs(certs);
}

static void write_crl(const struct brski_credential *issuer)
{
	X509_CRL *list = pki_crl(issuer, NULL, 0);
	FILE *f;

	snprintf(crl, sizeof(crl), "%s/crl.pem", folder);
	f = fopen(crl, "we");
	ck_assert(f && PEM_write_X509_CRL(f, list) == 1 && fclose(f) == 0);
	X509_CRL_free(list);
}

static void setup(void)
{
	struct brski_credential ca, other;
	char path[128];

	temp_make(folder);
	snprintf(path, sizeof(path), "%s/db", folder);
	snprintf(out_path, sizeof(out_path), "%s/out", folder);
	EXPECT(BRSKI_OK, brski_admin_open(path, true, NULL, &admin, &err));
	ca = pki_root("O=Acme,CN=Acme Device CA");
	other = pki_root("O=Acme,CN=Acme Device CA 2");
	write_anchor(anchors, sizeof(anchors), "anchors.pem", &ca);
	write_anchor(others, sizeof(others), "others.pem", &other);
	write_crl(&ca);
	pki_free(&ca);
	pki_free(&other);
}

static void teardown(void)
{
	brski_admin_close(admin);
	temp_remove(folder);
}

static int run_command(const struct command_line *line)
{
	int status;

	switch (line->command->id) {
	case BRSKICTL_MANUFACTURER_ADD:
		status = brskictl_manufacturer_add_use(line);
		return status ? status : brskictl_manufacturer_add(admin, line);
	case BRSKICTL_MANUFACTURER_SET:
		status = brskictl_manufacturer_set_use(line);
		return status ? status : brskictl_manufacturer_set(admin, line);
	default:
		return brskictl_manufacturer_show(admin, line);
	}
}

static int run_line(const struct command_line *line)
{
	int was_out = dup(STDOUT_FILENO), was_err = dup(STDERR_FILENO), status;
	struct brski_buf file;

	ck_assert(freopen(out_path, "w", stdout) && freopen(out_path, "a", stderr));
	status = run_command(line);
	fflush(stdout);
	fflush(stderr);
	ck_assert(dup2(was_out, STDOUT_FILENO) >= 0 && dup2(was_err, STDERR_FILENO) >= 0);
	close(was_out);
	close(was_err);
	file = file_read(out_path);
	ck_assert_uint_lt(file.len, sizeof(out));
	snprintf(out, sizeof(out), "%.*s", (int)file.len, file.len ? (const char *)file.data : "");
	brski_buf_free(&file);
	return status;
}

/* The words behind "brskictl manufacturer"; NULL ends them. Exit status. */
static int manufacturer(const char *const *words)
{
	static char *argv[32];
	struct command_line line;
	int argc = 2;

	argv[0] = (char *)(uintptr_t) "brskictl";
	argv[1] = (char *)(uintptr_t) "manufacturer";
	for (; *words; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	argv[argc] = NULL;
	command_line_read(&brskictl_program, argc, argv, &line);
	ck_assert_ptr_nonnull(line.command);
	return run_line(&line);
}
#define MANUFACTURER(...) manufacturer((const char *const[]){__VA_ARGS__, NULL})

static void says(const char *words)
{
	ck_assert_msg(strstr(out, words) != NULL, "no \"%s\" in: %s", words, out);
}

static void says_not(const char *words)
{
	ck_assert_msg(strstr(out, words) == NULL, "\"%s\" is in: %s", words, out);
}

static void add_everything(void)
{
	ck_assert_int_eq(MANUFACTURER("add", "acme", "--anchors", anchors, "--masa-url",
				 "https://masa.example", "--voucher-anchors", others, "--masa-tls-ca", others,
				 "--crl", crl, "--mode", "manual", "--allow-foreign-domains",
				 "--allow-nonceless", "--no-audit-log", "--no-voucher-check"),
		COMMAND_DONE);
}

START_TEST(add_takes_nothing_from_one_that_is_there)
{
	char before[sizeof(out)];

	add_everything();
	ck_assert_int_eq(MANUFACTURER("show", "acme"), COMMAND_DONE);
	snprintf(before, sizeof(before), "%s", out);
	ck_assert_int_eq(
		MANUFACTURER("add", "acme", "--anchors", anchors, "--mode", "manufacturer"), COMMAND_FAILED);
	says("there is a manufacturer 'acme' already");
	says("nothing has changed");
	says("brskictl manufacturer set");
	ck_assert_int_eq(MANUFACTURER("show", "acme"), COMMAND_DONE);
	ck_assert_str_eq(out, before);
}
END_TEST

START_TEST(the_same_once_more_is_no_error)
{
	add_everything();
	add_everything();
	says("Manufacturer acme is known already, just so, mode manual.");
}
END_TEST

START_TEST(set_changes_what_is_named)
{
	add_everything();
	ck_assert_int_eq(MANUFACTURER("set", "acme", "--mode", "inventory"), COMMAND_DONE);
	ck_assert_str_eq(out, "Manufacturer acme has changed:\n"
			      "- mode                   manual\n"
			      "+ mode                   inventory\n");
	ck_assert_int_eq(MANUFACTURER("set", "acme", "--anchors", others), COMMAND_DONE);
	says("- IDevID anchor          CN=Acme Device CA,O=Acme (SHA-256 ");
	says("+ IDevID anchor          CN=Acme Device CA 2,O=Acme (SHA-256 ");
	says("WARNING: ");
	says_not("mode ");
	ck_assert_int_eq(MANUFACTURER("show", "acme"), COMMAND_DONE);
	says("MASA                   https://masa.example\n");
	says("voucher anchor         CN=Acme Device CA 2,O=Acme");
	says("MASA TLS anchor        CN=Acme Device CA 2,O=Acme");
	says("CRL                    CN=Acme Device CA,O=Acme of ");
	says("check vouchers         no\n");
	says("audit log              not asked for\n");
	says("foreign domains        allowed\n");
	says("foreign nonceless      allowed\n");
}
END_TEST

START_TEST(set_tells_when_nothing_changes)
{
	add_everything();
	ck_assert_int_eq(MANUFACTURER("set", "acme", "--mode", "manual", "--crl", crl), COMMAND_DONE);
	says("Nothing has changed: manufacturer acme is so already.\n");
	ck_assert_int_eq(MANUFACTURER("set", "beta", "--mode", "manual"), COMMAND_FAILED);
	says("there is no manufacturer 'beta'");
	ck_assert_int_eq(MANUFACTURER("set", "acme"), COMMAND_WRONG_USE);
	says("needs an option");
}
END_TEST

START_TEST(every_option_can_be_cleared)
{
	add_everything();
	ck_assert_int_eq(MANUFACTURER("set", "acme", "--clear", "masa-url", "--clear", "voucher-anchors",
				 "--clear", "masa-tls-ca", "--clear", "crl", "--clear", "mode", "--clear",
				 "allow-foreign-domains", "--clear", "allow-nonceless", "--clear",
				 "no-audit-log", "--clear", "no-voucher-check"),
		COMMAND_DONE);
	says("- MASA                   https://masa.example\n");
	says("+ MASA                   (as the IDevID says)\n");
	says("+ voucher anchor         (those of the IDevIDs)\n");
	says("+ MASA TLS anchor        (the system's)\n");
	says("+ CRL                    none\n");
	ck_assert_int_eq(MANUFACTURER("add", "acme", "--anchors", anchors), COMMAND_DONE);
	says("is known already, just so, mode inventory");
	ck_assert_int_eq(MANUFACTURER("set", "acme", "--clear", "anchors"), COMMAND_WRONG_USE);
	says("there is no option 'anchors' to clear: ");
}
END_TEST

START_TEST(anchors_of_two_are_no_obstacle_to_other_changes)
{
	ck_assert_int_eq(MANUFACTURER("add", "acme", "--anchors", anchors), COMMAND_DONE);
	ck_assert_int_eq(MANUFACTURER("add", "beta", "--anchors", anchors), COMMAND_FAILED);
	says("say --force");
	ck_assert_int_eq(MANUFACTURER("add", "beta", "--anchors", anchors, "--force"), COMMAND_DONE);
	ck_assert_int_eq(MANUFACTURER("set", "beta", "--mode", "manual"), COMMAND_DONE);
	ck_assert_int_eq(MANUFACTURER("set", "beta", "--anchors", others), COMMAND_DONE);
	ck_assert_int_eq(MANUFACTURER("set", "beta", "--anchors", anchors), COMMAND_FAILED);
	says("say --force");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		add_takes_nothing_from_one_that_is_there,
		the_same_once_more_is_no_error,
		set_changes_what_is_named,
		set_tells_when_nothing_changes,
		every_option_can_be_cleared,
		anchors_of_two_are_no_obstacle_to_other_changes,
	};

	return run_tests("brskictl_manufacturer", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
