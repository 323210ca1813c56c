// JSON as it is written, piece by piece: an answer of millions of rows is never held, and a number
// keeps the digits it was published with, which no binary floating point could promise.
#ifndef ALM_CLI_JSON_H
#define ALM_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CLI_JSON_DEPTH_MAX 8

typedef struct cli_json {
    FILE *out;
    size_t depth;
    bool has_members[CLI_JSON_DEPTH_MAX + 1]; // at each depth: is a comma due?
    bool line_due;                            // a line feed goes behind that comma
} cli_json;

// key: NULL inside an array and at the top.
void cli_json_object(cli_json *json, const char *key);
void cli_json_array(cli_json *json, const char *key);
void cli_json_end_object(cli_json *json);
void cli_json_end_array(cli_json *json);

void cli_json_text(cli_json *json, const char *key, const char *text);                  // UTF-8
void cli_json_bytes(cli_json *json, const char *key, const uint8_t *data, size_t size); // as text;
    // what is not UTF-8 is U+FFFD
void cli_json_number(cli_json *json, const char *key, const char *digits); // a JSON number as text
void cli_json_u64(cli_json *json, const char *key, uint64_t value);
void cli_json_double(cli_json *json, const char *key, double value); // null when not finite
void cli_json_bool(cli_json *json, const char *key, bool value);
void cli_json_null(cli_json *json, const char *key);

// A line feed: at once behind the whole, inside in front of the next member.
void cli_json_line(cli_json *json);

#endif
