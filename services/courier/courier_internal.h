/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_COURIER_COURIER_INTERNAL_H
#define BRSKI_SERVICES_COURIER_COURIER_INTERNAL_H

#include "services/base/commands.h"

extern const struct program courier_program;

#endif
