/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/registrar/registrar_internal.h"
#include "services/registrar_https/door_settings.h"
#include "tests/unit/support/document.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/visit.h"

/*
 * docs/protocol-ip.md: its table of resources is the registrar's own, its examples are what a registrar
 * answers, its table of statuses has those that the code says, and no others, and its limits are the
 * settings' standards. "test_protocol_ip --write" puts resources and examples there anew.
 */

#define PAGE "docs/protocol-ip.md"
#define HERE "registrar.example:8443"

/* ---- Resources ---- */

static void put_cmp_types(struct brski_buf *out, unsigned types)
{
	const char *before = ": ";

	for (int type = 0; type <= BRSKI_CMP_POLLREP; type++) {
		if (types & 1u << type) {
			brski_printf(out, "%s%s", before, brski_cmp_type_name(type));
			before = ", ";
		}
	}
	if (types == 0)
		brski_printf(out, ": refused by CMP, whatever it is");
}

static void put_resource(struct brski_buf *out, const struct brski_registrar_endpoint *e)
{
	brski_printf(out, "| %s | %s%s%s | %s | %s", e->method, e->path, e->label && e->label[0] ? "/" : "",
		e->label ? e->label : "", e->open ? "everybody" : "devices",
		e->media         ? e->media
		: e->unsupported ? "any"
				 : "none");
	if (e->label)
		put_cmp_types(out, e->cmp_types);
	brski_printf(out, " | %s%s |\n", e->produces ? e->produces : "none",
		e->unsupported ? "; not served: 501" : "");
}

static void draw_resources(struct brski_buf *out)
{
	const struct brski_registrar_endpoint *e;

	for (size_t i = 0; (e = brski_registrar_endpoint(i)); i++)
		put_resource(out, e);
}

/* ---- Examples ---- */

struct example {
	bool device;
	const char *method, *path, *type, *accept, *body;
};

static const struct example examples[] = {
	{false, "GET", "/.well-known/brski", NULL, NULL, NULL},
	{false, "GET", "/.well-known/brski", NULL, "application/link-format", NULL},
	{false, "GET", "/.well-known/core?rt=brski.*", NULL, NULL, NULL},
	{false, "GET", "/.well-known/brski", NULL, "text/html", NULL},
	{false, "GET", "/.well-known/brski?rt=brski.*", NULL, NULL, NULL},
	{false, "GET", "/.well-known/nowhere", NULL, NULL, NULL},
	{false, "PUT", "/.well-known/brski", NULL, NULL, NULL},
	{true, "GET", "/.well-known/brski/requestvoucher", NULL, NULL, NULL},
	{true, "POST", "/.well-known/brski/requestvoucher", "application/json", NULL, "{}"},
	{true, "POST", "/.well-known/brski/requestvoucher", "application/voucher-cms+json", NULL, "{}"},
	{true, "POST", "/.well-known/brski/voucher_status", "application/json", NULL, "{"},
	{true, "POST", "/.well-known/brski/voucher_status", "application/json", NULL,
		"{\"version\":1,\"status\":true}"},
	{true, "POST", "/.well-known/cmp/initialization", "application/pkixcmp", NULL, "{}"},
	{true, "POST", "/.well-known/cmp/initialization", "application/pkixcmp", "application/json", "{}"},
	{false, "GET", "/.well-known/est/cacerts", NULL, "*/*", NULL},
	{true, "GET", "/.well-known/est/csrattrs", NULL, NULL, NULL},
	{true, "GET", "/.well-known/est/simpleenroll", NULL, NULL, NULL},
	{true, "POST", "/.well-known/est/simpleenroll", "application/pkcs10", NULL, "{}"},
	{true, "POST", "/.well-known/est/fullcmc", "application/pkcs7-mime", NULL, "AA=="},
	{true, "POST", "/.well-known/est/serverkeygen", "application/pkcs10", NULL, "AA=="},
	{true, "GET", "/.well-known/est/label/cacerts", NULL, NULL, NULL},
};
#define N_EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static struct site site;
static struct visit visit;
static struct brski_error err;

static void setup(void)
{
	site_open(&site, "P-256");
	visit_open(&visit, &site);
}

static void teardown(void)
{
	visit_close(&visit);
	site_close(&site);
}

static void make_request(const struct example *x, struct brski_http *request)
{
	struct brski_span body = brski_span_str(x->body ? x->body : "");

	EXPECT(BRSKI_OK, brski_http_request(request, x->method, x->path, x->type, body, &err));
	free(request->authority);
	request->authority = strdup(HERE);
	if (x->accept)
		EXPECT(BRSKI_OK, brski_http_set(request, "accept", x->accept, &err));
}

/* The answer in visit.response. */
static void ask(const struct example *x)
{
	struct brski_http request = {0};
	bool answered = false;

	make_request(x, &request);
	if (x->device) {
		visit_again(&visit); /* what one request is answered may end a session */
		brski_registrar_session_serve_est(visit.session);
		EXPECT(BRSKI_OK,
			brski_registrar_request(visit.session, &request, &visit.response, &visit.job, &err));
		ck_assert_ptr_null(visit.job);
	} else {
		EXPECT(BRSKI_OK, brski_registrar_public(
					 site.registrar, &request, true, &answered, &visit.response, &err));
		ck_assert(answered);
	}
	brski_http_free(&request);
}

static void put_cell(struct brski_buf *out, const char *text)
{
	if (text)
		brski_printf(out, " `%s` |", text);
	else
		brski_printf(out, " |");
}

/* "method path, Content-Type, Accept, body -> status and fields", one a line. */
static void put_example(struct brski_buf *out, const struct example *x)
{
	static const char *const told[] = {
		"content-type", "content-transfer-encoding", "retry-after", "allow", "accept-encoding"};

	ask(x);
	brski_printf(out, "| %s | `%s %s` |", x->device ? "device" : "nobody", x->method, x->path);
	put_cell(out, x->type);
	put_cell(out, x->accept);
	put_cell(out, x->body);
	brski_printf(out, " **%u**", visit.response.status);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		const char *value = brski_http_get(&visit.response, told[i]);

		if (value)
			brski_printf(out, ", %s: %s", told[i], value);
	}
	brski_printf(out, " |\n");
}

static void draw_examples(struct brski_buf *out)
{
	brski_printf(out,
		"| who | request | content-type | accept | body | answer |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < N_EXAMPLES; i++)
		put_example(out, &examples[i]);
}

/* ---- The parts that are drawn ---- */

static bool writing;

START_TEST(resources_and_examples)
{
	static const struct document_part parts[] = {
		{PAGE, "<!-- begin resources -->\n", "<!-- end resources -->\n", draw_resources},
		{PAGE, "<!-- begin examples -->\n", "<!-- end examples -->\n", draw_examples},
	};

	document_hold(&parts[_i], "test_protocol_ip", writing);
}
END_TEST

/* What section 3 shows of an answer stands there letter by letter. */
START_TEST(discovery_is_as_it_is_shown)
{
	static const struct example links = {false, "GET", "/.well-known/core", NULL, NULL, NULL};
	static const struct example json = {false, "GET", "/.well-known/brski", NULL, NULL, NULL};
	struct brski_buf page = file_read(PAGE), body = {0};
	char *shown;

	brski_put_u8(&page, 0);
	ask(&links);
	brski_printf(
		&body, "\n    %.*s\n", (int)visit.response.body.len, (const char *)visit.response.body.data);
	brski_put_u8(&body, 0);
	ck_assert_ptr_nonnull(strstr((const char *)page.data, (const char *)body.data));
	ask(&json);
	brski_put_u8(&visit.response.body, 0);
	shown = strstr((char *)page.data, "    {\"voucher\":");
	ck_assert_ptr_nonnull(shown);
	*strstr(shown, ", ...") = '\0';
	ck_assert_ptr_eq(strstr((const char *)visit.response.body.data, shown + 4), visit.response.body.data);
	brski_buf_free(&page);
	brski_buf_free(&body);
}
END_TEST

/* ---- Statuses ---- */

/* Where they are made: by the role, by the door, by the HTTP server; and what errors become. */
static const char *const sources[] = {"eap_brski/registrar/*.c", "services/registrar_https/*.c",
	"services/base/http_server*.c", "eap_brski/ground/error.c"};

static bool said[600], listed[600];

/* The status that stands there; 0: none. No class has fifty of them (RFC 9110 15). */
static unsigned status_at(const char *at)
{
	if (at[0] >= '2' && at[0] <= '5' && at[1] >= '0' && at[1] < '5' && isdigit((unsigned char)at[2]) &&
		strchr(",;|} ", at[3]))
		return (unsigned)strtoul(at, NULL, 10);
	return 0;
}

/* In code, and not in a string or a comment: ", 403," or ", 403;", or "{BRSKI_REFUSED, ... 403". */
static void read_code(const char *text)
{
	static const char *const dull[][2] = {{"/*", "*/"}, {"\"", "\""}, {"'", "'"}};
	const char *at = text;

	while (*at) {
		size_t i = 0;

		while (i < 3 && strncmp(at, dull[i][0], strlen(dull[i][0])) != 0)
			i++;
		if (i < 3) {
			at += strlen(dull[i][0]);
			while (*at && strncmp(at, dull[i][1], strlen(dull[i][1])) != 0)
				at += *at == '\\' && at[1] ? 2 : 1;
			at += *at ? strlen(dull[i][1]) : 0;
		} else if (at[0] == ',' && at[1] == ' ') {
			at += 2;
			said[status_at(at)] = true;
		} else {
			at++;
		}
	}
}

static void read_sources(const char *pattern)
{
	glob_t found;

	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct brski_buf file = file_read(found.gl_pathv[i]);

		brski_put_u8(&file, 0);
		read_code((const char *)file.data);
		brski_buf_free(&file);
	}
	globfree(&found);
}

/* "| 414, 431 | when": the first cell of each row in section 7. */
static void read_table(void)
{
	struct brski_buf page = file_read(PAGE);
	char *row, *end;

	brski_put_u8(&page, 0);
	row = strstr((char *)page.data, "\n## 7 ");
	end = strstr((char *)page.data, "\n## 8 ");
	ck_assert(row && end);
	*end = '\0';
	while ((row = strstr(row, "\n| "))) {
		for (row += 3; *row != '|'; row++)
			listed[status_at(row)] = true;
	}
	brski_buf_free(&page);
}

START_TEST(all_statuses_are_listed)
{
	struct brski_buf unlisted = {0}, unsaid = {0};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		read_sources(sources[i]);
	read_table();
	for (unsigned status = 200; status < 600; status++) {
		if (said[status] && !listed[status])
			brski_printf(&unlisted, " %u", status);
		if (listed[status] && !said[status])
			brski_printf(&unsaid, " %u", status);
		n += said[status];
	}
	ck_assert_uint_gt(n, 15);
	brski_put_u8(&unlisted, 0);
	brski_put_u8(&unsaid, 0);
	ck_assert_msg(unlisted.len + unsaid.len == 2, "not listed:%s; nobody says:%s",
		(const char *)unlisted.data, (const char *)unsaid.data);
	brski_buf_free(&unlisted);
	brski_buf_free(&unsaid);
}
END_TEST

/* ---- Limits ---- */

static const struct setting *setting_of(const char *text)
{
	char name[64];
	const struct setting *s;

	ck_assert_int_eq(sscanf(text, "%63[a-z_]`)", name), 1);
	s = settings_find(door_table, name);
	if (!s)
		s = settings_find(brski_settings, name);
	ck_assert_msg(s != NULL, "there is no setting %s", name);
	return s;
}

/* "1,024 (`max_connections_per_proxy`)", and the like, in section 12. */
START_TEST(limits_are_the_settings)
{
	struct brski_buf page = file_read(PAGE);
	char *at, *end;
	unsigned n = 0;

	brski_put_u8(&page, 0);
	at = strstr((char *)page.data, "\n## 12 ");
	end = strstr((char *)page.data, "\n## 13 ");
	ck_assert(at && end);
	for (at = strstr(at, "| what |"); at && (at = strstr(at, "(`")) != NULL && at < end; at += 2, n++) {
		const struct setting *s = setting_of(at + 2);
		char *digit = at;
		long value = 0;

		while (digit[-1] != '|')
			digit--;
		for (digit += digit[0] == ' '; *digit == ',' || isdigit((unsigned char)*digit); digit++)
			value = *digit == ',' ? value : value * 10 + (*digit - '0');
		ck_assert_msg(value == strtol(s->standard, NULL, 10), "%s: %ld, and not %s", s->name, value,
			s->standard);
	}
	ck_assert_uint_ge(n, 9);
	brski_buf_free(&page);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("protocol over IP");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	writing = argc > 1 && strcmp(argv[1], "--write") == 0;
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, resources_and_examples, 0, 2);
	tcase_add_test(tcase, discovery_is_as_it_is_shown);
	tcase_add_test(tcase, all_statuses_are_listed);
	tcase_add_test(tcase, limits_are_the_settings);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
