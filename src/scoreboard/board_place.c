/* board_place: see board_place.h. */
#include "scoreboard/board_place.h"

#include <stdio.h>
#include <string.h>

bool board_place(int i, const char *name, char path[BOARD_PLACE_MAX])
{
    int n = i == 0 ? snprintf(path, BOARD_PLACE_MAX,
                              "/run/tallyd/%s.scoreboard", name)
                   : snprintf(path, BOARD_PLACE_MAX,
                              "/run/tallyd/%s/scoreboard", name);
    return n < BOARD_PLACE_MAX && name[0] != '\0' && name[0] != '.' &&
           strchr(name, '/') == NULL;
}
