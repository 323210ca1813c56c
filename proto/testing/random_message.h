// Random messages of any type, for properties that hold for all of them.
#ifndef ALM_RANDOM_MESSAGE_H
#define ALM_RANDOM_MESSAGE_H

#include "alm/arena.h"

#include <protobuf-c/protobuf-c.h>

typedef struct random_source {
    uint64_t state; // any seed
} random_source;

uint64_t random_next(random_source *random);

// In the arena. Fields are set or not, lists are short, texts are UTF-8 with everything that needs
// an escape, numbers lean to the ends of their range. Aborts without memory.
ProtobufCMessage *random_message(random_source *random, const ProtobufCMessageDescriptor *type,
                                 alm_arena *arena);

#endif
