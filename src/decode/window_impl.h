/* window_impl: decode/window for one instruction set. A file window_NAME.c
 * includes the set's header of decode/simd, defines WINDOW_PATH, the name of
 * its struct window_path, and WINDOW_NAME, that name for people, and includes
 * this.
 */
#include "decode/window.h"

#include "decode/strip.h"

/* --- Step 1: blocks and strips. --- */

static void keep_strip(struct window *w, size_t i, const struct strip *s)
{
    strip_put(w->wrong + i, s->wrong);
    strip_put(w->event + i, s->events);
    strip_put(w->ends + i, s->ends);
    strip_put(w->named + i, s->named);
    strip_put(w->unnamed + i, s->unnamed);
    strip_put(w->begun + i, s->begun);
}

/* A word is at least a byte and what ends it; simd_places() writes up to 64
 * places behind those that count. */
_Static_assert(sizeof((struct window *)0)->words >=
                   (WINDOW_MAX / 2 + 64) * sizeof(uint16_t),
               "all words of a window, and what is written behind them");

/* Gives the number of words; the events are in w->at. */
static size_t check_strips(struct window *w, const struct plan *plan)
{
    const struct window_masks *m = &w->masks;
    struct strip_carry c;
    size_t events = 0, words = 0;
    simd_masks backslash = {0}, control = {0};
    strip_begin(&c, plan, w->place.behind);
    for (size_t i = 0; i < w->blocks; i += SIMD_LANES) {
        uint64_t event[SIMD_LANES], word[SIMD_LANES];
        struct strip s;
        strip_check(&s, m, i, plan, &c);
        keep_strip(w, i, &s);
        backslash |= strip_get(m->backslash + i);
        control |= s.control;
        strip_put(event, s.events);
        SIMD_UNROLL
        for (unsigned k = 0; k < SIMD_LANES; k++)
            events += simd_pick(event[k], m->at[i + k], block_bytes(m, i + k),
                                w->at + events, w->bytes + events);
        if (!simd_any(s.words))
            continue;
        strip_put(word, s.words);
        SIMD_UNROLL
        for (unsigned k = 0; k < SIMD_LANES; k++)
            words += simd_places(word[k], m->at[i + k], w->words + words);
    }
    w->events = events;
    w->escapes = simd_any(backslash);
    w->controls = simd_any(control);
    return words;
}

/* --- The end of the window. --- */

/* The window ends behind the last byte of `ends` in block i: forget what is
 * behind that. */
static void cut(struct window *w, size_t i, uint64_t ends)
{
    uint64_t mask = UINT64_MAX >> (63 - simd_last(ends));
    size_t blocks = w->blocks;
    w->taken = w->masks.at[i] + simd_last(ends) + 1U;
    w->blocks = i + 1;
    for (; i < blocks || i % SIMD_LANES != 0; i++) {
        w->events -= simd_count(w->event[i] & ~mask);
        w->wrong[i] &= mask;
        w->event[i] &= mask;
        w->named[i] &= mask;
        w->unnamed[i] &= mask;
        mask = 0;
    }
}

/* The last block of which a mask is not zero, and one more; 0: there is none.
 */
static size_t last_of(const uint64_t *masks, size_t blocks)
{
    while (blocks > 0 && masks[blocks - 1] == 0)
        blocks--;
    return blocks;
}

/* Strings that begin in the first n blocks, behind the last of w->ends, which
 * is in block end - 1; 0: there is none. */
static size_t count_strings(const struct window *w, size_t end, size_t n)
{
    uint64_t mask = UINT64_MAX;
    size_t strings = 0, i = 0;
    if (end > 0) {
        i = end - 1;
        mask = ~(UINT64_MAX >> (63 - simd_last(w->ends[i])));
    }
    for (; i < n; i++, mask = UINT64_MAX)
        strings += simd_count(w->begun[i] & mask);
    return strings;
}

/* The window ends in a string. Cut behind its first quote if the string is
 * none of the wanted names, and worth it. `end` as in count_strings(). `first`:
 * no other string is behind the last bracket or comma, so it may be a name. */
static bool cut_at_string(struct window *w, size_t end, bool *first)
{
    size_t i = last_of(w->begun, w->blocks);
    if (i == 0)
        return false;
    size_t at = w->masks.at[i - 1] + simd_last(w->begun[i - 1]) + 1U;
    size_t strings = count_strings(w, end, i);
    *first = strings < 2 && (end > 0 || w->place.behind <= WINDOW_BEHIND_COMMA);
    if (w->masks.n - at < (strings < 2 ? WINDOW_LONG : WINDOW_TEXT))
        return false;
    cut(w, i - 1, w->begun[i - 1]);
    return true;
}

/* Cut behind the last bracket or comma, or behind the first quote of a string
 * in which the window ends. */
static enum window_result cut_window(struct window *w, bool in_string,
                                     bool *first)
{
    size_t end = last_of(w->ends, w->blocks);
    if (in_string && cut_at_string(w, end, first))
        return WINDOW_IN_STRING;
    if (end == 0)
        return WINDOW_SHORT;
    cut(w, end - 1, w->ends[end - 1]);
    return WINDOW_TAKEN;
}

/* --- Step 2: words. --- */

/* Behind a word stands one of these (RFC 8259, 2). */
static const bool is_end[256] = {
    [' '] = true, ['\n'] = true, ['\t'] = true, ['\r'] = true,
    [','] = true, [']'] = true,  ['}'] = true,
};

static uint32_t four_bytes(const char *p)
{
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return four;
}

/* Are all that begin before `taken` true, false or null? Behind each of them is
 * at least one byte, the last one taken, which is no letter. Which of the three
 * it is, no processor guesses. */
static bool check_words(const struct window *w, const uint8_t *from,
                        size_t words)
{
    const uint32_t fals = four_bytes("fals"), is_true = four_bytes("true"),
                   null = four_bytes("null");
    unsigned right = 1;
    size_t i = 0;
    for (; i < words && w->words[i] + 5U <= w->taken; i++) {
        const uint8_t *p = from + w->words[i];
        uint32_t four = four_bytes((const char *)p);
        unsigned is_false = (four == fals) & (p[4] == 'e');
        right &= (four == is_true) | (four == null) | is_false;
        right &= is_end[p[4 + is_false]];
    }
    bool cut = i < words && w->words[i] < w->taken;
    return right && !cut;
}

/* --- Step 3: brackets. --- */

/* 64 events, one to a bit. */
struct events {
    uint64_t open, close, object; /* object: the bracket is of one */
    simd_block depths;            /* behind each event, from the first's on */
};

/* The n events of these bytes, 1 to 64; others are behind them. */
static struct events read_events(const uint8_t *bytes, size_t n)
{
    simd_block b = simd_load(bytes), lower = simd_lower(b);
    uint64_t ours = UINT64_MAX >> (64 - n);
    struct events e = {.open = simd_eq(lower, '{') & ours,
                       .close = simd_eq(lower, '}') & ours,
                       .object = simd_eq(b, '{') | simd_eq(b, '}')};
    e.depths = simd_depths(e.open, e.close);
    return e;
}

/* Brackets at one level: `open` those that open it, of which `object` are an
 * object's, behind one of the kind `before`. Gives where the innermost bracket
 * of that level is an object's: from each that opens one on, a sum carries to
 * the next that opens an array. */
static uint64_t spread_kind(uint64_t open, uint64_t object, uint64_t before)
{
    uint64_t objects = open & object, arrays = open & ~object;
    objects |= before & ~arrays;
    return (~arrays & ~(~arrays + objects)) | objects;
}

/* Match the brackets of these events. False: they do not match. `context`:
 * where the innermost bracket, behind each event, is an object's. */
static bool match_levels(struct window_place *p, const struct events *e,
                         uint64_t *context)
{
    uint64_t wrong = 0, below = 0, kinds = 0;
    int32_t base = SIMD_DEPTH, low = base, level = (int32_t)p->depth;
    while (simd_range(e->depths, 0, (uint8_t)(low - 1)) != 0)
        low--;
    level += low - base;
    if (level < 0)
        return false;
    for (bool more = true; more; low++, level++) {
        uint64_t here = simd_eq(e->depths, (uint8_t)low);
        uint64_t *word = &p->levels[level / 64];
        uint64_t bit = UINT64_C(1) << (level % 64);
        uint64_t kind =
            spread_kind(e->open & here, e->object, (*word & bit) != 0);
        wrong |= e->close & below & (e->object ^ kind);
        kinds |= here & kind;
        *word = (*word & ~bit) | ((kind >> 63) << (level % 64));
        below = here;
        more =
            low < base || simd_range(e->depths, (uint8_t)(low + 1), 0xff) != 0;
    }
    *context = kinds;
    return wrong == 0;
}

/* Match all brackets; keep the events down to plan->depth. The last bracket of
 * the document ends the window. False: they do not match, or are too deep. */
static bool match_brackets(struct window *w, const struct plan *plan)
{
    struct window_place *p = &w->place;
    size_t kept = 0, n = w->events;
    uint64_t before = window_is_object(p, p->depth);
    for (size_t i = 0; i < n; i += 64) {
        size_t some = n - i < 64 ? n - i : 64;
        struct events e = read_events(w->bytes + i, some);
        int32_t base = SIMD_DEPTH - (int32_t)p->depth; /* of the document */
        int32_t most = (int32_t)w->max_depth + base;
        if (most < 0xff && simd_range(e.depths, (uint8_t)(most + 1), 0xff) != 0)
            return false;
        uint64_t context;
        if (!match_levels(p, &e, &context))
            return false;
        w->changes[i / 64] = context ^ (context << 1 | before);
        before = context >> 63;
        uint64_t root = base >= 0 ? simd_eq(e.depths, (uint8_t)base) : 0;
        root &= e.close;
        if (root != 0) {
            p->behind = WINDOW_BEHIND_ALL;
            w->taken = w->at[i + simd_first(root)] + 1U;
            if (i + simd_first(root) + 1 < n)
                return false;
        }
        /* A closing bracket is as deep as its opening one. */
        int32_t deepest = (int32_t)plan->depth + base;
        uint64_t keep = 0;
        if (deepest > 0)
            keep = simd_range(e.depths, 0, (uint8_t)(deepest - 1)) |
                   (simd_eq(e.depths, (uint8_t)deepest) & ~e.close);
        uint64_t ours = UINT64_MAX >> (64 - some);
        if (kept == i && (keep & ours) == ours)
            kept += some; /* all are where they should be */
        else
            kept += simd_keep(keep & ours, w->at + i, w->at + kept);
        p->depth += simd_count(e.open) - simd_count(e.close);
    }
    w->events = kept;
    return true;
}

/* --- Step 4: what stands in objects. --- */

/* n bits of `bits` from `at` on, and others behind them. */
static uint64_t bits_at(const uint64_t *bits, size_t at)
{
    return bits[at / 64] >> (at % 64) | bits[at / 64 + 1] << 1
                                                          << (63 - at % 64);
}

/* `object`: is the window's first byte in one? */
static bool check_contexts(const struct window *w, bool object)
{
    simd_masks wrong = {0}, last;
    uint64_t lasts[SIMD_LANES] = {0};
    unsigned context = object;
    size_t at = 0;
    lasts[SIMD_LANES - 1] = (uint64_t)object << 63;
    last = simd_join(lasts);
    for (size_t i = 0; i < w->blocks; i += SIMD_LANES) {
        uint64_t flips[SIMD_LANES];
        SIMD_UNROLL
        for (unsigned lane = 0; lane < SIMD_LANES; lane++) {
            uint64_t events = w->event[i + lane];
            flips[lane] = simd_spread(bits_at(w->changes, at), events);
            at += simd_count(events);
        }
        simd_masks in = simd_parity(simd_join(flips), &context);
        simd_masks in_before = strip_behind(in, &last);
        wrong |= (strip_get(w->named + i) & ~in_before) |
                 (strip_get(w->unnamed + i) & in_before) |
                 strip_get(w->wrong + i);
    }
    return !simd_any(wrong);
}

/* --- The window. --- */

/* Of the bytes taken, which are right: no line feed is in a string. */
static void count_lines(struct window *w, const uint8_t *from)
{
    struct window_place *p = &w->place;
    uint8_t room[64];
    size_t at = w->taken / 64 * 64;
    simd_block b = simd_load_part(from + at, w->taken - at, room);
    uint64_t feeds = simd_eq(b, '\n');
    unsigned lines = simd_count(feeds) + simd_count_eq(from, at, '\n');
    if (lines == 0)
        return;
    while (feeds == 0) {
        at -= 64;
        feeds = simd_eq(simd_load(from + at), '\n');
    }
    p->line += lines;
    p->line_start = p->offset + at + simd_last(feeds) + 1;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static size_t count_blanks(const uint8_t *from, size_t n)
{
    size_t blanks = 0;
    while (blanks < n && is_blank(from[blanks]))
        blanks++;
    return blanks;
}

/* Behind the whole document stands nothing but blanks. */
static bool check_rest(struct window_place *p, const uint8_t *from, size_t n)
{
    for (size_t i = count_blanks(from, n); i < n; i++)
        return false;
    for (size_t i = 0; i < n; i++)
        if (from[i] == '\n') {
            p->line++;
            p->line_start = p->offset + i + 1;
        }
    p->offset += n;
    return true;
}

/* A window of a document that is complete. */
static enum window_result read_rest(struct window *w, const uint8_t *from,
                                    size_t n)
{
    w->taken = n;
    w->events = 0;
    w->escapes = false;
    return check_rest(&w->place, from, n) ? WINDOW_TAKEN : WINDOW_WRONG;
}

/* Does a document begin with a bracket? What does not is left to scan. */
static bool begins_with_bracket(const uint8_t *from, size_t n)
{
    size_t blanks = count_blanks(from, n);
    return blanks < n && (from[blanks] == '{' || from[blanks] == '[');
}

/* Steps 2 to 4 on the bytes taken. */
static bool check_window(struct window *w, const struct plan *plan,
                         const uint8_t *from, size_t words)
{
    bool object = window_is_object(&w->place, w->place.depth);
    size_t taken = w->taken;
    if (!check_words(w, from, words) || !match_brackets(w, plan))
        return false;
    if (w->taken < taken)
        return false; /* a comma is behind the document */
    if (!check_contexts(w, object))
        return false;
    if (w->controls)
        count_lines(w, from);
    w->place.offset += w->taken;
    return true;
}

/* Behind the byte c; `first`: see cut_at_string(). */
static void set_behind(struct window *w, uint8_t c, bool first)
{
    uint32_t *behind = &w->place.behind;
    if (c == '"')
        *behind = first && window_is_object(&w->place, w->place.depth)
                      ? WINDOW_BEHIND_NAME
                      : WINDOW_BEHIND_VALUE;
    else if (c == ',')
        *behind = WINDOW_BEHIND_COMMA;
    else
        *behind =
            c == '{' || c == '[' ? WINDOW_BEHIND_BRACKET : WINDOW_BEHIND_VALUE;
}

static enum window_result read_window(struct window *w, const struct plan *plan,
                                      const uint8_t *from, size_t n)
{
    const struct window_place before = w->place;
    if (before.behind == WINDOW_BEHIND_ALL)
        return read_rest(w, from, n);
    if (before.behind == WINDOW_BEHIND_NOTHING && !begins_with_bracket(from, n))
        return WINDOW_SHORT;
    bool in_string, first = false;
    w->blocks = block_read_all(&w->masks, from, n, &in_string);
    size_t words = check_strips(w, plan);
    enum window_result result = cut_window(w, in_string, &first);
    if (result == WINDOW_SHORT)
        return result;
    bool right = check_window(w, plan, from, words);
    if (right && w->place.behind == WINDOW_BEHIND_ALL) {
        right = check_rest(&w->place, from + w->taken, n - w->taken);
        w->taken = n;
    } else if (right) {
        set_behind(w, from[w->taken - 1], first);
    }
    if (right)
        return result;
    w->place = before;
    return WINDOW_WRONG;
}

/* --- Long strings. --- */

/* How many of the n bytes are whole characters and escapes. All of them are
 * right, but for what the end cuts. */
static size_t whole_characters(const uint8_t *from, size_t n)
{
    for (size_t back = 1; back <= 5 && back <= n; back++) {
        size_t run = 0;
        while (run < n - back + 1 && from[n - back - run] == '\\')
            run++;
        bool cut = back == 1 || from[n - back + 1] == 'u';
        if (run % 2 == 1 && cut)
            return n - back;
    }
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        uint8_t c = from[n - back];
        if (c < 0xc0)
            continue;
        size_t length = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        return back < length ? n - back : n;
    }
    return n;
}

static enum window_result read_string(struct window *w, const uint8_t *from,
                                      size_t n)
{
    struct block_carry c = {0};
    w->taken = 0;
    for (size_t at = 0; at < n; at += 64) {
        size_t some = n - at;
        simd_block b = some < 64
                           ? simd_load_part(from + at, some, w->masks.tail)
                           : simd_load(from + at);
        struct block_text t = block_text(b, &c);
        uint64_t wrong = t.wrong | simd_range(b, 0, 0x1f);
        if ((wrong | t.quote) == 0)
            continue;
        if (some < 64)
            wrong &= (UINT64_C(1) << some) - 1;
        if (t.quote != 0)
            wrong &= t.quote ^ (t.quote - 1); /* up to the first */
        if (wrong != 0)
            return WINDOW_WRONG;
        if (t.quote != 0) {
            w->taken = at + simd_first(t.quote) + 1;
            w->place.offset += w->taken;
            return WINDOW_TAKEN;
        }
    }
    w->taken = whole_characters(from, n);
    w->place.offset += w->taken;
    return WINDOW_SHORT;
}

const struct window_path WINDOW_PATH = {WINDOW_NAME, read_window, read_string};
