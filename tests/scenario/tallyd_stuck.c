/* tallyd with a fault: where a body is added up it does not come back, in the
 * way that the order in $STUCK says (order.h); without an order it does. The
 * order is taken by the one that got stuck, so there is only one, unless it
 * says "all" as well. A worker comes here in its first self-test, too. Where it
 * says "leave", a worker that leaves takes its time until it is gone; where it
 * says "read", the supervisor that has read its settings again takes the order,
 * and goes on when there is another. Linked with
 * --wrap=decoder_finish, serving_close, log_end and settings_load_again
 * (ld(1)), so that the program itself has no place for it. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "order.h"
#include "pool/settings.h"
#include "worker/decoder.h"
#include "worker/serving.h"

const struct payload_result *__real_decoder_finish(struct decoder *d,
                                                   enum decoder_check *check,
                                                   struct buf *difference);
const struct payload_result *__wrap_decoder_finish(struct decoder *d,
                                                   enum decoder_check *check,
                                                   struct buf *difference);

__attribute__((noinline)) static void spin_for_ever(void)
{
    static volatile unsigned turns;
    for (;;)
        turns++;
}

__attribute__((noinline)) static void wait_for_ever(void)
{
    for (;;)
        poll(NULL, 0, -1);
}

/* As two threads that wait for each other do. */
__attribute__((noinline)) static void lock_for_ever(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

/* And has with it what others need to log. */
static volatile sig_atomic_t has_log;

static void keep_the_log(void)
{
    has_log = 1;
    wait_for_ever();
}

static void hear_nothing(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    spin_for_ever();
}

/* It comes back as soon as it is asked where it is. */
__attribute__((noinline)) static void wait_for_signal(void)
{
    poll(NULL, 0, -1);
}

/* Gives the number of words. */
static int read_words(char how[16])
{
    char text[ORDER_BYTES], who[16];
    return order_read(text) ? sscanf(text, "%15s %15s", how, who) : 0;
}

__attribute__((constructor)) static void get_ready(void)
{
    order_map("STUCK");
}

static void get_stuck(void)
{
    char how[16] = "";
    int words = read_words(how);
    if (words <= 0 || (words == 1 && !order_take()))
        return; /* it is not there, or somebody else was faster */
    if (strcmp(how, "spin") == 0)
        spin_for_ever();
    else if (strcmp(how, "wait") == 0)
        wait_for_ever();
    else if (strcmp(how, "lock") == 0)
        lock_for_ever();
    else if (strcmp(how, "log") == 0)
        keep_the_log();
    else if (strcmp(how, "deaf") == 0)
        hear_nothing();
    else if (strcmp(how, "late") == 0)
        wait_for_signal();
}

const struct payload_result *__wrap_decoder_finish(struct decoder *d,
                                                   enum decoder_check *check,
                                                   struct buf *difference)
{
    get_stuck();
    return __real_decoder_finish(d, check, difference);
}

void __real_serving_close(struct serving *s);
void __wrap_serving_close(struct serving *s);

void __wrap_serving_close(struct serving *s)
{
    char how[16] = "";
    while (read_words(how) > 0 && strcmp(how, "leave") == 0)
        usleep(1000);
    __real_serving_close(s);
}

bool __real_settings_load_again(struct settings *s,
                                const struct settings_source *source,
                                const struct settings *now,
                                char why[CONFIG_ERROR_MAX]);
bool __wrap_settings_load_again(struct settings *s,
                                const struct settings_source *source,
                                const struct settings *now,
                                char why[CONFIG_ERROR_MAX]);

bool __wrap_settings_load_again(struct settings *s,
                                const struct settings_source *source,
                                const struct settings *now,
                                char why[CONFIG_ERROR_MAX])
{
    char how[16] = "";
    bool ok = __real_settings_load_again(s, source, now, why);
    bool waits = read_words(how) > 0 && strcmp(how, "read") == 0;
    if (waits && order_take())
        while (read_words(how) == 0)
            usleep(1000);
    return ok;
}

void __real_log_end(struct line *l);
void __wrap_log_end(struct line *l);

void __wrap_log_end(struct line *l)
{
    if (has_log)
        wait_for_ever();
    __real_log_end(l);
}
