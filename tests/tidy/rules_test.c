// Tidy's own test: small repositories of literals, each with the finding it must give, and a twin
// that must give none.
#include "allow.h"
#include "rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct fixture_file {
    const char *path;
    const char *text;
} fixture_file;

typedef struct rule_row {
    const char *name;
    void (*check)(tidy_repo *repo);
    fixture_file files[5];
    const char *want; // all findings; "" for none
} rule_row;

#define HEADER(folder, name)                                                                       \
    {                                                                                              \
        folder "/include/alm/" name ".h", ""                                                       \
    }

#define ZH12 "中中中中中中中中中中中中"
#define ZH48 ZH12 ZH12 ZH12 ZH12

static const rule_row rule_rows[] = {
    {"arrows: downwards",
     tidy_check_arrows,
     {HEADER("base", "str"), {"model/src/a.c", "#include \"alm/str.h\"\n#include <stdio.h>\n"}},
     ""},
    {"arrows: upwards",
     tidy_check_arrows,
     {HEADER("model", "place"), {"base/src/a.c", "\n#include \"alm/place.h\"\n"}},
     "base/src/a.c:2: base/ may not include alm/place.h of model/; it may use: libc\n"},
    {"arrows: sideways between services",
     tidy_check_arrows,
     {HEADER("services/ingestion", "ingest"),
      {"services/storage/src/a.c", "# include \"alm/ingest.h\"\n"}},
     "services/storage/src/a.c:1: services/storage/ may not include alm/ingest.h of "
     "services/ingestion/; it may use: base model proto rpc runtime services/common storage\n"},
    {"arrows: the store from another service",
     tidy_check_arrows,
     {HEADER("storage", "store"), {"services/ingestion/src/a.c", "#include \"alm/store.h\"\n"}},
     "services/ingestion/src/a.c:1: services/ingestion/ may not include alm/store.h of storage/; "
     "it may use: base model proto rpc runtime services/common\n"},
    {"arrows: messages in the model",
     tidy_check_arrows,
     {{"model/src/a.c", "#include \"almanac/v1/common.pb-c.h\"\n"}},
     "model/src/a.c:1: model/ may not include almanac/v1/common.pb-c.h of proto/; it may use: "
     "base\n"},
    {"arrows: a library of another folder",
     tidy_check_arrows,
     {{"gateway/src/a.c", "#include <zmq.h>\n#include <microhttpd.h>\n"}},
     "gateway/src/a.c:1: only rpc/ includes zmq.h; ask it through its own header\n"},
    {"arrows: climbing out",
     tidy_check_arrows,
     {{"model/src/a.c", "#include \"../../base/src/config_impl.h\"\n"}},
     "model/src/a.c:1: \"../../base/src/config_impl.h\" climbs out of its folder; include a public "
     "header of the module\n"},
    {"arrows: a private header of another module",
     tidy_check_arrows,
     {{"base/src/impl.h", ""}, {"model/src/a.c", "#include \"impl.h\"\n"}},
     "model/src/a.c:1: no header impl.h in this module or in any include/; is it private to "
     "another one?\n"},
    {"arrows: a private header of its own",
     tidy_check_arrows,
     {{"base/src/impl.h", ""}, {"base/fuzz/a.c", "#include \"impl.h\"\n"}},
     ""},
    {"arrows: an unknown folder",
     tidy_check_arrows,
     {{"misc/a.c", ""}},
     "misc/a.c:1: folder \"misc\" has no row in tests/tidy/arrows.c; say there what it may "
     "include\n"},
    {"arrows: an include in a comment",
     tidy_check_arrows,
     {{"gateway/src/a.c", "// #include <zmq.h>\n/*\n#include <zmq.h>\n*/\n"}},
     ""},

    {"words: the heap",
     tidy_check_words,
     {{"a.c", "int x;\nvoid *p = malloc(3);\n"}},
     "a.c:2: malloc: use alm_alloc and its kin or an arena: tests make those fail\n"},
    {"words: a function handed on",
     tidy_check_words,
     {{"a.c", "f(free);\n"}},
     "a.c:1: free: use alm_alloc and its kin or an arena: tests make those fail\n"},
    {"words: in comments, literals and other words",
     tidy_check_words,
     {{"a.c", "// free(x)\n/* malloc(\n*/ const char *s = \"\\\"free(x)\"; alm_free(x);\n"
              "char c = '\"'; my_malloc(1); char d = '\"'; /**/ atoi_(2); /* free */\n"}},
     ""},
    {"words: behind a comment and a literal",
     tidy_check_words,
     {{"a.c", "/* \" */ char c = '\\''; \"//\"; free(c); // \"\n"}},
     "a.c:1: free: use alm_alloc and its kin or an arena: tests make those fail\n"},
    {"words: a header's name", tidy_check_words, {{"a.c", "#include <malloc.h>\n"}}, ""},
    {"words: fields of that name",
     tidy_check_words,
     {{"a.c", "x->free(p); y.free = f; .sleep = 1;\n"}},
     ""},
    {"words: a variable called system",
     tidy_check_words,
     {{"a.c", "int system = 1; system (\"ls\");\n"}},
     "a.c:1: system: a shell reads what you quote; call the library or posix_spawn\n"},
    {"words: a second process",
     tidy_check_words,
     {{"a.c", "if (fork() == 0) {\n"}},
     "a.c:1: fork: a child would share sockets, locks and the store; use posix_spawn\n"},
    {"words: a flag of the store",
     tidy_check_words,
     {{"a.c", "open(MDB_NOTLS | MDB_WRITEMAP);\n"}},
     "a.c:1: MDB_WRITEMAP: a stray write would reach the file past every checksum\n"},
    {"words: only in C", tidy_check_words, {{"a.md", "never call malloc(3)\n"}}, ""},

    {"layout: 100 columns of three bytes",
     tidy_check_layout,
     {{"a.c", "// " ZH48 ZH48 "中\n"}, {"b.c", "// " ZH48 ZH48 "中中\n"}},
     "b.c:1: 101 columns; break the line before 100\n"},
    {"layout: 101 columns",
     tidy_check_layout,
     {{"a.h", "//345678901234567890123456789012345678901234567890123456789012345678901234567890123"
              "456789012345678901\n"},
      {"b.h", "//34567890123456789012345678901234567890123456789012345678901234567890123456789012"
              "3456789012345678901\n\n"},
      {"c.h", "//34567890123456789012345678901234567890123456789012345678901234567890123456789012"
              "345678901234567890\n"}},
     "a.h:1: 101 columns; break the line before 100\n"
     "b.h:1: 101 columns; break the line before 100\n"},
    {"layout: tab",
     tidy_check_layout,
     {{"a.c", "\n\tint x;\n"}, {"a.md", "\t- point\n"}},
     "a.c:2: a tab; indent by spaces, and write \\t in a literal\n"},
    {"layout: space at the end",
     tidy_check_layout,
     {{"a.proto", "message A {} \n"}, {"a.md", "break  \n"}},
     "a.proto:1: white space at the end of the line; remove it\n"},
    {"layout: carriage return",
     tidy_check_layout,
     {{"a.c", "int x;\r\n"}},
     "a.c:1: a carriage return; end lines by newline alone\n"},
    {"layout: no newline at the end",
     tidy_check_layout,
     {{"a.c", "int x;\nint y;"}},
     "a.c:2: no newline at the end; add one\n"},
    {"layout: not UTF-8",
     tidy_check_layout,
     {{"a.c", "\n// \xff\n"}},
     "a.c:2: not UTF-8; save the file as UTF-8\n"},
    {"layout: conflict",
     tidy_check_layout,
     {{"a.md", "x\n<<<<<<< ours\ny\n=======\nz\n>>>>>>> theirs\n"}},
     "a.md:2: a mark of a merge conflict; resolve it\n"
     "a.md:6: a mark of a merge conflict; resolve it\n"},

    {"dead: sources of a module",
     tidy_check_dead,
     {{"CMakeLists.txt", "alm_module(base)\n"},
      {"base/src/a.c", ""},
      {"base/src/a_test.c", ""},
      {"base/fuzz/a.c", ""}},
     ""},
    {"dead: below src",
     tidy_check_dead,
     {{"CMakeLists.txt", "alm_module(base)\n"}, {"base/src/old/a.c", ""}},
     "base/src/old/a.c:1: nothing builds this file; name it in a CMakeLists.txt or remove it\n"},
    {"dead: of no module",
     tidy_check_dead,
     {{"CMakeLists.txt", "alm_module(base)\n# alm_module(model)\n"}, {"model/src/a.c", ""}},
     "model/src/a.c:1: nothing builds this file; name it in a CMakeLists.txt or remove it\n"},
    {"dead: a main that nothing names",
     tidy_check_dead,
     {{"CMakeLists.txt", "alm_module(services/storage DEPENDS base)\n"},
      {"services/storage/src/main.c", ""}},
     "services/storage/src/main.c:1: nothing builds this file; name it in a CMakeLists.txt or "
     "remove it\n"},
    {"dead: a main that is named",
     tidy_check_dead,
     {{"services/storage/CMakeLists.txt",
       "alm_program(x ${CMAKE_CURRENT_SOURCE_DIR}/src/main.c)\n"},
      {"services/storage/src/main.c", ""}},
     ""},
    {"dead: tests alone",
     tidy_check_dead,
     {{"proto/CMakeLists.txt", "alm_unit_tests(proto ${CMAKE_CURRENT_SOURCE_DIR}/src \"\")\n"},
      {"proto/src/a_test.c", ""},
      {"proto/src/a.c", ""}},
     "proto/src/a.c:1: nothing builds this file; name it in a CMakeLists.txt or remove it\n"},
    {"dead: fuzz entries alone",
     tidy_check_dead,
     {{"proto/CMakeLists.txt", "alm_fuzz_entries(proto ${CMAKE_CURRENT_SOURCE_DIR} \"\")\n"},
      {"proto/fuzz/a.c", ""}},
     ""},
    {"dead: named by a function of the build",
     tidy_check_dead,
     {{"cmake/Module.cmake", "target_sources(x PRIVATE ${CMAKE_SOURCE_DIR}/tests/replay.c)\n"},
      {"tests/replay.c", ""}},
     ""},
    {"dead: headers of a folder without sources are a contract",
     tidy_check_dead,
     {{"storage/include/alm/store.h", ""}},
     ""},
    {"dead: a main that another folder names",
     tidy_check_dead,
     {{"app/CMakeLists.txt", "alm_program(x ${CMAKE_SOURCE_DIR}/gateway/src/main.c y.c)\n"},
      {"gateway/src/main.c", ""},
      {"app/y.c", ""},
      {"gateway/y.c", ""}},
     "gateway/y.c:1: nothing builds this file; name it in a CMakeLists.txt or remove it\n"},
    {"dead: named and globbed from the folder",
     tidy_check_dead,
     {{"tests/CMakeLists.txt", "add_executable(a a.c)\nfile(GLOB t tidy/*.c)\n"},
      {"tests/a.c", ""},
      {"tests/tidy/b.c", ""},
      {"tests/b.c", ""}},
     "tests/b.c:1: nothing builds this file; name it in a CMakeLists.txt or remove it\n"},
    {"dead: header",
     tidy_check_dead,
     {{"base/include/alm/used.h", ""},
      {"base/include/alm/idle.h", "#include \"alm/idle.h\"\n"},
      {"base/src/table.h", "#include \"alm/used.h\"\n"},
      {"base/src/a.c", ""},
      {"CMakeLists.txt", "alm_module(base)\n"}},
     "base/include/alm/idle.h:1: nothing includes this header; remove it\n"
     "base/src/table.h:1: nothing includes this header; remove it\n"},

    {"proto: a tree",
     tidy_check_proto,
     {{"a.proto", "package p; message A { repeated B b = 1; map<string, C> c = 2; }\n"
                  "message B { C c = 1; oneof x { int32 n = 2; C d = 3; } } message C {}\n"}},
     ""},
    {"proto: itself",
     tidy_check_proto,
     {{"a.proto", "package p;\n// message B { A a = 1; }\nmessage A { repeated A kids = 1; }\n"}},
     "a.proto:3: message p.A contains itself; unpacking recurses as deep as a peer likes, so make "
     "it a list with indexes\n"},
    {"proto: through a oneof of another file",
     tidy_check_proto,
     {{"a.proto", "package p.v1;\nmessage A { q.B b = 1; }\n"},
      {"b.proto", "package q;\nmessage B { oneof x { .p.v1.A a = 1; } }\n"}},
     "a.proto:2: message p.v1.A contains itself through q.B; unpacking recurses as deep as a peer "
     "likes, so make it a list with indexes\n"
     "b.proto:2: message q.B contains itself through p.v1.A; unpacking recurses as deep as a peer "
     "likes, so make it a list with indexes\n"},
    {"proto: through a map of a nested message",
     tidy_check_proto,
     {{"a.proto", "package p;\nmessage A { message N { map<int32, A> m = 1; } optional N n = 1; }\n"
                  "message N { A a = 1; }\n"}},
     "a.proto:2: message p.A contains itself through p.A.N; unpacking recurses as deep as a peer "
     "likes, so make it a list with indexes\n"
     "a.proto:2: message p.A.N contains itself through p.A; unpacking recurses as deep as a peer "
     "likes, so make it a list with indexes\n"},
    {"proto: services and enums hold no fields",
     tidy_check_proto,
     {{"a.proto", "package p;\nmessage A { enum A { X = 0; } reserved A, B = 1; }\n"
                  "service A { rpc Get (A) returns (A) {} }\n"}},
     ""},

    {"allow: with a reason",
     tidy_check_all,
     {{"CMakeLists.txt", "alm_module(base)\n"},
      {"base/src/a.c", "void *p = malloc(3);\n"},
      {TIDY_ALLOW_PATH, "# why\nbase/src/a.c malloc The door.\n"}},
     ""},
    {"allow: without a reason",
     tidy_check_all,
     {{"CMakeLists.txt", "alm_module(base)\n"},
      {"base/src/a.c", "void *p = malloc(3);\n"},
      {TIDY_ALLOW_PATH, "base/src/a.c malloc\n"}},
     TIDY_ALLOW_PATH
     ":1: an exception needs a path, what it allows and a reason, in this order\n"
     "base/src/a.c:1: malloc: use alm_alloc and its kin or an arena: tests make those fail\n"},
    {"allow: no longer needed",
     tidy_check_all,
     {{TIDY_ALLOW_PATH, "\nbase/src/a.c malloc Once a door.\n"}},
     TIDY_ALLOW_PATH ":2: nothing in base/src/a.c needs \"malloc\" any more; remove the line\n"},
};

static void finds_what_it_should(void **state)
{
    const rule_row *row = *state;
    tidy_repo repo;
    tidy_repo_init(&repo);
    size_t lines = 0;
    for (size_t i = 0; i < ALM_ARRAY_LEN(row->files) && row->files[i].path != NULL; i++) {
        tidy_repo_add(&repo, alm_str_from(row->files[i].path), alm_str_from(row->files[i].text));
    }
    row->check(&repo);
    alm_buf_char(&repo.findings, '\0');
    assert_string_equal((const char *)repo.findings.data, row->want);
    for (const char *c = row->want; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    assert_int_equal(repo.finding_count, lines);
    tidy_repo_deinit(&repo);
}

int main(void)
{
    struct CMUnitTest tests[ALM_ARRAY_LEN(rule_rows)];
    for (size_t i = 0; i < ALM_ARRAY_LEN(rule_rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rule_rows[i].name,
                                       .test_func = finds_what_it_should,
                                       .initial_state = (void *)(uintptr_t)&rule_rows[i]};
    }
    return cmocka_run_group_tests_name("tidy", tests, NULL, NULL);
}
