// Any file as the files of secrets: taken as what it is, or refused in words that do not quote it.
#include "secret_file.h"

#include "alm/auth.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A file without a name, which only its owner may read. It is made once.
static int open_file(void)
{
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("secret", MFD_CLOEXEC);
        ALM_ASSERT(fd >= 0);
        int answer = fchmod(fd, 0600);
        ALM_ASSERT(answer == 0);
    }
    return fd;
}

static void check_whole(const char *path, const uint8_t *data, size_t size)
{
    char text[ALM_SECRET_FILE_BYTES_MAX];
    size_t len = 0;
    alm_status st = ALM_STATUS_INIT;
    if (alm_secret_file_read(path, true, text, &len, &st) == ALM_OK) {
        ALM_ASSERT(len == size && memcmp(text, data, len) == 0);
    } else {
        ALM_ASSERT(size > ALM_SECRET_FILE_BYTES_MAX && st.code == ALM_INVALID_ARGUMENT);
    }
}

// What is refused is refused in the same words whatever the secret was, of which there are few.
static void check_refusal(const char *path, alm_code code, const alm_status *st)
{
    ALM_ASSERT(code == ALM_INVALID_ARGUMENT);
    ALM_ASSERT(strncmp(st->message, path, strlen(path)) == 0);
    bool is_known = strstr(st->message, "has more than") != NULL ||
                    strstr(st->message, "holds no") != NULL ||
                    strstr(st->message, "is no key file") != NULL ||
                    strstr(st->message, "are not of one pair") != NULL;
    ALM_ASSERT(is_known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = open_file();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool is_written = ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size;
    ALM_ASSERT(is_written);
    check_whole(path, data, size);
    char token[ALM_TOKEN_TEXT_BYTES];
    alm_status st = ALM_STATUS_INIT;
    alm_code code = alm_token_load(path, token, &st);
    if (code == ALM_OK) {
        ALM_ASSERT(strlen(token) == ALM_TOKEN_TEXT_BYTES - 1);
    } else {
        check_refusal(path, code, &st);
    }
    uint8_t key[ALM_CURVE_KEY_BYTES];
    code = alm_public_key_load(path, key, &st);
    if (code != ALM_OK) {
        check_refusal(path, code, &st);
    }
    alm_keypair pair;
    code = alm_keypair_load(path, &pair, &st);
    if (code != ALM_OK) {
        check_refusal(path, code, &st);
    }
    return 0;
}
