#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What an operator says wrongly is refused when he says it, with words that name it: the programs' options, and files that are copied
# into the registrar's database.
set -euo pipefail
# shellcheck source=tests/e2e/services_lib.sh
. "$(dirname "$0")/services_lib.sh"
begin
CA=$BUILD/brski-ca
export BRSKI_DATABASE=$T/r.db

refused() { # WORDS COMMAND...
	local words=$1 status=0
	shift
	"$@" > "$T/said" 2>&1 || status=$?
	if [ "$status" -ne 0 ] && [ "$status" -lt 128 ] && grep -Fq -- "$words" "$T/said"; then
		ok "${*##*/}: $words"
	else
		not_ok "${*##*/}: status $status, no '$words'"
		sed 's/^/#   /' "$T/said"
	fi
}

add() { # options
	"$BUILD/brskictl" manufacturer add acme --anchors "$T/vendor/ca.pem" "$@"
}

anchors() { # FILE
	"$BUILD/brskictl" manufacturer add acme --anchors "$1"
}

history() {
	"$BUILD/brskictl" history -n "$1"
}

courier() { # options
	"$BUILD/brski-courier" --certificate "$T/idevid.pem" --private-key "$T/idevid.key" "$@" "$T/none" "$T/none"
}

"$CA" init "$T/vendor" --subject "CN=Vendor CA,O=Vendor" > /dev/null
"$CA" issue-idevid "$T/vendor" --serial-number S-1 --masa-url masa.example:9443 --out "$T/idevid" > /dev/null
"$BUILD/brskictl" init > /dev/null

# --- files
printf 'Acme:\n-----BEGIN X509 CRL-----\ngarbage\n-----END X509 CRL-----\n' > "$T/garbage.crl"
refused "$T/garbage.crl: entry 1 (line 2): the CRL does not parse" add --crl "$T/garbage.crl"
head -c 1100000 /dev/zero | tr '\0' '\n' > "$T/large.crl"
refused "$T/large.crl has more than 1048576 octets" add --crl "$T/large.crl"
cat "$T/vendor/ca.pem" "$T/idevid.pem" > "$T/chain.pem"
refused "$T/chain.pem: entry 2 (line " anchors "$T/chain.pem"
refused "is no CA's" anchors "$T/chain.pem"
sed '3s/^..../!!!!/' "$T/vendor/ca.pem" > "$T/broken.pem"
refused "$T/broken.pem: entry 1 (line 1): the certificate does not parse" anchors "$T/broken.pem"

# --- addresses
for url in https://masa.example:99999 https://:9443 https://me:secret@masa.example 'https://masa.example/?a=b' 'https://masa.example/#a'; do
	refused "the MASA's URL must be https://HOST[:PORT][/PATH], not '$url'" add --masa-url "$url"
done
check "the scheme may be in capitals" add --masa-url HTTPS://masa.example
check "and is kept in small letters" sh -c "'$BUILD/brskictl' manufacturer list | grep -q https://masa.example"
refused "--cmp-url http://pki:99999/" courier --cmp-url http://pki:99999/
refused "port" "$CA" issue-idevid "$T/vendor" --serial-number S-2 --masa-url masa.example:99999 --out "$T/idevid2"
refused '"127.0.0.1:99999" is no number from 0 to 65535' timeout 20 "$CA" --client-anchors "$T/vendor/ca.pem" --listen 127.0.0.1:99999 serve "$T/vendor"

# --- numbers
for number in abc 20x '' ' 5' +5 0x10 1e3 99999999999999999999 -5; do
	refused "-n takes a number from 1 to 1000000" history "$number"
	refused "--timeout takes 1 to 3600 seconds" courier --timeout "$number"
done
refused "days is a number from " "$CA" issue-server "$T/vendor" --subject CN=x --days 10x --out "$T/x"
refused "max-connections is a number from " "$BUILD/brski-masa" --db "$T/m.db" --max-connections ten serve

# --- one anchor, two manufacturers
check "an anchor of nobody is taken" "$BUILD/brskictl" manufacturer add first --anchors "$T/vendor/ca.pem" --force
refused "manufacturer acme has the anchor CN=Vendor CA,O=Vendor already" "$BUILD/brskictl" manufacturer add second --anchors "$T/vendor/ca.pem"
refused "say --force" "$BUILD/brskictl" manufacturer add second --anchors "$T/vendor/ca.pem"
check "unless it is forced" "$BUILD/brskictl" manufacturer add second --anchors "$T/vendor/ca.pem" --force

finish
