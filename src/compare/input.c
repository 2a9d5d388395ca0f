/* input: see input.h. */
#include "compare/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "decode/inflate.h"

#define READ_SIZE 32768

struct input {
    int fd;
    uint64_t most;           /* bytes of the file that may still be read */
    uint64_t given;          /* those of the pieces before this one */
    struct inflate *inflate; /* NULL: the bytes are as they are */
    const char *fault;
    const uint8_t *piece, *at, *end; /* what is given out */
    const uint8_t *raw, *raw_end;    /* what is still to be inflated */
    uint8_t room[READ_SIZE];
};

bool input_is_compressed(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcasecmp(path + n - 3, ".gz") == 0;
}

static struct input *new_input(int fd, uint64_t most)
{
    struct input *in = calloc(1, sizeof *in);
    if (in != NULL) {
        in->fd = fd;
        in->most = most;
    }
    return in;
}

struct input *input_open_standard(void)
{
    return new_input(STDIN_FILENO, UINT64_MAX);
}

struct input *input_open(const char *path, uint64_t most)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct input *in = fd < 0 ? NULL : new_input(fd, most);
    if (in == NULL) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (!input_is_compressed(path))
        return in;
    in->inflate = inflate_new();
    if (in->inflate == NULL || !inflate_begin(in->inflate, INFLATE_GZIP)) {
        input_close(&in);
        errno = ENOMEM;
    }
    return in;
}

void input_close(struct input **in)
{
    if (*in == NULL)
        return;
    if ((*in)->fd != STDIN_FILENO)
        close((*in)->fd);
    inflate_free(&(*in)->inflate);
    free(*in);
    *in = NULL;
}

/* 0: the end, or a fault. */
static size_t read_some(struct input *in)
{
    size_t n = in->most < READ_SIZE ? (size_t)in->most : READ_SIZE;
    ssize_t got;
    do
        got = read(in->fd, in->room, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        in->fault = strerror(errno);
    if (got <= 0)
        return 0;
    in->most -= (uint64_t)got;
    return (size_t)got;
}

/* The next piece of a compressed file. False: the end, or a fault. */
static bool inflate_some(struct input *in)
{
    size_t n;
    const char *cut;
    for (;;) {
        bool more = in->raw < in->raw_end;
        /* A member is complete and another one follows. */
        if (more && inflate_finish(in->inflate, &cut) &&
            !inflate_begin(in->inflate, INFLATE_GZIP))
            in->fault = "memory is short";
        enum inflate_state state =
            in->fault != NULL ? INFLATE_WRONG
                              : inflate_next(in->inflate, &in->raw, in->raw_end,
                                             &in->piece, &n, &in->fault);
        if (state == INFLATE_WRONG)
            return false;
        if (state == INFLATE_PART && n > 0) {
            in->at = in->piece;
            in->end = in->piece + n;
            return true;
        }
        if (in->raw < in->raw_end)
            continue;
        size_t got = read_some(in);
        in->raw = in->room;
        in->raw_end = in->room + got;
        if (got == 0) {
            if (in->fault == NULL && !inflate_finish(in->inflate, &cut))
                in->fault = cut;
            return false;
        }
    }
}

static bool fill(struct input *in)
{
    in->given += (uint64_t)(in->at - in->piece);
    in->piece = in->at = in->end = in->room;
    if (in->fault != NULL)
        return false;
    if (in->inflate != NULL)
        return inflate_some(in);
    in->end += read_some(in);
    return in->at < in->end;
}

int input_next(struct input *in)
{
    return in->at < in->end || fill(in) ? *in->at++ : INPUT_END;
}

uint64_t input_given(const struct input *in)
{
    return in->given + (uint64_t)(in->at - in->piece);
}

const char *input_fault(const struct input *in)
{
    return in->fault;
}
