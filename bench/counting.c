/* What all counters and histograms of one request cost.
 *
 * Compiled and run by bench/counting. Does what a worker does for a request
 * with a body and a post: begin, one chunk of body and its end, decode, post,
 * count, reply, end; all of it with clock readings, none with work between. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "scoreboard/scoreboard.h"
#include "worker/phases.h"

#define ROUNDS 9
#define REQUESTS 2000000

static void count_one(struct phases *p, struct scoreboard_slot *s)
{
    phases_begin(p, s);
    scoreboard_begin(s, p->begun);
    scoreboard_state(s, WORKER_BUSY);
    scoreboard_note_request(s, "POST", "/sum",
                            "19e66952f8dc56e7c85596de23595100");
    phases_set(p, TIMING_queue, 1000000);
    scoreboard_state(s, WORKER_READING);
    phases_skip(p);
    phases_spend(p, TIMING_body);
    phases_spend(p, TIMING_decode);
    scoreboard_add(&s->counters[COUNTER_body_bytes], 1000);
    phases_spend(p, TIMING_body);
    scoreboard_state(s, WORKER_POSTING);
    phases_spend(p, TIMING_decode);
    phases_spend(p, TIMING_downstream);
    phases_set(p, TIMING_connect, 100000);
    phases_set(p, TIMING_first_byte, 300000);
    scoreboard_state(s, WORKER_BUSY);
    scoreboard_count(&s->outcomes[OUTCOME_ok]);
    scoreboard_add(&s->counters[COUNTER_downstream_posts], 1);
    scoreboard_add(&s->counters[COUNTER_downstream_connects], 0);
    scoreboard_add(&s->counters[COUNTER_downstream_resends], 0);
    scoreboard_state(s, WORKER_WRITING);
    phases_skip(p);
    phases_spend(p, TIMING_write);
    phases_end(p, OUTCOME_ok);
    scoreboard_state(s, WORKER_IDLE);
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(void)
{
    struct scoreboard *b = scoreboard_new("", 1, NULL);
    struct phases phases;
    double all[ROUNDS], clock_all[ROUNDS];
    if (b == NULL)
        return EXIT_FAILURE;
    for (int r = 0; r < ROUNDS; r++) {
        int64_t began = clock_now();
        for (int i = 0; i < REQUESTS; i++)
            count_one(&phases, &b->slots[0]);
        int64_t middle = clock_now();
        int64_t sink = 0;
        for (int i = 0; i < REQUESTS; i++)
            sink ^= clock_now();
        int64_t end = clock_now() + (sink & 0);
        all[r] = (double)(middle - began) / REQUESTS;
        clock_all[r] = (double)(end - middle) / REQUESTS;
    }
    qsort(all, ROUNDS, sizeof all[0], compare);
    qsort(clock_all, ROUNDS, sizeof clock_all[0], compare);
    printf("a request: %.0f ns (%.0f to %.0f), one clock reading: %.0f ns\n",
           all[ROUNDS / 2], all[0], all[ROUNDS - 1], clock_all[ROUNDS / 2]);
    return EXIT_SUCCESS;
}
