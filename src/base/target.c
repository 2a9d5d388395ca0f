/* target: see target.h. */
#include "base/target.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* pchar without its triplets, and the /. */
static bool is_plain(char c)
{
    return isalnum((unsigned char)c) ||
           (c != '\0' && strchr("/-._~!$&'()*+,;=:@", c) != NULL);
}

static void encode(struct buf *out, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    buf_char(out, '%');
    buf_char(out, digits[byte >> 4]);
    buf_char(out, digits[byte & 15]);
}

void target_put_path(struct buf *out, const char *path)
{
    for (; *path != '\0'; path++)
        if (is_plain(*path))
            buf_char(out, *path);
        else
            encode(out, *path);
}

void target_put_query(struct buf *out, const char *query)
{
    for (; *query != '\0'; query++) {
        bool triplet = *query == '%' && isxdigit((unsigned char)query[1]) &&
                       isxdigit((unsigned char)query[2]);
        if (triplet || is_plain(*query) || *query == '?')
            buf_char(out, *query);
        else
            encode(out, *query);
    }
}
