package site

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// many returns n values that differ.
func many[T any](n int, value func(i int) T) (all []T) {
	for i := range n {
		all = append(all, value(i))
	}
	return all
}

func mapOf[T any](n int, name string, value T) map[string]T {
	all := map[string]T{}
	for i := range n {
		all[fmt.Sprintf(name, i)] = value
	}
	return all
}

func TestEachBoundIsTheLastThatIsAccepted(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	keyword := func(i int) string { return fmt.Sprintf("a.k%d", i) }
	item := func(items ...Item) Config {
		return Config{Boards: Boards{List: []Board{{Name: "a", Items: items}}}}
	}
	condition := func(c ConditionConfig) Config { return Config{Conditions: []ConditionConfig{c}} }
	for what, c := range map[string]struct {
		bound int
		cfg   func(n int) Config
	}{
		"title": {maxText, func(n int) Config { return Config{Title: text(n)} }},
		"unit":  {maxText, func(n int) Config { return Config{Keywords: map[string]Keyword{"a.b": {Unit: text(n)}}} }},
		"name":  {maxName, func(n int) Config { return condition(ConditionConfig{Name: text(n), When: "a.b == 1"}) }},
		"text":  {maxText, func(n int) Config { return condition(ConditionConfig{Name: "a", When: "a.b == 1", Text: text(n)}) }},
		"for": {int(maxFor), func(n int) Config {
			return condition(ConditionConfig{Name: "a", When: "a.b == 1", For: time.Duration(n)})
		}},
		"when": {maxExpr, func(n int) Config {
			return condition(ConditionConfig{Name: "a", When: "a.b == 1" + strings.Repeat(" ", n-8)})
		}},
		"tests": {maxTests, func(n int) Config {
			return condition(ConditionConfig{Name: "a", When: strings.Repeat("a.b == 1 or ", n-1) + "a.b == 1"})
		}},
		"depth": {maxDepth, func(n int) Config {
			return condition(ConditionConfig{Name: "a", When: strings.Repeat("(", n) + "a.b == 1" + strings.Repeat(")", n)})
		}},
		"keyword":  {maxKeyword, func(n int) Config { return Config{Keywords: map[string]Keyword{"a." + text(n-2): {}}} }},
		"keywords": {maxKeywords, func(n int) Config { return Config{Keywords: mapOf(n, "a.k%d", Keyword{})} }},
		"conditions": {maxConditions, func(n int) Config {
			return Config{Conditions: many(n, func(i int) ConditionConfig { return ConditionConfig{Name: fmt.Sprint(i), When: "a.b == 1"} })}
		}},
		"pins": {maxPins, func(n int) Config {
			return Config{Pins: map[string][]string{"a": many(n, func(i int) string { return fmt.Sprint("k", i) })}}
		}},
		"pinned": {maxPinned, func(n int) Config { return Config{Pins: mapOf(n, "a%d", []string{"k"})} }},
		"dangerous": {maxDangerous, func(n int) Config {
			return Config{Dangerous: many(n, func(int) Dangerous { return Dangerous{Verb: []string{"a"}} })}
		}},
		"boards": {maxBoards, func(n int) Config {
			return Config{Boards: Boards{List: many(n, func(i int) Board { return Board{Name: fmt.Sprint("b", i), Items: []Item{{Actor: "a"}}} })}}
		}},
		"items":  {maxItems, func(n int) Config { return item(many(n, func(int) Item { return Item{Actor: "a"} })...) }},
		"plot":   {maxPlotted, func(n int) Config { return item(Item{Plot: many(n, keyword)}) }},
		"table":  {maxPlotted, func(n int) Config { return item(Item{Keywords: many(n, keyword)}) }},
		"search": {maxText, func(n int) Config { return item(Item{Log: text(n)}) }},
	} {
		for n, accepted := range map[int]bool{c.bound: true, c.bound + 1: false} {
			cfg := c.cfg(n)
			if _, err := Compile(&cfg); (err == nil) != accepted {
				t.Errorf("%s of %d: %.200v", what, n, err)
			}
		}
	}
}

func TestLimitsMayBeTheSame(t *testing.T) {
	for _, k := range []Keyword{{Low: limit(1), High: limit(1)}, {LowCritical: limit(-1), Low: limit(-1), High: limit(2), HighCritical: limit(2)}} {
		if _, err := Compile(&Config{Keywords: map[string]Keyword{"a.b": k}}); err != nil {
			t.Error(err)
		}
	}
}
