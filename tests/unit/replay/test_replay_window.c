/* replay_window: cases leave in order, and posts find theirs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/replay_window.h"
#include "unit.h"

static struct window open_three(size_t size)
{
    struct window w = {.asks = {true, true, false},
                       .listens = {true, true},
                       .settle = 100,
                       .run = "replay-x"};
    ck_assert(replay_window_open(&w, size, 1));
    return w;
}

static void add(struct window *w)
{
    const struct corpus_item item = {
        .state = CORPUS_BODY, .body = strdup("b"), .body_len = 1};
    replay_window_add(w, &item);
}

static void answered(struct slot *s, int who, int status, int64_t now)
{
    const struct replay_result r = {.end = CALL_ANSWERED, .status = status};
    s->legs[who].state = LEG_OUT;
    replay_window_answered(s, who, &r, strdup(""), now);
}

START_TEST(it_fills_and_empties_in_order)
{
    struct window w = open_three(3);
    int64_t due = INT64_MAX;
    add(&w);
    add(&w);
    ck_assert(replay_window_has_room(&w));
    add(&w);
    ck_assert(!replay_window_has_room(&w));
    struct slot *first = replay_window_ask(&w, OURS);
    ck_assert_uint_eq(first->number, 1);
    first->legs[OURS].state = LEG_OUT;
    ck_assert_uint_eq(replay_window_ask(&w, OURS)->number, 2);
    ck_assert_uint_eq(replay_window_ask(&w, THEIRS)->number, 1);
    /* The second is done before the first. */
    struct slot *second = replay_window_ask(&w, OURS);
    answered(second, OURS, 400, 1);
    answered(second, THEIRS, 400, 1);
    ck_assert_ptr_null(replay_window_ready(&w, 1, &due));
    answered(first, OURS, 400, 2);
    ck_assert_ptr_null(replay_window_ready(&w, 2, &due));
    answered(first, THEIRS, 400, 2);
    ck_assert_ptr_eq(replay_window_ready(&w, 2, &due), first);
    replay_window_drop(&w);
    ck_assert_ptr_eq(replay_window_ready(&w, 2, &due), second);
    replay_window_drop(&w);
    ck_assert(replay_window_has_room(&w));
    ck_assert_int_eq(due, INT64_MAX);
    replay_window_close(&w);
}
END_TEST

START_TEST(the_third_is_asked_after_theirs)
{
    struct window w = open_three(2);
    w.asks[AGAIN] = true;
    add(&w);
    ck_assert_ptr_null(replay_window_ask(&w, AGAIN));
    answered(replay_window_ask(&w, OURS), OURS, 200, 1);
    ck_assert_ptr_null(replay_window_ask(&w, AGAIN));
    answered(replay_window_ask(&w, THEIRS), THEIRS, 200, 1);
    ck_assert_ptr_nonnull(replay_window_ask(&w, AGAIN));
    replay_window_close(&w);
}
END_TEST

START_TEST(posts_find_their_case_by_id)
{
    struct window w = open_three(4);
    char id[REPLAY_ID_MAX];
    add(&w);
    add(&w);
    struct slot *second = &w.slots[2 % 4];
    replay_window_id(&w, second, THEIRS, id);
    ck_assert_str_eq(id, "replay-x-2-1");
    replay_window_posted(&w, 1, id, "{\"sum\":1}", 9);
    replay_window_posted(&w, 1, id, "again", 5);
    ck_assert_int_eq(second->legs[THEIRS].posts, 2);
    ck_assert_str_eq(second->legs[THEIRS].posted, "{\"sum\":1}");
    ck_assert_uint_eq(second->legs[THEIRS].posted_len, 9);
    ck_assert_int_eq(second->legs[OURS].posts, 0);
    ck_assert_uint_eq(w.late + w.unpaired, 0);
    static const char *const strange[] = {
        "replay-x-9-0",  "replay-x-0-0",  "replay-x-1-3",
        "replay-x-1-01", "replay-x-1",    "replay-x-1-",
        "replay-x",      "replay-x-1-0x", "replay-xy"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        replay_window_posted(&w, 0, strange[i], "x", 1);
        ck_assert_uint_eq(w.late, i + 1);
    }
    replay_window_posted(&w, 0, "other-1-0", "x", 1);
    replay_window_posted(&w, 0, NULL, "x", 1);
    ck_assert_uint_eq(w.unpaired, 2);
    replay_window_close(&w);
}
END_TEST

START_TEST(posts_find_the_only_case_without_an_id)
{
    struct window w = open_three(1);
    w.asks[AGAIN] = true;
    replay_window_posted(&w, 0, NULL, "early", 5);
    ck_assert_uint_eq(w.late, 1);
    add(&w);
    struct slot *s = replay_window_ask(&w, OURS);
    replay_window_posted(&w, 0, NULL, "a", 1);
    replay_window_posted(&w, 1, "an id of theirs", "b", 1);
    answered(s, THEIRS, 200, 1);
    s->legs[AGAIN].state = LEG_OUT;
    replay_window_posted(&w, 1, NULL, "c", 1);
    ck_assert_str_eq(s->legs[OURS].posted, "a");
    ck_assert_str_eq(s->legs[THEIRS].posted, "b");
    ck_assert_str_eq(s->legs[AGAIN].posted, "c");
    ck_assert_uint_eq(w.unpaired, 0);
    replay_window_close(&w);
}
END_TEST

/* A reply of success without a post: the post may be on its way. */
START_TEST(a_post_may_be_overdue)
{
    struct window w = open_three(2);
    int64_t due = INT64_MAX;
    add(&w);
    struct slot *s = replay_window_ask(&w, OURS);
    answered(s, OURS, 200, 10);
    answered(s, THEIRS, 200, 20);
    replay_window_posted(&w, 0, "replay-x-1-0", "x", 1);
    ck_assert_ptr_null(replay_window_ready(&w, 119, &due));
    ck_assert_int_eq(due, 120);
    ck_assert_ptr_eq(replay_window_ready(&w, 120, &due), s);
    replay_window_posted(&w, 1, "replay-x-1-1", "x", 1);
    ck_assert_ptr_eq(replay_window_ready(&w, 21, &due), s);
    replay_window_close(&w);
}
END_TEST

START_TEST(what_has_no_body_asks_nobody)
{
    struct window w = open_three(2);
    int64_t due = INT64_MAX;
    const struct corpus_item item = {.state = CORPUS_BROKEN};
    replay_window_add(&w, &item);
    ck_assert_ptr_null(replay_window_ask(&w, OURS));
    ck_assert_ptr_nonnull(replay_window_ready(&w, 0, &due));
    replay_window_close(&w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_fills_and_empties_in_order, the_third_is_asked_after_theirs,
        posts_find_their_case_by_id,   posts_find_the_only_case_without_an_id,
        a_post_may_be_overdue,         what_has_no_body_asks_nobody,
    };
    return UNIT_MAIN("replay_window", tests);
}
