/* config_lines: see config_lines.h. */
#include "config/config_lines.h"

#include <string.h>

#define BLANKS " \t"

char *config_lines_trim(char *text)
{
    text += strspn(text, BLANKS);
    size_t n = strlen(text);
    while (n > 0 && strchr(BLANKS "\r\n\v\f", text[n - 1]) != NULL)
        n--;
    text[n] = '\0';
    return text;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static bool is_expression(const char *key, const char *value)
{
    return strcmp(key, "where") == 0 || strncmp(key, "result.", 7) == 0 ||
           strncmp(key, "copy.", 5) == 0 ||
           (strcmp(key, "array") == 0 && value[strspn(value, BLANKS)] == '$');
}

/* Behind the quoted text that begins at `at`, or its last character. */
static char *skip_quoted(char *at)
{
    char quote = *at;
    char *end = at + 1;
    for (; *end != '\0' && *end != quote; end++)
        end += *end == '\\' && end[1] != '\0';
    return *end == '\0' ? end - 1 : end;
}

/* Where behind white space a ; stands, or a # with something before it; NULL:
 * nowhere. */
static char *find_comment(char *text, bool quotes)
{
    bool behind_blank = false;
    char *first = text + strspn(text, BLANKS);
    for (char *at = text; *at != '\0'; at++) {
        if (behind_blank && (*at == ';' || (*at == '#' && at > first)))
            return at;
        behind_blank = is_blank(*at);
        if (quotes && (*at == '"' || *at == '\''))
            at = skip_quoted(at);
    }
    return NULL;
}

static enum config_lines_kind wrong(struct config_lines *l, const char *what)
{
    l->name = what;
    return CONFIG_LINES_WRONG;
}

static enum config_lines_kind read_header(struct config_lines *l, char *text)
{
    char *end = strchr(text, ']');
    if (end == NULL)
        return wrong(l, "a section header without its ]");
    *end++ = '\0';
    end += strspn(end, BLANKS);
    if (strchr(";#\r\n", *end) == NULL)
        return wrong(l, "text behind the ] of a section header; a key has a "
                        "line of its own, a comment begins with ;");
    l->name = config_lines_trim(text);
    return CONFIG_LINES_HEADER;
}

static enum config_lines_kind read_key(struct config_lines *l, char *text)
{
    size_t n = strcspn(text, "=:");
    char *value = text + n + (text[n] != '\0');
    bool there = text[n] != '\0';
    text[n] = '\0';
    if (!there || find_comment(text, false) != NULL)
        return wrong(l, "neither a [section] nor key = value");
    l->name = config_lines_trim(text);
    char *comment = find_comment(value, is_expression(l->name, value));
    if (comment != NULL && *comment == '#')
        return wrong(l,
                     "a comment behind a value begins with ; and not with #");
    l->cut_short = comment != NULL && strchr(" \t\r\n;", comment[1]) == NULL;
    if (comment != NULL)
        *comment = '\0';
    l->value = config_lines_trim(value);
    return CONFIG_LINES_KEY;
}

/* One line. False: there is none. */
static bool read_line(struct config_lines *l, bool *whole)
{
    if (fgets(l->text, (int)sizeof l->text, l->file) == NULL)
        return false;
    size_t n = strlen(l->text);
    *whole = n > 0 && (l->text[n - 1] == '\n' || feof(l->file));
    n -= *whole && l->text[n - 1] == '\n';
    *whole = *whole && n <= CONFIG_LINE_MAX;
    l->number++;
    return true;
}

enum config_lines_kind config_lines_next(struct config_lines *l)
{
    bool whole;
    while (read_line(l, &whole)) {
        bool mark = l->number == 1 && strncmp(l->text, "\xef\xbb\xbf", 3) == 0;
        char *text = l->text + (mark ? 3 : 0);
        char *first = text + strspn(text, BLANKS);
        if (!whole)
            return wrong(l, "the line is longer than 4096 bytes, or has a NUL");
        if (strchr("\r\n", *first) != NULL)
            continue;
        if (first != text)
            return wrong(l, "the line starts with white space; a key stands at "
                            "the start of its line");
        if (*text == '[')
            return read_header(l, text + 1);
        if (*text != ';' && *text != '#')
            return read_key(l, text);
    }
    return CONFIG_LINES_END;
}
