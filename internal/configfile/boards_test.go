package configfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeBoards writes a configuration file with a folder of boards, and returns its path.
func writeBoards(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["../clu-ws.yaml"] = "site: {boards: boards}\n"
	if err := os.Mkdir(filepath.Join(dir, "boards"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "boards", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "clu-ws.yaml")
}

func TestBoardsAreReadFromTheFilesOfAFolder(t *testing.T) {
	path := writeBoards(t, map[string]string{
		"night.yaml": "title: The night\nitems:\n- plot: [dome.humidity]\n  range: 6h\n- actor: dome\n",
		"day.json":   `{"name": "daylight", "items": [{"log": "q=dome"}]}`,
		".hidden":    "?", "README.md": "?", ".x.json": "?",
	})
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	boards := f.Site.Boards
	dir := filepath.Join(filepath.Dir(path), "boards")
	if boards.Dir != dir || len(boards.Files) != 2 || boards.Files[1] != filepath.Join(dir, "night.yaml") {
		t.Errorf("the files are %q in %s", boards.Files, boards.Dir)
	}
	if len(boards.List) != 2 || boards.List[0].Name != "daylight" || boards.List[1].Name != "night" || boards.List[1].Items[0].Range != "6h" {
		t.Errorf("the boards are %+v", boards.List)
	}
}

func TestWhatIsWrongWithABoardHasItsPlaceInItsFile(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a.yaml": {"title: A\nitems:\n- plt: [a.b]\n", `a.yaml:3:3: the board.items has no key "plt"; plot may be meant`},
		"b.json": {`{"items": [{"plot": 5}]}`, "b.json:1:21: the board.items.plot must be a list"},
		"c.json": {`{"items": [`, "c.json:1:11: this is not YAML"},
		"d.yaml": {"", "d.yaml: the file is empty"},
		"e.yaml": {"# " + strings.Repeat("x", maxBoardFile), "e.yaml is larger than 256 KiB"},
	} {
		_, err := Read(writeBoards(t, map[string]string{name: c.text}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}
