/* replay_state: see replay_state.h. */
#include "replay/replay_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/replace_file.h"

static const char heading[] = "tallyctl-replay 1\n";

static bool complain(char *why, size_t why_size, const char *path,
                     const char *what)
{
    snprintf(why, why_size, "--state %s: %s", path, what);
    return false;
}

/* The numbers of a state, and their names in the file. */
enum { NUMBERS = 8 };
static const char *const names[NUMBERS] = {
    "mark",       "done",       "out",          "file",
    "file_cases", "file_taken", "bodies_cases", "bodies_taken"};

static uint64_t *number(struct replay_state *s, int i)
{
    uint64_t *const numbers[NUMBERS] = {
        &s->mark,        &s->done,        &s->out,          &s->lines.number,
        &s->lines.cases, &s->lines.taken, &s->bodies.cases, &s->bodies.taken};
    return numbers[i];
}

static bool read_line(struct replay_state *s, const char *line)
{
    char name[64];
    uint64_t value;
    if (sscanf(line, "%63s %" SCNu64, name, &value) != 2)
        return false;
    for (int i = 0; i < NUMBERS; i++)
        if (strcmp(name, names[i]) == 0) {
            *number(s, i) = value;
            return true;
        }
    return strcmp(name, "end") == 0 ||
           comparison_load(&s->comparison, name, value);
}

static const char *read_all(struct replay_state *s, FILE *file)
{
    char line[128];
    struct replay_state kept = {0};
    bool whole = false;
    if (fgets(line, sizeof line, file) == NULL || strcmp(line, heading) != 0)
        return "not a state of this version's replay";
    while (fgets(line, sizeof line, file) != NULL) {
        if (!read_line(&kept, line))
            return "a line of it makes no sense";
        whole = strncmp(line, "end ", 4) == 0;
    }
    if (!whole)
        return "it is cut";
    if (kept.mark != s->mark)
        return "it is of a run with other URLs, inputs or settings; name "
               "another file, or remove it to begin anew";
    *s = kept;
    return NULL;
}

bool replay_state_load(struct replay_state *s, const char *path, char *why,
                       size_t why_size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT ||
               complain(why, why_size, path, strerror(errno));
    const char *fault = read_all(s, file);
    fclose(file);
    return fault == NULL || complain(why, why_size, path, fault);
}

static void print(const struct replay_state *s, FILE *file)
{
    struct replay_state copy = *s;
    fputs(heading, file);
    for (int i = 0; i < NUMBERS; i++)
        fprintf(file, "%s %" PRIu64 "\n", names[i], *number(&copy, i));
    comparison_save(&s->comparison, file);
    fputs("end 0\n", file);
}

bool replay_state_save(const struct replay_state *s, const char *path,
                       char *why, size_t why_size)
{
    char cause[400], *text = NULL;
    size_t n;
    FILE *file = open_memstream(&text, &n);
    if (file == NULL)
        return complain(why, why_size, path, strerror(errno));
    print(s, file);
    bool ok = fclose(file) == 0;
    snprintf(cause, sizeof cause, "%s: %s", path, strerror(errno));
    ok = ok && replace_file(path, text, n, cause, sizeof cause);
    free(text);
    if (!ok)
        snprintf(why, why_size, "--state %s", cause);
    return ok;
}
