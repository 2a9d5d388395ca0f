/* replay: `tallyctl replay`. Recorded bodies go to two handlers; what they do
 * is compared. See tallyctl-replay(1). */
#ifndef TALLYD_REPLAY_REPLAY_H
#define TALLYD_REPLAY_REPLAY_H

/* The exit status, besides those of a command line: 0 the same, 1 over
 * --max-mismatch, 3 it could not be found out. */
int replay_main(int argc, char **argv);

#endif
