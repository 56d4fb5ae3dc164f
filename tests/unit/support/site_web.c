/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/site_web.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support/files.h"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "site, web: %s\n", what);
	abort();
}

static void on_masa(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	struct site_web *web = ctx;
	struct brski_call call = {.back_end = "MASA", .request = &request->http};
	struct brski_http answer = {0};

	call.tls_anchors = web->site->masa_anchors;
	call.client = request->client[0] ? &web->site->registrar_cred : NULL;
	snprintf(call.url, sizeof(call.url), "https://masa%s", request->http.path);
	if (site_masa(web->site, &call, &answer))
		web_say(raw, &answer);
	brski_http_free(&answer);
}

static void on_ca(void *ctx, const struct web_request *request, struct brski_buf *raw)
{
	struct site_web *web = ctx;
	struct brski_call call = {.back_end = "PKI", .request = &request->http};
	struct brski_http answer = {0};

	snprintf(web->ca_path, sizeof(web->ca_path), "%s", request->http.path);
	snprintf(call.url, sizeof(call.url), "%s", web->cmp_url);
	if (site_ca(web->site, &call, &answer))
		web_say(raw, &answer);
	brski_http_free(&answer);
}

void site_web_start(struct site_web *web, struct site *site)
{
	web->site = site;
	web->masa_tls = pki_make(
		&(struct pki_spec){.subject = "CN=localhost", .san = "DNS:localhost"}, &site->masa_root);
	web_start(&web->masa, &web->masa_tls, on_masa, web);
	web_start(&web->ca, NULL, on_ca, web);
	snprintf(web->masa_url, sizeof(web->masa_url), "https://localhost:%d", web->masa.port);
	snprintf(web->cmp_url, sizeof(web->cmp_url), "http://127.0.0.1:%d/cmp", web->ca.port);
	site->masa_url = web->masa_url;
	site->config.cmp_url = web->cmp_url;
}

void site_web_ca_tls(struct site_web *web, const struct brski_credential *issuer)
{
	pki_free(&web->ca_tls);
	web->ca_tls = pki_make(
		&(struct pki_spec){.subject = "CN=localhost", .san = "DNS:localhost", .eku = "serverAuth"},
		issuer);
	web_stop(&web->ca);
	web_start(&web->ca, &web->ca_tls, on_ca, web);
	snprintf(web->cmp_url, sizeof(web->cmp_url), "https://localhost:%d/cmp", web->ca.port);
}

void site_web_stop(struct site_web *web)
{
	web_stop(&web->masa);
	web_stop(&web->ca);
	pki_free(&web->masa_tls);
	pki_free(&web->ca_tls);
}

void site_write_files(const struct site *site, const struct brski_credential *registrar, const char *folder)
{
	STACK_OF(X509) *chain = pki_certs(registrar, NULL);
	struct brski_buf key = {0};
	char path[128];

	snprintf(path, sizeof(path), "%s/cert.pem", folder);
	file_write_certs(path, chain);
	snprintf(path, sizeof(path), "%s/ca.pem", folder);
	file_write_certs(path, site->domain_anchors);
	snprintf(path, sizeof(path), "%s/key.pem", folder);
	must(brski_key_to_pem(registrar->key, &key, NULL) == BRSKI_OK, "key");
	file_write(path, brski_buf_span(&key));
	brski_buf_free(&key);
	pki_free_certs(chain);
}
