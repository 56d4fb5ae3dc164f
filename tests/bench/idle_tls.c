/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What an idle TLS connection costs a server that listens on 127.0.0.1: opens many, each of a device
 * of its own with its certificate and its CA's, from an address of its own, lets each ask for
 * something once, and reads before and behind it what memory of the server's process is resident.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/unit/support/pki.h"

static const char usage[] =
	"usage: idle-tls PORT PID CA-CERTIFICATE CA-KEY COUNT PATH\n"
	"\n"
	"Writes: connections, KiB before, KiB behind them, octets for each, status of the last answer.\n";

struct idle {
	int fd;
	SSL *ssl;
};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "idle-tls: %s\n", what);
	exit(1);
}

static long resident_kib(const char *pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	file = fopen(path, "r");
	need(file != NULL, path);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = atol(line + 6);
	}
	fclose(file);
	need(kib > 0, path);
	return kib;
}

static int connect_from(unsigned i, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + i)};
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	need(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0, "no socket");
	need(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "no connection");
	return fd;
}

/* Its status. */
static int ask(SSL *ssl, const char *path)
{
	char text[4096];
	int n;

	n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
	need(SSL_write(ssl, text, n) == n, "a request did not go");
	n = SSL_read(ssl, text, sizeof(text) - 1);
	need(n > 12, "no answer came");
	text[n] = '\0';
	return atoi(text + 9);
}

static struct idle come(
	unsigned i, int port, const struct brski_credential *ca, const char *path, int *status)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct idle idle = {.fd = connect_from(i, port)};
	struct brski_credential device;
	char subject[64];

	snprintf(subject, sizeof(subject), "O=Acme,CN=Acme Sensor,serialNumber=IDLE-%05u", i);
	device = pki_make(&(struct pki_spec){.subject = subject}, ca);
	(void)X509_add_cert(device.chain, ca->cert, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP);
	need(SSL_CTX_use_cert_and_key(ctx, device.cert, device.key, device.chain, 1) == 1, "certificate");
	idle.ssl = SSL_new(ctx);
	need(idle.ssl && SSL_set_fd(idle.ssl, idle.fd) == 1 && SSL_connect(idle.ssl) == 1, "TLS");
	*status = ask(idle.ssl, path);
	SSL_CTX_free(ctx);
	pki_free(&device);
	return idle;
}

static void allow_files(unsigned count)
{
	struct rlimit limit;

	need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "limit on open files");
	limit.rlim_cur = limit.rlim_max < count + 64 ? limit.rlim_max : count + 64;
	need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "limit on open files");
}

int main(int argc, char **argv)
{
	struct brski_credential ca = {0};
	struct brski_error err = {0};
	struct idle *all, first;
	long before, behind;
	unsigned count;
	int status = 0;

	if (argc != 7) {
		fputs(usage, stderr);
		return 2;
	}
	need(brski_credential_load(argv[4], NULL, argv[3], &ca, &err) == BRSKI_OK, err.why);
	count = (unsigned)atoi(argv[5]);
	all = calloc(count, sizeof(*all));
	need(all != NULL, "memory");
	allow_files(count);
	/* what the server makes once is not counted */
	first = come(count, atoi(argv[1]), &ca, argv[6], &status);
	before = resident_kib(argv[2]);
	for (unsigned i = 0; i < count; i++)
		all[i] = come(i, atoi(argv[1]), &ca, argv[6], &status);
	behind = resident_kib(argv[2]);
	printf("%u %ld %ld %ld %d\n", count, before, behind, (behind - before) * 1024 / (long)count, status);
	for (unsigned i = 0; i < count; i++) {
		SSL_free(all[i].ssl);
		close(all[i].fd);
	}
	SSL_free(first.ssl);
	close(first.fd);
	free(all);
	brski_credential_free(&ca);
	return 0;
}
