/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/brskictl/brskictl_json.h"

#include "services/brskictl/brskictl.h"

static void add_words(void *list, const char *words)
{
	json_array_append_new(list, listing_text(words));
}

static json_t *certificates(const struct brski_admin_manufacturer *m, enum brski_admin_pem which)
{
	json_t *list = json_array();

	if (list)
		brski_admin_certificates(&m->pem[which], add_words, list);
	return list;
}

static json_t *crls(const struct brski_admin_manufacturer *m)
{
	json_t *list = json_array();

	if (list)
		brski_admin_crls(&m->pem[BRSKI_ADMIN_CRLS], add_words, list);
	return list;
}

json_t *brskictl_json_manufacturer(const struct brski_admin_manufacturer *m)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:b}", "name",
		listing_text(m->name), "mode", brski_admin_mode_name(m->mode), "masa_url",
		listing_text(m->masa_url), "idevid_anchors", certificates(m, BRSKI_ADMIN_IDEVID_ANCHORS),
		"voucher_anchors", certificates(m, BRSKI_ADMIN_VOUCHER_ANCHORS), "masa_tls_anchors",
		certificates(m, BRSKI_ADMIN_TLS_ANCHORS), "crls", crls(m), "check_voucher",
		(int)m->check_voucher, "audit_log", (int)m->audit_log, "allow_foreign_domains",
		(int)m->allow_foreign_domains, "allow_nonceless", (int)m->allow_nonceless);
}

json_t *brskictl_json_device(const struct brski_admin_device *d)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "manufacturer", listing_text(d->manufacturer),
		"serial_number", listing_text(d->serial_number), "state", d->state, "last_seen",
		listing_time(d->last_seen), "note", listing_text(d->note));
}

json_t *brskictl_json_candidate(const struct brski_admin_candidate *c)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "manufacturer",
		listing_text(c->manufacturer), "serial_number", listing_text(c->serial_number), "state",
		c->refused ? "refused" : "waits", "first_seen", listing_time(c->first_seen), "last_seen",
		listing_time(c->last_seen), "visits", (json_int_t)c->visits, "subject",
		listing_text(c->subject), "fingerprint", listing_text(c->fingerprint), "note",
		listing_text(c->note));
}

json_t *brskictl_json_type(const struct brski_admin_type *t)
{
	return json_pack("{s:o, s:o, s:s, s:o}", "manufacturer", listing_text(t->manufacturer), "pattern",
		listing_text(t->pattern), "matches",
		brski_admin_type_is_hardware(t->pattern) ? "hardware type" : "subject", "added",
		listing_time(t->added));
}

json_t *brskictl_json_rules(const struct brski_admin_rules *r)
{
	return json_pack("{s:o, s:o, s:o}", "door", listing_text(r->door), "rules", listing_text(r->rules),
		"since", listing_time(r->since));
}

json_t *brskictl_json_event(const struct brski_admin_event *e)
{
	return json_pack("{s:o, s:b, s:o, s:o, s:o, s:I, s:o}", "at", listing_time(e->at), "ok", (int)e->ok,
		"manufacturer", listing_text(e->manufacturer), "serial_number",
		listing_text(e->serial_number), "what", listing_text(e->what), "times", (json_int_t)e->times,
		"detail", listing_text(e->detail));
}

json_t *brskictl_json_request(const struct brski_admin_request *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "manufacturer", listing_text(r->manufacturer),
		"serial_number", listing_text(r->serial_number), "waits_for", listing_text(r->waits_for),
		"since", listing_time(r->since), "last_try", listing_time(r->last_try), "octets",
		(json_int_t)r->octets);
}

json_t *brskictl_json_totals(const struct brski_admin_totals *t)
{
	return json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:o, s:I}}", "totals", "waiting",
		(json_int_t)t->waiting, "waiting_vouchers", (json_int_t)t->waiting_vouchers,
		"waiting_certificates", (json_int_t)t->waiting_certificates, "answered", (json_int_t)t->done,
		"refused", (json_int_t)t->refused, "oldest", listing_time(t->oldest), "octets",
		(json_int_t)t->octets);
}

json_t *brskictl_json_voucher(const struct brski_admin_voucher *v)
{
	bool here = v->state != BRSKI_ADMIN_VOUCHER_ASKED;

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:b}", "manufacturer", listing_text(v->manufacturer),
		"serial_number", listing_text(v->serial_number), "state", brskictl_voucher_state(v->state),
		"fetched", listing_time(here ? v->fetched : 0), "expires",
		listing_time(here ? v->expires_on : 0), "renewing", (int)v->renewing);
}

int brskictl_listed(struct listing *listing, enum brski_code code, json_t *more, struct brski_error *err)
{
	return listing_end(listing, code, more, err) == BRSKI_OK ? 0 : brskictl_fail(err);
}
