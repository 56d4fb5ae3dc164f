/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_HTTPS_DOOR_INTERNAL_H
#define BRSKI_SERVICES_REGISTRAR_HTTPS_DOOR_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "services/base/http_server.h"
#include "services/registrar/site.h"
#include "services/registrar_https/door.h"
#include "services/registrar_https/pool.h"
#include "services/registrar_https/visitor.h"

struct task;

/* From other threads to the loop. */
struct mailbox {
	pthread_mutex_t lock;
	struct task *done;  /* guarded by lock, as the next two: what the pool has worked off */
	struct task *moved; /* whose jobs have moved */
	bool kept;          /* marks have been kept */
	int fd;             /* of eventfd(2): there is something */
	struct event *event;
};

struct door {
	const struct door_config *config;
	const struct brski_env *env;
	struct event_base *base;
	struct brski_site *site;
	struct rules *rules;
	struct http_server *server;
	struct pool *pool;
	struct visitor_place place;
	struct mailbox mailbox;
	atomic_uint n_visitors;
	/* in the loop's thread alone */
	struct task *tasks;
	bool stopping;
	struct event *give_up; /* when that takes too long */
};

/* ---- mailbox.c ---- */
BRSKI_CHECKED enum brski_code mailbox_init(struct door *door, struct brski_error *err);
void mailbox_destroy(struct mailbox *mailbox);
void mailbox_put_done(struct mailbox *mailbox, struct task *task);
void mailbox_put_moved(struct mailbox *mailbox, struct task *task);
void mailbox_put_kept(struct mailbox *mailbox);

/* ---- task.c: one request, from its arrival to its answer ---- */

enum task_stage { TASK_AT_WORK, TASK_AT_JOB, TASK_AT_DISK };
struct task {
	struct pool_work work; /* first: run() gets it */
	struct door *door;
	struct http_exchange *exchange;
	struct visitor *visitor;
	struct task *next, **link;           /* in door->tasks */
	struct task *next_done, *next_moved; /* in the mailbox, guarded by its lock */
	bool is_moved;                       /* it is there, guarded by its lock */
	/* the loop's, or, at work, the pool thread's */
	enum task_stage stage;
	int64_t begun_ms, until_ms; /* until when it waits for what it waits for */
	struct event *timer;
	struct brski_http response;
	struct brski_ticket *ticket; /* NULL: it waits for no job */
	uint64_t mark;
	bool has_mark;
	char note[VISITOR_NOTE_MAX];
};

http_handler task_begin;
void task_connection_closed(void *ctx, void *data); /* as struct http_server_config has it */
/* Where it goes on, in the loop: the pool has worked on it, its job has moved, marks have been kept. */
void task_done(struct task *t);
void task_moved(struct task *t);
void task_kept(struct task *t);
/* It waits no longer for its job. */
void task_hurry(struct task *t);
void task_free(struct task *t);
/* Leaves the loop if the door is to stop, and no task is left. */
void task_look_for_the_end(struct door *door);

#endif
