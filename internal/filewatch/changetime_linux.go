package filewatch

import (
	"io/fs"
	"syscall"
)

// changeTime returns when a file was last changed in any way. Unlike the time of its contents, no
// program that copies a file can set it back.
func changeTime(info fs.FileInfo) (seconds, nanoseconds int64) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(stat.Ctim.Sec), int64(stat.Ctim.Nsec)
	}
	return 0, 0
}
