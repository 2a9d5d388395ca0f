/* tree: a JSON document as values in the order of its text.
 *
 * For reading and comparing documents whose numbers must keep every digit they
 * are written with: json-c clamps integers of more than 64 bits. decode/scan
 * decides what is JSON. Numbers keep their text; strings and names are decoded
 * and may hold U+0000. A lone surrogate, which is valid in an escape (RFC 8259,
 * 8.2), becomes the three bytes that UTF-8 would have for it. Pure. */
#ifndef TALLYD_COMPARE_TREE_H
#define TALLYD_COMPARE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deeper documents are refused as not JSON. */
#define TREE_DEPTH_MAX 1024

enum tree_type {
    TREE_NULL,
    TREE_FALSE,
    TREE_TRUE,
    TREE_NUMBER,
    TREE_STRING,
    TREE_ARRAY,
    TREE_OBJECT,
};

struct tree_value {
    enum tree_type type;
    uint32_t count; /* of elements or members, all of one name included */
    const struct tree_value *first, *next; /* child; sibling; NULL: none */
    const char *name;                      /* of a member, terminated */
    size_t name_len;
    const char *text; /* of a number or string, terminated */
    size_t text_len;
};

/* The document belongs to the tree. */
struct tree {
    const struct tree_value *root;
    struct tree_value *values;
    size_t value_count;
    char *bytes;
    bool surrogate; /* some escape is a lone surrogate */
};

enum tree_state { TREE_READ, TREE_NOT_JSON, TREE_NO_MEMORY };

/* Read a document; after TREE_READ tree_free() is due. */
enum tree_state tree_read(struct tree *t, const void *bytes, size_t n);
void tree_free(struct tree *t);

/* The last member of that name, which is the one that counts. NULL: none, or
 * `object` is no object, or NULL itself. */
const struct tree_value *tree_member(const struct tree_value *object,
                                     const char *name);

#endif
