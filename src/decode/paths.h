/* paths: what a program wants of a document, as a tree of nodes that
 * decode/walk_query and decode/walk_tokens follow.
 *
 * A node is a value: the document, a member on one of the program's paths, or
 * each element of a list that `array` leads through. Members of one object are
 * neighbours. Node 0 is what nothing is wanted of. Pure. */
#ifndef TALLYD_DECODE_PATHS_H
#define TALLYD_DECODE_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/plan.h"
#include "query/evaluation.h"
#include "query/program.h"

#define PATHS_NOTHING 0
#define PATHS_DOCUMENT 1

/* The most brackets around a value: of `array`, of its items, of the members of
 * an item, and of a value that is to be kept. */
#define PATHS_DEPTH_MAX (PROGRAM_STEPS_MAX + PROGRAM_NAMES_MAX + 2)

enum paths_mark {
    PATHS_ELEMENT = 1, /* of list number `list`, 0 is the outermost */
    PATHS_ITEM = 2,
    PATHS_PART = 4, /* the document, or an element: in it, `array` leads on by
                       names to list number `list` */
    PATHS_WAY = 8,  /* a member on that way, up to the list itself */
    PATHS_LIST = 16 /* should be list number `list` */
};

/* What is wanted within a bracket. */
struct paths_inside {
    uint16_t ends;    /* the node, if something happens at the end; else 0 */
    uint16_t object;  /* the same, if it is an object of which members are
                         wanted; else 0 */
    uint16_t element; /* wanted of a list; 0: nothing */
    uint16_t last;    /* of an object: the last member found, as an index of
                         what comes next; at first: the object itself */
};

/* What a decoder does with a value that is no list and no object. */
enum paths_takes {
    PATHS_ANY,    /* what it does with others, too */
    PATHS_TEXT,   /* it is the value of a slot, and nothing else; the text of a
                     number is needed */
    PATHS_SCALAR, /* the same; the text of a number is not needed */
};

struct paths_node {
    uint64_t tail, tail_mask; /* the last eight bytes before the quote that ends
                                 the name, as loaded; its first quote, too, if
                                 it is among them. The mask has those bytes */
    const char *name;         /* of a member; borrowed */
    uint64_t below;           /* SLOTS_BOTH of the slots below it */
    struct paths_inside inside[2]; /* of a list, of an object */
    uint16_t length;               /* of the name */
    uint8_t marks;                 /* enum paths_mark */
    uint8_t takes;                 /* enum paths_takes */
    uint16_t child, children; /* the first member wanted of it, and how many */
    uint8_t list;             /* see PATHS_PART; of WAY and LIST the same */
    uint8_t within;           /* PATHS_ELEMENT: of which list */
    int8_t slot;              /* its value's; -1: none */
    bool kept;                /* a list or object is kept, too */
};

struct paths {
    const struct program *program;
    struct plan plan; /* for decode/window; its `node` has nothing */
    bool windows;     /* the names can be looked for by windows */
    uint32_t longest; /* bytes of the longest name */
    uint8_t steps[EVALUATION_LISTS_MAX]; /* of `array`, up to each list */
    unsigned count;
    struct paths_node node[];
};

/* NULL: memory is short. The program is borrowed. To be freed by free(3). */
struct paths *paths_new(const struct program *p);

#endif
