#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# No network at all between the RADIUS server and MASA and PKI, which live in a network namespace of their own: requests go out in a
# file, and answers come back in one.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

OUTSIDE=brski-outside-$$

lab_at_end() {
	ip netns del "$OUTSIDE" 2> /dev/null || true
}

# The daemons of the outside world.
outside() { # COMMAND...
	NS_SERVERS=$OUTSIDE "$@"
}

registrar=()

export_to() { # FILE
	brskictl export "${registrar[@]}" "$1" > "$LAB/export" 2>&1
}

import_from() { # FILE [options]
	local file=$1
	shift
	brskictl import "${registrar[@]}" "$@" "$file" > "$LAB/import" 2>&1
}

# A server's configuration, where brskictl looks for the registrar's key and for couriers.
raddb() {
	mkdir -p "$LAB/raddb/mods-enabled" "$LAB/raddb/certs/brski"
	cp "$PKI/home-registrar.pem" "$LAB/raddb/certs/brski/registrar.pem"
	cp "$PKI/home-registrar.key" "$LAB/raddb/certs/brski/registrar.key"
	cp "$PKI/home-ca.pem" "$LAB/raddb/certs/brski/ca.pem"
	cp "$PKI/courier.pem" "$LAB/raddb/certs/brski/"
	cat > "$LAB/raddb/mods-enabled/brski" <<- C
		brski {
		  certificate_file = \${certdir}/brski/registrar.pem
		#  private_key_file = /no/such/file
		  private_key_file = "\${certdir}/brski/registrar.key"   # not encrypted
		  ca_file = '\${certdir}/brski/ca.pem'
		  database = $DB
		  cmp_url = "http://127.0.0.1:$CA_PORT/.well-known/cmp"
		}
	C
}

courier() { # REQUESTS ANSWERS [options]
	local requests=$1 answers=$2
	shift 2
	lab_in_ns "$OUTSIDE" "$BUILD/brski-courier" --certificate "$PKI/courier.pem" --private-key "$PKI/courier.key" \
		--registrar "$PKI/home-ca.pem" "$@" "$requests" "$answers" > "$LAB/courier" 2>&1
}

# One journey: out, there, and back.
trip() { # NAME
	export_to "$LAB/$1.requests" && courier "$LAB/$1.requests" "$LAB/$1.answers" && import_from "$LAB/$1.answers"
}

fails() { # COMMAND...
	! "$@"
}

flip() { # FROM TO OFFSET: one bit of that octet is another
	local octet
	cp "$1" "$2"
	octet=$(od -An -tu1 -j "$3" -N 1 "$1")
	printf "\\x$(printf %02x $((octet ^ 1)))" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}

waiting() { # NUMBER: of requests
	brskictl queue | grep -q "^$1 waiting" || { [ "$1" = 0 ] && brskictl queue | grep -q '^Nothing waits'; }
}

deferred() { # DESCRIPTION NAME
	if join "$2"; then not_ok "$1: it got in"; else check "$1" said "$2" 'EAP-BRSKI: deferred: [0-9]+'; fi
	pause_of "$2"
}

# What is in the store, but for ages.
contents() {
	brskictl history
	brskictl queue | sed -n 's/;.*//; /waiting\|kept/p'
	brskictl voucher list
}

unharmed() { # DESCRIPTION WORDS: the import that was just made changed nothing, and said why
	check "$1, and says why" grep -Eq -- "$2" "$LAB/import"
	check "and nothing has changed" test "$(contents)" = "$BEFORE"
}

lab_begin
ip netns add "$OUTSIDE"
lab_in_ns "$OUTSIDE" ip link set lo up
lab_pki
pki_operator foreign "Foreign Network"
pki_issue home-ca courier "/O=Home Network/CN=Courier" $'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature'
pki_issue home-ca stranger "/O=Home Network/CN=Stranger" $'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature'
head -n "$(grep -n -m1 'END CERT' "$PKI/courier.pem" | cut -d: -f1)" "$PKI/courier.pem" > "$PKI/courier.leaf"
mv "$PKI/courier.leaf" "$PKI/courier.pem"
lab_store
lab_port CA_PORT
# No call that is tried again in the background changes the history between two looks at it.
BRSKI_OPTIONS="wait_total = 1"$'\n'"retry_after = 2"$'\n'"retry_interval_min = 300"
lab_radius
outside lab_masa
outside lab_ca
raddb
registrar=(--config "$LAB/raddb/mods-enabled/brski")

echo "# The voucher"
good_device carried
deferred "with no way to the MASA, the device must wait" carried
check "its request waits" waiting 1
check "and is exported" export_to "$LAB/requests"
check "as one request" grep -q '1 requests for vouchers, 0 for certificates' "$LAB/export"
check "anybody can read the file" grep -q '"key":"[0-9a-f]\{64\}","kind":"voucher"' \
	<(openssl cms -verify -noverify -inform DER -in "$LAB/requests" 2> /dev/null)

size=$(stat -c %s "$LAB/requests")
flip "$LAB/requests" "$LAB/flipped" $((size / 2))
check "the courier does not take a file with one bit turned" fails courier "$LAB/flipped" "$LAB/nothing"
head -c $((size - 1)) "$LAB/requests" > "$LAB/cut"
check "nor one that is cut short" fails courier "$LAB/cut" "$LAB/nothing"
check "nor one of another registrar" fails courier "$LAB/requests" "$LAB/nothing" --registrar "$PKI/foreign-ca.pem"
check "and writes nothing" test ! -e "$LAB/nothing"
check "it takes the requests to the MASA" courier "$LAB/requests" "$LAB/answers"
check "where both calls were made" grep -q 'audit log of device carried' "$LAB/masa.log"

echo "# Files that are not taken"
size=$(stat -c %s "$LAB/answers")
BEFORE=$(contents)
flip "$LAB/answers" "$LAB/flipped" $((size / 2))
check "answers with one bit turned change nothing" fails import_from "$LAB/flipped"
unharmed "the import refuses them" 'nothing changed: .*(signature|parse)'
head -c $((size / 2)) "$LAB/answers" > "$LAB/cut"
check "answers that are cut short change nothing" fails import_from "$LAB/cut"
unharmed "the import refuses them" 'nothing changed: .*parse'
check "without the couriers' certificates nothing changes" fails import_from "$LAB/answers" --courier "$PKI/no-such-file"
unharmed "the import refuses them" "couriers' certificates"
courier "$LAB/requests" "$LAB/strange" --certificate "$PKI/stranger.pem" --private-key "$PKI/stranger.key"
check "nor do those of another courier" fails import_from "$LAB/strange"
unharmed "the import refuses them" 'signed by no courier that is known'
check "nor does a file of requests" fails import_from "$LAB/requests"
unharmed "the import refuses it" 'no file of answers'
check "answers for another registrar change nothing" fails import_from "$LAB/answers" \
	--certificate "$PKI/foreign-registrar.pem" --private-key "$PKI/foreign-registrar.key" --ca "$PKI/foreign-ca.pem" \
	--courier "$PKI/courier.pem"
unharmed "the import refuses them" 'another registrar'
"$BUILD/brskictl" -d "$LAB/other.db" init > /dev/null
import_elsewhere() {
	DB=$LAB/other.db import_from "$LAB/answers"
}
check "answers to requests that nobody knows change nothing" fails import_elsewhere
unharmed "the import tells each" 'voucher: NOT TAKEN, nothing changed: there is no request'
deferred "the device still waits" carried

echo "# Answers"
check "the answers are taken" import_from "$LAB/answers"
check "each is told" grep -q 'carried of acme: voucher: answered' "$LAB/import"
check "nothing waits any more" waiting 0
check "the same answers again change nothing, which is no failure" import_from "$LAB/answers"
check "and says so" grep -q 'nothing changed: it has been answered before' "$LAB/import"
deferred "the device gets its voucher, and must wait for its certificate" carried
check "it took the voucher" said carried 'EAP-BRSKI: voucher-accepted'
check "certificate: out, there, and back" trip certificate
check "with an answer" grep -q 'carried of acme: certificate: answered' "$LAB/import"
deferred "the device gets its certificate, and must wait for the PKI's confirmation" carried
check "it took the certificate" said carried 'EAP-BRSKI: cert-received'
check "confirmation: out, there, and back" trip confirmation
check "the device is in" join carried
check "with an LDevID" has_ldevid carried
check "and the CA issued one certificate" test "$("$BUILD/brski-ca" --db "$LAB/ca/ca.db" list | grep -c carried)" = 1

echo "# One trip less, where the PKI spares the confirmation"
outside lab_stop ca
outside lab_ca --implicit-confirm
good_device spared brski_implicit_confirm=1
deferred "voucher" spared
check "the first trip" trip spared-1
deferred "certificate" spared
check "the second trip" trip spared-2
check "the device is in" join spared
check "with an LDevID" has_ldevid spared

echo "# What MASA and PKI say no to, and what they cannot be asked"
pki_idevid acme unsold
brskictl device add acme unsold > /dev/null
device_config unsold unsold
deferred "a device that the MASA does not know" unsold
check "is taken there" trip unsold
check "and refused" grep -q 'unsold of acme: voucher: refused: .*refused' "$LAB/import"
if join unsold; then not_ok "it got in"; else check "as the device is told" said unsold '403|404'; fi
lab_stop masa
good_device away
deferred "the MASA is down out there, too" away
export_to "$LAB/away.requests"
check "the courier says that not all is answered" fails courier "$LAB/away.requests" "$LAB/away.answers"
check "and why" grep -q 'away of acme: voucher: no answer: .*requestvoucher' "$LAB/courier"
BEFORE=$(contents)
check "its answers change nothing" fails import_from "$LAB/away.answers"
unharmed "the import says so" 'away of acme: voucher: no answer yet, nothing changed: .*requestvoucher'
MASA_TLS=foreign-radius outside lab_masa
check "nor is a server asked whose certificate does not verify" fails courier "$LAB/away.requests" "$LAB/away.answers"
check "and the courier says so" grep -q 'away of acme: voucher: no answer: .*certificate' "$LAB/courier"
lab_stop masa

echo "# Vouchers ahead"
lab_stop radius
brskictl manufacturer set acme --masa-url "https://$MASA_URL" > /dev/null
outside lab_masa --min-interval 0
"$BUILD/brski-masa" --db "$LAB/masa/masa.db" owner add home --cert "$PKI/home-ca.pem" > /dev/null
good_device early brski_nonceless=1
"$BUILD/brski-masa" --db "$LAB/masa/masa.db" device add early --owner home > /dev/null
ask_for() { # SERIAL
	brskictl voucher fetch "${registrar[@]}" --offline acme "$1" > "$LAB/fetch"
}
check "are asked for" ask_for early
check "and carried like others" trip early
check "and are here" grep -Eq '^acme +early +usable' <(brskictl voucher list)
check "the same again changes nothing" import_from "$LAB/early.answers"
check "and says so" grep -q 'early of acme: nonceless-voucher: nothing changed: it has been answered before' "$LAB/import"
lab_radius
deferred "the device gets it at once, and waits for its certificate alone" early
check "it took the voucher" said early 'EAP-BRSKI: voucher-accepted'
finish
