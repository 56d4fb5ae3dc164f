/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <check.h>

#include "services/registrar/rules_question.h"
#include "services/registrar_https/rules_internal.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"
#include "tests/unit/support/radius.h"

/* The judge of the HTTPS door: what it asks, whom it believes, and what it does when nobody answers. */

static char folder[64], path[80], secret_file[96];
static struct brski_store *store;
static struct asked_server server;
static struct rules *rules;
static struct rules_visit visit;
static struct brski_credential ca, sensor;
static struct brski_device device = {.manufacturer = "acme", .serial_number = "S-1"};
static const struct brski_manufacturer acme = {.name = "acme", .mode = BRSKI_MODE_MANUFACTURER};
static struct brski_error err;
static char lines[2048]; /* of log */

static void log_line(void *ctx, enum brski_level level, const char *line)
{
	size_t used = strlen(lines);

	(void)ctx;
	snprintf(lines + used, sizeof(lines) - used, "%s%s\n", level >= BRSKI_LOG_WARN ? "WARN " : "", line);
}
static const struct brski_env env = {.log = log_line};

/* Seconds that everybody here believes to have passed. */
static atomic_int skipped;

int clock_gettime(clockid_t id, struct timespec *t)
{
	int result = (int)syscall(SYS_clock_gettime, id, t);

	t->tv_sec += id == CLOCK_MONOTONIC ? atomic_load(&skipped) : 0;
	return result;
}

/* ---- What the server says ---- */

static struct {
	uint8_t code;
	const char *decision, *reason;
	const char *retry; /* four octets */
	size_t retry_len;
	int skip; /* no answer, and so many seconds are gone */
} give;

static void answer(struct asked_server *s, struct brski_span in)
{
	struct brski_buf a = {0}, out;

	if (give.skip)
		atomic_fetch_add(&skipped, give.skip);
	if (give.skip || !asked_is_signed(in, TEST_RADIUS_SECRET))
		return;
	if (give.decision)
		asked_put_vendor(&a, 32473, 6, brski_span_str(give.decision));
	if (give.reason)
		asked_put_vendor(&a, 32473, 7, brski_span_str(give.reason));
	if (give.retry)
		asked_put_vendor(&a, 32473, 8, brski_span(give.retry, give.retry_len));
	out = asked_answer(give.code, in, brski_buf_span(&a), &(struct asked_lie){0});
	asked_server_send(s, brski_buf_span(&out), false);
	brski_buf_free(&out);
	brski_buf_free(&a);
}

static void write_secret(const char *text, mode_t mode)
{
	file_write(secret_file, brski_span_str(text));
	ck_assert_int_eq(chmod(secret_file, mode), 0);
}

static enum brski_code make_rules(const char *at)
{
	const struct rules_config config = {
		.server = at, .secret_file = secret_file, .store = store, .env = &env};

	return rules_new(&config, &rules, &err);
}

static void set_up(void)
{
	temp_make(folder);
	snprintf(path, sizeof(path), "%s/r.db", folder);
	snprintf(secret_file, sizeof(secret_file), "%s/rules.secret", folder);
	write_secret("secret = " TEST_RADIUS_SECRET "\n", 0640);
	ck_assert(brski_store_open(path, true, &store, &err) == BRSKI_OK);
	ca = pki_root("CN=Acme CA");
	sensor = pki_leaf("O=Acme,CN=Acme Sensor,serialNumber=S-1", "P-256", &ca);
	device.idevid = sensor.cert;
	lines[0] = '\0';
	memset(&give, 0, sizeof(give));
	give.code = 2;
	give.decision = "accept";
	server = (struct asked_server){.heard = answer};
	asked_server_start(&server);
	rules = NULL;
}

static void tear_down(void)
{
	rules_free(rules);
	asked_server_stop(&server);
	brski_store_close(store);
	pki_free(&sensor);
	pki_free(&ca);
	temp_remove(folder);
}

static struct brski_judgement ask(void)
{
	struct brski_judgement out = {.decision = BRSKI_REFUSE};

	visit.judge.ask(visit.judge.ctx, &device, &acme, "every device of acme is welcome", &out);
	return out;
}

static struct brski_judgement visit_anew(void)
{
	rules_visit_init(&visit, rules, "192.0.2.7");
	return ask();
}

/* ---- What it asks ---- */

static bool has(struct brski_span in, unsigned i, uint8_t type, const char *want)
{
	struct radius_answer a = {.attributes = brski_span(in.data + 20, in.len - 20)};
	struct brski_span part;

	return radius_answer_vendor(&a, 32473, type, i, &part) &&
	       brski_span_equal(part, brski_span_str(want));
}

static bool has_attribute(struct brski_span in, uint8_t type, struct brski_span want)
{
	struct brski_span rest = brski_span(in.data + 20, in.len - 20), value;
	uint8_t is, len;

	while (brski_read_u8(&rest, &is) && brski_read_u8(&rest, &len) &&
		brski_read_span(&rest, len - 2U, &value))
		if (is == type && brski_span_equal(value, want))
			return true;
	return false;
}

static bool has_no_eap(struct brski_span in)
{
	struct brski_span rest = brski_span(in.data + 20, in.len - 20), value;
	uint8_t is, len;

	while (brski_read_u8(&rest, &is) && brski_read_u8(&rest, &len) &&
		brski_read_span(&rest, len - 2U, &value))
		if (is == 79)
			return false;
	return true;
}

START_TEST(the_question_tells_what_the_rules_look_at)
{
	struct brski_buf der = {0}, got = {0};
	struct radius_answer a;
	struct brski_span in, part;

	EXPECT(BRSKI_OK, make_rules(server.address));
	ck_assert(visit_anew().decision == BRSKI_ACCEPT);
	in = brski_buf_span(&server.last);
	ck_assert(asked_is_signed(in, TEST_RADIUS_SECRET));
	ck_assert(has(in, 0, BRSKI_RULES_MANUFACTURER, "acme"));
	ck_assert(has(in, 0, BRSKI_RULES_MODE, "manufacturer"));
	ck_assert(has(in, 0, BRSKI_RULES_WHY, "every device of acme is welcome"));
	ck_assert(has(in, 0, BRSKI_RULES_DOOR, "https"));
	ck_assert(has_attribute(in, 31, brski_span_str("192.0.2.7")));
	ck_assert(has_attribute(in, 61, brski_span("\0\0\0\x05", 4)));
	ck_assert(has_no_eap(in));
	a.attributes = brski_span(in.data + 20, in.len - 20);
	for (unsigned i = 0; radius_answer_vendor(&a, 32473, BRSKI_RULES_IDEVID, i, &part); i++)
		brski_put(&got, part);
	ck_assert(brski_cert_to_der(sensor.cert, &der, &err) == BRSKI_OK);
	ck_assert(brski_span_equal(brski_buf_span(&got), brski_buf_span(&der)));
	brski_buf_free(&der);
	brski_buf_free(&got);
}
END_TEST

START_TEST(it_asks_once_in_a_visit)
{
	EXPECT(BRSKI_OK, make_rules(server.address));
	ck_assert(visit_anew().decision == BRSKI_ACCEPT);
	give.code = 3;
	give.decision = "refuse";
	ck_assert(ask().decision == BRSKI_ACCEPT);
	ck_assert_uint_eq(atomic_load(&server.questions), 1);
	ck_assert(visit_anew().decision == BRSKI_REFUSE);
}
END_TEST

/* A certificate that no RADIUS packet has room for. */
START_TEST(a_device_that_cannot_be_asked_about_is_not_let_in)
{
	struct pki_spec spec = {.subject = "O=Acme,CN=Acme Sensor,serialNumber=S-1"};
	struct brski_credential large;
	struct brski_judgement j;
	char san[4096] = "DNS:a.example";

	while (strlen(san) < 3900)
		strcat(san, ",DNS:another.name.example");
	spec.san = san;
	large = pki_make(&spec, &ca);
	device.idevid = large.cert;
	EXPECT(BRSKI_OK, make_rules(server.address));
	j = visit_anew();
	ck_assert(j.decision == BRSKI_REFUSE);
	ck_assert_msg(strstr(j.why, "too long") != NULL, "%s", j.why);
	ck_assert_uint_eq(atomic_load(&server.questions), 0);
	device.idevid = sensor.cert;
	ck_assert(visit_anew().decision == BRSKI_ACCEPT); /* and nobody else suffers */
	pki_free(&large);
}
END_TEST

/* ---- What it is told ---- */

START_TEST(what_the_rules_say_is_done)
{
	struct brski_judgement j;

	EXPECT(BRSKI_OK, make_rules(server.address));
	give.code = 3;
	give.decision = "refuse";
	give.reason = "not\tallowed";
	j = visit_anew();
	ck_assert(j.decision == BRSKI_REFUSE && !j.no_rules);
	ck_assert_str_eq(j.why, "not?allowed");
	give.decision = "defer";
	give.retry = "\0\0\x01\x2c";
	give.retry_len = 4;
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER && j.retry_after == 300);
	give.retry = NULL;
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER && j.retry_after == 0);
	ck_assert(strncmp(visit.judge.name, "rules_server 127.0.0.1:", 23) == 0);
}
END_TEST

static const struct strange {
	uint8_t code;
	const char *decision, *retry;
	size_t retry_len;
} strange[] = {
	{2, NULL, NULL, 0},      /* any RADIUS server's Access-Accept */
	{3, NULL, NULL, 0},      /* any RADIUS server's Access-Reject */
	{11, "accept", NULL, 0}, /* Access-Challenge */
	{2, "refuse", NULL, 0},  /* that contradicts itself */
	{2, "defer", NULL, 0},
	{3, "accept", NULL, 0},
	{2, "Accept", NULL, 0},
	{2, "accept ", NULL, 0},
	{3, "defer", "\0\0\0", 3},
	{3, "defer", "\0\0\0\0\1", 5},
	{3, "defer", "\xff\xff\xff\xff", 4},
};

/* Nobody is let in by an answer that is none of ours, nor refused for good. */
START_TEST(a_strange_answer_lets_nobody_in)
{
	struct brski_judgement j;

	EXPECT(BRSKI_OK, make_rules(server.address));
	give.code = strange[_i].code;
	give.decision = strange[_i].decision;
	give.retry = strange[_i].retry;
	give.retry_len = strange[_i].retry_len;
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER && j.retry_after == 0);
	ck_assert_msg(strstr(j.why, "the answer") != NULL, "%s", j.why);
}
END_TEST

START_TEST(a_question_that_the_server_refuses_is_told)
{
	struct brski_judgement j;

	EXPECT(BRSKI_OK, make_rules(server.address));
	give.code = 3;
	give.decision = NULL;
	give.reason = "its client's section does not say brski_rules = yes";
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER);
	ck_assert_msg(strstr(j.why, "brski_rules = yes") != NULL, "%s", j.why);
}
END_TEST

/* ---- Nobody there ---- */

START_TEST(while_the_server_is_away_one_asks_and_nobody_waits)
{
	struct brski_judgement j;

	EXPECT(BRSKI_OK, make_rules(server.address));
	asked_server_stop(&server);
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER && j.retry_after == 0);
	ck_assert_msg(strcmp(j.why, "nobody listens there") == 0, "%s", j.why);
	ck_assert_msg(strstr(lines, "WARN rules_server 127.0.0.1:") != NULL, "%s", lines);
	lines[0] = '\0';
	asked_server_start(&server);
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER);
	ck_assert_msg(strstr(j.why, "not asked again") != NULL, "%s", j.why);
	ck_assert_uint_eq(atomic_load(&server.questions), 0);
	ck_assert_str_eq(lines, "");
	atomic_fetch_add(&skipped, RULES_AWAY_MS / 1000 + 1);
	ck_assert(visit_anew().decision == BRSKI_ACCEPT);
	ck_assert_msg(strstr(lines, "answers again") != NULL, "%s", lines);
	ck_assert(visit_anew().decision == BRSKI_ACCEPT);
	ck_assert_uint_eq(atomic_load(&server.questions), 2);
}
END_TEST

START_TEST(a_server_that_is_silent_is_away_after_its_time)
{
	struct brski_judgement j;

	EXPECT(BRSKI_OK, make_rules(server.address));
	give.skip = RULES_WAIT_MS / 1000 + 1;
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER);
	ck_assert_msg(strstr(j.why, "no answer") != NULL, "%s", j.why);
	give.skip = 0;
	ck_assert(visit_anew().decision == BRSKI_DEFER);
	ck_assert_uint_eq(atomic_load(&server.questions), 1);
	/* one who finds it silent still does not make the others wait */
	atomic_fetch_add(&skipped, RULES_AWAY_MS / 1000 + 1);
	give.skip = RULES_WAIT_MS / 1000 + 1;
	ck_assert(visit_anew().decision == BRSKI_DEFER);
	ck_assert(visit_anew().decision == BRSKI_DEFER);
	ck_assert_uint_eq(atomic_load(&server.questions), 2);
	ck_assert_msg(strstr(strstr(lines, "does not answer") + 1, "does not answer") == NULL, "%s", lines);
}
END_TEST

/* ---- Without a server ---- */

START_TEST(without_a_server_the_store_decides)
{
	struct brski_judgement j;

	EXPECT(BRSKI_OK, make_rules(_i ? "" : NULL));
	j = visit_anew();
	ck_assert(j.no_rules);
	ck_assert_str_eq(lines, "");
	EXPECT(BRSKI_OK, brski_store_rules_set(store, "brski of /etc/x", "virtual server y", &err));
	j = visit_anew();
	ck_assert(j.decision == BRSKI_REFUSE && !j.no_rules);
	ck_assert_msg(strstr(j.why, "virtual server y") && strstr(j.why, "brski of /etc/x") &&
			      strstr(j.why, "set rules_server"),
		"%s", j.why);
	EXPECT(BRSKI_OK, brski_store_rules_set(store, "brski of /etc/x", NULL, &err));
	ck_assert(visit_anew().no_rules);
}
END_TEST

START_TEST(a_store_that_cannot_tell_lets_nobody_in)
{
	struct brski_judgement j;

	EXPECT(BRSKI_OK, make_rules(NULL));
	ck_assert_int_eq(run("sqlite3 %s 'ALTER TABLE door_rules RENAME TO gone'", path), 0);
	j = visit_anew();
	ck_assert(j.decision == BRSKI_DEFER && !j.no_rules);
	ck_assert_msg(strstr(j.why, "not known") != NULL, "%s", j.why);
}
END_TEST

START_TEST(none_is_the_operators_word)
{
	EXPECT(BRSKI_OK, brski_store_rules_set(store, "brski of /etc/x", "virtual server y", &err));
	EXPECT(BRSKI_OK, make_rules("none"));
	ck_assert(visit_anew().no_rules);
	ck_assert_msg(strstr(lines, "WARN rules_server is \"none\"") && strstr(lines, "brski of /etc/x"),
		"%s", lines);
}
END_TEST

START_TEST(that_everybody_is_refused_is_told_at_the_start)
{
	EXPECT(BRSKI_OK, brski_store_rules_set(store, "brski of /etc/x", "virtual server y", &err));
	EXPECT(BRSKI_OK, make_rules(NULL));
	ck_assert_msg(strstr(lines, "WARN virtual server y has the last word at brski of /etc/x") != NULL,
		"%s", lines);
}
END_TEST

/* ---- The secret ---- */

static const struct {
	const char *text;
	mode_t mode;
	enum brski_code want;
	const char *why;
} secrets[] = {
	{"# of both\n\n\tsecret=\"" TEST_RADIUS_SECRET "\"\n", 0640, BRSKI_OK, ""},
	{"secret = '" TEST_RADIUS_SECRET "'", 0400, BRSKI_OK, ""},
	{"secret = " TEST_RADIUS_SECRET "\n", 0644, BRSKI_UNTRUSTED, "everybody on this machine"},
	{"secret = " TEST_RADIUS_SECRET "\n", 0642, BRSKI_UNTRUSTED, "everybody on this machine"},
	{TEST_RADIUS_SECRET "\n", 0600, BRSKI_MALFORMED, "one line"},
	{"secret = \n", 0600, BRSKI_MALFORMED, "one line"},
	{"", 0600, BRSKI_MALFORMED, "one line"},
	{"Secret = " TEST_RADIUS_SECRET "\n", 0600, BRSKI_MALFORMED, "one line"},
	{"secret = " TEST_RADIUS_SECRET "\nsecret = " TEST_RADIUS_SECRET "\n", 0600, BRSKI_MALFORMED,
		"one line"},
	{"secret = ${certdir}-and-sixteen-more\n", 0600, BRSKI_MALFORMED, "letters, digits"},
	{"secret = two words and sixteen more\n", 0600, BRSKI_MALFORMED, "letters, digits"},
	{"secret = \"" TEST_RADIUS_SECRET "\n", 0600, BRSKI_MALFORMED, "letters, digits"},
	{"secret = fifteen-letters\n", 0600, BRSKI_UNSUPPORTED, "rules_secret_file: a secret has 16 to 256"},
};

START_TEST(the_secrets_file_is_what_it_must_be)
{
	write_secret(secrets[_i].text, secrets[_i].mode);
	EXPECT_WHY(secrets[_i].want, secrets[_i].why, make_rules(server.address));
	if (secrets[_i].want == BRSKI_OK) {
		ck_assert(visit_anew().decision == BRSKI_ACCEPT);
		return;
	}
	ck_assert_ptr_null(rules);
	ck_assert_msg(strstr(err.why, "nobody-else") == NULL, "%s", err.why);
	ck_assert(strncmp(err.why, "rules_secret_file: ", 19) == 0);
}
END_TEST

/* FreeRADIUS would read another one than we. */
START_TEST(a_secret_has_no_zero_in_it)
{
	static const char text[] = "secret = " TEST_RADIUS_SECRET "\0and-more\n";

	file_write(secret_file, brski_span(text, sizeof(text) - 1));
	EXPECT_WHY(BRSKI_MALFORMED, "letters, digits", make_rules(server.address));
}
END_TEST

START_TEST(without_a_secret_there_is_no_server)
{
	struct rules_config config = {.server = server.address, .store = store, .env = &env};

	EXPECT_WHY(BRSKI_MALFORMED, "rules_secret_file", rules_new(&config, &rules, &err));
	config.secret_file = "/nonexistent/rules.secret";
	EXPECT_WHY(BRSKI_NOT_FOUND, "rules_secret_file", rules_new(&config, &rules, &err));
	EXPECT_WHY(BRSKI_MALFORMED, "rules_server", make_rules("radius.example:1812"));
	rules_free(NULL);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *s = suite_create("rules");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, the_question_tells_what_the_rules_look_at);
	tcase_add_test(tc, it_asks_once_in_a_visit);
	tcase_add_test(tc, a_device_that_cannot_be_asked_about_is_not_let_in);
	tcase_add_test(tc, what_the_rules_say_is_done);
	tcase_add_loop_test(tc, a_strange_answer_lets_nobody_in, 0, COUNT(strange));
	tcase_add_test(tc, a_question_that_the_server_refuses_is_told);
	tcase_add_test(tc, while_the_server_is_away_one_asks_and_nobody_waits);
	tcase_add_test(tc, a_server_that_is_silent_is_away_after_its_time);
	tcase_add_loop_test(tc, without_a_server_the_store_decides, 0, 2);
	tcase_add_test(tc, a_store_that_cannot_tell_lets_nobody_in);
	tcase_add_test(tc, none_is_the_operators_word);
	tcase_add_test(tc, that_everybody_is_refused_is_told_at_the_start);
	tcase_add_loop_test(tc, the_secrets_file_is_what_it_must_be, 0, COUNT(secrets));
	tcase_add_test(tc, a_secret_has_no_zero_in_it);
	tcase_add_test(tc, without_a_secret_there_is_no_server);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
