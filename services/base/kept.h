/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_BASE_KEPT_H
#define BRSKI_SERVICES_BASE_KEPT_H

/* Of what was changed: does it outlive a power failure? */
enum brski_kept {
	BRSKI_KEPT,
	BRSKI_NOT_YET_KEPT,
	BRSKI_NOT_KEPT, /* the disk failed; for ever, for this mark */
};

#endif
