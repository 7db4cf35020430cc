package skrei

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is a file to be installed: its name in the directory, and its content.
type File struct {
	Name    string
	Content []byte
}

// WriteFile replaces one file, or makes it, so that no reader ever sees half of it.
func WriteFile(path string, content []byte) error {
	return Install(filepath.Dir(path), File{filepath.Base(path), content})
}

// Install puts files into a directory, together or not at all; the last to change is the last of the list.
//
// All contents are on the disk under temporary names before the first file changes, and if a rename fails those before
// it are taken back. Between two renames a reader can see new files beside old ones, as no file system offers more.
// Modes and owners are those the job asks for: WASI knows none.
func Install(directory string, files ...File) (err error) {
	place := func(before, name, after string) string { return filepath.Join(directory, before+name+after) }
	for _, file := range files {
		if file.Name == "" || strings.HasPrefix(file.Name, ".") || strings.Contains(file.Name, "/") {
			return fmt.Errorf("`%s` is not the name of a file in `%s`", file.Name, directory)
		}
	}
	defer func() {
		for _, file := range files {
			os.Remove(place(".", file.Name, ".tmp"))
			os.Remove(place(".", file.Name, ".old"))
		}
	}()
	for _, file := range files {
		if err := stage(place(".", file.Name, ".tmp"), file.Content); err != nil {
			return err
		}
	}
	for at, file := range files {
		path, before := place("", file.Name, ""), place(".", file.Name, ".old")
		os.Remove(before)
		// Nothing comes after the last that could fail.
		if at+1 < len(files) {
			if err = os.Link(path, before); errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		}
		if err == nil {
			err = os.Rename(place(".", file.Name, ".tmp"), path)
		}
		if err != nil {
			for ; at > 0; at-- {
				path, before := place("", files[at-1].Name, ""), place(".", files[at-1].Name, ".old")
				if _, missing := os.Lstat(before); missing == nil {
					os.Rename(before, path)
				} else {
					os.Remove(path)
				}
			}
			return err
		}
	}
	return nil
}

func stage(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
