/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/files.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "files: %s\n", what);
	abort();
}

struct brski_buf file_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct brski_buf out = {0};
	uint8_t chunk[4096];
	size_t n;

	need(file != NULL, path);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		brski_put(&out, brski_span(chunk, n));
	need(!ferror(file) && fclose(file) == 0 && !out.failed, path);
	return out;
}

void file_write(const char *path, struct brski_span bytes)
{
	FILE *file = fopen(path, "wb");

	need(file != NULL, path);
	need(bytes.len == 0 || fwrite(bytes.data, 1, bytes.len, file) == bytes.len, path);
	need(fclose(file) == 0, path);
}

X509 *file_cert(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *cert;

	need(file != NULL, path);
	cert = PEM_read_X509(file, NULL, NULL, NULL);
	need(cert != NULL, path);
	fclose(file);
	return cert;
}

EVP_PKEY *file_key(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key;

	need(file != NULL, path);
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	need(key != NULL, path);
	fclose(file);
	return key;
}

void file_write_certs(const char *path, const STACK_OF(X509) *certs)
{
	struct brski_buf pem = {0};

	need(brski_certs_to_pem(certs, &pem, NULL) == BRSKI_OK, path);
	file_write(path, brski_buf_span(&pem));
	brski_buf_free(&pem);
}

void temp_make(char path[64])
{
	const char *parent = getenv("TMPDIR");

	need(snprintf(path, 64, "%s/brski-test-XXXXXX", parent ? parent : "/tmp") < 64, "TMPDIR is too long");
	need(mkdtemp(path) != NULL, path);
}

void temp_remove(const char *path)
{
	need(run("rm -rf '%s'", path) == 0, path);
}

int run(const char *fmt, ...)
{
	char command[1024], quiet[1100];
	va_list args;
	int status;

	va_start(args, fmt);
	need(vsnprintf(command, sizeof(command), fmt, args) < (int)sizeof(command), fmt);
	va_end(args);
	snprintf(quiet, sizeof(quiet), "{ %s\n} >/dev/null 2>&1", command);
	status = system(quiet);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_tests(const char *name, SFun setup, SFun teardown, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
