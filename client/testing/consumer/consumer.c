// A user of the library who has its header and nothing else of ours.
#include "almanac.h"

#include <stdio.h>

int main(void)
{
    almanac_client *client = NULL;
    almanac_error error;
    const almanac_client_opts opts = {.connect_ms = 20};
    almanac_code code =
        almanac_client_open("ipc:///tmp/almanac-nobody-is-here", &opts, &client, &error);
    if (code != ALMANAC_UNAVAILABLE || client != NULL) {
        printf("open: %s\n", almanac_code_name(code));
        return 1;
    }
    almanac_client_close(&client);
    printf("%s\n", almanac_version());
    return 0;
}
