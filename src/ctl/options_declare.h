/* options_declare: the structure and the rows of a table; see options.h.
 *
 * Give the name of the structure and the file of the table before, and again
 * for each table:
 *
 *   #define OPTIONS_STRUCT status_options
 *   #define OPTIONS_FILE "ctl/status_options.def"
 *   #include "ctl/options_declare.h"
 *
 * makes struct status_options and the array status_options_rows. */
struct OPTIONS_STRUCT {
#include "ctl/options_members.h"
};

static const struct option_row OPTIONS_ROWS_OF(OPTIONS_STRUCT)[] = {
#include "ctl/options_rows.h"
};
#undef OPTIONS_FILE
#undef OPTIONS_STRUCT
