#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The rogue services that other tests use do what they say: each fault is there, and without it all is well.
set -euo pipefail
# shellcheck source=tests/e2e/services_lib.sh
. "$(dirname "$0")/services_lib.sh"
begin
CA=$BUILD/brski-ca

"$CA" init "$T/ca" --subject "CN=Example CA,O=Example" > /dev/null
"$CA" init "$T/vendor" --subject "CN=Vendor CA,O=Vendor" > /dev/null
"$CA" issue-server "$T/vendor" --subject CN=localhost --san DNS:localhost --out "$T/tls" > /dev/null
"$CA" issue-masa "$T/vendor" --subject "CN=MASA,O=Vendor" --out "$T/masa" > /dev/null
"$CA" issue-idevid "$T/vendor" --serial-number S-1 --out "$T/idevid" > /dev/null
"$CA" issue-registrar "$T/ca" --subject CN=Registrar --out "$T/registrar" > /dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$T/new.key"

enroll() { # FAULT
	start ca "$BUILD/tests/rogue-ca" --fault "$1" --client-anchors "$T/vendor/ca.pem" --dir "$T/ca" --db "$T/$1.db" serve
	openssl cmp -config '' -server "127.0.0.1:$PORT" -path .well-known/cmp/initialization -cert "$T/idevid.pem" -key "$T/idevid.key" \
		-newkey "$T/new.key" -subject /CN=device/serialNumber=S-1 -trusted "$T/ca/ca.pem" -certout "$T/$1.crt" \
		-out_trusted "$T/ca/ca.pem" -cmd ir > "$T/cmp.out" 2>&1 || echo "status $?" >> "$T/cmp.out"
	stop ca
}

said() { # REGEX
	grep -Eiq "$1" "$T/cmp.out" || {
		cat "$T/cmp.out"
		return 1
	}
}

enroll delay=1
check "CA, delay: the right certificate" openssl verify -CAfile "$T/ca/ca.pem" "$T/delay=1.crt"
enroll other-key
check "CA, other-key" said 'public key in new certificate does not match'
enroll other-subject
check "CA, other-subject" grep -q 'Somebody Else' <(openssl x509 -in "$T/other-subject.crt" -noout -subject)
enroll bad-signature
check "CA, bad-signature" said 'protection|error validating'
enroll bad-certificate
check "CA, bad-certificate" said 'certificate signature failure|not accepted|verify'
enroll wrong-signer
check "CA, wrong-signer" said 'protection|error validating|no suitable sender'
enroll wrong-issuer
check "CA, wrong-issuer" said 'certificate signature failure|not accepted|verify|issuer'
enroll refuse
check "CA, refuse" said 'rejection.*notAuthorized'
enroll garbage
check "CA, garbage" said 'status [1-9]'
check "CA, an unknown fault" fails "$BUILD/tests/rogue-ca" --fault no-such --dir "$T/ca" serve

NONCE=$(openssl rand -base64 16)
"$BUILD/brski-masa" --db "$T/masa.db" device add S-1 > /dev/null
sed '1,/END CERTIFICATE/d' "$T/registrar.pem" > "$T/chain"
printf '{"ietf-voucher-request:voucher":{"nonce":"%s","serial-number":"S-1"}}' "$NONCE" |
	openssl cms -sign -binary -nodetach -econtent_type 1.2.840.113549.1.9.16.1.40 -outform DER -signer "$T/registrar.pem" \
		-inkey "$T/registrar.key" -certfile "$T/chain" -out "$T/request"

ask() { # FAULT
	start masa "$BUILD/tests/rogue-masa" --fault "$1" --db "$T/masa.db" --tls-key "$T/tls.key" --tls-cert "$T/tls.pem" \
		--sign-key "$T/masa.key" --sign-cert "$T/masa.pem" serve
	for what in voucher auditlog; do
		curl -sS --cacert "$T/vendor/ca.pem" -H 'Content-Type: application/voucher-cms+json' --data-binary "@$T/request" \
			-o "$T/$what" -w '%{http_code} %{time_total}' "https://localhost:$PORT/.well-known/brski/request$what" > "$T/$what.status"
	done
	openssl cms -verify -binary -inform DER -in "$T/voucher" -CAfile "$T/vendor/ca.pem" -purpose any > "$T/json" 2> /dev/null || echo none > "$T/json"
	stop masa
}

has() { # FILE REGEX
	grep -Eq "$2" "$T/$1" || {
		cat "$T/$1"
		return 1
	}
}

ask delay=1
check "MASA, delay: waits" has voucher.status '^200 [1-9]'
check "MASA, delay: the right voucher" has json "$(printf '%s' "$NONCE" | sed 's/[+]/[+]/g')"
ask other-serial
check "MASA, other-serial" has json '"another-device"'
ask other-nonce
check "MASA, other-nonce" fails grep -Fq "$NONCE" "$T/json"
check "MASA, other-nonce: signed rightly" has json '"nonce"'
ask expired
check "MASA, expired" has json '"expires-on"'
ask wrong-signer
check "MASA, wrong-signer" has json '^none'
check "MASA, wrong-signer: yet a signature" openssl cms -verify -noverify -binary -inform DER -in "$T/voucher" -out "$T/json"
ask pin-other
check "MASA, pin-other" fails grep -Fq "$(openssl x509 -in "$T/ca/ca.pem" -outform DER | base64 -w 0)" "$T/json"
check "MASA, pin-other: pins something" has json '"pinned-domain-cert"'
ask foreign-domain-audit
check "MASA, foreign-domain-audit" [ "$(grep -o domainID "$T/auditlog" | wc -l)" = 2 ]
ask refuse
check "MASA, refuse" has voucher.status '^403'
ask garbage
check "MASA, garbage" has voucher.status '^200'
check "MASA, garbage: no voucher" has json '^none'
finish
