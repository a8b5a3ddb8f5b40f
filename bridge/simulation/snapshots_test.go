package simulation

import "slices"

// checkSnapshots compares snapshots with the latest values.
func (c *client) checkSnapshots(v *record, n int) {
	for _, m := range v.came {
		if m.Op != "snapshot" {
			continue
		}
		of := selectors[0]
		if m.answers("snapshot", "url") {
			of = v.subs[0].selector
		} else if v.subs != nil && slices.ContainsFunc(v.subs, func(s sub) bool { return s.id == *m.ID }) {
			of = v.subs[slices.IndexFunc(v.subs, func(s sub) bool { return s.id == *m.ID })].selector
		}
		if !of.values || !v.view.values {
			continue
		}
		want := map[string]*reply{}
		for _, r := range c.w.numbered[:m.Seq] {
			if of.selects(r) && v.view.selects(r) {
				want[r.keyword] = r
			}
		}
		for _, a := range m.Actors {
			for name, k := range a.Keywords {
				if r := want[name]; r == nil || r.value != k.Value || r.seq != k.Seq {
					c.fail(n, "the snapshot at %d has %s = %+v, and the latest is %+v", m.Seq, name, k, r)
				}
				delete(want, name)
			}
		}
		for name := range want {
			c.fail(n, "the snapshot at %d lacks %s", m.Seq, name)
		}
	}
}
