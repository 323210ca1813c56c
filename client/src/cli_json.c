#include "cli_json.h"

#include "cli_csv.h"

#include "alm/assert.h"
#include "alm/str.h"

#include <inttypes.h>
#include <math.h>

static void put_escaped(cli_json *json, alm_str text)
{
    fputc('"', json->out);
    while (text.len > 0) {
        uint32_t c = 0;
        size_t len = alm_utf8_decode(text, &c);
        if (len == 0) {
            fputs("\xef\xbf\xbd", json->out);
            len = 1;
        } else if (c == '"' || c == '\\') {
            fprintf(json->out, "\\%c", (char)c);
        } else if (c < 0x20 || c == 0x7f || c == 0x2028 || c == 0x2029) {
            fprintf(json->out, "\\u%04" PRIx32, c);
        } else {
            (void)fwrite(text.data, 1, len, json->out);
        }
        text = alm_str_slice(text, len, text.len);
    }
    fputc('"', json->out);
}

// The comma before a member, and its key.
static void begin_member(cli_json *json, const char *key)
{
    fputs(json->has_members[json->depth] ? "," : "", json->out);
    fputs(json->line_due ? "\n" : "", json->out);
    json->line_due = false;
    json->has_members[json->depth] = true;
    if (key != NULL) {
        put_escaped(json, alm_str_from(key));
        fputc(':', json->out);
    }
}

static void begin(cli_json *json, const char *key, char bracket)
{
    begin_member(json, key);
    fputc(bracket, json->out);
    ALM_ASSERT(json->depth < CLI_JSON_DEPTH_MAX);
    json->has_members[++json->depth] = false;
}

static void end(cli_json *json, char bracket)
{
    ALM_ASSERT(json->depth > 0);
    json->depth--;
    fputc(bracket, json->out);
}

void cli_json_object(cli_json *json, const char *key)
{
    begin(json, key, '{');
}

void cli_json_array(cli_json *json, const char *key)
{
    begin(json, key, '[');
}

void cli_json_end_object(cli_json *json)
{
    end(json, '}');
}

void cli_json_end_array(cli_json *json)
{
    end(json, ']');
}

void cli_json_text(cli_json *json, const char *key, const char *text)
{
    begin_member(json, key);
    put_escaped(json, alm_str_from(text));
}

void cli_json_bytes(cli_json *json, const char *key, const uint8_t *data, size_t size)
{
    begin_member(json, key);
    put_escaped(json, (alm_str){(const char *)data, size});
}

void cli_json_number(cli_json *json, const char *key, const char *digits)
{
    begin_member(json, key);
    fputs(digits, json->out);
}

void cli_json_u64(cli_json *json, const char *key, uint64_t value)
{
    begin_member(json, key);
    fprintf(json->out, "%" PRIu64, value);
}

void cli_json_double(cli_json *json, const char *key, double value)
{
    char text[CLI_DOUBLE_TEXT_MAX] = "null";
    if (isfinite(value)) {
        cli_double_text(value, text);
    }
    cli_json_number(json, key, text);
}

void cli_json_bool(cli_json *json, const char *key, bool value)
{
    cli_json_number(json, key, value ? "true" : "false");
}

void cli_json_null(cli_json *json, const char *key)
{
    cli_json_number(json, key, "null");
}

void cli_json_line(cli_json *json)
{
    json->line_due = json->depth > 0;
    if (json->depth == 0) {
        fputc('\n', json->out);
        json->has_members[0] = false; // lines of JSON have no commas between them
    }
}
