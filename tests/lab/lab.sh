# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A site on one machine: MASA, PKI and FreeRADIUS with rlm_brski, for the end-to-end tests and the demonstration. Sourced by them.
#
#   BUILD      the build folder (default: build)
#   LAB        everything that a lab makes goes there; lab_begin makes it, and it is kept if KEEP=1 or the test failed
#
# Daemons run on loopback, or in the network namespace $NS_SERVERS if that is set. Every process is ended by its own id.

# shellcheck source=tests/lab/pki.sh
. "$(dirname "${BASH_SOURCE[0]}")/pki.sh"
# shellcheck source=tests/lab/ports.sh
. "$(dirname "${BASH_SOURCE[0]}")/ports.sh"

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
NS_SERVERS=${NS_SERVERS:-}
declare -A LAB_PID=()

lab_die() {
	echo "$0: $*" >&2
	exit 1
}

# ---- Beginning and end ----

lab_begin() { # [FOLDER]
	[ "$(id -u)" = 0 ] || lab_die "must be run as root: it starts FreeRADIUS and makes network namespaces"
	LAB=${1:-$(mktemp -d "${TMPDIR:-/tmp}/brski-lab.XXXXXX")}
	PKI=$LAB/pki
	DB=$LAB/registrar.db
	mkdir -p "$PKI" "$LAB"/{radius,masa,ca}
	chmod 755 "$LAB"
	trap lab_end EXIT
	trap 'exit 130' INT TERM
}

lab_end() {
	local status=$?
	trap - EXIT
	for name in "${!LAB_PID[@]}"; do lab_stop "$name"; done
	declare -F lab_at_end > /dev/null && lab_at_end
	if [ "${KEEP:-0}" = 1 ] || { [ $status -ne 0 ] && [ "${KEEP:-}" != 0 ]; }; then
		[ "${QUIET:-0}" = 1 ] || echo "# kept: $LAB" >&2
	else
		rm -rf "$LAB"
	fi
	exit "$status"
}

# ---- Processes ----

# Not "ip netns exec", which wants to mount /sys anew and cannot in a chroot.
lab_in_ns() { # NAMESPACE-or-"" COMMAND...
	local ns=$1
	shift
	if [ -n "$ns" ]; then nsenter --net="/run/netns/$ns" "$@"; else "$@"; fi
}

# Starts a daemon in the background; its output goes to $LAB/NAME.log.
lab_start() { # NAME NAMESPACE COMMAND...
	local name=$1 ns=$2
	shift 2
	if [ -n "$ns" ]; then set -- nsenter --net="/run/netns/$ns" "$@"; fi
	"$@" >> "$LAB/$name.log" 2>&1 < /dev/null &
	LAB_PID[$name]=$!
}

lab_stop() { # NAME [SIGNAL]
	local pid=${LAB_PID[$1]:-}
	[ -n "$pid" ] || return 0
	kill "-${2:-TERM}" "$pid" 2> /dev/null || true
	for _ in $(seq 500); do
		kill -0 "$pid" 2> /dev/null || break
		sleep 0.02
	done
	kill -KILL "$pid" 2> /dev/null || true
	wait "$pid" 2> /dev/null || true
	unset "LAB_PID[$1]"
}

lab_runs() { # NAME
	kill -0 "${LAB_PID[$1]:-0}" 2> /dev/null
}

# Waits until a line that matches has come to a log after octet OFFSET.
lab_wait_log() { # NAME REGEX [SECONDS] [OFFSET]
	local tries=$((${3:-10} * 20))
	while [ $tries -gt 0 ]; do
		tail -c "+$((${4:-0} + 1))" "$LAB/$1.log" 2> /dev/null | grep -Eq -- "$2" && return 0
		lab_runs "$1" || [ -z "${LAB_PID[$1]+x}" ] || return 1
		sleep 0.05
		tries=$((tries - 1))
	done
	return 1
}

# The size of a log now: what a test looks at begins there.
lab_mark() { # NAME
	stat -c %s "$LAB/$1.log" 2> /dev/null || echo 0
}

lab_since() { # NAME OFFSET
	tail -c "+$(($2 + 1))" "$LAB/$1.log"
}

# ---- The store ----

brskictl() {
	"$BUILD/brskictl" -d "$DB" "$@"
}

# ---- The PKI of one manufacturer, "acme", and one operator, "home" ----

lab_pki() {
	MASA_HOST=${MASA_HOST:-localhost}
	[ -n "${MASA_PORT:-}" ] || lab_port MASA_PORT
	MASA_URL=$MASA_HOST:$MASA_PORT
	pki_manufacturer acme Acme
	pki_operator home "Home Network"
}

lab_store() { # options of `brskictl manufacturer add acme`; not twice
	brskictl init > /dev/null
	brskictl manufacturer add acme --anchors "$PKI/acme-ca.pem" --masa-tls-ca "$PKI/acme-ca.pem" "$@" > /dev/null
}

# A device: its IDevID, known to the MASA and to the operator.
lab_device() { # SERIAL
	[ -f "$PKI/idevid-$1.pem" ] || pki_idevid acme "$1"
	lab_masa_device "$1"
	brskictl device add acme "$1" > /dev/null
}

# ---- FreeRADIUS with rlm_brski and its own rlm_eap ----

lab_radius_config() {
	local raddb=$LAB/radius
	[ -n "${RADIUS_PORT:-}" ] || lab_port RADIUS_PORT
	mkdir -p "$raddb/run" "$raddb/log"
	: > "$raddb/dictionary"
	cat > "$raddb/radiusd.conf" <<- C
		prefix = /usr
		raddbdir = $raddb
		run_dir = $raddb/run
		logdir = $raddb/log
		db_dir = $raddb
		libdir = "$BUILD:/usr/lib/freeradius"
		pidfile = $raddb/run/radiusd.pid
		max_requests = ${RADIUS_MAX_REQUESTS:-16384}
		log {
		  destination = stdout
		  auth = ${RADIUS_LOG_AUTH:-yes}
		  msg_goodpass = "by EAP-%{%{EAP-Type}:-BRSKI}"
		}
		security {
		  reject_delay = ${RADIUS_REJECT_DELAY:-0}
		}
		thread pool {
		  ${RADIUS_THREADS:-start_servers = 4
		  max_servers = 8
		  min_spare_servers = 2
		  max_spare_servers = 4}
		}
		client switch {
		  ipaddr = ${RADIUS_CLIENT:-127.0.0.1}
		  secret = testing123
		  ${RADIUS_CLIENT_OPTIONS:-}
		}
		modules {
		  brski {
		    certificate_file = $PKI/home-registrar.pem
		    private_key_file = $PKI/home-registrar.key
		    ca_file = $PKI/home-ca.pem
		    database = $DB
		    cmp_url = "${CMP_URL:-http://127.0.0.1:$CA_PORT/.well-known/cmp}"
		    ${BRSKI_OPTIONS:-}
		  }
		  eap {
		    default_eap_type = tls
		    ignore_unknown_eap_types = yes
		    max_sessions = 4096
		    tls-config site {
		      private_key_file = $PKI/home-radius.key
		      certificate_file = $PKI/home-radius.pem
		      ca_file = $PKI/home-ca.pem
		      tls_min_version = "${TLS_MIN:-1.2}"
		      tls_max_version = "1.3"
		      # any curve, for LDevIDs with P-384; the default is P-256 alone
		      ecdh_curve = ""
		    }
		    tls {
		      tls = site
		    }
		    peap {
		      tls = site
		      virtual_server = inner
		    }
		    mschapv2 {
		    }
		  }
		  mschap {
		  }
		  ${RADIUS_MODULES:-}
		}
		${RADIUS_SERVERS:-}
		server default {
		  listen {
		    type = auth
		    ipaddr = ${RADIUS_ADDRESS:-127.0.0.1}
		    port = $RADIUS_PORT
		  }
		  authorize {
		    ${RADIUS_AUTHORIZE:-}
		    brski {
		      ok = return
		    }
		    eap {
		      ok = return
		    }
		  }
		  authenticate {
		    brski
		    eap
		  }
		}
		server inner {
		  authorize {
		    update control {
		      Cleartext-Password := "open sesame"
		    }
		    mschap
		    eap {
		      ok = return
		    }
		  }
		  authenticate {
		    Auth-Type MS-CHAP {
		      mschap
		    }
		    eap
		  }
		}
	C
}

lab_radius() { # extra arguments of freeradius, e.g. -X
	local mark
	lab_radius_config
	mark=$(lab_mark radius)
	# shellcheck disable=SC2086 # the wrapper is a command with arguments
	lab_start radius "$NS_SERVERS" ${RADIUS_WRAPPER:-} freeradius -d "$LAB/radius" -n radiusd -f -l stdout "$@"
	lab_wait_log radius 'Ready to process requests' "${RADIUS_START:-60}" "$mark" && return
	tail -n 20 "$LAB/radius.log" >&2
	lab_die "FreeRADIUS did not start"
}

# ---- brski-registrar, on the same store ----

lab_registrar_config() { # REGISTRAR_OPTIONS: more of its settings
	[ -n "${REGISTRAR_PORT:-}" ] || lab_port REGISTRAR_PORT
	cat > "$LAB/registrar.conf" <<- C
		listen = ${REGISTRAR_ADDRESS:-127.0.0.1}:$REGISTRAR_PORT
		certificate_file = $PKI/home-registrar.pem
		private_key_file = $PKI/home-registrar.key
		ca_file = $PKI/home-ca.pem
		database = $DB
		cmp_url = ${CMP_URL:-http://127.0.0.1:$CA_PORT/.well-known/cmp}
		${REGISTRAR_OPTIONS:-}
	C
}

# REGISTRAR_PROGRAM may be another one. Arguments are added to its options.
lab_registrar() {
	local mark
	lab_registrar_config
	mark=$(lab_mark registrar)
	lab_start registrar "$NS_SERVERS" "${REGISTRAR_PROGRAM:-$BUILD/brski-registrar}" --config "$LAB/registrar.conf" "$@"
	lab_wait_log registrar 'listening on' 10 "$mark" || lab_die "brski-registrar did not start: $(tail -n 5 "$LAB/registrar.log")"
}

# ---- MASA and PKI ----

lab_masa_device() { # SERIAL
	"$BUILD/brski-masa" --db "$LAB/masa/masa.db" device add "$1" > /dev/null
}

# The MASA of acme; MASA_PROGRAM may be another one. Arguments are added to its options.
lab_masa() {
	local mark
	mark=$(lab_mark masa)
	lab_start masa "$NS_SERVERS" "${MASA_PROGRAM:-$BUILD/brski-masa}" --listen "127.0.0.1:$MASA_PORT" --db "$LAB/masa/masa.db" \
		--tls-key "$PKI/${MASA_TLS:-acme-masa-tls}.key" --tls-cert "$PKI/${MASA_TLS:-acme-masa-tls}.pem" \
		--sign-key "$PKI/${MASA_SIGNER:-acme-masa}.key" --sign-cert "$PKI/${MASA_SIGNER:-acme-masa}.pem" \
		--idevid-anchors "$PKI/acme-ca.pem" "$@" serve
	lab_wait_log masa 'listen' 30 "$mark" || lab_die "the MASA did not start: $(tail -n 3 "$LAB/masa.log")"
}

# The operator's PKI; CA_PROGRAM may be another one. Arguments are added to its options.
lab_ca() {
	local mark
	[ -n "${CA_PORT:-}" ] || lab_port CA_PORT
	mark=$(lab_mark ca)
	lab_start ca "$NS_SERVERS" "${CA_PROGRAM:-$BUILD/brski-ca}" --listen "127.0.0.1:$CA_PORT" --db "$LAB/ca/ca.db" \
		--ca-key "$PKI/home-ca.key" --ca-cert "$PKI/home-ca.pem" --idevid-anchors "$PKI/acme-ca.pem" "$@" serve
	lab_wait_log ca 'listen' 30 "$mark" || lab_die "the CA did not start: $(tail -n 3 "$LAB/ca.log")"
}
