/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_RADIUS_MODULE_ROOM_H
#define BRSKI_RADIUS_MODULE_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>

/*
 * The server's threads that wait at this moment for a back end, a place at the gate or the disk, of
 * all conversations: few, since the server's other users need them.
 */
struct brski_room {
	atomic_uint threads; /* zeroed at first */
	unsigned most;
};

/* False: so many wait already. */
static inline bool brski_room_enter(struct brski_room *room)
{
	if (atomic_fetch_add(&room->threads, 1) < room->most)
		return true;
	atomic_fetch_sub(&room->threads, 1);
	return false;
}

static inline void brski_room_leave(struct brski_room *room)
{
	atomic_fetch_sub(&room->threads, 1);
}

#endif
