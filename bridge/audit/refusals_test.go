package audit

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestManyRefusalsAreCountedAndDoNotFillTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testSink{room: -1}
		l, _ := logTo(s, false, maxPending)
		for port := range maxRefusals + 7 {
			l.Refused(Refused{Who: Who{Remote: fmt.Sprintf("[2001:db8::%x]:%d", port, port)}, Code: "invalid"})
		}
		l.Refused(Refused{Who: Who{Remote: "10.0.0.1:5"}})
		l.Refused(Refused{Who: Who{Name: "ana", Remote: "[2001:db8::1]:5"}})
		time.Sleep(refusalWindow)
		synctest.Wait()
		l.Refused(Refused{Who: Who{Remote: "[2001:db8::1]:5"}})
		if err := l.Close(time.Minute); err != nil {
			t.Fatal(err)
		}
		counts := map[string]float64{}
		for _, r := range s.rows(t) {
			if counts[r["event"].(string)]++; r["event"] == "refused_more" {
				counts[fmt.Sprint(r["name"], r["remote"])] = r["count"].(float64)
			}
		}
		if counts["refused"] != maxRefusals+3 || counts["refused_more"] != 1 || counts["2001:db8::/64"] != 7 {
			t.Errorf("the rows are %v", counts)
		}
	})
}

func TestOfALongCommandThatIsRefusedTheBeginningIsRecorded(t *testing.T) {
	s := &testSink{room: -1}
	l, _ := logTo(s, false, maxPending)
	l.Refused(Refused{CommandString: strings.Repeat("é", maxCut)})
	l.Command(Command{CommandString: strings.Repeat("é", maxCut)}, func(error) {})
	if err := l.Close(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	rows := s.rows(t)
	if got := rows[0]["command_string"].(string); len(got) != maxCut || rows[0]["command_bytes"] != 2.0*maxCut {
		t.Errorf("%d of %v bytes", len(got), rows[0]["command_bytes"])
	}
	if got := rows[1]["command_string"].(string); len(got) != 2*maxCut {
		t.Errorf("of a command that is sent, %d bytes are recorded", len(got))
	}
}

func TestRefusalsOfEverChangingAddressesAreBoundedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testSink{room: -1}
		l, _ := logTo(s, false, maxPending)
		for i := range maxRefused + maxRefusals + 9 {
			l.Refused(Refused{Who: Who{Remote: fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)}})
		}
		if err := l.Close(time.Minute); err != nil {
			t.Fatal(err)
		}
		rows := s.rows(t)
		if last := rows[len(rows)-1]; len(rows) != maxRefused+maxRefusals+1 || last["event"] != "refused_more" || last["count"] != 9.0 {
			t.Errorf("%d rows, the last is %v", len(rows), last)
		}
	})
}
