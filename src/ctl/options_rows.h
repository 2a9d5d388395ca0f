/* options_rows: the rows of the table OPTIONS_FILE, whose structure is
 * struct OPTIONS_STRUCT; see options.h. Stands between the braces of an array
 * of struct option_row, and is included once for each, so without a guard. */
#define OPTION(letter, name, value, type, initial, allowed, text)              \
    {OPTION_VALUE,                                                             \
     letter,                                                                   \
     value,                                                                    \
     {#name, SETTING_##type, SETTING_LIVE, initial, allowed, text,             \
      offsetof(struct OPTIONS_STRUCT, name)},                                  \
     0,                                                                        \
     0},
#define WITHOUT_TYPE(kind, letter, name, value, least, most, text)             \
    {kind,                                                                     \
     letter,                                                                   \
     value,                                                                    \
     {#name, SETTING_TEXT, SETTING_LIVE, "", "", text,                         \
      offsetof(struct OPTIONS_STRUCT, name)},                                  \
     least,                                                                    \
     most},
#define LIST(letter, name, value, text)                                        \
    WITHOUT_TYPE(OPTION_LIST, letter, name, value, 0, 0, text)
#define FLAG(letter, name, text)                                               \
    WITHOUT_TYPE(OPTION_FLAG, letter, name, "", 0, 0, text)
#define OPERANDS(name, value, least, most, text)                               \
    WITHOUT_TYPE(OPTION_OPERANDS, 0, name, value, least, most, text)
#include OPTIONS_FILE
#undef OPTION
#undef WITHOUT_TYPE
#undef LIST
#undef FLAG
#undef OPERANDS
