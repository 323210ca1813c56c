// The almanac command.
#include "cli.h"

#include <sys/ioctl.h>
#include <unistd.h>

static size_t terminal_columns(void)
{
    struct winsize size;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return is_known ? size.ws_col : 80;
}

int main(int argc, char **argv)
{
    cli self = {.out = stdout,
                .err = stderr,
                .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                .err_is_terminal = isatty(STDERR_FILENO) == 1};
    self.columns = self.out_is_terminal ? terminal_columns() : 0;
    return cli_run(&self, argc, argv);
}
