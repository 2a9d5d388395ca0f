/* shadow_command: tallyctl shadow. */
#ifndef TALLYD_PROCESSES_SHADOW_COMMAND_H
#define TALLYD_PROCESSES_SHADOW_COMMAND_H

/* The words from "shadow" on. Gives the exit status, see tallyctl(1). */
int shadow_command(int argc, char **argv);

#endif
