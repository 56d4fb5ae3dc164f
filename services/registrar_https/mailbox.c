/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "services/registrar_https/door_internal.h"

/* ---- From any thread ---- */

/* Once more than once is once: the loop takes all that is there. */
static void wake(const struct mailbox *m)
{
	const uint64_t one = 1;

	while (write(m->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void mailbox_put_done(struct mailbox *m, struct task *task)
{
	pthread_mutex_lock(&m->lock);
	task->next_done = m->done;
	m->done = task;
	pthread_mutex_unlock(&m->lock);
	wake(m);
}

void mailbox_put_moved(struct mailbox *m, struct task *task)
{
	bool first;

	pthread_mutex_lock(&m->lock);
	first = !task->is_moved;
	if (first) {
		task->is_moved = true;
		task->next_moved = m->moved;
		m->moved = task;
	}
	pthread_mutex_unlock(&m->lock);
	if (first)
		wake(m);
}

void mailbox_put_kept(struct mailbox *m)
{
	pthread_mutex_lock(&m->lock);
	m->kept = true;
	pthread_mutex_unlock(&m->lock);
	wake(m);
}

/* ---- In the loop ---- */

/* What is there now; what moves from here on wakes the loop again. */
static struct task *take(struct mailbox *m, bool *kept)
{
	struct task *done;
	uint64_t count;

	while (read(m->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&m->lock);
	done = m->done;
	*kept = m->kept;
	m->done = NULL;
	m->kept = false;
	pthread_mutex_unlock(&m->lock);
	return done;
}

static struct task *next_moved(struct mailbox *m)
{
	struct task *t;

	pthread_mutex_lock(&m->lock);
	t = m->moved;
	if (t) {
		m->moved = t->next_moved;
		t->is_moved = false;
	}
	pthread_mutex_unlock(&m->lock);
	return t;
}

/*
 * A task ends in the loop, after it came by `done`, and it comes so after its ticket was given back: so
 * what has moved is delivered before what was taken as done, and none of that is gone.
 */
static void on_mail(evutil_socket_t fd, short what, void *arg)
{
	struct door *door = arg;
	struct task *t, *next, *done;
	bool kept;

	(void)fd;
	(void)what;
	done = take(&door->mailbox, &kept);
	while ((t = next_moved(&door->mailbox)))
		task_moved(t);
	for (t = done; t; t = next) {
		next = t->next_done;
		task_done(t);
	}
	for (t = kept ? door->tasks : NULL; t; t = next) {
		next = t->next;
		task_kept(t);
	}
}

enum brski_code mailbox_init(struct door *door, struct brski_error *err)
{
	struct mailbox *m = &door->mailbox;

	pthread_mutex_init(&m->lock, NULL);
	m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->fd < 0)
		return brski_fail(err, BRSKI_INTERNAL, "eventfd: %s", strerror(errno));
	m->event = event_new(door->base, m->fd, EV_READ | EV_PERSIST, on_mail, door);
	if (!m->event || event_add(m->event, NULL) != 0)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for an event");
	return BRSKI_OK;
}

void mailbox_destroy(struct mailbox *m)
{
	if (m->event)
		event_free(m->event);
	if (m->fd >= 0)
		close(m->fd);
	pthread_mutex_destroy(&m->lock);
}
