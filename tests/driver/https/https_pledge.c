/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Many devices at once at brski-registrar, each in a thread of its own. Everything above HTTP is the
 * library's own pledge; HTTP and TLS are written here.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/driver/crowd.h"
#include "tests/driver/https/visitor.h"

#define STACK_SIZE ((size_t)512 << 10)

static const char usage[] =
	"usage: https-pledge --server ADDRESS:PORT --idevid-dir DIR --state-dir DIR --masa-ca FILE [options]\n"
	"\n"
	"Onboards devices, each with an IDevID of its own: NAME.pem and NAME.key in the folder of IDevIDs. Exit status 0: all\n"
	"are enrolled.\n"
	"\n"
	"  --count N         as many devices, in order of their names (default: all in the folder)\n"
	"  --concurrency N   at most as many at one time (default: all)\n"
	"  --visits N        come back up to N times in all when told to (default: 1)\n"
	"  --put-off MS      come back also when the connection is lost or none is to be had: after this time, or up to twice as\n"
	"                    long (default: that is a failure)\n"
	"  --hurry N         stay away for an Nth of the time that was told; the device's clock runs on accordingly\n"
	"  --addresses N     from so many addresses, 127.1.0.1 and so on (default: one)\n"
	"  --tls1.2          no newer TLS\n"
	"  --key-type TYPE   of the LDevID key: P-256, P-384, RSA-3072 (default: P-256)\n"
	"  --pkcs10          ask for the certificate by PKCS #10\n"
	"  --implicit        ask to be spared the confirmation of the certificate\n"
	"  --timeout MS      until silence counts as the end of the connection (default: 30000)\n"
	"  --each-alone      a connection for each request\n"
	"  --twice           each request is sent twice; a good answer must come twice, the same\n"
	"  --pipelined       the requests of a flight are sent before the first answer is read\n"
	"  --cut N           the connection is cut off once, when request N of the device is out and its answer is not read\n"
	"  --cut-half N      the same in the middle of the request\n"
	"  --idle SECONDS    no device asks for anything: each asks which paths there are, and keeps its connection for so\n"
	"                    long when all have theirs. Exit status 0: all are served then\n"
	"  --summary FILE    figures and failures, JSON\n"
	"  --verbose         a line for each device, not only for those that fail\n"
	"  --trace           a line for each answer: method, path, status, octets\n"
	"\n"
	"  --vanish-after N          say nothing more after N requests\n"
	"  --fault no-certificate    no client certificate is shown\n"
	"  --fault wrong-key         the private key is not the certificate's\n"
	"  --fault sign-cmp-with=FILE  the certification request is signed by this other device (PEM, certificate and key)\n"
	"  --fault proximity=FILE    the device says that it saw these certificates (PEM) in place of the registrar's\n";

struct run {
	struct visitor_options options;
	struct visitor *visitors;
	const char *summary;
	unsigned count, concurrency, idle;
	atomic_uint next, idling;
	int64_t began, ended;
};

/* ---- Options ---- */

static void set_fault(struct visitor_options *o, const char *text)
{
	if (strcmp(text, "no-certificate") == 0) {
		o->no_certificate = true;
	} else if (strcmp(text, "wrong-key") == 0) {
		o->wrong_key = true;
	} else if (strncmp(text, "proximity=", 10) == 0) {
		o->proximity = crowd_certificates(text + 10);
	} else if (!crowd_signer(text, "sign-cmp-with", &o->cmp_signer)) {
		crowd_die("no such fault", text);
	}
}

enum {
	SERVER = 256,
	IDEVID_DIR,
	STATE_DIR,
	MASA_CA,
	COUNT,
	CONCURRENCY,
	VISITS,
	PUT_OFF,
	HURRY,
	ADDRESSES,
	TLS12,
	KEY_TYPE,
	PKCS10_FORM,
	IMPLICIT,
	TIMEOUT,
	EACH_ALONE,
	TWICE,
	PIPELINED,
	CUT,
	CUT_HALF,
	IDLE,
	SUMMARY,
	VERBOSE,
	TRACE,
	VANISH_AFTER,
	FAULT,
	HELP,
};

static const struct option long_options[] = {
	{"server", required_argument, NULL, SERVER},
	{"idevid-dir", required_argument, NULL, IDEVID_DIR},
	{"state-dir", required_argument, NULL, STATE_DIR},
	{"masa-ca", required_argument, NULL, MASA_CA},
	{"count", required_argument, NULL, COUNT},
	{"concurrency", required_argument, NULL, CONCURRENCY},
	{"visits", required_argument, NULL, VISITS},
	{"put-off", required_argument, NULL, PUT_OFF},
	{"hurry", required_argument, NULL, HURRY},
	{"addresses", required_argument, NULL, ADDRESSES},
	{"tls1.2", no_argument, NULL, TLS12},
	{"key-type", required_argument, NULL, KEY_TYPE},
	{"pkcs10", no_argument, NULL, PKCS10_FORM},
	{"implicit", no_argument, NULL, IMPLICIT},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"each-alone", no_argument, NULL, EACH_ALONE},
	{"twice", no_argument, NULL, TWICE},
	{"pipelined", no_argument, NULL, PIPELINED},
	{"cut", required_argument, NULL, CUT},
	{"cut-half", required_argument, NULL, CUT_HALF},
	{"idle", required_argument, NULL, IDLE},
	{"summary", required_argument, NULL, SUMMARY},
	{"verbose", no_argument, NULL, VERBOSE},
	{"trace", no_argument, NULL, TRACE},
	{"vanish-after", required_argument, NULL, VANISH_AFTER},
	{"fault", required_argument, NULL, FAULT},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

/* Options of one number or of none, and what they set. */
static bool set_plain(struct visitor_options *o, int option, const char *arg)
{
	const struct {
		int option;
		unsigned *number;
		bool *yes;
	} plain[] = {
		{VISITS, &o->visits, NULL},
		{PUT_OFF, &o->put_off_ms, NULL},
		{HURRY, &o->hurry, NULL},
		{ADDRESSES, &o->addresses, NULL},
		{TIMEOUT, &o->target.timeout_ms, NULL},
		{CUT, &o->cut, NULL},
		{CUT_HALF, &o->cut, &o->cut_half},
		{VANISH_AFTER, &o->vanish_after, NULL},
		{TLS12, NULL, &o->target.tls12},
		{PKCS10_FORM, NULL, &o->pkcs10},
		{IMPLICIT, NULL, &o->implicit_confirm},
		{EACH_ALONE, NULL, &o->each_alone},
		{TWICE, NULL, &o->twice},
		{PIPELINED, NULL, &o->pipelined},
		{VERBOSE, NULL, &o->verbose},
		{TRACE, NULL, &o->trace},
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (plain[i].option != option)
			continue;
		if (plain[i].number)
			*plain[i].number = crowd_number(arg, arg);
		if (plain[i].yes)
			*plain[i].yes = true;
		return true;
	}
	return false;
}

static void set_option(struct run *run, int option, const char *arg)
{
	struct visitor_options *o = &run->options;

	if (set_plain(o, option, arg))
		return;
	switch (option) {
	case SERVER:
		if (!connection_target_parse(arg, &o->target))
			crowd_die("--server wants ADDRESS:PORT", arg);
		break;
	case IDEVID_DIR:
		o->idevid_dir = arg;
		break;
	case STATE_DIR:
		o->state_dir = arg;
		break;
	case MASA_CA:
		o->masa_ca = crowd_certificates(arg);
		break;
	case COUNT:
		run->count = crowd_number(arg, "--count");
		break;
	case CONCURRENCY:
		run->concurrency = crowd_number(arg, "--concurrency");
		break;
	case IDLE:
		run->idle = crowd_number(arg, "--idle");
		break;
	case KEY_TYPE:
		o->key_type = crowd_key_type(arg);
		break;
	case SUMMARY:
		run->summary = arg;
		break;
	case FAULT:
		set_fault(o, arg);
		break;
	case HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void read_options(struct run *run, int argc, char **argv)
{
	struct visitor_options *o = &run->options;
	int option;

	o->visits = 1;
	o->target.timeout_ms = 30000;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(run, option, optarg);
	if (optind < argc || !o->target.authority || !o->idevid_dir || !o->state_dir || !o->masa_ca) {
		fputs(usage, stderr);
		exit(2);
	}
	if (o->each_alone && o->pipelined)
		crowd_die("--each-alone and --pipelined exclude each other", NULL);
}

/* ---- Devices ---- */

static void find_devices(struct run *run)
{
	char(*names)[CROWD_NAME_MAX] = crowd_names(run->options.idevid_dir, &run->count);

	run->visitors = crowd_calloc(run->count, sizeof(*run->visitors));
	for (unsigned i = 0; i < run->count; i++) {
		struct visitor *v = &run->visitors[i];

		v->options = &run->options;
		v->number = i;
		snprintf(v->name, sizeof(v->name), "%s", names[i]);
	}
	free(names);
}

/* ---- Threads ---- */

/* All have their connections, or have failed to get one, before the pause begins. */
static void stay_idle(struct run *run, struct visitor *v)
{
	struct brski_error err = {0};
	enum brski_code code = visitor_idle(v, &err);

	if (atomic_fetch_add(&run->idling, 1) + 1 == run->count)
		printf("all connections are there\n");
	while (atomic_load(&run->idling) < run->count)
		usleep(10000);
	sleep(run->idle);
	if (code == BRSKI_OK)
		code = visitor_still_served(v, &err);
	v->outcome = code == BRSKI_OK ? VISITOR_ENROLLED : VISITOR_FAILED;
	snprintf(v->reason, sizeof(v->reason), "%s", err.why);
	if (code != BRSKI_OK)
		printf("%s: failed: %s\n", v->name, err.why);
}

static void *work(void *arg)
{
	struct run *run = arg;
	unsigned i;

	while ((i = atomic_fetch_add(&run->next, 1)) < run->count) {
		if (run->idle > 0)
			stay_idle(run, &run->visitors[i]);
		else
			visitor_run(&run->visitors[i]);
		visitor_end(&run->visitors[i]);
	}
	return NULL;
}

static void onboard(struct run *run)
{
	pthread_attr_t attributes;
	pthread_t *threads;

	if (run->concurrency == 0 || run->concurrency > run->count || run->idle > 0)
		run->concurrency = run->count;
	threads = calloc(run->concurrency, sizeof(*threads));
	if (!threads || pthread_attr_init(&attributes) != 0 ||
		pthread_attr_setstacksize(&attributes, STACK_SIZE) != 0)
		crowd_die("no memory", NULL);
	run->began = visitor_now_ms();
	for (unsigned i = 0; i < run->concurrency; i++) {
		if (pthread_create(&threads[i], &attributes, work, run) != 0)
			crowd_die("no thread", strerror(errno));
	}
	for (unsigned i = 0; i < run->concurrency; i++)
		pthread_join(threads[i], NULL);
	run->ended = visitor_now_ms();
	pthread_attr_destroy(&attributes);
	free(threads);
}

/* ---- What came of it ---- */

static json_t *spread(const struct run *run, int64_t (*of)(const struct visitor *v))
{
	int64_t *values = crowd_calloc(run->count, sizeof(*values));
	size_t n = 0;
	json_t *out;

	for (unsigned i = 0; i < run->count; i++) {
		if (run->visitors[i].outcome == VISITOR_ENROLLED)
			values[n++] = of(&run->visitors[i]);
	}
	out = crowd_spread(values, n);
	free(values);
	return out;
}

static int64_t of_requests(const struct visitor *v)
{
	return v->requests;
}

static int64_t of_connections(const struct visitor *v)
{
	return v->connections;
}

static int64_t of_visits(const struct visitor *v)
{
	return v->visit;
}

static int64_t of_octets_up(const struct visitor *v)
{
	return (int64_t)v->octets_up;
}

static int64_t of_octets_down(const struct visitor *v)
{
	return (int64_t)v->octets_down;
}

static int64_t of_milliseconds(const struct visitor *v)
{
	return v->milliseconds;
}

static int64_t of_slowest(const struct visitor *v)
{
	return v->slowest;
}

static int sum_of(const struct run *run, size_t offset)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < run->count; i++)
		sum += *(const unsigned *)((const char *)&run->visitors[i] + offset);
	return (int)sum;
}

static unsigned count_of(const struct run *run, enum visitor_outcome outcome)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->count; i++)
		n += run->visitors[i].outcome == outcome;
	return n;
}

static json_t *list_failures(const struct run *run)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < run->count; i++) {
		const struct visitor *v = &run->visitors[i];

		if (v->outcome != VISITOR_ENROLLED)
			json_array_append_new(list, json_pack("{ss ss si}", "name", v->name, "reason",
							    v->reason, "requests", (int)v->requests));
	}
	return list;
}

static void write_summary(const struct run *run)
{
	json_t *all = json_pack("{si si si si si si sI so so so so so so so so}", "devices", (int)run->count,
		"enrolled", (int)count_of(run, VISITOR_ENROLLED), "deferred",
		(int)count_of(run, VISITOR_DEFERRED), "failed", (int)count_of(run, VISITOR_FAILED),
		"times_put_off", sum_of(run, offsetof(struct visitor, put_off)), "times_told_later",
		sum_of(run, offsetof(struct visitor, told_later)), "milliseconds",
		(json_int_t)(run->ended - run->began), "requests", spread(run, of_requests), "connections",
		spread(run, of_connections), "visits", spread(run, of_visits), "octets_up",
		spread(run, of_octets_up), "octets_down", spread(run, of_octets_down), "milliseconds_each",
		spread(run, of_milliseconds), "slowest_answer", spread(run, of_slowest), "failures",
		list_failures(run));

	crowd_write(all, run->summary);
}

int main(int argc, char **argv)
{
	struct run run = {0};
	unsigned good;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	crowd_begin("https-pledge");
	read_options(&run, argc, argv);
	crowd_folder(run.options.state_dir);
	find_devices(&run);
	onboard(&run);
	good = count_of(&run, VISITOR_ENROLLED);
	printf("%u of %u devices %s in %lld ms\n", good, run.count, run.idle > 0 ? "served" : "enrolled",
		(long long)(run.ended - run.began));
	if (run.summary)
		write_summary(&run);
	free(run.visitors);
	sk_X509_pop_free(run.options.masa_ca, X509_free);
	sk_X509_pop_free(run.options.proximity, X509_free);
	brski_credential_free(&run.options.cmp_signer);
	return good == run.count ? 0 : 1;
}
