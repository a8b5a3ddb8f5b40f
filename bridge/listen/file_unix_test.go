//go:build unix

package listen

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// anotherGroup returns a group to which this process may give its files, other than its own.
func anotherGroup(t *testing.T) int {
	t.Helper()
	if os.Geteuid() == 0 {
		return 54321
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, gid := range groups {
		if gid != os.Getegid() {
			return gid
		}
	}
	return os.Getegid() // there is no other
}

func TestASocketIsGivenToItsGroup(t *testing.T) {
	gid, path := anotherGroup(t), socketPath(t)
	a, err := ParseAddress("unix:" + path + "?group=" + strconv.Itoa(gid) + "&mode=0620")
	if err != nil {
		t.Fatal(err)
	}
	ln := open(t, a, private)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); int(owner.Gid) != gid || int(owner.Uid) != os.Geteuid() || info.Mode().Perm() != 0o620 {
		t.Errorf("the socket is of %d:%d with %v, want the group %d and 0620", owner.Uid, owner.Gid, info.Mode(), gid)
	}
	ln.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestASocketThatCannotBeGivenToItsGroupIsNotServed(t *testing.T) {
	path := socketPath(t)
	for err, words := range map[error]string{
		syscall.EPERM: "make the user a member of it",
		syscall.EROFS: "cannot give the socket",
	} {
		lchown = func(string, int, int) error { return &os.PathError{Op: "lchown", Path: path, Err: err} }
		_, got := Open(t.Context(), Address{Network: "unix", Name: path, File: File{Group: "12", gid: 12}}, private)
		lchown = os.Lchown
		if got == nil || !strings.Contains(got.Error(), words) {
			t.Errorf("%v: %v", err, got)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket is left behind: %v", err)
		}
	}
}
