/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double measure_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

double measure_quantile(double *values, size_t n, double q)
{
	qsort(values, n, sizeof(*values), compare);
	return values[(size_t)((double)(n - 1) * q + 0.5)];
}

void measure_print(const double *times, size_t rounds, const char *const names[], size_t ways)
{
	double *one = calloc(rounds, sizeof(*one)), *ratio = calloc(rounds, sizeof(*ratio));

	if (!one || !ratio)
		abort();
	printf("{");
	for (size_t w = 0; w < ways; w++) {
		for (size_t i = 0; i < rounds; i++) {
			one[i] = times[i * ways + w];
			ratio[i] = one[i] / times[i * ways];
		}
		printf("%s\"%s\": {\"median_us\": %.1f, ", w ? ", " : "", names[w],
		       measure_quantile(one, rounds, 0.5));
		printf("\"p10_us\": %.1f, \"p99_us\": %.1f, \"ratio\": %.3f}", measure_quantile(one, rounds, 0.1),
		       measure_quantile(one, rounds, 0.99), measure_quantile(ratio, rounds, 0.5));
	}
	printf("}\n");
	free(one);
	free(ratio);
}
