//go:build unix

package audit

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAPipeIsWrittenToAndWithoutAReaderIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Target: path}); err == nil {
		t.Fatal("it is opened without a reader")
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	l, err := Open(Config{Target: path})
	if err != nil {
		t.Fatal(err)
	}
	l.Entered(Entered{})
	if err := l.Close(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(reader).ReadString('\n'); err != nil || !strings.Contains(line, "entered") {
		t.Errorf("%q, %v", line, err)
	}
}
