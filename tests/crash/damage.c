// Goal: damage is found and never served. Method: a store of known steps is kept in memory; copies
// of it are damaged in one place each, opened, read as a whole and verified by a process of its
// own, which compares every row with what the steps put there.
//
//   --only tree   strikes at the pages that hold LMDB's trees together, not anywhere
//   --only keys   flips bits of keys
//   --only tell   says of every copy what became of it
#include "runs.h"

#include "children.h"
#include "disk.h"
#include "image.h"
#include "known.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_COUNT   450
#define JUDGE_MS_MAX 30000
#define TOLD_MAX     12 // copies that are told one by one

typedef struct damage_run {
    rig r;
    known *k;
    int known_fd;
    image img;
    damage_aim aim;
    bool is_told;
    uint32_t verdicts[DAMAGE_KIND_COUNT][VERDICT_END + 2];
    uint32_t told;
} damage_run;

// Beside those a judge gives.
enum { VERDICT_CRASHED = VERDICT_END, VERDICT_HUNG };

static const char *verdict_name(int v)
{
    static const char *const names[] = {"same",   "noticed", "refused", "told", "found",
                                        "HIDDEN", "WRONG",   "CRASHED", "HUNG"};
    return names[v - VERDICT_SAME];
}

// --- the child -----------------------------------------------------------------------------------

// DIR KNOWN_FD: the exit status is the verdict; what was noticed goes to stdout.
int child_judge(char **words, int count)
{
    ALM_ASSERT(count == 2);
    char why[KNOWN_WHY_MAX] = "";
    struct rlimit no_core = {0};
    setrlimit(RLIMIT_CORE, &no_core);
    const known *k = proc_map((int)child_number(words[1]), sizeof *k);
    int v = (int)known_judge(k, words[0], why);
    return write(STDOUT_FILENO, why, strlen(why)) >= 0 ? v : 1;
}

// --- the parent ----------------------------------------------------------------------------------

static int judge(const damage_run *run, char *why)
{
    bool hung;
    int fds[2];
    char fd[24];
    ALM_ASSERT(pipe2(fds, O_CLOEXEC) == 0);
    snprintf(fd, sizeof fd, "%d", run->known_fd);
    const char *const words[] = {"judge", run->r.dir, fd, NULL};
    pid_t pid = proc_start(words, fds[1], NULL);
    close(fds[1]);
    int status = proc_wait(pid, JUDGE_MS_MAX, &hung);
    ssize_t len = read(fds[0], why, KNOWN_WHY_MAX - 1);
    why[ALM_MAX(len, 0)] = '\0';
    close(fds[0]);
    bool is_verdict = WIFEXITED(status) && WEXITSTATUS(status) >= VERDICT_SAME &&
                      WEXITSTATUS(status) < VERDICT_END;
    if (WIFSIGNALED(status)) {
        snprintf(why, KNOWN_WHY_MAX, "%s", strsignal(WTERMSIG(status)));
    }
    return hung ? VERDICT_HUNG : is_verdict ? WEXITSTATUS(status) : VERDICT_CRASHED;
}

static bool is_bad(int v)
{
    return v == VERDICT_FOUND || v == VERDICT_HIDDEN || v == VERDICT_WRONG ||
           v == VERDICT_CRASHED || v == VERDICT_HUNG;
}

static void damage_once(damage_run *run, uint32_t n)
{
    char why[KNOWN_WHY_MAX];
    damage_kind kind = run->aim == AIM_KEYS ? DAMAGE_BIT : (damage_kind)(n % DAMAGE_KIND_COUNT);
    damage d = damage_choose(&run->img, kind, run->aim, &run->r.random);
    rig_remove_store(run->r.dir);
    image_write(&run->img, &d, run->r.dir);
    int v = judge(run, why);
    run->verdicts[d.kind][v - VERDICT_SAME]++;
    if (is_bad(v) && run->told++ < TOLD_MAX) {
        printf("damage: copy %u, %s at %zu (page %zu) of %s: %s: %s\n", n, damage_kind_name(d.kind),
               d.at, d.at / 4096, run->img.files[d.file].name, verdict_name(v), why);
    } else if (run->is_told) {
        printf("damage: copy %u, %s at %zu of %s: %s: %s\n", n, damage_kind_name(d.kind), d.at,
               run->img.files[d.file].name, verdict_name(v), why);
    }
}

static void tell(const damage_run *run)
{
    printf("damage %-8s", "");
    for (int v = VERDICT_SAME; v <= VERDICT_HUNG; v++) {
        printf(" %7s", verdict_name(v));
    }
    for (int kind = 0; kind < DAMAGE_KIND_COUNT; kind++) {
        printf("\ndamage %-8s", damage_kind_name((damage_kind)kind));
        for (int v = VERDICT_SAME; v <= VERDICT_HUNG; v++) {
            printf(" %7u", run->verdicts[kind][v - VERDICT_SAME]);
        }
    }
    printf("\n");
}

// One thread, so that the same seed makes the same store.
static bool make_store(damage_run *run)
{
    alm_status st = ALM_STATUS_INIT;
    alm_store *store = NULL;
    bool ok = rig_new_store(&run->r) && alm_store_open(run->r.dir, NULL, &store, &st) == ALM_OK;
    run->k->seed = run->r.l->seed;
    run->k->steps = STEP_COUNT;
    for (uint32_t n = 0; ok && n < STEP_COUNT; n++) {
        work_item item;
        alm_commit_result result;
        alm_arena *arena = alm_arena_create(0);
        ALM_ASSERT(arena != NULL);
        work_item_make(&item, run->k->seed, n);
        ok = work_item_run(&item, store, run->r.dir, arena, &result, &st) == ALM_OK;
        alm_arena_destroy(&arena);
    }
    alm_store_close(&store);
    if (!ok) {
        fprintf(stderr, "making a store: %s\n", st.message);
    }
    image_read(&run->img, run->r.dir);
    return ok && known_learn(run->k, run->r.dir);
}

static bool damage_all(damage_run *run, const rig_opts *opts)
{
    char why[KNOWN_WHY_MAX];
    damage none = {.kind = DAMAGE_BIT, .file = IMAGE_FILE_MAX};
    rig_remove_store(run->r.dir);
    image_write(&run->img, &none, run->r.dir);
    if (judge(run, why) != VERDICT_SAME) {
        fprintf(stderr, "a copy without damage: %s\n", why);
        return false;
    }
    for (uint32_t n = 0; n < opts->cycles; n++) {
        damage_once(run, n);
    }
    tell(run);
    uint32_t bad = 0;
    for (int kind = 0; kind < DAMAGE_KIND_COUNT; kind++) {
        for (int v = VERDICT_SAME; v <= VERDICT_HUNG; v++) {
            bad += is_bad(v) ? run->verdicts[kind][v - VERDICT_SAME] : 0;
        }
    }
    printf("damage: %u copies of %zu bytes, %u badly served\n", opts->cycles,
           image_bytes(&run->img), bad);
    return bad == 0;
}

int run_damage(const rig_opts *opts)
{
    disk d;
    char dir[] = "/tmp/alm_damage_XXXXXX";
    damage_run run = {.aim = strstr(opts->detail, "keys") != NULL   ? AIM_KEYS
                             : strstr(opts->detail, "tree") != NULL ? AIM_TREE
                                                                    : AIM_ANYWHERE,
                      .is_told = strstr(opts->detail, "tell") != NULL};
    ALM_ASSERT(mkdtemp(dir) != NULL);
    bool is_own = disk_namespace() && disk_open_tmpfs(&d, (size_t)512 << 20);
    rig_init(&run.r, opts->seed, is_own ? d.mounted : dir);
    run.k = proc_share(sizeof *run.k, &run.known_fd);
    bool ok = make_store(&run) && damage_all(&run, opts);
    image_deinit(&run.img);
    munmap(run.k, sizeof *run.k);
    close(run.known_fd);
    rig_remove_store(run.r.dir);
    if (is_own) {
        disk_close(&d);
    }
    rmdir(dir);
    rig_deinit(&run.r);
    return ok ? 0 : 1;
}
