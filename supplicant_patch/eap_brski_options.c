/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAP-BRSKI in wpa_supplicant: the options that ride in phase1, eap-brski-peer(5).
 */

#include "includes.h"

#include <sys/stat.h>

#include "common.h"

#include "eap_brski/eap/method.h"
#include "eap_brski_options.h"

#define EAP_BRSKI_STATE "/var/lib/brski-device"
#define EAP_BRSKI_STATE_BEFORE "/var/lib/brski" /* until 0.3.0, and the registrar's own, too */
#define EAP_BRSKI_BACKOFF 120

static bool eap_brski_number(const char *text, unsigned long max, const char **end, u32 *out)
{
	char *stop;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &stop, 10);
	if (errno || v > max)
		return false;
	*end = stop;
	*out = (u32)v;
	return true;
}

static bool eap_brski_flag(const char *value, bool *out)
{
	*out = os_strcmp(value, "1") == 0;
	return *out || os_strcmp(value, "0") == 0;
}

static bool eap_brski_set_vendor(struct eap_brski_options *o, const char *value)
{
	const char *end;

	/* Vendor-Id has 24 bits, and 0 is the IETF's own (RFC 3748 5.7). */
	return eap_brski_number(value, 0xffffff, &end, &o->vendor_id) && o->vendor_id && *end == ':' &&
	       eap_brski_number(end + 1, 0xffffffff, &end, &o->vendor_type) && !*end;
}

static bool eap_brski_set_key(struct eap_brski_options *o, const char *value)
{
	return brski_key_type_parse(value, &o->key_type, NULL) == BRSKI_OK;
}

static bool eap_brski_set_retry(struct eap_brski_options *o, const char *value)
{
	const char *end;

	return eap_brski_number(value, 1000, &end, &o->retry_onboarding) && !*end;
}

static bool eap_brski_set_backoff(struct eap_brski_options *o, const char *value)
{
	const char *end;

	return eap_brski_number(value, EAP_BRSKI_BACKOFF_MAX, &end, &o->backoff) && !*end;
}

static bool eap_brski_set_domain(struct eap_brski_options *o, const char *value)
{
	char identity[254];

	return os_strlcpy(o->domain, value, sizeof(o->domain)) < sizeof(o->domain) &&
	       brski_identity(o->domain, identity, sizeof(identity));
}

static bool eap_brski_set_state(struct eap_brski_options *o, const char *value)
{
	return os_strlcpy(o->state, value, sizeof(o->state)) < sizeof(o->state);
}

static bool eap_brski_set_masa_ca(struct eap_brski_options *o, const char *value)
{
	return os_strlcpy(o->masa_ca, value, sizeof(o->masa_ca)) < sizeof(o->masa_ca);
}

static bool eap_brski_set_profile(struct eap_brski_options *o, const char *value)
{
	return os_strlcpy(o->profile, value, sizeof(o->profile)) < sizeof(o->profile);
}

static bool eap_brski_set_pkcs10(struct eap_brski_options *o, const char *value)
{
	return eap_brski_flag(value, &o->pkcs10);
}

static bool eap_brski_set_implicit(struct eap_brski_options *o, const char *value)
{
	return eap_brski_flag(value, &o->implicit_confirm);
}

static bool eap_brski_set_clock(struct eap_brski_options *o, const char *value)
{
	return eap_brski_flag(value, &o->clock_is_right);
}

static bool eap_brski_set_nonceless(struct eap_brski_options *o, const char *value)
{
	return eap_brski_flag(value, &o->allow_nonceless);
}

static const struct {
	const char *name;
	bool (*set)(struct eap_brski_options *o, const char *value);
} eap_brski_option_table[] = {
	{"brski_state", eap_brski_set_state},
	{"brski_masa_ca", eap_brski_set_masa_ca},
	{"brski_domain", eap_brski_set_domain},
	{"brski_vendor", eap_brski_set_vendor},
	{"brski_key", eap_brski_set_key},
	{"brski_profile", eap_brski_set_profile},
	{"brski_pkcs10", eap_brski_set_pkcs10},
	{"brski_implicit_confirm", eap_brski_set_implicit},
	{"brski_clock", eap_brski_set_clock},
	{"brski_nonceless", eap_brski_set_nonceless},
	{"brski_backoff", eap_brski_set_backoff},
	{"brski_retry_onboarding", eap_brski_set_retry},
};

static int eap_brski_option(struct eap_brski_options *o, char *name, struct brski_error *err)
{
	char *value = os_strchr(name, '=');
	size_t i;

	if (value)
		*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(eap_brski_option_table); i++) {
		if (os_strcmp(name, eap_brski_option_table[i].name) != 0)
			continue;
		if (value && *value && eap_brski_option_table[i].set(o, value))
			return 0;
		brski_fail(
			err, BRSKI_MALFORMED, "phase1: bad value for %s: \"%s\"", name, value ? value : "");
		return -1;
	}
	brski_fail(err, BRSKI_UNSUPPORTED, "phase1: there is no option %s", name);
	return -1;
}

static bool eap_brski_has_state(const char *folder)
{
	char path[64];
	struct stat st;

	/* a registrar's folder is another user's */
	if (lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return false;
	os_snprintf(path, sizeof(path), "%s/state", folder);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A device that has begun in the folder of older versions goes on there. */
static const char *eap_brski_default_state(void)
{
	if (!eap_brski_has_state(EAP_BRSKI_STATE) && eap_brski_has_state(EAP_BRSKI_STATE_BEFORE))
		return EAP_BRSKI_STATE_BEFORE;
	return EAP_BRSKI_STATE;
}

int eap_brski_parse_options(const char *phase1, struct eap_brski_options *out, struct brski_error *err)
{
	char *copy, *word, *next = NULL;
	int ret = 0;

	os_memset(out, 0, sizeof(*out));
	os_strlcpy(out->state, eap_brski_default_state(), sizeof(out->state));
	os_strlcpy(out->domain, BRSKI_IDENTITY_DOMAIN, sizeof(out->domain));
	out->vendor_id = BRSKI_EAP_VENDOR_ID;
	out->vendor_type = BRSKI_EAP_VENDOR_TYPE;
	out->key_type = BRSKI_KEY_P256;
	out->clock_is_right = true;
	out->backoff = EAP_BRSKI_BACKOFF;

	copy = os_strdup(phase1 ? phase1 : "");
	if (!copy) {
		brski_fail(err, BRSKI_NO_MEMORY, "out of memory");
		return -1;
	}
	for (word = strtok_r(copy, " \t\r\n", &next); word && ret == 0;
		word = strtok_r(NULL, " \t\r\n", &next)) {
		if (os_strncmp(word, "brski_", 6) == 0)
			ret = eap_brski_option(out, word, err);
	}
	os_free(copy);
	return ret;
}
