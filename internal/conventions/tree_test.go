package conventions

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the root of the repository, seen from this package.
const root = "../.."

// file is a text file of the repository.
type file struct {
	path string // with slashes, from the root
	text string
}

// files returns the files of the repository whose names end in one of these.
func files(t *testing.T, endings ...string) (all []file) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && !isSource(entry.Name()):
			return filepath.SkipDir
		case !entry.Type().IsRegular() || !slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(path, end) }):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		all = append(all, file{filepath.ToSlash(name), string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("no file ends in %q", endings)
	}
	return all
}

// isSource reports whether a folder may hold files of the repository's own: not caches, what is built, or what others
// wrote (vendor).
func isSource(folder string) bool {
	return folder == ".github" || folder == ".ci" ||
		!strings.HasPrefix(folder, ".") && folder != "node_modules" && folder != "bin" && folder != "dist" && folder != "libraries"
}

// within reports whether a path is in one of these folders, or is one of these files.
func within(path string, places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool { return path == place || strings.HasPrefix(path, place+"/") })
}
