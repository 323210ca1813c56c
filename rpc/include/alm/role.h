// What a caller may do. Each role may do what those before it may.
#ifndef ALM_ROLE_H
#define ALM_ROLE_H

#include "alm/str.h"

#include <stdbool.h>

// X(name, text), in order of power
#define ALM_ROLE_MAP(X)                                                                            \
    X(NONE, "none")     /* nobody knows the caller */                                              \
    X(READER, "reader") /* asks */                                                                 \
    X(WRITER, "writer") /* and imports */                                                          \
    X(ADMIN, "admin")   /* and looks after the store */                                            \
    X(SERVICE, "service") /* is a part of the almanac */

typedef enum alm_role {
#define ALM_ROLE_ENUM(name, text) ALM_ROLE_##name,
    ALM_ROLE_MAP(ALM_ROLE_ENUM)
#undef ALM_ROLE_ENUM
} alm_role;

const char *alm_role_name(alm_role role); // "reader"
bool alm_role_from(alm_str name, alm_role *ret);

static inline bool alm_role_allows(alm_role has, alm_role needs)
{
    return has >= needs;
}

#endif
