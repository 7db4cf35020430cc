"""Greets everybody in a file."""

# Everything is imported here: the component is a snapshot, and has no library files at run time.
import skrei
from wit_world import exports


def main():
    with open(skrei.param("names", "/in/names.txt"), encoding="utf-8") as file:
        names = [line.strip() for line in file if line.strip()]
    greeting = skrei.param("greeting", "Hello")
    for done, name in enumerate(names):
        skrei.progress(done / len(names), name)
        print(f"{greeting}, {name}!")
    skrei.value("greeted", len(names))


class Run(exports.Run):
    def run(self):
        skrei.run(main)
