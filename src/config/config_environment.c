/* config_environment: see config_environment.h. */
#include "config/config_environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/whole_file.h"

#define PREFIX_LENGTH (sizeof CONFIG_VARIABLE_PREFIX - 1)
#define FILE_SUFFIX "_FILE"

static bool has_control(const char *text)
{
    size_t n;
    for (const unsigned char *at = (const void *)text; *at != '\0'; at += n) {
        n = utf8_length(at);
        n = n == 0 ? 1 : n;
        if (utf8_is_control(at, n))
            return true;
    }
    return false;
}

/* --- Taking them. --- */

static int compare(const void *a, const void *b)
{
    const struct config_variable *one = a, *other = b;
    return strcmp(one->name, other->name);
}

/* What is wrong with one of `n` bytes of name; NULL: nothing. */
static const char *fault(const char *variable, size_t n)
{
    if (n > CONFIG_VARIABLE_NAME_MAX)
        return "the name is too long";
    if (variable[n] == '\0')
        return "has no =";
    if (strlen(variable + n + 1) > CONFIG_LINE_MAX)
        return "the value is too long";
    return has_control(variable) ? "has a control character" : NULL;
}

static bool add(struct config_environment *e, const char *variable,
                size_t *bytes, struct buf *why)
{
    size_t n = strcspn(variable, "=");
    const char *what = fault(variable, n);
    *bytes += strlen(variable) + 1;
    if (what == NULL &&
        (e->count == CONFIG_VARIABLES_MAX || *bytes > CONFIG_VARIABLES_BYTES))
        what = "there are too many, or they are too large";
    if (what == NULL) {
        struct config_variable *v = &e->list[e->count++];
        *v = (struct config_variable){.name = strndup(variable, n),
                                      .value = strdup(variable + n + 1)};
        what = v->name == NULL || v->value == NULL ? "memory is short" : NULL;
    }
    if (what == NULL)
        return true;
    buf_printf(why, "%.*s: %s", (int)(n < 80 ? n : 80), variable, what);
    utf8_make_printable(why->data);
    return false;
}

/* In an order that does not depend on who started us. */
static bool sort(struct config_environment *e, struct buf *why)
{
    qsort(e->list, e->count, sizeof *e->list, compare);
    for (size_t i = 1; i < e->count; i++)
        if (strcmp(e->list[i - 1].name, e->list[i].name) == 0) {
            buf_printf(why, "%.80s: is in the environment twice",
                       e->list[i].name);
            return false;
        }
    return true;
}

static bool make_room(struct config_environment *e, struct buf *why)
{
    *e = (struct config_environment){
        .list = calloc(CONFIG_VARIABLES_MAX, sizeof *e->list)};
    if (e->list == NULL)
        buf_str(why, "memory is short");
    return e->list != NULL;
}

bool config_environment_take(struct config_environment *e,
                             const char *const *variables, struct buf *why)
{
    size_t bytes = 0;
    bool good = make_room(e, why);
    for (; good && *variables != NULL; variables++)
        if (strncmp(*variables, CONFIG_VARIABLE_PREFIX, PREFIX_LENGTH) == 0)
            good = add(e, *variables, &bytes, why);
    good = good && sort(e, why);
    if (!good)
        config_environment_free(e);
    return good;
}

void config_environment_free(struct config_environment *e)
{
    config_environment_forget(e);
    for (size_t i = 0; i < e->count; i++) {
        free(e->list[i].name);
        free(e->list[i].value);
    }
    free(e->list);
    *e = (struct config_environment){0};
}

/* --- Files that they name. --- */

/* Puts the text into `text`. What is wrong with it; NULL: nothing. */
static const char *read_text(int fd, char text[CONFIG_LINE_MAX + 2])
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a regular file";
    ssize_t n = whole_file_read(fd, text, CONFIG_LINE_MAX + 2);
    if (n < 0)
        return strerror(errno);
    n -= n > 0 && text[n - 1] == '\n';
    if (n > CONFIG_LINE_MAX)
        return "it is too large";
    text[n] = '\0';
    if (strlen(text) != (size_t)n || has_control(text))
        return "it has a control character, or more than one line";
    return NULL;
}

char *config_environment_value(const struct config_variable *v, struct buf *why)
{
    char text[CONFIG_LINE_MAX + 2];
    if (v->content != NULL)
        return strdup(v->content);
    int fd = open(v->value, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const char *what = read_text(fd, text);
    char *copy = what == NULL ? strdup(text) : NULL;
    if (copy == NULL)
        buf_printf(why, "%.200s: %s", v->value,
                   what == NULL ? "memory is short" : what);
    if (fd >= 0)
        close(fd);
    return copy;
}

void config_environment_read(struct config_environment *e)
{
    struct buf nobody = {.cap = 0}; /* who takes the value reads it again */
    config_environment_forget(e);
    for (size_t i = 0; i < e->count; i++) {
        struct config_variable *v = &e->list[i];
        size_t n = strlen(v->name), end = sizeof FILE_SUFFIX - 1;
        if (n > end && strcasecmp(v->name + n - end, FILE_SUFFIX) == 0)
            v->content = config_environment_value(v, &nobody);
    }
}

void config_environment_forget(struct config_environment *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->list[i].content);
        e->list[i].content = NULL;
    }
}

/* --- Handing them over. --- */

void config_environment_print(const struct config_environment *e, FILE *out)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct config_variable *v = &e->list[i];
        fprintf(out, "%s=%s%c", v->name, v->value, '\0');
        if (v->content != NULL)
            fprintf(out, "=%s%c", v->content, '\0');
    }
}

static bool add_content(struct config_environment *e, const char *content,
                        struct buf *why)
{
    struct config_variable *v = e->count > 0 ? &e->list[e->count - 1] : NULL;
    if (v == NULL || v->content != NULL || strlen(content) > CONFIG_LINE_MAX ||
        has_control(content)) {
        buf_str(why, "the content of a file that cannot be");
        return false;
    }
    v->content = strdup(content);
    return v->content != NULL;
}

bool config_environment_parse(struct config_environment *e, const char *bytes,
                              size_t n, struct buf *why)
{
    size_t sum = 0;
    bool good = make_room(e, why) && (n == 0 || bytes[n - 1] == '\0');
    for (const char *at = bytes; good && at < bytes + n; at += strlen(at) + 1)
        good =
            at[0] == '=' ? add_content(e, at + 1, why) : add(e, at, &sum, why);
    good = good && sort(e, why);
    if (!good)
        config_environment_free(e);
    return good;
}
