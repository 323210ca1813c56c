// What a caller may do, by power: each role may what those before it may.
#ifndef ALM_ROLE_H
#define ALM_ROLE_H

#include <stdbool.h>

// X(name, word in policy files, may)
#define ALM_ROLE_MAP(X)                                                                            \
    X(NONE, "none", "ask whether a service is well")                                               \
    X(READER, "reader", "ask questions")                                                           \
    X(WRITER, "writer", "import")                                                                  \
    X(ADMIN, "admin", "load catalogues, verify, back up")                                          \
    X(SERVICE, "service", "what the services ask of each other")

typedef enum alm_role {
#define ALM_ROLE_ENUM(name, word, may) ALM_ROLE_##name,
    ALM_ROLE_MAP(ALM_ROLE_ENUM)
#undef ALM_ROLE_ENUM
} alm_role;

#define ALM_ROLE_COUNT 5

static inline const char *alm_role_name(alm_role role)
{
    static const char *const names[] = {
#define ALM_ROLE_WORD(name, word, may) word,
        ALM_ROLE_MAP(ALM_ROLE_WORD)
#undef ALM_ROLE_WORD
    };
    return names[role];
}

// As messages have it: "wang is a reader".
static inline const char *alm_role_article(alm_role role)
{
    return role == ALM_ROLE_ADMIN ? "an" : "a";
}

static inline bool alm_role_allows(alm_role has, alm_role needs)
{
    return has >= needs;
}

#endif
