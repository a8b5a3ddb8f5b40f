//go:build !linux

package doctor

// readMachine returns nothing: only Linux is asked.
func readMachine() machine { return machine{} }

// portOwner returns nothing: only Linux is asked.
func portOwner(string) (name string, pid int) { return "", 0 }
