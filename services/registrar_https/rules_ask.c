/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "eap_brski/ground/text.h"
#include "services/registrar/rules_question.h"
#include "services/registrar_https/rules_internal.h"

#define NAS_PORT_TYPE_VIRTUAL 5 /* RFC 2865 5.41 */
#define RETRY_AFTER_MAX (30L * 24 * 3600)

/* ---- The question ---- */

static void put_text(struct radius_packet *p, enum brski_rules_attribute type, const char *text)
{
	radius_packet_put_vendor(p, BRSKI_RULES_VENDOR, (uint8_t)type, brski_span_str(text));
}

static enum brski_code write_question(struct radius_packet *p, const char *peer,
	const struct brski_device *device, const struct brski_manufacturer *m, const char *why,
	struct brski_error *err)
{
	struct brski_buf der = {0};
	enum brski_code code = brski_cert_to_der(device->idevid, &der, err);

	radius_packet_begin(p);
	radius_packet_put(p, RADIUS_NAS_IDENTIFIER, brski_span_str("brski-registrar"));
	radius_packet_put_number(p, RADIUS_NAS_PORT_TYPE, NAS_PORT_TYPE_VIRTUAL);
	radius_packet_put(p, RADIUS_CALLING_STATION_ID, brski_span_str(peer));
	put_text(p, BRSKI_RULES_DOOR, "https");
	put_text(p, BRSKI_RULES_MANUFACTURER, device->manufacturer);
	put_text(p, BRSKI_RULES_MODE, brski_mode_name(m->mode));
	put_text(p, BRSKI_RULES_WHY, why);
	if (code == BRSKI_OK)
		radius_packet_put_vendor(p, BRSKI_RULES_VENDOR, BRSKI_RULES_IDEVID, brski_buf_span(&der));
	if (code == BRSKI_OK && p->failed)
		code = brski_fail(err, BRSKI_TOO_LARGE,
			"its IDevID of %zu octets is too long to be put to rules_server in a RADIUS packet: "
			"onboard it at the EAP door",
			der.len);
	brski_buf_free(&der);
	return code;
}

/* ---- The answer ---- */

static bool find(const struct radius_answer *answer, enum brski_rules_attribute type, struct brski_span *out)
{
	return radius_answer_vendor(answer, BRSKI_RULES_VENDOR, (uint8_t)type, 0, out);
}

static bool read_decision(const struct radius_answer *answer, enum brski_decision *out)
{
	static const struct {
		const char *name;
		enum radius_code code;
		enum brski_decision decision;
	} decisions[] = {{"accept", RADIUS_ACCESS_ACCEPT, BRSKI_ACCEPT},
		{"refuse", RADIUS_ACCESS_REJECT, BRSKI_REFUSE}, {"defer", RADIUS_ACCESS_REJECT, BRSKI_DEFER}};
	struct brski_span said;

	if (!find(answer, BRSKI_RULES_DECISION, &said))
		return false;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		if (!brski_span_equal(said, brski_span_str(decisions[i].name)))
			continue;
		*out = decisions[i].decision;
		return answer->code == decisions[i].code;
	}
	return false;
}

/* What must be there is the decision, and that the packet's code says the same. */
static enum brski_code read_answer(
	const struct radius_answer *answer, struct brski_judgement *out, struct brski_error *err)
{
	struct brski_span value;
	uint32_t seconds;

	if (find(answer, BRSKI_RULES_REASON, &value))
		brski_printable(value, out->why, sizeof(out->why));
	if (!read_decision(answer, &out->decision))
		return brski_fail(err, BRSKI_MALFORMED, "the answer has no decision: %.200s",
			out->why[0] ? out->why : "is the server that of sites-available/brski-rules?");
	if (out->decision != BRSKI_DEFER || !find(answer, BRSKI_RULES_RETRY_AFTER, &value))
		return BRSKI_OK;
	if (!brski_read_u32(&value, &seconds) || value.len > 0 || seconds > RETRY_AFTER_MAX)
		return brski_fail(
			err, BRSKI_MALFORMED, "the answer has a Retry-After that is no such number");
	out->retry_after = (long)seconds;
	return BRSKI_OK;
}

enum brski_code rules_ask(struct radius_client *client, const char *peer, const struct brski_device *device,
	const struct brski_manufacturer *m, const char *why, struct brski_judgement *out,
	struct brski_error *err)
{
	struct radius_packet question;
	struct radius_reply reply;
	enum brski_code code = write_question(&question, peer, device, m, why, err);

	if (code == BRSKI_OK)
		code = radius_client_ask(client, &question, &reply, err);
	if (code == BRSKI_OK)
		code = read_answer(&reply.answer, out, err);
	return code;
}
