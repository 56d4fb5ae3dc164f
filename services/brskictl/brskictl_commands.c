/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl.h"
#include "services/brskictl/brskictl_site.h"

/* What brskictl can be told; the functions that do it are in the other files. */

#define END \
	{ \
		0 \
	}

#define JSON \
	{ \
		"json", BRSKICTL_JSON, NULL, "one JSON document; docs/json.md tells its fields" \
	}

static const struct command_option everywhere[] = {
	{"database", 'd', "FILE",
		"default: $BRSKI_DATABASE, else what the server's\nconfiguration says, else " BRSKICTL_DATABASE},
	{"config", 'C', "FILE",
		"the server's configuration; default: FreeRADIUS's, of\nrlm_brski, /etc/freeradius/3.0/mods-enabled/brski, else\nbrski-registrar's, /etc/brski/registrar.conf"},
	END,
};

static const struct command_option listing[] = {JSON, END};

/* Of `add` and of `set`. */
#define MANUFACTURER_OPTIONS \
	{"masa-url", BRSKICTL_MASA_URL, "URL", \
		"https://HOST[:PORT][/PATH] of its MASA; default: what the\nIDevID itself says"}, \
		{"voucher-anchors", BRSKICTL_VOUCHER_ANCHORS, "FILE", \
			"CA certificates that its vouchers verify to; default:\n--anchors"}, \
		{"masa-tls-ca", BRSKICTL_MASA_TLS_CA, "FILE", \
			"CA certificates for the MASA's HTTPS; default: the system's"}, \
		{"crl", BRSKICTL_CRL, "FILE", "CRLs of the IDevID CA: devices on them are refused"}, \
		{"mode", BRSKICTL_MODE, "MODE", \
			"inventory: listed devices only (default)\n" \
			"manual: listed devices; others wait for 'brskictl accept'\nor 'refuse'\n" \
			"manufacturer: every device of this manufacturer\n" \
			"type: listed devices, and those that fit a 'brskictl type'\n" \
			"open: no check at all"}, \
		{"allow-foreign-domains", BRSKICTL_FOREIGN, NULL, \
			"accept a device whose audit log names other owners\n(second-hand goods)"}, \
		{"allow-nonceless", BRSKICTL_NONCELESS, NULL, \
			"accept a device to which others hold a voucher without\nnonce"}, \
		{"no-audit-log", BRSKICTL_NO_AUDIT, NULL, "do not ask the MASA for the audit log"}, \
		{"no-voucher-check", BRSKICTL_NO_CHECK, NULL, \
			"hand vouchers on without looking at them; the device\njudges them anyway"}, \
	{ \
		"force", BRSKICTL_FORCE, NULL, \
			"also if another manufacturer has one of the anchors; of\ntheir devices the stricter mode " \
			"decides then" \
	}

static const struct command_option manufacturer_add[] = {
	{"anchors", BRSKICTL_ANCHORS, "FILE",
		"CA certificates that its devices' IDevIDs verify to (required)"},
	MANUFACTURER_OPTIONS,
	END,
};

static const struct command_option manufacturer_set[] = {
	{"anchors", BRSKICTL_ANCHORS, "FILE", "CA certificates that its devices' IDevIDs verify to"},
	MANUFACTURER_OPTIONS,
	{"clear", BRSKICTL_CLEAR, "OPTION",
		"back to its default: --clear crl, --clear no-audit-log ...;\nseveral times for several"},
	END,
};

static const struct command_option device_add[] = {
	{"file", 'f', "FILE", "CSV, 'SERIAL[,NOTE]' a line; '-' is standard input"},
	END,
};

static const struct command_option history[] = {
	{"number", 'n', "NUMBER", "so many events, the last ones (default: 50)"},
	JSON,
	END,
};

static const struct command_option voucher_fetch[] = {
	{"file", 'f', "FILE", "a delivery note, as for 'brskictl device add --file'; '-' is\nstandard input"},
	{"idevid", 'i', "FILE",
		"certificate of a device of the same issuer, for its\nAuthorityKeyIdentifier; needed if the "
		"manufacturer has\nseveral CAs"},
	{"offline", 'o', NULL, "do not call the MASA: the requests go out with the next\n'brskictl export'"},
	BRSKICTL_SITE_OPTIONS,
	END,
};

static const struct command_option export[] = {BRSKICTL_SITE_OPTIONS, END};

static const struct command_option import[] = {
	{"courier", 'S', "FILE",
		"certificates of couriers, or of the CA that issued them;\ndefault: courier.pem in the folder "
		"of the registrar's\ncertificate"},
	BRSKICTL_SITE_OPTIONS,
	END,
};

static const struct command commands[] = {
	{"init", BRSKICTL_INIT, "", NULL, NULL, NULL, "Makes the database.\n"},
	{"manufacturer add", BRSKICTL_MANUFACTURER_ADD, "NAME", manufacturer_add, NULL, NULL,
		"Adds a manufacturer.\n"
		"Files are PEM and are copied into the database.\n"},
	{"manufacturer set", BRSKICTL_MANUFACTURER_SET, "NAME", manufacturer_set, NULL, NULL,
		"Changes what is named of a manufacturer, and tells what has changed.\n"
		"What is not named stays. Files are PEM and are copied into the database.\n"},
	{"manufacturer list", BRSKICTL_MANUFACTURER_LIST, "", listing, NULL, NULL,
		"Lists the manufacturers.\n"},
	{"manufacturer show", BRSKICTL_MANUFACTURER_SHOW, "NAME", listing, NULL, NULL,
		"Shows what is known of a manufacturer.\n"},
	{"manufacturer remove", BRSKICTL_MANUFACTURER_REMOVE, "NAME", NULL, NULL, NULL,
		"Removes a manufacturer and its devices.\n"},
	{"device add", BRSKICTL_DEVICE_ADD, "MANUFACTURER [SERIAL [NOTE]]", device_add, NULL, NULL,
		"Adds a device to the inventory, or all that a file names.\n"},
	{"device list", BRSKICTL_DEVICE_LIST, "[MANUFACTURER]", listing, NULL, NULL,
		"Lists the inventory.\n"},
	{"device remove", BRSKICTL_DEVICE_REMOVE, "MANUFACTURER SERIAL", NULL, NULL, NULL,
		"Takes a device out of the inventory.\n"},
	{"pending", BRSKICTL_PENDING, "", listing, NULL, NULL,
		"Lists devices that wait for your word, and whom you refused.\n"
		"They are those of manufacturers in mode 'manual'.\n"},
	{"accept", BRSKICTL_ACCEPT, "MANUFACTURER SERIAL [NOTE]", NULL, NULL, NULL,
		"Lets a device in that waits, or was refused.\n"},
	{"refuse", BRSKICTL_REFUSE, "MANUFACTURER SERIAL [NOTE]", NULL, NULL, NULL,
		"Keeps a device out, for good.\n"},
	{"type add", BRSKICTL_TYPE_ADD, "MANUFACTURER PATTERN", NULL, NULL, NULL,
		"Lets devices in that fit a pattern, in mode 'type'.\n"
		"It is matched with the subject of the IDevID as a shell matches file names: '*,CN=Sensor,O=Acme';\n"
		"behind oid:, with its hardware type.\n"},
	{"type list", BRSKICTL_TYPE_LIST, "[MANUFACTURER]", listing, NULL, NULL, "Lists the patterns.\n"},
	{"type remove", BRSKICTL_TYPE_REMOVE, "MANUFACTURER PATTERN", NULL, NULL, NULL,
		"Removes a pattern.\n"},
	{"rules list", BRSKICTL_RULES_LIST, "", listing, NULL, NULL,
		"Lists doors of the registrar that have rules of your own.\n"
		"They are servers whose rlm_brski has a virtual_server, which told so when they started.\n"},
	{"rules forget", BRSKICTL_RULES_FORGET, "DOOR", NULL, NULL, NULL,
		"Forgets the rules of a door that is gone.\n"
		"One that is not gone tells of them again when it starts.\n"},
	{"history", BRSKICTL_HISTORY, "[SERIAL]", history, NULL, NULL,
		"Tells what happened, oldest first.\n"},
	{"queue", BRSKICTL_QUEUE, "", listing, NULL, NULL,
		"Lists requests that wait for a MASA or the PKI, and since when.\n"},
	{"voucher fetch", BRSKICTL_VOUCHER_FETCH, "MANUFACTURER [SERIAL...]", voucher_fetch, NULL, NULL,
		"Fetches vouchers for when the MASA is away.\n"
		"They have no nonce; MASAs give them to a device's registered owner.\n"},
	{"voucher list", BRSKICTL_VOUCHER_LIST, "[MANUFACTURER]", listing, NULL, NULL,
		"Lists vouchers that were fetched ahead.\n"},
	{"voucher remove", BRSKICTL_VOUCHER_REMOVE, "MANUFACTURER SERIAL", NULL, NULL, NULL,
		"Removes such a voucher.\n"},
	{"export", BRSKICTL_EXPORT, "FILE", export, NULL, NULL,
		"Writes the requests that wait to a file, for brski-courier(1).\n"},
	{"import", BRSKICTL_IMPORT, "FILE", import, NULL, NULL,
		"Brings in the answers that brski-courier(1) wrote.\n"
		"Each is checked as if it had come over the network.\n"
		"Exit status: 0 every answer was taken or is there already, 1 some changed nothing, 2 wrong use.\n"},
	{0},
};

const struct program brskictl_program = {
	.name = "brskictl",
	.about =
		"Manages what the EAP-BRSKI registrar in FreeRADIUS knows. Changes take effect at once, without a "
		"restart.\n",
	.commands = commands,
	.options = everywhere,
	.more = "Exit status: 0 done, 1 it could not be done, 2 wrong use.\n",
};
