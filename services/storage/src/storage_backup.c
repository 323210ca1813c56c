// Backup: the engine's stream, cut into messages. While a client takes no more, the engine waits;
// its snapshot lasts until the call's deadline at most.
#include "storage_service.h"

#include "alm/buf.h"

#include "almanac/v1/gateway.pb-c.h"

#define MESSAGE_BYTES ((size_t)256 << 10)

typedef struct backup_stream {
    alm_call *call;
    alm_buf data; // not yet sent
    uint64_t records_done, records;
} backup_stream;

static alm_code send_data(backup_stream *stream, Almanac__V1__BackupEnd *end, alm_status *st)
{
    Almanac__V1__BackupResponse response = ALMANAC__V1__BACKUP_RESPONSE__INIT;
    response.data = (ProtobufCBinaryData){.data = stream->data.data, .len = stream->data.len};
    response.records_done = stream->records_done;
    response.records = stream->records;
    response.end = end;
    ALM_TRY(alm_call_send(stream->call, &response.base, st));
    alm_buf_reset(&stream->data);
    return ALM_OK;
}

static alm_code take_data(void *arg, const void *data, size_t len, alm_status *st)
{
    backup_stream *stream = arg;
    alm_buf_append(&stream->data, data, len);
    if (stream->data.failed) {
        return alm_status_set(st, ALM_RESOURCE_EXHAUSTED, "no memory for a backup");
    }
    return stream->data.len >= MESSAGE_BYTES ? send_data(stream, NULL, st) : ALM_OK;
}

static void take_progress(void *arg, uint64_t records, uint64_t of)
{
    backup_stream *stream = arg;
    stream->records_done = records;
    stream->records = of;
}

static alm_code send_end(backup_stream *stream, alm_backup_info *info, alm_status *st)
{
    char at[ALM_TIMESTAMP_MAX];
    Almanac__V1__BackupEnd end = ALMANAC__V1__BACKUP_END__INIT;
    alm_clock_format_rfc3339(info->at_us, at);
    end.sequence = info->sequence;
    end.at = at;
    end.observations = info->observations;
    end.cells = info->cells;
    end.records = info->records;
    end.bytes = info->bytes;
    end.hash = (ProtobufCBinaryData){.data = info->hash, .len = sizeof info->hash};
    return send_data(stream, &end, st);
}

alm_code storage_backup(void *self, alm_call *call, const ProtobufCMessage *message, alm_status *st)
{
    storage_service *service = self;
    backup_stream stream = {.call = call};
    alm_backup_sink sink = {.arg = &stream, .write = take_data, .progress = take_progress};
    alm_backup_info info;
    (void)message;
    alm_buf_init(&stream.data, 0);
    alm_code code = alm_store_backup(service->store, &sink, &info, st);
    if (code == ALM_OK) {
        code = send_end(&stream, &info, st);
    }
    alm_buf_deinit(&stream.data);
    return code;
}
