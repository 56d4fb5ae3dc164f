#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# RFC 8995 by hand at the HTTPS door: curl carries, the openssl program signs, verifies, and enrolls.
set -euo pipefail
# shellcheck source=tests/e2e/services_lib.sh
. "$(dirname "$0")/services_lib.sh"
begin
CA=$BUILD/brski-ca
VOUCHER_TYPE=application/voucher-cms+json
OID=1.2.840.113549.1.9.16.1.40

"$CA" init "$T/vendor" --subject "CN=Vendor CA,O=Vendor" > /dev/null
"$CA" init "$T/domain" --subject "CN=Domain CA,O=Example" > /dev/null
"$CA" init "$T/foreign" --subject "CN=Foreign CA,O=Foreign" > /dev/null
"$CA" issue-server "$T/vendor" --subject CN=masa.example --san DNS:masa.example,IP:127.0.0.1 --out "$T/tls" > /dev/null
"$CA" issue-masa "$T/vendor" --subject "CN=MASA,O=Vendor" --out "$T/masa" > /dev/null
"$CA" issue-registrar "$T/domain" --subject "CN=Registrar,O=Example" --san IP:127.0.0.1 --out "$T/registrar" > /dev/null
for serial in S-1 S-2 S-3 S-4; do
	"$CA" issue-idevid "$T/vendor" --serial-number "$serial" --masa-url masa.example --out "$T/$serial" > /dev/null
done
"$CA" issue-idevid "$T/foreign" --serial-number S-9 --masa-url masa.example --out "$T/S-9" > /dev/null

brskictl() {
	"$BUILD/brskictl" -d "$T/registrar.db" "$@"
}

# The registrar's configuration: what every site has, and more lines.
configure() { # LINES...
	lab_port "PORTS[registrar]"
	printf '%s\n' "certificate_file = $T/registrar.pem" "private_key_file = $T/registrar.key" "ca_file = $T/domain/ca.pem" \
		"database = $T/registrar.db" "cmp_url = http://127.0.0.1:${PORTS[ca]}/.well-known/cmp" "retry_interval_min = 1" \
		"listen = 127.0.0.1:${PORTS[registrar]}" "log = $T/registrar.log" "pid_file = $T/registrar.pid" "$@" > "$T/registrar.conf"
}

serve() {
	PORT=${PORTS[registrar]}
	: > "$T/registrar.log"
	"$BUILD/brski-registrar" --config "$T/registrar.conf" &
	PID[registrar]=$!
	for _ in $(seq 500); do
		! grep -q "listening on https://127.0.0.1:$PORT" "$T/registrar.log" || return 0
		kill -0 "${PID[registrar]}" 2> /dev/null || break
		sleep 0.02
	done
	echo "brski-registrar did not start:" >&2
	cat "$T/registrar.log" >&2
	exit 1
}

start_masa() {
	start masa "$BUILD/brski-masa" --db "$T/masa.db" --tls-key "$T/tls.key" --tls-cert "$T/tls.pem" --sign-key "$T/masa.key" \
		--sign-cert "$T/masa.pem" --idevid-anchors "$T/vendor/ca.pem" --min-interval 0 serve
}

start_ca() {
	start ca "$CA" --ra-anchors "$T/domain/ca.pem" --idevid-anchors "$T/vendor/ca.pem" serve "$T/domain"
}

# A device's request; STATUS gets the status, $T/answer and $T/head the response. Provisional: the server is not verified.
ask() { # IDEVID PATH [curl options]
	local device=$1 path=$2
	shift 2
	[ "$device" = nobody ] || set -- --cert "$T/$device.pem" --key "$T/$device.key" "$@"
	STATUS=$(curl -sS -k --max-time 20 -o "$T/answer" -D "$T/head" -w '%{http_code}' "$@" "https://127.0.0.1:${PORTS[registrar]}$path") ||
		STATUS="curl: $?"
}

gives() { # STATUS
	if [ "$STATUS" != "$1" ]; then
		echo "$STATUS: $(head -c 300 "$T/answer")"
		return 1
	fi
}

der_base64() { # PEM file: its first certificate
	openssl x509 -in "$1" -outform DER | base64 -w 0
}

# RFC 8995 5.2: $T/request is the device's voucher-request.
request() { # IDEVID NONCE
	sed '1,/END CERTIFICATE/d' "$T/$1.pem" > "$T/chain"
	printf '{"ietf-voucher-request:voucher":{"created-on":"%s","assertion":"proximity","nonce":"%s","serial-number":"%s","proximity-registrar-cert":"%s"}}' \
		"$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" "$1" "$(der_base64 "$T/registrar.pem")" |
		openssl cms -sign -binary -nodetach -econtent_type "$OID" -md sha256 -outform DER -signer "$T/$1.pem" -inkey "$T/$1.key" \
			-certfile "$T/chain" -nosmimecap -out "$T/request"
}

ask_voucher() { # IDEVID
	ask "$1" /.well-known/brski/requestvoucher -H "Content-Type: $VOUCHER_TYPE" -H "Accept: $VOUCHER_TYPE" --data-binary "@$T/request"
}

tell() { # IDEVID PATH JSON
	ask "$1" "/.well-known/brski/$2" -H 'Content-Type: application/json' --data "$3"
}

# RFC 8995 5.6.1: the voucher is signed by the vendor, and for this device and this registrar's domain.
voucher_is_right() { # SERIAL
	openssl cms -verify -binary -inform DER -in "$T/answer" -CAfile "$T/vendor/ca.pem" -purpose any > "$T/voucher" 2> /dev/null || return 1
	grep -q "\"serial-number\": *\"$1\"" "$T/voucher" &&
		grep -qF "$(der_base64 "$T/domain/ca.pem")" <(tr -d '\\' < "$T/voucher")
}

enroll() { # IDEVID [options of openssl cmp]
	local device=$1
	shift
	openssl ecparam -name prime256v1 -genkey -noout -out "$T/$device-new.key"
	openssl cmp -config '' -cmd ir -server "127.0.0.1:${PORTS[registrar]}" -path .well-known/cmp/initialization -tls_used \
		-tls_cert "$T/$device.pem" -tls_key "$T/$device.key" -tls_trusted "$T/domain/ca.pem" \
		-cert "$T/$device.pem" -key "$T/$device.key" -extracerts "$T/$device.pem" -newkey "$T/$device-new.key" \
		-subject "/CN=Device/serialNumber=$device" -trusted "$T/domain/ca.pem" -certout "$T/$device.crt" "$@"
}

lab_port "PORTS[ca]"
configure "wait = 5" "retry_after = 2"
brskictl init > /dev/null
start_masa
brskictl manufacturer add vendor --anchors "$T/vendor/ca.pem" --masa-tls-ca "$T/vendor/ca.pem" --masa-url "https://127.0.0.1:${PORTS[masa]}" > /dev/null
for serial in S-1 S-2 S-3 S-4; do
	"$BUILD/brski-masa" --db "$T/masa.db" device add "$serial" --idevid "$T/$serial.pem" > /dev/null
	brskictl device add vendor "$serial" > /dev/null
done
start_ca

echo "# The program"
check "--check finds nothing wrong" "$BUILD/brski-registrar" --config "$T/registrar.conf" --check
sed "s|^ca_file.*|ca_file = $T/nowhere|" "$T/registrar.conf" > "$T/wrong.conf"
check "and names the setting that is wrong" eval '! "$BUILD/brski-registrar" --config "$T/wrong.conf" --check 2> "$T/words" && grep -q "ca_file.*nowhere" "$T/words"'
serve
check "it serves" kill -0 "${PID[registrar]}"

echo "# By hand"
request S-1 "$(openssl rand -base64 16)"
ask_voucher S-1
check "a voucher-request by openssl cms is answered with a voucher" gives 200
check "that the vendor has signed, for this domain" voucher_is_right S-1
tell S-1 voucher_status '{"version":1,"status":true,"reason":"fine"}'
check "voucher_status" gives 200
check "openssl cmp enrolls" enroll S-1
check "with a certificate of the domain" openssl verify -CAfile "$T/domain/ca.pem" "$T/S-1.crt"
tell S-1 enrollstatus '{"version":1,"status":true,"reason":"fine"}'
check "enrollstatus" gives 200
check "the history tells of it" grep -q onboarded <(brskictl history S-1)
check "the log names the device" grep -q 'POST /.well-known/brski/requestvoucher: 200, device S-1 of vendor' "$T/registrar.log"

echo "# EST by hand, RFC 7030"
est() { # IDEVID OPERATION FILE: the request is the DER of FILE
	base64 -w 0 "$3" > "$T/body"
	ask "$1" "/.well-known/est/$2" -H 'Content-Type: application/pkcs10' --data-binary "@$T/body"
}

# The answer's certificates, as PEM in FILE.
certs_only() { # FILE
	base64 -d < "$T/answer" | openssl pkcs7 -inform DER -print_certs -out "$1"
}

ask nobody /.well-known/est/cacerts
check "cacerts is for everybody" gives 200
check "and has the domain's CA" eval 'certs_only "$T/cacerts.pem" && openssl verify -CAfile "$T/cacerts.pem" "$T/registrar.pem"'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/est.key" -subj "/CN=Device/serialNumber=S-4" -outform DER \
	-out "$T/est.csr" 2> /dev/null
est S-4 simpleenroll "$T/est.csr"
check "without a voucher there is no certificate" gives 403
request S-4 "$(openssl rand -base64 16)"
ask_voucher S-4
check "a voucher" gives 200
est S-4 simpleenroll "$T/est.csr"
check "simpleenroll" gives 200
check "gives a certificate of the domain" eval 'certs_only "$T/est.crt" && openssl verify -CAfile "$T/domain/ca.pem" "$T/est.crt"'
check "for the device's key" cmp <(openssl x509 -in "$T/est.crt" -noout -pubkey) <(openssl pkey -in "$T/est.key" -pubout)
cp "$T/est.crt" "$T/est.first"
est S-4 simpleenroll "$T/est.csr"
check "the same request once more" gives 200
check "gives the same certificate" eval 'certs_only "$T/est.crt" && cmp "$T/est.crt" "$T/est.first"'
tell S-4 enrollstatus '{"version":1,"status":true,"reason":"fine"}'
check "enrollstatus" gives 200
est S-4 fullcmc "$T/est.csr"
check "fullcmc is not there, which is said" gives 501

echo "# Strangers"
request S-9 "$(openssl rand -base64 16)"
ask_voucher S-9
check "a device of nobody's is turned away" gives 403
ask_voucher nobody
check "and so is whoever shows no certificate" gives 403
check "which is said" grep -q 'IDevID' "$T/answer"

echo "# Later"
stop masa
request S-2 "$(openssl rand -base64 16)"
ask_voucher S-2
check "without the MASA, a device is told to come back" gives 202
check "and when" grep -qi '^retry-after: [0-9]' "$T/head"
start_masa
for _ in $(seq 20); do
	[ "$STATUS" = 202 ] || break
	sleep 0.5
	ask_voucher S-2
done
check "the same request gets its voucher later" gives 200
check "the right one" voucher_is_right S-2

echo "# The end"
stop masa
request S-3 "$(openssl rand -base64 16)"
mv "$T/registrar.log" "$T/old.log"
kill -HUP "${PID[registrar]}"
for _ in $(seq 100); do
	[ ! -e "$T/registrar.log" ] || break
	sleep 0.05
done
ask_voucher S-3
check "SIGHUP opens the log anew" grep -q S-3 "$T/registrar.log"
check "SIGTERM ends it with status 0" stop registrar
check "the pid file is gone" [ ! -e "$T/registrar.pid" ]
finish
