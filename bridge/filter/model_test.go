package filter_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/amqpx/topic"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// model is a filter as one would say it: the values of each field, true and false as texts.
type model map[string][]string

func (m model) wants(r *filter.Reply, mine bool) bool {
	for field, values := range m {
		if !slices.ContainsFunc(values, func(v string) bool { return passes(field, v, r, mine) }) {
			return false
		}
	}
	return true
}

func passes(field, v string, r *filter.Reply, mine bool) bool {
	switch field {
	case "sender":
		return globs(v, r.Sender)
	case "command_id":
		return globs(v, r.CommandID)
	case "commander":
		return v == "me" && mine || v != "me" && globs(v, r.Commander)
	case "keyword":
		return v != "" && strings.Trim(v, "*") == "" || slices.ContainsFunc(r.Keywords, func(k string) bool { return globs(v, k) })
	case "routing_key":
		return topic.Compile(v).Match(r.RoutingKey)
	case "message_code":
		return v == r.Code
	}
	return v == "true" == r.Internal
}

// globs is the rule as one would say it. It asks path.Match about single characters only: there, *
// goes by bytes, so that [^a] behind it may match half of an é.
func globs(glob, text string) bool {
	if glob == "" {
		return text == ""
	}
	if glob[0] == '*' {
		return globs(glob[1:], text) || text != "" && globs(glob, text[1:])
	}
	if text == "" || !utf8.RuneStart(text[0]) {
		return false
	}
	_, length := utf8.DecodeRuneInString(glob)
	if glob[0] == '[' {
		length = strings.IndexByte(glob, ']') + 1
	}
	_, size := utf8.DecodeRuneInString(text)
	one, err := path.Match(glob[:length], text[:size])
	return (glob[0] == '?' || one && err == nil) && globs(glob[length:], text[size:])
}

// of puts up to most of the pieces together.
func of(rnd *rand.Rand, most int, separator string, pieces ...string) string {
	words := make([]string, rnd.IntN(most+1))
	for i := range words {
		words[i] = pieces[rnd.IntN(len(pieces))]
	}
	return strings.Join(words, separator)
}

// randomModel has few possible values, so that models often want the same.
func randomModel(rnd *rand.Rand) model {
	glob := func() string {
		return of(rnd, 3, "", "a", "b", "é", "/", "*", "*", "?", "[a]", "[*]", "[ab]", "[^a]", "[a-é]", "[^/b-é]")
	}
	m := model{}
	for field, random := range map[string]func() string{
		"sender": glob, "command_id": glob, "keyword": glob,
		"commander":    func() string { return []string{"me", glob()}[rnd.IntN(2)] },
		"routing_key":  func() string { return of(rnd, 3, ".", "a", "b", "*", "#") },
		"message_code": func() string { return []string{">", "i", "d", "w", "e", ":", "f", "!"}[rnd.IntN(8)] },
		"internal":     func() string { return []string{"true", "false"}[rnd.IntN(2)] },
	} {
		for rnd.IntN(3) == 0 {
			m[field] = append(m[field], random())
		}
	}
	return m
}

func randomReply(rnd *rand.Rand) *filter.Reply {
	text := func() string { return of(rnd, 3, "", "a", "b", "c", "é", "/", "*") }
	r := &filter.Reply{
		Sender: text(), CommandID: text(), Commander: text(), Internal: rnd.IntN(2) == 0,
		RoutingKey: of(rnd, 3, ".", "a", "b"), Code: of(rnd, 2, "", ">", "i", "d", ":", "f"),
	}
	for rnd.IntN(2) == 0 {
		r.Keywords = append(r.Keywords, text())
	}
	return r
}

// spelled is one of the many ways to write a model in JSON.
func (m model) spelled(rnd *rand.Rand) string {
	out := make(map[string]any)
	for field, values := range m {
		values = append(slices.Clone(values), values[:rnd.IntN(len(values)+1)]...)
		rnd.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		list := make([]any, len(values))
		for i, v := range values {
			if list[i] = v; field == "internal" {
				list[i] = v == "true"
			}
		}
		if out[field] = list; len(list) == 1 && rnd.IntN(2) == 0 {
			out[field] = list[0]
		}
	}
	text, _ := json.Marshal(out)
	return string(text)
}

func TestFiltersAgreeWithTheModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	selected := 0
	const filters, replies = 1500, 20
	for range filters {
		m := randomModel(rnd)
		text := m.spelled(rnd)
		f := parse(t, text)
		for range replies {
			r, mine := randomReply(rnd), rnd.IntN(2) == 0
			want := m.wants(r, mine)
			if got := f.MatchMine(r, mine); got != want {
				t.Fatalf("%s, mine %v, of %+v: got %v, want %v", text, mine, r, got, want)
			}
			if !f.Mine() && f.Match(r) != want {
				t.Fatalf("%s of %+v: Match is not MatchMine", text, r)
			}
			if s := f.Senders(); want && s != nil && !slices.Contains(s, r.Sender) {
				t.Fatalf("%s selects %+v, whose sender is not among %q", text, r, s)
			}
			if !f.NeedsKeywords() && f.MatchMine(&filter.Reply{Sender: r.Sender, RoutingKey: r.RoutingKey, Code: r.Code,
				CommandID: r.CommandID, Commander: r.Commander, Internal: r.Internal}, mine) != want {
				t.Fatalf("%s of %+v: it needs keywords", text, r)
			}
			if want {
				selected++
			}
		}
	}
	if all := filters * replies; selected < all/20 || selected > all*19/20 {
		t.Fatalf("%d of %d replies were selected: the test tries little", selected, all)
	}
}

func TestEverySpellingOfAFilterHasItsKey(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		m := randomModel(rnd)
		first, second := m.spelled(rnd), m.spelled(rnd)
		key := parse(t, first).Key()
		if other := parse(t, second).Key(); other != key {
			t.Fatalf("%s has the key %s,\n%s the key %s", first, key, second, other)
		}
		if again := parse(t, key).Key(); again != key {
			t.Fatalf("the key %s has the key %s", key, again)
		}
	}
}

func TestFiltersWithTheSameKeySelectTheSame(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	models := make(map[string]model)
	shared := 0
	for range 6000 {
		m := randomModel(rnd)
		f := parse(t, m.spelled(rnd))
		other, known := models[f.Key()]
		models[f.Key()] = m
		if !known {
			continue
		}
		shared++
		for range 5 {
			r, mine := randomReply(rnd), rnd.IntN(2) == 0
			if m.wants(r, mine) != other.wants(r, mine) {
				t.Fatalf("%v and %v have the key %s, but differ about %+v, mine %v", m, other, f.Key(), r, mine)
			}
		}
	}
	if shared < 500 {
		t.Fatalf("only %d filters shared a key: the test tries little", shared)
	}
}

func TestQueryAndJSONOfTheSameModelHaveTheSameKey(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 1000 {
		m := randomModel(rnd)
		query := make(url.Values)
		for field, values := range m {
			values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
			if len(values) == 0 {
				delete(m, field)
				continue
			}
			cut := rnd.IntN(len(values))
			if m[field] = values; cut > 0 {
				query.Add(field, strings.Join(values[:cut], ","))
			}
			query.Add(field, strings.Join(values[cut:], ","))
		}
		f, found, err := filter.FromQuery(query)
		if err != nil {
			t.Fatalf("%v: %v", query, err)
		}
		if want := parse(t, m.spelled(rnd)).Key(); f.Key() != want || found != (len(m) > 0) {
			t.Fatalf("%v: got %s and %v, want %s", query, f.Key(), found, want)
		}
	}
}
