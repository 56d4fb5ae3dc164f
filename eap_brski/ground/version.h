/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_GROUND_VERSION_H
#define BRSKI_GROUND_VERSION_H

#define BRSKI_VERSION "0.5.0"

#endif
