/* page_settings: the settings of the page, see page_parts.h. */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "config/config_setting.h"
#include "status/page_parts.h"

/* A value that is longer is cut; the page is no place to read it. */
#define VALUE_MAX 600

/* http://user:password@host: what stands before the @ is nobody's business. */
static void hide_user(char *url)
{
    char *host = strstr(url, "://");
    if (host == NULL)
        return;
    host += 3;
    char *end = host + strcspn(host, "/?#"), *at = end;
    while (at > host && *at != '@')
        at--;
    if (at > host)
        memmove(host, at + 1, strlen(at + 1) + 1);
}

static void print_row(struct buf *out, const struct setting *s,
                      const void *base)
{
    char text[VALUE_MAX] = "";
    FILE *f = fmemopen(text, sizeof text - 1, "w");
    if (f == NULL)
        return;
    config_setting_print(s, base, f);
    fclose(f);
    text[strcspn(text, "\n")] = '\0';
    char *value = strstr(text, " = ");
    value = value == NULL ? text : value + 3;
    if (s->type == SETTING_URL)
        hide_user(value);
    buf_printf(out, "<tr%s><th scope=row><code>%s</code><td><code>",
               strcmp(value, s->initial) == 0 ? " class=dim" : "", s->name);
    escape_html(out, value);
    buf_str(out, "</code><td class=dim>");
    escape_html(out, s->help);
}

/* result.NAME and copy.NAME. */
static void print_member(struct buf *out, const struct config_member *m)
{
    char text[VALUE_MAX];
    snprintf(text, sizeof text, "%s", m->text);
    buf_printf(out, "<tr><th scope=row><code>%s.", m->copy ? "copy" : "result");
    escape_html(out, m->name);
    buf_str(out, "</code><td><code>");
    escape_html(out, text);
    buf_str(out, "</code><td class=dim>a member of what is posted");
}

static void print_section(struct buf *out, const struct config_section *s,
                          const struct config_endpoint *e)
{
    buf_printf(out, "<details><summary>[%s%s", s->kind,
               s->name[0] == '\0' ? "" : " ");
    escape_html(out, s->name);
    buf_str(out, "]</summary><table>");
    for (size_t i = 0; i < s->count; i++)
        print_row(out, &s->rows[i], s->base);
    for (size_t i = 0; e != NULL && i < e->member_count; i++)
        print_member(out, &e->members[i]);
    buf_str(out, "</table></details>");
}

void page_parts_settings(struct buf *out, const struct view *v)
{
    struct config *c = (struct config *)(uintptr_t)v->config;
    struct config_section pool = config_pool_section(c);
    buf_str(out, "<section id=settings><h2>Settings in force</h2>");
    print_section(out, &pool, NULL);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        struct config_section s = config_endpoint_section(c->endpoints[i]);
        print_section(out, &s, c->endpoints[i]);
    }
    struct config_section shadow = config_shadow_section(c);
    print_section(out, &shadow, NULL);
    buf_str(out, "</section>");
}
