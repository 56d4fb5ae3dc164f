/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/est/est.h"
#include "eap_brski/pki/cms.h"
#include "eap_brski/registrar/registrar_internal.h"
#include "eap_brski/transport/http_accept.h"

/* What is there, and for whom. */

#define TELEMETRY_MAX 4096
#define CMP_BIT(type) (1u << (type))
#define CMP_FOLLOW_UPS (CMP_BIT(BRSKI_CMP_CERTCONF) | CMP_BIT(BRSKI_CMP_POLLREQ))
#define CMP_QUESTION (CMP_BIT(BRSKI_CMP_GENM) | CMP_BIT(BRSKI_CMP_POLLREQ))
#define CMP_NOTHING 0

/* One operation of RFC 9483 6.1, or any ("") */
#define CMP(the_label, types) \
	{ \
		.method = "POST", .path = BRSKI_PATH_CMP, .label = the_label, .media = BRSKI_MEDIA_CMP, \
		.produces = BRSKI_MEDIA_CMP, .body_max = BRSKI_CMP_MAX, \
		.handle = brski_registrar_handle_cmp, .cmp_types = types, \
	}

#define CERTS_ONLY "application/pkcs7-mime"
#define EST_BODY_MAX (2 * BRSKI_EST_PKCS10_MAX) /* base64, and white space */
#define EST_ENROLL(the_path) \
	{ \
		.method = "POST", .path = the_path, .media = BRSKI_MEDIA_PKCS10, .produces = CERTS_ONLY, \
		.body_max = EST_BODY_MAX, .handle = brski_registrar_handle_enroll, .est = true, \
	}
#define EST_NEVER(the_path) \
	{ \
		.method = "POST", .path = the_path, .body_max = EST_BODY_MAX, \
		.handle = brski_registrar_handle_unsupported, .est = true, .unsupported = true, \
	}

/*
 * RFC 8995 5, RFC 9483 6.1. certConf and pollReq go where their transaction began. Of two rows with one
 * path the second is for whoever would rather have what that produces.
 */
static const struct brski_registrar_endpoint endpoints[] = {
	{.method = "GET",
		.path = BRSKI_PATH_BRSKI,
		.produces = BRSKI_MEDIA_JSON,
		.open = brski_registrar_open_discovery},
	{.method = "GET",
		.path = BRSKI_PATH_BRSKI,
		.produces = BRSKI_MEDIA_LINKS,
		.open = brski_registrar_open_links,
		.has_address = true},
	{.method = "GET",
		.path = BRSKI_PATH_CORE,
		.produces = BRSKI_MEDIA_LINKS,
		.open = brski_registrar_open_links,
		.has_address = true,
		.has_query = true},
	{.method = "POST",
		.path = BRSKI_PATH_REQUESTVOUCHER,
		.media = BRSKI_MEDIA_VOUCHER,
		.produces = BRSKI_MEDIA_VOUCHER,
		.body_max = BRSKI_CMS_MAX,
		.handle = brski_registrar_handle_voucher_request},
	{.method = "POST",
		.path = BRSKI_PATH_VOUCHER_STATUS,
		.media = BRSKI_MEDIA_JSON,
		.body_max = TELEMETRY_MAX,
		.handle = brski_registrar_handle_voucher_status,
		.telemetry = true},
	{.method = "POST",
		.path = BRSKI_PATH_ENROLLSTATUS,
		.media = BRSKI_MEDIA_JSON,
		.body_max = TELEMETRY_MAX,
		.handle = brski_registrar_handle_enroll_status,
		.telemetry = true},
	CMP("", CMP_BIT(BRSKI_CMP_IR) | CMP_BIT(BRSKI_CMP_P10CR) | CMP_FOLLOW_UPS | CMP_QUESTION),
	CMP("initialization", CMP_BIT(BRSKI_CMP_IR) | CMP_FOLLOW_UPS),
	CMP("pkcs10", CMP_BIT(BRSKI_CMP_P10CR) | CMP_FOLLOW_UPS),
	CMP("getcacerts", CMP_QUESTION),
	CMP("getcertreqtemplate", CMP_QUESTION),
	CMP("getrootupdate", CMP_QUESTION),
	CMP("getcrls", CMP_QUESTION),
	/* not for a pledge: they are answered in CMP, and so */
	CMP("certification", CMP_NOTHING),
	CMP("keyupdate", CMP_NOTHING),
	CMP("revocation", CMP_NOTHING),
	CMP("nested", CMP_NOTHING),
	/* RFC 7030 3.2.2 */
	{.method = "GET",
		.path = BRSKI_PATH_EST_CACERTS,
		.produces = CERTS_ONLY,
		.open = brski_registrar_open_cacerts,
		.est = true},
	{.method = "GET",
		.path = BRSKI_PATH_EST_CSRATTRS,
		.produces = BRSKI_MEDIA_CSRATTRS,
		.open = brski_registrar_open_csrattrs,
		.est = true},
	EST_ENROLL(BRSKI_PATH_EST_SIMPLEENROLL),
	EST_ENROLL(BRSKI_PATH_EST_SIMPLEREENROLL),
	EST_NEVER(BRSKI_PATH_EST_FULLCMC),
	EST_NEVER(BRSKI_PATH_EST_SERVERKEYGEN),
};
#define N_ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

/* ---- One request ---- */

/* RFC 9811 3.6: NAME in "/.well-known/cmp/p/NAME" is a PKI's affair; there is one here. */
static bool is_at(const struct brski_registrar_endpoint *e, const char *path)
{
	const char *label;
	size_t len = e->has_query ? strcspn(path, "?") : strlen(path);

	if (brski_cmp_path(path, &label))
		return e->label && strcmp(e->label, label) == 0;
	return strlen(e->path) == len && memcmp(e->path, path, len) == 0;
}

static bool is_served(const struct brski_registrar_endpoint *e, const struct brski_http *request, bool est)
{
	bool has_address = request->authority && request->authority[0] != '\0';

	return (est || !e->est) && (has_address || !e->has_address);
}

const struct brski_registrar_endpoint *brski_registrar_endpoint_find(
	const struct brski_http *request, bool est)
{
	const struct brski_registrar_endpoint *first = NULL;

	for (size_t i = 0; i < N_ENDPOINTS; i++) {
		const struct brski_registrar_endpoint *e = &endpoints[i];

		if (!is_at(e, request->path) || !is_served(e, request, est))
			continue;
		if (brski_http_accepts(request, e->produces))
			return e;
		first = first ? first : e;
	}
	return first;
}

unsigned brski_registrar_endpoint_misfit(
	const struct brski_registrar_endpoint *endpoint, const struct brski_http *request, const char **words)
{
	if (!endpoint)
		return *words = "no such path here", 404;
	if (!request->method || strcmp(request->method, endpoint->method) != 0)
		return *words = "method not allowed here", 405;
	if (request->body.len > endpoint->body_max)
		return *words = "request too large", 413;
	if (brski_http_is_coded(request))
		return *words = "no content coding is undone here", 415;
	if (endpoint->media && !brski_http_is_type(request, endpoint->media))
		return *words = "unsupported media type", 415;
	if (!brski_http_accepts(request, endpoint->produces))
		return *words = "none of the accepted media types can be made", 406;
	return 0;
}

enum brski_code brski_registrar_answer_misfit(const struct brski_registrar_endpoint *endpoint,
	unsigned status, const char *words, struct brski_http *response, struct brski_error *err)
{
	enum brski_code code = brski_http_reply_text(response, status, words, err);

	if (code == BRSKI_OK && status == 405)
		code = brski_http_set(response, "allow", endpoint->method, err);
	if (code == BRSKI_OK && status == 415) /* RFC 9110 15.5.16 */
		code = brski_http_set(response, "accept-encoding", "identity", err);
	return code;
}

/* ---- All of them ---- */

const struct brski_registrar_endpoint *brski_registrar_endpoint(size_t i)
{
	return i < N_ENDPOINTS ? &endpoints[i] : NULL;
}

json_t *brski_registrar_endpoint_list(bool est)
{
	json_t *list = json_array();

	for (size_t i = 0; i < N_ENDPOINTS; i++) {
		const struct brski_registrar_endpoint *e = &endpoints[i];

		if (e->has_address || e->unsupported || (e->est && !est))
			continue;
		if (e->label && e->label[0] && e->cmp_types != CMP_NOTHING)
			json_array_append_new(list, json_sprintf("%s/%s", e->path, e->label));
		else if (!e->label || !e->label[0])
			json_array_append_new(list, json_string(e->path));
	}
	return list;
}
