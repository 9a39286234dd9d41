/* SPDX-License-Identifier: MIT */
/*
 * Rows are checked all before anything is opened. Then, batch by batch: records are prepared, all CPUs hash, and one
 * transaction puts them in the store, after their lines are durable in the output. Whatever ends the process, the
 * output has every token that is in the store, and --resume cuts off those that are not.
 */
#include "bulk.h"

#include "bulk_out.h"
#include "hash.h"
#include "names.h"
#include "progress.h"
#include "secret.h"
#include "tokens.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define A_CPU 64u /* jobs in a batch: a second or two, so that the flushes to disk do not count */
#define CPUS_MAX 64

struct job {
	struct glt_row row;
	Glt__Token *t;
	struct glt_token_text text;
	enum glt_status st;
	struct glt_err err;
};

struct run {
	struct glt_cli *cli;
	struct glt_rows *rows;
	struct glt_bulk_out out;
	struct glt_names names;
	struct glt_progress progress;
	uint64_t done, total;
	unsigned cpus;
	struct job *job;
	size_t n, room;
	atomic_size_t next, hashed;
};

/* ---- hashing ---- */

static bool hash_one(struct run *r)
{
	size_t i = atomic_fetch_add(&r->next, 1);
	struct job *j = &r->job[i];

	if (i >= r->n)
		return false;
	j->st = glt_secret_draw(&r->cli->conf, j->row.req.type, j->t, &j->text, &j->err);
	atomic_fetch_add(&r->hashed, 1);
	return true;
}

static void *work(void *arg)
{
	glt_hash_keep(true);
	while (hash_one(arg))
		;
	glt_hash_keep(false);
	return NULL;
}

static void hash_all(struct run *r)
{
	pthread_t thread[CPUS_MAX];
	unsigned n = 0;

	atomic_store(&r->next, 0);
	atomic_store(&r->hashed, 0);
	while (n + 1 < r->cpus && pthread_create(&thread[n], NULL, work, r) == 0)
		n++;
	glt_hash_keep(true);
	while (hash_one(r))
		glt_progress_show(&r->progress, r->done + atomic_load(&r->hashed));
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
}

/* ---- one batch ---- */

static int failed(struct run *r, const struct job *j, const struct glt_err *err)
{
	glt_progress_end(&r->progress);
	glt_cli_warn(r->cli, "row %zu: %s", j->row.number, err->text);
	return glt_cli_exit(err->status);
}

static int prepare(struct run *r)
{
	struct glt_err err;

	for (r->n = 0; r->n < r->room; r->n++) {
		struct job *j = &r->job[r->n];

		*j = (struct job){.st = GLT_UNAVAILABLE};
		if (!glt_rows_next(r->rows, &j->row))
			break;
		j->row.req.actor = r->cli->actor;
		if (glt_issue_prepare(r->cli->store, &r->cli->conf, &j->row.req, &j->t, &err) != GLT_OK) {
			r->n++;
			return failed(r, j, &err);
		}
	}
	return GLT_EXIT_OK;
}

static void clear(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		glt_row_free(r->rows, &r->job[i].row);
		glt_token_free(r->job[i].t);
		glt_token_wipe(&r->job[i].text);
	}
	r->n = 0;
}

/* Into the transaction; the last one's change is left in *c for the apply. */
static enum glt_status stage(struct run *r, struct glt_txn *txn, struct glt_change **c, struct job **at,
			     struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	glt_names_begin(&r->names, txn);
	for (size_t i = 0; st == GLT_OK && i < r->n; i++) {
		struct job *j = *at = &r->job[i];

		if (*c)
			st = glt_store_stage(txn, *c, err);
		glt_change_free(*c);
		*c = st == GLT_OK ? glt_change_new() : NULL;
		if (st == GLT_OK && !*c)
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
		if (st == GLT_OK && j->st != GLT_OK)
			st = glt_fail(err, j->st, "%s", j->err.text);
		if (st == GLT_OK)
			st = glt_names_take(&r->names, txn, &j->row.req, err);
		j->row.req.name_is_free = true;
		if (st == GLT_OK)
			st = glt_issue_put(r->cli->store, &r->cli->conf, txn, *c, &j->row.req, j->t, &j->text, err);
		if (st == GLT_OK && !glt_bulk_out_add(&r->out, j->t, &j->text))
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the output");
	}
	glt_names_end(&r->names, txn);
	return st;
}

static int put(struct run *r)
{
	struct glt_change *c = NULL;
	struct job *at = r->job;
	struct glt_txn *txn;
	struct glt_err err;
	enum glt_status st = glt_txn_begin(r->cli->store, true, &txn, &err);

	if (st == GLT_OK) {
		st = stage(r, txn, &c, &at, &err);
		if (st == GLT_OK && !glt_bulk_out_sync(&r->out))
			st = glt_fail(&err, GLT_UNAVAILABLE, "%s cannot be written: %s", r->out.path,
				      strerror(errno));
		if (st == GLT_OK)
			st = glt_store_apply(txn, c, &err);
		else
			glt_txn_end(txn);
	}
	glt_change_free(c);
	if (st != GLT_OK) {
		glt_bulk_out_take_back(&r->out);
		return failed(r, at, &err);
	}
	glt_bulk_out_keep(&r->out);
	r->done += r->n;
	glt_progress_show(&r->progress, r->done);
	return GLT_EXIT_OK;
}

/* ---- all ---- */

/* What is counted up differs in its numbers only. */
static uint64_t check_all(struct glt_rows *rows, uint64_t count)
{
	struct glt_row row;
	uint64_t n = 0;

	for (; (!count || n < 1) && glt_rows_next(rows, &row); n++)
		glt_row_free(rows, &row);
	glt_rows_rewind(rows);
	return count ? count : n;
}

static int issue_all(struct run *r)
{
	int rc = GLT_EXIT_OK;

	glt_progress_start(&r->progress, r->done, r->total);
	while (rc == GLT_EXIT_OK && r->done < r->total) {
		rc = prepare(r);
		if (rc == GLT_EXIT_OK && r->n == 0)
			break;
		if (rc == GLT_EXIT_OK) {
			hash_all(r);
			rc = put(r);
		}
		clear(r);
	}
	if (rc == GLT_EXIT_OK) {
		glt_progress_end(&r->progress);
		glt_cli_say("Issued %" PRIu64 " tokens; they are in %s. The store keeps only hashes of them.",
			    r->done, r->out.path);
	} else if (r->done) {
		glt_cli_say("%" PRIu64 " of %" PRIu64
			    " tokens were issued and are in %s; --resume goes on with the others.",
			    r->done, r->total, r->out.path);
	}
	return rc;
}

static int open_all(struct run *r, const struct glt_bulk *bulk)
{
	int rc = glt_bulk_out_open(r->cli, bulk, &r->out);

	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(r->cli, true);
	return rc == GLT_EXIT_OK && bulk->resume ? glt_bulk_out_resume(r->cli, &r->out, r->rows, &r->done) : rc;
}

int glt_bulk_issue(struct glt_cli *cli, const struct glt_bulk *bulk)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct run r = {.cli = cli, .out = {.fd = -1}};
	int rc = glt_cli_config(cli);

	if (rc != GLT_EXIT_OK)
		return rc;
	r.rows = glt_rows_open(cli, bulk, &rc);
	if (!r.rows)
		return rc;
	r.total = check_all(r.rows, bulk->count);
	if (bulk->dry_run) {
		glt_cli_say("Would issue %" PRIu64 " tokens.", r.total);
		glt_rows_close(r.rows);
		return GLT_EXIT_OK;
	}
	r.cpus = cpus < 1 ? 1 : cpus > CPUS_MAX ? CPUS_MAX : (unsigned)cpus;
	r.room = (size_t)A_CPU * r.cpus;
	r.job = glt_cli_alloc(NULL, r.room, sizeof(*r.job));
	rc = open_all(&r, bulk);
	if (rc == GLT_EXIT_OK)
		rc = issue_all(&r);
	glt_bulk_out_close(&r.out);
	glt_names_free(&r.names);
	glt_rows_close(r.rows);
	free(r.job);
	return rc;
}
