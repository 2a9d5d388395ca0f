/* recording: see recording.h. */
#include "compare/recording.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"

/* Without what logrotate(8) and gzip(1) add: .1, -20261130, .gz. */
static size_t plain_length(const char *path)
{
    size_t n = strlen(path), digits;
    if (n > 3 && strcasecmp(path + n - 3, ".gz") == 0)
        n -= 3;
    for (digits = n; digits > 0 && isdigit((unsigned char)path[digits - 1]);)
        digits--;
    bool rotated = digits > 1 && digits < n &&
                   (path[digits - 1] == '.' || path[digits - 1] == '-');
    return rotated ? digits - 1 : n;
}

enum recording_format recording_of_file(const char *path)
{
    static const struct {
        const char *ending;
        enum recording_format format;
    } endings[] = {{".ndjson", RECORDING_NDJSON},
                   {".jsonl", RECORDING_NDJSON},
                   {".log", RECORDING_LOG},
                   {".har", RECORDING_HAR}};
    size_t length = plain_length(path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t n = strlen(endings[i].ending);
        if (length >= n &&
            strncasecmp(path + length - n, endings[i].ending, n) == 0)
            return endings[i].format;
    }
    return RECORDING_BODY;
}

static bool is_text(const struct json_tree_value *v)
{
    return v != NULL && v->type == VALUE_STRING;
}

static enum recording_state take(const struct json_tree_value *text,
                                 bool base64, char **body, size_t *body_len)
{
    char *bytes = malloc(text->text_len + 1);
    size_t n = text->text_len;
    if (bytes == NULL)
        return RECORDING_NO_MEMORY;
    memcpy(bytes, text->text, n);
    if (base64 && !base64_decode(bytes, n, bytes, &n)) {
        free(bytes);
        return RECORDING_BROKEN;
    }
    bytes[n] = '\0';
    *body = bytes;
    *body_len = n;
    return RECORDING_TAKEN;
}

static bool is_other_method(const struct json_tree_value *object)
{
    const struct json_tree_value *method = json_tree_member(object, "method");
    return is_text(method) && strcmp(method->text, "POST") != 0;
}

static enum recording_state read_object(const struct json_tree_value *object,
                                        char **body, size_t *body_len)
{
    const struct json_tree_value *text = json_tree_member(object, "body");
    const struct json_tree_value *coded =
        json_tree_member(object, "body_base64");
    if (is_other_method(object))
        return RECORDING_NO_POST;
    if (!is_text(text) && !is_text(coded))
        return RECORDING_BROKEN;
    return take(is_text(text) ? text : coded, !is_text(text), body, body_len);
}

enum recording_state recording_read_line(const char *line, size_t n,
                                         char **body, size_t *body_len)
{
    struct json_tree t;
    enum json_tree_state read = json_tree_read(&t, line, n);
    if (read != JSON_TREE_READ)
        return read == JSON_TREE_NO_MEMORY ? RECORDING_NO_MEMORY
                                           : RECORDING_BROKEN;
    enum recording_state state = read_object(t.root, body, body_len);
    json_tree_free(&t);
    return state;
}

const struct json_tree_value *recording_har_entries(const struct json_tree *t)
{
    const struct json_tree_value *entries =
        json_tree_member(json_tree_member(t->root, "log"), "entries");
    return entries == NULL || entries->type != VALUE_LIST ? NULL : entries;
}

/* Browsers that have bytes to tell which are no text say so in `encoding`,
 * though HAR 1.2 has that for replies only. */
enum recording_state recording_read_entry(const struct json_tree_value *entry,
                                          char **body, size_t *body_len)
{
    const struct json_tree_value *request = json_tree_member(entry, "request");
    const struct json_tree_value *data = json_tree_member(request, "postData");
    const struct json_tree_value *text = json_tree_member(data, "text");
    const struct json_tree_value *coding = json_tree_member(data, "encoding");
    if (request == NULL)
        return RECORDING_BROKEN;
    if (is_other_method(request))
        return RECORDING_NO_POST;
    if (!is_text(text))
        return RECORDING_BROKEN;
    return take(text, is_text(coding) && strcmp(coding->text, "base64") == 0,
                body, body_len);
}
