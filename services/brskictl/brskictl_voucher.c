/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "services/base/file.h"
#include "services/brskictl/brskictl_site.h"
#include "services/registrar/bundle_run.h"

/*
 * brskictl voucher: vouchers without nonce, fetched ahead for devices that will come when the MASA
 * is away.
 */

static const char help[] =
	"Usage: brskictl voucher fetch [options] MANUFACTURER SERIAL...\n"
	"       brskictl voucher list [MANUFACTURER] | remove MANUFACTURER SERIAL\n"
	"Fetches vouchers without nonce from the manufacturer's MASA, which gives them to a device's registered\n"
	"owner. They are used when the MASA does not answer.\n"
	"\n"
	"  -f, --file FILE          serial numbers, the first word of each line; '-' is standard input\n"
	"  -i, --idevid FILE        certificate of a device of the same issuer, for its AuthorityKeyIdentifier;\n"
	"                           needed if the manufacturer has several CAs\n"
	"  -o, --offline            do not call the MASA: the requests go out with the next 'brskictl export'\n"
	"  -C, -c, -k, -a, -u       as for 'brskictl export'\n"
	"  -p, --proxy URL          an HTTP proxy\n";

struct fetch {
	struct brskictl_site site;
	struct brski_store *store;
	struct brski_bundle_runner *runner; /* NULL: offline */
	X509 *idevid;                       /* NULL: none given */
	const char *manufacturer;
	unsigned n, failed;
};

/* ---- fetch ---- */

static const char *outcome_words(enum brski_import_outcome outcome)
{
	return outcome == BRSKI_IMPORT_ANSWERED  ? "here"
	       : outcome == BRSKI_IMPORT_REFUSED ? "refused"
	       : outcome == BRSKI_IMPORT_WAITS   ? "no answer yet"
						 : "not taken";
}

/* The same way as a file's: what was asked, what was answered, judged. */
static enum brski_code call_masa(
	struct fetch *f, const struct brski_store_nonceless *a, const char *serial, struct brski_error *err)
{
	struct brski_bundle bundle = {0}, answers = {.answers = true};
	struct brski_bundle_item *item = brski_bundle_add(&bundle), *out = brski_bundle_add(&answers);
	enum brski_import_outcome outcome = BRSKI_IMPORT_WRONG;
	enum brski_code code = BRSKI_NO_MEMORY;

	if (!item || !out)
		brski_fail(err, code, "no memory for a request");
	else
		code = brski_exchange_nonceless_item(f->site.offline, a, item, err);
	if (code == BRSKI_OK)
		code = brski_bundle_run(f->runner, item, out, err);
	if (code == BRSKI_OK) {
		outcome = brski_exchange_nonceless_answer(f->site.offline, out, err);
		printf("%s: %s: %s\n", serial, outcome_words(outcome), err->why);
	}
	brski_bundle_free(&bundle);
	brski_bundle_free(&answers);
	if (code == BRSKI_OK && outcome != BRSKI_IMPORT_ANSWERED)
		f->failed++;
	return code;
}

static int fetch_one(struct fetch *f, const char *serial)
{
	char key[BRSKI_FINGERPRINT_MAX];
	struct brski_store_nonceless a;
	struct brski_error err = {0};
	enum brski_code code;

	if (!brskictl_is_name(serial, BRSKI_SERIAL_MAX))
		return brskictl_usage("'%s' is no serial number: 1 to %d printable characters", serial,
			BRSKI_SERIAL_MAX - 1);
	f->n++;
	code = brski_exchange_ask(f->site.offline, f->manufacturer, serial, f->idevid, key, &err);
	if (code == BRSKI_OK && f->runner) {
		code = brski_store_nonceless_by_key(f->store, key, &a, &err);
		if (code == BRSKI_OK)
			code = call_masa(f, &a, serial, &err);
		brski_store_nonceless_free(&a);
	}
	return code == BRSKI_OK ? 0 : brskictl_fail(&err);
}

static int fetch_file(struct fetch *f, const char *path)
{
	struct brski_buf text = {0};
	struct brski_error err = {0};
	char *line, *rest;
	int status = 0;

	if (brski_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, BRSKI_BUF_LIMIT - 1, &text, &err) !=
		BRSKI_OK)
		return brskictl_fail(&err);
	text.limit = BRSKI_BUF_LIMIT;
	brski_put_u8(&text, 0);
	for (rest = (char *)text.data; !status && (line = strsep(&rest, "\r\n")) != NULL;) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t,;")] = '\0';
		if (*line && *line != '#')
			status = fetch_one(f, line);
	}
	brski_buf_free(&text);
	return status;
}

static int open_fetch(struct fetch *f, bool offline, const char *idevid)
{
	struct brski_bundle_runner_config config = {
		.client = &f->site.credential, .proxy = f->site.proxy_text};
	STACK_OF(X509) *certs = NULL;
	struct brski_error err = {0};
	int status = brskictl_site_open(&f->site, f->store);

	if (status)
		return status;
	if (!offline && brski_bundle_runner_new(&config, &f->runner, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	if (!idevid)
		return 0;
	if (brski_certs_load(idevid, &certs, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	f->idevid = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	return 0;
}

static int run_fetch(struct fetch *f, const char *file, int argc, char **argv)
{
	int status = 0;

	f->manufacturer = argv[0];
	for (int i = 1; !status && i < argc; i++)
		status = fetch_one(f, argv[i]);
	if (!status && file)
		status = fetch_file(f, file);
	if (!status && !f->runner)
		printf("%u requests wait for 'brskictl export'.\n", f->n);
	return status ? status : f->failed ? 1 : 0;
}

static int fetch(struct brski_store *store, int argc, char **argv)
{
	static const struct option options[] = {BRSKICTL_SITE_OPTIONS, {"file", required_argument, NULL, 'f'},
		{"idevid", required_argument, NULL, 'i'}, {"offline", no_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct fetch f = {.store = store};
	const char *file = NULL, *idevid = NULL;
	bool offline = false;
	int c, status;

	while ((c = getopt_long(argc, argv, BRSKICTL_SITE_SHORT "f:i:oh", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (c == 'f')
			file = optarg;
		else if (c == 'i')
			idevid = optarg;
		else if (c == 'o')
			offline = true;
		else if (!brskictl_site_option(&f.site, c, optarg))
			return brskictl_usage("wrong option of 'voucher fetch'");
	}
	if (argc - optind < (file ? 1 : 2))
		return brskictl_usage("'voucher fetch' takes MANUFACTURER and SERIAL..., or --file FILE");
	status = open_fetch(&f, offline, idevid);
	if (!status)
		status = run_fetch(&f, file, argc - optind, argv + optind);
	brski_bundle_runner_free(f.runner);
	X509_free(f.idevid);
	brskictl_site_close(&f.site);
	return status;
}

/* ---- list, remove ---- */

static void print_row(void *ctx, struct brski_store_nonceless *a)
{
	bool expired = a->expires_on && a->expires_on <= time(NULL);
	const char *state = !a->voucher.len ? "asked for" : expired ? "expired" : "usable";
	char fetched[32], expires[32];

	(*(unsigned *)ctx)++;
	printf("%-20s %-28s %-10s %-20s %-20s%s\n", a->manufacturer, a->serial_number, state,
		brskictl_time(a->fetched, fetched),
		a->voucher.len ? brskictl_time(a->expires_on, expires) : "-",
		a->waiting && a->voucher.len ? " (a new one is asked for)" : "");
}

static int list(struct brski_store *store, const char *manufacturer)
{
	struct brski_error err;
	unsigned n = 0;

	printf("%-20s %-28s %-10s %-20s %s\n", "MANUFACTURER", "SERIAL NUMBER", "STATE", "FETCHED",
		"EXPIRES");
	if (brski_store_nonceless_list(store, manufacturer, print_row, &n, &err))
		return brskictl_fail(&err);
	if (n == 0)
		puts("None. Fetch them with 'brskictl voucher fetch MANUFACTURER SERIAL...'.");
	return 0;
}

static int drop(struct brski_store *store, const char *manufacturer, const char *serial)
{
	struct brski_error err;

	if (brski_store_nonceless_remove(store, manufacturer, serial, &err))
		return brskictl_fail(&err);
	printf("The voucher for %s of %s is removed.\n", serial, manufacturer);
	return 0;
}

int brskictl_voucher(struct brski_store *store, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "list";

	if (strcmp(verb, "fetch") == 0)
		return fetch(store, argc - 1, argv + 1);
	if (strcmp(verb, "list") == 0 && argc <= 3)
		return list(store, argc == 3 ? argv[2] : NULL);
	if (strcmp(verb, "remove") == 0 && argc == 4)
		return drop(store, argv[2], argv[3]);
	return brskictl_usage("'voucher' takes fetch, list [MANUFACTURER] or remove MANUFACTURER SERIAL");
}
