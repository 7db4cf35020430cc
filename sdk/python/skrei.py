"""For programs that run inside skrei: progress, values, a log, parameters, files that no reader ever sees half of.

None of it is needed to be a job, and a program that uses it runs in any other WASI host, too, and natively: where nobody
listens (SKREI_CHANNEL is not set), progress and values are lines on standard error.

    def main():
        name = skrei.param("name", "world")
        skrei.progress(0.5, "half way")
        skrei.value("greeted", [name])
        skrei.write_file("/out/greeting.txt", f"hello {name}\\n")
"""

import json
import math
import os
import sys

_channel = None


def _tell(message, spoken):
    """Writes a line to the host, or another to people. A host that does not listen any more is no reason to stop."""
    global _channel
    if _channel is None:
        path = os.environ.get("SKREI_CHANNEL")
        try:
            _channel = open(path, "a", encoding="utf-8") if path else False
        except OSError:
            _channel = False
    if not _channel:
        print(spoken, file=sys.stderr, flush=True)
        return
    try:
        _channel.write(json.dumps(message) + "\n")
        _channel.flush()
    except OSError:
        pass


def progress(fraction, message=""):
    """Says how far the program is: a share from 0 to 1 of all there is to do, and what it is doing."""
    share = min(max(float(fraction), 0.0), 1.0) if math.isfinite(fraction) else 0.0
    _tell({"progress": {"fraction": share, "message": message}}, f"progress {share:.0%} {message}")


def value(key, content):
    """Reports anything that JSON can hold, under a key. Of several under one key the latest counts.

    A host keeps 64 of them, up to 16 KiB together, with what became of the program.
    """
    _tell({"value": {"key": key, "value": content}}, f"value {key}={json.dumps(content)}")


def log(level, message, **fields):
    """Says one message, as one line on standard error: `INFO copied files=3`."""

    def plain(field):
        text = str(field)
        return json.dumps(text) if not text or set(text) & set(' "=\n\r\t') else text

    line = level + " " + message.replace("\n", " ").replace("\r", " ")
    print(line + "".join(f" {name}={plain(field)}" for name, field in fields.items()), file=sys.stderr, flush=True)


class Job:
    """What the program runs as."""

    def __init__(self):
        self.id = os.environ.get("SKREI_JOB_ID")
        self.execution = os.environ.get("SKREI_EXECUTION_ID")
        self.node = os.environ.get("SKREI_NODE_ID")
        self.kind = os.environ.get("SKREI_JOB_TYPE")
        self.partition = int(os.environ.get("SKREI_PARTITION_INDEX", 0))
        self.partitions = int(os.environ.get("SKREI_PARTITION_COUNT", 1))


def job():
    """What the program runs as; None outside of skrei."""
    return Job() if "SKREI_JOB_ID" in os.environ else None


class BadParameter(Exception):
    """A parameter that is missing or wrong."""


_missing = object()


def param(name, otherwise=_missing, kind=None):
    """A parameter: from the argument --name=VALUE or --name VALUE, or else from the variable of that name in capitals.

    It is of the type of `otherwise`, which it is if it is not given, or of `kind`.
    """
    kind = kind or (str if otherwise is _missing or otherwise is None else type(otherwise))
    flag = "--" + name.replace("_", "-")
    text = os.environ.get(name.replace("-", "_").upper())
    arguments = sys.argv[1:]
    for at, argument in enumerate(arguments):
        if argument.startswith(flag + "="):
            text = argument[len(flag) + 1 :]
        elif argument == flag:
            follows = arguments[at + 1 : at + 2]
            text = follows[0] if follows and not follows[0].startswith("--") else "true"
    if text is None:
        if otherwise is _missing:
            raise BadParameter(f"parameter {name} is missing; give it as {flag}")
        return otherwise
    if kind is bool:
        return text.lower() in ("true", "1", "yes")
    try:
        return kind(text)
    except ValueError:
        # The text itself may be a secret.
        raise BadParameter(f"parameter {name} is not of type {kind.__name__}") from None


def write_file(path, content):
    """Replaces one file, or makes it, so that no reader ever sees half of it."""
    directory, name = os.path.split(path)
    install(directory or ".", {name: content})


def install(directory, files):
    """Puts files (content by name) into a directory, together or not at all; the last to change is the last of them.

    All contents are on the disk under temporary names before the first file changes, and if a rename fails those before
    it are taken back. Modes and owners are those the job asks for: WASI knows none.
    """

    def place(before, name, after):
        return os.path.join(directory, before + name + after)

    names = list(files)
    for name in names:
        if not name or name.startswith(".") or "/" in name:
            raise ValueError(f"`{name}` is not the name of a file in `{directory}`")
    landed = []
    try:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else bytes(content)
            with open(place(".", name, ".tmp"), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for name in names:
            # Nothing comes after the last that could fail.
            if name != names[-1] and os.path.exists(place("", name, "")):
                _forget(place(".", name, ".old"))
                os.link(place("", name, ""), place(".", name, ".old"))
            os.replace(place(".", name, ".tmp"), place("", name, ""))
            landed.append(name)
    except BaseException:
        for name in reversed(landed):
            if os.path.exists(place(".", name, ".old")):
                os.replace(place(".", name, ".old"), place("", name, ""))
            else:
                os.remove(place("", name, ""))
        raise
    finally:
        for name in names:
            _forget(place(".", name, ".tmp"))
            _forget(place(".", name, ".old"))


def _forget(path):
    try:
        os.remove(path)
    except OSError:
        pass


def run(main):
    """Runs a program: an error is said on standard error, and the program fails."""
    try:
        main()
    except Exception as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    finally:
        sys.stdout.flush()
