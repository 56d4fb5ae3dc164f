/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/support/radius.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define HEADER 20
#define DIGEST 16

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* ---- The server ---- */

static int make_socket(uint16_t port, struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	must(fd >= 0 && bind(fd, (struct sockaddr *)at, len) == 0 &&
			getsockname(fd, (struct sockaddr *)at, &len) == 0,
		"socket");
	return fd;
}

static void *serve(void *arg)
{
	struct asked_server *s = arg;
	struct sockaddr_in from;
	uint8_t octets[8192];

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(s->fd, octets, sizeof(octets), 0, (struct sockaddr *)&from, &len);

		must(n >= 0, "recvfrom");
		if (n == 0) /* the end */
			return NULL;
		must(brski_buf_set(&s->from, brski_span(&from, len)) == BRSKI_OK &&
				brski_buf_set(&s->last, brski_span(octets, (size_t)n)) == BRSKI_OK,
			"memory");
		atomic_fetch_add(&s->questions, 1);
		s->heard(s, brski_buf_span(&s->last));
	}
}

void asked_server_start(struct asked_server *s)
{
	struct sockaddr_in at, other;

	s->fd = make_socket(s->port, &at);
	s->other_fd = make_socket(0, &other);
	s->port = ntohs(at.sin_port);
	snprintf(s->address, sizeof(s->address), "127.0.0.1:%u", ntohs(at.sin_port));
	must(pthread_create(&s->thread, NULL, serve, s) == 0, "pthread_create");
}

void asked_server_stop(struct asked_server *s)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	must(getsockname(s->fd, (struct sockaddr *)&at, &len) == 0 &&
			sendto(s->other_fd, "", 0, 0, (struct sockaddr *)&at, len) == 0,
		"sendto");
	pthread_join(s->thread, NULL);
	close(s->fd);
	close(s->other_fd);
	brski_buf_free(&s->from);
	brski_buf_free(&s->last);
}

void asked_server_send(struct asked_server *s, struct brski_span datagram, bool from_other_port)
{
	/* whoever has got an answer hears no more */
	(void)sendto(from_other_port ? s->other_fd : s->fd, datagram.data, datagram.len, 0,
		(struct sockaddr *)s->from.data, (socklen_t)s->from.len);
}

/* ---- Its packets ---- */

static void digest_of(const struct brski_buf *p, const char *secret, uint8_t out[DIGEST])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	must(md && EVP_DigestInit_ex(md, EVP_md5(), NULL) == 1 &&
			EVP_DigestUpdate(md, p->data, p->len) == 1 &&
			EVP_DigestUpdate(md, secret, strlen(secret)) == 1 &&
			EVP_DigestFinal_ex(md, out, NULL) == 1,
		"MD5");
	EVP_MD_CTX_free(md);
}

static void hmac_of(const uint8_t *p, size_t len, const char *secret, uint8_t out[DIGEST])
{
	must(HMAC(EVP_md5(), secret, (int)strlen(secret), p, len, out, NULL) != NULL, "HMAC");
}

static void put_mac(struct brski_buf *p, size_t len)
{
	static const uint8_t zero[DIGEST];

	brski_put_u8(p, 80);
	brski_put_u8(p, (uint8_t)(2 + len));
	brski_put(p, brski_span(zero, len));
}

struct brski_buf asked_answer(
	uint8_t code, struct brski_span question, struct brski_span attributes, const struct asked_lie *lie)
{
	const char *secret = lie->secret ? lie->secret : TEST_RADIUS_SECRET;
	struct brski_buf p = {0};

	brski_put_u8(&p, code);
	brski_put_u8(&p, question.data[1]);
	brski_put_u16(&p, 0);
	brski_put(&p, brski_span(question.data + 4, DIGEST));
	if (!lie->no_mac)
		put_mac(&p, lie->short_mac ? DIGEST - 1 : DIGEST);
	if (lie->two_macs)
		put_mac(&p, DIGEST);
	brski_put(&p, attributes);
	must(!p.failed, "memory");
	p.data[2] = (uint8_t)(p.len >> 8);
	p.data[3] = (uint8_t)p.len;
	if (!lie->no_mac && !lie->short_mac) {
		uint8_t mac[DIGEST];

		hmac_of(p.data, p.len, secret, mac);
		memcpy(p.data + HEADER + 2, mac, DIGEST);
		p.data[HEADER + 2] ^= lie->bad_mac;
	}
	digest_of(&p, secret, p.data + 4);
	p.data[4] ^= lie->bad_authenticator;
	return p;
}

void asked_put_vendor(struct brski_buf *attributes, uint32_t vendor, uint8_t type, struct brski_span value)
{
	brski_put_u8(attributes, 26);
	brski_put_u8(attributes, (uint8_t)(8 + value.len));
	brski_put_u32(attributes, vendor);
	brski_put_u8(attributes, type);
	brski_put_u8(attributes, (uint8_t)(2 + value.len));
	brski_put(attributes, value);
}

bool asked_is_signed(struct brski_span question, const char *secret)
{
	uint8_t copy[4096], mac[DIGEST];

	if (question.len < HEADER + 2 + DIGEST || question.len > sizeof(copy) || question.data[0] != 1 ||
		(size_t)(question.data[2] << 8 | question.data[3]) != question.len ||
		question.data[HEADER] != 80 || question.data[HEADER + 1] != 2 + DIGEST)
		return false;
	memcpy(copy, question.data, question.len);
	memset(copy + HEADER + 2, 0, DIGEST);
	hmac_of(copy, question.len, secret, mac);
	return memcmp(mac, question.data + HEADER + 2, DIGEST) == 0;
}
