#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The real brski-masa, asked by curl, with requests that the openssl program signed, and vouchers that it verifies.
set -euo pipefail
# shellcheck source=tests/e2e/services_lib.sh
. "$(dirname "$0")/services_lib.sh"
begin
CA=$BUILD/brski-ca
MASA="$BUILD/brski-masa --db $T/masa.db"
VOUCHER_TYPE=application/voucher-cms+json
OID=1.2.840.113549.1.9.16.1.40

"$CA" init "$T/vendor" --subject "CN=Vendor CA,O=Vendor" > /dev/null
"$CA" init "$T/domain" --subject "CN=Domain CA,O=Example" > /dev/null
"$CA" init "$T/foreign" --subject "CN=Foreign CA,O=Foreign" > /dev/null
"$CA" issue-server "$T/vendor" --subject CN=masa.example --san DNS:masa.example,IP:127.0.0.1 --out "$T/tls" > /dev/null
"$CA" issue-masa "$T/vendor" --subject "CN=MASA,O=Vendor" --out "$T/masa" > /dev/null
for serial in S-1 S-2 S-3 S-4; do
	"$CA" issue-idevid "$T/vendor" --serial-number "$serial" --masa-url masa.example --out "$T/$serial" > /dev/null
done
"$CA" issue-registrar "$T/domain" --subject "CN=Registrar,O=Example" --out "$T/registrar" > /dev/null
"$CA" issue-registrar "$T/foreign" --subject "CN=Registrar,O=Foreign" --out "$T/foreign-ra" > /dev/null
"$CA" issue-server "$T/domain" --subject "CN=printer,O=Example" --out "$T/printer" > /dev/null

# shellcheck disable=SC2086
masa() {
	$MASA "$@"
}

der_base64() { # PEM file: its first certificate
	openssl x509 -in "$1" -outform DER | base64 -w 0
}

sign() { # KEY-AND-CERTIFICATE OUT < JSON
	sed '1,/END CERTIFICATE/d' "$T/$1.pem" > "$T/chain"
	openssl cms -sign -binary -nodetach -econtent_type "$OID" -md sha256 -outform DER -signer "$T/$1.pem" -inkey "$T/$1.key" \
		-certfile "$T/chain" -nosmimecap -out "$T/$2"
}

now() {
	date -u +%Y-%m-%dT%H:%M:%SZ
}

# What a pledge writes, and what its registrar makes of it, in $T/request.
request() { # REGISTRAR SERIAL NONCE [PRIOR-NONCE]
	local akid prior
	printf '{"ietf-voucher-request:voucher":{"created-on":"%s","assertion":"proximity","nonce":"%s","serial-number":"%s","proximity-registrar-cert":"%s"}}' \
		"$(now)" "${4:-$3}" "$2" "$(der_base64 "$T/$1.pem")" | sign "$2" prior
	# the value of the AuthorityKeyIdentifier extension, RFC 8366 5.3
	akid=$(openssl x509 -in "$T/$2.pem" -noout -ext authorityKeyIdentifier | tail -n 1 | tr -d ' :')
	# shellcheck disable=SC2059
	akid=$(printf "$(sed 's/../\\x&/g' <<< "30168014$akid")" | base64)
	prior=$(base64 -w 0 "$T/prior")
	printf '{"ietf-voucher-request:voucher":{"created-on":"%s","nonce":"%s","serial-number":"%s","idevid-issuer":"%s","prior-signed-voucher-request":"%s"}}' \
		"$(now)" "$3" "$2" "$akid" "$prior" | sign "$1" request
}

nonceless() { # REGISTRAR SERIAL
	printf '{"ietf-voucher-request:voucher":{"created-on":"%s","serial-number":"%s"}}' "$(now)" "$2" | sign "$1" request
}

# Posts $T/request; STATUS gets the status, $T/answer and $T/head the response.
post() { # OPERATION [curl options]
	local operation=$1
	shift
	STATUS=$(curl -sS --max-time 20 --cacert "$T/vendor/ca.pem" --resolve "masa.example:$PORT:127.0.0.1" -o "$T/answer" -D "$T/head" \
		-w '%{http_code}' -H "Content-Type: $VOUCHER_TYPE" -H "Accept: ${ACCEPT:-$VOUCHER_TYPE}" --data-binary "@$T/request" "$@" \
		"https://masa.example:$PORT/.well-known/brski/$operation") || STATUS="curl: $?"
}

gives() { # STATUS
	if [ "$STATUS" != "$1" ]; then
		echo "$STATUS: $(head -c 300 "$T/answer")"
		return 1
	fi
}

json() { # NAME: the text of this name in the JSON on standard input
	tr -d '\n' | sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p'
}

# The leaf of the voucher; also says that openssl verified the signature to the vendor's CA.
leaf() { # NAME
	openssl cms -verify -binary -inform DER -in "$T/answer" -CAfile "$T/vendor/ca.pem" -purpose any 2> /dev/null |
		json "$1"
}

leaf_is() { # NAME VALUE
	[ "$(leaf "$1")" = "$2" ]
}

N1=$(openssl rand -base64 16)
N2=$(openssl rand -base64 16)
N3=$(openssl rand -base64 16)

serve() { # OPTIONS
	start masa "$BUILD/brski-masa" --db "$T/masa.db" --tls-key "$T/tls.key" --tls-cert "$T/tls.pem" --sign-key "$T/masa.key" \
		--sign-cert "$T/masa.pem" --idevid-anchors "$T/vendor/ca.pem" "$@" serve
}

serve
for serial in S-1 S-2; do check "device add $serial" masa device add "$serial" --idevid "$T/$serial.pem"; done
check "a certificate of another device is noticed" fails masa device add S-3 --idevid "$T/S-1.pem"

check "a serial number may look like an option" masa device add -- -5
check "and like the end of them" masa device add -- --
check "both are listed" eval 'masa device list | grep -q "^-5 " && masa device list | grep -q "^-- "'
check "and go" eval 'masa device remove -- -5 && masa device remove -- --'

request registrar S-1 "$N1"
post requestauditlog
check "no audit log before the first voucher" gives 404
post requestvoucher
check "a voucher" gives 200
check "its type" grep -qi "^content-type: $VOUCHER_TYPE" "$T/head"
check "openssl verifies it; the device is right" leaf_is serial-number S-1
check "the nonce is the pledge's" leaf_is nonce "$N1"
check "proximity was proved" leaf_is assertion proximity
check "the domain's CA is pinned" leaf_is pinned-domain-cert "$(der_base64 "$T/domain/ca.pem")"
cp "$T/answer" "$T/first"
post requestvoucher
check "the same request again" gives 200
check "gives the same voucher" cmp "$T/first" "$T/answer"
crash masa
serve
post requestvoucher
check "also after the MASA was killed" cmp "$T/first" "$T/answer"
request registrar S-1 "$N2"
post requestvoucher
check "a second voucher within a minute" gives 429
check "Retry-After says when" grep -Eqi '^retry-after: [0-9]+' "$T/head"
post requestauditlog
check "the audit log" gives 200
check "... has one voucher" [ "$(grep -o domainID "$T/answer" | wc -l)" = 1 ]
check "... that was given for proximity" [ "$(json assertion < "$T/answer")" = proximity ]
check "... with this nonce" [ "$(json nonce < "$T/answer")" = "$N1" ]
ski=$(openssl x509 -in "$T/domain/ca.pem" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :' | tr A-F a-f)
check "... to a domain with this key identifier" [ "$(json domainID < "$T/answer" | base64 -d | od -An -tx1 | tr -d ' \n')" = "$ski" ]
request foreign-ra S-1 "$N3"
post requestauditlog
check "... and is not for others" gives 404
post requestauditlog --cert "$T/registrar.pem" --key "$T/registrar.key"
check "... whoever the TLS client is: the signer counts" gives 404

request foreign-ra S-2 "$N1"
post requestvoucher --cert "$T/foreign-ra.pem" --key "$T/foreign-ra.key" --tls-max 1.2
check "another domain gets its own device, with a TLS client certificate, over TLS 1.2" gives 200
check "TLS 1.1 is too old" fails curl -sS --cacert "$T/vendor/ca.pem" --resolve "masa.example:$PORT:127.0.0.1" --tls-max 1.1 \
	"https://masa.example:$PORT/"

echo "# Refusals"
request registrar S-3 "$N1"
post requestvoucher
check "an unknown device" gives 404
check "... the reason is in plain text" grep -q 'no device with the serial number "S-3"' "$T/answer"
masa device add S-3 > /dev/null
masa device block S-3 > /dev/null
post requestvoucher
check "a blocked device" gives 403
masa device unblock S-3 > /dev/null
request registrar S-3 "$N1" "$N2"
post requestvoucher
check "another nonce than the pledge's" gives 403
request printer S-3 "$N1"
post requestvoucher
check "a signer that is no registrar" gives 403
check "... the log says why" grep -q 'refused: .*cmcRA' "$T/masa.log"
head -c 900 "$T/request" > "$T/short" && mv "$T/short" "$T/request"
post requestvoucher
check "a request that is cut" gives 400
request registrar S-3 "$N1"
post requestvoucher -H 'Content-Type: application/json'
check "another type" gives 415
ACCEPT=application/voucher-jws+json post requestvoucher
check "another type in Accept" gives 406
post requestvoucher -X PUT
check "another method" gives 405
post elsewhere
check "another path" gives 404
head -c 70000 /dev/zero > "$T/request"
post requestvoucher
check "70,000 octets" gives 413
nonceless registrar S-3
post requestvoucher
check "without nonce, and no owner is known" gives 403

echo "# Owners"
masa owner add example --cert "$T/domain/ca.pem" > /dev/null
check "an owner's other certificate is told" eval 'masa owner add example --cert "$T/S-1.pem" | grep -q "it had" && masa owner add example --cert "$T/domain/ca.pem" > /dev/null'
masa device add S-4 --owner example > /dev/null
masa device block S-4 > /dev/null
check "a device that is added again says whose it is" grep -q 'S-4 is in the list already: owner example; it is blocked' <(masa device add S-4)
check "... stays his, and stays blocked" grep -Eq '^S-4 +example +blocked' <(masa device list)
masa device unblock S-4 > /dev/null
masa device add S-4 --idevid "$T/S-4.pem" > /dev/null
check "... also when its certificate comes later" eval '[ "$(masa device list | grep -Ec "^S-4 +example +active +[0-9a-f]+")" = 1 ] && [ "$(masa device list | grep -c "^S-4")" = 1 ]'
check "... unless --no-owner" grep -q 'S-4 is in the list already: no owner (it had owner example)' <(masa device add S-4 --no-owner)
check "... and his again with --owner" grep -q 'owner example (it had no owner)' <(masa device add S-4 --owner example)
nonceless foreign-ra S-4
post requestvoucher
check "without nonce for another than the owner" gives 403
nonceless registrar S-4
post requestvoucher
check "without nonce for the owner" gives 200
check "... its ownership is verified" leaf_is assertion verified
check "... it expires" [ -n "$(leaf expires-on)" ]
stop masa
serve --require-proximity --min-interval 0
nonceless registrar S-3
request registrar S-3 "$N1"
post requestvoucher
check "proximity is demanded, and proved" gives 200
printf '{"ietf-voucher-request:voucher":{"nonce":"%s","serial-number":"S-3"}}' "$N2" | sign registrar request
post requestvoucher
check "proximity is demanded, and not proved" gives 403

echo "# Operation"
check "device list" grep -Eq '^S-4 +example +active' <(masa device list)
check "the log has what was refused" grep -Eq ' 404 .*S-3 ' <(masa log --most 1000)
check "the log of one device" fails grep -q S-3 <(masa log --serial S-1)
check "many idle connections do no harm" timeout 20 bash -c '
	for _ in $(seq 30); do exec {fd}<> /dev/tcp/127.0.0.1/'"$PORT"'; done
	curl -sS --max-time 10 --cacert '"$T"'/vendor/ca.pem -o /dev/null https://127.0.0.1:'"$PORT"'/'
mv "$T/masa.log" "$T/masa.log.1"
kill -HUP "${PID[masa]}"
for _ in $(seq 100); do [ ! -e "$T/masa.log" ] || break; sleep 0.1; done
post requestvoucher
check "SIGHUP opens the log anew" grep -q 'POST' "$T/masa.log"
check "SIGTERM ends it in order" stop masa
echo untouched > "$T/victim"
ln -s "$T/victim" "$T/pid"
serve --max-connections 4 --timeout 2 --pid-file "$T/pid"
check "a pid file is no way into another file" grep -qx untouched "$T/victim"
check "connections over the limit wait for their turn" timeout 30 bash -c '
	for _ in $(seq 12); do exec {fd}<> /dev/tcp/127.0.0.1/'"$PORT"'; done
	curl -sS --max-time 20 --cacert '"$T"'/vendor/ca.pem -o /dev/null https://127.0.0.1:'"$PORT"'/'
check "a command that makes a database says so" grep -q 'there was no database .*/none.db' <("$BUILD/brski-masa" --db "$T/none.db" device list 2>&1)
check "a second one does not start at the same address" fails timeout 10 "$BUILD/brski-masa" --db "$T/masa.db" --tls-key "$T/tls.key" \
	--tls-cert "$T/tls.pem" --sign-key "$T/masa.key" --sign-cert "$T/masa.pem" --listen "127.0.0.1:$PORT" --pid-file "$T/pid" serve
check "and leaves the first one its pid file" grep -qx "${PID[masa]}" "$T/pid"
stop masa
check "which goes with it" fails test -e "$T/pid"
finish
