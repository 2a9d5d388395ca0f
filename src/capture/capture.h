/* capture: `tallyctl capture`. Listens where handlers post to, stores each post
 * and passes it on as it is. See tallyctl-capture(1).
 *
 * A process for each connection, so a downstream that stalls holds up the posts
 * that go to it over that one and no others. */
#ifndef TALLYD_CAPTURE_CAPTURE_H
#define TALLYD_CAPTURE_CAPTURE_H

/* The exit status, besides those of a command line: 0 it was told to end, 3 it
 * cannot run, or some posts could not be written. */
int capture_main(int argc, char **argv);

#endif
