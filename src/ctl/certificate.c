/* certificate: see certificate.h. */
#include "ctl/certificate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

/* Of ASN.1 (X.690, 8.1): what is left to read. */
struct der {
    const unsigned char *at;
    size_t left;
};

enum tag {
    TAG_INTEGER = 0x02,
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_VERSION = 0xa0
};

/* The next element; `d` moves behind it. */
static bool take(struct der *d, unsigned *tag, struct der *content)
{
    if (d->left < 2)
        return false;
    size_t head = 2, n = d->at[1];
    if (n >= 0x80) {
        size_t more = n & 0x7f;
        if (more == 0 || more > 3 || d->left < 2 + more)
            return false;
        for (n = 0; head < 2 + more; head++)
            n = n << 8 | d->at[head];
    }
    if (n > d->left - head)
        return false;
    *tag = d->at[0];
    *content = (struct der){d->at + head, n};
    d->at += head + n;
    d->left -= head + n;
    return true;
}

static bool enter(struct der *d, struct der *content)
{
    unsigned tag;
    return take(d, &tag, content) && tag == TAG_SEQUENCE;
}

/* UTCTime has two digits of the year: 50 is 1950. */
static bool read_time(unsigned tag, const struct der *d, time_t *t)
{
    char text[24] = "";
    struct tm tm = {0};
    size_t century = tag == TAG_UTC_TIME ? 2 : 0;
    if ((tag != TAG_UTC_TIME && tag != TAG_GENERALIZED_TIME) ||
        d->left != 15 - century)
        return false;
    memcpy(text, d->at[0] < '5' ? "20" : "19", century);
    memcpy(text + century, d->at, d->left);
    if (sscanf(text, "%4d%2d%2d%2d%2d%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *t = timegm(&tm);
    return true;
}

/* Certificate, tbsCertificate, then version, number, algorithm and issuer
 * before validity. */
static bool read_end(struct der d, time_t *t)
{
    unsigned tag;
    struct der whole, tbs, skipped, validity, end;
    if (!enter(&d, &whole) || !enter(&whole, &tbs) ||
        !take(&tbs, &tag, &skipped))
        return false;
    if (tag == TAG_VERSION && !take(&tbs, &tag, &skipped))
        return false;
    return tag == TAG_INTEGER && enter(&tbs, &skipped) &&
           enter(&tbs, &skipped) && enter(&tbs, &validity) &&
           take(&validity, &tag, &skipped) && take(&validity, &tag, &end) &&
           read_time(tag, &end, t);
}

static size_t squeeze(char *text, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isspace((unsigned char)text[i]))
            text[kept++] = text[i];
    return kept;
}

/* Decode one in its place. */
static bool read_one(char *text, size_t n, time_t *t)
{
    size_t decoded = 0;
    n = squeeze(text, n);
    return base64_decode(text, n, text, &decoded) &&
           read_end((struct der){(const unsigned char *)text, decoded}, t);
}

bool certificate_until(char *text, size_t n, bool latest, time_t *until)
{
    bool found = false;
    const char *limit = text + n;
    for (char *at = text;;) {
        time_t t;
        char *begin = memmem(at, (size_t)(limit - at), BEGIN, strlen(BEGIN));
        if (begin == NULL)
            return found;
        begin += strlen(BEGIN);
        char *end = memmem(begin, (size_t)(limit - begin), END, strlen(END));
        if (end == NULL)
            return found;
        if (read_one(begin, (size_t)(end - begin), &t)) {
            if (!found || t > *until)
                *until = t;
            found = true;
            if (!latest)
                return true;
        }
        at = end;
    }
}
