// What a deployment of one storage and any number of gateways and workers answers: a simulation of
// events, with service times that were measured.
//
// A process is one thread that does I/O, in turns that take all that has come, and handlers, which
// run beside it. Both need a core of their machine; a core serves who came first to the end. So a
// question holds a thread that does I/O (one at a time in each process), cores, and nothing else:
// no locks, no memory, no disk. Questions are asked by clients who each ask the next one at once
// when they have an answer, and who cost nothing.
//
// The way of a question: client, gateway, for each of its parts the worker with the fewest parts at
// hand, which reads so many times from storage, gateway, client. All parts are asked at once, and a
// plan that the gateway asks for first counts as one more.
#ifndef ALM_BENCH_SCALE_MODEL_H
#define ALM_BENCH_SCALE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCALE_WORKERS_MAX     256
#define SCALE_GATEWAYS_MAX    64
#define SCALE_OUTSTANDING_MAX 4096 // questions at once
#define SCALE_PARTS_MAX       256  // of a question

// One kind of question. Processor times are of all of a question and contain I/O.
typedef struct scale_costs {
    double parts;                 // 1..SCALE_PARTS_MAX: calls of workers a question
    double reads;                 // calls of storage a question
    double gateway_us, worker_us; // processor time; worker_us: of all workers together
    double storage_us;
    double read_bytes;   // from storage to workers
    double answer_bytes; // from workers to the gateway, and from there to the client
} scale_costs;

typedef struct scale_setup {
    size_t workers;                      // 1..SCALE_WORKERS_MAX, each on a core of its own
    size_t gateways;                     // 1..SCALE_GATEWAYS_MAX; clients are shared out among them
    size_t gateway_cores, storage_cores; // of each gateway's machine, and of storage's
    size_t outstanding;                  // questions at once, 1..SCALE_OUTSTANDING_MAX
    double network_us;                   // from process to process
    double wake_us;                      // of processor, for a turn of who had nothing to do
    double message_us;                   // of processor, for each message that comes or leaves
    double byte_us;                      // of processor, for each byte that comes or leaves
    double seconds;                      // simulated; the first fifth is not counted
    uint64_t seed;
} scale_setup;

typedef enum scale_station {
    SCALE_GATEWAY_IO,
    SCALE_GATEWAY_CORES,
    SCALE_WORKERS,
    SCALE_STORAGE_IO,
    SCALE_STORAGE_CORES,
    SCALE_STATION_COUNT,
} scale_station;

typedef struct scale_result {
    double questions_s;
    double median_us, p99_us;         // of a question; 0: none was answered
    double busy[SCALE_STATION_COUNT]; // share of all its time; the mean of gateways or workers
} scale_result;

const char *scale_station_name(scale_station station);

// False: no memory.
bool scale_run(const scale_costs *costs, const scale_setup *setup, scale_result *ret);

// How long one question keeps a station busy, in us, if nobody has to be woken: no more than one
// question in that time is answered, whatever else there is (the bottleneck of operational laws,
// Denning and Buzen 1978).
double scale_demand_us(const scale_costs *costs, const scale_setup *setup, scale_station station);

#endif
