#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Onboarding over RADIUS with wpa_supplicant's own EAP code (eapol_test), every key type; then plain EAP-TLS with what it brought.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# EAP round trips of an onboarding: what the device's EAP code counted, and the Identity.
# With the one of its identity, and without those of a server that was busy and said Wait.
round_trips() { # NAME
	local all waits
	all=$(sed -nE 's/.*onboarded in ([0-9]+) round trips.*/\1/p' "$LAB/devices/$1/log" | head -n 1)
	waits=$(grep -c 'EAP-BRSKI: the registrar asks for .* ms of patience' "$LAB/devices/$1/log" || true)
	echo $((all + 1 - waits))
}

logged_in_by_tls() { # MARK
	lab_wait_log radius 'Login OK.*EAP-TLS' 5 "$1"
}

ldevid_is_right() { # NAME
	local state=$LAB/devices/$1/state cert key
	cert=$(find "$state" -name 'ldevid-*.pem' ! -name '*-ca.pem' | sort | tail -n 1)
	key=$(find "$state" -name 'ldevid-*.key' | sort | tail -n 1)
	openssl verify -CAfile "$PKI/home-ca.pem" -untrusted "$cert" "$cert" > /dev/null &&
		[ "$(openssl x509 -in "$cert" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] &&
		[ "$(openssl x509 -in "$cert" -noout -subject)" = "$(openssl x509 -in "$PKI/idevid-$1.pem" -noout -subject)" ]
}

voucher_is_right() { # NAME
	openssl cms -verify -inform DER -in "$LAB/devices/$1/state/voucher.vcj" -CAfile "$PKI/acme-ca.pem" -purpose any \
		-out "$LAB/devices/$1/voucher.json" 2> /dev/null &&
		grep -q "\"serial-number\":\"$1\"" "$LAB/devices/$1/voucher.json" &&
		grep -q '"assertion":"proximity"' "$LAB/devices/$1/voucher.json"
}

private_files_are_private() { # NAME
	[ -z "$(find "$LAB/devices/$1/state" -name '*.key' -perm /077)" ]
}

lab_begin
lab_pki
lab_store
lab_masa
lab_ca
lab_radius

onboards() { # NAME DESCRIPTION
	local mark
	check "$2: onboards" join "$1"
	check "$2: openssl cms verifies its voucher, with assertion proximity" voucher_is_right "$1"
	check "$2: openssl verifies its LDevID, key and subject" ldevid_is_right "$1"
	check "$2: its key is for its owner only" private_files_are_private "$1"
	cp "$LAB/devices/$1/log" "$LAB/devices/$1/onboarding.log"
	mark=$(lab_mark radius)
	check "$2: logs in with the LDevID" join "$1"
	check "$2: and FreeRADIUS says that this was EAP-TLS" logged_in_by_tls "$mark"
}

for type in P-256 P-384 RSA-3072; do
	KEY_TYPE=$type
	export KEY_TYPE
	good_device "device-$type" "brski_key=$type"
	onboards "device-$type" "IDevID and LDevID with $type"
done
KEY_TYPE=P-256
cp "$LAB/devices/device-P-256/onboarding.log" "$LAB/devices/device-P-256/log"
trips=$(round_trips device-P-256)
check "P-256, chains of two, telemetry, certConf, Framed-MTU 1,400 (1,396 octets of EAP): $trips EAP round trips, 12 at most" [ "$trips" -gt 4 -a "$trips" -le 12 ]
good_device device-p10 "brski_pkcs10=1"
onboards device-p10 "PKCS#10 in place of CRMF"
good_device device-implicit "brski_implicit_confirm=1"
onboards device-implicit "implicit confirmation asked for"

good_device small-mtu
check "packets of 500 octets" join small-mtu -N 12:d:500
brskictl history device-P-256 > "$LAB/history"
check "brskictl history tells the story" grep -q 'enroll-status' "$LAB/history"
check "brskictl device list shows it as onboarded" grep -q 'device-P-256 *onboarded' <(brskictl device list acme)
finish
