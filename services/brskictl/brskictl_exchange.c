/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "eap_brski/pki/cms.h"
#include "services/base/file.h"
#include "services/brskictl/brskictl_site.h"

/* brskictl export and import: requests out and answers in, where there is no way to MASA and PKI. */

static const char help_export[] =
	"Usage: brskictl export [options] FILE\n"
	"Writes the requests that wait for a MASA or the PKI to FILE, signed, for brski-courier(1).\n"
	"\n"
	"  -C, --config FILE        the server's configuration of rlm_brski: it tells what follows\n"
	"  -c, --certificate FILE   the registrar's certificate\n"
	"  -k, --private-key FILE   its key\n"
	"  -a, --ca FILE            trust anchors of the network\n"
	"  -u, --cmp-url URL        of the PKI\n";

static const char help_import[] =
	"Usage: brskictl import [options] FILE\n"
	"Brings in the answers that brski-courier(1) wrote, checking each as if it had come over the network.\n"
	"\n"
	"  -S, --courier FILE       certificates of couriers, or of the CA that issued them; default: courier.pem\n"
	"                           in the folder of the registrar's certificate\n"
	"  -C, -c, -k, -a, -u       as for 'brskictl export'\n"
	"\n"
	"Exit status: 0 every answer was taken or is there already, 1 some changed nothing, 2 wrong use.\n";

/* ---- export ---- */

static int write_bundle(const struct brskictl_site *site, const struct brski_bundle *bundle, const char *path)
{
	struct brski_buf file = {0};
	struct brski_error err = {0};
	enum brski_code code = brski_bundle_seal(bundle, &site->credential, &file, &err);

	if (code == BRSKI_OK)
		code = brski_file_write(path, brski_buf_span(&file), &err);
	brski_buf_free(&file);
	return code == BRSKI_OK ? 0 : brskictl_fail(&err);
}

static void print_counts(const struct brski_bundle *bundle, unsigned held, const char *path)
{
	unsigned n[3] = {0};

	for (size_t i = 0; i < bundle->n_items; i++)
		n[bundle->items[i].kind]++;
	printf("%s: %u requests for vouchers, %u for certificates, %u for vouchers ahead.\n", path,
		n[BRSKI_BUNDLE_VOUCHER], n[BRSKI_BUNDLE_CERTIFICATE], n[BRSKI_BUNDLE_NONCELESS]);
	if (held)
		printf("%u stay here: the policy does not want them to go out now.\n", held);
}

static int run_export(struct brskictl_site *site, struct brski_store *store, const char *path)
{
	struct brski_bundle bundle = {0};
	struct brski_error err = {0};
	unsigned held = 0;
	int status = brskictl_site_open(site, store);

	if (status)
		return status;
	if (brski_exchange_export(site->offline, &bundle, &held, &err) != BRSKI_OK)
		return brskictl_fail(&err);
	status = write_bundle(site, &bundle, path);
	if (!status)
		print_counts(&bundle, held, path);
	brski_bundle_free(&bundle);
	return status;
}

int brskictl_export(struct brski_store *store, int argc, char **argv)
{
	static const struct option options[] = {
		BRSKICTL_SITE_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct brskictl_site site = {0};
	int c, status;

	while ((c = getopt_long(argc, argv, BRSKICTL_SITE_SHORT "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help_export, stdout);
			return 0;
		}
		if (!brskictl_site_option(&site, c, optarg))
			return brskictl_usage("wrong option of 'export'");
	}
	if (argc - optind != 1)
		return brskictl_usage("'export' takes one FILE");
	status = run_export(&site, store, argv[optind]);
	brskictl_site_close(&site);
	return status;
}

/* ---- import ---- */

struct tally {
	unsigned n[BRSKI_IMPORT_WRONG + 1];
};

static void print_outcome(
	void *ctx, const struct brski_bundle_item *item, enum brski_import_outcome outcome, const char *why)
{
	static const char *const words[] = {
		[BRSKI_IMPORT_ANSWERED] = "answered",
		[BRSKI_IMPORT_REFUSED] = "refused",
		[BRSKI_IMPORT_GOES_ON] = "one step further, export again",
		[BRSKI_IMPORT_WAITS] = "no answer yet, nothing changed",
		[BRSKI_IMPORT_REPEATED] = "nothing changed",
		[BRSKI_IMPORT_WRONG] = "NOT TAKEN, nothing changed",
	};
	struct tally *tally = ctx;

	tally->n[outcome]++;
	printf("%s of %s: %s: %s%s%s\n", item->serial_number, item->manufacturer,
		brski_bundle_kind_name(item->kind), words[outcome], why[0] ? ": " : "", why);
}

/*
 * Whoever brings answers is trusted for what is not signed by MASA or PKI: the audit log, and words
 * of refusal.
 */
static enum brski_code check_courier(const struct brskictl_site *site, const char *courier,
	const STACK_OF(X509) *certs, struct brski_error *err)
{
	STACK_OF(X509) *anchors = NULL;
	char path[600];
	enum brski_code code;

	snprintf(path, sizeof(path), "%s/courier.pem", site->folder);
	code = brski_certs_load(courier ? courier : path, &anchors, err);
	if (code != BRSKI_OK)
		return brski_fail_context(err, "the couriers' certificates (--courier)");
	code = brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, brski_now(NULL), err);
	sk_X509_pop_free(anchors, X509_free);
	return code == BRSKI_OK ? code
				: brski_fail_context(err, "they are signed by no courier that is known");
}

static enum brski_code read_answers(const struct brskictl_site *site, const char *courier, const char *path,
	struct brski_bundle *out, struct brski_error *err)
{
	struct brski_buf file = {0};
	STACK_OF(X509) *certs = NULL;
	enum brski_code code = brski_file_read(path, BRSKI_CMS_DATA_MAX, &file, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_bundle_open(brski_buf_span(&file), true, out, &certs, err);
	brski_buf_free(&file);
	if (code == BRSKI_OK) {
		code = check_courier(site, courier, certs, err);
		if (code != BRSKI_OK)
			brski_bundle_free(out);
	}
	sk_X509_pop_free(certs, X509_free);
	return code == BRSKI_OK ? code : brski_fail_context(err, "nothing changed: %s", path);
}

static int run_import(
	struct brskictl_site *site, struct brski_store *store, const char *courier, const char *path)
{
	struct brski_bundle bundle = {0};
	struct brski_error err = {0};
	struct tally tally = {0};
	enum brski_code code;
	int status = brskictl_site_open(site, store);

	if (status)
		return status;
	code = read_answers(site, courier, path, &bundle, &err);
	if (code == BRSKI_OK) {
		code = brski_exchange_import(site->offline, &bundle, print_outcome, &tally, &err);
		if (code != BRSKI_OK)
			brski_fail_context(&err, "nothing changed: %s", path);
	}
	brski_bundle_free(&bundle);
	if (code != BRSKI_OK)
		return brskictl_fail(&err);
	return tally.n[BRSKI_IMPORT_WRONG] || tally.n[BRSKI_IMPORT_WAITS] ? 1 : 0;
}

int brskictl_import(struct brski_store *store, int argc, char **argv)
{
	static const struct option options[] = {BRSKICTL_SITE_OPTIONS,
		{"courier", required_argument, NULL, 'S'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	struct brskictl_site site = {0};
	const char *courier = NULL;
	int c, status;

	while ((c = getopt_long(argc, argv, BRSKICTL_SITE_SHORT "S:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help_import, stdout);
			return 0;
		}
		if (c == 'S')
			courier = optarg;
		else if (!brskictl_site_option(&site, c, optarg))
			return brskictl_usage("wrong option of 'import'");
	}
	if (argc - optind != 1)
		return brskictl_usage("'import' takes one FILE");
	status = run_import(&site, store, courier, argv[optind]);
	brskictl_site_close(&site);
	return status;
}
