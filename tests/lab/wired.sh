# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# A wired network of three hosts in network namespaces: the device, a switch with stock hostapd, and the servers. Sourced after lab.sh,
# which has the servers.
#
#   SERIAL     of the device (default: AX-2026-0042)
#   PCAP       where the capture of the device's port goes (default: $LAB/capture.pcap)

NS_PLEDGE=brski-pledge-$$
NS_SWITCH=brski-switch-$$
NS_SERVERS=brski-servers-$$
SERIAL=${SERIAL:-AX-2026-0042}

# What is the same in every run, since each has its own network.
# shellcheck disable=SC2034
MASA_PORT=9443 RADIUS_CLIENT=192.0.2.1 RADIUS_ADDRESS=192.0.2.2 RADIUS_PORT=1812

wired_network() {
	local ns link
	for ns in "$NS_PLEDGE" "$NS_SWITCH" "$NS_SERVERS"; do
		ip netns add "$ns"
		lab_in_ns "$ns" ip link set lo up
	done
	ip link add eth0 netns "$NS_PLEDGE" type veth peer name port1 netns "$NS_SWITCH"
	ip link add uplink netns "$NS_SWITCH" type veth peer name eth0 netns "$NS_SERVERS"
	lab_in_ns "$NS_SWITCH" ip addr add 192.0.2.1/30 dev uplink
	lab_in_ns "$NS_SERVERS" ip addr add 192.0.2.2/30 dev eth0
	for link in "$NS_PLEDGE eth0" "$NS_SWITCH port1" "$NS_SWITCH uplink" "$NS_SERVERS eth0"; do
		# shellcheck disable=SC2086
		set -- $link
		lab_in_ns "$1" ip link set "$2" up
	done
}

lab_at_end() {
	local ns
	for ns in "$NS_PLEDGE" "$NS_SWITCH" "$NS_SERVERS"; do ip netns del "$ns" 2> /dev/null || true; done
}

# ---- The switch ----

wired_switch() {
	cat > "$LAB/hostapd.conf" <<- C
		interface=port1
		driver=wired
		ieee8021x=1
		use_pae_group_addr=1
		eapol_version=2
		own_ip_addr=192.0.2.1
		auth_server_addr=192.0.2.2
		auth_server_port=$RADIUS_PORT
		auth_server_shared_secret=testing123
		ctrl_interface=$LAB/hostapd
	C
	lab_start switch "$NS_SWITCH" hostapd "$LAB/hostapd.conf"
	lab_wait_log switch 'AP-ENABLED' || lab_die "hostapd does not run: $(tail -n 3 "$LAB/switch.log")"
}

wired_capture() {
	PCAP=${PCAP:-$LAB/capture.pcap}
	lab_start capture "$NS_SWITCH" tcpdump -i port1 --immediate-mode -U -s 0 -w "$PCAP" ether proto 0x888e
	lab_wait_log capture 'listening on' || lab_die "tcpdump does not run: $(tail -n 3 "$LAB/capture.log")"
}

# The port's state as the switch has it.
port_is_open() {
	lab_in_ns "$NS_SWITCH" hostapd_cli -p "$LAB/hostapd" -i port1 all_sta 2> /dev/null |
		grep -Eq '^flags=.*\[AUTHORIZED\]'
}

port_opens() {
	for _ in $(seq 200); do
		port_is_open && return
		sleep 0.1
	done
	return 1
}

# ---- The device ----

# What a device maker ships: the network block is the same in every device.
pledge_config() {
	mkdir -p "$LAB/device"
	cp "$PKI/idevid-$SERIAL.pem" "$LAB/device/idevid.pem"
	cp "$PKI/idevid-$SERIAL.key" "$LAB/device/idevid.key"
	cp "$PKI/acme-ca.pem" "$LAB/device/masa-ca.pem"
	cat > "$LAB/device/wpa_supplicant.conf" <<- C
		ctrl_interface=$LAB/wpa
		ap_scan=0
		network={
		  key_mgmt=IEEE8021X
		  eap=BRSKI
		  client_cert="$LAB/device/idevid.pem"
		  private_key="$LAB/device/idevid.key"
		  phase1="brski_state=$LAB/device/state brski_masa_ca=$LAB/device/masa-ca.pem"
		  eapol_flags=0
		}
	C
}

pledge_start() { # more options of wpa_supplicant
	PLEDGE_MARK=$(lab_mark pledge)
	lab_start pledge "$NS_PLEDGE" "$BUILD/supplicant/wpa_supplicant" -t -D wired -i eth0 -c "$LAB/device/wpa_supplicant.conf" "$@"
}

# What an event of the device, since its last start, said.
detail() { # EVENT
	lab_since pledge "$PLEDGE_MARK" | sed -nE "s/.*EAP-BRSKI: $1: (.*)/\1/p" | head -n 1
}

# Time in milliseconds of the first line of the device's log that matches, since its last start.
moment() { # REGEX
	lab_since pledge "$PLEDGE_MARK" | grep -Em1 -- "$1" | sed -E 's/^([0-9]+)\.([0-9]{3}).*/\1\2/'
}

# ---- The capture ----

# The first EAP conversation in it: round trips, octets up, octets down, requests that were sent more than once.
wired_count() {
	tcpdump -nnv -r "$PCAP" 2> /dev/null | awk '
		/EAP packet/ && !over {
			for (i = 1; i < NF; i++) if ($i == "len") len = $(i + 1) + 0
			if (/Request \(1\)/) {
				id = $0; sub(/.*, id /, "", id); id += 0
				if (id != last || !n) n++; else again++
				last = id; down += len
			}
			if (/Response \(2\)/) up += len
			if (n && /Success \(3\)|Failure \(4\)/) { down += len; over = 1 }
		}
		END { print n + 0, up + 0, down + 0, again + 0 }'
}
