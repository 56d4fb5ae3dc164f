/* SPDX-License-Identifier: BSD-3-Clause */
#include "radius_module/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "radius_module/tally.h"
#include "services/base/clock.h"

#define BUCKETS 1024
#define ID_LEN 32
#define PARKED_MS 5000

/* The lists that a session is in. */
enum which {
	BY_USE, /* the table's, of those that are open or of those that are over: longest unused first */
	BY_AGE, /* the table's, of those that are open: oldest first */
	OF_NAS, /* its NAS's, of those that are half open or of those that are over: oldest first */
	WHICH
};

struct link {
	struct brski_session *prev, *next;
};

struct list {
	struct brski_session *first, *last;
};

/* Whoever sends packets: it is here as long as it has sessions. */
struct nas {
	struct nas *next;
	uint8_t id[ID_LEN];
	struct list half_open, over;
	unsigned count;
	struct brski_tally parked;
};

struct brski_session {
	struct brski_session *bucket, *station_bucket;
	struct link links[WHICH];
	struct brski_session *doomed; /* the next one that is to be destroyed */
	uint8_t state[BRSKI_STATE_LEN];
	uint8_t station[ID_LEN];
	bool has_station; /* it is found by it, too: as long as it is half open */
	struct nas *nas;
	void *data;
	pthread_mutex_t turn;
	int64_t born, touched;
	unsigned users; /* threads that have it or wait for it */
	int64_t parked; /* 0: it is not; else see struct brski_tally */
	enum brski_session_stage stage;
	bool gone; /* from the table, while somebody has it: who gives it back last destroys it */
};

struct brski_sessions {
	struct brski_sessions_config config;
	pthread_mutex_t lock;
	uint8_t secret[ID_LEN]; /* so that nobody can choose what falls into one bucket */
	struct brski_session *buckets[BUCKETS], *stations[BUCKETS];
	struct nas *nases;
	struct list open, over; /* by use */
	struct list age;
	unsigned count;
	struct brski_tally parked;
};

static int64_t now_ms(const struct brski_sessions *table)
{
	return table->config.now_ms ? table->config.now_ms(table->config.now_ctx) : brski_now_ms();
}

/* ---- Lists ---- */

static void list_append(struct list *list, enum which which, struct brski_session *s)
{
	s->links[which] = (struct link){.prev = list->last};
	*(list->last ? &list->last->links[which].next : &list->first) = s;
	list->last = s;
}

static void list_remove(struct list *list, enum which which, struct brski_session *s)
{
	struct link *link = &s->links[which];

	*(link->prev ? &link->prev->links[which].next : &list->first) = link->next;
	*(link->next ? &link->next->links[which].prev : &list->last) = link->prev;
}

static struct list *use_list(struct brski_sessions *table, const struct brski_session *s)
{
	return s->stage == BRSKI_SESSION_OVER ? &table->over : &table->open;
}

/* NULL: it is in none, since it gives way to nobody. */
static struct list *nas_list(const struct brski_session *s)
{
	switch (s->stage) {
	case BRSKI_SESSION_HALF_OPEN:
		return &s->nas->half_open;
	case BRSKI_SESSION_OVER:
		return &s->nas->over;
	case BRSKI_SESSION_PROVED:
		break;
	}
	return NULL;
}

/* The first of a list that nobody has. */
static struct brski_session *first_free(const struct list *list, enum which which)
{
	struct brski_session *s = list->first;

	while (s && s->users)
		s = s->links[which].next;
	return s;
}

/* ---- Found by what: States and stations are random, their first octets will do ---- */

static size_t slot(const uint8_t *id)
{
	return ((size_t)id[0] << 8 | id[1]) % BUCKETS;
}

static struct brski_session *find(struct brski_sessions *table, struct brski_span state)
{
	struct brski_session *s;

	if (state.len != BRSKI_STATE_LEN)
		return NULL;
	s = table->buckets[slot(state.data)];
	while (s && !brski_span_equal_secret(brski_span(s->state, sizeof(s->state)), state))
		s = s->bucket;
	return s;
}

static struct brski_session *find_station(struct brski_sessions *table, const uint8_t *id)
{
	struct brski_session *s = table->stations[slot(id)];

	while (s && memcmp(s->station, id, ID_LEN) != 0)
		s = s->station_bucket;
	return s;
}

static void forget_station(struct brski_sessions *table, struct brski_session *s)
{
	struct brski_session **b = &table->stations[slot(s->station)];

	if (!s->has_station)
		return;
	while (*b != s)
		b = &(*b)->station_bucket;
	*b = s->station_bucket;
	s->has_station = false;
}

/* ---- Parked; with the lock held ---- */

static int64_t period(const struct brski_sessions *table)
{
	return now_ms(table) / table->config.parked_ms + 1;
}

static void unpark(struct brski_sessions *table, struct brski_session *s)
{
	if (s->parked == 0)
		return;
	brski_tally_remove(&table->parked, s->parked);
	brski_tally_remove(&s->nas->parked, s->parked);
	s->parked = 0;
}

static void park(struct brski_sessions *table, struct brski_session *s)
{
	unpark(table, s);
	s->parked = period(table);
	brski_tally_add(&table->parked, s->parked);
	brski_tally_add(&s->nas->parked, s->parked);
}

/* ---- In and out of the table; with the lock held ---- */

static void enter_lists(struct brski_sessions *table, struct brski_session *s)
{
	list_append(use_list(table, s), BY_USE, s);
	if (nas_list(s))
		list_append(nas_list(s), OF_NAS, s);
}

static void leave_lists(struct brski_sessions *table, struct brski_session *s)
{
	list_remove(use_list(table, s), BY_USE, s);
	if (nas_list(s))
		list_remove(nas_list(s), OF_NAS, s);
}

static void link_session(struct brski_sessions *table, struct nas *nas, struct brski_session *s)
{
	s->bucket = table->buckets[slot(s->state)];
	table->buckets[slot(s->state)] = s;
	if (s->has_station) {
		s->station_bucket = table->stations[slot(s->station)];
		table->stations[slot(s->station)] = s;
	}
	s->nas = nas;
	s->born = s->touched = now_ms(table);
	list_append(&table->age, BY_AGE, s);
	enter_lists(table, s);
	table->count++;
	nas->count++;
}

static void release_nas(struct brski_sessions *table, struct nas *nas)
{
	struct nas **n = &table->nases;

	if (nas->count > 0)
		return;
	while (*n != nas)
		n = &(*n)->next;
	*n = nas->next;
	free(nas);
}

/* Its NAS may have none left, and is kept. */
static void unlink_session(struct brski_sessions *table, struct brski_session *s)
{
	struct brski_session **b = &table->buckets[slot(s->state)];

	while (*b != s)
		b = &(*b)->bucket;
	*b = s->bucket;
	forget_station(table, s);
	unpark(table, s);
	leave_lists(table, s);
	if (s->stage != BRSKI_SESSION_OVER)
		list_remove(&table->age, BY_AGE, s);
	table->count--;
	s->nas->count--;
}

/* Who has it keeps it, and nobody finds it any more. */
static void evict(struct brski_sessions *table, struct brski_session *s, struct brski_session **doomed)
{
	unlink_session(table, s);
	s->gone = true;
	if (s->users)
		return;
	s->doomed = *doomed;
	*doomed = s;
}

static void touch(struct brski_sessions *table, struct brski_session *s)
{
	list_remove(use_list(table, s), BY_USE, s);
	s->touched = now_ms(table);
	list_append(use_list(table, s), BY_USE, s);
}

static void advance(struct brski_sessions *table, struct brski_session *s, enum brski_session_stage stage)
{
	if (stage <= s->stage)
		return;
	leave_lists(table, s);
	forget_station(table, s);
	if (stage == BRSKI_SESSION_OVER)
		list_remove(&table->age, BY_AGE, s);
	s->stage = stage;
	enter_lists(table, s);
}

static void destroy(struct brski_sessions *table, struct brski_session *s)
{
	table->config.free_data(s->data);
	pthread_mutex_destroy(&s->turn);
	free(s);
}

/* Without the lock. */
static void destroy_all(struct brski_sessions *table, struct brski_session *doomed)
{
	struct brski_session *next;

	for (; doomed; doomed = next) {
		next = doomed->doomed;
		destroy(table, doomed);
	}
}

/* ---- Time ---- */

/* Takes what is due out of a list; a session that somebody has is not idle. With the lock held. */
static void take_due(struct brski_sessions *table, struct list *list, enum which which, int64_t limit,
	struct brski_session **doomed)
{
	struct brski_session *s, *next;
	struct nas *nas;

	for (s = list->first; s && (which == BY_AGE ? s->born : s->touched) <= limit; s = next) {
		next = s->links[which].next;
		if (s->users)
			continue;
		nas = s->nas;
		evict(table, s, doomed);
		release_nas(table, nas);
	}
}

void brski_sessions_expire(struct brski_sessions *table)
{
	struct brski_session *doomed = NULL;
	int64_t now = now_ms(table);

	pthread_mutex_lock(&table->lock);
	take_due(table, &table->open, BY_USE, now - table->config.idle_ms, &doomed);
	take_due(table, &table->age, BY_AGE, now - table->config.total_ms, &doomed);
	take_due(table, &table->over, BY_USE, now - table->config.linger_ms, &doomed);
	pthread_mutex_unlock(&table->lock);
	destroy_all(table, doomed);
}

/* ---- Places ---- */

/* Of those that have proved nothing the oldest, of the NAS that has the most sessions. */
static struct brski_session *oldest_half_open(const struct brski_sessions *table)
{
	struct brski_session *s, *found = NULL;

	for (const struct nas *n = table->nases; n; n = n->next) {
		s = first_free(&n->half_open, OF_NAS);
		if (s && (!found || n->count > found->nas->count))
			found = s;
	}
	return found;
}

/* What gives way first, when the NAS (NULL: the whole table) has no place left. NULL: nothing does. */
static struct brski_session *weakest(const struct brski_sessions *table, const struct nas *nas)
{
	struct brski_session *s = nas ? first_free(&nas->over, OF_NAS) : first_free(&table->over, BY_USE);

	if (s)
		return s;
	return nas ? first_free(&nas->half_open, OF_NAS) : oldest_half_open(table);
}

/* With the lock held. False: there is no room, and `*err` says why. */
static bool make_room(struct brski_sessions *table, const struct nas *nas, unsigned nas_max,
	struct brski_session **doomed, struct brski_error *err)
{
	while (nas->count >= nas_max || table->count >= table->config.max) {
		bool share = nas->count >= nas_max;
		struct brski_session *s = weakest(table, share ? nas : NULL);
		struct nas *its;

		if (!s && share)
			brski_fail(err, BRSKI_TOO_LARGE,
				"%u sessions of this NAS are open: that is max_sessions_per_nas, or"
				" brski_max_sessions of its client",
				nas_max);
		else if (!s)
			brski_fail(err, BRSKI_TOO_LARGE, "%u sessions are open: that is max_sessions",
				table->config.max);
		if (!s)
			return false;
		its = s->nas;
		evict(table, s, doomed);
		if (its != nas)
			release_nas(table, its);
	}
	return true;
}

static struct nas *find_nas(const struct brski_sessions *table, const uint8_t *id)
{
	struct nas *nas = table->nases;

	while (nas && memcmp(nas->id, id, ID_LEN) != 0)
		nas = nas->next;
	return nas;
}

/* The one that has this id, or a new one without sessions; NULL: no memory. */
static struct nas *get_nas(struct brski_sessions *table, const uint8_t *id)
{
	struct nas *nas = find_nas(table, id);

	if (nas)
		return nas;
	nas = calloc(1, sizeof(*nas));
	if (!nas)
		return NULL;
	memcpy(nas->id, id, ID_LEN);
	nas->next = table->nases;
	table->nases = nas;
	return nas;
}

/* With the lock held. A station's second session takes the place of its first. */
static enum brski_code take_place(struct brski_sessions *table, const uint8_t *nas_id, unsigned nas_max,
	struct brski_session *s, struct brski_session **doomed, struct brski_error *err)
{
	struct nas *nas = get_nas(table, nas_id);
	struct brski_session *before = s->has_station ? find_station(table, s->station) : NULL;
	enum brski_code code = BRSKI_TOO_LARGE;

	if (!nas)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a session");
	if (before)
		evict(table, before, doomed);
	if (find(table, brski_span(s->state, sizeof(s->state)))) {
		code = brski_fail(err, BRSKI_INTERNAL, "the same random State came twice");
	} else if (make_room(table, nas, nas_max, doomed, err)) {
		link_session(table, nas, s);
		code = BRSKI_OK;
	}
	release_nas(table, nas);
	return code;
}

/* ---- Sessions ---- */

static bool identify(struct brski_span key, struct brski_span what, uint8_t id[ID_LEN])
{
	static const uint8_t nothing[1];

	return HMAC(EVP_sha256(), key.data, (int)key.len, what.len ? what.data : nothing, what.len, id,
		       NULL) != NULL;
}

static void session_free(struct brski_session *s)
{
	pthread_mutex_unlock(&s->turn);
	pthread_mutex_destroy(&s->turn);
	free(s);
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

static enum brski_code add_session(struct brski_sessions *table, const struct brski_session_from *from,
	struct brski_session *s, struct brski_error *err)
{
	struct brski_session *doomed = NULL;
	uint8_t nas[ID_LEN];
	enum brski_code code;

	s->has_station = from->station.len > 0;
	if (!identify(brski_span(table->secret, ID_LEN), from->nas, nas) ||
		!identify(brski_span(nas, ID_LEN), from->station, s->station))
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for a session");
	pthread_mutex_lock(&table->lock);
	code = take_place(
		table, nas, from->nas_max ? from->nas_max : table->config.max_per_nas, s, &doomed, err);
	pthread_mutex_unlock(&table->lock);
	destroy_all(table, doomed);
	return code;
}

enum brski_code brski_sessions_add(struct brski_sessions *table, const struct brski_session_from *from,
	void *data, struct brski_session **out, struct brski_error *err)
{
	struct brski_session *s;
	enum brski_code code;

	*out = NULL;
	brski_sessions_expire(table);
	s = session_new(table, data, err);
	if (!s)
		return BRSKI_NO_MEMORY;
	code = add_session(table, from, s, err);
	if (code == BRSKI_OK)
		*out = s;
	else
		session_free(s);
	return code;
}

struct brski_session *brski_sessions_get(struct brski_sessions *table, struct brski_span state)
{
	struct brski_session *s;

	brski_sessions_expire(table);
	pthread_mutex_lock(&table->lock);
	s = find(table, state);
	if (s) {
		s->users++;
		touch(table, s);
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

void brski_sessions_put(struct brski_sessions *table, struct brski_session *s, enum brski_session_stage stage)
{
	bool last;

	pthread_mutex_unlock(&s->turn);
	pthread_mutex_lock(&table->lock);
	if (!s->gone) {
		advance(table, s, stage);
		touch(table, s);
	}
	s->users--; /* from here on it may expire */
	last = s->gone && s->users == 0;
	pthread_mutex_unlock(&table->lock);
	if (last)
		destroy(table, s);
}

void brski_sessions_park(struct brski_sessions *table, struct brski_session *s, bool parked)
{
	pthread_mutex_lock(&table->lock);
	if (parked && !s->gone)
		park(table, s);
	else
		unpark(table, s);
	pthread_mutex_unlock(&table->lock);
}

unsigned brski_sessions_parked(
	struct brski_sessions *table, const struct brski_session_from *from, unsigned *of_nas)
{
	uint8_t id[ID_LEN];
	bool identified = identify(brski_span(table->secret, ID_LEN), from->nas, id);
	struct nas *nas;
	unsigned n;

	pthread_mutex_lock(&table->lock);
	n = brski_tally_count(&table->parked, period(table));
	nas = n > 0 && identified ? find_nas(table, id) : NULL;
	*of_nas = nas ? brski_tally_count(&nas->parked, period(table)) : 0;
	pthread_mutex_unlock(&table->lock);
	return n;
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
	enum brski_code code;

	*out = NULL;
	if (!table)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for the table of sessions");
	table->config = *config;
	if (!table->config.parked_ms)
		table->config.parked_ms = PARKED_MS;
	if (!table->config.max_per_nas)
		table->config.max_per_nas = (config->max + 1) / 2;
	code = brski_random(config->env, table->secret, sizeof(table->secret), err);
	if (code != BRSKI_OK) {
		free(table);
		return code;
	}
	pthread_mutex_init(&table->lock, NULL);
	*out = table;
	return BRSKI_OK;
}

void brski_sessions_free(struct brski_sessions *table)
{
	struct brski_session *doomed = NULL;

	if (!table)
		return;
	take_due(table, &table->open, BY_USE, INT64_MAX, &doomed);
	take_due(table, &table->over, BY_USE, INT64_MAX, &doomed);
	destroy_all(table, doomed);
	pthread_mutex_destroy(&table->lock);
	free(table);
}
