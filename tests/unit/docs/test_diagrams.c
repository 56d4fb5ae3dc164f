/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap_brski/eap/server_internal.h"
#include "eap_brski/pledge/pledge_internal.h"
#include "eap_brski/registrar/permission_internal.h"
#include "services/registrar/store_internal.h"
#include "tests/unit/support/document.h"
#include "tests/unit/support/files.h"

/*
 * What the documents draw is what the code has: each block between "<!-- begin NAME -->" and "<!--
 * end NAME -->" is made anew from the code's own tables. "test_diagrams --write" puts it there.
 */

#define put_line(out, fmt, ...) brski_printf(out, fmt "\n", ##__VA_ARGS__)
#define MERMAID "```mermaid\nstateDiagram-v2\n"

/* ---- States ---- */

static void draw_pledge(struct brski_buf *out)
{
	const struct brski_pledge_transition *t;

	brski_put_str(out, MERMAID);
	put_line(out, "    [*] --> %s", brski_pledge_state_name(BRSKI_PLEDGE_START));
	for (size_t i = 0; (t = brski_pledge_transition(i)); i++)
		put_line(out, "    %s --> %s: %s", brski_pledge_state_name(t->from),
			brski_pledge_state_name(t->to), brski_pledge_cause_name(t->cause));
	put_line(out, "```");
}

/* A step's name, as Mermaid takes names. */
static const char *place(const struct brski_job_type *type, unsigned step)
{
	static char names[2][32];
	static unsigned turn;
	char *name = names[turn++ % 2];

	snprintf(name, sizeof(names[0]), "%s", type->steps[step].name);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

static void draw_ends(struct brski_buf *out, const char *from)
{
	static const char *const names[] = {[BRSKI_JOB_DONE] = "done", [BRSKI_JOB_REFUSED] = "refused"};
	const struct brski_job_end *end;

	for (size_t i = 0; (end = brski_job_end(i)); i++)
		put_line(out, "    %s --> %s: %s", from, names[end->to], brski_job_cause_name(end->cause));
}

static void draw_job(struct brski_buf *out)
{
	const struct brski_job_type *type;
	const struct brski_job_move *move;

	brski_put_str(out, MERMAID);
	for (size_t n = 0; (type = brski_job_type(n)); n++) {
		put_line(out, "    [*] --> %s: %s", place(type, 0), type->begins);
		for (size_t i = 0; (move = brski_job_move_of(type, i)); i++)
			put_line(out, "    %s --> %s: %s", place(type, move->from), place(type, move->to),
				brski_job_cause_name(move->cause));
		for (unsigned step = 0; step < type->n_steps; step++)
			draw_ends(out, place(type, step));
	}
	draw_ends(out, "done");
	draw_ends(out, "refused");
	put_line(out, "```");
}

static void draw_session(struct brski_buf *out)
{
	const struct brski_registrar_transition *t;

	brski_put_str(out, MERMAID);
	put_line(out, "    [*] --> %s", brski_registrar_state_name(BRSKI_SESSION_OPEN));
	for (size_t i = 0; (t = brski_registrar_transition(i)); i++)
		put_line(out, "    %s --> %s: %s", brski_registrar_state_name(t->from),
			brski_registrar_state_name(t->to), brski_registrar_cause_name(t->cause));
	put_line(out, "```");
}

static void draw_permission(struct brski_buf *out)
{
	const struct brski_permission_move *m;

	brski_put_str(out, MERMAID);
	put_line(out, "    [*] --> %s: a voucher delivered",
		brski_permission_state_name(BRSKI_PERMISSION_VOUCHER));
	put_line(out, "    [*] --> %s: %s", brski_permission_state_name(BRSKI_PERMISSION_VOUCHER),
		brski_permission_cause_name(BRSKI_PERMISSION_LET_IN));
	for (size_t i = 0; (m = brski_permission_move(i)); i++)
		put_line(out, "    %s --> %s: %s", brski_permission_state_name(m->from),
			brski_permission_state_name(m->to), brski_permission_cause_name(m->cause));
	put_line(out, "```");
}

static void draw_server(struct brski_buf *out)
{
	const struct brski_server_transition *t;

	brski_put_str(out, MERMAID);
	put_line(out, "    [*] --> %s", brski_server_stage_name(BRSKI_STAGE_TALKING));
	for (size_t i = 0; (t = brski_server_transition(i)); i++)
		put_line(out, "    %s --> %s: %s", brski_server_stage_name(t->from),
			brski_server_stage_name(t->to), brski_server_cause_name(t->cause));
	put_line(out, "```");
}

/* ---- The store ---- */

static const struct meaning {
	const char *table, *column, *text;
} meanings[] = {
	{"manufacturer", NULL, "The manufacturers whose devices may ask. `brskictl manufacturer`"},
	{"manufacturer", "name", "the name in commands and logs"},
	{"manufacturer", "masa_url", "its MASA; empty: the IDevID's own extension says"},
	{"manufacturer", "idevid_anchors", "PEM: IDevIDs verify to these"},
	{"manufacturer", "voucher_anchors",
		"PEM: voucher signers verify to these; empty: the IDevIDs' anchors"},
	{"manufacturer", "tls_anchors",
		"PEM: the MASA's TLS certificate verifies to these; empty: the system's"},
	{"manufacturer", "crls", "PEM: revoked IDevIDs"},
	{"manufacturer", "mode", "who may join: 0 inventory, 1 manual, 2 manufacturer, 3 type, 4 open"},
	{"manufacturer", "check_voucher", "look at a voucher before the device gets it"},
	{"manufacturer", "audit_log", "fetch and judge the audit log"},
	{"manufacturer", "allow_foreign_domains",
		"a device that another network has had is no reason to refuse"},
	{"manufacturer", "allow_nonceless", "vouchers without nonce are taken"},

	{"device", NULL,
		"The inventory: devices that the operator has listed or accepted. `brskictl device`, "
		"`accept`"},
	{"device", "manufacturer", "its manufacturer"},
	{"device", "serial_number", "from the IDevID's subject"},
	{"device", "note", "the operator's words"},
	{"device", "added", "when"},
	{"device", "state", "the last thing that happened to it, in a word; empty: nothing"},
	{"device", "last_seen", "when; 0: never"},

	{"candidate", NULL,
		"Devices that the operator must decide on, or has refused; none of them is in the inventory. "
		"`brskictl pending`"},
	{"candidate", "manufacturer", "its manufacturer"},
	{"candidate", "serial_number", "from the IDevID's subject"},
	{"candidate", "refused", "1: the operator has said no"},
	{"candidate", "subject", "of the IDevID"},
	{"candidate", "fingerprint", "of the IDevID, SHA-256"},
	{"candidate", "first_seen", "when"},
	{"candidate", "last_seen", "when"},
	{"candidate", "visits", "how often it has asked"},
	{"candidate", "note", "the operator's words"},

	{"type_rule", NULL, "What mode `type` lets in. `brskictl type`"},
	{"type_rule", "manufacturer", "whose devices"},
	{"type_rule", "pattern", "of the IDevID's subject, or a hardware type"},
	{"type_rule", "added", "when"},

	{"event", NULL, "History. `brskictl history`"},
	{"event", "id", "counts up"},
	{"event", "at", "when; of a repeated event, the last time"},
	{"event", "manufacturer", "of the device"},
	{"event", "serial_number", "of the device"},
	{"event", "what", "the kind: policy, voucher, certificate ..."},
	{"event", "ok", "1: it went well"},
	{"event", "detail", "in words"},
	{"event", "times", "how often in a row"},

	{"job", NULL, "Requests to a MASA or the PKI, until their answers are too old. `brskictl queue`"},
	{"job", "key", "SHA-256 over device and request, hexadecimal: the same request is the same row"},
	{"job", "kind", "0 voucher, 1 CMP to the PKI, for whichever form the device asks in"},
	{"job", "state", "0 waiting, 1 done, 2 refused"},
	{"job", "manufacturer", "of the device"},
	{"job", "serial_number", "of the device"},
	{"job", "created", "when the device first asked"},
	{"job", "updated", "when the row was last written"},
	{"job", "blob", "JSON: the request, what goes upstream for it, the answer"},
	{"job", "revision", "counts the changes, from 1: who changes a row says which one he has read"},
	{"job", "lease_owner", "the server that makes its calls now; empty: none"},
	{"job", "lease_until",
		"when another one may, by this database's clock; 0: now; without an owner: until then it "
		"rests, since its last call came to nothing"},
	{"job", "back_end",
		"whose turn it is: scheme, host and port that it calls next; from before version 7: the "
		"manufacturer's name"},
	{"job", "due", "it need not call before this, by the server's clock; 0: at once"},
	{"job", "work",
		"0 voucher, 1 certificate (ir, p10cr, simpleenroll), 2 confirmation, 3 question (genm), 4 poll that the PKI wants"},

	{"recent", NULL, "How often devices have asked for what is new, as long as that counts."},
	{"recent", "manufacturer", "of the device"},
	{"recent", "serial_number", "of the device"},
	{"recent", "work", "for what, as with requests"},
	{"recent", "at", "when"},
	{"recent", "times", "how often in that second"},

	{"job", "given", "of a voucher: 1: the device was permitted something for it, which happens once"},

	{"job_total", NULL, "How many rows `job` has, counted by its triggers. `brskictl queue`"},
	{"job_total", "state", "of these jobs"},
	{"job_total", "kind", "of these jobs"},
	{"job_total", "jobs", "how many"},
	{"job_total", "octets", "of their blobs"},

	{"door_rules", NULL,
		"Doors at which rules of the administrator's own have the last word. `brskictl rules list`"},
	{"door_rules", "door", "where they are set: the instance of the module, and its file"},
	{"door_rules", "rules", "which they are: the virtual server"},
	{"door_rules", "since", "when that door first began to serve with them"},

	{"permission", NULL, "What devices were given, and have used up (docs/states.md)."},
	{"permission", "key", "SHA-256 over the device's certificate, hexadecimal"},
	{"permission", "state", "0 voucher, 1 confirming, 2 certificate, 3 reported, 4 taken back"},
	{"permission", "voucher",
		"the request that brought the voucher; empty: let in without one (`est_without_voucher`)"},
	{"permission", "used_for",
		"which transaction, by the key of its note; empty: none yet, or not known"},
	{"permission", "manufacturer", "of the device"},
	{"permission", "serial_number", "of the device"},
	{"permission", "since", "when it came into this state"},
	{"permission", "revision", "counts the changes, from 1"},

	{"note", NULL, "What must not be forgotten of a device's transaction."},
	{"note", "key", "SHA-256 over device, name and what else the note is of, hexadecimal"},
	{"note", "name", "what it says: transaction, poll, poll-answer, said"},
	{"note", "value",
		"of which request: SHA-256, hexadecimal; of \"said\", half of the SHA-256 of the last two nonces"},
	{"note", "manufacturer", "of the device"},
	{"note", "serial_number", "of the device"},
	{"note", "of_transaction",
		"1: it goes some time after the job whose key is its value; 0: it stays, for when the device "
		"comes back"},
	{"note", "updated", "when it was last written"},

	{"voucher_ahead", NULL, "Vouchers without nonce, fetched ahead."},
	{"voucher_ahead", "manufacturer", "of the device"},
	{"voucher_ahead", "serial_number", "of the device"},
	{"voucher_ahead", "key", "names the request"},
	{"voucher_ahead", "waiting", "1: the request has no answer yet"},
	{"voucher_ahead", "asked", "when"},
	{"voucher_ahead", "issuer", "the idevid-issuer in the request"},
	{"voucher_ahead", "request", "CMS, as it goes to the MASA"},
	{"voucher_ahead", "voucher", "CMS; empty: none yet"},
	{"voucher_ahead", "fetched", "when; 0: never"},
	{"voucher_ahead", "expires_on", "of the voucher; 0: never"},
};

static const char *meaning_of(const char *table, const char *column)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		const struct meaning *m = &meanings[i];

		if (strcmp(m->table, table) == 0 &&
			(column ? m->column && strcmp(m->column, column) == 0 : !m->column))
			return m->text;
	}
	ck_abort_msg("nobody says what %s.%s means", table, column ? column : "");
	return "";
}

static struct sql_db *shown;
static struct brski_error err;

/* Rows of a query, as the lines that `line` makes of them. */
static void each(const char *text, const char *arg,
	void (*line)(struct brski_buf *, const char *, struct sql *), struct brski_buf *out)
{
	struct sql q;

	sql_begin(&q, shown, text, &err);
	if (arg)
		sql_bind_text(&q, arg);
	while (sql_row(&q))
		line(out, arg, &q);
	EXPECT(BRSKI_OK, sql_end(&q));
}

struct cell {
	char text[256];
};

static struct cell cell(struct sql *row, int column)
{
	struct cell c;

	sql_text(row, column, c.text, sizeof(c.text));
	return c;
}

static void column_line(struct brski_buf *out, const char *table, struct sql *row)
{
	struct cell name = cell(row, 0);

	put_line(out, "| `%s`%s | %s | %s |", name.text, sql_int(row, 2) != 0 ? " (key)" : "",
		cell(row, 1).text, meaning_of(table, name.text));
}

static void index_line(struct brski_buf *out, const char *table, struct sql *row)
{
	(void)table;
	put_line(out, "\nIndex `%s` on %s.", cell(row, 0).text, cell(row, 1).text);
}

static void reference_line(struct brski_buf *out, const char *table, struct sql *row)
{
	(void)table;
	put_line(out, "\n`%s` refers to `%s(%s)`; on delete: %s.", cell(row, 0).text, cell(row, 1).text,
		cell(row, 2).text, cell(row, 3).text);
}

static void trigger_line(struct brski_buf *out, const char *table, struct sql *row)
{
	(void)table;
	put_line(out, "\nTrigger `%s`.", cell(row, 0).text);
}

static void table_lines(struct brski_buf *out, const char *none, struct sql *row)
{
	struct cell c = cell(row, 0);
	const char *name = c.text;

	(void)none;
	put_line(out, "\n### %s\n\n%s\n\n| column | type | meaning |\n|---|---|---|", name,
		meaning_of(name, NULL));
	each("SELECT name, type, pk FROM pragma_table_info(?1)", name, column_line, out);
	each("SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list(?1)", name,
		reference_line, out);
	each("SELECT l.name,"
	     " (SELECT group_concat('`' || i.name || '`', ', ') FROM pragma_index_info(l.name) i)"
	     " FROM pragma_index_list(?1) l WHERE l.origin = 'c' ORDER BY l.name",
		name, index_line, out);
	each("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 ORDER BY name", name,
		trigger_line, out);
}

static void draw_store(struct brski_buf *out)
{
	static const struct sql_options options = {.create = true};
	int found;

	EXPECT(BRSKI_OK, sql_open(":memory:", &options, &shown, &err));
	EXPECT(BRSKI_OK, sql_migrate(shown, &brski_store_schema, &found, &err));
	put_line(out, "Version of the schema (`PRAGMA user_version`): %d.", brski_store_schema.version);
	each("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
		NULL, table_lines, out);
	sql_close(shown);
}

/* ---- The documents ---- */

static const struct block {
	const char *file, *name;
	void (*draw)(struct brski_buf *out);
} blocks[] = {
	{"docs/states.md", "pledge", draw_pledge},
	{"docs/states.md", "job", draw_job},
	{"docs/states.md", "session", draw_session},
	{"docs/states.md", "permission", draw_permission},
	{"docs/states.md", "server", draw_server},
	{"docs/store.md", "store", draw_store},
};
#define N_BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

static bool writing;

START_TEST(documents_draw_what_the_code_has)
{
	const struct block *b = &blocks[_i];
	char begin[64], end[64];
	const struct document_part part = {b->file, begin, end, b->draw};

	snprintf(begin, sizeof(begin), "<!-- begin %s -->\n", b->name);
	snprintf(end, sizeof(end), "<!-- end %s -->\n", b->name);
	document_hold(&part, "test_diagrams", writing);
}
END_TEST

/* A meaning of a column that is gone would be a lie nobody sees. */
START_TEST(nothing_is_described_that_is_not_there)
{
	struct brski_buf drawn = {0};

	draw_store(&drawn);
	brski_put_u8(&drawn, 0);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		ck_assert_msg(strstr((const char *)drawn.data, meanings[i].text), "%s.%s is not there",
			meanings[i].table, meanings[i].column ? meanings[i].column : "");
	brski_buf_free(&drawn);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("diagrams");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	writing = argc > 1 && strcmp(argv[1], "--write") == 0;
	tcase_add_loop_test(tcase, documents_draw_what_the_code_has, 0, (int)N_BLOCKS);
	tcase_add_test(tcase, nothing_is_described_that_is_not_there);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
