/* board_place: where the scoreboard of a pool is looked for. */
#include <string.h>

#include "scoreboard/board_place.h"
#include "unit.h"

static char path[BOARD_PLACE_MAX];

START_TEST(there_are_two_places)
{
    ck_assert(board_place(0, "main", path));
    ck_assert_str_eq(path, "/run/tallyd/main.scoreboard");
    ck_assert(board_place(1, "main", path));
    ck_assert_str_eq(path, "/run/tallyd/main/scoreboard");
}
END_TEST

START_TEST(a_name_that_leads_elsewhere_is_none)
{
    static const char *const bad[] = {"", ".", "..", ".x", "a/b", "/", "../x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int place = 0; place < 2; place++)
            ck_assert_msg(!board_place(place, bad[i], path), "%s", bad[i]);
}
END_TEST

START_TEST(a_path_has_an_end)
{
    char name[BOARD_PLACE_MAX + 1] = "";
    size_t most = BOARD_PLACE_MAX - strlen("/run/tallyd/.scoreboard") - 1;
    memset(name, 'x', most);
    for (int place = 0; place < 2; place++) {
        name[most] = '\0';
        ck_assert(board_place(place, name, path));
        name[most] = 'x';
        ck_assert(!board_place(place, name, path));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {there_are_two_places,
                                  a_name_that_leads_elsewhere_is_none,
                                  a_path_has_an_end};
    return UNIT_MAIN("board_place", tests);
}
