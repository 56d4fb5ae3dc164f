#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# radiusd dies at named points (see crash_lib.sh). At the end the books of all must balance.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/kill_lib.sh
. "$(dirname "$0")/kill_lib.sh"
# shellcheck source=tests/e2e/crash_lib.sh
. "$(dirname "$0")/crash_lib.sh"

POINTS_RADIUS=('voucher-request: kept' 'gave a voucher' 'nothing against this device' 'accepted the voucher' 'ir message kept'
	'issued a certificate' 'certConf message kept' 'confirmed the certificate' 'enroll-status: onboarded' 'has been onboarded')

crash_begin
at_each_line radius "${POINTS_RADIUS[@]}"
at_writes radius $((EVERY * 2)) too
balance
finish
