package testkit

import "testing"

func TestVersionsAreReadAndCompared(t *testing.T) {
	for text, want := range map[string]Version{
		"3.10.8":         {3, 10, 8},
		"4.3.6":          {4, 3, 6},
		"4.3.0-rc.1":     {4, 3, 0},
		"4.1.0+2.gabcde": {4, 1, 0},
	} {
		if got, err := parseVersion(text); err != nil || got != want {
			t.Errorf("%q is read as %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "4", "4.3", "4.x.1", "4.3.6.1"} {
		if got, err := parseVersion(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
	v := Version{4, 0, 5}
	for _, earlier := range [][2]int{{3, 10}, {3, 0}, {4, 0}} {
		if !v.AtLeast(earlier[0], earlier[1]) {
			t.Errorf("%v is before %v", v, earlier)
		}
	}
	for _, later := range [][2]int{{4, 1}, {5, 0}} {
		if v.AtLeast(later[0], later[1]) {
			t.Errorf("%v is not before %v", v, later)
		}
	}
}

func TestNodeKnowsItsVersionAndWhatItKeepsItsMetadataIn(t *testing.T) {
	n := RabbitMQ(t)
	if got := n.Ctl(t, "version"); got != n.Version().String() {
		t.Errorf("the node says %v, its command line tool %s", n.Version(), got)
	}
	if n.Khepri(t) && !n.Version().AtLeast(4, 0) || !n.Khepri(t) && n.Version().AtLeast(4, 3) {
		t.Errorf("Khepri in use: %t, on %v", n.Khepri(t), n.Version())
	}
}
