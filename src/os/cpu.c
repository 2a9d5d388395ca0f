/* cpu: see cpu.h. */
#include "os/cpu.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of no CPU; a list with it is wrong. */
#define NO_CPU SIZE_MAX

/* Where there are more than a cpu_set_t has room for, all that are there. */
uint32_t cpu_count(void)
{
    cpu_set_t allowed;
    long n = sched_getaffinity(0, sizeof allowed, &allowed) == 0
                 ? CPU_COUNT(&allowed)
                 : sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

/* The number at *text, which moves behind it. */
static size_t read_number(const char **text)
{
    size_t number = 0;
    const char *start = *text;
    for (; **text >= '0' && **text <= '9' && number < CPU_SETSIZE; (*text)++)
        number = number * 10 + (size_t)(**text - '0');
    return *text == start || number >= CPU_SETSIZE ? NO_CPU : number;
}

/* Call `visit` for each CPU of the list, in its order, until it gives true.
 * False: the list is none. */
static bool walk(const char *list, const cpu_set_t *allowed,
                 bool (*visit)(void *context, size_t cpu), void *context)
{
    if (strcmp(list, "auto") == 0) {
        for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, allowed) && visit(context, cpu))
                break;
        return true;
    }
    while (*list != '\0') {
        size_t first = read_number(&list), last = first;
        if (*list == '-') {
            list++;
            last = read_number(&list);
        }
        bool more = *list == ',' && list[1] != '\0';
        if (first == NO_CPU || last == NO_CPU || last < first ||
            (*list != '\0' && !more))
            return false;
        for (size_t cpu = first; cpu <= last; cpu++)
            if (visit(context, cpu))
                return true;
        list += more;
    }
    return true;
}

struct refusal {
    const cpu_set_t *allowed;
    size_t cpu;
};

static bool is_refused(void *context, size_t cpu)
{
    struct refusal *r = context;
    if (CPU_ISSET(cpu, r->allowed))
        return false;
    r->cpu = cpu;
    return true;
}

bool cpu_list_check(const char *list, char *why, size_t why_size)
{
    cpu_set_t allowed;
    struct refusal r = {&allowed, NO_CPU};
    if (list[0] == '\0' || sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return true;
    if (!walk(list, &allowed, is_refused, &r))
        snprintf(why, why_size,
                 "cpu_affinity = %.80s: must be auto, or CPUs such as 0-3,6",
                 list);
    else if (r.cpu != NO_CPU)
        snprintf(why, why_size,
                 "cpu_affinity = %.80s: CPU %zu is none that this process may "
                 "run on",
                 list, r.cpu);
    else
        return true;
    return false;
}

struct choice {
    uint32_t left; /* to pass over */
    uint32_t seen;
    size_t cpu;
};

static bool is_chosen(void *context, size_t cpu)
{
    struct choice *c = context;
    c->cpu = cpu;
    c->seen++;
    return c->left-- == 0;
}

bool cpu_bind(const char *list, uint32_t number)
{
    cpu_set_t allowed, one;
    struct choice all = {.left = UINT32_MAX}, chosen = {0};
    if (list[0] == '\0')
        return true;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return false;
    walk(list, &allowed, is_chosen, &all);
    if (all.seen == 0) {
        errno = EINVAL;
        return false;
    }
    chosen.left = number % all.seen;
    walk(list, &allowed, is_chosen, &chosen);
    CPU_ZERO(&one);
    CPU_SET(chosen.cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

bool cpu_batch(void)
{
    const struct sched_param none = {0};
    /* It may be so from the start, and a sandbox forbid to ask for it. */
    return sched_getscheduler(0) == SCHED_BATCH ||
           sched_setscheduler(0, SCHED_BATCH, &none) == 0;
}

bool cpu_idle(void)
{
    const struct sched_param none = {0};
    return sched_setscheduler(0, SCHED_IDLE, &none) == 0;
}

bool cpu_nice(int value)
{
    return value == 0 || setpriority(PRIO_PROCESS, 0, value) == 0;
}
