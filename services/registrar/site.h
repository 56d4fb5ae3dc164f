/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_SITE_H
#define BRSKI_SERVICES_REGISTRAR_SITE_H

#include "services/registrar/config.h"
#include "services/registrar/worker.h"

/*
 * One registrar, put together: credential, store, policy, the registrar role, and the worker that
 * calls MASA and PKI. A door makes one, asks it for the role and the worker, and brings devices to
 * them; it needs to know none of the other parts.
 */
struct brski_site;

struct brski_site_config {
	const struct brski_config *settings; /* needed by brski_site_new only */
	bool check_only;                     /* look at everything and serve nothing: no worker */
	/*
	 * What a door wants done every minute, in the worker's thread: returns how many sessions it holds.
	 * May be NULL.
	 */
	unsigned (*housekeeping)(void *ctx);
	void *housekeeping_ctx;
	const struct brski_env *env; /* borrowed */
};

/*
 * BRSKI_UNSUPPORTED, BRSKI_UNTRUSTED and others: says what to do about a setting that will not do,
 * and about a credential that cannot be a registrar's (RFC 8995 5.5.4). What is odd but no obstacle
 * goes to the log. The worker runs when this returns, and housekeeping may come before that.
 */
BRSKI_CHECKED enum brski_code brski_site_new(
	const struct brski_site_config *config, struct brski_site **out, struct brski_error *err);
/*
 * Ends the worker's thread: no call and no housekeeping comes any more, and no job may be submitted.
 * The door's tickets and sessions may still be given back.
 */
void brski_site_stop(struct brski_site *site);
/* No session and no ticket may be left. Stops first, if that has not been done. NULL is allowed. */
void brski_site_free(struct brski_site *site);

/* The site's own, as long as it lives. */
struct brski_registrar *brski_site_registrar(const struct brski_site *site);
/*
 * Opened with keep_later: what a door answers after work in the registrar role waits for its mark
 * (services/registrar/store.h, "What is kept").
 */
struct brski_store *brski_site_store(const struct brski_site *site);
/* NULL with check_only. */
struct brski_worker *brski_site_worker(const struct brski_site *site);

#endif
