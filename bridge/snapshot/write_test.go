package snapshot

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"
)

func TestASnapshotIsWrittenSortedByName(t *testing.T) {
	s := New(Limits{})
	s.Note(say("mount", 1, `{"ra": 1.50, "dec": [1,  2]}`))
	late := say("mount", 2, `{"ra": 2e0}`)
	late.Code, late.Time = ":", noon.In(time.FixedZone("", -7*3600)).Add(time.Second)
	s.Note(late)
	s.Note(say("dome", 3, `{}`))
	first := `"time": "2026-11-21T12:00:00.123456+00:00", "code": "i", "seq": `
	second := `"time": "2026-11-21T12:00:01.123456+00:00", "code": ":", "seq": 2`
	want := `{"dome": {` + first + `3` + unheard + `, "keywords": {}}, "mount": {` + second + unheard + `, "keywords": {` +
		`"dec": {"value": [1,  2], ` + first + `1}, "ra": {"value": 2e0, ` + second + `}}}}`
	if got := string(s.Append([]byte("x"), nil)); got != "x"+want {
		t.Errorf("got  %s\nwant x%s", got, want)
	}
	want = `[{"name": "dome", ` + first + `3` + unheard + `, "keywords": 0}, {"name": "mount", ` + second + unheard + `, "keywords": 2}]`
	if got := string(s.AppendActors([]byte("x"))); got != "x"+want {
		t.Errorf("got  %s\nwant x%s", got, want)
	}
}

func TestAnEmptyStoreIsWritten(t *testing.T) {
	if got := string(New(Limits{}).AppendActors(New(Limits{}).Append(nil, nil))); got != "{}[]" {
		t.Errorf("got %s", got)
	}
}

func TestAFilterTestsTheReplyOfEachKeyword(t *testing.T) {
	s := New(Limits{})
	s.Note(Reply{Sender: "mount", Code: ">", RoutingKey: "reply.x", CommandID: "id", Commander: "x.mount", Internal: true, Time: noon, Seq: 5, Body: []byte(`{"ra": 1}`)})
	s.Note(say("mount", 6, `{}`))
	var asked []Entry
	got := string(s.Append(nil, func(e Entry) bool { asked = append(asked, e); return false }))
	want := []Entry{{"mount", "ra", ">", "reply.x", "id", "x.mount", true, noon, 5, nil, false, false, 0}}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %+v, want %+v", asked, want)
	}
	if got != "{}" {
		t.Errorf("nothing was let through, but %s", got)
	}
}

func TestActorsWithoutSelectedKeywordsAreLeftOut(t *testing.T) {
	s := New(Limits{})
	for _, name := range []string{"a", "b", "c", "d"} {
		s.Note(say(name, 1, `{"x": 1, "y": 1}`))
	}
	s.Note(say("e", 1, `{}`))
	got := values(t, s, func(e Entry) bool { return e.Actor == "b" || e.Actor == "d" && e.Keyword == "y" })
	want := map[string]map[string]any{"b": {"x": 1.0, "y": 1.0}, "d": {"y": 1.0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestInternalKeywordsAreMarkedAndCountedOnce(t *testing.T) {
	s := New(Limits{})
	s.Note(say("mount", 1, `{"ra": 1, "dec": 1}`))
	inner := say("mount", 2, `{"ra": 2, "axes": 2}`)
	inner.Internal = true
	s.Note(inner)
	var actors map[string]struct {
		Keywords map[string]struct{ Internal bool }
	}
	if err := json.Unmarshal(s.Append(nil, nil), &actors); err != nil {
		t.Fatal(err)
	}
	marked := actors["mount"].Keywords
	if !marked["ra"].Internal || !marked["axes"].Internal || marked["dec"].Internal {
		t.Errorf("marked are %v", marked)
	}
	var list []struct{ Keywords int }
	if err := json.Unmarshal(s.AppendActors(nil), &list); err != nil || list[0].Keywords != 3 {
		t.Errorf("listed are %v, %v", list, err)
	}
}

func TestEvictionsAreReported(t *testing.T) {
	s := New(Limits{Keywords: 1})
	s.Note(say("mount", 1, `{"a": 1, "b": 2, "c": 3}`))
	head := `"time": "` + noonText + `", "code": "i", "seq": 1`
	want := `{"mount": {` + head + unheard + `, "evicted": 2, "keywords": {"c": {"value": 3, ` + head + `}}}}` +
		`[{"name": "mount", ` + head + unheard + `, "evicted": 2, "keywords": 1}]`
	if got := string(s.AppendActors(s.Append(nil, nil))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOddNamesAreWrittenAsJSON(t *testing.T) {
	for _, name := range []string{`a"b`, `a\b`, `"`, `\`, "a\nb", "\x00\x7f", "\n", "\x1f", "\x7f", "é😀", "\u2028", "<&>", "a b"} {
		s := New(Limits{})
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		r := say(name, 1, fmt.Sprintf(`{%s: %[1]s}`, quoted))
		r.Code = name
		s.Note(r)
		if got, want := values(t, s, nil), (map[string]map[string]any{name: {name: name}}); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		var list []struct{ Name, Code string }
		if err := json.Unmarshal(s.AppendActors(nil), &list); err != nil || list[0].Name != name || list[0].Code != name {
			t.Errorf("listed are %v, %v; want %q", list, err, name)
		}
	}
}

func TestACodeThatIsNotUTF8IsWrittenAsUTF8(t *testing.T) {
	s := New(Limits{})
	r := say("mount", 1, `{"a": 1}`)
	r.Code = "\xff"
	s.Note(r)
	if text := s.AppendActors(s.Append(nil, nil)); !utf8.Valid(text) {
		t.Errorf("got %q", text)
	}
}
