/* link: while a connection is being made its process sleeps. What calls of
 * libcurl it makes is counted by a curl_multi_perform() of this program's own,
 * which the linker prefers. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cutoff.h"
#include "downstream/link.h"
#include "sockets.h"
#include "unit.h"

#define CONNECT_TIMEOUT (200 * CLOCK_MS)
#define FILLERS 4

/* libcurl itself asks to be called a few times in that time; a process that
 * does not sleep calls it some 10,000 times. */
#define CALLS_MOST 50

static int calls;

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
    static CURLMcode (*real)(CURLM *, int *);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_perform");
    calls++;
    return real(multi, running);
}

/* What libcurl says of itself. */
static curl_version_info_data info;

curl_version_info_data *curl_version_info(CURLversion wanted)
{
    (void)wanted;
    return &info;
}

static char url[64], why[200];
static int listener, fillers[FILLERS];
static struct link_set *all;
static struct link_target *target;

/* A listener that neither accepts nor refuses: its queue has room for one. */
static void open_full_listener(void)
{
    struct sockaddr_in at;
    struct sockaddr *where = (struct sockaddr *)(void *)&at;
    listener = listen_on_loopback(&at, 0);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(connect(fillers[i], where, sizeof at), -1);
        ck_assert_int_eq(errno, EINPROGRESS);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
}

static void open_link(void)
{
    open_full_listener();
    const struct link_settings settings = {.name = "downstream",
                                           .url = url,
                                           .idle = CLOCK_SECOND,
                                           .lifetime = CLOCK_SECOND,
                                           .connect_timeout = CONNECT_TIMEOUT};
    target = link_target_new(&settings, why, sizeof why);
    ck_assert_msg(target != NULL, "%s", why);
    all = link_set_new();
    ck_assert_ptr_nonnull(all);
}

static void close_link(void)
{
    link_set_free(&all);
    link_target_free(&target);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    close(listener);
}

START_TEST(a_connection_is_waited_for_asleep)
{
    bool fresh;
    const char *reason;
    struct link *l = link_to(all, target);
    int64_t now = clock_now();
    ck_assert_ptr_nonnull(l);
    ck_assert_int_eq(
        link_open(l, now, now + 3600 * CLOCK_SECOND, &fresh, &reason),
        OUTCOME_downstream_timeout);
    ck_assert(fresh);
    ck_assert_int_gt(calls, 0);
    ck_assert_int_le(calls, CALLS_MOST);
}
END_TEST

/* The pool's end comes before connect_timeout does. */
START_TEST(the_end_of_the_pool_ends_the_wait)
{
    static _Atomic int64_t end;
    bool fresh;
    const char *reason;
    struct link *l = link_to(all, target);
    int64_t now = clock_now();
    cutoff_watch(&end);
    cutoff_begin(now);
    end = now + 1;
    ck_assert_int_eq(
        link_open(l, now, now + 3600 * CLOCK_SECOND, &fresh, &reason),
        OUTCOME_downstream_timeout);
    ck_assert_int_eq(calls, 1);
}
END_TEST

/* An older libcurl does not have the member, a newer one maybe no file. */
START_TEST(a_file_of_authorities_need_not_be_known)
{
    info = (curl_version_info_data){.age = CURLVERSION_EIGHTH - 1,
                                    .cainfo = "/beyond"};
    ck_assert_str_eq(link_target_system_ca(), "");
    info = (curl_version_info_data){.age = CURLVERSION_EIGHTH};
    ck_assert_str_eq(link_target_system_ca(), "");
    info.cainfo = "/etc/ssl/ca";
    ck_assert_str_eq(link_target_system_ca(), "/etc/ssl/ca");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_connection_is_waited_for_asleep,
                                  the_end_of_the_pool_ends_the_wait,
                                  a_file_of_authorities_need_not_be_known};
    return UNIT_RUN_WITH("link", tests, open_link, close_link);
}
