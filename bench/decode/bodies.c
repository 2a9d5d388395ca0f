#include "bodies.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

static void die(const char *path, const char *why)
{
    fprintf(stderr, "decode: %s: %s\n", path, why);
    exit(2);
}

static char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    long size;
    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
        die(path, "cannot be read");
    char *bytes = malloc((size_t)size + 1);
    rewind(f);
    *n = fread(bytes, 1, (size_t)size, f);
    if (*n != (size_t)size)
        die(path, "cannot be read");
    fclose(f);
    return bytes;
}

static void add(struct bodies *b, const char *bytes, size_t n)
{
    /* Twice as much room each time that a power of two is reached. */
    if ((b->count & (b->count - 1)) == 0)
        b->all = realloc(b->all, (b->count * 2 + 1) * sizeof b->all[0]);
    char *copy = calloc(1, n + peers_padding());
    memcpy(copy, bytes, n);
    b->all[b->count++] = (struct body){copy, n, 0};
    b->bytes += n;
}

static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static void split(struct bodies *b, const char *bytes, size_t n, char separator)
{
    const char *end = bytes + n;
    while (bytes < end) {
        const char *stop = memchr(bytes, separator, (size_t)(end - bytes));
        if (stop == NULL)
            stop = end;
        if (stop > bytes)
            add(b, bytes, (size_t)(stop - bytes));
        bytes = stop + 1;
    }
}

void bodies_read(struct bodies *b, const char *path)
{
    size_t n;
    char *bytes = read_all(path, &n);
    *b = (struct bodies){0};
    if (ends_with(path, ".ndjson"))
        split(b, bytes, n, '\n');
    else if (ends_with(path, ".json-seq"))
        split(b, bytes, n, '\x1e');
    else
        add(b, bytes, n);
    free(bytes);
    if (b->count == 0)
        die(path, "no body");
}

void bodies_free(struct bodies *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->all[i].bytes);
    free(b->all);
    *b = (struct bodies){0};
}
