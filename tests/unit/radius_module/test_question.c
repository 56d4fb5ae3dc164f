/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <check.h>

#include "radius_module/question.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* What another door asks of the rules: rightly put, and every way in which it is not. */

static struct brski_credential root, sensor, nameless;
static struct brski_buf der, nameless_der;
static struct brski_question_in in;
static struct brski_question question;
static struct brski_error err;

static void set_up(void)
{
	root = pki_root("CN=Acme CA");
	sensor = pki_leaf("O=Acme,CN=Acme Sensor,serialNumber=S-1", "P-256", &root);
	nameless = pki_leaf("O=Acme,CN=Acme Sensor", "P-256", &root);
	ck_assert(brski_cert_to_der(sensor.cert, &der, &err) == BRSKI_OK);
	ck_assert(brski_cert_to_der(nameless.cert, &nameless_der, &err) == BRSKI_OK);
	in = (struct brski_question_in){.idevid = brski_buf_span(&der),
		.manufacturer = brski_span_str("acme"),
		.mode = brski_span_str("type"),
		.why = brski_span_str("it fits"),
		.door = brski_span_str("https")};
}

static void tear_down(void)
{
	brski_question_free(&question);
	brski_buf_free(&der);
	brski_buf_free(&nameless_der);
	pki_free(&sensor);
	pki_free(&nameless);
	pki_free(&root);
}

static void expect(enum brski_code want, const char *why)
{
	EXPECT_WHY(want, why, brski_question_read(&in, &question, &err));
	ck_assert(!question.device.idevid && question.device.serial_number[0] == '\0' &&
		  question.door[0] == '\0');
}

START_TEST(a_question_is_read)
{
	EXPECT(BRSKI_OK, brski_question_read(&in, &question, &err));
	ck_assert_str_eq(question.device.serial_number, "S-1");
	ck_assert_str_eq(question.device.manufacturer, "acme");
	ck_assert_str_eq(question.device.subject, "serialNumber=S-1,CN=Acme Sensor,O=Acme");
	ck_assert_uint_eq(strlen(question.device.fingerprint), 64);
	ck_assert(X509_cmp(question.device.idevid, sensor.cert) == 0);
	ck_assert_str_eq(question.m.name, "acme");
	ck_assert(question.m.mode == BRSKI_MODE_TYPE);
	ck_assert_str_eq(question.why, "it fits");
	ck_assert_str_eq(question.door, "https");
}
END_TEST

START_TEST(nothing_may_be_missing)
{
	struct brski_span *const parts[] = {&in.idevid, &in.manufacturer, &in.mode, &in.why, &in.door};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct brski_span was = *parts[i];

		*parts[i] = brski_span(NULL, 0);
		expect(BRSKI_MALFORMED, "");
		*parts[i] = was;
	}
}
END_TEST

START_TEST(a_certificate_is_whole_and_names_a_device)
{
	struct brski_buf more = {0};

	in.idevid.len--;
	expect(BRSKI_MALFORMED, "its IDevID");
	brski_put(&more, brski_buf_span(&der));
	brski_put_u8(&more, 0);
	in.idevid = brski_buf_span(&more);
	expect(BRSKI_MALFORMED, "its IDevID");
	in.idevid = brski_buf_span(&nameless_der);
	expect(BRSKI_NOT_FOUND, "");
	brski_buf_free(&more);
}
END_TEST

START_TEST(texts_are_texts_that_there_is_room_for)
{
	char text[256];

	memset(text, 'x', sizeof(text));
	in.manufacturer = brski_span(text, 64);
	expect(BRSKI_MALFORMED, "manufacturer");
	in.manufacturer = brski_span("ac\0me", 5);
	expect(BRSKI_MALFORMED, "manufacturer");
	in.manufacturer = brski_span(text, 63);
	in.why = brski_span(text, 256);
	expect(BRSKI_MALFORMED, "reason");
	in.why = brski_span(text, 255);
	EXPECT(BRSKI_OK, brski_question_read(&in, &question, &err));
}
END_TEST

START_TEST(modes_and_doors_are_known)
{
	static const char *const doors[] = {"eap", "HTTPS", "https ", "a-door-of-sixteen"};

	in.mode = brski_span_str("all");
	expect(BRSKI_MALFORMED, "mode");
	in.mode = brski_span_str("open");
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		in.door = brski_span_str(doors[i]);
		expect(BRSKI_MALFORMED, "");
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_question_is_read,
		nothing_may_be_missing,
		a_certificate_is_whole_and_names_a_device,
		texts_are_texts_that_there_is_room_for,
		modes_and_doors_are_known,
	};

	return run_tests("question", set_up, tear_down, tests, sizeof(tests) / sizeof(tests[0]));
}
