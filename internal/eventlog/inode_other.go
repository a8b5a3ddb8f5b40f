//go:build !unix

package eventlog

import "os"

// deviceAndInode returns nothing: there is no systemd.
func deviceAndInode(*os.File) string { return "" }
