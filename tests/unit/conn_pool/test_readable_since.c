/* readable_since: a wait that is told was one, however slow whoever looked was.
 */
#include "conn_pool/readable_since.h"

#include <stdbool.h>
#include "unit.h"

static struct readable_since arrival;

static void look(int64_t began, int64_t ended)
{
    readable_since_seen(&arrival, readable_since_word(&arrival), began, ended);
}

/* Has a look found something to read that no worker has taken yet? */
static bool waits(const struct readable_since *a)
{
    return readable_since_word(a) > 0;
}

START_TEST(what_a_look_finds_had_come_by_its_end)
{
    ck_assert_int_eq(readable_since_taken(&arrival), 0);
    readable_since_parked(&arrival, 100);
    ck_assert(!waits(&arrival));
    look(5000, 5001);
    ck_assert(waits(&arrival));
    look(6000, 6001); /* it is known already */
    ck_assert_int_eq(readable_since_taken(&arrival), 5001);
    ck_assert(!waits(&arrival));
    ck_assert_int_eq(readable_since_taken(&arrival), 0);
}
END_TEST

START_TEST(being_parked_is_no_wait)
{
    readable_since_parked(&arrival, 100);
    ck_assert_int_eq(readable_since_taken(&arrival), 0);
}
END_TEST

START_TEST(what_somebody_reads_from_does_not_wait)
{
    look(1000, 1001);
    ck_assert(!waits(&arrival));
    readable_since_parked(&arrival, 2000);
    readable_since_taken(&arrival);
    look(3000, 3001);
    ck_assert(!waits(&arrival));
}
END_TEST

START_TEST(a_look_from_before_it_was_parked_says_nothing)
{
    readable_since_parked(&arrival, 1000);
    look(999, 1001);
    look(1000, 1001);
    ck_assert(!waits(&arrival));
    look(1001, 1001);
    ck_assert(waits(&arrival));
}
END_TEST

START_TEST(a_look_that_was_overtaken_says_nothing)
{
    readable_since_parked(&arrival, 1000);
    int64_t word = readable_since_word(&arrival);
    readable_since_taken(&arrival);
    readable_since_seen(&arrival, word, 2000, 2001);
    ck_assert(!waits(&arrival));
    readable_since_parked(&arrival, 3000);
    readable_since_seen(&arrival, word, 2000, 2001);
    readable_since_gone(&arrival, word);
    ck_assert(!waits(&arrival));
    look(4000, 4001);
    ck_assert_int_eq(readable_since_taken(&arrival), 4001);
}
END_TEST

START_TEST(who_has_left_does_not_wait)
{
    readable_since_parked(&arrival, 1000);
    look(2000, 2001);
    readable_since_gone(&arrival, readable_since_word(&arrival));
    ck_assert(!waits(&arrival));
    ck_assert_int_eq(readable_since_taken(&arrival), 0);
}
END_TEST

/* One connection, its owner and three that look, in steps by chance. */
enum { LOOKERS = 3 };

struct looker {
    int step;
    int64_t began, ended, word;
    bool found;
};

static uint32_t random_state = 1;

static uint32_t chance(uint32_t n)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 16) % n;
}

static void step_look(struct looker *l, int64_t now, bool readable)
{
    switch (l->step) {
    case 0:
        l->began = now;
        break;
    case 1:
        l->found = readable;
        break;
    case 2:
        l->ended = now;
        break;
    case 3:
        l->word = readable_since_word(&arrival);
        break;
    default:
        if (l->found)
            readable_since_seen(&arrival, l->word, l->began, l->ended);
    }
    l->step = l->step == 4 || chance(50) == 0 ? 0 : l->step + 1; /* or dies */
}

START_TEST(it_never_says_too_much)
{
    struct looker lookers[LOOKERS] = {0};
    int64_t came = 0; /* 0: nothing to read */
    bool parked = false;
    uint64_t known = 0, taken = 0;
    for (int64_t now = 1; now < 3000000; now++) {
        step_look(&lookers[chance(LOOKERS)], now, came != 0);
        if (came == 0 && chance(20) == 0)
            came = now;
        if (!parked && came != 0 && chance(4) == 0)
            came = 0; /* read */
        if (!parked && chance(9) == 0) {
            /* Its owner has read all, sees the time, and is slow. */
            came = 0;
            int64_t at = now;
            while (chance(3) != 0)
                step_look(&lookers[chance(LOOKERS)], ++now, came != 0);
            if (chance(4) == 0)
                came = ++now;
            readable_since_parked(&arrival, at);
            parked = true;
        } else if (parked && came != 0 && chance(9) == 0) {
            int64_t by = readable_since_taken(&arrival);
            EXPECT(by == 0 || by >= came);
            EXPECT(by <= now);
            taken++;
            known += by != 0;
            parked = false;
        }
        EXPECT(!waits(&arrival) || (parked && came != 0));
    }
    ck_assert_uint_gt(known, taken / 4);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_a_look_finds_had_come_by_its_end,
        being_parked_is_no_wait,
        what_somebody_reads_from_does_not_wait,
        a_look_from_before_it_was_parked_says_nothing,
        a_look_that_was_overtaken_says_nothing,
        who_has_left_does_not_wait,
        it_never_says_too_much,
    };
    return UNIT_MAIN("readable_since", tests);
}
