/* line: see line.h. */
#include "base/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Kept free for what ends a line. */
#define TAIL "\",\"cut\":true}\n"

/* What a message in JSON leaves to the fields. */
#define FIELDS_LEAST 512

/* Bytes of a field; the rest is cut. */
#define VALUE_MOST 1024

/* RFC 5424, table 1: the facility for daemons. */
#define FACILITY_DAEMON (3 << 3)

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const int severities[] = {3, 4, 6, 7}; /* RFC 5424, table 2 */

/* --- Texts from outside. --- */

static void add_hex(struct buf *out, const unsigned char *s, size_t n)
{
    for (size_t i = 0; i < n && !out->overflow; i++)
        buf_printf(out, "\\x%02x", (unsigned)s[i]);
}

/* For text: control characters and what is no UTF-8 come out as \xHH; within
 * quotes also " and \ with a \ before them. */
static void add_clean(struct buf *out, const char *text, bool quoted)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s != '\0' && !out->overflow) {
        size_t n = utf8_length(s);
        if (quoted && (*s == '"' || *s == '\\'))
            buf_printf(out, "\\%c", *s);
        else if (n == 0 || utf8_is_control(s, n))
            add_hex(out, s, n == 0 ? 1 : n);
        else
            buf_add(out, s, n);
        s += n == 0 ? 1 : n;
    }
}

static void add_json_character(struct buf *out, const unsigned char *s,
                               size_t n)
{
    if (n == 0)
        buf_str(out, "\xef\xbf\xbd"); /* U+FFFD */
    else if (*s == '"' || *s == '\\')
        buf_printf(out, "\\%c", *s);
    else if (*s == '\n')
        buf_str(out, "\\n");
    else if (utf8_is_control(s, n))
        buf_printf(out, "\\u%04x", n == 1 ? *s : s[1]);
    else
        buf_add(out, s, n);
}

/* The inside of a JSON string. */
static void add_json(struct buf *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s != '\0' && !out->overflow) {
        size_t n = utf8_length(s);
        add_json_character(out, s, n);
        s += n == 0 ? 1 : n;
    }
}

/* --- The head. --- */

static void add_stamp(struct buf *out, int64_t wall)
{
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
               tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
               (int)(wall % CLOCK_SECOND / CLOCK_MS));
}

/* RFC 3164, 4.1.2: local time, English months. */
static void add_syslog_stamp(struct buf *out, int64_t wall)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm tm;
    localtime_r(&seconds, &tm);
    buf_printf(out, "%.3s %2d %02d:%02d:%02d", months + 3 * tm.tm_mon,
               tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void begin_destination(struct buf *out, const struct line_head *h)
{
    int severity = severities[h->level];
    if (h->style == LINE_PREFIXED) {
        buf_printf(out, "<%d>", severity);
    } else if (h->style == LINE_SYSLOG) {
        buf_printf(out, "<%d>", FACILITY_DAEMON | severity);
        add_syslog_stamp(out, h->wall);
        buf_printf(out, " tallyd[%d]: ", h->pid);
    }
}

static void begin_object(struct buf *out, const struct line_head *h)
{
    buf_str(out, "{\"time\":\"");
    add_stamp(out, h->wall);
    buf_printf(out, "\",\"level\":\"%s\",\"pool\":\"", level_names[h->level]);
    add_json(out, h->pool);
    buf_str(out, "\",\"process\":\"");
    add_json(out, h->name);
    buf_printf(out, "\",\"pid\":%d", h->pid);
}

static void begin_text(struct buf *out, const struct line_head *h)
{
    if (h->style == LINE_PLAIN) {
        add_stamp(out, h->wall);
        buf_printf(out, " %s ", level_names[h->level]);
    }
    if (h->style == LINE_SYSLOG)
        buf_printf(out, "%s: ", h->name);
    else
        buf_printf(out, "%s[%d]: ", h->name, h->pid);
}

static void begin_journal(struct buf *out, const struct line_head *h)
{
    buf_printf(out,
               "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=tallyd\n"
               "TALLYD_PROCESS=%s\nTALLYD_POOL=",
               severities[h->level], FACILITY_DAEMON >> 3, h->name);
    add_clean(out, h->pool, false);
    buf_printf(out, "\nMESSAGE=%s: ", h->name);
}

void line_begin(struct line *l, const struct line_head *head)
{
    l->style = head->style;
    l->json = head->json && head->style != LINE_JOURNAL;
    l->begun = l->cut = false;
    size_t tail = l->json ? sizeof TAIL : 1;
    buf_init(&l->out, l->room, LINE_MAX_BYTES - tail);
    buf_init(&l->fields, l->field_room, sizeof l->field_room);
    if (l->style == LINE_JOURNAL) {
        begin_journal(&l->out, head);
        return;
    }
    begin_destination(&l->out, head);
    if (l->json)
        begin_object(&l->out, head);
    else
        begin_text(&l->out, head);
}

void line_message(struct line *l, const char *text)
{
    if (text[0] == '\0')
        return;
    l->begun = true;
    if (!l->json) {
        add_clean(&l->out, text, false);
        return;
    }
    buf_str(&l->out, ",\"message\":\"");
    size_t cap = l->out.cap;
    l->out.cap -= FIELDS_LEAST;
    add_json(&l->out, text);
    l->out.cap = cap;
    l->cut = l->out.overflow;
    l->out.overflow = false;
    buf_char(&l->out, '"');
}

/* --- Fields. --- */

/* Take back a field that did not fit. */
static void settle(struct line *l, struct buf *b, size_t before)
{
    if (!b->overflow)
        return;
    b->len = before;
    b->data[before] = '\0';
    b->overflow = false;
    l->cut = true;
}

static void add_json_field(struct line *l, const char *key, const char *value,
                           bool bare)
{
    size_t before = l->out.len;
    buf_printf(&l->out, bare ? ",\"%s\":" : ",\"%s\":\"", key);
    add_json(&l->out, value);
    if (!bare)
        buf_char(&l->out, '"');
    settle(l, &l->out, before);
}

static void add_text_field(struct line *l, const char *key, const char *value,
                           bool bare)
{
    size_t before = l->out.len;
    buf_printf(&l->out, l->begun ? " %s=" : "%s=", key);
    if (!bare)
        buf_char(&l->out, '"');
    add_clean(&l->out, value, !bare);
    if (!bare)
        buf_char(&l->out, '"');
    l->begun = true;
    settle(l, &l->out, before);
}

/* REQUEST_ID and TRACE_ID are what others call them. */
static void add_journal_field(struct line *l, const char *key,
                              const char *value)
{
    size_t before = l->fields.len;
    bool is_id = strcmp(key, "request") == 0 || strcmp(key, "trace") == 0;
    for (const char *c = key; *c != '\0'; c++)
        buf_char(&l->fields,
                 *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    buf_str(&l->fields, is_id ? "_ID=" : "=");
    add_clean(&l->fields, value, false);
    buf_char(&l->fields, '\n');
    settle(l, &l->fields, before);
}

static void add_field(struct line *l, const char *key, const char *value,
                      bool bare, bool number)
{
    char room[VALUE_MOST + 1];
    size_t n = strnlen(value, VALUE_MOST + 1);
    if (n > VALUE_MOST) {
        for (n = VALUE_MOST; (value[n] & 0xc0) == 0x80 && n > VALUE_MOST - 4;)
            n--; /* not within a character */
        memcpy(room, value, n);
        room[n] = '\0';
        value = room;
        l->cut = true;
    }
    if (l->json) {
        add_json_field(l, key, value, number);
        return;
    }
    add_text_field(l, key, value, bare);
    if (l->style == LINE_JOURNAL)
        add_journal_field(l, key, value);
}

/* White space, quotes and controls would make another key of a part of it. */
static bool is_bare(const char *value)
{
    const unsigned char *s = (const unsigned char *)value;
    for (; *s > ' ' && *s < 0x7f && *s != '"' && *s != '\\'; s++)
        ;
    return *s == '\0' && s != (const unsigned char *)value;
}

void line_word(struct line *l, const char *key, const char *value)
{
    add_field(l, key, value, is_bare(value), false);
}

void line_text(struct line *l, const char *key, const char *value)
{
    add_field(l, key, value, false, false);
}

void line_number(struct line *l, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    add_field(l, key, text, true, true);
}

void line_ms(struct line *l, const char *key, int64_t ns)
{
    char name[64], text[32];
    snprintf(name, sizeof name, "%s_ms", key);
    int n = snprintf(text, sizeof text, "%" PRId64 ".%03" PRId64 "ms",
                     ns / CLOCK_MS, ns % CLOCK_MS / 1000);
    if (!l->json)
        add_text_field(l, key, text, true);
    text[n - 2] = '\0';
    if (l->json)
        add_json_field(l, name, text, true);
    else if (l->style == LINE_JOURNAL)
        add_journal_field(l, name, text);
}

/* --- The end. --- */

const char *line_end(struct line *l, size_t *n)
{
    struct buf *out = &l->out;
    out->overflow = false;
    out->cap = sizeof l->room;
    if (l->json)
        buf_str(out, l->cut ? ",\"cut\":true}" : "}");
    if (l->style != LINE_SYSLOG) /* whose datagrams need none */
        buf_char(out, '\n');
    if (l->style == LINE_JOURNAL)
        buf_add(out, l->fields.data, l->fields.len);
    *n = out->len;
    return out->data;
}
