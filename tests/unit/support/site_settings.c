/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/site_settings.h"

#include <stdarg.h>
#include <stdio.h>

#include "tests/unit/support/files.h"

static struct brski_error err;

void site_set(struct brski_config *settings, const char *name, const char *fmt, ...)
{
	char value[128];
	va_list args;

	va_start(args, fmt);
	ck_assert_int_lt(vsnprintf(value, sizeof(value), fmt, args), (int)sizeof(value));
	va_end(args);
	EXPECT(BRSKI_OK, settings_set(settings_find(brski_settings, name), settings, value, &err));
}

void site_set_all(
	struct brski_config *settings, const struct site_web *web, const char *folder, const char *database)
{
	EXPECT(BRSKI_OK, settings_standard(brski_settings, settings, &err));
	site_set(settings, "certificate_file", "%s/cert.pem", folder);
	site_set(settings, "private_key_file", "%s/key.pem", folder);
	site_set(settings, "ca_file", "%s/ca.pem", folder);
	site_set(settings, "database", "%s", database);
	site_set(settings, "cmp_url", "%s", web->cmp_url);
	site_set(settings, "retry_interval_min", "1");
	site_set(settings, "retry_interval_max", "1");
	EXPECT(BRSKI_OK, settings_check(brski_settings, settings, &err));
}

void site_put_acme(struct brski_store *store, const struct site *site, enum brski_mode mode, bool audit_log)
{
	struct brski_store_manufacturer m = {
		.name = "acme", .mode = mode, .check_voucher = true, .audit_log = audit_log};

	snprintf(m.masa_url, sizeof(m.masa_url), "%s", site->masa_url);
	EXPECT(BRSKI_OK, brski_certs_to_pem(site->maker_anchors, &m.idevid_anchors, &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(site->masa_anchors, &m.voucher_anchors, &err));
	EXPECT(BRSKI_OK, brski_certs_to_pem(site->masa_anchors, &m.tls_anchors, &err));
	EXPECT(BRSKI_OK, brski_store_manufacturer_put(store, &m, &err));
	brski_store_manufacturer_free(&m);
}
