/* input: the bytes of one recorded file, one after the other.
 *
 * A file whose name ends in .gz is inflated on the way: gzip with any number of
 * members (RFC 1952, 2.2). Memory is bounded, whatever the file holds. */
#ifndef TALLYD_COMPARE_INPUT_H
#define TALLYD_COMPARE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

struct input;

/* Does the name say that the file is compressed? */
bool input_is_compressed(const char *path);

/* At most `most` bytes of the file are read, before they are inflated.
 * NULL: errno. */
struct input *input_open(const char *path, uint64_t most);

/* Standard input, as it is. It is not closed in the end. */
struct input *input_open_standard(void);

void input_close(struct input **in);

/* The next byte, 0 to 255. INPUT_END: there is none, or input_fault(). */
#define INPUT_END (-1)
int input_next(struct input *in);

/* How many bytes input_next() has given. */
uint64_t input_given(const struct input *in);

/* Why there is no byte; NULL: it is the end. */
const char *input_fault(const struct input *in);

#endif
