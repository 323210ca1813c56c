#ifndef ALM_VERSION_H
#define ALM_VERSION_H

#define ALM_VERSION "0.1.0" // the same as in the top CMakeLists.txt; tests/tidy checks it

#endif
