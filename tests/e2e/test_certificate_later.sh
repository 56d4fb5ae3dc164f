#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The PKI is away, or takes its time: delayed delivery of the certificate (RFC 9483 4.4 and 5.1.5) over several EAP conversations, with our own CA
# and with one that wants to be polled, the mock server of `openssl cmp`.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

RETRY_AFTER=3 # a device stays for two seconds
OPTIONS="retry_after = $RETRY_AFTER"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 2"$'\n'"wait_total = 2"

# The mock server listens on every address, so all of this has a network of its own.
NS_SERVERS=brski-later-$$
lab_at_end() {
	ip netns del "$NS_SERVERS" 2> /dev/null || true
}

state_of() { # NAME
	kept "$1" state
}

certificates_for() { # SERIAL: what the CA's own list says
	"$BUILD/brski-ca" --db "$LAB/ca/ca.db" list | grep -c "serialNumber=$1" || true
}

# Its current certificate is the domain's, and for the key that it had made when it asked.
is_right() { # NAME FINGERPRINT-OF-KEY
	local state=$LAB/devices/$1/state
	openssl verify -CAfile "$PKI/home-ca.pem" "$state/ldevid-1.pem" > /dev/null &&
		[ "$(openssl x509 -in "$state/ldevid-1.pem" -noout -pubkey)" = "$(openssl pkey -in "$state/ldevid-1.key" -pubout)" ] &&
		[ "$(key_of "$1")" = "$2" ]
}

key_of() { # NAME
	sha256sum < "$LAB/devices/$1/state/ldevid-1.key"
}

logs_in() { # NAME
	local mark
	mark=$(lab_mark radius)
	join "$1" && lab_wait_log radius 'Login OK.*EAP-TLS' 5 "$mark"
}

# From OpenSSL 3.5 on, the mock server wants to be polled for the pkiConf, too.
gets_in() { # NAME
	for _ in 1 2 3 4; do
		pause_of "$1"
		join "$1" && return
	done
	return 1
}

# openssl cmp as a PKI that gives out the certificate that it was started with. Its signer is no CA, but has id-kp-cmcCA.
mock_pki() { # CERTIFICATE [options]
	local mark cert=$1
	shift
	mark=$(lab_mark mock)
	lab_start mock "$NS_SERVERS" openssl cmp -port "$CA_PORT" -srv_cert "$PKI/home-cmp.pem" -srv_key "$PKI/home-cmp.key" \
		-srv_trusted "$PKI/acme-ca.pem" -rsp_cert "$cert" -check_after "$RETRY_AFTER" -verbosity 7 "$@"
	lab_wait_log mock 'ACCEPT' 10 "$mark" || lab_die "openssl cmp did not start: $(tail -n 3 "$LAB/mock.log")"
}

# The operator makes a certificate for a device by hand, for the key that the device has asked for.
issue_by_hand() { # NAME
	cp "$LAB/devices/$1/state/ldevid-1.key" "$PKI/ldevid-$1.key"
	pki_issue home-ca "ldevid-$1" "/O=Acme/CN=Acme Sensor/serialNumber=$1" $'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth'
}

lab_begin
ip netns add "$NS_SERVERS"
lab_in_ns "$NS_SERVERS" ip link set lo up
lab_pki
BRSKI_OPTIONS=$OPTIONS
lab_store
lab_masa
lab_port CA_PORT
lab_radius

echo "# The PKI is away when the device asks"
good_device waits
check "the device is not let in" not join waits
check "it has its voucher" said waits 'EAP-BRSKI: voucher-accepted'
check "but no certificate: the PKI's answer is awaited" test "$(state_of waits)" = poll
check "its pollReq was answered by a pollRep" test -z "$(kept waits cmp-poll)"
check "it is told to come back in $RETRY_AFTER s" said waits "EAP-BRSKI: deferred: $RETRY_AFTER\$"
check "the operator reads why" lab_wait_log radius 'PKI .*(refused|connect)' 5
check "brskictl queue shows its request" queued waits certificate
key=$(key_of waits)
request=$(kept waits cmp-request)

echo "# A visit when it may, and the PKI is still away"
pause_of waits
check "the device is not let in" not join waits
check "it asks for no second voucher" not said waits 'EAP-BRSKI: voucher-requested'
check "it is told to come back" said waits "EAP-BRSKI: deferred: [0-9]+\$"
check "request and transaction are the same" test "$(kept waits cmp-request)" = "$request"
check "one request waits, not two" test "$(brskictl queue | grep -c '[[:space:]]waits[[:space:]]')" = 1

echo "# The PKI comes back, with no device there"
mark=$(lab_mark radius)
lab_ca
check "the request is forwarded in the background" lab_wait_log radius 'waits of acme: certificate: PKI .* issued' 10 "$mark"
check "brskictl queue is empty" nothing_queued
check "no device was there" not logged 'Login' "$mark"

echo "# The next visit"
pause_of waits
check "the device is let in" join waits
check "at once, without a new request" not said waits 'EAP-BRSKI: cert-requested'
check "its certificate verifies, for the key that it had made first" is_right waits "$key"
check "the CA has issued one certificate" test "$(certificates_for waits)" = 1
check "it logs in with it" logs_in waits

echo "# The PKI goes away between certificate and confirmation"
CA_PROGRAM=$BUILD/tests/rogue-ca
lab_stop ca
lab_ca --fault no-confirm
good_device confirms
check "the device is not let in" not join confirms
check "it has a certificate, not confirmed" test "$(state_of confirms)" = confirm
check "it is told to come back" said confirms "EAP-BRSKI: deferred: [0-9]+\$"
lab_stop ca
CA_PROGRAM=
mark=$(lab_mark radius)
lab_ca
check "the confirmation is forwarded in the background" lab_wait_log radius 'confirms of acme: certificate: PKI .* confirmed' 10 "$mark"
pause_of confirms
check "the device is let in" join confirms
check "the CA has issued one certificate" test "$(certificates_for confirms)" = 1
check "it logs in with it" logs_in confirms
lab_stop ca

echo "# A PKI that wants to be polled by the device: openssl cmp, which knows no nested messages"
lab_stop radius
BRSKI_OPTIONS=$OPTIONS$'\n'"cmp_nested = no" CMP_URL=http://127.0.0.1:$CA_PORT/pkix/ lab_radius
good_device polls
check "it is away: the device is not let in" not join polls
check "and polls" test "$(state_of polls)" = poll
key=$(key_of polls)
issue_by_hand polls
mark=$(lab_mark radius)
mock_pki "$PKI/ldevid-polls.pem" -poll_count 2
check "the request is forwarded in the background, and the PKI says waiting" \
	lab_wait_log radius 'polls of acme: deferred: PKI .* wants to be asked again' 10 "$mark"
check "no device was there" not logged 'Login' "$mark"
pause_of polls
check "the next visit: the device polls the PKI, and is not let in" not join polls
check "it is told the PKI's own time to come back" said polls "EAP-BRSKI: deferred: $RETRY_AFTER\$"
check "the PKI took its pollReq" grep -q 'POLLREQ' "$LAB/mock.log"

echo "# The PKI falls silent, and answers when the device has gone"
pause_of polls
kill -STOP "${LAB_PID[mock]}"
check "the device is not let in" not join polls
check "it is told to come back" said polls "EAP-BRSKI: deferred: [0-9]+\$"
check "it keeps its pollReq, to which there was no pollRep" test -n "$(kept polls cmp-poll)"
mark=$(lab_mark radius)
kill -CONT "${LAB_PID[mock]}"
check "the answer to its pollReq comes, with no device there" \
	lab_wait_log radius 'polls of acme: certificate: PKI .* issued' 10 "$mark"
check "the next visit: the device is let in" gets_in polls
check "its certificate verifies, for the key that it had made first" is_right polls "$key"
check "it is the one that the PKI gave" cmp -s <(openssl x509 -in "$LAB/devices/polls/state/ldevid-1.pem") \
	<(openssl x509 -in "$PKI/ldevid-polls.pem")
check "it logs in with it" logs_in polls
check "it was confirmed" grep -q 'CERTCONF' "$LAB/mock.log"

# The mock server gives out one certificate, so the device asks first, while there is no PKI.
asks_before_mock_pki() { # NAME [options of openssl cmp]
	local name=$1
	shift
	lab_stop mock
	: > "$LAB/mock.log"
	check "the device asks, and no PKI is there" not join "$name"
	key=$(key_of "$name")
	issue_by_hand "$name"
	mark=$(lab_mark radius)
	mock_pki "$PKI/ldevid-$name.pem" "$@"
}

echo "# openssl cmp, plain: the certificate at once, and confirmed"
good_device plain
asks_before_mock_pki plain
check "the PKI issues in the background" lab_wait_log radius 'plain of acme: certificate: PKI .* issued' 10 "$mark"
pause_of plain
check "the device is let in" join plain
check "its certificate verifies, for its key" is_right plain "$key"
check "it has confirmed it" grep -q 'CERTCONF' "$LAB/mock.log"
check "... and was answered" said plain 'EAP-BRSKI: (confirmed|onboarded)'

echo "# openssl cmp, the certificate at once, and confirmed implicitly"
good_device at-once brski_implicit_confirm=1
asks_before_mock_pki at-once -grant_implicitconf
check "the PKI issues in the background" lab_wait_log radius 'at-once of acme: certificate: PKI .* issued' 10 "$mark"
pause_of at-once
check "the device is let in" join at-once
check "its certificate verifies, for its key" is_right at-once "$key"
check "nothing was left to confirm" not grep -q 'CERTCONF' "$LAB/mock.log"

echo "# openssl cmp, polled once, and confirmed implicitly"
good_device implicit brski_implicit_confirm=1
asks_before_mock_pki implicit -poll_count 1 -grant_implicitconf
check "the PKI says waiting" lab_wait_log radius 'implicit of acme: deferred: PKI .* wants to be asked again' 10 "$mark"
check "the device is let in" gets_in implicit
check "its certificate verifies, for its key" is_right implicit "$key"
check "the PKI was polled" grep -q 'POLLREQ' "$LAB/mock.log"
check "nothing was left to confirm" not grep -q 'CERTCONF' "$LAB/mock.log"
check "it logs in with it" logs_in implicit
finish
