/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_DOOR_SETTINGS_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_DOOR_SETTINGS_H

#include "services/base/daemon.h"
#include "services/registrar/config.h"

/* What an administrator sets of the HTTPS door. */
struct door_config {
	char *listen;
	long threads; /* 0: pool_threads_default() */
	long wait;    /* seconds that a request waits for MASA, PKI or disk */
	long max_connections;
	long max_connections_per_address;
	struct setting_list proxies; /* addresses that have the next one for a share */
	long max_connections_per_proxy;
	long max_connections_per_certificate;
	long max_requests_per_connection;
	long handshake_time; /* seconds: these three */
	long request_time;
	long idle_time;
	bool est;
	char *rules_server; /* "ADDRESS:PORT", or "none" */
	char *rules_secret_file;
	char *run_as; /* NULL: as whoever has started it */
	struct daemon_settings daemon;
};
/* Its rows, in the order of the configuration file: offsets are of struct door_config. */
extern const struct setting door_table[];

/* All of /etc/brski/registrar.conf: what every door has, and this door's own. */
struct door_settings {
	struct brski_config site;
	struct door_config door;
};
/*
 * Gives the zeroed *out the file's values, and their standards to the rest. The errors are
 * settings_read()'s and settings_check()'s, and name the file. door_settings_free() in any case.
 */
BRSKI_CHECKED enum brski_code door_settings_read(
	const char *path, struct door_settings *out, struct brski_error *err);
void door_settings_free(struct door_settings *settings);

#endif
