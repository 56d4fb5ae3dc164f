/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/registrar_https/pool.h"

#include <stdlib.h>
#include <unistd.h>

#include "services/base/thread.h"

#define THREADS_MIN 2 /* one may wait for somebody while the other works */

struct line {
	struct pool_work *first, **last;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct line going, fresh; /* guarded by lock, as all below */
	unsigned n_fresh, queue_max;
	bool stopping;
	unsigned n_threads; /* this one by whoever made the pool alone */
	pthread_t threads[];
};

unsigned pool_threads_default(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > THREADS_MIN ? (unsigned)n : THREADS_MIN;
}

static void append(struct line *line, struct pool_work *work)
{
	work->next = NULL;
	*line->last = work;
	line->last = &work->next;
}

static struct pool_work *take_first(struct line *line)
{
	struct pool_work *work = line->first;

	line->first = work->next;
	if (!line->first)
		line->last = &line->first;
	return work;
}

/* NULL: it is over. Locked. */
static struct pool_work *next_work(struct pool *pool)
{
	while (!pool->stopping && !pool->going.first && !pool->fresh.first)
		pthread_cond_wait(&pool->changed, &pool->lock);
	if (pool->stopping)
		return NULL;
	if (pool->going.first)
		return take_first(&pool->going);
	pool->n_fresh--;
	return take_first(&pool->fresh);
}

static void *work_off(void *arg)
{
	struct pool *pool = arg;
	struct pool_work *work;

	pthread_mutex_lock(&pool->lock);
	while ((work = next_work(pool))) {
		pthread_mutex_unlock(&pool->lock);
		work->run(work);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

enum brski_code pool_new(unsigned threads, unsigned queue_max, struct pool **out, struct brski_error *err)
{
	struct pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
	enum brski_code code = BRSKI_OK;

	*out = NULL;
	if (!pool)
		return brski_fail(err, BRSKI_NO_MEMORY, "no memory for threads");
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	pool->going.last = &pool->going.first;
	pool->fresh.last = &pool->fresh.first;
	pool->queue_max = queue_max;
	while (code == BRSKI_OK && pool->n_threads < threads) {
		code = brski_thread_start(
			&pool->threads[pool->n_threads], work_off, pool, "for requests", err);
		pool->n_threads += code == BRSKI_OK;
	}
	if (code == BRSKI_OK)
		*out = pool;
	else
		pool_free(pool);
	return code;
}

bool pool_offer(struct pool *pool, struct pool_work *work)
{
	bool room;

	pthread_mutex_lock(&pool->lock);
	room = pool->n_fresh < pool->queue_max;
	if (room) {
		append(&pool->fresh, work);
		pool->n_fresh++;
		pthread_cond_signal(&pool->changed);
	}
	pthread_mutex_unlock(&pool->lock);
	return room;
}

void pool_put(struct pool *pool, struct pool_work *work)
{
	pthread_mutex_lock(&pool->lock);
	append(&pool->going, work);
	pthread_cond_signal(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}

void pool_stop(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	while (pool->n_threads > 0)
		pthread_join(pool->threads[--pool->n_threads], NULL);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pool_stop(pool);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
