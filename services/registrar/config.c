/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/config.h"

#include <stdint.h>

#define DAY 86400L
#define ANY 0, 0

/* clang-format off */
#define TEXT(name)   #name, SETTING_TEXT, offsetof(struct brski_config, name), ANY
#define SECRET(name) #name, SETTING_SECRET, offsetof(struct brski_config, name), ANY
#define FLAG(name)   #name, SETTING_FLAG, offsetof(struct brski_config, name), ANY
#define NUMBER(name) #name, SETTING_NUMBER, offsetof(struct brski_config, name)

const struct setting brski_settings[] = {
	{TEXT(certificate_file), NULL, true, "URI", "this registrar's certificate, and the CAs' above it"},
	{TEXT(private_key_file), NULL, true, "URI", "its key"},
	{SECRET(private_key_password), NULL, false, "TEXT", "for an encrypted key"},
	{TEXT(ca_file), NULL, true, "FILE", "trust anchors of the network's own PKI"},
	{TEXT(database), "/var/lib/brski/registrar.db", true, "FILE", "manufacturers, devices, requests, history"},
	{TEXT(cmp_url), NULL, true, "URL", "the PKI: CMP over HTTP or HTTPS"},
	{TEXT(cmp_tls_ca_file), NULL, false, "FILE", "trust anchors of the PKI's HTTPS, where ca_file is not"},
	{TEXT(cmp_signer_file), NULL, false, "FILE", "who may sign its answers without being a CA, cmcCA or cmcRA"},
	{FLAG(cmp_labels), "yes", false, NULL, "put the operation's label behind a well-known cmp_url"},
	{TEXT(cmp_profiles), NULL, false, "NAMES", "certificate profiles that devices may ask for"},
	{FLAG(cmp_nested), "yes", false, NULL, "wrap requests in a message signed by this registrar"},
	{FLAG(answer_genm), "no", false, NULL, "answer questions for CA certificates from ca_file"},
	{FLAG(check_pki_answers), "yes", false, NULL, "verify the PKI's answers before devices get them"},
	{TEXT(masa_hosts), NULL, false, "HOSTS", "where else than at its own host a MASA's audit log may be"},
	{NUMBER(max_message), 8192, 1048576, "65535", false, "OCTETS", "longest message, and longest answer of a back end but an audit log"},
	{NUMBER(retry_after), 1, DAY, "60", false, "SECONDS", "after which a device is told to come back"},
	{NUMBER(connect_timeout), 1, 300, "5", false, "SECONDS", "for connecting to a MASA or the PKI"},
	{NUMBER(request_timeout), 1, 600, "30", false, "SECONDS", "for a whole call"},
	{NUMBER(retry_interval_min), 1, DAY, "5", false, "SECONDS", "before a call that failed is made again"},
	{NUMBER(retry_interval_max), 1, DAY, "300", false, "SECONDS", "which that pause grows to"},
	{SECRET(proxy), NULL, false, "URL", "HTTP proxy for these calls"}, /* may hold a password */
	{NUMBER(max_waiting), 1, 1000000, "10000", false, "N", "requests that may wait for an answer"},
	{NUMBER(max_waiting_per_device), 1, 1000, "8", false, "N", "the same, of one device"},
	{NUMBER(max_waiting_size), 16384, 524288, "262144", false, "OCTETS", "of one such request"},
	{NUMBER(max_waiting_age), 10, 3650 * DAY, "2592000", false, "SECONDS", "after which it is given up"},
	{NUMBER(max_requests_per_device), 1, 1000000, "10", false, "N", "new requests of one kind that one device may make in rate_window"},
	{NUMBER(rate_window), 60, DAY, "3600", false, "SECONDS", "over which they are counted"},
	{NUMBER(max_polls_per_device), 1, 1000000, "10", false, "N", "pollReqs of one device that the PKI gets in a minute"},
	{NUMBER(max_kept_per_device), 65536, 1073741824, "1048576", false, "OCTETS", "of one device's answered requests"},
	{NUMBER(voucher_grant_age), 60, 3650 * DAY, "2592000", false, "SECONDS", "in which a device may begin to enroll with its voucher"},
	{NUMBER(certificate_grant_age), 60, 3650 * DAY, "604800", false, "SECONDS", "in which it may report success with its certificate"},
	{NUMBER(report_repeat_age), 1, DAY, "600", false, "SECONDS", "in which it may repeat that report"},
	{FLAG(est_without_voucher), "no", false, NULL, "let devices of the inventory enroll by EST without a voucher"},
	{NUMBER(max_history), 100, INT32_MAX, "100000", false, "N", "events that are kept"},
	{NUMBER(max_history_per_device), 10, INT32_MAX, "200", false, "N", "the same, of one device"},
	{0},
};

static enum brski_code load_certs(
	const char *setting, const char *file, STACK_OF(X509) **out, struct brski_error *err)
{
	enum brski_code code;

	*out = NULL;
	if (!file || !file[0])
		return BRSKI_OK;
	code = brski_certs_load(file, out, err);
	return code == BRSKI_OK ? code : brski_fail_context(err, code, "%s", setting);
}

enum brski_code brski_config_pki_anchors(
	const struct brski_config *config, STACK_OF(X509) **out, struct brski_error *err)
{
	return load_certs("cmp_tls_ca_file", config->cmp_tls_ca_file, out, err);
}

enum brski_code brski_config_cmp_signers(
	const struct brski_config *config, STACK_OF(X509) **out, struct brski_error *err)
{
	return load_certs("cmp_signer_file", config->cmp_signer_file, out, err);
}
