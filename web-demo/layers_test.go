package webdemo

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayImport says which folders' modules each folder of the page and the client may import, in addition to its own.
// page/app.js and page/views.js put them together.
var mayImport = map[string][]string{
	"client":        {},
	"client/bin":    {"client"},
	"client/react":  {"client"},
	"page/core":     {"client"},
	"page/shell":    {"client", "page/core", "page/views.js"},
	"page/overview": {"client", "page/core", "page/shell"},
	"page/log":      {"client", "page/core", "page/shell"},
	"page/actor":    {"client", "page/core", "page/shell", "page/log"},
	"page/plot":     {"client", "page/core", "page/shell", "page/libraries/uplot/uPlot.esm.js"},
	"page/board":    {"client", "page/core", "page/shell", "page/log", "page/actor", "page/plot", "page/overview", "page/views.js"},
}

// moduleImports finds what a module imports; the modules of its own folder begin with ./.
var moduleImports = regexp.MustCompile(`(?m)(?:^import [^;]*?from |^export [^;]*? from |[^@]import\()"([^"]+)"`)

// exported finds the names that a module exports at its top.
var exported = regexp.MustCompile(`(?m)^export (?:async )?(?:function\*?|class|const|let) (\w+)`)

// modules returns the text of all modules of the client and the page without comments, those of their tests included, by path.
func modules(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, root := range []string{"client", "page"} {
		err := fs.WalkDir(os.DirFS("."), root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path.Ext(name) != ".js" || strings.HasPrefix(name, "page/libraries/") || strings.HasPrefix(name, "client/examples/") {
				return err
			}
			text, err := os.ReadFile(name)
			all[name] = comments.ReplaceAll(text, nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestTheLayersOfThePageAreKept(t *testing.T) {
	t.Parallel()
	checked := 0
	for name, text := range modules(t) {
		layer := path.Dir(name)
		allowed, ok := mayImport[layer]
		if !ok {
			if layer != "page" && !strings.HasSuffix(layer, "/tests") {
				t.Errorf("%s is in a folder that mayImport does not know", name)
			}
			continue
		}
		for _, match := range moduleImports.FindAllSubmatch(text, -1) {
			checked++
			imported := path.Join(layer, string(match[1]))
			if from := path.Dir(imported); from != layer && !slices.Contains(allowed, from) && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, and %s may not", name, imported, layer)
			}
		}
		if layer == "page/core" && regexp.MustCompile(`(?:^|[^#.\w])(?:document|window|localStorage)\.`).Match(text) {
			t.Errorf("%s uses the page, and page/core may not", name)
		}
	}
	if checked < 100 {
		t.Errorf("found %d imports only", checked)
	}
}

func TestNothingIsExportedThatNobodyImports(t *testing.T) {
	t.Parallel()
	all := modules(t)
	for name, text := range all {
		if !strings.HasPrefix(name, "page/") {
			continue
		}
		for _, match := range exported.FindAllSubmatch(text, -1) {
			word := regexp.MustCompile(`\b` + string(match[1]) + `\b`)
			isUsed := false
			for other, text := range all {
				isUsed = isUsed || other != name && bytes.Contains(text, match[1]) && word.Match(text)
			}
			if !isUsed {
				t.Errorf("%s exports %s, which no other module names", name, match[1])
			}
		}
	}
}
