/* cc -Wall -Wextra -Werror test.c -o test && ./test DIRECTORY */
#include <assert.h>
#include <sys/stat.h>

#include "skrei.h"

static const char *dir;

static const char *content(const char *name) {
    static char text[1024];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (!file) return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

int main(int count, char **arguments) {
    assert(count == 2);
    dir = arguments[1];
    char path[512];

    struct skrei_file files[] = {{"a", "old", 3}, {"b", "old", 3}, {"c", "old", 3}};
    assert(skrei_install(dir, files, 2) == 0);
    assert(strcmp(content("a"), "old") == 0 && strcmp(content("b"), "old") == 0);

    /* A directory in the way of the last: everything is as it was, and nothing is left over. */
    snprintf(path, sizeof path, "%s/c", dir);
    assert(mkdir(path, 0700) == 0);
    strcat(path, "/full");
    assert(mkdir(path, 0700) == 0);
    files[0].content = files[1].content = "new";
    assert(skrei_install(dir, files, 3) == -1);
    assert(strcmp(content("a"), "old") == 0 && strcmp(content("b"), "old") == 0);
    assert(!content(".a.tmp") && !content(".a.old") && !content(".c.tmp"));
    files[0].name = "../a";
    assert(skrei_install(dir, files, 1) == -1 && errno == EINVAL);

    snprintf(path, sizeof path, "%s/channel", dir);
    setenv("SKREI_CHANNEL", path, 1);
    skrei_progress(NAN, "say \"hi\"\n");
    skrei_value_int("files", -3);
    skrei_value_double("none", INFINITY);
    skrei_value_string("name", "a\\b");
    assert(strcmp(content("channel"),
                  "{\"progress\":{\"fraction\":0.000000,\"message\":\"say \\\"hi\\\"\\u000a\"}}\n"
                  "{\"value\":{\"key\":\"files\",\"value\":-3}}\n"
                  "{\"value\":{\"key\":\"none\",\"value\":null}}\n"
                  "{\"value\":{\"key\":\"name\",\"value\":\"a\\\\b\"}}\n") == 0);
    snprintf(path, sizeof path, "%s/one", dir);
    assert(skrei_write_file(path, "1", 1) == 0 && strcmp(content("one"), "1") == 0);
    return 0;
}
