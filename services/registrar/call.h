/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_CALL_H
#define BRSKI_SERVICES_REGISTRAR_CALL_H

#include "eap_brski/registrar/registrar.h"
#include "services/base/http_client.h"

/*
 * Starts what a job wants called, as http_client_call() does: what *call points to must stay until
 * `done`. An audit log may have BRSKI_AUDIT_LOG_MAX octets, other answers what the client is set to.
 * BRSKI_UNSUPPORTED: a MASA by anything but https (RFC 8995 5.4).
 */
BRSKI_CHECKED enum brski_code brski_call_start(struct http_client *client, const struct brski_call *call,
	http_client_done *done, void *ctx, struct brski_error *err);

#endif
