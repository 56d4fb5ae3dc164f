/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_STORAGE_H
#define BRSKI_GROUND_STORAGE_H

#include "eap_brski/ground/bytes.h"

/* Where a pledge keeps what must survive a reboot: named values. Names are [a-z0-9.-]{1,64}. */
#define BRSKI_STORAGE_VALUE_MAX 262144

struct brski_storage {
	void *ctx;
	/* BRSKI_NOT_FOUND if there is none. */
	enum brski_code (*read)(void *ctx, const char *name, struct brski_buf *out, struct brski_error *err);
	/* All or nothing, and durable when it returns. secret: readable by the owner alone. */
	enum brski_code (*write)(
		void *ctx, const char *name, struct brski_span value, bool secret, struct brski_error *err);
	/* Overwrites nothing; BRSKI_OK if it did not exist. */
	enum brski_code (*remove)(void *ctx, const char *name, struct brski_error *err);
	/* Puts everything out of the way, for a person to look at (a corrupt or foreign state). */
	enum brski_code (*set_aside)(void *ctx, struct brski_error *err);
};

#endif
