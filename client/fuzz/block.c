// Goal: no bytes that unpack as an answer make the client read outside it, and what passes the
// checks can be shown. Method: unpack, check, and write every row in every form.
#include "cli_rows.h"
#include "rows.h"
#include "utf8_check.h"

#include "alm/rpc.h"

#include "almanac/v1/gateway.pb-c.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const almanac_row *row, FILE *out)
{
    char text[ALMANAC_VALUE_TEXT_MAX];
    cli_csv csv = {.out = out};
    cli_json json = {.out = out};
    (void)almanac_value_text(row, ALMANAC_ZH, text);
    (void)almanac_value_text(row, ALMANAC_EN, text);
    cli_row_csv(&csv, row, true);
    cli_row_json(&json, row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alm_arena *arena = alm_arena_create(0);
    FILE *out = fopen("/dev/null", "w");
    if (arena == NULL || out == NULL) {
        abort();
    }
    ProtobufCAllocator allocator = alm_arena_protobuf(arena);
    Almanac__V1__QueryResponse *response =
        almanac__v1__query_response__unpack(&allocator, size, data);
    almanac_block block;
    if (response != NULL && response->block != NULL &&
        alm_utf8_check(&response->base, NULL) == ALM_OK &&
        alm_rows_view(response->block, arena, &block, NULL) == ALM_OK) {
        for (size_t i = 0; i < block.row_count; i++) {
            almanac_row row = alm_block_row(&block, i);
            show(&row, out);
        }
    }
    (void)fclose(out);
    alm_arena_destroy(&arena);
    return 0;
}
