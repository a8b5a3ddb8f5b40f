package main

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
)

// backgroundCheck is a check that runs while the tests do.
type backgroundCheck struct {
	program string
	out     bytes.Buffer
	ended   chan error
}

// startBackground starts the check. "" is no program, and a check that passes.
func startBackground(program string) *backgroundCheck {
	b := &backgroundCheck{program: program, ended: make(chan error, 1)}
	if program == "" {
		b.ended <- nil
		return b
	}
	cmd := exec.Command(program)
	cmd.Stdout, cmd.Stderr = &b.out, &b.out
	go func() { b.ended <- cmd.Run() }()
	return b
}

// report waits for the check to end, prints one line if it has passed and all its output if not, and reports whether it
// has passed.
func (b *backgroundCheck) report(to io.Writer) bool {
	err := <-b.ended
	switch {
	case b.program == "":
	case err == nil:
		fmt.Fprintln(to, "ok   ", b.program)
	default:
		fmt.Fprintf(to, "%sFAIL  %s: %v\n", &b.out, b.program, err)
	}
	return err == nil
}
