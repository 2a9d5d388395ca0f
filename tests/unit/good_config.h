/* good_config: settings that a test knows to be good. */
#ifndef TALLYD_TESTS_GOOD_CONFIG_H
#define TALLYD_TESTS_GOOD_CONFIG_H

#include "config/config_load.h"
#include "unit.h"

/* Of an array of texts as -s takes them. */
#define GOOD_CONFIG(settings)                                                  \
    good_config(settings, sizeof(settings) / sizeof((settings)[0]))

static inline struct config *good_config(const char *const *settings,
                                         size_t count)
{
    char why[CONFIG_ERROR_MAX];
    struct config *c = config_load(NULL, NULL, settings, count, why);
    ck_assert_msg(c != NULL, "%s", why);
    return c;
}

#endif
