#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs of others at brski-registrar: openssl cmp, and strongSwan's pki for EST; while MASA and PKI answer at once, late, and when they are
# asked again. What these programs want of a registrar is in docs/interoperability.md.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/ip_lib.sh
. "$(dirname "$0")/ip_lib.sh"

# The mock server of `openssl cmp` listens at every address, so all of this has a network of its own.
NS_SERVERS=brski-ip-clients-$$
lab_at_end() {
	ip netns del "$NS_SERVERS" 2> /dev/null || true
}
OPTIONS="retry_after = 1"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 1"$'\n'"wait = 1"

# ---- The programs ----

cmp_client() { # SERIAL ir|p10cr [options]
	local serial=$1 dir=$LAB/devices/$1 how
	CSR_TO=$dir/csr certification_request "$serial" # others run meanwhile
	base64 -d < "$dir/csr" | openssl req -inform DER -out "$dir/csr.pem"
	how=(-cmd ir -path .well-known/cmp/initialization -subject "$(subject_of "$serial")" -newkey "$dir/new.key")
	[ "$2" = ir ] || how=(-cmd p10cr -path .well-known/cmp/pkcs10 -csr "$dir/csr.pem")
	shift 2
	there timeout 60 openssl cmp -config '' -server "https://localhost:$REGISTRAR_PORT" -tls_used -tls_cert "$PKI/idevid-$serial.pem" \
		-tls_key "$PKI/idevid-$serial.key" -tls_trusted "$PKI/home-ca.pem" -cert "$PKI/idevid-$serial.pem" -key "$PKI/idevid-$serial.key" \
		-trusted "$PKI/home-ca.pem" -certout "$dir/new.pem" -total_timeout 50 "${how[@]}" "$@" > "$dir/cmp.log" 2>&1
}

# An IDevID is a certificate to be renewed for this program: it asks at simplereenroll, over TLS 1.2.
est_client() { # SERIAL [options]
	local serial=$1 dir=$LAB/devices/$1
	shift
	CSR_TO=$dir/csr certification_request "$serial"
	base64 -d < "$dir/csr" > "$dir/csr.der"
	there timeout 60 pki --est --url "https://localhost:$REGISTRAR_PORT" --cacert "$PKI/home-ca.pem" --in "$dir/csr.der" \
		--cert "$PKI/idevid-$serial.pem" --key "$PKI/idevid-$serial.key" --interval 1 --maxpolltime 40 --outform pem "$@" \
		> "$dir/new.pem" 2> "$dir/pki.log"
}

got_certificate() { # SERIAL
	good_certificate "$1" "$LAB/devices/$1/new.pem"
}

# ---- PKIs ----

mock_pki() { # CERTIFICATE [options]
	local mark cert=$1
	shift
	mark=$(lab_mark mock)
	lab_start mock "$NS_SERVERS" openssl cmp -port "$CA_PORT" -srv_cert "$PKI/home-cmp.pem" -srv_key "$PKI/home-cmp.key" \
		-srv_trusted "$LAB/both-cas.pem" -rsp_cert "$cert" -check_after 1 -verbosity 7 "$@"
	lab_wait_log mock 'ACCEPT' 10 "$mark" || lab_die "openssl cmp did not start: $(tail -n 3 "$LAB/mock.log")"
}

# The operator makes a certificate for a device by hand, for the key that it asks for.
issue_by_hand() { # SERIAL
	certification_request "$1"
	cp "$LAB/devices/$1/new.key" "$PKI/ldevid-$1.key"
	pki_issue home-ca "ldevid-$1" "$(subject_of "$1")" $'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth'
}

ip netns add "$NS_SERVERS"
lab_in_ns "$NS_SERVERS" ip link set lo up
REGISTRAR_OPTIONS=$OPTIONS
ip_begin

echo "# openssl cmp"
for how in ir p10cr; do
	with_voucher "cmp-$how"
	check "$how" cmp_client "cmp-$how" "$how"
	check "... and the certificate is right" got_certificate "cmp-$how"
	tell "cmp-$how" enrollstatus true
	check "... and the device is onboarded" gives 200
	check "... with one voucher and one certificate" one_of_each "cmp-$how"
done
lab_device cmp-none
check "not without a voucher" not cmp_client cmp-none ir
check "... which the device is told" grep -Eqi 'voucher|not ?authorized' "$LAB/devices/cmp-none/cmp.log"

echo "# strongSwan's pki"
estca() { # FILE
	there pki --estca --url "https://localhost:$REGISTRAR_PORT" --cacert "$PKI/home-ca.pem" --caout "$1" --outform pem --force \
		> "$LAB/estca.log" 2>&1
}
check "pki --estca" estca "$LAB/estca.pem"
check "... gets the network's CA" cmp -s <(openssl x509 -in "$LAB/estca.pem") <(openssl x509 -in "$PKI/home-ca.pem")
with_voucher est-1
check "pki --est" est_client est-1
check "... and the certificate is right" got_certificate est-1
tell est-1 enrollstatus true
check "... and the device is onboarded" gives 200
check "... with one voucher and one certificate" one_of_each est-1
lab_device est-none
mkdir -p "$LAB/devices/est-none"
check "not without a voucher" not est_client est-none
lab_stop registrar
REGISTRAR_OPTIONS=$OPTIONS$'\n'"est_without_voucher = yes"
lab_registrar
check "... unless the operator wants it" est_client est-none
check "... and the certificate is right" got_certificate est-none
check "... which the history tells loudly" history_has est-none 'WITHOUT a voucher'
tell est-none enrollstatus true
check "... and the device is onboarded" gives 200
check "... with one certificate, and no voucher" eval '[ "$(certificates_of est-none)$(vouchers_made est-none)" = 10 ]'
pki_idevid acme est-stranger
mkdir -p "$LAB/devices/est-stranger"
check "not a device that the inventory lacks" not est_client est-stranger
REGISTRAR_OPTIONS=$OPTIONS
lab_stop registrar
lab_registrar

echo "# The MASA is away"
lab_stop masa
lab_device later
voucher_request later
ask_voucher later
check "the device is told to come back" gives 202
check "... when" field retry-after '[0-9]+'
check "brskictl queue shows its request" queued later voucher
lab_stop registrar KILL 2> /dev/null
lab_registrar
check "... also when brski-registrar was killed" queued later voucher
ask_voucher later
check "... which says the same" gives 202
MASA_PROGRAM=$BUILD/tests/rogue-masa lab_masa --min-interval 0 --fault delay=2
env_csr() { # the request that is kept is sent again
	CSR=$LAB/csr-later "$@"
}

came_back() { # STATUS COMMAND...: until another answer than 202 comes
	local until=$((SECONDS + 30))
	while [ $SECONDS -lt $until ]; do
		"${@:2}"
		[ "$STATUS" = 202 ] || break
		sleep 0.5
	done
	gives "$1"
}
check "it comes, is told to wait for a slow MASA, and gets its voucher at last" came_back 200 ask_voucher later
check "... for the request that it made first" leaf_is nonce "$NONCE"
check "... which the MASA gave once" [ "$(vouchers_of later)" = 1 ]
tell later voucher_status true
lab_stop masa
lab_masa --min-interval 0

echo "# The PKI is away"
for name in slow-cmp slow-p10 slow-est; do with_voucher $name; done
lab_stop ca
# The answer that comes at last has the recipNonce of the first request, since it is signed by the PKI (RFC 9483 5.1.5). OpenSSL 3.0 wants
# the last pollReq's.
POLLERS=(slow-cmp:ir slow-p10:p10cr)
[[ $(openssl version) != "OpenSSL 3.0."* ]] || POLLERS=()
certification_request later
cp "$LAB/csr" "$LAB/csr-later"
CSR=$LAB/csr-later enroll later
check "EST: the device is told to come back" gives 202
check "... when" field retry-after '[0-9]+'
est_client slow-est &
clients=($!)
waiting=(slow-est)
for poller in "${POLLERS[@]}"; do
	cmp_client "${poller%:*}" "${poller#*:}" &
	clients+=($!)
	waiting+=("${poller%:*}")
done
is_queued() { # SERIAL
	for _ in $(seq 100); do
		! queued "$1" certificate || return 0
		sleep 0.1
	done
	return 1
}
for name in "${waiting[@]}"; do check "$name waits" is_queued "$name"; done
CA_PROGRAM=$BUILD/tests/rogue-ca lab_ca --fault delay=2
check "it comes back slow: EST, asked again and again, gives a certificate" came_back 200 env_csr enroll later
check "... which is right" enrolled later
for i in "${!waiting[@]}"; do
	check "${waiting[i]} comes back" wait "${clients[i]}"
	check "... and gets the right certificate" got_certificate "${waiting[i]}"
done
for name in later "${waiting[@]}"; do check "$name: one voucher, one certificate" one_of_each "$name"; done
lab_stop ca

echo "# A PKI that wants to be polled: openssl cmp"
cat "$PKI/home-ca.pem" "$PKI/acme-ca.pem" > "$LAB/both-cas.pem"
lab_stop registrar
# shellcheck disable=SC2034 # for lab_registrar
REGISTRAR_OPTIONS="${OPTIONS/wait = 1/wait = 5}"$'\n'"cmp_nested = no" CMP_URL=http://127.0.0.1:$CA_PORT/pkix/
lab_registrar
polls() { # SERIAL: what the PKI gives is for it
	lab_stop mock
	: > "$LAB/mock.log"
	with_voucher "$1"
	issue_by_hand "$1"
	cp "$LAB/csr" "$LAB/csr-later"
	mock_pki "$PKI/ldevid-$1.pem" -poll_count 2
}
was_polled() { # SERIAL: it has the one certificate that the PKI gave, which was polled for it, and confirmed
	grep -q 'POLLREQ' "$LAB/mock.log" && grep -q 'CERTCONF' "$LAB/mock.log" &&
		cmp -s <(openssl x509 -in "$LAB/devices/$1/new.pem") <(openssl x509 -in "$PKI/ldevid-$1.pem")
}
polls polls-est
check "EST: the registrar polls, and the device gets its certificate" came_back 200 env_csr enroll polls-est
check "... which is right" enrolled polls-est
check "... and was polled for, and confirmed" was_polled polls-est
for how in ir p10cr; do
	polls "polls-$how"
	check "openssl cmp, $how, polling" cmp_client "polls-$how" $how
	check "... gets the certificate" was_polled "polls-$how"
done
finish
