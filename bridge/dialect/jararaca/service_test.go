package jararaca

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// A client of several rooms gets each message once, whatever came in between.
func TestAClientInSeveralRoomsGetsAMessageOnce(t *testing.T) {
	h := newHarness(t, Config{Routes: []Route{{Path: "/chat/{room}", Join: []string{"{room}", "user:{?user}"}}}})
	both, one := h.enters("/chat/a?user=1"), h.enters("/chat/b?user=")
	h.send("a,user:1,b", "first")
	h.send("a,user:1", "second")
	h.send("user:1,user:2", "third")
	h.send("user:,b", "fourth")
	h.send("a", "")
	h.spoken.Deliver(&rooms.Message{Path: "/chat/a", Format: rooms.FormatRaw, Frame: rooms.Frame([]byte("another's")), Whole: []byte("another's")})
	large := bytes.Repeat([]byte("x"), 1<<20)
	h.send("a,b,user:1", string(large))
	for p, texts := range map[*page][]string{both: {"first", "second", "third", "", string(large)}, one: {"first", "fourth", string(large)}} {
		for _, text := range texts {
			if err := p.gets([]byte(text)); err != nil {
				t.Error(err)
			}
		}
		p.Close()
	}
	h.awaitEmpty()
}

// The rooms of a client are those of the first route that has its path.
func TestAURLSaysWhichRoomsAClientJoins(t *testing.T) {
	h := newHarness(t, Config{Routes: []Route{
		{Path: "/chat/ws", Join: []string{"all", "{?rooms}", "u-{?u}"}, Split: "|"},
		{Path: "/chat/{room}", Join: []string{"{room}", "{?x}/{room}"}},
		{Path: "/chat", Join: nil},
		{Path: "/chat/{room}/", Join: []string{"{room}"}},
	}})
	s := h.spoken.(*service)
	for target, want := range map[string]string{
		"/chat/ws":                     "all",
		"/chat/ws?rooms=b|a|b||&u=1|2": "a all b u-1 u-2",
		"/chat/ws?rooms=a&rooms=c":     "a all c",
		"/chat/one?x=p&x=q":            "one p/one q/one",
		"/chat/one?x=p|q":              "one p|q/one",
		"/chat":                        "",
		"/chat/one/":                   "one",
	} {
		path, query, _ := strings.Cut(target, "?")
		for _, r := range s.routes {
			parameters, ok := r.match(path)
			if !ok {
				continue
			}
			names, err := r.rooms(parameters, query)
			if got := strings.Join(names, " "); got != want || err != nil {
				t.Errorf("%s joins %q, %v, want %q", target, got, err, want)
			}
			break
		}
	}
	many := "/chat/ws?rooms=" + strings.Repeat("a|", maxRooms)
	for target, want := range map[string]int{"/chat/": 403, "/chat/a/": 101, "/chat//": 403, "/chat/a/b": 403, "/chat/a?x=b": 101, many + "b": 400, many[:len(many)-2]: 101} {
		if _, got := h.connect(target); got != want {
			t.Errorf("%.40s is answered with %d, want %d", target, got, want)
		}
	}
}

// What is wrong with a configuration is said with its place.
func TestWhatIsWrongWithAConfigurationIsSaid(t *testing.T) {
	for want, routes := range map[string][]Route{
		"routes are missing":                         nil,
		`routes[0].path "/other" is not at or below`: {{Path: "/other"}},
		`routes[0].path "/chats" is not at or below`: {{Path: "/chats"}},
		`routes[1].path the part "x{a}"`:             {{Path: "/chat"}, {Path: "/chat/x{a}"}},
		`routes[0].path the part "{a:path}"`:         {{Path: "/chat/{a:path}"}},
		"routes[0].path has two parameters {a}":      {{Path: "/chat/{a}/{a}"}},
		"routes[0].join[1] is empty":                 {{Path: "/chat", Join: []string{"a", ""}}},
		`routes[0].join[0] "{a" has no }`:            {{Path: "/chat", Join: []string{"{a"}}},
		`routes[0].join[0] "{?a}{?b}" must name one`: {{Path: "/chat", Join: []string{"{?a}{?b}"}}},
		`a parameter of the query is {?room}`:        {{Path: "/chat", Join: []string{"x{room}"}}},
	} {
		_, err := New(&Config{Routes: routes}, dialect.Place{Path: "/chat", Rooms: "/chat"}, dialect.Host{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

// The rooms of all groups are bounded, not the clients of one group.
func TestTheMembershipsAreBounded(t *testing.T) {
	h := newHarness(t, Config{Routes: []Route{{Path: "/chat"}}})
	s := newGroups(h.spoken.(*service).groups.newLog)
	s.limit = 1000
	common := []string{"/common"}
	first := s.join(common)
	for i := 0; ; i++ {
		paths := []string{}
		for j := range 20 {
			paths = append(paths, fmt.Sprint("/", i, "/", j))
		}
		if s.full(paths) != (s.join(paths) == nil) {
			t.Fatal("it is full, or it is not")
		}
		if s.full(paths) {
			break
		}
	}
	if s.memberships > s.limit || s.full(common) || s.join(common) != first || s.full([]string{"/x"}) {
		t.Errorf("%d memberships, and no place for clients of the same rooms", s.memberships)
	}
	for _, g := range s.all() {
		for range g.clients {
			s.leave(g)
		}
	}
	if s.memberships != 0 || len(s.byPath) != 0 || !slices.Equal(s.all(), nil) {
		t.Errorf("%d memberships are left", s.memberships)
	}
}
