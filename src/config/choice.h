/* choice: the words of a CHOICE row of config.def, written (a, b, c), as the
 * members of an enum and as the text "a|b|c". From one to six words. */
#ifndef TALLYD_CONFIG_CHOICE_H
#define TALLYD_CONFIG_CHOICE_H

/* CHOICE_MEMBERS(CONFIG_reply_, (auto, ok)) is
 * CONFIG_reply_auto, CONFIG_reply_ok
 * and CHOICE_TEXT((auto, ok)) is "auto|ok". */
#define CHOICE_MEMBERS(prefix, words)                                          \
    CHOICE_CALL(CHOICE_PICK(M, CHOICE_LIST words), prefix, CHOICE_LIST words)
#define CHOICE_TEXT(words)                                                     \
    CHOICE_CALL(CHOICE_PICK(T, CHOICE_LIST words), CHOICE_LIST words)

#define CHOICE_LIST(...) __VA_ARGS__
#define CHOICE_CALL(macro, ...) CHOICE_CALL_NOW(macro, __VA_ARGS__)
#define CHOICE_CALL_NOW(macro, ...) macro(__VA_ARGS__)

/* CHOICE_M3 or CHOICE_T3 for three words, and so on. */
#define CHOICE_PICK(kind, ...)                                                 \
    CHOICE_PICK_NOW(__VA_ARGS__, CHOICE_##kind##6, CHOICE_##kind##5,           \
                    CHOICE_##kind##4, CHOICE_##kind##3, CHOICE_##kind##2,      \
                    CHOICE_##kind##1, 0)
#define CHOICE_PICK_NOW(a, b, c, d, e, f, macro, ...) macro

#define CHOICE_M1(p, a) p##a
#define CHOICE_M2(p, a, ...) p##a, CHOICE_M1(p, __VA_ARGS__)
#define CHOICE_M3(p, a, ...) p##a, CHOICE_M2(p, __VA_ARGS__)
#define CHOICE_M4(p, a, ...) p##a, CHOICE_M3(p, __VA_ARGS__)
#define CHOICE_M5(p, a, ...) p##a, CHOICE_M4(p, __VA_ARGS__)
#define CHOICE_M6(p, a, ...) p##a, CHOICE_M5(p, __VA_ARGS__)

#define CHOICE_T1(a) #a
#define CHOICE_T2(a, ...) #a "|" CHOICE_T1(__VA_ARGS__)
#define CHOICE_T3(a, ...) #a "|" CHOICE_T2(__VA_ARGS__)
#define CHOICE_T4(a, ...) #a "|" CHOICE_T3(__VA_ARGS__)
#define CHOICE_T5(a, ...) #a "|" CHOICE_T4(__VA_ARGS__)
#define CHOICE_T6(a, ...) #a "|" CHOICE_T5(__VA_ARGS__)

#endif
