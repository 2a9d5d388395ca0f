/* shadow_command: tallyctl shadow. */
#ifndef TALLYD_CTL_SHADOW_COMMAND_H
#define TALLYD_CTL_SHADOW_COMMAND_H

/* argv[0] is the command. Gives the exit status, see tallyctl(1). */
int shadow_main(int argc, char **argv);

#endif
