/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_ARTIFACTS_PATHS_H
#define BRSKI_ARTIFACTS_PATHS_H

/* Endpoints: RFC 8995 8.3.1, RFC 9483 6.1, RFC 7030 3.2.2. */
#define BRSKI_PATH_BRSKI "/.well-known/brski"
#define BRSKI_PATH_REQUESTVOUCHER "/.well-known/brski/requestvoucher"
#define BRSKI_PATH_VOUCHER_STATUS "/.well-known/brski/voucher_status"
#define BRSKI_PATH_ENROLLSTATUS "/.well-known/brski/enrollstatus"
#define BRSKI_PATH_CORE "/.well-known/core" /* RFC 6690 4 */
#define BRSKI_PATH_CMP "/.well-known/cmp"
#define BRSKI_PATH_CMP_INITIALIZATION BRSKI_PATH_CMP "/initialization"
#define BRSKI_PATH_CMP_GETCACERTS BRSKI_PATH_CMP "/getcacerts"
#define BRSKI_PATH_CMP_PKCS10 BRSKI_PATH_CMP "/pkcs10"
#define BRSKI_PATH_EST "/.well-known/est"
#define BRSKI_PATH_EST_CACERTS BRSKI_PATH_EST "/cacerts"
#define BRSKI_PATH_EST_CSRATTRS BRSKI_PATH_EST "/csrattrs"
#define BRSKI_PATH_EST_SIMPLEENROLL BRSKI_PATH_EST "/simpleenroll"
#define BRSKI_PATH_EST_SIMPLEREENROLL BRSKI_PATH_EST "/simplereenroll"
#define BRSKI_PATH_EST_FULLCMC BRSKI_PATH_EST "/fullcmc"
#define BRSKI_PATH_EST_SERVERKEYGEN BRSKI_PATH_EST "/serverkeygen"

#endif
