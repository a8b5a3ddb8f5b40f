package listen

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func socketPath(t *testing.T) string { return filepath.Join(t.TempDir(), "socket") }

func at(path string) Address { return Address{Network: "unix", Name: path} }

var private = Options{Mode: 0o600}

// abandon leaves a socket's file behind, as a killed process does.
func abandon(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
}

func TestAUnixSocketHasItsModeAndIsRemoved(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o660, 0o666} {
		path := socketPath(t)
		ln := open(t, at(path), Options{Mode: mode})
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%v is made as %v, %v", mode, info.Mode(), err)
		}
		echo(t, ln)
		if conn, err := dial(t.Context(), ln.Addr()); !echoes(t, conn, err) {
			t.Error("it is not served")
		}
		ln.Close()
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("afterwards: %v", err)
		}
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	abandon(t, path)
	ln := open(t, at(path), private)
	echo(t, ln)
	if conn, err := dial(t.Context(), ln.Addr()); !echoes(t, conn, err) {
		t.Error("it is not served")
	}
}

func TestASocketInUseIsLeftAlone(t *testing.T) {
	listening, datagrams, file, link := socketPath(t), socketPath(t), socketPath(t), socketPath(t)
	echo(t, open(t, at(listening), private))
	packets, err := net.ListenPacket("unixgram", datagrams)
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(listening, link); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string]string{
		listening: "another process is listening on " + listening,
		datagrams: "another process is listening on " + datagrams,
		file:      "is not a socket",
		link:      "is not a socket",
	} {
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if ln, err := Open(t.Context(), at(path), private); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, %v; want an error with %q", ln, err, words)
		}
		if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s is another now: %v", path, err)
		}
	}
	if conn, err := net.Dial("unix", listening); !echoes(t, conn, err) {
		t.Error("the process that was there is not served any more")
	}
}

func TestOnlyOneOfManyTakesOverAStaleSocket(t *testing.T) {
	path := socketPath(t)
	abandon(t, path)
	var starting sync.WaitGroup
	opened := make(chan net.Listener, 16)
	for range cap(opened) {
		starting.Go(func() {
			ln, err := Open(t.Context(), at(path), private)
			// They take turns, and on a crowded machine that is longer than one of them waits.
			for began := time.Now(); err != nil && strings.Contains(err.Error(), "has locked the folder") && time.Since(began) < testkit.Patience; {
				ln, err = Open(t.Context(), at(path), private)
			}
			if err == nil {
				opened <- ln
			} else if !strings.Contains(err.Error(), "another process is listening on") {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	close(opened)
	if len(opened) != 1 {
		t.Errorf("%d think that the socket is theirs", len(opened))
	}
	for ln := range opened {
		echo(t, ln)
	}
	if conn, err := net.Dial("unix", path); !echoes(t, conn, err) {
		t.Error("no process listens on the socket")
	}
}

func TestASocketReplacedByAnotherProcessIsNotRemoved(t *testing.T) {
	path := socketPath(t)
	first := open(t, at(path), private)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	echo(t, open(t, at(path), private))
	first.Close()
	if conn, err := net.Dial("unix", path); !echoes(t, conn, err) {
		t.Error("the first to go took the other's socket along")
	}
}

func TestAMissingFolderIsNamed(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	if _, err := Open(t.Context(), at(nowhere+"/socket"), private); err == nil || !strings.Contains(err.Error(), "the folder "+nowhere+" for the socket does not exist") {
		t.Errorf("got %v", err)
	}
}
