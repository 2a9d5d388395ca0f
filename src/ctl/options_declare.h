/* options_declare: struct OPTIONS_STRUCT for the table OPTIONS_FILE, and
 * `rows`, its rows; see options.h. Included once for each, in the room that
 * reads that command line, so without a guard. Undefines both names. */
struct OPTIONS_STRUCT {
#include "ctl/options_members.h"
};

static const struct option_row OPTIONS_ROWS_OF(OPTIONS_STRUCT)[] = {
#include "ctl/options_rows.h"
};
#undef OPTIONS_FILE
#undef OPTIONS_STRUCT
