/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar/queue.h"

#include <stddef.h>

static bool is_before(const struct brski_queued *a, const struct brski_queued *b)
{
	return a->due != b->due ? a->due < b->due : a->arrival < b->arrival;
}

/* Two heaps become one; NULL is an empty one. */
static struct brski_queued *meld(struct brski_queued *a, struct brski_queued *b)
{
	struct brski_queued *top = a, *below = b;

	if (!a || !b)
		return a ? a : b;
	if (is_before(b, a)) {
		top = b;
		below = a;
	}
	below->prev = top;
	below->next = top->child;
	if (below->next)
		below->next->prev = below;
	top->child = below;
	top->next = top->prev = NULL;
	return top;
}

/* The heaps in a list of siblings become one: in pairs from the left, then all from the right. */
static struct brski_queued *meld_all(struct brski_queued *list)
{
	struct brski_queued *pairs = NULL, *all = NULL;

	while (list) {
		struct brski_queued *a = list, *b = list->next, *pair;

		list = b ? b->next : NULL;
		pair = meld(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct brski_queued *pair = pairs;

		pairs = pair->next;
		pair->next = pair->prev = NULL;
		all = meld(all, pair);
	}
	return all;
}

/* Out of its siblings. It is not the first of all. */
static void cut(struct brski_queued *entry)
{
	if (entry->prev->child == entry)
		entry->prev->child = entry->next;
	else
		entry->prev->next = entry->next;
	if (entry->next)
		entry->next->prev = entry->prev;
}

void brski_queue_put(struct brski_queue *queue, struct brski_queued *entry)
{
	entry->child = entry->next = entry->prev = NULL;
	entry->is_in = true;
	queue->first = meld(queue->first, entry);
}

void brski_queue_remove(struct brski_queue *queue, struct brski_queued *entry)
{
	struct brski_queued *below;

	if (!entry->is_in)
		return;
	below = meld_all(entry->child);
	if (queue->first == entry) {
		queue->first = below;
	} else {
		cut(entry);
		queue->first = meld(queue->first, below);
	}
	entry->child = entry->next = entry->prev = NULL;
	entry->is_in = false;
}
