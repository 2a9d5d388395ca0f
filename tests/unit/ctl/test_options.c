/* options: every way to write a command line, and what is told of wrong ones.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config.h"
#include "ctl/options.h"
#include "unit.h"

/* A table that has rows of every kind, with and without a letter. */
#define OPTIONS_STRUCT wish
#define OPTIONS_FILE "ctl/send_options.def"
#include "ctl/options_declare.h"

static struct options_table table = {.program = "prog",
                                     .command = "send",
                                     .usage = "[OPTION...] BODY",
                                     .about = "What it does.\n",
                                     OPTIONS_ROWS(wish_rows)};

#define WORDS_MAX 16

static struct wish wish;
static char said[8192]; /* on both outputs */

/* Words of `line`, with blanks between them, as argv. */
static int parse(const char *line)
{
    static char copy[256];
    char *argv[WORDS_MAX] = {NULL}, *rest = copy;
    int argc = 0, outputs[2];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    snprintf(copy, sizeof copy, "send %s", line);
    for (char *word; (word = strsep(&rest, " ")) != NULL; argc++) {
        ck_assert_int_lt(argc, WORDS_MAX);
        argv[argc] = word;
    }
    fflush(NULL);
    for (int fd = 0; fd < 2; fd++) {
        outputs[fd] = dup(fd + 1);
        dup2(fileno(file), fd + 1);
    }
    options_clear(&table, &wish);
    wish = (struct wish){0};
    int status = options_parse(&table, &wish, argc, argv);
    fflush(NULL);
    for (int fd = 0; fd < 2; fd++) {
        dup2(outputs[fd], fd + 1);
        close(outputs[fd]);
    }
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    return status;
}

static void clear(void)
{
    options_clear(&table, &wish);
}

START_TEST(every_form_is_read)
{
    static const char *const lines[] = {
        "-c file -s a.b=1 --header h --timeout 5s -v body",
        "--config file --set a.b=1 --header=h --timeout=5s --verbose body",
        "body -cfile -sa.b=1 --header h --timeout 5s -v",
        "--config=file body --set=a.b=1 -v --header h --timeout 5s",
        "-vcfile -sa.b=1 --timeout 5s --header h -- body",
        ("-c none -c file -s a.b=1 --timeout 1s --timeout 5s -vv --header h "
         "body"),
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_msg(parse(lines[i]) == OPTIONS_GO, "%s: %s", lines[i], said);
        ck_assert_str_eq(wish.config, "file");
        ck_assert_uint_eq(wish.set.count, 1);
        ck_assert_str_eq(wish.set.values[0], "a.b=1");
        ck_assert_uint_eq(wish.header.count, 1);
        ck_assert_str_eq(wish.header.values[0], "h");
        ck_assert_int_eq(wish.timeout, 5 * CLOCK_SECOND);
        ck_assert(wish.verbose);
        ck_assert_uint_eq(wish.body.count, 1);
        ck_assert_str_eq(wish.body.values[0], "body");
        ck_assert_str_eq(said, "");
    }
}
END_TEST

START_TEST(defaults_and_what_is_no_option)
{
    ck_assert_int_eq(parse("-"), OPTIONS_GO);
    ck_assert_str_eq(wish.body.values[0], "-");
    ck_assert_str_eq(wish.config, "");
    ck_assert_int_eq(wish.timeout, 30 * CLOCK_SECOND);
    ck_assert(!wish.verbose);
    ck_assert_uint_eq(wish.set.count, 0);
    ck_assert_int_eq(parse("-- -v"), OPTIONS_GO);
    ck_assert_str_eq(wish.body.values[0], "-v");
    ck_assert(!wish.verbose);
    ck_assert_int_eq(parse("-c -- --header -v -s -x b"), OPTIONS_GO);
    ck_assert_str_eq(wish.config, "--");
    ck_assert_str_eq(wish.header.values[0], "-v");
    ck_assert_str_eq(wish.set.values[0], "-x");
}
END_TEST

START_TEST(lists_keep_their_order)
{
    ck_assert_int_eq(parse("-s1 --set 2 b --set=3 -s 4"), OPTIONS_GO);
    ck_assert_uint_eq(wish.set.count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(wish.set.values[i][0], '1' + (char)i);
}
END_TEST

START_TEST(what_is_wrong_is_told)
{
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"-v", "prog: send: give one BODY, the file to post, or - for standard "
               "input; prog send -h lists what there is\n"},
        {"a b", "give one BODY"},
        {"--nonsense b", "--nonsense: no such option; prog send"},
        {"--tiemout 1s b", "--tiemout: no such option; did you mean --timeout"},
        {"--time 1s b", "--time: no such option; did you mean --timeout"},
        {"--time=1s b", "--time: no such option"},
        {"--bo b", "--bo: no such option;"},
        {"--body b", "--body: no such option;"},
        {"--=x b", "--: no such option; prog"},
        {"-x b", "-x: no such option; prog send"},
        {"-vx b", "-x: no such option; prog send"},
        {"b -c", "--config: its value is missing"},
        {"b --set", "--set: its value is missing"},
        {"b --config=", "--config: must not be empty"},
        {"b --verbose=yes", "--verbose: takes no value"},
        {"b --timeout 0", "--timeout: must be 1ms..24h"},
        {"b --timeout x", "--timeout: must be a time such as"},
        {"b --listen x", "--listen: must be /path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(parse(cases[i].line) == EX_USAGE, "%s", cases[i].line);
        ck_assert_msg(strstr(said, cases[i].words) != NULL, "%s: %s",
                      cases[i].line, said);
        ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
    }
}
END_TEST

START_TEST(help_has_every_row)
{
    static const char *const parts[] = {
        "usage: prog send [OPTION...] BODY\nWhat it does.\n",
        "\n  BODY  ",
        "\n  -c, --config FILE  ",
        "\n      --timeout TIME  ",
        "for all of it [30s]\n",
        "\n  -v, --verbose  ",
        "\n  -h, --help  ",
        "\n  -V, --version  ",
    };
    static const char *const lines[] = {"-h", "--help", "-vh", "a b -h -x"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_int_eq(parse(lines[i]), EX_OK);
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
            ck_assert_msg(strstr(said, parts[k]) != NULL, "%s", said);
    }
    for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) < 80, "%s", line);
    ck_assert_int_eq(parse("--version"), EX_OK);
    ck_assert_str_eq(said, "prog " PACKAGE_VERSION "\n");
}
END_TEST

START_TEST(a_leading_operand_ends_the_options)
{
    table.leading = true;
    ck_assert_int_eq(parse("-v body"), OPTIONS_GO);
    ck_assert(wish.verbose);
    ck_assert_int_eq(parse("body -v --nonsense"), EX_USAGE);
    ck_assert_msg(strstr(said, "give one BODY") != NULL, "%s", said);
    ck_assert(!wish.verbose);
    ck_assert_int_eq(parse("-- body"), EX_USAGE);
    table.leading = false;
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_form_is_read,     defaults_and_what_is_no_option,
        lists_keep_their_order, what_is_wrong_is_told,
        help_has_every_row,     a_leading_operand_ends_the_options};
    return UNIT_RUN_WITH("options", tests, NULL, clear);
}
