/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/eap_tls.h"

#include <openssl/err.h>

/* RFC 5216 3.1 */
enum { FLAG_LENGTH = 0x80, FLAG_MORE = 0x40, FLAG_START = 0x20 };
#define FRAGMENT 1200

static SSL_CTX *complain(SSL_CTX *ctx)
{
	ERR_print_errors_fp(stderr);
	SSL_CTX_free(ctx);
	return NULL;
}

SSL_CTX *eap_tls_context(const char *cert_file, const char *key_file, const char *ca_file)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_load_verify_file(ctx, ca_file) != 1)
		return complain(ctx);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* whole handshakes only */
	return ctx;
}

bool eap_tls_begin(struct eap_tls *t, SSL_CTX *ctx)
{
	*t = (struct eap_tls){.ssl = SSL_new(ctx), .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem())};
	if (!t->ssl || !t->in || !t->out) {
		BIO_free(t->in);
		BIO_free(t->out);
		SSL_free(t->ssl);
		*t = (struct eap_tls){0};
		return false;
	}
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	return true;
}

void eap_tls_end(struct eap_tls *t)
{
	SSL_free(t->ssl);
	brski_buf_free(&t->whole);
	*t = (struct eap_tls){0};
}

/* What TLS has to say now becomes our flight. False: TLS has failed. */
static bool turn(struct eap_tls *t)
{
	char *data;
	uint8_t ignored[64];
	int rc = SSL_is_init_finished(t->ssl) ? SSL_read(t->ssl, ignored, sizeof(ignored))
					      : SSL_do_handshake(t->ssl);
	long len;

	if (rc <= 0 && SSL_get_error(t->ssl, rc) != SSL_ERROR_WANT_READ) {
		ERR_clear_error();
		return false;
	}
	len = BIO_get_mem_data(t->out, &data);
	brski_buf_reset(&t->whole);
	brski_put(&t->whole, brski_span(data, (size_t)len));
	t->sent = 0;
	(void)BIO_reset(t->out);
	return !t->whole.failed;
}

/* The next fragment of our flight, or an acknowledgement if there is none. */
static void say(struct eap_tls *t, struct brski_buf *response)
{
	size_t left = t->whole.len - t->sent, n = left < FRAGMENT ? left : FRAGMENT;
	uint8_t flags = 0;

	if (n < left)
		flags |= FLAG_MORE;
	if (t->sent == 0 && n < left)
		flags |= FLAG_LENGTH;
	brski_put_u8(response, flags);
	if (flags & FLAG_LENGTH)
		brski_put_u32(response, (uint32_t)t->whole.len);
	if (n)
		brski_put(response, brski_span(t->whole.data + t->sent, n));
	t->sent += n;
}

bool eap_tls_process(struct eap_tls *t, struct brski_span request, struct brski_buf *response)
{
	uint8_t flags;
	uint32_t length;

	brski_buf_reset(response);
	if (!brski_read_u8(&request, &flags) || ((flags & FLAG_LENGTH) && !brski_read_u32(&request, &length)))
		return false;
	if (request.len && BIO_write(t->in, request.data, (int)request.len) != (int)request.len)
		return false;
	if (!(flags & FLAG_MORE) && t->sent == t->whole.len && ((flags & FLAG_START) || request.len) &&
		!turn(t))
		return false;
	if (flags & FLAG_MORE)
		brski_put_u8(response, 0);
	else
		say(t, response);
	return !response->failed;
}

/* RFC 9190 2.3, and RFC 5216 2.3 for what is older than TLS 1.3 */
bool eap_tls_keys(struct eap_tls *t, uint8_t keys[EAP_TLS_KEY_LEN])
{
	static const uint8_t type = EAP_TLS_TYPE;
	static const char label[] = "EXPORTER_EAP_TLS_Key_Material", old_label[] = "client EAP encryption";

	if (!SSL_is_init_finished(t->ssl))
		return false;
	if (SSL_version(t->ssl) < TLS1_3_VERSION)
		return SSL_export_keying_material(t->ssl, keys, EAP_TLS_KEY_LEN, old_label,
			       sizeof(old_label) - 1, NULL, 0, 0) == 1;
	return SSL_export_keying_material(
		       t->ssl, keys, EAP_TLS_KEY_LEN, label, sizeof(label) - 1, &type, 1, 1) == 1;
}
