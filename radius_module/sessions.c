/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "services/base/clock.h"

#define BUCKETS 1024

struct brski_session {
	struct brski_session *bucket;
	struct brski_session *prev, *next;
	uint8_t state[BRSKI_STATE_LEN];
	void *data;
	pthread_mutex_t turn;
	int64_t touched;
	unsigned users; /* threads that have it or wait for it */
	bool over;
};

/* Both lists are in order of `touched`, oldest first: what is due stands in front. */
struct list {
	struct brski_session *first, *last;
};

struct brski_sessions {
	struct brski_sessions_config config;
	pthread_mutex_t lock;
	struct brski_session *buckets[BUCKETS];
	struct list active, over;
	unsigned count;
};

static int64_t now_ms(const struct brski_sessions *table)
{
	return table->config.now_ms ? table->config.now_ms(table->config.now_ctx) : brski_now_ms();
}

static struct list *list_of(struct brski_sessions *table, const struct brski_session *s)
{
	return s->over ? &table->over : &table->active;
}

static void list_append(struct list *list, struct brski_session *s)
{
	s->next = NULL;
	s->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = s;
	list->last = s;
}

static void list_remove(struct list *list, struct brski_session *s)
{
	*(s->prev ? &s->prev->next : &list->first) = s->next;
	*(s->next ? &s->next->prev : &list->last) = s->prev;
}

/* State is random: its first octets will do. */
static struct brski_session **bucket_of(struct brski_sessions *table, const uint8_t *state)
{
	return &table->buckets[((unsigned)state[0] << 8 | state[1]) % BUCKETS];
}

static struct brski_session *find(struct brski_sessions *table, struct brski_span state)
{
	struct brski_session *s;

	if (state.len != BRSKI_STATE_LEN)
		return NULL;
	s = *bucket_of(table, state.data);
	while (s && !brski_span_equal_secret(brski_span(s->state, sizeof(s->state)), state))
		s = s->bucket;
	return s;
}

static void link_session(struct brski_sessions *table, struct brski_session *s)
{
	struct brski_session **b = bucket_of(table, s->state);

	s->bucket = *b;
	*b = s;
	s->touched = now_ms(table);
	list_append(&table->active, s);
	table->count++;
}

static void unlink_session(struct brski_sessions *table, struct brski_session *s)
{
	struct brski_session **b = bucket_of(table, s->state);

	while (*b != s)
		b = &(*b)->bucket;
	*b = s->bucket;
	list_remove(list_of(table, s), s);
	table->count--;
}

static void touch(struct brski_sessions *table, struct brski_session *s, bool over)
{
	list_remove(list_of(table, s), s);
	s->over = over;
	s->touched = now_ms(table);
	list_append(list_of(table, s), s);
}

static void destroy(struct brski_sessions *table, struct brski_session *s)
{
	table->config.free_data(s->data);
	pthread_mutex_destroy(&s->turn);
	free(s);
}

/* Takes what is due out of a list; a session that somebody has is not idle. With the lock held. */
static struct brski_session *take_due(struct brski_sessions *table, struct list *list, int64_t limit)
{
	struct brski_session *s, *next, *due = NULL;

	for (s = list->first; s && s->touched <= limit; s = next) {
		next = s->next;
		if (s->users)
			continue;
		unlink_session(table, s);
		s->next = due;
		due = s;
	}
	return due;
}

static void destroy_all(struct brski_sessions *table, struct brski_session *s)
{
	struct brski_session *next;

	for (; s; s = next) {
		next = s->next;
		destroy(table, s);
	}
}

void brski_sessions_expire(struct brski_sessions *table)
{
	struct brski_session *active, *over;
	int64_t now = now_ms(table);

	pthread_mutex_lock(&table->lock);
	active = take_due(table, &table->active, now - table->config.idle_ms);
	over = take_due(table, &table->over, now - table->config.linger_ms);
	pthread_mutex_unlock(&table->lock);
	destroy_all(table, active);
	destroy_all(table, over);
}

/* Sessions that are over make room first. With the lock held; what it returns is to be destroyed. */
static struct brski_session *make_room(struct brski_sessions *table)
{
	struct brski_session *s = table->over.first;

	if (table->count < table->config.max)
		return NULL;
	while (s && s->users)
		s = s->next;
	if (s) {
		unlink_session(table, s);
		s->next = NULL;
	}
	return s;
}

/* The caller has it. */
static struct brski_session *session_new(struct brski_sessions *table, void *data, struct brski_error *err)
{
	struct brski_session *s = calloc(1, sizeof(*s));

	if (!s) {
		brski_fail(err, BRSKI_NO_MEMORY, "no memory for a session");
		return NULL;
	}
	if (brski_random(table->config.env, s->state, sizeof(s->state), err) != BRSKI_OK) {
		free(s);
		return NULL;
	}
	s->data = data;
	s->users = 1;
	pthread_mutex_init(&s->turn, NULL);
	pthread_mutex_lock(&s->turn); /* before the table's lock, as it is everywhere */
	return s;
}

enum brski_code brski_sessions_add(
	struct brski_sessions *table, void *data, struct brski_session **out, struct brski_error *err)
{
	struct brski_session *s, *victim;
	bool full;

	*out = NULL;
	brski_sessions_expire(table);
	s = session_new(table, data, err);
	if (!s)
		return BRSKI_NO_MEMORY;
	pthread_mutex_lock(&table->lock);
	victim = make_room(table);
	full = table->count >= table->config.max || find(table, brski_span(s->state, sizeof(s->state)));
	if (!full)
		link_session(table, s);
	pthread_mutex_unlock(&table->lock);
	destroy_all(table, victim);
	if (full) {
		pthread_mutex_unlock(&s->turn);
		pthread_mutex_destroy(&s->turn);
		free(s);
		return brski_fail(err, BRSKI_TOO_LARGE, "%u sessions are open: that is max_sessions",
			table->config.max);
	}
	*out = s;
	return BRSKI_OK;
}

struct brski_session *brski_sessions_get(struct brski_sessions *table, struct brski_span state)
{
	struct brski_session *s;

	brski_sessions_expire(table);
	pthread_mutex_lock(&table->lock);
	s = find(table, state);
	if (s) {
		s->users++;
		touch(table, s, s->over);
	}
	pthread_mutex_unlock(&table->lock);
	if (s)
		pthread_mutex_lock(&s->turn);
	return s;
}

bool brski_sessions_has(struct brski_sessions *table, struct brski_span state)
{
	bool has;

	pthread_mutex_lock(&table->lock);
	has = find(table, state) != NULL;
	pthread_mutex_unlock(&table->lock);
	return has;
}

void brski_sessions_put(struct brski_sessions *table, struct brski_session *s, bool over)
{
	pthread_mutex_unlock(&s->turn);
	pthread_mutex_lock(&table->lock);
	touch(table, s, over || s->over);
	s->users--; /* from here on it may expire */
	pthread_mutex_unlock(&table->lock);
}

void *brski_session_data(const struct brski_session *s)
{
	return s->data;
}

const uint8_t *brski_session_state(const struct brski_session *s)
{
	return s->state;
}

unsigned brski_sessions_count(struct brski_sessions *table)
{
	unsigned n;

	pthread_mutex_lock(&table->lock);
	n = table->count;
	pthread_mutex_unlock(&table->lock);
	return n;
}

enum brski_code brski_sessions_new(
	const struct brski_sessions_config *config, struct brski_sessions **out, struct brski_error *err)
{
	struct brski_sessions *table = calloc(1, sizeof(*table));

	*out = table;
	if (!table)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the table of sessions");
	table->config = *config;
	pthread_mutex_init(&table->lock, NULL);
	return BRSKI_OK;
}

void brski_sessions_free(struct brski_sessions *table)
{
	if (!table)
		return;
	while (table->active.first || table->over.first) {
		struct brski_session *s = table->active.first ? table->active.first : table->over.first;

		unlink_session(table, s);
		destroy(table, s);
	}
	pthread_mutex_destroy(&table->lock);
	free(table);
}
