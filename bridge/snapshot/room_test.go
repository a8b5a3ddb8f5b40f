package snapshot

import (
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestTheActorThatIsSilentForLongestIsEvicted(t *testing.T) {
	s := New(Limits{Actors: 2})
	s.Note(say("a", 1, `{"x": 1, "y": 1}`))
	s.Note(say("b", 2, `{"x": 2, "y": 2}`))
	s.Note(say("a", 3, `{}`))
	s.Note(say("c", 4, `{"x": 4}`))
	if got := slices.Sorted(maps.Keys(values(t, s, nil))); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("%q are known", got)
	}
	if actors, keywords := s.Evicted(); actors != 1 || keywords != 2 {
		t.Errorf("%d actors and %d keywords were forgotten", actors, keywords)
	}
	if actors, keywords := s.Len(); actors != 2 || keywords != 3 {
		t.Errorf("%d actors and %d keywords are known", actors, keywords)
	}
}

func TestTheKeywordThatWasUpdatedLeastRecentlyIsEvicted(t *testing.T) {
	s := New(Limits{Keywords: 2})
	s.Note(say("a", 1, `{"x": 1, "y": 1}`))
	s.Note(say("a", 2, `{"x": 2}`))
	s.Note(say("a", 3, `{"z": 3}`))
	want := map[string]map[string]any{"a": {"x": 2.0, "z": 3.0}}
	if got := values(t, s, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if actors, keywords := s.Evicted(); actors != 0 || keywords != 1 {
		t.Errorf("%d actors and %d keywords were forgotten", actors, keywords)
	}
}

func TestAnActorThatInventsKeywordsLosesItsOwn(t *testing.T) {
	s := New(Limits{Bytes: 128 << 10})
	s.Note(say("mount", 1, `{"ra": 1}`))
	for i := range 1000 {
		s.Note(say("camera", uint64(i), fmt.Sprintf(`{"exposure_%d": "%s"}`, i, strings.Repeat("x", 1000))))
		if s.Bytes() > 128<<10 {
			t.Fatalf("%d bytes are kept", s.Bytes())
		}
	}
	all := values(t, s, nil)
	if all["mount"]["ra"] != 1.0 {
		t.Error("the mount's ra was forgotten")
	}
	if all["camera"]["exposure_999"] == nil || len(all["camera"]) < 50 {
		t.Errorf("of the camera %d keywords are known", len(all["camera"]))
	}
}

func TestTheCostliestActorLosesKeywords(t *testing.T) {
	s := New(Limits{Bytes: 64 << 10})
	s.Note(say("mount", 1, `{"ra": 1}`))
	s.Note(say("camera", 2, fmt.Sprintf(`{"a": "%s", "b": "%[1]s", "c": "%[1]s", "d": "%[1]s"}`, strings.Repeat("x", 15_000))))
	s.Note(say("dome", 3, fmt.Sprintf(`{"open": "%s"}`, strings.Repeat("x", 5_000))))
	all := values(t, s, nil)
	if all["mount"]["ra"] == nil || all["dome"]["open"] == nil || all["camera"]["a"] != nil || all["camera"]["b"] == nil {
		t.Errorf("the mount has %d keywords, the dome %d, the camera %d", len(all["mount"]), len(all["dome"]), len(all["camera"]))
	}
}

func TestBytesBoundTheActors(t *testing.T) {
	s := New(Limits{Bytes: 64 << 10})
	for i := range 100 {
		s.Note(say(fmt.Sprint("actor", i), 1, `{"a": 1}`))
	}
	all := values(t, s, nil)
	if len(all) != 16 || all["actor83"] != nil || all["actor99"]["a"] != 1.0 {
		t.Errorf("known are %v", all)
	}
}

func TestTheBoundOfBytesMayBeReached(t *testing.T) {
	r := say("mount", 1, `{"ra": 1, "dec": 2}`)
	s := New(Limits{})
	s.Note(r)
	for limit, evicted := range map[int]uint64{s.Bytes(): 0, s.Bytes() - 1: 1} {
		s := New(Limits{Bytes: limit})
		s.Note(r)
		if _, keywords := s.Evicted(); keywords != evicted {
			t.Errorf("with room for %d bytes %d keywords are evicted, want %d", limit, keywords, evicted)
		}
	}
}

func TestBytesBoundTheHeap(t *testing.T) {
	for name, fill := range map[string]func(*Store, int){
		"numbers": func(s *Store, i int) {
			s.Note(say(fmt.Sprint("actor", i/500), 1, fmt.Sprintf(`{"keyword_%d": %d}`, i, i)))
		},
		"replies of ten": func(s *Store, i int) {
			var b strings.Builder
			for j := range 10 {
				fmt.Fprintf(&b, `, "keyword_%d_%d": [%d, 1.5, "a text"]`, i, j, i)
			}
			s.Note(say(fmt.Sprint("actor", i/50), 1, "{"+b.String()[2:]+"}"))
		},
		"large values": func(s *Store, i int) {
			s.Note(say(fmt.Sprint("actor", i/100), 1, fmt.Sprintf(`{"k%d": "%s"}`, i, strings.Repeat("x", 5000))))
		},
		"actors": func(s *Store, i int) { s.Note(say(fmt.Sprint("actor", i), 1, `{}`)) },
		"actors of one keyword": func(s *Store, i int) {
			s.Note(say(fmt.Sprint("actor", i), 1, `{"temperature": 1.5}`))
		},
		"values that shrink and grow": func(s *Store, i int) {
			s.Note(say("actor", 1, fmt.Sprintf(`{"k%d": "%s"}`, i%900, strings.Repeat("x", 40*(i%977)))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			const limit = 8 << 20
			before := heapInUse()
			s := New(Limits{Bytes: limit, Actors: 1 << 20})
			for i := 0; i < 5000 || s.evictedKeywords+s.evictedActors == 0 && i < 100_000; i++ {
				fill(s, i)
			}
			used := heapInUse() - before
			t.Logf("%d bytes on the heap for %d that are counted", used, s.Bytes())
			// Maps that grow keep up to twice their need; buffers a quarter.
			if used > s.Bytes()*5/4 {
				t.Errorf("%d bytes on the heap for %d that are counted", used, s.Bytes())
			}
		})
	}
}

// heapInUse is what is in use after a collection, in bytes.
func heapInUse() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// filler are so many keywords of a thousand bytes.
func filler(keywords int) string {
	var b strings.Builder
	for i := range keywords {
		fmt.Fprintf(&b, `, "k%02d": "%s"`, i, strings.Repeat("x", 998))
	}
	return "{" + b.String()[2:] + "}"
}

func TestEquallyCostlyActorsLoseKeywordsInTurn(t *testing.T) {
	s := New(Limits{Bytes: 65 << 10})
	s.Note(say("a", 1, filler(20)))
	s.Note(say("b", 2, filler(20)))
	s.Note(say("c", 3, filler(15)))
	all := values(t, s, nil)
	// 55 keywords and their costs are five too many; the first to pay was heard first.
	if len(all["a"]) != 17 || len(all["b"]) != 18 || len(all["c"]) != 15 {
		t.Errorf("a has %d keywords, b %d, c %d", len(all["a"]), len(all["b"]), len(all["c"]))
	}
}

func TestOfEquallyCostlyActorsTheOlderOneLosesKeywords(t *testing.T) {
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		s := New(Limits{Bytes: 32 << 10})
		for _, name := range order {
			s.Note(say(name, 1, filler(11)))
		}
		for s.evictedKeywords == 0 {
			s.Note(say("c", 2, fmt.Sprintf(`{"k%d": "%s"}`, s.replies, strings.Repeat("x", 500))))
		}
		if all := values(t, s, nil); len(all[order[0]]) != 10 || len(all[order[1]]) != 11 {
			t.Errorf("of %q the first has %d keywords, the second %d", order, len(all[order[0]]), len(all[order[1]]))
		}
	}
}

func TestAShortValueDoesNotKeepTheRoomOfALongOne(t *testing.T) {
	s := New(Limits{})
	s.Note(say("mount", 1, `{"a": "`+strings.Repeat("x", 10_000)+`"}`))
	s.Note(say("mount", 2, `{"a": 1}`))
	if c := cap(s.actors["mount"].public["a"].value); c > 1+slack {
		t.Errorf("a value of one byte has a buffer of %d", c)
	}
}

func TestNoValueMayTakeMoreThanAQuarterOfTheBytes(t *testing.T) {
	s := New(Limits{Bytes: 64 << 10, Value: 1 << 20})
	s.Note(say("camera", 1, `{"image": "`+strings.Repeat("x", 16<<10)+`"}`))
	if got := string(s.Append(nil, nil)); !strings.Contains(got, `"too_large": 16386`) {
		t.Errorf("got %s", got)
	}
}
