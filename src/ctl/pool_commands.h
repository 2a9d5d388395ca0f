/* pool_commands: what tallyctl asks a running pool. See tallyctl(1). */
#ifndef TALLYD_CTL_POOL_COMMANDS_H
#define TALLYD_CTL_POOL_COMMANDS_H

/* argv[0] is the command. Each gives the exit status. */
int status_main(int argc, char **argv);
int top_main(int argc, char **argv);
int health_main(int argc, char **argv);
int reload_main(int argc, char **argv);
int upgrade_main(int argc, char **argv);
int stop_main(int argc, char **argv);

#endif
