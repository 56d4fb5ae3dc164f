/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa_admin_internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "eap_brski/ground/text.h"
#include "eap_brski/pki/idevid_issuer.h"
#include "services/masa/masa_json_internal.h"
#include "services/masa/masa_options_internal.h"

/* What a command works on. */
struct admin {
	const struct masa_settings *settings;
	struct masa_store *store;
	const char *name; /* NULL: the command takes none */
};
typedef enum brski_code command(const struct admin *admin, struct brski_error *err);

static enum brski_code copy_name(
	const char *what, const char *from, char *to, size_t size, struct brski_error *err)
{
	if (strlen(from) >= size)
		return brski_fail(err, BRSKI_TOO_LARGE, "%s \"%s\" is too long", what, from);
	memcpy(to, from, strlen(from) + 1);
	return BRSKI_OK;
}

/*
 * The serial number and the issuer are read from the certificate, if one is given: it must fit the
 * number typed.
 */
static enum brski_code read_idevid(const char *uri, struct masa_device *device, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	char serial[BRSKI_SERIAL_MAX];
	enum brski_code code = daemon_certs("--idevid", uri, &certs, err);

	if (code != BRSKI_OK)
		return code;
	code = brski_cert_serial_number(sk_X509_value(certs, 0), serial, err);
	if (code == BRSKI_OK && strcmp(serial, device->serial_number) != 0)
		code = brski_fail(err, BRSKI_MISMATCH, "%s is the certificate of device %s", uri, serial);
	if (code == BRSKI_OK)
		code = brski_idevid_issuer(sk_X509_value(certs, 0), &device->idevid_issuer, err);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

/* Of a serial number and issuer as they are typed. *out has the id 0 if there is none yet. */
static enum brski_code known_device(const struct admin *admin, const struct masa_device *typed,
	struct masa_device *out, struct brski_error *err)
{
	enum brski_code code = masa_device_get(
		admin->store, typed->serial_number, brski_buf_span(&typed->idevid_issuer), out, err);

	if (code == BRSKI_UNEXPECTED)
		return brski_fail(err, code,
			"several devices have the serial number \"%s\": say with --idevid which one is meant",
			typed->serial_number);
	return code == BRSKI_NOT_FOUND ? BRSKI_OK : code;
}

/* What is not typed stays as it was: nobody who adds a device again means to take it from its owner. */
static void keep_the_rest(
	const struct masa_settings *settings, const struct masa_device *was, struct masa_device *device)
{
	device->id = was->id;
	device->blocked = was->blocked;
	if (!settings->owner && !settings->no_owner)
		memcpy(device->owner, was->owner, sizeof(device->owner));
}

static void print_owner_of(const char *before, const char *owner)
{
	printf("%s%s%s", before, owner[0] ? "owner " : "no owner", owner);
}

static void print_added(const struct masa_device *was, const struct masa_device *device)
{
	if (!was->id) {
		printf("device %s added", device->serial_number);
		if (device->owner[0])
			print_owner_of(", ", device->owner);
	} else {
		printf("device %s is in the list already", device->serial_number);
		print_owner_of(": ", device->owner);
		if (strcmp(was->owner, device->owner) != 0) {
			print_owner_of(" (it had ", was->owner);
			fputs(")", stdout);
		}
		if (device->blocked)
			fputs("; it is blocked, until 'device unblock'", stdout);
	}
	puts("");
}

static enum brski_code type_device(
	const struct admin *admin, struct masa_device *device, struct brski_error *err)
{
	const struct masa_settings *settings = admin->settings;
	enum brski_code code = copy_name(
		"serial number", admin->name, device->serial_number, sizeof(device->serial_number), err);

	if (code == BRSKI_OK && settings->owner && settings->no_owner)
		code = daemon_wrong_use(err, "--owner or --no-owner, not both");
	if (code == BRSKI_OK && settings->owner)
		code = copy_name("owner", settings->owner, device->owner, sizeof(device->owner), err);
	if (code == BRSKI_OK && settings->idevid)
		code = read_idevid(settings->idevid, device, err);
	return code;
}

static enum brski_code device_add(const struct admin *admin, struct brski_error *err)
{
	struct masa_device device = {.added = brski_now(daemon_env())}, was = {0};
	enum brski_code code = type_device(admin, &device, err);

	if (code == BRSKI_OK)
		code = known_device(admin, &device, &was, err);
	if (code == BRSKI_OK) {
		keep_the_rest(admin->settings, &was, &device);
		if (device.idevid_issuer.len == 0)
			code = brski_buf_set(&device.idevid_issuer, brski_buf_span(&was.idevid_issuer));
	}
	if (code == BRSKI_OK)
		code = masa_device_put(admin->store, &device, err);
	if (code == BRSKI_OK)
		print_added(&was, &device);
	masa_device_free(&was);
	masa_device_free(&device);
	return code;
}

static enum brski_code set_blocked(const struct admin *admin, bool blocked, struct brski_error *err)
{
	struct masa_device device;
	enum brski_code code =
		masa_device_get(admin->store, admin->name, (struct brski_span){0}, &device, err);

	if (code != BRSKI_OK)
		return code;
	device.blocked = blocked;
	code = masa_device_put(admin->store, &device, err);
	if (code == BRSKI_OK)
		printf("device %s %s\n", admin->name, blocked ? "blocked: no vouchers" : "unblocked");
	masa_device_free(&device);
	return code;
}

static enum brski_code device_block(const struct admin *admin, struct brski_error *err)
{
	return set_blocked(admin, true, err);
}

static enum brski_code device_unblock(const struct admin *admin, struct brski_error *err)
{
	return set_blocked(admin, false, err);
}

static enum brski_code device_remove(const struct admin *admin, struct brski_error *err)
{
	enum brski_code code = masa_device_remove(admin->store, admin->name, err);

	if (code == BRSKI_UNEXPECTED)
		return brski_fail(err, code,
			"device %s has had vouchers: its audit log is kept; block it instead", admin->name);
	if (code == BRSKI_OK)
		printf("device %s removed\n", admin->name);
	return code;
}

static void print_device(void *ctx, const struct masa_device *device)
{
	char issuer[2 * 64 + 1] = "";

	(void)ctx;
	brski_hex(brski_buf_span(&device->idevid_issuer), issuer, sizeof(issuer));
	printf("%-24s %-16s %-8s %s\n", device->serial_number, device->owner[0] ? device->owner : "-",
		device->blocked ? "blocked" : "active", issuer[0] ? issuer : "-");
}

static void json_device(void *ctx, const struct masa_device *device)
{
	listing_row(ctx, masa_json_device(device));
}

static enum brski_code device_list(const struct admin *admin, struct brski_error *err)
{
	struct listing json = {.name = "devices"};

	if (admin->settings->json)
		return listing_end(&json, masa_devices(admin->store, json_device, &json, err), NULL, err);
	printf("%-24s %-16s %-8s %s\n", "SERIAL", "OWNER", "STATE", "IDEVID-ISSUER");
	return masa_devices(admin->store, print_device, NULL, err);
}

static void print_owner_added(const char *name, X509 *was, X509 *cert)
{
	char fingerprint[BRSKI_FINGERPRINT_MAX];

	if (!was) {
		printf("owner %s added\n", name);
	} else if (X509_cmp(was, cert) == 0) {
		printf("owner %s is known already, with this certificate\n", name);
	} else {
		brski_cert_fingerprint(was, fingerprint);
		printf("owner %s has this certificate now; it had %s\n", name, fingerprint);
	}
}

static enum brski_code put_owner(const struct admin *admin, X509 *cert, struct brski_error *err)
{
	struct masa_owner was = {0};
	enum brski_code code = masa_owner_get(admin->store, admin->name, &was, err);

	if (code == BRSKI_OK || code == BRSKI_NOT_FOUND)
		code = masa_owner_put(admin->store, admin->name, cert, err);
	if (code == BRSKI_OK)
		print_owner_added(admin->name, was.domain_cert, cert);
	masa_owner_free(&was);
	return code;
}

static enum brski_code owner_add(const struct admin *admin, struct brski_error *err)
{
	STACK_OF(X509) *certs = NULL;
	enum brski_code code;

	code = daemon_certs("--cert", admin->settings->cert, &certs, err);
	if (code == BRSKI_OK)
		code = put_owner(admin, sk_X509_value(certs, 0), err);
	sk_X509_pop_free(certs, X509_free);
	return code;
}

static enum brski_code owner_remove(const struct admin *admin, struct brski_error *err)
{
	enum brski_code code = masa_owner_remove(admin->store, admin->name, err);

	if (code == BRSKI_UNEXPECTED)
		return brski_fail(err, code, "owner %s has devices", admin->name);
	if (code == BRSKI_OK)
		printf("owner %s removed\n", admin->name);
	return code;
}

static void print_owner(void *ctx, const struct masa_owner *owner)
{
	char fingerprint[BRSKI_FINGERPRINT_MAX];
	char subject[128];

	(void)ctx;
	brski_cert_fingerprint(owner->domain_cert, fingerprint);
	brski_name_text(X509_get_subject_name(owner->domain_cert), subject, sizeof(subject));
	printf("%-16s %s %s\n", owner->name, fingerprint, subject);
}

static void json_owner(void *ctx, const struct masa_owner *owner)
{
	listing_row(ctx, masa_json_owner(owner));
}

static enum brski_code owner_list(const struct admin *admin, struct brski_error *err)
{
	struct listing json = {.name = "owners"};

	if (admin->settings->json)
		return listing_end(&json, masa_owners(admin->store, json_owner, &json, err), NULL, err);
	return masa_owners(admin->store, print_owner, NULL, err);
}

static void print_seen(void *ctx, const struct masa_seen *seen)
{
	char at[32];

	(void)ctx;
	brski_time_format(seen->at, at);
	printf("%s %-9s %u %-16s %-20s %s: %s\n", at, seen->what, seen->status, seen->peer,
		seen->serial_number[0] ? seen->serial_number : "-",
		seen->registrar[0] ? seen->registrar : "-", seen->detail);
}

static void json_seen(void *ctx, const struct masa_seen *seen)
{
	listing_row(ctx, masa_json_seen(seen));
}

static enum brski_code show_log(const struct admin *admin, struct brski_error *err)
{
	struct listing json = {.name = "requests"};
	bool as_json = admin->settings->json;
	enum brski_code code = masa_seen_list(admin->store, admin->settings->serial, admin->settings->most,
		as_json ? json_seen : print_seen, &json, err);

	return as_json ? listing_end(&json, code, NULL, err) : code;
}

static command *const commands[MASA_COMMANDS] = {
	[MASA_DEVICE_ADD] = device_add,
	[MASA_DEVICE_LIST] = device_list,
	[MASA_DEVICE_REMOVE] = device_remove,
	[MASA_DEVICE_BLOCK] = device_block,
	[MASA_DEVICE_UNBLOCK] = device_unblock,
	[MASA_OWNER_ADD] = owner_add,
	[MASA_OWNER_LIST] = owner_list,
	[MASA_OWNER_REMOVE] = owner_remove,
	[MASA_LOG] = show_log,
};

/* A database that is made by the way is told: one in another folder was meant, perhaps. */
enum brski_code masa_admin(void *settings, const struct command_line *line, struct brski_error *err)
{
	struct admin admin = {.settings = settings, .name = line->n_operands ? line->operands[0] : NULL};
	const char *database = admin.settings->db;
	bool was_there = access(database, F_OK) == 0;
	enum brski_code code = masa_store_open(database, &admin.store, err);

	if (code == BRSKI_OK && !was_there)
		fprintf(stderr, "brski-masa: there was no database %s: this is a new one\n", database);
	if (code == BRSKI_OK)
		code = commands[line->command->id](&admin, err);
	masa_store_close(admin.store);
	return code;
}
