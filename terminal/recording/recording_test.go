package recording_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/terminal/recording"
)

var start = time.UnixMicro(1795232320123456)

// record returns a recording of three lines after the first.
func record(t *testing.T) string {
	t.Helper()
	var file bytes.Buffer
	w, err := recording.NewWriter(&file, nil, func(err error) { t.Error(err) }, recording.Header{Bridge: "b", Epoch: "e", Start: start.UTC()})
	if err != nil {
		t.Fatal(err)
	}
	seconds := 1.5
	for _, err := range []error{
		w.Reply([]byte(`{"body": {"big": 5853498713190525696}, "heard": 1795232320123457}`), start, true),
		w.Note(recording.Note{Op: recording.OpGap, Seconds: &seconds, Heard: 1795232320123458}),
		w.Reply([]byte("{\"body\": {}\n}\n"), start.Add(3*time.Microsecond), false),
		w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return file.String()
}

// read returns all entries.
func read(t *testing.T, file string) (*recording.Reader, []recording.Entry) {
	t.Helper()
	r, err := recording.NewReader(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var all []recording.Entry
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r, all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	r, all := read(t, record(t))
	if r.Header.Epoch != "e" || !r.Header.Start.Equal(start) || r.Torn() || len(all) != 3 {
		t.Fatalf("header %+v, %d entries, torn %v", r.Header, len(all), r.Torn())
	}
	if got := string(all[0].Envelope); !strings.Contains(got, "5853498713190525696") {
		t.Errorf("the envelope is %s", got)
	}
	if all[1].Note.Op != recording.OpGap || *all[1].Note.Seconds != 1.5 || all[1].Envelope != nil {
		t.Errorf("the gap is %+v", all[1])
	}
	for i, e := range all {
		if want := start.Add(time.Duration(i+1) * time.Microsecond); !e.Heard.Equal(want) {
			t.Errorf("entry %d was heard at %v, want %v", i, e.Heard, want)
		}
	}
}

// A recorder may be killed after any byte.
func TestATornLastLineIsToldAndLeftOut(t *testing.T) {
	whole := record(t)
	first := strings.IndexByte(whole, '\n') + 1
	for n := first; n <= len(whole); n++ {
		r, all := read(t, whole[:n])
		if want := strings.Count(whole[:n], "\n") - 1; len(all) != want {
			t.Fatalf("after %d bytes: %d entries, want %d", n, len(all), want)
		}
		if want := whole[n-1] != '\n'; r.Torn() != want {
			t.Fatalf("after %d bytes: torn is %v", n, r.Torn())
		}
	}
	for n := range first {
		if _, err := recording.NewReader(strings.NewReader(whole[:n])); err == nil {
			t.Fatalf("%q is read as a recording", whole[:n])
		}
	}
}

func TestWhatIsNoRecordingIsRefused(t *testing.T) {
	for _, file := range []string{"", "{}\n", "hello\n", "[1]\n", `{"clu_ws_recording": 2}` + "\n"} {
		if _, err := recording.NewReader(strings.NewReader(file)); err == nil {
			t.Errorf("%q is read as a recording", file)
		}
	}
	r, err := recording.NewReader(strings.NewReader("{\"clu_ws_recording\": 1}\nx\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("the error is %v", err)
	}
}

// disk counts what is on it.
type disk struct {
	bytes.Buffer
	safe int
	full error
}

func (d *disk) Write(p []byte) (int, error) {
	if d.full != nil {
		return 0, d.full
	}
	return d.Buffer.Write(p)
}
func (d *disk) toDisk() error { d.safe = d.Len(); return d.full }

func TestALineIsOnTheDiskWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		w, err := recording.NewWriter(d, d.toDisk, func(err error) { t.Error(err) }, recording.Header{})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := w.Note(recording.Note{Op: recording.OpGap}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second + time.Millisecond)
			synctest.Wait()
			if got := bytes.Count(d.Bytes()[:d.safe], []byte("\n")); got != w.Lines() {
				t.Errorf("%d lines are on the disk, want %d", got, w.Lines())
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAFullDiskIsToldEvenIfNothingMoreComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{full: errors.New("no space left")}
		var told []error
		w, err := recording.NewWriter(d, d.toDisk, func(err error) { told = append(told, err) }, recording.Header{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(told) != 1 || !errors.Is(told[0], d.full) {
			t.Errorf("told %v", told)
		}
		if err := w.Note(recording.Note{}); !errors.Is(err, d.full) {
			t.Errorf("the next line has the error %v", err)
		}
		if err := w.Close(); !errors.Is(err, d.full) {
			t.Errorf("the end has the error %v", err)
		}
	})
}

func TestARecordingOfANewerFormatIsRefused(t *testing.T) {
	newer := `{"clu_ws_recording": 2, "bridge": "bridge", "turns": [1]}` + "\n" + `{"turn": 1}` + "\n"
	_, err := recording.NewReader(strings.NewReader(newer))
	if err == nil || !strings.Contains(err.Error(), "version 2 of the format; this program reads version 1") {
		t.Errorf("it is read, with the error %v", err)
	}
	known := `{"clu_ws_recording": 1, "bridge": "bridge", "of_a_later_program": true}` + "\n" + `{"body": {"n": 1}, "heard": 1795232320123456, "more": 2}` + "\n"
	r, err := recording.NewReader(strings.NewReader(known))
	if err != nil {
		t.Fatal(err)
	}
	if e, err := r.Next(); err != nil || e.Envelope == nil || e.Heard.IsZero() {
		t.Errorf("a line with a later key is read as %+v, %v", e, err)
	}
}
