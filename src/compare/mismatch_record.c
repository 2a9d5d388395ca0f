/* mismatch_record: see mismatch_record.h. */
#include "compare/mismatch_record.h"

#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/utf8.h"

static bool is_utf8(const char *bytes, size_t n)
{
    size_t some;
    for (size_t at = 0; at < n; at += some) {
        some = utf8_length((const unsigned char *)bytes + at);
        if (some == 0)
            return false;
    }
    return true;
}

/* RFC 8259, 7. A byte that is not UTF-8 comes out as U+FFFD. */
static void put_string(const char *bytes, size_t n, FILE *out)
{
    size_t some;
    putc('"', out);
    for (size_t i = 0; i < n; i += some) {
        unsigned char c = (unsigned char)bytes[i];
        some = utf8_length((const unsigned char *)bytes + i);
        if (c == '"' || c == '\\')
            putc('\\', out);
        if (c == '\n')
            fputs("\\n", out);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else if (some == 0)
            fputs("\\ufffd", out);
        else
            fwrite(bytes + i, 1, some, out);
        some += some == 0;
    }
    putc('"', out);
}

/* In pieces of which each is whole groups of three. */
static void put_base64(const char *bytes, size_t n, FILE *out)
{
    enum { PIECE = 3 * 1024 };
    char room[BASE64_LENGTH(PIECE) + 1];
    putc('"', out);
    for (size_t at = 0; at < n; at += PIECE) {
        struct buf text;
        buf_init(&text, room, sizeof room);
        base64_put(&text, bytes + at, n - at < PIECE ? n - at : PIECE);
        fwrite(room, 1, text.len, out);
    }
    putc('"', out);
}

void mismatch_record_print_bytes(const char *name, const char *bytes, size_t n,
                                 FILE *out)
{
    bool text = is_utf8(bytes, n);
    fprintf(out, "\"%s%s\":", name, text ? "" : "_base64");
    if (text)
        put_string(bytes, n, out);
    else
        put_base64(bytes, n, out);
}

static void put_bytes(const char *name, const char *bytes, size_t n,
                      bool redact, FILE *out)
{
    putc(',', out);
    if (redact)
        fprintf(out, "\"%s_bytes\":%zu", name, n);
    else
        mismatch_record_print_bytes(name, bytes, n, out);
}

static void put_text(const char *name, const char *text, FILE *out)
{
    fprintf(out, ",\"%s\":", name);
    put_string(text, strlen(text), out);
}

static void put_result(const char *who, const struct parity_result *r,
                       const char *detail, bool redact, FILE *out)
{
    static const char *const ends[] = {[CALL_ANSWERED] = "answered",
                                       [CALL_TIMED_OUT] = "timed_out",
                                       [CALL_UNREACHED] = "unreached",
                                       [CALL_BROKEN] = "broken",
                                       [CALL_TOO_LONG] = "too_long"};
    fprintf(out, ",\"%s\":{\"end\":\"%s\"", who, ends[r->end]);
    if (r->end == CALL_ANSWERED) {
        fprintf(out, ",\"status\":%d", r->status);
        put_bytes("reply", r->reply, r->reply_len, redact, out);
    } else {
        put_text("detail", detail, out);
    }
    if (r->posts != PARITY_POSTS_UNKNOWN)
        fprintf(out, ",\"posts\":%d", r->posts);
    if (r->posts > 0)
        put_bytes("posted", r->posted, r->posted_len, redact, out);
    putc('}', out);
}

void mismatch_record_print(const struct mismatch_record *s, bool redact,
                           FILE *out)
{
    const struct parity_case *c = s->compared;
    fprintf(out, "{\"case\":%" PRIu64, s->number);
    put_text("source", s->source, out);
    put_text("kind", parity_kind_name(s->verdict->kind), out);
    put_text("class",
             s->noise
                 ? "noise"
                 : parity_kind_class_name(parity_kind_class(s->verdict->kind)),
             out);
    put_text("place", parity_place_name(s->verdict->place), out);
    /* A name in it may be somebody's data. */
    if (!redact)
        put_text("pointer", s->verdict->pointer, out);
    put_result("ours", &c->ours, s->details[0], redact, out);
    put_result("theirs", &c->theirs, s->details[1], redact, out);
    put_bytes("body", c->request, c->request_len, redact, out);
    fputs("}\n", out);
}
