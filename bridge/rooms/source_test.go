package rooms

import (
	"strings"
	"testing"
)

func TestASourceIsParsedAndCompleted(t *testing.T) {
	for text, want := range map[string]Source{
		"exchange=live":                        {Exchange: "live", Type: "topic", Binding: "#", Path: "/live"},
		"exchange=live,type=fanout":            {Exchange: "live", Type: "fanout", Path: "/live"},
		"type=topic,binding=a.*,exchange=live": {Exchange: "live", Type: "topic", Binding: "a.*", Path: "/live"},
		"exchange=live,path=/live":             {Exchange: "live", Type: "topic", Binding: "#", Path: "/live"},
		"exchange=live,path=/":                 {Exchange: "live", Type: "topic", Binding: "#", Path: "/"},
		"exchange=live,path=/all/of/it/":       {Exchange: "live", Type: "topic", Binding: "#", Path: "/all/of/it", bare: true},
		"exchange=a=b":                         {Exchange: "a=b", Type: "topic", Binding: "#", Path: "/a=b"},
	} {
		if got, err := ParseSource(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                                      `"" of the source "" is not understood; write exchange=NAME`,
		"live":                                  `"live" of the source "live" is not understood`,
		"exchange=live,colour=red":              `"colour=red" of the source "exchange=live,colour=red" is not understood`,
		"exchange=a,exchange=b":                 `has two of exchange; write`,
		"exchange=":                             `has an empty exchange; write`,
		"type=topic":                            `a source needs an exchange; write`,
		"exchange=live,type=direct":             `the source live has the type "direct"; choose topic or fanout`,
		"exchange=live,type=fanout,binding=a.#": `the source live is a fanout, which ignores bindings; leave the binding out`,
		"exchange=live,path=live":               `the rooms of the source live: "live" is not the path of a room`,
	} {
		if _, err := ParseSource(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// sourceAt is the source live whose rooms are at and below a path.
func sourceAt(t *testing.T, path string) *Source {
	t.Helper()
	s, err := ParseSource("exchange=live,path=" + path)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestARoutingKeyNamesARoomAtOrBelowTheSourcesPath(t *testing.T) {
	for path, rooms := range map[string]map[string]string{
		"/live": {
			"/live": "/live", "/live/x": "/live/x", "/live/x/": "/live/x", "x": "/live/x", "/x": "/live/x", "x/y": "/live/x/y",
			"": "/live", "/": "/live", "/livex": "/live/livex", "live": "/live/live", "a.b": "/live/a.b",
		},
		"/": {"": "/", "/": "/", "x": "/x", "/x": "/x", "/x/y/": "/x/y", "a.b": "/a.b"},
	} {
		for key, want := range rooms {
			if got := sourceAt(t, path).Room(key); got != want {
				t.Errorf("the key %q is for the room %s of the source at %s, want %s", key, got, path, want)
			}
		}
	}
}

func TestAMessageForARoomHasTheKeyThatLeadsThere(t *testing.T) {
	for _, test := range []struct{ path, room, key string }{
		{"/live", "/live/x", "/live/x"},
		{"/live", "/live", "/live"},
		{"/", "/x", "/x"},
		{"/other", "/other/x/y", "x/y"},
		{"/other", "/other", ""},
	} {
		s := sourceAt(t, test.path)
		key := s.RoutingKey(test.room)
		if key != test.key || s.Room(key) != test.room {
			t.Errorf("at %s the room %s has the key %q, which leads to %s", test.path, test.room, key, s.Room(key))
		}
	}
}

func TestARoomBelongsToTheSourceWithTheLongestPath(t *testing.T) {
	sources := []Source{*sourceAt(t, "/live"), *sourceAt(t, "/live/x"), *sourceAt(t, "/other")}
	for room, want := range map[string]string{
		"/live": "/live", "/live/y": "/live", "/live/x": "/live/x", "/live/x/y": "/live/x", "/live/xy": "/live", "/other": "/other", "/": "", "/lives": "",
	} {
		got := ""
		if s := Find(sources, room); s != nil {
			got = s.Path
		}
		if got != want {
			t.Errorf("the room %s belongs to the source at %q, want %q", room, got, want)
		}
	}
	root := []Source{*sourceAt(t, "/")}
	if Find(root, "/x") != &root[0] || Find(root, "/") != nil {
		t.Error("a source at / has not every room but /")
	}
}
