#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the patch of wpa_supplicant decides by itself: options, which credential is used when, staying away, and that other network
# blocks are as in Debian's build.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/mounts.sh
. "$(dirname "$0")/../lab/mounts.sh"

# Nothing went to the server: eapol_test itself would send the RADIUS packet.
sent_nothing() { # NAME
	! grep -q 'Sending RADIUS message' "$LAB/devices/$1/log"
}

# It must not get in, the reason must be told, and nothing must have been sent.
refuses_to_start() { # NAME REGEX
	join_until "$1" "EAP-BRSKI: failed: .*$2" && sent_nothing "$1"
}

bad_option() { # PHASE1 REGEX
	lab_bad=$((${lab_bad:-0} + 1))
	device_config "bad-$lab_bad" plain "$1"
	check "\"$1\" is refused, and nothing is sent" refuses_to_start "bad-$lab_bad" "$2"
}

lab_begin
lab_pki
BRSKI_OPTIONS="retry_after = 5"
lab_store
lab_masa --min-interval 0
lab_ca
lab_radius

good_device plain
bad_option "brski_sate=/tmp" 'no option brski_sate'
bad_option "brski_key=P-512" 'bad value for brski_key'
bad_option "brski_vendor=0:1" 'bad value for brski_vendor'
bad_option "brski_vendor=16777216:1" 'bad value for brski_vendor'
bad_option "brski_vendor=32473:1x" 'bad value for brski_vendor'
bad_option "brski_vendor=32473:4294967296" 'bad value for brski_vendor'
bad_option "brski_domain=a@b" 'bad value for brski_domain'
bad_option "brski_pkcs10=yes" 'bad value for brski_pkcs10'
bad_option "brski_clock" 'bad value for brski_clock'
bad_option "brski_backoff=3601" 'bad value for brski_backoff'
bad_option "brski_retry_onboarding=-1" 'bad value for brski_retry_onboarding'
bad_option "brski_masa_ca=$LAB/no-such-file" "manufacturer's trust anchors"
bad_option "brski_state=$LAB/conf-is-a-file/x" 'conf-is-a-file'

device_config no-key no-such-device
check "an IDevID that is not there is told, and nothing is sent" refuses_to_start no-key 'IDevID'

# ---- Another version of Debian's wpa ----

# What was fetched before an update is not taken for it. A stub of apt-cache knows of the update, and one of apt-get of no network.
mkdir -p "$LAB/bin" "$LAB/built/supplicant/source"
printf '#!/bin/sh\necho "  Candidate: 2:2.10-999"\n' > "$LAB/bin/apt-cache"
printf '#!/bin/sh\ntouch "%s/asked"\nexit 1\n' "$LAB" > "$LAB/bin/apt-get"
chmod 755 "$LAB"/bin/*
touch "$LAB/built/supplicant/source/wpa_2.10-1.dsc"
PATH=$LAB/bin:$PATH "$ROOT/supplicant_patch/build" --build "$LAB/built" --library "$BUILD/libeap_brski.a" > "$LAB/built.log" 2>&1 || true
check "an update of Debian's wpa is asked for" test -e "$LAB/asked"
check "and if it is not to be had, that is told" grep -q 'going on with wpa_2.10-1, which was fetched before' "$LAB/built.log"
PATH=$LAB/bin:$PATH "$ROOT/supplicant_patch/build" --build "$LAB/built" --version-to "$LAB/version"
stamp=$(stat -c %y "$LAB/version")
PATH=$LAB/bin:$PATH "$ROOT/supplicant_patch/build" --build "$LAB/built" --version-to "$LAB/version"
check "make is told which it is, once" eval '[ "$(cat "$LAB/version")" = 2.10-999 ] && [ "$(stat -c %y "$LAB/version")" = "$stamp" ]'

# ---- One onboarding at a time in one folder ----

good_device locked
mkdir -m 700 "$LAB/devices/locked/state"
while_locked() {
	flock "$LAB/devices/locked/state" "$@"
}
export -f refuses_to_start join join_until lab_in_ns said sent_nothing
export LAB BUILD RADIUS_PORT NS_SERVERS
check "a folder that another onboarding holds is left alone" while_locked bash -c "refuses_to_start locked 'under way'"
check "and used when it is free" join locked

# ---- The credential of the domain, as long as it is usable ----

good_device again
check "a device onboards" join again
check "then logs in" join again
check "with its LDevID" said again 'EAP-BRSKI: logged-in: '
state=$LAB/devices/again/state
cp -p "$state/ldevid-1.pem" "$LAB/good.pem"
openssl req -new -key "$state/ldevid-1.key" -subj "/O=Acme/CN=Acme Sensor/serialNumber=again" -out "$LAB/again.csr"
openssl x509 -req -in "$LAB/again.csr" -CA "$PKI/home-ca.pem" -CAkey "$PKI/home-ca.key" -set_serial 77 "${PKI_EXPIRED[@]}" \
	-out "$state/ldevid-1.pem" 2> /dev/null
check "with an expired LDevID it is onboarded anew" join again
check "and says why" said again 'has expired'
check "into a new generation" test -s "$state/ldevid-2.pem"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$state/ldevid-2.key" 2> /dev/null
chmod 600 "$state/ldevid-2.key"
check "with a key that does not fit it is onboarded anew" join again
check "and says that, too" said again 'unusable'
check "and logs in again after that" join again
check "with the newest LDevID" said again 'EAP-BRSKI: logged-in: '

# ---- Staying away ----

lab_stop masa
good_device patient
check "without a MASA a device does not get in" eval '! join patient'
check "it is told to come back in 5 seconds" said patient 'EAP-BRSKI: deferred: 5'
lab_masa --min-interval 0
check "too early, it does not even start" join_until patient 'EAP-BRSKI: deferred'
check "it knows how long to wait, from its folder" said patient 'EAP-BRSKI: deferred: [1-5]$'
check "and says nothing to the server but its presence" eval '! said patient "identity.*brski@"'
pause_of patient
check "in time, it gets in" join patient

# ---- A server that is busy ----

# Its one session is that of a device whose MASA does not answer.
lab_stop radius
BRSKI_OPTIONS="max_sessions = 1"
lab_radius
kill -STOP "${LAB_PID[masa]}"
good_device first
good_device second
JOIN_WRAPPER="stdbuf -oL" join first &
occupant=$!
for _ in $(seq 100); do
	said first 'ms of patience' && break
	sleep 0.1
done
mark=$(lab_mark radius)
check "a device that finds no session does not get in" eval '! join second'
check "it takes that for a server that is busy" said second 'EAP-BRSKI: put-off: the server is busy'
check "and not for a failure" eval "! said second 'EAP-BRSKI: failed'"
check "it comes back after a minute, give or take a half" said second 'the server is busy: the next attempt .* in (3[0-9]|[4-8][0-9]|90) s'
check "the operator reads why" logged 'must come back later: .*max_sessions' "$mark"
kill -CONT "${LAB_PID[masa]}"
check "the first device gets in" wait $occupant
lab_stop radius
lab_radius
check "and then the second" join second

# ---- The folder of devices that name none ----

lab_stop radius
BRSKI_OPTIONS=
lab_radius
own_mounts
cat > "$LAB/own-var-lib" <<- S
	#!/bin/sh
	exec unshare ${OWN_MOUNTS[*]} sh -c 'mount --bind "\$0" /var/lib && exec "\$@"' "$LAB/var-lib" "\$@"
S
chmod 755 "$LAB/own-var-lib"
mkdir -p "$LAB/var-lib/brski"
chown freerad "$LAB/var-lib/brski"
touch "$LAB/var-lib/brski/state"
good_device default
sed -i "s|brski_state=[^ ]* ||" "$LAB/devices/default/conf"
check "a device without brski_state onboards" eval 'JOIN_WRAPPER=$LAB/own-var-lib join default'
check "in a folder of devices" test -s "$LAB/var-lib/brski-device/ldevid-1.pem"
check "and not in a registrar's" [ ! -s "$LAB/var-lib/brski/state" ]
rm -r "$LAB/var-lib/brski"
mv "$LAB/var-lib/brski-device" "$LAB/var-lib/brski"
check "where an older version has left its state, it goes on" eval 'JOIN_WRAPPER=$LAB/own-var-lib join default'
check "with its LDevID" said default 'EAP-BRSKI: logged-in: '
check "and makes no other folder" [ ! -e "$LAB/var-lib/brski-device" ]

# ---- Other numbers, other names ----

lab_stop radius
BRSKI_OPTIONS="vendor_id = 9048
		    vendor_type = 77
		    identity_domain = \"devices.example.com\""
lab_radius
good_device numbers "brski_vendor=9048:77 brski_domain=devices.example.com"
check "with other numbers and another domain at both ends a device onboards" join numbers
check "the method had them" said numbers 'EAP vendor 9048 method 77 '
good_device stranger
check "a device with the default ones does not" eval '! join stranger'

# ---- Everybody else ----

tls_config() { # NAME KEY CERTIFICATE CA
	mkdir -p "$LAB/devices/$1"
	cat > "$LAB/devices/$1/conf" <<- C
		network={
		  ssid="x"
		  key_mgmt=IEEE8021X
		  eap=TLS
		  eapol_flags=0
		  identity="somebody"
		  private_key="$2"
		  client_cert="$3"
		  ca_cert="$4"
		  phase1="brski_nonsense=1"
		}
	C
}
state=$LAB/devices/numbers/state
tls_config ordinary "$state/ldevid-1.key" "$state/ldevid-1.pem" "$state/ldevid-1-ca.pem"
check "an ordinary EAP-TLS block works, whatever its phase1 says" join ordinary
check "and has nothing to do with EAP-BRSKI" eval '! said ordinary EAP-BRSKI:'

# ---- A login where no clock is right, at a server that wants TLS 1.3 ----

lab_stop radius
pki_issue home-ca home-radius "/O=Home Network/CN=radius.home.example" $'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth' "${PKI_EXPIRED[@]}"
TLS_MIN=1.3
lab_radius
good_device clockless "brski_vendor=9048:77 brski_domain=devices.example.com brski_clock=0"
check "a device without a clock onboards" join clockless
check "and logs in, by TLS 1.3, at a server whose dates it cannot judge" join clockless
check "with its LDevID" said clockless 'EAP-BRSKI: logged-in: '
sed -i 's/brski_clock=0/brski_clock=1/' "$LAB/devices/clockless/conf"
check "one with a clock sees that the server's certificate has expired" eval '! join clockless'
check "and says so" said clockless 'certificate has expired'
finish
