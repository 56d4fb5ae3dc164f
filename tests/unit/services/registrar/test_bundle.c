/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "eap_brski/pki/cms.h"
#include "services/base/file.h"
#include "services/registrar/bundle.h"
#include "tests/unit/support/files.h"
#include "tests/unit/support/pki.h"

/* The files that are carried: what is read is what was written, and nothing else is read at all. */

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct brski_credential root, signer;
static STACK_OF(X509) *anchors;
static struct brski_error err;

static void setup(void)
{
	root = pki_root("CN=Root");
	signer = pki_leaf("CN=Courier", "P-256", &root);
	anchors = sk_X509_new_null();
	X509_up_ref(root.cert);
	ck_assert(sk_X509_push(anchors, root.cert) > 0);
}

static void teardown(void)
{
	pki_free(&root);
	pki_free(&signer);
	pki_free_certs(anchors);
}

static struct brski_bundle_item *add(struct brski_bundle *bundle)
{
	struct brski_bundle_item *item = brski_bundle_add(bundle);

	ck_assert_ptr_nonnull(item);
	snprintf(item->key, sizeof(item->key), "%s", KEY);
	snprintf(item->manufacturer, sizeof(item->manufacturer), "acme");
	snprintf(item->serial_number, sizeof(item->serial_number), "S-1");
	return item;
}

static struct brski_bundle requests(size_t body)
{
	struct brski_bundle bundle = {.created_on = 1700000000};
	struct brski_bundle_item *item = add(&bundle);
	uint8_t *octets = calloc(1, body + 1);
	struct brski_planned *call = &item->calls[0];

	snprintf(bundle.registrar, sizeof(bundle.registrar), "%s", KEY);
	item->kind = BRSKI_BUNDLE_CERTIFICATE;
	item->n_calls = 1;
	ck_assert(brski_buf_set(&item->tls_anchors, brski_span_str("PEM")) == BRSKI_OK);
	snprintf(call->url, sizeof(call->url), "https://ca.example/.well-known/cmp");
	memset(octets, 0xa5, body);
	EXPECT(BRSKI_OK, brski_http_request(&call->request, "POST", "/.well-known/cmp", "application/pkixcmp",
				 brski_span(octets, body), &err));
	free(octets);
	return bundle;
}

static struct brski_bundle answers(void)
{
	struct brski_bundle bundle = {.answers = true, .created_on = 1700000000};
	struct brski_bundle_item *item = add(&bundle);

	snprintf(bundle.registrar, sizeof(bundle.registrar), "%s", KEY);
	item->n_answers = 1;
	snprintf(item->trouble, sizeof(item->trouble), "the second one is away");
	EXPECT(BRSKI_OK, brski_http_response(&item->answers[0], 200, "application/json",
				 brski_span_str("{\"version\":\"1\"}"), &err));
	EXPECT(BRSKI_OK, brski_http_set(&item->answers[0], "retry-after", "30", &err));
	return bundle;
}

/* As both programs do: whose signature is it? */
static enum brski_code judge(void *ctx, const STACK_OF(X509) *certs, struct brski_error *why)
{
	(void)ctx;
	return brski_chain_verify(certs, anchors, NULL, BRSKI_USE_ANY, 0, why);
}

static enum brski_code open_file(
	struct brski_span file, bool is_answers, struct brski_bundle *out, struct brski_error *why)
{
	STACK_OF(X509) *certs = NULL;
	enum brski_code code = brski_bundle_open(file, is_answers, judge, NULL, out, &certs, why);

	pki_free_certs(certs);
	return code;
}

static void expect_same_answer(const struct brski_bundle *p)
{
	const struct brski_bundle_item *item = &p->items[0];

	ck_assert_uint_eq(p->n_items, 1);
	ck_assert_str_eq(p->registrar, KEY);
	ck_assert_int_eq(p->created_on, 1700000000);
	ck_assert_str_eq(item->key, KEY);
	ck_assert_int_eq(item->kind, BRSKI_BUNDLE_VOUCHER);
	ck_assert_str_eq(item->manufacturer, "acme");
	ck_assert_str_eq(item->serial_number, "S-1");
	ck_assert_str_eq(item->trouble, "the second one is away");
	ck_assert_uint_eq(item->n_answers, 1);
	ck_assert_uint_eq(item->answers[0].status, 200);
	ck_assert_str_eq(brski_http_get(&item->answers[0], "content-type"), "application/json");
	ck_assert_str_eq(brski_http_get(&item->answers[0], "retry-after"), "30");
	ck_assert(brski_span_equal(
		brski_buf_span(&item->answers[0].body), brski_span_str("{\"version\":\"1\"}")));
}

START_TEST(requests_come_back_as_they_were)
{
	/* far more than a voucher's envelope may hold */
	struct brski_bundle bundle = requests(300000), read;
	struct brski_buf file = {0};

	EXPECT(BRSKI_OK, brski_bundle_seal(&bundle, &signer, &file, &err));
	EXPECT(BRSKI_OK, open_file(brski_buf_span(&file), false, &read, &err));
	ck_assert_uint_eq(read.n_items, 1);
	ck_assert_int_eq(read.items[0].kind, BRSKI_BUNDLE_CERTIFICATE);
	ck_assert_uint_eq(read.items[0].n_calls, 1);
	ck_assert_str_eq(read.items[0].calls[0].url, "https://ca.example/.well-known/cmp");
	ck_assert_str_eq(read.items[0].calls[0].request.method, "POST");
	ck_assert_str_eq(read.items[0].calls[0].request.path, "/.well-known/cmp");
	ck_assert(brski_http_is_type(&read.items[0].calls[0].request, "application/pkixcmp"));
	ck_assert(brski_span_equal(brski_buf_span(&read.items[0].calls[0].request.body),
		brski_buf_span(&bundle.items[0].calls[0].request.body)));
	ck_assert(brski_span_equal(brski_buf_span(&read.items[0].tls_anchors), brski_span_str("PEM")));
	brski_bundle_free(&read);
	EXPECT_WHY(
		BRSKI_UNEXPECTED, "no file of answers", open_file(brski_buf_span(&file), true, &read, &err));
	brski_bundle_free(&bundle);
	brski_buf_free(&file);
}
END_TEST

/*
 * One bit anywhere: the file is refused, or it was where nothing is read from (a certificate that
 * nobody needs).
 */
START_TEST(a_bit_turned_changes_nothing)
{
	struct brski_bundle bundle = answers(), read;
	struct brski_buf file = {0};
	unsigned refused = 0;

	EXPECT(BRSKI_OK, brski_bundle_seal(&bundle, &signer, &file, &err));
	for (size_t i = 0; i < file.len; i++) {
		file.data[i] ^= (uint8_t)(1 << i % 8);
		if (open_file(brski_buf_span(&file), true, &read, NULL) == BRSKI_OK) {
			expect_same_answer(&read);
			brski_bundle_free(&read);
		} else {
			refused++;
		}
		file.data[i] ^= (uint8_t)(1 << i % 8);
	}
	ck_assert_uint_gt(refused, file.len - file.len / 20);
	EXPECT(BRSKI_OK, open_file(brski_buf_span(&file), true, &read, &err));
	expect_same_answer(&read);
	brski_bundle_free(&read);
	brski_bundle_free(&bundle);
	brski_buf_free(&file);
}
END_TEST

START_TEST(a_file_cut_short_or_with_more_is_refused)
{
	struct brski_bundle bundle = answers(), read;
	struct brski_buf file = {0};

	EXPECT(BRSKI_OK, brski_bundle_seal(&bundle, &signer, &file, &err));
	for (size_t len = 0; len < file.len; len += len < 64 || len > file.len - 64 ? 1 : 13)
		ck_assert_int_ne(open_file(brski_span(file.data, len), true, &read, NULL), BRSKI_OK);
	brski_put_u8(&file, 0);
	EXPECT(BRSKI_MALFORMED, open_file(brski_buf_span(&file), true, &read, &err));
	brski_bundle_free(&bundle);
	brski_buf_free(&file);
}
END_TEST

START_TEST(another_signer_is_seen)
{
	struct brski_bundle bundle = answers(), read;
	struct brski_credential other = pki_leaf("CN=Courier", "P-256", NULL);
	struct brski_buf file = {0};

	EXPECT(BRSKI_OK, brski_bundle_seal(&bundle, &other, &file, &err));
	EXPECT(BRSKI_UNTRUSTED, open_file(brski_buf_span(&file), true, &read, &err));
	brski_bundle_free(&bundle);
	brski_buf_free(&file);
	pki_free(&other);
}
END_TEST

#define HEAD \
	"{\"brski-answers\":1,\"registrar\":\"" KEY "\",\"created-on\":\"2026-11-21T08:00:00Z\"," \
	"\"answers\":["
#define NAMES "\"key\":\"" KEY "\",\"kind\":\"voucher\",\"manufacturer\":\"acme\",\"serial-number\":\"S\""
#define ANSWER "{\"status\":200,\"fields\":{},\"body\":\"\"}"

static enum brski_code open_text(const char *text, bool is_answers)
{
	struct brski_buf file = {0};
	struct brski_bundle read;
	enum brski_code code;

	EXPECT(BRSKI_OK, brski_cms_sign_data(brski_span_str(text), &signer, &file, &err));
	code = open_file(brski_buf_span(&file), is_answers, &read, &err);
	if (code == BRSKI_OK)
		brski_bundle_free(&read);
	brski_buf_free(&file);
	return code;
}

START_TEST(what_is_signed_is_read_strictly)
{
	static const char *const wrong[] = {
		"{}",
		"[]",
		"no JSON",
		HEAD "]} ]",
		HEAD "{}]}",
		HEAD "1]}",
		HEAD "{" NAMES ",\"answers\":[],\"trouble\":\"\",\"more\":1}]}",
		HEAD "{" NAMES ",\"answers\":[]}]}",
		HEAD "{" NAMES ",\"answers\":{},\"trouble\":\"\"}]}",
		HEAD "{" NAMES ",\"answers\":[1],\"trouble\":\"\"}]}",
		HEAD "{" NAMES ",\"answers\":[],\"trouble\":1}]}",
		HEAD "{" NAMES ",\"calls\":[],\"tls-anchors\":\"\"}]}",
		HEAD "{" NAMES ",\"answers\":[" ANSWER "," ANSWER "," ANSWER "," ANSWER
		     "],\"trouble\":\"\"}]}",
		HEAD "{" NAMES
		     ",\"answers\":[{\"status\":99,\"fields\":{},\"body\":\"\"}],\"trouble\":\"\"}]}",
		HEAD "{" NAMES ",\"answers\":[{\"status\":200,\"fields\":{\"a "
		     "b\":\"x\"},\"body\":\"\"}],\"trouble\":\"\"}]}",
		HEAD "{" NAMES
		     ",\"answers\":[{\"status\":200,\"fields\":{\"a\":1},\"body\":\"\"}],\"trouble\":\"\"}]}",
		HEAD "{" NAMES
		     ",\"answers\":[{\"status\":200,\"fields\":{\"a\":\"x\\r\\ny: z\"},\"body\":\"\"}],"
		     "\"trouble\":\"\"}]}",
		HEAD "{" NAMES
		     ",\"answers\":[{\"status\":200,\"fields\":{},\"body\":\"#\"}],\"trouble\":\"\"}]}",
		HEAD "{" NAMES ",\"answers\":[],\"answers\":[],\"trouble\":\"\"}]}",
		HEAD "],\"more\":1}",
		"{\"brski-answers\":2,\"registrar\":\"" KEY
		"\",\"created-on\":\"2026-11-21T08:00:00Z\",\"answers\":[]}",
		"{\"brski-answers\":1,\"registrar\":\"00\",\"created-on\":\"2026-11-21T08:00:00Z\","
		"\"answers\":[]}",
		"{\"brski-answers\":1,\"registrar\":\"" KEY "\",\"created-on\":\"yesterday\",\"answers\":[]}",
		"{\"brski-answers\":1,\"registrar\":\"" KEY
		"\",\"created-on\":\"2026-11-21T08:00:00Z\",\"answers\":{}}",
	};

	ck_assert_int_eq(open_text(HEAD "]}", true), BRSKI_OK);
	ck_assert_int_eq(
		open_text(HEAD "{" NAMES ",\"answers\":[" ANSWER "],\"trouble\":\"\"}]}", true), BRSKI_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(open_text(wrong[i], true) != BRSKI_OK, "%s", wrong[i]);
}
END_TEST

#define OUT \
	"{\"brski-requests\":1,\"registrar\":\"" KEY \
	"\",\"created-on\":\"2026-11-21T08:00:00Z\",\"requests\":["
#define CALL(method, url) "{\"method\":\"" method "\",\"url\":\"" url "\",\"fields\":{},\"body\":\"\"}"
#define GOOD CALL("POST", "https://a/b")

START_TEST(requests_are_read_strictly)
{
	static const char *const wrong[] = {
		OUT "{" NAMES ",\"calls\":[],\"tls-anchors\":\"\"}]}",
		OUT "{" NAMES ",\"calls\":[" GOOD "," GOOD "," GOOD "],\"tls-anchors\":\"\"}]}",
		OUT "{" NAMES ",\"calls\":[" CALL("DELETE", "https://a/b") "],\"tls-anchors\":\"\"}]}",
		OUT "{" NAMES ",\"calls\":[" CALL("POST", "https://a/b\\n") "],\"tls-anchors\":\"\"}]}",
		OUT "{" NAMES ",\"calls\":[" GOOD "],\"tls-anchors\":1}]}",
		OUT "{" NAMES ",\"calls\":[" GOOD "]}]}",
		OUT "{" NAMES ",\"answers\":[],\"trouble\":\"\"}]}",
	};

	ck_assert_int_eq(
		open_text(OUT "{" NAMES ",\"calls\":[" GOOD "],\"tls-anchors\":\"\"}]}", false), BRSKI_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(open_text(wrong[i], false) != BRSKI_OK, "%s", wrong[i]);
}
END_TEST

START_TEST(a_bundle_is_bounded)
{
	struct brski_bundle bundle = {0};

	for (unsigned i = 0; i < BRSKI_BUNDLE_ITEMS_MAX; i++)
		ck_assert_ptr_nonnull(brski_bundle_add(&bundle));
	ck_assert_ptr_null(brski_bundle_add(&bundle));
	brski_bundle_free(&bundle);
}
END_TEST

/* So many, each in a text or not. */
static enum brski_code open_many(const char *begin, unsigned n, const char *end)
{
	struct brski_buf text = {.limit = BRSKI_CMS_DATA_MAX}, file = {0};
	struct brski_bundle read;
	enum brski_code code;

	brski_put_str(&text, begin);
	for (unsigned i = 0; i < n; i++)
		brski_put_str(&text, ",1");
	brski_put_str(&text, end);
	EXPECT(BRSKI_OK, brski_cms_sign_data(brski_buf_span(&text), &signer, &file, &err));
	code = open_file(brski_buf_span(&file), true, &read, &err);
	brski_buf_free(&text);
	brski_buf_free(&file);
	return code;
}

/* Two octets of JSON take a hundred in memory. */
START_TEST(values_are_counted_before_they_are_parsed)
{
	EXPECT_WHY(
		BRSKI_TOO_LARGE, "more than 1280000 values", open_many("[1", BRSKI_BUNDLE_VALUES_MAX, "]"));
	EXPECT_WHY(BRSKI_UNEXPECTED, "no file of answers", open_many("[1", BRSKI_BUNDLE_VALUES_MAX - 1, "]"));
	EXPECT_WHY(
		BRSKI_UNEXPECTED, "no file of answers", open_many("[\"\\\"", BRSKI_BUNDLE_VALUES_MAX, "\"]"));
}
END_TEST

START_TEST(files_are_written_whole)
{
	char folder[64], path[96];
	struct brski_buf read = {0};

	temp_make(folder);
	snprintf(path, sizeof(path), "%s/f", folder);
	EXPECT(BRSKI_NOT_FOUND, brski_file_read(path, 10, &read, &err));
	EXPECT(BRSKI_OK, brski_file_write(path, brski_span_str("0123456789"), &err));
	EXPECT(BRSKI_OK, brski_file_read(path, 10, &read, &err));
	ck_assert(brski_span_equal(brski_buf_span(&read), brski_span_str("0123456789")));
	EXPECT(BRSKI_TOO_LARGE, brski_file_read(path, 9, &read, &err));
	EXPECT(BRSKI_INTERNAL, brski_file_write("/nowhere/f", brski_span_str("x"), &err));
	brski_buf_free(&read);
	temp_remove(folder);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		requests_come_back_as_they_were,
		a_bit_turned_changes_nothing,
		a_file_cut_short_or_with_more_is_refused,
		another_signer_is_seen,
		what_is_signed_is_read_strictly,
		requests_are_read_strictly,
		a_bundle_is_bounded,
		values_are_counted_before_they_are_parsed,
		files_are_written_whole,
	};

	return run_tests("bundle", setup, teardown, tests, sizeof(tests) / sizeof(tests[0]));
}
