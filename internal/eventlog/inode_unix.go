//go:build unix

package eventlog

import (
	"fmt"
	"os"
	"syscall"
)

// deviceAndInode returns them as systemd writes them.
func deviceAndInode(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
