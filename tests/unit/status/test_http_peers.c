/* http_peers: who goes when there is no room, and when the time is over. */
#include "status/http_peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

#define COUNT 6

static struct http_peers *peers;
static struct http_peer *peer[COUNT];
static int far[COUNT], near[COUNT];

static void open_all(int64_t timeout, int64_t silence)
{
    peers = http_peers_new(COUNT, timeout, silence);
    ck_assert_ptr_nonnull(peers);
    for (int i = 0; i < COUNT; i++) {
        int pair[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        near[i] = pair[0];
        far[i] = pair[1];
        peer[i] = http_peers_open(peers, near[i]);
        ck_assert_ptr_nonnull(peer[i]);
        peer[i]->opened = 1000 + i; /* in that order, whatever the clock */
    }
    ck_assert_ptr_null(http_peers_open(peers, near[0]));
}

static void close_all(void)
{
    for (int i = 0; i < COUNT; i++) {
        http_peers_close(peer[i]);
        close(near[i]);
        close(far[i]);
    }
    http_peers_free(&peers);
}

/* Does the other side meet the end? */
static bool is_cut(int i)
{
    char byte;
    ssize_t n = recv(far[i], &byte, 1, MSG_DONTWAIT);
    ck_assert(n == 0 || (n < 0 && errno == EAGAIN));
    return n == 0;
}

static void check_cut(const char *wanted)
{
    for (int i = 0; i < COUNT; i++)
        ck_assert_msg(is_cut(i) == (wanted[i] == 'x'), "number %d, %s", i,
                      wanted);
}

static void hear(int i)
{
    peer[i]->request.target = strdup("/");
    http_peers_hear(peers, peer[i]);
}

START_TEST(the_oldest_without_a_whole_header_goes)
{
    open_all(3600 * CLOCK_SECOND, 3600 * CLOCK_SECOND);
    hear(0);
    peer[0]->request.begun = true;
    hear(1);
    hear(3);
    http_peers_make_room(peers, COUNT, peer[5]);
    check_cut("......");
    http_peers_make_room(peers, COUNT - 1, peer[5]);
    check_cut(".x....");
    http_peers_make_room(peers, COUNT - 1, peer[5]); /* as many as may be */
    check_cut(".x....");
    for (unsigned most = COUNT - 2; most > 2; most--)
        http_peers_make_room(peers, most, peer[5]);
    check_cut(".xxx..");
    http_peers_make_room(peers, 2, peer[5]);
    check_cut(".xxxx."); /* the one that is served stays, and the last one */
    http_peers_make_room(peers, 1, peer[5]);
    check_cut("xxxxx.");
    http_peers_make_room(peers, 0, peer[5]);
    check_cut("xxxxx.");
    http_peers_make_room(peers, 0, NULL);
    check_cut("xxxxxx");
    close_all();
}
END_TEST

START_TEST(silence_has_a_limit_of_its_own)
{
    open_all(1000 * CLOCK_SECOND, 100 * CLOCK_SECOND);
    int64_t now = clock_now();
    peer[1]->opened = now;
    hear(1);
    http_peers_cut(peers, now);
    check_cut("......");
    http_peers_cut(peers, now + 200 * CLOCK_SECOND);
    check_cut("x.xxxx");
    http_peers_cut(peers, now + 900 * CLOCK_SECOND);
    check_cut("x.xxxx");
    ck_assert_int_eq(http_peers_cut(peers, now + 1001 * CLOCK_SECOND),
                     CLOCK_NEVER);
    check_cut("xxxxxx");
    close_all();
}
END_TEST

START_TEST(without_it_the_time_is_one)
{
    open_all(1000 * CLOCK_SECOND, 0);
    int64_t now = clock_now();
    hear(1);
    http_peers_cut(peers, now + 900 * CLOCK_SECOND);
    check_cut("......");
    http_peers_renew(peers, peer[2]);
    http_peers_cut(peers, now + 2000 * CLOCK_SECOND);
    check_cut("xxxxxx");
    close_all();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_oldest_without_a_whole_header_goes,
                                  silence_has_a_limit_of_its_own,
                                  without_it_the_time_is_one};
    return UNIT_MAIN("http_peers", tests);
}
