/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/registrar/modes.h"
#include "services/registrar/policy.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"
#include "tests/unit/support/store_rows.h"

/* The five modes, the operator's word, the administrator's last word, and what may wait. */

static char folder[64];
static char path[80];
static struct brski_store *store;
static struct brski_policy *policy;
static const struct brski_registrar_ops *ops;
static struct brski_credential ca, sensor, module;
static struct brski_error err;
static char why[256];
static long retry_after;
static void *visit; /* struct brski_judge */

static void put_acme(void)
{
	struct brski_store_manufacturer m = {.name = "acme", .mode = BRSKI_MODE_INVENTORY};
	STACK_OF(X509) *certs = pki_certs(&ca, NULL);

	ck_assert(brski_certs_to_pem(certs, &m.idevid_anchors, &err) == BRSKI_OK);
	ck_assert_msg(brski_store_manufacturer_put(store, &m, &err) == BRSKI_OK, "%s", err.why);
	brski_store_manufacturer_free(&m);
	pki_free_certs(certs);
}

static void set_up(void)
{
	struct pki_spec spec = {.subject = "O=Acme,CN=Module",
		.hw_type = "1.3.6.1.4.1.32473.17.2",
		.hw_serial = brski_span_str("M-1")};

	temp_make(folder);
	snprintf(path, sizeof(path), "%s/r.db", folder);
	ck_assert_msg(brski_store_open(path, true, &store, &err) == BRSKI_OK, "%s", err.why);
	ck_assert(brski_policy_new(store, NULL, &policy, &err) == BRSKI_OK);
	ops = brski_policy_ops();
	ca = pki_root("CN=Acme CA");
	sensor = pki_leaf("O=Acme,CN=Acme Sensor,serialNumber=S-1", "P-256", &ca);
	module = pki_make(&spec, &ca);
	put_acme();
}

static void tear_down(void)
{
	brski_policy_free(policy);
	brski_store_close(store);
	pki_free(&sensor);
	pki_free(&module);
	pki_free(&ca);
	temp_remove(folder);
}

static struct brski_device device_of(const struct brski_credential *credential)
{
	struct brski_device d = {.manufacturer = "acme", .idevid = credential->cert};

	ck_assert(brski_cert_serial_number(credential->cert, d.serial_number, &err) == BRSKI_OK);
	brski_name_text(X509_get_subject_name(credential->cert), d.subject, sizeof(d.subject));
	brski_cert_fingerprint(credential->cert, d.fingerprint);
	return d;
}

static enum brski_decision decide(const struct brski_credential *credential, enum brski_mode mode)
{
	struct brski_device device = device_of(credential);
	struct brski_manufacturer m = {.name = "acme", .mode = mode};
	enum brski_decision decision;

	why[0] = '\0';
	retry_after = -1;
	ck_assert_msg(ops->decide(policy, visit, &device, &m, &decision, why, &retry_after, &err) == BRSKI_OK,
		"%s", err.why);
	ck_assert_str_ne(why, "");
	return decision;
}

/* ---- Modes ---- */

START_TEST(inventory_takes_who_is_listed)
{
	ck_assert(decide(&sensor, BRSKI_MODE_INVENTORY) == BRSKI_REFUSE);
	ck_assert_ptr_nonnull(strstr(why, "brskictl device add acme S-1"));
	ck_assert(brski_store_device_put(store, "acme", "S-1", "", &err) == BRSKI_OK);
	ck_assert(decide(&sensor, BRSKI_MODE_INVENTORY) == BRSKI_ACCEPT);
	ck_assert(decide(&module, BRSKI_MODE_INVENTORY) == BRSKI_REFUSE);
}
END_TEST

static bool is_listed(const char *serial)
{
	struct brski_device device = device_of(&sensor);
	bool yes = true;

	snprintf(device.serial_number, sizeof(device.serial_number), "%s", serial);
	ck_assert(ops->listed(policy, &device, &yes, &err) == BRSKI_OK);
	return yes;
}

/* Whatever the mode: neither who waits for the operator nor whom he has refused. */
START_TEST(who_is_in_the_inventory)
{
	ck_assert(!is_listed("S-1"));
	ck_assert(decide(&sensor, BRSKI_MODE_MANUAL) == BRSKI_DEFER);
	ck_assert(!is_listed("S-1"));
	ck_assert(brski_store_device_put(store, "acme", "S-1", "", &err) == BRSKI_OK);
	ck_assert(is_listed("S-1"));
	ck_assert(!is_listed("S-2"));
	ck_assert(!is_listed("s-1"));
}
END_TEST

/* What a device of this number is told by the policy, for its operator. */
static const char *why_not(const char *serial, enum brski_mode mode)
{
	struct brski_device device = device_of(&sensor);
	struct brski_manufacturer m = {.name = "acme", .mode = mode};
	enum brski_decision decision;

	snprintf(device.serial_number, sizeof(device.serial_number), "%s", serial);
	ck_assert(ops->decide(policy, visit, &device, &m, &decision, why, &retry_after, &err) == BRSKI_OK);
	ck_assert(decision != BRSKI_ACCEPT);
	return why;
}

/* A line that is to be typed ends with the device's name as one word, or there is none. */
START_TEST(commands_are_quoted)
{
	char quotes[BRSKI_SERIAL_MAX];

	ck_assert_str_eq(why_not("N'5; id #", BRSKI_MODE_INVENTORY),
		"not in the inventory; add it with: brskictl device add acme 'N'\\''5; id #'");
	ck_assert_str_eq(
		why_not("$(id)", BRSKI_MODE_MANUAL), "waits for the operator: brskictl accept acme '$(id)'");
	ck_assert_str_eq(why_not("--file", BRSKI_MODE_INVENTORY),
		"not in the inventory; add it with: brskictl device add -- acme --file");
	ck_assert(brski_store_candidate_refuse(store, "acme", "-5", NULL, &err) == BRSKI_OK);
	ck_assert_str_eq(why_not("-5", BRSKI_MODE_MANUAL),
		"refused by the operator; he may change his mind with: brskictl accept -- acme -5");
	memset(quotes, '\'', sizeof(quotes) - 1);
	quotes[sizeof(quotes) - 1] = '\0';
	ck_assert_str_eq(why_not(quotes, BRSKI_MODE_MANUAL), "waits for the operator (brskictl accept)");
}
END_TEST

static void keep_candidate(void *ctx, const struct brski_store_candidate *c)
{
	*(struct brski_store_candidate *)ctx = *c;
}

START_TEST(manual_lets_an_unknown_device_wait)
{
	struct brski_store_candidate c = {.visits = 0};

	ck_assert(decide(&sensor, BRSKI_MODE_MANUAL) == BRSKI_DEFER);
	ck_assert_ptr_nonnull(strstr(why, "brskictl accept acme S-1"));
	each_candidate(store, false, keep_candidate, &c);
	ck_assert_str_eq(c.serial_number, "S-1");
	ck_assert_str_eq(c.subject, "serialNumber=S-1,CN=Acme Sensor,O=Acme");
	ck_assert_uint_eq(strlen(c.fingerprint), 64);
	ck_assert(decide(&sensor, BRSKI_MODE_MANUAL) == BRSKI_DEFER);
	ck_assert(brski_store_candidate_accept(store, "acme", "S-1", NULL, &err) == BRSKI_OK);
	ck_assert(decide(&sensor, BRSKI_MODE_MANUAL) == BRSKI_ACCEPT);
	ck_assert(decide(&sensor, BRSKI_MODE_INVENTORY) == BRSKI_ACCEPT);
}
END_TEST

START_TEST(manual_lets_no_more_wait_than_it_may)
{
	struct brski_store_limits limits = {.waiting = 1};
	struct brski_store_candidate c = {.visits = 0};

	brski_policy_set_limits(policy, &limits);
	ck_assert(decide(&sensor, BRSKI_MODE_MANUAL) == BRSKI_DEFER);
	ck_assert(decide(&module, BRSKI_MODE_MANUAL) == BRSKI_DEFER);
	ck_assert_ptr_nonnull(strstr(why, "max_waiting"));
	each_candidate(store, false, keep_candidate, &c);
	ck_assert_str_eq(c.serial_number, "S-1");
}
END_TEST

START_TEST(a_refusal_holds_in_every_mode)
{
	static const enum brski_mode modes[] = {BRSKI_MODE_INVENTORY, BRSKI_MODE_MANUAL,
		BRSKI_MODE_MANUFACTURER, BRSKI_MODE_TYPE, BRSKI_MODE_OPEN};

	ck_assert(brski_store_type_put(store, "acme", "*", &err) == BRSKI_OK);
	ck_assert(brski_store_device_put(store, "acme", "S-1", "", &err) == BRSKI_OK);
	for (size_t i = 0; i < 5; i++)
		ck_assert(decide(&sensor, modes[i]) == BRSKI_ACCEPT);
	ck_assert(brski_store_candidate_refuse(store, "acme", "S-1", NULL, &err) == BRSKI_OK);
	for (size_t i = 0; i < 5; i++)
		ck_assert(decide(&sensor, modes[i]) == BRSKI_REFUSE);
	ck_assert_ptr_nonnull(strstr(why, "refused by the operator"));
}
END_TEST

START_TEST(type_goes_by_subject)
{
	ck_assert(decide(&sensor, BRSKI_MODE_TYPE) == BRSKI_REFUSE);
	ck_assert(brski_store_type_put(store, "acme", "*,CN=Acme Sensor,O=Acme", &err) == BRSKI_OK);
	ck_assert(decide(&sensor, BRSKI_MODE_TYPE) == BRSKI_ACCEPT);
	ck_assert(decide(&module, BRSKI_MODE_TYPE) == BRSKI_REFUSE);
	ck_assert(brski_store_device_put(store, "acme", "M-1", "", &err) == BRSKI_OK);
	ck_assert(decide(&module, BRSKI_MODE_TYPE) == BRSKI_ACCEPT);
}
END_TEST

START_TEST(type_goes_by_hardware)
{
	ck_assert(brski_store_type_put(store, "acme", "oid:1.3.6.1.4.1.32473.17.3", &err) == BRSKI_OK);
	ck_assert(decide(&module, BRSKI_MODE_TYPE) == BRSKI_REFUSE);
	ck_assert_ptr_nonnull(strstr(why, "hardware type 1.3.6.1.4.1.32473.17.2"));
	ck_assert(brski_store_type_put(store, "acme", "oid:1.3.6.1.4.1.32473.17.*", &err) == BRSKI_OK);
	ck_assert(decide(&module, BRSKI_MODE_TYPE) == BRSKI_ACCEPT);
	ck_assert(decide(&sensor, BRSKI_MODE_TYPE) == BRSKI_REFUSE);
}
END_TEST

START_TEST(patterns_fit_wholes)
{
	ck_assert(brski_type_fits("CN=A", "CN=A", ""));
	ck_assert(!brski_type_fits("CN=A", "CN=AB", ""));
	ck_assert(!brski_type_fits("CN=A", "CN=a", ""));
	ck_assert(brski_type_fits("CN=A*", "CN=A/B.C", ""));
	ck_assert(brski_type_fits("CN=A\\,*", "CN=A\\,B", "")); /* RFC 2253's own escape is no escape here */
	ck_assert(!brski_type_fits("*", "", ""));
	ck_assert(!brski_type_fits("oid:*", "CN=A", ""));
	ck_assert(!brski_type_fits("oid:*", "oid:1", ""));
	ck_assert(brski_type_fits("oid:1.2.*", "", "1.2.3"));
	ck_assert(!brski_type_fits("oid:1.2.*", "", "1.20.3"));
}
END_TEST

START_TEST(open_takes_all_and_a_mode_of_the_future_none)
{
	ck_assert(decide(&sensor, BRSKI_MODE_OPEN) == BRSKI_ACCEPT);
	ck_assert(decide(&sensor, BRSKI_MODE_MANUFACTURER) == BRSKI_ACCEPT);
	ck_assert(brski_store_device_put(store, "acme", "S-1", "", &err) == BRSKI_OK);
	ck_assert(decide(&sensor, (enum brski_mode)77) == BRSKI_REFUSE);
}
END_TEST

/* ---- The last word ---- */

struct verdict {
	struct brski_judgement give;
	bool silent;
	unsigned asked;
	char heard[256];
};

static void give(void *ctx, const struct brski_device *device, const struct brski_manufacturer *m,
	const char *reason, struct brski_judgement *out)
{
	struct verdict *v = ctx;

	ck_assert_str_eq(device->serial_number, "S-1");
	ck_assert_str_eq(m->name, "acme");
	v->asked++;
	snprintf(v->heard, sizeof(v->heard), "%s", reason);
	if (!v->silent)
		*out = v->give;
}

START_TEST(the_administrator_has_the_last_word)
{
	struct verdict v = {.give = {.decision = BRSKI_DEFER, .why = "no free port", .retry_after = 300}};
	struct brski_judge judge = {.name = "virtual server x", .ask = give, .ctx = &v};

	visit = &judge;
	ck_assert(decide(&sensor, BRSKI_MODE_MANUFACTURER) == BRSKI_DEFER);
	ck_assert(retry_after == 300);
	ck_assert_str_eq(why, "deferred by virtual server x: no free port");
	ck_assert_str_eq(v.heard, "every device of acme is welcome");
	v.give.decision = BRSKI_REFUSE;
	ck_assert(decide(&sensor, BRSKI_MODE_MANUFACTURER) == BRSKI_REFUSE);
	v.give.decision = BRSKI_ACCEPT;
	v.give.why[0] = '\0';
	ck_assert(decide(&sensor, BRSKI_MODE_MANUFACTURER) == BRSKI_ACCEPT);
	ck_assert_str_eq(why, "accepted by virtual server x");
	v.silent = true;
	ck_assert(decide(&sensor, BRSKI_MODE_MANUFACTURER) == BRSKI_REFUSE);
	ck_assert_uint_eq(v.asked, 4);
}
END_TEST

/* It narrows what the mode allows, and cannot widen it. */
START_TEST(who_is_not_accepted_is_not_put_to_the_administrator)
{
	struct verdict v = {.give = {.decision = BRSKI_ACCEPT}};
	struct brski_judge judge = {.name = "virtual server x", .ask = give, .ctx = &v};

	visit = &judge;
	ck_assert(decide(&sensor, BRSKI_MODE_INVENTORY) == BRSKI_REFUSE);
	ck_assert(decide(&sensor, BRSKI_MODE_MANUAL) == BRSKI_DEFER);
	ck_assert(decide(&sensor, BRSKI_MODE_TYPE) == BRSKI_REFUSE);
	ck_assert_uint_eq(v.asked, 0);
	visit = NULL;
	ck_assert(decide(&sensor, BRSKI_MODE_MANUFACTURER) == BRSKI_ACCEPT);
	ck_assert_uint_eq(v.asked, 0);
}
END_TEST

/* ---- Bounds ---- */

START_TEST(too_many_requests_are_told_from_trouble)
{
	struct brski_store_limits limits = {.waiting_per_device = 1};
	struct brski_job_next next = {.back_end = "https://masa.example"};
	struct brski_device device = device_of(&sensor);
	struct brski_span blob = brski_span_str("request");

	brski_policy_set_limits(policy, &limits);
	ck_assert(ops->job_add(policy, "a1", BRSKI_JOB_VOUCHER, BRSKI_WORK_VOUCHER, &next, &device, blob,
			  &err) == BRSKI_OK);
	ck_assert(ops->job_add(policy, "a2", BRSKI_JOB_VOUCHER, BRSKI_WORK_VOUCHER, &next, &device, blob,
			  &err) == BRSKI_TOO_LARGE);
	ck_assert(ops->job_put(policy, "a1", 1, BRSKI_JOB_VOUCHER, BRSKI_JOB_DONE, false, &next, &device,
			  blob, &err) == BRSKI_OK);
	ck_assert(ops->job_add(policy, "a2", BRSKI_JOB_VOUCHER, BRSKI_WORK_VOUCHER, &next, &device, blob,
			  &err) == BRSKI_OK);
	ck_assert(ops->job_put(policy, "a1", 2, BRSKI_JOB_VOUCHER, BRSKI_JOB_WAITING, false, &next, &device,
			  blob, &err) == BRSKI_TOO_LARGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, inventory_takes_who_is_listed);
	tcase_add_test(tc, who_is_in_the_inventory);
	tcase_add_test(tc, commands_are_quoted);
	tcase_add_test(tc, manual_lets_an_unknown_device_wait);
	tcase_add_test(tc, manual_lets_no_more_wait_than_it_may);
	tcase_add_test(tc, a_refusal_holds_in_every_mode);
	tcase_add_test(tc, type_goes_by_subject);
	tcase_add_test(tc, type_goes_by_hardware);
	tcase_add_test(tc, patterns_fit_wholes);
	tcase_add_test(tc, open_takes_all_and_a_mode_of_the_future_none);
	tcase_add_test(tc, the_administrator_has_the_last_word);
	tcase_add_test(tc, who_is_not_accepted_is_not_put_to_the_administrator);
	tcase_add_test(tc, too_many_requests_are_told_from_trouble);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
