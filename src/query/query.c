/* query: see query.h. */
#include "query/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "query/parser.h"
#include "query/path.h"

/* Put the mistake of one text beside the name of its setting. */
static bool fail(struct query_error *e, const char *prefix, const char *name,
                 const struct lexer_error *cause)
{
    snprintf(e->key, sizeof e->key, "%s%s", prefix, name);
    e->column = cause->column;
    memcpy(e->message, cause->message, sizeof e->message);
    return false;
}

static bool fail_whole(struct query_error *e, const char *prefix,
                       const char *name, const char *message)
{
    struct lexer_error cause = {.column = 0};
    snprintf(cause.message, sizeof cause.message, "%s", message);
    return fail(e, prefix, name, &cause);
}

static bool is_taken(const struct query_settings *s, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(s->members[i].name, s->members[index].name) == 0)
            return true;
    return false;
}

static bool add_copy(struct program *p, const struct query_member *m,
                     struct lexer_error *cause)
{
    struct program_copy *copy = &p->copies[p->copy_count];
    int slot = path_copy(p, m->text, cause);
    if (slot < 0)
        return false;
    p->copy_count++;
    copy->slot = (uint8_t)slot;
    copy->name = program_keep(p, m->name, strlen(m->name));
    if (copy->name != NULL && program_quote(p, m->name, &copy->quoted))
        return true;
    snprintf(cause->message, sizeof cause->message, "memory is short");
    return false;
}

static bool add_member(struct program *p, const struct query_settings *s,
                       size_t i, struct query_error *e)
{
    const struct query_member *m = &s->members[i];
    const char *prefix = m->copy ? "copy." : "result.";
    struct lexer_error cause = {.column = 0};
    if (m->copy && s->lines)
        return fail_whole(e, prefix, m->name,
                          "with format = ndjson there is no document to copy "
                          "from");
    if (is_taken(s, i))
        return fail_whole(e, prefix, m->name,
                          "the name is there twice among results and copies");
    if (m->copy ? p->copy_count == PROGRAM_COPIES_MAX
                : p->result_count == PROGRAM_RESULTS_MAX)
        return fail_whole(e, prefix, m->name,
                          m->copy ? "more than 16 copies"
                                  : "more than 16 results");
    return (m->copy ? add_copy(p, m, &cause)
                    : parser_result(p, m->name, m->text, &cause)) ||
           fail(e, prefix, m->name, &cause);
}

/* sum(@['FIELD'] * MULTIPLY) */
static bool add_short_form(struct program *p, const struct query_settings *s)
{
    struct program_result *r = &p->results[p->result_count++];
    struct program_slot path = {.count = 1, .uses = PROGRAM_NUMBER};
    struct value factor = {.kind = VALUE_NUMBER,
                           .number = {true, s->multiply, (double)s->multiply}};
    path.names[0] = (struct program_name){
        program_keep(p, s->field, strlen(s->field)), strlen(s->field)};
    r->name = program_keep(p, s->result, strlen(s->result));
    if (path.names[0].bytes == NULL || r->name == NULL ||
        !program_quote(p, s->result, &r->quoted))
        return false;
    int literal = program_literal(p, &factor);
    int slot = program_slot(p, &path);
    r->range.from = (uint32_t)p->op_count;
    r->range.to = (uint32_t)p->op_count + 3;
    return literal >= 0 &&
           program_op(p, (struct program_op){.code = PROGRAM_READ,
                                             .slot = (uint8_t)slot}) >= 0 &&
           program_op(p, (struct program_op){.code = PROGRAM_CONST,
                                             .other = (uint16_t)literal}) >=
               0 &&
           program_op(p, (struct program_op){.code = PROGRAM_MULTIPLY}) >= 0;
}

static bool compile(struct program *p, const struct query_settings *s,
                    struct query_error *e)
{
    struct lexer_error cause = {.column = 0};
    if (!s->lines && !path_array(p, s->array, &cause))
        return fail(e, "array", "", &cause);
    if (s->where[0] != '\0' && !parser_where(p, s->where, &cause))
        return fail(e, "where", "", &cause);
    for (size_t i = 0; i < s->member_count; i++)
        if (!add_member(p, s, i, e))
            return false;
    if (p->result_count == 0 && !add_short_form(p, s))
        return fail_whole(e, "result", "", "memory is short");
    return true;
}

bool query_compile(struct program *p, const struct query_settings *s,
                   struct query_error *error)
{
    *p = (struct program){.numbers = s->numbers,
                          .strings = s->strings,
                          .missing = s->missing,
                          .null = s->null,
                          .lines = s->lines};
    *error = (struct query_error){.column = 0};
    if (compile(p, s, error))
        return true;
    program_free(p);
    return false;
}
