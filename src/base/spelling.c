/* spelling: see spelling.h. */
#include "base/spelling.h"

#include <string.h>

#define NAME_MAX_COMPARED 32

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One row of the matrix at a time. */
size_t spelling_distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_COMPARED + 1], n = strlen(b);
    if (n > NAME_MAX_COMPARED || strlen(a) > NAME_MAX_COMPARED)
        return SPELLING_FAR;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}
