package configfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is something wrong at a place of the file.
type Error struct {
	File      string
	Line, Col int // from 1; 0 is the file as a whole
	Err       error
	source    string // the line, without what may be secret; "" is not shown
	skipped   int    // characters that are left out at its beginning
}

// Error returns the place, what is wrong, and the line with a mark below the column.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Err.Error()
	}
	text := fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Col, e.Err)
	if e.source == "" {
		return text
	}
	margin := fmt.Sprintf("%5d | ", e.Line)
	mark := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(e.source)[:min(e.Col-1-e.skipped, len([]rune(e.source)))]))
	return fmt.Sprintf("%s\n%s%s\n%*s%s^", text, margin, e.source, len(margin), "| ", mark)
}

func (e *Error) Unwrap() error { return e.Err }

// add adds an error.
func (f *File) add(line, col int, format string, args ...any) {
	f.errs = append(f.errs, f.errorAt(line, col, fmt.Errorf(format, args...)))
}

// addHidden adds an error at a place where the text is not understood, so that the line is shown
// only if it cannot be a part of a secret.
func (f *File) addHidden(line, col int, format string, args ...any) {
	e := f.errorAt(line, col, fmt.Errorf(format, args...))
	if !beginsWithKey(e.source) {
		e.source = ""
	}
	f.errs = append(f.errs, e)
}

// errorAt returns an error at a place.
func (f *File) errorAt(line, col int, err error) *Error {
	e := &Error{File: f.Path, Line: line, Col: max(col, 1), Err: err}
	if !f.belowSecret(line) {
		e.source, e.skipped = clip(hideSecrets(f.line(line)), e.Col)
	}
	return e
}

// maxShown is the longest line that an error shows whole, in characters.
const maxShown = 120

// clip returns the part of a line around a column, and how many characters it leaves out at the
// beginning.
func clip(line string, col int) (part string, skipped int) {
	text := []rune(line)
	if len(text) <= maxShown {
		return line, 0
	}
	skipped = max(0, min(col-maxShown/2, len(text)-maxShown))
	return string(text[skipped : skipped+maxShown]), skipped
}

// line returns a line of the file; "" if there is none.
func (f *File) line(number int) string {
	if f.lines == nil {
		f.lines = strings.Split(string(f.text), "\n")
	}
	if number < 1 || number > len(f.lines) {
		return ""
	}
	return strings.TrimSuffix(f.lines[number-1], "\r")
}

// Err returns all errors in the order of the file; nil if there are none.
func (f *File) Err() error {
	slices.SortStableFunc(f.errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	all := make([]error, 0, len(f.errs))
	for i, e := range f.errs {
		// A value that is wrong by itself is also not what is wanted there.
		if i == 0 || e.Line == 0 || e.Line != f.errs[i-1].Line || e.Col != f.errs[i-1].Col {
			all = append(all, e)
		}
	}
	return errors.Join(append(all, f.otherFiles...)...)
}

// At returns an error at the place of a path, such as access.roles.viewer.hear[0]. If the path
// leads to nothing, the place is that of its longest part that exists, and the error names the
// path.
func (f *File) At(path string, err error) error {
	found, key, rest := f.root.find(path)
	if rest != "" && found != f.root {
		err = fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case found == f.root:
		return f.errorAt(0, 0, err)
	case key != nil && (found.kind == mapKind || found.kind == listKind || found.line == 0):
		return f.errorAt(key.line, key.col, err)
	}
	return f.errorAt(found.line, found.col, err)
}
