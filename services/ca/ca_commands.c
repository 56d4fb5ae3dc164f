/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/ca/ca_admin_internal.h"
#include "services/ca/ca_options_internal.h"

/* What brski-ca can be told; the settings are in ca_options.c. */

#define ISSUE "out subject key-type ca-key ca-cert"

static const struct command commands[] = {
	{"init", CA_INIT, "[DIR]", NULL, "subject key-type intermediate cmp-signer", "subject",
		"Makes a CA in a folder.\n"},
	{"issue-registrar", CA_ISSUE_REGISTRAR, "[DIR]", NULL, ISSUE " san days", "subject out",
		"Makes key and certificate of a registrar.\n"},
	{"issue-server", CA_ISSUE_SERVER, "[DIR]", NULL, ISSUE " san days", "subject out",
		"Makes key and certificate of a TLS or RADIUS server.\n"},
	{"issue-masa", CA_ISSUE_MASA, "[DIR]", NULL, ISSUE " san days", "subject out",
		"Makes key and certificate that sign vouchers.\n"},
	{"issue-idevid", CA_ISSUE_IDEVID, "[DIR]", NULL, ISSUE " serial-number masa-url", "serial-number out",
		"Makes key and certificate of a device, as its maker does.\n"},
	{"serve", DAEMON_SERVE, "[DIR]", NULL,
		"listen db ca-key ca-cert cmp-key cmp-cert tls-key tls-cert ra-anchors ra-cert idevid-anchors "
		"trust-ra client-anchors days copy-san implicit-confirm ca-pubs confirm-wait max-connections "
		"max-connections-per-address proxies timeout",
		NULL, "Answers CMP requests by HTTP, until it is stopped.\n"},
	{"list", CA_LIST, "[DIR]", NULL, "db json", NULL,
		"Lists the certificates that it has issued by CMP.\n"},
	{0},
};

const struct program ca_program = {
	.name = "brski-ca",
	.about =
		"A demonstration CA that speaks CMP (RFC 9483) over HTTP.\n"
		"It is for trying things out: no revocation lists, keys in files. A site's own CA takes its place.\n",
	.commands = commands,
	.settings = ca_table,
	.more = "DIR, where the CA is, may also be given with --dir.\n"
		"Exit status: 0 done, 1 it could not be done, 2 wrong use.\n",
};
