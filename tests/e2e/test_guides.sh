#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The guides, typed word by word: every command behind "# " in the code blocks of administrator.md, offline.md and device-maker.md, in their
# order, in one shell; what it prints must be what the guide shows. What stands in for another machine: /etc, /usr, /var, /root and /run are
# this machine's with a layer above them that is thrown away, `make install` of what is built already stands for section 2, and systemctl for
# systemd. A block behind a line "<!-- not typed: why -->" is not.
#   tests/debian/suite bookworm tests/e2e/test_guides.sh --whole
# types section 2, too, and all of it on a system that has nothing else.
set -euo pipefail
ROOT=$(realpath "$(dirname "$0")/../..")
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
# shellcheck source=tests/lab/mounts.sh
. "$ROOT/tests/lab/mounts.sh"

# Section 2 as it stands, and what section 6 wants.
install_by_guide() {
	local line
	cd "$ROOT"
	while read -r line; do
		echo "# $line"
		eval "$line" > /root/install.log 2>&1 < /dev/null || { tail -n 20 /root/install.log && return 1; }
	done < <(awk '/^## / { on = /^## 2 / } on && /^    / { print substr($0, 5) }
		match($0, /`make deps && make && make install`/) && !all { all = substr($0, RSTART + 1, RLENGTH - 2) } END { print all }' docs/administrator.md)
}

if [ "${1:-}" = --whole ]; then
	install_by_guide
	export GUIDES_WHOLE=1
fi
if [ -z "${GUIDES_INSIDE:-}" ]; then
	T=$(mktemp -d "${TMPDIR:-/tmp}/brski-guides.XXXXXX")
	trap 'rmdir "$T"' EXIT
	own_mounts
	# what is started in there ends with it
	GUIDES_INSIDE=$T BUILD=$BUILD unshare "${OWN_MOUNTS[@]}" --net --pid --fork --kill-child --mount-proc "$0"
	exit
fi

# shellcheck source=tests/e2e/services_lib.sh
. "$ROOT/tests/e2e/services_lib.sh"
# shellcheck source=tests/lab/raddb.sh
. "$ROOT/tests/lab/raddb.sh"
T=$GUIDES_INSIDE
mount -t tmpfs guides "$T"
mount -t tmpfs guides /run
ip link set lo up

# ---- A machine on which nobody has done anything but to install FreeRADIUS ----

lay_above() {
	local folder
	for folder in etc usr var root; do
		mkdir -p "$T/$folder/above" "$T/$folder/work"
		mount -t overlay guides -o "lowerdir=/$folder,upperdir=$T/$folder/above,workdir=$T/$folder/work" "/$folder"
	done
}

# FreeRADIUS as Debian's package lays it, and nothing of ours.
without_us() {
	raddb_copy "$T/raddb"
	rm -rf /var/lib/brski* /var/lib/acme-ca /var/lib/masa /etc/freeradius /root/*
	mkdir /etc/freeradius
	cp -a "$T/raddb" /etc/freeradius/3.0
	(cd /etc/freeradius/3.0 && rm -rf mods-available/brski* sites-available/brski* mods-config/brski mods-config/sql/brski certs/brski)
	chown -R freerad:freerad /etc/freeradius
}

install -d -o freerad -g freerad /run/freeradius
lay_above
if [ -z "${GUIDES_WHOLE:-}" ]; then
	without_us
	check "section 2: make install" make -s -C "$ROOT" BUILD="$BUILD" install
fi
hash -r

# As the unit and what `make install` has laid beside it have it.
start_registrar() {
	local user
	user=$(sed -n 's/^User=//p' /usr/lib/systemd/system/brski-registrar.service /etc/systemd/system/brski-registrar.service.d/*.conf | tail -n 1)
	runuser -u "$user" -- brski-registrar 2> "$T/registrar.log" > /dev/null &
	for _ in $(seq 500); do
		! grep -q 'listening on' "$T/registrar.log" || return 0
		sleep 0.02
	done
	cat "$T/registrar.log"
	return 1
}

systemctl() { # restart freeradius
	case "$*" in
	"restart freeradius" | "start freeradius") ;;
	"enable --now brski-registrar") start_registrar && return ;;
	*) return 1 ;;
	esac
	[ ! -e /run/freeradius/freeradius.pid ] || kill "$(cat /run/freeradius/freeradius.pid)"
	freeradius
}

# ---- Typing ----

# A guide as lines: "COMMAND text", "MORE text" for what goes on, "PRINTS text", and "EDIT FILE" with "LINE text" for what an editor puts there.
read_guide() { # GUIDE
	awk '
		/^<!-- not typed/ { skip = 1; next }
		/^<!-- edit / { print "EDIT " $3; edit = 1; next }
		!/^    / && !here {
			if (NF && block)
				skip = edit = block = typed = 0
			next
		}
		{ block = 1; text = substr($0, 5) }
		skip { next }
		edit { print "LINE " text; next }
		here { print "MORE " text; here = text != "END"; next }
		more { print "MORE " text; more = text ~ /\\$/; next }
		sub(/^# /, "", text) { print "COMMAND " text; more = text ~ /\\$/; here = text ~ /<<.END.$/; typed = 1; next }
		typed { print "PRINTS " text }
	' "$1"
}

# ---- What is left to an editor: a block of the guide into a file below /etc/freeradius/3.0 ----

edit() { # FILE
	local file=/etc/freeradius/3.0/$1
	echo "# an editor: $1"
	case $1 in
	proxy.conf) cat "$T/edit" >> "$file" ;;
	sites-enabled/default)
		sed -n '/^authorize {/,/^}/p' "$T/edit" | awk '/eap {/ { exit } !/authorize|[.][.][.]/' > "$T/before"
		sed -n '/^authenticate {/,/^}/p' "$T/edit" | awk '$1 == "eap" { exit } !/authenticate|[.][.][.]/' > "$T/beside"
		[ -s "$T/before" ] && [ -s "$T/beside" ] || not_ok "the block for $1"
		awk -v before="$T/before" -v beside="$T/beside" '
			function put(file,    line) { while ((getline line < file) > 0) print line; close(file) }
			/^authorize \{/ { a = 1 } /^authenticate \{/ { b = 1 }
			a && /^\teap \{/ { put(before); a = 0 }
			b && /^\teap$/ { put(beside); b = 0 }
			{ print }' "$file" > "$T/new"
		cp "$T/new" "$file"
		;;
	mods-available/eap)
		sed '/^[.][.][.]/,$d' "$T/edit" > "$T/config"
		sed -n '/^tls {/,/^}/s/^ *\(tls = .*\)/\1/p' "$T/edit" > "$T/named"
		[ -s "$T/config" ] && [ -s "$T/named" ] || not_ok "the block for $1"
		awk -v config="$T/config" -v named="$(cat "$T/named")" '
			/^\ttls \{/ { while ((getline line < config) > 0) print line; in_tls = 1 }
			/^\t}/ { in_tls = 0 }
			in_tls && /^\t\ttls = / { $0 = "\t\t" named }
			{ print }' "$file" > "$T/new"
		cp "$T/new" "$file"
		;;
	*) not_ok "what is to be put into $1?" ;;
	esac
}

# What is another one each time, and openssl's own words about requests, which are other ones in each version.
mask() {
	sed -E '/^(Certificate request self-signature ok|subject=)/d; s/[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:]{8}Z?/DATE/g; s/\b[0-9a-f]{64}\b/FINGERPRINT/g; s/[ \t]+$//'
}

N=0
run_command() { # what was gathered in COMMAND and PRINTS
	local status=0 background=
	[ -n "${COMMAND:-}" ] || return 0
	N=$((N + 1))
	[[ $COMMAND != *\& ]] || background=1
	eval "$COMMAND" > "$T/printed.$N" 2>&1 < /dev/null || status=$?
	if [ -n "$background" ]; then
		for _ in $(seq 500); do
			! grep -q 'listening on' "$T/printed.$N" || break
			sleep 0.02
		done
		grep -q 'listening on' "$T/printed.$N" || status=1
		: > "$T/shown"
		PRINTS=
	else
		mask < "$T/printed.$N" > "$T/shown"
	fi
	if [ "$status" -eq 0 ] && [ "$(cat "$T/shown")" = "$(printf '%s' "${PRINTS:-}" | mask)" ]; then
		ok "$(head -n 1 <<< "$COMMAND")"
	else
		not_ok "status $status: $COMMAND"
		diff <(printf '%s' "${PRINTS:-}" | mask) "$T/shown" | sed 's/^/#   /' || true
	fi
	COMMAND=
	PRINTS=
}

# What was gathered so far is done before the next begins.
finish_typing() {
	[ -z "$EDIT" ] || edit "$EDIT"
	EDIT=
	run_command
}

type_guide() { # GUIDE
	local kind text
	echo "# $1"
	COMMAND=
	PRINTS=
	EDIT=
	while read -r kind; do
		text=${kind#* }
		case $kind in
		COMMAND*) finish_typing && COMMAND=$text ;;
		MORE*) COMMAND+=$'\n'$text ;;
		PRINTS*) PRINTS+=$text$'\n' ;;
		EDIT*) finish_typing && EDIT=$text && : > "$T/edit" ;;
		LINE*) printf '%s\n' "$text" >> "$T/edit" ;;
		esac
	done < <(read_guide "$ROOT/docs/$1")
	finish_typing
}

cd /root
type_guide administrator.md

# What it says without a command to type.
subject=$(openssl x509 -in /var/lib/acme-ca/idevid.pem -noout -subject -nameopt RFC2253)
pattern=$(brskictl type list --json | sed -n 's/.*"pattern":"\([^"]*\)".*/\1/p')
# shellcheck disable=SC2053 # a pattern it is
if [ -n "$pattern" ] && [[ ${subject#subject=} == $pattern ]]; then ok "the pattern fits its own device"; else not_ok "$pattern does not fit $subject"; fi
cd /etc/freeradius/3.0
sed 's/^eap {/eap eap-devices {/' mods-available/eap > mods-available/eap-devices
ln -s ../mods-available/eap-devices mods-enabled/eap-devices
awk '/^<!-- not typed: one way or the other/ { on = 1 } on && /^FreeRADIUS/ { exit } on && /^    / { print substr($0, 5) }' \
	"$ROOT/docs/administrator.md" > "$T/edit"
edit sites-enabled/default
check "the site chooses between two instances" grep -q "eap-devices" sites-enabled/default
check "a second instance for devices loads" freeradius -XC -l "$T/check.log"

cd /root
type_guide offline.md
type_guide device-maker.md
finish
