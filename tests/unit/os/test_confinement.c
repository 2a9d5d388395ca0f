/* confinement: what is said of a kernel that has less. Its answer is given by a
 * syscall() of this program's own, which the linker prefers. */
#include "os/confinement.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"

static long version; /* of Landlock; -1: there is none */

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list ap;
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (number != SYS_landlock_create_ruleset)
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    errno = ENOSYS;
    return version;
}

START_TEST(what_is_missing_is_told)
{
    static const struct {
        long version;
        const char *text;
    } rows[] = {{-1, "Landlock: Function not implemented"},
                {1, "Landlock without TCP ports"},
                {3, "Landlock without TCP ports"},
                {4, "Landlock"},
                {7, "Landlock"}};
#ifdef CONFINEMENT_UNFIT
    return; /* such a build has neither */
#endif
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct confinement_means m;
        char text[200];
        version = rows[i].version;
        confinement_find(&m);
        m.no_filter = NULL;
        ck_assert(confinement_is_whole(&m) == (version > 0));
        confinement_print(&m, text, sizeof text);
        ck_assert_str_eq(strstr(text, "Landlock"), rows[i].text);
        m.no_filter = "no luck";
        ck_assert(!confinement_is_whole(&m));
        confinement_print(&m, text, sizeof text);
        ck_assert_ptr_eq(strstr(text, "seccomp: no luck, Landlock"), text);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_is_missing_is_told};
    return UNIT_MAIN("confinement", tests);
}
