/* idlines: see idlines.h. */
#include "compare/idlines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

bool idlines_open(struct idlines *l, const char *path, char *why,
                  size_t why_size)
{
    struct stat st;
    *l = (struct idlines){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    if (good && st.st_size > 0) {
        l->size = (size_t)st.st_size;
        l->bytes = mmap(NULL, l->size, PROT_READ, MAP_PRIVATE, fd, 0);
        good = l->bytes != MAP_FAILED;
    }
    if (!good)
        snprintf(why, why_size, "%.200s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return good;
}

void idlines_close(struct idlines *l)
{
    if (l->bytes != NULL && l->bytes != MAP_FAILED)
        munmap(l->bytes, l->size);
}

bool idlines_next(struct idlines *l, size_t *at, size_t *len)
{
    const char *end = l->at == l->size
                          ? NULL
                          : memchr(l->bytes + l->at, '\n', l->size - l->at);
    if (end == NULL)
        return false;
    *at = l->at;
    *len = (size_t)(end - l->bytes) - l->at;
    l->at += *len + 1;
    return true;
}

const struct json_tree_value *idlines_text(const struct json_tree *t,
                                           const char *name)
{
    const struct json_tree_value *v = json_tree_member(t->root, name);
    return v != NULL && v->type == VALUE_STRING ? v : NULL;
}

int idlines_number(const struct json_tree *t, const char *name, int otherwise)
{
    const struct json_tree_value *v = json_tree_member(t->root, name);
    long n = v != NULL && v->type == VALUE_NUMBER ? strtol(v->text, NULL, 10)
                                                  : otherwise;
    return n < INT32_MIN || n > INT32_MAX ? otherwise : (int)n;
}

int64_t idlines_time(const struct json_tree *t)
{
    struct tm utc = {0};
    const struct json_tree_value *text = idlines_text(t, "time");
    return text == NULL ||
                   strptime(text->text, "%Y-%m-%dT%H:%M:%S", &utc) == NULL
               ? 0
               : (int64_t)timegm(&utc);
}

bool idlines_read(const struct idlines *l, size_t at, size_t len,
                  struct json_tree *t, const struct json_tree_value **id)
{
    if (json_tree_read(t, l->bytes + at, len) != JSON_TREE_READ)
        return false;
    *id = idlines_text(t, "request_id");
    if (*id != NULL && (*id)->text_len > 0)
        return true;
    json_tree_free(t);
    return false;
}

/* --- The index. --- */

static uint64_t hash_of(const struct json_tree_value *id)
{
    uint64_t h = hash_bytes(HASH_START, id->text, id->text_len);
    return h == 0 ? 1 : h;
}

static struct idlines_entry *place_of(const struct idlines_index *x,
                                      uint64_t hash)
{
    uint64_t i = hash & (x->room - 1);
    while (x->entries[i].hash != 0 && x->entries[i].hash != hash)
        i = (i + 1) & (x->room - 1);
    return &x->entries[i];
}

static bool grow(struct idlines_index *x)
{
    struct idlines_index larger = {.room = x->room == 0 ? 1024 : 2 * x->room,
                                   .used = x->used};
    if (x->used * 2 < x->room)
        return true;
    larger.entries = calloc(larger.room, sizeof *larger.entries);
    if (larger.entries == NULL)
        return false;
    for (uint64_t i = 0; i < x->room; i++)
        if (x->entries[i].hash != 0)
            *place_of(&larger, x->entries[i].hash) = x->entries[i];
    free(x->entries);
    *x = larger;
    return true;
}

struct idlines_entry *idlines_add(struct idlines_index *x,
                                  const struct json_tree_value *id, size_t at,
                                  size_t len)
{
    uint64_t hash = hash_of(id);
    if (!grow(x))
        return NULL;
    struct idlines_entry *e = place_of(x, hash);
    bool repeated = e->hash != 0;
    x->used += !repeated;
    *e = (struct idlines_entry){.hash = hash,
                                .at = at & ((UINT64_C(1) << 62) - 1),
                                .repeated = repeated,
                                .len = len};
    return e;
}

struct idlines_entry *idlines_find(const struct idlines_index *x,
                                   const struct json_tree_value *id)
{
    struct idlines_entry *e = x->room == 0 ? NULL : place_of(x, hash_of(id));
    return e == NULL || e->hash == 0 ? NULL : e;
}

void idlines_forget(struct idlines_index *x)
{
    free(x->entries);
    *x = (struct idlines_index){0};
}
