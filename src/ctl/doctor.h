/* doctor: `tallyctl doctor`, what keeps requests from being served. */
#ifndef TALLYD_CTL_DOCTOR_H
#define TALLYD_CTL_DOCTOR_H

/* argv[0] is the command. The exit status, besides those of a command line: 0:
 * nothing is wrong; 1: a line says what is. */
int doctor_main(int argc, char **argv);

#endif
