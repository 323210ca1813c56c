// Importing files, for import and catalog load.
#ifndef ALM_CLI_IMPORT_H
#define ALM_CLI_IMPORT_H

#include "cli.h"

// opts: callbacks are set here. Returns the exit code: the worst of the files.
int cli_import_files(cli *self, const char *const *paths, size_t count,
                     const almanac_import_opts *opts);

#endif
