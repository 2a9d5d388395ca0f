/* page: a pool as a page, of which every number is known. */
#include <stdio.h>

#include "status/page.h"
#include "pages.h"

/* With a line for each worker. */
static void print_full(void)
{
    const struct page_wish wish = {.full = true, .refresh = 10};
    ck_assert(page_print(&view, &wish, &out));
}

START_TEST(the_page_has_the_pool_and_its_workers)
{
    print_full();
    expect_part("<!doctype html><html lang=en><head><meta charset=utf-8><meta "
                "name=viewport content=\"width=device-width\">");
    expect_part("<meta http-equiv=refresh content=10>");
    expect_part("<title>tallyd: ready</title>");
    expect_part("<header><h1>tallyd</h1><span class=\"badge ok\">ready</spa"
                "n><p><code>/run/a&amp;b</code> &#183; up 1 d 2 h 3 min 4 s"
                " &#183; pid 4711</p><nav>refresh <a href=\"?html&amp;full&"
                "amp;refresh=2\">2 s</a> <a href=\"?html&amp;full&amp;refre"
                "sh=10\">10 s</a> <a href=\"?html&amp;full&amp;refresh=60\""
                ">60 s</a> <a href=\"?html&amp;full\">off</a> &#183; <a hre"
                "f=\"?html\">less</a></nav></header>");
    expect_part(
        "<div class=tiles><div class=tile><p class=dim>requests<p c"
        "lass=v>20.6 <small class=dim>/s</small><p class=dim>last m"
        "inute; in all 12.5 /s</div><div class=tile><p class=dim>fa"
        "ilures<p class=v><span class=bad>1.70</span> <small class="
        "dim>%</small><p class=dim>21 of 1&#8239;234, last minute</"
        "div><div class=tile><p class=dim>median<p class=v>38.2 \302\265"
        "s<p class=dim>last minute; 99 %: 1.01 s</div><div class=ti"
        "le><p class=dim>busy workers<p class=v>1 <small class=dim>"
        "of 5</small><div class=bar><i style=\"width:20%\"></i></di"
        "v></div><div class=tile><p class=dim>connections<p class=v"
        ">7 <small class=dim>of 10</small><div class=bar><i style=\""
        "width:70%\"></i></div></div><div class=tile><p class=dim>r"
        "equests waiting<p class=v>17 <small class=dim>the longest "
        "for 2.5 s</small><p class=dim>most 18 at 2025-11-29T23:59:"
        "59Z; all workers busy 19 times</div><div class=tile><p cla"
        "ss=dim>listen queue<p class=v>14 <small class=dim>of 16</s"
        "mall><div class=bar><i style=\"width:87%\"></i></div></div"
        "></div>");
    expect_part("<section id=workers><h2>Workers</h2><ul class=board aria-l"
                "abel=\"state of each worker\"><li class=idle title=\"worke"
                "r 0: idle\">-<li class=posting title=\"worker 1: posting\""
                ">P<li class=absent title=\"worker 2: absent\">.</ul><p cla"
                "ss=dim><code>.</code> absent 1 &#183; <code>-</code> idle "
                "1 &#183; <code>B</code> busy 0 &#183; <code>R</code> readi"
                "ng 0 &#183; <code>P</code> posting 1 &#183; <code>W</code>"
                " writing 0</p><table><tr><th>worker<th class=n>pid<th>stat"
                "e<th class=n>requests<th class=n>age<th class=n>memory<th "
                "class=n>in hand<tr><th scope=row>0<td class=n>2000000000<t"
                "d>idle<td class=n>41<td class=n>70 s<td class=n>0.0 MB<td "
                "class=n><tr><th scope=row>1<td class=n>2000000001<td>posti"
                "ng<td class=n>42<td class=n>71 s<td class=n>0.0 MB<td clas"
                "s=n>1.23 s<tr><th scope=row>2<td class=n>2000000002<td>abs"
                "ent<td class=n>43<td class=n>0 s<td class=n>0.0 MB<td clas"
                "s=n></table></section><div class=pair>");
    expect_part("<section id=outcomes><h2>Requests by outcome</h2><table><t"
                "r><th>outcome<th class=n>status<th class=n>last 60 s<th cl"
                "ass=n>since start<tr><th scope=row title=\"OK\">ok<td clas"
                "s=n>200<td class=n>1&#8239;213<td class=n>1&#8239;234&#823"
                "9;567<tr><th scope=row title=\"No endpoint claims this pat"
                "h\">not_found<td class=n>404<td class=n>0<td class=n>31<tr"
                "><th scope=row class=bad title=\"The service is stopping\""
                ">draining<td class=n>503<td class=n>0<td class=n>32</table"
                "></section>");
}
END_TEST

START_TEST(the_page_has_times_and_counters)
{
    print_full();
    expect_part("<section id=times><h2>Where the time goes</h2><table><tr><"
                "th>last minute<th class=n>median<th class=n>95 %<th class="
                "n>99 %<th class=n>count<tr><th scope=row>whole request<td "
                "class=n>38.2 \302\265s<td class=n>1.02 ms<td class=n>1.01 "
                "s<td class=n>99<tr><th>since start<th class=n>median<th cl"
                "ass=n>95 %<th class=n>99 %<th class=n>count<tr><th scope=r"
                "ow>whole request<td class=n>38.3 \302\265s<td class=n>1.38"
                " ms<td class=n>1.75 s<td class=n>100</table></section>");
    expect_part("<section id=downstream><h2>Downstream and parity</h2><tabl"
                "e><tr><th scope=row>results posted<td class=n>90<tr><th sc"
                "ope=row>of them a second time<td class=n>5&#8239;005<tr><t"
                "h scope=row>not posted (dry run)<td class=n>5&#8239;006<tr"
                "><th scope=row>connections made<td class=n>40<tr><th scope"
                "=row>posts per connection<td class=n>2.2<tr><th scope=row>"
                "breaker of odd<td class=n><span class=ok>closed</span><tr>"
                "<th scope=row>bodies decoded twice (verify)<td class=n>5&#"
                "8239;007<tr><th scope=row>decoders differed<td class=n>0<t"
                "r><th scope=row>self-tests<td class=n>5&#8239;008<tr><th s"
                "cope=row>of them failed<td class=n>5&#8239;009</table></se"
                "ction>");
    expect_part("<section id=connections><h2>Connections and processes</h2>"
                "<table><tr><th scope=row>accepted<td class=n>5&#8239;000<t"
                "r><th scope=row>requests on a kept one<td class=n>5&#8239;"
                "001<tr><th scope=row>refused, for protocol or a limit<td c"
                "lass=n>5&#8239;002<tr><th scope=row>closed, silent for too"
                " long<td class=n>5&#8239;003<tr><th scope=row>closed, kept"
                " and idle<td class=n>5&#8239;004<tr><th scope=row>lost wit"
                "h their worker<td class=n>8<tr><th scope=row>workers start"
                "ed<td class=n>101<tr><th scope=row>left, not needed any mo"
                "re<td class=n>110<tr><th scope=row>ended normally<td class"
                "=n>103<tr><th scope=row>ended with a status<td class=n>104"
                "<tr><th scope=row>ended by a signal<td class=n>105<tr><th "
                "scope=row>of those, stuck in a request<td class=n>106<tr><"
                "th scope=row>of those, stuck in their start<td class=n>107"
                "<tr><th scope=row>of those, stuck while idle<td class=n>10"
                "8<tr><th scope=row>memory of all workers<td class=n>12.3 M"
                "B<tr><th scope=row>of the largest<td class=n>4.5 MB</table"
                "></section>");
    expect_part("<section id=shadow><h2>Shadow</h2><table><tr><th scope=row"
                ">requests sampled<td class=n>5&#8239;010<tr><th scope=row>"
                "dropped, the queue was full<td class=n>5&#8239;011<tr><th "
                "scope=row>skipped<td class=n>5&#8239;012<tr><th scope=row>"
                "equal<td class=n>0<tr><th scope=row>different by contract<"
                "td class=n>0<tr><th scope=row>mismatches<td class=n>0<tr><"
                "th scope=row>not judged<td class=n>62<tr><th scope=row cla"
                "ss=dim title=\"neither gave an answer that can be compared"
                ", or memory was short\">&#8195;unjudged<td class=\"n dim\""
                ">62<tr><th scope=row>results written<td class=n>61</table>"
                "</section></div>");
}
END_TEST

START_TEST(the_page_has_advice_and_settings)
{
    print_full();
    expect_part("<li class=now>1 of 3 workers are not there. If they stay away "
                "the log says why they end.<li class=now>14 connections wait");
    expect_part("<li>backlog is 1024, but the kernel takes 16");
    expect_part("Setting: <code>backlog</code>");
    expect_part("<details><summary>[endpoint odd]</summary><table>");
    expect_part("<details><summary>[shadow]</summary><table>");
    expect_part("<tr><th scope=row><code>max_connections</code><td><code>10"
                "</code>");
    expect_part("<tr class=dim><th scope=row><code>workers</code><td><code>a"
                "uto</code>");
    /* Defaults, too, though they are written "60s", "120s" and "0". */
    expect_part("<tr class=dim><th scope=row><code>body_timeout</code>");
    expect_part("<tr class=dim><th scope=row><code>request_timeout</code>");
    expect_part("<tr class=dim><th scope=row><code>max_rss</code>");
    expect_part("<td><code>http://h/x@y</code>"); /* not who asks */
    ck_assert_str_eq(room + strlen(room) - 15, "</body></html>\n");
}
END_TEST

START_TEST(the_short_page)
{
    const struct page_wish wish = {.full = false};
    ck_assert(page_print(&view, &wish, &out));
    expect_no("http-equiv=refresh");
    expect_part("<a href=\"?html&amp;refresh=2\">2 s</a>");
    expect_no(">off</a>");
    expect_part("<a href=\"?html&amp;full\">every worker</a></nav>");
    expect_no("<th>worker<th class=n>pid");
}
END_TEST

START_TEST(times_up_are_told_in_their_largest_units)
{
    static const struct {
        uint64_t s;
        const char *text;
    } rows[] = {{0, " up 0 s "},
                {59, " up 59 s "},
                {60, " up 1 min 0 s "},
                {3599, " up 59 min 59 s "},
                {3600, " up 1 h 0 min 0 s "},
                {86399, " up 23 h 59 min 59 s "},
                {86400, " up 1 d 0 h 0 min 0 s "}};
    const struct page_wish wish = {.full = false};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view.uptime = rows[i].s;
        buf_reset(&out);
        ck_assert(page_print(&view, &wish, &out));
        expect_part(rows[i].text);
    }
}
END_TEST

START_TEST(times_are_told_in_three_digits)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } rows[] = {{1, ">1.00 ms"},   {9, ">9.00 ms"},    {10, ">10.0 ms"},
                {99, ">99.0 ms"},  {100, ">100 ms"},   {999, ">999 ms"},
                {1000, ">1.00 s"}, {9999, ">10.00 s"}, {10000, ">10.0 s"},
                {100000, ">100 s"}};
    const struct page_wish wish = {.full = true};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        board->slots[1].since = view.now - (int64_t)rows[i].ms * CLOCK_MS;
        buf_reset(&out);
        ck_assert(page_print(&view, &wish, &out));
        expect_part(rows[i].text);
    }
}
END_TEST

static const char *bar(uint32_t waiting, uint32_t limit)
{
    const struct page_wish wish = {.full = false};
    view.queue = (struct backlog){waiting, limit};
    buf_reset(&out);
    ck_assert(page_print(&view, &wish, &out));
    return strstr(room, "<p class=dim>listen queue");
}

START_TEST(bars_are_hot_from_nine_tenths)
{
    ck_assert_ptr_nonnull(strstr(bar(89, 100), "<i style=\"width:89%\">"));
    ck_assert_ptr_nonnull(
        strstr(bar(90, 100), "<i class=hot style=\"width:90%\">"));
    ck_assert_ptr_nonnull(strstr(bar(100, 100), "width:100%\">"));
    ck_assert_ptr_nonnull(strstr(bar(300, 100), "width:100%\">"));
    ck_assert_ptr_nonnull(strstr(bar(3, 0), "<i style=\"width:0%\">"));
    view.queue_known = false;
    ck_assert_ptr_null(bar(1, 2));
}
END_TEST

START_TEST(rates_have_the_digits_that_say_something)
{
    static const struct {
        uint64_t ended;
        const char *text;
    } rows[] = {{0, ">0.00 <small class=dim>/s"},
                {599, ">9.98 <small class=dim>/s"},
                {600, ">10.0 <small class=dim>/s"},
                {5999, ">100.0 <small class=dim>/s"},
                {6000, ">100 <small class=dim>/s"},
                {6030, ">101 <small class=dim>/s"},
                {600000, ">10&#8239;000 <small class=dim>/s"}};
    const struct page_wish wish = {.full = false};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view.recent.ended = rows[i].ended;
        buf_reset(&out);
        ck_assert(page_print(&view, &wish, &out));
        expect_part(rows[i].text);
    }
    view.recent.span = 0; /* just begun */
    buf_reset(&out);
    ck_assert(page_print(&view, &wish, &out));
    expect_part(">0.00 <small class=dim>/s");
}
END_TEST

START_TEST(mismatches_are_bad)
{
    const struct page_wish wish = {.full = false};
    view.shadow.kinds[PARITY_reply_body] = 3;
    view.shadow.kinds[PARITY_equal] = 5;
    ck_assert(page_print(&view, &wish, &out));
    expect_part("<tr><th scope=row>equal<td class=n>5<tr>");
    expect_part("<tr><th scope=row class=bad>mismatches<td class=n>3<tr>");
    expect_part(
        "<tr><th scope=row>mismatch rate, 95 % sure<td class=n>&#8804; ");
}
END_TEST

START_TEST(a_pool_without_posts_and_failures)
{
    const struct page_wish wish = {.full = false};
    view.counters[COUNTER_downstream_posts] = 0;
    view.recent.failed = 0;
    view.outcomes[OUTCOME_internal] = 1; /* 500 itself */
    view.outcomes[OUTCOME_client_gone] = 2;
    view.recent.total.count = 0;
    view.counters[COUNTER_shadow_sampled] = 0;
    view.waiting.longest = 0;
    view.waiting.most = 0;
    ck_assert(page_print(&view, &wish, &out));
    expect_no("posts per connection");
    expect_part(">internal<td class=n>500<");
    expect_part(">client_gone<td class=n>");
    char bad[200];
    snprintf(bad, sizeof bad,
             "<tr><th scope=row class=bad title=\"%s\">internal<",
             outcome_title(OUTCOME_internal));
    expect_part(bad);
    expect_part("<span class=ok>0.00</span>");
    expect_no("<tr><th>last minute<th class=n>median");
    expect_no("<section id=shadow>");
    expect_part(">17<p class=dim>most 0; all workers busy 19 times</div>");
    view.counters[COUNTER_downstream_posts] = 9;
    view.counters[COUNTER_downstream_connects] = 0;
    buf_reset(&out);
    ck_assert(page_print(&view, &wish, &out));
    expect_part("posts per connection<td class=n>9.0");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_page_has_the_pool_and_its_workers,
                                  the_page_has_times_and_counters,
                                  the_page_has_advice_and_settings,
                                  the_short_page,
                                  times_up_are_told_in_their_largest_units,
                                  times_are_told_in_three_digits,
                                  bars_are_hot_from_nine_tenths,
                                  rates_have_the_digits_that_say_something,
                                  mismatches_are_bad,
                                  a_pool_without_posts_and_failures};
    return UNIT_RUN_WITH("page", tests, open_pages, close_pages);
}
