/* SPDX-License-Identifier: BSD-3-Clause */
/* clang-format off */

/**
 * @file rlm_brski.c
 * @brief EAP-BRSKI for FreeRADIUS 3.2: what is FreeRADIUS's own. Everything else is behind conversation.h and instance.h.
 *
 * rlm_eap knows no vendor's Expanded Types and ends a session after 50 round trips, so this module stands beside it, not in it:
 * before `eap` in authorize, with `{ ok = return }`, and in authenticate. Sessions are its own, under its own State; session-state
 * stays empty, which the server would walk through under one lock at every challenge.
 */
#include <freeradius/radiusd.h>
#include <freeradius/modules.h>
#include <freeradius/rad_assert.h>

#include "eap_brski/ground/log_limit.h"
#include "eap_brski/ground/text.h"
#include "radius_module/instance.h"
#include "radius_module/rlm_brski_origin.h"
#include "radius_module/rlm_brski_policy.h"
#include "radius_module/rlm_brski_rules.h"

#define SETTINGS_MAX	64

#define INVALID_EAP_PACKET	202	//!< "Invalid EAP Packet (Ignored)": RFC 3579 2.2.
#define TERMINATION_DEFAULT	0	//!< as Termination-Action: the port is closed then. RFC 2865 5.29, RFC 3580 3.19.

typedef struct rlm_brski_t {
	char const	*name;		//!< of the instance.
	bool		can_authenticate; //!< an authenticate section names it.

	struct brski_config	site;	//!< these two: texts are talloc's, as cf_section_parse() leaves them.
	struct brski_door_config door;
	char const	*numbers[SETTINGS_MAX]; //!< the same; as text, since the server takes rubbish for 0.

	struct brski_env	env;
	struct brski_instance	*instance;
	struct brski_conversations *conversations;
} rlm_brski_t;

/*
 *	The engine's settings and the door's, in one row; and the same for cf_section_parse().
 */
static struct {
	struct setting const	*setting;
	size_t			offset;
} settings[SETTINGS_MAX];
static size_t n_settings;
static CONF_PARSER module_config[SETTINGS_MAX + 1];

/*
 *	Attributes of the device, as policies see them. The same numbers as in dictionary.brski,
 *	so that it makes no difference whether that file is included.
 */
enum { BRSKI_SERIAL_NUMBER, BRSKI_MANUFACTURER, BRSKI_IDEVID_SUBJECT, BRSKI_FINGERPRINT, BRSKI_RESULT, BRSKI_REASON,
       BRSKI_ISSUER, BRSKI_HARDWARE_TYPE, BRSKI_MODE, BRSKI_DECISION, BRSKI_RETRY_AFTER, BRSKI_DOOR, BRSKI_ATTRIBUTES };

static struct {
	char const	*name;
	int		number;
	PW_TYPE		type;
} const attributes[BRSKI_ATTRIBUTES] = {
	[BRSKI_SERIAL_NUMBER]	= { "Brski-Serial-Number",  3841, PW_TYPE_STRING },
	[BRSKI_MANUFACTURER]	= { "Brski-Manufacturer",   3842, PW_TYPE_STRING },
	[BRSKI_IDEVID_SUBJECT]	= { "Brski-IDevID-Subject", 3843, PW_TYPE_STRING },
	[BRSKI_FINGERPRINT]	= { "Brski-Fingerprint",    3844, PW_TYPE_STRING },
	[BRSKI_RESULT]		= { "Brski-Result",	    3845, PW_TYPE_STRING },
	[BRSKI_REASON]		= { "Brski-Reason",	    3846, PW_TYPE_STRING },
	[BRSKI_ISSUER]		= { "Brski-Issuer",	    3847, PW_TYPE_STRING },
	[BRSKI_HARDWARE_TYPE]	= { "Brski-Hardware-Type",  3848, PW_TYPE_STRING },
	[BRSKI_MODE]		= { "Brski-Mode",	    3849, PW_TYPE_STRING },
	[BRSKI_DECISION]	= { "Brski-Decision",	    3850, PW_TYPE_STRING },
	[BRSKI_RETRY_AFTER]	= { "Brski-Retry-After",    3851, PW_TYPE_INTEGER },
	[BRSKI_DOOR]		= { "Brski-Door",	    3852, PW_TYPE_STRING },
};

/*
 *	The server refuses a module of another version by numbers only. This comes before, and says it in words. The server is asked by
 *	a function, since versions differ in whether a module may see radiusd_version_short, and dlopen() stops at a name that it may not.
 */
static void __attribute__((constructor)) check_version(void)
{
	CONF_SECTION *versions = cf_section_alloc(NULL, "version", NULL);
	char const *server;

	if (!versions) return;
	version_init_numbers(versions);
	server = cf_pair_value(cf_pair_find(versions, "freeradius-server"));
	if (server && (strcmp(server, RADIUSD_VERSION_STRING) != 0)) {
		ERROR("rlm_brski was built for FreeRADIUS %s and this server is %s: build it again with the libfreeradius-dev "
		      "that belongs to this server", RADIUSD_VERSION_STRING, server);
	}
	talloc_free(versions);
}

/*
 *	Of one version there are builds with and without NDEBUG, which differ in struct rad_request.
 */
static int check_build(CONF_SECTION *cs)
{
	REQUEST *request = request_alloc(NULL);
	size_t size;

	if (!request) return -1;
	size = talloc_get_size(request);
	talloc_free(request);
	if (size == sizeof(REQUEST)) return 0;

	cf_log_err_cs(cs, "rlm_brski was built for a FreeRADIUS %s of another kind than this one (a request takes %zu octets, "
		      "not %zu): build it with the flags of this server's package", RADIUSD_VERSION_STRING, size, sizeof(REQUEST));
	return -1;
}

/* ---- Logging ---- */

static void log_line(void *ctx, enum brski_level level, char const *line)
{
	rlm_brski_t const *inst = ctx;

	switch (level) {
	case BRSKI_LOG_DEBUG:
		DEBUG2("rlm_brski (%s): %s", inst->name, line);
		break;
	case BRSKI_LOG_INFO:
		INFO("rlm_brski (%s): %s", inst->name, line);
		break;
	case BRSKI_LOG_WARN:
		WARN("rlm_brski (%s): %s", inst->name, line);
		break;
	case BRSKI_LOG_ERROR:
		ERROR("rlm_brski (%s): %s", inst->name, line);
		break;
	}
}

/* ---- Start and end ---- */

static int mod_bootstrap(CONF_SECTION *cs, void *instance)
{
	rlm_brski_t *inst = instance;
	ATTR_FLAGS flags;
	DICT_ATTR const *da;
	int i;

	inst->name = cf_section_name2(cs);
	if (!inst->name) inst->name = cf_section_name1(cs);

	memset(&flags, 0, sizeof(flags));
	for (i = 0; i < BRSKI_ATTRIBUTES; i++) {
		da = dict_attrbyname(attributes[i].name);
		if (!da && (dict_addattr(attributes[i].name, attributes[i].number, 0, attributes[i].type, flags) < 0)) {
			cf_log_err_cs(cs, "Failed to create attribute %s: %s", attributes[i].name, fr_strerror());
			return -1;
		}
		if (da && (da->type != attributes[i].type)) {
			cf_log_err_cs(cs, "Attribute %s must be of type %s", attributes[i].name,
				      attributes[i].type == PW_TYPE_STRING ? "string" : "integer");
			return -1;
		}
	}

	return brski_rules_attributes(cs);
}

/* ---- Settings ---- */

static int parser_type(struct setting const *s)
{
	int required = (s->required && !s->standard) ? PW_TYPE_REQUIRED : 0;

	switch (s->kind) {
	case SETTING_FLAG:
		return PW_TYPE_BOOLEAN;
	case SETTING_NUMBER:
		return PW_TYPE_STRING;
	case SETTING_SECRET:
		return PW_TYPE_STRING | PW_TYPE_SECRET | required;
	default:
		return PW_TYPE_STRING | PW_TYPE_NOT_EMPTY | required;
	}
}

static void add_settings(struct setting const *table, size_t base)
{
	struct setting const *s;
	size_t n;

	for (s = table; s->name; s++) {
		n = n_settings++;
		if (n >= SETTINGS_MAX) abort();	/* before anybody could be served */
		settings[n].setting = s;
		settings[n].offset = base + s->offset;
		module_config[n].name = s->name;
		module_config[n].type = parser_type(s);
		module_config[n].offset = settings[n].offset;
		if (s->kind == SETTING_NUMBER) module_config[n].offset = offsetof(rlm_brski_t, numbers) + n * sizeof(char const *);
		module_config[n].dflt = s->standard;
	}
}

static void __attribute__((constructor)) make_parser(void)
{
	static CONF_PARSER const end = CONF_PARSER_TERMINATOR;

	add_settings(brski_settings, offsetof(rlm_brski_t, site));
	add_settings(brski_door_settings, offsetof(rlm_brski_t, door));
	module_config[n_settings] = end;
}

/*
 *	Out of bounds is forced to the nearest bound, as FR_INTEGER_BOUND_CHECK does.
 */
static long within(char const *name, long value, long min, long max)
{
	long bound = value < min ? min : value > max ? max : value;

	if (bound != value) WARN("Ignoring \"%s = %li\", forcing to \"%s = %li\"", name, value, name, bound);

	return bound;
}

static int take_numbers(CONF_SECTION *cs, rlm_brski_t *inst)
{
	struct setting const *s;
	long value;
	size_t i;

	for (i = 0; i < n_settings; i++) {
		s = settings[i].setting;
		if (s->kind != SETTING_NUMBER) continue;
		if (!inst->numbers[i] || !brski_number_read(inst->numbers[i], LONG_MIN, LONG_MAX, &value)) {
			cf_log_err_cs(cs, "rlm_brski (%s): %s is a number from %ld to %ld, not \"%s\"", inst->name, s->name,
				      s->min, s->max, inst->numbers[i] ? inst->numbers[i] : "");
			return -1;
		}
		*(long *)((uint8_t *)inst + settings[i].offset) = within(s->name, value, s->min, s->max);
	}
	inst->site.retry_interval_max = within("retry_interval_max", inst->site.retry_interval_max,
					       inst->site.retry_interval_min, LONG_MAX);
	return 0;
}

static int make_instance(CONF_SECTION *cs, rlm_brski_t *inst)
{
	struct brski_error err = { 0 };
	char const *file = cf_section_filename(cs);
	char name[512];
	struct brski_instance_config config = {
		.name = name,
		.site = &inst->site,
		.door = &inst->door,
		.check_only = check_config,
		.env = &inst->env,
	};

	snprintf(name, sizeof(name), "%s of %s", inst->name, file ? file : "a configuration without a file");
	if (brski_instance_new(&config, &inst->instance, &err) != BRSKI_OK) {
		cf_log_err_cs(cs, "rlm_brski (%s): %s", inst->name, err.why);
		return -1;
	}
	inst->conversations = brski_instance_conversations(inst->instance);
	return 0;
}

static int mod_instantiate(CONF_SECTION *cs, void *instance)
{
	rlm_brski_t *inst = instance;

	if (check_build(cs) < 0) return -1;
	if (brski_origin_check(cf_top_section(cs)) < 0) return -1;

	inst->env.ctx = inst;
	inst->env.log = log_line;
	inst->can_authenticate = dict_valbyname(PW_AUTH_TYPE, 0, inst->name) != NULL;
	if (!inst->can_authenticate) {
		WARN("rlm_brski (%s): no 'authenticate' section names \"%s\": no device will be served",
		     inst->name, inst->name);
	}
	if (inst->door.virtual_server && (brski_unlang_check(cs, inst->door.virtual_server) < 0)) return -1;
	if (take_numbers(cs, inst) < 0) return -1;
	return make_instance(cs, inst);
}

/*
 *	Also called for an instance that was never completed.
 */
static int mod_detach(void *instance)
{
	rlm_brski_t *inst = instance;

	brski_instance_free(inst->instance);
	inst->instance = NULL;
	inst->conversations = NULL;
	return 0;
}

/* ---- From the request ---- */

/*
 *	RFC 3579 2.1: the server puts EAP-Message attributes together before a module sees them.
 */
static bool read_request(REQUEST *request, struct brski_conversation_in *in)
{
	VALUE_PAIR *vp;

	memset(in, 0, sizeof(*in));
	vp = fr_pair_find_by_num(request->packet->vps, PW_EAP_MESSAGE, 0, TAG_ANY);
	if (!vp) return false;
	in->eap = brski_span(vp->vp_octets, vp->vp_length);

	vp = fr_pair_find_by_num(request->packet->vps, PW_STATE, 0, TAG_ANY);
	if (vp) in->state = brski_span(vp->vp_octets, vp->vp_length);

	vp = fr_pair_find_by_num(request->packet->vps, PW_FRAMED_MTU, 0, TAG_ANY);
	if (vp) in->framed_mtu = vp->vp_integer;

	return true;
}

static void add_where(REQUEST *request, char *out, size_t size, char const *what, unsigned int attribute)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, attribute, 0, TAG_ANY);
	char text[128];
	size_t used = strlen(out);

	if (!vp) return;
	if (vp->da->type == PW_TYPE_INTEGER) {
		snprintf(text, sizeof(text), "%u", vp->vp_integer);
	} else {
		brski_printable(brski_span(vp->vp_strvalue, vp->vp_length), text, sizeof(text));
	}
	snprintf(out + used, size - used, ", %s %s", what, text);
}

/*
 *	Where the device is, for whoever reads the log: the NAS, its port, the station.
 */
static void describe_where(REQUEST *request, char *out, size_t size)
{
	bool port_id = fr_pair_find_by_num(request->packet->vps, PW_NAS_PORT_ID, 0, TAG_ANY) != NULL;

	snprintf(out, size, "NAS %s", request->client && request->client->shortname ? request->client->shortname : "?");
	add_where(request, out, size, "port", port_id ? PW_NAS_PORT_ID : PW_NAS_PORT);
	add_where(request, out, size, "station", PW_CALLING_STATION_ID);
}

/* ---- To the reply ---- */

static bool add_octets(REQUEST *request, unsigned int attribute, uint8_t const *data, size_t len)
{
	VALUE_PAIR *vp = fr_pair_afrom_num(request->reply, attribute, 0);

	if (!vp) return false;
	fr_pair_value_memcpy(vp, data, len);
	fr_pair_add(&request->reply->vps, vp);
	return true;
}

/*
 *	RFC 3579 3.2: Message-Authenticator goes with every EAP-Message. It is computed when the packet is sent.
 */
static bool add_eap(REQUEST *request, struct brski_conversation_out const *out)
{
	static uint8_t const zero[AUTH_VECTOR_LEN];

	fr_pair_delete_by_num(&request->reply->vps, PW_EAP_MESSAGE, 0, TAG_ANY);
	if (!add_octets(request, PW_EAP_MESSAGE, out->eap.data, out->eap.len)) return false;
	if (fr_pair_find_by_num(request->reply->vps, PW_MESSAGE_AUTHENTICATOR, 0, TAG_ANY)) return true;
	return add_octets(request, PW_MESSAGE_AUTHENTICATOR, zero, sizeof(zero));
}

static void add_named(REQUEST *request, char const *name, uint8_t const *data, size_t len)
{
	VALUE_PAIR *vp = pair_make_reply(name, NULL, T_OP_EQ);

	if (!vp) {
		RWDEBUG("Did not create attribute %s: %s", name, fr_strerror());
		return;
	}
	fr_pair_value_memcpy(vp, data, len);
}

static void add_text(REQUEST *request, int which, char const *text)
{
	VALUE_PAIR *vp;

	if (!text[0]) return;

	vp = fr_pair_make(request->packet, &request->packet->vps, attributes[which].name, NULL, T_OP_SET);
	if (!vp) {
		RWDEBUG("Did not create attribute %s: %s", attributes[which].name, fr_strerror());
		return;
	}
	fr_pair_value_strcpy(vp, text);	/* fr_pair_make() would take a backslash of RFC 2253 for its own */
}

/*
 *	What unlang may look at, in post-auth for instance.
 */
static void describe_device(REQUEST *request, struct brski_conversation_out const *out)
{
	add_text(request, BRSKI_SERIAL_NUMBER, out->serial_number);
	add_text(request, BRSKI_MANUFACTURER, out->manufacturer);
	add_text(request, BRSKI_IDEVID_SUBJECT, out->subject);
	add_text(request, BRSKI_FINGERPRINT, out->fingerprint);
	add_text(request, BRSKI_RESULT, out->result);
	add_text(request, BRSKI_REASON, out->reason);
}

/*
 *	RFC 2865 5.1 and RFC 3579 2.6.3: Access-Accept names the user.
 */
static void add_user_name(REQUEST *request)
{
	VALUE_PAIR *vp;

	if (fr_pair_find_by_num(request->reply->vps, PW_USER_NAME, 0, TAG_ANY)) return;
	vp = fr_pair_find_by_num(request->packet->vps, PW_USER_NAME, 0, TAG_ANY);
	if (vp) vp = fr_pair_copy(request->reply, vp);
	if (vp) fr_pair_add(&request->reply->vps, vp);
}

/*
 *	MS-MPPE-Recv-Key is the first half of the MSK, as the authenticator is the one that receives: RFC 3748 7.10, RFC 2548 2.4.
 */
static void add_keys(REQUEST *request, struct brski_conversation_out const *out)
{
	add_named(request, "MS-MPPE-Recv-Key", out->msk, 32);
	add_named(request, "MS-MPPE-Send-Key", out->msk + 32, 32);
	if (dict_attrbyname("EAP-MSK")) add_named(request, "EAP-MSK", out->msk, sizeof(out->msk));
	if (dict_attrbyname("EAP-EMSK")) add_named(request, "EAP-EMSK", out->emsk, sizeof(out->emsk));
	if (dict_attrbyname("EAP-Session-Id")) {
		add_named(request, "EAP-Session-Id", out->session_id, sizeof(out->session_id));
	}
}

/* ---- Verdicts ---- */

/*
 *	"SN-17 of gadget-vendor (NAS sw1, port 3)"
 */
static void describe_peer(struct brski_conversation_out const *out, char const *where, char *text, size_t size)
{
	char serial[BRSKI_SERIAL_MAX];

	if (!out->serial_number[0]) {
		snprintf(text, size, "a device (%s)", where);
		return;
	}
	brski_printable(brski_span_str(out->serial_number), serial, sizeof(serial));
	snprintf(text, size, "device %s of %s (%s)", serial, out->manufacturer, where);
}

static bool add_number(REQUEST *request, unsigned int attribute, uint32_t value)
{
	VALUE_PAIR *vp = fr_pair_afrom_num(request->reply, attribute, 0);

	if (!vp) return false;
	vp->vp_integer = value;
	fr_pair_add(&request->reply->vps, vp);
	return true;
}

static rlm_rcode_t send_challenge(REQUEST *request, struct brski_conversation_out const *out)
{
	if (!add_octets(request, PW_STATE, out->state, sizeof(out->state))) return RLM_MODULE_FAIL;
	if (out->session_timeout && !add_number(request, PW_SESSION_TIMEOUT, out->session_timeout)) return RLM_MODULE_FAIL;
	if (out->ignored) {
		RWDEBUG("Not processed: %s.  The last request goes out once more", out->reason);
		if (!add_number(request, PW_ERROR_CAUSE, INVALID_EAP_PACKET)) return RLM_MODULE_FAIL;
	}
	request->reply->code = PW_CODE_ACCESS_CHALLENGE;
	return RLM_MODULE_HANDLED;
}

/*
 *	RFC 9965 has the stay of a device that has just been provisioned bounded: it logs in with what it got, at once. Whoever
 *	has set one of these, a policy for instance, has thought of it.
 */
static void bound_stay(REQUEST *request, long seconds)
{
	if (!seconds || fr_pair_find_by_num(request->reply->vps, PW_SESSION_TIMEOUT, 0, TAG_ANY)) return;
	if (!add_number(request, PW_SESSION_TIMEOUT, (uint32_t)seconds)) return;
	if (fr_pair_find_by_num(request->reply->vps, PW_TERMINATION_ACTION, 0, TAG_ANY)) return;
	(void)add_number(request, PW_TERMINATION_ACTION, TERMINATION_DEFAULT);
}

static rlm_rcode_t send_accept(REQUEST *request, struct brski_conversation_out const *out, char const *peer, long stay)
{
	add_keys(request, out);
	bound_stay(request, stay);
	add_user_name(request);
	request->reply->code = PW_CODE_ACCESS_ACCEPT;
	RINFO("%s has been onboarded: %u round trips, %zu octets from it, %zu to it%s", peer, out->round_trips,
	      out->octets_in, out->octets_out, out->repeated ? " (repeated)" : "");
	return RLM_MODULE_OK;
}

/*
 *	RWARN and RERROR are silent unless the server debugs; the operator must read this. Of a crowd that is put off for want of
 *	something of ours, one line a minute.
 */
static rlm_rcode_t send_reject(REQUEST *request, struct brski_conversation_out const *out, char const *peer)
{
	bool deferred = strcmp(out->result, "deferred") == 0;
	char more[BRSKI_LOG_MORE_MAX];

	request->reply->code = PW_CODE_ACCESS_REJECT;
	module_failure_msg(request, "%s: %s", deferred ? "deferred" : "failed", out->reason);
	if (out->busy && out->quiet) {
		RDEBUG("%s must come back later: %s", peer, out->reason);
		return RLM_MODULE_REJECT;
	}
	radlog_request(deferred && !out->busy ? L_INFO : L_WARN, L_DBG_LVL_OFF, request, "%s %s: %s%s", peer,
		       deferred ? "must come back later" : "has not been onboarded", out->reason,
		       brski_log_more(out->left_out, more));
	return RLM_MODULE_REJECT;
}

static rlm_rcode_t send_reply(rlm_brski_t const *inst, REQUEST *request, struct brski_conversation_out const *out,
			      char const *where)
{
	char peer[512];

	describe_device(request, out);
	if (out->verdict == BRSKI_VERDICT_INVALID) {
		REDEBUG("%s", out->reason);
		return RLM_MODULE_INVALID;
	}
	if (!add_eap(request, out)) return RLM_MODULE_FAIL;
	if (out->repeated) RDEBUG2("The same response came once more: the same answer goes out");
	describe_peer(out, where, peer, sizeof(peer));
	switch (out->verdict) {
	case BRSKI_VERDICT_ACCEPT:
		return send_accept(request, out, peer, inst->door.onboarded_session);
	case BRSKI_VERDICT_REJECT:
		return send_reject(request, out, peer);
	case BRSKI_VERDICT_CHALLENGE:
	case BRSKI_VERDICT_INVALID:
		break;
	}
	return send_challenge(request, out);
}

/* ---- Methods ---- */

static rlm_rcode_t CC_HINT(nonnull) mod_authorize(void *instance, REQUEST *request)
{
	rlm_brski_t *inst = instance;
	struct brski_conversation_in in;
	VALUE_PAIR *vp;

	if (brski_rules_claim(request)) return brski_rules_answer(request, inst->door.virtual_server);
	if (!inst->can_authenticate || !inst->conversations) return RLM_MODULE_NOOP;
#ifdef WITH_PROXY
	if (request->proxy) return RLM_MODULE_NOOP;
#endif
	if (!read_request(request, &in)) return RLM_MODULE_NOOP;
	if (!brski_conversations_claim(inst->conversations, &in)) {
		RDEBUG2("Not EAP-BRSKI");
		return RLM_MODULE_NOOP;
	}

#ifdef WITH_PROXY
	/* of a `realm DEFAULT`, by `suffix`: what is ours is answered here (RFC 9965: eap.arpa is not routed) */
	fr_pair_delete_by_num(&request->config, PW_PROXY_TO_REALM, 0, TAG_ANY);
#endif
	vp = fr_pair_find_by_num(request->config, PW_AUTH_TYPE, 0, TAG_ANY);
	if (vp) {
		RWDEBUG2("Auth-Type already set.  Not setting to %s", inst->name);
		return RLM_MODULE_NOOP;
	}
	if (!pair_make_config("Auth-Type", inst->name, T_OP_EQ)) {
		REDEBUG("Failed to create Auth-Type %s: %s", inst->name, fr_strerror());
		return RLM_MODULE_FAIL;
	}
	return RLM_MODULE_OK;
}

static rlm_rcode_t CC_HINT(nonnull) mod_authenticate(void *instance, REQUEST *request)
{
	rlm_brski_t *inst = instance;
	struct brski_conversation_in in;
	struct brski_conversation_out out;
	brski_unlang_t unlang;
	brski_origin_t origin;
	char where[256];
	rlm_rcode_t rcode;

	if (!inst->conversations) return RLM_MODULE_FAIL;
	if (!read_request(request, &in)) {
		REDEBUG("You set 'Auth-Type = %s' for a request that does not contain an EAP-Message attribute!", inst->name);
		return RLM_MODULE_INVALID;
	}
	describe_where(request, where, sizeof(where));
	in.where = where;
	in.from = brski_origin_read(request, &origin);
	if (inst->door.virtual_server) {
		brski_unlang_init(&unlang, request, inst->door.virtual_server);
		in.judge = &unlang.judge;
	}

	brski_conversations_answer(inst->conversations, &in, &out);
	rcode = send_reply(inst, request, &out, where);
	brski_conversation_out_free(&out);

	return rcode;
}

extern module_t rlm_brski;
module_t rlm_brski = {
	.magic		= RLM_MODULE_INIT,
	.name		= "brski",
	.type		= RLM_TYPE_THREAD_SAFE,
	.inst_size	= sizeof(rlm_brski_t),
	.config		= module_config,
	.bootstrap	= mod_bootstrap,
	.instantiate	= mod_instantiate,
	.detach		= mod_detach,
	.methods = {
		[MOD_AUTHENTICATE]	= mod_authenticate,
		[MOD_AUTHORIZE]		= mod_authorize,
	},
};
