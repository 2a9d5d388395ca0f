/* sink: a destination that takes lines, and never makes the writer wait.
 *
 * Each line goes out in one system call (two for a pipe of somebody else), so
 * lines of several processes do not mix. What is not taken at once is lost, and
 * the caller learns it. */
#ifndef TALLYD_BASE_SINK_H
#define TALLYD_BASE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum sink_kind {
    SINK_FILE,   /* write(2) does not block: a file, or opened so */
    SINK_STREAM, /* a socket that somebody else made */
    SINK_PIPE,   /* a pipe that we may not open: see sink.c */
    SINK_PACKETS /* a datagram socket: syslog, journal */
};

struct sink {
    enum sink_kind kind;
    int fd;
    bool owned;       /* fd is ours to close */
    bool torn;        /* the last line was cut short */
    int through[2];   /* SINK_PIPE: a pipe of our own, */
    pid_t pid;        /* and the process that has it to itself */
    const char *path; /* SINK_PACKETS: of the socket; borrowed */
};

/* Standard error, as it is: what takes lines before anything is opened. */
#define SINK_STDERR                                                            \
    {                                                                          \
        SINK_FILE, 2, false, false, {-1, -1}, 0, NULL                          \
    }

/* Append to the file at `path`, which is made if it is not there; links as
 * place.h says. False: errno says why, and *s is as before; so with the others.
 */
bool sink_open_file(struct sink *s, const char *path);

/* Standard error, whatever it is. It is not changed for those who share it. */
bool sink_open_stderr(struct sink *s);

/* The datagram socket at `path`, borrowed. */
bool sink_open_packets(struct sink *s, const char *path);

void sink_close(struct sink *s);

/* Go on with `fd`, which becomes the sink's: the same destination, opened anew
 * by somebody else. A sink that is not open becomes a file. */
void sink_replace(struct sink *s, int fd);

/* Hand over one line, its newline included where the destination wants one, or
 * one datagram. False: it is lost. A signal is no reason; see write(2). */
bool sink_put(struct sink *s, const char *line, size_t n);

#endif
