/* corpus: see corpus.h. */
#include "compare/corpus.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Escapes make a body six times as long, and a log has more than the body. */
#define LOG_LINE_MAX(body) (6 * (body) + 65536)

#define ARCHIVE_MAX ((size_t)1 << 30)

struct corpus {
    struct corpus_settings settings;
    char **files;
    size_t file_count, file_room;
    size_t next; /* file */
    const char *path;
    FILE *file; /* the one before it, while it has more */
    enum recording_format format;
    uint64_t number; /* of its line or entry */
    char *line;
    size_t line_room;
    struct json_tree archive;
    const struct json_tree_value *entry;
};

/* --- The list of files. --- */

static bool add_file(struct corpus *c, const char *path)
{
    if (c->file_count == c->file_room) {
        size_t room = 2 * c->file_room + 16;
        char **files = realloc(c->files, room * sizeof *files);
        if (files == NULL)
            return false;
        c->files = files;
        c->file_room = room;
    }
    c->files[c->file_count] = strdup(path);
    return c->files[c->file_count++] != NULL;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool add_path(struct corpus *c, const char *path, char *why,
                     size_t why_size);

static bool add_directory(struct corpus *c, const char *path, char *why,
                          size_t why_size)
{
    struct dirent **entries;
    char name[PATH_MAX];
    bool ok = true;
    int count = scandir(path, &entries, is_visible, alphasort);
    if (count < 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        int n = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (ok && n >= (int)sizeof name)
            snprintf(why, why_size, "%s: the path is too long", path);
        ok = ok && n < (int)sizeof name && add_path(c, name, why, why_size);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static bool add_path(struct corpus *c, const char *path, char *why,
                     size_t why_size)
{
    struct stat about;
    if (strcmp(path, "-") != 0 && stat(path, &about) != 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return false;
    }
    if (strcmp(path, "-") != 0 && S_ISDIR(about.st_mode))
        return add_directory(c, path, why, why_size);
    snprintf(why, why_size, "memory is short");
    return add_file(c, path);
}

struct corpus *corpus_new(const struct corpus_settings *s, char *why,
                          size_t why_size)
{
    struct corpus *c = calloc(1, sizeof *c);
    bool ok = c != NULL;
    snprintf(why, why_size, "memory is short");
    if (ok)
        c->settings = *s;
    for (size_t i = 0; ok && i < s->path_count; i++)
        ok = add_path(c, s->paths[i], why, why_size);
    if (!ok)
        corpus_free(&c);
    return c;
}

static void close_file(struct corpus *c)
{
    if (c->file != NULL && c->file != stdin)
        fclose(c->file);
    c->file = NULL;
    json_tree_free(&c->archive);
    c->entry = NULL;
}

void corpus_free(struct corpus **c)
{
    if (*c == NULL)
        return;
    close_file(*c);
    for (size_t i = 0; i < (*c)->file_count; i++)
        free((*c)->files[i]);
    free((*c)->files);
    free((*c)->line);
    free(*c);
    *c = NULL;
}

/* --- Reading. --- */

static void tell(struct corpus_item *item, enum corpus_state state,
                 const char *why)
{
    item->state = state;
    item->body_len = 0;
    snprintf(item->why, sizeof item->why, "%s", why);
}

enum taken { TAKEN, TAKEN_LAST, TAKEN_TOO_LONG, TAKEN_FAILED };

static bool grow(struct corpus *c)
{
    size_t room = 2 * c->line_room + 4096;
    char *line = realloc(c->line, room);
    if (line == NULL)
        return false;
    c->line = line;
    c->line_room = room;
    return true;
}

/* Up to `stop` or the end of the file into c->line; what is over `most` is read
 * and thrown away. */
static enum taken take_until(struct corpus *c, int stop, size_t most, size_t *n)
{
    enum taken result = TAKEN;
    int byte;
    *n = 0;
    while ((byte = getc_unlocked(c->file)) != EOF && byte != stop) {
        if (*n == most)
            result = TAKEN_TOO_LONG;
        if (result != TAKEN)
            continue;
        if (*n + 1 >= c->line_room && !grow(c))
            return TAKEN_FAILED;
        c->line[(*n)++] = (char)byte;
    }
    if (ferror(c->file) || (c->line_room == 0 && !grow(c)))
        return TAKEN_FAILED;
    c->line[*n] = '\0';
    return result == TAKEN && byte == EOF ? TAKEN_LAST : result;
}

static void keep_line(struct corpus *c, size_t n, struct corpus_item *item)
{
    item->body = malloc(n + 1);
    if (item->body == NULL) {
        tell(item, CORPUS_FAILED, "memory is short");
        return;
    }
    memcpy(item->body, c->line, n + 1);
    item->body_len = n;
    item->state = CORPUS_BODY;
}

static void keep_json(struct corpus *c, size_t n, struct corpus_item *item)
{
    struct json_tree t;
    enum json_tree_state state = json_tree_read(&t, c->line, n);
    json_tree_free(&t);
    if (state == JSON_TREE_READ)
        keep_line(c, n, item);
    else if (state == JSON_TREE_NOT_JSON)
        tell(item, CORPUS_BROKEN, "the line is not JSON");
    else
        tell(item, CORPUS_FAILED, "memory is short");
}

static void keep_recorded(struct corpus *c, enum recording_state state,
                          struct corpus_item *item)
{
    if (state == RECORDING_BROKEN)
        tell(item, CORPUS_BROKEN, "there is no body in it");
    else if (state == RECORDING_NO_MEMORY)
        tell(item, CORPUS_FAILED, "memory is short");
    else
        item->state = CORPUS_BODY;
    if (item->state == CORPUS_BODY && item->body_len > c->settings.max_body) {
        free(item->body);
        item->body = NULL;
        tell(item, CORPUS_TOO_LONG, "the body is over the limit");
    }
}

/* False: nothing of this line counts; go on. */
static bool next_line(struct corpus *c, struct corpus_item *item)
{
    size_t n, most = c->settings.max_body;
    bool log = c->format == RECORDING_LOG;
    enum taken taken = take_until(c, '\n', log ? LOG_LINE_MAX(most) : most, &n);
    c->number++;
    snprintf(item->source, sizeof item->source, "%.480s:%llu", c->path,
             (unsigned long long)c->number);
    if (taken == TAKEN_FAILED) {
        tell(item, CORPUS_FAILED,
             ferror(c->file) ? strerror(errno) : "memory is short");
        return true;
    }
    if (taken == TAKEN_TOO_LONG) {
        tell(item, CORPUS_TOO_LONG, "the line is over the limit");
        return true;
    }
    if (taken == TAKEN_LAST)
        close_file(c);
    if (n > 0 && c->line[n - 1] == '\r')
        c->line[--n] = '\0';
    if (n == 0)
        return false;
    if (!log) {
        keep_json(c, n, item);
        return true;
    }
    enum recording_state state =
        recording_read_line(c->line, n, &item->body, &item->body_len);
    if (state == RECORDING_NO_POST)
        return false;
    keep_recorded(c, state, item);
    return true;
}

static void whole_file(struct corpus *c, struct corpus_item *item)
{
    size_t n;
    enum taken taken = take_until(c, EOF, c->settings.max_body, &n);
    snprintf(item->source, sizeof item->source, "%.500s", c->path);
    if (taken == TAKEN_FAILED)
        tell(item, CORPUS_FAILED,
             ferror(c->file) ? strerror(errno) : "memory is short");
    else if (taken == TAKEN_TOO_LONG)
        tell(item, CORPUS_TOO_LONG, "the file is over the limit");
    else
        keep_line(c, n, item);
    close_file(c);
}

/* --- Archives. --- */

static bool open_archive(struct corpus *c, struct corpus_item *item)
{
    size_t n;
    enum taken taken = take_until(c, EOF, ARCHIVE_MAX, &n);
    enum json_tree_state state = JSON_TREE_NOT_JSON;
    const struct json_tree_value *entries = NULL;
    snprintf(item->source, sizeof item->source, "%.500s", c->path);
    if (taken == TAKEN || taken == TAKEN_LAST)
        state = json_tree_read(&c->archive, c->line, n);
    if (state == JSON_TREE_READ)
        entries = recording_har_entries(&c->archive);
    if (entries != NULL) {
        c->entry = entries->first;
        return true;
    }
    if (taken == TAKEN_FAILED || state == JSON_TREE_NO_MEMORY)
        tell(item, CORPUS_FAILED,
             ferror(c->file) ? strerror(errno) : "memory is short");
    else if (taken == TAKEN_TOO_LONG)
        tell(item, CORPUS_TOO_LONG, "the archive is over 1 GiB");
    else
        tell(item, CORPUS_BROKEN, "not an HTTP archive");
    close_file(c);
    return false;
}

static bool next_entry(struct corpus *c, struct corpus_item *item)
{
    if (c->archive.root == NULL && !open_archive(c, item))
        return true;
    if (c->entry == NULL) {
        close_file(c);
        return false;
    }
    const struct json_tree_value *entry = c->entry;
    c->entry = entry->next;
    snprintf(item->source, sizeof item->source, "%.480s:%llu", c->path,
             (unsigned long long)++c->number);
    enum recording_state state =
        recording_read_entry(entry, &item->body, &item->body_len);
    if (state == RECORDING_NO_POST)
        return false;
    keep_recorded(c, state, item);
    return true;
}

static bool open_next(struct corpus *c, struct corpus_item *item)
{
    bool input = strcmp(c->files[c->next], "-") == 0;
    c->path = input ? "standard input" : c->files[c->next];
    c->file = input ? stdin : fopen(c->files[c->next], "re");
    c->next++;
    c->number = 0;
    c->format = c->settings.format;
    if (c->format == RECORDING_AUTO)
        c->format = input ? RECORDING_NDJSON : recording_of_file(c->path);
    if (c->file != NULL)
        return true;
    snprintf(item->source, sizeof item->source, "%.500s", c->path);
    tell(item, CORPUS_FAILED, strerror(errno));
    return false;
}

void corpus_next(struct corpus *c, struct corpus_item *item)
{
    bool counts = false;
    *item = (struct corpus_item){.state = CORPUS_END};
    while (!counts) {
        if (c->file == NULL && c->next == c->file_count) {
            item->source[0] = '\0';
            return;
        }
        if (c->file == NULL && !open_next(c, item))
            return;
        switch (c->format) {
        case RECORDING_NDJSON:
        case RECORDING_LOG:
            counts = next_line(c, item);
            break;
        case RECORDING_HAR:
            counts = next_entry(c, item);
            break;
        default:
            whole_file(c, item);
            counts = true;
        }
    }
}
