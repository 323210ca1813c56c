# Compiler and linker flags for every target of the project.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

set(ALM_SANITIZE "" CACHE STRING "sanitizers, comma-separated: address,undefined or thread")
option(ALM_FUZZ "build libFuzzer targets (clang only)" OFF)
option(ALM_COVERAGE "instrument for line and branch coverage" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_definitions(_GNU_SOURCE)
add_compile_definitions(ALM_VERSION="${PROJECT_VERSION}") # said once, in the top CMakeLists.txt
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
# Thread-local variables (one of eight bytes, on every call's way) are found without a call to the
# loader, which keeps room for so little also where libalmanac is loaded late.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O3 -g -ftls-model=initial-exec")

# ALM_WARNINGS applies to our own code only, never to generated code.
set(ALM_WARNINGS -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum
  -Wno-switch-enum -Wimplicit-fallthrough)

if(ALM_SANITIZE)
  add_compile_options(-fsanitize=${ALM_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ALM_SANITIZE})
  if(ALM_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    add_compile_options(-fcf-protection)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
      # The string instruction gcc clears a few hundred bytes with takes three times as long as the
      # library: 5 % of a call through a hop, which clears two objects.
      add_compile_options(-mmemset-strategy=libcall:-1:noalign)
    endif()
  endif()
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

# The whole project is instrumented, or the fuzzer sees nothing but its own entry.
if(ALM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(ALM_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# Sources see paths relative to the project, so that logs and builds do not hold machine paths.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
