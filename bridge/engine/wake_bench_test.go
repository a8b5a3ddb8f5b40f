//go:build unix

package engine

import "testing"

// BenchmarkWake measures running a function on an idle loop, and waiting for it.
func BenchmarkWake(b *testing.B) {
	for name, portable := range map[string]bool{"system": false, "portable": true} {
		b.Run(name, func(b *testing.B) {
			e, err := New(Config{Handler: &asking{}, Loops: 1, Portable: portable})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = e.Shutdown(b.Context(), "") }()
			l := e.loops[0]
			for b.Loop() {
				l.do(func() {})
			}
		})
	}
}
