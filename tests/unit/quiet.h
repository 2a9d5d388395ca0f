/* quiet: a room whose log lines are of no interest to its test. */
#ifndef TALLYD_TESTS_QUIET_H
#define TALLYD_TESTS_QUIET_H

#include <check.h>

#include "base/log.h"

static inline void quiet(void)
{
    const struct log_plan plan = {
        .level = LOG_ERROR, .file = "/dev/null", .socket = "", .pool = ""};
    char why[200];
    ck_assert_msg(log_start(&plan, why, sizeof why), "%s", why);
}

#endif
