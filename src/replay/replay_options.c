/* replay_options: see replay_options.h. */
#include "replay/replay_options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/hash.h"
#include "config/config_load.h"

static const struct option_row rows[] = {
#define OPTIONS_STRUCT replay_options
#define OPTIONS_FILE "replay/replay_options.def"
#include "ctl/options_rows.h"
};

static const struct options_table table = {
    .program = "tallyctl",
    .command = "replay",
    .usage = "--ours URL --theirs URL [OPTION...] PATH...",
    .about = "Send recorded bodies to both, compare what they do. See "
             "tallyctl-replay(1).\n",
    OPTIONS_ROWS(rows),
};

/* What ours wants of a body, so that differences can be explained. */
static int find_endpoint(struct replay_options *o)
{
    char why[CONFIG_ERROR_MAX];
    o->settings = config_load_here(o->config[0] == '\0' ? NULL : o->config,
                                   o->set.values, o->set.count, why);
    if (o->settings == NULL) {
        fprintf(stderr, "tallyctl: replay: %s\n", why);
        return EX_CONFIG;
    }
    struct config_endpoint *e =
        o->endpoint[0] == '\0' ? o->settings->endpoints[0]
                               : config_find_endpoint(o->settings, o->endpoint);
    if (e == NULL)
        return options_complain(&table, "--endpoint",
                                "the settings have none of that name");
    if (o->numbers != REPLAY_NUMBERS_auto)
        e->numbers = o->numbers == REPLAY_NUMBERS_int64 ? CONFIG_numbers_int64
                                                        : CONFIG_numbers_double;
    o->of = e;
    wanted_open(&o->wanted, e);
    return OPTIONS_GO;
}

int replay_options_parse(struct replay_options *o, int argc, char *const *argv)
{
    *o = (struct replay_options){0};
    int status = options_parse(&table, o, argc, argv);
    if (status != OPTIONS_GO)
        return status;
    if (o->ours[0] == '\0' || o->theirs[0] == '\0')
        return options_complain(&table, "--ours and --theirs are needed", "");
    if ((o->ours_cert[0] == '\0') != (o->ours_key[0] == '\0'))
        return options_complain(&table, "--ours-cert and --ours-key",
                                "give both or none");
    if ((o->theirs_cert[0] == '\0') != (o->theirs_key[0] == '\0'))
        return options_complain(&table, "--theirs-cert and --theirs-key",
                                "give both or none");
    return find_endpoint(o);
}

void replay_options_free(struct replay_options *o)
{
    options_clear(&table, o);
    wanted_close(&o->wanted);
    config_free(&o->settings);
}

static uint64_t add(uint64_t mark, const char *text)
{
    return hash_bytes(hash_bytes(mark, text, strlen(text)), "\xff", 1);
}

uint64_t replay_options_mark(const struct replay_options *o)
{
    char numbers[128];
    const struct config_endpoint *e = o->of;
    uint64_t mark = HASH_START;
    mark = add(add(add(mark, o->ours), o->theirs), o->theirs2);
    mark = add(add(add(mark, e->array), e->field), e->where);
    for (size_t i = 0; i < e->member_count; i++)
        mark = add(add(mark, e->members[i].name), e->members[i].text);
    snprintf(numbers, sizeof numbers, "%lld %lld %d %d %u",
             (long long)o->format, (long long)o->max_body, (int)e->numbers,
             (int)e->multiply, (unsigned)e->max_depth);
    mark = add(mark, numbers);
    for (size_t i = 0; i < o->paths.count; i++)
        mark = add(mark, o->paths.values[i]);
    return mark;
}
