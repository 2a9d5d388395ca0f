/* config: the settings of a pool and its endpoints (config.def).
 *
 * The only user of libinih. Whatever is wrong is told with file, line, key
 * and what would be right; nothing is guessed. */
#ifndef TALLYD_ADAPTERS_CONFIG_H
#define TALLYD_ADAPTERS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How each type of config.def is kept. */
typedef char *config_TEXT, *config_WORD, *config_FILEPATH, *config_URLPATH,
    *config_URL, *config_ADDRESS;
typedef int64_t config_COUNT, config_SIZE, config_DURATION, config_MODE,
    config_CHOICE;

struct config_pool {
#define POOL(name, type, def, allowed, help) config_##type name;
#include "adapters/config.def"
};

enum config_reply { CONFIG_REPLY_AUTO, CONFIG_REPLY_OK, CONFIG_REPLY_SUM };
enum config_keepalive { CONFIG_KEEPALIVE_ON, CONFIG_KEEPALIVE_OFF };
enum config_resend { CONFIG_RESEND_NEVER, CONFIG_RESEND_ONCE };

struct config_endpoint {
    char *name;
    unsigned line; /* of its section in the file; 0: from -s */
#define ENDPOINT(name, type, def, allowed, help) config_##type name;
#include "adapters/config.def"
};

#define CONFIG_ENDPOINTS_MAX 64

struct config {
    struct config_pool pool;
    struct config_endpoint *endpoints[CONFIG_ENDPOINTS_MAX];
    size_t endpoint_count; /* at least 1 after config_load() */
};

/* Room for one message, e.g. "/etc/tallyd.conf:12: [pool] workers: ...". */
#define CONFIG_ERROR_MAX 512

/* Read `path` (NULL: defaults alone), then apply `overrides`, each of the form
 * "section.key=value". NULL: `error` says what is wrong and where. `reply` is
 * never CONFIG_REPLY_AUTO in the result. */
struct config *config_load(const char *path, const char *const *overrides,
                           size_t override_count, char error[CONFIG_ERROR_MAX]);

void config_free(struct config **c);

/* Print every effective value in the form config_load() reads. */
void config_print(const struct config *c, FILE *out);

#endif
