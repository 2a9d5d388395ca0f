/* explain: see explain.h. */
#include "ctl/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/ctl_pool.h"
#include "ctl/example.h"
#include "ctl/options.h"
#include "decode/interpret.h"
#include "decode/payload.h"
#include "query/describe.h"
#include "query/parser.h"

#define TEXT_ROOM 65536

#define OPTIONS_STRUCT explain_options
#define OPTIONS_FILE "ctl/explain_options.def"
#include "ctl/options_declare.h"

/* What is needed to evaluate a body. */
struct bench {
    struct program program;
    struct interpret *interpret;
    struct fault fault;
};

static bool open_bench(struct bench *b, const struct config_endpoint *e)
{
    struct query_error error; /* config_load() has found none */
    *b = (struct bench){.interpret = NULL};
    if (config_compile(e, &b->program, &error))
        b->interpret = interpret_new(&b->program, (uint32_t)e->max_depth);
    return b->interpret != NULL;
}

static void close_bench(struct bench *b)
{
    interpret_free(&b->interpret);
    program_free(&b->program);
}

static void print_fault(const struct fault *f)
{
    printf("refused    %d %s: %s%s%s\n", outcome_status(f->what),
           outcome_name(f->what), f->pointer, f->pointer[0] == '\0' ? "" : ": ",
           f->reason);
}

static void print_outcome(const struct bench *b, bool good)
{
    size_t n;
    const char *text = interpret_text(b->interpret, &n);
    if (good)
        printf("result     %.*s\n", (int)n, text);
    else
        print_fault(&b->fault);
}

/* --- The program. --- */

static void print_text(const char *what, const struct buf *text)
{
    printf("%-10s %s\n", what, text->data);
}

static void print_paths(const struct program *p)
{
    char path[1024], uses[160];
    for (size_t i = 0; i < p->slot_count; i++) {
        struct buf out, use;
        buf_init(&out, path, sizeof path);
        buf_init(&use, uses, sizeof uses);
        describe_slot(p, i, &out);
        describe_uses(p, i, &use);
        printf("%-10s %-24s %s\n", i == 0 ? "paths" : "", path, uses);
    }
}

static void print_ops(const struct program *p, const char *what,
                      struct program_range range)
{
    char room[TEXT_ROOM];
    for (uint32_t i = range.from; i < range.to; i++) {
        struct buf out;
        buf_init(&out, room, sizeof room);
        describe_op(p, &p->ops[i], &out);
        print_text(i == range.from ? what : "", &out);
    }
}

static void print_program(const struct program *p)
{
    char list[1024];
    struct buf out;
    buf_init(&out, list, sizeof list);
    if (p->lines)
        buf_str(&out, "the lines of the body");
    else
        describe_list(p, &out);
    print_text("list", &out);
    print_paths(p);
    print_ops(p, "where", p->where);
    for (size_t i = 0; i < p->copy_count; i++) {
        buf_reset(&out);
        buf_printf(&out, "%s = ", p->copies[i].name);
        describe_slot(p, p->copies[i].slot, &out);
        print_text("copy", &out);
    }
    for (size_t i = 0; i < p->result_count; i++) {
        buf_reset(&out);
        buf_printf(&out, "%s = %s of", p->results[i].name,
                   parser_function_name(p->results[i].function));
        print_text("result", &out);
        print_ops(p, "", p->results[i].range);
    }
}

static void print_example(struct bench *b)
{
    static char room[TEXT_ROOM];
    struct buf body;
    buf_init(&body, room, sizeof room);
    bool found = example_make(&b->program, &body);
    printf("example    %s%s\n", room,
           found ? "" : "  (no item was found that the condition takes)");
    interpret_begin(b->interpret);
    bool good = interpret_feed(b->interpret, (const uint8_t *)room, body.len,
                               &b->fault) &&
                interpret_finish(b->interpret, NULL, &b->fault);
    print_outcome(b, good);
}

static bool print_endpoint(const struct config_endpoint *e)
{
    struct bench b;
    bool open = open_bench(&b, e);
    if (open) {
        bool typed = e->decoder == CONFIG_decoder_typed;
        printf("endpoint   %s, path %s\n", e->name, e->path);
        printf("decoder    %s\n", typed ? "typed" : "json-c");
        print_program(&b.program);
        print_example(&b);
    } else {
        fputs("tallyctl: explain: memory is short\n", stderr);
    }
    close_bench(&b);
    return open;
}

static int explain(const struct explain_options *o, const struct config *c)
{
    const char *name = o->endpoint.count > 0 ? o->endpoint.values[0] : NULL;
    if (name != NULL && config_find_endpoint(c, name) == NULL) {
        fprintf(stderr, "tallyctl: explain: there is no endpoint %s\n", name);
        return EXIT_FAILURE;
    }
    bool first = true;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        const struct config_endpoint *e = c->endpoints[i];
        if (name != NULL && strcmp(name, e->name) != 0)
            continue;
        if (!first)
            putchar('\n');
        first = false;
        if (!print_endpoint(e))
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* --- A body. --- */

static void print_item(void *context, const struct evaluation *e)
{
    static const char *const fates[] = {
        [EVALUATION_COUNTED] = "counts",
        [EVALUATION_FILTERED] = "dropped by where",
        [EVALUATION_SKIPPED] = "skipped: a member is missing or null",
        [EVALUATION_REFUSED] = "refused",
        [EVALUATION_UNSEEN] = "not looked at"};
    const struct bench *b = context;
    const struct program *p = &b->program;
    char room[1024];
    struct buf out;
    buf_init(&out, room, sizeof room);
    evaluation_print_place(e, &out);
    printf("item       %s: %s", room, fates[evaluation_fate(e)]);
    for (size_t i = 0;
         evaluation_fate(e) == EVALUATION_COUNTED && i < p->result_count; i++) {
        buf_reset(&out);
        evaluation_print_share(e, i, &out);
        printf("%s %s %s", i == 0 ? ":" : ",", p->results[i].name, room);
    }
    putchar('\n');
}

static bool read_body(struct bench *b, int fd, bool *failed)
{
    uint8_t bytes[65536];
    ssize_t n;
    interpret_begin(b->interpret);
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        if (!interpret_feed(b->interpret, bytes, (size_t)n, &b->fault))
            return false;
    *failed = n < 0;
    if (*failed)
        fprintf(stderr, "tallyctl: send: the body: %s\n", strerror(errno));
    return !*failed;
}

enum body_end explain_body(const struct config_endpoint *e, int fd)
{
    struct bench b;
    bool failed = !open_bench(&b, e), good = false;
    if (!failed) {
        interpret_tell(b.interpret, print_item, &b);
        good = read_body(&b, fd, &failed) &&
               interpret_finish(b.interpret, NULL, &b.fault);
    }
    if (!failed)
        print_outcome(&b, good);
    close_bench(&b);
    return failed ? BODY_FAILED : good ? BODY_TAKEN : BODY_REFUSED;
}

static const struct options_table table = {
    .program = "tallyctl",
    .command = "explain",
    .usage = "[OPTION...] [ENDPOINT]",
    .about = "Print how the queries of the settings are understood.\n",
    OPTIONS_ROWS(explain_options_rows),
};

int explain_main(int argc, char **argv)
{
    struct explain_options o = {0};
    int status = options_parse(&table, &o, argc, argv);
    if (status == OPTIONS_GO) {
        struct config *c = ctl_pool_settings(o.config, &o.set, "");
        status = c == NULL ? EX_CONFIG : explain(&o, c);
        config_free(&c);
    }
    options_clear(&table, &o);
    return status;
}
