/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa_admin_internal.h"
#include "services/masa/masa_options_internal.h"

/* What brski-masa can be told; the settings are in masa_options.c. */

static const struct command commands[] = {
	{"serve", DAEMON_SERVE, "", NULL,
		"listen tls-key tls-cert sign-key sign-cert idevid-anchors require-proximity min-interval "
		"nonceless-lifetime max-connections max-connections-per-address proxies timeout",
		"tls-key tls-cert sign-key sign-cert", "Answers registrars by HTTPS, until it is stopped.\n"},
	{"device add", MASA_DEVICE_ADD, "SERIAL", NULL, "owner no-owner idevid", NULL,
		"Adds a device, which may get vouchers from now on.\n"},
	{"device list", MASA_DEVICE_LIST, "", NULL, "json", NULL, "Lists the devices.\n"},
	{"device remove", MASA_DEVICE_REMOVE, "SERIAL", NULL, NULL, NULL,
		"Removes a device that has had no voucher.\n"},
	{"device block", MASA_DEVICE_BLOCK, "SERIAL", NULL, NULL, NULL, "Gives a device no vouchers.\n"},
	{"device unblock", MASA_DEVICE_UNBLOCK, "SERIAL", NULL, NULL, NULL, "Gives it vouchers again.\n"},
	{"owner add", MASA_OWNER_ADD, "NAME", NULL, "cert", "cert",
		"Adds an owner of devices, by its domain's certificate.\n"},
	{"owner list", MASA_OWNER_LIST, "", NULL, "json", NULL, "Lists the owners.\n"},
	{"owner remove", MASA_OWNER_REMOVE, "NAME", NULL, NULL, NULL, "Removes an owner without devices.\n"},
	{"log", MASA_LOG, "", NULL, "serial most json", NULL,
		"Tells who asked for what, and what the answer was.\n"},
	{0},
};

const struct program masa_program = {
	.name = "brski-masa",
	.about = "The manufacturer's voucher service of BRSKI (RFC 8995).\n",
	.commands = commands,
	.settings = masa_table,
	.more = "Exit status: 0 done, 1 it could not be done, 2 wrong use.\n",
};
