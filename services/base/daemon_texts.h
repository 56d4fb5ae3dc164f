/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_DAEMON_TEXTS_H
#define BRSKI_SERVICES_BASE_DAEMON_TEXTS_H

/* Copies a text and keeps the copy until daemon_end(). NULL: out of memory. */
const char *daemon_text_keep(const char *text);

#endif
