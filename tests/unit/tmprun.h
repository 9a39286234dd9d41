/* SPDX-License-Identifier: MIT */
/* *state is a struct glt_conf whose run_dir is a fresh folder, 0700. */
#ifndef TMPRUN_H
#define TMPRUN_H

#include "conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>

int tmprun_setup(void **state);
int tmprun_teardown(void **state);
#define with_run(test) cmocka_unit_test_setup_teardown(test, tmprun_setup, tmprun_teardown)

void tmprun_remove(const struct glt_conf *conf, const char *name);
bool tmprun_missing(const struct glt_conf *conf, const char *name);

#endif
