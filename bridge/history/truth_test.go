package history

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
)

// anyValue draws a value of any type for a keyword, as of an actor that is restarted with other types.
func anyValue(random *rand.Rand, depth int) string {
	switch n := random.IntN(11); {
	case n < 3:
		return pick(random, "1", "2", "2.5")
	case n < 5:
		return pick(random, `"on"`, `"off"`, "true")
	case n == 5:
		return "null"
	case n == 6:
		return pick(random, `"NaN"`, "1e999")
	case depth == 0:
		return "3"
	case n < 9:
		var members []string
		for _, name := range []string{"x", "y.z", "__proto__"} {
			if random.IntN(2) == 0 {
				members = append(members, fmt.Sprintf("%q: %s", name, anyValue(random, depth-1)))
			}
		}
		return "{" + strings.Join(members, ", ") + "}"
	default:
		var items []string
		for range random.IntN(3) {
			items = append(items, anyValue(random, depth-1))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
}

// at returns what a series claims of a time: null if it claims nothing.
func (s *told) at(t int64) string {
	i := sort.Search(len(s.T), func(i int) bool { return s.T[i] > t }) - 1
	if i < 0 || t > s.Until {
		return "null"
	}
	return string(append(s.Last, s.Value...)[i])
}

// leaves adds the values in a value to those by path.
func leaves(of map[string]string, path string, value json.RawMessage) {
	var members map[string]json.RawMessage
	var items []json.RawMessage
	switch value[0] {
	case '{':
		_ = json.Unmarshal(value, &members)
		for name, member := range members {
			leaves(of, path+"."+name, member)
		}
	case '[':
		_ = json.Unmarshal(value, &items)
		for i, item := range items {
			leaves(of, fmt.Sprint(path, ".", i), item)
		}
	default:
		of[path] = string(value)
	}
}

// Whatever types the values of a keyword have in turn, from whichever origins, in a stream's past and after
// it: of no time an answer claims a value that was not the one then.
func TestNoValueIsToldOfATimeWhenItWasAnother(t *testing.T) {
	forEachSeed(t, 40, func(t *testing.T, random *rand.Rand) {
		s := New(Limits{Origins: random.IntN(2) == 0})
		past, n := s.Past(), 10+random.IntN(30)
		split, codes := random.IntN(n), "iwe"[:1+random.IntN(3)]
		depth, names := random.IntN(3), map[string]bool{}
		history := make([]map[string]string, n)
		for i := range n {
			value := anyValue(random, depth)
			history[i] = map[string]string{}
			leaves(history[i], "a.k", json.RawMessage(value))
			for name := range history[i] {
				names[name] = true
			}
			r := &Reply{Actor: "a", Time: after(float64(i)), Code: string(codes[random.IntN(len(codes))])}
			if i < split {
				past.Note(r, membersOf(`{"k": `+value+`}`))
			} else {
				s.Note(r, membersOf(`{"k": `+value+`}`))
			}
			if i >= split && random.IntN(n-split) == 0 {
				past.join()
			}
		}
		past.join()
		for name := range names {
			all := s.since(t, start, after(1000), 1000, name)
			for i := range n {
				at, got := after(float64(i)).UnixMilli(), "null"
				for _, series := range all {
					if value := series.at(at); value != "null" {
						if got != "null" {
							t.Errorf("%s was both %s and %s at %d of %d", name, got, value, i, split)
						}
						got = value
					}
				}
				want, known := history[i][name]
				if !known {
					want = "null"
				}
				if got != want {
					t.Fatalf("%s was %s at %d (live from %d on), and is told as %s", name, want, i, split, got)
				}
			}
		}
	})
}

func TestAMemberThatAnotherOriginTookAwayIsBackWhenItIsSaidAgain(t *testing.T) {
	s := New(Limits{Origins: true})
	past := s.Past()
	past.Note(&Reply{Actor: "a", Time: start, Code: "i"}, membersOf(`{"k": {"x": 3}}`))
	s.Note(&Reply{Actor: "a", Time: after(1), Code: "w"}, membersOf(`{"k": {}}`))
	past.join()
	s.Note(&Reply{Actor: "a", Time: after(2), Code: "i"}, membersOf(`{"k": {"x": 3}}`))
	told := s.since(t, start, after(10), 10, "a.k.x")[0]
	if !slices.Equal(texts(told.Last), []string{"3", "null", "3"}) || !slices.Equal(seconds(told.T), []float64{0, 1, 2}) {
		t.Errorf("it was %v at %v", texts(told.Last), seconds(told.T))
	}
}
