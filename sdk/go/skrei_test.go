package skrei

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func names(t *testing.T, directory string) string {
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return strings.Join(all, " ")
}

func content(t *testing.T, path ...string) string {
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFilesAreMadeAndReplacedAndNothingIsLeftOver(t *testing.T) {
	directory := t.TempDir()
	for _, text := range []string{"old", "new"} {
		if err := Install(directory, File{"a", []byte(text)}, File{"b", []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	if names(t, directory) != "a b" || content(t, directory, "a") != "new" {
		t.Fatal(names(t, directory))
	}
}

func TestARenameThatFailsTakesBackThoseBeforeIt(t *testing.T) {
	directory := t.TempDir()
	os.WriteFile(filepath.Join(directory, "a"), []byte("old"), 0o600)
	os.MkdirAll(filepath.Join(directory, "c", "in-the-way"), 0o700)
	err := Install(directory, File{"a", []byte("new")}, File{"b", []byte("new")}, File{"c", []byte("new")})
	if err == nil || names(t, directory) != "a c" || content(t, directory, "a") != "old" {
		t.Fatal(err, names(t, directory))
	}
	if Install(directory, File{"../a", nil}) == nil {
		t.Fatal("a path is no name")
	}
}

func TestMessagesAreLinesAndParametersHaveTheirTypes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "channel")
	t.Setenv("SKREI_CHANNEL", path)
	Progress(1.5, "done\n")
	if err := Value("files", []int{1, 2}); err != nil {
		t.Fatal(err)
	}
	if Value("no", func() {}) == nil {
		t.Fatal("a function is no JSON")
	}
	want := `{"progress":{"fraction":1,"message":"done\n"}}` + "\n" + `{"value":{"key":"files","value":[1,2]}}` + "\n"
	if got := content(t, path); got != want {
		t.Fatal(got)
	}
	t.Setenv("OUT_DIR", "/from/environment")
	os.Args = []string{"program", "--count=3", "--dry-run", "--", "--out-dir", "/too/late"}
	if Param("out_dir", "/out") != "/from/environment" || Param("count", 1) != 3 || !Param("dry_run", false) {
		t.Fatal(Param("out_dir", "/out"), Param("count", 1), Param("dry_run", false))
	}
}
