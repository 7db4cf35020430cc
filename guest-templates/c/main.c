/* Greets everybody in a file. */
#include <stdio.h>
#include <string.h>

#include "skrei.h"

#define NAMES "/in/names.txt"

/* What stands after `--greeting=`, if it is given. */
static const char *greeting(int count, char **arguments) {
    static const char flag[] = "--greeting=";
    for (int at = 1; at < count; at++)
        if (strncmp(arguments[at], flag, sizeof flag - 1) == 0) return arguments[at] + sizeof flag - 1;
    return "Hello";
}

int main(int count, char **arguments) {
    char name[256];
    long long greeted = 0;
    FILE *names = fopen(NAMES, "r");
    if (!names) {
        perror(NAMES);
        return 1;
    }
    while (fgets(name, sizeof name, names)) {
        name[strcspn(name, "\r\n")] = 0;
        if (!*name) continue;
        skrei_progress(0, name);
        printf("%s, %s!\n", greeting(count, arguments), name);
        greeted++;
    }
    fclose(names);
    skrei_value_int("greeted", greeted);
    return 0;
}
