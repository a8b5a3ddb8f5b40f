package snapshot

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheLastValueOfEachKeywordIsKept(t *testing.T) {
	s := New(Limits{})
	s.Note(say("mount", 1, `{"ra": 1.5, "dec": {"a": 1, "b": 2}}`))
	s.Note(say("dome", 2, `{"open": true}`))
	s.Note(say("mount", 3, `{"dec": {"a": 3}, "text": "x"}`))
	want := map[string]map[string]any{
		"mount": {"ra": 1.5, "dec": map[string]any{"a": 3.0}, "text": "x"},
		"dome":  {"open": true},
	}
	if got := values(t, s, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if actors, keywords := s.Len(); actors != 2 || keywords != 4 {
		t.Errorf("%d actors and %d keywords are known", actors, keywords)
	}
}

func TestTheLastOfTwoEqualKeysWins(t *testing.T) {
	s := New(Limits{})
	s.Note(say("mount", 1, `{"ra": 1, "dec": 2, "r\u0061": 3}`))
	want := map[string]map[string]any{"mount": {"ra": 3.0, "dec": 2.0}}
	if got := values(t, s, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAReplyWithoutASenderIsLeftOut(t *testing.T) {
	s := New(Limits{})
	s.Note(say("", 1, `{"ra": 1}`))
	if got := string(s.Append(nil, nil)); got != "{}" {
		t.Errorf("got %s", got)
	}
}

func TestABodyThatIsNoObjectOnlyUpdatesTheLastReply(t *testing.T) {
	s := New(Limits{})
	for _, body := range []string{`[{"ra": 1}]`, `"ra"`, `1`, `null`, `{}`} {
		s.Note(say("mount", 7, body))
	}
	want := `{"mount": {"time": "` + noonText + `", "code": "i", "seq": 7` + unheard + `, "keywords": {}}}`
	if got := string(s.Append(nil, nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTheStoreRetainsNoBody(t *testing.T) {
	s := New(Limits{})
	body := []byte(`{"ra": "abc"}`)
	s.Note(Reply{Sender: "mount", Time: noon, Body: body})
	before := string(s.Append(nil, nil))
	clear(body)
	if got := string(s.Append(nil, nil)); got != before {
		t.Errorf("%s became %s", before, got)
	}
}

func TestAnInternalReplyHidesNothing(t *testing.T) {
	s := New(Limits{})
	inner := say("mount", 2, `{"ra": 2, "axes": 2}`)
	inner.Internal = true
	s.Note(say("mount", 1, `{"ra": 1, "dec": 1}`))
	s.Note(inner)
	public := map[string]map[string]any{"mount": {"ra": 1.0, "dec": 1.0}}
	if got := values(t, s, func(e Entry) bool { return !e.Internal }); !reflect.DeepEqual(got, public) {
		t.Errorf("for people: %v, want %v", got, public)
	}
	all := map[string]map[string]any{"mount": {"ra": 2.0, "dec": 1.0, "axes": 2.0}}
	if got := values(t, s, nil); !reflect.DeepEqual(got, all) {
		t.Errorf("in all: %v, want %v", got, all)
	}
	s.Note(say("mount", 3, `{"ra": 3}`))
	if got := values(t, s, nil)["mount"]["ra"]; got != 3.0 {
		t.Errorf("the newest ra is %v", got)
	}
}

func TestAValueThatIsTooLargeIsReported(t *testing.T) {
	s := New(Limits{Value: 10})
	s.Note(say("mount", 1, `{"image": "1234"}`))
	s.Note(say("mount", 2, `{"image": "123456789"}`))
	want := `{"mount": {"time": "` + noonText + `", "code": "i", "seq": 2` + unheard + `, "keywords": {"image": {"too_large": 11, "time": "` + noonText + `", "code": "i", "seq": 2}}}}`
	if got := string(s.Append(nil, nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.Note(say("mount", 3, `{"image": "12345678"}`))
	if got := values(t, s, nil)["mount"]["image"]; got != "12345678" {
		t.Errorf("a value of the longest length became %v", got)
	}
}

func TestAGiantValueEvictsNoActor(t *testing.T) {
	s := New(Limits{Bytes: 64 << 10})
	for i := range 10 {
		s.Note(say(fmt.Sprint("actor", i), 1, `{"a": 1}`))
	}
	s.Note(say("camera", 2, `{"image": "`+strings.Repeat("x", 1<<20)+`"}`))
	if actors, keywords := s.Evicted(); actors != 0 || keywords != 0 {
		t.Errorf("%d actors and %d keywords were forgotten", actors, keywords)
	}
}

func TestTextsThatAreTooLongAreNotKept(t *testing.T) {
	s := New(Limits{Value: 10})
	long := strings.Repeat("x", 11)
	s.Note(say(long, 1, `{"a": 1}`))
	if actors, _ := s.Evicted(); actors != 1 {
		t.Errorf("%d actors were forgotten", actors)
	}
	r := say("mount", 2, `{"a": 1, "`+long+`": 2}`)
	r.CommandID = long
	s.Note(r)
	var ids []string
	got := values(t, s, func(e Entry) bool { ids = append(ids, e.CommandID); return true })
	if want := (map[string]map[string]any{"mount": {"a": 1.0}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !reflect.DeepEqual(ids, []string{""}) {
		t.Errorf("the command ids are %q", ids)
	}
	if _, keywords := s.Evicted(); keywords != 1 {
		t.Errorf("%d keywords were forgotten", keywords)
	}
}

func TestASenderThatIsNotUTF8IsOneActor(t *testing.T) {
	s := New(Limits{})
	s.Note(say("a\xff\xfe", 1, `{"a": 1}`))
	s.Note(say("a\ufffd\ufffd", 2, `{"b": 2}`))
	want := map[string]map[string]any{"a\ufffd\ufffd": {"a": 1.0, "b": 2.0}}
	if got := values(t, s, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if text := s.AppendActors(s.Append(nil, nil)); !utf8.Valid(text) {
		t.Errorf("%q is not UTF-8", text)
	}
}

// A body of 96,000 keywords kept everybody waiting while each of them was set and
// forgotten.
func TestOfABodyWithTooManyKeywordsTheLastOnesAreSet(t *testing.T) {
	s := New(Limits{Keywords: 3})
	var k Keywords
	s.Note(say("mount", 1, `{"old": 0}`))
	r := say("mount", 2, `{"a": 1, "b": 2, "c": 3, "a": 4, "d": 5, "d": 6}`)
	s.Read(r.Body, &k)
	if len(k.list) != 3 || k.evicted != 1 {
		t.Errorf("%d keywords are to be set, %d are forgotten", len(k.list), k.evicted)
	}
	r.Body, r.Keywords = nil, &k
	s.Note(r)
	want := map[string]map[string]any{"mount": {"c": 3.0, "a": 4.0, "d": 6.0}}
	if got := values(t, s, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, keywords := s.Evicted(); keywords != 2 {
		t.Errorf("%d keywords were forgotten", keywords)
	}
}

func TestABufferIsReusedUnlessItIsTooShortOrMuchTooLong(t *testing.T) {
	for _, test := range []struct {
		had, length int
		reused      bool
	}{
		{1600, 1600, true},
		{1600, 1601, false},
		{1600, 1255, true}, // a quarter and slack longer than the value
		{1600, 1254, false},
		{48, 13, true},
		{48, 12, false},
	} {
		k := &keyword{value: make([]byte, 0, test.had)}
		before := &k.value[:1][0]
		k.store(make([]byte, test.length), 10_000)
		if reused := &k.value[0] == before; reused != test.reused {
			t.Errorf("a buffer of %d bytes for a value of %d: reused is %v", test.had, test.length, reused)
		}
		if c := cap(k.value); !test.reused && (c < test.length || c > test.length+15) {
			t.Errorf("a value of %d bytes has a new buffer of %d", test.length, c)
		}
	}
}

func TestTheMemoryOfABodyWithVeryManyKeywordsIsNotKept(t *testing.T) {
	s := New(Limits{})
	for had, kept := range map[int]bool{keptKeywords: true, keptKeywords + 1: false} {
		k := Keywords{list: make([]keywordText, 0, had)}
		s.Read([]byte(`{"a": 1}`), &k)
		if got := cap(k.list) == had; got != kept || len(k.list) != 1 {
			t.Errorf("memory for %d keywords: kept is %v", had, got)
		}
	}
}
