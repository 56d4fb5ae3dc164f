/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/masa/masa_json_internal.h"

#include "eap_brski/ground/text.h"
#include "eap_brski/pki/cert.h"

json_t *masa_json_device(const struct masa_device *d)
{
	char issuer[2 * 64 + 1] = "";

	brski_hex(brski_buf_span(&d->idevid_issuer), issuer, sizeof(issuer));
	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "serial_number", listing_text(d->serial_number),
		"owner", listing_text(d->owner), "state", d->blocked ? "blocked" : "active", "idevid_issuer",
		listing_text(issuer), "added", listing_time(d->added));
}

json_t *masa_json_owner(const struct masa_owner *o)
{
	char fingerprint[BRSKI_FINGERPRINT_MAX], subject[256];

	brski_cert_fingerprint(o->domain_cert, fingerprint);
	brski_name_text(X509_get_subject_name(o->domain_cert), subject, sizeof(subject));
	return json_pack("{s:o, s:s, s:o}", "name", listing_text(o->name), "fingerprint", fingerprint,
		"subject", listing_text(subject));
}

json_t *masa_json_seen(const struct masa_seen *s)
{
	return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "at", listing_time(s->at), "what",
		listing_text(s->what), "status", (json_int_t)s->status, "peer", listing_text(s->peer),
		"serial_number", listing_text(s->serial_number), "registrar", listing_text(s->registrar),
		"detail", listing_text(s->detail));
}
