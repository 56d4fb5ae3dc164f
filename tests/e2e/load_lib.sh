# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the tests and benchmarks share that load a server: crowds of devices, requests that wait by the thousand, a second MASA. Sourced after
# lib.sh.

# ---- Where the devices have their state: in memory, so that the disk is the server's ----

states_begin() {
	STATES=$(mktemp -d /dev/shm/brski-states.XXXXXX)
	chmod 755 "$STATES"
}

states_end() {
	[ -z "${STATES:-}" ] || rm -rf "$STATES"
}

# ---- Devices ----

# COUNT devices that everybody knows: $LAB/NAME/NAME-n.pem and .key, as the driver wants them.
many_devices() { # NAME COUNT
	"$BUILD/tests/make-crowd" devices "$PKI/acme-ca.pem" "$PKI/acme-ca.key" "$MASA_URL" "$1" "$2" "$LAB/$1" > "$LAB/$1.serials"
	masa_knows "$LAB/$1.serials" "$LAB/masa/masa.db"
	brskictl device add acme --file "$LAB/$1.serials" > /dev/null
}

# The MASA with this database, which it has made before, knows the devices in a file of serial numbers.
masa_knows() { # FILE DATABASE
	sed "s/.*/INSERT INTO devices (serial, issuer, blocked, added) VALUES ('&', x'', 0, unixepoch());/; 1s/^/BEGIN;/; \$s/\$/COMMIT;/" "$1" |
		sqlite3 -batch -cmd '.timeout 5000' "$2"
}

# ---- Requests that wait ----

# A second manufacturer, with a MASA of its own. After lab_store.
beta_world() {
	lab_port BETA_PORT
	pki_manufacturer beta Beta
	brskictl manufacturer add beta --anchors "$PKI/beta-ca.pem" --masa-tls-ca "$PKI/beta-ca.pem" --mode manufacturer > /dev/null
}

beta_masa() {
	lab_start beta "$NS_SERVERS" "$BUILD/brski-masa" --listen "127.0.0.1:$BETA_PORT" --db "$LAB/masa/beta.db" \
		--tls-key "$PKI/beta-masa-tls.key" --tls-cert "$PKI/beta-masa-tls.pem" --sign-key "$PKI/beta-masa.key" \
		--sign-cert "$PKI/beta-masa.pem" --idevid-anchors "$PKI/beta-ca.pem" --min-interval 0 serve
	lab_wait_log beta listen || lab_die "the other MASA did not start"
}

# So many requests for vouchers, of devices that have come and gone. The manufacturer lets all its devices in, and its MASA, which has been
# started once, knows them.
waiting_requests() { # MANUFACTURER PORT-OF-ITS-MASA PREFIX COUNT DATABASE MASA-DATABASE
	"$BUILD/tests/make-crowd" requests "$PKI/$1-ca.pem" "$PKI/$1-ca.key" "localhost:$2" "$3" "$4" "$5" "$PKI/home-registrar.pem" \
		"$PKI/home-ca.pem" > "$LAB/$3.serials"
	masa_knows "$LAB/$3.serials" "$6"
}

# How many of them have their answer.
answered() { # PREFIX
	sqlite3 -batch -cmd '.timeout 5000' "$DB" "SELECT count(*) FROM job WHERE state = 1 AND serial_number LIKE '$1-%'"
}
