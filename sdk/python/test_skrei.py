"""`python3 -m unittest` in this folder."""

import os
import sys
import tempfile
import unittest

import skrei


class Skrei(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.directory = self.folder.name

    def content(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8") as file:
            return file.read()

    def test_files_are_made_and_replaced_and_nothing_is_left_over(self):
        for text in ("old", "new"):
            skrei.install(self.directory, {"a": text, "b": text.encode()})
        self.assertEqual(sorted(os.listdir(self.directory)), ["a", "b"])
        self.assertEqual(self.content("a"), "new")
        skrei.write_file(os.path.join(self.directory, "a"), "newer")
        self.assertEqual(self.content("a"), "newer")

    def test_a_rename_that_fails_takes_back_those_before_it(self):
        skrei.install(self.directory, {"a": "old"})
        os.makedirs(os.path.join(self.directory, "c", "in-the-way"))
        with self.assertRaises(OSError):
            skrei.install(self.directory, {"a": "new", "b": "new", "c": "new"})
        self.assertEqual(sorted(os.listdir(self.directory)), ["a", "c"])
        self.assertEqual(self.content("a"), "old")
        with self.assertRaises(ValueError):
            skrei.install(self.directory, {"../a": ""})

    def test_messages_are_lines_of_json(self):
        os.environ["SKREI_CHANNEL"] = os.path.join(self.directory, "channel")
        skrei._channel = None
        skrei.progress(float("nan"), "a\nb")
        skrei.value("files", {"a": 1})
        skrei._channel.close()
        self.assertEqual(
            self.content("channel"),
            '{"progress": {"fraction": 0.0, "message": "a\\nb"}}\n{"value": {"key": "files", "value": {"a": 1}}}\n',
        )

    def test_parameters_have_their_types(self):
        sys.argv = ["program", "--count=3", "--dry-run"]
        os.environ["OUT_DIR"] = "/from/environment"
        self.assertEqual(skrei.param("count", 1), 3)
        self.assertIs(skrei.param("dry_run", False), True)
        self.assertEqual(skrei.param("out_dir", "/out"), "/from/environment")
        self.assertEqual(skrei.param("else", None), None)
        with self.assertRaises(skrei.BadParameter):
            skrei.param("missing")


if __name__ == "__main__":
    unittest.main()
