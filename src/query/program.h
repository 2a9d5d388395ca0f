/* program: what an endpoint wants of a body, compiled: the paths, the
 * condition, the results and the copies. Made by query/parser, run by
 * query/evaluation, read by the decoder, which only has to find the paths.
 * Pure.
 *
 * A path is a singular query of names (RFC 9535, 2.3.5.1). The paths of the
 * document and of the item are one table, each different path once; its index
 * is the path's slot. */
#ifndef TALLYD_QUERY_PROGRAM_H
#define TALLYD_QUERY_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "query/value.h"

#define PROGRAM_NAMES_MAX 8 /* of a path */
#define PROGRAM_LISTS_MAX 4 /* [*] in `array` */
#define PROGRAM_STEPS_MAX (PROGRAM_NAMES_MAX + PROGRAM_LISTS_MAX)
#define PROGRAM_SLOTS_MAX 32 /* different paths, but for `array` */
#define PROGRAM_RESULTS_MAX 16
#define PROGRAM_COPIES_MAX 16
#define PROGRAM_COPY_MAX 1024  /* bytes of a copied number or string */
#define PROGRAM_KEEP_MAX 65536 /* bytes of a value compared with another */
#define PROGRAM_NESTING_MAX 64 /* of parentheses and unary - */
/* Values that wait for an operator: two for each level, and the outermost. */
#define PROGRAM_STACK_MAX (2 * PROGRAM_NESTING_MAX + 4)

/* The characters of a name, as query/text has them. */
struct program_name {
    const char *bytes;
    size_t n;
};

/* What the endpoint does with the value of a path. */
enum program_use {
    PROGRAM_NUMBER = 1, /* arithmetic reads it */
    PROGRAM_MATCH = 2,  /* compared with a literal */
    PROGRAM_KEEP = 4,   /* compared with another path */
    PROGRAM_COPY = 8,   /* copied */
};

struct program_slot {
    bool document; /* `$`, not `@` */
    uint8_t count;
    uint8_t uses; /* enum program_use; 0: only whether it is there */
    struct program_name names[PROGRAM_NAMES_MAX];
};

/* A step of `array`: a member's value, or each value of a list. */
struct program_step {
    bool each; /* [*] */
    struct program_name name;
};

enum program_code {
    /* Logic, on a stack of booleans. */
    PROGRAM_HAS,     /* is the slot's value there? */
    PROGRAM_FIXED,   /* `slot` is 0 or 1: false or true */
    PROGRAM_LITERAL, /* compare slot with literal `other`; of a string the match
                        `match` knows its order */
    PROGRAM_PATHS,   /* compare slot with slot `other` */
    PROGRAM_NOT,
    PROGRAM_AND,
    PROGRAM_OR,
    /* Arithmetic, on a stack of numbers. */
    PROGRAM_READ,  /* the slot's number */
    PROGRAM_CONST, /* literal `other` */
    PROGRAM_NEGATE,
    PROGRAM_ADD,
    PROGRAM_SUBTRACT,
    PROGRAM_MULTIPLY,
    PROGRAM_DIVIDE,
};

struct program_op {
    uint8_t code;
    uint8_t comparison; /* enum value_comparison */
    uint8_t slot;
    uint16_t other;
    uint16_t match;
};

/* Operations [from, to). */
struct program_range {
    uint32_t from, to;
};

/* The order of a string that comes for `slot` against a literal. */
struct program_match {
    uint8_t slot;
    uint16_t literal;
};

enum program_function {
    PROGRAM_SUM,
    PROGRAM_COUNT,
    PROGRAM_MIN,
    PROGRAM_MAX,
    PROGRAM_MEAN
};

struct program_result {
    const char *name;           /* as the setting has it */
    struct program_name quoted; /* as a JSON string */
    enum program_function function;
    struct program_range range; /* of its argument; empty: none */
};

struct program_copy {
    const char *name;
    struct program_name quoted;
    uint8_t slot;
};

enum program_numbers { PROGRAM_INT64, PROGRAM_DOUBLE };
enum program_strings { PROGRAM_STRINGS_REFUSE, PROGRAM_STRINGS_NUMBER };
enum program_mode { PROGRAM_REFUSE, PROGRAM_ZERO, PROGRAM_SKIP };

struct program_text; /* memory of names and literals */

struct program {
    enum program_numbers numbers;
    enum program_strings strings;
    enum program_mode missing, null;
    bool lines; /* each line of the body is an item; there are no steps */
    struct program_step steps[PROGRAM_STEPS_MAX]; /* of `array` */
    size_t step_count;
    struct program_slot slots[PROGRAM_SLOTS_MAX];
    size_t slot_count;
    uint8_t reads[PROGRAM_SLOTS_MAX]; /* the slots that arithmetic reads, in the
                                         order of the results */
    size_t read_count;
    struct program_range where; /* empty: all items */
    struct program_result results[PROGRAM_RESULTS_MAX];
    size_t result_count;
    struct program_copy copies[PROGRAM_COPIES_MAX];
    size_t copy_count;
    struct program_op *ops;
    struct value *literals; /* of a string: its characters */
    struct program_match *matches;
    size_t op_count, literal_count, match_count;
    struct program_text *texts;
};

void program_free(struct program *p);

/* Keep a copy of `n` bytes, terminated, as long as the program. NULL: memory is
 * short. */
char *program_keep(struct program *p, const char *bytes, size_t n);

/* Append what `bytes` are as a JSON string, quotes included; what is no UTF-8
 * becomes U+FFFD. They are terminated behind `n`. */
void program_print_text(struct buf *out, const char *bytes, size_t n);

/* `text` as a JSON string, quotes included; what is no UTF-8 becomes U+FFFD.
 * False: memory is short. */
bool program_quote(struct program *p, const char *text,
                   struct program_name *quoted);

/* The slot of a path, made if it is new; its names are borrowed. -1: there are
 * PROGRAM_SLOTS_MAX already. */
int program_slot(struct program *p, const struct program_slot *path);

/* Append, and give the index. -1: memory is short. */
int program_op(struct program *p, struct program_op op);
int program_literal(struct program *p, const struct value *literal);
int program_match(struct program *p, uint8_t slot, uint16_t literal);

#endif
