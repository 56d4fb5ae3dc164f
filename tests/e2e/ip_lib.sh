# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the tests of brski-registrar share: a device whose every message is made by curl and openssl, and one that the driver plays. Sourced
# after lib.sh.

VOUCHER_TYPE=application/voucher-cms+json
# id-ct-animaJSONVoucher, RFC 8366 9.4
VOUCHER_OID=1.2.840.113549.1.9.16.1.40
BRSKI=/.well-known/brski
EST=/.well-known/est
export no_proxy='*' NO_PROXY='*'
# shellcheck disable=SC2034 # for lab_pki
REGISTRAR_HOST=localhost

# MASA, CA and brski-registrar of a site; no FreeRADIUS.
ip_begin() {
	lab_begin
	mkdir -p "$LAB/devices"
	lab_pki
	lab_store "$@"
	lab_masa --min-interval 0
	lab_ca
	lab_registrar
}

# Where the servers are.
there() { # COMMAND...
	lab_in_ns "$NS_SERVERS" "$@"
}

url() { # PATH
	echo "https://localhost:$REGISTRAR_PORT$1"
}

# One request; STATUS gets the status, $LAB/answer and $LAB/head the response. A device that is named shows its IDevID.
ask() { # SERIAL-or-"" PATH [curl options]
	local as=(--cert "$PKI/idevid-$1.pem" --key "$PKI/idevid-$1.key") path=$2
	[ -n "$1" ] || as=()
	shift 2
	: > "$LAB/answer"
	: > "$LAB/head"
	STATUS=$(there curl -q -sS --noproxy '*' --max-time 30 --cacert "$PKI/home-ca.pem" "${as[@]}" -o "$LAB/answer" -D "$LAB/head" -w '%{http_code}' "$@" \
		"$(url "$path")" 2> "$LAB/curl.log") || STATUS="curl: $? $(cat "$LAB/curl.log")"
}

gives() { # STATUS
	[ "$STATUS" = "$1" ] || {
		echo "#   $STATUS: $(head -c 300 "$LAB/answer")"
		return 1
	}
}

field() { # NAME REGEX: of the last answer's head
	grep -Eqi "^$1: $2"$'\r?$' "$LAB/head"
}

words() { # REGEX: of the last answer
	grep -Eqi "$1" "$LAB/answer"
}

# ---- RFC 8995 ----

der_base64() { # PEM file: its first certificate
	openssl x509 -in "$1" -outform DER | base64 -w 0
}

sign() { # SERIAL FILE < JSON
	openssl cms -sign -binary -nodetach -econtent_type "$VOUCHER_OID" -md sha256 -outform DER -signer "$PKI/idevid-$1.pem" \
		-inkey "$PKI/idevid-$1.key" -certfile "$PKI/acme-ca.pem" -nosmimecap -out "$2"
}

# The certificate that the registrar shows in the handshake.
proximity() { # FILE
	there openssl s_client -connect "localhost:$REGISTRAR_PORT" < /dev/null 2> /dev/null | openssl x509 -out "$1"
}

# In $LAB/request; the nonce is in $NONCE.
voucher_request() { # SERIAL [SERIAL-IN-IT]
	[ -s "$LAB/proximity.pem" ] || proximity "$LAB/proximity.pem"
	NONCE=$(openssl rand -base64 16)
	printf '{"ietf-voucher-request:voucher":{"created-on":"%s","assertion":"proximity","nonce":"%s","serial-number":"%s","proximity-registrar-cert":"%s"}}' \
		"$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$NONCE" "${2:-$1}" "$(der_base64 "$LAB/proximity.pem")" | sign "$1" "$LAB/request"
}

ask_voucher() { # SERIAL [curl options]: $LAB/request is sent, as type $TYPE
	local serial=$1
	shift
	ask "$serial" $BRSKI/requestvoucher -H "Content-Type: ${TYPE:-$VOUCHER_TYPE}" -H "Accept: ${ACCEPT:-$VOUCHER_TYPE}" \
		--data-binary "@$LAB/request" "$@"
}

# The leaf of the voucher in $LAB/answer, whose signature openssl verifies to the manufacturer's CA.
leaf() { # NAME
	openssl cms -verify -binary -inform DER -in "$LAB/answer" -CAfile "$PKI/acme-ca.pem" -purpose any 2> /dev/null |
		tr -d '\n' | sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p'
}

leaf_is() { # NAME VALUE
	[ "$(leaf "$1")" = "$2" ]
}

# Telemetry, RFC 8995 5.7 and 5.9.4.
tell() { # SERIAL voucher_status|enrollstatus true|false [REASON]
	ask "$1" "$BRSKI/$2" -H 'Content-Type: application/json' --data-binary \
		"{\"version\":1,\"status\":$3,\"reason\":\"${4:-as told}\",\"reason-context\":{\"from\":\"curl\"}}"
}

# A new device that has its voucher.
with_voucher() { # SERIAL
	lab_device "$1"
	voucher_request "$1"
	ask_voucher "$1"
	gives 200 && tell "$1" voucher_status true && gives 200
}

# ---- RFC 7030 ----

subject_of() { # SERIAL: its IDevID's, as openssl req takes it
	echo "/O=Acme/CN=Acme Sensor/serialNumber=$1"
}

# PKCS #10, base64 without armour (RFC 8951 3.1), in $LAB/csr, or in $CSR_TO.
certification_request() { # SERIAL [SUBJECT]
	mkdir -p "$LAB/devices/$1"
	[ -f "$LAB/devices/$1/new.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$LAB/devices/$1/new.key"
	openssl req -new -key "$LAB/devices/$1/new.key" -subj "${2:-$(subject_of "$1")}" -outform DER | base64 > "${CSR_TO:-$LAB/csr}"
}

enroll() { # SERIAL [OPERATION] [curl options]: $LAB/csr, or the file $CSR, is sent, as type $TYPE
	local serial=$1 operation=${2:-simpleenroll}
	shift $(($# > 1 ? 2 : 1))
	ask "$serial" "$EST/$operation" -H "Content-Type: ${TYPE:-application/pkcs10}" --data-binary "@${CSR:-$LAB/csr}" "$@"
}

certs_of_answer() { # FILE, which gets them in PEM
	base64 -d < "$LAB/answer" | openssl pkcs7 -inform DER -print_certs -out "$1"
}

# The last answer holds a certificate of the network for the device's new key, and no other.
enrolled() { # SERIAL
	local cert=$LAB/devices/$1/new.pem
	certs_of_answer "$cert" || return 1
	[ "$(grep -c 'BEGIN CERT' "$cert")" = 1 ] && good_certificate "$1" "$cert"
}

good_certificate() { # SERIAL PEM
	openssl verify -CAfile "$PKI/home-ca.pem" -purpose sslclient "$2" > /dev/null &&
		[ "$(openssl x509 -in "$2" -noout -pubkey)" = "$(openssl pkey -in "$LAB/devices/$1/new.key" -pubout)" ] &&
		openssl x509 -in "$2" -noout -subject -nameopt RFC2253 | grep -q "serialNumber=$1"
}

# ---- The books ----

# Certificates that the CA has made for a device, confirmed or not.
certificates_of() { # SERIAL
	sql "$LAB/ca/ca.db" "SELECT count(*) FROM certificates WHERE subject LIKE '%serialNumber=$1,%' OR subject LIKE '%serialNumber=$1'"
}

# Vouchers that the MASA has made for it: it gives the same one to the same request.
vouchers_made() { # SERIAL
	sql "$LAB/masa/masa.db" "SELECT count(*) FROM vouchers WHERE device = (SELECT id FROM devices WHERE serial = '$1')"
}

# One voucher at the MASA, one certificate at the CA.
one_of_each() { # SERIAL
	[ "$(vouchers_made "$1")" = 1 ] && [ "$(certificates_of "$1")" = 1 ] || {
		echo "#   $1: $(vouchers_made "$1") vouchers, $(certificates_of "$1") certificates"
		return 1
	}
}

history_has() { # SERIAL REGEX
	brskictl history -n 1000 -- "$1" | grep -Eq -- "$2"
}

# ---- The driver ----

# One device, whose IDevID is named so that the driver's state is where a supplicant's would be.
drive() { # NAME [options of https-pledge]
	local dir=$LAB/devices/$1
	shift
	there "$BUILD/tests/https-pledge" --server "127.0.0.1:$REGISTRAR_PORT" --idevid-dir "$dir/idevid" --state-dir "$dir" \
		--masa-ca "$PKI/acme-ca.pem" "$@" >> "$dir/log" 2>&1
}

# Gives the driver a device that is there already.
driven() { # SERIAL
	local dir=$LAB/devices/$1
	mkdir -p "$dir/idevid"
	cp "$PKI/idevid-$1.pem" "$dir/idevid/state.pem"
	cp "$PKI/idevid-$1.key" "$dir/idevid/state.key"
	: > "$dir/log"
}

# Makes a device that everybody knows, for the driver.
driven_device() { # SERIAL
	lab_device "$1"
	driven "$1"
}

# ---- A registrar with sanitizers ----

# They say what they find in its log; and a leak is told when it ends.
ip_sanitized() {
	# shellcheck disable=SC2034 # for lab_registrar
	REGISTRAR_PROGRAM=$BUILD/san/brski-registrar
	export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
}

# It ends in order when it is told to, and nothing was wrong with its memory.
ends_in_order() {
	local pid=${LAB_PID[registrar]} status=0
	kill "$pid"
	wait "$pid" || status=$?
	unset "LAB_PID[registrar]"
	[ $status = 0 ] && ! grep -Eq 'Sanitizer|runtime error' "$LAB/registrar.log" || {
		echo "#   exit status $status"
		grep -E -A 12 'Sanitizer|runtime error' "$LAB/registrar.log" | head -n 30 | sed 's/^/#   /'
		return 1
	}
}
