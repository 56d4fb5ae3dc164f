/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <jansson.h>

#include "eap_brski/artifacts/paths.h"
#include "eap_brski/ground/json.h"
#include "eap_brski/registrar/registrar_internal.h"

/* GET /.well-known/brski, GET /.well-known/core: what is here, for whoever asks. */

/* RFC 8995 5: GET of BRSKI's own path tells what is here. */
enum brski_code brski_registrar_open_discovery(BRSKI_REGISTRAR_OPEN_PARAMS)
{
	struct brski_buf text = {0};
	enum brski_code code;
	json_t *json, *enrollment = json_pack(est ? "[s, s]" : "[s]", "cmp", "est");

	(void)r;
	(void)device;
	(void)request;
	json = json_pack("{s:[s], s:o, s:o}", "voucher", BRSKI_MEDIA_VOUCHER, "enrollment", enrollment,
		"endpoints", brski_registrar_endpoint_list(est));
	if (!json)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	code = brski_json_print(json, &text, err);
	json_decref(json);
	if (code == BRSKI_OK)
		code = brski_http_response(response, 200, BRSKI_MEDIA_JSON, brski_buf_span(&text), err);
	brski_buf_free(&text);
	return code;
}

/* RFC 3986 3.2, as far as it has no user and stands between "<" and ">" as it is. */
static bool is_authority(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~:[]%") ==
	       strlen(text);
}

/*
 * What this address offers, as a registrar and as a join proxy (draft-ietf-anima-brski-discovery, CoRE
 * link format of RFC 6690): a pledge that is on IP comes here without a proxy. The address is the one
 * that the client has used, for no other is known to lead here.
 */
static void put_link(struct brski_buf *text, const char *authority, const char *service, bool est)
{
	brski_put_str(text, "<https://");
	brski_put_str(text, authority);
	brski_put_str(text, ">;rt=");
	brski_put_str(text, service);
	/* RRM with vouchers in CMS is what both names stand for; "EST-TLS" is RFC 8995's own */
	brski_put_str(text, est ? ";var=\"est-tls cmp\"" : ";var=\"cmp\"");
}

/* RFC 6690 4.1: who does not filter ignores the query. */
enum brski_code brski_registrar_open_links(BRSKI_REGISTRAR_OPEN_PARAMS)
{
	struct brski_buf text = {0};
	enum brski_code code;

	(void)r;
	(void)device;
	if (!is_authority(request->authority))
		return brski_http_reply_text(response, 400, "no such host here", err);
	put_link(&text, request->authority, "brski.rs", est);
	brski_put_str(&text, ",");
	put_link(&text, request->authority, "brski.jp", est);
	if (text.failed)
		code = brski_fail(err, BRSKI_NO_MEMORY, "no memory");
	else
		code = brski_http_response(response, 200, BRSKI_MEDIA_LINKS, brski_buf_span(&text), err);
	brski_buf_free(&text);
	return code;
}
