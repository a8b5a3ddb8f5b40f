package snapshot

import (
	"slices"
	"testing"
)

func TestTheNumericKeywordsOfAnActorAreThoseThatMayHaveAUnit(t *testing.T) {
	s := New(Limits{})
	for _, r := range []struct {
		body     string
		internal bool
	}{
		{`{"temp_c": -1.5, "wind_ms": 3, "name": "x", "on": true, "list_s": [1], "gone_deg": null, "axis": {"alt": 1}}`, false},
		{`{"secret_s": 1}`, true},
	} {
		var k Keywords
		s.Read([]byte(r.body), &k)
		s.Note(Reply{Sender: "dome", Code: "i", Internal: r.internal, Keywords: &k})
	}
	names := s.Numeric("dome")
	slices.Sort(names)
	if want := []string{"gone_deg", "list_s", "temp_c", "wind_ms"}; !slices.Equal(names, want) {
		t.Errorf("they are %v", names)
	}
	if s.Numeric("nobody") != nil {
		t.Error("an actor that was not heard has some")
	}
}
