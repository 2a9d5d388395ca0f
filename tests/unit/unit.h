/* unit: what every unit test's main() does. Prints TAP. */
#ifndef TALLYD_TESTS_UNIT_H
#define TALLYD_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* Run the tests of an array, each in a process of its own; UNIT_RUN_WITH has
 * `open` and `close` called there before and after it. */
#define UNIT_MAIN(room, tests) UNIT_RUN_WITH(room, tests, NULL, NULL)
#define UNIT_RUN_WITH(room, tests, open, close)                                \
    unit_run(room, tests, sizeof(tests) / sizeof((tests)[0]), open, close)

static inline int unit_run(const char *room, const TTest *const *tests,
                           size_t count, void (*open)(void),
                           void (*close)(void))
{
    TCase *cases = tcase_create(room);
    tcase_add_checked_fixture(cases, open, close);
    tcase_set_timeout(cases, 600);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(cases, tests[i]);
    Suite *suite = suite_create(room);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* As ck_assert(), which writes to a pipe each time: too much for millions. */
#define EXPECT(condition)                                                      \
    do {                                                                       \
        if (!(condition))                                                      \
            ck_abort_msg("%s", #condition);                                    \
    } while (0)

#endif
