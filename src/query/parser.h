/* clang-format off */
/* parser: the language of queries, from text to a program.
 *
 * It is that of RFC 9535 (JSONPath) as far as a stream can answer it: paths are
 * singular queries of names, conditions are logical expressions without
 * functions. Results add arithmetic. In the words of the standard (sections in
 * brackets; S are blanks, 2.1.1):
 *
 *   array        = "$" *(S (name-segment / "[*]"))         [2.2, 2.5.1]
 *                / short
 *                / any other bytes                         ; one literal name
 *   copy         = "$" 1*(S name-segment) / short
 *   where        = S logical-or S
 *   result       = S function S "(" S [sum] S ")" S       ; not of the standard
 *   function     = "sum" / "count" / "min" / "max" / "mean"
 *                                       ; "count" without an argument, too
 *
 *   path         = "@" *(S name-segment) / short           [2.3.5.1]
 *   name-segment = "." name / "[" S string S "]"           [2.5.1.1]
 *   short        = name *("." name)     ; not "true", "false" or "null", in
 *                                       ; capitals or not
 *   name         = member-name-shorthand                   [2.5.1.1]
 *   string       = string-literal       ; in either quotes [2.3.1.1]
 *
 *   logical-or   = logical-and *(S "||" S logical-and)     [2.3.5.1]
 *   logical-and  = basic *(S "&&" S basic)
 *   basic        = ["!" S] "(" S logical-or S ")"
 *                / ["!" S] path
 *                / comparable S comparison S comparable
 *   comparable   = path / string / number / "true" / "false" / "null"
 *   comparison   = "==" / "!=" / "<=" / ">=" / "<" / ">"
 *
 *   sum          = product *(S ("+" / "-") S product)     ; not of the standard
 *   product      = factor *(S ("*" / "/") S factor)
 *   factor       = "-" S factor / "(" S sum S ")" / number / path
 *   number       = that of RFC 8259, section 6             [2.3.5.1]
 *
 * With 64-bit integers there is no "/", no "mean", and no number with a
 * fraction or an exponent. Indexes, slices, wildcards but [*] in `array`,
 * descendants (..), filters in a path and the functions of the standard are
 * refused by name. Pure.
 *
 * Each function reads one text into the program, whose kind of numbers is set
 * before. False: `error` says what is wrong; then only program_free() is left.
 * query/path reads array and copy, which are paths alone. */
/* clang-format on */
#ifndef TALLYD_QUERY_PARSER_H
#define TALLYD_QUERY_PARSER_H

#include <stdbool.h>

#include "query/lexer.h"
#include "query/program.h"

bool parser_where(struct program *p, const char *text,
                  struct lexer_error *error);

/* One more result; at most PROGRAM_RESULTS_MAX. */
bool parser_result(struct program *p, const char *name, const char *text,
                   struct lexer_error *error);

/* "sum", and so on. */
const char *parser_function_name(enum program_function f);

#endif
