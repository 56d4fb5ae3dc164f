/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */

/**
 * @file rlm_brski_policy.c
 * @brief Runs the virtual server that the administrator named, on a request that describes the device.
 */
#include <freeradius/radiusd.h>
#include <freeradius/modules.h>
#include <freeradius/rad_assert.h>

#include "eap_brski/ground/text.h"
#include "radius_module/rlm_brski_policy.h"
#include "services/registrar/rules_question.h"

/*
 *	It lives in the server's executable, so the linker cannot find it, and need not.
 */
extern rlm_rcode_t process_authorize(int type, REQUEST *request) __attribute__((weak));

int brski_unlang_check(CONF_SECTION *cs, char const *server)
{
	CONF_SECTION *found = cf_section_sub_find_name2(cf_top_section(cs), "server", server);

	if (!found) {
		cf_log_err_cs(cs, "virtual_server: there is no virtual server \"%s\"", server);
		return -1;
	}
	if (!cf_section_sub_find(found, "authorize")) {
		cf_log_err_cs(cs, "virtual_server: virtual server \"%s\" has no \"authorize\" section", server);
		return -1;
	}
	if (!process_authorize) {
		cf_log_err_cs(cs, "virtual_server: this server's executable has no process_authorize()");
		return -1;
	}
	return 0;
}

/* ---- The request that describes the device ---- */

/*
 *	The text as it is: fr_pair_make() would take a backslash of RFC 2253 for its own.
 */
static VALUE_PAIR *add_text(REQUEST *fake, char const *name, char const *text)
{
	VALUE_PAIR *vp;

	if (!text[0]) return NULL;
	vp = fr_pair_make(fake->packet, &fake->packet->vps, name, NULL, T_OP_EQ);
	if (vp) fr_pair_value_strcpy(vp, text);
	return vp;
}

/*
 *	NAS, port, station and whatever else the access point or switch said; not the conversation itself, nor another door's question.
 */
static void copy_request(REQUEST *fake, REQUEST *request)
{
	VALUE_PAIR **vps = &fake->packet->vps;
	unsigned int number;

	*vps = fr_pair_list_copy(fake->packet, request->packet->vps);
	fr_pair_delete_by_num(vps, PW_EAP_MESSAGE, 0, TAG_ANY);
	fr_pair_delete_by_num(vps, PW_MESSAGE_AUTHENTICATOR, 0, TAG_ANY);
	fr_pair_delete_by_num(vps, PW_STATE, 0, TAG_ANY);
	fr_pair_delete_by_num(vps, PW_USER_NAME, 0, TAG_ANY);
	for (number = BRSKI_RULES_IDEVID; number <= BRSKI_RULES_RETRY_AFTER; number++) {
		fr_pair_delete_by_num(vps, number, BRSKI_RULES_VENDOR, TAG_ANY);
	}
}

static void describe_device(REQUEST *fake, struct brski_device const *device, struct brski_manufacturer const *m,
			    char const *why, char const *door)
{
	char text[1024];

	fake->username = add_text(fake, "User-Name", device->serial_number);
	add_text(fake, "Brski-Serial-Number", device->serial_number);
	add_text(fake, "Brski-Manufacturer", device->manufacturer);
	add_text(fake, "Brski-Fingerprint", device->fingerprint);
	brski_name_text(X509_get_subject_name(device->idevid), text, sizeof(text));
	add_text(fake, "Brski-IDevID-Subject", text);
	brski_name_text(X509_get_issuer_name(device->idevid), text, sizeof(text));
	add_text(fake, "Brski-Issuer", text);
	if (brski_cert_hardware_type(device->idevid, text, NULL) == BRSKI_OK) add_text(fake, "Brski-Hardware-Type", text);
	add_text(fake, "Brski-Mode", brski_mode_name(m->mode));
	add_text(fake, "Brski-Reason", why);
	add_text(fake, "Brski-Door", door);
}

/* ---- What it decided ---- */

static VALUE_PAIR *find_control(REQUEST *fake, char const *name)
{
	DICT_ATTR const *da = dict_attrbyname(name);
	VALUE_PAIR *vp;

	if (!da) return NULL;
	vp = fr_pair_find_by_da(fake->config, da, TAG_ANY);
	return vp ? vp : fr_pair_find_by_da(fake->reply->vps, da, TAG_ANY);
}

/*
 *	Silence is no consent: whoever is to come in must be accepted.
 */
static enum brski_decision by_rcode(rlm_rcode_t rcode)
{
	switch (rcode) {
	case RLM_MODULE_OK:
	case RLM_MODULE_UPDATED:
		return BRSKI_ACCEPT;
	case RLM_MODULE_FAIL:	/* a database is away: not the device's fault, so not for good */
	case RLM_MODULE_INVALID:
	case RLM_MODULE_HANDLED:
		return BRSKI_DEFER;
	default:
		return BRSKI_REFUSE;
	}
}

static enum brski_decision read_decision(REQUEST *fake, rlm_rcode_t rcode, char why[256])
{
	VALUE_PAIR *vp = find_control(fake, "Brski-Decision");

	if (vp) {
		snprintf(why, 256, "Brski-Decision is %.200s", vp->vp_strvalue);
		if (strcasecmp(vp->vp_strvalue, "accept") == 0) return BRSKI_ACCEPT;
		if (strcasecmp(vp->vp_strvalue, "defer") == 0) return BRSKI_DEFER;
		return BRSKI_REFUSE;
	}
	vp = fr_pair_find_by_num(fake->config, PW_AUTH_TYPE, 0, TAG_ANY);
	if (vp && (vp->vp_integer == PW_AUTH_TYPE_REJECT)) {
		snprintf(why, 256, "Auth-Type is Reject");
		return BRSKI_REFUSE;
	}
	if (vp && (vp->vp_integer == PW_AUTH_TYPE_ACCEPT) && (by_rcode(rcode) != BRSKI_DEFER) &&
	    (rcode != RLM_MODULE_REJECT) && (rcode != RLM_MODULE_USERLOCK)) {
		snprintf(why, 256, "Auth-Type is Accept");
		return BRSKI_ACCEPT;
	}
	snprintf(why, 256, "authorize returned %s", fr_int2str(modreturn_table, (int)rcode, "?"));
	return by_rcode(rcode);
}

/*
 *	The administrator's own words are better than ours, and a module's own are better than its code.
 */
static void read_reason(REQUEST *fake, char why[256])
{
	VALUE_PAIR *vp = find_control(fake, "Brski-Reason");

	if (!vp) vp = fr_pair_find_by_num(fake->packet->vps, PW_MODULE_FAILURE_MESSAGE, 0, TAG_ANY);
	if (vp) brski_printable(brski_span(vp->vp_strvalue, vp->vp_length), why, 256);
}

static void read_judgement(REQUEST *fake, rlm_rcode_t rcode, struct brski_judgement *out)
{
	VALUE_PAIR *vp = find_control(fake, "Brski-Retry-After");

	out->decision = read_decision(fake, rcode, out->why);
	if (vp) out->retry_after = vp->vp_integer;
	if (out->decision != BRSKI_ACCEPT) read_reason(fake, out->why);
}

/* ---- What the final Access-Accept gets ---- */

typedef struct kept_t {
	VALUE_PAIR *vps;
} kept_t;

/*
 *	Not what is the method's own to say.
 */
static void *keep_reply(REQUEST *fake)
{
	kept_t *kept;

	if (!fake->reply->vps) return NULL;
	kept = talloc_zero(NULL, kept_t);
	if (!kept) return NULL;
	kept->vps = fr_pair_list_copy(kept, fake->reply->vps);
	fr_pair_delete_by_num(&kept->vps, PW_EAP_MESSAGE, 0, TAG_ANY);
	fr_pair_delete_by_num(&kept->vps, PW_MESSAGE_AUTHENTICATOR, 0, TAG_ANY);
	fr_pair_delete_by_num(&kept->vps, PW_STATE, 0, TAG_ANY);
	fr_pair_delete_by_num(&kept->vps, PW_MSCHAP_MPPE_SEND_KEY, VENDORPEC_MICROSOFT, TAG_ANY);
	fr_pair_delete_by_num(&kept->vps, PW_MSCHAP_MPPE_RECV_KEY, VENDORPEC_MICROSOFT, TAG_ANY);
	return kept;
}

static void let_in(void *ctx, void const *data)
{
	REQUEST *request = ((brski_unlang_t *)ctx)->request;
	kept_t const *kept = data;
	VALUE_PAIR *vps = fr_pair_list_copy(request->reply, kept->vps);

	RDEBUG2("Adding what virtual server said when the device was accepted:");
	rdebug_pair_list(L_DBG_LVL_2, request, vps, "&reply:");
	if (vps) fr_pair_add(&request->reply->vps, vps);
}

static void forget(void *kept)
{
	talloc_free(kept);
}

/* ---- */

static void ask(void *ctx, struct brski_device const *device, struct brski_manufacturer const *m, char const *why,
		struct brski_judgement *out, void **keep)
{
	brski_unlang_t *unlang = ctx;
	REQUEST *request = unlang->request;
	REQUEST *fake = request_alloc_fake(request);
	rlm_rcode_t rcode;

	if (!fake) {
		out->decision = BRSKI_DEFER;
		snprintf(out->why, sizeof(out->why), "no memory for its request");
		return;
	}
	fake->packet->code = PW_CODE_ACCESS_REQUEST;
	fake->server = unlang->server;
	copy_request(fake, request);
	describe_device(fake, device, m, why, unlang->door);

	RDEBUG("server %s {", unlang->server);
	rdebug_pair_list(L_DBG_LVL_1, fake, fake->packet->vps, NULL);
	rcode = process_authorize(0, fake);
	read_judgement(fake, rcode, out);
	if (out->decision == BRSKI_ACCEPT) *keep = keep_reply(fake);
	RDEBUG("} # server %s: %s", unlang->server, out->why);
	talloc_free(fake);
}

void brski_unlang_init(brski_unlang_t *unlang, REQUEST *request, char const *server)
{
	memset(unlang, 0, sizeof(*unlang));
	unlang->request = request;
	unlang->server = server;
	unlang->door = "eap";
	snprintf(unlang->name, sizeof(unlang->name), "virtual server %s", server);
	unlang->judge.name = unlang->name;
	unlang->judge.ask = ask;
	unlang->judge.let_in = let_in;
	unlang->judge.forget = forget;
	unlang->judge.ctx = unlang;
}
