#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# brski-registrar as a program: its configuration, the user that it becomes, signals, what waits at its end; brskictl beside it. What devices
# may ask it, the other tests of HTTPS do (test_ip_*.sh).
set -euo pipefail
# shellcheck source=tests/e2e/services_lib.sh
. "$(dirname "$0")/services_lib.sh"
ROOT=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/lab/mounts.sh
. "$ROOT/tests/lab/mounts.sh"
begin
CA=$BUILD/brski-ca
VOUCHER_TYPE=application/voucher-cms+json
OID=1.2.840.113549.1.9.16.1.40

"$CA" init "$T/vendor" --subject "CN=Vendor CA,O=Vendor" > /dev/null
"$CA" init "$T/domain" --subject "CN=Domain CA,O=Example" > /dev/null
"$CA" issue-server "$T/vendor" --subject CN=masa.example --san DNS:masa.example,IP:127.0.0.1 --out "$T/tls" > /dev/null
"$CA" issue-masa "$T/vendor" --subject "CN=MASA,O=Vendor" --out "$T/masa" > /dev/null
"$CA" issue-registrar "$T/domain" --subject "CN=Registrar,O=Example" --san IP:127.0.0.1 --out "$T/registrar" > /dev/null
for serial in S-1 S-2 S-3; do
	"$CA" issue-idevid "$T/vendor" --serial-number "$serial" --masa-url masa.example --out "$T/$serial" > /dev/null
done

# It finds the database by the server's configuration.
brskictl() {
	"$BUILD/brskictl" --config "$T/registrar.conf" "$@" 2> "$T/brskictl.words"
}

# Root's server becomes another user, whose the database is; and its log, and its pid file.
VAR=$T/var
mkdir "$VAR"
if [ "$(id -u)" = 0 ]; then
	RUN_AS="run_as = nobody"
	chmod 711 "$T"
	chown nobody "$VAR"
	chown nobody "$T/registrar.key"
fi
cp "$T/domain/ca.pem" "$T/domain-ca.pem" # whose folder is for its owner alone
LOG=$VAR/registrar.log

# The registrar's configuration: what every site has, and more lines.
configure() { # LINES...
	lab_port "PORTS[registrar]"
	printf '%s\n' "certificate_file = $T/registrar.pem" "private_key_file = $T/registrar.key" "ca_file = $T/domain-ca.pem" \
		"database = $VAR/registrar.db" "cmp_url = http://127.0.0.1:${PORTS[ca]}/.well-known/cmp" "retry_interval_min = 1" \
		"listen = 127.0.0.1:${PORTS[registrar]}" "log = $LOG" "pid_file = $VAR/registrar.pid" "${RUN_AS:-}" "$@" > "$T/registrar.conf"
}

serve() {
	PORT=${PORTS[registrar]}
	rm -f "$LOG"
	# shellcheck disable=SC2086 # a command and its arguments
	${WRAPPER:-} "$BUILD/brski-registrar" --config "$T/registrar.conf" &
	PID[registrar]=$!
	for _ in $(seq 500); do
		! grep -q "listening on https://127.0.0.1:$PORT" "$LOG" 2> /dev/null || return 0
		kill -0 "${PID[registrar]}" 2> /dev/null || break
		sleep 0.02
	done
	echo "brski-registrar did not start:" >&2
	cat "$LOG" >&2
	exit 1
}

start_masa() {
	start masa "$BUILD/brski-masa" --db "$T/masa.db" --tls-key "$T/tls.key" --tls-cert "$T/tls.pem" --sign-key "$T/masa.key" \
		--sign-cert "$T/masa.pem" --idevid-anchors "$T/vendor/ca.pem" --min-interval 0 serve
}

# A device's request; STATUS gets the status, $T/answer and $T/head the response. Provisional: the server is not verified.
ask() { # IDEVID PATH [curl options]
	local device=$1 path=$2
	shift 2
	[ "$device" = nobody ] || set -- --cert "$T/$device.pem" --key "$T/$device.key" "$@"
	STATUS=$(curl -sS -k --max-time 20 -o "$T/answer" -D "$T/head" -w '%{http_code}' "$@" "https://127.0.0.1:${PORTS[registrar]}$path") ||
		STATUS="curl: $?"
}

gives() { # STATUS
	if [ "$STATUS" != "$1" ]; then
		echo "$STATUS: $(head -c 300 "$T/answer")"
		return 1
	fi
}

der_base64() { # PEM file: its first certificate
	openssl x509 -in "$1" -outform DER | base64 -w 0
}

# RFC 8995 5.2: $T/request is the device's voucher-request.
request() { # IDEVID NONCE
	sed '1,/END CERTIFICATE/d' "$T/$1.pem" > "$T/chain"
	printf '{"ietf-voucher-request:voucher":{"created-on":"%s","assertion":"proximity","nonce":"%s","serial-number":"%s","proximity-registrar-cert":"%s"}}' \
		"$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" "$1" "$(der_base64 "$T/registrar.pem")" |
		openssl cms -sign -binary -nodetach -econtent_type "$OID" -md sha256 -outform DER -signer "$T/$1.pem" -inkey "$T/$1.key" \
			-certfile "$T/chain" -nosmimecap -out "$T/request"
}

ask_voucher() { # IDEVID
	ask "$1" /.well-known/brski/requestvoucher -H "Content-Type: $VOUCHER_TYPE" -H "Accept: $VOUCHER_TYPE" --data-binary "@$T/request"
}

# RFC 8995 5.6.1: the voucher is signed by the vendor, and for this device and this registrar's domain.
voucher_is_right() { # SERIAL
	openssl cms -verify -binary -inform DER -in "$T/answer" -CAfile "$T/vendor/ca.pem" -purpose any > "$T/voucher" 2> /dev/null || return 1
	grep -q "\"serial-number\": *\"$1\"" "$T/voucher" &&
		grep -qF "$(der_base64 "$T/domain/ca.pem")" <(tr -d '\\' < "$T/voucher")
}

lab_port "PORTS[ca]"
configure "wait = 20" "retry_after = 2" "retry_interval_max = 1"
brskictl init > /dev/null
start_masa
brskictl manufacturer add vendor --anchors "$T/vendor/ca.pem" --masa-tls-ca "$T/vendor/ca.pem" --masa-url "https://127.0.0.1:${PORTS[masa]}" > /dev/null
for serial in S-1 S-2 S-3; do
	"$BUILD/brski-masa" --db "$T/masa.db" device add "$serial" --idevid "$T/$serial.pem" > /dev/null
	brskictl device add vendor "$serial" > /dev/null
done

echo "# Looking at the configuration"
check "nothing is wrong with it" "$BUILD/brski-registrar" --config "$T/registrar.conf" --check
look_at() { # SETTING VALUE: what is said of it, in $T/words
	sed "/^$1 = /d; /^run_as = /d" "$T/registrar.conf" > "$T/wrong.conf"
	[ -z "$2" ] || echo "$1 = $2" >> "$T/wrong.conf"
	! "$BUILD/brski-registrar" --config "$T/wrong.conf" --check > /dev/null 2> "$T/words" && grep -Eq "$3" "$T/words"
}

check "a file that is not there is told with its setting" look_at ca_file "$T/nowhere" "ca_file.*$T/nowhere"
check "so is a setting that is missing" look_at cmp_url "" 'wrong.conf: cmp_url is missing'
check "a number that is none" look_at wait soon 'wrong.conf, line [0-9]+: wait is a number'
check "an address that is none" look_at listen nowhere 'listen: "nowhere" is not ADDRESS:PORT'
check "a proxy that is none" look_at proxies proxy.example 'proxies: '
check "a user who is none" look_at run_as nobody-of-this-name 'run_as: there is no user nobody-of-this-name'
check "a secret that is not there" look_at rules_server 127.0.0.1:18121 'rules_secret_file'

echo "# Serving"
serve
check "its process id is written down" [ "$(cat "$VAR/registrar.pid")" = "${PID[registrar]}" ]
if [ -n "${RUN_AS:-}" ]; then
	check "it is not root's any more" [ "$(stat -c %U "/proc/${PID[registrar]}")$(sed -n 's/^CapEff:\t//p' "/proc/${PID[registrar]}/status")" = nobody0000000000000000 ]
fi
request S-1 "$(openssl rand -base64 16)"
ask_voucher S-1
check "a device gets its voucher" gives 200
check "which is right" voucher_is_right S-1
check "the log names request, device and result" grep -q '127.0.0.1 POST /.well-known/brski/requestvoucher: 200, device S-1 of vendor' "$LOG"
check "brskictl sees it" grep -q 'S-1' <(brskictl history S-1)
check "... in the configuration's database" grep -q "$VAR/registrar.db" "$T/brskictl.words"
check "a second one does not start" eval '! "$BUILD/brski-registrar" --config "$T/registrar.conf" 2> "$T/words" && grep -q "listen: cannot listen at" "$T/words"'
check "and takes nothing from the first" [ "$(cat "$VAR/registrar.pid")" = "${PID[registrar]}" ]
mv "$LOG" "$VAR/old.log"
kill -HUP "${PID[registrar]}"
for _ in $(seq 500); do
	[ ! -e "$LOG" ] || break
	sleep 0.02
done
ask_voucher S-1
check "SIGHUP opens the log anew" grep -q 'device S-1 of vendor' "$LOG"

echo "# The MASA is away"
stop masa
request S-2 "$(openssl rand -base64 16)"
ask_voucher S-2
check "a device is told to come back" gives 202
check "and when" grep -qi '^retry-after: [0-9]' "$T/head"
start_masa
for _ in $(seq 40); do
	[ "$STATUS" = 202 ] || break
	sleep 0.25
	ask_voucher S-2
done
check "the same request gets its voucher later" gives 200
check "the right one" voucher_is_right S-2

echo "# The end, while a device waits"
kill -STOP "${PID[masa]}"
request S-3 "$(openssl rand -base64 16)"
ask_voucher S-3 &
asks=$!
for _ in $(seq 500); do
	! grep -q 'S-3.*voucher-request: kept' "$LOG" || break
	sleep 0.02
done
mark=$SECONDS
check "SIGTERM ends it with status 0" stop registrar
check "at once" [ $((SECONDS - mark)) -lt 5 ]
wait "$asks"
check "the device was told to come back" grep -q 'requestvoucher: 202, device S-3' "$LOG"
check "the pid file is gone" [ ! -e "$VAR/registrar.pid" ]
kill -CONT "${PID[masa]}"
serve
for _ in $(seq 40); do
	ask_voucher S-3
	[ "$STATUS" = 202 ] || break
	sleep 0.25
done
check "after the next start its request gets its voucher" gives 200
check "the right one again" voucher_is_right S-3
check "and the MASA has given one for each device" [ "$(grep 'voucher for device' <("$BUILD/brski-masa" --db "$T/masa.db" log) | grep -vc 'the same as before')" = 3 ]
stop registrar

echo "# A disk that keeps nothing"
mkdir -m 777 "$T/sync"
sed -i 's/^wait = .*/wait = 1/' "$T/registrar.conf"
WRAPPER="env LD_PRELOAD=$BUILD/tests/slow-sync.so SLOW_SYNC=$T/sync"
serve
touch "$T/sync/block"
request S-1 "$(openssl rand -base64 16)"
ask_voucher S-1
check "a device is told nothing that is not on the disk" gives 503
check "but to come back" grep -qi '^retry-after: [0-9]' "$T/head"
check "which the log tells" grep -q '503, busy: what it was to be told was not on the disk in time' "$LOG"
check "and the MASA was not asked" [ "$(grep -c 'voucher for device S-1' <("$BUILD/brski-masa" --db "$T/masa.db" log))" = 1 ]
ask nobody /.well-known/brski
check "what changes nothing is answered" gives 200
rm "$T/sync/block"
for _ in $(seq 40); do
	ask_voucher S-1
	[ "$STATUS" != 200 ] || break
	sleep 0.25
done
check "when the disk keeps again, the same request gets its voucher" gives 200
check "and it is right" voucher_is_right S-1
stop registrar

# A machine of its own, in mounts that nobody else sees; as root.
machine() { # FOLDER
	local folder
	mount -t tmpfs alone "$1"
	for folder in etc usr var; do
		mkdir -p "$1/$folder/above" "$1/$folder/work"
		mount -t overlay alone -o "lowerdir=/$folder,upperdir=$1/$folder/above,workdir=$1/$folder/work" "/$folder"
	done
	ip link set lo up
	sed -i '/^freerad:/d; /^brski:/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
	rm -rf /etc/freeradius /etc/brski /var/lib/brski /etc/systemd/system/brski-registrar.service.d
}

# What the administrator's guide tells for such a machine; the last lines are what curl gets.
alone() { # FOLDER
	make -s -C "$ROOT" BUILD="$BUILD" install-registrar-https
	hash -r
	cp "$T/registrar.pem" "$T/registrar.key" "$T/domain-ca.pem" /etc/brski/
	chown root:brski /etc/brski/*
	chmod 640 /etc/brski/registrar.key
	/usr/sbin/brskictl init
	/usr/sbin/brski-registrar --check
	runuser -u brski -- /usr/sbin/brski-registrar 2> "$1/log" &
	for _ in $(seq 500); do
		! grep -q 'listening on' "$1/log" || break
		sleep 0.02
	done
	[ "$(stat -c %U /var/lib/brski/registrar.db)" = brski ]
	[ ! -e /etc/systemd/system/brski-registrar.service.d ]
	for address in 127.0.0.1 '[::1]'; do curl -gsk -o /dev/null -w '%{http_code}\n' "https://$address:8443/.well-known/brski"; done
}

# What both servers must have the same is what FreeRADIUS has already; the last lines are what stands in registrar.conf.
beside() {
	useradd --system --user-group freerad
	mkdir -p /etc/freeradius/3.0/mods-enabled
	cat > /etc/freeradius/3.0/mods-enabled/brski <<- 'END'
		brski {
			certificate_file = ${certdir}/mine/r.pem # ours
		#	database = /srv/other.db
			database = "/srv/brski/a.db"
			cmp_url = "https://ca.example/.well-known/cmp/p/x"
		}
	END
	"$ROOT/services/registrar_https/install_site" ""
	[ "$(stat -c '%U:%G %a' /etc/brski /etc/brski/registrar.conf /var/lib/brski | tr '\n' ' ')" = "root:freerad 750 root:freerad 640 freerad:freerad 750 " ]
	grep -qx User=freerad /etc/systemd/system/brski-registrar.service.d/freeradius.conf
	sed -nE 's/^(certificate_file|private_key_file|database|cmp_url) = //p' /etc/brski/registrar.conf
	echo "cmp_url = mine" > /etc/brski/registrar.conf
	"$ROOT/services/registrar_https/install_site" ""
	cat /etc/brski/registrar.conf
}

on_machine() { # FUNCTION LAST-LINES, a blank behind each
	mkdir -p "$T/machine"
	own_mounts
	export ROOT BUILD T
	unshare "${OWN_MOUNTS[@]}" --net --pid --fork --kill-child --mount-proc bash -ec "$(declare -f machine "$1"); machine '$T/machine'; $1 '$T/machine'" \
		> "$T/machine.out" 2>&1 && [[ $(tr '\n' ' ' < "$T/machine.out") == *"$2" ]] ||
		{ tail -n 8 "$T/machine.out" && return 1; }
}

if [ "$(id -u)" = 0 ]; then
	echo "# Installed"
	check "without FreeRADIUS, configured by the example, it serves as its user" on_machine alone "200 200 "
	check "beside FreeRADIUS it has what that has, and what was edited stays" on_machine beside \
		"/etc/freeradius/3.0/certs/mine/r.pem /etc/freeradius/3.0/certs/brski/registrar.key /srv/brski/a.db https://ca.example/.well-known/cmp/p/x cmp_url = mine "
fi
finish
