/* number_text: numbers as JSON and ECMAScript print them. */
#ifndef TALLYD_BASE_NUMBER_TEXT_H
#define TALLYD_BASE_NUMBER_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Room for any number and its NUL. */
#define NUMBER_TEXT_MAX 32

/* Print into `text` (at least NUMBER_TEXT_MAX bytes) and give the length. */
size_t number_text_int64(int64_t value, char *text);

/* The same of a finite double, as ECMAScript's Number::toString does (ECMA-262,
 * 6.1.6.1.20): the shortest digits that read back as the same value. */
size_t number_text_double(double value, char *text);

#endif
