/* path: see path.h. */
#include "query/path.h"

#include <ctype.h>
#include <string.h>

/* A path as it is read: its steps, and how many of them are names. */
struct path {
    struct program_step steps[PROGRAM_STEPS_MAX];
    size_t count, names;
};

static bool add_name(struct lexer *l, const char *at, struct path *path,
                     const char *bytes, size_t n)
{
    if (path->names == PROGRAM_NAMES_MAX)
        return lexer_fail(l, at, "more than %d names in a path",
                          PROGRAM_NAMES_MAX);
    const char *kept = program_keep(l->program, bytes, n);
    if (kept == NULL)
        return lexer_no_memory(l);
    path->steps[path->count++].name = (struct program_name){kept, n};
    path->names++;
    return true;
}

static bool add_each(struct lexer *l, const char *at, struct path *path)
{
    if (path->count - path->names == PROGRAM_LISTS_MAX)
        return lexer_fail(l, at, "more than %d [*]", PROGRAM_LISTS_MAX);
    path->steps[path->count++].each = true;
    return true;
}

/* What stands in brackets and is no name. */
static bool refuse_selector(struct lexer *l)
{
    const char *end = l->at + strspn(l->at, "-0123456789 \t");
    if (*l->at == '?')
        return lexer_fail(l, l->at,
                          "filters in a path are not supported: "
                          "write the condition in where");
    if (*end == ':')
        return lexer_fail(l, l->at,
                          "slices are not supported: a path is made "
                          "of names");
    if (isdigit((unsigned char)*l->at) || *l->at == '-')
        return lexer_fail(l, l->at,
                          "indexes are not supported: a path is made "
                          "of names");
    if (*l->at == '*')
        return lexer_fail(l, l->at, "[*] stands only in array");
    return lexer_expected(l, "a name in quotes");
}

/* Behind a [. */
static bool bracket(struct lexer *l, bool lists, struct path *path)
{
    struct program_name name;
    lexer_blanks(l);
    const char *at = l->at;
    if (lists && lexer_take(l, "*")) {
        if (!add_each(l, at, path))
            return false;
    } else if (*at != '"' && *at != '\'') {
        return refuse_selector(l);
    } else if (!lexer_string(l, &name) ||
               !add_name(l, at, path, name.bytes, name.n)) {
        return false;
    }
    lexer_blanks(l);
    if (*l->at == ',')
        return lexer_fail(l, l->at,
                          "several selectors in [] are not "
                          "supported: a path names one value");
    return lexer_take(l, "]") || lexer_expected(l, "]");
}

/* Behind a point. */
static bool dotted(struct lexer *l, struct path *path)
{
    size_t n = lexer_name_length(l->at);
    if (*l->at == '.')
        return lexer_fail(l, l->at - 1,
                          ".. is not supported: a path names "
                          "each level");
    if (*l->at == '*')
        return lexer_fail(l, l->at,
                          "the wildcard .* is not supported; of a "
                          "list, in array, write [*]");
    if (n == 0)
        return lexer_expected(l, "a name after the point");
    l->at += n;
    return add_name(l, l->at - n, path, l->at - n, n);
}

/* What follows $ or @, as far as it goes; `lists`: with [*]. */
static bool segments(struct lexer *l, bool lists, struct path *path)
{
    for (;;) {
        const char *before = l->at;
        lexer_blanks(l);
        if (lexer_take(l, ".")) {
            if (!dotted(l, path))
                return false;
        } else if (lexer_take(l, "[")) {
            if (!bracket(l, lists, path))
                return false;
        } else {
            l->at = before;
            return true;
        }
    }
}

/* Names joined by dots; `root` ("@." or "$.") would make a path of them. */
static bool short_path(struct lexer *l, const char *root, struct path *path)
{
    const char *start = l->at;
    size_t n = lexer_name_length(l->at);
    do {
        if (n == 0)
            return lexer_expected(l, "a name");
        if (lexer_is_word(l->at, n))
            return lexer_fail(l, l->at, "%.*s is no name here: write %s%.*s",
                              (int)n, l->at, root,
                              (int)(l->at - start + (ptrdiff_t)n), start);
        if (!add_name(l, l->at, path, l->at, n))
            return false;
        l->at += n;
        if (*l->at != '.')
            break;
        l->at++;
        n = lexer_name_length(l->at);
    } while (true);
    if (*l->at == '[')
        return lexer_fail(l, l->at,
                          "[ follows no short name: begin the path "
                          "with %.1s",
                          root);
    return true;
}

/* The slot of a path that stands at `at`. -1: failed. */
static int slot_of(struct lexer *l, const char *at, const struct path *path,
                   bool document, uint8_t use)
{
    struct program_slot slot = {
        .document = document, .count = (uint8_t)path->count, .uses = use};
    for (size_t i = 0; i < path->count; i++)
        slot.names[i] = path->steps[i].name;
    int index = program_slot(l->program, &slot);
    if (index < 0)
        lexer_fail(l, at, "more than %d different paths", PROGRAM_SLOTS_MAX);
    return index;
}

bool path_of_item(struct lexer *l, const char *what, uint8_t use, int *slot)
{
    struct path path = {.count = 0};
    const char *at = l->at;
    if (*at == '$')
        return lexer_fail(l, at,
                          "$ stands only in array and copy: what it "
                          "names may come after the list");
    if (*at != '@' && lexer_name_length(at) == 0)
        return lexer_expected(l, what);
    bool ok = lexer_take(l, "@") ? segments(l, false, &path)
                                 : short_path(l, "@.", &path);
    *slot = ok ? slot_of(l, at, &path, false, use) : -1;
    return *slot >= 0;
}

/* --- Whole texts. --- */

bool path_is_short(const char *text)
{
    for (;;) {
        size_t n = lexer_name_length(text);
        if (n == 0 || lexer_is_word(text, n))
            return false;
        text += n;
        if (*text == '\0')
            return true;
        if (*text++ != '.')
            return false;
    }
}

/* Is it a query, and not a name that happens to begin with a dollar sign? */
static bool is_query(const char *text)
{
    return text[0] == '$' &&
           (text[1] == '\0' || strchr(".[ \t\n\r", text[1]) != NULL);
}

static bool read_array(struct lexer *l, struct path *path)
{
    const char *text = l->text;
    if (is_query(text)) {
        l->at++;
        if (!segments(l, true, path))
            return false;
        if (path->count > 0 && path->steps[path->count - 1].each)
            return lexer_fail(l, l->at,
                              "array names the list itself: leave "
                              "out the [*] at its end");
        lexer_blanks(l);
        return *l->at == '\0' || lexer_expected(l, "a point, [ or the end");
    }
    if (path_is_short(text))
        return short_path(l, "$.", path);
    return add_name(l, text, path, text, strlen(text));
}

bool path_array(struct program *p, const char *text, struct lexer_error *error)
{
    struct lexer l;
    struct path path = {.count = 0};
    if (!lexer_begin(&l, text, p, error) || !read_array(&l, &path))
        return false;
    memcpy(p->steps, path.steps, sizeof p->steps);
    p->step_count = path.count;
    return true;
}

static bool read_copy(struct lexer *l, struct path *path)
{
    if (*l->at == '@')
        return lexer_fail(l, l->at,
                          "@ is an item: a copy is of the document, "
                          "$");
    if (*l->at != '$' && lexer_name_length(l->at) == 0)
        return lexer_expected(l, "$ or a name");
    bool ok = lexer_take(l, "$") ? segments(l, false, path)
                                 : short_path(l, "$.", path);
    if (!ok)
        return false;
    lexer_blanks(l);
    if (path->count == 0)
        return lexer_expected(l, "a point or [ and a name");
    return *l->at == '\0' || lexer_expected(l, "a point or the end");
}

int path_copy(struct program *p, const char *text, struct lexer_error *error)
{
    struct lexer l;
    struct path path = {.count = 0};
    if (!lexer_begin(&l, text, p, error))
        return -1;
    lexer_blanks(&l);
    const char *at = l.at;
    return read_copy(&l, &path) ? slot_of(&l, at, &path, true, PROGRAM_COPY)
                                : -1;
}
