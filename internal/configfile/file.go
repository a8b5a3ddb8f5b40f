package configfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/dialect/catalog"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// The sections of a file that are not flags.
const (
	accessSection   = "access"
	dialectsSection = "dialects"
	siteSection     = "site"
)

// File is a configuration file that was read.
type File struct {
	// Path is its path, as given.
	Path string
	// Access is the section access; nil if there is none.
	Access *access.Config
	// Dialects are the section dialects.
	Dialects []catalog.Config
	// Site is the section site; nil if there is none.
	Site *site.Config
	// Settings are the other keys, in the order of the file.
	Settings []Setting

	text  []byte
	lines []string // of the text; nil until one is needed
	root  *node
	errs  []*Error
	// otherFiles are errors in the files that this one names.
	otherFiles []error
}

// maxFile bounds the size of a file, in bytes.
const maxFile = 16 << 20

// Read reads a file. Its error has all that is wrong with the file, apart from the values of
// settings, which only their user knows to be wrong: see [File.Add] and [File.Err].
func Read(path string) (*File, error) {
	text, err := readStable(path)
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	f := Parse(path, text)
	return f, f.Err()
}

// readStable reads a file of bounded size.
func readStable(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s is larger than %d MiB", path, maxFile>>20)
	}
	return os.ReadFile(path)
}

// Parse parses the text of a file. What is wrong is in [File.Err].
func Parse(path string, text []byte) *File {
	f := &File{Path: path, text: bytes.TrimPrefix(text, []byte("\ufeff"))} // which editors write
	f.root = f.parse()
	if f.root == nil {
		f.root = &node{}
		return f
	}
	for _, e := range f.root.entries {
		switch e.key {
		case accessSection:
			f.Access = new(access.Config)
			f.decode(e.value, reflect.ValueOf(f.Access).Elem(), accessSection)
			f.resolveAccess()
		case dialectsSection:
			f.decode(e.value, reflect.ValueOf(&f.Dialects).Elem(), dialectsSection)
			f.resolveDialects()
		case siteSection:
			f.Site = new(site.Config)
			f.decode(e.value, reflect.ValueOf(f.Site).Elem(), siteSection)
			f.readBoards()
		default:
			f.Settings = append(f.Settings, Setting{Name: e.key, f: f, entry: e})
		}
	}
	return f
}

// Add adds an error at the place of a path; see [File.At].
func (f *File) Add(path string, err error) {
	e, _ := f.At(path, err).(*Error)
	f.errs = append(f.errs, e)
}

// Dir returns the folder of the file, to which paths in it are relative.
func (f *File) Dir() string { return filepath.Dir(f.Path) }
