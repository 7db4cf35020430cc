/* For programs that run inside skrei: progress, values, a log, files that no reader ever sees half of.
 *
 * One header, nothing to link. None of it is needed to be a job, and a program that uses it runs in any other WASI host,
 * too, and natively: where nobody listens (SKREI_CHANNEL is not set), progress and values are lines on standard error.
 *
 *     skrei_progress(0.5, "half way");
 *     skrei_value_int("files", 3);
 *     skrei_log(SKREI_INFO, "copied");
 *     if (skrei_write_file("/out/report.txt", text, strlen(text)) != 0) { perror("report.txt"); return 1; }
 */
#ifndef SKREI_H
#define SKREI_H

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SKREI_API static inline __attribute__((unused))
#else
#define SKREI_API static inline
#endif

/* The longest message; what is longer is not sent. */
#define SKREI_MESSAGE_MAX 16384

/* Files of one skrei_install at most. */
#define SKREI_FILES_MAX 64

/* ---- Telling the host ------------------------------------------------------------------------------------------- */

/* The channel's descriptor, opened at the first message; -1 where nobody listens. */
SKREI_API int skrei__channel(void) {
    static int channel = -2;
    if (channel == -2) {
        const char *path = getenv("SKREI_CHANNEL");
        channel = path && *path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    }
    return channel;
}

/* A message under way. `length` grows past the room there is, so that a message cut short is known and not sent. */
struct skrei__text {
    char bytes[SKREI_MESSAGE_MAX];
    size_t length;
};

SKREI_API void skrei__add(struct skrei__text *text, const char *more) {
    for (; *more; more++, text->length++)
        if (text->length < sizeof text->bytes) text->bytes[text->length] = *more;
}

SKREI_API void skrei__add_string(struct skrei__text *text, const char *string) {
    char escaped[8];
    skrei__add(text, "\"");
    for (; *string; string++) {
        unsigned char letter = (unsigned char)*string;
        if (letter == '"' || letter == '\\') snprintf(escaped, sizeof escaped, "\\%c", letter);
        else if (letter < 0x20) snprintf(escaped, sizeof escaped, "\\u%04x", letter);
        else snprintf(escaped, sizeof escaped, "%c", letter);
        skrei__add(text, escaped);
    }
    skrei__add(text, "\"");
}

/* Writes the message in one piece. A host that does not listen any more is no reason to stop working. */
SKREI_API void skrei__send(int to, const struct skrei__text *text) {
    if (text->length > sizeof text->bytes) return;
    if (write(to, text->bytes, text->length) < 0) errno = 0;
}

/* Says how far the program is: a share from 0 to 1 of all there is to do, and what it is doing. */
SKREI_API void skrei_progress(double fraction, const char *message) {
    struct skrei__text text = {.length = 0};
    char number[32];
    int channel = skrei__channel();
    if (!(fraction > 0)) fraction = 0;
    if (fraction > 1) fraction = 1;
    if (channel >= 0) {
        snprintf(number, sizeof number, "%.6f", fraction);
        skrei__add(&text, "{\"progress\":{\"fraction\":");
        skrei__add(&text, number);
        skrei__add(&text, ",\"message\":");
        skrei__add_string(&text, message);
        skrei__add(&text, "}}\n");
    } else {
        snprintf(number, sizeof number, "progress %.0f%% ", fraction * 100);
        skrei__add(&text, number);
        skrei__add(&text, message);
        skrei__add(&text, "\n");
    }
    skrei__send(channel >= 0 ? channel : STDERR_FILENO, &text);
}

/* Reports a value, JSON on one line, under a key. Of several under one key the latest counts. */
SKREI_API void skrei_value_json(const char *key, const char *json) {
    struct skrei__text text = {.length = 0};
    int channel = skrei__channel();
    if (channel >= 0) {
        skrei__add(&text, "{\"value\":{\"key\":");
        skrei__add_string(&text, key);
        skrei__add(&text, ",\"value\":");
        skrei__add(&text, json);
        skrei__add(&text, "}}\n");
    } else {
        skrei__add(&text, "value ");
        skrei__add(&text, key);
        skrei__add(&text, "=");
        skrei__add(&text, json);
        skrei__add(&text, "\n");
    }
    skrei__send(channel >= 0 ? channel : STDERR_FILENO, &text);
}

SKREI_API void skrei_value_int(const char *key, long long value) {
    char number[32];
    snprintf(number, sizeof number, "%lld", value);
    skrei_value_json(key, number);
}

SKREI_API void skrei_value_double(const char *key, double value) {
    char number[40];
    snprintf(number, sizeof number, "%.17g", value);
    skrei_value_json(key, isfinite(value) ? number : "null");
}

SKREI_API void skrei_value_string(const char *key, const char *value) {
    struct skrei__text text = {.length = 0};
    skrei__add_string(&text, value);
    if (text.length >= sizeof text.bytes) return;
    text.bytes[text.length] = 0;
    skrei_value_json(key, text.bytes);
}

/* ---- A log ------------------------------------------------------------------------------------------------------ */

enum skrei_level { SKREI_DEBUG, SKREI_INFO, SKREI_WARN, SKREI_ERROR };

/* Says one message, as one line on standard error. */
SKREI_API void skrei_log(enum skrei_level level, const char *message) {
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    fprintf(stderr, "%s %s\n", names[level], message);
}

/* ---- What the program runs as ----------------------------------------------------------------------------------- */

/* Each is NULL where nobody says so, as outside of skrei. */
SKREI_API const char *skrei_job_id(void) { return getenv("SKREI_JOB_ID"); }
SKREI_API const char *skrei_execution_id(void) { return getenv("SKREI_EXECUTION_ID"); }
SKREI_API const char *skrei_node(void) { return getenv("SKREI_NODE_ID"); }

/* Which part of a batch this is, from 0, and how many there are. */
SKREI_API unsigned skrei_partition(void) {
    const char *text = getenv("SKREI_PARTITION_INDEX");
    return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}
SKREI_API unsigned skrei_partitions(void) {
    const char *text = getenv("SKREI_PARTITION_COUNT");
    return text ? (unsigned)strtoul(text, NULL, 10) : 1;
}

/* ---- Files in one step ------------------------------------------------------------------------------------------ */

/* A file to be installed: its name in the directory, and its content. */
struct skrei_file {
    const char *name;
    const void *content;
    size_t length;
};

SKREI_API void skrei__path(char *path, size_t room, const char *dir, const char *before, const char *name, const char *after) {
    snprintf(path, room, "%s/%s%s%s", dir, before, name, after);
}

SKREI_API int skrei__write_all(const char *path, const void *content, size_t length) {
    const char *at = (const char *)content;
    int saved, file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) return -1;
    while (length > 0) {
        ssize_t written = write(file, at, length);
        if (written < 0) {
            saved = errno;
            close(file);
            errno = saved;
            return -1;
        }
        at += written;
        length -= (size_t)written;
    }
    if (fsync(file) != 0) {
        saved = errno;
        close(file);
        errno = saved;
        return -1;
    }
    return close(file);
}

/* Puts files into a directory, together or not at all; the last to change is the last of the list. All contents are
 * on the disk under temporary names before the first file changes, and if a rename fails those before it are taken
 * back. Modes and owners are those the job asks for: WASI knows none. 0, or -1 with errno set and everything as it was. */
SKREI_API int skrei_install(const char *dir, const struct skrei_file *files, size_t count) {
    char path[1024], temporary[1024], before[1024];
    unsigned char had_one[SKREI_FILES_MAX];
    size_t staged = 0, landed = 0, at;
    int failed = 0;
    if (count > SKREI_FILES_MAX) {
        errno = EINVAL;
        return -1;
    }
    for (at = 0; at < count; at++)
        if (!*files[at].name || strchr(files[at].name, '/') || files[at].name[0] == '.' ||
            strlen(dir) + strlen(files[at].name) + 16 > sizeof path) {
            errno = EINVAL;
            return -1;
        }
    for (; staged < count && !failed; staged++) {
        skrei__path(temporary, sizeof temporary, dir, ".", files[staged].name, ".tmp");
        if (skrei__write_all(temporary, files[staged].content, files[staged].length) != 0) failed = errno;
    }
    for (; landed < count && !failed; landed++) {
        skrei__path(path, sizeof path, dir, "", files[landed].name, "");
        skrei__path(temporary, sizeof temporary, dir, ".", files[landed].name, ".tmp");
        skrei__path(before, sizeof before, dir, ".", files[landed].name, ".old");
        unlink(before);
        had_one[landed] = 0;
        /* Nothing comes after the last that could fail. */
        if (landed + 1 < count) {
            if (link(path, before) == 0) had_one[landed] = 1;
            else if (errno != ENOENT) failed = errno;
        }
        if (!failed && rename(temporary, path) != 0) {
            failed = errno;
            unlink(before);
        }
        if (failed) break;
    }
    for (at = landed; at-- > 0;) {
        skrei__path(path, sizeof path, dir, "", files[at].name, "");
        skrei__path(before, sizeof before, dir, ".", files[at].name, ".old");
        if (!failed) unlink(before);
        else if (had_one[at]) rename(before, path);
        else unlink(path);
    }
    for (at = landed; at < staged; at++) {
        skrei__path(temporary, sizeof temporary, dir, ".", files[at].name, ".tmp");
        unlink(temporary);
    }
    if (failed) {
        errno = failed;
        return -1;
    }
    return 0;
}

/* Replaces one file, or makes it. 0, or -1 with errno set and the file as it was. */
SKREI_API int skrei_write_file(const char *path, const void *content, size_t length) {
    char dir[1024];
    const char *slash = strrchr(path, '/');
    struct skrei_file file = {slash ? slash + 1 : path, content, length};
    size_t end = slash ? (size_t)(slash - path) : 0;
    if (end >= sizeof dir) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (!slash) return skrei_install(".", &file, 1);
    memcpy(dir, path, end);
    dir[end] = 0;
    return skrei_install(end ? dir : "/", &file, 1);
}

#ifdef __cplusplus
}
#endif

#endif
