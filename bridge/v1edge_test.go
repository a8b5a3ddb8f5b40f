package bridge

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAPlainClientThatSpeaksV1InABurstMissesNothing(t *testing.T) {
	s := newHarness(t)
	for range 10 {
		conn, err := s.dialPlain("/")
		if err != nil {
			t.Fatal(err)
		}
		begun := s.hub.Figures().Seq
		var talking sync.WaitGroup
		talking.Go(func() {
			for range 200 {
				s.from("a", 0)
			}
		})
		if err := wsutil.WriteClientText(conn, []byte(`{"op": "ping"}`)); err != nil {
			t.Fatal(err)
		}
		for last, greeted := begun, false; last < begun+200 || !greeted; {
			_ = conn.SetReadDeadline(time.Now().Add(testkit.Patience))
			text, err := wsutil.ReadServerText(conn)
			if err != nil {
				t.Fatal(err)
			}
			var m struct {
				Op  string
				Seq uint64
			}
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			switch {
			case m.Op == "hello":
				if greeted = true; m.Seq != last {
					t.Fatalf("behind reply %d the hello says %d", last, m.Seq)
				}
			case m.Op != "": // the pong
			case !greeted && m.Seq == 0:
				last++
			case !greeted || m.Seq != last+1:
				t.Fatalf("behind reply %d came %s", last, text)
			default:
				last = m.Seq
			}
		}
		talking.Wait()
		_ = conn.Close()
	}
}

func TestAnIDThatIsTooLongIsRefused(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.tell(l, `{"op": "subscribe", "id": "`+strings.Repeat("x", 256)+`"}`)
	if m := s.await(l, "error"); m["id"] != nil || !strings.Contains(m["message"].(string), "256 bytes") {
		t.Errorf("the answer is %v", m)
	}
}

func TestWhatIsTooLongIsNotDecoded(t *testing.T) {
	s := newHarness(t)
	l := s.dialAt("/?silent=1")
	s.await(l, "hello")
	long := `"` + strings.Repeat(`\u0001`, 100_000) + `"`
	for _, message := range []string{
		`{"op": ` + long + `}`, `{"op": "ping", "id": ` + long + `}`, `{"op": "subscribe", "ordered": [` + long + `]}`,
	} {
		s.tell(l, message)
		if got := s.await(l, "error"); len(got["message"].(string)) > 300 {
			t.Errorf("the error is %d bytes long", len(got["message"].(string)))
		}
	}
}
