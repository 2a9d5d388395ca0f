/* top: see top.h. */
#include "ctl/top.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "status/status.h"

/* Another screen, without a cursor, and back (xterm's control sequences). */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

static volatile sig_atomic_t told_to_end;

struct top {
    const struct scoreboard *board;
    const struct config *config;
    struct view now, before;
    char *text;
    size_t room;
};

static void note_signal(int signal)
{
    if (signal != SIGWINCH)
        told_to_end = 1;
}

static void write_all(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t written = write(STDOUT_FILENO, text, n);
        if (written <= 0)
            return;
        text += written;
        n -= (size_t)written;
    }
}

/* Per second since the last drawing. */
static double rate(const struct top *t, uint64_t now, uint64_t before)
{
    double seconds =
        (double)(t->now.now - t->before.now) / (double)CLOCK_SECOND;
    return t->before.now == 0 || seconds <= 0
               ? 0
               : (double)(now - before) / seconds;
}

/* Copy what fits on the screen, each line cut to its width. */
static void fit(struct buf *screen, const char *text, size_t rows,
                size_t columns)
{
    for (size_t row = 0; row < rows && *text != '\0'; row++) {
        size_t n = strcspn(text, "\n");
        buf_str(screen, row == 0 ? "" : "\r\n");
        buf_add(screen, text, n < columns ? n : columns);
        buf_str(screen, "\033[K");
        text += n + (text[n] == '\n');
    }
    buf_str(screen, "\033[J");
}

static bool draw(struct top *t)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct buf page, screen;
    uint64_t ignored, failed, failed_before;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
        size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    t->before = t->now;
    view_take(&t->now, t->board, t->config, 0);
    view_sum_outcomes(t->now.outcomes, &ignored, &failed);
    view_sum_outcomes(t->before.outcomes, &ignored, &failed_before);
    buf_init(&page, t->text, t->room);
    buf_printf(&page, "%.1f requests/s, %.1f failures/s; q leaves\n",
               rate(t, t->now.started, t->before.started),
               rate(t, failed, failed_before));
    status_text(&t->now, &page);
    buf_init(&screen, t->text + t->room, t->room);
    buf_str(&screen, "\033[H");
    fit(&screen, page.data, size.ws_row, size.ws_col);
    write_all(screen.data, screen.len);
    return !page.overflow && !screen.overflow;
}

/* Wait a second, or for a key or a signal; true: to leave. */
static bool wait_for_key(const sigset_t *open)
{
    const struct timespec second = {.tv_sec = 1};
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    char key;
    if (ppoll(&p, 1, &second, open) <= 0)
        return told_to_end != 0;
    return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' ||
           key == 3 || told_to_end != 0;
}

static void catch_signals(sigset_t *open)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    struct sigaction act = {.sa_handler = note_signal};
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        sigaddset(&blocked, ours[i]);
        sigaction(ours[i], &act, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, open);
}

enum top_end top_run(const struct ctl_pool *p, const struct config *c)
{
    struct top t = {.board = p->board,
                    .config = c,
                    .room = 65536 + (size_t)p->board->slots_most * 512};
    struct termios before, raw;
    sigset_t open;
    t.text = malloc(2 * t.room);
    if (t.text == NULL || !isatty(STDOUT_FILENO) ||
        tcgetattr(STDIN_FILENO, &before) != 0) {
        free(t.text);
        return TOP_NO_TERMINAL;
    }
    catch_signals(&open);
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    write_all(ENTER, strlen(ENTER));
    bool running = true;
    do
        running = ctl_pool_still(p) && draw(&t);
    while (running && !wait_for_key(&open));
    write_all(LEAVE, strlen(LEAVE));
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    free(t.text);
    return running ? TOP_LEFT : TOP_POOL_GONE;
}
