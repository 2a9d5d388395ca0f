/* lexer: the words of a query, as RFC 9535 spells them, and the first mistake.
 *
 * Blanks are S of 2.1.1: space, tab, line feed, carriage return. Pure. */
#ifndef TALLYD_QUERY_LEXER_H
#define TALLYD_QUERY_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "query/program.h"

/* Bytes of one expression: those of a line of settings. */
#define LEXER_TEXT_MAX 4096

/* What is wrong with an expression, and where. */
struct lexer_error {
    size_t column;     /* 1-based, in bytes; 0: nowhere in particular */
    char message[200]; /* what was expected; empty: nothing is wrong */
};

struct lexer {
    const char *text;        /* terminated */
    const char *at;          /* what comes next */
    struct program *program; /* keeps names and strings */
    struct lexer_error *error;
    unsigned nesting;
};

/* Start on `text`. False: it is too long. */
bool lexer_begin(struct lexer *l, const char *text, struct program *program,
                 struct lexer_error *error);

/* Note a mistake at `at`, unless there was one before. Always false. */
bool lexer_fail(struct lexer *l, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what comes next: "expected WHAT, found x". */
bool lexer_expected(struct lexer *l, const char *what);

/* "memory is short". */
bool lexer_no_memory(struct lexer *l);

void lexer_blanks(struct lexer *l);

/* Is `word` next? If so, step over it. */
bool lexer_take(struct lexer *l, const char *word);

/* Bytes of the member-name-shorthand (2.5.1.1) at `at`; 0: there is none. */
size_t lexer_name_length(const char *at);

/* Is it true, false or null, in capitals or not? */
bool lexer_is_word(const char *name, size_t n);

/* A string-literal (2.3.1.1), from its quote on; its characters. */
bool lexer_string(struct lexer *l, struct program_name *characters);

/* A number (2.3.5.1), a minus sign included; RFC 8259 spells it the same. */
bool lexer_number(struct lexer *l, struct value *number);

/* One level deeper; false: that is too deep. Leave it with l->nesting--. */
bool lexer_nest(struct lexer *l);

#endif
