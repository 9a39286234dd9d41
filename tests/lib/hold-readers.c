/* SPDX-License-Identifier: MIT */
/*
 * hold-readers FILE N: N snapshots of a store are open, as by processes that hang. It prints its number and waits to be
 * killed. hold-readers FILE N dead: they are those of a child that is killed first, beside one that lives.
 */
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int hold(const char *file, long n)
{
	MDB_env *env;
	MDB_txn *txn;
	int rc = mdb_env_create(&env);

	if (rc == 0)
		rc = mdb_env_set_maxreaders(env, 1024);
	if (rc == 0)
		rc = mdb_env_open(env, file, MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY, 0600);
	while (rc == 0 && n-- > 0)
		rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		(void)fprintf(stderr, "%s\n", mdb_strerror(rc));
	return rc;
}

int main(int argc, char **argv)
{
	const long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int ready[2];
	char c;

	if (n < 1 || pipe(ready) != 0)
		return 2;
	if (argc > 3) {
		/* Opened after the fork: LMDB's environments are not for children. */
		pid_t child = fork();

		if (child == 0)
			return hold(argv[1], n) == 0 && write(ready[1], "", 1) == 1 ? pause() : 1;
		(void)close(ready[1]);
		if (child < 0 || read(ready[0], &c, 1) != 1 || hold(argv[1], 1) != 0 ||
		    kill(child, SIGKILL) != 0 || waitpid(child, NULL, 0) != child)
			return 1;
	} else if (hold(argv[1], n) != 0) {
		return 1;
	}
	(void)printf("%d\n", (int)getpid());
	(void)fflush(stdout);
	(void)pause();
	return 0;
}
