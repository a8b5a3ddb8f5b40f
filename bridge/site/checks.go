package site

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// checkPins checks the pinned keywords.
func (s *Site) checkPins() error {
	var errs []error
	if len(s.cfg.Pins) > maxPinned {
		errs = append(errs, pathErrorf("pins", "%d actors have pins; write at most %d", len(s.cfg.Pins), maxPinned))
	}
	for _, actor := range slices.Sorted(maps.Keys(s.cfg.Pins)) {
		pins, path := s.cfg.Pins[actor], "pins."+actor
		if len(pins) > maxPins {
			errs = append(errs, pathErrorf(path, "%d keywords are pinned; write at most %d, of which a page shows the first", len(pins), maxPins))
		}
		for i, keyword := range pins {
			if err := checkKeyword(actor + "." + keyword); err != nil || keyword == "" {
				errs = append(errs, pathErrorf(fmt.Sprintf("%s[%d]", path, i), "%.60q is no keyword; write it without its actor, as in dome: [dome_shutter]", keyword))
			}
		}
	}
	return errors.Join(errs...)
}

// dangerousRule is a compiled [Dangerous].
type dangerousRule struct{ consumer, verb *filter.Names }

// compileDangerous checks the patterns of dangerous commands.
func (s *Site) compileDangerous() error {
	var errs []error
	if len(s.cfg.Dangerous) > maxDangerous {
		errs = append(errs, pathErrorf("dangerous", "there are %d rules; write at most %d, with patterns", len(s.cfg.Dangerous), maxDangerous))
	}
	names := func(globs []string, path string) *filter.Names {
		if globs == nil {
			return nil
		}
		n, err := filter.ParseNames(globs)
		if err != nil {
			errs = append(errs, pathErrorf(path, "%w", err))
		}
		return n
	}
	for i, d := range s.cfg.Dangerous {
		path := fmt.Sprintf("dangerous[%d]", i)
		if d.Consumer == nil && d.Verb == nil {
			errs = append(errs, pathErrorf(path, "the rule has neither consumer nor verb; write verb: [\"*\"] to be asked about every command"))
		}
		s.dangerous = append(s.dangerous, dangerousRule{names(d.Consumer, path+".consumer"), names(d.Verb, path+".verb")})
	}
	return errors.Join(errs...)
}

// Dangerous reports whether a command is one that a page asks about before it sends it.
func (s *Site) Dangerous(consumer, verb string) bool {
	return slices.ContainsFunc(s.dangerous, func(r dangerousRule) bool {
		return (r.consumer == nil || r.consumer.Match(consumer)) && (r.verb == nil || r.verb.Match(verb))
	})
}

var (
	boardName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	rangeForm = regexp.MustCompile(`^[1-9][0-9]{0,5}[smhd]$`)
)

// checkBoards checks the boards.
func (s *Site) checkBoards() error {
	var errs []error
	boards := s.cfg.Boards.List
	if len(boards) > maxBoards {
		errs = append(errs, pathErrorf("boards", "there are %d boards; write at most %d", len(boards), maxBoards))
	}
	places := map[string]int{}
	for i := range boards {
		b, path := &boards[i], fmt.Sprintf("boards[%d]", i)
		if !boardName.MatchString(b.Name) {
			errs = append(errs, pathErrorf(path+".name", "%.80q cannot be the name of a board, which is a part of its URL; write up to 64 letters, digits, _ and -", b.Name))
		}
		if first, twice := places[b.Name]; twice {
			errs = append(errs, pathErrorf(path+".name", "boards[%d] is called %q, too; each needs a name of its own", first, b.Name))
		}
		places[b.Name] = i
		before := len(errs)
		errs = append(errs, s.checkText(path+".title", b.Title))
		if len(b.Items) == 0 || len(b.Items) > maxItems {
			errs = append(errs, pathErrorf(path+".items", "a board has 1 to %d items; this has %d", maxItems, len(b.Items)))
		}
		for j := range b.Items {
			errs = append(errs, s.checkItem(&b.Items[j], fmt.Sprintf("%s.items[%d]", path, j)))
		}
		s.nameFile(errs[before:], i)
	}
	return errors.Join(errs...)
}

// nameFile adds the file of a board to errors about it, whose place in the section is that of the
// folder.
func (s *Site) nameFile(errs []error, board int) {
	if files := s.cfg.Boards.Files; board < len(files) {
		for i, err := range errs {
			if err != nil {
				errs[i] = &PathError{"boards", fmt.Errorf("%s: %w", files[board], err)}
			}
		}
	}
}

func (s *Site) checkItem(item *Item, path string) error {
	kinds := 0
	for _, has := range []bool{item.Plot != nil, item.Keywords != nil, item.Log != "", item.Actor != ""} {
		if has {
			kinds++
		}
	}
	var errs []error
	switch {
	case kinds != 1:
		errs = append(errs, pathErrorf(path, "an item is one of plot, keywords, log and actor; this has %d of them", kinds))
	case item.Range != "" && item.Plot == nil:
		errs = append(errs, pathErrorf(path+".range", "only a plot has a range"))
	case item.Range != "" && !rangeForm.MatchString(item.Range):
		errs = append(errs, pathErrorf(path+".range", "%.20q is no range; write a number and one of s, m, h and d, as in 6h", item.Range))
	}
	for _, list := range []struct {
		key      string
		keywords []string
	}{{"plot", item.Plot}, {"keywords", item.Keywords}} {
		if list.keywords == nil {
			continue
		}
		if n := len(list.keywords); n == 0 || n > maxPlotted {
			errs = append(errs, pathErrorf(path+"."+list.key, "there are %d keywords; write 1 to %d", n, maxPlotted))
		}
		for i, keyword := range list.keywords {
			if err := checkKeyword(keyword); err != nil {
				errs = append(errs, pathErrorf(fmt.Sprintf("%s.%s[%d]", path, list.key, i), "%w", err))
			}
		}
	}
	return errors.Join(append(errs, s.checkText(path+".log", item.Log), s.checkText(path+".actor", item.Actor))...)
}
