/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar_https/door_settings.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define ANY 0, 0
#define TEXT(name)   #name, SETTING_TEXT, offsetof(struct door_config, name), ANY
#define LIST(name)   #name, SETTING_LIST, offsetof(struct door_config, name), ANY
#define FLAG(name)   #name, SETTING_FLAG, offsetof(struct door_config, name), ANY
#define NUMBER(name) #name, SETTING_NUMBER, offsetof(struct door_config, name)
#define DAEMON(name) offsetof(struct door_config, daemon.name), ANY

const struct setting door_table[] = {
	{TEXT(listen), "[::]:8443", true, "ADDRESS:PORT", "where to listen"},
	{NUMBER(threads), 0, 1024, "0", false, "N", "that work on requests; 0: as many as processors, but two"},
	{NUMBER(wait), 0, 600, "10", false, "SECONDS", "that a request waits for MASA or PKI before it is told to come back"},
	{NUMBER(max_connections), 1, 100000, "4096", false, "N", "at one time"},
	{NUMBER(max_connections_per_address), 0, 100000, "64", false, "N", "of one IPv4 address, or of one IPv6 network of /64; 0: three quarters of all"},
	{LIST(proxies), NULL, false, "ADDRESS", "of a proxy that many devices come through"},
	{NUMBER(max_connections_per_proxy), 0, 100000, "1024", false, "N", "the same of one of these"},
	{NUMBER(max_connections_per_certificate), 0, 100000, "8", false, "N", "of one client certificate; 0: not bounded"},
	{NUMBER(max_requests_per_connection), 0, 1000000, "100", false, "N", "after which it is closed; 0: not bounded"},
	{NUMBER(handshake_time), 1, 600, "15", false, "SECONDS", "for a whole TLS handshake"},
	{NUMBER(request_time), 1, 600, "30", false, "SECONDS", "for a whole request, from its first octet"},
	{NUMBER(idle_time), 1, 3600, "60", false, "SECONDS", "between two requests"},
	{FLAG(est), "yes", false, NULL, "serve EST (RFC 7030), too"},
	{TEXT(rules_server), NULL, false, "ADDRESS:PORT", "the FreeRADIUS server that has the administrator's rules, or none"},
	{TEXT(rules_secret_file), "/etc/brski/rules.secret", false, "FILE", "the secret shared with it"},
	{TEXT(run_as), NULL, false, "USER", "that root becomes"},
	{"log", SETTING_TEXT, DAEMON(log), NULL, false, "FILE", "append the log to it; without: standard error"},
	{"pid_file", SETTING_TEXT, DAEMON(pid_file), NULL, false, "FILE", "write the process id to it"},
	{"verbose", SETTING_FLAG, DAEMON(verbose), "no", false, NULL, "log details"},
	{0},
};
/* clang-format on */

static size_t count(const struct setting *table)
{
	size_t n = 0;

	while (table[n].name)
		n++;
	return n;
}

static void add(struct setting *to, const struct setting *from, size_t n, size_t base)
{
	memcpy(to, from, n * sizeof(*to));
	for (size_t i = 0; i < n; i++)
		to[i].offset += base;
}

/* Both tables as one, of struct door_settings. NULL: no memory. */
static struct setting *whole_table(void)
{
	size_t n_site = count(brski_settings), n_door = count(door_table);
	struct setting *whole = calloc(n_site + n_door + 1, sizeof(*whole));

	if (!whole)
		return NULL;
	add(whole, brski_settings, n_site, offsetof(struct door_settings, site));
	add(whole + n_site, door_table, n_door, offsetof(struct door_settings, door));
	return whole;
}

enum brski_code door_settings_read(const char *path, struct door_settings *out, struct brski_error *err)
{
	struct setting *table = whole_table();
	enum brski_code code;

	if (!table)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for settings");
	code = settings_standard(table, out, err);
	if (code == BRSKI_OK)
		code = settings_read(table, out, path, err);
	if (code == BRSKI_OK) {
		code = settings_check(table, out, err);
		if (code != BRSKI_OK)
			(void)brski_fail_context(err, code, "%s", path);
	}
	free(table);
	return code;
}

void door_settings_free(struct door_settings *settings)
{
	settings_free(brski_settings, &settings->site);
	settings_free(door_table, &settings->door);
}
