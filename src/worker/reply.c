/* reply: see reply.h. */
#include "worker/reply.h"

#include <stdio.h>

#include "decode/json.h"

static void put_place(struct json_doc *problem, const struct fault *f)
{
    if (f->what == OUTCOME_malformed_json) {
        json_put_uint(problem, "offset", f->offset);
        if (f->line > 0) {
            json_put_uint(problem, "line", f->line);
            json_put_uint(problem, "column", f->column);
        }
    } else if (f->what == OUTCOME_wrong_shape) {
        json_put_text(problem, "pointer", f->pointer);
    }
}

/* The problem document; false when memory is short. */
static bool print_problem(struct buf *out, const struct handler_result *r,
                          const struct trace *trace)
{
    char instance[TRACE_ID_MAX + 16];
    int status = outcome_status(r->outcome);
    snprintf(instance, sizeof instance, "urn:request:%s", trace->request_id);
    struct json_doc *problem = json_new_object();
    json_put_text(problem, "type", "about:blank");
    json_put_text(problem, "title", outcome_title(r->outcome));
    json_put_uint(problem, "status", (uint64_t)status);
    json_put_text(problem, "detail",
                  status < 500 ? r->detail
                               : "the cause is in the log, under this request");
    json_put_text(problem, "instance", instance);
    json_put_text(problem, "outcome", outcome_name(r->outcome));
    put_place(problem, &r->fault);
    bool ok = json_print(problem, out);
    json_free(&problem);
    return ok;
}

static void print_head(struct buf *out, const struct handler_result *r,
                       const struct trace *trace, size_t body_len)
{
    int status = outcome_status(r->outcome);
    buf_str(out, "Status: ");
    buf_uint(out, (uint64_t)status);
    buf_char(out, ' ');
    buf_str(out, outcome_phrase(r->outcome));
    buf_str(out, r->outcome == OUTCOME_ok
                     ? "\r\nContent-Type: application/json"
                     : "\r\nContent-Type: application/problem+json");
    buf_str(out, "\r\nContent-Length: ");
    buf_uint(out, body_len);
    buf_str(out, "\r\nX-Request-ID: ");
    buf_str(out, trace->request_id);
    buf_str(out, "\r\ntraceparent: ");
    buf_str(out, trace->parent);
    buf_str(out, "\r\n");
    if (status == 405)
        buf_str(out, "Allow: POST\r\n");
    if (status == 503)
        buf_printf(out, "Retry-After: %lld\r\n",
                   r->retry_after > 0 ? (long long)r->retry_after : 1LL);
    buf_str(out, "\r\n");
}

void reply_print(struct buf *out, const struct handler_result *result,
                 const struct trace *trace, bool head_only)
{
    static const char fallback[] = "{\"title\":\"memory is short\"}";
    char room[4096];
    struct buf problem;
    const char *body = result->body;
    size_t body_len = result->body_len;
    if (result->outcome != OUTCOME_ok) {
        buf_init(&problem, room, sizeof room);
        bool ok = print_problem(&problem, result, trace);
        body = ok ? problem.data : fallback;
        body_len = ok ? problem.len : sizeof fallback - 1;
    }
    print_head(out, result, trace, body_len);
    if (!head_only)
        buf_add(out, body, body_len);
}
