/* handover: see handover.h. */
#include "pool/handover.h"

#include <string.h>

static bool is_of(const struct handover *h, const char *format)
{
    return memcmp(h->format, format, sizeof h->format) == 0;
}

static bool has_source(const struct handover *h)
{
    return !is_of(h, HANDOVER_FORMAT_FIRST);
}

static bool has_environment(const struct handover *h)
{
    return is_of(h, HANDOVER_FORMAT);
}

static size_t head_size(const struct handover *h)
{
    return !has_source(h)        ? offsetof(struct handover, source)
           : !has_environment(h) ? offsetof(struct handover, environment)
                                 : sizeof *h;
}

size_t handover_size(const struct handover *h)
{
    return head_size(h) + h->members * sizeof(struct handover_member) +
           h->conns * sizeof(struct handover_store) + h->settings +
           (has_source(h) ? h->source : 0) +
           (has_environment(h) ? h->environment : 0);
}

static bool is_file(int32_t fd)
{
    return fd > 2 && fd < HANDOVER_FILE_MAX;
}

static bool has_good_counts(const struct handover *h)
{
    return h->slots >= 2 && h->slots <= HANDOVER_SLOTS_MAX &&
           h->members <= h->slots && h->conns >= 1 &&
           h->conns <= HANDOVER_CONNS_MAX &&
           h->settings <= HANDOVER_SETTINGS_MAX &&
           (!has_source(h) ||
            (h->source <= HANDOVER_SOURCE_MAX && h->has_source <= 1)) &&
           (!has_environment(h) || h->environment <= HANDOVER_ENVIRONMENT_MAX);
}

static bool is_good_listener(const struct handover_listener *l)
{
    return l->adopted <= 1 && l->is_unix <= 1 &&
           memchr(l->path, '\0', sizeof l->path) != NULL;
}

static bool has_good_files(const struct handover_view *v)
{
    for (int i = 0; i < HANDOVER_FILES; i++)
        if (!is_file(v->head->files[i]) &&
            ((i != HANDOVER_STATUS && i != HANDOVER_PID_FILE) ||
             v->head->files[i] != -1))
            return false;
    for (uint32_t i = 0; i < v->head->conns; i++)
        if (!is_file(v->stores[i].near) || !is_file(v->stores[i].far))
            return false;
    return true;
}

static bool are_good_members(const struct handover_view *v)
{
    bool taken[HANDOVER_SLOTS_MAX] = {false};
    for (uint32_t i = 0; i < v->head->members; i++) {
        const struct handover_member *m = &v->members[i];
        if (m->pid <= 1 || m->number >= v->head->slots || taken[m->number] ||
            m->generation == 0 || m->generation > v->head->newest ||
            m->retired > 1)
            return false;
        taken[m->number] = true;
    }
    return true;
}

static bool are_good_settings(const struct handover_view *v)
{
    uint32_t n = v->head->settings;
    return n == 0 || v->settings[n - 1] == '\0';
}

bool handover_read(const void *bytes, size_t n, struct handover_view *v,
                   const char **why)
{
    const struct handover *h = bytes;
    *why = "it is in a format of another version";
    if (n < sizeof h->format ||
        (!is_of(h, HANDOVER_FORMAT) && !is_of(h, HANDOVER_FORMAT_BEFORE) &&
         !is_of(h, HANDOVER_FORMAT_FIRST)))
        return false;
    *why = "its numbers do not fit together";
    if (n < head_size(h) || !has_good_counts(h) || handover_size(h) != n ||
        h->pid < 1 || h->generation == 0 || h->generation > h->newest)
        return false;
    v->head = h;
    v->members = (const void *)((const char *)h + head_size(h));
    v->stores = (const void *)(v->members + h->members);
    v->settings = (const void *)(v->stores + h->conns);
    bool source = has_source(h) && h->has_source != 0;
    v->source = source ? v->settings + h->settings : NULL;
    v->source_len = source ? h->source : 0;
    v->environment_len = has_environment(h) ? h->environment : 0;
    v->environment =
        v->settings + h->settings + (has_source(h) ? h->source : 0);
    *why = "it names what cannot be";
    return is_good_listener(&h->listener) && is_good_listener(&h->status) &&
           has_good_files(v) && are_good_members(v) && are_good_settings(v);
}
