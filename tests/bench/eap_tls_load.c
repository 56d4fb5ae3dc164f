/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * EAP-TLS logins, one after the other in several places at once, straight over RADIUS: how many
 * does a server do in a second? Every login is a whole handshake, and counts only if its keys are
 * the server's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/base/clock.h"
#include "tests/bench/eap_tls.h"
#include "tests/driver/radius.h"

enum { EAP_REQUEST = 1, EAP_RESPONSE = 2, EAP_SUCCESS = 3, EAP_TYPE_IDENTITY = 1, EAP_TYPE_NAK = 3 };
#define EAP_HEADER 4
#define PLACES_MAX 256
#define USER "load"
#define REPEAT_MS 3000

static const char usage[] =
	"usage: eap-tls-load ADDRESS PORT SECRET CERTIFICATE KEY CA SECONDS PLACES\n"
	"\n"
	"Writes a line: logins, failures, milliseconds, the median and the 95th percentile of a login's milliseconds, and\n"
	"the longest time in which no login came to its end, in milliseconds.\n";

struct place {
	int fd;
	unsigned number;
	struct eap_tls tls;
	bool busy;
	uint8_t id;
	struct brski_buf request; /* the datagram */
	uint8_t state[RADIUS_STATE_MAX];
	size_t state_len;
	int64_t began, repeat;
};

struct load {
	const char *secret;
	SSL_CTX *ctx;
	struct place places[PLACES_MAX];
	unsigned n_places;
	unsigned logins, failures;
	int64_t *took;
	size_t room;
	int64_t until;
	int64_t last, gap; /* when a login ended; the longest time between two */
};

static void die(const char *what)
{
	fprintf(stderr, "eap-tls-load: %s\n", what);
	exit(2);
}

/* ---- One login ---- */

static void transmit(struct place *p)
{
	ssize_t n = send(p->fd, p->request.data, p->request.len, 0);

	(void)n; /* what is lost is repeated */
	p->repeat = brski_now_us() + REPEAT_MS * 1000;
}

static void respond(struct load *load, struct place *p, uint8_t eap_id, uint8_t type, struct brski_span data)
{
	struct brski_buf eap = {0};
	struct radius_ask ask = {.secret = load->secret, .user_name = USER, .port = p->number + 1};
	char station[32];

	snprintf(station, sizeof(station), "02-00-01-00-00-%02X", p->number & 255);
	brski_put_u8(&eap, EAP_RESPONSE);
	brski_put_u8(&eap, eap_id);
	brski_put_u16(&eap, (uint16_t)(EAP_HEADER + 1 + data.len));
	brski_put_u8(&eap, type);
	brski_put(&eap, data);
	ask.station = station;
	ask.state = brski_span(p->state, p->state_len);
	ask.eap = brski_buf_span(&eap);
	if (!radius_write(&ask, ++p->id, &p->request))
		die("a request does not fit");
	brski_buf_free(&eap);
	transmit(p);
}

static void begin(struct load *load, struct place *p)
{
	if (!eap_tls_begin(&p->tls, load->ctx))
		die("no memory");
	p->state_len = 0;
	p->busy = true;
	p->began = brski_now_us();
	respond(load, p, 1, EAP_TYPE_IDENTITY, brski_span_str(USER));
}

static void note_gap(struct load *load, int64_t now)
{
	if (now - load->last > load->gap)
		load->gap = now - load->last;
	load->last = now;
}

/* Logins that end after the time do not count, whatever came of them. */
static void end(struct load *load, struct place *p, bool ok)
{
	int64_t now = brski_now_us();

	eap_tls_end(&p->tls);
	p->busy = false;
	if (now > load->until)
		return;
	if (ok) {
		if (load->logins == load->room) {
			load->room = load->room ? load->room * 2 : 1024;
			load->took = realloc(load->took, load->room * sizeof(*load->took));
			if (!load->took)
				die("no memory");
		}
		load->took[load->logins++] = now - p->began;
		note_gap(load, now);
	} else {
		load->failures++;
	}
	begin(load, p);
}

static void on_challenge(struct load *load, struct place *p, const struct radius_answer *answer)
{
	struct brski_span in = brski_buf_span(&answer->eap);
	static const uint8_t want = EAP_TLS_TYPE;
	struct brski_buf response = {0};
	uint8_t code, id, type;
	uint16_t len;

	memcpy(p->state, answer->state, answer->state_len);
	p->state_len = answer->state_len;
	if (!brski_read_u8(&in, &code) || !brski_read_u8(&in, &id) || !brski_read_u16(&in, &len) ||
		!brski_read_u8(&in, &type) || code != EAP_REQUEST)
		end(load, p, false);
	else if (type != EAP_TLS_TYPE)
		respond(load, p, id, EAP_TYPE_NAK, brski_span(&want, 1));
	else if (!eap_tls_process(&p->tls, in, &response))
		end(load, p, false);
	else
		respond(load, p, id, type, brski_buf_span(&response));
	brski_buf_free(&response);
}

static bool keys_match(struct place *p, const struct radius_answer *answer)
{
	uint8_t keys[EAP_TLS_KEY_LEN];

	return answer->eap.len == EAP_HEADER && answer->eap.data[0] == EAP_SUCCESS &&
	       eap_tls_keys(&p->tls, keys) &&
	       brski_span_equal_secret(
		       brski_span(keys, 32), brski_span(answer->recv_key, answer->recv_key_len)) &&
	       brski_span_equal_secret(
		       brski_span(keys + 32, 32), brski_span(answer->send_key, answer->send_key_len));
}

static void on_answer(struct load *load, struct place *p)
{
	uint8_t data[RADIUS_MAX];
	struct radius_answer answer;
	const char *why;
	ssize_t n = recv(p->fd, data, sizeof(data), 0);

	if (n <= 1 || !p->busy || data[1] != p->id)
		return; /* nothing, or an answer that came twice */
	if (!radius_read(
		    load->secret, brski_buf_span(&p->request), brski_span(data, (size_t)n), &answer, &why))
		end(load, p, false);
	else if (answer.code == RADIUS_CHALLENGE)
		on_challenge(load, p, &answer);
	else
		end(load, p, answer.code == RADIUS_ACCEPT && keys_match(p, &answer));
	radius_answer_free(&answer);
}

/* ---- All of them ---- */

static void open_places(struct load *load, const char *address, const char *port)
{
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, address, &server.sin_addr) != 1)
		die("the address is no IPv4 address");
	for (unsigned i = 0; i < load->n_places; i++) {
		struct place *p = &load->places[i];

		p->number = i;
		p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (p->fd < 0 || connect(p->fd, (const struct sockaddr *)&server, sizeof(server)) < 0)
			die("no socket");
	}
}

static void serve(struct load *load)
{
	struct pollfd fds[PLACES_MAX];

	for (unsigned i = 0; i < load->n_places; i++)
		fds[i] = (struct pollfd){.fd = load->places[i].fd, .events = POLLIN};
	if (poll(fds, load->n_places, 20) < 0 && errno != EINTR)
		die("poll");
	for (unsigned i = 0; i < load->n_places; i++) {
		if (fds[i].revents)
			on_answer(load, &load->places[i]);
		else if (load->places[i].busy && load->places[i].repeat <= brski_now_us())
			transmit(&load->places[i]);
	}
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(struct load *load, int64_t milliseconds)
{
	size_t n = load->logins;

	if (n)
		qsort(load->took, n, sizeof(*load->took), by_size);
	note_gap(load, load->until);
	printf("%zu %u %lld %.2f %.2f %lld\n", n, load->failures, (long long)milliseconds,
		n ? (double)load->took[n / 2] / 1000 : 0, n ? (double)load->took[n * 95 / 100] / 1000 : 0,
		(long long)(load->gap / 1000));
}

int main(int argc, char **argv)
{
	static struct load load;
	int64_t began;
	int seconds;

	if (argc != 9) {
		fputs(usage, stderr);
		return 2;
	}
	load.secret = argv[3];
	load.ctx = eap_tls_context(argv[4], argv[5], argv[6]);
	seconds = atoi(argv[7]);
	load.n_places = (unsigned)atoi(argv[8]);
	if (!load.ctx || seconds < 1 || load.n_places < 1 || load.n_places > PLACES_MAX)
		die("certificate, key, CA, seconds or places are not usable");
	open_places(&load, argv[1], argv[2]);
	began = brski_now_us();
	load.until = began + (int64_t)seconds * 1000000;
	load.last = began;
	for (unsigned i = 0; i < load.n_places; i++)
		begin(&load, &load.places[i]);
	while (brski_now_us() < load.until)
		serve(&load);
	report(&load, seconds * 1000);
	for (unsigned i = 0; i < load.n_places; i++) {
		eap_tls_end(&load.places[i].tls);
		brski_buf_free(&load.places[i].request);
		close(load.places[i].fd);
	}
	SSL_CTX_free(load.ctx);
	free(load.took);
	return load.failures ? 1 : 0;
}
