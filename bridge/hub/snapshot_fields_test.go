package hub

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// A field that is not kept with a value selects nothing in a snapshot, or too much.
func TestASnapshotIsFilteredByEveryFieldOfAFilter(t *testing.T) {
	said := fullReply(t)
	for _, field := range filter.Fields() {
		passes, fails := valuesOf(t, field, &said)
		for value, want := range map[string]bool{passes: true, fails: false} {
			s := newHarness(t)
			s.saysBody(said, `{"a": 1}`)
			l := s.connect()
			s.tell(l, fmt.Sprintf(`{"op": "snapshot", "filter": {%q: %s}}`, field, value))
			actors := s.await(l, "snapshot")["actors"].(map[string]any)
			if got := len(actors) == 1; got != want {
				t.Errorf("%s %s selects a value: %v", field, value, got)
			}
		}
	}
}

// fullReply is a reply in which no field is zero.
func fullReply(t *testing.T) (r filter.Reply) {
	t.Helper()
	fields := reflect.ValueOf(&r).Elem()
	for i := range fields.NumField() {
		switch field := fields.Field(i); field.Kind() {
		case reflect.String:
			field.SetString("a")
		case reflect.Bool:
			field.SetBool(true)
		}
	}
	r.Code, r.Keywords = "i", []string{"a"}
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			t.Fatalf("%s is zero; set it", fields.Type().Field(i).Name)
		}
	}
	return r
}

// valuesOf returns a value of a field that selects the reply, and one that does not.
func valuesOf(t *testing.T, field string, r *filter.Reply) (passes, fails string) {
	t.Helper()
	selects := func(want bool) func(string) bool {
		return func(value string) bool {
			f, err := filter.Parse(fmt.Appendf(nil, `{%q: %s}`, field, value))
			return err == nil && f.Match(r) == want
		}
	}
	values := []string{`"a"`, `"b"`, `"i"`, `"w"`, `true`, `false`}
	pass, fail := slices.IndexFunc(values, selects(true)), slices.IndexFunc(values, selects(false))
	if pass < 0 || fail < 0 {
		t.Fatalf("no value of %s selects the reply, or none does not; add some", field)
	}
	return values[pass], values[fail]
}
