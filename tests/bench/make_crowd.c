/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Makes thousands of devices, or of requests for vouchers that wait, in seconds. The certificates are
 * whole, and so are the requests: signed by the device, brought to a registrar that has this store, and
 * stored by it. Only the devices' keys are one and the same where nobody looks at them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/artifacts/voucher_request.h"
#include "services/registrar/site.h"
#include "tests/unit/support/pki.h"

static const char usage[] =
	"usage: make-crowd devices CA-CERTIFICATE CA-KEY MASA-URL PREFIX COUNT FOLDER\n"
	"       make-crowd requests CA-CERTIFICATE CA-KEY MASA-URL PREFIX COUNT DATABASE REGISTRAR DOMAIN-CA\n"
	"\n"
	"devices: FOLDER gets an IDevID, PREFIX-00001.pem and .key, for each device.\n"
	"requests: the DATABASE gets a request for a voucher of each device, as if it had asked the REGISTRAR (a\n"
	"certificate; its key is in the file of the same name that ends in .key).\n"
	"\n"
	"The serial numbers are written to standard output, one a line.\n";

struct crowd {
	struct brski_credential ca;
	const char *masa_url;
	const char *prefix;
	unsigned count;
};

static void need(bool ok, const char *what, const struct brski_error *err)
{
	if (ok)
		return;
	fprintf(stderr, "make-crowd: %s%s%s\n", what, err ? ": " : "", err ? err->why : "");
	exit(1);
}

static struct brski_credential make_device(
	const struct crowd *crowd, unsigned i, EVP_PKEY *key, char serial[64])
{
	char subject[128];
	struct pki_spec spec = {.subject = subject, .key = key, .masa_url = crowd->masa_url};

	snprintf(serial, 64, "%s-%05u", crowd->prefix, i);
	snprintf(subject, sizeof(subject), "O=Acme,CN=Acme Sensor,serialNumber=%s", serial);
	return pki_make(&spec, &crowd->ca);
}

/* ---- Devices ---- */

static void write_file(const char *folder, const char *name, const char *ending, const struct brski_buf *pem)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, ending);
	file = fopen(path, "w");
	need(file && fwrite(pem->data, 1, pem->len, file) == pem->len && fclose(file) == 0, path, NULL);
}

static void write_device(const char *folder, const char *serial, const struct brski_credential *device)
{
	STACK_OF(X509) *certs = pki_certs(device, NULL);
	struct brski_buf pem = {0};
	struct brski_error err = {0};

	need(brski_certs_to_pem(certs, &pem, &err) == BRSKI_OK, "certificate", &err);
	write_file(folder, serial, ".pem", &pem);
	brski_buf_free(&pem);
	need(brski_key_to_pem(device->key, &pem, &err) == BRSKI_OK, "key", &err);
	write_file(folder, serial, ".key", &pem);
	brski_buf_free(&pem);
	pki_free_certs(certs);
}

static void make_devices(const struct crowd *crowd, const char *folder)
{
	char serial[64];

	need(mkdir(folder, 0755) == 0 || errno == EEXIST, folder, NULL);
	for (unsigned i = 1; i <= crowd->count; i++) {
		struct brski_credential device = make_device(crowd, i, NULL, serial);

		write_device(folder, serial, &device);
		pki_free(&device);
		puts(serial);
	}
}

/* ---- Requests ---- */

static void set(struct brski_config *config, const char *name, const char *value)
{
	struct brski_error err = {0};

	need(settings_set(settings_find(brski_settings, name), config, value, &err) == BRSKI_OK, name, &err);
}

static struct brski_site *open_site(struct brski_config *config, char **argv)
{
	const struct brski_site_config site_config = {.settings = config, .check_only = true};
	struct brski_error err = {0};
	struct brski_site *site;
	char key[512];

	snprintf(key, sizeof(key), "%.*s.key", (int)strlen(argv[1]) - 4, argv[1]);
	need(settings_standard(brski_settings, config, &err) == BRSKI_OK, "settings", &err);
	set(config, "database", argv[0]);
	set(config, "certificate_file", argv[1]);
	set(config, "private_key_file", key);
	set(config, "ca_file", argv[2]);
	set(config, "cmp_url", "http://127.0.0.1:9/.well-known/cmp");
	set(config, "max_waiting", "1000000");
	need(brski_site_new(&site_config, &site, &err) == BRSKI_OK, "registrar", &err);
	return site;
}

static void ask(
	struct brski_registrar *registrar, const struct brski_credential *device, struct brski_span body)
{
	STACK_OF(X509) *chain = pki_certs(device, NULL);
	struct brski_registrar_session *session;
	struct brski_http request = {0}, response = {0};
	struct brski_job *job = NULL;
	struct brski_error err = {0};

	need(brski_registrar_session_new(registrar, chain, "bench", &session, &err) == BRSKI_OK, "device",
		&err);
	need(brski_http_request(&request, "POST", BRSKI_PATH_REQUESTVOUCHER, BRSKI_MEDIA_VOUCHER, body,
		     &err) == BRSKI_OK,
		"request", &err);
	need(brski_registrar_request(session, &request, &response, &job, &err) == BRSKI_OK, "registrar",
		&err);
	need(job != NULL, brski_registrar_session_reason(session), NULL);
	brski_job_free(job);
	brski_http_free(&request);
	brski_http_free(&response);
	brski_registrar_session_free(session);
	pki_free_certs(chain);
}

static void make_request(
	const struct crowd *crowd, struct brski_registrar *registrar, unsigned i, EVP_PKEY *key)
{
	uint8_t nonce[BRSKI_NONCE_LEN];
	struct brski_buf cms = {0};
	struct brski_error err = {0};
	char serial[64];
	struct brski_credential device = make_device(crowd, i, key, serial);

	need(brski_random(NULL, nonce, sizeof(nonce), &err) == BRSKI_OK, "nonce", &err);
	need(brski_voucher_request_pledge(&device, brski_registrar_credential(registrar)->cert,
		     brski_span(nonce, sizeof(nonce)), time(NULL), &cms, &err) == BRSKI_OK,
		"voucher-request", &err);
	ask(registrar, &device, brski_buf_span(&cms));
	brski_buf_free(&cms);
	pki_free(&device);
	puts(serial);
}

static void make_requests(const struct crowd *crowd, char **argv)
{
	struct brski_config config = {0};
	struct brski_site *site = open_site(&config, argv);
	EVP_PKEY *key = pki_key("P-256");

	for (unsigned i = 1; i <= crowd->count; i++)
		make_request(crowd, brski_site_registrar(site), i, key);
	EVP_PKEY_free(key);
	brski_site_free(site);
	settings_free(brski_settings, &config);
}

int main(int argc, char **argv)
{
	struct crowd crowd = {0};
	struct brski_error err = {0};
	bool requests = argc == 10 && strcmp(argv[1], "requests") == 0;

	if (!requests && (argc != 8 || strcmp(argv[1], "devices") != 0)) {
		fputs(usage, stderr);
		return 2;
	}
	need(brski_credential_load(argv[3], NULL, argv[2], &crowd.ca, &err) == BRSKI_OK, argv[2], &err);
	crowd.masa_url = argv[4];
	crowd.prefix = argv[5];
	crowd.count = (unsigned)atoi(argv[6]);
	if (requests)
		make_requests(&crowd, argv + 7);
	else
		make_devices(&crowd, argv[7]);
	brski_credential_free(&crowd.ca);
	return 0;
}
