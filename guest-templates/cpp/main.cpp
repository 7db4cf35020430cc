// Greets everybody in a file.
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "skrei.h"

static constexpr const char *names_path = "/in/names.txt";

/// What stands after `--greeting=`, if it is given.
static std::string greeting(const std::vector<std::string_view> &arguments) {
    constexpr std::string_view flag = "--greeting=";
    for (auto argument : arguments)
        if (argument.substr(0, flag.size()) == flag) return std::string(argument.substr(flag.size()));
    return "Hello";
}

/// The lines of a file that have something in them.
static std::vector<std::string> lines(std::FILE *file) {
    std::vector<std::string> found;
    char line[256];
    while (std::fgets(line, sizeof line, file)) {
        line[std::strcspn(line, "\r\n")] = 0;
        if (*line) found.emplace_back(line);
    }
    return found;
}

int main(int count, char **arguments) {
    std::FILE *file = std::fopen(names_path, "r");
    if (!file) {
        std::perror(names_path);
        return 1;
    }
    const auto names = lines(file);
    std::fclose(file);
    const auto hello = greeting({arguments + 1, arguments + count});
    for (size_t done = 0; done < names.size(); done++) {
        skrei_progress(double(done) / double(names.size()), names[done].c_str());
        std::printf("%s, %s!\n", hello.c_str(), names[done].c_str());
    }
    skrei_value_int("greeted", (long long)names.size());
    return 0;
}
