/* path: the paths of queries, from text to steps: singular queries of names
 * (RFC 9535, 2.3.5.1), and names joined by dots. The grammar is in
 * query/parser.h, of which this is the half that knows no operators. Pure. */
#ifndef TALLYD_QUERY_PATH_H
#define TALLYD_QUERY_PATH_H

#include <stdbool.h>

#include "query/lexer.h"
#include "query/program.h"

/* The slot of a path of the item, with one more use (program_use) of it; or a
 * mistake: WHAT was expected. */
bool path_of_item(struct lexer *l, const char *what, uint8_t use, int *slot);

/* All of `text` is names joined by dots: `short` of the grammar. */
bool path_is_short(const char *text);

/* The text of `array`, into the steps of p; of a copy, giving its slot or -1.
 */
bool path_array(struct program *p, const char *text, struct lexer_error *error);
int path_copy(struct program *p, const char *text, struct lexer_error *error);

#endif
