/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

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

static void print_counts(const struct brski_admin_exported *n, const char *path)
{
	printf("%s: %u requests for vouchers, %u for certificates, %u for vouchers ahead.\n", path,
		n->vouchers, n->certificates, n->nonceless);
	if (n->held)
		printf("%u stay here: the policy does not want them to go out now.\n", n->held);
}

static int run_export(const struct brskictl_site *site, struct brski_admin *admin, const char *path)
{
	struct brski_admin_exported exported;
	struct brski_buf file = {0};
	struct brski_error err = {0};
	enum brski_code code;
	int status = brskictl_site_load(site, admin);

	if (status)
		return status;
	code = brski_admin_export(admin, &file, &exported, &err);
	if (code == BRSKI_OK)
		code = brski_file_write(path, brski_buf_span(&file), &err);
	brski_buf_free(&file);
	if (code != BRSKI_OK)
		return brskictl_fail(&err);
	print_counts(&exported, path);
	return 0;
}

int brskictl_export(struct brski_admin *admin, int argc, char **argv)
{
	static const struct option options[] = {
		BRSKICTL_SITE_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct brskictl_site site = {0};
	int c;

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
	return run_export(&site, admin, argv[optind]);
}

/* ---- import ---- */

struct tally {
	unsigned n[BRSKI_ADMIN_OUTCOMES];
};

static void print_outcome(void *ctx, const struct brski_admin_imported *answer)
{
	static const char *const words[] = {
		[BRSKI_ADMIN_ANSWERED] = "answered",
		[BRSKI_ADMIN_REFUSED] = "refused",
		[BRSKI_ADMIN_GOES_ON] = "one step further, export again",
		[BRSKI_ADMIN_WAITS] = "no answer yet, nothing changed",
		[BRSKI_ADMIN_REPEATED] = "nothing changed",
		[BRSKI_ADMIN_WRONG] = "NOT TAKEN, nothing changed",
	};
	struct tally *tally = ctx;

	tally->n[answer->outcome]++;
	printf("%s of %s: %s: %s%s%s\n", answer->serial_number, answer->manufacturer, answer->kind,
		words[answer->outcome], answer->why[0] ? ": " : "", answer->why);
}

static int run_import(
	const struct brskictl_site *site, struct brski_admin *admin, const char *courier, const char *path)
{
	struct brski_buf file = {0};
	struct brski_error err = {0};
	struct tally tally = {0};
	enum brski_code code;
	int status = brskictl_site_load(site, admin);

	if (status)
		return status;
	code = brski_file_read(path, BRSKI_ADMIN_FILE_MAX, &file, &err);
	if (code == BRSKI_OK) {
		code = brski_admin_import(admin, brski_buf_span(&file), courier, print_outcome, &tally, &err);
		if (code != BRSKI_OK)
			brski_fail_context(&err, code, "nothing changed: %s", path);
	}
	brski_buf_free(&file);
	if (code != BRSKI_OK)
		return brskictl_fail(&err);
	return tally.n[BRSKI_ADMIN_WRONG] || tally.n[BRSKI_ADMIN_WAITS] ? 1 : 0;
}

int brskictl_import(struct brski_admin *admin, int argc, char **argv)
{
	static const struct option options[] = {BRSKICTL_SITE_OPTIONS,
		{"courier", required_argument, NULL, 'S'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	struct brskictl_site site = {0};
	const char *courier = NULL;
	int c;

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
	return run_import(&site, admin, courier, argv[optind]);
}
