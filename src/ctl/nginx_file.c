/* nginx_file: see nginx_file.h. */
#include "ctl/nginx_file.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MOST 16
#define INCLUDES_DEEP 8
#define FILES_MOST 1000 /* one that includes itself has no end */
#define BODY_DEFAULT (INT64_C(1) << 20)
#define NGINX_FOLDER "/etc/nginx/"

struct reader {
    struct nginx_file *f;
    const char *path; /* of the first file */
    int files;        /* that were read */
    char *why;
    size_t why_size;
};

/* One directive, as it is read. */
struct directive {
    char words[WORDS_MOST][NGINX_TEXT];
    int count;
};

static bool fail(const struct reader *r, const char *path, unsigned line,
                 const char *what)
{
    snprintf(r->why, r->why_size, "%.300s:%u: %.100s", path, line, what);
    return false;
}

/* --- Words. --- */

enum token { TOKEN_WORD, TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_EOF };

static int skip_blank(FILE *in, unsigned *line)
{
    int c = getc(in);
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#') {
        if (c == '#')
            while (c != '\n' && c != EOF)
                c = getc(in);
        if (c == '\n')
            ++*line;
        if (c != EOF)
            c = getc(in);
    }
    return c;
}

static void add_byte(char word[NGINX_TEXT], size_t *n, int c)
{
    if (*n < NGINX_TEXT - 1)
        word[(*n)++] = (char)c;
    word[*n] = '\0';
}

static enum token token_of(int c)
{
    return c == EOF   ? TOKEN_EOF
           : c == ';' ? TOKEN_END
           : c == '{' ? TOKEN_OPEN
           : c == '}' ? TOKEN_CLOSE
                      : TOKEN_WORD;
}

/* Does a word end in front of `c`, or at the quote that it began with? */
static bool ends_word(int c, int last, int quote)
{
    if (quote != 0)
        return c == quote && last != '\\';
    return (c != 0 && strchr(" \t\r\n;", c) != NULL) ||
           (c == '{' && last != '$') || c == '}';
}

/* The rest of a word is cut that is longer than any of ours. */
static enum token next(FILE *in, unsigned *line, char word[NGINX_TEXT])
{
    size_t n = 0;
    int c = skip_blank(in, line), quote = 0;
    enum token token = token_of(c);
    word[0] = '\0';
    if (token != TOKEN_WORD)
        return token;
    if (c == '"' || c == '\'') {
        quote = c;
        c = getc(in);
    }
    for (int last = 0; c != EOF; last = c, c = getc(in)) {
        if (ends_word(c, last, quote))
            break;
        if (c == '\n')
            ++*line;
        add_byte(word, &n, c);
        if (quote == 0 && c == '{') /* a variable: ${name} */
            for (c = getc(in); c != EOF && c != '}'; c = getc(in))
                add_byte(word, &n, c);
    }
    if (quote == 0 && c != EOF)
        ungetc(c, in);
    return TOKEN_WORD;
}

/* --- Directives. --- */

static int64_t size_of(const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    int shift = *end == 'k' || *end == 'K'   ? 10
                : *end == 'm' || *end == 'M' ? 20
                : *end == 'g' || *end == 'G' ? 30
                                             : 0;
    return n < 0 || n > INT32_MAX ? INT64_MAX : (int64_t)n << shift;
}

static void copy(char to[NGINX_TEXT], const char *from)
{
    snprintf(to, NGINX_TEXT, "%s", from);
}

static void take(struct nginx_block *b, const struct directive *d)
{
    const char *name = d->words[0], *value = d->words[1];
    if (d->count < 2)
        return;
    if (strcmp(name, "fastcgi_pass") == 0)
        copy(b->pass, value);
    else if (strcmp(name, "server") == 0 && b->server[0] == '\0')
        copy(b->server, value);
    else if (strcmp(name, "client_max_body_size") == 0)
        b->max_body = size_of(value);
    else if (strcmp(name, "fastcgi_keep_conn") == 0)
        b->keep_conn = strcmp(value, "on") == 0;
    else if (strcmp(name, "keepalive") == 0)
        b->keepalive = strtol(value, NULL, 10) > 0;
    else if (strcmp(name, "fastcgi_param") == 0) {
        b->has_params = true;
        if (strcmp(value, "QUEUED_AT") == 0)
            b->has_queued_at = true;
    }
}

static int open_block(struct nginx_file *f, int parent,
                      const struct directive *d)
{
    if (f->count == NGINX_BLOCKS)
        return -1;
    struct nginx_block *b = &f->blocks[f->count];
    *b = (struct nginx_block){
        .parent = parent, .max_body = NGINX_UNSET, .keep_conn = NGINX_UNSET};
    for (int i = 0; i < d->count; i++) {
        size_t n = strlen(b->title);
        snprintf(b->title + n, sizeof b->title - n, "%s%s", i > 0 ? " " : "",
                 d->words[i]);
    }
    return f->count++;
}

/* --- Files. --- */

static bool read_into(struct reader *r, const char *path, int block, int deep);

static bool include(struct reader *r, const char *name, int block, int deep)
{
    char pattern[PATH_MAX];
    glob_t found;
    const char *slash = strrchr(r->path, '/');
    int folder = slash == NULL ? 0 : (int)(slash - r->path + 1);
    snprintf(pattern, sizeof pattern, "%.*s%s", name[0] == '/' ? 0 : folder,
             r->path, name);
    int status = glob(pattern, 0, NULL, &found);
    if (status == GLOB_NOMATCH && name[0] != '/') {
        snprintf(pattern, sizeof pattern, NGINX_FOLDER "%s", name);
        status = glob(pattern, 0, NULL, &found);
    }
    bool good = true;
    for (size_t i = 0; status == 0 && good && i < found.gl_pathc; i++)
        good = read_into(r, found.gl_pathv[i], block, deep + 1);
    if (status == 0)
        globfree(&found);
    return good;
}

static bool finish(struct reader *r, const struct directive *d, int block,
                   int deep)
{
    if (d->count == 2 && strcmp(d->words[0], "include") == 0)
        return include(r, d->words[1], block, deep);
    take(&r->f->blocks[block], d);
    return true;
}

static bool read_all(struct reader *r, FILE *in, const char *path, int block,
                     int deep)
{
    const int outermost = block;
    unsigned line = 1;
    char word[NGINX_TEXT];
    struct directive d = {.count = 0};
    for (;;) {
        switch (next(in, &line, word)) {
        case TOKEN_WORD:
            if (d.count < WORDS_MOST)
                copy(d.words[d.count++], word);
            continue;
        case TOKEN_END:
            if (!finish(r, &d, block, deep))
                return false;
            break;
        case TOKEN_OPEN:
            block = open_block(r->f, block, &d);
            if (block < 0)
                return fail(r, path, line, "too many blocks");
            break;
        case TOKEN_CLOSE:
            if (block == outermost)
                return fail(r, path, line, "} without {");
            block = r->f->blocks[block].parent;
            break;
        case TOKEN_EOF:
            return block == outermost || fail(r, path, line, "{ without }");
        }
        d.count = 0;
    }
}

static bool read_into(struct reader *r, const char *path, int block, int deep)
{
    bool deeper = deep > INCLUDES_DEEP || ++r->files > FILES_MOST;
    FILE *in = deeper ? NULL : fopen(path, "re");
    if (in == NULL)
        return fail(r, path, 0,
                    deeper ? "includes without end" : strerror(errno));
    bool good = read_all(r, in, path, block, deep);
    fclose(in);
    return good;
}

bool nginx_file_read(struct nginx_file *f, const char *path, char *why,
                     size_t why_size)
{
    static const struct directive none = {.count = 0};
    struct reader r = {.f = f, .path = path, .why = why, .why_size = why_size};
    f->count = 0;
    open_block(f, -1, &none);
    return read_into(&r, path, 0, 0);
}

/* --- What holds. --- */

int64_t nginx_file_max_body(const struct nginx_file *f, int block)
{
    for (; block >= 0; block = f->blocks[block].parent)
        if (f->blocks[block].max_body != NGINX_UNSET)
            return f->blocks[block].max_body;
    return BODY_DEFAULT;
}

bool nginx_file_keep_conn(const struct nginx_file *f, int block)
{
    for (; block >= 0; block = f->blocks[block].parent)
        if (f->blocks[block].keep_conn != NGINX_UNSET)
            return f->blocks[block].keep_conn != 0;
    return false;
}

bool nginx_file_has_queued_at(const struct nginx_file *f, int block)
{
    for (; block >= 0; block = f->blocks[block].parent)
        if (f->blocks[block].has_params)
            return f->blocks[block].has_queued_at;
    return false;
}

const struct nginx_block *nginx_file_upstream(const struct nginx_file *f,
                                              const char *name)
{
    for (int i = 0; i < f->count; i++)
        if (strncmp(f->blocks[i].title, "upstream ", 9) == 0 &&
            strcmp(f->blocks[i].title + 9, name) == 0)
            return &f->blocks[i];
    return NULL;
}
