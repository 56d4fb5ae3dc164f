/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Many devices at once against a RADIUS server, without switch and supplicant: what load and
 * hostile behaviour are tested with. Everything above RADIUS is the library's own pledge.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/driver/crowd.h"
#include "tests/driver/pledge.h"

static const char usage[] =
	"usage: radius-pledge --server ADDRESS:PORT --secret TEXT --idevid-dir DIR --state-dir DIR --masa-ca FILE [options]\n"
	"\n"
	"Onboards devices, each with an IDevID of its own: NAME.pem and NAME.key in the folder of IDevIDs. Exit status 0: all\n"
	"are enrolled, and the server's keys are theirs.\n"
	"\n"
	"  --count N         as many devices, in order of their names (default: all in the folder)\n"
	"  --concurrency N   at most as many at one time (default: all)\n"
	"  --mtu N           Framed-MTU (default: none is sent)\n"
	"  --visits N        come back up to N times in all when told to (default: 1)\n"
	"  --put-off MS      come back also after an EAP-Failure that says neither why nor when, and when the server is silent:\n"
	"                    after this time, or up to twice as long (default: that is a failure)\n"
	"  --hurry N         stay away for an Nth of the time that was told; the device's clock runs on accordingly\n"
	"  --nas N           at so many switches, each with an address of its own, 127.1.0.1 and so on (default: one, 127.0.0.1)\n"
	"  --key-type TYPE   of the LDevID key: P-256, P-384, RSA-3072 (default: P-256)\n"
	"  --pkcs10          ask for the certificate by PKCS #10\n"
	"  --implicit        ask to be spared the confirmation of the certificate\n"
	"  --domain NAME     of the identity brski@NAME.v.eap.arpa (default: example.org)\n"
	"  --timeout MS      until a request is repeated (default: 3000)\n"
	"  --tries N         requests sent before a device gives up (default: 10)\n"
	"  --summary FILE    figures and failures, JSON\n"
	"  --verbose         a line for each device, not only for those that fail\n"
	"  --trace           a line for each round trip: kind and octets of request and response, states of the pledge\n"
	"\n"
	"  --vanish-after N          say nothing more after N packets\n"
	"  --fault wrong-key         the private key is not the certificate's\n"
	"  --fault late-nak          a Nak before each response; a server that ignores them enrolls the device\n"
	"  --fault sign-cmp-with=FILE  the certification request is signed by this other device (PEM, certificate and key)\n";

struct run {
	struct driver_options options;
	struct pledge *pledges;
	const char *summary;
	int64_t began, ended;
};

/* ---- Options ---- */

static void set_server(struct driver_options *o, const char *text)
{
	char host[64];
	const char *colon = strrchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		crowd_die("--server wants ADDRESS:PORT", text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	o->server.sin_family = AF_INET;
	o->server.sin_port = htons((uint16_t)crowd_number(colon + 1, "--server"));
	if (inet_pton(AF_INET, host, &o->server.sin_addr) != 1)
		crowd_die("--server wants an IPv4 address", text);
}

static void set_fault(struct driver_options *o, const char *text)
{
	if (strcmp(text, "wrong-key") == 0)
		o->wrong_key = true;
	else if (strcmp(text, "late-nak") == 0)
		o->late_nak = true;
	else if (!crowd_signer(text, "sign-cmp-with", &o->cmp_signer))
		crowd_die("no such fault", text);
}

enum {
	SERVER = 256,
	SECRET,
	IDEVID_DIR,
	STATE_DIR,
	MASA_CA,
	COUNT,
	CONCURRENCY,
	MTU,
	VISITS,
	PUT_OFF,
	HURRY,
	NAS,
	KEY_TYPE,
	PKCS10,
	IMPLICIT,
	DOMAIN_NAME,
	TIMEOUT,
	TRIES,
	SUMMARY,
	VERBOSE,
	TRACE,
	VANISH_AFTER,
	FAULT,
	HELP,
};

static const struct option long_options[] = {
	{"server", required_argument, NULL, SERVER},
	{"secret", required_argument, NULL, SECRET},
	{"idevid-dir", required_argument, NULL, IDEVID_DIR},
	{"state-dir", required_argument, NULL, STATE_DIR},
	{"masa-ca", required_argument, NULL, MASA_CA},
	{"count", required_argument, NULL, COUNT},
	{"concurrency", required_argument, NULL, CONCURRENCY},
	{"mtu", required_argument, NULL, MTU},
	{"visits", required_argument, NULL, VISITS},
	{"put-off", required_argument, NULL, PUT_OFF},
	{"hurry", required_argument, NULL, HURRY},
	{"nas", required_argument, NULL, NAS},
	{"key-type", required_argument, NULL, KEY_TYPE},
	{"pkcs10", no_argument, NULL, PKCS10},
	{"implicit", no_argument, NULL, IMPLICIT},
	{"domain", required_argument, NULL, DOMAIN_NAME},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"tries", required_argument, NULL, TRIES},
	{"summary", required_argument, NULL, SUMMARY},
	{"verbose", no_argument, NULL, VERBOSE},
	{"trace", no_argument, NULL, TRACE},
	{"vanish-after", required_argument, NULL, VANISH_AFTER},
	{"fault", required_argument, NULL, FAULT},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

static void set_option(struct run *run, int option, const char *arg)
{
	struct driver_options *o = &run->options;

	switch (option) {
	case SERVER:
		set_server(o, arg);
		break;
	case SECRET:
		o->secret = arg;
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
		o->count = crowd_number(arg, "--count");
		break;
	case CONCURRENCY:
		o->concurrency = crowd_number(arg, "--concurrency");
		break;
	case MTU:
		o->mtu = crowd_number(arg, "--mtu");
		break;
	case VISITS:
		o->visits = crowd_number(arg, "--visits");
		break;
	case PUT_OFF:
		o->put_off_ms = crowd_number(arg, "--put-off");
		break;
	case HURRY:
		o->hurry = crowd_number(arg, "--hurry");
		break;
	case NAS:
		o->nas = crowd_number(arg, "--nas");
		break;
	case KEY_TYPE:
		o->key_type = crowd_key_type(arg);
		break;
	case PKCS10:
		o->pkcs10 = true;
		break;
	case IMPLICIT:
		o->implicit_confirm = true;
		break;
	case DOMAIN_NAME:
		o->vendor_domain = arg;
		break;
	case TIMEOUT:
		o->timeout_ms = crowd_number(arg, "--timeout");
		break;
	case TRIES:
		o->tries = crowd_number(arg, "--tries");
		break;
	case SUMMARY:
		run->summary = arg;
		break;
	case VERBOSE:
		o->verbose = true;
		break;
	case TRACE:
		o->trace = true;
		break;
	case VANISH_AFTER:
		o->vanish_after = crowd_number(arg, "--vanish-after");
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
	struct driver_options *o = &run->options;
	int option;

	o->visits = 1;
	o->timeout_ms = 3000;
	o->tries = 10;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(run, option, optarg);
	if (optind < argc || !o->server.sin_port || !o->secret || !o->idevid_dir || !o->state_dir ||
		!o->masa_ca) {
		fputs(usage, stderr);
		exit(2);
	}
}

/* ---- Devices ---- */

static void find_devices(struct run *run)
{
	char(*names)[CROWD_NAME_MAX] = crowd_names(run->options.idevid_dir, &run->options.count);

	run->pledges = crowd_calloc(run->options.count, sizeof(*run->pledges));
	for (unsigned i = 0; i < run->options.count; i++) {
		struct pledge *p = &run->pledges[i];

		p->options = &run->options;
		p->number = i;
		p->fd = -1;
		snprintf(p->name, sizeof(p->name), "%s", names[i]);
	}
	free(names);
}

/* ---- The loop ---- */

#define BATCH_FROM 500 /* devices at one time */

struct window {
	struct pledge **active;
	struct pollfd *fds;
	unsigned n;
	unsigned next; /* device to begin with */
};

static void fill(struct run *run, struct window *w)
{
	while (w->n < run->options.concurrency && w->next < run->options.count) {
		struct pledge *p = &run->pledges[w->next++];

		pledge_begin(p);
		w->active[w->n++] = p;
	}
}

static void sweep(struct window *w)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < w->n; i++) {
		if (w->active[i]->outcome == DRIVER_RUNNING)
			w->active[kept++] = w->active[i];
		else
			pledge_end(w->active[i]);
	}
	w->n = kept;
}

static int time_left(const struct window *w)
{
	int64_t now = driver_now_ms(), next = now + 60000;

	for (unsigned i = 0; i < w->n; i++)
		if (pledge_next(w->active[i]) < next)
			next = pledge_next(w->active[i]);
	return next > now ? (int)(next - now) : 0;
}

/* To look at thousands costs a while: then what comes in this time is served in one go. */
static void gather(const struct window *w)
{
	if (w->n >= BATCH_FROM)
		usleep(w->n);
}

static void wait_and_serve(struct window *w)
{
	gather(w);
	for (unsigned i = 0; i < w->n; i++)
		w->fds[i] = (struct pollfd){.fd = w->active[i]->fd, .events = POLLIN};
	if (poll(w->fds, w->n, time_left(w)) < 0 && errno != EINTR)
		crowd_die("poll", strerror(errno));
	for (unsigned i = 0; i < w->n; i++) {
		if (w->fds[i].revents)
			pledge_readable(w->active[i]);
		if (w->active[i]->outcome == DRIVER_RUNNING)
			pledge_tick(w->active[i]);
	}
}

static void onboard(struct run *run)
{
	struct window w = {0};

	if (!run->options.concurrency || run->options.concurrency > run->options.count)
		run->options.concurrency = run->options.count;
	w.active = calloc(run->options.concurrency, sizeof(struct pledge *));
	w.fds = calloc(run->options.concurrency, sizeof(*w.fds));
	if (!w.active || !w.fds)
		crowd_die("no memory", NULL);
	run->began = driver_now_ms();
	for (fill(run, &w); w.n; fill(run, &w)) {
		wait_and_serve(&w);
		sweep(&w);
	}
	run->ended = driver_now_ms();
	free(w.active);
	free(w.fds);
}

/* ---- What came of it ---- */

static json_t *spread(const struct run *run, int64_t (*of)(const struct pledge *p))
{
	int64_t *values = crowd_calloc(run->options.count, sizeof(*values));
	size_t n = 0;
	json_t *out;

	for (unsigned i = 0; i < run->options.count; i++)
		if (run->pledges[i].outcome == DRIVER_ENROLLED)
			values[n++] = of(&run->pledges[i]);
	out = crowd_spread(values, n);
	free(values);
	return out;
}

static int64_t of_round_trips(const struct pledge *p)
{
	return p->round_trips;
}

static int64_t of_waits(const struct pledge *p)
{
	return p->waits;
}

static int64_t of_octets_up(const struct pledge *p)
{
	return (int64_t)p->octets_up;
}

static int64_t of_octets_down(const struct pledge *p)
{
	return (int64_t)p->octets_down;
}

static int64_t of_milliseconds(const struct pledge *p)
{
	return p->ended - p->began;
}

static int64_t of_visits(const struct pledge *p)
{
	return p->visit;
}

/* How often that happened to all of them. */
static int sum_of(const struct run *run, size_t offset)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < run->options.count; i++)
		sum += *(const unsigned *)((const char *)&run->pledges[i] + offset);
	return (int)sum;
}

static unsigned count_of(const struct run *run, enum driver_outcome outcome)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->options.count; i++)
		n += run->pledges[i].outcome == outcome;
	return n;
}

static unsigned count_at_first_visit(const struct run *run)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->options.count; i++)
		n += run->pledges[i].outcome == DRIVER_ENROLLED && run->pledges[i].visit == 1;
	return n;
}

static json_t *list_failures(const struct run *run)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < run->options.count; i++)
		if (run->pledges[i].outcome != DRIVER_ENROLLED)
			json_array_append_new(
				list, json_pack("{ss ss si}", "name", run->pledges[i].name, "reason",
					      run->pledges[i].reason, "packets", (int)run->pledges[i].sent));
	return list;
}

static void write_summary(const struct run *run)
{
	json_t *all = json_pack("{si si si si si si si si sI so so so so so so so}", "devices",
		(int)run->options.count, "enrolled", (int)count_of(run, DRIVER_ENROLLED), "deferred",
		(int)count_of(run, DRIVER_DEFERRED), "failed", (int)count_of(run, DRIVER_FAILED),
		"at_first_visit", (int)count_at_first_visit(run), "times_put_off",
		sum_of(run, offsetof(struct pledge, put_off)), "times_told_later",
		sum_of(run, offsetof(struct pledge, told_later)), "times_unanswered",
		sum_of(run, offsetof(struct pledge, unanswered)), "milliseconds",
		(json_int_t)(run->ended - run->began), "round_trips", spread(run, of_round_trips), "visits",
		spread(run, of_visits), "waits", spread(run, of_waits), "octets_up",
		spread(run, of_octets_up), "octets_down", spread(run, of_octets_down), "milliseconds_each",
		spread(run, of_milliseconds), "failures", list_failures(run));

	crowd_write(all, run->summary);
}

int main(int argc, char **argv)
{
	struct run run = {0};
	unsigned enrolled;

	setvbuf(stdout, NULL, _IOLBF, 0);
	crowd_begin("radius-pledge");
	read_options(&run, argc, argv);
	crowd_folder(run.options.state_dir);
	find_devices(&run);
	onboard(&run);
	enrolled = count_of(&run, DRIVER_ENROLLED);
	printf("%u of %u devices enrolled in %lld ms\n", enrolled, run.options.count,
		(long long)(run.ended - run.began));
	if (run.summary)
		write_summary(&run);
	free(run.pledges);
	sk_X509_pop_free(run.options.masa_ca, X509_free);
	brski_credential_free(&run.options.cmp_signer);
	return enrolled == run.options.count ? 0 : 1;
}
