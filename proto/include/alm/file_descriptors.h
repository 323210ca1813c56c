// All .proto files of the project as one google.protobuf.FileDescriptorSet, as protoc wrote it,
// comments included: what a client in another language needs to speak with us.
#ifndef ALM_FILE_DESCRIPTORS_H
#define ALM_FILE_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t alm_file_descriptor_set[];
extern const size_t alm_file_descriptor_set_size;

#endif
