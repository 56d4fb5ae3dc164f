/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_PATHS_H
#define BRSKI_ARTIFACTS_PATHS_H

/* Endpoints: RFC 8995 8.3.1, RFC 9483 6.1. */
#define BRSKI_PATH_BRSKI "/.well-known/brski"
#define BRSKI_PATH_REQUESTVOUCHER "/.well-known/brski/requestvoucher"
#define BRSKI_PATH_VOUCHER_STATUS "/.well-known/brski/voucher_status"
#define BRSKI_PATH_ENROLLSTATUS "/.well-known/brski/enrollstatus"
#define BRSKI_PATH_CORE "/.well-known/core" /* RFC 6690 4 */
#define BRSKI_PATH_CMP "/.well-known/cmp"
#define BRSKI_PATH_CMP_INITIALIZATION BRSKI_PATH_CMP "/initialization"
#define BRSKI_PATH_CMP_GETCACERTS BRSKI_PATH_CMP "/getcacerts"
#define BRSKI_PATH_CMP_PKCS10 BRSKI_PATH_CMP "/pkcs10"

#endif
