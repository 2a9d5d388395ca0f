/* options_members: the members of a structure for the table OPTIONS_FILE; see
 * options.h. Included once for each, so without a guard. */
#define OPTION(letter, name, value, type, initial, allowed, text)              \
    config_##type name;
#define LIST(letter, name, value, text) struct options_list name;
#define FLAG(letter, name, text) bool name;
#define OPERANDS(name, value, least, most, text) struct options_list name;
#include OPTIONS_FILE
#undef OPTION
#undef LIST
#undef FLAG
#undef OPERANDS
