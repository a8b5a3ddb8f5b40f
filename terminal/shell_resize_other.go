//go:build !unix

package terminal

// onResize does nothing: these systems do not tell of a change.
func onResize(func()) (stop func()) { return func() {} }
