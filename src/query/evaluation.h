/* evaluation: a program at work on one document.
 *
 * A decoder finds the values of the program's slots and says what happens to
 * the list. In the order in which it calls:
 *
 * - evaluation_begin(): a document begins.
 * - evaluation_save(): a list of `array` begins. evaluation_restore(): a member
 *   on the way to it comes once more.
 * - slots_place(), of evaluation_slots(): the element of a list, by its index.
 * - slots_item(): an item begins.
 * - slots_set() and its like: a value of a slot; the last of a slot counts.
 * - evaluation_item_end(): the item is complete, and is evaluated.
 * - evaluation_no_list(): what should be a list is none.
 * - evaluation_finish(): the result, or the first fault.
 *
 * The last of several members of one name counts: what a list added is taken
 * back by evaluation_restore(), faults included. A decoder clears the slots
 * below a member that comes again with slots_clear().
 *
 * For each item: the condition; then the members that arithmetic reads; then
 * each result. Where one of these members is to be skipped the item is dropped,
 * whatever the other members are. An item that is dropped causes no fault.
 *
 * Memory grows with the values that have to be kept, each up to its limit.
 * Pure.
 */
#ifndef TALLYD_QUERY_EVALUATION_H
#define TALLYD_QUERY_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "query/arithmetic.h"
#include "query/program.h"
#include "query/slots.h"

#define EVALUATION_LISTS_MAX (PROGRAM_LISTS_MAX + 1)

enum evaluation_wrong {
    EVALUATION_RIGHT,
    EVALUATION_MISSING, /* a list, or a member that arithmetic reads, a copy */
    EVALUATION_NOT_LIST,
    EVALUATION_NOT_INT64, /* a member that arithmetic reads */
    EVALUATION_NOT_NUMBER,
    EVALUATION_KEEP_LONG, /* over PROGRAM_KEEP_MAX */
    EVALUATION_COPY_LONG, /* over PROGRAM_COPY_MAX */
    EVALUATION_COPY_KIND, /* a list or an object */
    EVALUATION_RANGE,     /* a result outside 64 bits, or no finite double */
    EVALUATION_NO_MEMORY
};

/* The first thing wrong in a document. */
struct evaluation_fault {
    enum evaluation_wrong what;
    bool in_item;  /* `indices` has the item's, too */
    int8_t slot;   /* -1: none */
    int8_t result; /* EVALUATION_RANGE: which */
    uint8_t steps; /* of `array`, up to the list that is none */
    uint64_t line; /* of a body of lines, from 1; 0: none */
    uint64_t indices[EVALUATION_LISTS_MAX];
};

/* What items have added so far. */
struct evaluation_state {
    struct evaluation_fault fault;
    struct arithmetic_total results[PROGRAM_RESULTS_MAX];
};

/* What became of the last item. */
enum evaluation_fate {
    EVALUATION_COUNTED,
    EVALUATION_FILTERED, /* by the condition */
    EVALUATION_SKIPPED,  /* for a member that is missing or null */
    EVALUATION_REFUSED,
    EVALUATION_UNSEEN /* something was refused before */
};

struct evaluation;

/* NULL: memory is short. The program is borrowed. */
struct evaluation *evaluation_new(const struct program *p);
void evaluation_free(struct evaluation **e);

void evaluation_begin(struct evaluation *e);

/* Keep what has been added before the list at `list` begins, 0 is the
 * outermost. Go back to it: before another list in its place. For a decoder
 * that reads a document once; one that has all of it needs neither. */
void evaluation_save(struct evaluation *e, size_t list);
void evaluation_restore(struct evaluation *e, size_t list);

/* The line that the next items are in, from 1; of a body of lines. */
void evaluation_line(struct evaluation *e, uint64_t line);

/* The value behind the first `steps` of `array` should be a list and is of
 * `kind`. Within another list, one that is absent or null may be left out. */
void evaluation_no_list(struct evaluation *e, size_t steps,
                        enum value_kind kind);

/* An item is complete. It began with slots_item(). */
void evaluation_item_end(struct evaluation *e);

/* Where the values of the program's paths go. */
struct slots *evaluation_slots(struct evaluation *e);

/* Append the result, an object, to `out`, which has evaluation_room() bytes. */
bool evaluation_finish(struct evaluation *e, struct buf *out,
                       struct evaluation_fault *fault);

/* The most bytes that a result of the program can have, and its NUL. */
size_t evaluation_room(const struct program *p);

/* The place of a fault as a JSON pointer (RFC 6901). */
void evaluation_pointer(const struct program *p,
                        const struct evaluation_fault *f, struct buf *out);

/* --- What the last item did, for people. --- */

enum evaluation_fate evaluation_fate(const struct evaluation *e);

/* Where it is, as a JSON pointer. */
void evaluation_print_place(const struct evaluation *e, struct buf *out);

/* What it added to a result, printed; not after one that did not count. */
void evaluation_print_share(const struct evaluation *e, size_t result,
                            struct buf *out);

#endif
