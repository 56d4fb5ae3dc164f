# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Mounts that nobody else sees. Sourced.

# Sets OWN_MOUNTS to the options with which unshare(1) makes a mount namespace whose mounts are not seen outside. In a chroot whose root is no
# mount it cannot cut them off; it need not, if what is around does not share its mounts, which is tried.
own_mounts() {
	local try
	OWN_MOUNTS=(--mount)
	! unshare "${OWN_MOUNTS[@]}" true 2> /dev/null || return 0
	OWN_MOUNTS=(--mount --propagation unchanged)
	try=$(mktemp -d "${TMPDIR:-/tmp}/brski-mounts.XXXXXX")
	# shellcheck disable=SC2016 # the inner shell's
	unshare "${OWN_MOUNTS[@]}" sh -c 'mount -t tmpfs brski "$0" && touch "$0/seen"' "$try" || { rmdir "$try" && return 1; }
	if [ -e "$try/seen" ]; then
		umount "$try"
		rmdir "$try"
		echo "${0##*/}: what is mounted in this chroot is seen outside: its folder must be a mount of its own (mount --bind DIR DIR)" >&2
		return 1
	fi
	rmdir "$try"
}
