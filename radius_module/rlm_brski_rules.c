/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */

/**
 * @file rlm_brski_rules.c
 * @brief The administrator's rules for another door, by RADIUS: the same virtual server, on a request made by the same code.
 */
#include <freeradius/radiusd.h>
#include <freeradius/modules.h>
#include <freeradius/rad_assert.h>

#include "eap_brski/ground/log_limit.h"
#include "eap_brski/ground/text.h"
#include "radius_module/question.h"
#include "radius_module/rlm_brski_rules.h"
#include "services/base/clock.h"
#include "services/registrar/rules_question.h"

#define VENDOR_NAME	"Brski"
#define CLIENT_ITEM	"brski_rules"

static struct {
	char const	*name;
	unsigned int	number;
	PW_TYPE		type;
} const attributes[] = {
	{ "Brski-Rules-IDevID",		BRSKI_RULES_IDEVID,	  PW_TYPE_OCTETS },
	{ "Brski-Rules-Manufacturer",	BRSKI_RULES_MANUFACTURER, PW_TYPE_STRING },
	{ "Brski-Rules-Mode",		BRSKI_RULES_MODE,	  PW_TYPE_STRING },
	{ "Brski-Rules-Why",		BRSKI_RULES_WHY,	  PW_TYPE_STRING },
	{ "Brski-Rules-Door",		BRSKI_RULES_DOOR,	  PW_TYPE_STRING },
	{ "Brski-Rules-Decision",	BRSKI_RULES_DECISION,	  PW_TYPE_STRING },
	{ "Brski-Rules-Reason",		BRSKI_RULES_REASON,	  PW_TYPE_STRING },
	{ "Brski-Rules-Retry-After",	BRSKI_RULES_RETRY_AFTER,  PW_TYPE_INTEGER },
};
#define ATTRIBUTES	(sizeof(attributes) / sizeof(attributes[0]))

/*
 *	Lines of questions that are refused: whoever may send packets here may send many.
 */
static struct brski_log_limit refused;

int brski_rules_attributes(CONF_SECTION *cs)
{
	ATTR_FLAGS flags;
	DICT_ATTR const *da;
	size_t i;

	memset(&flags, 0, sizeof(flags));
	if (!dict_vendorbyvalue(BRSKI_RULES_VENDOR) && (dict_addvendor(VENDOR_NAME, BRSKI_RULES_VENDOR) < 0)) {
		cf_log_err_cs(cs, "Failed to create vendor %s: %s", VENDOR_NAME, fr_strerror());
		return -1;
	}
	for (i = 0; i < ATTRIBUTES; i++) {
		da = dict_attrbyvalue(attributes[i].number, BRSKI_RULES_VENDOR);
		if (!da && (dict_addattr(attributes[i].name, (int)attributes[i].number, BRSKI_RULES_VENDOR, attributes[i].type, flags) < 0)) {
			cf_log_err_cs(cs, "Failed to create attribute %s: %s", attributes[i].name, fr_strerror());
			return -1;
		}
		if (da && ((da->type != attributes[i].type) || (strcmp(da->name, attributes[i].name) != 0))) {
			cf_log_err_cs(cs, "Attribute %u of vendor %d must be %s, as in dictionary.brski", attributes[i].number,
				      BRSKI_RULES_VENDOR, attributes[i].name);
			return -1;
		}
	}
	return 0;
}

bool brski_rules_claim(REQUEST *request)
{
	VALUE_PAIR *vps = request->packet->vps;

	return (request->packet->code == PW_CODE_ACCESS_REQUEST) && !fr_pair_find_by_num(vps, PW_EAP_MESSAGE, 0, TAG_ANY) &&
	       fr_pair_find_by_num(vps, BRSKI_RULES_IDEVID, BRSKI_RULES_VENDOR, TAG_ANY);
}

/* ---- The question ---- */

static bool client_may_ask(REQUEST *request)
{
	CONF_PAIR *cp = request->client && request->client->cs ? cf_pair_find(request->client->cs, CLIENT_ITEM) : NULL;

	return cp && cf_pair_value(cp) && (strcmp(cf_pair_value(cp), "yes") == 0);
}

/*
 *	A request of another one's, as EAP-TTLS makes it of what a supplicant sends, has the client of that one. The server has
 *	dropped the packet if its Message-Authenticator is wrong.
 */
static char const *who_may_not(REQUEST *request)
{
	if (request->parent) return "it did not come in a packet of its own";
	if (!client_may_ask(request)) return "its client's section does not say " CLIENT_ITEM " = yes";
	if (!fr_pair_find_by_num(request->packet->vps, PW_MESSAGE_AUTHENTICATOR, 0, TAG_ANY)) return "it has no Message-Authenticator";
	return NULL;
}

/*
 *	All attributes of that number, put together. They are no more than a packet has room for.
 */
static struct brski_span gather(REQUEST *request, unsigned int number, struct brski_buf *out)
{
	vp_cursor_t cursor;
	VALUE_PAIR *vp;

	fr_cursor_init(&cursor, &request->packet->vps);
	while ((vp = fr_cursor_next_by_num(&cursor, number, BRSKI_RULES_VENDOR, TAG_ANY))) {
		brski_put(out, brski_span(vp->vp_octets, vp->vp_length));
	}
	return brski_buf_span(out);
}

static enum brski_code read_question(REQUEST *request, struct brski_question *out, struct brski_error *err)
{
	enum { N_PARTS = BRSKI_RULES_DOOR + 1 };
	struct brski_buf parts[N_PARTS];
	struct brski_question_in in;
	enum brski_code code;
	unsigned int i;

	memset(parts, 0, sizeof(parts));
	in.idevid = gather(request, BRSKI_RULES_IDEVID, &parts[BRSKI_RULES_IDEVID]);
	in.manufacturer = gather(request, BRSKI_RULES_MANUFACTURER, &parts[BRSKI_RULES_MANUFACTURER]);
	in.mode = gather(request, BRSKI_RULES_MODE, &parts[BRSKI_RULES_MODE]);
	in.why = gather(request, BRSKI_RULES_WHY, &parts[BRSKI_RULES_WHY]);
	in.door = gather(request, BRSKI_RULES_DOOR, &parts[BRSKI_RULES_DOOR]);
	code = brski_question_read(&in, out, err);
	for (i = 0; i < N_PARTS; i++) brski_buf_free(&parts[i]);
	return code;
}

/* ---- The answer ---- */

static VALUE_PAIR *add(REQUEST *request, unsigned int number, unsigned int vendor)
{
	VALUE_PAIR *vp = fr_pair_afrom_num(request->reply, number, vendor);

	if (vp) fr_pair_add(&request->reply->vps, vp);
	return vp;
}

static void add_text(REQUEST *request, unsigned int number, char const *text)
{
	VALUE_PAIR *vp = text[0] ? add(request, number, BRSKI_RULES_VENDOR) : NULL;

	if (vp) fr_pair_value_strcpy(vp, text);
}

/*
 *	Nothing of what others have put into the reply, and Message-Authenticator before all else (it is computed when the packet is
 *	sent). A refusal is no guess at a password: nobody gains by its delay, and a thread of the other door waits for it.
 */
static bool begin(REQUEST *request, bool accept)
{
	static uint8_t const zero[AUTH_VECTOR_LEN];
	VALUE_PAIR *vp;

	fr_pair_list_free(&request->reply->vps);
	request->reply->code = accept ? PW_CODE_ACCESS_ACCEPT : PW_CODE_ACCESS_REJECT;
	vp = add(request, PW_MESSAGE_AUTHENTICATOR, 0);
	if (!vp) return false;
	fr_pair_value_memcpy(vp, zero, sizeof(zero));
	vp = add(request, PW_FREERADIUS_RESPONSE_DELAY, 0);
	if (vp) vp->vp_integer = 0;
	return true;
}

static char const *decision_name(enum brski_decision decision)
{
	return decision == BRSKI_ACCEPT ? "accept" : decision == BRSKI_DEFER ? "defer" : "refuse";
}

static void add_reason(REQUEST *request, char const *text)
{
	char cut[248];	/* an attribute of a vendor, RFC 2865 5.26 */

	snprintf(cut, sizeof(cut), "%s", text);
	add_text(request, BRSKI_RULES_REASON, cut);
}

static rlm_rcode_t send_judgement(REQUEST *request, struct brski_judgement const *judgement)
{
	VALUE_PAIR *vp;

	if (!begin(request, judgement->decision == BRSKI_ACCEPT)) return RLM_MODULE_FAIL;
	add_text(request, BRSKI_RULES_DECISION, decision_name(judgement->decision));
	add_reason(request, judgement->why);
	if ((judgement->decision == BRSKI_DEFER) && (judgement->retry_after > 0)) {
		vp = add(request, BRSKI_RULES_RETRY_AFTER, BRSKI_RULES_VENDOR);
		if (vp) vp->vp_integer = (uint32_t)judgement->retry_after;
	}
	return RLM_MODULE_HANDLED;
}

/*
 *	No decision is in it: nothing is said of the device.
 */
static rlm_rcode_t send_refusal(REQUEST *request, char const *why)
{
	char more[BRSKI_LOG_MORE_MAX], source[64];
	unsigned int left_out;

	if (!ip_ntoh(&request->packet->src_ipaddr, source, sizeof(source))) source[0] = '\0';
	if (brski_log_due(&refused, brski_now_ms(), &left_out)) {
		radlog_request(L_WARN, L_DBG_LVL_OFF, request, "A question for rules, from %s, is refused: %s%s", source, why,
			       brski_log_more(left_out, more));
	}
	if (!begin(request, false)) return RLM_MODULE_FAIL;
	add_reason(request, why);
	return RLM_MODULE_HANDLED;
}

static rlm_rcode_t judge(REQUEST *request, struct brski_question const *question, char const *server)
{
	struct brski_judgement judgement = { .decision = BRSKI_REFUSE };
	char serial[BRSKI_SERIAL_MAX];
	brski_unlang_t unlang;
	void *kept = NULL;

	brski_unlang_init(&unlang, request, server);
	unlang.door = question->door;
	unlang.judge.ask(&unlang, &question->device, &question->m, question->why, &judgement, &kept);
	if (kept) unlang.judge.forget(kept);	/* what an onboarded port would get: the other door has none */

	brski_printable(brski_span_str(question->device.serial_number), serial, sizeof(serial));
	RDEBUG("device %s of %s, at the door \"%s\": %s: %s", serial, question->device.manufacturer, question->door,
	       decision_name(judgement.decision), judgement.why);
	return send_judgement(request, &judgement);
}

rlm_rcode_t brski_rules_answer(REQUEST *request, char const *server)
{
	struct brski_question question;
	struct brski_error err = { 0 };
	char const *why = who_may_not(request);
	rlm_rcode_t rcode;

	if (!why && !server) why = "this instance of brski has no virtual_server: set it, or set rules_server = none";
	if (!why && (read_question(request, &question, &err) != BRSKI_OK)) why = err.why;
	if (why) return send_refusal(request, why);

	rcode = judge(request, &question, server);
	brski_question_free(&question);
	return rcode;
}
