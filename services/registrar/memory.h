/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_MEMORY_H
#define BRSKI_SERVICES_REGISTRAR_MEMORY_H

#include "eap_brski/ground/log_limit.h"
#include "services/registrar/store.h"

/*
 * What the registrar role remembers, as it asks for it (struct brski_registrar_ops), in the store: its
 * jobs, notes and permissions, a device's history, the voucher that was fetched ahead. It decides nothing; that is
 * policy.h. Thread-safe.
 */
struct brski_memory {
	struct brski_store *store;         /* borrowed */
	const struct brski_env *env;       /* borrowed; may be NULL */
	struct brski_store_limits limits;  /* of what may wait; zeroed: none */
	struct brski_log_limit incomplete; /* the history is: one line a minute. Zeroed at first */
};

/* A permission as a row for the store. */
void brski_memory_permission_row(const struct brski_permission *p, struct brski_store_permission *row);
/* And back; the device is nobody's. */
void brski_memory_permission_of(const struct brski_store_permission *row, struct brski_permission *out);

/* The role's operations of these names. ctx: a struct brski_memory. */
BRSKI_CHECKED enum brski_code brski_memory_job_room(void *ctx, const struct brski_device *device,
	enum brski_work work, long *seconds, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_job_add(void *ctx, const char *key, enum brski_job_kind kind,
	enum brski_work work, const struct brski_job_next *next, const struct brski_device *device,
	struct brski_span blob, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_job_put(void *ctx, const char *key, uint64_t revision,
	enum brski_job_kind kind, enum brski_job_state state, bool takes_back,
	const struct brski_job_next *next, const struct brski_device *device, struct brski_span blob,
	struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_job_get(
	void *ctx, const char *key, struct brski_buf *blob, uint64_t *revision, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_note_put(
	void *ctx, const struct brski_note *note, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_note_get(
	void *ctx, const char *key, char value[BRSKI_FINGERPRINT_MAX], struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_permission_get(
	void *ctx, const char *key, struct brski_permission *out, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_permission_put(
	void *ctx, const struct brski_permission *p, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_permission_take_back(
	void *ctx, const struct brski_device *device, struct brski_error *err);
BRSKI_CHECKED enum brski_code brski_memory_listed(
	void *ctx, const struct brski_device *device, bool *yes, struct brski_error *err);
void brski_memory_event(
	void *ctx, const struct brski_device *device, const char *what, bool ok, const char *detail);
BRSKI_CHECKED enum brski_code brski_memory_nonceless_voucher(
	void *ctx, const struct brski_device *device, struct brski_buf *cms, struct brski_error *err);

#endif
