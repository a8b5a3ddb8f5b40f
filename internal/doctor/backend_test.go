package doctor

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheBackendsOfDialectsAreTried(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	var r Report
	r.Backend(t.Context(), tcp.Addr().String())
	r.Backend(t.Context(), path)
	tcp.Close()
	r.Backend(t.Context(), tcp.Addr().String())
	r.Backend(t.Context(), path+"x")
	for i, want := range []string{"listens at 127.", "listens at " + path, "connection refused", "no such file"} {
		if f := r.Findings[i]; !strings.Contains(f.Text, want) || (f.Status == OK) != (i < 2) {
			t.Errorf("%+v, want %s", f, want)
		}
	}
}
