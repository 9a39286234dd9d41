/* SPDX-License-Identifier: MIT */
/* Times of things that are measured in turn, and what they are to the first of them. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>

double measure_now_us(void);
/* times[i * ways + w] of round i. Prints a JSON object: for each name its median and p99, and the median of its
 * ratio to the first one of the same round. */
void measure_print(const double *times, size_t rounds, const char *const names[], size_t ways);
double measure_quantile(double *values, size_t n, double q); /* sorts them */

#endif
