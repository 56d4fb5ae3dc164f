/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/base/http_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/util.h>

#include "eap_brski/pki/limits.h"
#include "services/base/address.h"

#define BACKLOG 512                  /* a crowd may come at once */
#define OTHER_FILES 32               /* than connections: the store's, the log's, calls of our own */
#define CHAIN_OCTETS_MAX (32 * 1024) /* of a client's certificates */

static void bound_address(int fd, char out[HTTP_ADDRESS_MAX])
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	char host[INET6_ADDRSTRLEN + 1] = "?";
	char port[8] = "?";

	if (getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, HTTP_ADDRESS_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static int listen_at(const struct addrinfo *at)
{
	int one = 1, no = 0;
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);

	if (fd < 0)
		return -1;
	/* "[::]" is all addresses of both kinds, whatever the system's standard is */
	if (at->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
		bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

enum brski_code http_listen(
	const char *address, int *fd, char bound[HTTP_ADDRESS_MAX], struct brski_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char host[ADDRESS_HOST_MAX];
	char port[ADDRESS_PORT_MAX];
	enum brski_code code = address_split(address, host, port, err);
	int status;

	*fd = -1;
	if (code != BRSKI_OK)
		return code;
	status = getaddrinfo(host, port, &hints, &found);
	if (status != 0)
		return brski_fail(
			err, BRSKI_MALFORMED, "cannot listen at %s: %s", address, gai_strerror(status));
	errno = 0;
	*fd = listen_at(found);
	freeaddrinfo(found);
	if (*fd < 0)
		return brski_fail(
			err, BRSKI_UNAVAILABLE, "cannot listen at %s: %s", address, strerror(errno));
	bound_address(*fd, bound);
	return BRSKI_OK;
}

/*
 * Whose certificate it is, is judged where the request is. OpenSSL's own verification would look at
 * every signature of the chain first.
 */
static int take_any_certificate(X509_STORE_CTX *ctx, void *unused)
{
	(void)unused;
	if (brski_peer_certs_check(X509_STORE_CTX_get0_untrusted(ctx), NULL) == BRSKI_OK)
		return 1;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static bool set_credential(SSL_CTX *tls, const struct brski_credential *server)
{
	if (SSL_CTX_use_certificate(tls, server->cert) != 1 || SSL_CTX_use_PrivateKey(tls, server->key) != 1)
		return false;
	for (int i = 0; i < sk_X509_num(server->chain); i++) {
		if (SSL_CTX_add1_chain_cert(tls, sk_X509_value(server->chain, i)) != 1)
			return false;
	}
	return true;
}

enum brski_code http_tls_new(const struct brski_credential *server, SSL_CTX **out, struct brski_error *err)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	*out = NULL;
	if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 || !set_credential(tls, server)) {
		SSL_CTX_free(tls);
		return brski_fail_openssl(err, BRSKI_INTERNAL, "cannot use the TLS certificate");
	}
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(tls, take_any_certificate, NULL);
	SSL_CTX_set_max_cert_list(tls, CHAIN_OCTETS_MAX);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_num_tickets(tls, 0);
	/* an idle connection keeps no buffers; and each message of TLS's own gives others their turn */
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
	*out = tls;
	return BRSKI_OK;
}

enum brski_code http_files_for(unsigned wanted, unsigned *got, struct brski_error *err)
{
	struct rlimit limit;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	rlim_t others;

	*got = 0;
	if (next < 0)
		return brski_fail(err, BRSKI_INTERNAL, "cannot open /dev/null: %s", strerror(errno));
	close(next);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return brski_fail(err, BRSKI_INTERNAL, "getrlimit: %s", strerror(errno));
	others = (rlim_t)next + OTHER_FILES;
	if (limit.rlim_cur < others + wanted) {
		limit.rlim_cur = limit.rlim_max < others + wanted ? limit.rlim_max : others + wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			return brski_fail(err, BRSKI_INTERNAL, "setrlimit: %s", strerror(errno));
	}
	if (limit.rlim_cur >= others + wanted)
		*got = wanted;
	else
		*got = limit.rlim_cur > others ? (unsigned)(limit.rlim_cur - others) : 1;
	return BRSKI_OK;
}
