package history

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

var start = time.UnixMilli(1_760_000_000_000)

// say notes a reply of an actor.
func (s *Store) say(actor string, at time.Time, body string) {
	s.Note(&Reply{Actor: actor, Time: at}, membersOf(body))
}

// membersOf are the keywords of a body.
func membersOf(body string) Keywords {
	text := []byte(body)
	return func(yield func(name, value []byte) bool) {
		for m := jsonscan.MembersOf(text); ; {
			name, value, ok := m.Next()
			if !ok || !yield(name, value) {
				return
			}
		}
	}
}

// answer is an answer as a client reads it.
type answer struct {
	From, To int64
	Series   []told
	Gaps     [][2]int64
	Evicted  []string
	Filling  bool
}

// told is what an answer tells of a keyword.
type told struct {
	Keyword  string
	Kind     *string
	BucketMS int64  `json:"bucket_ms"`
	FineFrom *int64 `json:"fine_from"`
	Oldest   int64
	Until    int64
	Silent   [][2]int64
	T        []int64
	Min      []json.RawMessage
	Max      []json.RawMessage
	Last     []json.RawMessage
	Value    []json.RawMessage
	Count    []int64
}

// ask asks a query, and reads the answer.
func (s *Store) ask(t *testing.T, q Query) (a answer) {
	t.Helper()
	asked := s.Ask(q)
	for !asked.Step() {
	}
	text := append(asked.Append([]byte{'{'}), '}')
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return a
}

// since asks for some keywords from a time on until another.
func (s *Store) since(t *testing.T, from, to time.Time, points int, keywords ...string) []told {
	t.Helper()
	return s.ask(t, Query{Keywords: keywords, From: from.UnixMilli(), To: to.UnixMilli(), Points: points}).Series
}

// texts are values as they are written.
func texts(all []json.RawMessage) (some []string) {
	for _, one := range all {
		some = append(some, string(one))
	}
	return some
}

// seconds are times in seconds after the start.
func seconds(all []int64) (some []float64) {
	for _, t := range all {
		some = append(some, float64(t-start.UnixMilli())/1000)
	}
	return some
}

func after(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}
