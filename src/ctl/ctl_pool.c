/* ctl_pool: see ctl_pool.h. */
#include "ctl/ctl_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/config_load.h"
#include "config/config_place.h"
#include "os/process.h"
#include "scoreboard/board_file.h"
#include "scoreboard/board_place.h"

/* So often, and after so many ms, an upgrade is looked for. */
#define FIND_TURNS 20
#define FIND_PAUSE 50

static struct config *load(const char *path, const struct options_list *set,
                           const char *name, bool place)
{
    char why[CONFIG_ERROR_MAX], named[128];
    size_t n = set->count;
    const char **all = calloc(n + 2, sizeof *all);
    if (all == NULL) {
        fprintf(stderr, "tallyctl: memory is short\n");
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        all[i] = set->values[i];
    if (name[0] != '\0') {
        snprintf(named, sizeof named, "pool.name=%s", name);
        all[n++] = named;
        all[n++] = "pool.scoreboard=";
    }
    const char *file = path[0] == '\0' ? NULL : path;
    struct config *c = config_load_here(file, all, n, why);
    bool wrong = c == NULL;
    if (wrong && place)
        c = config_place_load(file, all, n);
    if (wrong)
        fprintf(stderr, "tallyctl: %s%s\n", c == NULL ? "" : "warning: ", why);
    free(all);
    return c;
}

struct config *ctl_pool_settings(const char *path,
                                 const struct options_list *set,
                                 const char *name)
{
    return load(path, set, name, false);
}

struct config *ctl_pool_place(const char *path, const struct options_list *set,
                              const char *name)
{
    return load(path, set, name, true);
}

/* --- Whose file it is. --- */

/* NULL: it may be believed. */
static const char *distrust(int file, pid_t pid)
{
    struct stat st;
    if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode))
        return "not a scoreboard";
    if ((st.st_mode & 022) != 0)
        return "others may write it";
    if (st.st_uid == 0 || st.st_uid == geteuid() ||
        st.st_uid == process_user(pid))
        return NULL;
    return "it belongs neither to root, nor to you, nor to the pool's user";
}

static bool is_started(pid_t pid, uint64_t born)
{
    uint64_t started = process_started(pid);
    return started == 0 || born == 0 || started == born;
}

/* The process that holds the lock, which it holds before and after it is
 * opened: no other has become that number in between. -1: errno. */
static int open_process(int file, const struct scoreboard_stub *s)
{
    int process = pidfd_open(s->pid, 0);
    if (process < 0 ||
        (board_file_holder(file) == s->pid && is_started(s->pid, s->born)))
        return process;
    close(process);
    errno = ESRCH;
    return -1;
}

/* NULL: it is the one that the file names. */
static const char *doubt(pid_t holder, const struct scoreboard_stub *s)
{
    return s->pid < 1   ? "it names no pool"
           : holder < 0 ? "the pool runs in another pid namespace; ask it there"
           : holder != 0 && holder != s->pid
               ? "another process than it names holds its lock"
               : NULL;
}

static int refuse(char *why, size_t why_size, const char *path,
                  const char *what)
{
    snprintf(why, why_size, "scoreboard = %.300s: %.160s", path, what);
    return EX_UNAVAILABLE;
}

static int identify(struct ctl_pool *p, char *why, size_t why_size)
{
    struct scoreboard_stub s;
    if (!board_file_stub(p->file, &s))
        return refuse(why, why_size, p->path,
                      "not a scoreboard of this version");
    p->pid = s.pid;
    pid_t holder = board_file_holder(p->file);
    const char *what = doubt(holder, &s);
    if (what == NULL)
        what = distrust(p->file, s.pid);
    if (what != NULL)
        return refuse(why, why_size, p->path, what);
    p->process = open_process(p->file, &s);
    if (p->process >= 0)
        return EX_OK;
    if (errno != ESRCH)
        return refuse(why, why_size, p->path, strerror(errno));
    snprintf(why, why_size,
             "scoreboard = %.300s: the pool (pid %d) is not running", p->path,
             (int)s.pid);
    return EX_UNAVAILABLE;
}

int ctl_pool_open(struct ctl_pool *p, const char *path, char *why,
                  size_t why_size)
{
    *p = (struct ctl_pool){.process = -1};
    snprintf(p->path, sizeof p->path, "%s", path);
    p->file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (p->file < 0)
        return refuse(why, why_size, path,
                      errno == ENOENT ? "no such file; the pool is not running"
                                      : strerror(errno));
    int status = identify(p, why, why_size);
    if (status == EX_OK)
        p->board = board_file_read(p->file);
    else
        ctl_pool_close(p);
    return status;
}

int ctl_pool_look(struct ctl_pool *p, const struct config *c, char *why,
                  size_t why_size)
{
    char path[BOARD_PLACE_MAX], one[240];
    int status = EX_UNAVAILABLE;
    struct buf all;
    if (c->pool.scoreboard[0] != '\0')
        return ctl_pool_open(p, c->pool.scoreboard, why, why_size);
    *p = (struct ctl_pool){.file = -1, .process = -1};
    buf_init(&all, why, why_size);
    buf_printf(&all, "no pool %.64s is found", c->pool.name);
    for (int i = 0; status != EX_OK && i < BOARD_PLACES; i++)
        if (board_place(i, c->pool.name, path)) {
            status = ctl_pool_open(p, path, one, sizeof one);
            buf_printf(&all, "; %s", one);
        }
    return status;
}

void ctl_pool_close(struct ctl_pool *p)
{
    if (p->file >= 0)
        close(p->file);
    if (p->process >= 0)
        close(p->process);
    p->file = p->process = -1;
    scoreboard_free(p->board);
    p->board = NULL;
}

bool ctl_pool_still(const struct ctl_pool *p)
{
    struct pollfd ended = {.fd = p->process, .events = POLLIN};
    if (poll(&ended, 1, 0) != 0)
        return false;
    if (p->board != NULL && !board_file_read_again(p->file, p->board)) {
        /* Cut by somebody: what is known stays, until the pool mends it. */
    }
    return true;
}

bool ctl_pool_signal(const struct ctl_pool *p, int signal)
{
    return pidfd_send_signal(p->process, signal, NULL, 0) == 0;
}

/* Open it with its counts. *again: an upgrade may have put others in their
 * place since the file was read. */
static int open_counted(struct ctl_pool *p, const struct config *c, bool counts,
                        bool *again, char *why, size_t why_size)
{
    *again = false;
    int status = ctl_pool_look(p, c, why, why_size);
    if (status != EX_OK)
        return status;
    if (p->board == NULL)
        return refuse(why, why_size, p->path,
                      "not a scoreboard of this version");
    if (!counts || scoreboard_attach(p->board, p->pid))
        return EX_OK;
    *again = errno != EACCES;
    return refuse(why, why_size, p->path,
                  *again ? "its counts are out of reach, perhaps in another "
                           "IPC namespace"
                         : "its counts may not be read by you");
}

int ctl_pool_find(struct ctl_pool *p, const struct config *c, bool counts)
{
    char why[500];
    bool again = true;
    int status = EX_OK;
    for (int turn = 0; again && turn < FIND_TURNS; turn++) {
        if (turn > 0) {
            ctl_pool_close(p);
            poll(NULL, 0, FIND_PAUSE);
        }
        status = open_counted(p, c, counts, &again, why, sizeof why);
    }
    if (status == EX_OK)
        return EX_OK;
    fprintf(stderr, "tallyctl: %s\n", why);
    ctl_pool_close(p);
    return status;
}
