#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Vouchers without nonce, fetched ahead for a list of devices: used when the MASA cannot be reached, and only then; an expired one never.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

LIFETIME=60 # the shortest that the MASA gives

registrar=()

fetch() { # arguments of `brskictl voucher fetch`
	brskictl voucher fetch "${registrar[@]}" "$@" > "$LAB/fetch" 2>&1
}

fetched() { # SERIAL STATE
	brskictl voucher list acme | grep -Eq "^acme +$1 +$2"
}

# A device that its manufacturer has sold to this operator.
sold_device() { # SERIAL [more of phase1]
	good_device "$@"
	"$BUILD/brski-masa" --db "$LAB/masa/masa.db" device add "$1" --owner home > /dev/null
}

masa_with_lifetime() { # SECONDS
	lab_stop masa
	lab_masa --min-interval 0 --nonceless-lifetime "$1"
}

deferred() { # DESCRIPTION NAME
	if join "$2"; then not_ok "$1: it got in"; else check "$1" said "$2" 'EAP-BRSKI: deferred: [0-9]+'; fi
}

lab_begin
lab_pki
lab_store --masa-url "https://$MASA_URL"
lab_masa --min-interval 0 --nonceless-lifetime "$LIFETIME"
"$BUILD/brski-masa" --db "$LAB/masa/masa.db" owner add home --cert "$PKI/home-ca.pem" > /dev/null
lab_ca
BRSKI_OPTIONS="wait_total = 4"$'\n'"retry_after = 2"
lab_radius
registrar=(--certificate "$PKI/home-registrar.pem" --private-key "$PKI/home-registrar.key" --ca "$PKI/home-ca.pem")

echo "# Fetching"
sold_device short brski_nonceless=1
check "a voucher that will soon expire is fetched" fetch acme short
short_until=$((SECONDS + LIFETIME + 2))
masa_with_lifetime 86400
sold_device ahead brski_nonceless=1
sold_device strict
sold_device fresh brski_nonceless=1
good_device none brski_nonceless=1
printf '# sold on Monday\nahead\nstrict,on the second floor\n\nfresh\n' > "$LAB/serials"
check "vouchers are fetched for a list of serial numbers" fetch acme --file "$LAB/serials"
check "and are here" fetched ahead usable
check "each of them" fetched strict usable
if fetch acme none; then not_ok "the MASA refuses a device that was not sold to us"; else
	check "the MASA refuses a device that was not sold to us" grep -q 'refused: .*registered owner' "$LAB/fetch"
fi
check "and there is none for it" fetched none 'asked for'
mark=$(lab_mark radius)
check "where the MASA answers, the device gets a voucher of its own" join fresh
check "and not the one that was fetched" test -z "$(lab_since radius "$mark" | grep 'fetched ahead')"

echo "# Without the MASA"
lab_stop masa
mark=$(lab_mark radius)
check "a device whose voucher was fetched ahead gets in" join ahead
check "with an LDevID" has_ldevid ahead
check "and the operator's log says how" logged 'ahead.*fetched ahead is used' "$mark"
check "so does its history" grep -q 'fetched ahead is used' <(brskictl history ahead)
deferred "a device without one must wait" none
if join strict; then not_ok "a device that takes no voucher without nonce got in"; else
	check "a device that takes no voucher without nonce refuses it" said strict 'voucher has no nonce'
fi
check "and has no LDevID" test -z "$(has_ldevid strict && echo yes)"

echo "# Expired"
[ $SECONDS -ge $short_until ] || sleep $((short_until - SECONDS))
check "the list says that it has expired" fetched short expired
mark=$(lab_mark radius)
deferred "it is not used: the device must wait" short
check "and the operator's log says why" logged 'fetched ahead is not used: voucher has expired' "$mark"
check "the device has no LDevID" test -z "$(has_ldevid short && echo yes)"
mark=$(lab_mark radius)
masa_with_lifetime 86400
lab_wait_log radius 'short of acme: voucher: MASA .* gave a voucher' 20 "$mark" || true
pause_of short
check "when the MASA is back, it gets in with a voucher of its own" join short
check "a new one takes the expired one's place" fetch acme short
check "and is usable" fetched short usable
check "vouchers are removed by command" brskictl voucher remove acme short
check "and then gone" test -z "$(fetched short . && echo yes)"
finish
