/* settings_watch: see settings_watch.h. */
#include "pool/settings_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "config/config_setting.h"

#define LOOK CLOCK_SECOND

/* A file may be away for so many looks: whoever replaces one may take it away
 * first. */
#define PATIENCE 10

/* Of a larger file no more is compared. */
#define BYTES_MOST (64 << 20)

/* --- Numbers that differ where bytes do. --- */

static void mix_number(uint64_t *hash, int64_t number)
{
    *hash = hash_bytes(*hash, &number, sizeof number);
}

/* --- Files. --- */

/* Which file it is, and when it was changed. */
static void mix_stamp(uint64_t *hash, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        mix_number(hash, errno);
        return;
    }
    mix_number(hash, (int64_t)st.st_dev);
    mix_number(hash, (int64_t)st.st_ino);
    mix_number(hash, st.st_size);
    mix_number(hash, st.st_mtim.tv_sec);
    mix_number(hash, st.st_mtim.tv_nsec);
    mix_number(hash, st.st_ctim.tv_sec);
    mix_number(hash, st.st_ctim.tv_nsec);
}

static void mix_file(uint64_t *hash, int fd)
{
    char bytes[16384];
    size_t sum = 0;
    ssize_t n;
    while (sum < BYTES_MOST && (n = read(fd, bytes, sizeof bytes)) > 0) {
        *hash = hash_bytes(*hash, bytes, (size_t)n);
        sum += (size_t)n;
    }
}

/* False: it is not there. One that cannot be opened is another thing, which a
 * reload tells. */
static bool mix_bytes(uint64_t *hash, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        mix_number(hash, errno);
        return errno != ENOENT;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        mix_file(hash, fd);
    close(fd);
    mix_number(hash, 0); /* the end of it */
    return true;
}

/* --- All of them. --- */

/* Settings that name a file to be read. */
static const char *const keys[] = {
    "selftest_file", "downstream_ca", "downstream_cert", "downstream_key",
    "url_ca",        "url_cert",      "url_key"};

/* What is done with each file; false: no further. */
typedef bool step(uint64_t *hash, const char *path);

static bool stamp_step(uint64_t *hash, const char *path)
{
    mix_stamp(hash, path);
    return true;
}

static bool visit_section(struct config_section s, step *do_it, uint64_t *hash)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct setting *row =
            config_setting_find(s.rows, s.count, keys[i]);
        const char *path =
            row == NULL ? "" : *(char *const *)((char *)s.base + row->offset);
        if (path[0] != '\0' && !do_it(hash, path))
            return false;
    }
    return true;
}

static bool visit_named(const struct config *c, step *do_it, uint64_t *hash)
{
    struct config *own = (struct config *)(uintptr_t)c;
    for (size_t i = 0; i < c->file_count; i++)
        if (!do_it(hash, c->files[i]))
            return false;
    for (size_t i = 0; i < c->endpoint_count; i++)
        if (!visit_section(config_endpoint_section(c->endpoints[i]), do_it,
                           hash))
            return false;
    return visit_section(config_shadow_section(own), do_it, hash);
}

static bool hash_text(const struct settings_source *source, uint64_t *hash)
{
    *hash = HASH_START;
    if (source->text != NULL) {
        *hash = hash_bytes(*hash, source->text, source->text_len);
        mix_number(hash, 0);
        return true;
    }
    return source->path == NULL || mix_bytes(hash, source->path);
}

static bool hash_named(const struct config *c, uint64_t *hash)
{
    *hash = HASH_START;
    return visit_named(c, mix_bytes, hash);
}

void settings_watch_text(struct settings_watch *w,
                         const struct settings_source *source)
{
    hash_text(source, &w->text);
}

void settings_watch_named(struct settings_watch *w, const struct config *c)
{
    hash_named(c, &w->named);
}

static bool has_settled(struct settings_watch *w,
                        const struct settings_source *source,
                        const struct config *c)
{
    uint64_t stamp = HASH_START;
    if (source->path != NULL)
        mix_stamp(&stamp, source->path);
    visit_named(c, stamp_step, &stamp);
    bool same = stamp == w->stamp, settled = same && w->settling;
    w->stamp = stamp;
    w->settling = !same;
    return settled;
}

enum difference { SAME, CHANGED, AWAY };

static enum difference compare(const struct settings_watch *w,
                               const struct settings_source *source,
                               const struct config *c)
{
    uint64_t text, named;
    bool text_there = hash_text(source, &text);
    bool named_there = hash_named(c, &named);
    if ((text_there && text != w->text) || (named_there && named != w->named))
        return CHANGED;
    return text != w->text || named != w->named ? AWAY : SAME;
}

bool settings_watch_look(struct settings_watch *w,
                         const struct settings_source *source,
                         const struct config *c, int64_t now)
{
    if (now < w->at)
        return false;
    w->at = now + LOOK;
    if (has_settled(w, source, c)) {
        enum difference found = compare(w, source, c);
        w->away = found == AWAY;
        return found == CHANGED;
    }
    if (w->settling || w->away == 0 || ++w->away < PATIENCE)
        return false;
    w->away = 0;
    return true;
}
