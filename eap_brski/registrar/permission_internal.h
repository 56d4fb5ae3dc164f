/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_REGISTRAR_PERMISSION_INTERNAL_H
#define BRSKI_REGISTRAR_PERMISSION_INTERNAL_H

#include "eap_brski/registrar/registrar_internal.h"

/*
 * What a device may, once it was given a voucher: ask for a certificate, have one confirmed, report that
 * it is onboarded, in this order. Each of these uses up the one before it, each ends with time, and all
 * of it ends with the first refusal. A voucher is good for one certificate, and a certificate for one
 * report of success; whoever wants more needs a new voucher, and with it the MASA's word of today.
 */

enum brski_permission_cause {
	BRSKI_PERMISSION_GOT_VOUCHER,
	BRSKI_PERMISSION_LET_IN,          /* without a voucher, as the operator wants it */
	BRSKI_PERMISSION_ASKS_TO_CONFIRM, /* one of its transactions: no other one from now on */
	BRSKI_PERMISSION_IS_CONFIRMED,    /* certConf was answered by pkiConf, or ip confirms by itself */
	BRSKI_PERMISSION_REPORTS,
	BRSKI_PERMISSION_FALLS,
};
struct brski_permission_move {
	enum brski_permission_state from;
	enum brski_permission_cause cause;
	enum brski_permission_state to;
};
/* For those who draw it; NULL behind its end. It begins with BRSKI_PERMISSION_VOUCHER. */
const struct brski_permission_move *brski_permission_move(size_t i);
const char *brski_permission_state_name(enum brski_permission_state state);
const char *brski_permission_cause_name(enum brski_permission_cause cause);

/* What a device wants to do with it. */
enum brski_permission_use {
	BRSKI_PERMISSION_BEGIN,   /* a request to the PKI that no transaction was open for */
	BRSKI_PERMISSION_GO_ON,   /* with a transaction */
	BRSKI_PERMISSION_CONFIRM, /* ask the PKI to confirm the transaction's certificate */
	BRSKI_PERMISSION_HAVE,    /* be told that it is confirmed */
	BRSKI_PERMISSION_REPORT,  /* success: RFC 8995 5.9.4 */
};
#define BRSKI_PERMISSION_WHY 160

/*
 * why[] is "" if it may now; else the reason in words for the operator. transaction: the transactionID;
 * of no matter to BEGIN and REPORT. Changes nothing. An error is our own trouble.
 */
BRSKI_CHECKED enum brski_code brski_permission_ask(struct brski_registrar *r,
	const struct brski_device *device, enum brski_permission_use use, struct brski_span transaction,
	char why[BRSKI_PERMISSION_WHY], struct brski_error *err);
/*
 * The same, and it is used: stored before this returns, and of several at one time, in other threads or
 * servers, one gets through. To use it again in the same way for the same transaction is allowed, since
 * the answer may have been lost.
 */
BRSKI_CHECKED enum brski_code brski_permission_use(struct brski_registrar *r,
	const struct brski_device *device, enum brski_permission_use use, struct brski_span transaction,
	char why[BRSKI_PERMISSION_WHY], struct brski_error *err);
/*
 * A request by EST that no transaction is open for: as BRSKI_PERMISSION_BEGIN; and where the registrar is
 * set so, a device that is listed, and from which nothing was taken back, is let in without a voucher. That
 * is used as a voucher is, for one certificate and its report, and not by CMP. *without: this is such
 * a device.
 */
BRSKI_CHECKED enum brski_code brski_permission_begin_est(struct brski_registrar *r,
	const struct brski_device *device, bool *without, char why[BRSKI_PERMISSION_WHY],
	struct brski_error *err);
/*
 * The voucher that this stored job has brought goes to the device. The same voucher again gives nothing
 * new. BRSKI_NOT_FOUND: a refusal has come between, and taken the job with it. All else is our own
 * trouble.
 */
BRSKI_CHECKED enum brski_code brski_permission_give(struct brski_registrar *r,
	const struct brski_device *device, const char *voucher, struct brski_error *err);
/*
 * Somebody has refused the device. With it go the answers to its voucher-requests that are kept, so that
 * a repeat of one of them asks the MASA anew. BRSKI_OK also if there is none.
 */
BRSKI_CHECKED enum brski_code brski_permission_take_back(
	struct brski_registrar *r, const struct brski_device *device, struct brski_error *err);

#endif
