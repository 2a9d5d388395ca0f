/* findings: see findings.h. */
#include "ctl/findings.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void
print_line(const char *state, const char *about, const char *fmt, va_list ap)
{
    printf("%-6s %-11s ", state, about);
    vprintf(fmt, ap);
    putchar('\n');
}

void findings_ok(struct findings *f, const char *about, const char *fmt, ...)
{
    va_list ap;
    (void)f;
    va_start(ap, fmt);
    print_line("ok", about, fmt, ap);
    va_end(ap);
}

void findings_wrong(struct findings *f, const char *about, const char *fmt, ...)
{
    va_list ap;
    f->bad = true;
    va_start(ap, fmt);
    print_line("wrong", about, fmt, ap);
    va_end(ap);
}
