/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/courier/courier_internal.h"

/* What brski-courier can be told. */

static const struct command_option options[] = {
	{"certificate", 'c', "FILE",
		"this courier's certificate (PEM file or URI); the registrar\nmust know it"},
	{"private-key", 'k', "FILE", "its key: signs the answers"},
	{"registrar", 'r', "FILE",
		"certificate of the registrar, or of its CA: requests of\nothers are not taken"},
	{"cmp-url", 'u', "URL", "where the PKI is from here, if it is not where the\nregistrar has it"},
	{"masa-hosts", 'm', "HOSTS",
		"where else than at its own host a MASA's audit log may be:\nHOST[:PORT],..."},
	{"proxy", 'p', "URL", "an HTTP proxy; those of the environment are not used"},
	{"timeout", 't', "SECONDS", "for one call (default: 30)"},
	{0},
};

static const struct command commands[] = {
	{"", 0, "REQUESTS ANSWERS", options, NULL, NULL,
		"Takes the requests that 'brskictl export' wrote to the MASAs and the PKI that they are for, and\n"
		"writes the answers for 'brskictl import'. A certificate and its key are needed.\n"},
	{0},
};

const struct program courier_program = {
	.name = "brski-courier",
	.about = "",
	.commands = commands,
	.more = "Exit status: 0 every request has an answer, 1 it could not be done, 2 wrong use, 3 some have "
		"none.\n",
};
