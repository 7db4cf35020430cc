"""Runs a Python script inside the sandbox, with the standard library.

The script comes from the variable COMMAND (in base64 if B64_ENCODED is true), or else from the file that the first
argument names, or else from standard input. Further arguments are the script's.

The component is a snapshot of an interpreter that has imported all it will ever have: what a script imports is there at
once, and there are no library files at run time.
"""

import base64
import binascii
import builtins
import importlib
import os
import sys
import traceback

from wit_world import exports

# What scripts may import. Modules that need what a sandbox lacks (processes, windows, sockets) are left out; so are those
# that no job has use for, as each makes the component larger.
LIBRARY = """
abc argparse array ast base64 binascii bisect calendar cmath codecs collections collections.abc configparser contextlib
contextvars copy copyreg csv dataclasses datetime decimal difflib email email.message email.parser enum errno fileinput
fnmatch fractions functools gettext glob graphlib gzip hashlib heapq hmac html html.parser html.entities inspect io
ipaddress itertools json keyword linecache locale logging logging.handlers math mimetypes numbers operator os os.path
pathlib pickle posixpath pprint quopri random re reprlib secrets shlex shutil signal statistics stat string struct
tempfile textwrap threading time timeit token tokenize traceback types typing unicodedata unittest urllib.parse uuid
warnings weakref xml.dom.minidom xml.etree.ElementTree xml.sax zipfile zlib zoneinfo tomllib
""".split()

for name in LIBRARY:
    try:
        importlib.import_module(name)
    except ImportError:
        # Not built into this interpreter.
        pass

# Codecs are imported when they are first used, which is too late.
for codec in ("ascii", "latin-1", "utf-8", "utf-16", "utf-32", "idna", "cp1252", "utf-8-sig"):
    try:
        "".encode(codec)
    except LookupError:
        pass


class Mistake(Exception):
    """What is wrong with how the runner was called."""


def script(arguments):
    """The script's text, its name, and its own arguments."""
    command = os.environ.get("COMMAND")
    if command is not None:
        if os.environ.get("B64_ENCODED", "").strip().lower() in ("true", "1", "yes"):
            try:
                command = base64.b64decode("".join(command.split()), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise Mistake(f"COMMAND is not a script in base64: {error}") from None
        return command, "COMMAND", arguments
    if arguments and arguments[0] != "-":
        try:
            with open(arguments[0], encoding="utf-8") as file:
                return file.read(), arguments[0], arguments[1:]
        except OSError as error:
            raise Mistake(f"the script cannot be read: {error}") from None
    return sys.stdin.read(), "<stdin>", arguments[1:]


def execute(text, name, arguments):
    """Runs a script as `python` would. What it exits with, 0 if it just ends."""
    sys.argv = [name, *arguments]
    sys.path = []
    lines = text.splitlines(keepends=True)
    # For tracebacks, which show lines: there is no file to read them from.
    linecache = sys.modules["linecache"]
    linecache.cache[name] = (len(text), None, lines, name)
    try:
        exec(compile(text, name, "exec"), {"__name__": "__main__", "__builtins__": builtins, "__file__": name})
    except SystemExit as exit:
        if isinstance(exit.code, str):
            print(exit.code, file=sys.stderr)
            return 1
        return exit.code or 0
    except BaseException as error:
        # Without our own frame.
        traceback.print_exception(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))
        return 1
    return 0


class Run(exports.Run):
    def run(self):
        try:
            code = execute(*script(sys.argv[1:]))
        except Mistake as mistake:
            print(f"error: {mistake}", file=sys.stderr)
            code = 2
        sys.stdout.flush()
        sys.stderr.flush()
        if code:
            sys.exit(code)
