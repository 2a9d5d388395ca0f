/* settings_watch: notices that the file of the settings has changed, or one of
 * the files that they name: keys, certificates, bodies of self-tests, and those
 * with the value of an environment variable.
 *
 * It looks once in a second. A change counts when the files stay for a second
 * as they are, so that one that is being written is not read half, and when
 * their bytes differ from those that were read last: a file that was touched,
 * or put there again, changes nothing. What is looked at is what the path leads
 * to, so a symbolic link that leads elsewhere is a change; in a volume of
 * Kubernetes all files change in that way, by the link ..data ("ConfigMaps",
 * mounted ConfigMaps are updated automatically). A file that is not there is
 * waited for; when it is away for 10 seconds that is a change, too, so that a
 * reload fails and tells it. */
#ifndef TALLYD_POOL_SETTINGS_WATCH_H
#define TALLYD_POOL_SETTINGS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/settings.h"

/* All zero at first. */
struct settings_watch {
    uint64_t text;  /* of the file of the settings, when they were last read */
    uint64_t named; /* of the files that they name */
    uint64_t stamp; /* of the files that were there at the last look */
    bool settling;  /* they were others than at the look before */
    int away;       /* looks since a file is not there; 0: it is, or told */
    int64_t at;     /* of the next look, monotonic ns */
};

/* Before the settings are read: note the file, or the bytes of it that the
 * source has. */
void settings_watch_text(struct settings_watch *w,
                         const struct settings_source *source);

/* Before they are read again, with those in force; and once they are good,
 * before anybody uses what they name: note that. */
void settings_watch_named(struct settings_watch *w, const struct config *c);

/* Is it time to look, and has something changed since both were called? `c`:
 * the settings in force. */
bool settings_watch_look(struct settings_watch *w,
                         const struct settings_source *source,
                         const struct config *c, int64_t now);

#endif
