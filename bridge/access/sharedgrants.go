package access

import (
	"encoding/json"
	"runtime"
	"sync"
	"weak"
)

// sharedGrants lets principals whose credentials carry the same grants share them: they take some
// kilobytes, and reading them takes tens of microseconds. Grants that nobody has any more are
// forgotten.
type sharedGrants struct {
	mu     sync.Mutex
	byText map[string]weak.Pointer[Grants]
}

// carried has the grants that came with credentials.
var carried = sharedGrants{byText: map[string]weak.Pointer[Grants]{}}

// parse is [ParseGrants].
func (s *sharedGrants) parse(raw json.RawMessage) (*Grants, error) {
	text := string(raw)
	s.mu.Lock()
	known := s.byText[text].Value()
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	g, err := ParseGrants(raw)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.byText[text].Value(); known != nil { // another was faster
		return known, nil
	}
	s.byText[text] = weak.Make(g)
	runtime.AddCleanup(g, s.forget, text)
	return g, nil
}

// forget removes grants that nobody has, unless others with the same text have come.
func (s *sharedGrants) forget(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byText[text].Value() == nil {
		delete(s.byText, text)
	}
}
