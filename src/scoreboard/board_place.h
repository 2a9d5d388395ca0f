/* board_place: where the file of a pool is whose settings name none. The pool
 * makes it there and tallyctl looks there, by the name of the pool alone. Pure.
 *
 *   /run/tallyd/NAME.scoreboard   by root, before it becomes another user
 *   /run/tallyd/NAME/scoreboard   by the units of systemd, whose
 *                                 RuntimeDirectory= makes that directory
 *
 * /run/tallyd itself stays root's: root believes what stands in it, such as a
 * pid file that logrotate(8) sends a signal by. */
#ifndef TALLYD_SCOREBOARD_BOARD_PLACE_H
#define TALLYD_SCOREBOARD_BOARD_PLACE_H

#include <stdbool.h>

#define BOARD_PLACES 2
#define BOARD_PLACE_MAX 128

/* The path of place `i` for the pool `name`. False: the name is no name of a
 * file, so there is none. */
bool board_place(int i, const char *name, char path[BOARD_PLACE_MAX]);

#endif
