/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_MANUFACTURER_DOUBTS_H
#define BRSKI_SERVICES_REGISTRAR_MANUFACTURER_DOUBTS_H

#include <time.h>

#include <openssl/x509.h>

typedef void brski_doubt(void *ctx, const char *words); /* which are borrowed */
/*
 * What is no error of a manufacturer, since it may be meant so or pass, and yet keeps its devices out:
 * an anchor that is out of date; a CRL that is, or that has the name of an anchor and another signature;
 * CRLs of no anchor at all, with which devices that an anchor has issued are refused. anchors: of IDevIDs;
 * either may be NULL.
 */
void brski_manufacturer_doubts(const STACK_OF(X509) *anchors, const STACK_OF(X509_CRL) *crls, time_t now,
	brski_doubt *say, void *ctx);

#endif
