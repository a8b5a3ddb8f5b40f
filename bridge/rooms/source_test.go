package rooms

import (
	"reflect"
	"strings"
	"testing"
)

func TestASourceIsParsedAndCompleted(t *testing.T) {
	for text, want := range map[string]Source{
		"exchange=live":                        {Exchange: "live", Type: "topic", Binding: "#", Format: "raw", Path: "/live"},
		"exchange=live,type=fanout":            {Exchange: "live", Type: "fanout", Format: "raw", Path: "/live"},
		"type=topic,binding=a.*,exchange=live": {Exchange: "live", Type: "topic", Binding: "a.*", Format: "raw", Path: "/live"},
		"exchange=live,path=/live":             {Exchange: "live", Type: "topic", Binding: "#", Format: "raw", Path: "/live"},
		"exchange=live,path=/":                 {Exchange: "live", Type: "topic", Binding: "#", Format: "raw", Path: "/"},
		"exchange=live,path=/all/of/it/":       {Exchange: "live", Type: "topic", Binding: "#", Format: "raw", Path: "/all/of/it", bare: true},
		"exchange=live,type=direct":            {Exchange: "live", Type: "direct", Binding: "*", Format: "raw", Path: "/live"},
		"exchange=live,format=hightemplar":     {Exchange: "live", Type: "direct", Binding: "*", Format: "hightemplar", Path: "/live"},
		"exchange=a=b":                         {Exchange: "a=b", Type: "topic", Binding: "#", Format: "raw", Path: "/a=b"},
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
		"type=topic":                            `a source needs an exchange, or redis; write`,
		"exchange=live,type=headers":            `the source live has the type "headers"; choose topic, fanout or direct`,
		"exchange=live,type=fanout,binding=a.#": `the source live is a fanout, which ignores bindings; leave the binding out`,
		"exchange=live,format=xml":              `the source live has the format "xml"; choose one of raw, hightemplar, socketshark, jararaca`,
		"exchange=live,format=jararaca":         `the source live has the format jararaca, which comes by Redis only; write redis=URL`,
		"exchange=live,channel=x":               `has channel, prefix or broadcast, but no redis; write`,
		"exchange=live,path=live":               `the rooms of the source live: "live" is not the path of a room`,
	} {
		if _, err := ParseSource(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestASourceOfRedisIsParsedAndCompleted(t *testing.T) {
	for text, want := range map[string]Redis{
		"redis=redis://h:1/0,path=/x":                                   {URL: "redis://h:1/0", Channels: []string{"*"}},
		"redis=redis://h,path=/x,prefix=a*b.,format=socketshark":        {URL: "redis://h", Prefix: "a*b.", Channels: []string{`a\*b.*`}},
		"redis=rediss://h,path=/x/,channel=a,channel=b.*":               {URL: "rediss://h", Channels: []string{"a", "b.*"}},
		"redis=redis://h,path=/x,format=jararaca":                       {URL: "redis://h", Channels: []string{jararacaSend}, Broadcast: jararacaBroadcast},
		"redis=redis://h,path=/x,format=jararaca,channel=s,broadcast=b": {URL: "redis://h", Channels: []string{"s"}, Broadcast: "b"},
	} {
		got, err := ParseSource(text)
		if err != nil || !reflect.DeepEqual(*got.Redis, want) || got.Path != "/x" || got.Name() != "redis:/x" || !got.ReadOnly() {
			t.Errorf("%s: %+v, %+v, %v", text, got, got.Redis, err)
		}
		again := got
		if err := again.Complete(); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s: completed again it is %+v, %v", text, again.Redis, err)
		}
	}
	for text, want := range map[string]string{
		"redis=redis://h":                                                      "a source of redis needs a path",
		"redis=redis://h,path=x":                                               "the rooms of a source of redis",
		"redis=redis://h,path=/x,exchange=y":                                   "has redis and exchange, type or binding",
		"redis=redis://h,path=/x,broadcast=y":                                  "the source redis:/x has broadcast, which is for the format jararaca",
		"redis=redis://h,path=/x,prefix=":                                      "has an empty prefix",
		"redis=redis://h,path=/x,prefix=a,prefix=b":                            "has two of prefix",
		"redis=redis://:p,secret@h,path=/x":                                    "percent-encoded, as %2C for a comma",
		"Redis=redis://:secret@h,path=/x":                                      `a part of the source "Redis=redis://(hidden)" is not understood`,
		"redis://:secret@h,path=/x":                                            `a part of the source "redis://(hidden)" is not understood`,
		"redis=redis://:secret@h,path=/x,secret":                               "is not understood",
		"redis=redis://h,path=/x" + strings.Repeat(",channel=a", 65):           "has 65 channels; it may have 64",
		"redis=redis://h,format=socketshark,path=/" + strings.Repeat("x", 127): "with the format socketshark it may have 126",
	} {
		if _, err := ParseSource(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
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
