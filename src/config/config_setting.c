/* config_setting: see config_setting.h. */
#include "config/config_setting.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/spelling.h"

#define WORD_MAX 64
#define SHARE_WHOLE 1000000

struct unit {
    const char *suffix;
    int64_t factor;
};

/* Largest first: a value is printed in the largest unit that divides it. */
static const struct unit size_units[] = {
    {"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"", 1}, {NULL, 0}};
static const struct unit duration_units[] = {{"h", 3600 * CLOCK_SECOND},
                                             {"m", 60 * CLOCK_SECOND},
                                             {"s", CLOCK_SECOND},
                                             {"ms", CLOCK_MS},
                                             {NULL, 0}};
static const struct unit plain_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(enum setting_type type)
{
    if (type == SETTING_SIZE)
        return size_units;
    return type == SETTING_DURATION ? duration_units : plain_units;
}

/* A share as millionths: digits, a point, up to six digits. */
static bool parse_share(const char *text, int64_t *value)
{
    char *rest;
    int64_t unit = SHARE_WHOLE;
    if (!isdigit((unsigned char)text[0]))
        return false;
    long whole = strtol(text, &rest, 10);
    *value = whole > 1 ? 2 * SHARE_WHOLE : whole * SHARE_WHOLE;
    if (*rest == '.')
        for (rest++; isdigit((unsigned char)*rest) && unit > 1; rest++)
            *value += (*rest - '0') * (unit /= 10);
    return *rest == '\0';
}

/* 16M is 16m, and 5M is no time. */
static bool is_unit(enum setting_type type, const char *text,
                    const char *suffix)
{
    return (type == SETTING_SIZE ? strcasecmp(text, suffix)
                                 : strcmp(text, suffix)) == 0;
}

/* The number at `text` up to `end` (NULL: all of it), with its unit. */
static bool parse_number(enum setting_type type, const char *text, size_t n,
                         int64_t *value)
{
    char room[32], *rest;
    if (n == 0 || n >= sizeof room || isspace((unsigned char)text[0]))
        return false;
    memcpy(room, text, n);
    room[n] = '\0';
    if (type == SETTING_SHARE)
        return parse_share(room, value);
    errno = 0;
    long long number = strtoll(room, &rest, type == SETTING_MODE ? 8 : 10);
    if (rest == room || errno != 0)
        return false;
    for (const struct unit *u = units_of(type); u->suffix != NULL; u++)
        if (is_unit(type, rest, u->suffix))
            return !__builtin_mul_overflow(number, u->factor, value);
    return type == SETTING_DURATION && number == 0 && *rest == '\0' &&
           (*value = 0, true);
}

static const char *number_example(enum setting_type type)
{
    if (type == SETTING_AUTO)
        return "auto, or a whole number";
    if (type == SETTING_SIZE)
        return "a size such as 512, 64k or 16m (1536m, not 1.5g; 10m, not "
               "10mb)";
    if (type == SETTING_DURATION)
        return "a time such as 250ms, 5s or 2m";
    if (type == SETTING_SHARE)
        return "a share such as 0.01";
    return type == SETTING_MODE ? "octal permissions such as 0660"
                                : "a whole number";
}

static bool set_number(const struct setting *row, int64_t *slot,
                       const char *text, struct buf *why)
{
    int64_t value, least, most;
    const char *dots = strstr(row->allowed, "..");
    if (row->type == SETTING_AUTO && strcmp(text, "auto") == 0) {
        *slot = CONFIG_AUTO;
        return true;
    }
    if (!parse_number(row->type, text, strlen(text), &value)) {
        buf_printf(why, "must be %s, %s", number_example(row->type),
                   row->allowed);
        return false;
    }
    if (!parse_number(row->type, row->allowed, (size_t)(dots - row->allowed),
                      &least) ||
        !parse_number(row->type, dots + 2, strlen(dots + 2), &most))
        abort(); /* config.def is wrong */
    if (value < least || value > most) {
        buf_printf(why, "must be %s", row->allowed);
        return false;
    }
    *slot = value;
    return true;
}

/* The letters of a word of config.def, as people write them. */
static char letter_of(char c)
{
    return c == '_' ? '-' : c;
}

static bool is_word(const char *word, size_t n, const char *text)
{
    size_t i = 0;
    while (i < n && letter_of(word[i]) == text[i])
        i++;
    return i == n && text[n] == '\0';
}

/* Give the length of the first word of "a|b|c" and step over it. */
static size_t next_word(const char **words)
{
    size_t n = strcspn(*words, "|");
    *words += n + ((*words)[n] == '|');
    return n;
}

void config_setting_print_words(const struct setting *row, struct buf *out)
{
    for (const char *c = row->allowed; *c != '\0'; c++)
        buf_char(out, letter_of(*c));
}

static bool set_choice(const struct setting *row, int64_t *slot,
                       const char *text, struct buf *why)
{
    int64_t index = 0;
    for (const char *next = row->allowed; *next != '\0'; index++) {
        const char *word = next;
        size_t n = next_word(&next);
        if (is_word(word, n, text)) {
            *slot = index;
            return true;
        }
    }
    buf_str(why, "must be one of ");
    config_setting_print_words(row, why);
    return false;
}

static bool is_url(const char *text)
{
    size_t scheme = strncmp(text, "http://", 7) == 0    ? 7
                    : strncmp(text, "https://", 8) == 0 ? 8
                                                        : 0;
    return scheme > 0 && text[scheme] != '\0' && text[scheme] != '/';
}

static const char *text_fault(const struct setting *row, const char *text)
{
    struct address ignored;
    enum setting_type type = row->type;
    bool optional = row->initial[0] == '\0';
    if (type == SETTING_WORD && (*text == '\0' || strlen(text) > WORD_MAX))
        return "must have 1 to 64 bytes";
    if (type == SETTING_LIST && *text == '\0')
        return "must have 1 to 4096 bytes";
    if (type == SETTING_FILEPATH && *text != '\0' && *text != '/')
        return "must be an absolute path, or empty";
    if (type == SETTING_URLPATH && !(optional && *text == '\0') && *text != '/')
        return optional ? "must start with /, or be empty"
                        : "must start with /";
    if (type == SETTING_URL && *text != '\0' && !is_url(text))
        return "must be http://host... or https://host..., or empty";
    if (type == SETTING_ADDRESS && !(optional && *text == '\0') &&
        !address_parse(text, &ignored))
        return "must be /path or unix:/path (up to 107 bytes), "
               "127.0.0.1:9000, [::1]:9000 or *:9000; names such as localhost "
               "are not looked up";
    return NULL;
}

static bool set_text(const struct setting *row, char **slot, const char *text,
                     struct buf *why)
{
    const char *fault = text_fault(row, text);
    char *copy = fault == NULL ? strdup(text) : NULL;
    if (copy == NULL) {
        buf_str(why, fault != NULL ? fault : "memory is short");
        return false;
    }
    free(*slot);
    *slot = copy;
    return true;
}

static void *slot_of(const struct setting *row, const void *base)
{
    return (char *)(uintptr_t)base + row->offset;
}

bool config_setting_set(const struct setting *row, void *base, const char *text,
                        struct buf *why)
{
    void *slot = slot_of(row, base);
    if (row->type <= SETTING_ADDRESS)
        return set_text(row, slot, text, why);
    if (row->type == SETTING_CHOICE)
        return set_choice(row, slot, text, why);
    return set_number(row, slot, text, why);
}

static void print_choice(const struct setting *row, int64_t index, FILE *out)
{
    const char *next = row->allowed, *word = next;
    size_t n = next_word(&next);
    while (index-- > 0) {
        word = next;
        n = next_word(&next);
    }
    for (size_t i = 0; i < n; i++)
        putc(letter_of(word[i]), out);
}

static void print_share(int64_t value, FILE *out)
{
    int digits = 6;
    int64_t part = value % SHARE_WHOLE;
    fprintf(out, "%" PRId64, value / SHARE_WHOLE);
    if (part == 0)
        return;
    for (; part % 10 == 0; part /= 10)
        digits--;
    fprintf(out, ".%0*" PRId64, digits, part);
}

static void print_number(enum setting_type type, int64_t value, FILE *out)
{
    const struct unit *u = units_of(type);
    while (value % u->factor != 0 || (value == 0 && u->factor > CLOCK_SECOND))
        u++;
    if (type == SETTING_AUTO && value == CONFIG_AUTO)
        fputs("auto", out);
    else if (type == SETTING_MODE)
        fprintf(out, "%04" PRIo64, (uint64_t)value);
    else
        fprintf(out, "%" PRId64 "%s", value / u->factor, u->suffix);
}

void config_setting_print_value(const struct setting *row, const void *base,
                                FILE *out)
{
    const void *slot = slot_of(row, base);
    if (row->type <= SETTING_ADDRESS)
        fputs(*(char *const *)slot, out);
    else if (row->type == SETTING_CHOICE)
        print_choice(row, *(const int64_t *)slot, out);
    else if (row->type == SETTING_SHARE)
        print_share(*(const int64_t *)slot, out);
    else
        print_number(row->type, *(const int64_t *)slot, out);
}

void config_setting_print(const struct setting *row, const void *base,
                          FILE *out)
{
    fprintf(out, "%s = ", row->name);
    config_setting_print_value(row, base, out);
    fputc('\n', out);
}

void config_setting_clear(const struct setting *row, void *base)
{
    void *slot = slot_of(row, base);
    if (row->type <= SETTING_ADDRESS) {
        free(*(char **)slot);
        *(char **)slot = NULL;
    } else {
        *(int64_t *)slot = 0;
    }
}

static const void *value_of(const struct setting *row, const void *base)
{
    return (const char *)base + row->offset;
}

bool config_setting_is_same(const struct setting *row, const void *a,
                            const void *b)
{
    const void *one = value_of(row, a), *other = value_of(row, b);
    return row->type <= SETTING_ADDRESS
               ? strcmp(*(char *const *)one, *(char *const *)other) == 0
               : *(const int64_t *)one == *(const int64_t *)other;
}

bool config_setting_is_initial(const struct setting *row, const void *base)
{
    char room[128];
    struct buf why;
    int64_t initial = 0;
    struct setting alone = *row;
    alone.offset = 0;
    if (row->type <= SETTING_ADDRESS)
        return strcmp(*(char *const *)value_of(row, base), row->initial) == 0;
    buf_init(&why, room, sizeof room);
    return config_setting_set(&alone, &initial, row->initial, &why) &&
           initial == *(const int64_t *)value_of(row, base);
}

bool config_setting_copy(const struct setting *row, void *to, const void *from)
{
    if (row->type > SETTING_ADDRESS) {
        *(int64_t *)slot_of(row, to) = *(const int64_t *)value_of(row, from);
        return true;
    }
    char *copy = strdup(*(char *const *)value_of(row, from));
    if (copy == NULL)
        return false;
    config_setting_clear(row, to);
    *(char **)slot_of(row, to) = copy;
    return true;
}

const struct setting *config_setting_find(const struct setting *rows,
                                          size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const struct setting *config_setting_nearest(const struct setting *rows,
                                             size_t count, const char *name)
{
    const struct setting *best = NULL;
    size_t best_distance = SPELLING_FAR;
    for (size_t i = 0; i < count; i++) {
        size_t d = spelling_distance(name, rows[i].name);
        if (d < best_distance) {
            best = &rows[i];
            best_distance = d;
        }
    }
    return best;
}
