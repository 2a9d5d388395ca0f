/* corpus: see corpus.h. */
#include "compare/corpus.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compare/input.h"

/* Escapes make a body six times as long, and a log has more than the body. */
#define LOG_LINE_MAX(body) (6 * (body) + 65536)

#define ARCHIVE_MAX ((size_t)1 << 30)

struct file {
    char *path;
    uint64_t size; /* when the list was made; UINT64_MAX: it has none */
};

struct corpus {
    struct corpus_settings settings;
    struct file *files;
    size_t file_count, file_room;
    size_t next; /* file */
    const char *path;
    struct input *file; /* the one before it, while it has more */
    uint64_t stop;      /* where no line of it begins any more */
    enum recording_format format;
    uint64_t number; /* of its line or entry */
    char *line;
    size_t line_room;
    struct json_tree archive;
    const struct json_tree_value *entry;
};

/* --- The list of files. --- */

static bool add_file(struct corpus *c, const char *path, uint64_t size)
{
    if (c->file_count == c->file_room) {
        size_t room = 2 * c->file_room + 16;
        struct file *files = realloc(c->files, room * sizeof *files);
        if (files == NULL)
            return false;
        c->files = files;
        c->file_room = room;
    }
    c->files[c->file_count] = (struct file){strdup(path), size};
    return c->files[c->file_count++].path != NULL;
}

/* Is it a file that the caller writes? Whoever reads what he writes does not
 * come to an end. */
static bool is_written(const struct corpus *c, const struct stat *about,
                       const char *path, char *why, size_t why_size)
{
    for (size_t i = 0; S_ISREG(about->st_mode) && i < c->settings.written_count;
         i++) {
        struct stat written;
        const char *name = c->settings.written[i];
        if (name[0] == '\0' || stat(name, &written) != 0 ||
            written.st_dev != about->st_dev || written.st_ino != about->st_ino)
            continue;
        snprintf(why, why_size, "%s is read and would be written, as %s", path,
                 name);
        return true;
    }
    return false;
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
    bool input = strcmp(path, "-") == 0;
    if ((input ? fstat(STDIN_FILENO, &about) : stat(path, &about)) != 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!input && S_ISDIR(about.st_mode))
        return add_directory(c, path, why, why_size);
    if (is_written(c, &about, path, why, why_size))
        return false;
    off_t at = input ? lseek(STDIN_FILENO, 0, SEEK_CUR) : 0;
    bool ends = S_ISREG(about.st_mode) && at >= 0 && at <= about.st_size;
    snprintf(why, why_size, "memory is short");
    return add_file(c, path,
                    ends ? (uint64_t)(about.st_size - at) : UINT64_MAX);
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
    input_close(&c->file);
    json_tree_free(&c->archive);
    c->entry = NULL;
}

void corpus_free(struct corpus **c)
{
    if (*c == NULL)
        return;
    close_file(*c);
    for (size_t i = 0; i < (*c)->file_count; i++)
        free((*c)->files[i].path);
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

static void tell_failed(const struct corpus *c, struct corpus_item *item)
{
    const char *fault = input_fault(c->file);
    tell(item, CORPUS_FAILED, fault != NULL ? fault : "memory is short");
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
    while ((byte = input_next(c->file)) != INPUT_END && byte != stop) {
        if (*n == most)
            result = TAKEN_TOO_LONG;
        if (result != TAKEN)
            continue;
        if (*n + 1 >= c->line_room && !grow(c))
            return TAKEN_FAILED;
        c->line[(*n)++] = (char)byte;
    }
    if (input_fault(c->file) != NULL || (c->line_room == 0 && !grow(c)))
        return TAKEN_FAILED;
    c->line[*n] = '\0';
    return result == TAKEN && byte == INPUT_END ? TAKEN_LAST : result;
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
    if (input_given(c->file) >= c->stop) {
        close_file(c);
        return false;
    }
    enum taken taken = take_until(c, '\n', log ? LOG_LINE_MAX(most) : most, &n);
    c->number++;
    snprintf(item->source, sizeof item->source, "%.480s:%llu", c->path,
             (unsigned long long)c->number);
    if (taken == TAKEN_FAILED) {
        tell_failed(c, item);
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
    enum taken taken = take_until(c, INPUT_END, c->settings.max_body, &n);
    snprintf(item->source, sizeof item->source, "%.500s", c->path);
    if (taken == TAKEN_FAILED)
        tell_failed(c, item);
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
    enum taken taken = take_until(c, INPUT_END, ARCHIVE_MAX, &n);
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
        tell_failed(c, item);
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

/* A file that is written to meanwhile ends where it did at the start; the line
 * that was half written then is read to its end. Of a compressed one the bytes
 * are counted as they are in the file. A size of 0 says nothing of files such
 * as those of proc(5), and one body is bounded in any case. */
static struct input *open_file(struct corpus *c, const struct file *f)
{
    bool lines = c->format == RECORDING_NDJSON || c->format == RECORDING_LOG;
    bool counts = lines && !input_is_compressed(f->path);
    c->stop = counts ? f->size : UINT64_MAX;
    if (strcmp(f->path, "-") == 0)
        return input_open_standard();
    return input_open(f->path, counts || (!lines && f->size == 0) ? UINT64_MAX
                                                                  : f->size);
}

static bool open_next(struct corpus *c, struct corpus_item *item)
{
    const struct file *f = &c->files[c->next];
    bool input = strcmp(f->path, "-") == 0;
    c->path = input ? "standard input" : f->path;
    c->next++;
    c->number = 0;
    c->format = c->settings.format;
    if (c->format == RECORDING_AUTO)
        c->format = input ? RECORDING_NDJSON : recording_of_file(c->path);
    c->file = open_file(c, f);
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
        item->file = c->next;
        item->whole = c->format == RECORDING_BODY;
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
