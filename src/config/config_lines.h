/* config_lines: the lines of an INI file.
 *
 * A line is [a header], key = value (or key: value), blank, or a comment that
 * begins with ; or #. Behind a header, and behind white space in a value, a ;
 * begins a comment, too, but for one in quotes in the value of a key that is an
 * expression: where, result.NAME, copy.NAME, and array where it begins with $.
 * A # behind white space in a value, outside such quotes, is told as a mistake.
 */
#ifndef TALLYD_CONFIG_CONFIG_LINES_H
#define TALLYD_CONFIG_CONFIG_LINES_H

#include <stdbool.h>
#include <stdio.h>

/* Bytes of a line, without its end. */
#define CONFIG_LINE_MAX 4096

enum config_lines_kind {
    CONFIG_LINES_END,    /* of the file, or it cannot be read: see ferror(3) */
    CONFIG_LINES_WRONG,  /* `name` says what */
    CONFIG_LINES_HEADER, /* `name` is what stands in the brackets */
    CONFIG_LINES_KEY,    /* `name` and `value` */
};

struct config_lines {
    FILE *file;
    unsigned number; /* of the last line, from 1 */
    const char *name;
    const char *value;
    bool cut_short; /* behind the value a ; began a comment, and no white space
                       stands between that and the text of the comment */
    char text[CONFIG_LINE_MAX + 3];
};

/* The next line that says something; name and value are trimmed and valid until
 * the next call. */
enum config_lines_kind config_lines_next(struct config_lines *l);

/* Trim `text` in place at both ends. */
char *config_lines_trim(char *text);

#endif
