/* parity_kind: the closed list of what two handlers can differ in
 * (parity_kind.def). */
#ifndef TALLYD_BASE_PARITY_KIND_H
#define TALLYD_BASE_PARITY_KIND_H

enum parity_kind {
#define PARITY(name, class, text) PARITY_##name,
#include "base/parity_kind.def"
#undef PARITY
    PARITY_COUNT
};

enum parity_kind_class {
    PARITY_EQUAL,
    PARITY_MISMATCH,
    PARITY_CONTRACT,
    PARITY_UNJUDGED,
};

/* E.g. "number_form", and what it means in words. */
const char *parity_kind_name(enum parity_kind k);
const char *parity_kind_text(enum parity_kind k);
enum parity_kind_class parity_kind_class(enum parity_kind k);

/* "equal", "mismatch", "contract", "unjudged". */
const char *parity_kind_class_name(enum parity_kind_class c);

/* PARITY_COUNT: no kind has that name. */
enum parity_kind parity_kind_by_name(const char *name);

#endif
