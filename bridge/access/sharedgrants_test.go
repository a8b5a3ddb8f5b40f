package access

import (
	"runtime"
	"testing"
	"weak"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestEqualGrantsOfCredentialsAreSharedWhileSomebodyHasThem(t *testing.T) {
	s := sharedGrants{byText: map[string]weak.Pointer[Grants]{}}
	count := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.byText)
	}
	parse := func(text string) *Grants {
		g, err := s.parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	first, second, other := parse(observer), parse(observer), parse(`{"hear": [{}]}`)
	if first != second {
		t.Error("equal grants are not shared")
	}
	if first == other || other.Key() == first.Key() {
		t.Error("different grants are shared")
	}
	if _, err := s.parse([]byte(`{"heer": []}`)); err == nil || count() != 2 {
		t.Errorf("after grants that cannot be used (%v), %d are known", err, count())
	}
	runtime.KeepAlive(first)
	testkit.WaitUntil(t, "grants that nobody has are forgotten", func() bool {
		runtime.GC()
		return count() <= 1
	})
	if again := parse(`{"hear": [{}]}`); again != other {
		t.Error("grants that somebody has are forgotten")
	}
	runtime.KeepAlive(other)
}
