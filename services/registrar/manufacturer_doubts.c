/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/manufacturer_doubts.h"

#include <stdarg.h>
#include <stdio.h>

#include <openssl/err.h>

#include "eap_brski/pki/cert.h"

struct doubts {
	const STACK_OF(X509) *anchors;
	time_t now;
	brski_doubt *say;
	void *ctx;
};

static void tell(const struct doubts *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void tell(const struct doubts *d, const char *fmt, ...)
{
	char words[400];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(words, sizeof(words), fmt, args) > 0)
		d->say(d->ctx, words);
	va_end(args);
}

static void judge_anchor(const struct doubts *d, const X509 *anchor)
{
	struct brski_error err;

	if (brski_cert_dates(anchor, d->now, &err) != BRSKI_OK)
		tell(d, "an anchor is out of date, so no device below it gets in: %s", err.why);
}

static bool is_before(const ASN1_TIME *a, time_t now)
{
	return a && X509_cmp_time(a, &now) < 0;
}

static void judge_dates(const struct doubts *d, const X509_CRL *crl, const char *issuer)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

	if (is_before(next, d->now))
		tell(d, "the CRL of %s has expired, so none of the devices that it issued gets in", issuer);
	else if (!is_before(X509_CRL_get0_lastUpdate(crl), d->now + 1))
		tell(d, "the CRL of %s is not yet valid, so none of the devices that it issued gets in",
			issuer);
}

/* The anchor of that name, whose key has signed it if there is one. */
static X509 *find_issuer(const struct doubts *d, X509_CRL *crl, bool *is_signed)
{
	X509 *found = NULL;

	*is_signed = false;
	for (int i = 0; !*is_signed && i < sk_X509_num(d->anchors); i++) {
		X509 *anchor = sk_X509_value(d->anchors, i);

		if (X509_NAME_cmp(X509_get_subject_name(anchor), X509_CRL_get_issuer(crl)) != 0)
			continue;
		found = anchor;
		*is_signed = X509_get0_pubkey(anchor) && X509_CRL_verify(crl, X509_get0_pubkey(anchor)) == 1;
	}
	ERR_clear_error();
	return found;
}

/* True: it is one of an anchor's. */
static bool judge_crl(const struct doubts *d, X509_CRL *crl)
{
	char issuer[160];
	bool is_signed;
	const X509 *anchor = find_issuer(d, crl, &is_signed);

	brski_name_text(X509_CRL_get_issuer(crl), issuer, sizeof(issuer));
	judge_dates(d, crl, issuer);
	if (anchor && !is_signed)
		tell(d, "the CRL with the name of %s is signed by somebody else", issuer);
	return anchor != NULL;
}

void brski_manufacturer_doubts(const STACK_OF(X509) *anchors, const STACK_OF(X509_CRL) *crls, time_t now,
	brski_doubt *say, void *ctx)
{
	const struct doubts d = {anchors, now, say, ctx};
	bool of_anchor = false;

	for (int i = 0; i < sk_X509_num(anchors); i++)
		judge_anchor(&d, sk_X509_value(anchors, i));
	for (int i = 0; i < sk_X509_CRL_num(crls); i++)
		of_anchor = judge_crl(&d, sk_X509_CRL_value(crls, i)) || of_anchor;
	if (sk_X509_CRL_num(crls) > 0 && !of_anchor)
		tell(&d,
			"no CRL is of a CA among the anchors: of devices, the CRL of the CA is needed that issued "
			"them");
}
