# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# MASAs and CAs that are wrong, for the tests of what must be refused at either door. Sourced behind lib.sh.

[ -x "$BUILD/tests/rogue-masa" ] || lab_die "$BUILD/tests/rogue-masa is missing: run make"
BACKEND_IS_ROGUE=no # then nobody gets in, and whether others do is asked when it is right again

masa_again() { # options
	lab_stop masa
	lab_masa "$@"
}

ca_again() {
	lab_stop ca
	lab_ca "$@"
}

rogue_masa() { # FAULT
	BACKEND_IS_ROGUE=yes
	MASA_PROGRAM=$BUILD/tests/rogue-masa masa_again --fault "$1"
}

rogue_ca() { # FAULT
	BACKEND_IS_ROGUE=yes
	CA_PROGRAM=$BUILD/tests/rogue-ca ca_again --fault "$1"
}

mended() { # DESCRIPTION
	# shellcheck disable=SC2034 # for the test
	BACKEND_IS_ROGUE=no
	masa_again
	ca_again
	check "$1: others are served when the back end is right again" still_serving
}

# voucher_case FAULT NAME OPERATOR PEER, which is the test's: a voucher that the registrar refuses; and the device, where it is handed on unseen.
voucher_cases() {
	voucher_case other-serial voucher-serial 'serial' 'pledge refused the voucher.*serial'
	voucher_case other-nonce voucher-nonce 'nonce' 'pledge refused the voucher.*nonce'
	voucher_case expired voucher-old 'expired' 'pledge refused the voucher.*expired'
	voucher_case wrong-signer voucher-forged 'sign|trust|verif' 'pledge refused the voucher'
	voucher_case pin-other voucher-pin 'does not pin this registrar' 'pledge refused the voucher.*does not pin this registrar'
}
