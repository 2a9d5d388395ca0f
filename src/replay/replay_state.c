/* replay_state: see replay_state.h. */
#include "replay/replay_state.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char heading[] = "tallyctl-replay 1\n";

static bool complain(char *why, size_t why_size, const char *path,
                     const char *what)
{
    snprintf(why, why_size, "--state %s: %s", path, what);
    return false;
}

static bool read_line(struct replay_state *s, const char *line)
{
    char name[64];
    uint64_t value;
    if (sscanf(line, "%63s %" SCNu64, name, &value) != 2)
        return false;
    if (strcmp(name, "mark") == 0)
        s->mark = value;
    else if (strcmp(name, "done") == 0)
        s->done = value;
    else if (strcmp(name, "out") == 0)
        s->out = value;
    else
        return strcmp(name, "end") == 0 ||
               comparison_load(&s->comparison, name, value);
    return true;
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

static bool write_all(const struct replay_state *s, FILE *file)
{
    fprintf(file, "%smark %" PRIu64 "\ndone %" PRIu64 "\nout %" PRIu64 "\n",
            heading, s->mark, s->done, s->out);
    comparison_save(&s->comparison, file);
    fputs("end 0\n", file);
    return fflush(file) == 0 && !ferror(file) && fdatasync(fileno(file)) == 0;
}

bool replay_state_save(const struct replay_state *s, const char *path,
                       char *why, size_t why_size)
{
    char fresh[PATH_MAX];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return complain(why, why_size, path, "the path is too long");
    FILE *file = fopen(fresh, "we");
    if (file == NULL)
        return complain(why, why_size, path, strerror(errno));
    bool ok = write_all(s, file);
    int error = errno;
    if (fclose(file) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(fresh, path) == 0)
        return true;
    error = ok ? errno : error;
    unlink(fresh);
    return complain(why, why_size, path, strerror(error));
}
