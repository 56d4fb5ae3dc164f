#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The openssl program enrolls with the real brski-ca: an independent peer for CMP.
set -euo pipefail
# shellcheck source=tests/e2e/services_lib.sh
. "$(dirname "$0")/services_lib.sh"
begin
CA=$BUILD/brski-ca

"$CA" init "$T/ca" --subject "CN=Example CA,O=Example" --intermediate --cmp-signer > /dev/null
"$CA" init "$T/vendor" --subject "CN=Vendor CA,O=Vendor" > /dev/null
"$CA" init "$T/stranger" --subject "CN=Stranger CA,O=Nobody" > /dev/null
for type in P-256 P-384 RSA-3072; do
	"$CA" issue-idevid "$T/vendor" --serial-number "S-$type" --key-type "$type" --out "$T/idevid-$type" > /dev/null
done
"$CA" issue-idevid "$T/stranger" --serial-number S-9 --out "$T/idevid-stranger" > /dev/null
check "init does not write over a CA" fails "$CA" init "$T/ca" --subject "CN=Example CA"
check "keys are for their owner only" [ "$(stat -c %a "$T/ca/ca.key")" = 600 ]

serve() { # OPTIONS
	start ca "$CA" --client-anchors "$T/vendor/ca.pem" "$@" serve "$T/ca"
}

enroll() { # NAME SERIAL-TYPE OPTIONS...: IDevID, new key and certificate of the same type
	local name=$1 type=$2
	shift 2
	"$CA" issue-server "$T/vendor" --subject CN=x --key-type "$type" --out "$T/$name-new" > /dev/null # only for its key
	rm "$T/$name-new.pem"
	openssl cmp -config '' -server "127.0.0.1:$PORT" -path .well-known/cmp/initialization \
		-cert "$T/idevid-$type.pem" -key "$T/idevid-$type.key" -newkey "$T/$name-new.key" \
		-subject "/O=Example/CN=device/serialNumber=S-$type" -trusted "$T/ca/root.pem" \
		-certout "$T/$name.crt" -extracertsout "$T/$name-extra.pem" "$@"
}

# What came is a certificate for the new key, made by this CA, for a TLS client.
good() { # NAME
	openssl verify -CAfile "$T/ca/root.pem" -untrusted "$T/ca/ca.pem" -purpose sslclient "$T/$1.crt" || return 1
	openssl x509 -in "$T/$1.crt" -noout -pubkey > "$T/pub.cert"
	openssl pkey -in "$T/$1-new.key" -pubout | cmp - "$T/pub.cert"
}

enroll_with_mods() {
	enroll mods P-256 -cmd ir -days 3 -policy_oids 1.2.3.4 > "$T/mods.out" 2>&1
}

states() { # of all rows
	"$CA" list "$T/ca" | awk '{ print $3 }' | paste -sd ' '
}

serve
for type in P-256 P-384 RSA-3072; do
	check "openssl cmp -cmd ir, $type" enroll "ir-$type" "$type" -cmd ir
	check "its certificate is right" good "ir-$type"
done
check "openssl cmp -cmd cr" enroll cr P-256 -cmd cr
check "its certificate is right" good cr

openssl req -new -key "$T/ir-P-256-new.key" -subj "/O=Example/CN=device/serialNumber=S-P-256" -out "$T/csr.pem"
check "openssl cmp -cmd p10cr" enroll p10 P-256 -cmd p10cr -csr "$T/csr.pem"
cp "$T/ir-P-256-new.key" "$T/p10-new.key"
check "its certificate is right" good p10
check "each certificate was confirmed" [ "$(states)" = "confirmed confirmed confirmed confirmed confirmed" ]
check "openssl cmp -cmd genm gets an answer" openssl cmp -config '' -cmd genm -server "127.0.0.1:$PORT" -path /.well-known/cmp/getcacerts \
	-cert "$T/idevid-P-256.pem" -key "$T/idevid-P-256.key" -trusted "$T/ca/root.pem" -infotype caCerts -cacertsout "$T/genm.pem"
check "openssl cmp -cmd genm -infotype certReqTemplate: there are no requirements" openssl cmp -config '' -cmd genm \
	-server "127.0.0.1:$PORT" -path /.well-known/cmp/getcertreqtemplate \
	-cert "$T/idevid-P-256.pem" -key "$T/idevid-P-256.key" -trusted "$T/ca/root.pem" -infotype certReqTemplate
check "implicitConfirm that is not granted: confirmed explicitly" enroll asked P-256 -cmd ir -implicit_confirm
check "... and the certificate is right" good asked
check "dates and policies that are asked for are not granted, and that is said" \
	enroll_with_mods
check "... by status and words" grep -Eq 'granted with modifications.*not as asked for: .*Policies.*validity' "$T/mods.out"
check "a requested subjectAltName is dropped" enroll san P-256 -cmd ir -sans dns:device.example -unprotected_errors
check "... and the certificate is right" good san
check "... without it" fails grep -q device.example <(openssl x509 -in "$T/san.crt" -noout -text)

check "not confirmed on purpose" enroll unconfirmed P-256 -cmd ir -disable_confirm
check "... waits" grep -q waiting <("$CA" list "$T/ca")

enroll_refused() { # keeps what openssl says
	enroll refused P-256 -cmd ir "$@" > "$T/refused.out" 2>&1
}

refused() { # DESCRIPTION LOG-REGEX PEER-REGEX OPTIONS...
	local what=$1 logged=$2 told=$3
	shift 3
	check "$what: no certificate" fails enroll_refused "$@"
	check "$what: the log says why" grep -Eq "$logged" "$T/ca.log"
	check "$what: the peer is told" grep -Eq "$told" "$T/refused.out"
	rm -f "$T/refused-new.key"
}

refused "an unknown manufacturer" 'serialNumber=S-9.*: (untrusted|.*issuer)' 'signerNotTrusted|signer not trusted' -cert "$T/idevid-stranger.pem" -key "$T/idevid-stranger.key"
refused "the subject of another device" 'refused: .*serial number of another device' 'badCertTemplate' -subject /CN=device/serialNumber=S-other
refused "the subject of nobody in particular" 'refused: .*no registration authority' 'notAuthorized' -subject /CN=sensor.example
refused "a shared secret in place of a signature" 'refused: .*(signature|algorithm)' 'wrongIntegrity' -secret pass:secret -ref 4711 -cert "" -key ""
refused "a proof of possession that is no signature" 'ir refused: .*proof of possession is no signature' 'badPOP' -popo 2
refused "... and that in the answer to ir" 'ir refused: .*is no signature' 'received IP' -popo 2
refused "raVerified, by a device" 'ir refused: .*raVerified' 'notAuthorized' -popo 0
refused "no protection" 'ir refused: .*not protected' 'badMessageCheck' -unprotected_requests
refused "another path" '/elsewhere: 404' '404' -path elsewhere
check "nothing was issued for these" [ "$("$CA" list "$T/ca" | wc -l)" = 9 ]

crash ca
serve --implicit-confirm --copy-san --days 10 --ca-pubs
check "the list outlives the daemon's death" [ "$("$CA" list "$T/ca" | wc -l)" = 9 ]
check "implicit confirmation by option" enroll implicit P-256 -cmd ir -implicit_confirm -cacertsout "$T/pubs.pem"
check "... and the certificate is right" good implicit
check "... no certConf was sent" fails grep -q certConf "$T/ca.log"
check "caPubs by option" openssl verify -CAfile "$T/pubs.pem" "$T/ca/root.pem"
check "a requested subjectAltName is copied by option" enroll copied P-256 -cmd ir -sans dns:device.example
check "... it is there" grep -q device.example <(openssl x509 -in "$T/copied.crt" -noout -text)
check "SIGTERM ends it in order" stop ca

cat > "$T/conf" << C
# the same options from a file
client-anchors = $T/vendor/ca.pem
days = 5
implicit-confirm = yes
dir = $T/ca
C
start ca "$CA" --config "$T/conf" --days 6 serve
check "options from a file" enroll conf P-256 -cmd ir -implicit_confirm
check "... and the command line goes before it" openssl x509 -in "$T/conf.crt" -noout -checkend $((5 * 86400 + 3600))
check "... within the days" fails openssl x509 -in "$T/conf.crt" -noout -checkend $((6 * 86400 + 3600))
stop ca

# A registrar that asks itself for a device, as for those that come by EST.
"$CA" issue-registrar "$T/ca" --subject "CN=Registrar" --out "$T/registrar" > /dev/null
as() { # WHO: with the device's PKCS #10
	openssl cmp -config '' -server "127.0.0.1:$PORT" -path .well-known/cmp/pkcs10 -cmd p10cr -csr "$T/csr.pem" \
		-cert "$T/$1.pem" -key "$T/$1.key" -trusted "$T/ca/root.pem" -certout "$T/p10.crt" -extracertsout "$T/p10-extra.pem"
}
rows=$("$CA" list "$T/ca" | wc -l)
rm "$T/p10.crt"
start ca "$CA" --idevid-anchors "$T/vendor/ca.pem" serve "$T/ca"
check "openssl cmp -cmd p10cr as a registration authority, for another subject" as registrar
check "... and the certificate is right" good p10
check "... confirmed by the registration authority" grep -q 'confirmed.*CN=Registrar' <("$CA" list "$T/ca")
check "the same request from the device itself: no certificate" fails as idevid-P-256
check "... and the log says why" grep -q 'p10cr refused: .*registration authority only, and it is none' "$T/ca.log"
check "... one certificate was issued" [ "$("$CA" list "$T/ca" | wc -l)" = $((rows + 1)) ]
stop ca
echo "no-such-option = 1" > "$T/conf"
check "an unknown option in the file is an error" fails "$CA" --config "$T/conf" serve "$T/ca"
check "nobody to serve is an error" fails "$CA" serve "$T/ca"
check "--help says that it is a demonstration" grep -q demonstration <("$CA" --help)
finish
