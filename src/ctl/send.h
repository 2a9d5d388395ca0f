/* send: `tallyctl send`, a file posted to a pool without a web server. */
#ifndef TALLYD_CTL_SEND_H
#define TALLYD_CTL_SEND_H

/* Print the reply's body on standard output; its status, or its header, and
 * what went wrong on standard error. argv[0] is the command. The exit status,
 * besides those of a command line: 0 the pool answered 2xx, 1 something else,
 * 2 there is no answer. */
int send_main(int argc, char **argv);

#endif
