package filter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// Names is a list of globs against which one text is matched, such as those of a rule about
// consumers. It never changes, and may be used by many goroutines.
type Names struct {
	list      *list // nil matches everything
	spellings []string
}

// ParseNames parses globs as those of a filter. The list may not be empty.
func ParseNames(globs []string) (*Names, error) {
	switch {
	case len(globs) == 0:
		return nil, errors.New("the list is empty, which selects nothing: name a value, or leave the list out to select all")
	case len(globs) > maxValues:
		return nil, fmt.Errorf("the list has %d values, but may have %d: let a pattern stand for many", len(globs), maxValues)
	}
	l, spellings, err := readList(globs, func(text string) (value, error) {
		if len(text) > maxLength {
			return value{}, fmt.Errorf("%s is %d bytes long, but may have %d: shorten it with a pattern", quote.Text(text), len(text), maxLength)
		}
		v, err := readGlob(text)
		if err != nil {
			err = fmt.Errorf("%s is not a pattern: %w", quote.Text(text), err)
		}
		return v, err
	})
	if err != nil {
		return nil, err
	}
	if l == nil {
		spellings = []string{"*"}
	}
	return &Names{l, spellings}, nil
}

// Match reports whether one of the globs matches a whole text.
func (n *Names) Match(text string) bool { return n.list.has(text) }

// Values returns the globs in their canonical form: sorted and distinct, and "*" alone if one of
// them matches everything.
func (n *Names) Values() []string { return slices.Clone(n.spellings) }
