/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_CMP_CMP_OIDS_H
#define BRSKI_CMP_CMP_OIDS_H

/* The infoTypes of CMP that are known here, in generalInfo and in general messages, as OIDs' texts. */
#define BRSKI_OID_CONFIRM_IMPLICIT "1.3.6.1.5.5.7.4.13"  /* id-it-implicitConfirm, RFC 9810 5.1.1.1 */
#define BRSKI_OID_CONFIRM_WAIT "1.3.6.1.5.5.7.4.14"      /* id-it-confirmWaitTime, RFC 9810 5.1.1.2 */
#define BRSKI_OID_CA_CERTS "1.3.6.1.5.5.7.4.17"          /* id-it-caCerts, RFC 9810 5.3.19.14 */
#define BRSKI_OID_CERT_REQ_TEMPLATE "1.3.6.1.5.5.7.4.19" /* id-it-certReqTemplate, RFC 9810 5.3.19.16 */
#define BRSKI_OID_ROOT_CA_CERT "1.3.6.1.5.5.7.4.20"      /* id-it-rootCaCert, RFC 9810 5.3.19.15 */
#define BRSKI_OID_CRL_STATUS_LIST "1.3.6.1.5.5.7.4.22"   /* id-it-crlStatusList, RFC 9810 5.3.19.17 */
#define BRSKI_OID_CERT_PROFILE "1.3.6.1.5.5.7.4.21"      /* id-it-certProfile, RFC 9810 5.1.1.4 */

#endif
