package rooms

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// A source that can be read is complete, and stays the same if it is completed again.
func FuzzParseSource(f *testing.F) {
	for _, seed := range []string{"exchange=live", "exchange=live,type=fanout,path=/x", "exchange=a,binding=x.#,path=/", "exchange=", "type=topic", "exchange=a,exchange=b", "exchange=a,path=x", "exchange=a,path=//", "redis=redis://h,path=/x,channel=a*,format=socketshark", "redis=redis://h,path=/x,format=jararaca"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSource(text)
		if err != nil {
			return
		}
		again := s
		if err := again.Complete(); err != nil || !reflect.DeepEqual(again, s) || s.Name() == "" || s.Path == "" || s.Path[0] != '/' {
			t.Errorf("%q is read as %+v, and then as %+v, %v", text, s, again, err)
		}
	})
}

// Whatever a publisher sends, the messages are for rooms at or below the source's path, and each room
// is one that can be.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"rooms": [{"zoo": 1}, {"a": [true, null, {"b": "c"}]}], "data": 1}`, `{"subscription": "a.b", "data": {"x": 1}}`,
		"a,b,,\xff\x00\x00x", `{"rooms": 1, "data": 2}`, `{"rooms": [{"": ""}, {}], "data": "\ud800"}`, "[1]", "",
	} {
		f.Add("a.b", []byte(seed))
	}
	var sources []*Source
	for _, text := range []string{"exchange=ht,format=hightemplar", "exchange=s,format=socketshark", "redis=redis://h,path=/jj,format=jararaca", "redis=redis://h,path=/"} {
		s, err := ParseSource(text)
		if err != nil {
			f.Fatal(err)
		}
		sources = append(sources, &s)
	}
	f.Fuzz(func(t *testing.T, key string, body []byte) {
		for _, s := range sources {
			messages, err := s.Decode(key, body)
			if err != nil && (messages != nil || reflect.TypeOf(err) != reflect.TypeFor[DropReason]()) {
				t.Errorf("%s: %d messages and %v", s.Name(), len(messages), err)
			}
			for _, m := range messages {
				clean, err := CleanPath(m.Path)
				if s.Format != FormatRaw && (err != nil || clean != m.Path || !s.Covers(m.Path) || strings.Count(m.Path, "/") != 2) {
					t.Errorf("%s: %q is for %q: %v", s.Name(), body, m.Path, err)
				}
				if s.Format == FormatHighTemplar && !utf8.Valid(m.Body) {
					t.Errorf("%q has data that is not UTF-8", body)
				}
			}
		}
	})
}
