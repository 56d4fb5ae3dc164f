#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The MASA is away: the device is told when to come back and goes, its request is forwarded in the background when the MASA is back, and its
# next visit, with the same voucher-request, gets the voucher at once.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

RETRY_AFTER=5

nonce_is() { # NAME NONCE: of its voucher
	openssl cms -verify -inform DER -in "$LAB/devices/$1/state/voucher.vcj" -CAfile "$PKI/acme-ca.pem" -purpose any \
		-out "$LAB/devices/$1/voucher.json" 2> /dev/null &&
		[ "$(sed -nE 's/.*"nonce":"([^"]*)".*/\1/p' "$LAB/devices/$1/voucher.json")" = "$2" ]
}

lab_begin
lab_pki
BRSKI_OPTIONS="retry_after = $RETRY_AFTER"$'\n'"retry_interval_min = 1"$'\n'"retry_interval_max = 2"
lab_store
lab_ca
lab_radius

echo "# The first visit: nobody answers at the MASA's address"
good_device waits
check "the device is not let in" not join waits
check "it is told to come back in $RETRY_AFTER s" said waits "EAP-BRSKI: deferred: $RETRY_AFTER\$"
check "the EAP conversation ends with a failure" said waits 'CTRL-EVENT-EAP-FAILURE'
check "the operator reads why" lab_wait_log radius 'MASA .*(refused|connect)' 5
check "brskictl queue shows its request" queued waits voucher
check "it keeps its voucher-request" test -n "$(kept waits voucher-request)"
request=$(kept waits voucher-request)
nonce=$(kept waits nonce)

echo "# A visit sooner than it was told"
mark=$(lab_mark radius)
check "the device itself stays away" join_until waits 'EAP-BRSKI: deferred: [1-6]$'
check "and sends nothing" not logged Login "$mark"

echo "# A visit when it may, and the MASA is still away"
pause_of waits
check "the device is not let in" not join waits
check "it is told to come back" said waits "EAP-BRSKI: deferred: [0-9]+\$"
check "its voucher-request is the same, octet for octet" test "$(kept waits voucher-request)" = "$request"
check "one request waits, not two" test "$(brskictl queue | grep -c '[[:space:]]waits[[:space:]]')" = 1

echo "# The MASA comes back, with no device there"
mark=$(lab_mark radius)
lab_masa
check "the request is forwarded in the background" lab_wait_log radius 'waits of acme: voucher: MASA .* gave a voucher' 10 "$mark"
check "and the audit log fetched" lab_wait_log radius 'waits of acme: audit-log: .* nothing against this device' 10 "$mark"
check "brskictl queue is empty" nothing_queued
check "the MASA has issued one voucher" test "$(vouchers_of waits)" = 1
check "no device was there" not logged 'Login' "$mark"

echo "# The next visit"
pause_of waits
check "the device is let in" join waits
check "with the voucher for the request that it had kept" nonce_is waits "$nonce"
check "which it got at once, without a Wait" not waited waits voucher-requested voucher-accepted
check "the MASA was asked no second time" test "$(vouchers_of waits)" = 1
check "the device has its certificate" has_ldevid waits

echo "# The registrar is killed while a request waits"
lab_stop masa
good_device survives
check "the device is told to come back" not join survives
lab_stop radius KILL 2> /dev/null
lab_radius
check "the request is in the queue still" queued survives voucher
mark=$(lab_mark radius)
lab_masa
check "and is forwarded by the new process" lab_wait_log radius 'survives of acme: audit-log: .* nothing against this device' 10 "$mark"
pause_of survives
check "the device is let in" join survives
check "with one voucher" test "$(vouchers_of survives)" = 1
finish
