/* config_variable: which setting an environment variable is.
 *
 * TALLYD_POOL_WORKERS is workers of [pool], TALLYD_ENDPOINT_CART_PATH is path
 * of [endpoint cart], TALLYD_SHADOW_URL is url of [shadow]; _FILE behind such a
 * name means that the value is in a file. What is neither letter nor digit in a
 * name of the settings is an _ in that of the variable, and case is ignored.
 * Pure. */
#ifndef TALLYD_CONFIG_CONFIG_VARIABLE_H
#define TALLYD_CONFIG_CONFIG_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/config.h"
#include "config/config_environment.h"
#include "config/config_setting.h"

#define CONFIG_ENDPOINT_NAME_MAX 32

/* Where variables may lead: the endpoints that the settings have without the
 * environment, and those that it adds. */
struct config_names {
    const struct config *config;
    char list[2 * CONFIG_ENDPOINTS_MAX][CONFIG_ENDPOINT_NAME_MAX + 1];
    size_t count;
};

/* Note the endpoints of the settings, as they are now, and those of which
 * nothing but TALLYD_ENDPOINT_NAME_PATH is known: they get NAME in small
 * letters. At most CONFIG_ENDPOINTS_MAX of the latter; the rest is unknown. */
void config_variable_names(struct config_names *n, const struct config *c,
                           const struct config_environment *e);

/* A setting: what stands in the brackets of its section, and its key. */
struct config_place {
    char section[CONFIG_ENDPOINT_NAME_MAX + 16];
    char key[SETTING_MEMBER_MAX + 16];
    bool file; /* the variable names the file that has the value */
};

enum config_variable_kind {
    CONFIG_VARIABLE_SETTING, /* at *place */
    /* One of those that Kubernetes and container engines set for a service
     * whose name is, or begins with, "tallyd": TALLYD_SERVICE_HOST,
     * TALLYD_PORT_9000_TCP_ADDR and so on (Kubernetes, "Accessing the
     * Service: environment variables"). */
    CONFIG_VARIABLE_LINK,
    CONFIG_VARIABLE_WRONG /* no setting, or more than one: `why` says it */
};

/* Of an endpoint's name and a key that both fit, the longest key wins. */
enum config_variable_kind config_variable_find(const struct config_names *n,
                                               const struct config_variable *v,
                                               struct config_place *place,
                                               struct buf *why);

#endif
