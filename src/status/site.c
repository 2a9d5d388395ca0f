/* site: see site.h. */
#include "status/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/host_list.h"
#include "status/accept.h"
#include "status/metrics.h"
#include "status/page.h"
#include "status/status.h"

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"
#define HTML "text/html; charset=utf-8"
#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_OPEN                                                           \
    "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* A page of 8 workers takes a third of the first; 1024 workers and 64 endpoints
 * fit the last. */
#define PAGE_ROOM ((size_t)64 << 10)
#define REFRESH_MOST 3600 /* s */
#define PAGE_ROOM_MOST ((size_t)16 << 20)

/* One request, and where its reply goes. */
struct visit {
    const struct site *site;
    const struct http_request *request;
    struct http_reply *reply;
};

/* --- Pages. --- */

static void give(const struct visit *visit, int status, const char *type,
                 struct buf *body)
{
    *visit->reply = (struct http_reply){
        .status = status, .type = type, .body = body->data, .len = body->len};
}

static void give_text(const struct visit *visit, int status, const char *text)
{
    struct buf body = {.cap = strlen(text) + 1};
    body.data = malloc(body.cap);
    if (body.data == NULL)
        return; /* 500, as http.h says */
    buf_init(&body, body.data, body.cap);
    buf_str(&body, text);
    give(visit, status, TEXT, &body);
}

typedef bool print_page(const struct view *v, struct buf *out);

/* Give what `print` makes of the pool as it is now, whatever room it takes; the
 * HTML page, if `print` is NULL, as `wish` says. */
static void give_page(const struct visit *visit, const char *type,
                      print_page *print, const struct page_wish *wish)
{
    struct view v;
    struct buf body = {.cap = 0};
    view_take(&v, visit->site->board, visit->site->config, getpid());
    for (size_t room = PAGE_ROOM; room <= PAGE_ROOM_MOST; room *= 4) {
        body.data = malloc(room);
        if (body.data == NULL)
            return;
        buf_init(&body, body.data, room);
        if (print == NULL ? page_print(&v, wish, &body) : print(&v, &body)) {
            give(visit, 200, type, &body);
            return;
        }
        free(body.data);
    }
}

/* --- Paths. --- */

/* The form asked for in the query, else the one the peer likes best. */
static int choose(const struct http_request *r, const char *const *names,
                  const char *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (http_query(r, names[i]) != NULL)
            return (int)i;
    int best = accept_best(r->accept, types, count);
    return best < 0 ? 0 : best;
}

/* Seconds, as a number of at most four digits; anything else is none. */
static unsigned read_refresh(const char *text)
{
    size_t n = text == NULL ? 0 : strspn(text, "0123456789");
    if (n == 0 || n > 4 || text[n] != '\0')
        return 0;
    unsigned long seconds = strtoul(text, NULL, 10);
    return seconds > REFRESH_MOST ? REFRESH_MOST : (unsigned)seconds;
}

static void answer_status(const struct visit *visit)
{
    static const char *const names[] = {"text", "json", "html"};
    static const char *const types[] = {"text/plain", "application/json",
                                        "text/html"};
    const struct page_wish wish = {
        .refresh = read_refresh(http_query(visit->request, "refresh")),
        .full = http_query(visit->request, "full") != NULL,
        .history = visit->site->history};
    switch (choose(visit->request, names, types, 3)) {
    case 0:
        give_page(visit, TEXT, status_text, NULL);
        break;
    case 1:
        give_page(visit, JSON, status_json, NULL);
        break;
    default:
        give_page(visit, HTML, NULL, &wish);
        visit->reply->policy = PAGE_POLICY;
    }
}

static void answer_metrics(const struct visit *visit)
{
    static const char *const names[] = {"text", "openmetrics"};
    static const char *const types[] = {"text/plain",
                                        "application/openmetrics-text"};
    if (choose(visit->request, names, types, 2) == 0)
        give_page(visit, METRICS_TEXT, metrics_text, NULL);
    else
        give_page(visit, METRICS_OPEN, metrics_open, NULL);
}

/* The process that answers is alive, and ends with its supervisor. */
static void answer_livez(const struct visit *visit)
{
    give_text(visit, 200, "ok\n");
}

static void answer_readyz(const struct visit *visit)
{
    struct view v;
    char line[80];
    view_glance(&v, visit->site->board, visit->site->config);
    const char *fault = view_fault(&v);
    snprintf(line, sizeof line, "not ready: %s\n", fault == NULL ? "" : fault);
    give_text(visit, fault == NULL ? 200 : 503,
              fault == NULL ? "ready\n" : line);
}

static void answer_selftest(const struct visit *visit)
{
    struct view v;
    char text[160];
    view_glance(&v, visit->site->board, visit->site->config);
    bool sound = v.tested > 0 && v.unsound == 0;
    snprintf(text, sizeof text,
             "%s\nself-tests %llu\nfailures %llu\nworkers that failed %u\n",
             sound ? "ok" : "failed",
             (unsigned long long)v.counters[COUNTER_selftests],
             (unsigned long long)v.counters[COUNTER_selftest_failures],
             v.unsound);
    give_text(visit, sound ? 200 : 503, text);
}

static void answer_root(const struct visit *visit)
{
    give_text(visit, 200,
              "tallyd: /status /metrics /livez /readyz /selftest\n");
}

static const struct {
    const char *path;
    void (*answer)(const struct visit *visit);
} routes[] = {
    {"/", answer_root},           {"/status", answer_status},
    {"/metrics", answer_metrics}, {"/livez", answer_livez},
    {"/readyz", answer_readyz},   {"/selftest", answer_selftest},
};

void site_answer(void *context, const struct http_request *r,
                 struct http_reply *reply)
{
    const struct visit visit = {context, r, reply};
    const struct config_pool *p = &visit.site->config->pool;
    if (!host_list_allows(p->status_listen, p->status_hosts,
                          http_header(r, "Host"))) {
        give_text(&visit, 421,
                  "misdirected: [pool] status_hosts does not have this name\n");
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(r->path, routes[i].path) == 0) {
            routes[i].answer(&visit);
            return;
        }
    give_text(&visit, 404, "not found; try /\n");
}
