/* SPDX-License-Identifier: BSD-3-Clause */
#include "eap_brski/transport/tunnel.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "eap_brski/pki/limits.h"

#define READ_OCTETS 4096
#define CHAIN_OCTETS_MAX (32 * 1024)
#define NO_ALERT -1

static const uint8_t alpn[] = "\x0b" BRSKI_ALPN;
#define ALPN_LEN (sizeof(alpn) - 1)

/* The last three are for signatures in certificates alone: TLS 1.3 never signs a handshake with them. */
static const char signature_algorithms[] =
	"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
	"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
	"rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";

struct brski_tunnel_config {
	SSL_CTX *ctx;
};

struct brski_tunnel {
	SSL *ssl;
	BIO *from_peer; /* both belong to ssl */
	BIO *to_peer;
	enum brski_tunnel_state state;
	brski_tunnel_verify *verify;
	void *verify_ctx;
	STACK_OF(X509) *peer_chain;
	bool refused; /* by ourselves, and why */
	struct brski_error refusal;
	int alert; /* the peer's fatal alert, or NO_ALERT */
};

static struct brski_tunnel *tunnel_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

static bool has_alpn(const SSL *ssl)
{
	const uint8_t *selected = NULL;
	unsigned len = 0;

	SSL_get0_alpn_selected(ssl, &selected, &len);
	return brski_span_equal(brski_span(selected, len), brski_span(alpn + 1, ALPN_LEN - 1));
}

/* Which alert ssl_x509err2alert() of OpenSSL makes of it stands beside each. */
static int x509_error_of(enum brski_code code)
{
	switch (code) {
	case BRSKI_UNTRUSTED:
		return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY; /* unknown_ca */
	case BRSKI_EXPIRED:
		return X509_V_ERR_CERT_HAS_EXPIRED; /* certificate_expired */
	case BRSKI_REVOKED:
		return X509_V_ERR_CERT_REVOKED; /* certificate_revoked */
	case BRSKI_UNSUPPORTED:
		return X509_V_ERR_INVALID_PURPOSE; /* unsupported_certificate */
	case BRSKI_NO_MEMORY:
	case BRSKI_INTERNAL:
	case BRSKI_UNAVAILABLE:
		return X509_V_ERR_UNSPECIFIED; /* internal_error: no word about the certificate */
	default:
		return X509_V_ERR_CERT_REJECTED; /* bad_certificate */
	}
}

/* What holds for both sides, also for a client that accepts provisionally. */
static enum brski_code check_chain_shape(STACK_OF(X509) *chain, struct brski_error *err)
{
	enum brski_code code;

	if (sk_X509_num(chain) < 1 || sk_X509_num(chain) > BRSKI_PEER_CERTS_MAX)
		return brski_fail(err, BRSKI_TOO_LARGE,
			"the peer sends a chain of %d certificates, 1 to %d are allowed", sk_X509_num(chain),
			BRSKI_PEER_CERTS_MAX);
	if (!X509_get0_pubkey(sk_X509_value(chain, 0)))
		return brski_fail_openssl(
			err, BRSKI_REFUSED, "the key of the peer's certificate is not understood");
	code = brski_peer_certs_check(chain, err);
	if (code == BRSKI_OK)
		return code;
	return brski_fail(err, BRSKI_REFUSED, "the peer's %s", err->why);
}

/* x509_error: if code is none of success; X509_V_ERR_APPLICATION_VERIFICATION is handshake_failure. */
static int decided(
	struct brski_tunnel *tunnel, X509_STORE_CTX *store_ctx, enum brski_code code, int x509_error)
{
	tunnel->refused = code != BRSKI_OK;
	tunnel->refusal.code = code;
	X509_STORE_CTX_set_error(store_ctx, code == BRSKI_OK ? X509_V_OK : x509_error);
	return code == BRSKI_OK;
}

/* Stands in place of OpenSSL's own verification: the front end's decision, at once within the handshake. */
static int verify_peer(X509_STORE_CTX *store_ctx, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct brski_tunnel *tunnel = tunnel_of(ssl);
	enum brski_code code;

	(void)unused;
	if (!has_alpn(ssl)) {
		code = brski_fail(&tunnel->refusal, BRSKI_UNSUPPORTED,
			"the peer does not speak %s inside TLS", BRSKI_ALPN);
		return decided(tunnel, store_ctx, code, X509_V_ERR_APPLICATION_VERIFICATION);
	}
	sk_X509_pop_free(tunnel->peer_chain, X509_free);
	tunnel->peer_chain = X509_chain_up_ref(X509_STORE_CTX_get0_untrusted(store_ctx));
	if (!tunnel->peer_chain)
		code = brski_fail(&tunnel->refusal, BRSKI_NO_MEMORY, "no memory for the peer's certificates");
	else
		code = check_chain_shape(tunnel->peer_chain, &tunnel->refusal);
	if (code == BRSKI_OK && tunnel->verify)
		code = tunnel->verify(tunnel->verify_ctx, tunnel->peer_chain, &tunnel->refusal);
	return decided(tunnel, store_ctx, code, x509_error_of(code));
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
	unsigned in_len, void *unused)
{
	struct brski_span offered = brski_span(in, in_len);
	struct brski_span name;
	uint8_t len;

	(void)ssl;
	(void)unused;
	while (brski_read_u8(&offered, &len) && brski_read_span(&offered, len, &name)) {
		if (!brski_span_equal(name, brski_span(alpn + 1, ALPN_LEN - 1)))
			continue;
		*out = alpn + 1;
		*out_len = (unsigned char)(ALPN_LEN - 1);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* OpenSSL asks select_alpn only when the client sent the extension at all. */
static int require_alpn(SSL *ssl, int *alert, void *unused)
{
	struct brski_tunnel *tunnel = tunnel_of(ssl);
	const unsigned char *extension;
	size_t len;

	(void)unused;
	if (SSL_client_hello_get0_ext(
		    ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension, &len) == 1)
		return SSL_CLIENT_HELLO_SUCCESS;
	/* of one without TLS 1.3, OpenSSL says so better */
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &extension, &len) != 1)
		return SSL_CLIENT_HELLO_SUCCESS;
	tunnel->refused = true;
	brski_fail(&tunnel->refusal, BRSKI_UNSUPPORTED, "the peer does not offer %s inside TLS", BRSKI_ALPN);
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

static void watch(const SSL *ssl, int where, int value)
{
	struct brski_tunnel *tunnel = tunnel_of(ssl);

	if (tunnel && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT &&
		(value & 0xff) != SSL_AD_CLOSE_NOTIFY)
		tunnel->alert = value;
}

static bool set_protocol(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(
		ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT); /* no middlebox here, and octets are dear */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_OCTETS_MAX);
	SSL_CTX_set_security_level(ctx, 2);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
	       SSL_CTX_set_recv_max_early_data(ctx, 0) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, "P-256:X25519:P-384") == 1 &&
	       SSL_CTX_set1_sigalgs_list(ctx, signature_algorithms) == 1;
}

static bool set_role(SSL_CTX *ctx, bool server)
{
	int mode = SSL_VERIFY_PEER | (server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);

	SSL_CTX_set_verify(ctx, mode, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_peer, NULL);
	SSL_CTX_set_info_callback(ctx, watch);
	if (!server)
		return SSL_CTX_set_alpn_protos(ctx, alpn, (unsigned)ALPN_LEN) == 0;
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
	SSL_CTX_set_client_hello_cb(ctx, require_alpn, NULL);
	return true;
}

static enum brski_code set_credential(
	SSL_CTX *ctx, const struct brski_credential *credential, struct brski_error *err)
{
	if (!credential->key || !credential->cert)
		return brski_fail(err, BRSKI_NOT_FOUND, "TLS needs a key and a certificate");
	if (X509_check_private_key(credential->cert, credential->key) != 1)
		return brski_fail_openssl(
			err, BRSKI_MISMATCH, "the private key does not fit the certificate");
	if (SSL_CTX_use_certificate(ctx, credential->cert) != 1 ||
		SSL_CTX_use_PrivateKey(ctx, credential->key) != 1 ||
		(credential->chain && SSL_CTX_set1_chain(ctx, credential->chain) != 1))
		return brski_fail_openssl(err, BRSKI_UNSUPPORTED, "TLS cannot use this key and certificate");
	/* else OpenSSL would build one from a trust store */
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	return BRSKI_OK;
}

enum brski_code brski_tunnel_config_new(bool server, const struct brski_credential *credential,
	struct brski_tunnel_config **out, struct brski_error *err)
{
	struct brski_tunnel_config *config = calloc(1, sizeof(*config));
	enum brski_code code;

	*out = NULL;
	if (!config)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for TLS");
	ERR_clear_error();
	config->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (!config->ctx || !set_protocol(config->ctx) || !set_role(config->ctx, server))
		code = brski_fail_openssl(err, BRSKI_INTERNAL, "TLS 1.3 cannot be set up");
	else
		code = set_credential(config->ctx, credential, err);
	if (code != BRSKI_OK) {
		brski_tunnel_config_free(config);
		return code;
	}
	*out = config;
	return BRSKI_OK;
}

void brski_tunnel_config_free(struct brski_tunnel_config *config)
{
	if (!config)
		return;
	SSL_CTX_free(config->ctx);
	free(config);
}

static bool set_up_ssl(struct brski_tunnel *tunnel, SSL_CTX *ctx)
{
	tunnel->ssl = SSL_new(ctx);
	tunnel->from_peer = BIO_new(BIO_s_mem());
	tunnel->to_peer = BIO_new(BIO_s_mem());
	if (!tunnel->ssl || !tunnel->from_peer || !tunnel->to_peer) {
		BIO_free(tunnel->from_peer);
		BIO_free(tunnel->to_peer);
		return false;
	}
	BIO_set_mem_eof_return(tunnel->from_peer, -1); /* empty means "later", not "closed" */
	BIO_set_mem_eof_return(tunnel->to_peer, -1);
	SSL_set_bio(tunnel->ssl, tunnel->from_peer, tunnel->to_peer);
	if (SSL_set_app_data(tunnel->ssl, tunnel) != 1)
		return false;
	if (SSL_is_server(tunnel->ssl))
		SSL_set_accept_state(tunnel->ssl);
	else
		SSL_set_connect_state(tunnel->ssl);
	return true;
}

enum brski_code brski_tunnel_new(struct brski_tunnel_config *config, brski_tunnel_verify *verify,
	void *verify_ctx, struct brski_tunnel **out, struct brski_error *err)
{
	struct brski_tunnel *tunnel = calloc(1, sizeof(*tunnel));

	*out = NULL;
	if (!tunnel)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a TLS tunnel");
	tunnel->verify = verify;
	tunnel->verify_ctx = verify_ctx;
	tunnel->alert = NO_ALERT;
	if (!set_up_ssl(tunnel, config->ctx)) {
		brski_tunnel_free(tunnel);
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no TLS tunnel can be made");
	}
	if (SSL_is_server(tunnel->ssl) && !verify) {
		brski_tunnel_free(tunnel);
		return brski_fail(
			err, BRSKI_INTERNAL, "a TLS server must decide on its clients' certificates");
	}
	*out = tunnel;
	return BRSKI_OK;
}

void brski_tunnel_free(struct brski_tunnel *tunnel)
{
	if (!tunnel)
		return;
	SSL_free(tunnel->ssl);
	sk_X509_pop_free(tunnel->peer_chain, X509_free);
	free(tunnel);
}

/* Moves what TLS wants to send to *out. */
static void drain(struct brski_tunnel *tunnel, struct brski_buf *out)
{
	char *data = NULL;
	long len = BIO_get_mem_data(tunnel->to_peer, &data);

	if (len > 0)
		brski_put(out, brski_span(data, (size_t)len));
	(void)BIO_reset(tunnel->to_peer);
}

/* An error of OpenSSL's as one of our codes; BRSKI_MALFORMED is also what cannot be told. Reasons are numbers of their library. */
static enum brski_code code_of_openssl(unsigned long error)
{
	if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
		return BRSKI_NO_MEMORY;
	if (ERR_GET_LIB(error) != ERR_LIB_SSL)
		return BRSKI_MALFORMED;
	switch (ERR_GET_REASON(error)) {
	case SSL_R_BAD_SIGNATURE:
	case SSL_R_DIGEST_CHECK_FAILED:
	case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
		return BRSKI_BAD_SIGNATURE;
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return BRSKI_UNTRUSTED;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_NO_APPLICATION_PROTOCOL:
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
		return BRSKI_UNSUPPORTED;
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
		return BRSKI_TOO_LARGE;
	default:
		return BRSKI_MALFORMED;
	}
}

/*
 * The first and the last of this thread's queue: before TLS says its own word, the library that it called may have (since OpenSSL 3.2
 * the provider does, of a signature); and TLS may go on to "internal error" after it has.
 */
static enum brski_code code_of_queue(void)
{
	enum brski_code code = code_of_openssl(ERR_peek_error());

	return code == BRSKI_MALFORMED ? code_of_openssl(ERR_peek_last_error()) : code;
}

static enum brski_code fail_tls(struct brski_tunnel *tunnel, struct brski_error *err)
{
	tunnel->state = BRSKI_TUNNEL_CLOSED;
	if (tunnel->refused) {
		ERR_clear_error();
		return brski_fail(err, tunnel->refusal.code, "%s", tunnel->refusal.why);
	}
	if (tunnel->alert != NO_ALERT) {
		ERR_clear_error();
		return brski_fail(err, BRSKI_REFUSED, "the peer's TLS alert: %s",
			SSL_alert_desc_string_long(tunnel->alert));
	}
	return brski_fail_openssl(err, code_of_queue(), "TLS with the peer failed");
}

static enum brski_code handshake(struct brski_tunnel *tunnel, struct brski_error *err)
{
	int ret = SSL_do_handshake(tunnel->ssl);

	if (ret != 1)
		return SSL_get_error(tunnel->ssl, ret) == SSL_ERROR_WANT_READ ? BRSKI_OK
									      : fail_tls(tunnel, err);
	/* no way around verify_peer is known; if there is one, it ends here */
	if (!tunnel->peer_chain || tunnel->refused || SSL_session_reused(tunnel->ssl)) {
		tunnel->state = BRSKI_TUNNEL_CLOSED;
		return brski_fail(
			err, BRSKI_UNTRUSTED, "TLS was set up without a look at the peer's certificate");
	}
	tunnel->state = BRSKI_TUNNEL_OPEN;
	return BRSKI_OK;
}

static enum brski_code read_plain(
	struct brski_tunnel *tunnel, struct brski_buf *plain, struct brski_error *err)
{
	uint8_t data[READ_OCTETS];
	size_t len;
	int ret;

	while ((ret = SSL_read_ex(tunnel->ssl, data, sizeof(data), &len)) == 1)
		brski_put(plain, brski_span(data, len));
	OPENSSL_cleanse(data, sizeof(data));
	switch (SSL_get_error(tunnel->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_ZERO_RETURN:
		tunnel->state = BRSKI_TUNNEL_CLOSED;
		break;
	default:
		return fail_tls(tunnel, err);
	}
	return brski_buf_status(plain, err);
}

enum brski_code brski_tunnel_feed(struct brski_tunnel *tunnel, struct brski_span in, struct brski_buf *out,
	struct brski_buf *plain, struct brski_error *err)
{
	enum brski_code code = BRSKI_OK;
	size_t written;

	if (tunnel->state == BRSKI_TUNNEL_CLOSED)
		return brski_fail(err, BRSKI_UNEXPECTED, "the TLS tunnel is closed");
	ERR_clear_error();
	if (in.len > 0 && BIO_write_ex(tunnel->from_peer, in.data, in.len, &written) != 1)
		return brski_fail_openssl(err, BRSKI_NO_MEMORY, "no memory for TLS records");
	if (tunnel->state == BRSKI_TUNNEL_HANDSHAKE)
		code = handshake(tunnel, err);
	/* application data may have come along with the end of the handshake */
	if (code == BRSKI_OK && tunnel->state == BRSKI_TUNNEL_OPEN)
		code = read_plain(tunnel, plain, err);
	drain(tunnel, out);
	ERR_clear_error();
	return code == BRSKI_OK ? brski_buf_status(out, err) : code;
}

/* RFC 8446 5.1 and 5.2: an alert has two octets; a protected one its type behind it, and a tag of 16. */
bool brski_tunnel_is_alert(struct brski_span records)
{
	enum { ALERT = 21, APPLICATION_DATA = 23, ALERT_LEN = 2, PROTECTED_LEN = ALERT_LEN + 1 + 16 };
	uint8_t type;
	uint16_t version, len;

	if (!brski_read_u8(&records, &type) || !brski_read_u16(&records, &version) ||
		!brski_read_u16(&records, &len) || records.len != len)
		return false;
	return (type == ALERT && len == ALERT_LEN) || (type == APPLICATION_DATA && len == PROTECTED_LEN);
}

enum brski_code brski_tunnel_write(
	struct brski_tunnel *tunnel, struct brski_span plain, struct brski_buf *out, struct brski_error *err)
{
	size_t written;

	if (tunnel->state != BRSKI_TUNNEL_OPEN)
		return brski_fail(err, BRSKI_UNEXPECTED, "the TLS tunnel is not open");
	if (plain.len == 0)
		return BRSKI_OK;
	ERR_clear_error();
	if (SSL_write_ex(tunnel->ssl, plain.data, plain.len, &written) != 1)
		return fail_tls(tunnel, err);
	drain(tunnel, out);
	return brski_buf_status(out, err);
}

void brski_tunnel_close(struct brski_tunnel *tunnel, struct brski_buf *out)
{
	if (tunnel->state == BRSKI_TUNNEL_OPEN)
		(void)SSL_shutdown(tunnel->ssl);
	drain(tunnel, out);
	ERR_clear_error();
	tunnel->state = BRSKI_TUNNEL_CLOSED;
}

enum brski_tunnel_state brski_tunnel_state(const struct brski_tunnel *tunnel)
{
	return tunnel->state;
}

STACK_OF(X509) *brski_tunnel_peer_chain(const struct brski_tunnel *tunnel)
{
	return tunnel->peer_chain;
}

enum brski_code brski_tunnel_export(struct brski_tunnel *tunnel, const char *label, struct brski_span context,
	uint8_t *out, size_t len, struct brski_error *err)
{
	memset(out, 0, len);
	if (!SSL_is_init_finished(tunnel->ssl))
		return brski_fail(err, BRSKI_UNEXPECTED, "no keys before the TLS handshake is complete");
	if (SSL_export_keying_material(
		    tunnel->ssl, out, len, label, strlen(label), context.data, context.len, 1) == 1)
		return BRSKI_OK;
	OPENSSL_cleanse(out, len);
	return brski_fail_openssl(err, BRSKI_INTERNAL, "no keys from TLS");
}
